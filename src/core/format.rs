//! Numbers and times as people read them: in the window, in the terminal, in messages.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `122,570`
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The text with a capital at its beginning.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A text without the system's numbers of errors, `(os error 2)`: they say nothing to who reads it; the log has them.
pub fn without_codes(text: &str) -> String {
    const START: &str = " (os error ";
    let mut left = text;
    let mut kept = String::new();
    while let Some((before, after)) = left.split_once(START) {
        let digits = after.trim_start_matches(|c: char| c.is_ascii_digit());
        kept += before;
        match digits.strip_prefix(')') {
            Some(rest) => left = rest,
            None => {
                kept += START;
                left = after;
            }
        }
    }
    kept + left
}

/// `3.1 M`, `980`; three significant digits.
pub fn large(n: u64) -> String {
    let unit = 1000f64.powf(((n.max(1) as f64).log10() / 3.0 + 1e-9).floor());
    let decimals = if unit == 1.0 || n as f64 / unit >= 99.95 {
        0
    } else {
        1
    };
    scaled_to(n as f64, decimals, &["", " k", " M", " G", " T", " P"])
}

/// `32.8 kB`, `1.2 MB`: in steps of 1000, as the standard and the labels of memory sticks have it.
pub fn bytes(n: u64) -> String {
    let decimals = if n < 1000 { 0 } else { 1 };
    scaled_to(
        n as f64,
        decimals,
        &[" B", " kB", " MB", " GB", " TB", " PB"],
    )
}

/// In the largest unit of which there is at least one, after rounding.
fn scaled_to(mut value: f64, decimals: usize, units: &[&str]) -> String {
    let half = 0.5 * 0.1f64.powi(decimals as i32);
    let mut unit = 0;
    while value >= 1000.0 - half && unit + 1 < units.len() {
        (value, unit) = (value / 1000.0, unit + 1);
    }
    format!("{value:.decimals$}{}", units[unit])
}

/// `11,200`, `4.3`: so many a second.
pub fn rate(value: f64) -> String {
    match value.max(0.0) {
        v if v < 9.95 => format!("{v:.1}"),
        v => count(v.round() as u64),
    }
}

/// `0.42 ms`, `15.3 ms`, `2.1 s`, from milliseconds.
pub fn milliseconds(ms: f64) -> String {
    match ms.max(0.0) {
        ms if ms < 0.995 => format!("{ms:.2} ms"),
        ms if ms < 99.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms.is_finite() => format!("{} s", rate(ms / 1e3)),
        _ => "—".to_owned(),
    }
}

/// Whether a number of this size is written as a power of ten: from a million on, and below a ten-thousandth.
pub fn is_scientific(value: f64) -> bool {
    value != 0.0 && !(1e-4..1e6).contains(&value.abs())
}

/// A loss in about four significant digits: `0.0121`, `2.303`, `3.14e-5`, `2.86e74`.
pub fn loss(value: f64) -> String {
    if !value.is_finite() {
        return "not finite".into();
    }
    let size = value.abs();
    let text = match size {
        0.0 => return "0".into(),
        v if is_scientific(v) => format!("{v:.2e}"),
        v if v < 1e-3 => format!("{v:.6}"),
        v if v < 1e-2 => format!("{v:.5}"),
        v if v < 1.0 => format!("{v:.4}"),
        v if v < 100.0 => format!("{v:.3}"),
        v if v < 10_000.0 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    };
    signed_text(value, &text)
}

/// The text of a number's size, with a true minus sign where the number is below 0.
fn signed_text(value: f64, size: &str) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{size}")
}

/// A value with so many decimals and a true minus sign, as people read it; `0.00` has none.
pub fn fixed(value: f64, decimals: usize) -> String {
    let size = format!("{:.decimals$}", value.abs());
    let is_zero = size.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    signed_text(if is_zero { 0.0 } else { value }, &size)
}

/// Four significant digits: `0.01235`, `12.35`, `1.235e-9`; `NaN` and `inf` by their names.
pub fn figure(value: f64) -> String {
    rounded(value, 4)
}

/// A value in so many significant digits: `0.007`, `0.31`, `12`, `1.2e-9`; where there is little room for it.
pub fn rounded(value: f64, digits: usize) -> String {
    let behind_first = digits.max(1) - 1;
    let size = value.abs();
    if size == 0.0 || !size.is_finite() {
        return signed_text(value, &size.to_string());
    }
    if is_scientific(size) {
        return signed_text(value, &format!("{size:.behind_first$e}"));
    }
    let decimals = behind_first as i32 - size.log10().floor() as i32;
    let decimals = usize::try_from(decimals).unwrap_or(0);
    signed_text(value, &format!("{size:.decimals$}"))
}

/// A value as people write it in a picture: at most so many decimals, none at the end that are 0, a true minus sign,
/// and a power of ten where the number is very large or so small that the decimals would hide it.
pub fn short(value: f64, decimals: usize) -> String {
    let size = value.abs();
    if value.is_nan() {
        return "NaN".into();
    }
    if size.is_infinite() {
        return signed_text(value, "∞");
    }
    let smallest = 0.5 * 0.1f64.powi(decimals as i32);
    let text = match is_scientific(value) || (value != 0.0 && size < smallest) {
        true => format!("{size:.2e}"),
        false => format!("{size:.decimals$}"),
    };
    let text = match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    signed_text(value, &text)
}

/// The least and the greatest finite value; `None` where there is none.
pub fn span(values: impl IntoIterator<Item = f64>) -> Option<[f64; 2]> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let joined = |[low, high]: [f64; 2], value: f64| [low.min(value), high.max(value)];
    let span = finite.fold([f64::INFINITY, f64::NEG_INFINITY], joined);
    (span[0] <= span[1]).then_some(span)
}

/// `1 min 52 s`, `3 h 05 min`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "—".into();
    }
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A text that may come from anybody's file, as a terminal may show it: control characters become `\u{1b}`, and so do
/// those that turn the direction of writing. Line ends and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_harmless = |c: char| matches!(c, '\n' | '\t') || !steers(c);
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_harmless(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    Cow::Owned(shown)
}

/// Whether a character steers a terminal: it can write over other lines, or turn what is read around.
pub fn steers(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `STL-10: autoencoder first` as `stl-10-autoencoder-first`: a title as part of a file's name, at most 40 letters
/// long; `instead` where nothing is left of it.
pub fn slug(title: &str, instead: &str) -> String {
    let words = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let slug: String = words
        .collect::<Vec<_>>()
        .join("-")
        .to_lowercase()
        .chars()
        .take(40)
        .collect();
    let slug = slug.trim_matches('-').to_owned();
    if slug.is_empty() {
        instead.to_owned()
    } else {
        slug
    }
}

/// `2026-11-21T18:03:00Z`
pub fn utc(time: SystemTime) -> String {
    format!("{}Z", to_the_second(time))
}

/// `2026-11-21T18:03:00.042Z`
pub(crate) fn utc_millis(time: SystemTime) -> String {
    let millis = since_1970(time).subsec_millis();
    format!("{}.{millis:03}Z", to_the_second(time))
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn to_the_second(time: SystemTime) -> String {
    let seconds = since_1970(time).as_secs();
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(day as i64);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month and day of a day since 1970: years start in March, so that the leap day comes last
/// and months of 31, 30, 31, 30, 31 days follow each other (153 days in five months).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // since 0000-03-01
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_digits_are_enough_where_there_is_little_room() {
        let written = [0.00703, 0.31, 12.4, 1234.5, 3.14e-5, 0.0].map(|value| rounded(value, 2));
        assert_eq!(written, ["0.0070", "0.31", "12", "1234", "3.1e-5", "0"]);
        assert_eq!(rounded(0.00703, 1), "0.007");
    }

    #[test]
    fn no_text_of_a_file_steers_the_terminal() {
        let title = "a\u{1b}[31mred\u{7}\u{9b}2J\r\n\tb\u{202e}c";
        assert_eq!(
            printable(title),
            "a\\u{1b}[31mred\\u{7}\\u{9b}2J\\u{d}\n\tb\\u{202e}c"
        );
        assert!(matches!(printable("ünï 🙂\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn numbers_are_grouped_and_scaled() {
        assert_eq!(
            (count(7), count(122_570), count(1_000)),
            ("7".into(), "122,570".into(), "1,000".into())
        );
        assert_eq!(
            (large(980), large(3_100_000), large(999_999_999)),
            ("980".into(), "3.1 M".into(), "1.0 G".into())
        );
        assert_eq!(
            (large(122_570), large(22_900_000)),
            ("123 k".into(), "22.9 M".into())
        );
        assert_eq!(
            [999, 32_768, 999_960, 3_000_000_000].map(bytes),
            ["999 B", "32.8 kB", "1.0 MB", "3.0 GB"]
        );
        assert_eq!(
            [0.421, 15.34, 120.4, 2_100.0].map(milliseconds),
            ["0.42 ms", "15.3 ms", "120 ms", "2.1 s"]
        );
        assert_eq!(
            [0.0, 4.26, 9.99, 11_200.4].map(rate),
            ["0.0", "4.3", "10", "11,200"]
        );
    }

    #[test]
    fn losses_and_times() {
        assert_eq!(
            (loss(0.0121), loss(2.4567), loss(3.14e-5)),
            ("0.0121".into(), "2.457".into(), "3.14e-5".into())
        );
        assert_eq!(loss(f64::NAN), "not finite");
        assert_eq!(
            [1e-4, 0.00123, 0.0, 999_999.0, 1e6, -2.8559e74].map(loss),
            ["0.000100", "0.00123", "0", "999999", "1.00e6", "−2.86e74"]
        );
        assert_eq!(
            (duration(52.4), duration(112.0), duration(11_100.0)),
            ("52 s".into(), "1 min 52 s".into(), "3 h 05 min".into())
        );
        assert_eq!(duration(f64::INFINITY), "—");
    }

    #[test]
    fn figures_keep_four_digits_at_any_size() {
        assert_eq!(
            [0.0123456, 12.3456, 123_456.0, 1.2e-9, 1e-4, 2.85592e74].map(figure),
            [
                "0.01235",
                "12.35",
                "123456",
                "1.200e-9",
                "0.0001000",
                "2.856e74"
            ]
        );
        assert_eq!(
            [0.0, f64::NAN, f64::INFINITY].map(figure),
            ["0", "NaN", "inf"]
        );
    }

    /// Loss, figure and short write one sign.
    #[test]
    fn what_is_below_zero_has_a_true_minus_sign() {
        for value in [-0.5, -12.25, -3e-9] {
            for text in [
                loss(value),
                figure(value),
                rounded(value, 2),
                short(value, 3),
            ] {
                assert!(text.starts_with('−') && !text.starts_with("−-"), "{text}");
            }
        }
        assert_eq!(
            [-3.456, -0.001, 2.0].map(|value| fixed(value, 2)),
            ["−3.46", "0.00", "2.00"]
        );
        assert_eq!(figure(f64::NEG_INFINITY), "−inf");
    }

    #[test]
    fn short_values_lose_no_size() {
        let two = |value| short(value, 2);
        assert_eq!(
            [-1.0, 5.0, 0.25, 0.004, 1.66122e14, -0.0, 1e-7].map(two),
            ["−1", "5", "0.25", "4.00e-3", "1.66e14", "0", "1.00e-7"]
        );
        assert_eq!([f64::NAN, f64::NEG_INFINITY].map(two), ["NaN", "−∞"]);
        assert_eq!(span([2.0, f64::NAN, -1.0]), Some([-1.0, 2.0]));
        assert_eq!(span([f64::INFINITY]), None);
    }

    #[test]
    fn titles_become_names_of_files() {
        let name = |title| slug(title, "run");
        assert_eq!(
            name("STL-10: autoencoder first, classifier after"),
            "stl-10-autoencoder-first-classifier-afte"
        );
        assert_eq!(name("¡!"), "run");
        assert_eq!(name("../../etc"), "etc");
    }

    #[test]
    fn times_are_written_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
        let time = UNIX_EPOCH + Duration::from_millis(951_782_400_042);
        assert_eq!(utc_millis(time), "2000-02-29T00:00:00.042Z");
    }
}
