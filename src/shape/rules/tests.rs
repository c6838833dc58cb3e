//! Every rule against PyTorch's own answers (`tests/fixtures/shapes.py` made them), and what
//! PyTorch doesn't have by hand.

use super::*;
use crate::project::Network;
use crate::project::node::Node;
use crate::shape::infer::{Inference, infer};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
    chains: Vec<Chain>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    input: Vec<usize>,
    output: Option<Vec<usize>>,
    parameters: Option<u64>,
}

#[derive(Deserialize)]
struct Chain {
    texts: Vec<String>,
    field: u64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../../tests/fixtures/shapes.json")).unwrap()
}

fn run<'a>(input: &Shape, texts: impl IntoIterator<Item = &'a str>) -> Inference {
    let encoder = texts.into_iter().map(Node::from_text).collect();
    infer(&Network { input: input.clone(), encoder, decoder: Vec::new(), head: Vec::new() })
}

#[test]
fn shapes_and_parameters_are_pytorchs() {
    let cases = fixture().cases;
    assert!(cases.len() >= 300);
    for Case { text, input, output, parameters } in cases {
        let inference = run(&Shape::new(&input).unwrap(), text.split("; "));
        let ours = inference.code.as_ref().filter(|_| inference.plan.is_some()).map(|shape| shape.dims().to_vec());
        let error = inference.errors().next().map(|(_, error)| error.message.clone());
        assert_eq!(ours, output, "{text} on {input:?}: {error:?}");
        if let Some(parameters) = parameters {
            assert_eq!(inference.totals.cost.parameters, parameters, "{text} on {input:?}");
        }
    }
}

/// The maximum is taken layer by layer, so where two layers' worst alignments can't meet, it is
/// an upper bound; in almost all chains it is exact.
#[test]
fn receptive_fields_are_those_of_the_gradient() {
    let (mut exact, chains) = (0, fixture().chains);
    for Chain { texts, field } in &chains {
        let inference = run(&"1x150".parse().unwrap(), texts.iter().map(String::as_str));
        let ours = inference.rows.last().unwrap().receptive_field.clone().unwrap()[0];
        assert!(ours >= *field && ours <= field + 3, "{texts:?}: {ours}, by gradient {field}");
        exact += usize::from(ours == *field);
    }
    assert!(exact * 10 >= chains.len() * 8, "{exact} of {} exact", chains.len());
}
