//! How work is cut into tasks. Only sizes decide it, so that results do not depend on the number of threads.
//!
//! The prediction of a network's memory (`strata_cost::memory`) reads the same numbers: what a task works
//! in follows from them.

/// Positions that a task should have, so that tiles are full and tasks worth their start.
const BLOCK_POSITIONS: usize = 96;
/// Fewer positions would leave tiles half empty, even where there are few images for so many threads.
const MIN_POSITIONS: usize = 24;
/// A batch is cut into at least so many tasks, where it has as many images.
pub const MIN_TASKS: usize = 8;
/// A single image is cut into bands when it takes more multiply-adds than this.
const BAND_MACS: usize = 1 << 21;
/// Multiply-adds of a whole batch that are worth a second task, where its images would be a single one.
const SHARED_MACS: usize = 1 << 19;
/// Multiply-adds that each task of a batch with little work should have.
const TASK_MACS: usize = 1 << 21;
/// Parts of a batch that are reduced on their own before they are added up in order.
pub const PARTS: usize = 8;
/// Elements that the parts of a weight gradient may take together.
const PART_NUMBERS: usize = 1 << 22;
/// Terms of a sum that are worth a part: parts are cleared, written and added up.
const PART_TERMS: usize = 48;
/// Tiles of a strip: enough for each row of a weight at points to be read for many of them.
const STRIP_TILES: usize = 96;
/// Tiles of a strip at least, even where they don't fit into the cache with all their channels: a large weight is
/// read once for all of them.
const MIN_STRIP_TILES: usize = TASK_TILES;
/// Elements of a strip that stay in the cache.
const STRIP_NUMBERS: usize = 1 << 18;
/// Tiles that a task should have, so that a large weight is not read for a few of them only.
const TASK_TILES: usize = 64;
/// Tiles that a band should have.
const BAND_TILES: usize = 24;
/// Elements of a weight that is read from the cache again and again.
const CACHED_WEIGHT: usize = 1 << 19;
/// Elements that a task of batch norm, or of copying, takes at a time, at least.
pub(crate) const NORM_BLOCK: usize = 1 << 14;
/// Elements that an activation behind a normalisation is computed of at a time, at least.
const ACTIVATED: usize = 1 << 11;

/// Images that a task of a convolution takes at a time: enough positions to fill tiles, and enough tasks.
pub fn images_per_task(positions: usize, batch: usize) -> usize {
    let positions = positions.max(1);
    let most = (batch / MIN_TASKS).max(MIN_POSITIONS.div_ceil(positions));
    BLOCK_POSITIONS
        .div_ceil(positions)
        .min(most)
        .min(batch.max(1))
        .max(1)
}

/// Bands that the images of a convolution are cut into: only where there are few tasks of much work each.
pub fn bands(tasks: usize, macs_per_image: usize) -> usize {
    if tasks >= MIN_TASKS || macs_per_image < BAND_MACS {
        1
    } else {
        MIN_TASKS
    }
}

/// Tiles of a strip: what a task of a convolution at points takes at a time. `points`: of a tile.
pub fn strip_tiles(points: usize, channels: usize) -> usize {
    (STRIP_NUMBERS / (points * channels).max(1)).clamp(MIN_STRIP_TILES, STRIP_TILES)
}

/// The size of pieces of at most `most` that `count` is cut into evenly.
pub(crate) fn even_pieces(count: usize, most: usize) -> usize {
    count.div_ceil(count.div_ceil(most.max(1)).max(1))
}

/// How a convolution is cut into tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileCut {
    /// Images that a task takes at a time.
    pub images: usize,
    /// Bands that those are cut into.
    pub bands: usize,
    /// Tasks that share the blocks of lanes.
    pub pieces: usize,
}

/// Images with so many tiles each that are computed at points together.
pub fn tile_images(tiles: usize, batch: usize) -> usize {
    let tiles = tiles.max(1);
    let most = (batch / MIN_TASKS).max(TASK_TILES.div_ceil(tiles));
    STRIP_TILES
        .div_ceil(tiles)
        .min(most)
        .min(batch.max(1))
        .max(1)
}

/// The tasks of a convolution at points with so many tiles an image, blocks of lanes and multiply-adds an image.
/// Lanes are shared where tiles are few, or the weight is large: each of those tasks transforms the same tiles, but
/// reads only a part of the weight.
pub fn tile_cut(tiles: usize, blocks: usize, macs_per_image: usize, batch: usize) -> TileCut {
    let tiles = tiles.max(1);
    let mut images = tile_images(tiles, batch);
    let tasks = batch.div_ceil(images).max(1);
    let (mut bands, mut pieces) = (1, 1);
    let macs = macs_per_image.saturating_mul(batch);
    let wanted = match tasks {
        MIN_TASKS.. => 1,
        _ if macs_per_image >= BAND_MACS => MIN_TASKS.div_ceil(tasks),
        1 if macs >= SHARED_MACS => tasks_of_work(macs),
        _ => 1,
    };
    if wanted > 1 {
        let most_bands = (images * tiles / BAND_TILES).clamp(1, wanted);
        if macs_per_image / tiles > CACHED_WEIGHT {
            pieces = wanted.min(blocks.max(1));
            bands = wanted.div_ceil(pieces).min(most_bands);
        } else {
            bands = most_bands;
            pieces = wanted.div_ceil(bands).min(blocks.max(1));
        }
    }
    // Few tiles, whose lanes fill a single block: several tasks read the whole weight for some images each.
    if tasks == 1 && bands * pieces == 1 {
        images = images.div_ceil(wanted);
    }
    TileCut {
        images,
        bands,
        pieces,
    }
}

/// Tasks that so many multiply-adds are cut into, where each of them repeats something: enough for two threads, and
/// more where each has enough to do.
pub(crate) fn tasks_of_work(macs: usize) -> usize {
    (macs / TASK_MACS).clamp(2, MIN_TASKS)
}

/// Parts of a batch that a weight gradient of so many elements is summed in. `units`: images, or bands of them; `terms`:
/// tiles or positions of the batch, of which each element is a sum.
pub fn gradient_parts(elements: usize, units: usize, terms: usize) -> usize {
    (PART_NUMBERS / elements.max(1))
        .clamp(1, PARTS)
        .min(units.max(1))
        .min((terms / PART_TERMS).max(1))
}

/// Bands that each image is cut into for a weight gradient, of planes of so many rows: only where there are few
/// images of much work each.
pub fn gradient_bands(batch: usize, macs_per_image: usize, depth: usize, rows: usize) -> usize {
    if batch >= PARTS || macs_per_image < BAND_MACS || depth != 1 {
        1
    } else {
        PARTS.div_ceil(batch.max(1)).min(rows).max(1)
    }
}

/// Vectors of so many elements that a task copies.
pub(crate) fn vectors_per_task(elements: usize) -> usize {
    NORM_BLOCK.div_ceil(elements.max(1))
}

/// Images that a task of batch norm takes at a time.
pub fn norm_images(image: usize) -> usize {
    NORM_BLOCK.div_ceil(image.max(1))
}

/// Elements of images of so many that batch norm lays out at a time: a few images, or a part of one.
pub fn norm_block(image: usize, channels: usize) -> usize {
    if image <= NORM_BLOCK {
        norm_images(image) * image
    } else {
        norm_elements(channels).min(image)
    }
}

/// Elements that a task of batch norm takes at a time where it does not matter which image they belong to.
pub(crate) fn norm_elements(channels: usize) -> usize {
    NORM_BLOCK.next_multiple_of(channels.max(1))
}

/// Elements that an activation behind a normalisation is computed of at a time: they stay in the nearest cache.
pub fn activated_elements(channels: usize) -> usize {
    ACTIVATED.next_multiple_of(channels.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_images_share_a_task_and_large_ones_do_not() {
        assert_eq!(images_per_task(1, 1024), 96);
        assert_eq!(images_per_task(10, 1024), 10);
        assert_eq!(images_per_task(1000, 1024), 1);
    }

    #[test]
    fn a_small_batch_makes_enough_tasks_unless_tiles_would_be_half_empty() {
        assert_eq!(images_per_task(10, 32), 4);
        assert_eq!(images_per_task(10, 16), 3);
        assert_eq!(images_per_task(1, 4), 4);
        assert_eq!(images_per_task(1, 0), 1);
    }

    #[test]
    fn only_few_large_images_are_cut_into_bands() {
        assert_eq!(bands(1, BAND_MACS), MIN_TASKS);
        assert_eq!(bands(1, BAND_MACS - 1), 1);
        assert_eq!(bands(MIN_TASKS, BAND_MACS), 1);
    }

    #[test]
    fn strips_are_even_and_stay_in_the_cache() {
        assert_eq!(strip_tiles(16, 64), STRIP_TILES);
        assert_eq!(strip_tiles(16, 256), 64);
        assert_eq!(strip_tiles(36, 4096), MIN_STRIP_TILES);
        assert_eq!([even_pieces(100, 96), even_pieces(96, 96)], [50, 96]);
        assert_eq!([even_pieces(0, 96), even_pieces(5, 0)], [0, 1]);
    }

    #[test]
    fn few_tiles_share_lanes_and_many_are_cut_into_bands() {
        let cut = |tiles, blocks, batch| {
            let cut = tile_cut(tiles, blocks, BAND_MACS, batch);
            (cut.images, cut.bands, cut.pieces)
        };
        assert_eq!(cut(256, 1, 32), (1, 1, 1));
        assert_eq!(cut(16, 4, 32), (4, 1, 1));
        assert_eq!(cut(4, 8, 32), (16, 2, 2));
        assert_eq!(cut(12_544, 1, 2), (1, 4, 1));
        assert_eq!(cut(16, 4, 1), (1, 1, 4));
        let large = tile_cut(16, 4, 17 * CACHED_WEIGHT, 5);
        assert_eq!((large.images, large.bands, large.pieces), (4, 1, 4));
        assert_eq!(tile_cut(16, 4, SHARED_MACS - 1, 1).pieces, 1);
        // One task of all images: two from some work on.
        let few = |batch| tile_cut(1, 4, SHARED_MACS / 4, batch).pieces;
        assert_eq!([3, 4, 8, 32].map(few), [1, 2, 2, 2]);
        // Where there is one block of lanes, of half of the images each.
        let few = |batch| {
            let cut = tile_cut(1, 1, SHARED_MACS / 4, batch);
            (cut.images, cut.pieces)
        };
        assert_eq!([3, 4, 9].map(few), [(3, 1), (2, 1), (5, 1)]);
        assert_eq!(tile_images(1, 9), 9);
    }

    #[test]
    fn little_work_has_two_tasks_and_more_where_each_has_enough() {
        let tasks = |each: usize| tasks_of_work(each * TASK_MACS);
        assert_eq!([0, 1, 3, 100].map(tasks), [2, 2, 3, MIN_TASKS]);
    }

    #[test]
    fn only_few_large_planes_are_cut_into_bands_for_their_weights() {
        assert_eq!(gradient_bands(2, BAND_MACS, 1, 224), 4);
        assert_eq!(gradient_bands(3, BAND_MACS, 1, 2), 2);
        assert_eq!(gradient_bands(3, BAND_MACS, 4, 224), 1);
        assert_eq!(gradient_bands(2, BAND_MACS - 1, 1, 224), 1);
        assert_eq!(gradient_bands(PARTS, BAND_MACS, 1, 224), 1);
    }

    #[test]
    fn a_large_weight_gradient_has_fewer_parts() {
        let many = PARTS * PART_TERMS;
        assert_eq!(gradient_parts(1000, 64, many), PARTS);
        assert_eq!(gradient_parts(1000, 3, many), 3);
        assert_eq!(gradient_parts(PART_NUMBERS / 2, 64, many), 2);
        assert_eq!(gradient_parts(2 * PART_NUMBERS, 64, many), 1);
    }

    #[test]
    fn a_weight_gradient_of_few_terms_has_few_parts() {
        let parts = |terms| gradient_parts(1000, 64, terms);
        assert_eq!([0, PART_TERMS, 2 * PART_TERMS].map(parts), [1, 1, 2]);
    }
}
