//! The small classes of Python that stand for what PyTorch has no class for. Each is a file of `classes/`, written for
//! two axes of space.

use std::collections::BTreeSet;

/// A class of `classes/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Add,
    AveragePool,
    Concat,
    Crop,
    GlobalAveragePool,
    GlobalMaxPool,
    KeepingMaxPool,
    Noise,
    PaddedConv,
    PaddedMaxPool,
    Reshape,
    SeparableConv,
    Spread,
    Step,
    Unpool,
}

impl Class {
    fn code(self) -> &'static str {
        match self {
            Class::Add => include_str!("classes/add.py"),
            Class::AveragePool => include_str!("classes/average_pool.py"),
            Class::Concat => include_str!("classes/concat.py"),
            Class::Crop => include_str!("classes/crop.py"),
            Class::GlobalAveragePool => include_str!("classes/global_average_pool.py"),
            Class::GlobalMaxPool => include_str!("classes/global_max_pool.py"),
            Class::KeepingMaxPool => include_str!("classes/keeping_max_pool.py"),
            Class::Noise => include_str!("classes/noise.py"),
            Class::PaddedConv => include_str!("classes/padded_conv.py"),
            Class::PaddedMaxPool => include_str!("classes/padded_max_pool.py"),
            Class::Reshape => include_str!("classes/reshape.py"),
            Class::SeparableConv => include_str!("classes/separable_conv.py"),
            Class::Spread => include_str!("classes/spread.py"),
            Class::Step => include_str!("classes/step.py"),
            Class::Unpool => include_str!("classes/unpool.py"),
        }
    }

    /// The name in Python, for so many axes of space.
    pub(super) fn name(self, axes: usize) -> String {
        let line = self
            .code()
            .lines()
            .find_map(|line| line.strip_prefix("class "));
        let name = line
            .and_then(|line| line.split('(').next())
            .unwrap_or_default();
        for_axes(name, axes)
    }
}

/// Code for two axes, for another number of them.
fn for_axes(code: &str, axes: usize) -> String {
    code.replace("2d", &format!("{axes}d"))
}

/// The classes that a network needs, each for its numbers of axes.
#[derive(Debug, Default)]
pub(super) struct Classes(BTreeSet<(Class, usize)>);

impl Classes {
    /// Asks for a class; gives its name.
    pub(super) fn need(&mut self, class: Class, axes: usize) -> String {
        let differs = class.code().contains("2d");
        self.0.insert((class, if differs { axes } else { 2 }));
        class.name(axes)
    }

    /// Their code, each behind two empty lines.
    pub(super) fn code(&self) -> String {
        let one = |(class, axes): &(Class, usize)| format!("\n\n{}", for_axes(class.code(), *axes));
        self.0.iter().map(one).collect()
    }
}
