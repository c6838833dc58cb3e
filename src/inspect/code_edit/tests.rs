use super::*;
use crate::reconstruction_errors::{self, ReconstructionErrors};
use crate::test_bench::Bench;

const LINEAR: &str = "input = \"1x16x16\"\nencoder = [\"flatten\", \"dense 5\"]\ndecoder = [\"dense 256\", \"reshape 1x16x16\"]";
const MAPS: &str = "input = \"1x16x16\"\nencoder = [\"conv 3 k3 p1\", \"relu\", \"maxpool 2\"]\ndecoder = [\"unpool\", \"conv 1 k3 p1\"]";

/// Of a linear decoder a unit paints its column of the weight, times the unit's value.
#[test]
fn a_unit_alone_paints_its_column_of_the_weight() {
    let mut bench = Bench::new(LINEAR, "reconstruct");
    let edit = bench.ask::<CodeEdit>(&Request::default()).unwrap();
    assert_eq!(
        (edit.shape.as_slice(), edit.painted.as_slice()),
        (&[5][..], &[0, 1, 2, 3, 4][..])
    );
    let weight = bench
        .network
        .parameters()
        .iter()
        .find(|found| found.key == "decoder.0.weight");
    let weight = numbers(&weight.unwrap().value).unwrap();
    for (index, unit) in edit.painted.iter().enumerate() {
        let range = edit.ranges[*unit as usize];
        assert!(range.low < range.high && range.std > 0.0);
        let value = if range.high.abs() >= range.low.abs() {
            range.high
        } else {
            range.low
        };
        for (pixel, painted) in edit.paint(index).iter().enumerate() {
            let wanted = value * weight[pixel * 5 + *unit as usize];
            assert!(
                (painted - wanted).abs() < 1e-4 * wanted.abs().max(1.0),
                "{painted} {wanted}"
            );
        }
    }
}

#[test]
fn edits_walk_and_noise_begin_and_end_where_they_should() {
    for text in [LINEAR, MAPS] {
        let mut bench = Bench::new(text, "reconstruct");
        let plain = bench.ask::<CodeEdit>(&Request::default()).unwrap();
        assert!(plain.walk.is_empty() && plain.noisy.is_empty());
        assert_eq!(plain.pictures[1], plain.pictures[2], "nothing is edited");
        let other = bench
            .ask::<CodeEdit>(&Request {
                image: 3,
                ..Request::default()
            })
            .unwrap();
        let walk = bench
            .ask::<CodeEdit>(&Request {
                other: Some(3),
                ..Request::default()
            })
            .unwrap();
        assert_eq!(walk.picture(&walk.walk, 0), plain.pictures[1]);
        if text == LINEAR {
            // An unpooling keeps the places of the first image.
            assert_eq!(walk.picture(&walk.walk, STEPS - 1), other.pictures[1]);
        }
        let unit = plain
            .ranges
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.std.total_cmp(&b.1.std))
            .unwrap()
            .0;
        let edits = vec![(
            unit as u32,
            plain.code[unit] + 20.0 * plain.ranges[unit].std,
        )];
        let edited = bench
            .ask::<CodeEdit>(&Request {
                edits,
                ..Request::default()
            })
            .unwrap();
        assert_eq!(edited.code, plain.code);
        assert_ne!(
            edited.pictures[2], plain.pictures[1],
            "a unit was moved far"
        );
        let noise = |seed: u64, noise: f32| Request {
            noise,
            seed,
            ..Request::default()
        };
        let [one, again, two] =
            [1, 1, 2].map(|seed| bench.ask::<CodeEdit>(&noise(seed, 1.0)).unwrap().noisy);
        assert!(one == again && one != two);
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let mut bench = Bench::new(LINEAR, "reconstruct");
    let edits = vec![(5, 1.0)];
    let refused = bench
        .ask::<CodeEdit>(&Request {
            edits,
            ..Request::default()
        })
        .unwrap_err();
    assert!(
        refused.to_string().contains("no unit 6: it has 5"),
        "{refused}"
    );
    let other = Some(99);
    let refused = bench
        .ask::<CodeEdit>(&Request {
            other,
            ..Request::default()
        })
        .unwrap_err();
    assert!(
        refused.to_string().contains("no probe image 100"),
        "{refused}"
    );
}

/// Codes are counted in the order C, H, W.
#[test]
fn units_of_maps_are_counted_as_pytorch_flattens_them() {
    let mut bench = Bench::new(MAPS, "reconstruct");
    let edit = bench.ask::<CodeEdit>(&Request::default()).unwrap();
    assert_eq!(edit.shape, [3, 8, 8]);
    let maps = turned(&edit.code, [3, 64]);
    assert_eq!(turned(&maps, [64, 3]), edit.code);
    assert_eq!(
        [maps[0], maps[1], maps[3]],
        [edit.code[0], edit.code[64], edit.code[1]]
    );
}

/// The error of each image is that of its pixels, and best and worst are the ends of the list.
#[test]
fn errors_are_those_of_the_pixels() {
    let mut bench = Bench::new(LINEAR, "reconstruct");
    let errors = bench
        .ask::<ReconstructionErrors>(&reconstruction_errors::Request::default())
        .unwrap();
    let count = errors.errors.len();
    assert!(
        count == errors.of
            && count > 2
            && errors.shown[0] == 0
            && errors.shown.last() == Some(&(count - 1))
    );
    assert!(
        errors
            .errors
            .windows(2)
            .all(|pair| pair[0].mse <= pair[1].mse && pair[0].psnr >= pair[1].psnr)
    );
    assert!(
        errors
            .errors
            .iter()
            .all(|error| error.ssim.is_some_and(|ssim| ssim.abs() <= 1.0))
    );
    for (shown, at) in errors.shown.iter().enumerate() {
        let map = errors.map(shown);
        let mean = map.iter().map(|value| f64::from(*value)).sum::<f64>() / map.len() as f64;
        let mse = errors.errors[*at].mse;
        assert!((mean - mse).abs() < 1e-5 * mse.max(1.0), "{mean} {mse}");
    }
}
