//! The Bayesian search: which values the next trials get, from what all trials before them have reached.
//!
//! It is a tree-structured Parzen estimator (Bergstra et al., 2011): for each factor two densities are estimated, of its
//! values in the best tenth of the trials and in the others, and of several draws from the first the one is taken that is
//! likeliest in it against the second. Trials that failed, were hopeless or did not fit count as the worst. The trials
//! of one round are chosen one after the other, each as if those before it had turned out the worst, so that they do not
//! crowd at one place.
//!
//! The choice follows from the project's seed and the results alone.

use super::SweepError;
use super::plan::{DRAWS, Plan, at_share, combination, key_of};
use super::progress::RunProgress;
use super::schedule::{Standings, mean, ranked_split};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_core::{Infallible, TryRng};
use std::collections::BTreeSet;
use strata_core::project::sweep::{Factor, Values};
use strata_core::rng::{Purpose, stream};
use toml::Value;
use tpe::density_estimation::DefaultEstimatorBuilder;
use tpe::range::{Range, RangeError};
use tpe::{TpeOptimizerBuilder, categorical_range, histogram_estimator, parzen_estimator};

/// What a trial counts as that has no result: the worst.
const WORST: f64 = f64::INFINITY;
/// The greatest number below 1, which the estimator's half-open ranges exclude.
const BELOW_ONE: f64 = 1.0 - f64::EPSILON;

/// The values of the next round's trials, no two alike and none tried before; fewer where there are no more.
pub(crate) fn next_round(
    plan: &Plan,
    standings: &Standings,
) -> Result<Vec<Vec<Value>>, SweepError> {
    let place = plan.trials.len();
    let wanted = plan.round_size().min(plan.planned.saturating_sub(place));
    let mut known = Known::of(plan, standings);
    let mut rng = Randomness(stream(plan.project.seed, Purpose::Sweep, place as u64));
    let mut chosen = Vec::new();
    while chosen.len() < wanted {
        let Some(values) = known.next(&mut rng)? else {
            break;
        };
        known.add(&values, WORST);
        chosen.push(values);
    }
    Ok(chosen)
}

/// What each trial has reached, less being better.
fn reached(plan: &Plan, standings: &Standings) -> Vec<f64> {
    let metric = plan.metric(ranked_split(standings));
    let of_trial = |(place, runs): (usize, &Vec<RunProgress>)| {
        let is_whole =
            plan.trials[place].project.is_ok() && runs.iter().all(RunProgress::is_completed);
        let values = runs.iter().map(|run| run.ranked(metric, None));
        let values: Option<Vec<f64>> = values.collect();
        let value = values.filter(|_| is_whole).map(|values| mean(&values));
        match value.filter(|value| value.is_finite()) {
            Some(value) if metric.measure.is_more_better() => -value,
            Some(value) => value,
            None => WORST,
        }
    };
    standings.iter().enumerate().map(of_trial).collect()
}

/// The trials there are, and what the estimator is told of them.
struct Known<'p> {
    factors: &'p [Factor],
    /// The place of each factor's value, and what came of it.
    trials: Vec<(Vec<f64>, f64)>,
    taken: BTreeSet<String>,
}

impl<'p> Known<'p> {
    fn of(plan: &'p Plan, standings: &Standings) -> Known<'p> {
        let mut known = Known {
            factors: &plan.sweep.factors,
            trials: Vec::new(),
            taken: BTreeSet::new(),
        };
        for (trial, reached) in plan.trials.iter().zip(reached(plan, standings)) {
            known.add(&trial.values, reached);
        }
        known
    }

    fn add(&mut self, values: &[Value], reached: f64) {
        self.taken.insert(key_of(values));
        let places = self.factors.iter().zip(values);
        let places = places.map(|(factor, value)| place_of(factor, value));
        self.trials.push((places.collect(), reached));
    }

    /// A combination that is not there yet: estimated, or where that finds only known ones, drawn, or the first that is left.
    fn next(&self, rng: &mut Randomness) -> Result<Option<Vec<Value>>, SweepError> {
        let is_new = |values: &Vec<Value>| !self.taken.contains(&key_of(values));
        for _ in 0..DRAWS {
            let values = self.estimated(rng)?;
            if is_new(&values) {
                return Ok(Some(values));
            }
        }
        for _ in 0..DRAWS {
            let drawn = self.factors.iter();
            let drawn = drawn
                .map(|factor| at_share(&factor.values, rng.0.random()))
                .collect();
            if is_new(&drawn) {
                return Ok(Some(drawn));
            }
        }
        Ok(self.first_left())
    }

    fn estimated(&self, rng: &mut Randomness) -> Result<Vec<Value>, SweepError> {
        let factors = self.factors.iter().enumerate();
        factors
            .map(|(at, factor)| self.estimated_value(at, factor, rng))
            .collect()
    }

    fn estimated_value(
        &self,
        at: usize,
        factor: &Factor,
        rng: &mut Randomness,
    ) -> Result<Value, SweepError> {
        // Places are inside of the ranges: nothing of this is refused.
        let refused = |error: &dyn std::fmt::Display| {
            SweepError::Input(format!("[sweep] {}: {error}", factor.key()))
        };
        let (estimator, ends) = space(factor).map_err(|error| refused(&error))?;
        let built = TpeOptimizerBuilder::new().build(estimator, ends);
        let mut optimizer = built.map_err(|error| refused(&error))?;
        for (places, reached) in &self.trials {
            let told = optimizer.tell(places[at], *reached);
            told.map_err(|error| refused(&error))?;
        }
        let place = optimizer.ask(rng).map_err(|error| refused(&error))?;
        Ok(match &factor.values {
            Values::Between(range) => range.at(place),
            Values::Listed(list) => list[(place as usize).min(list.len() - 1)].clone(),
        })
    }

    /// Walks through all combinations, where they are counted.
    fn first_left(&self) -> Option<Vec<Value>> {
        let all: Option<Vec<Vec<Value>>> = self
            .factors
            .iter()
            .map(|factor| all_of(&factor.values))
            .collect();
        let all = all?;
        let count = all
            .iter()
            .fold(1usize, |count, values| count.saturating_mul(values.len()));
        // Of so many known ones one of the next is new.
        (0..count.min(self.taken.len() + 1))
            .map(|number| combination(&all, number))
            .find(|values| !self.taken.contains(&key_of(values)))
    }
}

/// All values of a factor, where they are counted.
fn all_of(values: &Values) -> Option<Vec<Value>> {
    match values {
        Values::Listed(list) => Some(list.clone()),
        Values::Between(range) => {
            let whole = 0..range.count()? as i64;
            Some(
                whole
                    .map(|step| Value::Integer(range.from as i64 + step))
                    .collect(),
            )
        }
    }
}

/// What estimates a factor's densities, and the ends of its places.
fn space(factor: &Factor) -> Result<(DefaultEstimatorBuilder, Range), RangeError> {
    Ok(match &factor.values {
        Values::Between(_) => (parzen_estimator(), Range::new(0.0, 1.0)?),
        Values::Listed(list) => (histogram_estimator(), categorical_range(list.len())?),
    })
}

/// Where a value stands in its factor: its share of a range, its number in a list.
fn place_of(factor: &Factor, value: &Value) -> f64 {
    match &factor.values {
        Values::Between(range) => {
            let number = match value {
                Value::Integer(whole) => *whole as f64,
                Value::Float(number) => *number,
                _ => range.from,
            };
            range.share_of(number).min(BELOW_ONE)
        }
        Values::Listed(list) => list.iter().position(|known| known == value).unwrap_or(0) as f64,
    }
}

/// A stream of Strata's randomness as the estimator takes it, which is of a later version of `rand`.
struct Randomness(ChaCha8Rng);

impl TryRng for Randomness {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(rand::RngCore::next_u32(&mut self.0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(rand::RngCore::next_u64(&mut self.0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        rand::RngCore::fill_bytes(&mut self.0, bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
