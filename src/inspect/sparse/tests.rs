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
    let split = (ImagesOf::Split(Split::Train), data);
    let what = Measured {
        route: Route::Reconstruct,
        sparsity: Some(&sparsity),
        split,
        most: MOST_IMAGES,
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

#[test]
fn units_are_dead_always_on_and_share_the_penalty() {
    let code = SparseCode {
        means: vec![0.05, 0.2, 0.0, 0.8],
        active: vec![0.1, 0.5, 0.0, 0.95],
        target: Some((0.05, 2.0)),
        ..SparseCode::default()
    };
    assert_eq!((code.dead(), code.always_on()), (vec![2], vec![3]));
    assert_eq!(code.near_target(0.03), Some(0.25));
    let shares = code.penalty_shares().unwrap();
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(shares[0] < 1e-9 && shares[3] > shares[1]);
    assert_eq!(SparseCode::default().penalty_shares(), None);
}

const WHITENED: &str = "format = 1\n[data]\nsource = \"shapes\"\npatch = \"4x4\"\nlimit = 60\nwhiten = \"zca eps=0.1\"\n[network]\ninput = \"3x4x4\"\nencoder = [\"flatten\", \"dense 7\", \"sigmoid\"]\ndecoder = [\"dense 48\", \"reshape 3x4x4\"]\n[[stage]]\nname = \"a\"\ntask = \"reconstruct\"\nloss = \"mse\"\noptimizer = \"adam lr=1e-3\"\nepochs = 1\nbatch = 8\nsparsity = \"rho=0.1 beta=2\"\n";

/// A unit against the network itself: its mean, its best images, and its templates, each pixel moved by hand.
#[test]
fn a_unit_is_what_the_network_computes() {
    let project = file::parse(WHITENED, "test").unwrap();
    let inference = infer(&project.network);
    let plan = inference.plan.as_ref().unwrap();
    let dataset = Dataset::open(&project.data, 1, ".".as_ref(), &mut |_| true).unwrap();
    let mut network = Network::new(plan, 3, &Device::Cpu).unwrap();
    let mut inspector = crate::inspector::Inspector::default();
    let mut ask = |unit: Option<usize>, network: &mut Network| {
        let mut cx = InspectionContext {
            run: Some(crate::inspection::InspectedRun {
                network,
                inference: &inference,
                stages: &project.stages,
                seed: 1,
                step: 5,
                device: &Device::Cpu,
            }),
            images: Some(&dataset),
            slice: None,
            inspector: &mut inspector,
            deadline: None,
            monitor: &mut |_| true,
        };
        let code = SparseCode::compute(&mut cx, &FromSplit::default()).unwrap();
        let unit = unit::SparseUnit::compute(&mut cx, &unit::Request::of(unit)).unwrap();
        (code, unit)
    };
    let (code, strongest) = ask(None, &mut network);
    let largest = code.means.iter().copied().fold(0.0, f32::max);
    assert_eq!(code.means[strongest.unit], largest);
    let (code, of) = ask(Some(4), &mut network);
    assert_eq!((of.unit, of.units, of.step, of.images), (4, 7, 5, 600));
    assert!((of.mean - code.means[4]).abs() < 1e-6);
    assert_eq!(of.histogram.iter().sum::<usize>(), 600);
    assert_eq!(of.best.len(), unit::BEST);
    assert_eq!(of.pixels.len(), unit::BEST * 48);
    let (_, last) = ask(Some(99), &mut network);
    assert_eq!(last.unit, 6);
    check_templates(&dataset, &mut network, &of);
}

/// The unit's value before the sigmoid, and the reconstruction, of a whitened image.
fn run(network: &mut Network, image: &[f32]) -> (f32, Vec<f32>) {
    let images = Tensor::from_slice(image, (1, 4, 4, 3), &Device::Cpu).unwrap();
    network.set_observed(true);
    let output = network
        .forward(Route::Reconstruct, &images, Mode::Eval)
        .unwrap();
    let outputs = network.outputs();
    let before = outputs.iter().find(|(key, _)| *key == "encoder.1").unwrap();
    let before = before.1.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    (before[4], output.flatten_all().unwrap().to_vec1().unwrap())
}

fn check_templates(dataset: &Dataset, network: &mut Network, of: &unit::SparseUnit) {
    let transform = dataset.transform().unwrap();
    let mut pixels = vec![0.5f32; 48];
    let at = |pixels: &[f32], network: &mut Network| {
        let mut image = pixels.to_vec();
        transform.apply(&mut image);
        run(network, &image)
    };
    let looks_for = of.encoder.as_ref().unwrap();
    assert_eq!(looks_for.size, [4, 4, 3]);
    for pixel in [0, 7, 20, 47] {
        let values = [0.1, -0.1].map(|by| {
            pixels[pixel] = 0.5 + by;
            at(&pixels, network).0
        });
        pixels[pixel] = 0.5;
        let slope = (values[0] - values[1]) / 0.2;
        let off = (slope - looks_for.values[pixel]).abs();
        assert!(off < 1e-3, "{pixel}: {slope} {}", looks_for.values[pixel]);
    }
    let paints = of.decoder.as_ref().unwrap();
    let weights = network.parameters().iter();
    let weight = weights
        .clone()
        .find(|p| p.key == "decoder.0.weight")
        .unwrap();
    let columns = weight.value.to_vec2::<f32>().unwrap();
    // The decoder's outputs are channels first before the reshape.
    let mut wanted: Vec<f32> = (0..48)
        .map(|value| columns[value % 3 * 16 + value / 3][4])
        .collect();
    transform.undo_differences(&mut wanted);
    for (value, wanted) in paints.values.iter().zip(&wanted) {
        assert!((value - wanted).abs() < 1e-5, "{value} {wanted}");
    }
}
