//! What `strata inspect` takes for the arithmetic of a value.

use clap::Args as ClapArgs;

/// What only the arithmetic of a value takes.
#[derive(Debug, ClapArgs)]
pub struct PixelArgs {
    /// Of pixel: channel, row and column of the value, such as 0,4,7; a vector's unit alone [default: the middle]
    #[arg(long, value_name = "C,Y,X")]
    pub at: Option<String>,
}
