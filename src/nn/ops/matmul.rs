//! Matrix products on slices, by the `gemm` crate.

use super::real::Real;

/// A matrix inside a slice: `rows × cols` with a distance between rows and between columns.
#[derive(Clone, Copy)]
pub struct Mat<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T: Real> Mat<'a, T> {
    /// A row-major matrix whose rows are `row_stride` numbers apart.
    pub fn new(data: &'a [T], rows: usize, cols: usize, row_stride: usize) -> Mat<'a, T> {
        Mat {
            data,
            rows,
            cols,
            row_stride,
            col_stride: 1,
        }
    }

    /// The transpose, without moving anything.
    pub fn t(self) -> Mat<'a, T> {
        Mat {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    fn fits(&self) -> bool {
        fits(
            self.data.len(),
            self.rows,
            self.cols,
            self.row_stride,
            self.col_stride,
        )
    }
}

fn fits(len: usize, rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> bool {
    rows == 0 || cols == 0 || (rows - 1) * row_stride + (cols - 1) * col_stride < len
}

/// `out = a·b`, or `out += a·b` when accumulating. `out` is row-major with `out_stride` between rows and as
/// many rows as `a` and columns as `b`. One thread; callers split the work.
///
/// # Panics
/// When a matrix does not fit into its slice: that is a bug of the caller.
#[allow(unsafe_code)]
pub fn product<T: Real>(
    out: &mut [T],
    out_stride: usize,
    a: Mat<'_, T>,
    b: Mat<'_, T>,
    accumulate: bool,
) {
    assert!(
        a.fits() && b.fits() && a.cols == b.rows && fits(out.len(), a.rows, b.cols, out_stride, 1)
    );
    let (m, n, k) = (a.rows, b.cols, a.cols);
    if m == 0 || n == 0 {
        return;
    }
    let zero_or_one = if accumulate { T::one() } else { T::zero() };
    // SAFETY: the assertion above proves that every element addressed by the sizes and strides lies inside
    // its slice; `out` is borrowed exclusively, so it cannot overlap `a` or `b`.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_stride as isize,
            accumulate,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            zero_or_one,
            T::one(),
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_transpose_and_accumulate() {
        let (a, b) = (
            [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0],
            [1.0f32, 0.0, 0.0, 1.0, 1.0, 1.0],
        );
        let mut out = [10.0f32; 4];
        product(
            &mut out,
            2,
            Mat::new(&a, 2, 3, 3),
            Mat::new(&b, 3, 2, 2),
            true,
        );
        assert_eq!(out, [14.0, 15.0, 20.0, 21.0]);
        let mut transposed = [0.0f32; 9];
        product(
            &mut transposed,
            3,
            Mat::new(&a, 2, 3, 3).t(),
            Mat::new(&a, 2, 3, 3),
            false,
        );
        assert_eq!(
            transposed,
            [17.0, 22.0, 27.0, 22.0, 29.0, 36.0, 27.0, 36.0, 45.0]
        );
    }
}
