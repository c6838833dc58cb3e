use super::*;
use crate::features::Sampled;
use serde::Deserialize;

/// What scikit-learn and umap-learn found; made by `tests/fixtures/embedding.py`.
#[derive(Deserialize)]
pub(crate) struct Fixture {
    pub count: usize,
    pub train: usize,
    few: usize,
    pixels: Vec<f32>,
    pub labels: Vec<u32>,
    explained: Vec<f64>,
    projected: Vec<f64>,
    pub points: Vec<f32>,
    pub knn: Vec<Knn>,
    tsne: Vec<Tsne>,
    umap_trust: Vec<f64>,
    pca_trust: f64,
}

#[derive(Deserialize)]
pub(crate) struct Knn {
    pub metric: String,
    pub k: usize,
    pub answers: Vec<u32>,
    pub accuracy: f64,
    pub indices: Vec<Vec<usize>>,
    pub distances: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Tsne {
    perplexity: f64,
    method: String,
    kl: f64,
}

pub(crate) fn fixture() -> Fixture {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/embedding.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The digits as features, so many of them.
fn digits(fixture: &Fixture, count: usize) -> Arc<Features> {
    Arc::new(Features {
        sample: Sampled {
            indices: (0..count as u32).collect(),
            labels: fixture.labels[..count].iter().copied().map(Some).collect(),
            values: fixture.pixels[..64 * count].to_vec(),
            width: 64,
            ..Sampled::default()
        },
        ..Features::default()
    })
}

fn made(features: &Arc<Features>, how: How) -> Embedding {
    embed(features.clone(), how, &mut |_| true).unwrap()
}

fn by(by: By) -> How {
    How {
        by,
        ..How::default()
    }
}

#[test]
fn components_are_those_of_scikit_learn() {
    let fixture = fixture();
    let map = made(&digits(&fixture, fixture.count), by(By::Pca));
    for (found, wanted) in map.explained.iter().zip(&fixture.explained) {
        assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
    }
    for axis in 0..2 {
        let found: Vec<f64> = map.points.iter().map(|point| point[axis]).collect();
        let wanted = fixture.projected.iter().skip(axis).step_by(2);
        let wanted: Vec<f64> = wanted.copied().collect();
        // The sign of a component is free.
        let product: f64 = found.iter().zip(&wanted).map(|(a, b)| a * b).sum();
        for (found, wanted) in found.iter().zip(&wanted) {
            assert!(
                (found * product.signum() - wanted).abs() < 1e-3,
                "{found} {wanted}"
            );
        }
    }
    let trust = map.trust.unwrap();
    assert!(
        (trust - fixture.pca_trust).abs() < 1e-3,
        "{trust} {}",
        fixture.pca_trust
    );
}

#[test]
fn fewer_images_than_features_have_the_same_components() {
    let fixture = fixture();
    let few = digits(&fixture, 40);
    let wide = pca::components(few.sample.rows(), 3, &mut |_| true).unwrap();
    // The same points with each feature split in four: more features than images, all distances the same.
    let split = |value: &f32| [*value / 2.0; 4];
    let values: Vec<f32> = few.sample.values.iter().flat_map(split).collect();
    let many = pca::components(Rows::new(&values, 256), 3, &mut |_| true).unwrap();
    for (a, b) in wide.projected.iter().zip(&many.projected) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    for (a, b) in wide.explained.iter().zip(&many.explained) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

#[test]
fn tsne_comes_as_far_down_as_scikit_learn() {
    let fixture = fixture();
    let features = digits(&fixture, fixture.few);
    for case in &fixture.tsne {
        let how = How {
            perplexity: case.perplexity,
            ..by(By::Tsne)
        };
        let found = match case.method.as_str() {
            "exact" => made(&features, how).divergence.unwrap(),
            _ => of_nearest(features.sample.rows(), case.perplexity),
        };
        let Tsne { method, kl, .. } = case;
        let off = (found - kl) / kl;
        // A smaller divergence is a better map: from another start the points may come further down, as they do with our
        // exact repulsion where scikit-learn's is approximate.
        let is_near = off < 0.05 && off > -0.15;
        assert!(is_near, "{method} {}: {found} {kl}", case.perplexity);
    }
}

/// The divergence where only the nearest rows carry similarities, as with many images and in Barnes and Hut's way.
fn of_nearest(rows: Rows<'_>, perplexity: f64) -> f64 {
    let count = tsne::nearest_of(perplexity);
    let near = all_nearest(rows, rows, Metric::Euclidean, count, &mut |_| true).unwrap();
    let affinities = Affinities::new(&near, perplexity);
    let flat = pca::components(rows, 2, &mut |_| true).unwrap();
    let flat = first_two(&flat.projected, 2);
    let start = tsne::start(&flat, &vec![[0.0; 2]; flat.len()]);
    let mut go_on = |_| true;
    let points = tsne::map(&affinities, start, &mut Progressing(&mut go_on)).unwrap();
    affinities.divergence(&points)
}

#[test]
fn umap_can_be_trusted_as_far_as_umap_learn() {
    let fixture = fixture();
    let map = made(&digits(&fixture, fixture.count), by(By::Umap));
    let least = fixture.umap_trust.iter().copied().fold(1.0, f64::min);
    let trust = map.trust.unwrap();
    assert!(trust > least - 0.02, "{trust} {:?}", fixture.umap_trust);
}

#[test]
fn maps_repeat_to_the_last_bit_on_any_number_of_threads() {
    let fixture = fixture();
    let features = digits(&fixture, 150);
    let with = |threads: usize, how: How| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build()
            .unwrap()
            .install(|| made(&features, how).points)
    };
    for way in By::ALL {
        assert_eq!(with(1, by(way)), with(3, by(way)), "{way:?}");
    }
    let other = Arc::new(Features {
        seed: 1,
        ..(*features).clone()
    });
    for way in [By::Tsne, By::Umap] {
        let (one, two) = (made(&features, by(way)), made(&other, by(way)));
        assert_ne!(one.points, two.points, "{way:?}: another seed");
    }
}

/// Exaggeration pulls rows without groups into one point, which then has to come apart again. scikit-learn leaves a
/// divergence of 2.17 for as many draws.
#[test]
fn images_without_groups_are_no_single_point() {
    let (count, width) = (600, 60);
    let mut rng = stream(5, Purpose::Inspection, 0);
    let values = (0..count * width).map(|_| StandardNormal.sample(&mut rng));
    let features = Arc::new(Features {
        sample: Sampled {
            indices: (0..count as u32).collect(),
            labels: vec![None; count],
            values: values.collect(),
            width,
            ..Sampled::default()
        },
        ..Features::default()
    });
    let map = made(&features, by(By::Tsne));
    let farthest = map
        .points
        .iter()
        .flatten()
        .fold(0.0, |most: f64, at| most.max(at.abs()));
    let divergence = map.divergence.unwrap();
    assert!(
        farthest > 5.0 && divergence < 2.17 * 1.05,
        "{farthest} {divergence}"
    );
}

#[test]
fn few_equal_and_flat_images_have_a_map() {
    let fixture = fixture();
    for way in By::ALL {
        let mut few = (*digits(&fixture, 5)).clone();
        few.sample.values[..64].fill(3.0);
        few.sample.values[64..128].fill(3.0);
        let map = made(&Arc::new(few.clone()), by(way));
        let is_finite =
            |map: &Embedding| map.points.iter().flatten().all(|value| value.is_finite());
        assert!(is_finite(&map), "{way:?}");
        assert_eq!(map.trust, None);
        few.sample.values.fill(1.0);
        assert!(
            is_finite(&made(&Arc::new(few), by(way))),
            "{way:?}: all the same"
        );
    }
    let error = embed(digits(&fixture, 3), How::default(), &mut |_| true).unwrap_err();
    assert!(error.to_string().contains("at least 4 images"), "{error}");
}

#[test]
fn a_map_that_is_not_wanted_ends_at_once() {
    let fixture = fixture();
    for way in By::ALL {
        let mut asked = 0;
        let mut monitor = |_| {
            asked += 1;
            asked < 20
        };
        let ended = embed(digits(&fixture, 200), by(way), &mut monitor);
        let is_done = ended.is_ok();
        assert!(matches!(ended, Err(InspectError::Data(DataError::Cancelled))) || way == By::Pca);
        assert!(asked <= 20 || is_done, "{way:?}");
    }
}
