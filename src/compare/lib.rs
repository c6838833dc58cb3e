//! Runs and baselines side by side: what each reached, how the architectures differ, and whether differences are more
//! than chance.
//!
//! | module | what it does |
//! |---|---|
//! | `entry` | a run or a baseline as it is read from its folder |
//! | `comparison` | all that is said of several of them, as values |
//! | `align` | architectures layer by layer |
//! | `settings` | the settings in which runs differ |
//! | `significance` | McNemar's test, Holm's correction, the paired t-test over seeds |
//! | `words` | what is said of one in sentences |
//! | `task` | comparing on a thread of its own |
//!
//! Nothing here draws: the terminal, the page and the window show the same values.

pub mod align;
pub mod comparison;
pub mod entry;
pub mod settings;
pub mod significance;
pub mod task;
pub mod words;

pub use comparison::Comparison;
