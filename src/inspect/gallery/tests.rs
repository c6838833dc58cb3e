use super::*;

#[test]
fn any_number_of_channels_shrinks_as_one_does() {
    let side = 128;
    let value = |at: usize, channel: usize| ((at / side + 3 * channel) % 256) as u8;
    let grey: Vec<u8> = (0..side * side).map(|at| value(at, 2)).collect();
    let four: Vec<u8> = (0..side * side)
        .flat_map(|at| (0..4).map(move |channel| value(at, channel)))
        .collect();
    let one = shrink(grey, [side, side, 1], [64, 64]);
    let all = shrink(four, [side, side, 4], [64, 64]);
    assert_eq!(all.len(), 64 * 64 * 4);
    assert!(all.iter().skip(2).step_by(4).eq(&one));
}
use strata_core::project::data::DataSpec;

fn shapes() -> Dataset {
    let spec = DataSpec {
        limit: Some(400),
        ..DataSpec::default()
    };
    Dataset::open(&spec, 1, ".".as_ref(), &mut |_| true).unwrap()
}

fn of(dataset: &Dataset, split: Split, part: Part) -> Gallery {
    super::part(
        dataset,
        Request {
            split: Some(split),
            part,
        },
        None,
        &mut || true,
    )
    .unwrap()
}

#[test]
fn pages_hold_the_next_of_every_class() {
    let dataset = shapes();
    let first = super::part(&dataset, Request::default(), None, &mut || true).unwrap();
    assert_eq!((first.split, first.size), (Split::Train, [32, 32, 3]));
    assert_eq!(first.pixels.len(), first.images.len() * 32 * 32 * 3);
    let count = |gallery: &Gallery, class| {
        gallery
            .images
            .iter()
            .filter(|(_, label)| *label == Some(class))
            .count()
    };
    assert!((0..10).all(|class| count(&first, class) == PER_CLASS));
    let second = of(&dataset, Split::Train, Part::Page(1));
    assert!(
        second
            .images
            .iter()
            .all(|image| !first.images.contains(image))
    );
    let beyond = of(&dataset, Split::Train, Part::Page(1000));
    assert_eq!(beyond.part, Part::Page(beyond.parts - 1));
    let unlabeled = of(&dataset, Split::Unlabeled, Part::Page(0));
    assert_eq!(
        (unlabeled.part, unlabeled.images.len()),
        (
            Part::Block {
                class: None,
                block: 0
            },
            BLOCK
        )
    );
}

#[test]
fn blocks_hold_all_images_in_their_order() {
    let dataset = shapes();
    let blocks = |class| {
        let block = |block| of(&dataset, Split::Train, Part::Block { class, block });
        let parts = block(0).parts;
        (0..parts)
            .flat_map(|number| block(number).images)
            .collect::<Vec<_>>()
    };
    let all = blocks(None);
    assert_eq!(
        all.iter().map(|(index, _)| *index).collect::<Vec<_>>(),
        (0..400).collect::<Vec<_>>()
    );
    let third = blocks(Some(3));
    assert_eq!(
        third,
        all.iter()
            .copied()
            .filter(|(_, label)| *label == Some(3))
            .collect::<Vec<_>>()
    );
    assert_eq!(
        third.len(),
        of(
            &dataset,
            Split::Train,
            Part::Block {
                class: Some(3),
                block: 9
            }
        )
        .total
    );
    let none = of(
        &dataset,
        Split::Train,
        Part::Block {
            class: Some(99),
            block: 0,
        },
    );
    assert_eq!((none.total, none.images.len()), (0, 0));
}

#[test]
fn signals_are_drawn_as_curves() {
    let folder = tempfile::tempdir().unwrap();
    for (class, step) in [("low", 0.05f32), ("high", 0.8)] {
        let at = folder.path().join(class);
        std::fs::create_dir(&at).unwrap();
        let format = hound::WavSpec {
            channels: 1,
            sample_rate: 8000,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        for name in ["a.wav", "b.wav", "c.wav"] {
            let mut file = hound::WavWriter::create(at.join(name), format).unwrap();
            (0..800).for_each(|n| file.write_sample((n as f32 * step).sin()).unwrap());
            file.finalize().unwrap();
        }
    }
    let spec = DataSpec {
        source: strata_core::project::data::Source::Wav,
        path: Some(folder.path().display().to_string()),
        ..DataSpec::default()
    };
    let dataset = Dataset::open(&spec, 1, ".".as_ref(), &mut |_| true).unwrap();
    let gallery = super::part(&dataset, Request::default(), None, &mut || true).unwrap();
    let [height, width] = curve::SIZE;
    assert_eq!(
        (gallery.shape, gallery.size),
        (vec![1, 1, 800], [height, width, 1])
    );
    assert_eq!(gallery.pixels.len(), gallery.images.len() * height * width);
    let lit = |image: usize, y: usize| gallery.pixels[(image * height + y) * width + 9] > 99;
    let column = |image: usize| (0..height).filter(|&y| lit(image, y)).count();
    let of = |class: &str| {
        gallery
            .images
            .iter()
            .position(|(_, l)| gallery.classes[l.unwrap() as usize] == class)
    };
    let (low, high) = (column(of("low").unwrap()), column(of("high").unwrap()));
    assert!(
        low < height / 3 && high > height / 2,
        "fast swings fill a column: {low}, {high}"
    );
}

#[test]
fn a_part_that_is_no_longer_wanted_ends() {
    let result = super::part(&shapes(), Request::default(), None, &mut || false);
    assert!(matches!(result, Err(DataError::Cancelled)));
}

#[test]
fn large_images_are_shown_small() {
    assert_eq!(fitting([480, 640]), [48, 64]);
    assert_eq!(
        shrink(vec![9; 128 * 128 * 3], [128, 128, 3], [64, 64]),
        vec![9; 64 * 64 * 3]
    );
}
