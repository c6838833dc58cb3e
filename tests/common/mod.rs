//! What several test programs share.
// Each test program compiles its own copy and uses only some of it.
#![allow(dead_code, clippy::unwrap_used)]

pub mod random_stack;
pub mod round_trip;
