//! How long large folders take; ignored, for they make many files.

use crate::recognise;
use crate::source::{OpenRequest, Told};
use crate::sources::folder::listing::{self, IMAGES};
use std::time::{Duration, Instant};
use strata_core::project::data::{DataSpec, Source};

/// A large set of images has as many.
const FILES: usize = 50_000;
const CLASSES: usize = 10;
const MOST_TIME: Duration = Duration::from_secs(2);

#[test]
#[ignore = "makes 50,000 files"]
fn fifty_thousand_images_are_listed_in_two_seconds() {
    let root = tempfile::tempdir().unwrap();
    for class in 0..CLASSES {
        let folder = root.path().join(format!("train/class {class}"));
        std::fs::create_dir_all(&folder).unwrap();
        for number in 0..FILES / CLASSES {
            std::fs::write(folder.join(format!("image_{number:05}.jpg")), "").unwrap();
        }
    }
    let spec = DataSpec {
        source: Source::Folder,
        ..DataSpec::default()
    };
    let list = || {
        let mut told = Told::default();
        let mut progress = |_| true;
        let mut request = OpenRequest::listing(&spec, root.path(), &mut told, &mut progress);
        listing::list(&mut request, &IMAGES).unwrap()
    };
    list();
    let start = Instant::now();
    assert_eq!(
        recognise(root.path(), Source::Shapes).source,
        Source::Folder
    );
    let recognised = start.elapsed();
    let listing = list();
    let taken = start.elapsed();
    println!(
        "{FILES} files: recognised in {recognised:.2?}, listed in {:.2?}",
        taken - recognised
    );
    let files: usize = listing
        .splits
        .iter()
        .map(|(_, entries)| entries.len())
        .sum();
    assert_eq!((files, listing.classes.len()), (FILES, CLASSES));
    assert!(taken < MOST_TIME, "{taken:.1?}");
}
