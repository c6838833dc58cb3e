//! The program's sign: three strata, drawn once at start.

use super::theme;
use eframe::egui::{Color32, IconData};

const SIZE: usize = 64;

/// Three rounded bars of different length, in the colours of convolution, pooling and activation.
pub fn icon() -> IconData {
    let bars = [
        (12, 40, theme::DARK.accent),
        (26, 52, theme::DARK.proven),
        (40, 30, theme::DARK.second),
    ];
    let mut rgba = vec![0; SIZE * SIZE * 4];
    for (top, width, color) in bars {
        for y in top..top + 11 {
            for x in 6..6 + width {
                paint(&mut rgba, x, y, color);
            }
        }
    }
    IconData {
        rgba,
        width: SIZE as u32,
        height: SIZE as u32,
    }
}

fn paint(rgba: &mut [u8], x: usize, y: usize, color: Color32) {
    let at = (y * SIZE + x) * 4;
    if let Some(pixel) = rgba.get_mut(at..at + 4) {
        pixel.copy_from_slice(&color.to_array());
    }
}
