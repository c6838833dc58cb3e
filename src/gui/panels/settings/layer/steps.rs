//! What the arrows of a field do to its text, and how sizes are written.

use strata_core::project::size::{Axes, Margins};
use strata_core::shape::layers::FieldForm;

/// A whole number is not stepped beyond it.
pub(super) const MOST: u32 = 1 << 20;

pub(super) fn whole_number(text: &str) -> Result<(), String> {
    match text.trim().parse::<u32>() {
        Ok(number) if (1..=MOST).contains(&number) => Ok(()),
        _ => Err("write a whole number from 1".to_owned()),
    }
}

/// The sizes of a text such as `3` or `3x5`.
pub(super) fn axes_of(value: &str) -> Vec<u32> {
    value
        .parse::<Axes>()
        .map_or_else(|_| Vec::new(), |axes| axes.sizes().to_vec())
}

/// `3 × 3`: what one size means for so many axes.
pub(super) fn by_axis(each: &[u32], rank: usize) -> String {
    let all = match each {
        [one] => vec![*one; rank.max(1)],
        _ => each.to_vec(),
    };
    let texts: Vec<String> = all.iter().map(u32::to_string).collect();
    texts.join(" × ")
}

pub(super) fn stepped(form: FieldForm, text: &str, up: bool) -> Option<String> {
    match form {
        FieldForm::Count => stepped_sizes(text, up, 1),
        FieldForm::Sizes(least) => stepped_sizes(text, up, least),
        FieldForm::Padding => stepped_sizes(text, up, 0),
        FieldForm::Margins => text
            .parse::<Margins>()
            .ok()
            .and_then(|_| stepped_sizes(text, up, 0)),
        FieldForm::Number(step) => {
            let now: f32 = text.parse().ok()?;
            let steps = (now / step).round() + if up { 1.0 } else { -1.0 };
            let next = format!("{:.4}", steps * step);
            Some(next.trim_end_matches('0').trim_end_matches('.').to_owned())
        }
        FieldForm::Shape | FieldForm::Flag => None,
    }
}

/// Every size one more or one less; none below the least.
pub(super) fn stepped_sizes(text: &str, up: bool, least: u32) -> Option<String> {
    let sizes = text.parse::<Axes>().ok()?;
    let next: Vec<u32> = sizes
        .sizes()
        .iter()
        .map(|&size| match up {
            true => (size + 1).min(MOST),
            false => size.saturating_sub(1).max(least),
        })
        .collect();
    Some(Axes::each(&next).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_step_every_axis_and_stop_at_the_least() {
        assert_eq!(stepped(FieldForm::Sizes(1), "3x5", true).unwrap(), "4x6");
        assert_eq!(stepped(FieldForm::Sizes(1), "1x2", false).unwrap(), "1x1");
        assert_eq!(stepped(FieldForm::Padding, "0", false).unwrap(), "0");
        assert_eq!(stepped(FieldForm::Padding, "same", true), None);
        assert_eq!(
            stepped(FieldForm::Number(0.05), "0.5", true).unwrap(),
            "0.55"
        );
        assert_eq!(by_axis(&[3], 2), "3 × 3");
        assert_eq!(by_axis(&[3, 5], 2), "3 × 5");
    }
}
