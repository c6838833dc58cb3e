//! Pictures for people to look at; see [`strata_testkit::folders::pictures`].

use super::made::{open, write_sheet};
use crate::Dataset;
use std::path::Path;
use strata_core::project::data::{DataSpec, Split};
use strata_testkit::folders::{pictures, real_data};

fn first_images(dataset: &Dataset, split: Split, count: usize) -> Vec<Vec<u8>> {
    let data = dataset.split(split).unwrap();
    let read = |index| {
        let mut values = vec![0.0; dataset.shape().iter().product()];
        data.read(index, &mut values).unwrap();
        dataset.to_pixels(&values)
    };
    (0..count.min(data.len())).map(read).collect()
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_shapes() {
    let dataset = open(&DataSpec::default()).unwrap();
    let images = first_images(&dataset, Split::Train, 200);
    write_sheet(&pictures().join("shapes.png"), &images, [32, 32, 3], 20, 2);
}

#[test]
#[ignore = "writes pictures"]
fn pictures_of_real_data() {
    let Some(root) = real_data("pictures_of_real_data") else {
        return;
    };
    for (name, source) in super::real::SOURCES {
        let mut spec = super::made::spec(source, &root.join(name));
        spec.resize = Some([48, 48]);
        let dataset = open(&spec).unwrap();
        let channels = dataset.shape()[0];
        let file = format!("{}.png", name.replace('/', "-"));
        let images = first_images(&dataset, Split::Train, 60);
        write_sheet(
            &pictures().join(Path::new(&file)),
            &images,
            [48, 48, channels],
            12,
            2,
        );
    }
}
