//! The curves of a run as an event file that TensorBoard opens.
//!
//! A file is a sequence of records: a length, its checksum, an `Event` of TensorFlow's `event.proto`, its checksum
//! (`tensorflow/core/lib/io/record_writer.h`). Only scalars are written.

use crate::error::ExportError;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;
use strata_engine::storage::metrics_read::{each_step, measurements};
use strata_engine::storage::record::RunRecord;

/// The file; TensorBoard knows it by `tfevents`.
pub const EVENTS_FILE: &str = "events.out.tfevents.strata";
/// What the first event says.
const VERSION: &str = "brain.Event:2";
/// The reversed polynomial of CRC-32C.
const CASTAGNOLI: u32 = 0x82F6_3B78;
/// What TensorFlow adds to a checksum, so that one of a text with checksums in it is none of a special kind.
const MASK: u32 = 0xA282_EAD8;

/// The bytes of a run's event file: every step's loss, learning rate, penalty and accuracy, and what epochs measured.
pub fn events(run: &Path) -> Result<Vec<u8>, ExportError> {
    let record = RunRecord::read(run).map_err(|reason| ExportError::Tables {
        run: run.to_owned(),
        reason: reason.to_string(),
    })?;
    let start = start(run, record.seconds);
    let seconds_a_step = record.seconds / record.steps.max(1) as f64;
    let mut out = Vec::new();
    write_record(&event(start, 0, &string(3, VERSION)), &mut out);
    each_step(run, |line| {
        let step = line.step as i64;
        let at = start + seconds_a_step * line.step;
        let scalars = [
            ("loss/step", Some(line.loss)),
            ("lr/step", line.lr),
            ("penalty/step", line.penalty),
            ("accuracy/step", line.accuracy),
        ];
        for (tag, value) in scalars {
            if let Some(value) = value {
                write_record(&event(at, step, &scalar(tag, value as f32)), &mut out);
            }
        }
    });
    for line in measurements(run) {
        let at = start + line.seconds.unwrap_or(0.0);
        let scalars = [
            ("loss", line.loss),
            ("accuracy", line.accuracy),
            ("f1", line.f1),
            ("exact_match", line.exact_match),
            ("log_loss", line.log_loss),
        ];
        for (name, value) in scalars {
            if let Some(value) = value {
                let tag = format!("{name}/{}", line.split);
                write_record(
                    &event(at, line.step as i64, &scalar(&tag, value as f32)),
                    &mut out,
                );
            }
        }
    }
    Ok(out)
}

/// When the run began, in seconds since 1970, as far as its files tell.
fn start(run: &Path, seconds: f64) -> f64 {
    let written = fs::metadata(run.join("run.json")).and_then(|file| file.modified());
    let since = written
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0.0, |since| since.as_secs_f64() - seconds)
}

/// An `Event`: when, at which step, and what.
fn event(wall_time: f64, step: i64, what: &[u8]) -> Vec<u8> {
    let mut out = vec![1 << 3 | 1];
    out.extend(wall_time.to_le_bytes());
    out.push(2 << 3);
    varint(step as u64, &mut out);
    out.extend(what);
    out
}

/// A `Summary` of one value.
fn scalar(tag: &str, value: f32) -> Vec<u8> {
    let mut inner = string(1, tag);
    inner.push(2 << 3 | 5);
    inner.extend(value.to_le_bytes());
    bytes(5, &bytes(1, &inner))
}

fn string(field: u8, text: &str) -> Vec<u8> {
    bytes(field, text.as_bytes())
}

/// A field of so many bytes.
fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![field << 3 | 2];
    varint(content.len() as u64, &mut out);
    out.extend(content);
    out
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn write_record(content: &[u8], out: &mut Vec<u8>) {
    let length = (content.len() as u64).to_le_bytes();
    out.extend(length);
    out.extend(masked_checksum(&length).to_le_bytes());
    out.extend(content);
    out.extend(masked_checksum(content).to_le_bytes());
}

fn masked_checksum(content: &[u8]) -> u32 {
    checksum(content).rotate_right(15).wrapping_add(MASK)
}

/// CRC-32C (RFC 3720, appendix B.4).
fn checksum(content: &[u8]) -> u32 {
    let step = |mut sum: u32, byte: &u8| {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = sum >> 1 ^ (CASTAGNOLI & (sum & 1).wrapping_neg());
        }
        sum
    };
    !content.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, appendix B.4.
        assert_eq!(checksum(&[0; 32]), 0x8A91_36AA);
        assert_eq!(checksum(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(checksum(b"123456789"), 0xE306_9283);
    }

    /// The content of every record; each must have its checksums.
    fn records(mut file: &[u8]) -> Vec<&[u8]> {
        let mut found = Vec::new();
        while !file.is_empty() {
            let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
            let sum = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
            assert_eq!(sum(8), masked_checksum(&file[..8]));
            let content = &file[12..12 + length];
            assert_eq!(sum(12 + length), masked_checksum(content));
            found.push(content);
            file = &file[16 + length..];
        }
        found
    }

    #[test]
    fn the_curves_of_a_run_are_in_the_records() {
        let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/old_run");
        let file = events(&run).unwrap();
        let records = records(&file);
        let told: Vec<String> = records
            .iter()
            .map(|content| String::from_utf8_lossy(content).into_owned())
            .collect();
        assert!(told[0].contains(VERSION));
        let with = |tag: &str| told.iter().filter(|text| text.contains(tag)).count();
        assert_eq!((with("loss/step"), with("lr/step")), (12, 12));
        // Four epochs measured it, and two of them the log loss too.
        assert_eq!((with("loss/valid"), with("log_loss/valid")), (6, 2));
        assert_eq!(records.len(), 1 + 2 * 12 + 10 + 2 * 5);
        let first = records
            .iter()
            .find(|content| content.windows(9).any(|part| part == b"loss/step"));
        assert!(first.unwrap().ends_with(&0.246_910_96_f32.to_le_bytes()));
    }
}
