//! Reading files without trusting them: bounds, records, arrays, pickles.

pub(crate) mod array;
pub(crate) mod bytes;
pub(crate) mod disk_file;
pub(crate) mod hdf5;
pub(crate) mod labels;
pub(crate) mod matlab;
pub(crate) mod not_read;
pub(crate) mod parquet;
pub(crate) mod pickle;
pub(crate) mod records;
pub(crate) mod rows;
