//! The built-in sparse autoencoder is what its card says: good reconstructions from a code with few active units.

use crate::kit::runs::{completed, options, train};
use strata::engine::storage::saved_run::SavedRun;
use strata::inspect::sparse::SparseCode;
use strata::project::builtin;
use strata::project::data::Split;

/// Means of units this close to the target count as there.
const NEAR: f32 = 0.03;

#[test]
#[ignore = "trains for half a minute"]
fn long_the_sparse_autoencoder_reconstructs_with_few_active_units() {
    let project = builtin::find("sparse-autoencoder")
        .unwrap()
        .project()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let summary = completed(train(&project, &options(&path)).0);
    let valid = summary
        .metrics
        .iter()
        .find(|(split, _)| *split == Split::Valid);
    let psnr = valid.unwrap().1.psnr.unwrap();
    assert!(psnr > 20.5, "{psnr} dB");
    let mut run = SavedRun::open(&path, "last", Some("cpu"), &mut |_| true).unwrap();
    let code = run.inspect::<SparseCode>(&()).unwrap();
    let (rho, _) = code.target.unwrap();
    let is_near = |mean: &&f32| (**mean - rho as f32).abs() < NEAR;
    let near = code.means.iter().filter(is_near).count();
    println!(
        "{psnr:.2} dB, {near} of {} units within {NEAR} of {rho}",
        code.means.len()
    );
    assert!(
        near * 10 > code.means.len() * 8,
        "{near} of {}",
        code.means.len()
    );
}
