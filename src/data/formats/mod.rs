//! Reading files without trusting them: bounds, records, arrays, pickles.

pub(crate) mod array;
pub(crate) mod bytes;
pub(crate) mod pickle;
pub(crate) mod records;
