//! Images in HDF5 and Parquet files, with settings of every kind.

use super::super::made::{Values, parquet, png};
use super::bytes;
use std::path::Path;
use strata_testkit::files::write;

const SCHEMA: &str =
    "message t { optional binary image; required int64 label; required int64 kind; }";

pub fn write_hdf5(folder: &Path, change: usize) {
    let mut file = hdf5_pure::FileBuilder::new();
    for (split, count) in [("train", 18u64), ("test", 6)] {
        let pixels = bytes(change, count as usize * 8 * 6 * 3);
        let labels: Vec<u8> = (0..count).map(|number| (number % 3) as u8).collect();
        let images = file.create_dataset(&format!("x_{split}"));
        images.with_u8_data(&pixels).with_shape(&[count, 8, 6, 3]);
        let classes = file.create_dataset(&format!("y_{split}"));
        classes.with_u8_data(&labels);
    }
    write(folder, "set.h5", &file.finish().unwrap());
}

pub fn write_parquet(folder: &Path, change: usize) {
    for (split, count) in [("train", 18), ("test", 6)] {
        let image = |number: usize| {
            let pixels = bytes(number + change, 6 * 8 * 3);
            Some(png(&image::RgbImage::from_raw(6, 8, pixels)
                .unwrap()
                .into()))
        };
        let numbers = |classes: usize| (0..count).map(move |number| (number % classes) as i64);
        let columns = [
            Values::Bytes((0..count).map(image).collect()),
            Values::Whole(numbers(3).collect()),
            Values::Whole(numbers(2).collect()),
        ];
        let name = format!("data/{split}-00000-of-00001.parquet");
        write(folder, &name, &parquet(SCHEMA, &columns, 5, None));
    }
}
