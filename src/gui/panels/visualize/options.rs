//! What is made large, and what keeps the image plausible.

use super::{VisualizeChoice, base};
use crate::panels::layer_entries::layer_entries;
use crate::theme;
use crate::widgets::{ChoiceBox, options_button};
use eframe::egui::{Align, DragValue, Layout, RichText, Ui, vec2};
use strata_app::state::State;
use strata_core::project::Place;
use strata_core::project::stage::Task;
use strata_inspect::class_name;
use strata_inspect::visualize::{Basis, COPIES, How, Penalty, Request, Visualization, Wanted};

const WIDTH: f32 = 262.0;
const BOX: f32 = 128.0;
const NAME: f32 = 112.0;
/// The most of each.
const STEPS: usize = 4096;
const PIXELS: usize = 64;
const LEVELS: usize = 8;
const WEIGHT: f32 = 100.0;

/// What is made large.
pub(super) fn what_box(
    ui: &mut Ui,
    state: &State,
    request: &mut Request,
    made: Option<&Visualization>,
) {
    let classes = made.map_or(&[][..], |made| made.classes.as_slice());
    ChoiceBox {
        id: "visualization of",
        width: 120.0,
        shown: name(&request.wanted, classes).into(),
        hover: "What the image is to excite",
        name: "Visualization of",
    }
    .show(ui, |ui| {
        let mut offer = |wanted: Wanted| {
            let name = name(&wanted, classes);
            ui.selectable_value(&mut request.wanted, wanted, name);
        };
        if state.has_task(Task::Classify) {
            offer(Wanted::AllClasses);
            (0..classes.len() as u32).for_each(|class| offer(Wanted::Classes(vec![class])));
        }
        let channel = channel(&request.wanted).unwrap_or(0);
        ui.separator();
        let mut offer = |wanted: Wanted| {
            let name = name(&wanted, classes);
            ui.selectable_value(&mut request.wanted, wanted, name);
        };
        offer(Wanted::AllChannels);
        offer(Wanted::Channels(vec![channel]));
        offer(Wanted::Unit(channel, None));
        offer(Wanted::Layer);
    });
}

fn name(wanted: &Wanted, classes: &[String]) -> String {
    match wanted {
        Wanted::AllClasses => "all classes".to_owned(),
        Wanted::Classes(asked) => {
            let names: Vec<String> = asked
                .iter()
                .map(|class| class_name(classes, *class))
                .collect();
            format!("class {}", names.join(", "))
        }
        Wanted::AllChannels => "all channels".to_owned(),
        Wanted::Channels(asked) => {
            let numbers: Vec<String> = asked.iter().map(|at| (at + 1).to_string()).collect();
            format!("channel {}", numbers.join(", "))
        }
        Wanted::Unit(channel, _) => format!("one value of channel {}", channel + 1),
        Wanted::Layer => "the whole layer".to_owned(),
    }
}

fn channel(wanted: &Wanted) -> Option<u32> {
    match wanted {
        Wanted::Channels(channels) => channels.first().copied(),
        Wanted::Unit(channel, _) => Some(*channel),
        _ => None,
    }
}

/// The layer, and which of its channels.
pub(super) fn layer_box(ui: &mut Ui, state: &State, request: &mut Request) {
    if request.wanted.are_classes() {
        return;
    }
    if let Some(channel) = channel(&request.wanted) {
        let place = request.layer.as_ref();
        let row = place.and_then(|place| state.shown.inference.row(place));
        let output = row.and_then(|row| row.output.as_ref());
        let channels = output.map_or(1, |shape| shape.channels().max(1));
        let mut number = (channel as usize + 1).min(channels);
        let field = ui.add(DragValue::new(&mut number).range(1..=channels));
        let field = field.on_hover_text(format!("Which of the {channels} channels or units"));
        field.accessible_name("Channel of the visualization");
        let channel = number.saturating_sub(1) as u32;
        match &mut request.wanted {
            Wanted::Channels(channels) => *channels = vec![channel],
            Wanted::Unit(of, _) => *of = channel,
            _ => {}
        }
    }
    let shown = request
        .layer
        .as_ref()
        .map_or_else(String::new, Place::in_words);
    ChoiceBox {
        id: "layer of the visualization",
        width: 92.0,
        shown: shown.into(),
        hover: "The layer that is excited",
        name: "Layer of the visualization",
    }
    .show(ui, |ui| {
        layer_entries(ui, state, &mut request.layer);
    });
}

/// The button that opens everything else.
pub(super) fn button(ui: &mut Ui, state: &State, choice: &mut VisualizeChoice) {
    let hover = "Start, steps and what keeps the image plausible";
    options_button(ui, "Options of the visualization", hover, |ui| {
        ui.set_width(WIDTH);
        let mut request = base(state, choice);
        start(ui, &mut request, &mut choice.from_image);
        ui.separator();
        regularisers(ui, state, &mut request.how);
        ui.separator();
        ui.checkbox(&mut request.side_by_side, "Side by side")
            .on_hover_text("The same under each regulariser alone, and what is set here");
        if ui.button("Back to what suits these images").clicked() {
            choice.request = None;
        } else if request != base(state, choice) {
            choice.request = Some(request);
            choice.stopped = false;
        }
    });
}

/// A control behind its name.
fn line(ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        let weak = theme::palette(ui).weak;
        let label = RichText::new(name).size(theme::SMALL).color(weak);
        let left = Layout::left_to_right(Align::Center);
        let size = vec2(NAME, theme::ROW);
        ui.allocate_ui_with_layout(size, left, |ui| {
            ui.set_min_width(NAME);
            ui.label(label);
        });
        add(ui);
    });
}

fn start(ui: &mut Ui, request: &mut Request, from_image: &mut bool) {
    ui.checkbox(from_image, "Start from an image file")
        .on_hover_text("Instead of noise; the file is chosen beside this button");
    line(ui, "images of each", |ui| {
        whole(
            ui,
            &mut request.copies,
            1..=COPIES,
            "Starts",
            "So many, each from other noise",
        );
    });
    if request.copies > 1 {
        line(ui, "diversity", |ui| {
            let hover = "How much it costs that they are like each other";
            weight(ui, &mut request.diversity, WEIGHT, "Diversity", hover);
        });
    }
    line(ui, "steps", |ui| {
        whole(
            ui,
            &mut request.how.steps,
            1..=STEPS,
            "Steps",
            "How often the image is changed",
        );
    });
    line(ui, "length of a step", |ui| {
        let hover = "How far each step goes";
        weight(ui, &mut request.how.rate, WEIGHT, "Length of a step", hover);
    });
}

fn regularisers(ui: &mut Ui, state: &State, how: &mut How) {
    let is_colour = state.network().input.channels() > 1;
    let is_signal = state.network().input.rank() == 1;
    line(ui, "made of", |ui| {
        ChoiceBox {
            id: "basis of the visualization",
            width: BOX,
            shown: how.basis.name().into(),
            hover: "Pixels, or waves of which the slow ones are strongest, as in \
                photographs",
            name: "Basis of the visualization",
        }
        .show(ui, |ui| {
            for basis in Basis::ALL {
                ui.selectable_value(&mut how.basis, basis, basis.name());
            }
        });
    });
    if is_colour {
        ui.checkbox(&mut how.decorrelated, "Decorrelate colours")
            .on_hover_text("Colours change together as they do in the training images");
    }
    line(ui, "penalty", |ui| {
        ChoiceBox {
            id: "penalty of the visualization",
            width: BOX,
            shown: how.penalty.name().into(),
            hover: "On large values: the mean square, the mean fourth power, or \
                the largest",
            name: "Penalty of the visualization",
        }
        .show(ui, |ui| {
            for penalty in Penalty::ALL {
                ui.selectable_value(&mut how.penalty, penalty, penalty.name());
            }
        });
    });
    if how.penalty != Penalty::None {
        line(ui, "its weight", |ui| {
            weight(
                ui,
                &mut how.strength,
                WEIGHT,
                "Weight of the penalty",
                "How much it costs",
            );
        });
    }
    line(ui, "total variation", |ui| {
        let hover = "What differences between neighbours cost: more is smoother";
        weight(ui, &mut how.variation, WEIGHT, "Total variation", hover);
    });
    line(ui, "blur every", |ui| {
        let hover = "Smooths the image after so many steps each; 0 for never";
        whole(ui, &mut how.blur, 0..=STEPS, "Blur", hover);
    });
    line(ui, "jitter, pixels", |ui| {
        let hover = "Shifts the image by up to so many pixels, another way in every step";
        whole(ui, &mut how.jitter, 0..=PIXELS, "Jitter", hover);
    });
    if !is_signal {
        line(ui, "rotation, degrees", |ui| {
            let hover = "Turns it by up to so many degrees in every step";
            weight(ui, &mut how.rotation, 180.0, "Rotation", hover);
        });
        line(ui, "scale", |ui| {
            let hover = "Scales it by up to this share in every step";
            weight(ui, &mut how.scale, 0.5, "Scale", hover);
        });
    }
    line(ui, "Laplacian levels", |ui| {
        let hover =
            "Scales of the gradient that get the same strength; 0 for the gradient as it is";
        whole(
            ui,
            &mut how.laplacian,
            0..=LEVELS,
            "Laplacian pyramid",
            hover,
        );
    });
}

fn whole(
    ui: &mut Ui,
    value: &mut usize,
    range: std::ops::RangeInclusive<usize>,
    name: &str,
    hover: &str,
) {
    let field = ui.add(DragValue::new(value).range(range));
    field.on_hover_text(hover).accessible_name(name);
}

fn weight(ui: &mut Ui, value: &mut f32, most: f32, name: &str, hover: &str) {
    let field = ui.add(
        DragValue::new(value)
            .range(0.0..=most)
            .speed(0.01)
            .max_decimals(3),
    );
    field.on_hover_text(hover).accessible_name(name);
}
