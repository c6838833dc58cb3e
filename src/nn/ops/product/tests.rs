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

/// The same numbers column by column.
fn turned(columns: usize, matrix: &[f32]) -> Vec<f32> {
    let of_column = |column: usize| matrix.iter().copied().skip(column).step_by(columns);
    (0..columns).flat_map(of_column).collect()
}

/// A product of matrices that lie in memory as `by_column` says, with bias and relu.
fn product(sizes: Sizes, level: Level, by_column: [bool; 3]) -> (Vec<f32>, Vec<(f64, f64)>) {
    let Sizes {
        rows,
        depth,
        columns,
    } = sizes;
    let numbers = [numbers(rows * depth, 1), numbers(depth * columns, 2)];
    let widths = [depth, columns];
    let lie = |side: usize| match by_column[side] {
        true => turned(widths[side], &numbers[side]),
        false => numbers[side].clone(),
    };
    let lying = [lie(0), lie(1)];
    let matrix = |side: usize| Matrix {
        numbers: &lying[side],
        by_column: by_column[side],
    };
    let bias = self::numbers(if by_column[2] { rows } else { columns }, 3);
    let finish = Finish {
        bias: Some(&bias),
        relu: true,
    };
    let mut result = vec![f32::NAN; rows * columns];
    let mut blocks = vec![f32::NAN; rows * columns];
    let target = match by_column[2] {
        true => Target::Columns {
            blocks: SharedOutput::new(&mut blocks),
            result: SharedOutput::new(&mut result),
        },
        false => Target::Rows(SharedOutput::new(&mut result)),
    };
    multiply_at(level, sizes, [matrix(0), matrix(1)], finish, target);
    let result = match by_column[2] {
        true => turned(rows, &result),
        false => result,
    };
    let mut wanted = exact(sizes, &numbers[0], &numbers[1]);
    for (index, (sum, size)) in wanted.iter_mut().enumerate() {
        let place = if by_column[2] {
            index / columns
        } else {
            index % columns
        };
        let bias = f64::from(bias[place]);
        (*sum, *size) = ((*sum + bias).max(0.0), *size + bias.abs());
    }
    (result, wanted)
}

fn assert_exact(sizes: Sizes, level: Level, by_column: [bool; 3]) {
    let (result, wanted) = product(sizes, level, by_column);
    for (found, (sum, size)) in result.iter().zip(wanted) {
        let error = (f64::from(*found) - sum).abs();
        assert!(
            error <= 1e-6 * size + 1e-12,
            "{found} for {sum}: {sizes:?}, {by_column:?}, {}",
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
                    let sizes = Sizes {
                        rows,
                        depth,
                        columns,
                    };
                    for lies in 0..8 {
                        assert_exact(sizes, level, [1, 2, 4].map(|bit| lies & bit != 0));
                    }
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
    let empty = Matrix::by_row(&[]);
    multiply(sizes, empty, empty, Finish::NONE, &mut result);
    assert_eq!(result, [0.0; 6]);
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

/// The gradient is turned in several tasks.
#[test]
fn a_weight_gradient_of_few_rows_is_a_sum_of_products() {
    let pass = DensePass {
        batch: 130,
        inputs: 30,
        outputs: 150,
    };
    assert!(!pass.divides_rows());
    let DensePass {
        batch,
        inputs,
        outputs,
    } = pass;
    let (x, gradient) = (numbers(batch * inputs, 1), numbers(batch * outputs, 2));
    let mut room = vec![f32::NAN; batch * outputs];
    let mut found = vec![f32::NAN; inputs * outputs];
    pass.weight_gradient(&x, &gradient, &mut room, &mut found);
    let sizes = Sizes {
        rows: outputs,
        depth: batch,
        columns: inputs,
    };
    let wanted = exact(sizes, &turned(outputs, &gradient), &x);
    for (found, (sum, size)) in found.iter().zip(wanted) {
        assert!(
            (f64::from(*found) - sum).abs() <= 1e-6 * size,
            "{found} {sum}"
        );
    }
}

/// Gradients of a layer with many rows: of the input, the weight, the bias.
fn by_rows(level: Level, pass: DensePass, gates: bool, learns: bool) -> [Vec<f32>; 3] {
    let DensePass {
        batch,
        inputs,
        outputs,
    } = pass;
    let (x, gradient) = (numbers(batch * inputs, 1), numbers(batch * outputs, 2));
    let (weight, gate) = (numbers(inputs * outputs, 3), numbers(batch * outputs, 4));
    let backward = RowsBackward {
        level,
        pass,
        x: &x,
        gradient: &gradient,
        gate: gates.then_some(&gate),
    };
    let mut scratch = vec![f32::NAN; pass.scratch()];
    let mut dx = vec![f32::NAN; batch * inputs];
    let sums = backward.run(Some((&weight, &mut dx)), learns, &mut scratch);
    let (of_weight, of_bias) = sums.split_at(inputs * outputs);
    [dx, of_weight.to_vec(), of_bias.to_vec()]
}

#[test]
fn gradients_of_many_rows_are_sums_of_products() {
    let pass = DensePass {
        batch: 805,
        inputs: 70,
        outputs: 19,
    };
    assert!(pass.divides_rows());
    let DensePass {
        batch,
        inputs,
        outputs,
    } = pass;
    let (x, gradient) = (numbers(batch * inputs, 1), numbers(batch * outputs, 2));
    let (weight, gate) = (numbers(inputs * outputs, 3), numbers(batch * outputs, 4));
    for gates in [false, true] {
        let through = |at: usize| !gates || gate[at] > 0.0;
        let own: Vec<f32> = (0..gradient.len())
            .map(|at| if through(at) { gradient[at] } else { 0.0 })
            .collect();
        let sizes = |rows, depth, columns| Sizes {
            rows,
            depth,
            columns,
        };
        let wanted = [
            exact(sizes(batch, outputs, inputs), &own, &weight),
            exact(sizes(outputs, batch, inputs), &turned(outputs, &own), &x),
            exact(sizes(1, batch, outputs), &vec![1.0; batch], &own),
        ];
        for level in Level::available() {
            let found = by_rows(level, pass, gates, true);
            for (which, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
                assert_eq!(found.len(), wanted.len());
                for (found, (sum, size)) in found.iter().zip(wanted) {
                    let error = (f64::from(*found) - sum).abs();
                    assert!(error <= 1e-6 * size, "{which}, {level:?}: {found} {sum}");
                }
            }
            let [dx, ..] = by_rows(level, pass, gates, false);
            assert_eq!(dx, found[0], "without what learns");
        }
    }
}

/// Many rows at a time give what few do, but for rounding, and the same for any number of threads.
#[test]
fn rows_and_threads_make_no_difference() {
    let (inputs, outputs, many) = (70, 19, 805);
    let (weight, bias) = (numbers(inputs * outputs, 4), numbers(outputs, 5));
    let x = numbers(many * inputs, 6);
    let forward = |batch: usize| {
        let pass = DensePass {
            batch,
            inputs,
            outputs,
        };
        let mut scratch = vec![0.0; pass.scratch()];
        let mut y = vec![f32::NAN; batch * outputs];
        let finish = Finish {
            bias: Some(&bias),
            relu: true,
        };
        pass.forward(&x[..batch * inputs], &weight, finish, &mut scratch, &mut y);
        y
    };
    for (many, few) in forward(many).iter().zip(forward(100)) {
        assert!((many - few).abs() < 1e-5, "{many} {few}");
    }
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pass = DensePass {
            batch: many,
            inputs,
            outputs,
        };
        let work = || (forward(many), by_rows(Level::chosen(), pass, true, true));
        pool.build().unwrap().install(work)
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn a_tile_outside_its_arrays_is_refused() {
    let ran = std::panic::catch_unwind(|| {
        let mut result = [0.0f32; 8];
        let tile = ProductTile {
            left: &[1.0],
            left_first: 0,
            left_row: 1,
            left_step: 1,
            rows: 2,
            depth: 1,
            panel: &[0.0; 64],
            vectors: 1,
            lanes: 4,
            bias: None,
            relu: false,
            result: SharedOutput::new(&mut result),
            start: 0,
            result_row: 4,
            adds: false,
        };
        <f32 as crate::ops::simd::Vectors>::run_kernel(Level::Plain, tile);
    });
    assert!(ran.is_err());
}
