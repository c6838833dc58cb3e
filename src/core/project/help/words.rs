//! The sentences of help: the one place that words repairs, for the terminal and for the window.

use super::{DataSetting, Help, Misnomer, Repair, StageSetting, Step};
use crate::project::node::Node;
use std::fmt;

/// Where a sentence is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Keys of the project file and commands.
    Terminal,
    /// Fields and buttons.
    Window,
}

impl fmt::Display for Help {
    /// As the terminal shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Surface::Terminal))
    }
}

impl Help {
    /// The sentence, without a full stop.
    pub fn text(&self, surface: Surface) -> String {
        let or = if self.is_alternative { "or " } else { "" };
        format!("{or}{}{}", self.repair.text(surface), self.remark)
    }

    /// The sentence as the window shows it.
    pub fn in_window(&self) -> String {
        self.text(Surface::Window)
    }
}

impl Repair {
    fn text(&self, surface: Surface) -> String {
        match self {
            Repair::Insert(node) => format!("insert {} before it", quoted(node)),
            Repair::Set(super::Attribute::NoOutputPadding) => "leave out op".into(),
            Repair::Set(attribute) => format!("use {attribute}"),
            Repair::Write(node) => format!("use {}", quoted(node)),
            Repair::Expand(nodes) => format!("write {}", list(nodes)),
            Repair::Example(node) => format!("for example {}", node.text()),
            Repair::Rename(word, Misnomer::Misspelt) => format!("did you mean `{word}`?"),
            Repair::Rename(word, Misnomer::Foreign) => format!("it is called `{word}` here"),
            Repair::Rename(word, Misnomer::Capitals) => {
                format!("write it in small letters: `{word}`")
            }
            Repair::Spell {
                right,
                is_example: true,
                ..
            } => format!("for example `{right}`"),
            Repair::Spell { right, .. } => format!("did you mean `{right}`?"),
            Repair::Follow(activation) => format!("put it after a `{}`", activation.name()),
            Repair::Remove => "remove this layer".into(),
            Repair::RemoveLast(_, activation) => format!("remove the last {}", activation.name()),
            Repair::End(stack, nodes) => format!("end the {stack} with {}", list(nodes)),
            Repair::EndBranch(branch, node) => {
                format!("end branch {} with {}", branch + 1, quoted(node))
            }
            Repair::Steps(steps) => sentence(steps, surface),
            Repair::Mirror => mirror(surface).into(),
            Repair::Data(setting) => data(setting, surface),
            Repair::Stage(setting) => stage(setting, surface),
            Repair::Unlock(_) => {
                "write a stack (encoder) or a layer (encoder.0), or take it out".into()
            }
            Repair::Note { terminal, window } => match surface {
                Surface::Terminal => terminal.clone(),
                Surface::Window => window.clone(),
            },
        }
    }
}

fn quoted(node: &Node) -> String {
    format!("`{}`", node.text())
}

/// `` `flatten` and `dense 10` ``
fn list(nodes: &[Node]) -> String {
    let texts: Vec<String> = nodes.iter().map(quoted).collect();
    match texts.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => texts.concat(),
    }
}

/// What to write where: ``write `convt 3 k3 s2 p1 op1` at decoder.0``.
pub fn sentence(steps: &[Step], surface: Surface) -> String {
    let part = |step: &Step| match step {
        Step::Insert(place, node) => format!("insert {} at {place}", quoted(node)),
        Step::Write(place, node) => format!("write {} at {place}", quoted(node)),
        Step::Remove(place) => format!("remove {place}"),
        Step::Input(shape) => match surface {
            Surface::Terminal => format!("use input = \"{}\"", shape.to_file_text()),
            Surface::Window => format!("set the input to {shape}"),
        },
    };
    steps.iter().map(part).collect::<Vec<_>>().join(" and ")
}

fn mirror(surface: Surface) -> &'static str {
    match surface {
        Surface::Terminal => {
            "add layers to the decoder that undo the encoder's: strata solve --mirror"
        }
        Surface::Window => {
            "add layers to the decoder that undo the encoder's: Mirror, in Output = input"
        }
    }
}

fn data(setting: &DataSetting, surface: Surface) -> String {
    match (setting, setting.written(), surface) {
        (_, (key, Some(value)), Surface::Terminal) => format!("write {key} = {value} under [data]"),
        // The button has the size.
        (DataSetting::Resize(_), _, Surface::Window) => "scale them to one size".to_owned(),
        (DataSetting::Patch([height, width]), _, Surface::Window) => {
            format!("cut patches of {height}×{width} out of them")
        }
        (_, (key, Some(value)), Surface::Window) => set(key, &value),
        (_, (key, None), _) => format!("remove {key}"),
    }
}

/// `set range to −1..1`: a setting with its value as a field of the window has it.
fn set(key: &str, value: &str) -> String {
    format!("set {} to {}", key.replace('_', " "), bare(key, value))
}

fn stage(setting: &StageSetting, surface: Surface) -> String {
    if let StageSetting::Thaw(name) = setting {
        return format!("take {name} out of freeze");
    }
    match (setting.written(), surface) {
        ((key, Some(value)), Surface::Terminal) => format!("use {key} = {value}"),
        ((key, Some(value)), Surface::Window) => set(key, &value),
        ((key, None), Surface::Terminal) => format!("remove {key}"),
        ((key, None), Surface::Window) => format!("remove {}", key.replace('_', " ")),
    }
}

/// A value as a field of the window takes it: without the quotes or brackets of the file, sides and ends joined.
fn bare(key: &str, value: &str) -> String {
    let inner = value.trim_matches(['"', '[', ']']);
    let joined = match key {
        "range" => inner.replace(", ", ".."),
        "resize" | "patch" => inner.replace(", ", "×").replace('x', "×"),
        _ => inner.to_owned(),
    };
    match joined.strip_prefix('-') {
        Some(rest) => format!("−{rest}"),
        None => joined,
    }
}

impl Repair {
    /// What a button that does it says, for a repair that is not about the problem's own layer.
    pub fn label(&self) -> String {
        match self {
            Repair::Data(DataSetting::Resize([height, width])) => {
                format!("scale to {height}×{width}")
            }
            Repair::Data(DataSetting::Patch([height, width])) => {
                format!("cut patches of {height}×{width}")
            }
            Repair::Data(setting) => data(setting, Surface::Window),
            Repair::Stage(StageSetting::Thaw(name)) => format!("don't freeze {name}"),
            Repair::Stage(setting) => stage(setting, Surface::Window),
            Repair::Steps(steps) => sentence(steps, Surface::Window).replace('`', ""),
            Repair::Mirror => "mirror the encoder".into(),
            Repair::Unlock(name) => format!("unlock {name}"),
            Repair::End(stack, nodes) => {
                let texts: Vec<String> = nodes.iter().map(Node::text).collect();
                format!("end the {stack} with {}", texts.join(", "))
            }
            Repair::Insert(_)
            | Repair::Set(_)
            | Repair::Write(_)
            | Repair::Expand(_)
            | Repair::Example(_)
            | Repair::Rename(..)
            | Repair::Spell { .. }
            | Repair::Follow(_)
            | Repair::Remove
            | Repair::RemoveLast(..)
            | Repair::EndBranch(..)
            | Repair::Note { .. } => self.text(Surface::Terminal).replace('`', ""),
        }
    }
}
