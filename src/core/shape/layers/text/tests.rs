use super::super::words::WORDS;
use super::*;

#[test]
fn every_kind_round_trips() {
    for LayerWord { example, word, .. } in WORDS {
        let layer: Layer = example.parse().unwrap_or_else(|e| panic!("{example}: {e}"));
        assert_eq!(layer.to_string(), *example);
        assert!(example.starts_with(word));
    }
}

#[test]
fn attributes_round_trip_exactly() {
    for text in [
        "conv 16 k3x5 s2x1 p1x2 d2 g4 nobias @stem",
        "conv 16 k3 s1 p0 d1 g1",
        "conv 8 k4 s2 same",
        "convt 3 k3 s2 p1 op1",
        "dwconv k3 s2 p1 m2 nobias",
        "sepconv 64 k3 same nobias",
        "maxpool 3 s2 p1 @a",
        "maxpool",
        "avgpool 2x3",
        "unpool @a",
        "upsample 2x3 bilinear",
        "pad 0+1x0+1",
        "leakyrelu",
        "elu 0.5",
        "dropout 0.25",
    ] {
        assert_eq!(text.parse::<Layer>().unwrap().to_string(), text);
    }
    assert_eq!(
        "  relu6\t@x ".parse::<Layer>().unwrap().to_string(),
        "relu6 @x"
    );
    assert_eq!(
        "maxpool s2 k3 psame".parse::<Layer>().unwrap().to_string(),
        "maxpool 3 s2 same"
    );
}

#[test]
fn errors_point_at_the_place() {
    for (text, place, message, help) in [
        (
            "cnov 3",
            "cnov",
            "there is no layer `cnov`",
            "did you mean `conv`?",
        ),
        (
            "Conv2D 3",
            "Conv2D",
            "there is no layer",
            "it is called `conv` here",
        ),
        (
            "conv",
            "conv",
            "needs the number of filters",
            "conv 16 k3 p1",
        ),
        ("conv 16 k", "k", "needs a size", "k3x5"),
        (
            "conv 16 q3",
            "q3",
            "not an attribute of `conv`",
            "k, s, p, d, g, nobias",
        ),
        ("conv 16 k3 k5", "k5", "given twice", "keep one"),
        ("conv 0", "0", "a whole number from 1", "conv 16"),
        (
            "relu k3",
            "k3",
            "not an attribute of `relu`",
            "no attributes",
        ),
        ("relu 3", "3", "does not belong", "relu"),
        ("dropout 1", "1", "leaves nothing", "0.5"),
        (
            "dropout x",
            "x",
            "not an attribute of `dropout`",
            "no attributes; for example dropout 0.5",
        ),
        ("conv 16 p-1", "p-1", "needs a size", "p3"),
        ("conv 16 op1", "op1", "not an attribute", "k, s"),
        ("reshape 3xx", "3xx", "not a shape", "reshape"),
    ] {
        let error = text.parse::<Layer>().unwrap_err();
        assert!(error.message.contains(message), "{text}: {}", error.message);
        assert!(
            error.help.to_string().contains(help),
            "{text}: {}",
            error.help
        );
        assert_eq!(&text[error.span.clone()], place, "{text}");
    }
}
