//! Advice about what is written and changes nothing because of its number: `dropout 0`, `rotate 0`, a penalty of weight 0.
//! It does no harm, so that training goes on; what misleads is to believe in it.

use super::Advice;
use super::case::Case;
use super::windows::unpooled;
use strata_core::project::data::DataSpec;
use strata_core::project::edit::Edit;
use strata_core::project::schedule::Course;
use strata_core::project::stage::{RateFactors, Stage};
use strata_core::shape::op::Op;

/// Layers that pass on what they get, in training too.
pub fn layers(case: &Case<'_>) -> Vec<Advice> {
    let planned = case.planned();
    let undone: Vec<usize> = planned.iter().filter_map(|layer| unpooled(layer)).collect();
    // A pooling that an `unpool` needs cannot be left out.
    let is_needed = |op: &Op| matches!(op, Op::MaxPool { slot, .. } if undone.contains(slot));
    let idle = planned
        .iter()
        .filter(|layer| layer.op.ask(|layer| layer.changes_nothing()) && !is_needed(&layer.op));
    let advice = |text: &str, place: &strata_core::project::Place| {
        let why = "With this number the layer gives back what it gets, in training and after it. Give it a number that \
             acts, or leave it out.";
        Advice::new(format!("`{text}` changes nothing"), why)
            .at(place)
            .fix(
                format!("remove {text} at {place}"),
                Edit::Remove(place.clone()),
            )
    };
    idle.filter_map(|layer| Some(advice(&case.row(&layer.place)?.text, &layer.place)))
        .collect()
}

/// Augmentations that give back every image as it is.
pub fn augmentations(case: &Case<'_>) -> Vec<Advice> {
    let data = &case.project.data;
    let idle = data.augment.iter().enumerate();
    let idle = idle.filter(|(_, augment)| augment.changes_nothing());
    idle.map(|(index, augment)| {
        let why = "With this number, or this probability, every image is trained on as it is: nothing is augmented by it.";
        let mut kept = data.augment.clone();
        kept.remove(index);
        let without = DataSpec {
            augment: kept,
            ..data.clone()
        };
        Advice::new(format!("augment: `{augment}` changes nothing"), why)
            .fix(format!("remove {augment} from augment"), Edit::Data(without.without_idle()))
    })
    .collect()
}

/// Penalties without weight and schedules without a fall.
pub fn stages(case: &Case<'_>) -> Vec<Advice> {
    let stages = case.project.stages.iter().enumerate();
    stages
        .flat_map(|(index, stage)| {
            [
                penalty(index, stage),
                schedule(index, stage),
                factors(index, stage),
            ]
        })
        .flatten()
        .collect()
}

fn penalty(index: usize, stage: &Stage) -> Option<Advice> {
    let sparsity = stage
        .sparsity
        .as_ref()
        .filter(|sparsity| sparsity.beta == 0.0 && sparsity.l1 == 0.0)?;
    let why = "The penalty is beta times the distance from rho: with 0 the network is trained as without sparsity. \
         beta = 3 is usual (Ng, CS294A).";
    let without = Stage {
        sparsity: None,
        ..stage.clone()
    };
    let message = format!("sparsity `{sparsity}` changes nothing: its weight beta is 0");
    Some(Advice::new(message, why).of_stage(index).fix(
        format!("remove sparsity from stage {}", index + 1),
        Edit::Stage(index, without),
    ))
}

fn schedule(index: usize, stage: &Stage) -> Option<Advice> {
    let schedule = stage.schedule.as_ref()?;
    let (reason, why) = match &schedule.course {
        Course::Step { gamma, .. }
        | Course::MultiStep { gamma, .. }
        | Course::Exponential { gamma }
            if *gamma == 1.0 =>
        {
            (
                "its gamma is 1",
                "The rate is multiplied by gamma: with 1 it stays what it is from the first step to the last.",
            )
        }
        Course::Constant => (
            "the rate is constant without it",
            "A constant schedule is there for its warm-up; without one the rate is the optimizer's all the time.",
        ),
        Course::Plateau(plateau) if plateau.min >= stage.optimizer.lr() => (
            "its lowest rate is no lower than the optimizer's",
            "The rate falls where the metric stalls, but never below the lowest one.",
        ),
        Course::Step { .. }
        | Course::MultiStep { .. }
        | Course::Exponential { .. }
        | Course::Cosine { .. }
        | Course::Polynomial { .. }
        | Course::OneCycle(_)
        | Course::Plateau(_) => return None,
    };
    if schedule.warmup > 0.0 {
        return None;
    }
    let without = Stage {
        schedule: None,
        ..stage.clone()
    };
    let message = format!("schedule `{schedule}` changes nothing: {reason}");
    Some(Advice::new(message, why).of_stage(index).fix(
        format!("remove schedule from stage {}", index + 1),
        Edit::Stage(index, without),
    ))
}

/// Factors of 1 on the learning rate.
fn factors(index: usize, stage: &Stage) -> Option<Advice> {
    let is_one = |(_, factor): &&(String, f64)| *factor == 1.0;
    let (name, _) = stage.rate_factors.0.iter().find(is_one)?;
    // One of several may take a layer out of what another says.
    if stage.rate_factors.0.len() > 1 {
        return None;
    }
    let without = Stage {
        rate_factors: RateFactors::default(),
        ..stage.clone()
    };
    let why =
        "The learning rate of these layers is multiplied by it: with 1 it is that of all others.";
    let message = format!("the factor of {name} changes nothing: it is 1");
    Some(Advice::new(message, why).of_stage(index).fix(
        format!("remove rate factors from stage {}", index + 1),
        Edit::Stage(index, without),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{advice, project};
    use strata_core::project::{Project, builtin};

    /// The messages about a project that speak of what changes nothing; each fix takes its own away.
    fn told(project: &Project) -> Vec<String> {
        let of = |project: &Project| -> Vec<_> {
            let all = advice(project).into_iter();
            all.filter(|advice| advice.message.contains("changes nothing"))
                .collect()
        };
        let found = of(project);
        for advice in &found {
            let fix = advice
                .fix
                .as_ref()
                .unwrap_or_else(|| unreachable!("{}: no fix", advice.message));
            let mended = fix.edit.apply(project).unwrap();
            assert_eq!(of(&mended).len() + 1, found.len(), "{}", fix.label);
        }
        found.into_iter().map(|advice| advice.message).collect()
    }

    #[test]
    fn numbers_that_make_a_layer_pass_on_its_input_are_told() {
        for layer in [
            "dropout 0",
            "dropout-channels 0",
            "noise 0",
            "pad 0",
            "crop 0",
            "upsample 1",
            "upsample 1 bilinear",
            "maxpool 1",
            "avgpool 1",
            "leakyrelu 1",
            "adaptive-avgpool 8",
        ] {
            let stack = format!("conv 4 k3 p1;relu;{layer};conv 3 k3 p1");
            let said = told(&project("3x8x8", &stack, "relu;conv 3 k3 p1", ""));
            assert_eq!(said, [format!("`{layer}` changes nothing")]);
        }
        for layer in [
            "dropout 0.1",
            "noise 0.1",
            "pad 1;crop 1",
            "upsample 2;avgpool 2",
            "maxpool 3 s1 p1",
            "avgpool 1 s2;upsample 2",
            "leakyrelu",
            "identity",
            "conv 4 k1",
            "adaptive-avgpool 4;upsample 2",
        ] {
            let stack = format!("conv 4 k3 p1;relu;{layer};conv 3 k3 p1");
            assert_eq!(
                told(&project("3x8x8", &stack, "relu;conv 3 k3 p1", "")),
                [""; 0],
                "{layer}"
            );
        }
    }

    #[test]
    fn augmentations_and_settings_of_no_effect_are_told() {
        let mut base = project("3x8x8", "conv 4 k3 p1", "relu;conv 3 k3 p1", "");
        for (augment, is_told) in [
            ("hflip p0", true),
            ("hflip p0.1", false),
            ("vflip p0", true),
            ("grayscale p0", true),
            ("shift 0", true),
            ("shift 0.1", false),
            ("rotate 0", true),
            ("rotate 0..0", true),
            ("rotate 90..90", false),
            ("scale 1..1", true),
            ("scale 0", true),
            ("perspective 0", true),
            ("perspective 0.5 p0", true),
            ("brightness 0", true),
            ("contrast 1..1", true),
            ("contrast 0..1", false),
            ("saturation 0", true),
            ("hue 0", true),
            ("hue 0.1..0.1", false),
            ("blur 1", true),
            ("blur 3", false),
            ("noise 0", true),
            ("saltpepper 0", true),
            ("erase p0", true),
            ("crop 8", false),
            ("mixup 0.2", false),
        ] {
            base.data.augment = vec![augment.parse().unwrap()];
            assert_eq!(told(&base).len(), usize::from(is_told), "{augment}");
        }
        base.data.augment.clear();
        for (schedule, is_told) in [
            ("step every=1 gamma=1", true),
            ("exponential gamma=1", true),
            ("exponential gamma=0.9", false),
            ("cosine", false),
            ("constant", true),
            ("constant warmup=1", false),
            ("multistep at=1 gamma=1", true),
            ("exponential gamma=1 warmup=1", false),
            ("plateau patience=0 min=1", true),
            ("plateau patience=0", false),
            ("onecycle", false),
        ] {
            base.stages[0].epochs = 3;
            base.stages[0].schedule = Some(schedule.parse().unwrap());
            assert_eq!(told(&base).len(), usize::from(is_told), "{schedule}");
        }
        base.stages[0].schedule = None;
        for (factors, is_told) in [("encoder=1", true), ("encoder=0.5", false)] {
            base.stages[0].rate_factors = factors.parse().unwrap();
            assert_eq!(told(&base).len(), usize::from(is_told), "{factors}");
        }
        base.stages[0].rate_factors = Default::default();
        for (sparsity, is_told) in [
            ("rho=0.05 beta=0", true),
            ("rho=0.05 beta=0.1", false),
            ("l1=0", true),
            ("l1=1e-4", false),
        ] {
            base.stages[0].sparsity = Some(sparsity.parse().unwrap());
            assert_eq!(told(&base).len(), usize::from(is_told), "{sparsity}");
        }
    }

    #[test]
    fn nothing_of_the_built_in_projects_is_without_effect() {
        for project in builtin::ALL {
            assert_eq!(
                told(&project.project().unwrap()),
                [""; 0],
                "{}",
                project.name
            );
        }
    }
}
