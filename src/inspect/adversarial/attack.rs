//! The attacks: how an image is changed within a ball so that the network is wrong.
//!
//! Images are taken as shares of the way from black (0) to white (1), whatever numbers the network gets; ε is in these
//! units, and no value leaves 0 to 1. With transformations the gradient is the mean over random ones, so that the
//! result fools from other views too (expectation over transformation, Athalye et al. 2018).

use super::transformation::Transformation;
use crate::attribution::Watch;
use crate::attribution::score::{Score, Scored};
use crate::inspection::InspectError;
use rand::Rng;
use strata_core::rng::{Purpose, stream};
use strata_data::{DataError, Dataset, InputTransform, Progress};
use strata_nn::Network;

/// How the image is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attack {
    /// One step along the gradient (Goodfellow, Shlens, Szegedy 2015).
    #[default]
    Fgsm,
    /// Many small steps from the image itself (Kurakin, Goodfellow, Bengio 2017).
    Iterated,
    /// Many steps from a random place in the ball (Madry et al. 2018).
    Pgd,
}

impl Attack {
    /// All of them, in the order of menus.
    pub const ALL: [Attack; 3] = [Attack::Fgsm, Attack::Iterated, Attack::Pgd];

    /// Its word in the terminal.
    pub fn word(self) -> &'static str {
        match self {
            Attack::Fgsm => "fgsm",
            Attack::Iterated => "iterated",
            Attack::Pgd => "pgd",
        }
    }

    /// What it is called in the window.
    pub fn name(self) -> &'static str {
        match self {
            Attack::Fgsm => "FGSM",
            Attack::Iterated => "iterated",
            Attack::Pgd => "PGD",
        }
    }

    /// The attack of this word.
    pub fn of_word(word: &str) -> Option<Attack> {
        Attack::ALL.into_iter().find(|attack| attack.word() == word)
    }

    /// Steps.
    pub fn steps(self) -> usize {
        match self {
            Attack::Fgsm => 1,
            Attack::Iterated => 10,
            Attack::Pgd => 20,
        }
    }

    /// The length of a step as a share of ε.
    fn rate(self) -> f32 {
        match self {
            Attack::Fgsm => 1.0,
            Attack::Iterated => 1.0 / self.steps() as f32,
            Attack::Pgd => 2.5 / self.steps() as f32,
        }
    }
}

/// In which norm ε is the largest distance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Norm {
    /// No value changes by more than ε.
    #[default]
    Linf,
    /// The root of the sum of the squares is at most ε.
    L2,
}

impl Norm {
    /// Both.
    pub const ALL: [Norm; 2] = [Norm::Linf, Norm::L2];

    /// Its word in the terminal.
    pub fn word(self) -> &'static str {
        match self {
            Norm::Linf => "linf",
            Norm::L2 => "l2",
        }
    }

    /// What it is called in the window.
    pub fn name(self) -> &'static str {
        match self {
            Norm::Linf => "L∞",
            Norm::L2 => "L2",
        }
    }

    /// The norm of this word.
    pub fn of_word(word: &str) -> Option<Norm> {
        Norm::ALL.into_iter().find(|norm| norm.word() == word)
    }

    /// The length of a change.
    pub fn length(self, change: &[f32]) -> f32 {
        match self {
            Norm::Linf => change.iter().fold(0.0, |most, value| value.abs().max(most)),
            Norm::L2 => {
                let squares = change.iter().map(|value| f64::from(*value).powi(2));
                squares.sum::<f64>().sqrt() as f32
            }
        }
    }

    /// A step of this length that raises the loss most.
    fn step(self, gradient: &[f32], length: f32) -> Vec<f32> {
        match self {
            Norm::Linf => {
                let sign = |slope: &f32| if *slope == 0.0 { 0.0 } else { slope.signum() };
                gradient.iter().map(|slope| length * sign(slope)).collect()
            }
            Norm::L2 => {
                let size = self.length(gradient);
                let scale = if size > 0.0 { length / size } else { 0.0 };
                gradient.iter().map(|slope| scale * slope).collect()
            }
        }
    }

    /// The nearest change in the ball.
    pub(super) fn project(self, change: &mut [f32], epsilon: f32) {
        match self {
            Norm::Linf => change
                .iter_mut()
                .for_each(|value| *value = value.clamp(-epsilon, epsilon)),
            Norm::L2 => {
                let size = self.length(change);
                if size > epsilon {
                    change.iter_mut().for_each(|value| *value *= epsilon / size);
                }
            }
        }
    }
}

/// How images are attacked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct How {
    /// The attack.
    pub attack: Attack,
    /// The norm of the ball.
    pub norm: Norm,
    /// Its radius, in shares of the way from black to white.
    pub epsilon: f32,
    /// Whether the classes are those that the images should be taken for, instead of their right ones.
    pub is_targeted: bool,
    /// Random transformations over which the gradient is averaged, 0 for none.
    pub transformations: usize,
    /// Starts everything random.
    pub seed: u64,
}

/// The images of a network as shares of the way from black to white.
#[derive(Clone, Debug)]
pub struct Shares {
    /// What black and white become, for each channel or for all alike.
    pub ends: Vec<[f32; 2]>,
    /// Height, width and channels of an image.
    pub size: [usize; 3],
    /// What the network's images were whitened with.
    pub whitening: Option<InputTransform>,
}

impl Shares {
    /// Those of a dataset's images. Fails where each image's own mean is taken away: it is lost, and with it where black
    /// and white are.
    pub fn of(dataset: &Dataset, size: [usize; 3]) -> Result<Shares, InspectError> {
        let transform = dataset.transform();
        if transform.is_some_and(InputTransform::centers) {
            return Err(InspectError::Input(
                "an attack stays between black and white, and of centred images (center) nobody knows where these are: attack a network that is trained without".to_owned(),
            ));
        }
        Ok(Shares {
            ends: dataset.ends(),
            size,
            whitening: transform.cloned(),
        })
    }

    fn widths(&self) -> impl Iterator<Item = f32> + '_ {
        self.ends.iter().map(|[low, high]| high - low).cycle()
    }

    /// Shares of numbers as the network gets them.
    pub fn of_numbers(&self, numbers: &[f32]) -> Vec<f32> {
        let ends = self.ends.iter().cycle();
        let share = |(number, [low, high]): (&f32, &[f32; 2])| (number - low) / (high - low);
        let mut numbers = numbers.to_vec();
        if let Some(whitening) = &self.whitening {
            whitening.undo(&mut numbers);
        }
        numbers.iter().zip(ends).map(share).collect()
    }

    /// Numbers as the network gets them, before they are whitened.
    pub fn in_range(&self, shares: &[f32]) -> Vec<f32> {
        let ends = self.ends.iter().cycle();
        let number = |(share, [low, high]): (&f32, &[f32; 2])| low + (high - low) * share;
        shares.iter().zip(ends).map(number).collect()
    }

    /// Numbers as the network gets them.
    pub fn to_numbers(&self, shares: &[f32]) -> Vec<f32> {
        let mut numbers = self.in_range(shares);
        if let Some(whitening) = &self.whitening {
            whitening.apply(&mut numbers);
        }
        numbers
    }

    /// Slopes by the shares, of slopes by the numbers that the network gets.
    fn slopes(&self, slopes: &mut [f32]) {
        self.slopes_in_range(slopes);
        let widths = slopes.iter_mut().zip(self.widths());
        widths.for_each(|(slope, width)| *slope *= width);
    }

    /// Slopes by the numbers before they are whitened, of slopes by those that the network gets.
    pub fn slopes_in_range(&self, slopes: &mut [f32]) {
        if let Some(whitening) = &self.whitening {
            whitening.weights_on_pixels(slopes);
        }
    }

    /// Values of an image.
    pub fn len(&self) -> usize {
        self.size.iter().product::<usize>().max(1)
    }

    /// Whether images have no values.
    pub fn is_empty(&self) -> bool {
        self.size.contains(&0)
    }
}

/// Attacks images (shares, one after the other), each for its own class; gives the changed images.
pub fn attack(
    network: &mut Network,
    shares: &Shares,
    images: &[f32],
    classes: &[u32],
    how: &How,
    watch: &mut Watch<'_>,
) -> Result<Vec<f32>, InspectError> {
    let changes = match how.attack {
        Attack::Pgd => start(images.len(), shares.len(), how),
        Attack::Fgsm | Attack::Iterated => vec![0.0; images.len()],
    };
    attack_from(network, shares, (images, changes), classes, how, watch)
}

/// The same from these changes on.
pub(super) fn attack_from(
    network: &mut Network,
    shares: &Shares,
    (images, mut changes): (&[f32], Vec<f32>),
    classes: &[u32],
    how: &How,
    watch: &mut Watch<'_>,
) -> Result<Vec<f32>, InspectError> {
    let steps = how.attack.steps();
    let length = how.epsilon * how.attack.rate() * if how.is_targeted { -1.0 } else { 1.0 };
    let mut changed = bounded(images, &mut changes);
    for step in 0..steps {
        let progress = Progress {
            what: "attacking",
            done: step,
            total: steps,
        };
        if !watch(progress) {
            return Err(DataError::Cancelled.into());
        }
        let gradient = gradient(network, shares, &changed, classes, how, step)?;
        let parts = changes.chunks_exact_mut(shares.len());
        for (change, gradient) in parts.zip(gradient.chunks_exact(shares.len())) {
            let moved = how.norm.step(gradient, length);
            change
                .iter_mut()
                .zip(moved)
                .for_each(|(change, by)| *change += by);
            how.norm.project(change, how.epsilon);
        }
        changed = bounded(images, &mut changes);
    }
    Ok(changed)
}

/// A random place in the ball for each image.
fn start(len: usize, each: usize, how: &How) -> Vec<f32> {
    let mut rng = stream(how.seed, Purpose::Inspection, u64::MAX);
    let mut changes: Vec<f32> = (0..len)
        .map(|_| how.epsilon * rng.random_range(-1.0f32..=1.0))
        .collect();
    for change in changes.chunks_exact_mut(each) {
        how.norm.project(change, how.epsilon);
    }
    changes
}

/// The changed images, no value beyond black or white; the changes are cut with them.
fn bounded(images: &[f32], changes: &mut [f32]) -> Vec<f32> {
    let pairs = images.iter().zip(changes.iter_mut());
    let one = |(image, change): (&f32, &mut f32)| {
        // What already lies beyond an end stays where it was.
        let (low, high) = (image.min(0.0), image.max(1.0));
        let changed = (image + *change).clamp(low, high);
        *change = changed - image;
        changed
    };
    pairs.map(one).collect()
}

/// The gradient of each image's loss by its shares, over transformations where there are some.
fn gradient(
    network: &mut Network,
    shares: &Shares,
    images: &[f32],
    classes: &[u32],
    how: &How,
    step: usize,
) -> Result<Vec<f32>, InspectError> {
    let mut plain = |images: &[f32]| -> Result<Vec<f32>, InspectError> {
        let numbers = shares.to_numbers(images);
        let mut scored = Scored::new(network, Score::Loss(classes.to_vec()), shares.size);
        let (_, mut gradient) = scored.gradients(&numbers)?;
        shares.slopes(&mut gradient);
        Ok(gradient)
    };
    if how.transformations == 0 {
        return plain(images);
    }
    let mut sum = vec![0.0f32; images.len()];
    for index in 0..how.transformations {
        let seed = (step * how.transformations + index) as u64;
        let transformation = Transformation::draw(how.seed, seed);
        let seen = transformation.apply(images, shares.size);
        let gradient = transformation.pull_back(&plain(&seen)?, shares.size);
        let share = 1.0 / how.transformations as f32;
        sum.iter_mut()
            .zip(gradient)
            .for_each(|(sum, slope)| *sum += share * slope);
    }
    Ok(sum)
}
