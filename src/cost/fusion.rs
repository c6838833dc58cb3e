//! Predicts which layers of a plan run as one, and which of them are trained.
//!
//! Which layer can do whose work is said by [`strata_nn::fusion_rules`]; what is frozen, watched or unrolled is
//! followed here as `nn` does it, and a test compares the two.

use strata_core::project::size::Shape;
use strata_core::project::stage::Stage;
use strata_core::project::target::Target;
use strata_core::project::{Place, Stack};
use strata_core::shape::op::{Planned, PlannedLayer};
use strata_nn::fusion_rules::{Followers, reads_through};

/// A layer or a block of branches as it runs.
pub(crate) struct FusedUnit<'a> {
    pub place: &'a Place,
    pub work: Work<'a>,
    /// Numbers of an image that comes in.
    pub input: u64,
    /// Output values of the layer itself for an image.
    pub output: u64,
    /// Numbers of an image that is written: those of the last layer whose work is done along.
    pub written: u64,
    /// Whether it computes the layers that it can replace.
    pub fused: bool,
    /// The layers whose work it can do.
    pub followers: Followers<'a>,
    /// The image that a dense layer reads, which a flatten before it would lay out.
    pub unflattens: Option<&'a Shape>,
    /// Whether another unit does its work.
    pub skipped: bool,
    pub trains: bool,
    /// Whether a sparsity penalty looks at its output.
    pub watched: bool,
    absorbs: usize,
    /// Whether the unit that follows can do this one's work.
    given_up: bool,
}

/// What a unit computes.
pub(crate) enum Work<'a> {
    Layer(&'a PlannedLayer),
    Join {
        concat: bool,
        branches: Vec<Vec<FusedUnit<'a>>>,
    },
}

/// What a stage leaves alone, and which output it watches.
pub(crate) struct Watch {
    stage: Stage,
    sparsity: Option<Target>,
}

impl Watch {
    /// What a stage says.
    pub fn of(stage: &Stage) -> Watch {
        let sparsity = stage
            .sparsity
            .as_ref()
            .map(|s| s.at.as_deref().unwrap_or(Stack::Encoder.name()));
        Watch {
            stage: stage.clone(),
            sparsity: sparsity.and_then(|name| name.parse().ok()),
        }
    }

    /// Whether the parameters at a place learn.
    pub fn trains(&self, place: &Place) -> bool {
        !self.stage.freezes(place)
    }
}

/// The units of a stack in their order, repeats unrolled.
pub(crate) fn units<'a>(planned: &'a [Planned], input: u64, watch: &Watch) -> Vec<FusedUnit<'a>> {
    let mut units = sequence(planned, input, watch);
    if let Some(target) = &watch.sparsity {
        let (mut count, mut last) = (0, None);
        each(&mut units, &mut |unit| {
            last = if target.contains(unit.place) {
                Some(count)
            } else {
                last
            };
            count += 1;
        });
        count = 0;
        each(&mut units, &mut |unit| {
            unit.watched = last == Some(count);
            count += 1;
        });
    }
    settle(&mut units);
    units
}

/// Visits all units, those inside a block before it.
fn each<'a>(units: &mut [FusedUnit<'a>], visit: &mut dyn FnMut(&mut FusedUnit<'a>)) {
    for unit in units {
        if let Work::Join { branches, .. } = &mut unit.work {
            branches.iter_mut().for_each(|branch| each(branch, visit));
        }
        visit(unit);
    }
}

fn sequence<'a>(planned: &'a [Planned], input: u64, watch: &Watch) -> Vec<FusedUnit<'a>> {
    let mut units: Vec<FusedUnit<'a>> = Vec::new();
    let (mut head, mut before): (Option<usize>, Option<&PlannedLayer>) = (None, None);
    for node in planned {
        let input = units.last().map_or(input, |unit| unit.output);
        match node {
            Planned::Layer(layer) => {
                units.push(FusedUnit::of_layer(layer, watch));
                let last = units.len() - 1;
                let absorbed = head
                    .is_some_and(|head| units.get_mut(head).is_some_and(|head| head.absorb(layer)));
                head = if absorbed { head } else { Some(last) };
                if let ([.., earlier, last], Some(before)) = (units.as_mut_slice(), before) {
                    let reads = reads_through(&layer.op, before);
                    last.unflattens = reads.then_some(&before.input);
                    earlier.given_up = reads;
                }
                before = Some(layer);
            }
            Planned::Add { place, branches } | Planned::Concat { place, branches } => {
                (head, before) = (None, None);
                let concat = matches!(node, Planned::Concat { .. });
                let branches = branches
                    .iter()
                    .map(|branch| sequence(branch, input, watch))
                    .collect();
                units.push(FusedUnit::of_join(place, concat, branches, input));
            }
            Planned::Repeat { passes, .. } => {
                (head, before) = (None, None);
                for pass in passes {
                    let input = units.last().map_or(input, |unit| unit.output);
                    units.extend(sequence(pass, input, watch));
                }
            }
        }
    }
    units
}

/// Decides, once it is known what is watched, who does whose work.
fn settle(units: &mut [FusedUnit<'_>]) {
    let mut absorbed = 0;
    for i in 0..units.len() {
        let ahead = units.get(i).map_or(0, |unit| unit.absorbs);
        let watched = units.iter().skip(i).take(ahead).any(|unit| unit.watched);
        let written = units.get(i + ahead).map_or(0, |last| last.output);
        let Some(unit) = units.get_mut(i) else {
            continue;
        };
        if let Work::Join { branches, .. } = &mut unit.work {
            branches.iter_mut().for_each(|branch| settle(branch));
        }
        unit.skipped = absorbed > 0 || (unit.given_up && !unit.watched);
        if absorbed > 0 {
            absorbed -= 1;
        } else if !unit.skipped {
            unit.fused = ahead > 0 && !watched;
            absorbed = if unit.fused { ahead } else { 0 };
            unit.written = if unit.fused { written } else { unit.output };
        }
    }
}

impl<'a> FusedUnit<'a> {
    fn new(
        place: &'a Place,
        work: Work<'a>,
        input: u64,
        output: u64,
        trains: bool,
    ) -> FusedUnit<'a> {
        FusedUnit {
            place,
            work,
            input,
            output,
            written: output,
            fused: false,
            followers: Followers::default(),
            unflattens: None,
            skipped: false,
            trains,
            watched: false,
            absorbs: 0,
            given_up: false,
        }
    }

    fn of_layer(layer: &'a PlannedLayer, watch: &Watch) -> FusedUnit<'a> {
        let trains = layer.op.count().parameters(&layer.input) > 0 && watch.trains(&layer.place);
        FusedUnit::new(
            &layer.place,
            Work::Layer(layer),
            layer.input.elements(),
            layer.output.elements(),
            trains,
        )
    }

    fn of_join(
        place: &'a Place,
        concat: bool,
        branches: Vec<Vec<FusedUnit<'a>>>,
        input: u64,
    ) -> FusedUnit<'a> {
        let mut outputs = branches.iter().map(|branch| end(branch, input));
        let output = if concat {
            outputs.fold(0, u64::saturating_add)
        } else {
            outputs.next().unwrap_or(input)
        };
        let trains = branches.iter().flatten().any(|unit| unit.trains);
        FusedUnit::new(
            place,
            Work::Join { concat, branches },
            input,
            output,
            trains,
        )
    }

    /// Takes over the work of a layer behind it, if it can.
    fn absorb(&mut self, next: &'a PlannedLayer) -> bool {
        let Work::Layer(layer) = &self.work else {
            return false;
        };
        let can = self.followers.add(&layer.op, next).is_some();
        self.absorbs += usize::from(can);
        can
    }
}

/// Numbers of an image that comes out of a sequence.
pub(crate) fn end(units: &[FusedUnit<'_>], input: u64) -> u64 {
    units.last().map_or(input, |unit| unit.output)
}

/// The first unit that learns; the length when there is none.
pub(crate) fn first_trained(units: &[FusedUnit<'_>]) -> usize {
    units
        .iter()
        .position(|unit| unit.trains)
        .unwrap_or(units.len())
}

/// Whether a layer with weights is in here for which this holds.
pub(crate) fn any_weight(units: &[FusedUnit<'_>], holds: &dyn Fn(&Place) -> bool) -> bool {
    units.iter().any(|unit| match &unit.work {
        Work::Layer(layer) => layer.op.count().parameters(&layer.input) > 0 && holds(unit.place),
        Work::Join { branches, .. } => branches.iter().any(|branch| any_weight(branch, holds)),
    })
}
