//! Deterministic functions against torchvision's numbers, random ones against their distributions.

mod chance;
mod plan;
mod torchvision;

use super::*;

fn augmenter(texts: &[&str], shape: [usize; 3]) -> Result<Augmenter, DataError> {
    let parse = |text: &&str| {
        text.parse::<Augment>()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    Augmenter::new(&texts.iter().map(parse).collect::<Vec<_>>(), shape)
}

#[test]
fn what_is_filled_in_of_a_signal_is_silence() {
    use rand::SeedableRng;
    let silent = |texts: &[&str], loud: f32| {
        let augmenter = augmenter(texts, [1, 40, 1]).unwrap().with_zero(0.5);
        let (mut image, mut rng) = (vec![loud; 40], ChaCha8Rng::seed_from_u64(7));
        augmenter.apply(&mut image, &mut Scratch::default(), &mut rng);
        image
    };
    for text in [
        "shift 0.5",
        "erase p1 area0.2..0.4",
        "crop 40 pad30",
        "scale 0.3..0.4",
    ] {
        let image = silent(&[text], 0.9);
        let count = |wanted: f32| {
            image
                .iter()
                .filter(|&&value| (value - wanted).abs() < 1e-6)
                .count()
        };
        assert!(count(0.5) > 0 && count(0.9) > 0, "{text}: {image:?}");
        assert!(
            image
                .iter()
                .all(|value| (0.5 - 1e-6..=0.9 + 1e-6).contains(value)),
            "{text}: {image:?}"
        );
    }
    let odd = 1e-9;
    assert_eq!(
        silent(&["hflip p0", "erase p0"], odd),
        vec![odd; 40],
        "what is not drawn leaves every bit"
    );
    assert_eq!(
        silent(&["brightness 0.5..0.5"], 0.9),
        vec![0.7; 40],
        "the amplitude is halved"
    );
    assert_eq!(
        silent(&["brightness 0.5..0.5"], 0.5),
        vec![0.5; 40],
        "silence stays silent"
    );
}
