//! Where the window is on the screen and how large, so that it comes back there.

use serde::{Deserialize, Serialize};

/// Below this size in points the panels do not fit.
pub const LEAST_SIZE: [f32; 2] = [960.0, 600.0];
/// No screen is larger.
const MOST_SIZE: f32 = 16_384.0;
/// No screen is farther from the first one.
const FARTHEST: f32 = 65_536.0;
/// What must be seen of the title bar so that the window can be moved by it, in points.
const GRIP: [f32; 2] = [120.0, 16.0];
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
    pub fn after(self, window: &WindowFacts, zoom: f32) -> Placement {
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
        let in_points = |values: [f32; 2]| values.map(|value| (value * zoom).round());
        Placement {
            size: in_points(window.size),
            position: window.position.map(in_points).or(self.position),
            ..now
        }
    }

    /// The same where the window can be taken hold of on one of these screens, else in the middle of the first.
    #[must_use]
    pub fn reachable(self, screens: &[Screen]) -> Placement {
        let (Some(position), Some(first)) = (self.position, screens.first()) else {
            return self;
        };
        let title_bar = Screen {
            corner: position,
            size: [self.size[0], TITLE_BAR],
        };
        let can_be_taken = |screen: &Screen| {
            let seen = screen.overlap(&title_bar);
            seen[0] >= GRIP[0] && seen[1] >= GRIP[1]
        };
        if screens.iter().any(can_be_taken) {
            return self;
        }
        let centred = |axis: usize| {
            let room = (first.size[axis] - self.size[axis]).max(0.0);
            first.corner[axis] + (room / 2.0).round()
        };
        Placement {
            position: Some([0, 1].map(centred)),
            ..self
        }
    }
}

/// What the window system says of a window, in points of the window; what it doesn't say is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct WindowFacts {
    /// Width and height without the frame.
    pub size: [f32; 2],
    /// The upper left corner of the frame.
    pub position: Option<[f32; 2]>,
    /// Whether it is an icon in a bar.
    pub minimized: Option<bool>,
    /// Whether it fills the screen except for the bars of the desktop.
    pub maximized: Option<bool>,
    /// Whether it fills the whole screen.
    pub fullscreen: Option<bool>,
}

/// A screen, in points of the system.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// The upper left corner.
    pub corner: [f32; 2],
    /// Width and height.
    pub size: [f32; 2],
}

impl Screen {
    /// Width and height of what both cover; negative where they are apart.
    fn overlap(&self, other: &Screen) -> [f32; 2] {
        [0, 1].map(|axis| {
            let start = self.corner[axis].max(other.corner[axis]);
            let own_end = self.corner[axis] + self.size[axis];
            let other_end = other.corner[axis] + other.size[axis];
            own_end.min(other_end) - start
        })
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

    fn screen(x: f32, y: f32) -> Screen {
        Screen {
            corner: [x, y],
            size: [1920.0, 1080.0],
        }
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
        let mut window = WindowFacts {
            size: [1000.0, 700.0],
            position: Some([10.0, 20.0]),
            maximized: Some(false),
            fullscreen: Some(false),
            minimized: None,
        };
        let normal = Placement::default().after(&window, 2.0);
        assert_eq!(normal.size, [2000.0, 1400.0], "the zoom is not part of it");
        assert_eq!(normal.position, Some([20.0, 40.0]));
        window.maximized = Some(true);
        window.position = Some([0.0, 0.0]);
        window.size = [960.0, 540.0];
        let maximized = normal.after(&window, 2.0);
        let wanted = Placement {
            maximized: true,
            ..normal
        };
        assert_eq!(maximized, wanted);
        window.minimized = Some(true);
        window.maximized = Some(false);
        window.size = [1.0, 1.0];
        assert_eq!(maximized.after(&window, 1.0), maximized);
    }
}
