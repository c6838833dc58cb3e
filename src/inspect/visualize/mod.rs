//! Feature visualization: an image made so that a class, a channel, one value or a whole layer answers strongly.
//!
//! The image climbs the score's gradient (Erhan et al. 2009; Simonyan et al. 2013). Without more it becomes noise that
//! only this network answers to; penalties, smoothing, random moves, the Laplacian pyramid on the gradient and another
//! basis make it plausible ([`How`]). Running statistics are used, dropout and noise are off. A run in training goes on
//! with an image between its steps, by the weights that it had when the image was begun. Equal seeds give equal images,
//! to the last bit. Fails as the network and the reading of images do, and where there is no such layer or class.

pub mod ascent;
pub mod basis;
mod colours;
pub mod goal;
pub mod how;
pub mod penalty;
pub mod smooth;

pub use basis::Basis;
pub use goal::{Goal, MOST, Wanted};
pub use how::How;
pub use penalty::Penalty;

use super::adversarial::Shares;
use super::confusion::classifying;
use super::effective_field::Cut;
use super::inspection::{InspectError, Inspection, InspectionContext, Needs};
use super::network_copy::InspectionNetwork;
use super::predictions::{sigmoid, softmax};
use super::slices::{SliceOf, shown, shown_size};
use ascent::{Ascent, Climbed, Job, Scored, Start};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use strata_core::project::Place;
use strata_data::{DataError, Dataset, Progress};

/// Moments of the way that are kept: the first, the last, and those between at equal distances.
pub const FRAMES: usize = 8;
/// Images of one goal with other starts, at most.
pub const COPIES: usize = 8;
/// A view that watches gets what there is after this time.
const GLIMPSE: Duration = Duration::from_millis(250);

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is made large.
    pub wanted: Wanted,
    /// The layer, unless classes are wanted.
    pub layer: Option<Place>,
    /// An image file to start from; `None` for noise.
    pub image: Option<PathBuf>,
    /// How.
    pub how: How,
    /// Every regulariser alone beside it.
    pub side_by_side: bool,
    /// So many images of each goal, with other starts.
    pub copies: usize,
    /// The weight of the likeness between those.
    pub diversity: f32,
    /// Starts everything random; `None` for the project's seed.
    pub seed: Option<u64>,
    /// For those who watch: how often they have looked. What was begun is gone on with, and shown after a moment;
    /// `None` waits for the end.
    pub seen: Option<usize>,
}

impl Request {
    /// What suits images of this height, width and channels.
    pub fn usual(size: [usize; 3]) -> Request {
        Request {
            wanted: Wanted::default(),
            layer: None,
            image: None,
            how: How::usual(size),
            side_by_side: false,
            copies: 1,
            diversity: 0.0,
            seed: None,
            seen: None,
        }
    }

    /// Whether the same images are asked for, however often they were looked at.
    pub fn is_same(&self, other: &Request) -> bool {
        let unseen = |request: &Request| Request {
            seen: None,
            ..request.clone()
        };
        unseen(self) == unseen(other)
    }
}

/// One of the images.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// What it is to excite, how, and from which start.
    pub job: Job,
    /// The score now.
    pub score: f32,
    /// Of classes: what the network takes it for, the most probable first.
    pub answers: Vec<(u32, f32)>,
    /// Whether anything moves it: a dead unit has no gradient.
    pub moved: bool,
}

/// A moment of the way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// Steps taken.
    pub step: usize,
    /// `N × H × W × C` bytes of the images.
    pub images: Vec<u8>,
    /// Their scores.
    pub scores: Vec<f32>,
}

/// Images that a network answers to.
#[derive(Clone, Debug, PartialEq)]
pub struct Visualization {
    /// Steps of training when they were begun.
    pub step: u64,
    /// What was asked.
    pub request: Request,
    /// The layer with its text, unless classes were wanted.
    pub layer: Option<String>,
    /// Height, width and channels of an image.
    pub size: [usize; 3],
    /// The images.
    pub pictures: Vec<Picture>,
    /// How many goals there are; more than [`MOST`] are not shown.
    pub of: usize,
    /// `N × H × W × C` shares of the way from black to white.
    pub values: Vec<f32>,
    /// The same as bytes.
    pub bytes: Vec<u8>,
    /// Steps taken.
    pub done: usize,
    /// The way there, from the first step on.
    pub frames: Vec<Frame>,
    /// The classes' names.
    pub classes: Vec<String>,
    /// Which slice of volumes is shown; `None` of images.
    pub slice: Option<SliceOf>,
}

impl Visualization {
    /// Whether every step was taken.
    pub fn is_done(&self) -> bool {
        self.done >= self.request.how.steps
    }

    /// The bytes of an image.
    pub fn image(&self, index: usize) -> &[u8] {
        self.part(&self.bytes, index)
    }

    /// The bytes of an image at an earlier moment.
    pub fn image_at<'a>(&self, frame: &'a Frame, index: usize) -> &'a [u8] {
        self.part(&frame.images, index)
    }

    fn part<'a, T>(&self, all: &'a [T], index: usize) -> &'a [T] {
        let size = self.size.iter().product::<usize>();
        all.get(index * size..(index + 1) * size)
            .unwrap_or_default()
    }

    /// What an image is of; channels and positions are counted from this number on.
    pub fn name(&self, index: usize, first: usize) -> String {
        let Some(Picture { job, .. }) = self.pictures.get(index) else {
            return String::new();
        };
        let goal = match &job.goal {
            Goal::Class(class) => super::class_name(&self.classes, *class),
            Goal::Channel(channel) => format!("channel {}", *channel as usize + first),
            Goal::Unit(channel, cell) => {
                let at = cell.as_ref().map_or_else(String::new, |cell| {
                    let at: Vec<String> = cell.iter().map(|at| (at + first).to_string()).collect();
                    format!(" at {}", at.join("×"))
                });
                format!("unit {}{at}", *channel as usize + first)
            }
            Goal::Layer => "layer".to_owned(),
        };
        let variant = job.variant.as_deref();
        let variant = variant.map_or_else(String::new, |variant| format!(", {variant}"));
        let copy = match self.request.copies {
            0 | 1 => String::new(),
            _ => format!(", start {}", job.copy + first),
        };
        format!("{goal}{variant}{copy}")
    }

    /// Of how many images of classes the network takes them for the class that they are of.
    pub fn recognised(&self) -> Option<usize> {
        let is_right = |picture: &&Picture| {
            let answer = picture.answers.first().map(|(class, _)| *class);
            matches!(picture.job.goal, Goal::Class(class) if answer == Some(class))
        };
        let are_classes = self.request.wanted.are_classes();
        are_classes.then(|| self.pictures.iter().filter(is_right).count())
    }

    fn of_slice(self, slice: Option<SliceOf>) -> Visualization {
        let size = self.size;
        let frame = |frame: Frame| Frame {
            images: shown(slice, &frame.images, size).into_owned(),
            ..frame
        };
        Visualization {
            size: shown_size(slice, size),
            values: shown(slice, &self.values, size).into_owned(),
            bytes: shown(slice, &self.bytes, size).into_owned(),
            frames: self.frames.into_iter().map(frame).collect(),
            slice,
            ..self
        }
    }
}

/// Images on their way, kept until they are asked for again.
struct Begun {
    request: Request,
    step: u64,
    of: usize,
    layer: Option<String>,
    ascent: Ascent,
    frames: Vec<Frame>,
}

impl Inspection for Visualization {
    const NAME: &'static str = "feature visualization";
    const NEEDS: Needs = Needs::RunWithImages;
    type Request = Request;

    fn compute(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Self, InspectError> {
        let dataset = cx.images()?;
        let goes_on = |begun: &Begun| {
            let is_seen = request.seen.is_some_and(|seen| seen > 0);
            let is_done = begun.ascent.done() >= request.how.steps;
            is_seen && !is_done && begun.request.is_same(request)
        };
        let mut begun = match cx.take_kept::<Begun>().filter(goes_on) {
            Some(begun) => begun,
            None => begin(cx, request)?,
        };
        begun.climb(cx)?;
        let made = begun.output(request, dataset)?;
        cx.keep(begun);
        Ok(made.of_slice(SliceOf::of(dataset, cx.slice)))
    }

    fn step(&self) -> Option<u64> {
        Some(self.step)
    }
}

fn begin(cx: &mut InspectionContext<'_>, request: &Request) -> Result<Begun, InspectError> {
    let dataset = cx.images()?;
    let [channels, height, width] = dataset.shape();
    let size = [height, width, channels];
    let slices = dataset.depth().unwrap_or(1);
    request
        .how
        .check([height / slices.max(1), width, channels])
        .map_err(InspectError::Input)?;
    if request.wanted.are_classes() {
        classifying(cx)?;
    }
    let image = match &request.image {
        Some(_) => Some(cx.probe(request.image.as_deref())?),
        None => None,
    };
    let run = cx.run()?;
    let inference = run.inference;
    let row = match (&request.layer, request.wanted.are_classes()) {
        (_, true) => None,
        (Some(place), false) => Some(inference.row(place).ok_or_else(|| {
            InspectError::Input(format!("the network that was trained has no layer {place}"))
        })?),
        (None, false) => {
            let message = "a unit or channel belongs to a layer: choose one";
            return Err(InspectError::Input(message.to_owned()));
        }
    };
    let output = row.and_then(|row| row.output.as_ref());
    let goals = request
        .wanted
        .goals(dataset.classes().len(), output)
        .map_err(InspectError::Input)?;
    let jobs = jobs(&goals, request);
    if jobs.len() > MOST {
        return Err(InspectError::Input(format!(
            "{} images are too many at once, {MOST} the most: take fewer channels or starts",
            jobs.len()
        )));
    }
    let climbed = match row {
        Some(row) => {
            let mut cut = Cut::new(inference, &row.place, run.device)?;
            cut.take(run.network)?;
            Climbed::Layer(Box::new(cut))
        }
        None => {
            let none = || InspectError::Input("the encoder has an error".to_owned());
            let plan = inference.plan.as_ref().ok_or_else(none)?;
            let mut mirror = InspectionNetwork::new(plan, run.device)?;
            mirror.take(run.network)?;
            Climbed::Whole(Box::new(mirror))
        }
    };
    let shares = Shares {
        ends: dataset.ends(),
        size,
        whitening: dataset.transform().cloned(),
    };
    let of = match request.wanted {
        Wanted::AllChannels => output.map_or(0, |shape| shape.channels()),
        _ => goals.len(),
    };
    let layer = row.map(|row| format!("{} `{}`", row.place, row.text));
    let map = output.map_or(Vec::new(), |shape| shape.spatial().to_vec());
    let (step, seed) = (run.step, request.seed.unwrap_or(run.seed));
    let image = image.map(|image| shares.of_numbers(image.values()));
    let covariance = match jobs.iter().any(|job| job.how.decorrelated) {
        true => colours::covariance(dataset, &shares)?,
        false => Vec::new(),
    };
    Ok(Begun {
        request: request.clone(),
        step,
        of,
        layer,
        ascent: Ascent::new(Start {
            climbed,
            jobs,
            shares,
            slices,
            map,
            covariance: &covariance,
            image: image.as_deref(),
            diversity: request.diversity,
            seed,
        }),
        frames: Vec::new(),
    })
}

fn jobs(goals: &[Goal], request: &Request) -> Vec<Job> {
    let ways = match request.side_by_side {
        true => request
            .how
            .side_by_side()
            .into_iter()
            .map(|(name, how)| (Some(name), how))
            .collect(),
        false => vec![(None, request.how.clone())],
    };
    let mut jobs = Vec::new();
    for goal in goals {
        for (variant, how) in &ways {
            for copy in 0..request.copies.clamp(1, COPIES) {
                jobs.push(Job {
                    goal: goal.clone(),
                    how: how.clone(),
                    copy,
                    variant: variant.clone(),
                });
            }
        }
    }
    jobs
}

impl Begun {
    /// Steps until all are taken, or until it is time to show what there is.
    fn climb(&mut self, cx: &mut InspectionContext<'_>) -> Result<(), InspectError> {
        let steps = self.request.how.steps;
        let glimpse = self.request.seen.map(|_| Instant::now() + GLIMPSE);
        let end = cx.deadline.or(glimpse);
        loop {
            self.keep_frame()?;
            let done = self.ascent.done();
            if done >= steps {
                return Ok(());
            }
            let progress = Progress {
                what: "steps",
                done,
                total: steps,
            };
            if !cx.report(progress) {
                return Err(DataError::Cancelled.into());
            }
            self.ascent.step()?;
            if end.is_some_and(|end| Instant::now() > end) {
                return self.keep_frame();
            }
        }
    }

    /// Keeps the present images where they are one of the moments that are kept.
    fn keep_frame(&mut self) -> Result<(), InspectError> {
        let (steps, done) = (self.request.how.steps, self.ascent.done());
        let moment = |index: usize| (index * steps + (FRAMES - 1) / 2) / (FRAMES - 1);
        let is_kept = self.frames.iter().any(|frame| frame.step == done);
        if is_kept || !(0..FRAMES).any(|index| moment(index) == done) {
            return Ok(());
        }
        let Scored { scores, .. } = self.ascent.score()?;
        self.frames.push(Frame {
            step: done,
            images: bytes(&self.ascent.images().concat()),
            scores,
        });
        Ok(())
    }

    fn output(
        &mut self,
        request: &Request,
        dataset: &Dataset,
    ) -> Result<Visualization, InspectError> {
        let scored = self.ascent.score()?;
        let values = self.ascent.images().concat();
        let [channels, height, width] = dataset.shape();
        let jobs = self.ascent.jobs().iter().zip(self.ascent.moved());
        let pictures = jobs.zip(scored.scores.iter().zip(&scored.outputs));
        let picture =
            |((job, moved), (score, output)): ((&Job, &bool), (&f32, &Vec<f32>))| Picture {
                job: job.clone(),
                score: *score,
                answers: match job.goal {
                    Goal::Class(_) => ranked(output, dataset.has_label_sets()),
                    _ => Vec::new(),
                },
                moved: *moved,
            };
        Ok(Visualization {
            step: self.step,
            request: request.clone(),
            layer: self.layer.clone(),
            size: [height, width, channels],
            pictures: pictures.map(picture).collect(),
            of: self.of,
            bytes: bytes(&values),
            values,
            done: self.ascent.done(),
            frames: self.frames.clone(),
            classes: dataset.classes().to_vec(),
            slice: None,
        })
    }
}

/// Classes listed for each image.
const TOP: usize = 3;

fn ranked(scores: &[f32], of_labels: bool) -> Vec<(u32, f32)> {
    let probabilities = match of_labels {
        true => sigmoid(scores),
        false => softmax(scores),
    };
    let mut ranked = super::adversarial::ranked(&probabilities);
    ranked.truncate(TOP);
    ranked
}

/// Shares as bytes, 0 for black.
fn bytes(shares: &[f32]) -> Vec<u8> {
    let byte = |share: &f32| (255.0 * share).round() as u8;
    shares.iter().map(byte).collect()
}

#[cfg(test)]
mod tests;
