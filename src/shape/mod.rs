//! Shapes, costs and advice: everything that can be known before a tensor exists.
pub mod op;
