//! Commands, taken between steps: pause, resume, some steps, another setting, stop. They come from whoever started the
//! run, and from the command file in its folder.
//!
//! While the run is paused this waits on the channel and nothing else, so that Stop works then too.
//! A paused run whose sender of commands was dropped could never continue: it stops.

use super::command_file::{CommandFile, LOOK_EVERY};
use crate::command::Command;
use crate::event::{Event, Sink};
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use std::path::Path;
use strata_core::project::live_setting::LiveSetting;

/// What was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Running,
    Paused,
    /// So many steps, then a pause.
    Steps(u64),
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
    /// Commands from the run's folder, once there is one.
    file: Option<CommandFile>,
    /// Settings that were asked for and hold from the next step on.
    settings: Vec<(LiveSetting, f64)>,
    /// Lines of the command file that are no commands, in words.
    refused: Vec<String>,
}

impl<'a> Control<'a> {
    pub fn new(commands: &'a Receiver<Command>) -> Control<'a> {
        Control {
            commands,
            mode: Mode::Running,
            is_announced: false,
            look: false,
            file: None,
            settings: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Obeys the command file of this run's folder too.
    pub(crate) fn obey_file(&mut self, run: &Path) {
        self.file = Some(CommandFile::begin(run));
    }

    /// The settings that were asked for since this was called last, in order.
    pub(crate) fn take_settings(&mut self) -> Vec<(LiveSetting, f64)> {
        std::mem::take(&mut self.settings)
    }

    /// What was asked for in words that are no command, since this was called last.
    pub(crate) fn take_refused(&mut self) -> Vec<String> {
        std::mem::take(&mut self.refused)
    }

    /// Takes what came in, without waiting; true when the run is to stop.
    pub(crate) fn stop_asked(&mut self) -> bool {
        let asked = self.file.as_mut().map(CommandFile::look);
        for command in asked.into_iter().flatten() {
            match command {
                Ok(command) => self.take(command),
                Err(refused) => self.refused.push(refused),
            }
        }
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
        let is_stopping = self.stop_asked();
        let moves = matches!(self.mode, Mode::Running | Mode::Steps(2..));
        let goes_on = !is_stopping && moves && !self.is_announced && self.refused.is_empty();
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
            match self.commands.recv_timeout(LOOK_EVERY) {
                Ok(command) => self.take(command),
                Err(RecvTimeoutError::Timeout) => self.tell_refused(sink),
                Err(RecvTimeoutError::Disconnected) => self.mode = Mode::Stopping,
            }
        }
        self.tell_refused(sink);
        // A single step is over before anyone could see it: the run stays paused for those who look on.
        let moves = matches!(self.mode, Mode::Running | Mode::Steps(2..));
        if moves && std::mem::take(&mut self.is_announced) {
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
        match self.mode {
            Mode::Steps(0 | 1) => (self.mode, self.is_announced) = (Mode::Paused, false),
            Mode::Steps(left) => self.mode = Mode::Steps(left - 1),
            Mode::Running | Mode::Paused | Mode::Stopping => {}
        }
    }

    fn tell_refused(&mut self, sink: &mut dyn Sink) {
        for refused in self.take_refused() {
            sink.event(Event::warning(refused));
        }
    }

    fn take(&mut self, command: Command) {
        self.look |= command == Command::RefreshInspections;
        if let Command::Set(setting, value) = command {
            self.settings.push((setting, value));
        }
        self.mode = match (self.mode, command) {
            (Mode::Stopping, _) | (_, Command::Stop) => Mode::Stopping,
            (mode, Command::RefreshInspections | Command::Set(..)) => mode,
            (_, Command::Pause) => Mode::Paused,
            (_, Command::Resume) => Mode::Running,
            (_, Command::Steps(steps)) => Mode::Steps(steps),
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
        sender.send(Command::Steps(1)).unwrap();
        assert!(!control.goes_on(), "one step is told of when it is taken");
        sender.send(Command::Resume).unwrap();
        assert!(control.goes_on());
        sender.send(Command::Stop).unwrap();
        assert!(!control.goes_on());
    }

    #[test]
    fn some_steps_and_then_a_pause() {
        let (sender, receiver) = unbounded();
        let mut control = Control::new(&receiver);
        sender.send(Command::Steps(3)).unwrap();
        for left in [true, true, false] {
            assert!(!control.must_wait());
            control.stepped();
            assert_eq!(!control.must_wait(), left);
        }
        // From a pause: that it moves is told, and that it waits again.
        sender.send(Command::Steps(2)).unwrap();
        let mut events = Vec::new();
        control.is_announced = true;
        assert_eq!(control.wait(&mut |event| events.push(event)), Next::Step);
        control.stepped();
        sender.send(Command::Stop).unwrap();
        assert_eq!(events, [Event::Resumed]);
    }

    #[test]
    fn the_command_file_is_obeyed_also_in_a_pause() {
        let run = tempfile::tempdir().unwrap();
        let (_sender, receiver) = unbounded();
        let mut control = Control::new(&receiver);
        control.obey_file(run.path());
        let lr: LiveSetting = "lr".parse().unwrap();
        super::super::command_file::ask(run.path(), &[Command::Pause, Command::Set(lr, 0.5)])
            .unwrap();
        let mut file = std::fs::OpenOptions::new();
        let mut file = file
            .append(true)
            .open(run.path().join("commands.txt"))
            .unwrap();
        std::io::Write::write_all(&mut file, b"halt\n").unwrap();
        assert!(control.must_wait());
        assert_eq!(control.take_settings(), [(lr, 0.5)]);
        let path = run.path().to_owned();
        let asker = std::thread::spawn(move || {
            std::thread::sleep(2 * LOOK_EVERY);
            super::super::command_file::ask(&path, &[Command::Resume]).unwrap();
        });
        let mut events = Vec::new();
        assert_eq!(control.wait(&mut |event| events.push(event)), Next::Step);
        asker.join().unwrap();
        assert!(
            matches!(
                &events[..],
                [Event::Paused, Event::Warning { .. }, Event::Resumed]
            ),
            "{events:?}"
        );
    }

    #[test]
    fn a_pause_without_a_commander_stops() {
        assert_eq!(play(&[Command::Steps(1)], 3), (1, vec![]));
        assert_eq!(play(&[Command::Pause], 3), (0, vec![]));
    }

    #[test]
    fn stepping_pauses_again_and_resuming_is_told() {
        let (sender, receiver) = unbounded();
        let mut control = Control::new(&receiver);
        let mut events = Vec::new();
        sender.send(Command::Pause).unwrap();
        assert!(control.must_wait());
        let replies = [Command::Steps(1), Command::Resume].into_iter();
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
        sender.send(Command::Steps(1)).unwrap();
        assert_eq!(control.wait(&mut |event| events.push(event)), Next::Step);
        assert_eq!(events, [Event::Paused]);
    }
}
