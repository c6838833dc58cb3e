//! Numbers and strings as pickles write them, to numbers and bytes. None where they are not that.

/// `12`, `-3`, `4L`, and Python's old truth values `00` and `01`.
pub(crate) fn whole(line: &str) -> Option<i64> {
    line.trim().trim_end_matches('L').parse().ok()
}

/// Little-endian two's complement of any length that fits.
pub(crate) fn long(bytes: &[u8]) -> Option<i64> {
    if bytes.len() > 8 {
        return None;
    }
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let start = if negative { -1i64 } else { 0 };
    Some(
        bytes
            .iter()
            .rev()
            .fold(start, |sum, &byte| sum << 8 | i64::from(byte)),
    )
}

/// `'…'` or `"…"` with Python's escapes.
pub(crate) fn quoted(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.trim_ascii();
    let (first, last) = (line.first()?, line.last()?);
    if line.len() < 2 || first != last || !matches!(first, b'\'' | b'"') {
        return None;
    }
    let mut out = Vec::new();
    let mut rest = line.get(1..line.len() - 1)?.iter().copied();
    while let Some(byte) = rest.next() {
        if byte == b'\\' {
            out.push(escape(&mut rest)?)
        } else {
            out.push(byte)
        }
    }
    Some(out)
}

fn escape(rest: &mut impl Iterator<Item = u8>) -> Option<u8> {
    Some(match rest.next()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'x' => code(rest, 2)? as u8,
        other @ (b'\\' | b'\'' | b'"') => other,
        _ => return None,
    })
}

fn code(rest: &mut impl Iterator<Item = u8>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0, |sum, _| {
        Some(sum << 4 | char::from(rest.next()?).to_digit(16)?)
    })
}

/// Latin-1 with `\uXXXX` escapes, to UTF-8.
pub(crate) fn raw_unicode(line: &[u8]) -> Option<Vec<u8>> {
    let mut out = String::new();
    let mut rest = line.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        let digits = match (byte, rest.peek()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => 0,
        };
        if digits == 0 {
            out.push(char::from(byte));
        } else {
            rest.next();
            out.push(char::from_u32(code(&mut rest, digits)?)?);
        }
    }
    Some(out.into_bytes())
}

/// UTF-8 whose code points are bytes, to those bytes.
pub(crate) fn latin1(text: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(text)
        .ok()?
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect()
}
