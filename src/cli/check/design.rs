//! What `strata check` prints of receptive fields and checkerboards.

use super::index_json;
use serde_json::{Value, json};
use strata_core::project::Network;
use strata_core::shape::field::{Grid, Ratio, sees_less};
use strata_core::shape::{Inference, Row};
use strata_design::checkerboard::{self, Overlap, Taps};

/// Taps listed for an axis at most: one period of them.
const MOST: usize = 64;

/// How far apart the windows of neighbouring values are, in positions of the input by axis.
pub(super) fn strides(row: &Row) -> Value {
    grid(row, |grid| grid.stride)
}

/// Where the first value's windows begin.
pub(super) fn offsets(row: &Row) -> Value {
    grid(row, |grid| grid.offset)
}

fn grid(row: &Row, of: impl Fn(&Grid) -> Ratio) -> Value {
    let value = |grid: &Grid| {
        let value = of(grid).value();
        if value.fract() == 0.0 && value.abs() < 2f64.powi(53) {
            json!(value as i64)
        } else {
            json!(value)
        }
    };
    json!(
        row.grid
            .as_ref()
            .map(|axes| axes.iter().map(value).collect::<Vec<_>>())
    )
}

/// Every transposed convolution, with what would even it out.
pub(super) fn checkerboard(network: &Network, inference: &Inference) -> Vec<Value> {
    let finite = |value: f64| value.is_finite().then_some(value);
    let one = |overlap: &Overlap| {
        let each = |of: fn(&Taps) -> usize| overlap.axes.iter().map(of).collect::<Vec<_>>();
        let taps = |taps: &Taps| {
            (0..taps.stride.min(MOST))
                .map(|at| taps.covering(at))
                .collect::<Vec<_>>()
        };
        let fixes = checkerboard::fixes(network, inference, &overlap.place);
        json!({
            "stack": overlap.place.stack.name(),
            "index": index_json(&overlap.place.path, overlap.place.index_text()),
            "text": overlap.text,
            "kernel": each(|taps| taps.kernel),
            "stride": each(|taps| taps.stride),
            "taps": overlap.axes.iter().map(taps).collect::<Vec<_>>(),
            "even": overlap.is_even(),
            "strength": finite(overlap.strength),
            "output_period": overlap.period,
            "output_strength": overlap.strength_after.and_then(finite),
            "fixes": fixes.iter().map(|fix| fix.texts()).collect::<Vec<_>>(),
        })
    };
    checkerboard::overlaps(inference).iter().map(one).collect()
}

/// What is worth knowing and no mistake, a sentence each.
pub(super) fn hints(network: &Network, inference: &Inference) -> Vec<String> {
    let uneven = checkerboard::overlaps(inference)
        .into_iter()
        .filter(|overlap| !overlap.is_even());
    let told = uneven.map(|overlap| {
        let fix = checkerboard::fixes(network, inference, &overlap.place)
            .first()
            .map(|fix| fix.texts().join(" and "));
        let fix = fix.map_or_else(String::new, |fix| format!("; even would be {fix}"));
        format!(
            "{} `{}` leaves a checkerboard: {}{fix}",
            overlap.place,
            overlap.text,
            overlap.sentence()
        )
    });
    told.chain(sees_less(inference)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;
    use strata_core::project::node::Node;
    use strata_core::shape::infer;

    fn autoencoder(last: &str) -> (Network, Inference) {
        let mut network = builtin::find("conv-autoencoder")
            .unwrap()
            .project()
            .unwrap()
            .network;
        network.encoder = vec![Node::from_text("conv 8 k4 s2 p1")];
        network.decoder = vec![Node::from_text(last)];
        let inference = infer(&network);
        (network, inference)
    }

    #[test]
    fn uneven_layers_are_listed_with_what_helps() {
        let (network, inference) = autoencoder("convt 3 k3 s2 p1 op1");
        let found = &checkerboard(&network, &inference)[0];
        assert_eq!(
            (&found["even"], &found["taps"]),
            (&json!(false), &json!([[1, 2], [1, 2]]))
        );
        assert_eq!(
            (&found["strength"], &found["output_period"]),
            (&json!(4.0), &json!([2, 2]))
        );
        assert_eq!(found["fixes"][0], json!(["convt 3 k4 s2 p1"]));
        let hints = hints(&network, &inference);
        assert!(
            hints[0].contains("decoder.0 `convt 3 k3 s2 p1 op1` leaves a checkerboard"),
            "{hints:?}"
        );
        assert!(
            hints[0].ends_with("even would be convt 3 k4 s2 p1") && hints[1].contains("sees 4×4"),
            "{hints:?}"
        );
        let (network, inference) = autoencoder("convt 3 k4 s2 p1");
        assert_eq!(checkerboard(&network, &inference)[0]["even"], json!(true));
    }

    #[test]
    fn strides_and_offsets_are_numbers() {
        let (_, inference) = autoencoder("upsample 4");
        let values = |of: fn(&Row) -> Value| inference.rows.iter().map(of).collect::<Vec<_>>();
        assert_eq!(values(strides), [json!([2, 2]), json!([0.5, 0.5])]);
        assert_eq!(values(offsets), [json!([-1, -1]), json!([-2.5, -2.5])]);
    }
}
