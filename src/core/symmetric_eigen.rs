//! Eigenvalues and eigenvectors of a symmetric matrix: Householder reflections to tridiagonal form, then QL steps with
//! implicit shifts (Golub and Van Loan, *Matrix Computations*, 8.3; EISPACK's `tred2` and `tql2`).
//!
//! Own code, because it is all that whitening and principal components need of linear algebra: nalgebra, the smallest
//! crate that has it, brings 16 crates and 19 seconds of building. Results do not depend on the number of threads.

/// Steps until an eigenvalue counts as not found; three are usual.
const MOST_STEPS: usize = 60;

/// Eigenvalues with their vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigen {
    /// The eigenvalues, falling.
    pub values: Vec<f64>,
    /// Their vectors of length 1, one after the other; the component farthest from 0 is positive.
    pub vectors: Vec<f64>,
}

impl Eigen {
    /// Of a symmetric matrix of `size` × `size` numbers, row by row. `None` where a number is not finite or there are
    /// not `size`² of them.
    pub fn of_symmetric(mut matrix: Vec<f64>, size: usize) -> Option<Eigen> {
        if matrix.len() != size * size || matrix.iter().any(|value| !value.is_finite()) {
            return None;
        }
        if size == 0 {
            return Some(Eigen {
                values: Vec::new(),
                vectors: Vec::new(),
            });
        }
        let Tridiagonal {
            mut diagonal,
            mut beside,
            reflections,
        } = tridiagonal(&mut matrix, size);
        // One eigenvector a row: a rotation then acts on two whole rows.
        let mut vectors = matrix;
        vectors.fill(0.0);
        (0..size).for_each(|at| vectors[at * size + at] = 1.0);
        diagonalise(&mut diagonal, &mut beside, &mut vectors, size)?;
        for vector in vectors.chunks_exact_mut(size) {
            for reflection in reflections.iter().rev() {
                reflection.apply(vector);
            }
        }
        Some(sorted(&diagonal, &vectors, size))
    }
}

/// I − β·v·vᵀ, which acts on the components from `first` on.
struct Reflection {
    first: usize,
    vector: Vec<f64>,
    beta: f64,
}

impl Reflection {
    fn apply(&self, values: &mut [f64]) {
        let part = &mut values[self.first..];
        let along = self.beta * dot(&self.vector, part);
        part.iter_mut()
            .zip(&self.vector)
            .for_each(|(value, v)| *value -= along * v);
    }
}

/// A matrix that is 0 but on its diagonal and the two beside it.
struct Tridiagonal {
    diagonal: Vec<f64>,
    /// Between a row and the next; the last is 0.
    beside: Vec<f64>,
    /// What was applied, the first first.
    reflections: Vec<Reflection>,
}

fn tridiagonal(matrix: &mut [f64], size: usize) -> Tridiagonal {
    let mut diagonal = vec![0.0; size];
    let mut beside = vec![0.0; size];
    let mut reflections = Vec::new();
    for column in 0..size {
        diagonal[column] = matrix[column * size + column];
        let first = column + 1;
        if first + 1 >= size {
            if first < size {
                beside[column] = matrix[column * size + first];
            }
            continue;
        }
        let mut vector = matrix[column * size + first..first * size].to_vec();
        let length = dot(&vector, &vector).sqrt();
        beside[column] = if vector[0] > 0.0 { -length } else { length };
        vector[0] -= beside[column];
        let square = dot(&vector, &vector);
        if square == 0.0 {
            continue;
        }
        let reflection = Reflection {
            first,
            vector,
            beta: 2.0 / square,
        };
        reflect_rest(matrix, size, &reflection);
        reflections.push(reflection);
    }
    Tridiagonal {
        diagonal,
        beside,
        reflections,
    }
}

/// Applies a reflection to the rows and columns from its first on.
fn reflect_rest(matrix: &mut [f64], size: usize, by: &Reflection) {
    let rows = |matrix: &[f64]| -> Vec<f64> {
        let rows = matrix[by.first * size..].chunks_exact(size);
        rows.map(|row| by.beta * dot(&row[by.first..], &by.vector))
            .collect()
    };
    let mut other = rows(matrix);
    let half = by.beta / 2.0 * dot(&other, &by.vector);
    other
        .iter_mut()
        .zip(&by.vector)
        .for_each(|(w, v)| *w -= half * v);
    let rows = matrix[by.first * size..].chunks_exact_mut(size);
    for (row, (v_row, w_row)) in rows.zip(by.vector.iter().zip(&other)) {
        let row = row[by.first..].iter_mut();
        for (value, (v, w)) in row.zip(by.vector.iter().zip(&other)) {
            *value -= v_row * w + w_row * v;
        }
    }
}

/// QL steps until nothing is left beside the diagonal; `vectors` turn with it. `None` where that takes too long.
fn diagonalise(
    diagonal: &mut [f64],
    beside: &mut [f64],
    vectors: &mut [f64],
    size: usize,
) -> Option<()> {
    let sizes = diagonal.iter().zip(beside.iter());
    let largest = sizes.map(|(d, e)| d.abs() + e.abs()).fold(0.0, f64::max);
    let nothing = f64::EPSILON * largest;
    for low in 0..size {
        let mut steps = 0;
        loop {
            let is_end = |at: &usize| *at + 1 == size || beside[*at].abs() <= nothing;
            let high = (low..size).find(is_end).unwrap_or(low);
            if high == low {
                break;
            }
            steps += 1;
            if steps > MOST_STEPS {
                return None;
            }
            ql_step(diagonal, beside, vectors, [low, high]);
        }
    }
    Some(())
}

/// One step on the rows from `low` to `high`.
fn ql_step(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut [f64], [low, high]: [usize; 2]) {
    let size = diagonal.len();
    let slope = (diagonal[low + 1] - diagonal[low]) / (2.0 * beside[low]);
    let root = slope.hypot(1.0).copysign(slope);
    let mut g = diagonal[high] - diagonal[low] + beside[low] / (slope + root);
    let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
    for at in (low..high).rev() {
        let f = sine * beside[at];
        let b = cosine * beside[at];
        let length = f.hypot(g);
        beside[at + 1] = length;
        if length == 0.0 {
            // The matrix falls apart here: the next step goes on with its halves.
            diagonal[at + 1] -= shift;
            beside[high] = 0.0;
            return;
        }
        sine = f / length;
        cosine = g / length;
        g = diagonal[at + 1] - shift;
        let turned = (diagonal[at] - g) * sine + 2.0 * cosine * b;
        shift = sine * turned;
        diagonal[at + 1] = g + shift;
        g = cosine * turned - b;
        let (before, from) = vectors.split_at_mut((at + 1) * size);
        let upper = before[at * size..].iter_mut();
        for (x, y) in upper.zip(&mut from[..size]) {
            let old = *y;
            *y = sine * *x + cosine * old;
            *x = cosine * *x - sine * old;
        }
    }
    diagonal[low] -= shift;
    beside[low] = g;
    beside[high] = 0.0;
}

fn sorted(values: &[f64], vectors: &[f64], size: usize) -> Eigen {
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let vector = |&at: &usize| {
        let vector = &vectors[at * size..(at + 1) * size];
        let farthest = vector
            .iter()
            .fold(0.0f64, |far, &x| if x.abs() > far.abs() { x } else { far });
        let sign = 1f64.copysign(farthest);
        vector.iter().map(move |x| sign * x)
    };
    Eigen {
        values: order.iter().map(|&at| values[at]).collect(),
        vectors: order.iter().flat_map(vector).collect(),
    }
}

/// In eight sums, so that the processor adds several numbers at once; the order is always the same.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (rest_a, rest_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = rest_a
        .remainder()
        .iter()
        .zip(rest_b.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in rest_a.zip(rest_b) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A symmetric matrix of this rank, with numbers that look like no others.
    fn of_rank(size: usize, rank: usize) -> Vec<f64> {
        let number = |at: usize| ((at * 7919 + at * at * 31 + 13) % 997) as f64 / 997.0 - 0.5;
        let factor: Vec<f64> = (0..rank * size).map(number).collect();
        let entry = |row: usize, column: usize| -> f64 {
            (0..rank)
                .map(|k| factor[k * size + row] * factor[k * size + column])
                .sum()
        };
        (0..size * size)
            .map(|at| entry(at / size, at % size))
            .collect()
    }

    #[test]
    fn the_vectors_are_orthogonal_and_give_the_matrix_again() {
        for (size, rank) in [(1, 1), (2, 2), (3, 1), (20, 20), (40, 7), (64, 64)] {
            let matrix = of_rank(size, rank);
            let eigen = Eigen::of_symmetric(matrix.clone(), size).unwrap();
            let vector = |at: usize| &eigen.vectors[at * size..(at + 1) * size];
            for a in 0..size {
                for b in 0..size {
                    let again: f64 = (0..size)
                        .map(|k| eigen.values[k] * vector(k)[a] * vector(k)[b])
                        .sum();
                    let off = (again - matrix[a * size + b]).abs();
                    assert!(off < 1e-12, "{size} of rank {rank}: {off}");
                    let product = dot(vector(a), vector(b));
                    let wanted = f64::from(u8::from(a == b));
                    assert!((product - wanted).abs() < 1e-12, "{a} {b}: {product}");
                }
            }
            assert!(eigen.values.windows(2).all(|pair| pair[0] >= pair[1]));
            let zeros = eigen.values.iter().filter(|value| value.abs() < 1e-12);
            assert_eq!(zeros.count(), size - rank);
        }
    }

    #[test]
    fn known_values_are_found() {
        let eigen = Eigen::of_symmetric(vec![2.0, 1.0, 1.0, 2.0], 2).unwrap();
        assert!((eigen.values[0] - 3.0).abs() < 1e-14 && (eigen.values[1] - 1.0).abs() < 1e-14);
        let diagonal = Eigen::of_symmetric(vec![1.0, 0.0, 0.0, 5.0], 2).unwrap();
        assert_eq!(diagonal.values, [5.0, 1.0]);
        assert_eq!(diagonal.vectors, [0.0, 1.0, 1.0, 0.0]);
        let zero = Eigen::of_symmetric(vec![0.0; 9], 3).unwrap();
        assert_eq!(zero.values, [0.0; 3]);
    }

    #[test]
    fn what_is_no_matrix_has_none() {
        assert_eq!(Eigen::of_symmetric(vec![f64::NAN; 4], 2), None);
        assert_eq!(Eigen::of_symmetric(vec![1.0; 3], 2), None);
    }
}
