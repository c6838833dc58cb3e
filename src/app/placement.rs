//! Where the window is on the screen and how large, so that it comes back there.

use eframe::egui::{Pos2, Rect, Vec2, ViewportBuilder, ViewportInfo, pos2, vec2};
use serde::{Deserialize, Serialize};

/// Below this size in points the panels do not fit.
pub const LEAST_SIZE: [f32; 2] = [960.0, 600.0];
/// No screen is larger.
const MOST_SIZE: f32 = 16_384.0;
/// No screen is farther from the first one.
const FARTHEST: f32 = 65_536.0;
/// What must be seen of the title bar so that the window can be moved by it, in points.
const GRIP: Vec2 = vec2(120.0, 16.0);
/// The height of most title bars, in points.
const TITLE_BAR: f32 = 32.0;

/// Size and position in points of the system, whatever the zoom of the window is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Placement {
    /// Width and height without the frame, when neither maximized nor fullscreen.
    pub size: [f32; 2],
    /// The upper left corner of the frame; `None` where the system does not say, as on Wayland.
    pub position: Option<[f32; 2]>,
    /// Whether it fills the screen except for the bars of the desktop.
    pub maximized: bool,
    /// Whether it fills the whole screen.
    pub fullscreen: bool,
}

impl Default for Placement {
    fn default() -> Placement {
        Placement::sized([1280.0, 800.0])
    }
}

impl Placement {
    /// A window of this size wherever the system puts it.
    pub fn sized(size: [f32; 2]) -> Placement {
        Placement {
            size,
            position: None,
            maximized: false,
            fullscreen: false,
        }
    }

    /// The same with sizes and positions that a window can have: a file may hold anything.
    #[must_use]
    pub fn sound(self) -> Placement {
        let is_number = |values: &[f32; 2]| values.iter().all(|value| value.is_finite());
        let size = Some(self.size)
            .filter(is_number)
            .unwrap_or(Placement::default().size);
        let is_near = |position: &[f32; 2]| position.iter().all(|value| value.abs() < FARTHEST);
        Placement {
            size: [0, 1].map(|axis| size[axis].clamp(LEAST_SIZE[axis], MOST_SIZE)),
            position: self.position.filter(is_number).filter(is_near),
            ..self
        }
    }

    /// What is now: a maximized window keeps the size that it goes back to, a minimized one everything.
    #[must_use]
    pub fn after(self, window: &ViewportInfo, size: Vec2, zoom: f32) -> Placement {
        if window.minimized == Some(true) {
            return self;
        }
        let now = Placement {
            maximized: window.maximized.unwrap_or(self.maximized),
            fullscreen: window.fullscreen.unwrap_or(self.fullscreen),
            ..self
        };
        if now.maximized || now.fullscreen {
            return now;
        }
        let in_points = |x: f32, y: f32| [x, y].map(|value| (value * zoom).round());
        let position = window
            .outer_rect
            .map(|rect| in_points(rect.min.x, rect.min.y));
        Placement {
            size: in_points(size.x, size.y),
            position: position.or(self.position),
            ..now
        }
    }

    /// The same where the window can be taken hold of on one of these screens, else in the middle of the first.
    #[must_use]
    pub fn reachable(self, screens: &[Rect]) -> Placement {
        let (Some([x, y]), Some(first)) = (self.position, screens.first()) else {
            return self;
        };
        let title_bar = Rect::from_min_size(pos2(x, y), vec2(self.size[0], TITLE_BAR));
        let can_be_taken = |screen: &Rect| {
            let seen = screen.intersect(title_bar);
            seen.width() >= GRIP.x && seen.height() >= GRIP.y
        };
        if screens.iter().any(can_be_taken) {
            return self;
        }
        let room = (first.size() - Vec2::from(self.size)).max(Vec2::ZERO);
        let middle: Pos2 = first.min + (room / 2.0).round();
        Placement {
            position: Some([middle.x, middle.y]),
            ..self
        }
    }

    /// The same window for the window system.
    pub(super) fn apply(self, window: ViewportBuilder) -> ViewportBuilder {
        let window = window
            .with_inner_size(self.size)
            .with_min_inner_size(LEAST_SIZE)
            .with_maximized(self.maximized)
            .with_fullscreen(self.fullscreen);
        match self.position {
            Some(position) => window.with_position(position),
            None => window,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32, y: f32) -> Placement {
        Placement {
            position: Some([x, y]),
            ..Placement::default()
        }
    }

    fn screen(x: f32, y: f32) -> Rect {
        Rect::from_min_size(pos2(x, y), vec2(1920.0, 1080.0))
    }

    #[test]
    fn a_window_outside_of_all_screens_comes_to_the_first() {
        let screens = [screen(0.0, 0.0), screen(1920.0, 0.0)];
        let middle = Some([320.0, 140.0]);
        for (x, y) in [
            (5000.0, 100.0),
            (-1300.0, 100.0),
            (100.0, 1075.0),
            (100.0, -40.0),
            (3830.0, 100.0),
        ] {
            assert_eq!(at(x, y).reachable(&screens).position, middle, "{x}, {y}");
        }
        for (x, y) in [(0.0, 0.0), (-1000.0, 0.0), (2500.0, 900.0)] {
            assert_eq!(at(x, y).reachable(&screens), at(x, y), "{x}, {y}");
        }
        assert_eq!(
            at(2500.0, 100.0).reachable(&screens[..1]).position,
            middle,
            "the second screen was taken away"
        );
        assert_eq!(at(5000.0, 0.0).reachable(&[]), at(5000.0, 0.0));
        let large = Placement {
            size: [4000.0, 3000.0],
            ..at(9000.0, 0.0)
        };
        assert_eq!(large.reachable(&screens).position, Some([0.0, 0.0]));
    }

    #[test]
    fn nonsense_becomes_a_window_that_can_be_used() {
        let nonsense = Placement {
            size: [f32::NAN, 10.0],
            position: Some([f32::INFINITY, 0.0]),
            ..Placement::default()
        };
        assert_eq!(nonsense.sound(), Placement::default());
        let tiny = Placement::sized([-5.0, 1e30]).sound();
        assert_eq!(tiny.size, [960.0, MOST_SIZE]);
        assert_eq!(at(1e9, 0.0).sound().position, None);
        assert_eq!(at(-200.0, 40.0).sound(), at(-200.0, 40.0));
    }

    #[test]
    fn a_maximized_window_keeps_the_size_that_it_goes_back_to() {
        let mut window = ViewportInfo {
            outer_rect: Some(Rect::from_min_size(pos2(10.0, 20.0), vec2(1000.0, 730.0))),
            maximized: Some(false),
            fullscreen: Some(false),
            ..ViewportInfo::default()
        };
        let normal = Placement::default().after(&window, vec2(1000.0, 700.0), 2.0);
        assert_eq!(normal.size, [2000.0, 1400.0], "the zoom is not part of it");
        assert_eq!(normal.position, Some([20.0, 40.0]));
        window.maximized = Some(true);
        window.outer_rect = Some(screen(0.0, 0.0));
        let maximized = normal.after(&window, vec2(960.0, 540.0), 2.0);
        let wanted = Placement {
            maximized: true,
            ..normal
        };
        assert_eq!(maximized, wanted);
        window.minimized = Some(true);
        window.maximized = Some(false);
        assert_eq!(maximized.after(&window, vec2(1.0, 1.0), 1.0), maximized);
    }
}
