//! Other aims than an output as large as the input: a smaller code, a larger receptive field, fewer parameters.

use super::answers::Known;
use crate::theme;
use crate::widgets::{Field, FieldEvent};
use eframe::egui::{Button, Id, RichText, Ui};
use strata_design::solve::Aim;

/// What was typed into the fields.
pub struct Fields {
    code: String,
    parameters: String,
}

impl Default for Fields {
    fn default() -> Fields {
        Fields {
            code: "64".into(),
            parameters: "50000".into(),
        }
    }
}

impl Fields {
    /// Shows the aims; returns the one to search for.
    pub(super) fn show(&mut self, ui: &mut Ui, known: &Known, generation: u64) -> Option<Aim> {
        let colors = *theme::palette(ui);
        ui.add_space(theme::GAP);
        ui.label(
            RichText::new("Other aims")
                .font(theme::heading(theme::BODY))
                .color(colors.strong),
        );
        let mut aim = None;
        let mut row = |ui: &mut Ui,
                       before: &str,
                       field: Option<(&str, &mut String)>,
                       after: &str,
                       name: &str,
                       to: Aim| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                let label = ui.label(before);
                label.on_hover_text(about(to));
                let typed = field.map_or(Some(to), |(name, text)| {
                    number(ui, name, text, generation).map(|n| with(to, n))
                });
                if !after.is_empty() {
                    ui.label(after);
                }
                let button = ui
                    .add_enabled(typed.is_some(), Button::new("Find"))
                    .accessible_name(name);
                if button
                    .on_hover_text("Searches for the smallest edits; nothing is changed")
                    .clicked()
                {
                    aim = typed;
                }
            });
        };
        row(
            ui,
            "code ≤",
            Some(("Code at most", &mut self.code)),
            "numbers",
            "Find code",
            Aim::CodeAtMost(1),
        );
        row(
            ui,
            "≤",
            Some(("Parameters at most", &mut self.parameters)),
            "parameters",
            "Find parameters",
            Aim::ParametersAtMost(1),
        );
        row(
            ui,
            "receptive field covers the image",
            None,
            "",
            "Find receptive field",
            Aim::ReceptiveFieldCovers,
        );
        if known.aim != Aim::OutputEqualsInput && ui.button("Back to output = input").clicked() {
            aim = Some(Aim::OutputEqualsInput);
        }
        aim
    }
}

fn about(aim: Aim) -> &'static str {
    match aim {
        Aim::CodeAtMost(_) => {
            "The code is the encoder's output; the fewer numbers it holds, the more the network has to leave out."
        }
        Aim::ParametersAtMost(_) => "Trained numbers, weights and biases.",
        Aim::ReceptiveFieldCovers => {
            "One number of the code then depends on every pixel of the image."
        }
        Aim::OutputEqualsInput => "",
    }
}

fn with(aim: Aim, number: u64) -> Aim {
    match aim {
        Aim::CodeAtMost(_) => Aim::CodeAtMost(number),
        Aim::ParametersAtMost(_) => Aim::ParametersAtMost(number),
        other => other,
    }
}

/// A field for a number; `None` while there is none in it.
fn number(ui: &mut Ui, name: &str, text: &mut String, generation: u64) -> Option<u64> {
    let check = |text: &str| {
        read(text)
            .map(|_| ())
            .ok_or_else(|| "a whole number from 1".to_owned())
    };
    let now = text.clone();
    match Field::new(Id::unique((name, generation)), name, &now)
        .width(76.0)
        .check(&check)
        .show(ui)
    {
        Some(FieldEvent::Typing(typed) | FieldEvent::Commit(typed)) if read(&typed).is_some() => {
            *text = typed
        }
        _ => {}
    }
    read(text)
}

fn read(text: &str) -> Option<u64> {
    let digits: String = text
        .trim()
        .chars()
        .filter(|letter| !matches!(letter, ',' | '_' | ' '))
        .collect();
    digits.parse().ok().filter(|&number| number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(
            [
                read("64"),
                read("50,000"),
                read(" 7 "),
                read("0"),
                read("-3"),
                read("x")
            ],
            [Some(64), Some(50_000), Some(7), None, None, None]
        );
    }
}
