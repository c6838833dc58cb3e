//! Fields of the project that hold a text which is no setting: red, with a message, and not taken over. What is
//! trained would not be what the window shows, so a training waits for them.
//!
//! They are kept in egui's memory, as what is being typed is; each field reports its state in every frame.

use eframe::egui::{Context, Id, Ui};
use std::sync::Arc;
use strata_app::refused_field::RefusedField;

/// The state of a refused field.
#[derive(Clone)]
struct Noted {
    id: Id,
    frame: u64,
    refused: RefusedField,
}

/// All of them, in the order in which they were filled.
#[derive(Clone, Default)]
struct List(Vec<Noted>);

fn key() -> Id {
    Id::unique("refused fields")
}

/// Keeps the state of a field.
pub(super) fn note(ctx: &Context, id: Id, field: &str, complaint: Option<&str>) {
    let frame = ctx.cumulative_frame_nr();
    let is_news = ctx.data_mut(|data| {
        let list = data.get_temp_mut_or_default::<List>(key());
        let place = list.0.iter().position(|noted| noted.id == id);
        let before = place.map(|place| list.0[place].refused.message.clone());
        match (complaint, place) {
            (None, None) => {}
            (None, Some(place)) => drop(list.0.remove(place)),
            (Some(message), _) => {
                let refused = RefusedField {
                    field: field.to_owned(),
                    message: message.to_owned(),
                };
                let noted = Noted { id, frame, refused };
                match place.and_then(|place| list.0.get_mut(place)) {
                    Some(entry) => *entry = noted,
                    None => list.0.push(noted),
                }
            }
        }
        before.as_deref() != complaint
    });
    // What else is painted of it was painted before.
    if is_news {
        ctx.request_repaint();
    }
}

/// What fields say in a part of the window that shows it elsewhere.
#[derive(Clone, Default)]
struct Apart(Option<Vec<String>>);

fn apart_key() -> Id {
    Id::unique("complaints that are shown elsewhere")
}

/// Shows fields whose complaints are not written below them: gives these, for a place with more room.
pub fn apart<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> (R, Vec<String>) {
    let replace = |ui: &Ui, list: Option<Vec<String>>| {
        ui.data_mut(|data| {
            let apart = data.get_temp_mut_or_default::<Apart>(apart_key());
            std::mem::replace(&mut apart.0, list)
        })
    };
    let before = replace(ui, Some(Vec::new()));
    let shown = content(ui);
    let own = replace(ui, before);
    (shown, own.unwrap_or_default())
}

/// Leaves a complaint to whoever shows it elsewhere; false where nobody does.
pub(super) fn is_told_apart(ui: &Ui, complaint: &str) -> bool {
    ui.data_mut(|data| {
        let apart = data.get_temp_mut_or_default::<Apart>(apart_key());
        let list = apart.0.as_mut();
        list.is_some_and(|list| {
            list.push(complaint.to_owned());
            true
        })
    })
}

/// The fields that are refused. With `prune`, those that were not shown in this frame are forgotten: the project has
/// other fields now.
pub fn all(ctx: &Context, prune: bool) -> Arc<Vec<RefusedField>> {
    let frame = ctx.cumulative_frame_nr();
    ctx.data_mut(|data| {
        let list = data.get_temp_mut_or_default::<List>(key());
        if prune {
            list.0.retain(|noted| noted.frame == frame);
        }
        Arc::new(list.0.iter().map(|noted| noted.refused.clone()).collect())
    })
}
