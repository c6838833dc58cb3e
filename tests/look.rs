#![allow(clippy::unwrap_used, missing_docs)]
mod window;
use eframe::egui::vec2;
use std::path::PathBuf;
use strata::gui::action::{Action, OnView, Overlay, Show};
use strata::gui::arrangement::{Arrangement, Part};
use strata::gui::views::ViewKind;
use strata::project::{Place, Stack};
use window::*;
const OUT: &str = "/work/tmp/look/png";
fn wait(w: &mut Window) {
    for _ in 0..400 {
        w.harness.step();
        std::thread::sleep(std::time::Duration::from_millis(10));
        let s = w.state();
        let quiet = !s.training.is_reading() && !s.runs.is_reading();
        let fronts = s.arrangement().fronts();
        let sal = !fronts.contains(&ViewKind::Saliency) || s.looking.saliency.latest.is_some();
        let data = !fronts.contains(&ViewKind::Data) || s.looking.data.latest.is_some();
        let sparse = !fronts.contains(&ViewKind::Sparse) || s.looking.sparse.latest.is_some();
        if quiet && sal && data && sparse {
            break;
        }
    }
    w.run();
}
#[test]
#[ignore]
fn look() {
    let which = std::env::var("LOOK").unwrap_or_default();
    for run in ["lenet", "conv", "sparse", "pre"] {
        for (size, scale, sn) in [
            ((1280.0, 720.0), 1.0, "720"),
            ((1920.0, 1080.0), 1.0, "1080"),
            ((1920.0, 1080.0), 1.5, "150"),
            ((1280.0, 720.0), 1.5, "small"),
        ] {
            for dark in [true, false] {
                let name = format!("{run}-{sn}-{}", if dark { "dark" } else { "light" });
                if !which.is_empty() && !name.contains(&which) {
                    continue;
                }
                let mut w = Window::real(builtin("conv-autoencoder"), vec2(size.0, size.1));
                let h = |w: &mut Window, a| w.harness.state_mut().handle(a);
                h(&mut w, Action::Open(PathBuf::from(format!("/work/tmp/look/runs/{run}"))));
                h(&mut w, Action::Show(Show::Dark(dark)));
                wait(&mut w);
                w.save_picture(&PathBuf::from(format!("{OUT}/{name}-1usual.png")), scale);
                use ViewKind::*;
                let row = |a: &[ViewKind], b: &[ViewKind]| Part::Row(vec![(0.5, Part::of(a)), (0.5, Part::of(b))]);
                let second = Arrangement(Some(Part::Column(vec![
                    (0.5, row(&[Runs], &[Sparse])),
                    (0.5, row(&[Data], &[Saliency])),
                ])));
                h(&mut w, Action::View(OnView::Arrange(second)));
                h(&mut w, Action::Select(Some(Place::new(Stack::Encoder, 0))));
                wait(&mut w);
                w.save_picture(&PathBuf::from(format!("{OUT}/{name}-2second.png")), scale);
                for kind in [Saliency, Sparse, Data, Runs] {
                    h(&mut w, Action::View(OnView::Arrange(Arrangement(Some(Part::of(&[kind]))))));
                    wait(&mut w);
                    w.save_picture(&PathBuf::from(format!("{OUT}/{name}-3{kind:?}.png")), scale);
                    if kind == Saliency {
                        h(&mut w, Action::Ask(strata::gui::state::Asking::Picture(kind)));
                        wait(&mut w);
                        w.save_picture(&PathBuf::from(format!("{OUT}/{name}-4ask.png")), scale);
                        h(&mut w, Action::CancelPath);
                    }
                }
                h(&mut w, Action::Start(true));
                w.run();
                w.save_picture(&PathBuf::from(format!("{OUT}/{name}-5start.png")), scale);
                h(&mut w, Action::Start(false));
                for (o, n) in [(Overlay::Palette, "palette"), (Overlay::Keys, "keys"), (Overlay::About, "about")] {
                    h(&mut w, Action::Overlay(Some(o)));
                    w.run();
                    w.save_picture(&PathBuf::from(format!("{OUT}/{name}-6{n}.png")), scale);
                }
            }
        }
    }
}
