use super::*;
use crate::loss;
use crate::ops::storage::Buffer;

fn random(dims: &[usize], low: f32, high: f32) -> Tensor {
    Tensor::rand(low, high, dims, &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Value, weight and gradient beside those of the CPU's kernels, which are compared with PyTorch's.
fn check(loss: Loss, weights: Option<&[f64]>, output: &Tensor, target: Target<'_>) {
    let mut buffer = Buffer::default();
    let ours = loss::evaluate_weighted(loss, weights, output, target, Some(&mut buffer)).unwrap();
    let theirs = evaluate(loss, weights, output, target).unwrap();
    let value = theirs.value.to_scalar::<f32>().unwrap();
    let off = (f64::from(value) - ours.value).abs();
    assert!(
        off <= 2e-6 * ours.value.abs().max(1.0),
        "{loss:?}: {value} {}",
        ours.value
    );
    assert_eq!(theirs.weight, ours.weight, "{loss:?}");
    let wanted = values(&ours.gradient.unwrap());
    assert_eq!(theirs.gradient.dims(), output.dims());
    let largest = wanted
        .iter()
        .fold(0f32, |most, value| most.max(value.abs()));
    for (found, wanted) in values(&theirs.gradient).iter().zip(&wanted) {
        assert!(
            (found - wanted).abs() <= 1e-5 * largest,
            "{loss:?}: {found} {wanted}"
        );
    }
}

#[test]
fn losses_of_images_are_those_of_the_cpu() {
    let output = random(&[3, 13, 12, 2], 0.001, 0.999);
    let images = random(&[3, 13, 12, 2], 0.0, 1.0);
    let images = Target::Images(&images);
    for loss in [
        Loss::Mse,
        Loss::L1,
        Loss::Bce,
        Loss::Huber { delta: 0.25 },
        Loss::SmoothL1 { beta: 0.25 },
        Loss::SmoothL1 { beta: 0.0 },
        Loss::Ssim { range: 1.0 },
    ] {
        check(loss, None, &output, images);
    }
    // Where output and image are equal, and at the ends of what bce knows.
    let ends = Tensor::new(&[[0.0f32, 1.0, 1.0, 0.5]], &Device::Cpu).unwrap();
    let wanted = Tensor::new(&[[0.0f32, 0.0, 1.0, 0.5]], &Device::Cpu).unwrap();
    for loss in [Loss::L1, Loss::Bce, Loss::Mse] {
        check(loss, None, &ends, Target::Images(&wanted));
    }
}

#[test]
fn losses_of_labels_are_those_of_the_cpu() {
    let output = random(&[6, 5], -9.0, 9.0);
    let (labels, others) = ([0, 4, 2, 2, 1, 3], [1, 4, 0, 3, 3, 2]);
    let share = 0.3;
    let blend = Blend {
        labels: &labels,
        others: &others,
        share,
    };
    let weights = [0.5, 2.0, 1.0];
    for weights in [None, Some(weights.as_slice())] {
        for smoothing in [0.0, 0.1] {
            let loss = Loss::CrossEntropy { smoothing };
            check(loss, weights, &output, Target::Labels(&labels));
            check(loss, weights, &output, Target::Blend(blend));
        }
        check(Loss::Bce, weights, &output, Target::Labels(&labels));
    }
    let rows = random(&[6, 5], 0.0, 1.0).round().unwrap();
    check(Loss::Bce, None, &output, Target::LabelRows(&rows));
    let right = count_labels_right(&output, &rows).unwrap();
    let wanted = loss::count_rows_right(&output, &rows).unwrap();
    assert_eq!(right.to_scalar::<f32>().unwrap(), wanted.labels as f32);
}

#[test]
fn the_first_of_equal_answers_counts() {
    let output = Tensor::new(
        &[[1f32, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, 1.0, 5.0]],
        &Device::Cpu,
    );
    let output = output.unwrap();
    for labels in [[1u32, 0, 2], [2, 1, 2], [0, 2, 1]] {
        let count = count_correct(&output, &labels).unwrap();
        let wanted = loss::count_correct(&output, &labels).unwrap();
        assert_eq!(
            count.to_scalar::<f32>().unwrap(),
            wanted as f32,
            "{labels:?}"
        );
    }
}

#[test]
fn a_loss_of_what_is_not_a_number_is_none() {
    let output = Tensor::new(&[[f32::NAN, 0.5], [0.5, 0.5]], &Device::Cpu).unwrap();
    let images = output.zeros_like().unwrap();
    for loss in [Loss::Mse, Loss::L1, Loss::Bce, Loss::Huber { delta: 1.0 }] {
        let value = evaluate(loss, None, &output, Target::Images(&images))
            .unwrap()
            .value;
        assert!(value.to_scalar::<f32>().unwrap().is_nan(), "{loss:?}");
    }
    let value = evaluate(Loss::CROSS_ENTROPY, None, &output, Target::Labels(&[1, 0]))
        .unwrap()
        .value;
    assert!(value.to_scalar::<f32>().unwrap().is_nan());
}
