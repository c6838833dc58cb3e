//! The OpenGL that the window is painted with.
//!
//! Asking OpenGL for its names takes unsafe calls. The painter asks anyway, before its first frame, and logs the
//! answer as its own detail; it is read from there.

use super::{LOGGER, held};
use log::{LevelFilter, Record};
use serde::Serialize;
use std::fmt;

/// Target of the painter's entries.
const PAINTER: &str = "egui_glow::painter";

/// What OpenGL says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Graphics {
    /// Of OpenGL and of the driver.
    pub version: String,
    /// The graphics card, or the program that replaces one (`llvmpipe`).
    pub renderer: String,
    /// Who made the driver.
    pub vendor: String,
}

impl fmt::Display for Graphics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Graphics {
            version,
            renderer,
            vendor,
        } = self;
        write!(f, "OpenGL {version}, {renderer}, {vendor}")
    }
}

impl Graphics {
    pub(super) fn of_record(record: &Record<'_>) -> Option<Graphics> {
        if record.target() != PAINTER {
            return None;
        }
        let message = record.args().to_string();
        let value = |name: &str| {
            let mut lines = message.lines();
            let found = lines.find_map(|line| line.strip_prefix(name))?;
            Some(found.trim().to_owned())
        };
        Some(Graphics {
            version: value("opengl version:")?,
            renderer: value("opengl renderer:")?,
            vendor: value("opengl vendor:")?,
        })
    }
}

/// Lets details pass as far as this module, until [`take_graphics`]: call it before the window is opened.
pub fn watch_graphics() {
    if LOGGER.get().is_some() {
        log::set_max_level(Ord::max(log::max_level(), LevelFilter::Debug));
    }
}

/// What the painter found since [`watch_graphics`].
pub fn take_graphics() -> Option<Graphics> {
    let logger = LOGGER.get()?;
    log::set_max_level(logger.filter.most_detailed());
    held(&logger.graphics).take()
}
