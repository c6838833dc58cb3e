//! What a network shows of itself, as it is handed in: filters, feature maps, receptive fields,
//! reconstructions, the sparse code.

use super::of_filters::ON_PIXELS;
use super::slices::{slice_line, slices_of_maps};
use super::{ColorBar, Plate, Tile, in_rows, tile};
use crate::panels::sparse;
use crate::snapshot::Snapshot;
use crate::widgets::plain;
use image::RgbaImage;
use image::imageops::FilterType;
use strata_core::format::{self, short};
use strata_engine::inspection::dynamics::{Dynamics, Figure};
use strata_inspect::activations::{Activations, Layout, MapScale, Summary, color};
use strata_inspect::confusion::Confusion;
use strata_inspect::curve;
use strata_inspect::effective_field::EffectiveField;
use strata_inspect::filter_picture::{filter_picture, filter_size};
use strata_inspect::filters::Filters;
use strata_inspect::inspection::Slice;
use strata_inspect::maps::{field_sheet, limit, viridis};
use strata_inspect::picture::{
    CURVE, FilterScale, compared, diverging, filter_limit, image_rgba, zoom_for,
};
use strata_inspect::reconstructions::Reconstructions;
use strata_inspect::since_words;
use strata_inspect::sparse::SparseCode;

/// Between two filters of volumes, in pixels of their pictures.
const APART: usize = 2;
/// Decimals of a value in a caption.
const DECIMALS: usize = 3;

pub(super) fn value(number: f32) -> String {
    short(f64::from(number), DECIMALS)
}

/// `0 … 0.41`
pub(super) fn span([low, high]: [f32; 2]) -> String {
    format!("{} … {}", value(low), value(high))
}

pub(super) fn bar(
    name: &str,
    color: impl Fn(f32) -> [u8; 3] + 'static,
    marks: &[String],
) -> ColorBar {
    ColorBar {
        name: name.to_owned(),
        color: Box::new(color),
        marks: marks.to_vec(),
    }
}

/// Columns of so many pictures: a square, or a little wider where that fills every row.
pub(super) fn nearly_square(count: usize) -> usize {
    let square = (count as f64).sqrt().ceil().max(1.0) as usize;
    let full = (square..=square + square / 2).find(|columns| count.is_multiple_of(*columns));
    full.unwrap_or(square)
}

/// Filters that are drawn at most: more make a picture too large for the memory.
pub(super) const MOST_DRAWN: usize = 1024;

/// Says that not all of so many filters are drawn.
pub(super) fn how_many(count: usize) -> Option<String> {
    let [drawn, all] = [MOST_DRAWN, count].map(|n| format::count(n as u64));
    (count > MOST_DRAWN).then(|| format!("{drawn} of {all} are drawn."))
}

/// A filter with what is written below it.
pub(super) fn filter_tile(
    filters: &Filters,
    index: usize,
    scale: FilterScale,
    caption: String,
) -> Tile {
    let size = filter_size(filters);
    let zoom = match filters.are_rows() {
        true => 1,
        false => 2 * zoom_for(size[0].max(size[1] / 2)),
    };
    let picture = filter_picture(filters, index, scale);
    if filters.slices < 2 {
        return tile(picture, size, zoom, caption);
    }
    // The slices of a volume's filter lie a pixel apart: filters lie further apart than that.
    let [height, width] = size;
    let apart = [0; 4 * APART];
    let rows = picture.chunks_exact(4 * width.max(1));
    let picture = rows.flat_map(|row| [row, &apart[..]].concat()).collect();
    tile(picture, [height, width + APART], zoom, caption)
}

/// The colours of weights, each filter by its own largest.
pub(super) fn weight_bar(filters: &Filters) -> ColorBar {
    let color: fn(f32) -> [u8; 3] = match filters.channels {
        3 => |share| [(255.0 * share) as u8; 3],
        _ => |share| diverging(2.0 * share - 1.0),
    };
    bar(
        "weight",
        color,
        &["−largest", "0", "+largest"].map(str::to_owned),
    )
}

/// The filters, each by its own largest weight, which is written below it.
pub fn filters(filters: &Filters) -> Snapshot {
    let scale = FilterScale::PerFilter;
    let Filters {
        channels, count, ..
    } = *filters;
    let one = |index: usize| {
        let caption = format!(
            "{}: ±{}",
            index + 1,
            value(filter_limit(filters, index, scale))
        );
        filter_tile(filters, index, scale, caption)
    };
    let drawn = match channels {
        _ if filters.are_rows() => {
            "a bar for each of its weights, blue below 0 and red above it, of several channels their mean"
        }
        3 => "in colour around grey, which is 0",
        1 => "from blue (negative) over white (0) to red (positive)",
        _ => "as the mean over its channels, from blue (negative) over white (0) to red (positive)",
    };
    Plate {
        title: format!("Filters of {}: {}", plain(&filters.key), filters.layer),
        lines: vec![
            format!(
                "step {}{} · {count} filters of {}",
                format::count(filters.step),
                since_words(filters.since),
                filters.dims()
            ),
            format!("Each is drawn by its own largest weight, written below it, {drawn}."),
        ]
        .into_iter()
        .chain(filters.on_pixels.then(|| ON_PIXELS.to_owned()))
        .chain(how_many(count))
        .collect(),
        rows: in_rows(
            (0..count.min(MOST_DRAWN)).map(one).collect(),
            nearly_square(count.min(MOST_DRAWN)),
        ),
        bars: vec![weight_bar(filters)],
    }
    .draw()
}

/// The feature maps of one layer for some images, each by its own largest value, with its range below it.
pub fn activations(all: &[Activations]) -> Snapshot {
    let Some(first) = all.first() else {
        return Plate::default().draw();
    };
    let whole = summary_of_all(all);
    let (how, bars) = match first.layout() {
        Layout::Units => {
            let how =
                "A bar for each unit, all of an image on one scale: units from 1 on, 128 in a row.";
            let limit = (all.len() == 1).then_some(whole.limit());
            (how, vec![map_bar(&whole, limit)])
        }
        Layout::Signals => {
            let how =
                "A curve for each channel from its least to its greatest value, written below.";
            (how, Vec::new())
        }
        Layout::Maps => {
            let how = "Each map is drawn by its own largest value; its range is written below it.";
            (how, vec![map_bar(&whole, None)])
        }
    };
    let mut lines = vec![about_maps(all, first, &whole), how.to_owned()];
    lines.extend(slices_of_maps(first));
    let rows = all.iter().flat_map(|maps| {
        let tiles = in_rows(map_tiles(maps, &whole), nearly_square(maps.count()));
        std::iter::once(vec![input_tile(maps, all.len() > 1)]).chain(tiles)
    });
    Plate {
        title: format!("Feature maps of {}: {}", first.place.in_words(), first.text),
        lines,
        rows: rows.collect(),
        bars,
    }
    .draw()
}

/// The values of all maps in numbers.
fn summary_of_all(all: &[Activations]) -> Summary {
    let each = || all.iter().map(Activations::summary);
    Summary {
        min: each().map(|of| of.min).fold(f32::INFINITY, f32::min),
        max: each().map(|of| of.max).fold(f32::NEG_INFINITY, f32::max),
        zeros: each().map(|of| of.zeros).sum::<f64>() / all.len().max(1) as f64,
    }
}

/// `step 8 · image 1 of 16, cat · 8 maps of 12×12 · values 0 … 1.2 · 40.0 % zero`
fn about_maps(all: &[Activations], first: &Activations, whole: &Summary) -> String {
    let class = first.class.as_ref();
    let class = class.map_or_else(String::new, |class| format!(", {class}"));
    let images = match all.len() {
        1 => format!("image {} of {}{class}", first.image[0] + 1, first.image[1]),
        images => format!("{images} images"),
    };
    format!(
        "step {}{} · {images} · {} · values {} · {:.1} % zero",
        format::count(first.step),
        since_words(first.since),
        first.described(),
        span([whole.min, whole.max]),
        100.0 * whole.zeros
    )
}

/// An image as it is, or a signal as a curve in a range of its bytes.
pub(super) fn image_tile(bytes: &[u8], size: [usize; 3], range: [f32; 2], caption: String) -> Tile {
    let [height, width, channels] = size;
    if curve::is_signal(size) {
        let drawn = curve::picture(bytes, channels, range);
        return tile(image_rgba(&drawn, 1), curve::SIZE, 1, caption);
    }
    let (rgba, zoom) = (image_rgba(bytes, channels), 2 * zoom_for(height));
    tile(rgba, [height, width], zoom, caption)
}

/// The image whose maps are shown; numbered where there are several.
fn input_tile(maps: &Activations, is_numbered: bool) -> Tile {
    let [height, width, channels] = maps.size;
    let of_class = maps.class.as_ref();
    let of_class = of_class.map_or_else(String::new, |class| format!(": {class}"));
    let name = |noun: &str| match is_numbered {
        true => format!("{noun} {}{of_class}", maps.image[0] + 1),
        false => noun.to_owned(),
    };
    if curve::is_signal(maps.size) {
        let range = curve::fitted(&maps.input, curve::BYTES);
        let drawn = curve::picture(&maps.input, channels, range);
        return tile(image_rgba(&drawn, 1), curve::SIZE, 2, name("signal"));
    }
    let (rgba, zoom) = (image_rgba(&maps.input, channels), 2 * zoom_for(height));
    tile(rgba, [height, width], zoom, name("image"))
}

fn map_tiles(maps: &Activations, whole: &Summary) -> Vec<Tile> {
    let size = maps.picture_size();
    let zoom = match maps.layout() {
        Layout::Units => {
            return vec![Tile {
                image: maps.unit_sheet(),
                zoom: 1,
                caption: String::new(),
            }];
        }
        Layout::Signals => 1,
        Layout::Maps => 2 * zoom_for(size[0]),
    };
    let one = |channel: usize| {
        let Summary { min, max, .. } = maps.summary_of(channel);
        let rgba = maps.rgba(channel, maps.same_slice(), MapScale::PerMap, whole);
        let caption = format!("{}:\n{}", channel + 1, span([min, max]));
        tile(rgba, size, zoom, caption)
    };
    (0..maps.count()).map(one).collect()
}

/// The colours of feature maps: with a sign where the layer's values have one.
fn map_bar(whole: &Summary, limit: Option<f32>) -> ColorBar {
    let end = limit.map_or_else(|| "largest".to_owned(), value);
    let whole = *whole;
    let marks = match whole.min < 0.0 {
        true => vec![format!("−{end}"), "0".to_owned(), end],
        false => vec!["0".to_owned(), end],
    };
    let low = if whole.min < 0.0 { -1.0 } else { 0.0 };
    bar(
        "value",
        move |share| color(low + (1.0 - low) * share, &whole),
        &marks,
    )
}

/// How large a pixel is drawn: of a signal, which is one pixel high, no larger than three of it have room for.
fn field_zoom([height, width]: [usize; 2]) -> u32 {
    let room = 2048 / u32::try_from(3 * width.max(1)).unwrap_or(u32::MAX);
    room.clamp(1, 2 * zoom_for(height))
}

/// Long signals drawn narrower: a texture has at most 8,192 pixels in a row.
fn no_wider(image: RgbaImage) -> RgbaImage {
    const WIDEST: u32 = 8000;
    if image.width() <= WIDEST {
        return image;
    }
    image::imageops::resize(&image, WIDEST, image.height(), FilterType::Nearest)
}

/// The first probe image, the gradients and both over each other, with the box that the cell can see.
pub fn field(field: &EffectiveField, about: &str) -> Snapshot {
    let ends = ["0".to_owned(), value(limit(&field.values))];
    let caption = match curve::is_signal([field.height, field.width, field.channels]) {
        true => {
            "the first signal over the gradient; between the orange lines is what can be seen in theory"
        }
        false => {
            "the first image, the gradient, both over each other; the orange box is what can be seen in theory"
        }
    };
    let picture = Tile {
        image: no_wider(field_sheet(field, field_zoom([field.height, field.width]))),
        zoom: 1,
        caption: caption.to_owned(),
    };
    Plate {
        title: format!(
            "Receptive field of {}: {}",
            field.place.in_words(),
            field.text
        ),
        lines: vec![
            format!(
                "step {} · mean over {} images",
                format::count(field.step),
                field.images
            ),
            plain(about),
        ]
        .into_iter()
        .chain(field.slice.map(|slice| slice.to_string()))
        .collect(),
        rows: vec![vec![picture]],
        bars: vec![bar("absolute gradient of the cell's value", viridis, &ends)],
    }
    .draw()
}

/// Inputs above what the network makes of them, with the error of each.
pub fn reconstructions(pictures: &Reconstructions, slice: Slice) -> Snapshot {
    let of = slice_line(pictures.slice, slice);
    let pictures = &pictures.shown(slice);
    let mut plate = Plate {
        title: "Reconstructions".to_owned(),
        lines: vec![format!(
            "step {}{} · {} images · mean squared error {}, PSNR {} dB",
            format::count(pictures.step),
            since_words(pictures.since),
            pictures.mse.len(),
            format::loss(f64::from(pictures.mean_mse)),
            format::fixed(pictures.psnr.into(), 2)
        )],
        ..Plate::default()
    };
    if pictures.are_signals() {
        let how = match pictures.since {
            Some(_) => "Blue: the output then; orange: the output now; where they meet, white.",
            None => "Blue: the input; orange: the output; where they meet, white.",
        };
        plate.lines.push(how.to_owned());
        plate.rows = signal_rows(pictures);
    } else {
        let which = match pictures.since {
            Some(_) => {
                "What was made of the images then above, what is made of them now below it; errors are between both"
            }
            None => "The input above, the output below it",
        };
        plate.lines.push(format!(
            "{which}; {:.2} % of the outputs' values lie beyond black or white and are drawn so.",
            100.0 * pictures.outside
        ));
        plate.rows = pair_rows(pictures);
    }
    plate.lines.extend(of);
    plate.draw()
}

/// `3: mse 0.0121`
fn error(pictures: &Reconstructions, index: usize) -> String {
    let mse = pictures.mse.get(index).copied().unwrap_or(f32::NAN);
    format!("{}: mse {}", index + 1, format::loss(f64::from(mse)))
}

/// Inputs, outputs and both over each other, four signals side by side.
fn signal_rows(pictures: &Reconstructions) -> Vec<Vec<Tile>> {
    let curves = compared(pictures);
    let groups = curves.chunks(4).enumerate();
    let rows = groups.flat_map(|(number, group)| (0..3).map(move |part| (number, group, part)));
    let row = |(number, group, part): (usize, &[[Vec<u8>; 3]], usize)| {
        let one = |(index, parts): (usize, &[Vec<u8>; 3])| {
            let caption = match part {
                2 => error(pictures, 4 * number + index),
                _ => String::new(),
            };
            tile(parts[part].clone(), CURVE, 1, caption)
        };
        group.iter().enumerate().map(one).collect()
    };
    rows.map(row).collect()
}

/// Inputs above outputs, eight pairs side by side.
fn pair_rows(pictures: &Reconstructions) -> Vec<Vec<Tile>> {
    let size = [pictures.height, pictures.width];
    let bytes = (pictures.height * pictures.width * pictures.channels).max(1);
    let zoom = 2 * zoom_for(pictures.height);
    let one = |bytes: &[u8], caption: String| {
        tile(image_rgba(bytes, pictures.channels), size, zoom, caption)
    };
    let inputs = pictures.inputs.chunks_exact(bytes);
    let inputs: Vec<Tile> = inputs.map(|input| one(input, String::new())).collect();
    let outputs = pictures.outputs.chunks_exact(bytes).enumerate();
    let output = |(index, output): (usize, &[u8])| one(output, error(pictures, index));
    let pairs = in_rows(inputs, 8)
        .into_iter()
        .zip(in_rows(outputs.map(output).collect(), 8));
    pairs.flat_map(|(above, below)| [above, below]).collect()
}

/// The counts by right class and answer, as the window draws them.
pub fn confusion(confusion: &Confusion) -> Snapshot {
    let about = format!(
        "{} of {} {} images · step {}{}{}",
        format::count(confusion.images as u64),
        format::count(confusion.of as u64),
        confusion.split,
        format::count(confusion.step),
        since_words(confusion.since.as_ref().map(|(step, _)| *step)),
        match confusion.labels.is_empty() {
            true => " · rows: true class, columns: predicted class",
            false => " · a row for each label",
        }
    );
    Snapshot::titled("Confusion", &about, false, |ui| {
        crate::panels::confusion::matrix(ui, confusion);
    })
}

/// A figure of every layer over the steps, as the window draws it, with what is wrong.
pub fn dynamics(dynamics: &Dynamics, figure: Figure) -> Snapshot {
    let about = format!(
        "{} of {} layers · step {}",
        figure.name(),
        dynamics.layers.len(),
        format::count(dynamics.step)
    );
    Snapshot::titled("Dynamics", &about, false, |ui| {
        crate::panels::dynamics::draw(ui, dynamics, figure);
    })
}

/// The mean activations with their axes, as the window draws them.
pub fn sparse_code(code: &SparseCode) -> Snapshot {
    let title = "Sparse code";
    let mut about = format!(
        "{} · {} of {} {} images · step {}{}",
        plain(&code.layer),
        code.images,
        code.of,
        code.split,
        format::count(code.step),
        since_words(code.since.as_ref().map(|since| since.step))
    );
    if let (Some((rho, beta)), Some(penalty)) = (code.target, code.penalty) {
        about += &format!(
            " · target ρ {rho} (dashed), penalty {} (β {beta})",
            format::loss(penalty)
        );
    }
    Snapshot::titled(title, &about, false, |ui| sparse::picture(ui, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_long_filters_make_a_picture_that_fits_the_memory() {
        for (count, width) in [(500, 800), (3000, 40)] {
            let picture = filters(&Filters {
                count,
                channels: 1,
                height: 1,
                width,
                values: vec![0.5; count * width],
                ..Filters::default()
            });
            let [wide, tall] = picture.size;
            assert!(wide < 3000.0 && tall < 3000.0, "{count}: {wide} × {tall}");
        }
    }
}
