//! Rows of values turned into lanes and back: a lane holds the values of one column in sixteen rows, so that all of them
//! are computed by one vector.
//!
//! All functions are `#[inline(always)]`, so that they are compiled for the instructions of their caller.

/// Rows of a block.
pub(super) const LANES: usize = 16;

/// The values of one column in the rows of a block.
pub(super) type Lane<T, const N: usize> = [T; N];

/// The values of a slice from a position on.
#[inline(always)]
pub(super) fn at<T: Copy + Default, const N: usize>(values: &[T], start: usize) -> Lane<T, N> {
    values[start..]
        .first_chunk()
        .copied()
        .unwrap_or([T::default(); N])
}

/// Turns up to `N` rows of `length` values into a lane for each position; there are as many lanes as whole blocks need,
/// and `N` is a power of 2.
#[inline(always)]
pub(super) fn from_rows<T: Copy + Default, const N: usize>(
    rows: &[T],
    length: usize,
    lanes: &mut [Lane<T, N>],
) {
    for (number, lanes) in lanes.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        let mut block = [[T::default(); N]; N];
        for (values, row) in block.iter_mut().zip(rows.chunks_exact(length.max(1))) {
            let row = &row[number * N..];
            match row.first_chunk() {
                Some(whole) => *values = *whole,
                None => values[..row.len()].copy_from_slice(row),
            }
        }
        *lanes = transposed(block);
    }
}

/// Turns lanes back into up to `N` rows of `length` values.
#[inline(always)]
pub(super) fn to_rows<T: Copy + Default, const N: usize>(
    lanes: &[Lane<T, N>],
    length: usize,
    rows: &mut [T],
) {
    for (number, lanes) in lanes.as_chunks::<N>().0.iter().enumerate() {
        let block = transposed(*lanes);
        for (values, row) in block.iter().zip(rows.chunks_exact_mut(length.max(1))) {
            let row = &mut row[number * N..];
            match row.first_chunk_mut() {
                Some(whole) => *whole = *values,
                None => row.copy_from_slice(&values[..row.len()]),
            }
        }
    }
}

/// Each pass puts the rows of the upper half between those of the lower half, value by value, which is one instruction
/// for a whole vector; after as many passes as `N` has bits, rows are columns.
#[inline(always)]
fn transposed<T: Copy + Default, const N: usize>(mut block: [Lane<T, N>; N]) -> [Lane<T, N>; N] {
    for _ in 0..N.ilog2() {
        let mut mixed = [[T::default(); N]; N];
        for (pair, rows) in mixed.chunks_exact_mut(2).enumerate() {
            let (upper, lower) = (block[pair], block[pair + N / 2]);
            for at in 0..N / 2 {
                rows[0][2 * at] = upper[at];
                rows[0][2 * at + 1] = lower[at];
                rows[1][2 * at] = upper[N / 2 + at];
                rows[1][2 * at + 1] = lower[N / 2 + at];
            }
        }
        block = mixed;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<const N: usize>(rows: usize, length: usize) {
        let values: Vec<u16> = (0..(rows * length) as u16).collect();
        let mut lanes = vec![[0; N]; length.next_multiple_of(N)];
        from_rows(&values, length, &mut lanes);
        for (column, lane) in lanes.iter().take(length).enumerate() {
            for (row, &value) in lane.iter().take(rows).enumerate() {
                assert_eq!(usize::from(value), row * length + column);
            }
        }
        let mut back = vec![0; values.len()];
        to_rows(&lanes, length, &mut back);
        assert_eq!(back, values);
    }

    #[test]
    fn rows_become_lanes_and_rows_again() {
        for (rows, length) in [(16, 16), (16, 33), (5, 7), (1, 1), (9, 48)] {
            there_and_back::<16>(rows, length);
        }
        there_and_back::<1>(1, 20);
        there_and_back::<4>(3, 6);
    }
}
