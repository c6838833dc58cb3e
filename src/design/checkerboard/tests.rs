use super::*;
use strata_core::project::builtin;
use strata_core::shape::infer::infer;
use strata_testkit::networks::{self, split};

fn network(input: &str, encoder: &str, decoder: &str) -> Network {
    networks::network(input, &split(encoder), &split(decoder), &[])
}

/// The decoder's pattern from a code of 8 channels.
fn pattern(decoder: &str) -> Response {
    response(&infer(&network("8x16x16", "", decoder))).unwrap()
}

#[test]
fn uneven_layers_are_found() {
    let inference = infer(&network(
        "3x32x32",
        "conv 8 k3 s2 p1",
        "convt 8 k3 s2 p1 op1;{ repeat = 2, layers = [\"convt 8 k3 p1\", \"convt 8 k5x4 s2 p1\"] };convt 3 k4 s2 p1",
    ));
    let places: Vec<String> = uneven(&inference).iter().map(Place::to_string).collect();
    assert_eq!(places, ["decoder.0", "decoder.1.0.1"]);
    assert_eq!(overlaps(&inference).len(), 4);
    assert_eq!(
        uneven(&infer(&network("3x32x32", "conv 8 k99", "convt 3 k3 s2"))),
        []
    );
}

#[test]
fn patterns_are_those_of_odena() {
    // Kernel 3, stride 2: one tap and two taps in turn along each axis, so up to four times as much.
    let three = pattern("convt 3 k3 s2 p1 op1");
    assert_eq!((three.period(), three.strength()), ([2, 2], 4.0));
    assert!(!pattern("convt 3 k4 s2 p1").has_pattern());
    assert!(!pattern("upsample 2;conv 3 k3 p1").has_pattern());
    // Two in a row make larger patterns within larger patterns.
    assert_eq!(
        pattern("convt 3 k3 s2 p1 op1;convt 3 k3 s2 p1 op1").period(),
        [4, 4]
    );
    // A later even layer enlarges the pattern.
    assert_eq!(
        pattern("convt 3 k3 s2 p1 op1;convt 3 k2 s2").period(),
        [4, 4]
    );
    assert_eq!(pattern("convt 3 k3 s2 p1 op1;upsample 3").period(), [6, 6]);
    // A later mean over the whole period takes it away.
    assert!(!pattern("convt 3 k3 s2 p1 op1;avgpool 2").has_pattern());
    assert!(!pattern("convt 3 k3 s2 p1 op1;conv 3 k2").has_pattern());
    let weaker = pattern("convt 3 k3 s2 p1 op1;conv 3 k3 p1").strength();
    assert!(weaker > 1.0 && weaker < 4.0, "{weaker}");
    assert_eq!(pattern("convt 3 k1 s2 op1").strength(), f64::INFINITY);
    assert_eq!(pattern("convt 3 k3x4 s2 p1 op1x0").period(), [2, 1]);
}

/// Overlaps counted by brute force: every input puts every tap where it belongs, through two layers.
#[test]
fn responses_are_those_of_counting() {
    let spread = |x: &[f64], k: usize, s: usize, p: usize, size: usize| {
        let mut y = vec![0.0; size];
        for (i, value) in x.iter().enumerate() {
            for t in 0..k {
                if let Some(cell) = (i * s + t).checked_sub(p).and_then(|at| y.get_mut(at)) {
                    *cell += value;
                }
            }
        }
        y
    };
    let found = pattern("convt 3 k3 s2 p1 op1;relu;convt 3 k5 s3 p2 op2");
    let counted = spread(&spread(&[1.0; 16], 3, 2, 1, 32), 5, 3, 2, 96);
    let mean = counted.iter().sum::<f64>() / 96.0;
    assert_eq!(found.rows.len(), 96);
    for (a, b) in found.rows.iter().zip(&counted) {
        assert!((a - b / mean).abs() < 1e-12);
    }
    // Far from the borders the period is that of the whole.
    let [period, _] = found.period();
    let scale = found.pattern[0][0] / counted[48];
    for (o, counted) in counted.iter().enumerate().skip(48).take(period) {
        assert!((found.pattern[0][o % period] - counted * scale).abs() < 1e-12);
    }
}

#[test]
fn fixes_keep_every_shape() {
    for (decoder, best) in [
        ("convt 3 k3 s2 p1 op1", "convt 3 k4 s2 p1"),
        ("convt 3 k5 s2 p2 op1", "convt 3 k6 s2 p2"),
        ("convt 3 k3 s2 p1", "convt 3 k4 s2 p2 op1"),
        ("convt 3 k3 s2 same nobias", "convt 3 k4 s2 same nobias"),
        ("convt 3 k3 s2x1 p1 op1x0 @up", "convt 3 k4x3 s2x1 p1 @up"),
        ("convt 3 k2 s3", "convt 3 k3 s3 p1 op1"),
    ] {
        let network = network("4x16x16", "", decoder);
        let inference = infer(&network);
        let fixes = fixes(
            &network,
            &inference,
            &Place::new(strata_core::project::Stack::Decoder, 0),
        );
        assert_eq!(fixes[0].texts(), [best], "{decoder}");
        let [upsample, conv] = &fixes.last().unwrap().texts()[..] else {
            panic!("{fixes:?}")
        };
        assert!(
            upsample.starts_with("upsample") && conv.starts_with("conv 3"),
            "{upsample} {conv}"
        );
        for fix in &fixes {
            let after = infer(&fix.network);
            assert_eq!(
                (after.output.clone(), uneven(&after)),
                (inference.output.clone(), vec![]),
                "{:?}",
                fix.texts()
            );
        }
    }
}

/// Stride and dilation with a common factor: some outputs get no tap whatever the kernel is.
#[test]
fn a_dilation_that_no_kernel_is_even_with_goes() {
    let mut offered = 0;
    for kernel in 1..=5 {
        for stride in 2..=6 {
            for dilation in 1..=6 {
                for more in ["", " p1", " same"] {
                    let decoder = format!("convt 3 k{kernel} s{stride} d{dilation}{more}");
                    let network = network("4x6x6", "", &decoder);
                    let inference = infer(&network);
                    let Some(place) = uneven(&inference).first().cloned() else {
                        continue;
                    };
                    let fixes = fixes(&network, &inference, &place);
                    assert!(!fixes.is_empty(), "{decoder}");
                    offered += fixes.len();
                    for fix in &fixes {
                        let after = infer(&fix.network);
                        let texts = fix.texts();
                        assert_eq!(after.output, inference.output, "{decoder}: {texts:?}");
                        assert_eq!(uneven(&after), [], "{decoder}: {texts:?}");
                        assert_ne!(texts, std::slice::from_ref(&decoder));
                    }
                }
            }
        }
    }
    assert!(offered > 300, "{offered}");
    let network = network("1x6x6", "", "convt 1 k2 s2 d2");
    let inference = infer(&network);
    let overlap = &overlaps(&inference)[0];
    assert!(
        overlap
            .sentence()
            .starts_with("the stride 2 and the dilation 2 share the factor 2, with which no kernel is even: outputs are reached by 0 or 2 taps in turn"),
        "{}",
        overlap.sentence()
    );
    let texts = fixes(&network, &inference, &overlap.place);
    let texts: Vec<String> = texts.iter().map(|fix| fix.texts().join(";")).collect();
    assert_eq!(texts, ["convt 1 k4 s2 p1 op1", "upsample 2;conv 1 k4 p2"]);
}

#[test]
fn places_inside_blocks_are_mended_too() {
    let network = network(
        "3x16x16",
        "",
        "{ concat = [[\"convt 3 k3 s2 p1 op1\", \"relu\"], [\"upsample 2\"]] };conv 3 k3 p1",
    );
    let inference = infer(&network);
    let place = uneven(&inference)[0].clone();
    let overlap = &overlaps(&inference)[0];
    assert_eq!(overlap.period, Some(vec![2, 2]));
    assert!(overlap.strength == 4.0 && overlap.strength_after.unwrap() < 4.0);
    assert!(response(&inference).unwrap().averaged);
    for fix in fixes(&network, &inference, &place) {
        assert_eq!(
            infer(&fix.network).output_equals_input,
            inference.output_equals_input
        );
        assert_eq!(uneven(&infer(&fix.network)), []);
    }
}

#[test]
fn any_size_is_answered() {
    let huge = network(
        "1x1x1",
        "",
        "convt 1 k1073741824 s1073741823;convt 1 k3 s1073741824 d1073741823",
    );
    let inference = infer(&huge);
    overlaps(&inference).iter().for_each(|overlap| {
        let _ = overlap.sentence();
        let _ = fixes(&huge, &inference, &overlap.place);
    });
    assert_eq!(
        response(&infer(&network("1x2048", "", "convt 1 k3 s16"))),
        None,
        "too long"
    );
    for entry in builtin::ALL {
        let inference = infer(&entry.project().unwrap().network);
        let response = response(&inference);
        assert_eq!(
            response.is_some(),
            inference.output.is_some(),
            "{}",
            entry.name
        );
        assert_eq!(uneven(&inference), [], "{}", entry.name);
    }
}
