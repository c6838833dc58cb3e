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
/// Parts of a batch that are reduced on their own before they are added up in order.
pub const PARTS: usize = 8;
/// Elements that the parts of a weight gradient may take together.
const PART_NUMBERS: usize = 1 << 22;
/// Elements that a task of batch norm takes at a time, at least.
const NORM_BLOCK: usize = 1 << 14;

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

/// Parts of a batch that a weight gradient of so many elements is summed in.
pub fn gradient_parts(elements: usize, batch: usize) -> usize {
    (PART_NUMBERS / elements.max(1))
        .clamp(1, PARTS)
        .min(batch.max(1))
}

/// Images that a task of batch norm takes at a time.
pub fn norm_images(image: usize) -> usize {
    NORM_BLOCK.div_ceil(image.max(1))
}

/// Elements that a task of batch norm takes at a time where it does not matter which image they belong to.
pub(crate) fn norm_elements(channels: usize) -> usize {
    NORM_BLOCK.next_multiple_of(channels.max(1))
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
    fn a_large_weight_gradient_has_fewer_parts() {
        assert_eq!(gradient_parts(1000, 64), PARTS);
        assert_eq!(gradient_parts(1000, 3), 3);
        assert_eq!(gradient_parts(PART_NUMBERS / 2, 64), 2);
        assert_eq!(gradient_parts(2 * PART_NUMBERS, 64), 1);
    }
}
