//! Tests through the public interface: made-up files of every format, damaged ones, and real data.

mod alike;
mod damage;
mod formats;
mod hdf5;
mod images;
mod kinds;
mod label_sets;
mod layouts;
mod made;
mod options;
mod parquet;
mod real;
mod reported;
mod settings;
mod speed;
mod values;
mod volumes;
mod whitening;
