//! The layers on the way to a setting: branches of blocks, and attributes of layers by PyTorch's names.

use super::super::Stack;
use super::super::node::Node;
use crate::shape::layers::fields::{FieldForm, LayerField, NO, YES};
use toml::{Table, Value};

/// Whether a key is the name of a stack of layers.
pub(super) fn is_stack(key: &str) -> bool {
    Stack::ALL.iter().any(|stack| stack.name() == key)
}

/// Whether the entries of a list of this name are layers and blocks.
pub(super) fn holds_layers(list: &str) -> bool {
    is_stack(list) || matches!(list, "layers" | "add" | "concat")
}

/// A branch of a block on the way to a setting: the name of the block's list, the layers, and the rest of the path.
type Branch<'t, 'p> = (&'static str, &'t mut Vec<Value>, &'p str);

/// The layers in a branch of a block, where the path goes on with the branch's number.
pub(super) fn in_block<'t, 'p>(
    table: &'t mut Table,
    first: &str,
    rest: &'p str,
) -> Result<Option<Branch<'t, 'p>>, String> {
    let Ok(branch) = first.parse::<usize>() else {
        return Ok(None);
    };
    let known = ["layers", "add", "concat"];
    let Some(key) = known.into_iter().find(|key| table.contains_key(*key)) else {
        return Ok(None);
    };
    let there_is_none = || format!("the block has no branch `{first}`, counted from 0");
    let list = match table.get_mut(key) {
        Some(Value::Array(list)) => list,
        _ => return Err(there_is_none()),
    };
    if key == "layers" {
        return match branch {
            0 => Ok(Some((key, list, rest))),
            _ => Err(there_is_none()),
        };
    }
    match list.get_mut(branch) {
        Some(Value::Array(layers)) => Ok(Some((key, layers, rest))),
        _ => Err(there_is_none()),
    }
}

/// Other names of attributes of layers, and PyTorch's.
const OTHER_NAMES: [(&str, &str); 5] = [
    ("filters", "out_channels"),
    ("channels", "out_channels"),
    ("units", "out_features"),
    ("features", "out_features"),
    ("kernel", "kernel_size"),
];

/// The attribute of a layer by its name, PyTorch's or another one.
pub(super) fn attribute(fields: &'static [LayerField], name: &str) -> Option<&'static LayerField> {
    let known = OTHER_NAMES.iter().find(|(other, _)| *other == name);
    let name = known.map_or(name, |(_, ours)| *ours);
    fields.iter().find(|field| field.name == name)
}

/// The text of a layer with this attribute changed.
pub(super) fn with_attribute(layer: &str, name: &str, value: &str) -> Result<String, String> {
    let Node::Layer(read) = Node::from_text(layer) else {
        return Err(format!("the layer `{layer}` cannot be read"));
    };
    let fields = read.kind.fields();
    let field = attribute(fields, name).ok_or_else(|| {
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        match names.is_empty() {
            true => format!("`{layer}` has no `{name}`, nor anything else to set"),
            false => format!("`{layer}` has no `{name}`: it has {}", names.join(", ")),
        }
    })?;
    let value = match (field.form, value.trim()) {
        (FieldForm::Flag, "true") => YES,
        (FieldForm::Flag, "false") => NO,
        (_, value) => value,
    };
    let changed = field.with(&read, value);
    let changed = changed.map_err(|error| format!("{}: {}", error.message, error.help))?;
    Ok(changed.to_string())
}
