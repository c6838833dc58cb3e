//! The image, the chosen map, and the colour bar.

use super::{ActivationsView, CAPTION, MapChoice, percent, slice_of};
use crate::theme;
use crate::widgets::elided;
use crate::widgets::raster::{Sheet, shades};
use eframe::egui::{Align2, Color32, FontId, Rect, Ui, pos2, vec2};
use std::sync::Arc;
use strata_design::layer_math::number;
use strata_engine::inspection::reply::Reply;
use strata_inspect::activations::{Activations, Layout, MapScale, Summary, color};

/// The image, and the map that is shown large.
pub(super) struct Side {
    reply: Arc<Reply<Activations>>,
    drawn: (MapScale, usize, usize),
    image: Sheet,
    map: Option<Sheet>,
}

impl ActivationsView {
    /// The image at the left, and below it the chosen map.
    pub(super) fn side(
        &mut self,
        ui: &Ui,
        area: Rect,
        reply: &Arc<Reply<Activations>>,
        maps: &Activations,
        choice: &MapChoice,
        whole: &Summary,
    ) {
        let channel = choice.map.min(maps.count().saturating_sub(1));
        let drawn = (choice.scale, slice_of(maps, choice), channel);
        let kept = self.side.take();
        let kept = kept.filter(|kept| Arc::ptr_eq(&kept.reply, reply) && kept.drawn == drawn);
        let side = kept.unwrap_or_else(|| Side::new(ui, reply, maps, drawn, whole));
        let mut words = image_name(maps);
        if maps.layout() == Layout::Units {
            let value = maps.summary_of(channel).max;
            words += &format!("\nunit {}: {}", channel + 1, number(value.into()));
        }
        let image = captioned(ui, area, &words, &side.image);
        if let Some(map) = &side.map {
            let below = Rect::from_min_max(pos2(area.left(), image + theme::GAP), area.max);
            captioned(ui, below, &map_name(maps, channel), map);
        }
        self.side = Some(side);
    }
}

impl Side {
    fn new(
        ui: &Ui,
        reply: &Arc<Reply<Activations>>,
        maps: &Activations,
        drawn @ (scale, slice, channel): (MapScale, usize, usize),
        whole: &Summary,
    ) -> Side {
        let make = if maps.layout() == Layout::Signals {
            Sheet::smooth
        } else {
            Sheet::new
        };
        let map = (maps.layout() != Layout::Units).then(|| {
            make(ui.ctx(), "feature map", maps.picture_size(), 1, |_| {
                maps.rgba(channel, slice, scale, whole)
            })
        });
        let image = Sheet::of_images(ui.ctx(), "image", maps.size, &[maps.input.as_slice()]);
        Side {
            reply: reply.clone(),
            drawn,
            image,
            map,
        }
    }
}

fn image_name(maps: &Activations) -> String {
    let [image, images] = maps.image;
    let class = maps.class.as_ref();
    let class = class.map_or_else(String::new, |class| format!(", {class}"));
    if images > 1 {
        format!("image {}{class}", image + 1)
    } else {
        format!("image{class}")
    }
}

fn map_name(maps: &Activations, channel: usize) -> String {
    let Summary { min, max, zeros } = maps.summary_of(channel);
    format!(
        "map {} · {} zero\n{} … {}",
        channel + 1,
        percent(zeros),
        number(min.into()),
        number(max.into())
    )
}

/// A picture with a line below; returns its lower edge.
fn captioned(ui: &Ui, area: Rect, words: &str, sheet: &Sheet) -> f32 {
    let width = area.width() - theme::GAP;
    let ratio = sheet.size[0] as f32 / sheet.size[1].max(1) as f32;
    let tall = (width * ratio).min((area.height() - 2.0 * CAPTION).max(0.0));
    if tall < 16.0 {
        return area.bottom();
    }
    let rect = Rect::from_min_size(area.min, vec2(tall / ratio, tall));
    sheet.paint(ui.painter(), 0, rect);
    let mut y = rect.bottom() + 2.0;
    let colors = theme::palette(ui);
    for line in words.lines() {
        let font = FontId::proportional(theme::SMALL);
        let galley = elided(ui, line, font, colors.weak, width);
        ui.painter()
            .galley(pos2(area.left(), y), galley, colors.weak);
        y += CAPTION;
    }
    y
}

/// Which colour means which value.
pub(super) fn color_bar(
    ui: &Ui,
    area: Rect,
    maps: &Activations,
    choice: &MapChoice,
    whole: &Summary,
) {
    if maps.layout() == Layout::Signals {
        return;
    }
    let weak = theme::palette(ui).weak;
    let size = vec2(8.0, area.height().min(160.0));
    let bar = Rect::from_min_size(area.min + vec2(8.0, 0.0), size);
    let is_signed = whole.min < 0.0;
    shades(ui.painter(), bar, |share| {
        let share = if is_signed { 2.0 * share - 1.0 } else { share };
        let [r, g, b] = color(share, whole);
        Color32::from_rgb(r, g, b)
    });
    let is_common = choice.scale == MapScale::Common || maps.layout() == Layout::Units;
    let end = |sign: f32| match is_common {
        true => number((sign * whole.limit()).into()),
        false if sign < 0.0 => "−largest".to_owned(),
        false => "largest".to_owned(),
    };
    let write = |y: f32, align: Align2, text: String| {
        let at = pos2(bar.right() + 4.0, y);
        ui.painter()
            .text(at, align, text, theme::digits(theme::TINY), weak);
    };
    write(bar.top(), Align2::LEFT_TOP, end(1.0));
    if is_signed {
        write(bar.center().y, Align2::LEFT_CENTER, "0".to_owned());
        write(bar.bottom(), Align2::LEFT_BOTTOM, end(-1.0));
    } else {
        write(bar.bottom(), Align2::LEFT_BOTTOM, "0".to_owned());
    }
}
