//! Colours and textures. A paint mixes two related colours by a pattern; a figure's paint is
//! drawn until it stands out from the background's.

use super::figure::{Pose, direction};
use crate::splits::shuffle::{below, between, unit};
use rand::RngCore;

/// Red, green, blue in 0..1.
pub(crate) type Rgb = [f32; 3];

/// How different (see [`difference`]) every colour of the figure must be from every colour behind.
const CONTRAST: f32 = 0.26;
const TRIES: usize = 24;
/// Lattice points a side of the cloud pattern.
const LATTICE: usize = 6;

pub(crate) struct Paint {
    pattern: Pattern,
    colours: [Rgb; 2],
    origin: [f32; 2],
    turn: [f32; 2],
}

/// How far along from the first colour to the second a point is.
enum Pattern {
    Solid,
    /// Over this many pixels.
    Gradient(f32),
    /// Pixels from stripe to stripe.
    Stripes(f32),
    Checks(f32),
    Dots(f32),
    /// Soft random patches, and the picture's side.
    Clouds(Box<[[f32; LATTICE]; LATTICE]>, f32),
}

impl Paint {
    pub fn background(side: f32, rng: &mut impl RngCore) -> Paint {
        let pattern = match below(rng, 20) {
            0..=2 => Pattern::Solid,
            3..=7 => Pattern::Gradient(side),
            8..=10 => Pattern::Stripes(between(rng, 5.0, 11.0)),
            11..=12 => Pattern::Checks(between(rng, 8.0, 14.0)),
            13..=14 => Pattern::Dots(between(rng, 5.0, 9.0)),
            _ => Pattern::Clouds(clouds(rng), side),
        };
        let first = random_colour(rng);
        let colours = [first, related(first, 0.06, 0.18, rng)];
        Paint::new(pattern, colours, [side / 2.0; 2], rng)
    }

    pub fn figure(ground: &Paint, pose: &Pose, rng: &mut impl RngCore) -> Paint {
        let pattern = match below(rng, 20) {
            0..=4 => Pattern::Solid,
            5..=8 => Pattern::Gradient(1.6 * pose.radius),
            9..=13 => Pattern::Stripes(between(rng, 4.0, 7.0)),
            14..=16 => Pattern::Checks(between(rng, 6.0, 10.0)),
            _ => Pattern::Dots(between(rng, 4.0, 6.5)),
        };
        let mut best = ([[0.0; 3]; 2], -1.0);
        for _ in 0..TRIES {
            let first = random_colour(rng);
            let colours = [first, related(first, 0.12, 0.3, rng)];
            let contrast = least_difference(colours, ground.colours);
            if contrast > best.1 {
                best = (colours, contrast);
            }
            if contrast >= CONTRAST {
                break;
            }
        }
        Paint::new(pattern, best.0, pose.middle, rng)
    }

    fn new(pattern: Pattern, colours: [Rgb; 2], middle: [f32; 2], rng: &mut impl RngCore) -> Paint {
        let shift = if matches!(pattern, Pattern::Gradient(_)) {
            0.0
        } else {
            8.0
        };
        let origin = middle.map(|part| part + between(rng, -shift, shift));
        Paint {
            pattern,
            colours,
            origin,
            turn: direction(rng),
        }
    }

    pub fn colour(&self, at: [f32; 2]) -> Rgb {
        mix(self.colours[0], self.colours[1], self.share(at))
    }

    pub fn mean(&self) -> Rgb {
        mix(self.colours[0], self.colours[1], 0.5)
    }

    fn share(&self, at: [f32; 2]) -> f32 {
        let [x, y] = [at[0] - self.origin[0], at[1] - self.origin[1]];
        let [cos, sin] = self.turn;
        let [u, v] = [cos * x + sin * y, cos * y - sin * x];
        match &self.pattern {
            Pattern::Solid => 0.0,
            Pattern::Gradient(width) => (0.5 + u / width).clamp(0.0, 1.0),
            Pattern::Stripes(period) => edge(wave(u / period) * period * 0.3),
            Pattern::Checks(period) => edge(wave(u / period) * wave(v / period) * period * 0.4),
            Pattern::Dots(period) => dots(u / period, v / period, *period),
            Pattern::Clouds(lattice, side) => cloud(lattice, at.map(|part| part / side)),
        }
    }
}

/// From `a` to `b`.
pub(crate) fn mix(a: Rgb, b: Rgb, share: f32) -> Rgb {
    [0, 1, 2].map(|channel| a[channel] + (b[channel] - a[channel]) * share)
}

/// How different two colours look, 0 to 1: green counts most, blue least.
pub(crate) fn difference(a: Rgb, b: Rgb) -> f32 {
    let [red, green, blue] =
        [0, 1, 2].map(|channel| (a[channel] - b[channel]) * (a[channel] - b[channel]));
    (0.3 * red + 0.55 * green + 0.15 * blue).sqrt()
}

fn least_difference(a: [Rgb; 2], b: [Rgb; 2]) -> f32 {
    let pairs = a
        .iter()
        .flat_map(|&a| b.iter().map(move |&b| difference(a, b)));
    pairs.fold(f32::INFINITY, f32::min)
}

/// Any hue; mostly clear colours, neither black nor white.
fn random_colour(rng: &mut impl RngCore) -> Rgb {
    let saturation = between(rng, 0.3, 0.95);
    from_hue(unit(rng), saturation, between(rng, 0.14, 0.86))
}

/// A colour near `from`: its hue turned a little, lighter or darker by `least` to `most`.
fn related(from: Rgb, least: f32, most: f32, rng: &mut impl RngCore) -> Rgb {
    let lighter = from.iter().sum::<f32>() < 1.5;
    let toward = if lighter {
        [1.0, 0.98, 0.9]
    } else {
        [0.02, 0.02, 0.1]
    };
    let rotated = [from[1], from[2], from[0]];
    let tinted = mix(from, rotated, between(rng, 0.0, 0.2));
    mix(tinted, toward, between(rng, least, most) * 1.4)
}

/// Hue, saturation and lightness (HSL), each 0..1.
fn from_hue(hue: f32, saturation: f32, lightness: f32) -> Rgb {
    let chroma = (1.0 - (2.0 * lightness - 1.0).abs()) * saturation;
    [0.0, 4.0, 2.0].map(|shift| {
        let turned = hue * 6.0 + shift;
        let turned = if turned >= 6.0 { turned - 6.0 } else { turned };
        let share = ((turned - 3.0).abs() - 1.0).clamp(0.0, 1.0);
        lightness + (share - 0.5) * chroma
    })
}

/// A triangle wave of period 1 between -1 and 1.
fn wave(at: f32) -> f32 {
    1.0 - 4.0 * (fraction(at) - 0.5).abs()
}

/// What is left of a number of moderate size after rounding down (`floor` is a library call on
/// processors that are asked for no more than SSE2).
fn fraction(at: f32) -> f32 {
    let rest = at - (at as i32) as f32;
    if rest < 0.0 { rest + 1.0 } else { rest }
}

/// A step from 0 to 1 at zero, a little soft.
fn edge(at: f32) -> f32 {
    (at + 0.5).clamp(0.0, 1.0)
}

fn dots(u: f32, v: f32, period: f32) -> f32 {
    let [u, v] = [fraction(u) - 0.5, fraction(v) - 0.5];
    edge((0.31 - (u * u + v * v).sqrt()) * period)
}

fn clouds(rng: &mut impl RngCore) -> Box<[[f32; LATTICE]; LATTICE]> {
    Box::new(std::array::from_fn(|_| std::array::from_fn(|_| unit(rng))))
}

/// The lattice's values at a place in 0..1, smoothly between its points.
fn cloud(lattice: &[[f32; LATTICE]; LATTICE], at: [f32; 2]) -> f32 {
    let cells = (LATTICE - 1) as f32;
    let [x, y] = at.map(|part| (part * cells).clamp(0.0, cells - 0.001));
    let [column, row] = [x as usize, y as usize];
    let soft = |part: f32| part * part * (3.0 - 2.0 * part);
    let [u, v] = [soft(x - column as f32), soft(y - row as f32)];
    let along =
        |row: usize| lattice[row][column] + (lattice[row][column + 1] - lattice[row][column]) * u;
    let value = along(row) + (along(row + 1) - along(row)) * v;
    ((value - 0.5) * 1.5 + 0.5).clamp(0.0, 1.0)
}
