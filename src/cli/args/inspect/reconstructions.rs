//! What `strata inspect` takes for reconstructions: the code changed by hand.

use super::radius;
use clap::Args as ClapArgs;

/// What only reconstructions take: the code changed by hand.
#[derive(Debug, ClapArgs)]
pub struct CodeArgs {
    /// Of reconstructions: give units of the code these values, counted from 1, such as 3=1.5,7=0
    #[arg(long, value_name = "UNIT=VALUE", value_delimiter = ',', value_parser = edit)]
    pub edit: Vec<(u32, f32)>,
    /// Of reconstructions: the way in the code from one of the images to another, counted from 1, such as 1,4
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = counted, num_args = 1)]
    pub walk: Vec<usize>,
    /// Of reconstructions: noise on the code, in standard deviations of each unit over the probe images
    #[arg(long, value_name = "S", value_parser = radius)]
    pub noise: Option<f32>,
}

fn edit(text: &str) -> Result<(u32, f32), String> {
    let wrong = || "write units from 1 with their values, such as 3=1.5,7=0".to_owned();
    let (unit, value) = text.split_once('=').ok_or_else(wrong)?;
    let unit = unit.trim().parse().ok().filter(|unit| *unit > 0);
    let value = value
        .trim()
        .parse()
        .ok()
        .filter(|value: &f32| value.is_finite());
    unit.zip(value).ok_or_else(wrong)
}

pub(super) fn counted(text: &str) -> Result<usize, String> {
    let number = text.trim().parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "images are counted from 1".to_owned())
}
