//! Nodes of a stack: layers, and blocks that hold their own stacks.
//!
//! A layer whose text cannot be read is kept as written ([`Node::Broken`]): a project with a typing
//! mistake still opens, shows the mistake at its place and saves back without loss.

use super::layer::{Family, Layer};
use super::layer_text::LayerTextError;
use super::structured;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// One entry of a stack.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A layer that could be read.
    Layer(Layer),
    /// Text that is not a layer, with the reason.
    Broken {
        /// The text as written.
        text: String,
        /// What is wrong with it.
        error: LayerTextError,
    },
    /// `{ add = [[…], […]] }`: branches on the same input, summed; an empty branch is the identity.
    Add(Vec<Vec<Node>>),
    /// `{ concat = [[…], […]] }`: branches on the same input, joined along channels.
    Concat(Vec<Vec<Node>>),
    /// `{ repeat = 8, layers = […] }`: the layers one after the other, each time with its own weights.
    Repeat {
        /// How often.
        times: u32,
        /// What is repeated.
        layers: Vec<Node>,
    },
}

impl Node {
    /// A node from typed text: a layer, or a block when it starts with `{`. Never fails; what cannot
    /// be read becomes [`Node::Broken`].
    pub fn from_text(text: &str) -> Node {
        let text = text.trim();
        if text.starts_with('{') {
            return block_from_text(text).unwrap_or_else(|error| Node::Broken {
                text: text.into(),
                error,
            });
        }
        match Layer::from_str(text) {
            Ok(layer) => Node::Layer(layer),
            Err(error) => Node::Broken {
                text: text.into(),
                error,
            },
        }
    }

    /// The text of a layer, or the inline TOML table of a block.
    pub fn text(&self) -> String {
        match self {
            Node::Layer(layer) => layer.to_string(),
            Node::Broken { text, .. } => text.clone(),
            _ => self.to_toml(),
        }
    }

    /// A short label: the layer's text, `add of 2 branches`, `repeat ×8`.
    pub fn label(&self) -> String {
        match self {
            Node::Layer(_) | Node::Broken { .. } => self.text(),
            Node::Add(branches) => format!("add of {} branches", branches.len()),
            Node::Concat(branches) => format!("concat of {} branches", branches.len()),
            Node::Repeat { times, .. } => format!("repeat ×{times}"),
        }
    }

    /// The family for colours; a broken layer counts as [`Family::Shape`].
    pub fn family(&self) -> Family {
        match self {
            Node::Layer(layer) => layer.kind.family(),
            Node::Broken { .. } => Family::Shape,
            _ => Family::Block,
        }
    }

    /// The stacks inside a block (a repeat has one); empty for a layer.
    pub fn branches(&self) -> &[Vec<Node>] {
        match self {
            Node::Add(branches) | Node::Concat(branches) => branches,
            Node::Repeat { layers, .. } => std::slice::from_ref(layers),
            _ => &[],
        }
    }

    /// One of the stacks inside a block, to edit.
    pub fn branch_mut(&mut self, branch: usize) -> Option<&mut Vec<Node>> {
        match self {
            Node::Add(branches) | Node::Concat(branches) => branches.get_mut(branch),
            Node::Repeat { layers, .. } => (branch == 0).then_some(layers),
            _ => None,
        }
    }

    /// The TOML value: a quoted string for a layer, an inline table for a block.
    pub fn to_toml(&self) -> String {
        let stacks = |branches: &[Vec<Node>]| {
            branches
                .iter()
                .map(|b| stack_to_toml(b))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self {
            Node::Layer(_) | Node::Broken { .. } => quote(&self.text()),
            Node::Add(branches) => format!("{{ add = [{}] }}", stacks(branches)),
            Node::Concat(branches) => format!("{{ concat = [{}] }}", stacks(branches)),
            Node::Repeat { times, layers } => {
                format!("{{ repeat = {times}, layers = {} }}", stack_to_toml(layers))
            }
        }
    }
}

/// `["conv 16", "relu"]` on one line.
pub(crate) fn stack_to_toml(stack: &[Node]) -> String {
    format!(
        "[{}]",
        stack
            .iter()
            .map(Node::to_toml)
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// A TOML basic string.
pub(crate) fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn block_from_text(text: &str) -> Result<Node, LayerTextError> {
    #[derive(Deserialize)]
    struct Holder {
        node: Node,
    }
    let wrong = |message: String| LayerTextError {
        message,
        help: BLOCK_HELP.into(),
        span: 0..text.len(),
    };
    let unread =
        || wrong("the block cannot be read: a bracket, a quote or a comma is missing".into());
    let document = format!("node = {text}");
    let parsed = DeTable::parse(&document).map_err(|_| unread())?;
    let block = parsed.get_ref().get("node").ok_or_else(unread)?;
    let table = block.get_ref().as_table().ok_or_else(unread)?;
    judge_block(table, &block.span()).map_err(|(_, message)| wrong(message))?;
    toml::from_str::<Holder>(&document)
        .map(|holder| holder.node)
        .map_err(|_| unread())
}

const BLOCK_HELP: &str = "write { add = [[\"conv 16 k3 p1\"], []] }, { concat = [[…], […]] } or { repeat = 2, layers = […] }";

/// A stack: a list of layers and blocks, or one text with commas between them.
pub(super) fn stack<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Node>, D::Error> {
    struct Stack;
    impl<'de> Visitor<'de> for Stack {
        type Value = Vec<Node>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of layers")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<Node>, E> {
            let entries = structured::split_entries(text).into_iter();
            Ok(entries.map(Node::from_text).collect())
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Node>, A::Error> {
            let mut nodes = Vec::new();
            while let Some(node) = list.next_element()? {
                nodes.push(node);
            }
            Ok(nodes)
        }
    }
    deserializer.deserialize_any(Stack)
}

/// What is wrong with an entry of a stack as TOML, and its bytes.
type Wrong = (Range<usize>, String);

/// Finds the first entry of a stack that is neither a text nor a block. Texts are judged as layers, later.
pub(super) fn judge(stack: &DeArray<'_>) -> Result<(), Wrong> {
    for entry in stack.iter() {
        match entry.get_ref() {
            DeValue::String(_) => {}
            DeValue::Table(block) => judge_block(block, &entry.span())?,
            other => {
                let message = format!(
                    "{} is no layer: write each as a text, such as \"conv 16 k3\", or as a block: {BLOCK_HELP}",
                    written(other)
                );
                return Err((entry.span(), message));
            }
        }
    }
    Ok(())
}

fn judge_block(block: &DeTable<'_>, span: &Range<usize>) -> Result<(), Wrong> {
    const KEYS: [&str; 4] = ["add", "concat", "repeat", "layers"];
    let wrong = |message: String| (span.clone(), message);
    if let Some(key) = block
        .keys()
        .find(|key| !KEYS.contains(&key.get_ref().as_ref()))
    {
        let message = format!("`{}` is no block: {BLOCK_HELP}", key.get_ref());
        return Err((key.span(), message));
    }
    let has = KEYS.map(|key| block.contains_key(key));
    if !matches!(
        has,
        [true, false, false, false] | [false, true, false, false] | [false, false, true, true]
    ) {
        let message = "a block has either add, or concat, or repeat and layers";
        return Err(wrong(format!("{message}: {BLOCK_HELP}")));
    }
    let list = |value: &Spanned<DeValue<'_>>| -> Result<(), Wrong> {
        let layers = value.get_ref().as_array();
        judge(layers.ok_or_else(|| (value.span(), no_list(value.get_ref())))?)
    };
    for key in ["add", "concat"] {
        let Some(branches) = block.get(key) else {
            continue;
        };
        let each = branches.get_ref().as_array();
        let each = each.ok_or_else(|| (branches.span(), no_list(branches.get_ref())))?;
        each.iter().try_for_each(list)?;
    }
    block.get("layers").map_or(Ok(()), list)?;
    let times = |value: &DeValue<'_>| -> Option<u32> {
        value.as_integer()?.as_str().replace('_', "").parse().ok()
    };
    match block.get("repeat") {
        Some(value) if times(value.get_ref()).is_none() => Err((
            value.span(),
            format!(
                "repeat = {} is no number of times: write a whole number from 1",
                written(value.get_ref())
            ),
        )),
        _ => Ok(()),
    }
}

fn no_list(value: &DeValue<'_>) -> String {
    format!("{} is no list of layers: {BLOCK_HELP}", written(value))
}

/// A value as it is written, or what it is.
fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quote(text),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

/// Reads what [`judge`] lets through.
struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a layer as text (\"conv 16 k3\") or a block ({ add = […] }, { concat = […] }, { repeat = N, layers = […] })")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::from_text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let (mut add, mut concat, mut times, mut layers) = (None, None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "add" => add = Some(map.next_value::<Vec<Vec<Node>>>()?),
                "concat" => concat = Some(map.next_value::<Vec<Vec<Node>>>()?),
                "repeat" => times = Some(map.next_value::<u32>()?),
                "layers" => layers = Some(map.next_value::<Vec<Node>>()?),
                other => {
                    return Err(de::Error::custom(format!(
                        "`{other}` is no block: {BLOCK_HELP}"
                    )));
                }
            }
        }
        match (add, concat, times, layers) {
            (Some(branches), None, None, None) => Ok(Node::Add(branches)),
            (None, Some(branches), None, None) => Ok(Node::Concat(branches)),
            (None, None, Some(times), Some(layers)) => Ok(Node::Repeat { times, layers }),
            _ => Err(de::Error::custom(
                "a block has either add, or concat, or repeat and layers",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_round_trip() {
        for text in [
            r#"{ add = [["conv 16 k3 p1", "relu"], []] }"#,
            r#"{ repeat = 8, layers = [{ concat = [["conv 3"], ["identity"]] }, "relu"] }"#,
        ] {
            assert_eq!(Node::from_text(text).text(), text);
        }
    }

    #[test]
    fn broken_text_is_kept() {
        for text in [
            "conv16",
            "{ add = [",
            "{ add = [[\"relu\"]], concat = [] }",
            "{ repeat = -1, layers = [] }",
        ] {
            let node = Node::from_text(text);
            assert!(matches!(node, Node::Broken { .. }), "{text}");
            assert_eq!(node.text(), text);
        }
    }
}
