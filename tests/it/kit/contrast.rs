//! How much what is written differs from the ground that it stands on, from the pixels of a window.

use super::window::Window;
use super::written::{Written, written};
use eframe::egui::{Order, Rect};
use egui_kittest::kittest::Queryable;
use image::RgbaImage;

/// What text needs (WCAG 2, level AA).
pub const LEAST: f64 = 4.5;

fn luminance(pixel: [u8; 3]) -> f64 {
    let linear = pixel.map(|channel| {
        let share = f64::from(channel) / 255.0;
        match share <= 0.04045 {
            true => share / 12.92,
            false => ((share + 0.055) / 1.055).powf(2.4),
        }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

pub fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

/// How much the letters in a place differ from the ground that they stand on.
pub fn contrast_in(picture: &RgbaImage, place: Rect, scale: f32) -> f64 {
    let edge = |value: f32, most: u32| ((value * scale).round().max(0.0) as u32).min(most);
    let (width, height) = picture.dimensions();
    let across = edge(place.left(), width) as usize..edge(place.right(), width) as usize;
    let mut pixels: Vec<[u8; 4]> = Vec::new();
    let rows = picture.as_chunks::<4>().0.chunks_exact(width as usize);
    let from = edge(place.top(), height) as usize;
    let to = edge(place.bottom(), height) as usize;
    for row in rows.take(to).skip(from) {
        pixels.extend(&row[across.clone()]);
    }
    pixels.sort_unstable();
    let colors: Vec<([u8; 3], usize)> = pixels
        .chunk_by(|a, b| a == b)
        .map(|same| ([same[0][0], same[0][1], same[0][2]], same.len()))
        .collect();
    let Some((ground, _)) = colors.iter().max_by_key(|(_, count)| *count) else {
        return f64::INFINITY;
    };
    let ink = colors.iter().map(|(color, _)| contrast(*color, *ground));
    ink.fold(1.0, f64::max)
}

/// The places of what cannot be used now: it may be faint.
pub fn disabled(window: &Window) -> Vec<Rect> {
    let all = window.harness.query_all_by(|node| node.is_disabled());
    all.map(|node| node.rect().expand(2.0)).collect()
}

/// Where menus, lists and what else lies above the window are.
pub fn above(window: &Window, least: Order) -> Vec<Rect> {
    window.harness.ctx.memory(|memory| {
        let areas = memory.areas();
        let layers = areas.visible_layer_ids().into_iter();
        let above = layers.filter(|layer| layer.order >= least);
        above
            .filter_map(|layer| memory.area_rect(layer.id))
            .collect()
    })
}

/// Texts of the last frame that are too faint. Letters are as sharp as on a good screen from a scale of 1.5 on.
pub fn too_faint(window: &Window, scale: f32) -> Vec<String> {
    let faint = disabled(window);
    let above = above(window, Order::Middle);
    let picture = window.frame(scale);
    let is_looked_at = |text: &Written| {
        let place = text.seen();
        let off = faint.iter().any(|off| off.contains_rect(place));
        // What lies above throws a shadow on what is behind it.
        let off = off || !(above.is_empty() || above.iter().any(|area| area.contains_rect(place)));
        // What is turned or cut to a sliver is looked at elsewhere.
        !off && !text.is_turned && place.height() >= 6.0 && place.width() >= 4.0
    };
    let mut found = Vec::new();
    for text in written(&window.harness.output().shapes) {
        let has = contrast_in(&picture, text.seen(), scale);
        if is_looked_at(&text) && has < LEAST {
            found.push(format!(
                "{:?} has a contrast of {has:.2} at {:?}",
                text.text,
                text.seen()
            ));
        }
    }
    found
}
