//! Colours of classes: as many as can be told apart, none of them like the colours of training and validation.

use super::palette;
use eframe::egui::{Color32, Ui};

/// Hues of OKLCH in degrees, neighbours far from each other; none near the accent (blue) or its second (amber).
const HUES: [f32; 8] = [356.0, 170.0, 296.0, 118.0, 28.0, 205.0, 326.0, 142.0];
/// Lightness of each round through the hues, on the dark ground and on the light one.
const DARK: [f32; 3] = [0.74, 0.60, 0.88];
const LIGHT: [f32; 3] = [0.54, 0.40, 0.62];
const CHROMA: f32 = 0.14;

/// The colour of a class; grey where it is not known. After 24 classes they come again.
pub(crate) fn class_color(ui: &Ui, class: Option<u32>) -> Color32 {
    match class {
        Some(class) => of_class(ui.visuals().dark_mode, class as usize),
        None => palette(ui).weak,
    }
}

fn of_class(dark: bool, class: usize) -> Color32 {
    let round = class / HUES.len() % DARK.len();
    let lightness = if dark { DARK[round] } else { LIGHT[round] };
    oklch(lightness, CHROMA, HUES[class % HUES.len()])
}

/// OKLCH as sRGB (Ottosson 2020); what is outside is cut.
fn oklch(lightness: f32, chroma: f32, hue: f32) -> Color32 {
    let (sine, cosine) = hue.to_radians().sin_cos();
    let (a, b) = (chroma * cosine, chroma * sine);
    let cone = |to_a: f32, to_b: f32| (lightness + to_a * a + to_b * b).powi(3);
    let l = cone(0.396_337_78, 0.215_803_76);
    let m = cone(-0.105_561_346, -0.063_854_17);
    let s = cone(-0.089_484_18, -1.291_485_5);
    let linear = [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ];
    let byte = |value: f32| {
        let value = value.clamp(0.0, 1.0);
        let share = if value <= 0.003_130_8 {
            12.92 * value
        } else {
            1.055 * value.powf(1.0 / 2.4) - 0.055
        };
        (255.0 * share).round() as u8
    };
    let [r, g, b] = linear.map(byte);
    Color32::from_rgb(r, g, b)
}

#[cfg(test)]
mod tests {
    use super::super::tests::contrast;
    use super::super::{DARK as DARK_PALETTE, LIGHT as LIGHT_PALETTE};
    use super::*;

    fn distance(a: Color32, b: Color32) -> i32 {
        let [a, b] = [a, b].map(|color| [color.r(), color.g(), color.b()].map(i32::from));
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
    }

    /// WCAG AA: 3 for what is no text.
    #[test]
    fn classes_can_be_seen_and_told_apart_in_both_themes() {
        for (dark, palette) in [(true, DARK_PALETTE), (false, LIGHT_PALETTE)] {
            let colors: Vec<Color32> = (0..24).map(|class| of_class(dark, class)).collect();
            for (class, color) in colors.iter().enumerate() {
                let found = contrast(*color, palette.panel);
                assert!(found >= 3.0, "{class} {color:?}: {found}");
                for curve in [palette.accent, palette.second] {
                    assert!(distance(*color, curve) > 60, "{class} {color:?} {curve:?}");
                }
                let others = colors.iter().take(class);
                let least = others.map(|other| distance(*color, *other)).min();
                assert!(least.is_none_or(|least| least > 24), "{class}: {least:?}");
            }
        }
        assert_eq!(of_class(true, 1), of_class(true, 25));
    }
}
