//! The first layer's filters as plain arrays.

/// Filters of the first layer with weights, each a small image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Steps taken when they were read.
    pub step: u64,
    /// The layer's parameter key and text, for the title: `encoder.0`, `conv 16 k3 s2 p1`.
    pub key: String,
    /// The layer's text.
    pub layer: String,
    /// How many filters.
    pub count: usize,
    /// Height of each.
    pub height: usize,
    /// Width of each.
    pub width: usize,
    /// Channels of each; 3 is drawn as colour, others as a signed map (several: their mean).
    pub channels: usize,
    /// `count × height × width × channels` weights.
    pub values: Vec<f32>,
}
