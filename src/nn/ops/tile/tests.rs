//! What the kernels refuse: sizes that reach outside the slices, and tiles that are not compiled.

use super::*;
use crate::ops::simd::{Level, Vectors};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Two positions of one source and one target channel, which fit exactly at the plain level (4 lanes).
#[derive(Clone, Copy)]
struct Sizes {
    from: Strides,
    to: Strides,
    counts: [usize; 3],
    images: usize,
    run: TapRun,
    vectors: usize,
    lanes: usize,
}

const FITTING: Sizes = Sizes {
    from: Strides {
        start: 0,
        step: [0, 0, 1],
        image: 0,
    },
    to: Strides {
        start: 0,
        step: [0, 0, 1],
        image: 0,
    },
    counts: [1, 1, 2],
    images: 1,
    run: TapRun { offset: 0, len: 1 },
    vectors: 1,
    lanes: 1,
};

/// The message of a kernel that refuses its sizes.
fn ran(kernel: impl FnOnce()) -> Result<(), &'static str> {
    catch_unwind(AssertUnwindSafe(kernel))
        .map_err(|panic| panic.downcast_ref::<&str>().copied().unwrap_or_default())
}

const REFUSED: Result<[f32; 2], &str> = Err("a convolution outside its arrays");

fn convolve(sizes: Sizes) -> Result<[f32; 2], &'static str> {
    let mut target = [9.0f32; 2];
    let mut weight = [0.0; 16];
    weight[0] = 5.0;
    let product = ConvTile {
        source: &[2.0, 3.0],
        from: sizes.from,
        counts: sizes.counts,
        images: sizes.images,
        runs: &[sizes.run],
        weight: &weight,
        vectors: sizes.vectors,
        lanes: sizes.lanes,
        bias: None,
        relu: false,
        lanewise: false,
        target: SharedOutput::new(&mut target),
        to: sizes.to,
    };
    ran(|| f32::run_kernel(Level::Plain, product))?;
    Ok(target)
}

#[test]
fn a_convolution_inside_its_slices_is_computed() {
    assert_eq!(convolve(FITTING), Ok([10.0, 15.0]));
}

#[test]
fn a_convolution_without_positions_writes_nothing() {
    let mut sizes = FITTING;
    sizes.counts = [1, 0, 2];
    assert_eq!(convolve(sizes), Ok([9.0; 2]));
    sizes = FITTING;
    sizes.images = 0;
    assert_eq!(convolve(sizes), Ok([9.0; 2]));
}

#[test]
fn a_convolution_outside_its_slices_is_refused() {
    let change: [fn(&mut Sizes); 8] = [
        |sizes| sizes.from.start = 1,
        |sizes| sizes.to.start = 1,
        |sizes| sizes.images = 3,
        |sizes| sizes.run.offset = 1,
        |sizes| sizes.run.len = 2,
        |sizes| sizes.lanes = 2,
        |sizes| sizes.lanes = 0,
        |sizes| sizes.lanes = 5,
    ];
    for (index, change) in change.into_iter().enumerate() {
        let mut sizes = FITTING;
        sizes.from.image = 1;
        change(&mut sizes);
        assert_eq!(convolve(sizes), REFUSED, "change {index}");
    }
}

/// In wrapping arithmetic each of these would end inside its slice.
#[test]
fn sizes_that_overflow_are_refused() {
    let change: [fn(&mut Sizes); 5] = [
        |sizes| {
            sizes.counts = [3, 1, 1];
            sizes.from.step = [usize::MAX / 2 + 1, 0, 0];
        },
        |sizes| {
            sizes.counts = [3, 1, 1];
            sizes.to.step = [usize::MAX / 2 + 1, 0, 0];
        },
        |sizes| sizes.from.start = usize::MAX,
        |sizes| sizes.run.offset = usize::MAX,
        |sizes| {
            sizes.images = 3;
            sizes.to.image = usize::MAX / 2 + 1;
        },
    ];
    for (index, change) in change.into_iter().enumerate() {
        let mut sizes = FITTING;
        change(&mut sizes);
        assert_eq!(convolve(sizes), REFUSED, "change {index}");
    }
}

/// The plain level has tiles of 1 and of 2 vectors.
#[test]
fn a_convolution_of_a_tile_that_is_not_compiled_is_refused() {
    for (vectors, lanes) in [(0, 0), (3, 9), (4, 13), (usize::MAX, 1)] {
        let mut sizes = FITTING;
        sizes.counts = [1, 1, 0];
        sizes.vectors = vectors;
        sizes.lanes = lanes;
        assert_eq!(convolve(sizes), REFUSED, "{vectors} vectors");
    }
}

/// The gradient 3 of one position with a source of 2, summed in as many elements as it has lanes.
fn weight_gradient(
    [from, at]: [usize; 2],
    rows: &[usize],
    vectors: usize,
    lanes: usize,
) -> Result<Vec<f32>, &'static str> {
    let start = |start: usize| Strides {
        start,
        step: [0; 3],
        image: 0,
    };
    let mut sums = vec![1.0f32; lanes];
    let outer = WeightGradTile {
        source: &[2.0],
        from: start(from),
        rows,
        small: &vec![3.0; lanes],
        at: start(at),
        counts: [1; 3],
        images: 1,
        vectors,
        lanewise: false,
        sums: &mut sums,
        adds: true,
    };
    ran(|| f32::run_kernel(Level::Plain, outer))?;
    Ok(sums)
}

#[test]
fn a_weight_gradient_outside_its_slices_is_refused() {
    let refused = Err("a weight gradient outside its arrays");
    assert_eq!(weight_gradient([0, 0], &[0], 1, 4), Ok(vec![7.0; 4]));
    assert_eq!(weight_gradient([0, 0], &[0], 2, 8), Ok(vec![7.0; 8]));
    assert_eq!(weight_gradient([1, 0], &[0], 1, 4), refused);
    assert_eq!(weight_gradient([0, 1], &[0], 1, 4), refused);
    assert_eq!(weight_gradient([0, 0], &[1], 1, 4), refused);
    assert_eq!(weight_gradient([0, 0], &[0, 0], 1, 4), refused);
    assert_eq!(weight_gradient([0, 0], &[0], 2, 4), refused);
    assert_eq!(weight_gradient([usize::MAX, 0], &[0], 1, 4), refused);
    assert_eq!(weight_gradient([0, usize::MAX], &[0], 1, 4), refused);
    assert_eq!(weight_gradient([0, 0], &[usize::MAX], 1, 4), refused);
}

/// The plain level has tiles of 1 and of 2 vectors.
#[test]
fn a_weight_gradient_of_a_tile_that_is_not_compiled_is_refused() {
    let refused = Err("a weight gradient outside its arrays");
    for vectors in [0, 3, 4] {
        assert_eq!(weight_gradient([0, 0], &[0], vectors, 16), refused);
    }
}
