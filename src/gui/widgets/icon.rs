//! Icons as a few strokes: sharp at every size, in the text's colour, and in no font.

use eframe::egui::style::WidgetVisuals;
use eframe::egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Ui, pos2, vec2};

/// A sign on a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// A triangle: start, go on.
    Play,
    /// Two bars.
    Pause,
    /// A bar and a triangle: one step.
    Step,
    /// The same to the left: one step back.
    Back,
    /// A bar at the left of it: to the first.
    First,
    /// A square.
    Stop,
    /// Three rails with a handle each: adjust.
    Sliders,
    /// An arrow turning back.
    Undo,
    /// An arrow turning forward.
    Redo,
    /// One up.
    Up,
    /// One down.
    Down,
    /// Two sheets.
    Duplicate,
    /// A bin.
    Delete,
    /// A cross for adding.
    Plus,
    /// A bar: less.
    Minus,
    /// A cross for closing.
    Close,
    /// A half-filled disc: dark and light.
    Theme,
    /// A hook: proven.
    Check,
    /// A triangle with a mark: wrong.
    Warning,
    /// Opens or closes what follows.
    Open,
    /// Closed; opens what follows.
    Closed,
    /// A folder: something on disk.
    Folder,
    /// An arrow into a tray: to disk.
    Save,
    /// An arrow out of a tray: to another program.
    Out,
    /// A window with a bar to the right.
    Side,
    /// A window with a bar to the left.
    LeftSide,
    /// A padlock: must not be edited.
    Lock,
    /// A lamp: what could be better.
    Hint,
    /// An empty ring: not known yet.
    Ring,
}

/// Paints an icon into the middle of a rectangle, 14 points wide.
pub fn paint(painter: &Painter, icon: Icon, rect: Rect, color: Color32) {
    let pen = Pen {
        painter,
        origin: rect.center() - vec2(7.0, 7.0),
        color,
    };
    match icon {
        Icon::Play => pen.fill(&[(3.0, 1.5), (12.5, 7.0), (3.0, 12.5)]),
        Icon::Pause => {
            pen.block((2.5, 2.0), (5.5, 12.0));
            pen.block((8.5, 2.0), (11.5, 12.0));
        }
        Icon::Step => {
            pen.block((2.0, 2.0), (4.0, 12.0));
            pen.fill(&[(5.5, 2.0), (12.5, 7.0), (5.5, 12.0)]);
        }
        Icon::Sliders => {
            for (y, handle) in [(3.0, 9.0), (7.0, 4.0), (11.0, 8.0)] {
                pen.block((1.5, y - 0.5), (12.5, y + 0.5));
                pen.block((handle - 1.2, y - 1.8), (handle + 1.2, y + 1.8));
            }
        }
        Icon::Back => {
            pen.fill(&[(8.5, 2.0), (1.5, 7.0), (8.5, 12.0)]);
            pen.block((10.0, 2.0), (12.0, 12.0));
        }
        Icon::First => {
            pen.block((2.0, 2.0), (4.0, 12.0));
            pen.fill(&[(12.5, 2.0), (5.5, 7.0), (12.5, 12.0)]);
        }
        Icon::Stop => pen.block((2.5, 2.5), (11.5, 11.5)),
        Icon::Undo => turn(&pen, false),
        Icon::Redo => turn(&pen, true),
        Icon::Up => arrow(&pen, -1.0),
        Icon::Down => arrow(&pen, 1.0),
        Icon::Duplicate => duplicate(&pen),
        Icon::Delete => delete(&pen),
        Icon::Plus => {
            pen.line(&[(7.0, 2.5), (7.0, 11.5)]);
            pen.line(&[(2.5, 7.0), (11.5, 7.0)]);
        }
        Icon::Minus => pen.line(&[(2.5, 7.0), (11.5, 7.0)]),
        Icon::Close => {
            pen.line(&[(3.5, 3.5), (10.5, 10.5)]);
            pen.line(&[(10.5, 3.5), (3.5, 10.5)]);
        }
        Icon::Theme => theme(&pen),
        Icon::Check => pen.line(&[(2.5, 7.5), (5.5, 10.5), (11.5, 3.5)]),
        Icon::Warning => {
            pen.line(&[(7.0, 2.0), (13.0, 12.0), (1.0, 12.0), (7.0, 2.0)]);
            pen.line(&[(7.0, 5.8), (7.0, 8.6)]);
            pen.block((6.4, 9.7), (7.6, 10.8));
        }
        Icon::Open => pen.line(&[(3.5, 5.5), (7.0, 9.0), (10.5, 5.5)]),
        Icon::Folder => pen.line(&[
            (1.5, 11.5),
            (1.5, 2.5),
            (5.5, 2.5),
            (7.0, 4.5),
            (12.5, 4.5),
            (12.5, 11.5),
            (1.5, 11.5),
        ]),
        Icon::Side | Icon::LeftSide => {
            pen.line(&[
                (1.5, 2.5),
                (12.5, 2.5),
                (12.5, 11.5),
                (1.5, 11.5),
                (1.5, 2.5),
            ]);
            let bar = if icon == Icon::Side { 8.8 } else { 5.2 };
            pen.line(&[(bar, 2.5), (bar, 11.5)]);
        }
        Icon::Save => {
            pen.line(&[(7.0, 1.5), (7.0, 9.0)]);
            pen.line(&[(3.8, 6.0), (7.0, 9.2), (10.2, 6.0)]);
            pen.line(&[(1.8, 9.5), (1.8, 12.5), (12.2, 12.5), (12.2, 9.5)]);
        }
        Icon::Out => {
            pen.line(&[(7.0, 9.2), (7.0, 1.7)]);
            pen.line(&[(3.8, 4.7), (7.0, 1.5), (10.2, 4.7)]);
            pen.line(&[(1.8, 9.5), (1.8, 12.5), (12.2, 12.5), (12.2, 9.5)]);
        }
        Icon::Lock => lock(&pen),
        Icon::Hint => hint(&pen),
        Icon::Ring => {
            pen.painter
                .circle_stroke(pen.at((7.0, 7.0)), 4.0, Stroke::new(1.4, pen.color));
        }
        Icon::Closed => pen.line(&[(5.5, 3.5), (9.0, 7.0), (5.5, 10.5)]),
    }
}

struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    color: Color32,
}

impl Pen<'_> {
    fn at(&self, (x, y): (f32, f32)) -> Pos2 {
        self.origin + vec2(x, y)
    }

    fn line(&self, points: &[(f32, f32)]) {
        let points = points.iter().map(|&point| self.at(point)).collect();
        self.painter
            .add(Shape::line(points, Stroke::new(1.4, self.color)));
    }

    fn fill(&self, points: &[(f32, f32)]) {
        let points = points.iter().map(|&point| self.at(point)).collect();
        self.painter
            .add(Shape::convex_polygon(points, self.color, Stroke::NONE));
    }

    fn block(&self, min: (f32, f32), max: (f32, f32)) {
        self.painter.rect_filled(
            Rect::from_min_max(self.at(min), self.at(max)),
            0.5,
            self.color,
        );
    }
}

fn turn(pen: &Pen<'_>, forward: bool) {
    let mirror = |x: f32| if forward { 14.0 - x } else { x };
    let arc = (0..=12).map(|i| {
        let angle = -std::f32::consts::FRAC_PI_2 + std::f32::consts::PI * i as f32 / 12.0;
        (mirror(8.0 + 3.6 * angle.cos()), 8.1 + 3.6 * angle.sin())
    });
    let path: Vec<_> = [(mirror(2.5), 4.5)]
        .into_iter()
        .chain(arc)
        .chain([(mirror(5.0), 11.7)])
        .collect();
    pen.line(&path);
    pen.line(&[(mirror(5.3), 1.7), (mirror(2.5), 4.5), (mirror(5.3), 7.3)]);
}

fn arrow(pen: &Pen<'_>, down: f32) {
    let y = |dy: f32| 7.0 + down * dy;
    pen.line(&[(7.0, y(-4.5)), (7.0, y(4.5))]);
    pen.line(&[(3.5, y(1.0)), (7.0, y(4.5)), (10.5, y(1.0))]);
}

fn duplicate(pen: &Pen<'_>) {
    pen.line(&[
        (4.5, 4.5),
        (12.0, 4.5),
        (12.0, 12.0),
        (4.5, 12.0),
        (4.5, 4.5),
    ]);
    pen.line(&[(2.0, 9.0), (2.0, 2.0), (9.0, 2.0)]);
}

fn delete(pen: &Pen<'_>) {
    pen.line(&[(2.0, 4.0), (12.0, 4.0)]);
    pen.line(&[(5.0, 3.8), (5.0, 2.0), (9.0, 2.0), (9.0, 3.8)]);
    pen.line(&[(3.2, 4.0), (3.8, 12.2), (10.2, 12.2), (10.8, 4.0)]);
    pen.line(&[(5.7, 6.2), (5.9, 10.2)]);
    pen.line(&[(8.3, 6.2), (8.1, 10.2)]);
}

fn lock(pen: &Pen<'_>) {
    pen.block((2.8, 6.2), (11.2, 12.2));
    let arc = (0..=8).map(|i| {
        let angle = std::f32::consts::PI * (1.0 + i as f32 / 8.0);
        (7.0 + 2.6 * angle.cos(), 4.6 + 2.6 * angle.sin())
    });
    let path: Vec<_> = [(4.4, 6.4)]
        .into_iter()
        .chain(arc)
        .chain([(9.6, 6.4)])
        .collect();
    pen.line(&path);
}

fn hint(pen: &Pen<'_>) {
    let arc = (0..=16).map(|i| {
        let angle = std::f32::consts::PI * (0.75 + 1.5 * i as f32 / 16.0);
        (7.0 + 3.8 * angle.cos(), 5.4 + 3.8 * angle.sin())
    });
    let bulb: Vec<_> = [(5.2, 10.2)]
        .into_iter()
        .chain(arc)
        .chain([(8.8, 10.2)])
        .collect();
    pen.line(&bulb);
    pen.line(&[(5.0, 10.2), (9.0, 10.2)]);
    pen.line(&[(5.8, 12.4), (8.2, 12.4)]);
}

fn theme(pen: &Pen<'_>) {
    let center = pen.at((7.0, 7.0));
    pen.painter
        .circle_stroke(center, 5.0, Stroke::new(1.4, pen.color));
    let half = (0..=16).map(|i| {
        let angle = std::f32::consts::FRAC_PI_2 + std::f32::consts::PI * i as f32 / 16.0;
        center + 5.0 * vec2(angle.cos(), angle.sin())
    });
    pen.painter.add(Shape::convex_polygon(
        half.collect(),
        pen.color,
        Stroke::NONE,
    ));
}

/// The sign of a box that opens a list.
pub fn chevron(ui: &Ui, rect: Rect, visuals: &WidgetVisuals, _open: bool) {
    paint(ui.painter(), Icon::Open, rect, visuals.fg_stroke.color);
}

/// The square an icon takes.
pub const SIZE: f32 = 14.0;

/// The rectangle of an icon next to a text that starts at `left`.
pub fn beside(rect: Rect, left: f32) -> Rect {
    Rect::from_center_size(pos2(left + SIZE / 2.0, rect.center().y), vec2(SIZE, SIZE))
}
