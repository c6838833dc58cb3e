//! The playground for kernels, by mouse and by keyboard alone.

use crate::kit::PATIENCE;
use crate::kit::window::*;
use eframe::egui::{Key, Modifiers, Vec2, vec2};
use egui_kittest::kittest::Queryable;
use strata::app::action::{Action, OnView, Show};
use strata::app::kernels::Subject;
use strata::app::view_kind::ViewKind;
use strata::inspect::kernel::{Named, Response};
use strata::inspect::kernel_playground::{Outcome, Playground};

/// A window in which the view stands alone.
fn alone(size: Vec2) -> Window {
    let mut window = Window::without_engine(builtin("conv-autoencoder"), size);
    window.show_alone(ViewKind::Kernels);
    answered(&mut window);
    window
}

/// Waits for the answer to the newest request.
fn answered(window: &mut Window) {
    window.run();
    window.wait("answer", |state| {
        let query = state.kernel_query();
        state.inspections.reply_to(&query).is_some()
    });
}

fn answer(window: &Window) -> &Playground {
    let seen = window
        .state()
        .inspections
        .reply_to(&window.state().kernel_query());
    seen.unwrap().result.as_ref().unwrap()
}

fn response(window: &Window) -> &Response {
    match &answer(window).outcome {
        Ok(Outcome::Response(response)) => response,
        other => panic!("no result of a kernel: {other:?}"),
    }
}

fn choose(window: &mut Window, combo: &str, entry: &str) {
    window.click(combo);
    window
        .harness
        .get_by_role_and_label(eframe::egui::accesskit::Role::Button, entry)
        .click();
    answered(window);
}

#[test]
fn a_kernel_is_chosen_changed_and_slid_by_mouse() {
    let mut window = alone(SIZE);
    assert_eq!(
        response(&window).output.size,
        [32, 32],
        "the project's first image, padded"
    );
    choose(&mut window, "Kernel", "box");
    assert_eq!(
        window.state().inspections.kernels.named,
        Some(Named::BoxBlur)
    );
    let before = answer(&window).picture.clone();
    window.click("Next image");
    answered(&mut window);
    assert_ne!(answer(&window).picture.pixels, before.pixels);
    window.click("Image before");
    answered(&mut window);
    assert_eq!(answer(&window).picture, before);
    window.click("Grey first");
    answered(&mut window);
    assert_eq!(response(&window).output.channels, 1);
    // Dragging a weight to the right makes it larger, and the kernel one's own.
    let weight = window.get("Weight 2, 2").rect().center();
    window.drag(weight, weight + vec2(60.0, 0.0));
    answered(&mut window);
    let kernels = &window.state().inspections.kernels;
    assert!(
        kernels.named.is_none() && kernels.kernel.values[4] > 1.5,
        "{:?}",
        kernels.kernel
    );
    // The result under the pointer tells its arithmetic.
    let at = window.harness.get_by_label_contains("Result, row").rect();
    window.harness.hover_at(at.center() + vec2(10.0, 4.0));
    window.run();
    assert!(window.has("of the result"));
}

#[test]
fn a_patch_is_dragged_out_and_found_again() {
    let mut window = alone(SIZE);
    let picture = window.get("Picture: drag to select a pattern").rect();
    let unit = picture.width() / 32.0;
    let corner = picture.min + vec2(8.5, 6.5) * unit;
    window.drag(corner, corner + vec2(9.0, 7.0) * unit);
    answered(&mut window);
    assert_eq!(
        window.state().inspections.kernels.patch,
        Some([6, 8, 8, 10])
    );
    let Ok(Outcome::Match(found)) = &answer(&window).outcome else {
        panic!("{:?}", answer(&window).outcome)
    };
    assert_eq!(found.places[0].at, [6, 8]);
    assert!(found.places[0].score > 0.999 && window.has("likeness at row"));
    window.click("Back to the kernel");
    answered(&mut window);
    assert_eq!(response(&window).output.size, [32, 32]);
}

#[test]
fn everything_is_reached_by_keyboard_alone() {
    let mut window = alone(SIZE);
    for name in [
        "Noisy curve",
        "Next image",
        "Kernel",
        "Padding",
        "Border",
        "Flip the kernel",
        "Weight 3, 3",
    ] {
        window.tab_to(name);
    }
    window.tab_to("Weight 1, 1");
    window.press(Modifiers::COMMAND, Key::A);
    window.get("Weight 1, 1").type_text("-3");
    window.press(Modifiers::NONE, Key::Enter);
    answered(&mut window);
    assert_eq!(window.state().inspections.kernels.kernel.values[0], -3.0);
    assert!(window.has("−3") && !window.has("-3"), "a true minus sign");
    window.tab_to("Stride");
    window.press(Modifiers::COMMAND, Key::A);
    window.get("Stride").type_text("2");
    window.press(Modifiers::NONE, Key::Enter);
    answered(&mut window);
    assert_eq!(response(&window).output.size, [16, 16]);
    window.tab_to("Result, row 9, column 9");
    window.press(Modifiers::NONE, Key::ArrowDown);
    window.press(Modifiers::NONE, Key::ArrowLeft);
    assert!(window.has("Result, row 10, column 8") && window.has("row 10, column 8 of the result"));
    window.tab_to("Find a pattern");
    window.press(Modifiers::NONE, Key::Enter);
    answered(&mut window);
    assert_eq!(window.state().inspections.kernels.patch, Some([0, 0, 8, 8]));
    window.tab_to("Row of the patch");
    window.press(Modifiers::COMMAND, Key::A);
    window.get("Row of the patch").type_text("12");
    window.press(Modifiers::NONE, Key::Enter);
    answered(&mut window);
    assert_eq!(
        window.state().inspections.kernels.patch,
        Some([12, 0, 8, 8])
    );
}

#[test]
fn a_noisy_curve_is_smoothed_and_a_dropped_file_is_taken() {
    let mut window = alone(SIZE);
    window.click("Noisy curve");
    answered(&mut window);
    assert_eq!(
        window.state().inspections.kernels.named,
        Some(Named::MovingAverage)
    );
    assert_eq!(response(&window).output.size, [1, 256]);
    assert!(window.has("Signal, value") && window.has("value 129 of the result"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wide.png");
    image::RgbImage::from_fn(700, 300, |x, y| image::Rgb([x as u8, y as u8, 0]))
        .save(&file)
        .unwrap();
    window
        .harness
        .state_mut()
        .handle(strata::gui::drop::action(&file));
    answered(&mut window);
    assert_eq!(
        window.state().inspections.kernels.subject,
        Subject::File(file)
    );
    let picture = &answer(&window).picture;
    assert_eq!(
        (picture.pixels.size, picture.full),
        ([110, 256], [300, 700]),
        "made smaller, and said so"
    );
    // A file that is none: the sentence stands where the pictures were, and the way back is open.
    window.enter("Image to slide over", "/no/such.png");
    window.wait_for(PATIENCE, "refusal", |window| {
        window.has("No picture to show")
    });
    window.click("Image of the source");
    answered(&mut window);
    assert_eq!(answer(&window).picture.full, [32, 32]);
}

#[test]
fn a_kernel_that_does_not_fit_says_so() {
    let mut window = alone(SIZE);
    let mut kernels = window
        .state()
        .inspections
        .kernels
        .with_named(Named::BoxBlur, Some(9), None);
    kernels.settings.dilation = 8;
    kernels.settings.amount = strata::inspect::kernel::Amount::Valid;
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Kernels(Box::new(kernels))));
    answered(&mut window);
    assert!(
        answer(&window)
            .outcome
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("smaller kernel or dilation")
    );
}

#[test]
#[ignore = "writes pictures"]
fn pictures() {
    for (name, size) in [("small", SIZE), ("large", vec2(1920.0, 1080.0))] {
        for dark in [true, false] {
            let mut window = alone(size);
            window.set_dark(dark);
            let theme = if dark { "dark" } else { "light" };
            let save = |window: &mut Window, what: &str| {
                window.write_picture(&format!("kernels/{what}-{name}-{theme}"));
            };
            save(&mut window, "sobel");
            choose(&mut window, "Kernel", "gaussian");
            save(&mut window, "gaussian");
            let mut kernels = window.state().inspections.kernels.clone();
            kernels.patch = Some([6, 8, 8, 10]);
            window
                .harness
                .state_mut()
                .handle(Action::Show(Show::Kernels(Box::new(kernels))));
            answered(&mut window);
            save(&mut window, "pattern");
            window.click("Noisy curve");
            answered(&mut window);
            save(&mut window, "curve");
            window.click("Image of the source");
            answered(&mut window);
            window
                .harness
                .state_mut()
                .handle(Action::View(OnView::Reset));
            window
                .harness
                .state_mut()
                .handle(Action::View(OnView::Open(ViewKind::Kernels, None)));
            answered(&mut window);
            save(&mut window, "home");
        }
    }
}
