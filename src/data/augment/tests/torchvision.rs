//! Every deterministic function against `tests/fixtures/augment.json`.
//!
//! Tolerances: 1e-5 where values are computed, 1e-4 between pixels (torchvision computes places in single
//! precision), nothing where pixels are only moved.

use super::super::sample::Sampling;
use super::super::*;
use serde_json::Value;
use strata_core::project::augment::{Border, Interpolation};

struct Case {
    json: Value,
    size: Size,
    image: Vec<f32>,
    out: Size,
    expected: Vec<f32>,
}

fn floats(value: &Value) -> Vec<f32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap() as f32)
        .collect()
}

fn size(value: &Value) -> Size {
    let side = |index: usize| value[index].as_u64().unwrap() as usize;
    Size {
        height: side(0),
        width: side(1),
        channels: side(2),
    }
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../../../tests/fixtures/augment.json");
    let all: Value = serde_json::from_str(text).unwrap();
    let case = |json: &Value| {
        let image = &all["images"][json["image"].as_str().unwrap()];
        let (out, expected) = (size(&json["shape"]), floats(&json["result"]));
        Case {
            json: json.clone(),
            size: size(&image["shape"]),
            image: floats(&image["values"]),
            out,
            expected,
        }
    };
    all["cases"].as_array().unwrap().iter().map(case).collect()
}

impl Case {
    fn number(&self, key: &str) -> f32 {
        self.json[key].as_f64().unwrap() as f32
    }

    fn pair(&self, key: &str) -> [i32; 2] {
        [0, 1].map(|index| self.json[key][index].as_i64().unwrap() as i32)
    }

    fn places(&self, key: &str) -> [usize; 2] {
        self.pair(key).map(|place| place as usize)
    }

    fn border(&self) -> Border {
        match self.json["border"].as_str().unwrap() {
            "reflect" => Border::Reflect,
            "edge" => Border::Edge,
            "wrap" => Border::Wrap,
            _ => Border::Zero,
        }
    }

    fn sampling(&self) -> Sampling {
        let nearest = self.json["interpolation"] == "nearest";
        let interpolation = if nearest {
            Interpolation::Nearest
        } else {
            Interpolation::Bilinear
        };
        Sampling {
            interpolation,
            border: self.border(),
        }
    }

    /// The result and how far it may be off.
    fn run(&self) -> (Vec<f32>, f32) {
        let (mut image, mut out, mut work) = (self.image.clone(), vec![7.0; 3], Work::default());
        let (from, to, size, work) = (&self.image, &mut out, self.size, &mut work);
        match self.json["op"].as_str().unwrap() {
            "rotate" => geometry::rotate(
                from,
                to,
                size,
                self.number("degrees"),
                self.sampling(),
                work,
            ),
            "scale" => {
                geometry::scale(from, to, size, self.number("factor"), self.sampling(), work)
            }
            "perspective" => {
                geometry::perspective(from, to, size, &self.corners(), self.sampling(), work)
            }
            "shift" => place::shift(from, to, size, self.pair("offset"), self.border(), work),
            "crop" => place::window(
                from,
                to,
                [size, self.out],
                self.pair("corner"),
                self.border(),
                work,
            ),
            "blur" => blur::gaussian_blur(
                from,
                to,
                size,
                self.number("kernel") as usize,
                self.number("sigma"),
                work,
            ),
            op => {
                self.in_place(op, &mut image);
                *to = image;
            }
        }
        let tolerance = match self.json["op"].as_str().unwrap() {
            "rotate" | "scale" | "perspective" if self.json["interpolation"] == "bilinear" => 1e-4,
            "brightness" | "contrast" | "saturation" | "grayscale" | "hue" | "blur" | "mixup" => {
                1e-5
            }
            _ => 0.0,
        };
        (out, tolerance)
    }

    fn in_place(&self, op: &str, image: &mut [f32]) {
        let size = self.size;
        match op {
            "hflip" => place::flip_left_right(image, size),
            "vflip" => place::flip_top_bottom(image, size),
            "brightness" => colour::adjust_brightness(image, self.number("factor"), 0.0),
            "contrast" => colour::adjust_contrast(image, size.channels, self.number("factor")),
            "saturation" => colour::adjust_saturation(image, self.number("factor")),
            "hue" => colour::adjust_hue(image, self.number("turns")),
            "grayscale" => colour::grayscale(image),
            "erase" => noise::erase(image, size, self.places("corner"), self.places("size")),
            "mixup" => {
                let mut other = image.to_vec();
                place::flip_top_bottom(&mut other, size);
                mixup::blend(image, &other, self.number("share"));
            }
            other => panic!("no operation {other}"),
        }
    }

    fn corners(&self) -> geometry::Corners {
        let corner =
            |index: usize| [0, 1].map(|axis| self.json["corners"][index][axis].as_f64().unwrap());
        [0, 1, 2, 3].map(corner)
    }
}

#[test]
fn every_function_gives_torchvisions_numbers() {
    let cases = cases();
    assert!(cases.len() > 250, "{} cases", cases.len());
    for case in cases {
        let (result, tolerance) = case.run();
        let mut named = case.json.clone();
        named["result"].take();
        assert_eq!(result.len(), case.expected.len(), "{named}");
        let off = result
            .iter()
            .zip(&case.expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(
            off <= tolerance,
            "{named}: off by {off}\n{result:?}\n{:?}",
            case.expected
        );
    }
}
