//! One way of writing in the whole window: no marks of the terminal or of program text, one minus, one ×, and counting
//! from one.

use crate::every_inspection::{arrange, opened, project, settle};
use crate::kit::window::*;
use crate::kit::written::written;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use std::collections::BTreeSet;
use strata::app::action::{Action, Overlay};
use strata::app::state::SideTab;
use strata::gui::views;
use strata::project::Stack;

/// What is counted from one.
const COUNTED: [&str; 9] = [
    "image", "channel", "filter", "unit", "row", "column", "stage", "layer", "map",
];

/// What of a text is written otherwise than in the rest of the window.
fn faults(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let at = |index: usize| letters.get(index).copied().unwrap_or(' ');
    let mut found = Vec::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = if index == 0 { ' ' } else { at(index - 1) };
        let after = at(index + 1);
        let is_minus = *letter == '-' && after.is_ascii_digit() && " ([…".contains(before);
        let is_times = *letter == 'x' && before.is_ascii_digit() && after.is_ascii_digit();
        let is_order = "<>".contains(*letter) && after == '=';
        if is_minus || is_times || is_order || *letter == '`' {
            found.push(format!("{before}{letter}{after} in {text:?}"));
        }
    }
    // Two names or numbers side by side without a mark between: `logit of 6 5.3`.
    let named: Vec<&str> = text.split_whitespace().collect();
    let is_run_on = |three: &[&str]| {
        let is_number = |word: &str| word.replace(',', "").parse::<f64>().is_ok();
        three[0] == "of" && is_number(three[1]) && is_number(three[2])
    };
    found.extend(
        named
            .windows(3)
            .filter(|three| is_run_on(three))
            .map(|three| format!("{three:?} in {text:?}")),
    );
    let words: Vec<&str> = text.split([' ', ',', ':']).collect();
    let is_zeroth = |pair: &[&str]| COUNTED.contains(&pair[0]) && pair[1] == "0";
    found.extend(
        words
            .windows(2)
            .filter(|pair| is_zeroth(pair))
            .map(|pair| format!("{pair:?} in {text:?}")),
    );
    found
}

/// The faults of all that is written in the last frame. What stands in a field is text of the project, and so is a layer.
fn look(window: &Window, what: &str, all: &mut BTreeSet<String>) {
    let fields = window.harness.query_all_by_role(Role::TextInput);
    let typed: Vec<String> = fields.filter_map(|field| field.value()).collect();
    for text in written(&window.harness.output().shapes) {
        if !typed.contains(&text.text) {
            let found = faults(&text.text).into_iter();
            all.extend(found.map(|fault| format!("{what}: {fault}")));
        }
    }
}

#[test]
fn the_check_finds_what_it_is_for() {
    for wrong in [
        "-1 to 1",
        "32x32",
        "a <= 3",
        "a `b",
        "channel 0, image 3",
        "logit of 6 5.3",
        "of 54,000  5",
    ] {
        assert_eq!(faults(wrong).len(), 1, "{wrong}");
    }
    for right in [
        "−1 to 1",
        "32×32",
        "a ≤ 3",
        "adam lr=1e-3",
        "step 0",
        "image 10",
        "logit of 6: 5.3",
    ] {
        assert_eq!(faults(right).len(), 0, "{right}");
    }
}

#[test]
fn every_view_form_and_page_writes_in_one_way() {
    let mut all = BTreeSet::new();
    let folder = tempfile::tempdir().unwrap();
    let mut window = opened(&project(folder.path(), &[12, 12]), folder.path(), SIZE);
    window.select(Stack::Encoder, 0);
    for info in views::all() {
        arrange(&mut window, info.kind, false);
        settle(&mut window);
        window.run();
        look(&window, info.title, &mut all);
        let page = Action::Overlay(Some(Overlay::Page(info.kind)));
        window.harness.state_mut().handle(page);
        window.run();
        look(&window, &format!("page of {}", info.title), &mut all);
        window.harness.state_mut().handle(Action::Overlay(None));
    }
    for tab in SideTab::ALL {
        window.show_tab(tab);
        window.run();
        look(&window, tab.name(), &mut all);
    }
    for overlay in [Overlay::Keys, Overlay::Palette] {
        window
            .harness
            .state_mut()
            .handle(Action::Overlay(Some(overlay)));
        window.run();
        look(&window, "overlay", &mut all);
    }
    window.harness.state_mut().handle(Action::Overlay(None));
    window.harness.state_mut().handle(Action::Start(true));
    window.run();
    look(&window, "start page", &mut all);
    let all: Vec<String> = all.into_iter().collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// Of a view's tile: what is written at the axis on its left, from `top` to `bottom`.
#[test]
fn counts_have_numbers_on_their_axis() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = opened(&project(folder.path(), &[12, 12]), folder.path(), SIZE);
    arrange(
        &mut window,
        strata::app::view_kind::ViewKind::Statistics,
        false,
    );
    settle(&mut window);
    window.run();
    let plot = window.get("Histogram of the values by channel").rect();
    let numbers: BTreeSet<String> = written(&window.harness.output().shapes)
        .into_iter()
        .filter(|text| {
            plot.expand(4.0).contains_rect(text.rect) && text.rect.left() < plot.left() + 36.0
        })
        .map(|text| text.text)
        .collect();
    assert!(
        numbers.contains("0") && numbers.contains("1") && numbers.len() >= 2,
        "{numbers:?}"
    );
}
