//! What can be asked of a run in progress.

use std::fmt;
use std::str::FromStr;
use strata_core::project::live_setting::LiveSetting;
use strata_core::project::stage::SettingError;

/// A request to the engine; each takes effect at the next step. Its text is a line of the command file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// Wait after the current step: `pause`.
    Pause,
    /// Go on: `resume`.
    Resume,
    /// Take so many steps, then wait: `steps 100`. One step leaves a paused run paused in between.
    Steps(u64),
    /// Change a setting of the stage in training: `lr=0.01`.
    Set(LiveSetting, f64),
    /// Publish previews and replies again, though the run is paused: something was asked for.
    RefreshInspections,
    /// Save a checkpoint and end the run: `stop`.
    Stop,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Pause => f.write_str("pause"),
            Command::Resume => f.write_str("resume"),
            Command::Steps(steps) => write!(f, "steps {steps}"),
            Command::Set(setting, value) => write!(f, "{setting}={value}"),
            Command::RefreshInspections => f.write_str("refresh"),
            Command::Stop => f.write_str("stop"),
        }
    }
}

impl FromStr for Command {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Command, SettingError> {
        let unknown = || {
            SettingError(format!(
                "`{text}` is no command for a run: write pause, resume, stop, steps 100 or lr=0.01"
            ))
        };
        if let Some((key, value)) = text.split_once('=') {
            let setting: LiveSetting = key.trim().parse()?;
            let value: Option<f64> = value.trim().parse().ok();
            let value = value.filter(|value| value.is_finite());
            return value
                .map(|value| Command::Set(setting, value))
                .ok_or_else(|| SettingError(format!("`{text}`: {setting} takes a number")));
        }
        let mut words = text.split_whitespace();
        let command = match (words.next(), words.next()) {
            (Some("pause"), None) => Command::Pause,
            (Some("resume"), None) => Command::Resume,
            (Some("stop"), None) => Command::Stop,
            (Some("steps"), Some(steps)) => {
                let steps: Option<u64> = steps.parse().ok();
                Command::Steps(steps.filter(|steps| *steps > 0).ok_or_else(unknown)?)
            }
            _ => return Err(unknown()),
        };
        match words.next() {
            None => Ok(command),
            Some(_) => Err(unknown()),
        }
    }
}

/// Where a run is to stop: both are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// Steps of the whole run that are done.
    pub step: u64,
    /// Epochs of the whole run that are done, and measured.
    pub epochs_done: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_lines() {
        for text in [
            "pause",
            "resume",
            "stop",
            "steps 100",
            "lr=0.01",
            "rho=0.05",
        ] {
            let command: Command = text.parse().unwrap();
            assert_eq!(command.to_string(), text);
        }
        assert_eq!(
            " lr = 1e-3 ".parse::<Command>().unwrap().to_string(),
            "lr=0.001"
        );
        for text in [
            "",
            "halt",
            "steps",
            "steps 0",
            "steps 1 2",
            "lr=much",
            "lr=inf",
            "batch=3",
        ] {
            assert!(text.parse::<Command>().is_err(), "{text}");
        }
    }
}
