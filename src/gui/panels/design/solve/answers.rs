//! What the view works out of a network, when the network changes: the causes at once, sizes and proposals on a
//! their own thread, the newest question first.

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError, bounded};
use eframe::egui::Context;
use std::time::Duration;
use strata_core::project::Network;
use strata_core::project::size::Shape;
use strata_core::shape::{Target, infer};
use strata_design::explain::{Explanation, UnreadLayer, explain, unread, without_steps};
use strata_design::solve::{Aim, Solution, Solved, mirror, solve};
use strata_design::valid_input_sizes::{Strip, strips};
use strata_design::{Banner, banner};

/// How long a frame may wait for an answer: most come sooner, and nothing flickers.
const PATIENCE: Duration = Duration::from_millis(3);

/// All that is known of a network.
pub struct Known {
    pub network: Network,
    /// What no proposal may change.
    locked: Vec<Target>,
    pub banner: Banner,
    pub code: Option<Shape>,
    pub explanation: Explanation,
    /// What is said where the explanation has no steps.
    pub without_steps: String,
    pub unread: Vec<UnreadLayer>,
    /// `None` while it is worked out; the same holds for the next three.
    pub strips: Option<Vec<Strip>>,
    /// Edits after which the aim is met.
    pub solved: Option<Solved>,
    /// The decoder built from the encoder, or why there is none.
    pub mirrored: Option<Result<Solution, String>>,
    pub aim: Aim,
}

impl Known {
    fn of(network: &Network, locked: Vec<Target>, aim: Aim) -> Known {
        let inference = infer(network);
        Known {
            banner: banner(&inference),
            code: inference.code.clone(),
            explanation: explain(network, &inference),
            without_steps: without_steps(&inference),
            unread: unread::layers(network, &inference),
            network: network.clone(),
            locked,
            strips: None,
            solved: None,
            mirrored: None,
            aim,
        }
    }

    fn take(&mut self, answer: Answer) {
        self.strips = answer.strips.or(self.strips.take());
        self.mirrored = answer.mirrored.or(self.mirrored.take());
        self.solved = Some(answer.solved);
    }

    /// Whether proposals are still searched for.
    pub(crate) fn is_searching(&self) -> bool {
        self.solved.is_none()
    }
}

/// What takes long.
struct Answer {
    solved: Solved,
    /// Not asked for again when only the aim changes.
    strips: Option<Vec<Strip>>,
    mirrored: Option<Result<Solution, String>>,
}

impl Answer {
    fn of(network: &Network, locked: &[Target], aim: Aim, anew: bool) -> Answer {
        Answer {
            solved: solve(network, locked, aim),
            mirrored: anew.then(|| mirror(network, locked).map_err(|error| error.message)),
            strips: anew.then(|| strips(network)),
        }
    }
}

/// The newest answers, and the question on its way.
#[derive(Default)]
pub struct Answers {
    known: Option<Known>,
    running: Option<Receiver<Answer>>,
    /// Whether the running question is still the one to ask.
    is_current: bool,
}

impl Answers {
    /// What is known of the network of the last update.
    pub fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// Asks again when the network is another.
    pub fn update(&mut self, network: &Network, locked: Vec<Target>, ctx: &Context) {
        if self
            .known
            .as_ref()
            .is_some_and(|known| known.network == *network && known.locked == locked)
        {
            return;
        }
        self.known = Some(Known::of(network, locked, Aim::OutputEqualsInput));
        self.ask(ctx);
    }

    /// Asks for another aim.
    pub fn seek(&mut self, aim: Aim, ctx: &Context) {
        if let Some(known) = &mut self.known {
            (known.aim, known.solved) = (aim, None);
            self.ask(ctx);
        }
    }

    /// Works everything out at once.
    pub(crate) fn work_out(&mut self, network: &Network, locked: Vec<Target>) {
        if self
            .known
            .as_ref()
            .is_some_and(|known| known.network == *network && !known.is_searching())
        {
            return;
        }
        let mut known = Known::of(network, locked, Aim::OutputEqualsInput);
        known.take(Answer::of(network, &known.locked, known.aim, true));
        self.known = Some(known);
    }

    fn ask(&mut self, ctx: &Context) {
        self.is_current = false;
        if self.running.is_none() {
            self.start(ctx);
        }
    }

    /// Starts a thread for the network as it is now; without one the frame does the work.
    fn start(&mut self, ctx: &Context) {
        let Some(known) = &mut self.known else { return };
        let (network, locked, aim) = (known.network.clone(), known.locked.clone(), known.aim);
        let anew = known.strips.is_none();
        let (sender, receiver) = bounded(1);
        let ctx = ctx.clone();
        let work = move || {
            // A view that is gone hears nothing.
            sender.send(Answer::of(&network, &locked, aim, anew)).ok();
            ctx.request_repaint();
        };
        match std::thread::Builder::new()
            .name("strata-solve".into())
            .spawn(work)
        {
            Ok(_) => match receiver.recv_timeout(PATIENCE) {
                Ok(answer) => known.take(answer),
                Err(RecvTimeoutError::Timeout) => {
                    (self.running, self.is_current) = (Some(receiver), true)
                }
                Err(RecvTimeoutError::Disconnected) => known.solved = Some(defect()),
            },
            Err(error) => {
                log::warn!("no thread could be started to solve, so the frame does it: {error}");
                known.take(Answer::of(&known.network, &known.locked, aim, anew));
            }
        }
    }

    /// Takes the answer of the thread, if there is one; asks again when the question has changed since.
    pub fn take(&mut self, ctx: &Context) {
        let answer = match self.running.as_ref().map(Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => return,
            Some(Ok(answer)) => Some(answer),
            Some(Err(TryRecvError::Disconnected)) => None,
        };
        self.running = None;
        match (self.is_current, answer, &mut self.known) {
            (true, Some(answer), Some(known)) => known.take(answer),
            (true, None, Some(known)) => known.solved = Some(defect()),
            _ => self.start(ctx),
        }
    }
}

fn defect() -> Solved {
    let message =
        "A defect in Strata ended the search; please report it with this project.".to_owned();
    Solved {
        message,
        ..Solved::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;

    #[test]
    fn the_newest_question_is_answered() {
        let ctx = Context::default();
        let network = |name: &str| builtin::find(name).unwrap().project().unwrap().network;
        let mut answers = Answers::default();
        for name in ["resnet-18", "unet", "deep-autoencoder"] {
            answers.update(&network(name), Vec::new(), &ctx);
        }
        while answers.known().unwrap().is_searching() {
            std::thread::sleep(Duration::from_millis(1));
            answers.take(&ctx);
        }
        let known = answers.known().unwrap();
        assert_eq!(known.network, network("deep-autoencoder"));
        assert_eq!(
            known.strips.as_ref().unwrap()[0].rule.to_string(),
            "every size from 4"
        );
        answers.seek(Aim::CodeAtMost(8), &ctx);
        while answers.known().unwrap().is_searching() {
            answers.take(&ctx);
        }
        assert!(
            answers.known().unwrap().strips.is_some(),
            "sizes stay when only the aim changes"
        );
    }
}
