//! The built-in sparse autoencoder is what its card says: good reconstructions from a code with few active units, whose
//! units look for oriented edges. On its own pictures and on photographs.

use crate::kit::runs::{completed, options, train};
use std::path::Path;
use strata::engine::storage::saved_run::SavedRun;
use strata::inspect::sparse::SparseCode;
use strata::inspect::sparse::unit::{Request, SparseUnit, Template};
use strata::project::Project;
use strata::project::builtin;
use strata::project::data::{Source, Split};
use strata_testkit::folders::real_data;

/// Means of units this close to the target count as there.
const NEAR: f64 = 0.03;
/// From this coherence on three quarters of the change in a picture are along one direction.
const ORIENTED: f64 = 0.5;

fn sparse() -> Project {
    let found = builtin::find("sparse-autoencoder").unwrap();
    found.project().unwrap()
}

/// What a run of the project reached.
#[derive(Debug)]
struct Reached {
    psnr: f64,
    /// The share of units near the target.
    near: f64,
    /// The share of units that look for something oriented.
    oriented: f64,
}

fn reached(project: &Project, path: &Path) -> Reached {
    let summary = completed(train(project, &options(path)).0);
    let metrics = &summary.metrics;
    let of = |split: Split| metrics.iter().find(|(found, _)| *found == split);
    let measured = of(Split::Valid).or(of(Split::Test)).or(metrics.first());
    let psnr = measured.unwrap().1.psnr.unwrap();
    let mut run = SavedRun::open(path, "last", Some("cpu"), &mut |_| true).unwrap();
    let code = run.inspect::<SparseCode>(&Default::default()).unwrap();
    let units = code.means.len();
    let shown: Vec<usize> = (0..units).step_by(4).collect();
    let is_oriented = |unit: &&usize| {
        let unit = run
            .inspect::<SparseUnit>(&Request::of(Some(**unit)))
            .unwrap();
        coherence(unit.encoder.as_ref().unwrap()) > ORIENTED
    };
    let oriented = shown.iter().filter(is_oriented).count();
    Reached {
        psnr,
        near: code.near_target(NEAR).unwrap(),
        oriented: oriented as f64 / shown.len() as f64,
    }
}

/// How much a picture changes along one direction more than across it, from 0 (as much) to 1 (only along it): of the
/// structure tensor over all its colours (Di Zenzo 1986), (λ₁ − λ₂)/(λ₁ + λ₂).
fn coherence(template: &Template) -> f64 {
    let [height, width, channels] = template.size;
    let at =
        |y: usize, x: usize, c: usize| f64::from(template.values[(y * width + x) * channels + c]);
    let [mut xx, mut yy, mut xy] = [0.0; 3];
    for (y, x, c) in (0..height - 1)
        .flat_map(|y| (0..width - 1).map(move |x| (y, x)))
        .flat_map(|(y, x)| (0..channels).map(move |c| (y, x, c)))
    {
        let across = at(y, x + 1, c) + at(y + 1, x + 1, c) - at(y, x, c) - at(y + 1, x, c);
        let down = at(y + 1, x, c) + at(y + 1, x + 1, c) - at(y, x, c) - at(y, x + 1, c);
        xx += across * across;
        yy += down * down;
        xy += across * down;
    }
    ((xx - yy).powi(2) + 4.0 * xy * xy).sqrt() / (xx + yy)
}

#[test]
fn stripes_are_oriented_and_a_spot_is_not() {
    let template = |of: &dyn Fn(usize, usize) -> f32| Template {
        size: [8, 8, 1],
        slices: 1,
        values: (0..64).map(|at| of(at / 8, at % 8)).collect(),
    };
    let stripes = template(&|y, x| ((x + y) as f32 * 0.8).sin());
    let spot = template(&|y, x| {
        let square = |at: usize| (at as f32 - 3.5).powi(2);
        (-(square(y) + square(x)) / 4.0).exp()
    });
    assert!(coherence(&stripes) > 0.99 && coherence(&spot) < 0.01);
}

#[test]
#[ignore = "trains for half a minute"]
fn long_the_sparse_autoencoder_learns_oriented_edges_with_few_active_units() {
    let folder = tempfile::tempdir().unwrap();
    let found = reached(&sparse(), &folder.path().join("run"));
    println!("built-in pictures: {found:?}");
    assert!(found.psnr > 20.0 && found.near >= 0.9, "{found:?}");
    assert!(found.oriented >= 0.5, "{found:?}");
    // Before it has learned anything, few units are: the measure tells edges from noise.
    let mut untrained = sparse();
    untrained.stages[0].epochs = 1;
    untrained.stages[0].optimizer = "sgd lr=1e-9".parse().unwrap();
    let found = reached(&untrained, &folder.path().join("untrained"));
    println!("untrained: {found:?}");
    assert!(found.oriented < 0.25, "{found:?}");
}

#[test]
#[ignore = "trains for a minute, on photographs of the test data"]
fn long_photographs_become_oriented_edges_too() {
    let Some(data) = real_data("photographs_become_oriented_edges_too") else {
        return;
    };
    let mut project = sparse();
    project.data.source = Source::Stl10;
    let files = data.join("stl10/stl10_binary");
    project.data.path = Some(files.display().to_string());
    // As many patches as of the built-in pictures: there are 200 photographs here.
    project.data.patches_per_image = Some(400);
    let folder = tempfile::tempdir().unwrap();
    let found = reached(&project, &folder.path().join("run"));
    println!("photographs: {found:?}");
    assert!(found.psnr > 20.0 && found.near >= 0.9, "{found:?}");
    assert!(found.oriented >= 0.5, "{found:?}");
}
