//! Pictures for people to look at; run by hand:
//! `STRATA_LOOK=/tmp/look cargo test --lib data::tests::images -- --ignored`

use super::made::{open, write_sheet};
use crate::data::Dataset;
use crate::project::data::{DataSpec, Split};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    std::env::var_os("STRATA_LOOK").map_or_else(std::env::temp_dir, PathBuf::from)
}

fn pictures(dataset: &Dataset, split: Split, count: usize) -> Vec<Vec<u8>> {
    let data = dataset.split(split).unwrap();
    let read = |index| {
        let mut values = vec![0.0; dataset.shape().iter().product()];
        data.read(index, &mut values).unwrap();
        dataset.to_pixels(&values)
    };
    (0..count.min(data.len())).map(read).collect()
}

#[test]
#[ignore = "writes a picture to look at"]
fn shapes_sheet() {
    let dataset = open(&DataSpec::default()).unwrap();
    let pictures = pictures(&dataset, Split::Train, 200);
    write_sheet(&folder().join("shapes.png"), &pictures, [32, 32, 3], 20, 2);
}

#[test]
#[ignore = "writes pictures to look at"]
fn real_sheets() {
    let Some(root) = super::real::root() else {
        return;
    };
    for (name, source) in super::real::SOURCES {
        let mut spec = super::made::spec(source, &root.join(name));
        spec.resize = Some([48, 48]);
        let dataset = open(&spec).unwrap();
        let channels = dataset.shape()[0];
        let file = format!("{}.png", name.replace('/', "-"));
        let pictures = pictures(&dataset, Split::Train, 60);
        write_sheet(
            &folder().join(Path::new(&file)),
            &pictures,
            [48, 48, channels],
            12,
            2,
        );
    }
}
