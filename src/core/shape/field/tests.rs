use super::*;
use crate::networks::{network, split};
use crate::project::Place;
use crate::project::node::Node;
use crate::shape::infer::{Inference, infer};

fn inferred(input: &str, encoder: &str) -> Inference {
    infer(&network(input, &split(encoder), &[], &[]))
}

fn last(inference: &Inference) -> Place {
    inference
        .rows
        .iter()
        .rfind(|row| row.depth == 0)
        .unwrap()
        .place
        .clone()
}

/// Stride and offset of the last layer's first axis.
fn grid(encoder: &str) -> [String; 2] {
    let inference = inferred("1x64x64", encoder);
    let row = inference.row(&last(&inference)).unwrap();
    let grid = row.grid.as_ref().unwrap()[0];
    [grid.stride.to_string(), grid.offset.to_string()]
}

fn bounds(input: &str, encoder: &str, cell: &[usize]) -> Vec<(i64, i64)> {
    let inference = inferred(input, encoder);
    seen(&inference, &last(&inference), cell)
        .unwrap()
        .bounds
        .unwrap()
}

#[test]
fn strides_multiply_and_offsets_add_up() {
    assert_eq!(grid("conv 1 k3 p1"), ["1", "−1"]);
    // Araujo et al.: offsets add up as padding × stride so far.
    assert_eq!(grid("conv 1 k7 s2 p3;maxpool 3 s2 p1"), ["4", "−5"]);
    assert_eq!(grid("conv 1 k4 s2 p1;convt 1 k4 s2 p1"), ["1", "−3"]);
    assert_eq!(grid("upsample 2"), ["1/2", "−1/2"]);
    assert_eq!(grid("upsample 2 bilinear;conv 1 k3 p1"), ["1/2", "−3/2"]);
    assert_eq!(grid("crop 3;conv 1 k1 s3"), ["3", "3"]);
    assert_eq!(
        grid("{ add = [[\"conv 1 k5 p2\"], []] };maxpool 2"),
        ["2", "−2"]
    );
}

#[test]
fn the_grid_is_where_windows_begin() {
    for encoder in [
        "conv 1 k3 p1",
        "conv 1 k7 s2 p3;maxpool 3 s2 p1;conv 1 k3 d2 p2",
        "avgpool 2;conv 1 k5 s3 p1",
    ] {
        let inference = inferred("1x64x64", encoder);
        let (place, row) = (last(&inference), inference.row(&last(&inference)).unwrap());
        let (grid, size) = (
            row.grid.as_ref().unwrap()[0],
            row.receptive_field.as_ref().unwrap()[0] as i64,
        );
        for y in 0..row.output.as_ref().unwrap().spatial()[0] {
            let padded = seen(&inference, &place, &[y, 0]).unwrap().padded.unwrap()[0];
            let start = grid.stride.value() * y as f64 + grid.offset.value();
            assert_eq!(
                (padded.0 as f64, padded.1),
                (start, padded.0 + size - 1),
                "{encoder} {y}"
            );
        }
    }
}

#[test]
fn boxes_are_cut_to_the_input() {
    assert_eq!(bounds("1x8x10", "conv 1 k3 p1", &[0, 9]), [(0, 1), (8, 9)]);
    assert_eq!(
        bounds("1x8x10", "conv 1 k3 p1", &[99]),
        [(6, 7), (4, 6)],
        "the edge, and the middle"
    );
    assert_eq!(bounds("1x9", "convt 1 k3 s2", &[1]), [(0, 0)]);
    assert_eq!(bounds("1x9", "convt 1 k3 s2", &[2]), [(0, 1)]);
    assert_eq!(
        bounds("1x4x6x8", "maxpool 2", &[1, 1, 1]),
        [(2, 3), (2, 3), (2, 3)]
    );
    assert_eq!(
        bounds("1x8x8", "conv 1 k3;flatten;dense 4;reshape 1x2x2", &[0, 0]),
        [(0, 7), (0, 7)]
    );
}

#[test]
fn holes_are_not_seen() {
    let inference = inferred("1x16", "conv 1 k3 d4");
    let found = seen(&inference, &last(&inference), &[2]).unwrap();
    let there: Vec<usize> = (0..16).filter(|&x| found.contains(&[x])).collect();
    assert_eq!(there, [2, 6, 10]);
    // A kernel smaller than its stride leaves outputs that see nothing.
    let inference = inferred("1x4", "convt 1 k1 s2 nobias");
    assert_eq!(
        seen(&inference, &last(&inference), &[1]).unwrap().bounds,
        None
    );
}

#[test]
fn a_norm_over_the_image_sees_the_whole_image() {
    for norm in ["groupnorm 1", "groupnorm 2", "layernorm"] {
        let inference = inferred("2x8x8", &format!("conv 4 k3;{norm};conv 2 k3"));
        let found = seen(&inference, &last(&inference), &[]).unwrap();
        assert!(found.statistics && found.exact && found.whole, "{norm}");
        assert_eq!(found.bounds, Some(vec![(0, 7), (0, 7)]), "{norm}");
        let rows = &inference.rows;
        assert_eq!(rows[0].receptive_field, Some(vec![3, 3]));
        assert_eq!(rows[1].receptive_field, Some(vec![8, 8]), "{norm}");
        assert_eq!(rows[2].receptive_field, Some(vec![8, 8]), "{norm}");
    }
    // Batch norm's statistics are of the training images, softmax compares the channels of a position.
    let inference = inferred("2x8x8", "conv 4 k3;bn;softmax;conv 2 k3");
    let fields = inference.rows.iter().map(|row| row.receptive_field.clone());
    let wanted = [3u64, 3, 3, 5].map(|side| Some(vec![side, side]));
    assert_eq!(fields.collect::<Vec<_>>(), wanted);
}

#[test]
fn any_size_and_depth_is_seen_through() {
    let inference = inferred(
        "1x1073741824",
        "conv 1 k1 s1073741824;upsample 1073741824;crop 1;pad 1",
    );
    let found = seen(&inference, &last(&inference), &[]).unwrap();
    assert_eq!(found.bounds, Some(vec![(0, 0)]));
    let deeper = |inner, _| Node::Add(vec![vec![inner], vec![Node::from_text("conv 1 k3 p1")]]);
    let nest = (0..40).fold(Node::from_text("identity"), deeper);
    let mut network = network("1x99", &[], &[], &[]);
    network.encoder = vec![nest.clone(), nest];
    let inference = infer(&network);
    let found = seen(&inference, &last(&inference), &[]).unwrap();
    assert_eq!(found.bounds, Some(vec![(47, 51)]));
}

#[test]
fn a_code_that_sees_less_is_told() {
    let told = |encoder: &str, decoder: &str, head: &str| {
        let network = network("3x32x32", &split(encoder), &split(decoder), &split(head));
        sees_less(&infer(&network))
    };
    let small = "conv 8 k8 s4 p2";
    assert!(
        told(small, "convt 3 k8 s4 p2", "")
            .unwrap()
            .contains("sees 8×8 of the input's 32×32")
    );
    assert_eq!(told(small, "", "flatten;dense 10"), None);
    assert_eq!(told(small, "", "gap;dense 10"), None);
    assert_eq!(told("conv 8 k32", "convt 3 k32", ""), None);
    assert_eq!(told("", "conv 3 k3 p1", ""), None);
    assert_eq!(told("conv 8 k99", "conv 3 k3 p1", ""), None);
}
