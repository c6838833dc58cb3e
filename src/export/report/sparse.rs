//! The sparse code of a run: the mean activation of every unit, falling, beside the target.

use super::escape;
use std::fmt::Write;
use strata_core::format::{count, loss};
use strata_inspect::sparse::SparseCode;

/// Width and height of the drawing.
const SIZE: [f64; 2] = [640.0, 160.0];
/// Bars at most: of more units every so manyth is drawn.
const MOST_BARS: usize = 320;

/// Nothing where nothing was measured.
pub(super) fn figure(code: &SparseCode) -> Option<String> {
    let means = code.sorted();
    let top = means.iter().copied().fold(0.0, f32::max);
    let target = code.target.map(|(rho, _)| rho);
    let top = f64::from(top).max(target.unwrap_or(0.0));
    if means.is_empty() || !top.is_finite() || top <= 0.0 {
        return None;
    }
    let [width, height] = SIZE;
    let every = means.len().div_ceil(MOST_BARS);
    let bars: Vec<f32> = means.iter().copied().step_by(every).collect();
    let wide = width / bars.len() as f64;
    let mut drawn = format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"mean activations\">"
    );
    for (at, mean) in bars.iter().enumerate() {
        let tall = (f64::from(*mean).max(0.0) / top * height).min(height);
        let _ = write!(
            drawn,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" fill=\"var(--accent)\"/>",
            at as f64 * wide,
            height - tall,
            (wide * 0.8).max(0.5)
        );
    }
    if let Some(rho) = target {
        let y = height - rho / top * height;
        let _ = write!(
            drawn,
            "<line x1=\"0\" x2=\"{width}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"var(--soft)\" stroke-dasharray=\"4 4\"/>"
        );
    }
    drawn += "</svg>";
    Some(format!("{drawn}<p>{}</p>", escape(&words(code, top))))
}

fn words(code: &SparseCode, top: f64) -> String {
    let units = code.means.len();
    let mut said = format!(
        "{}: mean activation of each of {} units over {} {} images, falling; the highest is {}",
        code.layer.replace('`', ""),
        count(units as u64),
        count(code.images as u64),
        code.split,
        loss(top)
    );
    if let Some((rho, beta)) = code.target {
        said += &format!("; dashed the target {rho} (weight {beta})");
    }
    for (what, found) in [
        ("never active", code.dead()),
        ("always on", code.always_on()),
    ] {
        if !found.is_empty() {
            said += &format!("; {} {what}", count(found.len() as u64));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_bars_and_the_target_a_line() {
        let code = SparseCode {
            layer: "encoder.1 `sigmoid`".to_owned(),
            images: 100,
            means: vec![0.1, 0.4, 0.0],
            active: vec![0.5, 1.0, 0.0],
            target: Some((0.05, 3.0)),
            ..SparseCode::default()
        };
        let drawn = figure(&code).unwrap();
        assert_eq!(drawn.matches("<rect").count(), 3);
        assert_eq!(drawn.matches("<line").count(), 1);
        for part in [
            "encoder.1 sigmoid",
            "1 never active",
            "1 always on",
            "target 0.05",
        ] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        let many = SparseCode {
            means: vec![0.5; 1000],
            ..code
        };
        assert_eq!(figure(&many).unwrap().matches("<rect").count(), 250);
        assert_eq!(figure(&SparseCode::default()), None);
    }
}
