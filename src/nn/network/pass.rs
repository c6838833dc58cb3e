//! One forward and one backward: through the encoder and the stack that the route takes after it.

use super::{Context, Mode, Network, Result, Route};
use crate::NnError;
use crate::device::has_own_kernels;
use crate::layers::{Sequence, shaped};
use candle_core::Tensor;
use strata_core::project::Stack;
use strata_core::project::size::Shape;

/// Which side of a softmax that ends the network a gradient is given for.
#[derive(Clone, Copy)]
enum Side {
    Output,
    Logits,
}

impl Network {
    /// The output for a batch (`N×H×W×C`, `N×L×C` or `N×F`; signals may come as images of one row, volumes as
    /// images of their slices one below the other). The next call overwrites the returned tensor.
    pub fn forward(&mut self, route: Route, images: &Tensor, mode: Mode) -> Result<Tensor> {
        self.route = route;
        let mut x = as_input(images, &self.input)?;
        let (mut cx, stacks) = self.context(mode);
        for stack in [Stack::Encoder, route.second()] {
            let sequence = sound(&mut stacks[stack as usize], stack)?;
            x = sequence.forward(&x, &mut cx)?;
            cx.carries |= sequence.needs_gradient(&cx);
        }
        let (penalty, device_penalty, forgot) = (cx.penalty, cx.device_penalty, cx.forgets);
        (self.penalty, self.device_penalty, self.forgot) = (penalty, device_penalty, forgot);
        Ok(x)
    }

    /// The code of a batch: what the encoder gives at rest, channels last. The next call overwrites it.
    pub fn encode(&mut self, images: &Tensor) -> Result<Tensor> {
        let images = as_input(images, &self.input)?;
        let (mut cx, stacks) = self.context(Mode::Eval);
        sound(&mut stacks[Stack::Encoder as usize], Stack::Encoder)?.forward(&images, &mut cx)
    }

    /// What the stack behind the encoder makes at rest of a batch of codes, as [`Network::encode`] gives them. An
    /// unpooling puts values where the images last encoded had their largest: there must have been as many.
    pub fn decode(&mut self, route: Route, codes: &Tensor) -> Result<Tensor> {
        self.route = route;
        let (mut cx, stacks) = self.context(Mode::Eval);
        let second = route.second();
        sound(&mut stacks[second as usize], second)?.forward(codes, &mut cx)
    }

    fn context(&mut self, mode: Mode) -> (Context<'_>, &mut [Option<Sequence>; 3]) {
        let Network {
            stacks,
            parameters,
            statistics,
            slots,
            candle_only,
            observed,
            guided,
            version,
            device,
            scratch,
            times,
            ..
        } = self;
        let (candle_only, version) = (*candle_only, *version);
        let fuses = has_own_kernels(device) && !candle_only && !*observed;
        let some_frozen = parameters.iter().any(|parameter| parameter.frozen);
        let forgets = some_frozen && !*observed && matches!(mode, Mode::Train { .. });
        let (carries, penalty) = (false, 0.0);
        let (parameters, statistics) = (parameters.as_mut_slice(), statistics.as_mut_slice());
        let cx = Context {
            parameters,
            statistics,
            slots,
            mode,
            candle_only,
            fuses,
            forgets,
            carries,
            guided: *guided,
            scratch,
            version,
            penalty,
            device_penalty: None,
            times: times.as_mut(),
        };
        (cx, stacks)
    }

    /// The scores behind the output that the latest forward pass gave: what came into a softmax that ends the
    /// network, in the output's shape, or the output itself. Cross-entropy is computed from them, since in single
    /// precision a sure answer's probabilities are 0 and 1 and have no gradient.
    ///
    /// A head that gives a single score tells two classes apart, by a sigmoid of it: the scores are then N×2, 0 and that
    /// score, whose softmax is the same, and whose cross-entropy is PyTorch's BCEWithLogitsLoss.
    pub fn logits(&self, output: &Tensor) -> Result<Tensor> {
        let stack = &self.stacks[self.route.second() as usize];
        let logits = match stack.as_ref().and_then(Sequence::logits) {
            Some(logits) => shaped(logits, output.dims())?,
            None => output.clone(),
        };
        let images = output.dims().first().copied().unwrap_or(0);
        if self.route != Route::Classify || !self.has_one_score {
            return Ok(logits);
        }
        let score = logits.reshape((images, 1))?;
        Ok(Tensor::cat(&[&score.zeros_like()?, &score], 1)?)
    }

    /// The gradients of all parameters that are not frozen, for the latest forward pass in training; the given
    /// gradient is that for its output.
    pub fn backward(&mut self, gradient: &Tensor) -> Result<()> {
        self.backward_to(gradient, Side::Output, false).map(|_| ())
    }

    /// The same, where the given gradient is that for [`Network::logits`].
    pub fn backward_from_logits(&mut self, gradient: &Tensor) -> Result<()> {
        self.backward_to(gradient, Side::Logits, false).map(|_| ())
    }

    /// As [`Network::backward`], with the gradient for the input (for saliency).
    pub fn backward_to_input(&mut self, gradient: &Tensor) -> Result<Tensor> {
        self.input_gradient(gradient, Side::Output)
    }

    /// As [`Network::backward_from_logits`], with the gradient for the input.
    pub fn backward_from_logits_to_input(&mut self, gradient: &Tensor) -> Result<Tensor> {
        self.input_gradient(gradient, Side::Logits)
    }

    fn input_gradient(&mut self, gradient: &Tensor, side: Side) -> Result<Tensor> {
        if self.forgot {
            return Err(NnError::Unsupported(
                "a gradient for the input after a step of training with frozen layers".into(),
            ));
        }
        let input = self.backward_to(gradient, side, true)?;
        input.ok_or_else(|| NnError::Unsupported("a gradient for the input of this network".into()))
    }

    fn backward_to(
        &mut self,
        gradient: &Tensor,
        side: Side,
        need_input: bool,
    ) -> Result<Option<Tensor>> {
        let route = self.route;
        let of_score = match side {
            Side::Logits => self.gradient_of_score(gradient)?,
            Side::Output => None,
        };
        let gradient = of_score.as_ref().unwrap_or(gradient);
        let (mut cx, stacks) = self.context(Mode::Train { seed: 0, step: 0 });
        let encoder = sound(&mut stacks[Stack::Encoder as usize], Stack::Encoder)?;
        let need_code = need_input || encoder.needs_gradient(&cx);
        let second = route.second();
        let sequence = sound(&mut stacks[second as usize], second)?;
        let code = match side {
            Side::Output => sequence.backward(gradient, need_code, &mut cx)?,
            Side::Logits => sequence.backward_from_logits(gradient, need_code, &mut cx)?,
        };
        match code {
            Some(code) => sound(&mut stacks[Stack::Encoder as usize], Stack::Encoder)?
                .backward(&code, need_input, &mut cx),
            None => Ok(None),
        }
    }
}

impl Network {
    /// Of a gradient for the two scores that a single one was told as, the part for that one.
    fn gradient_of_score(&self, gradient: &Tensor) -> Result<Option<Tensor>> {
        let is_pair = matches!(gradient.dims(), [_, 2]);
        if self.route != Route::Classify || !self.has_one_score || !is_pair {
            return Ok(None);
        }
        Ok(Some(gradient.narrow(1, 1, 1)?.contiguous()?))
    }
}

/// `N×1×L×C` as `N×L×C` for networks of signals, and `N×D·H×W×C` as `N×D×H×W×C` for those of volumes.
fn as_input(images: &Tensor, input: &Shape) -> Result<Tensor> {
    match (images.dims(), input.dims()) {
        (&[count, 1, length, channels], [_, _]) => Ok(images.reshape((count, length, channels))?),
        (&[count, rows, width, channels], &[_, depth, height, _]) if rows == depth * height => {
            Ok(images.reshape((count, depth, height, width, channels))?)
        }
        _ => Ok(images.clone()),
    }
}

fn sound(sequence: &mut Option<Sequence>, stack: Stack) -> Result<&mut Sequence> {
    sequence.as_mut().ok_or(NnError::Unsound(stack.name()))
}

#[cfg(test)]
mod tests {
    use crate::loss::{Target, evaluate};
    use crate::network::tests::network;
    use crate::ops::storage::Buffer;
    use crate::{Mode, Route};
    use candle_core::{DType, Device, Tensor};
    use strata_core::project::loss::Loss;

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn a_code_is_encoded_and_decoded_as_both_in_one() {
        let mut network = network(
            "2x4x4",
            &["conv 3 k3 p1", "relu", "maxpool 2"],
            &["flatten", "dense 5"],
        );
        let images = Tensor::rand(-1f32, 1.0, (3, 4, 4, 2), &Device::Cpu).unwrap();
        let whole = network
            .forward(Route::Classify, &images, Mode::Eval)
            .unwrap();
        let whole = values(&whole);
        let code = network.encode(&images).unwrap().copy().unwrap();
        assert_eq!(code.dims(), [3, 2, 2, 3]);
        let parts = network.decode(Route::Classify, &code).unwrap();
        assert_eq!(values(&parts), whole);
        let doubled = network
            .decode(Route::Classify, &(code * 2.0).unwrap())
            .unwrap();
        assert_ne!(values(&doubled), whole);
    }

    /// Whether the scores behind the answer are something else than the answer.
    fn has_logits(head: &[&str]) -> bool {
        let mut network = network("4x1x1", &["conv 3 k1"], head);
        let images = Tensor::ones((1, 1, 1, 4), DType::F32, &Device::Cpu).unwrap();
        let output = network
            .forward(Route::Classify, &images, Mode::Eval)
            .unwrap();
        let logits = network.logits(&output).unwrap();
        assert_eq!(logits.dims(), output.dims());
        values(&logits) != values(&output)
    }

    #[test]
    fn a_softmax_is_the_end_even_before_what_changes_nothing() {
        assert!(
            has_logits(&["flatten", "softmax"]) && has_logits(&["flatten", "softmax", "identity"])
        );
        assert!(has_logits(&["softmax", "flatten"]) && has_logits(&["softmax", "reshape 3"]));
        let repeat = r#"{ repeat = 2, layers = ["dense 3", "softmax"] }"#;
        let nothing = r#"{ repeat = 2, layers = ["identity"] }"#;
        assert!(has_logits(&["flatten", repeat]) && has_logits(&["flatten", repeat, nothing]));
        assert!(!has_logits(&["flatten", "softmax", "relu"]) && !has_logits(&["flatten"]));
        assert!(!has_logits(&["flatten", "softmax", "dense 3"]));
        // Probabilities at each position are no choice of one of all outputs.
        let mut maps = network("2x2x2", &["conv 3 k1"], &["softmax", "flatten"]);
        let images = Tensor::ones((1, 2, 2, 2), DType::F32, &Device::Cpu).unwrap();
        let output = maps.forward(Route::Classify, &images, Mode::Eval).unwrap();
        assert_eq!(values(&maps.logits(&output).unwrap()), values(&output));
    }

    /// A factor on the inputs, the loss, the gradients of the weight and of the inputs.
    type Saturated = (f32, f64, Vec<Vec<f64>>, Vec<Vec<f64>>);

    /// A head that ends in softmax learns as its scores do, however sure it is: loss and gradients are PyTorch's, and
    /// to the last bit those of the same head without the softmax.
    #[test]
    fn a_softmax_at_the_end_is_learnt_through_its_logits() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/saturated.json"
        );
        let cases: Vec<Saturated> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for (scale, wanted_loss, wanted_weight, wanted_input) in cases {
            let with = learnt(scale, &["dense 3 nobias", "softmax"]);
            assert_eq!(with, learnt(scale, &["dense 3 nobias"]));
            let (loss, weight, input) = with;
            assert!((loss - wanted_loss).abs() < 1e-5 * wanted_loss, "{loss}");
            for (found, wanted) in [(weight, &wanted_weight), (input, &wanted_input)] {
                for (found, wanted) in found.iter().zip(wanted.concat()) {
                    let off = (f64::from(*found) - wanted).abs();
                    assert!(off < 1e-5 * wanted.abs().max(1e-3), "{found} {wanted}");
                }
            }
        }
    }

    /// The loss, and the gradients of the weight and of the input.
    fn learnt(scale: f32, head: &[&str]) -> (f64, Vec<f32>, Vec<f32>) {
        let mut network = network("2", &["identity"], head);
        let weight = [1.0f32, -0.5, 0.25, 2.0, -1.5, 0.125];
        network.parameters_mut()[0].value =
            Tensor::from_slice(&weight, (3, 2), &Device::Cpu).unwrap();
        let inputs = [1.0, 1.0, -2.0, 0.5, 0.25, -1.0].map(|value| value * scale);
        let inputs = Tensor::from_slice(&inputs, (3, 2), &Device::Cpu).unwrap();
        let mode = Mode::Train { seed: 0, step: 0 };
        let output = network.forward(Route::Classify, &inputs, mode).unwrap();
        let logits = network.logits(&output).unwrap();
        let labels = Target::Labels(&[2, 0, 1]);
        let mut buffer = Buffer::default();
        let loss = evaluate(Loss::CROSS_ENTROPY, &logits, labels, Some(&mut buffer)).unwrap();
        let gradient = loss.gradient.unwrap();
        let input = network.backward_from_logits_to_input(&gradient).unwrap();
        let weight = values(&network.parameters()[0].gradient);
        (loss.value, weight, values(&input))
    }

    /// A factor on the inputs, the loss, the gradients of the weight and of the inputs.
    type Binary = (f32, f64, Vec<f64>, Vec<f64>);

    /// A head of one score is two: loss and gradients are those of PyTorch's BCEWithLogitsLoss, with a sigmoid at the end
    /// and without, however sure the answer is.
    #[test]
    fn one_score_tells_two_classes_apart() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/binary.json"
        );
        let cases: Vec<Binary> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(cases.len(), 3);
        for (scale, wanted_loss, wanted_weight, wanted_input) in cases {
            let with = learnt_of_two(scale, &["dense 1 nobias", "sigmoid"]);
            assert_eq!(with, learnt_of_two(scale, &["dense 1 nobias"]));
            let (loss, weight, input) = with;
            assert!(
                (loss - wanted_loss).abs() < 1e-6 * wanted_loss.max(1.0),
                "{loss} {wanted_loss}"
            );
            for (found, wanted) in weight
                .iter()
                .chain(&input)
                .zip(wanted_weight.iter().chain(&wanted_input))
            {
                let off = (f64::from(*found) - wanted).abs();
                assert!(
                    off < 1e-5 * wanted.abs().max(1e-2),
                    "{scale}: {found} {wanted}"
                );
            }
        }
    }

    fn learnt_of_two(scale: f32, head: &[&str]) -> (f64, Vec<f32>, Vec<f32>) {
        let mut network = network("2", &["identity"], head);
        let weight = Tensor::from_slice(&[1.0f32, -0.5], (1, 2), &Device::Cpu).unwrap();
        network.parameters_mut()[0].value = weight;
        let inputs = [1.0, 1.0, -2.0, 0.5, 0.25, -1.0].map(|value| value * scale);
        let inputs = Tensor::from_slice(&inputs, (3, 2), &Device::Cpu).unwrap();
        let mode = Mode::Train { seed: 0, step: 0 };
        let output = network.forward(Route::Classify, &inputs, mode).unwrap();
        assert_eq!(output.dims(), [3, 1]);
        let logits = network.logits(&output).unwrap();
        assert_eq!(logits.dims(), [3, 2]);
        let labels = Target::Labels(&[1, 0, 1]);
        let mut buffer = Buffer::default();
        let loss = evaluate(Loss::Bce, &logits, labels, Some(&mut buffer)).unwrap();
        let gradient = loss.gradient.unwrap();
        let input = network.backward_from_logits_to_input(&gradient).unwrap();
        let weight = values(&network.parameters()[0].gradient);
        (loss.value, weight, values(&input))
    }
}
