//! One forward and one backward: through the encoder and the stack that the route takes after it.

use super::{Context, Mode, Network, Result, Route};
use crate::NnError;
use crate::layers::Sequence;
use candle_core::Tensor;
use strata_core::project::Stack;

impl Network {
    /// The output for a batch (`N×H×W×C`, `N×L×C` or `N×F`; signals may come as images of one row). The next call overwrites the returned tensor.
    pub fn forward(&mut self, route: Route, images: &Tensor, mode: Mode) -> Result<Tensor> {
        self.route = route;
        let is_signal = self.input.rank() == 1;
        let (mut cx, stacks) = self.context(mode);
        let mut x = signals(images, is_signal)?;
        for stack in [Stack::Encoder, route.second()] {
            let sequence = sound(&mut stacks[stack as usize], stack)?;
            x = sequence.forward(&x, &mut cx)?;
            cx.carries |= sequence.needs_gradient(&cx);
        }
        (self.penalty, self.forgot) = (cx.penalty, cx.forgets);
        Ok(x)
    }

    fn context(&mut self, mode: Mode) -> (Context<'_>, &mut [Option<Sequence>; 3]) {
        let Network {
            stacks,
            parameters,
            statistics,
            slots,
            candle_only,
            observed,
            version,
            device,
            scratch,
            ..
        } = self;
        let (candle_only, version) = (*candle_only, *version);
        let fuses = device.is_cpu() && !candle_only && !*observed;
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
            scratch,
            version,
            penalty,
        };
        (cx, stacks)
    }

    /// The gradients of all parameters that are not frozen, for the latest forward pass in training.
    pub fn backward(&mut self, gradient: &Tensor) -> Result<()> {
        self.backward_to(gradient, false).map(|_| ())
    }

    /// The same, with the gradient for the input (for saliency).
    pub fn backward_to_input(&mut self, gradient: &Tensor) -> Result<Tensor> {
        if self.forgot {
            return Err(NnError::Unsupported(
                "a gradient for the input after a step of training with frozen layers".into(),
            ));
        }
        let input = self.backward_to(gradient, true)?;
        input.ok_or_else(|| NnError::Unsupported("a gradient for the input of this network".into()))
    }

    fn backward_to(&mut self, gradient: &Tensor, need_input: bool) -> Result<Option<Tensor>> {
        let route = self.route;
        let (mut cx, stacks) = self.context(Mode::Train { seed: 0, step: 0 });
        let encoder = sound(&mut stacks[Stack::Encoder as usize], Stack::Encoder)?;
        let need_code = need_input || encoder.needs_gradient(&cx);
        let second = route.second();
        let code =
            sound(&mut stacks[second as usize], second)?.backward(gradient, need_code, &mut cx)?;
        match code {
            Some(code) => sound(&mut stacks[Stack::Encoder as usize], Stack::Encoder)?
                .backward(&code, need_input, &mut cx),
            None => Ok(None),
        }
    }
}

/// `N×1×L×C` as `N×L×C`, for networks of signals.
fn signals(images: &Tensor, is_signal: bool) -> Result<Tensor> {
    match *images.dims() {
        [count, 1, length, channels] if is_signal => Ok(images.reshape((count, length, channels))?),
        _ => Ok(images.clone()),
    }
}

fn sound(sequence: &mut Option<Sequence>, stack: Stack) -> Result<&mut Sequence> {
    sequence.as_mut().ok_or(NnError::Unsound(stack.name()))
}
