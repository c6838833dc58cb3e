//! How many pictures one file holds: frames of a GIF, a PNG or a WebP file, found without decoding any. Cannot fail:
//! a file that is not understood holds one.

const GIF_HEADER: usize = 13;
const GIF_IMAGE: u8 = 0x2c;
const GIF_EXTENSION: u8 = 0x21;

/// Pictures in a file, one at least.
pub(crate) fn count(bytes: &[u8]) -> usize {
    let count = match bytes {
        [b'G', b'I', b'F', ..] => gif(bytes),
        [0x89, b'P', b'N', b'G', ..] => png(bytes),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            rest @ ..,
        ] => webp(rest),
        _ => None,
    };
    count.unwrap_or(1).max(1)
}

/// Whether its frames can be counted here.
pub(crate) fn may_have_several(first: &[u8]) -> bool {
    matches!(
        first,
        [b'G', b'I', b'F', ..] | [0x89, b'P', b'N', b'G', ..] | [b'R', b'I', b'F', b'F', ..]
    )
}

/// Size of a colour table, from the byte that describes it.
fn table(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

fn gif(bytes: &[u8]) -> Option<usize> {
    let mut at = GIF_HEADER + table(*bytes.get(10)?);
    let mut frames = 0;
    loop {
        match bytes.get(at).copied() {
            Some(GIF_EXTENSION) => at += 2,
            Some(GIF_IMAGE) => {
                frames += 1;
                at += 11 + table(*bytes.get(at + 9)?);
            }
            _ => return Some(frames),
        }
        at = after_blocks(bytes, at);
    }
}

/// Blocks of up to 255 bytes, each behind its length; one of no bytes is the last.
fn after_blocks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&length) = bytes.get(at) {
        at += 1 + usize::from(length);
        if length == 0 {
            break;
        }
    }
    at
}

/// The number in the chunk `acTL`, which comes before the pixels.
fn png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
        match bytes.get(at + 4..at + 8)? {
            b"acTL" => {
                let frames = bytes.get(at + 8..at + 12)?.try_into().ok()?;
                return Some(u32::from_be_bytes(frames) as usize);
            }
            b"IDAT" => return None,
            _ => at = at.checked_add(length)?.checked_add(12)?,
        }
    }
}

/// Chunks named `ANMF`.
fn webp(mut chunks: &[u8]) -> Option<usize> {
    let mut frames = 0;
    while let [a, b, c, d, l0, l1, l2, l3, rest @ ..] = chunks {
        frames += usize::from([*a, *b, *c, *d] == *b"ANMF");
        let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        chunks = rest
            .get(length.checked_next_multiple_of(2)?..)
            .unwrap_or_default();
    }
    Some(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_an_animation_are_counted() {
        let mut gif = Vec::new();
        {
            let mut encoder = image::codecs::gif::GifEncoder::new(&mut gif);
            let frame = |grey| {
                image::Frame::new(image::RgbaImage::from_pixel(5, 4, image::Rgba([grey; 4])))
            };
            encoder
                .encode_frames([frame(9), frame(99), frame(200)])
                .unwrap();
        }
        assert_eq!(count(&gif), 3);
        let chunk = |name: &[u8], data: &[u8]| {
            let length = (data.len() as u32).to_be_bytes();
            [&length[..], name, data, &[0; 4]].concat()
        };
        let magic = b"\x89PNG\r\n\x1a\n".to_vec();
        let animated = [
            chunk(b"IHDR", &[0; 13]),
            chunk(b"acTL", &[0, 0, 0, 7, 0, 0, 0, 0]),
        ];
        assert_eq!(count(&[magic.clone(), animated.concat()].concat()), 7);
        let still = [chunk(b"IHDR", &[0; 13]), chunk(b"IDAT", &[0; 3])];
        assert_eq!(count(&[magic, still.concat()].concat()), 1);
        let webp = b"RIFF\0\0\0\0WEBPVP8X\x02\0\0\0..ANMF\x01\0\0\0..ANMF\0\0\0\0";
        assert_eq!(count(webp), 2);
    }

    #[test]
    fn what_is_cut_short_or_something_else_holds_one() {
        let cut: [&[u8]; 6] = [b"", b"GIF", b"GIF89a", b"\x89PNG", b"RIFF....WEBP", b"text"];
        for bytes in cut {
            assert_eq!(count(bytes), 1, "{bytes:?}");
        }
    }
}
