//! Brightness, contrast, saturation, hue and grey, in place, clamped to 0..1 as torchvision does.

/// How much red, green and blue add to grey.
const GREY: [f32; 3] = [0.2989, 0.587, 0.114];

/// Multiplies every value's distance from `zero` (torchvision `adjust_brightness`, where zero is black).
pub(crate) fn adjust_brightness(image: &mut [f32], factor: f32, zero: f32) {
    image
        .iter_mut()
        .for_each(|value| *value = ((*value - zero) * factor + zero).clamp(0.0, 1.0));
}

/// Moves every value away from the image's mean grey, or towards it (torchvision `adjust_contrast`).
/// Images without colour have their own mean.
pub(crate) fn adjust_contrast(image: &mut [f32], channels: usize, factor: f32) {
    let rest = (1.0 - factor) * mean_grey(image, channels);
    image
        .iter_mut()
        .for_each(|value| *value = (*value * factor + rest).clamp(0.0, 1.0));
}

/// Moves every pixel away from its grey, or towards it (torchvision `adjust_saturation`).
pub(crate) fn adjust_saturation(image: &mut [f32], factor: f32) {
    for pixel in image.as_chunks_mut::<3>().0 {
        let rest = (1.0 - factor) * grey(*pixel);
        *pixel = pixel.map(|value| (value * factor + rest).clamp(0.0, 1.0));
    }
}

/// Makes the three channels equal (torchvision `rgb_to_grayscale`).
pub fn grayscale(image: &mut [f32]) {
    image
        .as_chunks_mut::<3>()
        .0
        .iter_mut()
        .for_each(|pixel| *pixel = [grey(*pixel); 3]);
}

/// Turns the colour wheel by `turns` of a full turn (torchvision `adjust_hue`).
pub(crate) fn adjust_hue(image: &mut [f32], turns: f32) {
    for pixel in image.as_chunks_mut::<3>().0 {
        let [hue, saturation, value] = to_hsv(*pixel);
        let turned = hue + turns;
        *pixel = to_rgb([turned - turned.floor(), saturation, value]);
    }
}

fn grey([red, green, blue]: [f32; 3]) -> f32 {
    GREY[0] * red + GREY[1] * green + GREY[2] * blue
}

/// Sums are kept in 24 lanes, a multiple of three that fills vector registers.
const LANES: usize = 24;
/// So many numbers are summed in single precision before they join the total.
const BLOCK: usize = LANES * 128;

fn mean_grey(image: &[f32], channels: usize) -> f32 {
    let weights = if channels == 3 { GREY } else { [1.0; 3] };
    let mut total = 0.0f64;
    for block in image.chunks(BLOCK) {
        let (chunks, rest) = block.as_chunks::<LANES>();
        let mut sums = [0.0f32; LANES];
        chunks.iter().for_each(|chunk| {
            sums.iter_mut()
                .zip(chunk)
                .for_each(|(sum, value)| *sum += value)
        });
        let weighted = |values: &[f32]| {
            values
                .iter()
                .zip(weights.iter().cycle())
                .map(|(v, w)| f64::from(v * w))
                .sum::<f64>()
        };
        total += weighted(&sums) + weighted(rest);
    }
    let count = if channels == 3 {
        image.len() / 3
    } else {
        image.len()
    };
    (total / count.max(1) as f64) as f32
}

fn to_hsv([red, green, blue]: [f32; 3]) -> [f32; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let spread = most - least;
    if spread == 0.0 {
        return [0.0, 0.0, most];
    }
    let [from_red, from_green, from_blue] = [red, green, blue].map(|value| (most - value) / spread);
    let sixth = match most {
        _ if most == red => from_blue - from_green,
        _ if most == green => 2.0 + from_red - from_blue,
        _ => 4.0 + from_green - from_red,
    };
    [(sixth / 6.0 + 1.0).fract(), spread / most, most]
}

fn to_rgb([hue, saturation, value]: [f32; 3]) -> [f32; 3] {
    let sixths = hue * 6.0;
    let part = sixths - sixths.floor();
    let low = (value * (1.0 - saturation)).clamp(0.0, 1.0);
    let falling = (value * (1.0 - saturation * part)).clamp(0.0, 1.0);
    let rising = (value * (1.0 - saturation * (1.0 - part))).clamp(0.0, 1.0);
    match sixths as i32 % 6 {
        0 => [value, rising, low],
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        _ => [value, low, falling],
    }
}
