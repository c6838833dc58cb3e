//! `strata lens`: one layer as arithmetic: its formulas with their numbers, the steps on a small grid, the sparse
//! matrix.
//!
//! Exit code 2 for a layer that is not there or has an error.

use super::args::LensArgs;
use super::source;
use super::text::right;
use super::{Told, WRONG_INPUT, WrongInput, output};
use serde_json::{Value, json};
use strata_core::shape::{Target, infer};
use strata_design::layer_math::{Formula, Lens, Matrix, Sample, Sheet, Step, number};

/// Prints the layer.
pub fn run(args: &LensArgs) -> anyhow::Result<()> {
    let source = source::open(&args.project, &args.changes)?;
    let network = &source.project.network;
    let inference = infer(network);
    let place = match args.layer.parse::<Target>() {
        Ok(Target::Node(place)) => Some(place),
        _ => None,
    };
    let lens = place.and_then(|place| Lens::of(network, &inference, &place));
    let lens = lens.ok_or_else(|| {
        let places: Vec<String> = inference
            .rows
            .iter()
            .take(8)
            .map(|row| row.place.to_string())
            .collect();
        WrongInput(format!(
            "there is no layer `{}`; there is {} …",
            args.layer,
            places.join(", ")
        ))
    })?;
    if args.json {
        output::print_json(&as_json(&lens))?;
    } else {
        output::print(&as_text(&lens))?;
    }
    if lens.error.is_some() {
        Err(Told(WRONG_INPUT).into())
    } else {
        Ok(())
    }
}

fn as_text(lens: &Lens) -> String {
    let shape = |shape: &Option<_>| {
        shape.as_ref().map_or_else(
            || "?".to_owned(),
            |shape: &strata_core::project::size::Shape| shape.to_string(),
        )
    };
    let mut lines = vec![
        format!(
            "{}  {}   {} → {}",
            lens.place,
            lens.text,
            shape(&lens.input),
            shape(&lens.output)
        ),
        String::new(),
    ];
    if let Some(error) = &lens.error {
        lines.push(format!("error: {}", error.message));
        lines.extend(error.help.iter().map(|help| format!("help: {help}")));
    }
    let width = lens
        .formulas
        .iter()
        .map(|formula| formula.of.chars().count())
        .max()
        .unwrap_or(0);
    lines.extend(lens.formulas.iter().map(|formula| {
        format!(
            "{}  {}",
            super::text::left(&formula.of, width),
            formula.text()
        )
    }));
    lines.extend(
        lens.remarks
            .iter()
            .chain(&lens.notes)
            .map(|remark| format!("note: {remark}")),
    );
    match &lens.sample {
        Ok(sample) => lines.extend(steps(lens, sample)),
        Err(why) => lines.extend([String::new(), why.clone()]),
    }
    if let (Some(matrix), Ok(sample)) = (&lens.matrix, &lens.sample) {
        lines.extend(matrix_lines(lens, matrix, sample));
    }
    lines.join("\n")
}

/// The small grids and every step.
fn steps(lens: &Lens, sample: &Sample) -> Vec<String> {
    let size = if sample.own_size {
        "the layer's own sizes"
    } else {
        "a small grid with the same window"
    };
    let mut lines = vec![String::new(), format!("on {size}:"), "input".into()];
    lines.extend(sheet(&sample.input, !sample.way.writes()));
    if let Some([rows, columns]) = sample.kernel {
        lines.push("kernel".into());
        lines.extend(sheet(
            &Sheet::new(rows, columns, sample.weights.clone()),
            false,
        ));
    }
    lines.push("output".into());
    lines.extend(sheet(&sample.output, false));
    lines.push(String::new());
    let what = if sample.way.writes() {
        "input"
    } else {
        "output"
    };
    let cells = if sample.way.writes() {
        &sample.input
    } else {
        &sample.output
    };
    lines.extend(
        sample
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| match sample.way.writes() {
                true => format!("{:>3}  {what} {}", index + 1, step.sum),
                false => format!(
                    "{:>3}  {what} {}: {}",
                    index + 1,
                    cells.name(step.cell),
                    step.sum
                ),
            }),
    );
    if sample.way.writes() && lens.function.is_none() {
        lines.push(String::new());
        lines.extend((0..sample.output.len()).map(|cell| {
            format!(
                "output {}: {}",
                sample.output.name(cell),
                sample.sum_for_output(cell)
            )
        }));
    }
    lines
}

/// Rows of right-aligned numbers, the zeros of the padding as `·`.
fn sheet(sheet: &Sheet, padded: bool) -> Vec<String> {
    let margin = if padded { sheet.margin } else { [0; 4] };
    let [above, after, below, left] = margin.map(|cells| cells as i64);
    let width = sheet
        .values
        .iter()
        .map(|value| number(*value).chars().count())
        .max()
        .unwrap_or(1)
        + 1;
    let cell = |plane: usize, row: i64, column: i64| match sheet.cell(plane, row, column) {
        Some(cell) => right(&number(sheet.value(Some(cell))), width),
        None => right("·", width),
    };
    let mut lines = Vec::new();
    for plane in 0..sheet.planes {
        lines.extend((plane > 0).then(String::new));
        for row in -above..sheet.rows as i64 + below {
            let cells = -left..sheet.columns as i64 + after;
            lines.push(format!(
                " {}",
                cells
                    .map(|column| cell(plane, row, column))
                    .collect::<String>()
            ));
        }
    }
    lines
}

/// The matrix with a letter for each weight, and what its transpose is.
fn matrix_lines(lens: &Lens, matrix: &Matrix, sample: &Sample) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!(
            "output = A · input, A is {}×{}, zeros as ·",
            matrix.rows, matrix.columns
        ),
    ];
    let letter = |weight: usize| {
        char::from_u32('a' as u32 + weight as u32)
            .filter(|_| weight < 26)
            .unwrap_or('*')
    };
    if sample.kernel.is_some() && sample.weights.len() <= 26 {
        let names = sample.weights.iter().enumerate().map(|(index, weight)| {
            format!(
                "{} = {} = {}",
                letter(index),
                sample.weight_name(index),
                number(*weight)
            )
        });
        lines.push(names.collect::<Vec<_>>().join(", "));
    }
    let entry = |row: usize, column: usize| match matrix.entry(row, column) {
        None => "·".to_owned(),
        Some(entry) if sample.kernel.is_some() => letter(entry.weight).to_string(),
        Some(entry) => number(entry.value),
    };
    let wide = if sample.kernel.is_some() {
        1
    } else {
        matrix
            .entries
            .iter()
            .map(|entry| number(entry.value).chars().count())
            .max()
            .unwrap_or(1)
    };
    let bar = |column: usize| {
        if column > 0 && column.is_multiple_of(matrix.block[1].max(1)) {
            " "
        } else {
            ""
        }
    };
    for row in 0..matrix.rows {
        let cells = (0..matrix.columns).map(|column| {
            format!(
                "{}{}",
                bar(column),
                right(&entry(row, column), wide + usize::from(wide > 1))
            )
        });
        lines.push(format!("  {}", cells.collect::<String>()));
    }
    if let Some(partner) = &lens.partner {
        lines.push(format!(
            "its transpose is the layer `{partner}` with the same weights"
        ));
    }
    lines
}

fn as_json(lens: &Lens) -> Value {
    let formula = |formula: &Formula| json!({"of": formula.of, "chain": formula.chain, "result": formula.chain.last()});
    json!({
        "place": lens.place.to_string(),
        "text": lens.text,
        "input": lens.input.as_ref().map(|shape| shape.dims().to_vec()),
        "output": lens.output.as_ref().map(|shape| shape.dims().to_vec()),
        "formulas": lens.formulas.iter().map(formula).collect::<Vec<_>>(),
        "remarks": lens.remarks,
        "notes": lens.notes,
        "error": lens.error.as_ref().map(|error| error.message.clone()),
        "transpose": lens.partner,
        "sample": lens.sample.as_ref().ok().map(sample_json),
    })
}

fn sample_json(sample: &Sample) -> Value {
    let sheet = |sheet: &Sheet| json!({"planes": sheet.planes, "rows": sheet.rows, "columns": sheet.columns, "margin": sheet.margin, "values": sheet.values});
    let step = |step: &Step| json!({"cell": step.cell, "sum": step.sum});
    json!({
        "own_size": sample.own_size,
        "input": sheet(&sample.input),
        "kernel": sample.kernel.map(|size| json!({"size": size, "values": sample.weights})),
        "output": sheet(&sample.output),
        "steps": sample.steps.iter().map(step).collect::<Vec<_>>(),
    })
}
