//! The files of the feeds: drawn figures in the formats of CIFAR-10, of STL-10 and of a folder of JPEG files.
//!
//! They follow only from the feed, so that another program can be measured with the same files. A folder that
//! is there already is taken as it is. Fails where files cannot be written.

use super::{Feed, SEED};
use crate::bench::BenchError;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use rayon::prelude::*;
use std::io;
use std::path::Path;
use strata_core::project::data::Source;

/// Of the JPEG files.
const QUALITY: u8 = 90;

/// Draws the feed's files into the folder of its name in `root`, unless that is there.
pub fn draw(feed: &Feed, root: &Path) -> Result<(), BenchError> {
    let folder = root.join(feed.name);
    if folder.exists() {
        return Ok(());
    }
    write(feed, root, &folder).map_err(|error| BenchError::Pictures(folder, error))
}

/// All files or none: a folder half filled would be taken for a whole one the next time.
fn write(feed: &Feed, root: &Path, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(root)?;
    let part = tempfile::tempdir_in(root)?;
    let pictures: Vec<(Vec<u8>, usize)> = (0..feed.count)
        .into_par_iter()
        .map(|index| strata_data::picture(SEED, feed.side, index))
        .collect();
    match feed.source {
        Source::Cifar10 => cifar(&pictures, part.path())?,
        Source::Stl10 => stl10(&pictures, feed.side, part.path())?,
        _ => jpegs(&pictures, feed.side, part.path())?,
    }
    // A temporary folder is readable only by its owner; this one is as any other.
    open_to_all(part.path())?;
    std::fs::rename(part.path(), folder)?;
    // The folder may not exist yet.
    drop(part.keep());
    Ok(())
}

#[cfg(unix)]
fn open_to_all(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn open_to_all(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Records of a label and three planes, row by row.
fn cifar(pictures: &[(Vec<u8>, usize)], folder: &Path) -> io::Result<()> {
    let mut bytes = Vec::new();
    for (pixels, class) in pictures {
        bytes.push(*class as u8);
        (0..3).for_each(|channel| bytes.extend(pixels.iter().skip(channel).step_by(3)));
    }
    std::fs::write(folder.join("data_batch_1.bin"), bytes)
}

/// Three planes, column by column; labels from 1 on in their own file.
fn stl10(pictures: &[(Vec<u8>, usize)], side: usize, folder: &Path) -> io::Result<()> {
    let mut bytes = Vec::new();
    for (pixels, _) in pictures {
        for (channel, column) in
            (0..3).flat_map(|channel| (0..side).map(move |column| (channel, column)))
        {
            bytes.extend(pixels.iter().skip(3 * column + channel).step_by(3 * side));
        }
    }
    std::fs::write(folder.join("train_X.bin"), bytes)?;
    let labels: Vec<u8> = pictures.iter().map(|(_, class)| *class as u8 + 1).collect();
    std::fs::write(folder.join("train_y.bin"), labels)
}

/// `CLASS/NUMBER.jpg`
fn jpegs(pictures: &[(Vec<u8>, usize)], side: usize, folder: &Path) -> io::Result<()> {
    for (number, (pixels, class)) in pictures.iter().enumerate() {
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        encoder
            .write_image(pixels, side as u32, side as u32, ExtendedColorType::Rgb8)
            .map_err(io::Error::other)?;
        let class = folder.join(class.to_string());
        std::fs::create_dir_all(&class)?;
        std::fs::write(class.join(format!("{number:05}.jpg")), bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::ALL;
    use super::*;

    #[test]
    fn a_folder_that_is_there_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(ALL[0].name);
        std::fs::create_dir(&folder).unwrap();
        draw(&ALL[0], root.path()).unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_written_is_told_with_its_place() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "no folder").unwrap();
        let feed = Feed { count: 1, ..ALL[0] };
        let error = draw(&feed, &file).unwrap_err().to_string();
        assert!(
            error.contains("augment-32") && error.contains("--data"),
            "{error}"
        );
        assert_eq!(
            std::fs::read_dir(root.path()).unwrap().count(),
            1,
            "nothing is left behind"
        );
    }

    #[test]
    fn the_pictures_of_a_feed_lie_as_its_format_has_them() {
        let root = tempfile::tempdir().unwrap();
        let feed = Feed { count: 3, ..ALL[1] };
        draw(&feed, root.path()).unwrap();
        let bytes = std::fs::read(root.path().join("resize-96/train_X.bin")).unwrap();
        let (pixels, class) = strata_data::picture(SEED, 96, 2);
        let at = |channel: usize, row: usize, column: usize| {
            bytes[((2 * 3 + channel) * 96 + column) * 96 + row]
        };
        for (channel, row, column) in [(0, 0, 0), (1, 5, 90), (2, 95, 17)] {
            assert_eq!(
                at(channel, row, column),
                pixels[(row * 96 + column) * 3 + channel]
            );
        }
        assert_eq!(
            std::fs::read(root.path().join("resize-96/train_y.bin")).unwrap(),
            [1, 2, class as u8 + 1]
        );
    }
}
