//! Layers: resolved where the input is known, outlined where it is not; poolings are paired here.

use super::{Flow, Step, Walker};
use crate::project::layer::{Kind, Layer};
use crate::project::size::Shape;
use crate::shape::cost::Cost;
use crate::shape::error::ShapeError;
use crate::shape::op::{Op, Planned, PlannedLayer};
use crate::shape::partial_shape::PartialShape;
use crate::shape::pool_pairing::Pool;
use crate::shape::rules::{self, Context};

impl Walker {
    pub(super) fn layer(&mut self, layer: &Layer, flow: Flow) -> Step {
        let paired = match layer.kind {
            Kind::Unpool => self.pools.pair(layer.name.as_deref()),
            _ => None,
        };
        let context = Context {
            slot: self.slots,
            paired: paired.as_ref(),
            name: layer.name.as_deref(),
        };
        let input = flow.outline;
        let mut step = match input.full() {
            Some(shape) => self.known(layer, &shape, &context, flow),
            None => {
                let error = self.unknown_error(layer, paired.as_ref());
                Step::failed(rules::outline(&layer.kind, &input, paired.as_ref()), error)
            }
        };
        if matches!(layer.kind, Kind::MaxPool { .. }) {
            self.note_pool(layer, input, &step);
        }
        if matches!(layer.kind, Kind::Unpool) {
            self.excuse(paired.as_ref(), &mut step);
        }
        step
    }

    fn known(&mut self, layer: &Layer, input: &Shape, context: &Context<'_>, flow: Flow) -> Step {
        let resolved = match rules::resolve(&layer.kind, input, context) {
            Ok(resolved) => resolved,
            Err(error) => {
                return Step::failed(
                    rules::outline(&layer.kind, &flow.outline, context.paired),
                    Some(error),
                );
            }
        };
        let rules::Resolved { op, output } = resolved;
        self.cost = self.cost.plus(Cost::of(&op, input, &output));
        self.layers += 1;
        let flow = Flow {
            outline: PartialShape::of(&output),
            field: flow.field.map(|field| field.after(&op)),
        };
        let (place, key) = (self.at.place(), self.at.key());
        let planned = PlannedLayer {
            place,
            key,
            op,
            input: input.clone(),
            output,
        };
        Step {
            flow,
            planned: Some(Planned::Layer(planned)),
            error: None,
        }
    }

    /// What is wrong with a layer whatever its input is.
    fn unknown_error(&self, layer: &Layer, paired: Option<&Pool>) -> Option<ShapeError> {
        match (&layer.kind, paired) {
            (Kind::Unpool, None) => Some(rules::unpaired(layer.name.as_deref())),
            (kind, _) => rules::attributes(kind).err(),
        }
    }

    fn note_pool(&mut self, layer: &Layer, input: PartialShape, step: &Step) {
        let geometry = match &step.planned {
            Some(Planned::Layer(PlannedLayer {
                op: Op::MaxPool { geometry, .. },
                ..
            })) => Some(*geometry),
            _ => None,
        };
        let (place, text, name) = (self.at.place(), layer.to_string(), layer.name.clone());
        self.pools.push(Pool {
            slot: self.slots,
            name,
            place,
            text,
            input,
            output: step.flow.outline,
            geometry,
        });
        self.slots += 1;
    }

    /// Takes back the error of an unpool that only follows from another, and adds the name that
    /// would help.
    fn excuse(&self, paired: Option<&Pool>, step: &mut Step) {
        let follows = self.pools.uncertain || paired.is_some_and(|pool| pool.geometry.is_none());
        if follows {
            step.error = None;
            if step.planned.is_none() && paired.is_none() {
                step.flow.outline = PartialShape::UNKNOWN;
            }
        }
        let (Some(error), Some(_)) = (&mut step.error, paired) else {
            return;
        };
        let Some(input) = self
            .rows
            .get(self.cursor.saturating_sub(1))
            .and_then(|row| row.input.as_ref())
        else {
            return;
        };
        if let Some(other) = self.pools.giving(&PartialShape::of(input)) {
            let line = format!(
                "or undo the pooling at {}, which gave {input}: name it @a there, and write unpool @a",
                other.place
            );
            error.help.push(line.into());
        }
    }
}
