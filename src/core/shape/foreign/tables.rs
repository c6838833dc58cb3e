//! The tables that Keras, torchinfo, torchsummary and Lightning print of a network, as rows: a class, the shape of what it
//! gives, its parameters. A row that is cut off or says too little is told with its line.

use super::pasted::Unread;
use super::summary::Row;

/// What stands where a text was cut off.
const CUT: char = '…';

/// What a printed table holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Table {
    pub rows: Vec<Row>,
    pub unread: Vec<Unread>,
    /// What is to be known of all rows.
    pub note: Option<&'static str>,
}

impl Table {
    fn refuse(&mut self, line: usize, text: &str, part: &str, reason: &str) {
        let unread = Unread::of(line, text, part, reason);
        self.unread.push(unread);
    }
}

/// The table of a text; `None` where it has none.
pub(super) fn read(text: &str) -> Option<Table> {
    let header = |parts: &[&str]| {
        let has_all = |line: &&str| parts.iter().all(|part| line.contains(part));
        text.lines().find(has_all)
    };
    let table = if let Some(header) = header(&["depth-idx"]) {
        torchinfo(text, header)
    } else if let Some(header) = header(&["| Name", "| Type", "| Params"]) {
        lightning(text, header)
    } else if text.lines().any(|line| line.contains("[-1,")) {
        torchsummary(text)
    } else if text.lines().any(|line| line.contains("(None,")) {
        match text.lines().any(|line| line.trim_start().starts_with('│')) {
            true => keras_boxes(text),
            false => keras(text),
        }
    } else {
        return None;
    };
    let is_any = !table.rows.is_empty() || !table.unread.is_empty();
    is_any.then_some(table)
}

/// The numbers of a shape without its batch: `1, 8, 26, 26`, `None, 26, 26, 8`.
fn shape(text: &str) -> Option<Vec<u32>> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let sizes: Option<Vec<u32>> = parts.skip(1).map(|part| part.parse().ok()).collect();
    sizes.filter(|sizes| !sizes.is_empty())
}

/// The number at the start of a text, commas between thousands and brackets around frozen ones left out.
fn number(text: &str) -> u64 {
    let word = text.split_whitespace().next().unwrap_or_default();
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// A row of Keras, whose shapes have their channels last.
fn of_keras(line: usize, text: &str, class: &str, mut output: Vec<u32>, parameters: u64) -> Row {
    let is_last = output.len() > 1;
    if is_last {
        output.rotate_right(1);
    }
    Row {
        line,
        text: text.trim().to_owned(),
        class: class.to_owned(),
        input: None,
        output,
        parameters,
        is_last,
    }
}

/// Keras 3: boxes, each row of them of one or more lines.
fn keras_boxes(text: &str) -> Table {
    let mut table = Table::default();
    let mut cells: Vec<String> = Vec::new();
    let mut first = (0, "");
    for (index, line) in text.lines().enumerate() {
        let inside = line.trim().strip_prefix('│');
        let Some(inside) = inside else {
            keras_box(&mut table, first, &std::mem::take(&mut cells));
            continue;
        };
        if cells.is_empty() {
            first = (index + 1, line);
        }
        for (column, part) in inside.trim_end_matches('│').split('│').enumerate() {
            match cells.get_mut(column) {
                Some(cell) => {
                    cell.push(' ');
                    cell.push_str(part.trim());
                }
                None => cells.push(part.trim().to_owned()),
            }
        }
    }
    keras_box(&mut table, first, &cells);
    table
}

fn keras_box(table: &mut Table, (line, text): (usize, &str), cells: &[String]) {
    let [name, shown, parameters, ..] = cells else {
        return;
    };
    let class = name
        .trim_end()
        .strip_suffix(')')
        .and_then(|name| name.rsplit_once('('));
    let Some((_, class)) = class.filter(|(_, class)| !class.contains(CUT)) else {
        let reason = "its class is cut off: print the summary with a larger line_length";
        return table.refuse(line, text, name.split(' ').next().unwrap_or(name), reason);
    };
    match bracket(shown, '(', ')').and_then(shape) {
        Some(output) => {
            let row = of_keras(line, text, class, output, number(parameters));
            table.rows.push(row);
        }
        None => {
            let reason = "its shape is cut off or has no sizes: print the summary with a larger line_length, of a network \
                          whose input has one size";
            let part = shown.split_whitespace().next().unwrap_or(shown);
            table.refuse(line, text, part, reason);
        }
    }
}

/// What stands between the first bracket and its end.
fn bracket(text: &str, open: char, close: char) -> Option<&str> {
    let inside = text.split_once(open)?.1;
    // A tensor of several has brackets around all of them.
    let inside = inside.trim_start_matches(open);
    inside.split_once(close).map(|(inside, _)| inside)
}

/// Keras 2: lines, a class that is cut off goes on below.
fn keras(text: &str) -> Table {
    let mut table = Table::default();
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let Some((named, shown)) = line.split_once("(None,") else {
            continue;
        };
        let next = lines.get(index + 1).map_or("", |next| next.trim_start());
        let begun = named.trim_end().trim_end_matches('[').trim_end();
        let class = match (begun.strip_suffix(')'), begun.rsplit_once('(')) {
            (Some(whole), _) => whole.rsplit_once('(').map(|(_, class)| class.to_owned()),
            (None, Some((_, part))) => rest_of_class(next).map(|rest| format!("{part}{rest}")),
            // A long name goes on below, with the class behind it.
            (None, None) => next
                .split_once('(')
                .filter(|_| !next.contains("(None,"))
                .and_then(|(_, rest)| rest_of_class(rest))
                .map(str::to_owned),
        };
        let Some(class) = class else {
            let reason = "its class is cut off: print the summary with a larger line_length";
            table.refuse(index + 1, line, begun.trim(), reason);
            continue;
        };
        let printed = shown.split_once(')');
        let sizes = printed.and_then(|(sizes, _)| shape(&format!("None, {sizes}")));
        let parameters = printed.map_or("", |(_, rest)| rest.trim_start_matches([']', ')', ' ']));
        match sizes {
            Some(output) => {
                let row = of_keras(index + 1, line, &class, output, number(parameters));
                table.rows.push(row);
            }
            None => {
                let reason = "its shape has no sizes: print the summary of a network whose input has one size";
                table.refuse(index + 1, line, "(None,", reason);
            }
        }
    }
    table
}

/// The end of a class on the line below the one where it was cut off: `D)`.
fn rest_of_class(text: &str) -> Option<&str> {
    let (rest, _) = text.split_once(')')?;
    rest.chars().all(char::is_alphanumeric).then_some(rest)
}

/// How far in a row of torchinfo stands.
fn depth(text: &str) -> usize {
    text.chars().take_while(|c| !c.is_alphanumeric()).count()
}

fn torchinfo(text: &str, header: &str) -> Table {
    let mut table = Table::default();
    // Which of the bracketed lists is what the layer gives.
    let place = |name: &str| header.find(name);
    let is_behind = |name: &str| place(name).is_some_and(|at| Some(at) < place("Output Shape"));
    let has_input = is_behind("Input Shape");
    let output_at = usize::from(has_input) + usize::from(is_behind("Kernel Shape"));
    let is_row = |line: &&str| line.contains(':') && bracketed_or_dashes(line);
    let rows: Vec<(usize, &str)> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| {
            is_row(line)
                || line.starts_with(|c: char| c.is_alphabetic()) && bracketed_or_dashes(line)
        })
        .collect();
    for (place, (index, line)) in rows.iter().enumerate() {
        let next = rows.get(place + 1);
        // A row that holds the next ones is no layer.
        if next.is_some_and(|(_, next)| depth(next) > depth(line)) {
            continue;
        }
        let word = line.trim_start_matches(|c: char| !c.is_alphanumeric());
        let class = word.split([':', ' ']).next().unwrap_or_default().to_owned();
        let shapes: Vec<&str> = line
            .split('[')
            .skip(1)
            .filter_map(|part| part.split_once(']').map(|(inside, _)| inside))
            .collect();
        let output = shapes.get(output_at).and_then(|sizes| shape(sizes));
        let Some(output) = output else {
            let reason = "its shape is not printed: it holds others, or was used before";
            table.refuse(index + 1, line, &class, reason);
            continue;
        };
        let input = has_input.then(|| shapes.first().and_then(|sizes| shape(sizes)));
        let behind = line.split(']').nth(output_at + 1).unwrap_or_default();
        table.rows.push(Row {
            line: index + 1,
            text: line.trim().to_owned(),
            class,
            input: input.flatten(),
            output,
            parameters: number(behind),
            is_last: false,
        });
    }
    table
}

fn bracketed_or_dashes(line: &str) -> bool {
    line.contains('[') && line.contains(']') || line.contains("--") || line.contains("(recursive)")
}

/// torchsummary: `Conv2d-1   [-1, 8, 32, 32]   216`; what holds others stands behind them.
fn torchsummary(text: &str) -> Table {
    let mut table = Table::default();
    for (index, line) in text.lines().enumerate() {
        let Some((named, rest)) = line.split_once("[-1,") else {
            continue;
        };
        let class = named.trim().rsplit_once('-').map_or("", |(class, _)| class);
        let printed = rest.split_once(']');
        let output = printed.and_then(|(sizes, _)| shape(&format!("-1, {sizes}")));
        let (Some(output), Some((_, parameters)), false) = (output, printed, class.is_empty())
        else {
            table.refuse(
                index + 1,
                line,
                named.trim(),
                "its shape or its class is not printed whole",
            );
            continue;
        };
        table.rows.push(Row {
            line: index + 1,
            text: line.trim().to_owned(),
            class: class.to_owned(),
            input: None,
            output,
            parameters: number(parameters),
            is_last: false,
        });
    }
    table
}

/// Lightning: cells between bars; sizes are there where the module has an example.
fn lightning(text: &str, header: &str) -> Table {
    let mut table = Table::default();
    let names: Vec<&str> = header.split('|').map(str::trim).collect();
    let column = |name: &str| names.iter().position(|known| *known == name);
    let rows: Vec<(usize, &str, Vec<&str>)> = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index, line, line.split('|').map(str::trim).collect()))
        .filter(|(_, line, cells): &(usize, &str, Vec<&str>)| {
            cells.len() == names.len() && *line != header
        })
        .collect();
    fn cell<'a>(cells: &[&'a str], column: Option<usize>) -> &'a str {
        column.and_then(|at| cells.get(at)).copied().unwrap_or("")
    }
    for (index, line, cells) in &rows {
        let name = cell(cells, column("Name"));
        let holds = |other: &(usize, &str, Vec<&str>)| {
            let other = cell(&other.2, column("Name"));
            other
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        let class = cell(cells, column("Type"));
        if rows.iter().any(holds) {
            continue;
        }
        let sizes = |column: Option<usize>| bracket(cell(cells, column), '[', ']').and_then(shape);
        let (input, output) = (sizes(column("In sizes")), sizes(column("Out sizes")));
        let (Some(input), Some(output)) = (input, output) else {
            let reason = match column("Out sizes") {
                Some(_) => "its sizes are not printed: the example did not run through it",
                None => "no sizes are printed: give the module an example_input_array",
            };
            table.refuse(index + 1, line, class, reason);
            continue;
        };
        let printed = cell(cells, column("Params"));
        let parameters = exact(printed, class, &input, &output);
        table.rows.push(Row {
            line: index + 1,
            text: line.trim().to_owned(),
            class: class.to_owned(),
            input: Some(input),
            output,
            parameters,
            is_last: false,
        });
    }
    if table
        .rows
        .iter()
        .any(|row| row.text.contains(" K ") || row.text.contains(" M "))
    {
        table.note = Some(
            "Lightning rounds numbers of parameters: of large layers it is not sure whether they have a bias",
        );
    }
    table
}

/// The number of parameters that was rounded to `printed`: that of the plainest window with a bias, or without.
fn exact(printed: &str, class: &str, input: &[u32], output: &[u32]) -> u64 {
    let mut parts = printed.split_whitespace();
    let (value, unit) = (parts.next().unwrap_or("0"), parts.next().unwrap_or(""));
    let unit: f64 = match unit {
        "K" => 1e3,
        "M" => 1e6,
        "B" => 1e9,
        _ => return number(value),
    };
    let near = value.parse::<f64>().unwrap_or(0.0) * unit;
    let is_it = |all: &u64| (*all as f64 - near).abs() <= 0.06 * unit;
    let (from, to) = (u64::from(input[0]), u64::from(output[0]));
    let axes = output.len().saturating_sub(1) as u32;
    let windows: Vec<u64> = match class.starts_with("Linear") {
        true => vec![input.iter().map(|&size| u64::from(size)).product()],
        false => (1..=15u64).map(|side| side.pow(axes) * from).collect(),
    };
    let weights = windows.into_iter().map(|each| each * to);
    let counts = weights.flat_map(|weights| [weights + to, weights]);
    counts.into_iter().find(is_it).unwrap_or(near as u64)
}
