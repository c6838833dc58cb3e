//! What `strata inspect` takes for adversarial examples.

use super::radius;
use clap::Args as ClapArgs;
use std::path::PathBuf;
use strata_inspect::adversarial::{Attack, Norm};

/// What only adversarial examples take.
#[derive(Debug, ClapArgs)]
pub struct AdversarialArgs {
    /// Of adversarial: fgsm, iterated or pgd [default: fgsm]
    #[arg(long, value_name = "WORD", value_parser = attack)]
    pub attack: Option<Attack>,
    /// Of adversarial: the norm of the largest change, linf or l2 [default: linf]
    #[arg(long, value_name = "WORD", value_parser = norm)]
    pub norm: Option<Norm>,
    /// Of adversarial: the largest change, where 1 is the way from black to white [default: 0.1]
    #[arg(long, value_name = "E", value_parser = radius)]
    pub epsilon: Option<f32>,
    /// Of adversarial: the class to be taken for, by name or number [default: any but the right one]
    #[arg(long, value_name = "C")]
    pub target: Option<String>,
    /// Of adversarial: average over so many random rotations, scales, brightnesses and noises in every step
    #[arg(long, value_name = "N")]
    pub transformations: Option<usize>,
    /// Of adversarial: whether the examples fool the network of this other run, too
    #[arg(long, value_name = "RUN")]
    pub transfer: Option<PathBuf>,
}

fn attack(text: &str) -> Result<Attack, String> {
    let words = Attack::ALL.map(Attack::word).join(", ");
    Attack::of_word(text).ok_or_else(|| format!("the attacks are {words}"))
}

fn norm(text: &str) -> Result<Norm, String> {
    let words = Norm::ALL.map(Norm::word).join(", ");
    Norm::of_word(text).ok_or_else(|| format!("the norms are {words}"))
}
