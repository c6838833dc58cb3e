//! Trees over binned values.

mod bins;
mod boosted;
mod forest;
mod grower;
mod histogram;
mod tree;

pub(crate) use boosted::Boosted;
pub(crate) use forest::Forest;
