//! Compression of pages that the library would undo only with a C library or without a look at the sizes: Zstandard
//! and LZ4. A page is unpacked to the size that its header claims and to no more.

use lz4_flex::block::decompress_into;
use parquet::basic::Compression;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Bytes unpacked between two looks at how many there are.
const PIECE: usize = 1 << 20;
/// The window that every reader of Zstandard should have, whatever the size of a page.
const LEAST_WINDOW: u64 = 8 << 20;
/// Bytes before a block of LZ4 as Hadoop writes it: its size unpacked and packed.
const HADOOP_PREFIX: usize = 8;

/// How the pages of a column are compressed, where it is undone here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Zstandard,
    /// One block of LZ4.
    Lz4,
    /// Blocks of LZ4, each with its sizes.
    Lz4Hadoop,
}

impl Packing {
    /// None of what the library undoes.
    pub fn of(compression: Compression) -> Option<Packing> {
        match compression {
            Compression::ZSTD(_) => Some(Packing::Zstandard),
            Compression::LZ4_RAW => Some(Packing::Lz4),
            Compression::LZ4 => Some(Packing::Lz4Hadoop),
            _ => None,
        }
    }

    /// A page of `length` bytes unpacked.
    pub fn unpack(self, packed: &[u8], length: usize) -> Result<Vec<u8>, String> {
        let unpacked = match self {
            _ if length == 0 => return Ok(Vec::new()),
            Packing::Zstandard => zstandard(packed, length)?,
            Packing::Lz4 => lz4(packed, length)?,
            // Older writers left the sizes out.
            Packing::Lz4Hadoop => lz4_hadoop(packed, length).or_else(|_| lz4(packed, length))?,
        };
        match unpacked.len() == length {
            true => Ok(unpacked),
            false => Err(format!(
                "a page unpacks to {} bytes instead of {length}",
                unpacked.len()
            )),
        }
    }
}

fn zstandard(mut packed: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(LEAST_WINDOW.max(length as u64));
    let mut unpacked = Vec::new();
    while !packed.is_empty() {
        decoder
            .init(&mut packed)
            .map_err(|error| error.to_string())?;
        while !decoder.is_finished() {
            let piece = BlockDecodingStrategy::UptoBytes(PIECE);
            let decoded = decoder.decode_blocks(&mut packed, piece);
            decoded.map_err(|error| error.to_string())?;
            let collected = decoder.collect_to_writer(&mut unpacked);
            collected.map_err(|error| error.to_string())?;
            if unpacked.len() > length {
                return Err(format!("a page unpacks to more than {length} bytes"));
            }
        }
    }
    Ok(unpacked)
}

fn lz4(packed: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let mut unpacked = vec![0; length];
    let written = decompress_into(packed, &mut unpacked).map_err(|error| error.to_string())?;
    unpacked.truncate(written);
    Ok(unpacked)
}

fn lz4_hadoop(mut packed: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let short = || "a block of LZ4 is cut off".to_owned();
    let mut unpacked = Vec::new();
    while !packed.is_empty() {
        let (sizes, rest) = packed.split_at_checked(HADOOP_PREFIX).ok_or_else(short)?;
        let size = |bytes: &[u8]| {
            let bytes: Result<[u8; 4], _> = bytes.try_into();
            bytes.map_or(0, u32::from_be_bytes) as usize
        };
        let (of_block, of_packed) = (size(&sizes[..4]), size(&sizes[4..]));
        let (block, after) = rest.split_at_checked(of_packed).ok_or_else(short)?;
        if of_block > length - unpacked.len() || of_packed == 0 {
            return Err(format!("a page unpacks to more than {length} bytes"));
        }
        unpacked.extend(lz4(block, of_block)?);
        packed = after;
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lz4_flex::block::compress;

    #[test]
    fn blocks_of_lz4_are_unpacked_to_the_size_that_is_claimed() {
        let bytes: Vec<u8> = (0..3000u32).map(|at| (at / 7) as u8).collect();
        let packed = compress(&bytes);
        let unpack = |packing: Packing, packed: &[u8], length| packing.unpack(packed, length);
        assert_eq!(unpack(Packing::Lz4, &packed, 3000), Ok(bytes.clone()));
        assert!(unpack(Packing::Lz4, &packed, 2999).is_err());
        assert!(unpack(Packing::Lz4, &packed, 3001).is_err());
        let mut hadoop = Vec::new();
        for half in bytes.chunks(1500) {
            let packed = compress(half);
            hadoop.extend((half.len() as u32).to_be_bytes());
            hadoop.extend((packed.len() as u32).to_be_bytes());
            hadoop.extend(packed);
        }
        assert_eq!(unpack(Packing::Lz4Hadoop, &hadoop, 3000), Ok(bytes.clone()));
        assert_eq!(unpack(Packing::Lz4Hadoop, &packed, 3000), Ok(bytes));
        assert!(unpack(Packing::Lz4Hadoop, &hadoop[..900], 3000).is_err());
        assert!(unpack(Packing::Lz4Hadoop, &[0xff; 40], 3000).is_err());
    }

    #[test]
    fn a_frame_of_zstandard_that_says_more_than_the_page_is_refused() {
        // A frame of one block that repeats a byte 200,000 times, in two blocks of at most 128 KB.
        let block = |size: u32, is_last: u32| {
            let header = size << 3 | 1 << 1 | is_last;
            let [one, two, three, _] = header.to_le_bytes();
            [one, two, three, 7]
        };
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
        frame.extend(block(100_000, 0));
        frame.extend(block(100_000, 1));
        let unpack = |length| Packing::Zstandard.unpack(&frame, length);
        assert_eq!(unpack(200_000), Ok(vec![7; 200_000]));
        for wrong in [1000, 199_999, 200_001] {
            assert!(unpack(wrong).is_err(), "{wrong}");
        }
        assert!(Packing::Zstandard.unpack(&frame[..12], 200_000).is_err());
        assert!(Packing::Zstandard.unpack(b"no frame", 10).is_err());
    }
}
