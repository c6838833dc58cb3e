//! The figures, as signed distances (negative inside), and how one is placed in the picture.
//!
//! A figure is about 1 in radius round the origin. Its distance may be smaller than the true one
//! but never larger, so a pixel farther from the outline than its own reach needs no sampling.

use crate::splits::shuffle::{between, unit};
use rand::RngCore;

const SQRT_3: f32 = 1.732_050_8;

/// A kind of figure: a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    Disc,
    Ring,
    Square,
    Triangle,
    Pentagon,
    Star,
    Cross,
    Crescent,
    Heart,
    Arrow,
}

impl Figure {
    pub const ALL: [Figure; 10] = [
        Figure::Disc,
        Figure::Ring,
        Figure::Square,
        Figure::Triangle,
        Figure::Pentagon,
        Figure::Star,
        Figure::Cross,
        Figure::Crescent,
        Figure::Heart,
        Figure::Arrow,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Figure::Disc => "disc",
            Figure::Ring => "ring",
            Figure::Square => "square",
            Figure::Triangle => "triangle",
            Figure::Pentagon => "pentagon",
            Figure::Star => "star",
            Figure::Cross => "cross",
            Figure::Crescent => "crescent",
            Figure::Heart => "heart",
            Figure::Arrow => "arrow",
        }
    }

    fn distance(self, p: [f32; 2]) -> f32 {
        match self {
            Figure::Disc => length(p) - 0.88,
            Figure::Ring => (length(p) - 0.7).abs() - 0.24,
            Figure::Square => rectangle(p, [0.78, 0.78]),
            Figure::Triangle => triangle(p, 0.98),
            Figure::Pentagon => pentagon(p, 0.8),
            Figure::Star => star(p, 1.12, 0.45),
            Figure::Cross => rectangle(p, [1.0, 0.33]).min(rectangle(p, [0.33, 1.0])),
            Figure::Crescent => crescent(p),
            Figure::Heart => 1.65 * heart([p[0] / 1.65, p[1] / 1.65 + 0.55]),
            Figure::Arrow => arrow(p),
        }
    }
}

/// The placement of a figure: middle, size, turn and stretch, in pixels.
pub(crate) struct Pose {
    pub middle: [f32; 2],
    pub radius: f32,
    turn: [f32; 2],
    stretch: [f32; 2],
}

impl Pose {
    /// A pose that keeps the figure inside a picture of this side, or nearly.
    pub fn random(side: f32, rng: &mut impl RngCore) -> Pose {
        let radius = between(rng, 0.25, 0.41) * side;
        let room = side / 2.0 - 0.93 * radius;
        let middle = [0, 1].map(|_| side / 2.0 + between(rng, -room, room));
        let wide = between(rng, 0.85, 1.0);
        let stretch = if unit(rng) < 0.5 {
            [wide, 1.0]
        } else {
            [1.0, wide]
        };
        Pose {
            middle,
            radius,
            turn: direction(rng),
            stretch,
        }
    }

    /// Distance of a point of the picture from the figure's outline, in pixels; for points well
    /// outside, just something positive.
    pub fn distance(&self, figure: Figure, at: [f32; 2]) -> f32 {
        let [x, y] = [at[0] - self.middle[0], at[1] - self.middle[1]];
        let reach = 1.3 * self.radius;
        if x * x + y * y > reach * reach {
            return 0.1 * self.radius;
        }
        let [cos, sin] = self.turn;
        let turned = [cos * x + sin * y, cos * y - sin * x];
        let [wide, tall] = self.stretch.map(|stretch| stretch * self.radius);
        figure.distance([turned[0] / wide, turned[1] / tall]) * wide.min(tall)
    }
}

/// An even random direction (cosine and sine), found without either.
pub(crate) fn direction(rng: &mut impl RngCore) -> [f32; 2] {
    loop {
        let point = [between(rng, -1.0, 1.0), between(rng, -1.0, 1.0)];
        let length = length(point);
        if (0.1..=1.0).contains(&length) {
            return point.map(|part| part / length);
        }
    }
}

fn length(p: [f32; 2]) -> f32 {
    dot(p, p).sqrt()
}

fn dot(a: [f32; 2], b: [f32; 2]) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

fn minus(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

/// `p` mirrored at the line through the origin across `normal`, if it is behind it.
fn fold(p: [f32; 2], normal: [f32; 2]) -> [f32; 2] {
    let behind = 2.0 * dot(p, normal).min(0.0);
    minus(p, normal.map(|part| behind * part))
}

fn rectangle(p: [f32; 2], half: [f32; 2]) -> f32 {
    let over = [p[0].abs() - half[0], p[1].abs() - half[1]];
    length(over.map(|part| part.max(0.0))) + over[0].max(over[1]).min(0.0)
}

/// Equilateral; `half` is half a side.
fn triangle(p: [f32; 2], half: f32) -> f32 {
    let [mut x, mut y] = [p[0].abs() - half, p[1] + half / SQRT_3];
    if x + SQRT_3 * y > 0.0 {
        [x, y] = [(x - SQRT_3 * y) / 2.0, (-SQRT_3 * x - y) / 2.0];
    }
    x -= x.clamp(-2.0 * half, 0.0);
    -length([x, y]) * y.signum()
}

/// Regular; `inner` is the radius of the circle inside it.
fn pentagon(p: [f32; 2], inner: f32) -> f32 {
    const COS: f32 = 0.809_017;
    const SIN: f32 = 0.587_785_25;
    const TAN: f32 = 0.726_542_53;
    let p = fold(fold([p[0].abs(), p[1]], [-COS, SIN]), [COS, SIN]);
    let half = inner * TAN;
    let rest = [p[0] - p[0].clamp(-half, half), p[1] - inner];
    length(rest) * rest[1].signum()
}

/// Five points at `outer`; `depth` (0 to 1) says how far the notches go in.
fn star(p: [f32; 2], outer: f32, depth: f32) -> f32 {
    const COS: f32 = 0.809_017;
    const SIN: f32 = 0.587_785_25;
    let p = fold(fold([p[0].abs(), p[1]], [-COS, SIN]), [COS, SIN]);
    let p = [p[0].abs(), p[1] - outer];
    let edge = [depth * SIN, depth * COS - 1.0];
    let along = (dot(p, edge) / dot(edge, edge)).clamp(0.0, outer);
    let rest = minus(p, edge.map(|part| part * along));
    length(rest) * (p[1] * edge[0] - p[0] * edge[1]).signum()
}

fn crescent(p: [f32; 2]) -> f32 {
    let p = [p[0] - 0.22, p[1]];
    (length(p) - 1.0).max(0.8 - length([p[0] - 0.5, p[1]]))
}

/// Tip at the origin, height a little over 1.
fn heart(p: [f32; 2]) -> f32 {
    let [x, y] = [p[0].abs(), p[1]];
    if x + y > 1.0 {
        return length([x - 0.25, y - 0.75]) - 0.353_553_4;
    }
    let diagonal = 0.5 * (x + y).max(0.0);
    length([x, y - 1.0]).min(length([x - diagonal, y - diagonal])) * (x - y).signum()
}

fn arrow(p: [f32; 2]) -> f32 {
    const SLOPE: [f32; 2] = [0.648, 0.761_6];
    let [x, y] = [p[0], p[1].abs()];
    let head = (0.05 - x).max(dot([x - 1.05, y], SLOPE));
    let shaft = rectangle([x + 0.45, y], [0.6, 0.24]);
    head.min(shaft)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distances may be too small, never too large: a step can change them by its length at most.
    #[test]
    fn distances_never_overstate() {
        for figure in Figure::ALL {
            for step in 0..10_000 {
                let p = [
                    (step % 100) as f32 / 40.0 - 1.25,
                    (step / 100) as f32 / 40.0 - 1.25,
                ];
                for q in [[p[0] + 0.01, p[1]], [p[0], p[1] + 0.01]] {
                    let change = (figure.distance(p) - figure.distance(q)).abs();
                    assert!(change < 0.0101, "{figure:?} at {p:?}: {change}");
                }
            }
        }
    }

    #[test]
    fn figures_are_of_like_size() {
        for figure in Figure::ALL {
            let inside = |step: &usize| {
                let p = [
                    (step % 100) as f32 / 40.0 - 1.25,
                    (step / 100) as f32 / 40.0 - 1.25,
                ];
                figure.distance(p) < 0.0
            };
            let area = (0..10_000).filter(inside).count() as f32 / 1600.0;
            assert!((0.9..2.7).contains(&area), "{figure:?}: {area}");
        }
    }
}
