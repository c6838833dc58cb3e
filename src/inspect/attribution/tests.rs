//! Every method against Captum, which made tests/fixtures/attribution.safetensors.

use super::maps::Windows;
use super::score::Score;
use super::*;
use crate::effective_field::Cut;
use candle_core::{Device, Tensor};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::PathBuf;
use strata_core::project::target::Target;
use strata_core::shape::{Inference, infer};
use strata_nn::Network;
use strata_testkit::networks::network;

#[derive(Deserialize)]
pub(crate) struct Case {
    input: String,
    encoder: Vec<String>,
    head: Vec<String>,
    pub target: Vec<u32>,
    cam: String,
    window: usize,
    stride: usize,
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures");
    PathBuf::from(folder).join(name)
}

pub(crate) fn cases() -> (HashMap<String, Case>, HashMap<String, Tensor>) {
    let text = std::fs::read_to_string(fixture("attribution.json")).unwrap();
    let tensors = candle_core::safetensors::load(fixture("attribution.safetensors"), &Device::Cpu);
    (serde_json::from_str(&text).unwrap(), tensors.unwrap())
}

/// From N, C, H, W to N, H, W, C.
pub(crate) fn channels_last(tensor: &Tensor) -> Vec<f32> {
    let turned = tensor.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap();
    turned.flatten_all().unwrap().to_vec1().unwrap()
}

fn place(name: &str) -> Place {
    match name.parse() {
        Ok(Target::Node(place)) => place,
        other => panic!("{name}: {other:?}"),
    }
}

impl Case {
    pub(crate) fn built(
        &self,
        name: &str,
        tensors: &HashMap<String, Tensor>,
    ) -> (Inference, Network) {
        let texts = |list: &[String]| -> Vec<String> { list.to_vec() };
        let (encoder, head) = (texts(&self.encoder), texts(&self.head));
        let encoder: Vec<&str> = encoder.iter().map(String::as_str).collect();
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        let inference = infer(&network(&self.input, &encoder, &[], &head));
        let mut made = Network::new(inference.plan.as_ref().unwrap(), 1, &Device::Cpu).unwrap();
        let prefix = format!("{name}.w.");
        let weights = tensors.iter().filter_map(|(key, value)| {
            let key = key.strip_prefix(&prefix)?;
            Some((key.to_owned(), value.clone()))
        });
        made.load_state(&weights.collect()).unwrap();
        made.set_observed(true);
        (inference, made)
    }

    pub(crate) fn size(&self) -> [usize; 3] {
        let sizes: Vec<usize> = self
            .input
            .split('x')
            .map(|size| size.parse().unwrap())
            .collect();
        [sizes[1], sizes[2], sizes[0]]
    }
}

fn assert_near(found: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    let largest = wanted
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()));
    assert!(largest > 0.0, "{what}");
    for (at, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let off = (found - wanted).abs() / largest;
        assert!(off < 1e-4, "{what}, {at}: {found} {wanted} of {largest}");
    }
}

#[test]
fn every_method_gives_what_captum_gives() {
    let (cases, tensors) = cases();
    assert_eq!(cases.len(), 3);
    for (name, case) in &cases {
        let (_, mut network) = case.built(name, &tensors);
        let get = |key: &str| channels_last(&tensors[&format!("{name}.{key}")]);
        let x = get("x");
        let size = case.size();
        let [height, width, channels] = size;
        let mut scored = Scored::new(&mut network, Score::Classes(case.target.clone()), size);
        let watch: &mut Watch<'_> = &mut |_| true;
        let mut how = How {
            method: Method::Gradient,
            volume: [1, height, width],
            layer: Some(place(&case.cam)),
            seed: 0,
        };
        for method in [
            Method::Gradient,
            Method::GradientXInput,
            Method::Integrated,
            Method::Guided,
        ] {
            how.method = method;
            let found = attribute(&mut scored, &x, &how, watch).unwrap();
            assert_near(
                &found,
                &get(method.word()),
                &format!("{} {name}", method.word()),
            );
        }
        let noise = &tensors[&format!("{name}.noise")];
        let copies = noise.dims()[0];
        let noise: Vec<Vec<f32>> = (0..copies)
            .map(|copy| channels_last(&noise.get(copy).unwrap()))
            .collect();
        let found = gradients::smooth(&mut scored, &x, &noise, watch).unwrap();
        assert_near(&found, &get("smoothgrad"), &format!("smoothgrad {name}"));
        let pixel = |values: &[f32]| -> Vec<f32> {
            values
                .chunks(channels)
                .map(|values| values.iter().sum())
                .collect()
        };
        how.method = Method::GradCam;
        let found = attribute(&mut scored, &x, &how, watch).unwrap();
        assert_near(
            &pixel(&found),
            &get("grad-cam"),
            &format!("grad-cam {name}"),
        );
        let windows = Windows {
            volume: [1, height, width],
            window: [1, case.window, case.window],
            stride: [1, case.stride, case.stride],
        };
        let found = maps::occlusion(&mut scored, &x, &windows, watch).unwrap();
        // Captum gives every channel of a pixel the whole loss.
        let wanted: Vec<f32> = get("occlusion")
            .chunks(channels)
            .map(|values| values[0])
            .collect();
        assert_near(&pixel(&found), &wanted, &format!("occlusion {name}"));
    }
}

#[test]
fn a_unit_of_a_layer_is_explained_as_captum_does() {
    let (cases, tensors) = cases();
    for (name, case) in &cases {
        let (inference, network) = case.built(name, &tensors);
        let mut cut = Cut::new(&inference, &place(&case.cam), &Device::Cpu).unwrap();
        cut.take(&network).unwrap();
        let mut scored = Scored::new(cut.network(), Score::Unit(1), case.size());
        let x = channels_last(&tensors[&format!("{name}.x")]);
        let (_, found) = scored.gradients(&x).unwrap();
        let wanted = channels_last(&tensors[&format!("{name}.unit")]);
        assert_near(&found, &wanted, &format!("unit {name}"));
    }
}

#[test]
fn patches_cover_every_pixel_and_end_with_the_image() {
    for volume in [[1, 28, 28], [1, 1, 500], [4, 9, 13], [1, 1, 1]] {
        let windows = Windows::usual(volume);
        let mut covers = vec![0; volume.iter().product()];
        for corner in windows.corners() {
            windows
                .pixels(corner)
                .into_iter()
                .for_each(|pixel| covers[pixel] += 1);
        }
        assert!(
            covers.iter().all(|count| *count > 0),
            "{volume:?} {windows:?}"
        );
    }
}

/// What is not wanted any more stops at the next step, and says that it was cancelled.
#[test]
fn a_long_method_stops_when_its_maps_are_not_wanted() {
    let (cases, tensors) = cases();
    let case = &cases["plain"];
    let (_, mut network) = case.built("plain", &tensors);
    let x = channels_last(&tensors["plain.x"]);
    let mut scored = Scored::new(
        &mut network,
        Score::Classes(case.target.clone()),
        case.size(),
    );
    for method in Method::ALL.into_iter().filter(|method| !method.is_quick()) {
        let how = How {
            method,
            volume: [1, 12, 12],
            layer: None,
            seed: 0,
        };
        let mut steps = 0;
        let stopped = attribute(&mut scored, &x, &how, &mut |_| {
            steps += 1;
            steps < 3
        });
        assert!(matches!(
            stopped,
            Err(InspectError::Data(DataError::Cancelled))
        ));
        assert_eq!(steps, 3);
    }
}
