//! What `strata inspect` takes for feature visualization.

use super::{at_least_one, within};
use clap::Args as ClapArgs;
use strata_inspect::visualize::{Basis, COPIES, Penalty};

/// What only feature visualization takes.
#[derive(Debug, ClapArgs)]
pub struct VisualizeArgs {
    /// Of visualize: what the image is made of, pixel or fourier [default: pixel for grey, fourier for colour]
    #[arg(long, value_name = "WORD", value_parser = basis)]
    pub basis: Option<Basis>,
    /// Of visualize: colours as they are (plain), or decorrelated as in the training images [default: decorrelated]
    #[arg(long, value_name = "WORD", value_parser = colours)]
    pub colours: Option<bool>,
    /// Of visualize: penalty on large values, none, l2, l4 or linf [default: l2 for grey, none for colour]
    #[arg(long, value_name = "WORD", value_parser = penalty)]
    pub penalty: Option<Penalty>,
    /// Of visualize: the weight of the penalty [default: 0.5 for grey, 1 for colour]
    #[arg(long, value_name = "W", value_parser = weight)]
    pub strength: Option<f32>,
    /// Of visualize: the weight of total variation, which smooths [default: 0.3 for grey, 0.1 for colour]
    #[arg(long, value_name = "W", value_parser = weight)]
    pub tv: Option<f32>,
    /// Of visualize: smooth the image after every N steps, 0 for never [default: 0]
    #[arg(long, value_name = "N")]
    pub blur: Option<usize>,
    /// Of visualize: shift the image by up to N pixels in every step [default: 2 for sides up to 28]
    #[arg(long, value_name = "N", value_parser = pixels)]
    pub jitter: Option<usize>,
    /// Of visualize: turn it by up to so many degrees in every step [default: 8]
    #[arg(long, value_name = "DEGREES", value_parser = degrees)]
    pub rotation: Option<f32>,
    /// Of visualize: scale it by up to this share in every step [default: 0.1]
    #[arg(long, value_name = "SHARE", value_parser = half)]
    pub scale: Option<f32>,
    /// Of visualize: scales of the Laplacian pyramid on the gradient, 0 for none [default: 0]
    #[arg(long, value_name = "N", value_parser = levels)]
    pub laplacian: Option<usize>,
    /// Of visualize: steps [default: 256]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub steps: Option<usize>,
    /// Of visualize: the length of a step [default: 0.2]
    #[arg(long, value_name = "R", value_parser = weight)]
    pub rate: Option<f32>,
    /// Of visualize: so many images of each, with other starts [default: 1]
    #[arg(long, value_name = "N", value_parser = starts)]
    pub starts: Option<usize>,
    /// Of visualize: the weight of the likeness between the starts' images, which keeps them apart [default: 0]
    #[arg(long, value_name = "W", requires = "starts", value_parser = weight)]
    pub diversity: Option<f32>,
    /// Of visualize: the same under each regulariser alone, side by side
    #[arg(long)]
    pub side_by_side: bool,
}

fn basis(text: &str) -> Result<Basis, String> {
    let words = Basis::ALL.map(Basis::word).join(", ");
    Basis::of_word(text).ok_or_else(|| format!("an image is made of {words}"))
}

fn colours(text: &str) -> Result<bool, String> {
    match text {
        "plain" => Ok(false),
        "decorrelated" => Ok(true),
        _ => Err("colours are plain or decorrelated".to_owned()),
    }
}

fn penalty(text: &str) -> Result<Penalty, String> {
    let words = Penalty::ALL.map(Penalty::word).join(", ");
    Penalty::of_word(text).ok_or_else(|| format!("the penalties are {words}"))
}

fn weight(text: &str) -> Result<f32, String> {
    within(text, 1e3).ok_or_else(|| "write a number from 0 to 1000, such as 0.5".to_owned())
}

fn pixels(text: &str) -> Result<usize, String> {
    whole(text, 64)
}

fn degrees(text: &str) -> Result<f32, String> {
    within(text, 180.0).ok_or_else(|| "write a number from 0 to 180".to_owned())
}

fn half(text: &str) -> Result<f32, String> {
    within(text, 0.5).ok_or_else(|| "write a number from 0 to 0.5".to_owned())
}

fn levels(text: &str) -> Result<usize, String> {
    whole(text, 8)
}

fn starts(text: &str) -> Result<usize, String> {
    match whole(text, COPIES)? {
        0 => Err(format!("write a whole number from 1 to {COPIES}")),
        number => Ok(number),
    }
}

fn whole(text: &str, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number <= most);
    number.ok_or_else(|| format!("write a whole number from 0 to {most}"))
}
