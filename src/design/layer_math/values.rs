//! The small whole numbers of an example: the same for the same layer, so that a lecture can be repeated.

/// An image with an edge: dark to the left, bright to the right, no two neighbours alike all over.
pub fn picture(rows: usize, columns: usize) -> Vec<f64> {
    let value = |r: usize, c: usize| {
        let bright = if 2 * c >= columns { 2 } else { 0 };
        (bright + (r + 2 * c + r * c) % 2) as f64
    };
    cells(rows, columns, value)
}

/// Numbers from 1 to 9 that are spread so that every window has one winner in most places.
pub fn mixed(rows: usize, columns: usize) -> Vec<f64> {
    cells(rows, columns, |r, c| {
        ((5 * r + 7 * c + r * c * 2 + r * r) % 9 + 1) as f64
    })
}

/// From 1 upwards, again from 1 after 4: what a transposed convolution spreads.
pub fn few(rows: usize, columns: usize) -> Vec<f64> {
    cells(rows, columns, |r, c| ((r * columns + c) % 4 + 1) as f64)
}

/// Whole numbers around zero: what an activation is shown on.
pub(crate) fn around_zero(count: usize) -> Vec<f64> {
    (0..count)
        .map(|i| i as f64 - ((count - 1) / 2) as f64)
        .collect()
}

/// A kernel that answers to upright edges (for 3×3 the one of Sobel): left minus right, the middle row counts most.
pub fn edge(rows: usize, columns: usize) -> Vec<f64> {
    if columns == 1 {
        return if rows == 1 { vec![2.0] } else { edge(1, rows) };
    }
    cells(rows, columns, |r, c| {
        let sign = match (2 * c + 1).cmp(&columns) {
            std::cmp::Ordering::Less => 1.0,
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Greater => -1.0,
        };
        sign * hill(r, rows)
    })
}

/// A kernel that is highest in its middle, as for enlarging: 1 2 1 across and down.
pub(crate) fn tent(rows: usize, columns: usize) -> Vec<f64> {
    cells(rows, columns, |r, c| hill(r, rows) * hill(c, columns))
}

/// 1, 2, 3, … up to the middle and down again; at most 3.
fn hill(place: usize, count: usize) -> f64 {
    (place + 1).min(count - place).min(3) as f64
}

fn cells(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    (0..rows * columns)
        .map(|i| value(i / columns.max(1), i % columns.max(1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_the_known_ones() {
        assert_eq!(edge(3, 3), [1.0, 0.0, -1.0, 2.0, 0.0, -2.0, 1.0, 0.0, -1.0]);
        assert_eq!(edge(1, 4), [1.0, 1.0, -1.0, -1.0]);
        assert_eq!(edge(3, 1), [1.0, 0.0, -1.0]);
        assert_eq!(tent(3, 3), [1.0, 2.0, 1.0, 2.0, 4.0, 2.0, 1.0, 2.0, 1.0]);
        assert_eq!(around_zero(5), [-2.0, -1.0, 0.0, 1.0, 2.0]);
    }
}
