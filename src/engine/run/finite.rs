//! Whether all values of tensors are finite.

use candle_core::{DType, Storage, Tensor};
use strata_nn::Network;
use strata_nn::device::has_own_kernels;
use strata_nn::ops::reduce::are_finite;

/// The first of these tensors with NaN or infinity in it.
pub(crate) fn first_not_finite<'a>(
    tensors: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
) -> candle_core::Result<Option<&'a str>> {
    for (key, tensor) in tensors {
        if !is_finite(tensor)? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// The first parameter whose gradient is not finite. On a GPU looking at every gradient costs more than it is worth; there
/// the next step's loss shows it, since only the maximum of a large window hides what is not a number.
pub fn gradient_not_finite(network: &Network) -> candle_core::Result<Option<String>> {
    if !has_own_kernels(network.device()) {
        return Ok(None);
    }
    let trained = network.parameters().iter();
    trained
        .filter(|parameter| !parameter.frozen)
        .find_map(|parameter| match is_finite(&parameter.gradient) {
            Ok(true) => None,
            Ok(false) => Some(Ok(parameter.key.clone())),
            Err(error) => Some(Err(error)),
        })
        .transpose()
}

fn is_finite(tensor: &Tensor) -> candle_core::Result<bool> {
    if tensor.dtype() != DType::F32 {
        return Ok(true);
    }
    let (storage, layout) = tensor.storage_and_layout();
    if let (Storage::Cpu(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets()) {
        return Ok(storage
            .as_slice::<f32>()?
            .get(start..end)
            .is_some_and(are_finite));
    }
    drop(storage);
    // 0·x is 0 for every finite x and NaN for every other.
    Ok((tensor * 0.0)?.sum_all()?.to_scalar::<f32>()? == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn what_is_not_finite_is_found() {
        let tensor =
            |values: &[f32]| Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap();
        let (good, nan, infinite) = (
            tensor(&[f32::MAX, -0.0, 1.0]),
            tensor(&[f32::NAN, 0.0]),
            tensor(&[-f32::INFINITY]),
        );
        for bad in [&nan, &infinite, &nan.reshape((2, 1)).unwrap().t().unwrap()] {
            assert_eq!(
                first_not_finite([("good", &good), ("bad", bad)]).unwrap(),
                Some("bad")
            );
        }
        assert_eq!(first_not_finite([("good", &good)]).unwrap(), None);
        assert!(is_finite(&Tensor::new(3i64, &Device::Cpu).unwrap()).unwrap());
    }
}
