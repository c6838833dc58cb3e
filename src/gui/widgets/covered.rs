//! What the messages that lie over the views cover, so that what a view has in its middle can stay in sight.

use eframe::egui::{Context, Id, Rect, Ui};

fn id() -> Id {
    Id::unique("what messages cover")
}

/// Notes where the messages are; another place is followed in the same frame.
pub fn set(ctx: &Context, place: Option<Rect>) {
    let before: Option<Rect> = ctx.data(|data| data.get_temp(id()));
    if before == place {
        return;
    }
    ctx.request_discard("messages cover another part of the views");
    ctx.data_mut(|data| {
        data.remove::<Rect>(id());
        if let Some(place) = place {
            data.insert_temp(id(), place);
        }
    });
}

/// The height that is left of a view above the messages; all of it where less than this would be.
pub fn free_height(ui: &Ui, least: f32) -> f32 {
    let room = ui.available_rect_before_wrap();
    let place: Option<Rect> = ui.data(|data| data.get_temp(id()));
    let above = |place: Rect| place.top() - room.top();
    let free = place.filter(|place| place.intersects(room)).map(above);
    let free = free.filter(|free| *free >= least);
    free.map_or(room.height(), |free| free.min(room.height()))
}
