//! Why the output differs from the input, what no stride reads and which sizes work, as text and as JSON.

use super::index_json;
use serde_json::{Value, json};
use strata_core::project::{Network, Place};
use strata_core::shape::Inference;
use strata_design::explain;
use strata_design::explain::{Cause, Side, Step, UnreadLayer, unread};
use strata_design::valid_input_sizes::{Strip, strips};

/// The lines below the banner.
pub(super) fn lines(network: &Network, inference: &Inference) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let explanation = explain(network, inference);
    if !explanation.causes.is_empty() {
        lines.extend(
            explanation
                .sentences
                .iter()
                .map(|sentence| format!("  because: {sentence}")),
        );
    }
    let unread = unread::layers(network, inference);
    lines.extend(
        unread
            .iter()
            .map(|layer| format!("  unread: {}", layer.sentence)),
    );
    lines.extend(strips(network).iter().map(size_line));
    lines
}

/// `valid input side: multiples of 16 (now 40: use 32 or 48)`
fn size_line(strip: &Strip) -> String {
    let now = strip
        .suggestion()
        .map(|use_these| format!(" (now {}: {use_these})", strip.present))
        .unwrap_or_default();
    let given = strip
        .given
        .map(|size| format!(", with the other sides {size}"))
        .unwrap_or_default();
    format!("valid input {}: {}{given}{now}", strip.name, strip.rule)
}

/// Adds `explanation`, `unread` and `valid_sizes` to the report.
pub(super) fn add(report: &mut Value, network: &Network, inference: &Inference) {
    let Value::Object(report) = report else {
        return;
    };
    let explanation = explain(network, inference);
    let unread = unread::layers(network, inference);
    let all = strips(network);
    report.insert(
        "explanation".into(),
        json!({
            "sentences": explanation.sentences,
            "causes": explanation.causes.iter().map(cause_json).collect::<Vec<_>>(),
            "path": explanation.path.iter().map(step_json).collect::<Vec<_>>(),
        }),
    );
    report.insert("unread".into(), unread.iter().map(unread_json).collect());
    let mut sizes = all
        .first()
        .map_or_else(|| json!({ "rule": null, "sizes": [] }), strip_json);
    if all.len() > 1 {
        sizes["by_axis"] = all.iter().map(strip_json).collect();
    }
    report.insert("valid_sizes".into(), sizes);
}

fn place_json(place: &Place) -> Value {
    json!({ "stack": place.stack.name(), "index": index_json(&place.path, place.index_text()) })
}

fn cause_json(cause: &Cause) -> Value {
    json!({
        "stack": cause.place.stack.name(),
        "index": index_json(&cause.place.path, cause.place.index_text()),
        "reason": cause.reason.name(),
        "partner": cause.partner.as_ref().map(place_json),
        "axes": cause.axes,
        "wanted": cause.sizes.map(|(wanted, _)| wanted),
        "got": cause.sizes.map(|(_, got)| got),
        "effect": cause.effect,
        "sentence": cause.sentence,
    })
}

fn step_json(step: &Step) -> Value {
    json!({
        "stack": step.place.stack.name(),
        "index": index_json(&step.place.path, step.place.index_text()),
        "text": step.text,
        "before": step.before.dims(),
        "after": step.after.dims(),
        "dropped": step.dropped,
        "partner": step.partner.as_ref().map(place_json),
        "culprit": step.culprit,
        "wrong": step.wrong,
        "side": match step.side {
            Side::Down => "down",
            Side::Bottom => "bottom",
            Side::Up => "up",
        },
    })
}

fn unread_json(layer: &UnreadLayer) -> Value {
    let axis = |axis: &unread::Unread| json!({ "cells": axis.cells, "runs": axis.runs.iter().map(|run| [run.start, run.end]).collect::<Vec<_>>() });
    json!({
        "stack": layer.place.stack.name(),
        "index": index_json(&layer.place.path, layer.place.index_text()),
        "axes": layer.axes.iter().map(axis).collect::<Vec<_>>(),
        "sentence": layer.sentence,
    })
}

fn strip_json(strip: &Strip) -> Value {
    let (below, above) = strip.nearest;
    json!({
        "axis": strip.name,
        "other_axes": strip.given,
        "rule": strip.rule.to_string(),
        "sizes": strip.sizes(),
        "present": strip.present,
        "works": strip.is_fine,
        "nearest": [below, above],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::infer;
    use strata_testkit::networks;

    fn network() -> Network {
        networks::network("3x32x32", &["conv 8 k3 s2 p1"], &["convt 3 k3 s2 p1"], &[])
    }

    #[test]
    fn the_cause_and_the_rule_are_told() {
        let network = network();
        let lines = lines(&network, &infer(&network));
        assert!(lines[0].starts_with(
            "  because: Stride 2 at encoder.0 rounds down: 32 → 16 would come from 31 as well"
        ));
        assert_eq!(
            lines[1],
            "valid input side: odd sizes (now 32: use 31 or 33)"
        );
        let mut report = json!({});
        add(&mut report, &network, &infer(&network));
        assert_eq!(report["explanation"]["causes"][0]["reason"], "floor");
        assert_eq!(
            report["explanation"]["causes"][0]["partner"],
            json!({ "stack": "decoder", "index": 0 })
        );
        assert_eq!(
            (
                &report["valid_sizes"]["rule"],
                &report["valid_sizes"]["sizes"][0]
            ),
            (&json!("odd sizes"), &json!(1))
        );
        assert_eq!(report["unread"], json!([]));
    }
}
