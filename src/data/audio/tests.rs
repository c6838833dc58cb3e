//! Recordings with known contents.

use super::{Form, header, length_at, read};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::f32::consts::TAU;
use std::path::Path;
use tempfile::tempdir;

fn write(path: &Path, spec: WavSpec, values: &[f32]) {
    let mut writer = WavWriter::create(path, spec).unwrap();
    for &value in values {
        match spec.sample_format {
            SampleFormat::Float => writer.write_sample(value).unwrap(),
            SampleFormat::Int => {
                let scale = 2.0f64.powi(i32::from(spec.bits_per_sample) - 1);
                writer
                    .write_sample((f64::from(value) * scale).round().min(scale - 1.0) as i32)
                    .unwrap();
            }
        }
    }
    writer.finalize().unwrap();
}

fn spec(bits_per_sample: u16, sample_rate: u32, channels: u16) -> WavSpec {
    WavSpec {
        channels,
        sample_rate,
        bits_per_sample,
        sample_format: SampleFormat::Int,
    }
}

fn sine(frequency: f32, rate: u32, length: usize) -> Vec<f32> {
    (0..length)
        .map(|at| (TAU * frequency * at as f32 / rate as f32).sin())
        .collect()
}

#[test]
fn every_width_gives_the_same_values() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.wav");
    let values = [0.0, 0.5, -0.5, -1.0, 0.25];
    for bits in [8, 16, 24, 32] {
        write(&path, spec(bits, 8000, 1), &values);
        assert_eq!(
            read(&path, &Form::new(8000, 5, 1)).unwrap(),
            values,
            "{bits} bits"
        );
    }
    write(
        &path,
        WavSpec {
            sample_format: SampleFormat::Float,
            ..spec(32, 8000, 1)
        },
        &values,
    );
    assert_eq!(read(&path, &Form::new(8000, 5, 1)).unwrap(), values);
    assert_eq!(
        read(&path, &Form::new(8000, 3, 1)).unwrap(),
        values[..3],
        "cut"
    );
    assert_eq!(
        read(&path, &Form::new(8000, 7, 1)).unwrap()[5..],
        [0.0, 0.0],
        "filled up"
    );
    write(
        &path,
        WavSpec {
            sample_format: SampleFormat::Float,
            ..spec(32, 8000, 1)
        },
        &[0.0, f32::NAN],
    );
    assert!(
        read(&path, &Form::new(8000, 2, 1))
            .unwrap_err()
            .contains("not finite")
    );
}

#[test]
fn channels_are_averaged_or_kept() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.wav");
    write(&path, spec(16, 8000, 2), &[0.5, 0.25, -0.5, 0.0]);
    assert_eq!(read(&path, &Form::new(8000, 2, 1)).unwrap(), [0.375, -0.25]);
    assert_eq!(
        read(&path, &Form::new(8000, 2, 2)).unwrap(),
        [0.5, 0.25, -0.5, 0.0]
    );
    write(&path, spec(16, 8000, 1), &[0.5, -0.5]);
    assert_eq!(
        read(&path, &Form::new(8000, 2, 2)).unwrap(),
        [0.5, 0.5, -0.5, -0.5]
    );
}

#[test]
fn another_rate_keeps_the_tone_and_drops_what_it_cannot_hold() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.wav");
    let float = |rate| WavSpec {
        sample_format: SampleFormat::Float,
        ..spec(32, rate, 1)
    };
    for (from, to) in [(44_100, 16_000), (8_000, 16_000)] {
        write(&path, float(from), &sine(440.0, from, from as usize / 4));
        let length = length_at(header(&path).unwrap(), to);
        assert_eq!(length, to as usize / 4);
        let found = read(&path, &Form::new(to, length, 1)).unwrap();
        let expected = sine(440.0, to, length);
        let inner = found.iter().zip(&expected).skip(200).take(length - 400);
        let worst = inner.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 2e-3, "{from} to {to}: off by {worst}");
    }
    write(&path, float(44_100), &sine(12_000.0, 44_100, 11_025));
    let quiet = read(&path, &Form::new(16_000, 4_000, 1)).unwrap();
    assert!(quiet[200..3800].iter().all(|value| value.abs() < 5e-3));
}

#[test]
fn a_tone_is_a_line_in_the_spectrogram_low_ones_at_the_bottom() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.wav");
    let float = WavSpec {
        sample_format: SampleFormat::Float,
        ..spec(32, 8000, 1)
    };
    // Bin 16 of a window of 128 at 8 kHz is 1,000 Hz.
    write(&path, float, &sine(1000.0, 8000, 1000));
    let form = Form::new(8000, 1000, 1)
        .with_spectrogram(128, 64, true)
        .unwrap();
    assert_eq!(form.shape(), [65, 14, 1]);
    let picture = read(&path, &form).unwrap();
    let value = |bin: usize, frame: usize| picture[(64 - bin) * 14 + frame];
    for frame in 0..14 {
        assert!(
            (value(16, frame) - 1.0).abs() < 1e-4,
            "0 dB: {}",
            value(16, frame)
        );
        assert!(
            (value(17, frame) - (1.0 - 6.0206 / 80.0)).abs() < 1e-3,
            "Hann's neighbour is at -6 dB"
        );
        assert!(value(40, frame) < 0.05);
    }
    let linear = Form::new(8000, 1000, 1)
        .with_spectrogram(128, 64, false)
        .unwrap();
    assert!((read(&path, &linear).unwrap()[(64 - 17) * 14] - 0.5).abs() < 1e-3);
    for (window, hop) in [(1, 1), (0, 0), (128, 0), (1 << 20, 1)] {
        assert!(
            Form::new(8000, 1000, 1)
                .with_spectrogram(window, hop, true)
                .is_err()
        );
    }
}

#[test]
fn what_is_no_recording_says_so() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.wav");
    for bytes in [&b""[..], b"RIFF", b"ID3 an mp3 in disguise"] {
        std::fs::write(&path, bytes).unwrap();
        assert!(header(&path).unwrap_err().contains("not a WAV file"));
    }
    write(&path, spec(16, 8000, 1), &[0.0; 100]);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 50]).unwrap();
    assert!(
        read(&path, &Form::new(8000, 100, 1))
            .unwrap_err()
            .contains("in the middle of the sound")
    );
}
