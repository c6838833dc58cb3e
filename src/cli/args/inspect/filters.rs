//! What `strata inspect` takes for filters and for reconstructions.

use super::radius;
use clap::Args as ClapArgs;
use strata_gui::plate::of_filters::Shown;
use strata_inspect::filters::study::Order;

/// What only filters take.
#[derive(Debug, ClapArgs)]
pub struct FilterArgs {
    /// Of filters: layer, norm, similarity or activation [default: layer]
    #[arg(long, value_name = "WORD", value_parser = order)]
    pub sort: Option<Order>,
    /// Of filters: weights, channels (a picture for each input channel) or frequencies [default: weights]
    #[arg(long, value_name = "WORD", value_parser = shown)]
    pub show: Option<Shown>,
    /// Of filters: what the network does without these, counted from 1, such as 3,5; the run keeps its weights
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub without: Vec<u32>,
}

impl FilterArgs {
    /// The first that was given, as it is written.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (self.sort.is_some(), "--sort"),
            (self.show.is_some(), "--show"),
            (!self.without.is_empty(), "--without"),
        ];
        given.into_iter().find(|(is, _)| *is).map(|(_, word)| word)
    }
}

fn order(text: &str) -> Result<Order, String> {
    let words = Order::ALL.map(Order::word).join(", ");
    let found = Order::ALL.into_iter().find(|order| order.word() == text);
    found.ok_or_else(|| format!("filters are sorted by {words}"))
}

fn shown(text: &str) -> Result<Shown, String> {
    let words = Shown::ALL.map(Shown::word).join(", ");
    let found = Shown::ALL.into_iter().find(|shown| shown.word() == text);
    found.ok_or_else(|| format!("of filters can be shown {words}"))
}

/// What only reconstructions take: the code changed by hand.
#[derive(Debug, ClapArgs)]
pub struct CodeArgs {
    /// Of reconstructions: give units of the code these values, counted from 1, such as 3=1.5,7=0
    #[arg(long, value_name = "UNIT=VALUE", value_delimiter = ',', value_parser = edit)]
    pub edit: Vec<(u32, f32)>,
    /// Of reconstructions: the way in the code from one probe image to another, counted from 1, such as 1,4
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = counted, num_args = 1)]
    pub walk: Vec<usize>,
    /// Of reconstructions: noise on the code, in standard deviations of each unit over the probe images
    #[arg(long, value_name = "S", value_parser = radius)]
    pub noise: Option<f32>,
    /// Of reconstructions: the code of this probe image, counted from 1, and what each of its units paints alone
    #[arg(long, value_name = "N", value_parser = counted, conflicts_with_all = ["image", "walk"])]
    pub probe: Option<usize>,
}

impl CodeArgs {
    /// The first that was given, as it is written.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            (!self.edit.is_empty(), "--edit"),
            (!self.walk.is_empty(), "--walk"),
            (self.noise.is_some(), "--noise"),
            (self.probe.is_some(), "--probe"),
        ];
        given.into_iter().find(|(is, _)| *is).map(|(_, word)| word)
    }
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

fn counted(text: &str) -> Result<usize, String> {
    let number = text.trim().parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "images are counted from 1".to_owned())
}
