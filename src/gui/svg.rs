//! What was laid out as an SVG picture: text stays text, lines stay lines, and pixels stay pixels at every size.
//!
//! Nothing here fails. A shape that no view draws (a callback that paints by itself) is left out.

use crate::offscreen::Canvas;
use eframe::egui::epaint::text::{Glyph, PlacedRow, TextFormat};
use eframe::egui::epaint::{
    CircleShape, ClippedShape, ColorMode, EllipseShape, Mesh, PathShape, PathStroke, RectShape,
    TextShape, Vertex,
};
use eframe::egui::{Color32, FontFamily, Pos2, Rect, Shape, Stroke, StrokeKind, TextureId, pos2};
use image::RgbaImage;
use image::imageops::{self, FilterType};
use std::fmt::Write;
use strata_core::base64::base64;
use strata_inspect::picture::png;

/// The picture of these shapes over a ground, of so many points across and down.
pub fn picture(shapes: &[ClippedShape], canvas: &Canvas, size: [f32; 2], back: Color32) -> String {
    let [width, height] = size;
    let mut out = Out {
        body: String::new(),
        clips: Vec::new(),
        canvas,
    };
    let mut open = None;
    for ClippedShape {
        clip_rect, shape, ..
    } in shapes
    {
        if !clip_rect.is_positive() || matches!(shape, Shape::Noop) {
            continue;
        }
        let clip = out.clip(*clip_rect);
        if open != Some(clip) {
            if open.is_some() {
                out.body += "</g>\n";
            }
            out.add(format_args!("<g clip-path=\"url(#c{clip})\">\n"));
            open = Some(clip);
        }
        out.shape(shape);
    }
    if open.is_some() {
        out.body += "</g>\n";
    }
    let mut clips = String::new();
    for (index, clip) in out.clips.iter().enumerate() {
        clips += &format!(
            "<clipPath id=\"c{index}\"><rect {}/></clipPath>\n",
            place(*clip)
        );
    }
    let fill = paint("fill", back);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n<defs>\n{clips}</defs>\n<rect width=\"{width}\" height=\"{height}\"{fill}/>\n{}</svg>\n",
        out.body
    )
}

struct Out<'a> {
    body: String,
    clips: Vec<Rect>,
    canvas: &'a Canvas,
}

impl Out<'_> {
    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        self.body.write_fmt(text).ok();
    }

    /// The number of a clipping rectangle.
    fn clip(&mut self, rect: Rect) -> usize {
        let known = self.clips.iter().position(|clip| *clip == rect);
        known.unwrap_or_else(|| {
            self.clips.push(rect);
            self.clips.len() - 1
        })
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Noop | Shape::Band(_) | Shape::Callback(_) => {}
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| self.shape(shape)),
            Shape::Circle(circle) => self.circle(circle),
            Shape::Ellipse(ellipse) => self.ellipse(ellipse),
            Shape::LineSegment { points, stroke } => {
                let drawn = line(*stroke);
                self.add(format_args!(
                    "<path d=\"{}\" fill=\"none\"{drawn}/>\n",
                    path(points, false)
                ));
            }
            Shape::Path(shape) => self.path(shape),
            Shape::Rect(rect) => self.rect(rect),
            Shape::Text(text) => self.text(text),
            Shape::Mesh(mesh) => self.mesh(mesh),
            Shape::QuadraticBezier(curve) => {
                let [a, b, c] = curve.points;
                let (fill, drawn) = (paint("fill", curve.fill), path_line(&curve.stroke));
                self.add(format_args!(
                    "<path d=\"M{} Q{} {}\"{fill}{drawn}/>\n",
                    at(a),
                    at(b),
                    at(c)
                ));
            }
            Shape::CubicBezier(curve) => {
                let [a, b, c, d] = curve.points;
                let (fill, drawn) = (paint("fill", curve.fill), path_line(&curve.stroke));
                self.add(format_args!(
                    "<path d=\"M{} C{} {} {}\"{fill}{drawn}/>\n",
                    at(a),
                    at(b),
                    at(c),
                    at(d)
                ));
            }
        }
    }

    fn circle(&mut self, circle: &CircleShape) {
        let (fill, drawn) = (paint("fill", circle.fill), line(circle.stroke));
        let Pos2 { x, y } = circle.center;
        self.add(format_args!(
            "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{:.2}\"{fill}{drawn}/>\n",
            circle.radius
        ));
    }

    fn ellipse(&mut self, ellipse: &EllipseShape) {
        let (fill, drawn) = (paint("fill", ellipse.fill), line(ellipse.stroke));
        let Pos2 { x, y } = ellipse.center;
        self.add(format_args!(
            "<ellipse cx=\"{x:.2}\" cy=\"{y:.2}\" rx=\"{:.2}\" ry=\"{:.2}\"{fill}{drawn}/>\n",
            ellipse.radius.x, ellipse.radius.y
        ));
    }

    fn path(&mut self, shape: &PathShape) {
        let (fill, drawn) = (paint("fill", shape.fill), path_line(&shape.stroke));
        let points = path(&shape.points, shape.closed);
        self.add(format_args!(
            "<path d=\"{points}\" stroke-linejoin=\"round\"{fill}{drawn}/>\n"
        ));
    }

    fn rect(&mut self, shape: &RectShape) {
        if let Some(brush) = &shape.brush {
            self.image(brush.fill_texture_id, shape.rect, brush.uv, shape.fill);
            return;
        }
        let half = 0.5 * shape.stroke.width;
        let rect = match shape.stroke_kind {
            StrokeKind::Inside => shape.rect.shrink(half),
            StrokeKind::Middle => shape.rect,
            StrokeKind::Outside => shape.rect.expand(half),
        };
        let (fill, drawn) = (paint("fill", shape.fill), line(shape.stroke));
        let radius = shape.corner_radius.average();
        // What meets without a gap, as the shades of a colour bar, shows none.
        let sharp = match radius == 0.0 && shape.stroke.width <= 0.0 {
            true => " shape-rendering=\"crispEdges\"",
            false => "",
        };
        self.add(format_args!(
            "<rect {} rx=\"{radius:.1}\"{fill}{drawn}{sharp}/>\n",
            place(rect)
        ));
    }

    fn text(&mut self, text: &TextShape) {
        if text.angle != 0.0 {
            let Pos2 { x, y } = text.pos;
            let degrees = text.angle.to_degrees();
            self.add(format_args!(
                "<g transform=\"rotate({degrees:.1} {x:.2} {y:.2})\">\n"
            ));
        }
        let job = &text.galley.job;
        let mut letters = job.text.char_indices();
        for row in &text.galley.rows {
            let mut run = Run::default();
            for glyph in &row.glyphs {
                let byte = letters
                    .find(|(_, letter)| *letter == glyph.chr)
                    .map(|(byte, _)| byte);
                let format = job
                    .sections
                    .iter()
                    .find(|section| {
                        byte.is_none_or(|byte| section.byte_range.contains(&byte.into()))
                    })
                    .map(|section| &section.format);
                let Some(format) = format else { continue };
                let color = ink(text, row, glyph);
                if run.differs(format, color) {
                    self.run(&run, text.pos, row);
                    run = Run::of(format.clone(), color, glyph.pos);
                }
                run.text.push(glyph.chr);
                run.end = glyph.pos.x + glyph.advance_width;
            }
            self.run(&run, text.pos, row);
        }
        if text.angle != 0.0 {
            self.body += "</g>\n";
        }
    }

    /// Letters of one font and colour in a row.
    fn run(&mut self, run: &Run, origin: Pos2, row: &PlacedRow) {
        let Some(format) = run.format.as_ref().filter(|_| !run.text.trim().is_empty()) else {
            return;
        };
        let start = origin + row.pos.to_vec2() + run.start.to_vec2();
        let (family, weight) = match &format.font_id.family {
            FontFamily::Monospace => ("Hack, DejaVu Sans Mono, Menlo, Consolas, monospace", 400),
            FontFamily::Proportional => (WORDS, 400),
            FontFamily::Name(_) => (WORDS, 600),
        };
        let fill = paint("fill", run.color);
        let (size, width) = (format.font_id.size, run.end - run.start.x);
        self.add(format_args!(
            "<text x=\"{:.2}\" y=\"{:.2}\" font-family=\"{family}\" font-weight=\"{weight}\" font-size=\"{size}\" textLength=\"{width:.2}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\"{fill}>{}</text>\n",
            start.x,
            start.y,
            escape(&run.text)
        ));
    }

    /// Images are two triangles of a texture; all else that is a mesh is drawn triangle by triangle.
    fn mesh(&mut self, mesh: &Mesh) {
        if mesh.texture_id != TextureId::default() {
            for quad in mesh.vertices.chunks_exact(4) {
                let places = quad.iter().map(|vertex| vertex.pos).collect::<Vec<_>>();
                let uvs = quad.iter().map(|vertex| vertex.uv).collect::<Vec<_>>();
                let rect = Rect::from_points(&places);
                self.image(
                    mesh.texture_id,
                    rect,
                    Rect::from_points(&uvs),
                    quad[0].color,
                );
            }
            return;
        }
        for triangle in mesh.indices.chunks_exact(3) {
            let corner = |index: usize| mesh.vertices.get(triangle[index] as usize);
            let (Some(a), Some(b), Some(c)) = (corner(0), corner(1), corner(2)) else {
                continue;
            };
            let fill = paint("fill", mean([a, b, c]));
            let points = path(&[a.pos, b.pos, c.pos], true);
            self.add(format_args!("<path d=\"{points}\"{fill}/>\n"));
        }
    }

    fn image(&mut self, texture: TextureId, rect: Rect, uv: Rect, tint: Color32) {
        let Some((image, smooth)) = self.canvas.cut(texture, uv) else {
            return;
        };
        let image = match smooth {
            true => image,
            false => enlarged(image, rect),
        };
        // A picture without pixels has nothing to show.
        let Ok(bytes) = png(&image) else { return };
        let opacity = f32::from(tint.a()) / 255.0;
        let sharp = match smooth {
            true => "",
            false => " style=\"image-rendering:crisp-edges;image-rendering:pixelated\"",
        };
        let data = base64(&bytes);
        self.add(format_args!(
            "<image {} preserveAspectRatio=\"none\" opacity=\"{opacity:.3}\"{sharp} xlink:href=\"data:image/png;base64,{data}\"/>\n",
            place(rect)
        ));
    }
}

/// Each pixel several times as large, for programs that would smooth it otherwise.
fn enlarged(image: RgbaImage, rect: Rect) -> RgbaImage {
    let factor = |points: f32, pixels: u32| (2.0 * points / pixels.max(1) as f32).ceil() as u32;
    let [across, down] = [
        factor(rect.width(), image.width()),
        factor(rect.height(), image.height()),
    ];
    let times = across.max(down).clamp(1, MOST_TIMES);
    let (width, height) = (image.width() * times, image.height() * times);
    imageops::resize(&image, width, height, FilterType::Nearest)
}

/// The most that a pixel is enlarged.
const MOST_TIMES: u32 = 32;
const WORDS: &str = "Inter, Helvetica, Arial, sans-serif";

/// Letters that are written at once.
#[derive(Default)]
struct Run {
    format: Option<TextFormat>,
    color: Color32,
    text: String,
    start: Pos2,
    end: f32,
}

impl Run {
    fn of(format: TextFormat, color: Color32, start: Pos2) -> Run {
        Run {
            format: Some(format),
            color,
            text: String::new(),
            start,
            end: start.x,
        }
    }

    fn differs(&self, format: &TextFormat, color: Color32) -> bool {
        self.color != color
            || self
                .format
                .as_ref()
                .is_none_or(|own| own.font_id != format.font_id)
    }
}

/// The colour of a letter.
fn ink(text: &TextShape, row: &PlacedRow, glyph: &Glyph) -> Color32 {
    let vertices = &row.visuals.mesh.vertices;
    let own = vertices
        .get(glyph.first_vertex as usize)
        .map(|vertex| vertex.color);
    let color = match own {
        Some(color) if color != Color32::PLACEHOLDER => color,
        _ => text.fallback_color,
    };
    text.override_text_color
        .unwrap_or(color)
        .gamma_multiply(text.opacity_factor)
}

fn mean(corners: [&Vertex; 3]) -> Color32 {
    let channel = |index: usize| {
        let sum: u16 = corners
            .iter()
            .map(|corner| u16::from(corner.color.to_array()[index]))
            .sum();
        (sum / 3) as u8
    };
    Color32::from_rgba_premultiplied(channel(0), channel(1), channel(2), channel(3))
}

fn at(point: Pos2) -> String {
    format!("{:.2} {:.2}", point.x, point.y)
}

fn path(points: &[Pos2], closed: bool) -> String {
    let mut text = String::new();
    for (index, point) in points.iter().enumerate() {
        text += if index == 0 { "M" } else { " L" };
        text += &at(*point);
    }
    if closed {
        text += " Z";
    }
    text
}

fn place(rect: Rect) -> String {
    let (corner, size) = (rect.min, rect.size().max(pos2(0.0, 0.0).to_vec2()));
    format!(
        "x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\"",
        corner.x, corner.y, size.x, size.y
    )
}

/// An attribute with a colour, and its opacity where it has one.
fn paint(name: &str, color: Color32) -> String {
    let [r, g, b, a] = color.to_srgba_unmultiplied();
    match a {
        0 => format!(" {name}=\"none\""),
        255 => format!(" {name}=\"#{r:02x}{g:02x}{b:02x}\""),
        a => format!(
            " {name}=\"#{r:02x}{g:02x}{b:02x}\" {name}-opacity=\"{:.3}\"",
            f32::from(a) / 255.0
        ),
    }
}

fn line(stroke: Stroke) -> String {
    if stroke.width <= 0.0 {
        return String::new();
    }
    format!(
        "{} stroke-width=\"{:.2}\"",
        paint("stroke", stroke.color),
        stroke.width
    )
}

fn path_line(stroke: &PathStroke) -> String {
    match &stroke.color {
        ColorMode::Solid(color) => line(Stroke::new(stroke.width, *color)),
        ColorMode::UV(color) => {
            let color = color(Rect::ZERO, Pos2::ZERO);
            line(Stroke::new(stroke.width, color))
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
