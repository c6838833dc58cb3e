//! Shape inference: the output shape of every layer of a network, before a tensor exists.
//!
//! [`infer()`] walks the three stacks and gives a [`Row`] for every layer and, for stacks without an
//! error, the resolved layers ([`op::Plan`]) that `nn` runs. It is pure and total: for any network it
//! returns, it never panics, and no sum overflows. What is impossible is a [`ShapeError`] at its
//! layer, in words and with help; the layers after it show what can still be known.
//!
//! | file | what it does |
//! |---|---|
//! | `layers` | one file a layer: word, text, rule, parameters, formula, example, mirror |
//! | `infer`, `walk` | the walk over a network: rows, costs, plan |
//! | `propagate` | the same walk for only the output shape, many times faster |
//! | `rules`, `axis_rule` | sizes of an output: by operator, along one axis |
//! | `op` | a layer with all its sizes, ready for `nn` |
//! | `partial_shape` | a shape of which only some sizes are known |
//! | `blocks`, `pool_pairing`, `budget` | branches that meet, `unpool` and its pooling, limits |
//! | `skip` | skip connections, and what brings their sides to one size |
//! | `field` | receptive fields, and which positions see anything of the input |
//! | `unfreezing` | the layers that a stage begins to train one after the other |
//! | `cost` | parameters, arithmetic and values of a layer |

pub(crate) mod blocks;
pub mod budget;
pub mod cost;
pub mod error;
pub mod field;
pub mod foreign;
pub mod infer;
pub mod layers;
pub mod op;
pub(crate) mod partial_shape;
pub(crate) mod pool_pairing;
pub mod rules;

pub mod axis_rule;
pub mod propagate;
pub mod skip;
pub mod unfreezing;
pub(crate) mod walk;

pub use crate::project::target::{Target, target};
pub use cost::Cost;
pub use error::ShapeError;
pub use infer::{Inference, Row, Totals, infer};
pub use op::{Geometry, Op, Plan, Planned, PlannedLayer};
pub use partial_shape::PartialShape;
pub use pool_pairing::Pool;
