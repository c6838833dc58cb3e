//! `strata inspect RUN sparse-code`: how active each unit is on average, and one unit with what excites it.

use super::picture::{Draw, Drawn, Images, Picture};
use crate::cli::args::InspectArgs;
use crate::cli::numbers::Numbers;
use crate::cli::{WrongInput, output, text};
use serde_json::json;
use strata_engine::storage::saved_run::SavedRun;
use strata_gui::plate::{of_network, of_unit};
use strata_inspect::activity_change::signed;
use strata_inspect::sparse::unit::{self, SparseUnit};
use strata_inspect::sparse::{SparseCode, UnitChanges};

/// `strata inspect RUN sparse-code`
pub(super) const PICTURE: Picture = Picture {
    word: "sparse-code",
    shows: "How active each hidden unit is on average",
    images: Images::Set,
    takes: &["--since", "--unit", "--numbers"],
    draw: Draw::Run(picture),
    check,
};

fn check(args: &InspectArgs) -> Result<(), WrongInput> {
    if args.since.is_some() && args.unit.is_some() {
        let message = "--since is for all units: look at one unit at each step by itself";
        return Err(WrongInput(message.to_owned()));
    }
    Ok(())
}

/// Means within this distance of the target count as there.
const NEAR: f64 = 0.03;

/// The charts of all units, or with `--unit` the pictures of one.
fn picture(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<Drawn> {
    let images = super::from_split(args);
    let code = run.inspect::<SparseCode>(&images)?;
    let wanted = args.unit.as_ref().map(|unit| unit.channel as usize);
    let units = code.means.len();
    if let Some(unit) = wanted.filter(|unit| *unit >= units) {
        let message = format!(
            "there is no unit {unit}: {} has {units}, from 0",
            code.layer
        );
        return Err(WrongInput(message).into());
    }
    let request = unit::Request {
        unit: wanted,
        images,
    };
    let unit = match code.since {
        Some(_) => None,
        None => Some(run.inspect::<SparseUnit>(&request)?),
    };
    say(&code);
    if let Some(file) = &args.numbers {
        let shares = code.penalty_shares();
        let share = |unit: usize| shares.as_ref().map_or(0.0, |shares| shares[unit] as f32);
        let units = code.means.iter().zip(&code.active).enumerate();
        let values: Vec<f32> = units
            .flat_map(|(unit, (mean, active))| [*mean, *active, share(unit)])
            .collect();
        let axes = [
            ("unit", code.means.len()),
            ("mean,active,share_of_penalty", 3),
        ];
        Numbers {
            axes: &axes,
            values: &values,
        }
        .save(file)?;
    }
    let mut value = serde_json::to_value(&code)?;
    if let Some(value) = value.as_object_mut() {
        value.insert("dead".into(), json!(code.dead()));
        value.insert("always_on".into(), json!(code.always_on()));
        value.insert("penalty_shares".into(), json!(code.penalty_shares()));
        value.insert("near_target".into(), json!(code.near_target(NEAR)));
        if let Some(unit) = &unit {
            value.insert("unit".into(), serde_json::to_value(unit)?);
        }
    }
    let drawn = match unit.filter(|_| wanted.is_some()) {
        Some(unit) => of_unit::plate(&unit),
        None => of_network::sparse_code(&code),
    };
    Ok((drawn, Some(value)))
}

fn say(code: &SparseCode) {
    let SparseCode {
        layer,
        split,
        images,
        of,
        means,
        ..
    } = code;
    let mean = means.iter().map(|mean| f64::from(*mean)).sum::<f64>() / means.len().max(1) as f64;
    let target =
        code.target
            .zip(code.penalty)
            .map_or_else(String::new, |((rho, beta), penalty)| {
                format!(
                    ", target {rho}, penalty {} (beta {beta})",
                    text::figure(penalty)
                )
            });
    if let Some(since) = &code.since {
        return say_change(code, since, mean);
    }
    let (units, mean) = (means.len(), text::figure(mean));
    output::say(&format!(
        "{layer}: {units} units, mean activation {mean}{target}, over {images} of {of} {split} images"
    ));
    let near = code.near_target(NEAR).map_or_else(String::new, |share| {
        format!(
            "{:.1} % of the units within {NEAR} of the target; ",
            100.0 * share
        )
    });
    let (dead, always) = (code.dead().len(), code.always_on().len());
    output::say(&format!("{near}{dead} dead, {always} always on"));
}

/// How much the means have changed since an earlier step, `mean` over all units.
fn say_change(code: &SparseCode, since: &UnitChanges, mean: f64) {
    let penalty = code.penalty.map_or_else(String::new, |penalty| {
        format!(", penalty {}", signed(penalty, 4))
    });
    output::say(&format!(
        "{}: {} units, change since step {}: mean activation {}{penalty}; {} died, {} no longer dead",
        code.layer,
        code.means.len(),
        since.step,
        signed(mean, 4),
        since.died.len(),
        since.revived.len()
    ));
}
