//! The brightness of a colour as the eye weighs it (ITU-R 601, the weights of Pillow's `L`). Cannot fail.

/// What red, green and blue add to it.
const WEIGHTS: [f32; 3] = [0.299, 0.587, 0.114];
/// The same in 65,536ths, which add up to one.
const WHOLE_WEIGHTS: [u32; 3] = [19_595, 38_470, 7_471];

/// Of red, green and blue as numbers.
pub fn luma([red, green, blue]: [f32; 3]) -> f32 {
    WEIGHTS[0] * red + WEIGHTS[1] * green + WEIGHTS[2] * blue
}

/// Of red, green and blue as pixels, rounded as Pillow rounds.
pub(crate) fn luma_of_pixel(rgb: [u8; 3]) -> u8 {
    let sum: u32 = rgb
        .iter()
        .zip(WHOLE_WEIGHTS)
        .map(|(&value, weight)| u32::from(value) * weight)
        .sum();
    ((sum + (1 << 15)) >> 16) as u8
}

/// The same of pixels of 16 bits.
pub(crate) fn luma_of_words(rgb: [u16; 3]) -> u16 {
    let sum: u64 = rgb
        .iter()
        .zip(WHOLE_WEIGHTS)
        .map(|(&value, weight)| u64::from(value) * u64::from(weight))
        .sum();
    ((sum + (1 << 15)) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_and_numbers_are_weighed_alike() {
        assert_eq!((luma_of_pixel([255; 3]), luma([1.0; 3])), (255, 1.0));
        assert_eq!(luma_of_words([65_535; 3]), 65_535);
        assert_eq!(luma_of_words([65_535, 0, 0]), 19_595);
        for rgb in [
            [255, 0, 0],
            [0, 255, 0],
            [0, 0, 255],
            [12, 34, 56],
            [1, 1, 1],
            [200, 100, 50],
        ] {
            let number = luma(rgb.map(f32::from));
            assert!(
                (number - f32::from(luma_of_pixel(rgb))).abs() <= 0.501,
                "{rgb:?}: {number}"
            );
        }
    }
}
