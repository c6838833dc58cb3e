//! Prints of other programs (`tests/fixtures/prints.py`): what is understood of each, and what is marked at which line.

use super::pasted::{Pasted, in_lines, is_print, paste};

macro_rules! print {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/prints/", $name, ".txt"))
    };
}

fn read(text: &str) -> Pasted {
    assert!(is_print(text), "{text}");
    paste(text)
}

fn layers(pasted: &Pasted) -> String {
    let texts: Vec<String> = pasted.layers.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// Each line that is marked: its number, the part, and whether the reason holds these words.
fn assert_marked(text: &str, pasted: &Pasted, expected: &[(usize, &str, &str)]) {
    let found: Vec<(usize, &str, &str)> = pasted
        .unread
        .iter()
        .map(|unread| {
            let line = text.lines().nth(unread.line - 1).unwrap();
            assert_eq!(line.trim(), unread.text, "{unread:?}");
            let part = unread.text.get(unread.marked.clone()).unwrap();
            assert_eq!(unread.carets().trim().len(), part.chars().count());
            (unread.line, part, unread.reason.as_str())
        })
        .collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((line, part, reason), (expected_line, expected_part, words)) in found.iter().zip(expected)
    {
        assert_eq!((line, part), (expected_line, expected_part), "{found:#?}");
        assert!(reason.contains(words), "{reason}: {words}");
    }
}

const NET: &str = "conv 8 k3 p1 nobias, bn, silu, conv 8 k3 p1 nobias, bn, silu, conv 8 k3 p1 nobias, bn, silu, \
     conv 8 k3 p1 nobias, bn, silu, maxpool 2, flatten, dense 10";

#[test]
fn blocks_that_are_there_several_times_are_taken_as_often() {
    let text = print!("pytorch");
    let pasted = read(text);
    assert_eq!(layers(&pasted), NET);
    assert_marked(
        text,
        &pasted,
        &[
            (2, "Block", "one after the other"),
            (8, "Block", "one after the other"),
            (15, "Scale", "is no layer"),
        ],
    );
}

#[test]
fn a_layer_of_anothers_making_is_marked_with_what_it_holds() {
    let text = print!("parametrized");
    let pasted = read(text);
    assert_eq!(
        layers(&pasted),
        "conv 8 k3 p1, conv 8 k3 p1, conv 8 k3 p1, conv 8 k3 p1"
    );
    let lines: Vec<usize> = pasted.unread.iter().map(|unread| unread.line).collect();
    assert_eq!(lines, [6, 7, 9, 10, 14], "{:#?}", pasted.unread);
    assert_eq!(pasted.unread[0].text, "(4): ParametrizedLinear(");
}

#[test]
fn torchinfo_is_read_with_any_columns() {
    for text in [print!("torchinfo"), print!("torchinfo_columns")] {
        let pasted = read(text);
        assert_eq!(layers(&pasted), NET);
        assert_eq!(pasted.input.unwrap().to_string(), "3×32×32");
        let line = text
            .lines()
            .position(|line| line.contains("Scale"))
            .unwrap()
            + 1;
        let marked = [(line, "Scale", "is no layer")];
        assert_marked(text, &read(text), &marked);
    }
}

#[test]
fn torchsummary_prints_what_holds_layers_behind_them() {
    let text = print!("torchsummary");
    let pasted = read(text);
    assert_eq!(layers(&pasted), NET);
    let marked: Vec<&str> = pasted
        .unread
        .iter()
        .map(|unread| unread.text.get(unread.marked.clone()).unwrap())
        .collect();
    assert_eq!(marked, ["Block", "Block", "Block", "Block", "Scale"]);
}

#[test]
fn lightning_says_layers_where_it_prints_sizes() {
    let text = print!("lightning_sizes");
    let pasted = read(text);
    // Of 20.5 K parameters the bias is a guess, and it is there.
    assert_eq!(layers(&pasted), NET);
    assert!(pasted.notes.iter().any(|note| note.contains("rounds")));
    assert_marked(
        text,
        &pasted,
        &[
            (22, "Scale", "is no layer"),
            (26, "CrossEntropyLoss", "did not run through it"),
        ],
    );
    let text = print!("lightning");
    let pasted = read(text);
    assert!(pasted.layers.is_empty());
    assert_eq!(pasted.unread.len(), 17);
    let all = pasted.unread.iter();
    assert!(
        all.into_iter()
            .all(|unread| unread.reason.contains("example_input_array"))
    );
}

#[test]
fn names_and_shapes_of_keras_that_are_cut_off_go_on_below() {
    for text in [print!("keras"), print!("keras_narrow")] {
        let pasted = read(text);
        assert_eq!(layers(&pasted), "conv 8 k3, maxpool 2, flatten, dense 10");
        assert_eq!(pasted.input.as_ref().unwrap().to_string(), "1×28×28");
        let line = |word: &str| text.lines().position(|line| line.contains(word)).unwrap() + 1;
        let marked = [
            (line("(Lambda)"), "Lambda", "no layer"),
            (line("(Add)"), "Add", "what it joins"),
        ];
        assert_marked(text, &pasted, &marked);
    }
    let pasted = read(print!("keras_2_cut"));
    assert_eq!(
        layers(&pasted),
        "conv 8 k3, maxpool 2, conv 16 k3, flatten, dense 10"
    );
    assert!(pasted.unread.is_empty(), "{:#?}", pasted.unread);
    // A class that is lost, and a size that is none, are told at their lines.
    let text = "Layer (type)  Output Shape  Param #\n conv_of_a_long_na  (None, 26, 26, 8)  80\n\n flat (Flatten)  \
                (None, None)  0\n dense (Dense)  (None, 10)  54090\n";
    assert_marked(
        text,
        &read(text),
        &[
            (2, "conv_of_a_long_na", "class is cut off"),
            (4, "(None,", "no sizes"),
        ],
    );
}

#[test]
fn a_print_in_a_field_of_one_line_is_read_line_by_line() {
    let text = "Sequential( (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1)) (1): Mystery(8) (2): ReLU() )";
    let lines = in_lines(text);
    assert_eq!(lines.lines().count(), 4, "{lines}");
    let pasted = read(&lines);
    assert_eq!(layers(&pasted), "conv 8 k3, relu");
    assert_marked(&lines, &pasted, &[(3, "Mystery", "no layer")]);
    let code = "nn.Conv2d(3, 8, 3) nn.ReLU()";
    assert_eq!(in_lines(code), code);
}
