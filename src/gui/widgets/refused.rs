//! Fields of the project that hold a text which is no setting: red, with a message, and not taken over. What is
//! trained would not be what the window shows, so a training waits for them.
//!
//! They are kept in egui's memory, as what is being typed is; each field reports its state in every frame.

use eframe::egui::{Context, Id};
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
