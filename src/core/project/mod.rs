//! The project: data, network and stages, as plain values and as a TOML file.
//!
//! Knows no tensor, no thread and no window. A project with a mistyped layer is still a project
//! ([`node::Node::Broken`]); a file that is not TOML, or has unknown keys, is a [`file::ProjectError`]
//! with its line.

pub mod augment;
pub mod builtin;
pub mod class_weights;
pub mod data;
pub mod edit;
pub mod file;
mod foreign_file;
pub mod goals;
pub mod gradient;
pub mod help;
pub mod init;
pub mod kept_checkpoints;
pub mod layer;
pub mod layer_path;
pub mod layer_text;
pub mod live_setting;
pub mod locks;
pub mod loss;
pub mod node;
pub mod optimizer;
pub mod reference;
pub mod schedule;
pub mod setting_path;
pub mod size;
pub mod source;
mod stack_write;
pub mod stage;
pub mod structured;
pub mod study;
pub mod sweep;
pub mod target;
mod text_update;
pub mod unfreeze;
mod words;

use data::DataSpec;
use goals::Goals;
use init::Init;
use node::Node;
use size::Shape;
use stage::Stage;
use std::fmt;
use study::Study;
use sweep::Sweep;

pub use file::ProjectError;

/// The newest format of the project file that this version reads and the one it writes.
pub(crate) const FORMAT: u32 = 1;

/// A whole project: what is trained, on what, how.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// One line for people.
    pub title: String,
    /// The seed of all randomness.
    pub seed: u64,
    /// Weights that the network begins with, instead of random ones.
    pub init: Option<Init>,
    /// Where images come from.
    pub data: DataSpec,
    /// What is trained.
    pub network: Network,
    /// The training phases, in order.
    pub stages: Vec<Stage>,
    /// What it is to reach.
    pub goals: Goals,
    /// Which settings are tried with which values.
    pub sweep: Option<Sweep>,
    /// Stacks (`encoder`) or layers (`encoder.0`) that must not be edited; see [`locks`].
    pub locked: Vec<String>,
    /// The runs of a file that has several; the fields above are the settings of the one that is shown.
    pub study: Option<Study>,
}

impl Project {
    /// Whether both give the same run: all but the title, the goals, the sweep and the locks is equal.
    pub fn trains_like(&self, other: &Project) -> bool {
        self.seed == other.seed
            && self.init == other.init
            && self.data == other.data
            && self.network == other.network
            && self.stages == other.stages
    }

    /// Height and width that images of different sizes are scaled to: those of the network's input, where images reach
    /// it whole.
    pub fn size_to_scale_to(&self) -> Option<[u32; 2]> {
        let &[height, width] = self.network.input.spatial() else {
            return None;
        };
        let is_whole = self.data.patches.is_none();
        is_whole.then_some([u32::try_from(height).ok()?, u32::try_from(width).ok()?])
    }
}

/// The three stacks and the input's shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The input's shape, channels first.
    pub input: Shape,
    /// From the input to the code.
    pub encoder: Vec<Node>,
    /// From the code back to the input's shape.
    pub decoder: Vec<Node>,
    /// From the code to the answer.
    pub head: Vec<Node>,
}

/// One of the three stacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stack {
    /// From the input to the code.
    Encoder,
    /// From the code back to the input.
    Decoder,
    /// From the code to the answer.
    Head,
}

impl Stack {
    /// All stacks in the order they are shown.
    pub const ALL: [Stack; 3] = [Stack::Encoder, Stack::Decoder, Stack::Head];

    /// `encoder`, `decoder` or `head`.
    pub fn name(self) -> &'static str {
        match self {
            Stack::Encoder => "encoder",
            Stack::Decoder => "decoder",
            Stack::Head => "head",
        }
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Network {
    /// The nodes of one stack.
    pub fn stack(&self, stack: Stack) -> &[Node] {
        match stack {
            Stack::Encoder => &self.encoder,
            Stack::Decoder => &self.decoder,
            Stack::Head => &self.head,
        }
    }

    /// The stack or branch that a place is in, and the index in it, at which there need not be a node.
    pub fn siblings(&self, place: &Place) -> Option<(&[Node], usize)> {
        layer_path::siblings(self.stack(place.stack), &place.path)
    }

    /// The same, to edit.
    pub fn siblings_mut(&mut self, place: &Place) -> Option<(&mut Vec<Node>, usize)> {
        layer_path::siblings_mut(self.stack_mut(place.stack), &place.path)
    }

    /// The node at a place.
    pub fn node(&self, place: &Place) -> Option<&Node> {
        layer_path::node_at(self.stack(place.stack), &place.path)
    }

    /// The node at a place, to edit.
    pub fn node_mut(&mut self, place: &Place) -> Option<&mut Node> {
        let (list, index) = self.siblings_mut(place)?;
        list.get_mut(index)
    }

    /// The nodes of one stack, to edit.
    pub fn stack_mut(&mut self, stack: Stack) -> &mut Vec<Node> {
        match stack {
            Stack::Encoder => &mut self.encoder,
            Stack::Decoder => &mut self.decoder,
            Stack::Head => &mut self.head,
        }
    }
}

/// A node's address: its stack, then its index; inside a block, the branch and the index in it, and so on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which stack.
    pub stack: Stack,
    /// Index, then (branch, index) pairs.
    pub path: Vec<usize>,
}

impl Place {
    /// `3`, or `3.0.1` inside a block.
    pub fn index_text(&self) -> String {
        self.path
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join(".")
    }

    /// As the window says it, counted from 1: `encoder layer 4`; inside a block `encoder layer 4.1.2`, which is layer 2 of
    /// the first branch of the block at 4.
    pub fn in_words(&self) -> String {
        let numbers: Vec<_> = self
            .path
            .iter()
            .map(|index| (index + 1).to_string())
            .collect();
        format!("{} layer {}", self.stack, numbers.join("."))
    }
}

impl fmt::Display for Place {
    /// `encoder.3.0.1`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.stack, self.index_text())
    }
}
