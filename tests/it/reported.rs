//! What people report of such tools and this one does right: published networks with their figures, receptive fields,
//! the sizes that a network works on, trainings that go wrong. Each is a promise to keep.

use super::kit::runs::{completed, failed, options, tiny, train};
use strata::design::valid_input_sizes::strips;
use strata::engine::storage::checkpoint;
use strata::project::{Network, file};
use strata::shape::{Inference, infer};
use strata_testkit::networks::network;

/// A published network: its layers up to the scores, its parameters, its multiply-accumulates where they are published.
struct Published {
    name: &'static str,
    input: &'static str,
    layers: Vec<String>,
    parameters: u64,
    macs: Option<u64>,
}

/// The layers of these texts, parted by `;`, each as often as `4 *` before it says.
fn layers(text: &str) -> Vec<String> {
    let split = text.split(';').map(str::trim);
    let repeated = split.flat_map(|text| match text.split_once(" * ") {
        Some((times, layer)) => vec![layer.to_owned(); times.parse().unwrap()],
        None => vec![text.to_owned()],
    });
    repeated.collect()
}

/// Layers as a list in a block.
fn listed(layers: &[String]) -> String {
    let quoted = layers.iter().map(|layer| match layer.starts_with('{') {
        true => layer.clone(),
        false => format!("\"{layer}\""),
    });
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

fn of(input: &str, layers: &[String]) -> Network {
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    network(input, &layers, &[], &[])
}

fn inferred(input: &str, layers: &[String]) -> Inference {
    let inference = infer(&of(input, layers));
    let errors: Vec<_> = inference
        .errors()
        .map(|(row, error)| (&row.text, &error.message))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    inference
}

/// SqueezeNet's fire: a narrow layer, then a 1×1 and a 3×3 beside each other.
fn fire(narrow: u32, wide: u32) -> Vec<String> {
    vec![
        format!("conv {narrow} k1"),
        "relu".into(),
        format!(
            "{{ concat = [[\"conv {wide} k1\", \"relu\"], [\"conv {wide} k3 p1\", \"relu\"]] }}"
        ),
    ]
}

fn squeezenet() -> Vec<String> {
    let mut all = layers("conv 64 k3 s2; relu; maxpool 3 s2");
    for (narrow, wide, pools) in [
        (16, 64, false),
        (16, 64, true),
        (32, 128, false),
        (32, 128, true),
        (48, 192, false),
        (48, 192, false),
        (64, 256, false),
        (64, 256, false),
    ] {
        all.extend(fire(narrow, wide));
        all.extend(pools.then(|| "maxpool 3 s2".to_owned()));
    }
    all.extend(layers("dropout 0.5; conv 1000 k1; relu; gap"));
    all
}

/// A residual unit of ResNet-50: `stride` in its 3×3, its shortcut a 1×1 where the shape changes.
fn bottleneck(channels: u32, stride: u32, is_first: bool) -> Vec<String> {
    let out = 4 * channels;
    let main = layers(&format!(
        "conv {channels} k1 nobias; bn; relu; conv {channels} k3 s{stride} p1 nobias; bn; relu; conv {out} k1 nobias; bn"
    ));
    let shortcut = match (is_first, stride) {
        (true, _) => layers(&format!("conv {out} k1 s{stride} nobias; bn")),
        (false, 1) => Vec::new(),
        (false, _) => layers(&format!("maxpool 1 s{stride}")),
    };
    vec![
        format!("{{ add = [{}, {}] }}", listed(&shortcut), listed(&main)),
        "relu".into(),
    ]
}

/// ResNet-50 with the stride in the first unit of a stage (torchvision) or in its last (the slim models).
fn resnet_50(is_slim: bool) -> Vec<String> {
    let mut all = layers("conv 64 k7 s2 p3 nobias; bn; relu; maxpool 3 s2 p1");
    for (stage, (channels, units)) in [(64, 3), (128, 4), (256, 6), (512, 3)]
        .into_iter()
        .enumerate()
    {
        for unit in 0..units {
            let strided = match is_slim {
                true => unit == units - 1 && stage < 3,
                false => unit == 0 && stage > 0,
            };
            all.extend(bottleneck(channels, if strided { 2 } else { 1 }, unit == 0));
        }
    }
    all
}

fn densenet_121() -> Vec<String> {
    let mut all = layers("conv 64 k7 s2 p3 nobias; bn; relu; maxpool 3 s2 p1");
    let mut channels = 64;
    for (stage, units) in [6, 12, 24, 16].into_iter().enumerate() {
        for _ in 0..units {
            let unit = layers("bn; relu; conv 128 k1 nobias; bn; relu; conv 32 k3 p1 nobias");
            all.push(format!("{{ concat = [[], {}] }}", listed(&unit)));
            channels += 32;
        }
        if stage < 3 {
            channels /= 2;
            all.extend(layers(&format!(
                "bn; relu; conv {channels} k1 nobias; avgpool 2"
            )));
        }
    }
    all.extend(layers("bn; relu; gap; dense 1000"));
    all
}

fn mobilenet() -> Vec<String> {
    let mut all = layers("conv 32 k3 s2 same nobias; bn; relu6");
    for (channels, stride) in [
        (64, 1),
        (128, 2),
        (128, 1),
        (256, 2),
        (256, 1),
        (512, 2),
        (512, 1),
        (512, 1),
        (512, 1),
        (512, 1),
        (512, 1),
        (1024, 2),
        (1024, 1),
    ] {
        all.extend(layers(&format!(
            "dwconv k3 s{stride} same nobias; bn; relu6; conv {channels} k1 nobias; bn; relu6"
        )));
    }
    all
}

fn wide_resnet() -> Vec<String> {
    let mut all = layers("conv 16 k3 p1 nobias");
    for (stage, channels) in [32, 64, 128].into_iter().enumerate() {
        let stride = if stage == 0 { 1 } else { 2 };
        for (unit, stride) in [stride, 1].into_iter().enumerate() {
            let main = layers(&format!(
                "conv {channels} k3 s{stride} p1 nobias; bn; relu; conv {channels} k3 p1 nobias"
            ));
            let shortcut = match unit {
                0 => layers(&format!("conv {channels} k1 s{stride} nobias")),
                _ => Vec::new(),
            };
            all.extend(layers("bn; relu"));
            all.push(format!(
                "{{ add = [{}, {}] }}",
                listed(&shortcut),
                listed(&main)
            ));
        }
    }
    all.extend(layers("bn; relu; gap; dense 10"));
    all
}

/// The U-Net of the paper, without padding: each level keeps what it came with, cut to what comes back from below.
fn unet() -> Vec<String> {
    let pair = |channels: u32| {
        layers(&format!(
            "conv {channels} k3; relu; conv {channels} k3; relu"
        ))
    };
    let mut below = [layers("maxpool 2"), pair(1024), layers("convt 512 k2 s2")].concat();
    for (channels, crop) in [(512, 4), (256, 16), (128, 40), (64, 88)] {
        let level = format!("{{ concat = [[\"crop {crop}\"], {}] }}", listed(&below));
        let inside = [pair(channels), vec![level], pair(channels)].concat();
        below = match channels {
            64 => inside,
            _ => [
                layers("maxpool 2"),
                inside,
                layers(&format!("convt {} k2 s2", channels / 2)),
            ]
            .concat(),
        };
    }
    [below, layers("conv 2 k1")].concat()
}

const VGG_16: &str = "2 * conv 64 k3 p1; maxpool 2; 2 * conv 128 k3 p1; maxpool 2; 3 * conv 256 k3 p1; maxpool 2; \
     3 * conv 512 k3 p1; maxpool 2; 3 * conv 512 k3 p1; maxpool 2";

fn published() -> Vec<Published> {
    let of = |name, input, layers, parameters, macs| Published {
        name,
        input,
        layers,
        parameters,
        macs,
    };
    let list = layers;
    vec![
        of(
            "LeNet-5 (1998)",
            "1x32x32",
            list(
                "conv 6 k5; tanh; avgpool 2; conv 16 k5; tanh; avgpool 2; flatten; dense 120; dense 84; dense 10",
            ),
            61_706,
            None,
        ),
        of(
            "Keras, simple MNIST convnet",
            "1x28x28",
            list(
                "conv 32 k3; relu; maxpool 2; conv 64 k3; relu; maxpool 2; flatten; dropout 0.5; dense 10",
            ),
            34_826,
            None,
        ),
        of(
            "Keras blog, convolutional autoencoder",
            "1x28x28",
            list(
                "conv 16 k3 same; maxpool 2 same; conv 8 k3 same; maxpool 2 same; conv 8 k3 same; maxpool 2 same; \
                 conv 8 k3 same; upsample 2; conv 8 k3 same; upsample 2; conv 16 k3; upsample 2; conv 1 k3 same",
            ),
            4_385,
            None,
        ),
        of(
            "Keras blog, denoising autoencoder",
            "1x28x28",
            list(
                "conv 32 k3 same; maxpool 2; conv 32 k3 same; maxpool 2; conv 32 k3 same; upsample 2; \
                 conv 32 k3 same; upsample 2; conv 1 k3 same",
            ),
            28_353,
            None,
        ),
        of(
            "UFLDL, sparse autoencoder",
            "64",
            list("dense 25; sigmoid; dense 64"),
            3_289,
            None,
        ),
        of(
            "Keras blog, stacked autoencoder",
            "784",
            list("dense 128; dense 64; dense 32; dense 64; dense 128; dense 784"),
            222_384,
            None,
        ),
        of(
            "Network in Network for CIFAR-10",
            "3x32x32",
            list(
                "conv 192 k5 p2; conv 160 k1; conv 96 k1; maxpool 3 s2; conv 192 k5 p2; 2 * conv 192 k1; avgpool 3 s2; \
                 conv 192 k3 p1; conv 192 k1; conv 10 k1; gap",
            ),
            966_986,
            None,
        ),
        of(
            "All-CNN-C",
            "3x32x32",
            list(
                "2 * conv 96 k3 p1; conv 96 k3 s2 p1; 2 * conv 192 k3 p1; conv 192 k3 s2 p1; conv 192 k3; \
                 conv 192 k1; conv 10 k1; gap",
            ),
            1_369_738,
            None,
        ),
        of(
            "ConvNetJS for CIFAR-10",
            "3x32x32",
            list(
                "conv 16 k5 p2; relu; maxpool 2; conv 20 k5 p2; relu; maxpool 2; conv 20 k5 p2; relu; maxpool 2; \
                 flatten; dense 10",
            ),
            22_466,
            None,
        ),
        of("Wide ResNet 16-2", "3x32x32", wide_resnet(), 691_674, None),
        of(
            "DCGAN, discriminator",
            "3x64x64",
            list(
                "conv 64 k4 s2 p1 nobias; conv 128 k4 s2 p1 nobias; bn; conv 256 k4 s2 p1 nobias; bn; \
                 conv 512 k4 s2 p1 nobias; bn; conv 1 k4 nobias",
            ),
            2_765_568,
            None,
        ),
        of(
            "DCGAN, generator",
            "100x1x1",
            list(
                "convt 512 k4 nobias; bn; convt 256 k4 s2 p1 nobias; bn; convt 128 k4 s2 p1 nobias; bn; \
                 convt 64 k4 s2 p1 nobias; bn; convt 3 k4 s2 p1 nobias",
            ),
            3_576_704,
            None,
        ),
        of(
            "AlexNet (torchvision)",
            "3x224x224",
            list(
                "conv 64 k11 s4 p2; maxpool 3 s2; conv 192 k5 p2; maxpool 3 s2; conv 384 k3 p1; 2 * conv 256 k3 p1; \
                 maxpool 3 s2; flatten; 2 * dense 4096; dense 1000",
            ),
            61_100_840,
            Some(714_188_480),
        ),
        of(
            "VGG-16",
            "3x224x224",
            [list(VGG_16), list("flatten; 2 * dense 4096; dense 1000")].concat(),
            138_357_544,
            Some(15_470_264_320),
        ),
        of(
            "SqueezeNet 1.1",
            "3x224x224",
            squeezenet(),
            1_235_496,
            Some(349_151_936),
        ),
        of(
            "ResNet-50",
            "3x224x224",
            [resnet_50(false), list("gap; dense 1000")].concat(),
            25_557_032,
            Some(4_089_184_256),
        ),
        of(
            "DenseNet-121",
            "3x224x224",
            densenet_121(),
            7_978_856,
            Some(2_834_161_664),
        ),
        of(
            "MobileNet v1 (Keras' trainable)",
            "3x224x224",
            [mobilenet(), list("gap; dense 1000")].concat(),
            4_231_976,
            None,
        ),
        of("U-Net (2015)", "1x572x572", unet(), 31_030_658, None),
    ]
}

#[test]
fn published_networks_have_their_published_figures() {
    for published in published() {
        let totals = inferred(published.input, &published.layers).totals;
        assert_eq!(
            totals.parameters, published.parameters,
            "{}",
            published.name
        );
        if let Some(macs) = published.macs {
            assert_eq!(totals.macs, macs, "{}", published.name);
        }
    }
}

/// distill.pub 2019 and google-research/receptive_field: what one value of the last map sees.
#[test]
fn receptive_fields_are_those_published() {
    let alexnet_v2 = layers(
        "conv 64 k11 s4; maxpool 3 s2; conv 192 k5 p2; maxpool 3 s2; 2 * conv 384 k3 p1; conv 256 k3 p1; maxpool 3 s2",
    );
    for (name, input, layers, field) in [
        ("alexnet_v2", "3x224x224", alexnet_v2, 195),
        ("vgg_16", "3x224x224", layers(VGG_16), 212),
        ("mobilenet_v1", "3x224x224", mobilenet(), 315),
        ("resnet_v1_50", "3x224x224", resnet_50(true), 483),
        (
            "dilation 1, 2, 3",
            "1x64x64",
            layers("conv 4 k3; conv 4 k3 d2; conv 4 k3 d3"),
            13,
        ),
        (
            "dilation 18 of ASPP",
            "4x64x64",
            layers("conv 4 k3 p18 d18"),
            37,
        ),
        ("U-Net (2015)", "1x572x572", unet(), 204),
    ] {
        let inference = inferred(input, &layers);
        let last = inference
            .rows
            .iter()
            .rev()
            .find(|row| row.place.path.len() == 1 && !row.is_block);
        assert_eq!(
            last.unwrap().receptive_field,
            Some(vec![field; 2]),
            "{name}"
        );
    }
}

#[test]
fn the_unet_of_the_paper_ends_where_the_paper_says() {
    let inference = inferred("1x572x572", &unet());
    assert_eq!(inference.code.unwrap().to_string(), "2×388×388");
}

/// keras-team/keras 3489, bigmb/Unet-Segmentation 52: which sizes work at all.
#[test]
fn sizes_that_work_are_told_as_a_rule() {
    let rule = |network: &Network| strips(network)[0].rule.to_string();
    let encoder = [
        "conv 16 k3 same",
        "maxpool 2 same",
        "conv 8 k3 same",
        "maxpool 2 same",
        "conv 8 k3 same",
        "maxpool 2 same",
    ];
    let decoder = |middle: &'static str| {
        [
            "conv 8 k3 same",
            "upsample 2",
            "conv 8 k3 same",
            "upsample 2",
            middle,
            "upsample 2",
            "conv 1 k3 same",
        ]
    };
    assert_eq!(
        rule(&network(
            "1x23x23",
            &encoder,
            &decoder("conv 16 k3 same"),
            &[]
        )),
        "multiples of 8"
    );
    let blog = network("1x23x23", &encoder, &decoder("conv 16 k3"), &[]);
    assert!(rule(&blog).starts_with("sizes 8·n + 4"), "{}", rule(&blog));
    assert_eq!(rule(&of("1x572x572", &unet())), "sizes 16·n + 12 from 188");
}

/// keras-team/keras 4615: a variational autoencoder on 104 × 104, its last layer without padding.
#[test]
fn windows_of_two_are_padded_as_tensorflow_does() {
    let encoder = [
        "conv 1 k2 same",
        "conv 64 k2 s2 same",
        "conv 64 k3 same",
        "conv 64 k3 same",
    ];
    let decoder = [
        "convt 64 k3 same",
        "convt 64 k3 same",
        "convt 64 k3 s2 valid",
        "conv 1 k2 valid",
    ];
    let inference = infer(&network("1x104x104", &encoder, &decoder, &[]));
    let shapes: Vec<String> = inference.rows.iter().map(|row| row.shape_text()).collect();
    assert_eq!(
        (&shapes[0][..], &shapes[1][..], &shapes[6][..]),
        ("1×104×104", "64×52×52", "64×105×105")
    );
    assert_eq!(inference.output_equals_input, Some(true));
}

/// Many threads: a loss that becomes NaN. It stops at once, says where, and what is kept.
#[test]
fn a_rate_that_is_far_too_high_stops_with_the_layer_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let project = tiny(&[
        ("adam lr=3e-3", "sgd lr=30"),
        ("schedule = \"cosine warmup=1\"\n", ""),
        (", \"tanh\"", ""),
        ("\"relu\"", "\"gelu\""),
        ("range = [-1, 1]", "range = [0, 1000]"),
    ]);
    let failure = failed(train(&project, &options(&run)).0);
    for part in [
        "at step",
        "stage `images`",
        "first for `",
        "are kept",
        "learning rate",
    ] {
        assert!(
            failure.message.contains(part),
            "{part}: {}",
            failure.message
        );
    }
    let kept = checkpoint::load(&run.join("checkpoints/last.safetensors")).unwrap();
    for (key, tensor) in &kept.weights {
        let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(values.iter().all(|value| value.is_finite()), "{key}");
    }
}

/// keras-team/keras 9965: what is frozen stays as it was, the running statistics of batch norm too.
#[test]
fn a_frozen_encoder_keeps_its_running_statistics() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let project = tiny(&[("freeze = [\"encoder.0\"]", "freeze = [\"encoder\"]")]);
    assert!(file::to_text(&project).contains("\"bn\""));
    completed(train(&project, &options(&run)).0);
    let [before, after] = ["stage-1", "last"].map(|name| {
        checkpoint::load(&run.join(format!("checkpoints/{name}.safetensors")))
            .unwrap()
            .weights
    });
    let values =
        |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let mut statistics = 0;
    for (key, tensor) in before.iter().filter(|(key, _)| key.starts_with("encoder")) {
        assert_eq!(values(tensor), values(&after[key]), "{key}");
        statistics += usize::from(key.contains("running"));
    }
    assert!(statistics >= 2);
    let is_moved =
        |key: &&String| key.starts_with("head") && values(&before[*key]) != values(&after[*key]);
    assert!(before.keys().any(|key| is_moved(&key)));
}
