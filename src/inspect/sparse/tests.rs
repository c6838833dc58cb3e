use super::*;
use strata_core::project::file;
use strata_core::shape::infer;
use strata_data::Dataset;
use strata_nn::Network;

const PROJECT: &str = "format = 1\n[data]\nsource = \"shapes\"\nresize = [8, 8]\nlimit = 150\n[network]\ninput = \"3x8x8\"\nencoder = [\"conv 5 k3 p1\", \"sigmoid\", \"{ add = [[], []] }\", \"sigmoid\"]\ndecoder = [\"conv 3 k3 p1\"]\n[[stage]]\nname = \"a\"\ntask = \"reconstruct\"\nloss = \"mse\"\noptimizer = \"adam lr=1e-3\"\nepochs = 1\nbatch = 8\nsparsity = \"rho=0.1 beta=2\"\n";

fn measured(at: Option<&str>) -> Result<(SparseCode, f64), SparseError> {
    let text = PROJECT.replace("\"{ add = [[], []] }\"", "{ add = [[], []] }");
    let project = file::parse(&text, "test").unwrap();
    let inference = infer(&project.network);
    let plan = inference.plan.as_ref().unwrap();
    let dataset = Dataset::open(&project.data, 1, ".".as_ref(), &mut |_| true).unwrap();
    let data = dataset.split(Split::Train).unwrap();
    let sparsity = Sparsity {
        at: at.map(str::to_owned),
        ..project.stages[0].sparsity.clone().unwrap()
    };
    let mut trained = Network::new(plan, 1, &Device::Cpu).unwrap();
    let mut mirror = InspectionNetwork::new(plan, &Device::Cpu).unwrap();
    mirror.take(&trained).unwrap();
    let split = (Split::Train, data);
    let what = Measured {
        route: Route::Reconstruct,
        sparsity: Some(&sparsity),
        split,
        until: None,
    };
    let code = measure(&mut mirror, &inference, what, 7)?;
    trained.set_sparsity(Some(&sparsity))?;
    let mut images = vec![0.0; data.len() * 192];
    let indices: Vec<u32> = (0..data.len() as u32).collect();
    fill_batch(data, &indices, &mut images, &mut vec![0; data.len()]).unwrap();
    let images = Tensor::from_vec(images, (data.len(), 8, 8, 3), &Device::Cpu)?;
    trained.forward(Route::Reconstruct, &images, Mode::Eval)?;
    Ok((code, trained.penalty()))
}

/// The training's own penalty, over all images as one batch, is the second opinion.
#[test]
fn the_penalty_is_that_of_the_training() {
    for (at, layer) in [
        (None, "encoder.3 `sigmoid`"),
        (Some("encoder.1"), "encoder.1 `sigmoid`"),
    ] {
        let (code, penalty) = measured(at).unwrap();
        assert_eq!(
            (code.layer.as_str(), code.means.len(), code.step),
            (layer, 5, 7)
        );
        assert_eq!((code.images, code.of), (150, 150));
        assert!(
            (code.penalty.unwrap() - penalty).abs() < 1e-4 * penalty,
            "{:?} {penalty}",
            code.penalty
        );
    }
    assert_eq!(measured(Some("encoder.2")).unwrap().0.layer, "encoder.2");
    assert!(
        measured(Some("encoder.9"))
            .unwrap_err()
            .to_string()
            .contains("encoder.9")
    );
}

#[test]
fn units_are_sorted_and_counted() {
    let code = SparseCode {
        means: vec![0.1, 0.5, 0.0, 1.0],
        target: Some((0.05, 3.0)),
        ..SparseCode::default()
    };
    assert_eq!(code.sorted(), [1.0, 0.5, 0.1, 0.0]);
    assert_eq!(
        (code.range(), code.histogram([0.0, 1.0], 2)),
        ([0.0, 1.0], vec![2, 2])
    );
    assert_eq!(SparseCode::default().histogram([0.0, 0.0], 3), [0, 0, 0]);
}
