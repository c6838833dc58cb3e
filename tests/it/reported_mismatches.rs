//! Mismatches that people brought to public trackers: the cause that must be named for each, and solve's answer.
//!
//! Every stack is the thread's, in Strata's layer text and with fewer channels where they don't matter. The
//! places and reasons were worked out by hand from the sizes given in the threads.

use strata::design::explain;
use strata::design::explain::{Cause, Explanation, Reason};
use strata::design::solve::{Aim, solve};
use strata::project::Network;
use strata::shape::infer;
use strata_testkit::networks::network;

/// One thread.
struct Thread {
    /// Repository and number.
    cited: &'static str,
    input: &'static str,
    encoder: Vec<String>,
    decoder: Vec<String>,
    /// The output that the thread complains about; empty where a layer refuses its input.
    output: &'static str,
    /// Reason and place of every cause, and the sizes (wanted, got) there.
    causes: Vec<(Reason, &'static str, (u64, u64))>,
}

fn texts(layers: &[&str]) -> Vec<String> {
    layers.iter().map(|&text| text.to_owned()).collect()
}

/// A U-Net level: what came before is kept beside what the level below makes of it.
fn level(below: &[String]) -> String {
    let inner = below.iter().map(|text| {
        if text.starts_with('{') {
            text.clone()
        } else {
            format!("\"{text}\"")
        }
    });
    format!(
        "{{ concat = [[], [{}]] }}",
        inner.collect::<Vec<_>>().join(", ")
    )
}

/// A U-Net of `levels` poolings; `up` doubles.
fn unet(levels: usize, up: &str) -> String {
    let mut below: Vec<String> = Vec::new();
    for depth in (1..=levels).rev() {
        let mut layers = vec!["maxpool 2".to_owned(), format!("conv {} k3 p1", 4 << depth)];
        if !below.is_empty() {
            layers.push(level(&below));
            layers.push(format!("conv {} k3 p1", 4 << depth));
        }
        layers.push(up.to_owned());
        below = layers;
    }
    level(&below)
}

fn all() -> Vec<Thread> {
    use Reason::{Floor, Margin};
    vec![
        // A decoder of Conv2DTranspose, strides 2, `same`: fine for even widths, one too wide for odd ones.
        Thread {
            cited: "keras-team/keras 12719",
            input: "1x28x41",
            encoder: texts(&["conv 8 k5 s2 same", "relu", "conv 8 k5 s2 same", "relu"]),
            decoder: texts(&["convt 4 k5 s2 same", "relu", "convt 1 k5 s2 same"]),
            output: "1x28x44",
            causes: vec![
                (Floor, "encoder.2", (21, 22)),
                (Floor, "encoder.0", (41, 42)),
            ],
        },
        // 25 → 13 → 7 → 4 → 2, and Conv2DTranspose without output_padding goes 4 → 8 → 16 → 32.
        Thread {
            cited: "keras-team/keras 14158",
            input: "1x25x25",
            encoder: texts(&["conv 8 k3 s2 same"; 4]),
            decoder: texts(&[
                "convt 8 k3 s2 same",
                "convt 8 k3 s2 same",
                "convt 8 k3 s2 same",
                "convt 1 k3 s2 same",
            ]),
            output: "1x32x32",
            causes: vec![
                (Floor, "encoder.2", (7, 8)),
                (Floor, "encoder.1", (13, 14)),
                (Floor, "encoder.0", (25, 26)),
            ],
        },
        // output_size 240 × 200 asked for; the same output padding of 6 was taken for both axes: 232 × 200.
        Thread {
            cited: "pytorch/pytorch 75889",
            input: "1x240x200",
            encoder: texts(&["conv 1 k16 s16 p7"]),
            decoder: texts(&["convt 1 k16 s16 p7 op6"]),
            output: "1x232x200",
            causes: vec![(Floor, "encoder.0", (240, 232))],
        },
        // output_padding does not append zeros, it chooses among the sizes that a stride cannot tell apart.
        Thread {
            cited: "pytorch/pytorch 8816",
            input: "1x2x2",
            encoder: texts(&["conv 1 k3 s2 p1"]),
            decoder: texts(&["convt 1 k3 s2 p1"]),
            output: "1x1x1",
            causes: vec![(Floor, "encoder.0", (2, 1))],
        },
        // "when the size number is odd, it will lead to some problem when we upsample"
        Thread {
            cited: "milesial/Pytorch-UNet 32",
            input: "3x97x96",
            encoder: vec!["conv 4 k3 p1".into(), unet(2, "convt 4 k2 s2")],
            decoder: texts(&["conv 3 k1"]),
            output: "",
            causes: vec![(Floor, "encoder.1.1.0", (97, 96))],
        },
        // Concatenate got 88 × 88 and 89 × 89 in a U-Net of four levels on 358 × 358.
        Thread {
            cited: "keras-team/keras 19964",
            input: "1x358x358",
            encoder: vec!["conv 4 k3 same".into(), unet(3, "convt 4 k3 s2 same")],
            decoder: texts(&["conv 1 k1"]),
            output: "",
            causes: vec![
                (Floor, "encoder.1.1.2.1.2.1.0", (89, 88)),
                (Floor, "encoder.1.1.2.1.0", (179, 178)),
            ],
        },
        // 250 → 80 with an 11×11 kernel and stride 3, and 248 back.
        Thread {
            cited: "Lasagne/Lasagne 668",
            input: "3x250x250",
            encoder: texts(&["conv 16 k11 s3", "sigmoid"]),
            decoder: texts(&["convt 3 k11 s3", "sigmoid"]),
            output: "3x248x248",
            causes: vec![(Floor, "encoder.0", (250, 248))],
        },
        // 32 → 16 "because a 31x31 input would have resulted in a 16x16 output as well"
        Thread {
            cited: "Lasagne/Lasagne 711",
            input: "3x32x32",
            encoder: texts(&["conv 8 k3 s2 p1"]),
            decoder: texts(&["convt 3 k3 s2 p1"]),
            output: "3x31x31",
            causes: vec![(Floor, "encoder.0", (32, 31))],
        },
        // The autoencoder of the Keras blog on 23 × 23: its one convolution without padding, made for 28 × 28.
        Thread {
            cited: "keras-team/keras 12674",
            input: "1x23x23",
            encoder: texts(&[
                "conv 16 k3 same",
                "maxpool 2 same",
                "conv 8 k3 same",
                "maxpool 2 same",
                "conv 8 k3 same",
                "maxpool 2 same",
            ]),
            decoder: texts(&[
                "conv 8 k3 same",
                "upsample 2",
                "conv 8 k3 same",
                "upsample 2",
                "conv 16 k3",
                "upsample 2",
                "conv 1 k3 same",
            ]),
            output: "1x20x20",
            causes: vec![
                (Margin, "decoder.4", (12, 10)),
                (Floor, "encoder.1", (23, 24)),
            ],
        },
        // "Hi, I input a image (1646,1646) into the unet, … but the output is (1632,1632)"
        Thread {
            cited: "jvanvugt/pytorch-unet 2",
            input: "1x1646x1646",
            encoder: texts(&[
                "conv 4 k3 p1",
                "maxpool 2",
                "maxpool 2",
                "maxpool 2",
                "maxpool 2",
            ]),
            decoder: texts(&[
                "convt 4 k2 s2",
                "convt 4 k2 s2",
                "convt 4 k2 s2",
                "convt 1 k2 s2",
            ]),
            output: "1x1632x1632",
            causes: vec![
                (Floor, "encoder.4", (205, 204)),
                (Floor, "encoder.3", (411, 410)),
                (Floor, "encoder.2", (823, 822)),
            ],
        },
        // Stride 2 on the rows and columns of a volume alone: 32 slices stay, 32 × 32 become 31 × 31.
        Thread {
            cited: "pytorch/pytorch 70518",
            input: "2x32x32x32",
            encoder: texts(&["conv 4 k1x3x3 s1x2x2 p0x1x1"]),
            decoder: texts(&["convt 2 k1x3x3 s1x2x2 p0x1x1 nobias"]),
            output: "2x32x31x31",
            causes: vec![(Floor, "encoder.0", (32, 31))],
        },
        // "input=(25,25), pool=(3,3) => output=(8,8)", upsampled to 24.
        Thread {
            cited: "keras-team/keras 378",
            input: "1x25x25",
            encoder: texts(&["maxpool 3"]),
            decoder: texts(&["upsample 3", "conv 1 k3 p1"]),
            output: "1x24x24",
            causes: vec![(Floor, "encoder.0", (25, 24))],
        },
    ]
}

impl Thread {
    fn network(&self) -> Network {
        let encoder: Vec<&str> = self.encoder.iter().map(String::as_str).collect();
        let decoder: Vec<&str> = self.decoder.iter().map(String::as_str).collect();
        network(self.input, &encoder, &decoder, &[])
    }

    fn explained(&self) -> Explanation {
        let network = self.network();
        explain(&network, &infer(&network))
    }
}

#[test]
fn the_stacks_give_what_the_threads_say() {
    for thread in all() {
        let inference = infer(&thread.network());
        assert_eq!(
            inference.errors().next().is_some(),
            thread.output.is_empty(),
            "{}",
            thread.cited
        );
        let output = inference
            .output
            .as_ref()
            .map(|output| output.to_file_text());
        assert!(
            thread.output.is_empty() || output.as_deref() == Some(thread.output),
            "{}: {output:?}",
            thread.cited
        );
        assert_ne!(
            inference.output_equals_input,
            Some(true),
            "{}",
            thread.cited
        );
    }
}

#[test]
fn the_cause_of_each_is_named() {
    for thread in all() {
        let explanation = thread.explained();
        let told = |cause: &Cause| {
            (
                cause.reason,
                cause.place.to_string(),
                cause.sizes.unwrap_or_default(),
            )
        };
        let found: Vec<_> = explanation.causes.iter().map(told).collect();
        let wanted: Vec<_> = thread
            .causes
            .iter()
            .map(|&(reason, place, sizes)| (reason, place.to_owned(), sizes))
            .collect();
        assert_eq!(
            found, wanted,
            "{}: {:#?}",
            thread.cited, explanation.sentences
        );
        for cause in &explanation.causes {
            assert!(
                explanation
                    .path
                    .iter()
                    .any(|step| step.culprit && step.place == cause.place),
                "{}",
                thread.cited
            );
        }
        println!("{}\n  {}", thread.cited, explanation.sentences.join("\n  "));
    }
}

/// The axes: rows alone, columns alone, rows and columns of a volume.
#[test]
fn the_axis_is_named() {
    let axes = |cited: &str| {
        let thread = all()
            .into_iter()
            .find(|thread| thread.cited == cited)
            .unwrap();
        thread.explained().causes[0].axes.clone()
    };
    assert_eq!(axes("keras-team/keras 12719"), [1]);
    assert_eq!(axes("pytorch/pytorch 75889"), [0]);
    assert_eq!(axes("milesial/Pytorch-UNet 32"), [0]);
    assert_eq!(axes("pytorch/pytorch 70518"), [1, 2]);
    assert_eq!(axes("Lasagne/Lasagne 668"), [0, 1]);
}

/// pytorch/pytorch 580: unpooling without an output size gave 134 rows where the pooling had seen 135. Here an
/// `unpool` knows its pooling, so nothing is to be explained.
#[test]
fn an_unpool_knows_the_size_that_its_pooling_saw() {
    let network = network("3x540x960", &["maxpool 2"; 3], &["unpool"; 3], &[]);
    let inference = infer(&network);
    assert_eq!(inference.output_equals_input, Some(true));
    assert!(explain(&network, &inference).causes.is_empty());
}

/// Every thread has an answer: edits after which inference finds the output equal to the input.
#[test]
fn solve_mends_each() {
    for thread in all() {
        let network = thread.network();
        let solved = solve(&network, &[], Aim::OutputEqualsInput);
        assert!(
            !solved.solutions.is_empty(),
            "{}: {}",
            thread.cited,
            solved.message
        );
        for solution in &solved.solutions {
            let inference = infer(&solution.network);
            assert_eq!(
                inference.output_equals_input,
                Some(true),
                "{}: {}",
                thread.cited,
                solution.sentence()
            );
            assert!(
                explain(&solution.network, &inference).causes.is_empty(),
                "{}",
                thread.cited
            );
        }
        println!("{}\n  {}", thread.cited, solved.solutions[0].sentence());
    }
}
