//! Files and folders dropped onto the window.

use super::theme;
use eframe::egui::{Align2, Area, Context, Id, Order, Sense, Stroke, StrokeKind};
use std::path::Path;
use strata_app::action::Action;
use strata_app::opening::{is_data_file, run_of_file};
use strata_core::project::data::Source;
use strata_data::recognise;

/// What a dropped thing asks for: a project, a run, weights or a network are opened, a dataset becomes the data, an image
/// is looked at with saliency.
pub fn action(path: &Path) -> Action {
    let is_image = |path: &Path| image::ImageFormat::from_path(path).is_ok();
    if let Some(run) = run_of_file(path) {
        return Action::Open(run.to_path_buf());
    }
    match path {
        path if path.is_file() && is_data_file(path) => Action::DataFolder(path.to_path_buf()),
        path if path.is_file() && is_of_a_set(path) => {
            Action::DataFolder(path.parent().unwrap_or(path).to_path_buf())
        }
        path if path.is_file() && is_image(path) => Action::Image(path.to_path_buf()),
        path => Action::Open(path.to_path_buf()),
    }
}

/// Whether a file is one of several that make up a known set: its folder is meant.
fn is_of_a_set(path: &Path) -> bool {
    let source = recognise(path, Source::default()).source;
    matches!(source, Source::Cifar10 | Source::Cifar100 | Source::Stl10)
}

/// What was dropped since the last frame; of several things the first counts.
pub(crate) fn actions(ctx: &Context) -> Vec<Action> {
    let path = ctx.input(|input| {
        input
            .raw
            .dropped_files
            .first()
            .map(|file| file.path().to_path_buf())
    });
    path.map(|path| action(&path)).into_iter().collect()
}

/// While something is held over the window, the window says what would become of it.
pub(crate) fn show_target(ctx: &Context) {
    if ctx.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let screen = ctx.content_rect();
    Area::new(Id::unique("drop target"))
        .order(Order::Foreground)
        .fixed_pos(screen.min)
        .show(ctx, |ui| {
            let colors = theme::palette(ui);
            let (rect, _) = ui.allocate_exact_size(screen.size(), Sense::hover());
            ui.painter()
                .rect_filled(rect, 0.0, theme::faded(colors.back, 0.85));
            let stroke = Stroke::new(2.0, colors.accent);
            ui.painter()
                .rect_stroke(rect.shrink(12.0), theme::RADIUS, stroke, StrokeKind::Inside);
            let text = "Drop a project, a run's folder, a dataset, or an image";
            ui.painter().text(
                rect.center(),
                Align2::CENTER_CENTER,
                text,
                theme::heading(theme::TITLE),
                colors.strong,
            );
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            std::fs::write(folder.path().join(name), "").unwrap();
            folder.path().join(name)
        };
        assert!(matches!(action(&file("a.toml")), Action::Open(_)));
        assert!(matches!(action(&file("a.png")), Action::Image(_)));
        for name in [
            "a.csv",
            "a.npz",
            "b.mat",
            "c.zip",
            "d.tar.gz",
            "train-images-idx3-ubyte.gz",
        ] {
            assert!(
                matches!(action(&file(name)), Action::DataFolder(_)),
                "{name}"
            );
        }
        for name in ["data_batch_1", "test_batch.bin", "train_X.bin"] {
            let of_set = action(&file(name));
            assert!(matches!(of_set, Action::DataFolder(path) if path == folder.path()));
        }
        // What a folder holds is looked at when it is opened.
        assert!(matches!(action(folder.path()), Action::Open(_)));
        assert!(matches!(
            action(&folder.path().join("none.toml")),
            Action::Open(_)
        ));
    }
}
