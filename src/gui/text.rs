//! Numbers and times as people read them.

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

/// `3.1 M`, `980`; three significant digits.
pub fn large(n: u64) -> String {
    scaled(n as f64, 1000.0, &["", " k", " M", " G", " T", " P"])
}

/// `48 MB`, in steps of 1024.
pub fn bytes(n: u64) -> String {
    scaled(n as f64, 1024.0, &[" B", " KB", " MB", " GB", " TB", " PB"])
}

fn scaled(mut value: f64, step: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while value >= step && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    let decimals = if unit == 0 || value >= 100.0 { 0 } else { 1 };
    format!("{value:.decimals$}{}", units[unit])
}

/// A loss in four significant digits: `0.0121`, `2.303`, `3.1e-5`.
pub fn loss(value: f64) -> String {
    if !value.is_finite() {
        return "not finite".into();
    }
    match value.abs() {
        0.0 => "0".into(),
        v if v < 1e-3 => format!("{value:.1e}"),
        v if v < 1.0 => format!("{value:.4}"),
        v if v < 100.0 => format!("{value:.3}"),
        _ => format!("{value:.0}"),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_scaled() {
        assert_eq!((count(7), count(122_570), count(1_000)), ("7".into(), "122,570".into(), "1,000".into()));
        assert_eq!((large(980), large(3_100_000), large(999_999_999)), ("980".into(), "3.1 M".into(), "1000 M".into()));
        assert_eq!((bytes(512), bytes(50_331_648)), ("512 B".into(), "48.0 MB".into()));
    }

    #[test]
    fn losses_and_times() {
        assert_eq!((loss(0.0121), loss(2.4567), loss(3.14e-5)), ("0.0121".into(), "2.457".into(), "3.1e-5".into()));
        assert_eq!(loss(f64::NAN), "not finite");
        assert_eq!(
            (duration(52.4), duration(112.0), duration(11_100.0)),
            ("52 s".into(), "1 min 52 s".into(), "3 h 05 min".into())
        );
        assert_eq!(duration(f64::INFINITY), "—");
    }
}
