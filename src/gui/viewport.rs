//! Between the window's place as a plain value and the window system.

use eframe::egui::{InputState, ViewportBuilder};
use strata_app::placement::{LEAST_SIZE, Placement, WindowFacts};

/// What the window system says of the window in this frame.
pub(crate) fn facts(input: &InputState) -> WindowFacts {
    let viewport = input.viewport();
    let size = input.content_rect().size();
    WindowFacts {
        size: size.into(),
        position: viewport.outer_rect.map(|rect| rect.min.into()),
        minimized: viewport.minimized,
        maximized: viewport.maximized,
        fullscreen: viewport.fullscreen,
    }
}

/// Asks the window system for a window there.
pub(crate) fn apply(placement: Placement, window: ViewportBuilder) -> ViewportBuilder {
    let window = window
        .with_inner_size(placement.size)
        .with_min_inner_size(LEAST_SIZE)
        .with_maximized(placement.maximized)
        .with_fullscreen(placement.fullscreen);
    match placement.position {
        Some(position) => window.with_position(position),
        None => window,
    }
}
