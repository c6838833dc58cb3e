use super::*;
use strata_core::format;
use strata_core::project::Stack;
use strata_core::project::{Project, builtin};
use strata_core::shape::infer;
use strata_testkit::networks::network;

/// The lens on the only layer of an encoder.
fn lens(input: &str, text: &str) -> Lens {
    lens_at(input, &[text], 0)
}

fn lens_at(input: &str, texts: &[&str], index: usize) -> Lens {
    let network = network(input, texts, &[], &[]);
    let inference = infer(&network);
    assert!(
        inference.errors().next().is_none(),
        "{texts:?}: {:?}",
        inference.errors().next()
    );
    Lens::of(&network, &inference, &Place::new(Stack::Encoder, index)).unwrap()
}

/// A convolution written down directly: zeros around, a window every `s` positions. It uses nothing of the code under test.
fn direct(
    x: &[f64],
    [h, w]: [usize; 2],
    k: &[f64],
    [kh, kw]: [usize; 2],
    s: usize,
    p: usize,
    d: usize,
) -> Vec<f64> {
    let (oh, ow) = (
        (h + 2 * p - d * (kh - 1) - 1) / s + 1,
        (w + 2 * p - d * (kw - 1) - 1) / s + 1,
    );
    let at = |r: usize, c: usize| {
        if r < p || c < p || r >= h + p || c >= w + p {
            0.0
        } else {
            x[(r - p) * w + c - p]
        }
    };
    let value = |o: usize| {
        let (r, c) = (o / ow * s, o % ow * s);
        (0..kh * kw)
            .map(|t| k[t] * at(r + t / kw * d, c + t % kw * d))
            .sum()
    };
    (0..oh * ow).map(value).collect()
}

/// PyTorch's documented `ConvTranspose2d`: stamps into a canvas of (N − 1)s + d(k − 1) + op + 1, then p cut off.
fn stamped(
    x: &[f64],
    [h, w]: [usize; 2],
    k: &[f64],
    n: usize,
    [s, p, d, op]: [usize; 4],
) -> (usize, Vec<f64>) {
    let size = |cells: usize| (cells - 1) * s + d * (n - 1) + op + 1;
    let (tall, wide) = (size(h), size(w));
    let mut canvas = vec![0.0; tall * wide];
    for (i, v) in x.iter().enumerate() {
        for t in 0..n * n {
            canvas[(i / w * s + t / n * d) * wide + i % w * s + t % n * d] += v * k[t];
        }
    }
    let rows = (p..tall - p).flat_map(|r| (p..wide - p).map(move |c| (r, c)));
    (
        wide - 2 * p,
        rows.map(|(r, c)| canvas[r * wide + c]).collect(),
    )
}

#[test]
fn every_step_equals_a_direct_convolution() {
    for (k, s, p, d) in (1..6).flat_map(|k| {
        (1..4).flat_map(move |s| (0..3).flat_map(move |p| (1..3).map(move |d| (k, s, p, d))))
    }) {
        let text = format!("conv 4 k{k} s{s} p{p} d{d}");
        let lens = lens("3x33x34", &text);
        let sample = lens.sample.unwrap();
        let [input, output] = [&sample.input, &sample.output];
        let wanted = direct(
            &input.values,
            [input.rows, input.columns],
            &sample.weights,
            [k, k],
            s,
            p,
            d,
        );
        assert_eq!(output.values, wanted, "{text}");
        assert_eq!(output.len(), output.rows * output.columns);
        for step in &sample.steps {
            let sum: f64 = step
                .touches
                .iter()
                .map(|touch| sample.factors(step, touch))
                .map(|[a, b]| a * b)
                .sum();
            assert_eq!(sum, wanted[step.cell], "{text}");
            assert!(
                step.sum.ends_with(&format!(" = {}", number(sum))),
                "{}",
                step.sum
            );
        }
        assert_eq!(
            lens.matrix.unwrap().times(&input.values),
            wanted,
            "{text}: the matrix is the layer"
        );
        assert_eq!(
            (33 - input.rows) % s,
            0,
            "the small grid drops what the layer drops"
        );
    }
}

#[test]
fn the_transposed_matrix_is_the_transposed_convolution() {
    for (k, s, p, d) in (1..6).flat_map(|k| {
        (1..4).flat_map(move |s| (0..3).flat_map(move |p| (1..3).map(move |d| (k, s, p, d))))
    }) {
        if d * (k - 1) < 2 * p {
            continue;
        }
        let conv = lens("3x33x34", &format!("conv 4 k{k} s{s} p{p} d{d}"));
        let (sample, matrix) = (conv.sample.unwrap(), conv.matrix.unwrap().transposed());
        let x: Vec<f64> = (0..sample.output.len())
            .map(|i| (i * i % 11) as f64 - 4.0)
            .collect();
        let rest = (33 + 2 * p - d * (k - 1) - 1) % s;
        let size = [sample.output.rows, sample.output.columns];
        // Height and width may drop different numbers: only their common case has one output padding.
        if rest == (34 + 2 * p - d * (k - 1) - 1) % s {
            let (_, wanted) = stamped(&x, size, &sample.weights, k, [s, p, d, rest]);
            assert_eq!(matrix.times(&x), wanted, "k{k} s{s} p{p} d{d}");
        }
        // And the layer named as its partner has that very matrix.
        let Some(partner) = conv.partner else {
            continue;
        };
        let back = lens(&conv.output.unwrap().to_file_text(), &partner);
        assert_eq!(back.output.unwrap().to_string(), "3×33×34", "{partner}");
        assert_eq!(
            back.partner.unwrap(),
            conv.text,
            "and its own partner is the layer itself"
        );
    }
}

#[test]
fn stamps_add_up_as_pytorch_documents_it() {
    for (k, s, p, op) in (1..6).flat_map(|k| {
        (1..4).flat_map(move |s| (0..3).flat_map(move |p| (0..s).map(move |op| (k, s, p, op))))
    }) {
        if k < 2 * p + 1 {
            continue;
        }
        let text = format!("convt 2 k{k} s{s} p{p} op{op}");
        let lens = lens("3x9x9", &text);
        let sample = lens.sample.unwrap();
        let size = [sample.input.rows, sample.input.columns];
        let (wide, wanted) = stamped(
            &sample.input.values,
            size,
            &sample.weights,
            k,
            [s, p, 1, op],
        );
        assert_eq!(
            (sample.output.columns, &sample.output.values),
            (wide, &wanted),
            "{text}"
        );
        assert_eq!(
            lens.matrix.unwrap().times(&sample.input.values),
            wanted,
            "{text}"
        );
        let after = sample.after(sample.steps.len());
        assert!(
            after
                .iter()
                .zip(&wanted)
                .all(|(known, wanted)| known.unwrap_or(0.0) == *wanted),
            "{text}"
        );
        for (cell, wanted) in wanted.iter().enumerate() {
            let sum = sample.sum_for_output(cell);
            assert!(sum.ends_with(&number(*wanted)), "{text}: {sum}");
        }
    }
}

#[test]
fn formulas_have_the_layers_numbers() {
    let first = |input: &str, text: &str| lens(input, text).formulas[0].clone();
    let conv = first("3x32x32", "conv 16 k3 s2 p1");
    assert_eq!(conv.of, "height, width");
    assert_eq!(
        conv.text(),
        "⌊(N + 2p − d(k − 1) − 1)/s⌋ + 1 = ⌊(32 + 2·1 − 1·(3 − 1) − 1)/2⌋ + 1 = ⌊31/2⌋ + 1 = 16"
    );
    assert_eq!(
        first("3x33x32", "conv 16 k3 s2 same").text(),
        "⌈N/s⌉ = ⌈33/2⌉ = 17"
    );
    assert_eq!(
        lens("3x33x32", "conv 16 k3 s2 same").formulas[1].of,
        "width"
    );
    let convt = first("8x16x16", "convt 3 k3 s2 p1 op1");
    assert_eq!(
        convt.text(),
        "(N − 1)s − 2p + d(k − 1) + op + 1 = (16 − 1)·2 − 2·1 + 1·(3 − 1) + 1 + 1 = 32"
    );
    assert_eq!(
        first("8x16x16", "convt 3 k4 s2 same").text(),
        "N·s = 16·2 = 32"
    );
    assert_eq!(first("16x4x4", "flatten").text(), "C·H·W = 16·4·4 = 256");
    assert_eq!(
        first("3x5x5", "pad 0+1x2").text(),
        "N + before + after = 5 + 0 + 1 = 6"
    );
    let parameters = |input: &str, text: &str| lens(input, text).formulas.pop().unwrap().text();
    assert_eq!(
        parameters("3x32x32", "conv 16 k3"),
        "out·in·k + out = 16·3·3·3 + 16 = 448"
    );
    assert_eq!(
        parameters("8x32x32", "conv 16 k3 g4 nobias"),
        "out·in/g·k = 16·8/4·3·3 = 288"
    );
    assert_eq!(
        parameters("256", "dense 10"),
        "out·in + out = 10·256 + 10 = 2,570"
    );
    assert_eq!(
        parameters("3x32x32", "sepconv 64 k3"),
        "in·k + in·out + out = 3·3·3 + 3·64 + 64 = 283"
    );
    assert_eq!(parameters("16x8x8", "bn"), "2·C = 2·16 = 32");
}

/// Every result of a formula is what inference says, for every layer of every built-in project.
#[test]
fn every_builtin_layer_has_its_arithmetic() {
    for builtin in builtin::ALL {
        let Project { network, .. } = builtin.project().unwrap();
        let inference = infer(&network);
        for row in &inference.rows {
            let lens = Lens::of(&network, &inference, &row.place).unwrap();
            assert!(!lens.formulas.is_empty(), "{} {}", builtin.name, row.place);
            let spatial = row
                .output
                .as_ref()
                .map(|output| output.spatial().to_vec())
                .unwrap_or_default();
            for formula in lens.formulas.iter().filter(|formula| {
                ["height", "width"].contains(&formula.of.split(", ").next().unwrap())
            }) {
                assert!(
                    spatial
                        .iter()
                        .any(|size| size.to_string() == *formula.chain.last().unwrap()),
                    "{formula:?}"
                );
            }
            if let Some(parameters) = lens
                .formulas
                .iter()
                .find(|formula| formula.of == "parameters" && !row.is_block)
            {
                let inside_repeat = row.place.path.len() > 1;
                assert!(
                    inside_repeat
                        || *parameters.chain.last().unwrap() == format::count(row.parameters),
                    "{parameters:?}"
                );
            }
            assert!(
                lens.sample.is_ok() || row.text.starts_with("repeat"),
                "{}: {} {:?}",
                builtin.name,
                row.text,
                lens.sample
            );
        }
    }
}

#[test]
fn what_the_floor_drops_is_said() {
    assert_eq!(
        lens("1x7x8", "conv 1 k3 s3").remarks,
        [
            "the last row of 7 is never read",
            "the last 2 columns of 8 are never read"
        ]
    );
    assert_eq!(
        lens("1x9x9", "conv 1 k1 s2").remarks,
        [
            "between windows 1 of every 2 rows are never read",
            "between windows 1 of every 2 columns are never read"
        ]
    );
    assert!(
        lens("1x32x32", "conv 1 k3 s2 p1").remarks.is_empty(),
        "only a zero of the padding is left over"
    );
    assert_eq!(
        lens("1x5", "maxpool 2").remarks,
        ["the last cell of 5 is never read"]
    );
}

#[test]
fn poolings_choose_and_unpool_puts_back() {
    let sample = lens("1x6x6", "maxpool 3 s2 p1").sample.unwrap();
    for step in &sample.steps {
        let inside: Vec<f64> = step
            .touches
            .iter()
            .filter_map(|t| t.cell)
            .map(|cell| sample.input.values[cell])
            .collect();
        let most = inside.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(sample.output.values[step.cell], most);
        assert_eq!(
            sample.input.value(step.touches[step.chosen.unwrap()].cell),
            most
        );
    }
    let lens = lens_at("1x6x6", &["maxpool 2", "unpool"], 1);
    let sample = lens.sample.unwrap();
    assert_eq!(
        sample
            .output
            .values
            .iter()
            .filter(|value| **value != 0.0)
            .count(),
        9
    );
    assert_eq!(
        lens.matrix.unwrap().times(&sample.input.values),
        sample.output.values
    );
}

#[test]
fn means_are_pytorchs_and_tensorflows() {
    let sample = |text: &str| lens("1x5x5", text).sample.unwrap();
    assert_eq!(
        sample("avgpool 2 s2 p1").steps[0].sum,
        "(0 + 0 + 0 + 1)/4 = 0.25"
    );
    let same = sample("avgpool 2 s2 same");
    let (last, corner) = (same.steps.last().unwrap(), same.input.values[24]);
    assert_eq!(
        last.sum,
        format!("({corner})/1 = {corner}"),
        "zeros of `same` don't count"
    );
    for text in [
        "avgpool 2 s2 p1",
        "avgpool 2 s2 same",
        "adaptive-avgpool 3",
        "gap",
        "upsample 2 bilinear",
        "upsample 3",
        "pad 1x2",
        "crop 1",
        "maxpool 2",
        "dropout 0.4",
        "identity",
    ] {
        let lens = lens("1x5x5", text);
        let (sample, matrix) = (lens.sample.unwrap(), lens.matrix.unwrap());
        for (found, wanted) in matrix
            .times(&sample.input.values)
            .iter()
            .zip(&sample.output.values)
        {
            assert!((found - wanted).abs() < 1e-12, "{text}");
        }
    }
}

#[test]
fn what_is_drawn_at_random_is_in_the_arithmetic() {
    let sample = |text: &str| lens("3x5x5", text).sample.unwrap();
    let noise = sample("noise 0.1");
    for (step, (x, y)) in noise
        .steps
        .iter()
        .zip(noise.input.values.iter().zip(&noise.output.values))
    {
        assert!(
            step.sum.contains("0.1·") && step.sum.ends_with("was drawn"),
            "{}",
            step.sum
        );
        assert!(!step.sum.contains("copied") && (x - y).abs() <= 0.16 + 1e-6);
    }
    assert!(noise.input.values != noise.output.values);
    let channels = sample("dropout-channels 0.4");
    assert_eq!(channels.output.planes, 3);
    let zeros = |plane: usize| {
        let values = channels.output.values[4 * plane..4 * plane + 4].iter();
        values.filter(|value| **value == 0.0).count()
    };
    let dropped: Vec<usize> = (0..3).map(zeros).collect();
    assert!(dropped.contains(&4), "{dropped:?}");
    let told = |step: &crate::layer_math::sample::Step| step.sum.starts_with("channel ");
    assert!(channels.steps.iter().all(told));
}

#[test]
fn blocks_say_how_their_branches_join() {
    let add = lens("8x4x4", "{ add = [[\"conv 8 k3 p1\", \"bn\"], []] }");
    assert_eq!(add.formulas[0].text(), "8×4×4 + 8×4×4 = 8×4×4");
    assert_eq!(add.sample.unwrap().input.planes, 2);
    let concat = lens(
        "8x4x4",
        "{ concat = [[\"conv 16 k1\"], [\"conv 4 k3 p1\"], []] }",
    );
    assert_eq!(concat.formulas[0].text(), "16 + 4 + 8 = 28");
    assert!(
        lens("8x4x4", "{ repeat = 3, layers = [\"relu\"] }")
            .sample
            .is_err()
    );
}

#[test]
fn layers_before_and_after_an_error_are_shown_as_far_as_known() {
    let network = network("3x16x16", &["conv 4 k3", "conv 8 k30", "relu"], &[], &[]);
    let inference = infer(&network);
    let at = |index| Lens::of(&network, &inference, &Place::new(Stack::Encoder, index)).unwrap();
    assert!(at(0).sample.is_ok() && at(0).formulas[0].text().ends_with(" = 14"));
    assert!(at(1).error.is_some() && at(1).sample.unwrap_err().contains("error"));
    assert!(at(2).sample.unwrap_err().contains("not known"));
    assert!(Lens::of(&network, &inference, &Place::new(Stack::Head, 0)).is_none());
}

/// Sizes that anybody can type.
#[test]
fn huge_sizes_return_at_once() {
    for (input, text) in [
        ("1x1073741824", "conv 1 k1 s1073741824"),
        ("1x1048576", "conv 1 k3 p1073741824 s1073741824"),
        ("1x1048576", "maxpool 1048576"),
        ("1x4x4", "pad 100000x100000"),
        ("1x1048576", "upsample 1000"),
        ("1x1048576", "adaptive-avgpool 3"),
        ("1x16x64x64", "conv 8 k3 s2 p1"),
        ("1x16000", "conv 8 k64 s16"),
    ] {
        let lens = lens(input, text);
        assert!(
            !lens.formulas.is_empty() && lens.sample.is_ok_and(|s| s.steps.len() < 3000)
                || !lens.formulas.is_empty(),
            "{text}"
        );
    }
    assert!(lens("1x16x64x64", "conv 8 k3 s2 p1").notes[0].contains("one slice"));
    assert_eq!(
        lens("1x16000", "conv 8 k9 s4").sample.unwrap().input.rows,
        1
    );
}

#[test]
fn numbers_read_well() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (5.0, "5"),
        (-2.0, "−2"),
        (0.25, "0.25"),
        (-1.0 / 3.0, "−0.3333"),
        (12.3456, "12.35"),
        (1e-7, "1.00e-7"),
        (-2.5e6, "−2.50e6"),
    ] {
        assert_eq!(number(value), text);
    }
}
