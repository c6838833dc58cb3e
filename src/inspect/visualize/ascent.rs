//! The optimisation itself: images that climb a score step by step, and can be left and gone on with.

use super::basis::Canvas;
use super::goal::Goal;
use super::how::How;
use super::penalty::{take_off_likeness, take_off_variation};
use super::smooth::{pyramid, smooth, to_unit};
use crate::adversarial::Shares;
use crate::attribution::score::numbers;
use crate::effective_field::Cut;
use crate::inspection::InspectError;
use crate::network_copy::InspectionNetwork;
use crate::warp::{Edge, Warp};
use candle_core::Tensor;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use strata_core::rng::{Purpose, stream};
use strata_nn::{Mode, Network, Route};

/// One image: what it is to excite, how, and which start it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What is made large.
    pub goal: Goal,
    /// How.
    pub how: How,
    /// The number of the start among those of this goal.
    pub copy: usize,
    /// What the way is called, where several are shown side by side.
    pub variant: Option<String>,
}

/// The network that the score is of.
pub enum Climbed {
    /// The whole one: its classes' scores.
    Whole(Box<InspectionNetwork>),
    /// The layers up to the one that is asked for.
    Layer(Box<Cut>),
}

/// Numbers at the start deviate by this from 0.
const NOISE: f32 = 0.1;
/// The share of the way from black to white that an image to start from keeps off both ends: at the ends nothing moves.
const MARGIN: f32 = 0.02;
/// Images that pass through the network at once.
const BATCH: usize = 16;

/// Scores of images, and what the network gave for them.
pub struct Scored {
    /// The scores.
    pub scores: Vec<f32>,
    /// The outputs, one image after the other.
    pub outputs: Vec<Vec<f32>>,
    /// The gradients by the images.
    gradients: Vec<Vec<f32>>,
}

/// Images on their way.
pub struct Ascent {
    climbed: Climbed,
    jobs: Vec<Job>,
    canvas: Canvas,
    shares: Shares,
    /// Height, width and channels of a slice.
    slice: [usize; 3],
    /// The sizes of the map behind which the network ends.
    map: Vec<usize>,
    diversity: f32,
    seed: u64,
    theta: Vec<Vec<f32>>,
    done: usize,
    moved: Vec<bool>,
}

/// What an ascent is of.
pub struct Start<'a> {
    /// The network.
    pub climbed: Climbed,
    /// The images.
    pub jobs: Vec<Job>,
    /// The images' size, and what black and white become.
    pub shares: Shares,
    /// Slices of a volume, 1 of images.
    pub slices: usize,
    /// The sizes of the map behind which the network ends; empty for a vector.
    pub map: Vec<usize>,
    /// The colour covariance of the training images, in shares.
    pub covariance: &'a [f64],
    /// An image to start from, in shares.
    pub image: Option<&'a [f32]>,
    /// The weight of the likeness of images with one goal.
    pub diversity: f32,
    /// Starts everything random.
    pub seed: u64,
}

impl Ascent {
    /// Images before their first step.
    pub fn new(start: Start<'_>) -> Ascent {
        let [height, width, channels] = start.shares.size;
        let slice = [height / start.slices.max(1), width, channels];
        let canvas = Canvas::new(slice, start.covariance);
        let theta = |job: &Job| {
            let mut rng = stream(start.seed, Purpose::Inspection, counter(job.copy, 0));
            let noise: Vec<f32> = (0..start.shares.len())
                .map(|_| NOISE * Distribution::<f32>::sample(&StandardNormal, &mut rng))
                .collect();
            let Some(image) = start.image else {
                return noise;
            };
            let logits: Vec<f32> = image.iter().map(|share| logit(*share)).collect();
            let how = &job.how;
            let mut theta = canvas.theta(&logits, how.basis, how.decorrelated);
            if job.copy > 0 {
                let pairs = theta.iter_mut().zip(&noise);
                pairs.for_each(|(theta, noise)| *theta += noise);
            }
            theta
        };
        Ascent {
            theta: start.jobs.iter().map(theta).collect(),
            moved: vec![false; start.jobs.len()],
            climbed: start.climbed,
            jobs: start.jobs,
            canvas,
            shares: start.shares,
            slice,
            map: start.map,
            diversity: start.diversity,
            seed: start.seed,
            done: 0,
        }
    }

    /// What the images are to excite.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// Whether any step found a slope for an image: a dead unit has none.
    pub fn moved(&self) -> &[bool] {
        &self.moved
    }

    /// Steps taken.
    pub fn done(&self) -> usize {
        self.done
    }

    /// The images, one after the other, in shares of the way from black to white.
    pub fn images(&self) -> Vec<Vec<f32>> {
        let image = |(job, theta): (&Job, &Vec<f32>)| {
            let how = &job.how;
            let mut shares = self.canvas.logits(theta, how.basis, how.decorrelated);
            shares.iter_mut().for_each(|value| *value = sigmoid(*value));
            shares
        };
        self.jobs.iter().zip(&self.theta).map(image).collect()
    }

    /// The scores of the images as they are now.
    pub fn score(&mut self) -> Result<Scored, InspectError> {
        let images = self.images();
        self.pass(&images, false)
    }

    /// Takes a step with every image.
    pub fn step(&mut self) -> Result<(), InspectError> {
        let images = self.images();
        let warps: Vec<Option<Warp>> = self.jobs.iter().map(|job| self.warp(job)).collect();
        let seen = images.iter().zip(&warps).map(|(image, warp)| match warp {
            Some(warp) => warp.apply(image, self.slice),
            None => image.clone(),
        });
        let seen: Vec<Vec<f32>> = seen.collect();
        let scored = self.pass(&seen, true)?;
        let scale = self.largest_number();
        let scaled: Vec<Vec<f32>> = images
            .iter()
            .map(|image| {
                let numbers = self.shares.in_range(image);
                numbers.iter().map(|number| number / scale).collect()
            })
            .collect();
        let mut directions = scored.gradients;
        for (index, direction) in directions.iter_mut().enumerate() {
            let how = &self.jobs[index].how;
            if let Some(warp) = &warps[index] {
                *direction = warp.pull_back(direction, self.slice);
            }
            self.moved[index] |= direction.iter().any(|slope| *slope != 0.0);
            if how.laplacian > 0 {
                *direction = pyramid(direction, self.slice, how.laplacian);
            }
            to_unit(direction);
            let image = &scaled[index];
            how.penalty.take_off(image, how.strength, direction);
            take_off_variation(image, self.slice, how.variation, direction);
            let (others, own) = self.alike(index, &scaled);
            take_off_likeness(&others, own, self.diversity, direction);
        }
        let widths: Vec<f32> = self
            .shares
            .ends
            .iter()
            .map(|[low, high]| (high - low) / scale)
            .collect();
        for (index, direction) in directions.iter_mut().enumerate() {
            let pairs = direction.iter_mut().zip(&images[index]);
            for ((slope, share), width) in pairs.zip(widths.iter().cycle()) {
                *slope *= width * share * (1.0 - share);
            }
            let how = &self.jobs[index].how;
            let back = self
                .canvas
                .pull_back(direction, how.basis, how.decorrelated);
            let pairs = self.theta[index].iter_mut().zip(back);
            pairs.for_each(|(theta, slope)| *theta += how.rate * slope);
        }
        self.done += 1;
        self.blur();
        Ok(())
    }

    /// The images with the goal and the way of one of them, and its place among them.
    fn alike<'a>(&self, index: usize, images: &'a [Vec<f32>]) -> (Vec<&'a [f32]>, usize) {
        let own = &self.jobs[index];
        let is_alike = |job: &Job| job.goal == own.goal && job.variant == own.variant;
        let places: Vec<usize> = (0..images.len())
            .filter(|at| is_alike(&self.jobs[*at]))
            .collect();
        let place = places.iter().position(|at| *at == index).unwrap_or(0);
        let images = places.iter().map(|at| images[*at].as_slice()).collect();
        (images, place)
    }

    fn blur(&mut self) {
        for (job, theta) in self.jobs.iter().zip(&mut self.theta) {
            let how = &job.how;
            if how.blur == 0 || !self.done.is_multiple_of(how.blur) {
                continue;
            }
            let logits = self.canvas.logits(theta, how.basis, how.decorrelated);
            let smoothed = smooth(&logits, self.slice, 1);
            *theta = self.canvas.theta(&smoothed, how.basis, how.decorrelated);
        }
    }

    /// How the network sees an image in the next step; `None` as it is.
    fn warp(&self, job: &Job) -> Option<Warp> {
        let how = &job.how;
        if how.jitter == 0 && how.rotation == 0.0 && how.scale == 0.0 {
            return None;
        }
        let number = counter(job.copy, self.done + 1);
        let mut rng = stream(self.seed, Purpose::Inspection, number);
        let mut within = |most: f32| rng.random_range(-most..=most);
        let angle = within(how.rotation).to_radians();
        let scale = 1.0 + within(how.scale);
        let jitter = how.jitter as i32;
        let mut pixels = || rng.random_range(-jitter..=jitter) as f32;
        let (down, right) = (pixels(), pixels());
        // A signal has one row, and nowhere to go down.
        let down = if self.slice[0] == 1 { 0.0 } else { down };
        Some(Warp {
            turn: [angle.cos() / scale, angle.sin() / scale],
            shift: [down, right],
            edge: Edge::Nearest,
        })
    }

    /// The largest absolute number that a pixel can have.
    fn largest_number(&self) -> f32 {
        let ends = self.shares.ends.iter().flatten();
        ends.fold(f32::MIN_POSITIVE, |most, end| end.abs().max(most))
    }

    /// The images through the network, and back where their gradients are wanted.
    fn pass(&mut self, images: &[Vec<f32>], backward: bool) -> Result<Scored, InspectError> {
        let mut scored = Scored {
            scores: Vec::new(),
            outputs: Vec::new(),
            gradients: Vec::new(),
        };
        let parts = images.chunks(BATCH).zip(self.jobs.chunks(BATCH));
        for (images, jobs) in parts {
            let [height, width, channels] = self.shares.size;
            let shape = (images.len(), height, width, channels);
            let values = self.shares.to_numbers(&images.concat());
            let (network, route) = match &mut self.climbed {
                Climbed::Whole(mirror) => (mirror.network(), Route::Classify),
                Climbed::Layer(cut) => (cut.network(), Route::Reconstruct),
            };
            let values = Tensor::from_slice(&values, shape, network.device())?;
            let output = network.forward(route, &values, Mode::Eval)?;
            let output = match route {
                Route::Classify => network.logits(&output)?,
                Route::Reconstruct => output,
            };
            let units = output.dims().last().copied().unwrap_or(1).max(1);
            let values = numbers(&output)?;
            let each = (values.len() / images.len()).max(1);
            let mut slopes = Vec::with_capacity(values.len());
            for (values, job) in values.chunks_exact(each).zip(jobs) {
                let (score, of) = job.goal.score(values, units, &self.map);
                scored.scores.push(score);
                scored.outputs.push(values.to_vec());
                slopes.extend(of);
            }
            if !backward {
                continue;
            }
            let mut gradient = back(network, route, &slopes, &output)?;
            // Whitened images are climbed by their pixels, which stay between black and white.
            self.shares.slopes_in_range(&mut gradient);
            let gradients = gradient.chunks_exact(self.shares.len());
            scored.gradients.extend(gradients.map(<[f32]>::to_vec));
        }
        Ok(scored)
    }
}

fn back(
    network: &mut Network,
    route: Route,
    slopes: &[f32],
    output: &Tensor,
) -> Result<Vec<f32>, InspectError> {
    let slopes = Tensor::from_slice(slopes, output.dims(), network.device())?;
    let gradient = match route {
        Route::Classify => network.backward_from_logits_to_input(&slopes)?,
        Route::Reconstruct => network.backward_to_input(&slopes)?,
    };
    Ok(numbers(&gradient)?)
}

/// The place in the stream of random numbers of a start's step; step 0 is the start itself.
fn counter(copy: usize, step: usize) -> u64 {
    ((copy as u64) << 32) | step as u64
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

fn logit(share: f32) -> f32 {
    let share = share.clamp(MARGIN, 1.0 - MARGIN);
    (share / (1.0 - share)).ln()
}
