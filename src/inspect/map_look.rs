//! How maps of attributions are drawn: with or without signs, on which scale, how strongly over the image.
//!
//! Nothing here fails.

use super::maps::viridis;
use super::picture::{diverging, image_rgba, opaque, pixel_bytes};

/// How maps are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapLook {
    /// Signed values, from blue over white to red, instead of absolute ones.
    pub signed: bool,
    /// This share of the values, the largest, may lie beyond the scale, so that a few outliers do not hide the rest.
    pub clip: f32,
    /// One scale for all maps, instead of each its own.
    pub common: bool,
    /// How strongly the map lies over the image, 0 to 1.
    pub opacity: f32,
}

impl Default for MapLook {
    fn default() -> MapLook {
        MapLook {
            signed: false,
            clip: 0.0,
            common: false,
            opacity: 1.0,
        }
    }
}

impl MapLook {
    /// The value at the end of each map's scale.
    pub fn limits(&self, maps: &[&[f32]]) -> Vec<f32> {
        if self.common {
            let all: Vec<f32> = maps.concat();
            return vec![self.limit(&all); maps.len()];
        }
        maps.iter().map(|map| self.limit(map)).collect()
    }

    /// The value at the end of the scale of these values: the largest finite one but for what is clipped; 1 when all
    /// are zero.
    pub fn limit(&self, values: &[f32]) -> f32 {
        let mut sizes: Vec<f32> = values
            .iter()
            .map(|value| value.abs())
            .filter(|size| size.is_finite())
            .collect();
        if sizes.is_empty() {
            return 1.0;
        }
        let last = sizes.len() - 1;
        let at = ((1.0 - self.clip.clamp(0.0, 1.0)) * last as f32).round() as usize;
        let (_, limit, _) = sizes.select_nth_unstable_by(at.min(last), f32::total_cmp);
        if *limit > 0.0 { *limit } else { 1.0 }
    }

    /// The colour of a value divided by its scale's limit.
    pub fn color(&self, share: f32) -> [u8; 3] {
        match self.signed {
            true => diverging(share),
            false => viridis(share),
        }
    }

    /// A map as `H × W × 4` bytes.
    pub fn map_rgba(&self, map: &[f32], limit: f32) -> Vec<u8> {
        pixel_bytes(map.iter().map(|value| opaque(self.color(value / limit))))
    }

    /// The image in grey, with the map over it where it is strong.
    pub fn overlay_rgba(&self, image: &[u8], channels: usize, map: &[f32], limit: f32) -> Vec<u8> {
        let mut rgba = image_rgba(image, channels);
        for (pixel, value) in rgba.as_chunks_mut::<4>().0.iter_mut().zip(map) {
            let share = value / limit;
            let grey = (pixel.iter().take(3).map(|&p| u32::from(p)).sum::<u32>() / 3) as u8;
            let strength = match share.is_finite() {
                true => share.abs().clamp(0.0, 1.0).sqrt() * self.opacity,
                false => 1.0,
            };
            *pixel = opaque(mix([grey; 3], self.color(share), strength));
        }
        rgba.truncate(4 * map.len());
        rgba
    }
}

/// A colour between two.
pub(super) fn mix(from: [u8; 3], to: [u8; 3], share: f32) -> [u8; 3] {
    std::array::from_fn(|i| {
        (f32::from(from[i]) + (f32::from(to[i]) - f32::from(from[i])) * share + 0.5) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_are_clipped_and_maps_share_a_scale_when_asked_to() {
        let values: Vec<f32> = (0..100).map(|value| -(value as f32)).collect();
        let look = MapLook::default();
        assert_eq!(look.limits(&[&values, &[2.0, f32::NAN]]), [99.0, 2.0]);
        let clipped = MapLook { clip: 0.1, ..look };
        assert_eq!(clipped.limit(&values), 89.0);
        let common = MapLook {
            common: true,
            ..look
        };
        assert_eq!(common.limits(&[&values, &[2.0]]), [99.0, 99.0]);
        assert_eq!(look.limit(&[0.0, 0.0]), 1.0);
    }

    #[test]
    fn signs_have_colours_and_opacity_leaves_the_image() {
        let signed = MapLook {
            signed: true,
            ..MapLook::default()
        };
        let rgba = signed.map_rgba(&[-2.0, 0.0, 2.0], 2.0);
        assert_eq!(rgba[..3], diverging(-1.0));
        assert_eq!(rgba[8..11], diverging(1.0));
        let faint = MapLook {
            opacity: 0.0,
            ..signed
        };
        assert_eq!(faint.overlay_rgba(&[10], 1, &[2.0], 2.0), [10, 10, 10, 255]);
    }
}
