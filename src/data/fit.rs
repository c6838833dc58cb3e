//! From a source's own picture to the dataset's: number of channels, then size. Cannot fail once
//! made; making it fails on a change of channels that has no meaning.

use super::error::DataError;
use super::resize::Resizer;

/// Turns raw pictures of one shape into the dataset's shape, bytes to bytes, both H×W×C.
pub(super) struct Fit {
    from: [usize; 3],
    to: [usize; 3],
    resizer: Option<Resizer>,
}

impl Fit {
    pub fn new(from: [usize; 3], size: Option<[usize; 2]>, channels: Option<usize>) -> Result<Fit, DataError> {
        let channels = channels.unwrap_or(from[2]);
        if !matches!((from[2], channels), (1, 3) | (3, 1)) && from[2] != channels {
            return Err(DataError::setting(
                "source",
                format!("its images have {} channels and cannot be given {channels}", from[2]),
                "let the network's input have 1 (grey) or 3 (red, green, blue) channels",
            ));
        }
        let size = size.unwrap_or([from[0], from[1]]);
        let resizer = (size != [from[0], from[1]]).then(|| Resizer::new([from[0], from[1]], size));
        Ok(Fit { from, to: [size[0], size[1], channels], resizer })
    }

    /// H×W×C of what comes out.
    pub fn to(&self) -> [usize; 3] {
        self.to
    }

    /// Whether it costs enough that its results are worth keeping.
    pub fn is_costly(&self) -> bool {
        self.resizer.is_some()
    }

    pub fn apply(&self, pixels: Vec<u8>) -> Vec<u8> {
        let pixels = change_channels(pixels, self.from[2], self.to[2]);
        match &self.resizer {
            Some(resizer) => resizer.apply(&pixels, self.to[2]),
            None => pixels,
        }
    }
}

/// Grey to colour repeats the value; colour to grey weighs red, green and blue as the eye does
/// (ITU-R 601, the weights of Pillow's `L`).
pub(super) fn change_channels(pixels: Vec<u8>, from: usize, to: usize) -> Vec<u8> {
    match (from, to) {
        (1, 3) => pixels.iter().flat_map(|&grey| [grey; 3]).collect(),
        (3, 1) => pixels.chunks_exact(3).map(luma).collect(),
        _ => pixels,
    }
}

fn luma(rgb: &[u8]) -> u8 {
    const WEIGHTS: [u32; 3] = [19_595, 38_470, 7_471];
    let sum: u32 = rgb.iter().zip(WEIGHTS).map(|(&value, weight)| u32::from(value) * weight).sum();
    ((sum + (1 << 15)) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_change_both_ways() {
        assert_eq!(change_channels(vec![7, 200], 1, 3), [7, 7, 7, 200, 200, 200]);
        assert_eq!(change_channels(vec![255, 0, 0, 9, 9, 9, 255, 255, 255], 3, 1), [76, 9, 255]);
        let fit = Fit::new([2, 2, 3], Some([1, 1]), Some(1)).unwrap();
        assert_eq!(fit.to(), [1, 1, 1]);
        assert_eq!(fit.apply(vec![40; 12]), [40]);
        assert!(Fit::new([2, 2, 3], None, Some(2)).is_err());
    }
}
