//! Commands, taken between steps: pause, resume, one step, stop.
//!
//! While the run is paused this waits on the channel and nothing else, so that Stop works then too.
//! A paused run whose sender of commands was dropped could never continue: it stops.

use crate::command::Command;
use crate::event::{Event, Sink};
use crossbeam_channel::{Receiver, TryRecvError};

/// What was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Running,
    Paused,
    OneStep,
    Stopping,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A step may be taken.
    Step,
    /// The run is to stop.
    Stop,
    /// Inspections are to be updated before it waits again.
    Refresh,
}

/// The receiving end of the commands.
#[derive(Debug)]
pub(crate) struct Control<'a> {
    commands: &'a Receiver<Command>,
    mode: Mode,
    is_announced: bool,
    look: bool,
}

impl<'a> Control<'a> {
    pub fn new(commands: &'a Receiver<Command>) -> Control<'a> {
        Control {
            commands,
            mode: Mode::Running,
            is_announced: false,
            look: false,
        }
    }

    /// Takes what came in, without waiting; true when the run is to stop.
    pub(crate) fn stop_asked(&mut self) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.take(command),
                Err(TryRecvError::Disconnected) if self.mode == Mode::Paused => {
                    self.mode = Mode::Stopping
                }
                Err(_) => return self.mode == Mode::Stopping,
            }
        }
    }

    /// Whether the next step has to wait.
    pub(crate) fn must_wait(&mut self) -> bool {
        self.stop_asked();
        self.mode == Mode::Paused
    }

    /// Whether the next step may be taken without waiting and without telling anyone.
    pub(crate) fn goes_on(&mut self) -> bool {
        let goes_on = !self.stop_asked() && self.mode == Mode::Running && !self.is_announced;
        // As in `wait`.
        self.look &= !goes_on;
        goes_on
    }

    /// Waits until a step may be taken, or something else is to be done.
    pub fn wait(&mut self, sink: &mut dyn Sink) -> Next {
        while self.must_wait() {
            if !std::mem::replace(&mut self.is_announced, true) {
                sink.event(Event::Paused);
            }
            if std::mem::take(&mut self.look) {
                return Next::Refresh;
            }
            match self.commands.recv() {
                Ok(command) => self.take(command),
                Err(_) => self.mode = Mode::Stopping,
            }
        }
        if self.mode == Mode::Running && std::mem::take(&mut self.is_announced) {
            sink.event(Event::Resumed);
        }
        // A run in training updates its inspections by itself.
        self.look = false;
        if self.mode == Mode::Stopping {
            Next::Stop
        } else {
            Next::Step
        }
    }

    /// A step was taken.
    pub(crate) fn stepped(&mut self) {
        if self.mode == Mode::OneStep {
            (self.mode, self.is_announced) = (Mode::Paused, false);
        }
    }

    fn take(&mut self, command: Command) {
        self.look |= command == Command::RefreshInspections;
        self.mode = match (self.mode, command) {
            (Mode::Stopping, _) | (_, Command::Stop) => Mode::Stopping,
            (mode, Command::RefreshInspections) => mode,
            (_, Command::Pause) => Mode::Paused,
            (_, Command::Resume) => Mode::Running,
            (_, Command::Step) => Mode::OneStep,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::unbounded;

    /// What happens when these commands wait and steps are taken until the run stops or `steps` are done.
    fn play(commands: &[Command], steps: usize) -> (usize, Vec<Event>) {
        let (sender, receiver) = unbounded();
        commands
            .iter()
            .for_each(|&command| sender.send(command).unwrap());
        drop(sender);
        let (mut control, mut events) = (Control::new(&receiver), Vec::new());
        for taken in 0..steps {
            if control.wait(&mut |event| events.push(event)) == Next::Stop {
                return (taken, events);
            }
            control.stepped();
        }
        (steps, events)
    }

    #[test]
    fn commands_take_effect() {
        assert_eq!(play(&[], 3), (3, vec![]));
        assert_eq!(play(&[Command::Stop, Command::Resume], 3), (0, vec![]));
        assert_eq!(play(&[Command::Pause, Command::Resume], 3), (3, vec![]));
    }

    #[test]
    fn a_run_goes_on_unless_something_was_asked_of_it() {
        let (sender, receiver) = unbounded();
        let mut control = Control::new(&receiver);
        assert!(control.goes_on());
        sender.send(Command::RefreshInspections).unwrap();
        assert!(control.goes_on() && !control.look);
        sender.send(Command::Pause).unwrap();
        assert!(!control.goes_on());
        sender.send(Command::Step).unwrap();
        assert!(!control.goes_on(), "one step is told of when it is taken");
        sender.send(Command::Resume).unwrap();
        assert!(control.goes_on());
        sender.send(Command::Stop).unwrap();
        assert!(!control.goes_on());
    }

    #[test]
    fn a_pause_without_a_commander_stops() {
        assert_eq!(play(&[Command::Step], 3), (1, vec![]));
        assert_eq!(play(&[Command::Pause], 3), (0, vec![]));
    }

    #[test]
    fn stepping_pauses_again_and_resuming_is_told() {
        let (sender, receiver) = unbounded();
        let mut control = Control::new(&receiver);
        let mut events = Vec::new();
        sender.send(Command::Pause).unwrap();
        assert!(control.must_wait());
        let replies = [Command::Step, Command::Resume].into_iter();
        let mut replies = replies.map(|command| sender.send(command).unwrap());
        let mut sink = |event: Event| {
            if event == Event::Paused {
                replies.next();
            }
            events.push(event);
        };
        assert_eq!(control.wait(&mut sink), Next::Step);
        control.stepped();
        assert_eq!(control.wait(&mut sink), Next::Step);
        assert_eq!(events, [Event::Paused, Event::Paused, Event::Resumed]);
    }

    #[test]
    fn a_paused_run_makes_pictures_and_waits_on() {
        let (sender, receiver) = unbounded();
        let mut control = Control::new(&receiver);
        for command in [
            Command::Pause,
            Command::RefreshInspections,
            Command::RefreshInspections,
        ] {
            sender.send(command).unwrap();
        }
        let mut events = Vec::new();
        assert_eq!(control.wait(&mut |event| events.push(event)), Next::Refresh);
        assert!(control.must_wait());
        sender.send(Command::Step).unwrap();
        assert_eq!(control.wait(&mut |event| events.push(event)), Next::Step);
        assert_eq!(events, [Event::Paused]);
    }
}
