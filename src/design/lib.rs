//! What can be said about a design before it is trained: errors, explanations, solutions, advice.
//!
//! All of it is pure and total, on top of [`strata_core::shape`]: no tensor, no thread, no file.
//!
//! | file | what it does |
//! |---|---|
//! | `checks` | what keeps a project from being trained |
//! | `output_check` | whether the output is as large as the input |
//! | `explain` | where sizes came from, and which layer lost a position |
//! | `solve` | the smallest edits after which output = input; mirrors; smaller codes |
//! | `valid_input_sizes` | for which input sizes a network works |
//! | `advice` | what is unusual about a project, each with a fix |
//! | `fit_to_data` | the input and the head that images need |
//! | `goals` | the project's `[goals]`, judged |
//! | `layer_math` | one layer as arithmetic: formula, small example, matrix |
//! | `constant_borders` | layers whose outer rows see only padding |
//! | `checkerboard` | the pattern that uneven kernel overlaps leave |
//! | `compare` | a layer compared with a dense layer of the same shapes |

pub mod advice;
pub mod checkerboard;
pub mod checks;
pub(crate) mod compare;
pub mod constant_borders;
pub mod explain;
pub mod fit_to_data;
pub mod goals;
pub mod graph;
pub mod layer_math;
mod mismatch;
pub mod output_check;
pub mod solve;
pub mod valid_input_sizes;

pub use checks::{Problem, Severity, can_train, check, check_inferred};
pub use compare::{AgainstDense, layer_at, macs_formula, parameters_formula};
pub use constant_borders::{ConstantBorder, constant_borders};
pub use explain::{Explanation, explain};
pub use output_check::{Banner, Level, banner};
