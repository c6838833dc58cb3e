//! Downloading the well-known datasets: official addresses, resume after a break, checksum before use.
//!
//! [`entry`] knows a source's files; [`fetch`] brings those that are missing into a folder, and
//! [`survey`] says what is there. A file grows as `NAME.part` and gets its name only when its checksum is
//! right; an archive is unpacked beside its place and moved there whole. What fails is a
//! [`DownloadError`]; where the network says no it holds the steps by hand. An [`Entry`] is a value,
//! so any other address (a mirror in a school's network, a test's own server) can stand in it.
//!
//! | file | what it does |
//! |---|---|
//! | `published` | which files make a dataset, where they are, their checksums |
//! | `catalogue` | the entry of a source, which its own file in [`crate::sources`] writes down |
//! | `fetch` | all files of an entry: addresses in turn, retries, checksum |
//! | `transfer` | one try at one address, from where the part ends |
//! | `unpack` | tar.gz and zip without trusting them |
//! | `survey` | what of an entry is in a folder |
//! | `sum` | checksums |

mod catalogue;
mod error;
mod fetch;
pub(crate) mod published;
mod sum;
mod survey;
mod transfer;
mod unpack;

pub use catalogue::{default_folder, entry};
pub use error::DownloadError;
pub use fetch::{Fetched, Options, Step, Told, fetch};
pub use published::{Archive, Entry, Held, Holds, RemoteFile, Then};
pub use sum::Sum;
pub use survey::{FileState, Found, Survey, seems_complete, survey};
