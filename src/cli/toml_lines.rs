//! The line of a layer in a project file.

use strata_core::project::Place;
use toml::de::{DeTable, DeValue};

/// The line (from 1) of the layer at a place; `None` when the text has no such layer.
pub fn line_of(text: &str, place: &Place) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let stack = table
        .get_ref()
        .get("network")?
        .get_ref()
        .as_table()?
        .get(place.stack.name())?;
    let (mut list, mut path) = (stack.get_ref().as_array()?, place.path.as_slice());
    loop {
        let (&index, rest) = path.split_first()?;
        let item = list.get(index)?;
        let Some((&branch, rest)) = rest.split_first() else {
            return Some(1 + text.get(..item.span().start)?.matches('\n').count());
        };
        (list, path) = (inside(item.get_ref(), branch)?, rest);
    }
}

/// The list of nodes in a block's branch.
fn inside<'a, 'i>(block: &'a DeValue<'i>, branch: usize) -> Option<&'a toml::de::DeArray<'i>> {
    let table = block.as_table()?;
    if let Some(layers) = table.get("layers") {
        return layers.get_ref().as_array();
    }
    let branches = table.get("add").or_else(|| table.get("concat"))?;
    branches
        .get_ref()
        .as_array()?
        .get(branch)?
        .get_ref()
        .as_array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::Stack;

    #[test]
    fn layers_are_found_on_their_lines() {
        let text = "format = 1\n[network]\ninput = \"1x8x8\"\nencoder = [\n  \"relu\",\n  { add = [\n    [\"tanh\"], [\n    \"elu\"]] },\n]\n";
        let line = |path: &[usize]| {
            line_of(
                text,
                &Place {
                    stack: Stack::Encoder,
                    path: path.to_vec(),
                },
            )
        };
        assert_eq!(line(&[0]), Some(5));
        assert_eq!(line(&[1]), Some(6));
        assert_eq!(line(&[1, 0, 0]), Some(7));
        assert_eq!(line(&[1, 1, 0]), Some(8));
        assert_eq!(line(&[2]), None);
        assert_eq!(line_of("no project", &Place::new(Stack::Head, 0)), None);
    }
}
