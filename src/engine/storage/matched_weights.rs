//! Weights from any safetensors file for a network of ours: which tensor goes where, and why one does not.
//!
//! Names that are equal go together. Of what is left, layers (the tensors that share what is before the last dot) of
//! equal shapes go together in their order, if the file has as many of that shape as the network wants.

use candle_core::Tensor;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How a tensor was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// It has the key that is wanted.
    Name,
    /// No other layer has its shapes.
    Shape,
    /// Several layers have its shapes; theirs is the order of the network.
    Order,
}

impl FoundBy {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            FoundBy::Name => "by name",
            FoundBy::Shape => "by shape",
            FoundBy::Order => "by shape and order",
        }
    }
}

/// A tensor of the network and the one of the file that it is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The network's key.
    pub key: String,
    /// The file's.
    pub from: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How it was found.
    pub found_by: FoundBy,
}

/// What of a file goes into a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchTable {
    /// What is taken, in the order of the network.
    pub taken: Vec<Taken>,
    /// Keys of the network that the file has nothing for, with the reason.
    pub missing: Vec<(String, String)>,
    /// Keys of the file that the network has no place for, with their shapes.
    pub unused: Vec<(String, Vec<usize>)>,
}

impl MatchTable {
    /// Puts together what a network wants, in its order, and what a file has.
    pub fn new(wanted: &[(String, Vec<usize>)], found: &HashMap<String, Vec<usize>>) -> MatchTable {
        let mut pairs: BTreeMap<&str, (String, FoundBy)> = BTreeMap::new();
        let mut left: BTreeSet<&str> = found.keys().map(String::as_str).collect();
        for (key, shape) in wanted {
            if found.get(key) == Some(shape) {
                left.remove(key.as_str());
                pairs.insert(key, (key.clone(), FoundBy::Name));
            }
        }
        let unmatched = wanted
            .iter()
            .filter(|(key, _)| !pairs.contains_key(key.as_str()));
        let wanted_layers = layers(unmatched.map(|(key, shape)| (key.as_str(), shape)));
        let mut found_layers = layers(left.iter().map(|key| (*key, &found[*key])));
        // The order of names as people count: conv2 before conv10.
        found_layers.sort_by_cached_key(|layer| (depth(layer.name), natural(layer.name)));
        let mut reasons: BTreeMap<&str, String> = BTreeMap::new();
        for layer in &wanted_layers {
            let alike: Vec<&Layer<'_>> = wanted_layers
                .iter()
                .filter(|other| other.tensors == layer.tensors)
                .collect();
            let offered: Vec<&Layer<'_>> = found_layers
                .iter()
                .filter(|found| found.holds(layer))
                .collect();
            let place = alike.iter().position(|other| other.name == layer.name);
            match place.and_then(|place| offered.get(place)) {
                Some(from) if alike.len() == offered.len() => {
                    let found_by = match alike.len() {
                        1 => FoundBy::Shape,
                        _ => FoundBy::Order,
                    };
                    for end in layer.tensors.keys() {
                        let name = joined(from.name, end);
                        left.remove(name.as_str());
                        pairs.insert(layer.keys[end], (name, found_by));
                    }
                }
                _ => {
                    let reason = why(layer, alike.len(), offered.len(), found);
                    let keys = layer.keys.values();
                    reasons.extend(keys.map(|key| (*key, reason.clone())));
                }
            }
        }
        let mut table = MatchTable::default();
        for (key, shape) in wanted {
            match pairs.remove(key.as_str()) {
                Some((from, found_by)) => table.taken.push(Taken {
                    key: key.clone(),
                    from,
                    shape: shape.clone(),
                    found_by,
                }),
                None => {
                    let reason = reasons.remove(key.as_str()).unwrap_or_default();
                    table.missing.push((key.clone(), reason));
                }
            }
        }
        let unused = left
            .into_iter()
            .map(|key| (key.to_owned(), found[key].clone()));
        table.unused = unused.collect();
        table
    }

    /// The tensors that are taken, under the network's keys.
    pub fn pick(&self, tensors: &HashMap<String, Tensor>) -> HashMap<String, Tensor> {
        let pick = |taken: &Taken| Some((taken.key.clone(), tensors.get(&taken.from)?.clone()));
        self.taken.iter().filter_map(pick).collect()
    }

    /// A line for each tensor: `encoder.0.weight  20x1x5x5  from conv1.weight, by shape`.
    pub fn lines(&self) -> Vec<String> {
        let taken = self.taken.iter().map(|taken| {
            format!(
                "{}  {}  from {}, {}",
                taken.key,
                sizes(&taken.shape),
                taken.from,
                taken.found_by.words()
            )
        });
        let missing = self
            .missing
            .iter()
            .map(|(key, reason)| format!("{key}  missing: {reason}"));
        let unused = self
            .unused
            .iter()
            .map(|(key, shape)| format!("{key}  {}  not used: no layer wants it", sizes(shape)));
        taken.chain(missing).chain(unused).collect()
    }
}

/// Tensors that share what is before the last dot.
struct Layer<'a> {
    name: &'a str,
    /// Shapes by what is behind the dot.
    tensors: BTreeMap<&'a str, &'a [usize]>,
    keys: BTreeMap<&'a str, &'a str>,
}

impl Layer<'_> {
    /// Whether it has all that another wants. It may have more, such as a count of batches.
    fn holds(&self, other: &Layer<'_>) -> bool {
        let has = |(end, shape): (&&str, &&[usize])| self.tensors.get(end) == Some(shape);
        other.tensors.iter().all(has)
    }
}

/// In the order of their first tensor.
fn layers<'a>(tensors: impl Iterator<Item = (&'a str, &'a Vec<usize>)>) -> Vec<Layer<'a>> {
    let mut layers: Vec<Layer<'a>> = Vec::new();
    for (key, shape) in tensors {
        let (name, end) = key.rsplit_once('.').unwrap_or(("", key));
        let place = layers.iter().position(|layer| layer.name == name);
        let place = place.unwrap_or_else(|| {
            layers.push(Layer {
                name,
                tensors: BTreeMap::new(),
                keys: BTreeMap::new(),
            });
            layers.len() - 1
        });
        layers[place].tensors.insert(end, shape);
        layers[place].keys.insert(end, key);
    }
    layers
}

/// Where a layer is by its name alone, where the alphabet would not tell: timm puts the layers before its blocks (`conv_stem`
/// and `bn1`) and those behind them (`conv_head`, `bn2`) beside each other.
fn depth(name: &str) -> u8 {
    match name {
        "conv_stem" | "bn1" => 0,
        name if name.starts_with("blocks.") => 1,
        _ => 2,
    }
}

fn joined(name: &str, end: &str) -> String {
    match name.is_empty() {
        true => end.to_owned(),
        false => format!("{name}.{end}"),
    }
}

fn why(
    layer: &Layer<'_>,
    wanted: usize,
    offered: usize,
    found: &HashMap<String, Vec<usize>>,
) -> String {
    let shapes: Vec<String> = layer
        .tensors
        .iter()
        .map(|(end, shape)| format!("{end} {}", sizes(shape)))
        .collect();
    let shapes = shapes.join(", ");
    // A tensor of the same name says most about what differs.
    let same = layer
        .keys
        .values()
        .find_map(|key| Some((key, found.get(*key)?)));
    if let Some((key, shape)) = same {
        return format!(
            "the file's {key} is {}, the network wants {shapes}",
            sizes(shape)
        );
    }
    match offered {
        0 => format!("the file has no layer with {shapes}"),
        _ => format!(
            "the file has {offered} layers with {shapes}, the network {wanted}: which is which is not known"
        ),
    }
}

fn sizes(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    match sizes.is_empty() {
        true => "a number".to_owned(),
        false => sizes.join("x"),
    }
}

/// Text and numbers in turn, so that 10 comes after 9.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = vec![(String::new(), 0u64)];
    let mut is_number = false;
    for letter in name.chars() {
        let digit = letter.to_digit(10);
        if is_number && digit.is_none() {
            parts.push((String::new(), 0));
        }
        is_number = digit.is_some();
        if let Some(part) = parts.last_mut() {
            match digit {
                Some(digit) => part.1 = part.1.saturating_mul(10).saturating_add(digit.into()),
                None => part.0.push(letter),
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(list: &[(&str, &[usize])]) -> Vec<(String, Vec<usize>)> {
        list.iter()
            .map(|(key, shape)| ((*key).to_owned(), shape.to_vec()))
            .collect()
    }

    #[test]
    fn layers_are_found_by_name_by_shape_and_by_order() {
        let network = wanted(&[
            ("encoder.0.weight", &[4, 1, 3, 3]),
            ("encoder.0.bias", &[4]),
            ("encoder.2.weight", &[4, 4, 3, 3]),
            ("encoder.2.bias", &[4]),
            ("encoder.4.weight", &[4, 4, 3, 3]),
            ("encoder.4.bias", &[4]),
            ("head.1.weight", &[10, 4]),
        ]);
        let file = wanted(&[
            ("conv10.weight", &[4, 4, 3, 3]),
            ("conv10.bias", &[4]),
            ("conv2.weight", &[4, 4, 3, 3]),
            ("conv2.bias", &[4]),
            ("conv1.weight", &[4, 1, 3, 3]),
            ("conv1.bias", &[4]),
            ("conv1.batches", &[]),
            ("head.1.weight", &[10, 4]),
        ]);
        let table = MatchTable::new(&network, &file.into_iter().collect());
        let pairs: Vec<(&str, &str, FoundBy)> = table
            .taken
            .iter()
            .map(|taken| (taken.key.as_str(), taken.from.as_str(), taken.found_by))
            .collect();
        assert_eq!(
            pairs,
            [
                ("encoder.0.weight", "conv1.weight", FoundBy::Shape),
                ("encoder.0.bias", "conv1.bias", FoundBy::Shape),
                ("encoder.2.weight", "conv2.weight", FoundBy::Order),
                ("encoder.2.bias", "conv2.bias", FoundBy::Order),
                ("encoder.4.weight", "conv10.weight", FoundBy::Order),
                ("encoder.4.bias", "conv10.bias", FoundBy::Order),
                ("head.1.weight", "head.1.weight", FoundBy::Name),
            ]
        );
        assert!(table.missing.is_empty());
        assert_eq!(table.unused, wanted(&[("conv1.batches", &[])]));
    }

    #[test]
    fn what_does_not_fit_is_told_with_the_reason() {
        let network = wanted(&[
            ("encoder.0.weight", &[4, 1, 3, 3]),
            ("encoder.2.weight", &[4, 4, 3, 3]),
            ("head.0.weight", &[10, 4]),
        ]);
        let file = wanted(&[
            ("a.weight", &[4, 4, 3, 3]),
            ("b.weight", &[4, 4, 3, 3]),
            ("head.0.weight", &[7, 4]),
        ]);
        let table = MatchTable::new(&network, &file.into_iter().collect());
        assert!(table.taken.is_empty());
        let reasons: Vec<&str> = table
            .missing
            .iter()
            .map(|(_, reason)| reason.as_str())
            .collect();
        assert_eq!(reasons[0], "the file has no layer with weight 4x1x3x3");
        assert!(reasons[1].starts_with("the file has 2 layers with weight 4x4x3x3, the network 1"));
        assert_eq!(
            reasons[2],
            "the file's head.0.weight is 7x4, the network wants weight 10x4"
        );
        assert_eq!(table.unused.len(), 3);
    }
}
