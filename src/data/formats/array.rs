//! The elements of an array as NumPy stores them: kind, width and order of the bytes. Fails with
//! a sentence on a kind that has no numbers in it.

use super::labels::whole_of;

/// Letters of a label.
const LONGEST_TEXT: usize = 1024;

/// What one element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Unsigned,
    Signed,
    Float,
    /// Text of four bytes a letter, `<U5`.
    Wide,
    /// Text of a byte a letter, `|S5`.
    Narrow,
}

/// The type of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    kind: Kind,
    /// Bytes of one element: 1, 2, 4 or 8; of texts any number.
    size: usize,
    big_endian: bool,
}

impl Element {
    /// NumPy's short name, `<f4` for example; without a mark the bytes are in little-endian order.
    pub fn parse(name: &str) -> Result<Element, String> {
        let (big_endian, rest) = match name.strip_prefix('>') {
            Some(rest) => (true, rest),
            None => (false, name.trim_start_matches(['<', '|', '='])),
        };
        if let Some((kind, size)) = text_kind(rest) {
            return Ok(Element {
                kind,
                size,
                big_endian,
            });
        }
        let (kind, size) = match rest {
            "b1" | "?" => (Kind::Bool, 1),
            "u1" => (Kind::Unsigned, 1),
            "u2" => (Kind::Unsigned, 2),
            "u4" => (Kind::Unsigned, 4),
            "u8" => (Kind::Unsigned, 8),
            "i1" => (Kind::Signed, 1),
            "i2" => (Kind::Signed, 2),
            "i4" => (Kind::Signed, 4),
            "i8" => (Kind::Signed, 8),
            "f2" => (Kind::Float, 2),
            "f4" => (Kind::Float, 4),
            "f8" => (Kind::Float, 8),
            _ => {
                return Err(format!(
                    "its elements are of the type '{}'",
                    shortened(name)
                ));
            }
        };
        Ok(Element {
            kind,
            size,
            big_endian,
        })
    }

    /// The same element with the other order of bytes, if `big_endian` says so.
    pub fn ordered(self, big_endian: bool) -> Element {
        Element { big_endian, ..self }
    }

    pub fn size(self) -> usize {
        self.size
    }

    /// Whether an element is a pixel as it is.
    pub(crate) fn is_byte(self) -> bool {
        self.kind == Kind::Unsigned && self.size == 1
    }

    pub fn is_whole(self) -> bool {
        matches!(self.kind, Kind::Bool | Kind::Unsigned | Kind::Signed)
    }

    /// Whether an element is a text, as labels can be.
    pub fn is_text(self) -> bool {
        matches!(self.kind, Kind::Wide | Kind::Narrow)
    }

    /// An element as a label: a whole number, a float that is whole, or a text; none where it is nothing of it.
    pub fn label(self, bytes: &[u8]) -> Option<String> {
        match self.kind {
            Kind::Bool | Kind::Unsigned | Kind::Signed => Some(self.whole(bytes)?.to_string()),
            Kind::Float => {
                let number = match self.size {
                    8 => f64::from_bits(self.bits(bytes)?),
                    _ => f64::from(self.float(bytes)?),
                };
                Some(whole_of(number)?.to_string())
            }
            Kind::Narrow => {
                let text = String::from_utf8_lossy(bytes);
                Some(text.trim_end_matches('\0').trim().to_owned())
            }
            Kind::Wide => {
                let letter = |bytes: &[u8]| {
                    let bytes: [u8; 4] = bytes.try_into().ok()?;
                    char::from_u32(match self.big_endian {
                        true => u32::from_be_bytes(bytes),
                        false => u32::from_le_bytes(bytes),
                    })
                };
                let text: Option<String> = bytes.chunks_exact(4).map(letter).collect();
                Some(text?.trim_end_matches('\0').trim().to_owned())
            }
        }
    }

    /// An element of a whole kind; none where `bytes` are of the wrong number or beyond an `i64`.
    pub fn whole(self, bytes: &[u8]) -> Option<i64> {
        let bits = self.bits(bytes)?;
        let unused = 64 - 8 * self.size as u32;
        match self.kind {
            Kind::Bool => Some(i64::from(bits != 0)),
            Kind::Unsigned => i64::try_from(bits).ok(),
            Kind::Signed => Some(((bits << unused) as i64) >> unused),
            Kind::Float | Kind::Wide | Kind::Narrow => None,
        }
    }

    /// An element as a float; none where `bytes` are of the wrong number.
    pub(crate) fn float(self, bytes: &[u8]) -> Option<f32> {
        let bits = self.bits(bytes)?;
        Some(match (self.kind, self.size) {
            (Kind::Float, 2) => half(bits as u16),
            (Kind::Float, 4) => f32::from_bits(bits as u32),
            (Kind::Float, _) => f64::from_bits(bits) as f32,
            (Kind::Unsigned, _) => bits as f32,
            _ => self.whole(bytes)? as f32,
        })
    }

    fn bits(self, bytes: &[u8]) -> Option<u64> {
        if bytes.len() != self.size || self.is_text() {
            return None;
        }
        let push = |sum: u64, &byte: &u8| sum << 8 | u64::from(byte);
        Some(if self.big_endian {
            bytes.iter().fold(0, push)
        } else {
            bytes.iter().rev().fold(0, push)
        })
    }
}

/// `U5` and `S5`: texts of five letters.
fn text_kind(name: &str) -> Option<(Kind, usize)> {
    let letters = |rest: &str| {
        rest.parse::<usize>()
            .ok()
            .filter(|letters| (1..=LONGEST_TEXT).contains(letters))
    };
    if let Some(rest) = name.strip_prefix('U') {
        return Some((Kind::Wide, 4 * letters(rest)?));
    }
    let rest = name.strip_prefix('S').or_else(|| name.strip_prefix('a'))?;
    Some((Kind::Narrow, letters(rest)?))
}

/// A 16-bit float: one sign bit, five of exponent, ten of fraction.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2.0f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1024.0 + fraction) * 2.0f32.powi(exponent - 25),
    }
}

/// A piece of a file fit for a message.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let clean: String = text
        .chars()
        .take(MOST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(MOST).is_some() {
        clean + "…"
    } else {
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_every_kind_are_read_in_both_orders() {
        let whole = |name: &str, bytes: &[u8]| Element::parse(name).unwrap().whole(bytes);
        assert_eq!(whole("<i2", &[0xfe, 0xff]), Some(-2));
        assert_eq!(whole(">i2", &[0xff, 0xfe]), Some(-2));
        assert_eq!(whole("|u1", &[200]), Some(200));
        assert_eq!(whole("<u8", &[255; 8]), None, "beyond an i64");
        assert_eq!(whole("<i8", &[255; 8]), Some(-1));
        assert_eq!(whole("<i4", &[1, 2]), None);
        let float = |name: &str, bytes: &[u8]| Element::parse(name).unwrap().float(bytes).unwrap();
        assert_eq!(float(">f4", &1.5f32.to_be_bytes()), 1.5);
        assert_eq!(float("<f8", &(-0.25f64).to_le_bytes()), -0.25);
        assert_eq!(float("|b1", &[1]), 1.0);
        for name in ["<c8", "|O", "<U0", "<U9999", "V4", "<f16", "", "é"] {
            assert!(Element::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn labels_are_whole_numbers_or_texts() {
        let label = |name: &str, bytes: &[u8]| Element::parse(name).unwrap().label(bytes);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(label("<f8", &3.0f64.to_le_bytes()), some("3"));
        assert_eq!(label("<f4", &(-1.0f32).to_le_bytes()), some("-1"));
        assert_eq!(label("<f8", &0.5f64.to_le_bytes()), None);
        assert_eq!(label("<f8", &f64::NAN.to_le_bytes()), None);
        assert_eq!(label("|S4", b"cat\0"), some("cat"));
        assert_eq!(label("<U2", b"a\0\0\0\0\0\0\0"), some("a"));
        assert_eq!(label(">U2", b"\0\0\0b\0\0\0c"), some("bc"));
        assert_eq!(label("|b1", &[1]), some("1"));
        assert!(Element::parse("<U5").unwrap().is_text());
    }

    #[test]
    fn halves_are_those_of_the_standard() {
        let expected = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (1, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
        ];
        for (bits, value) in expected {
            assert_eq!(half(bits), value);
        }
        assert!(
            half(0x7c00).is_infinite() && half(0x7c01).is_nan() && half(0x8000).is_sign_negative()
        );
    }
}
