//! What `strata inspect` takes for receptive fields.

use clap::Args as ClapArgs;

/// What only receptive fields take.
#[derive(Debug, ClapArgs)]
pub struct FieldArgs {
    /// Of receptive-field: the position in the layer's map, such as 3x5 (row, column) [default: its middle]
    #[arg(long, value_name = "CELL")]
    pub cell: Option<String>,
}
