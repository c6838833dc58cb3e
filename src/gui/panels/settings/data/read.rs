//! From texts to values, with what to write where that fails, and back.

use strata_core::project::size::Axes;

/// `32x32`, or `32` for both.
pub(super) fn pair(text: &str) -> Result<[u32; 2], String> {
    let wrong = || format!("“{text}” is no size: write height × width, such as 32×32");
    let axes: Axes = text.trim().replace('×', "x").parse().map_err(|_| wrong())?;
    match *axes.sizes() {
        [size] if size > 0 => Ok([size, size]),
        [height, width] if height > 0 && width > 0 => Ok([height, width]),
        _ => Err(wrong()),
    }
}

/// The text of a size.
pub(super) fn size(size: Option<[u32; 2]>) -> String {
    size.map_or_else(String::new, |[height, width]| format!("{height}×{width}"))
}

/// `-1..1`.
pub(super) fn bounds(text: &str) -> Result<[f32; 2], String> {
    let wrong = || format!("“{text}” is no range: write low..high, such as −1..1");
    let (low, high) = text.split_once("..").ok_or_else(wrong)?;
    match (finite(low), finite(high)) {
        (Some(low), Some(high)) if low < high => Ok([low, high]),
        _ => Err(wrong()),
    }
}

/// A fraction from 0 to less than 1, as `0.1` or `10 %`.
pub(super) fn share(text: &str) -> Result<f32, String> {
    let (number, of) = match text.trim().strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let share = finite(number)
        .map(|number| number / of)
        .filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| format!("“{text}” is no share: write 0.1 or 10 %, or 0 for none"))
}

/// A whole number from 1.
pub(super) fn count<T: std::str::FromStr + PartialOrd + From<u8>>(text: &str) -> Result<T, String> {
    let number = text
        .trim()
        .parse::<T>()
        .ok()
        .filter(|number| *number >= T::from(1));
    number.ok_or_else(|| {
        format!("“{text}” is no number of things: write a whole number from 1, or nothing")
    })
}

/// A whole number from 0.
pub(super) fn number(text: &str) -> Result<u32, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("“{text}” is no whole number"))
}

/// A number for each channel: `0.49 0.48 0.45`, with or without commas.
pub(super) fn numbers(text: &str) -> Result<Vec<f32>, String> {
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let numbers: Option<Vec<f32>> = words.map(finite).collect();
    let wrong = || {
        format!(
            "“{text}” is no list of numbers: write one for each channel, such as 0.49 0.48 0.45"
        )
    };
    numbers
        .filter(|numbers| !numbers.is_empty())
        .ok_or_else(wrong)
}

/// The text of a value that may be missing.
pub(super) fn written<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn finite(text: &str) -> Option<f32> {
    text.trim()
        .replace('−', "-")
        .parse::<f32>()
        .ok()
        .filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ranges_are_read_or_refused() {
        assert_eq!((pair("32x48"), pair("32")), (Ok([32, 48]), Ok([32, 32])));
        assert_eq!(
            (size(Some([32, 48])).as_str(), size(None).as_str()),
            ("32×48", "")
        );
        assert_eq!(pair("32×48"), Ok([32, 48]), "as it is shown");
        assert_eq!(bounds("-1..1"), Ok([-1.0, 1.0]));
        assert_eq!(bounds("−1..1"), Ok([-1.0, 1.0]));
        for wrong in ["0x3", "3x3x3", "x", "-1"] {
            assert!(pair(wrong).is_err(), "{wrong}");
        }
        for wrong in ["1..-1", "1", "a..b", "0..inf", "1..1"] {
            assert!(bounds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_counts_and_lists_are_read_or_refused() {
        assert_eq!(
            (share("0.2"), share("20 %"), share("20%")),
            (Ok(0.2), Ok(0.2), Ok(0.2))
        );
        assert_eq!((share("0"), share("0 %")), (Ok(0.0), Ok(0.0)));
        for wrong in ["1", "100 %", "-0.1", "NaN", "half"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
        assert_eq!((count::<u32>("7"), number("0")), (Ok(7), Ok(0)));
        assert!(
            count::<usize>("0").is_err() && count::<u32>("-1").is_err() && number("x").is_err()
        );
        assert_eq!(numbers("0.5, 0.25 1"), Ok(vec![0.5, 0.25, 1.0]));
        assert!(numbers("0.5 x").is_err() && numbers(" ").is_err());
    }
}
