//! Checksums, as they are published: MD5 where the authors have nothing better. They tell a damaged
//! file from a good one. Fails when the file cannot be read.

use md5::Md5;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};

/// A checksum in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sum {
    /// MD5, 32 digits.
    Md5(Cow<'static, str>),
    /// SHA-256, 64 digits.
    Sha256(Cow<'static, str>),
}

impl Sum {
    /// A published MD5.
    pub(crate) const fn md5(digits: &'static str) -> Sum {
        Sum::Md5(Cow::Borrowed(digits))
    }

    /// A published SHA-256.
    pub(crate) const fn sha256(digits: &'static str) -> Sum {
        Sum::Sha256(Cow::Borrowed(digits))
    }

    /// The SHA-256 of some bytes.
    pub fn of(bytes: &[u8]) -> Sum {
        Sum::Sha256(hex(&Sha256::digest(bytes)).into())
    }

    /// The digits.
    pub fn digits(&self) -> &str {
        match self {
            Sum::Md5(digits) | Sum::Sha256(digits) => digits,
        }
    }

    /// `md5` or `sha256`.
    pub fn name(&self) -> &'static str {
        match self {
            Sum::Md5(_) => "md5",
            Sum::Sha256(_) => "sha256",
        }
    }

    /// The sum of the same kind of what `input` holds; `None` when `go_on`, told of every piece, says no.
    pub(super) fn measure(
        &self,
        input: &mut impl Read,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> io::Result<Option<Sum>> {
        Ok(match self {
            Sum::Md5(_) => digest::<Md5>(input, go_on)?.map(|digits| Sum::Md5(digits.into())),
            Sum::Sha256(_) => {
                digest::<Sha256>(input, go_on)?.map(|digits| Sum::Sha256(digits.into()))
            }
        })
    }

    #[cfg(test)]
    pub(super) fn is_well_formed(&self) -> bool {
        let length = if matches!(self, Sum::Md5(_)) { 32 } else { 64 };
        self.digits().len() == length
            && self
                .digits()
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.digits())
    }
}

/// Bytes read at a time.
const PIECE: usize = 1 << 16;

fn digest<D: Digest>(
    input: &mut impl Read,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> io::Result<Option<String>> {
    let (mut digest, mut piece) = (D::new(), vec![0; PIECE]);
    loop {
        let read = input.read(&mut piece)?;
        if read == 0 {
            return Ok(Some(hex(&digest.finalize())));
        }
        digest.update(piece.get(..read).unwrap_or_default());
        if !go_on(read as u64) {
            return Ok(None);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_of_abc_are_those_of_the_standards() {
        let measure = |sum: Sum| {
            sum.measure(&mut &b"abc"[..], &mut |_| true)
                .unwrap()
                .unwrap()
        };
        assert_eq!(
            measure(Sum::md5("")).digits(),
            "900150983cd24fb0d6963f7d28e17f72"
        );
        let sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            (measure(Sum::sha256("")).digits(), Sum::of(b"abc").digits()),
            (sha, sha)
        );
    }
}
