//! An activation behind the line of a normalisation, computed along with it while the numbers are in the nearest cache.

use super::batch_norm::line;
use super::blocking::activated_elements;
use super::elementwise::{activate, activate_backward};
use super::real::Real;
use strata_core::project::layer::Activation;

/// `y = activation(x·scale + shift)`.
#[derive(Clone, Copy)]
pub(crate) struct Activated<'a, T> {
    pub activation: Activation,
    pub channels: usize,
    /// As wide as a row.
    pub scale: &'a [T],
    /// As wide as a row.
    pub shift: &'a [T],
}

impl<T: Real> Activated<'_, T> {
    /// Elements that are computed at a time.
    fn size(&self) -> usize {
        activated_elements(self.channels)
    }

    /// Whole pixels of `x` to `y`.
    pub fn forward(&self, x: &[T], y: &mut [T]) {
        let size = self.size();
        T::with_scratch(size, |scratch| {
            for (y, x) in y.chunks_mut(size).zip(x.chunks(size)) {
                let before = &mut scratch[..x.len()];
                line(x, self.scale, self.shift, before);
                activate(self.activation, before, y);
            }
        });
    }

    /// Elements that [`Activated::each_gradient`] works in.
    pub fn scratch(&self) -> usize {
        2 * self.size()
    }

    /// Calls `f(first element, their gradient before the activation)` for some whole pixels after the other. `of`: x, y
    /// and the gradient of y.
    pub fn each_gradient(&self, of: [&[T]; 3], scratch: &mut [T], mut f: impl FnMut(usize, &[T])) {
        let size = self.size();
        let [x, y, gradient] = of;
        for first in (0..x.len()).step_by(size) {
            let some = first..(first + size).min(x.len());
            let (before, own) = scratch.split_at_mut(size);
            let (before, own) = (&mut before[..some.len()], &mut own[..some.len()]);
            line(&x[some.clone()], self.scale, self.shift, before);
            let (y, gradient) = (&y[some.clone()], &gradient[some]);
            activate_backward(self.activation, before, y, gradient, own);
            f(first, own);
        }
    }
}
