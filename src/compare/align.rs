//! Architectures layer by layer: the alignment that keeps the order of the layers and puts as many alike ones side by
//! side as it can (Needleman and Wunsch 1970), network after network.

use serde::Serialize;
use strata_core::project::Stack;
use strata_core::shape::{Inference, Row};

/// A layer of one network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Where it is: `encoder.0`.
    pub place: String,
    /// Its text.
    pub text: String,
    /// Its output shape.
    pub output: String,
    /// Numbers that are trained.
    pub parameters: u64,
    /// Multiply-accumulates for one image.
    pub macs: u64,
}

/// Layers side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlignedRow {
    /// The stack they are in.
    pub stack: String,
    /// How many blocks they are in.
    pub depth: usize,
    /// The layer of each network; `None` where it has none here.
    pub cells: Vec<Option<Cell>>,
    /// In what they differ; empty where all have the same layer.
    pub changed: Vec<&'static str>,
}

/// What two layers side by side are worth. A layer beside none is worth nothing.
fn worth(a: &Row, b: &Row) -> Option<u32> {
    let word = |row: &Row| row.text.split_whitespace().next().map(str::to_owned);
    if a.depth != b.depth || a.is_block != b.is_block {
        None
    } else if a.text == b.text {
        // The same shape too: of equal layers those at the same size belong together.
        Some(if a.output == b.output { 5 } else { 4 })
    } else if word(a) == word(b) {
        Some(3)
    } else if a.family == b.family {
        Some(2)
    } else {
        None
    }
}

/// The networks' layers, stack after stack. Networks without layers have no cell.
pub fn align(networks: &[Option<&Inference>]) -> Vec<AlignedRow> {
    Stack::ALL
        .into_iter()
        .flat_map(|stack| of_stack(stack, networks))
        .collect()
}

type Column<'a> = Vec<Option<&'a Row>>;

fn of_stack(stack: Stack, networks: &[Option<&Inference>]) -> Vec<AlignedRow> {
    let mut columns: Vec<Column<'_>> = Vec::new();
    for (index, network) in networks.iter().enumerate() {
        let rows = network.iter().flat_map(|network| &network.rows);
        let rows: Vec<&Row> = rows.filter(|row| row.place.stack == stack).collect();
        columns = joined(&columns, &rows, index);
    }
    let aligned = |mut column: Column<'_>| {
        column.resize(networks.len(), None);
        AlignedRow {
            stack: stack.name().to_owned(),
            depth: column.iter().flatten().next().map_or(0, |row| row.depth),
            changed: changed(&column, networks),
            cells: column.into_iter().map(|row| row.map(cell)).collect(),
        }
    };
    columns.into_iter().map(aligned).collect()
}

/// The columns with the rows of the network of this number put beside them, or between them.
fn joined<'a>(columns: &[Column<'a>], rows: &[&'a Row], index: usize) -> Vec<Column<'a>> {
    let score = |column: &Column<'a>, row: &Row| {
        let worths = column.iter().flatten().map(|other| worth(other, row));
        worths.max().flatten()
    };
    // best[i][j]: what the columns from i on and the rows from j on are worth at most.
    let mut best = vec![vec![0u32; rows.len() + 1]; columns.len() + 1];
    for (i, column) in columns.iter().enumerate().rev() {
        for (j, row) in rows.iter().enumerate().rev() {
            let beside = score(column, row).map_or(0, |worth| worth + best[i + 1][j + 1]);
            best[i][j] = beside.max(best[i + 1][j]).max(best[i][j + 1]);
        }
    }
    let mut joined = Vec::with_capacity(columns.len().max(rows.len()));
    let (mut i, mut j) = (0, 0);
    while i < columns.len() || j < rows.len() {
        let beside = columns.get(i).zip(rows.get(j)).and_then(|(column, row)| {
            let worth = score(column, row)? + best[i + 1][j + 1];
            (worth == best[i][j]).then_some((column, *row))
        });
        if let Some((column, row)) = beside {
            let mut column = column.clone();
            column.resize(index, None);
            column.push(Some(row));
            joined.push(column);
            (i, j) = (i + 1, j + 1);
        } else if i < columns.len() && (j == rows.len() || best[i + 1][j] == best[i][j]) {
            joined.push(columns[i].clone());
            i += 1;
        } else {
            let mut column = vec![None; index];
            column.push(Some(rows[j]));
            joined.push(column);
            j += 1;
        }
    }
    for column in &mut joined {
        column.resize(index + 1, None);
    }
    joined
}

fn cell(row: &Row) -> Cell {
    Cell {
        place: row.place.to_string(),
        text: row.text.clone(),
        output: row.shape_text(),
        parameters: row.parameters,
        macs: row.macs,
    }
}

/// In what the layers of the networks differ.
fn changed(column: &Column<'_>, networks: &[Option<&Inference>]) -> Vec<&'static str> {
    let present: Vec<&Row> = column.iter().copied().flatten().collect();
    let with_layers = networks.iter().flatten().count();
    let differ =
        |same: fn(&Row, &Row) -> bool| present.windows(2).any(|pair| !same(pair[0], pair[1]));
    let mut changed = Vec::new();
    let mut add = |is_other: bool, what: &'static str| changed.extend(is_other.then_some(what));
    add(present.len() < with_layers, "only in some");
    add(differ(|a, b| a.text == b.text), "layer");
    add(differ(|a, b| a.outline == b.outline), "shape");
    add(differ(|a, b| a.parameters == b.parameters), "parameters");
    add(differ(|a, b| a.macs == b.macs), "MACs");
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::file;
    use strata_core::shape::infer;

    fn network(encoder: &str) -> Inference {
        let text = format!(
            "format = 1\n[network]\ninput = \"1x28x28\"\nencoder = [{encoder}]\nhead = [\"flatten\", \"dense 10\"]\n"
        );
        infer(&file::parse(&text, "test").unwrap().network)
    }

    fn texts(rows: &[AlignedRow]) -> Vec<Vec<&str>> {
        rows.iter()
            .map(|row| {
                let cells = row.cells.iter();
                cells
                    .map(|cell| cell.as_ref().map_or("-", |cell| cell.text.as_str()))
                    .collect()
            })
            .collect()
    }

    #[test]
    fn layers_stand_beside_those_they_are_like() {
        let plain = network(r#""conv 8 k3 p1", "relu", "maxpool 2""#);
        let normed = network(
            r#""conv 16 k3 p1", "batch_norm", "relu", "conv 16 k3 p1", "relu", "maxpool 2""#,
        );
        let rows = align(&[Some(&plain), Some(&normed), None]);
        assert_eq!(
            texts(&rows),
            [
                ["conv 8 k3 p1", "conv 16 k3 p1", "-"],
                ["-", "batch_norm", "-"],
                ["relu", "relu", "-"],
                ["-", "conv 16 k3 p1", "-"],
                ["-", "relu", "-"],
                ["maxpool 2", "maxpool 2", "-"],
                ["flatten", "flatten", "-"],
                ["dense 10", "dense 10", "-"],
            ]
            .map(Vec::from)
        );
        assert_eq!(rows[0].changed, ["layer", "shape", "parameters", "MACs"]);
        assert_eq!(rows[1].changed, ["only in some"]);
        assert_eq!(rows[2].changed, ["shape"]);
        assert_eq!(rows[7].changed, ["parameters", "MACs"]);
    }

    #[test]
    fn a_third_network_joins_the_columns_of_the_first_two() {
        let [a, b, c] = [
            network(r#""conv 8 k3 p1", "relu""#),
            network(r#""conv 8 k3 p1""#),
            network(r#""relu", "conv 8 k5 p2", "relu""#),
        ];
        let rows = align(&[Some(&a), Some(&b), Some(&c)]);
        assert_eq!(
            texts(&rows)[..3],
            [
                ["-", "-", "relu"],
                ["conv 8 k3 p1", "conv 8 k3 p1", "conv 8 k5 p2"],
                ["relu", "-", "relu"],
            ]
            .map(Vec::from)
        );
        let same = align(&[Some(&a), Some(&a)]);
        assert!(same.iter().all(|row| row.changed.is_empty()), "{same:?}");
    }
}
