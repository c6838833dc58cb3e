//! Products against sums in f64, for sizes around every tile, at every instruction level.

use super::*;
use crate::ops::simd::Level;

/// Numbers between −1 and 1 that follow from their index.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    let of = |i: usize| ((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.5 - 1.0;
    (0..count).map(of).collect()
}

/// Every element, and the sum of what its terms are large.
fn exact(sizes: Sizes, left: &[f32], right: &[f32]) -> Vec<(f64, f64)> {
    let Sizes {
        rows,
        depth,
        columns,
    } = sizes;
    let mut all = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let term = |k: usize| {
                f64::from(left[row * depth + k]) * f64::from(right[k * columns + column])
            };
            let sum = (0..depth).map(term).sum();
            all.push((sum, (0..depth).map(|k| term(k).abs()).sum()));
        }
    }
    all
}

fn assert_exact(sizes: Sizes, level: Level) {
    let left = numbers(sizes.rows * sizes.depth, 1);
    let right = numbers(sizes.depth * sizes.columns, 2);
    let mut result = vec![f32::NAN; sizes.rows * sizes.columns];
    multiply_at(level, sizes, &left, &right, &mut result);
    for (found, (sum, size)) in result.iter().zip(exact(sizes, &left, &right)) {
        let error = (f64::from(*found) - sum).abs();
        assert!(
            error <= 1e-6 * size + 1e-12,
            "{found} for {sum}: {sizes:?}, {}",
            level.name()
        );
    }
}

#[test]
fn products_are_sums_of_products() {
    for level in Level::available() {
        for rows in [1, 2, 5, 6, 7, 12, 13, 25, 49] {
            for depth in [1, 3, 97, 700] {
                for columns in [1, 15, 16, 17, 33, 48, 63, 64, 65, 100] {
                    assert_exact(
                        Sizes {
                            rows,
                            depth,
                            columns,
                        },
                        level,
                    );
                }
            }
        }
    }
}

#[test]
fn a_product_without_depth_is_zero() {
    let sizes = Sizes {
        rows: 2,
        depth: 0,
        columns: 3,
    };
    let mut result = [f32::NAN; 6];
    multiply(sizes, &[], &[], &mut result);
    assert_eq!(result, [0.0; 6]);
}

#[test]
fn columns_become_rows() {
    for (rows, columns) in [(1, 1), (3, 40), (40, 3), (17, 33), (16, 16)] {
        let matrix = numbers(rows * columns, 3);
        let mut turned = vec![0.0; matrix.len()];
        transpose(columns, &matrix, &mut turned);
        for row in 0..rows {
            for column in 0..columns {
                assert_eq!(turned[column * rows + row], matrix[row * columns + column]);
            }
        }
    }
}

/// Both ways through the forward pass give the same but for rounding: few vectors for a large weight, and many.
#[test]
fn a_dense_layer_is_the_same_for_few_and_many_vectors() {
    let (inputs, outputs) = (130, 70);
    let weight = numbers(inputs * outputs, 4);
    let bias = numbers(outputs, 5);
    let x = numbers(100 * inputs, 6);
    let run = |batch: usize, relu: bool| {
        let pass = DensePass {
            batch,
            inputs,
            outputs,
        };
        let mut scratch = vec![0.0; pass.scratch()];
        let mut y = vec![f32::NAN; batch * outputs];
        let finish = Finish {
            bias: Some(&bias),
            relu,
        };
        pass.forward(&x[..batch * inputs], &weight, finish, &mut scratch, &mut y);
        y
    };
    for relu in [false, true] {
        let (many, few) = (run(100, relu), run(3, relu));
        for (n, (many, few)) in many.iter().zip(&few).enumerate() {
            assert!((many - few).abs() < 1e-4, "{n}: {many} {few}");
            assert!(!relu || *many >= 0.0);
        }
    }
}

#[test]
fn a_tile_outside_its_arrays_is_refused() {
    let ran = std::panic::catch_unwind(|| {
        let mut result = [0.0f32; 8];
        let tile = ProductTile {
            left: &[1.0],
            left_row: 1,
            rows: 2,
            depth: 1,
            panel: &[0.0; 64],
            vectors: 1,
            lanes: 4,
            result: SharedOutput::new(&mut result),
            start: 0,
            result_row: 4,
            adds: false,
        };
        <f32 as crate::ops::simd::Vectors>::run_kernel(Level::Plain, tile);
    });
    assert!(ran.is_err());
}
