//! Adversarial examples: images changed so little that a person sees the same, what the network says of them, and how
//! the accuracy falls as more may be changed.

mod cards;
mod curve;

use super::image_source;
use super::loading_state::{failed, reading};
use crate::theme;
use crate::view::View;
use crate::widgets::raster::Sheet;
use crate::widgets::{
    ChoiceBox, Field, FieldEvent, empty, options_button, said, slider, volume_slice,
};
use eframe::egui::{DragValue, Id, RichText, Slider, Ui, UiBuilder};
use std::any::TypeId;
use std::sync::Arc;
use strata_app::action::Action;
use strata_app::arrangement::Workspace;
use strata_app::choices::Choice;
use strata_app::state::State;
use strata_core::format;
use strata_core::project::stage::Task;
use strata_engine::inspection::reply::{Query, Reply};
use strata_inspect::adversarial::{
    Adversarial, Attack, EPSILON, Norm, Request, Robustness, Transfer, robustness, transfer,
};
use strata_inspect::class_name;
use strata_inspect::image_set::Chosen;
use strata_inspect::inspection::Subject;
use strata_inspect::picture::image_rgba;

type Seen = Reply<Adversarial>;

/// What was chosen in the view.
#[derive(Clone, Debug, PartialEq)]
pub struct AttackChoice {
    /// The attack.
    pub attack: Attack,
    /// The norm of the ball.
    pub norm: Norm,
    /// Its radius, in shares of the way from black to white.
    pub epsilon: f32,
    /// The class that the images should be taken for; `None` for any but the right one.
    pub target: Option<u32>,
    /// Transformations that the attack averages over.
    pub transformations: usize,
    /// The folder of another run, which the examples may fool too; empty for none.
    pub transfer: String,
}

impl Default for AttackChoice {
    fn default() -> AttackChoice {
        AttackChoice {
            attack: Attack::default(),
            norm: Norm::default(),
            epsilon: EPSILON,
            target: None,
            transformations: 0,
            transfer: String::new(),
        }
    }
}

/// The view, with the textures of what it shows.
#[derive(Default)]
pub(crate) struct AdversarialView {
    drawn: Option<(Arc<Seen>, Sheet)>,
}

/// Transformations at most: each takes a pass of its own in every step.
const MOST_TRANSFORMATIONS: usize = 30;
/// The largest radius of the slider in each norm.
const FARTHEST: [f32; 2] = [0.5, 8.0];
/// Room that the boxes take side by side; where there is less they stand in a menu.
const BOXES: f32 = 290.0;
/// Width of the curve, and of a view that has room for it beside the images.
const CURVE: f32 = 232.0;
const ROOMY: f32 = 560.0;

impl View for AdversarialView {
    fn title(&self) -> &'static str {
        "Adversarial examples"
    }

    fn summary(&self) -> &'static str {
        "Images changed so little that only the network is fooled"
    }

    fn words(&self) -> &'static str {
        "attack fgsm pgd iterated epsilon robustness fooled perturbation expectation over transformation"
    }

    fn workspace(&self) -> Workspace {
        Workspace::Training
    }

    fn about(&self) -> &'static str {
        "Every pixel is moved along the gradient of the loss, so that the network is wrong and a person sees no difference. ε is how far: with L∞ no value moves more than ε, with L2 all of them together; 1 is the way from black to white. FGSM takes one step, iterated ten small ones, PGD twenty from a random place in the ball. With a target the image should be taken for that class. With transformations the attack averages over random rotations, scales, brightness and noise, so that the result fools from other views too (Athalye et al. 2018). The curve is the accuracy over a sample of the test images."
    }

    fn status(&self, state: &State) -> String {
        let Some(made) = latest(state) else {
            return String::new();
        };
        format!(
            "{} · {} · ε {} · {} of {} fooled · step {}",
            made.request.attack.name(),
            made.request.norm.name(),
            format::short(made.request.epsilon.into(), 3),
            made.fooled(),
            made.outcomes.len(),
            format::count(made.step)
        )
    }

    fn tools(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if !state.has_task(Task::Classify) {
            return;
        }
        let former: AttackChoice = state.choices.get();
        let mut choice = former.clone();
        let mut boxes = |ui: &mut Ui| {
            target_box(ui, state, &mut choice);
            norm_box(ui, &mut choice);
            attack_box(ui, &mut choice);
        };
        if ui.available_width() >= BOXES {
            boxes(ui);
        } else {
            let hover = "The attack, the norm of the change and the class it aims at";
            options_button(ui, "Options of the attack", hover, boxes);
        }
        volume_slice(
            ui,
            state,
            latest(state).and_then(|made| made.slice),
            actions,
        );
        choose(&former, choice, actions);
    }

    fn body(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        if !state.has_task(Task::Classify) {
            return empty(
                ui,
                "Nothing is classified",
                "A stage with the task classify has answers that can be changed.",
            );
        }
        let choice: AttackChoice = state.choices.get();
        actions.extend(state.request(state.run_query::<Adversarial>(request(state, &choice))));
        if latest(state).is_some() {
            let curve = robustness::Request {
                attack: choice.attack,
                norm: choice.norm,
                epsilon: choice.epsilon,
                split: None,
                limit: None,
            };
            actions.extend(state.request(state.run_query::<Robustness>(curve)));
            actions.extend(state.request(transfer_query(state, &choice)));
        }
        controls(ui, state, actions);
        self.content(ui, state, actions);
    }

    fn picture(&mut self, ui: &mut Ui, state: &State) {
        self.content(ui, state, &mut Vec::new());
    }
}

fn request(state: &State, choice: &AttackChoice) -> Request {
    Request {
        image: state.inspections.saliency.image.clone(),
        chosen: Chosen::default(),
        attack: choice.attack,
        norm: choice.norm,
        epsilon: choice.epsilon,
        target: choice.target,
        transformations: choice.transformations,
    }
}

fn latest(state: &State) -> Option<&Adversarial> {
    let seen: &Arc<Seen> = state.run_reply()?;
    seen.result.as_deref().ok()
}

fn choose(former: &AttackChoice, choice: AttackChoice, actions: &mut Vec<Action>) {
    if choice != *former {
        actions.push(Action::Choose(Choice::new(choice)));
    }
}

/// What is asked of the other run.
fn transfer_query(state: &State, choice: &AttackChoice) -> Option<Query<Transfer>> {
    let other = Some(choice.transfer.trim()).filter(|path| !path.is_empty())?;
    let request = transfer::Request::of(latest(state)?);
    Some(Query::new(Subject::Stored(other.into()), request))
}

/// The other run, and whether the examples fool its network, too.
fn other_run(ui: &mut Ui, state: &State, choice: &mut AttackChoice) {
    let id = Id::unique(("run to transfer to", state.generation));
    let field = Field::new(id, "Another run", &choice.transfer)
        .hint("another run: is it fooled, too?")
        .width(ui.available_width().clamp(80.0, 260.0));
    if let Some(FieldEvent::Commit(text)) = field.show(ui) {
        choice.transfer = text.trim().to_owned();
    }
    let Some(query) = transfer_query(state, choice) else {
        return;
    };
    let told = match state
        .inspections
        .reply_to(&query)
        .map(|reply| &reply.result)
    {
        Some(Ok(transfer)) => format!(
            "{} of {} that it has right fool it, too",
            transfer.fooled(),
            transfer.right()
        ),
        Some(Err(error)) => error.to_string(),
        None => "asking the other run …".to_owned(),
    };
    let colors = theme::palette(ui);
    ui.label(said(&told, theme::SMALL, colors.text));
}

/// ε, the transformations, another run and the image file.
fn controls(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let former: AttackChoice = state.choices.get();
    let mut choice = former.clone();
    let farthest = FARTHEST[usize::from(choice.norm == Norm::L2)];
    ui.horizontal_wrapped(|ui| {
        let bar = Slider::new(&mut choice.epsilon, 0.0..=farthest).show_value(false);
        let hover = "How far the image may be changed: 1 is the way from black to white";
        slider(ui, bar)
            .on_hover_text(hover)
            .accessible_name("Epsilon");
        let text = format!("ε {}", format::short(choice.epsilon.into(), 3));
        let text = RichText::new(text).font(theme::digits(theme::SMALL));
        ui.label(text.color(theme::palette(ui).text));
        let views = DragValue::new(&mut choice.transformations).range(0..=MOST_TRANSFORMATIONS);
        let field = ui.add(views.prefix("over ").suffix(" transformations"));
        field
            .on_hover_text(
                "Random rotations, scales, brightness and noise that the attack averages over",
            )
            .accessible_name("Transformations");
        other_run(ui, state, &mut choice);
        if state.network().input.rank() != 1 {
            image_source::file(ui, state, "Image to attack", actions);
        }
    });
    ui.add_space(theme::GAP);
    choose(&former, choice, actions);
}

fn attack_box(ui: &mut Ui, choice: &mut AttackChoice) {
    ChoiceBox {
        id: "attack",
        width: 84.0,
        shown: choice.attack.name().into(),
        hover: "How the image is changed",
        name: "Attack",
    }
    .show(ui, |ui| {
        for attack in Attack::ALL {
            let name = format!("{} ({} steps)", attack.name(), attack.steps());
            ui.selectable_value(&mut choice.attack, attack, name);
        }
    });
}

fn norm_box(ui: &mut Ui, choice: &mut AttackChoice) {
    let former = choice.norm;
    ChoiceBox {
        id: "norm of the attack",
        width: 56.0,
        shown: choice.norm.name().into(),
        hover: "L∞: no value changes by more than ε; L2: the root of the sum \
                of the squares",
        name: "Norm of the attack",
    }
    .show(ui, |ui| {
        for norm in Norm::ALL {
            ui.selectable_value(&mut choice.norm, norm, norm.name());
        }
    });
    if choice.norm != former {
        // A radius means another thing in the other norm: the same part of the slider.
        let [linf, l2] = FARTHEST;
        let factor = if choice.norm == Norm::L2 {
            l2 / linf
        } else {
            linf / l2
        };
        choice.epsilon *= factor;
    }
}

fn target_box(ui: &mut Ui, state: &State, choice: &mut AttackChoice) {
    let classes = latest(state).map_or(&[][..], |made| made.classes.as_slice());
    let name = |target: Option<u32>| match target {
        Some(class) => format!("as {}", class_name(classes, class)),
        None => "as any other class".to_owned(),
    };
    ChoiceBox {
        id: "target of the attack",
        width: 116.0,
        shown: name(choice.target).into(),
        hover: "What the image should be taken for",
        name: "Target of the attack",
    }
    .show(ui, |ui| {
        ui.selectable_value(&mut choice.target, None, name(None));
        for class in 0..classes.len() as u32 {
            ui.selectable_value(&mut choice.target, Some(class), name(Some(class)));
        }
    });
}

impl AdversarialView {
    fn content(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(seen) = state.run_reply::<Adversarial>() else {
            self.drawn = None;
            return nothing(ui, state, actions);
        };
        let made = match &seen.result {
            Ok(made) => made,
            Err(error) => return failed(ui, "No attack on this", &error.to_string(), actions),
        };
        self.update(ui, seen, made);
        let Some((_, sheet)) = &self.drawn else {
            return;
        };
        let reply = state.run_reply::<Robustness>();
        let curve = reply.and_then(|reply| reply.result.as_deref().ok());
        let area = ui.available_rect_before_wrap();
        if area.width() < ROOMY {
            return cards::show(ui, made, sheet, |ui| curve::show(ui, curve));
        }
        let (left, right) = area.split_left_right_at_x(area.right() - CURVE - theme::GAP);
        let mut inner = ui.new_child(UiBuilder::new().id_salt("examples").max_rect(left));
        cards::show(&mut inner, made, sheet, |_| {});
        let right = right.with_min_x(right.left() + theme::GAP);
        let mut inner = ui.new_child(UiBuilder::new().id_salt("accuracy").max_rect(right));
        curve::show(&mut inner, curve);
    }

    fn update(&mut self, ui: &Ui, seen: &Arc<Seen>, made: &Adversarial) {
        let is_drawn = |(drawn, _): &(Arc<Seen>, Sheet)| Arc::ptr_eq(drawn, seen);
        if self.drawn.as_ref().is_some_and(is_drawn) {
            return;
        }
        let [height, width, channels] = made.size;
        let images: Vec<Vec<u8>> = (0..made.outcomes.len())
            .flat_map(|index| {
                [
                    made.input(index).to_vec(),
                    made.difference(index),
                    made.result(index).to_vec(),
                ]
            })
            .collect();
        let sheet = if strata_inspect::curve::is_signal(made.size) {
            let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
            Sheet::of_images(ui.ctx(), "adversarial", made.size, &images)
        } else {
            let rgba = |place: usize| image_rgba(&images[place], channels);
            Sheet::new(ui.ctx(), "adversarial", [height, width], images.len(), rgba)
        };
        self.drawn = Some((seen.clone(), sheet));
    }
}

fn nothing(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    match state.subject() {
        Some(Subject::Stored(_)) => reading(
            ui,
            state,
            ("Attacking …", &[TypeId::of::<Adversarial>()]),
            actions,
        ),
        Some(Subject::Live) => empty(
            ui,
            "Attacking …",
            "The first examples come with the next pictures.",
        ),
        _ => empty(
            ui,
            "No network to fool yet",
            "Press Train, or open a run folder: then its probe images are changed so that it is wrong.",
        ),
    }
}
