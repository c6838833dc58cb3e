//! Images that are turned, scaled and shifted, and the gradient's way back through that.
//!
//! Between pixels values are interpolated linearly, in every slice of a volume alike.

/// What lies beyond the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Zero.
    Black,
    /// The nearest pixel.
    Nearest,
}

/// Where each pixel of the result comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Warp {
    /// Cosine and sine of the angle, divided by the scale.
    pub turn: [f32; 2],
    /// Pixels down and to the right.
    pub shift: [f32; 2],
    /// What lies beyond the image.
    pub edge: Edge,
}

/// The pixels that a pixel is made of, with their shares.
type Sources = [(Option<usize>, f32); 4];

impl Warp {
    /// The warped image: `S × H × W × C` values, where `size` is height, width and channels.
    pub fn apply(&self, image: &[f32], size: [usize; 3]) -> Vec<f32> {
        let [height, width, channels] = size;
        let sources = self.sources([height, width]);
        let mut made = Vec::with_capacity(image.len());
        for slice in image.chunks_exact((height * width * channels).max(1)) {
            for sources in &sources {
                for channel in 0..channels {
                    let part = |&(pixel, share): &(Option<usize>, f32)| {
                        pixel.map_or(0.0, |pixel| share * slice[pixel * channels + channel])
                    };
                    made.push(sources.iter().map(part).sum());
                }
            }
        }
        made
    }

    /// The gradient by the image, from the one by the warped image.
    pub fn pull_back(&self, gradient: &[f32], size: [usize; 3]) -> Vec<f32> {
        let [height, width, channels] = size;
        let sources = self.sources([height, width]);
        let each = (height * width * channels).max(1);
        let mut back = vec![0.0; gradient.len()];
        for (gradient, back) in gradient.chunks_exact(each).zip(back.chunks_exact_mut(each)) {
            for (sources, slopes) in sources.iter().zip(gradient.chunks_exact(channels)) {
                for &(pixel, share) in sources {
                    let Some(pixel) = pixel else { continue };
                    let to = &mut back[pixel * channels..(pixel + 1) * channels];
                    to.iter_mut()
                        .zip(slopes)
                        .for_each(|(to, slope)| *to += share * slope);
                }
            }
        }
        back
    }

    /// Of each pixel of the result the four pixels that it lies between.
    fn sources(&self, [height, width]: [usize; 2]) -> Vec<Sources> {
        let middle = [height, width].map(|side| (side as f32 - 1.0) / 2.0);
        let [cos, sin] = self.turn;
        let of = |pixel: usize| {
            let y = (pixel / width) as f32 - middle[0] - self.shift[0];
            let x = (pixel % width) as f32 - middle[1] - self.shift[1];
            let row = cos * y - sin * x + middle[0];
            let column = sin * y + cos * x + middle[1];
            let (top, left) = (row.floor(), column.floor());
            let (down, right) = (row - top, column - left);
            let index = |row: f32, column: f32| self.index([row, column], [height, width]);
            [
                (index(top, left), (1.0 - down) * (1.0 - right)),
                (index(top, left + 1.0), (1.0 - down) * right),
                (index(top + 1.0, left), down * (1.0 - right)),
                (index(top + 1.0, left + 1.0), down * right),
            ]
        };
        (0..height * width).map(of).collect()
    }

    fn index(&self, at: [f32; 2], [height, width]: [usize; 2]) -> Option<usize> {
        let [row, column] = at;
        let is_inside =
            (0.0..height as f32).contains(&row) && (0.0..width as f32).contains(&column);
        match self.edge {
            Edge::Black => is_inside.then_some(row as usize * width + column as usize),
            Edge::Nearest => {
                let row = row.clamp(0.0, height as f32 - 1.0) as usize;
                let column = column.clamp(0.0, width as f32 - 1.0) as usize;
                Some(row * width + column)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_moves_pixels_and_keeps_those_at_the_edge() {
        let warp = |edge: Edge| Warp {
            turn: [1.0, 0.0],
            shift: [0.0, 1.0],
            edge,
        };
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(
            warp(Edge::Nearest).apply(&image, [2, 3, 1]),
            [1.0, 1.0, 2.0, 4.0, 4.0, 5.0]
        );
        assert_eq!(
            warp(Edge::Black).apply(&image, [2, 3, 1]),
            [0.0, 1.0, 2.0, 0.0, 4.0, 5.0]
        );
    }

    /// ⟨W x, g⟩ = ⟨x, Wᵀ g⟩, in two slices.
    #[test]
    fn pulling_back_is_the_transpose() {
        let size = [5, 7, 2];
        let value = |index: usize, step: usize| ((index * step) % 17) as f32 / 17.0 - 0.4;
        let len = 2 * size.iter().product::<usize>();
        let x: Vec<f32> = (0..len).map(|index| value(index, 5)).collect();
        let g: Vec<f32> = (0..len).map(|index| value(index, 11)).collect();
        for edge in [Edge::Black, Edge::Nearest] {
            let warp = Warp {
                turn: [0.9, 0.3],
                shift: [1.0, -2.0],
                edge,
            };
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            let one = dot(&warp.apply(&x, size), &g);
            let other = dot(&x, &warp.pull_back(&g, size));
            assert!((one - other).abs() < 1e-4, "{edge:?}: {one} {other}");
        }
    }
}
