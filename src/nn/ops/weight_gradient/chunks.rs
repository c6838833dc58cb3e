//! Positions of a weight gradient in pieces that stay in the nearest cache.

use crate::ops::blocking::even_pieces;
use crate::ops::tile::Positions;

/// Positions whose gradients, of one block of lanes, are summed together: at most, and at least.
const CHUNK_POSITIONS: usize = 128;
const MIN_CHUNK: usize = 32;
/// Numbers that lie in different places of the nearest cache, one after the other.
const CACHE_WAY: usize = 1024;
/// Numbers in the same place that it keeps, as far as each side is concerned.
const SHARED_PLACES: usize = 4;

/// Positions that stay in the nearest cache, with so many elements from one to the next on both sides: steps of large
/// powers of two lead to few of its places.
fn chunk_positions(steps: [usize; 2]) -> usize {
    let kept = steps.map(|step| {
        let power = 1 << step.max(1).trailing_zeros();
        SHARED_PLACES * CACHE_WAY / power
    });
    let [large, small] = kept;
    large.min(small).clamp(MIN_CHUNK, CHUNK_POSITIONS)
}

/// Calls `f` with pieces of positions whose gradients stay in the nearest cache while all rows are summed.
pub(super) fn each_chunk(positions: &Positions, mut f: impl FnMut(Positions)) {
    let [depth, height, width] = positions.counts;
    let most = chunk_positions([&positions.from, &positions.to].map(|path| path.step[2]));
    if positions.images > 1 || depth * height * width <= most {
        return f(*positions);
    }
    let columns = even_pieces(width, most).max(1);
    let rows = even_pieces(height, (most / columns).max(1)).max(1);
    for d in 0..depth {
        for h in (0..height).step_by(rows) {
            for w in (0..width).step_by(columns) {
                let mut chunk = *positions;
                chunk.counts = [1, rows.min(height - h), columns.min(width - w)];
                for strides in [&mut chunk.from, &mut chunk.to] {
                    let [of_d, of_h, of_w] = strides.step;
                    strides.start += d * of_d + h * of_h + w * of_w;
                }
                f(chunk);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_stay_in_the_cache() {
        assert_eq!(chunk_positions([3, 48]), 128);
        assert_eq!(chunk_positions([32, 64]), 64);
        assert_eq!(chunk_positions([128, 8]), 32);
        assert_eq!(chunk_positions([2048, 0]), 32);
    }
}
