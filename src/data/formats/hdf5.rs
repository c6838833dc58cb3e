//! Arrays in HDF5 files: what each is, and its elements row by row, so that no file is ever read whole.
//!
//! Lists arrays of numbers and texts in groups of any depth; what else there is gets its reason. Fails on what is no
//! HDF5 file, on files of weights, and on data that are damaged or stored in a way that is not read; for these there
//! are lines of Python that store them otherwise.

mod bounded;
mod refused;

use super::array::Element;
use super::bytes::{DOWNLOAD_AGAIN, LESS_MEMORY};
use super::matlab::Matrix;
use crate::error::DataError;
use crate::source::OpenRequest;
use bounded::{Bounded, Budget};
use hdf5_pure::{
    ChunkCacheConfig, ChunkIndex, Dataset, DatasetAccessProperties, Datatype, DatatypeByteOrder,
    File, Group, Layout, VlenStringReadOptions,
};
use refused::refused;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use strata_core::{format, system_memory};

/// Arrays and groups looked at in one file.
const MOST_OBJECTS: usize = 1000;
const DEEPEST_GROUP: usize = 8;
/// Bytes read between two looks at whether the reading is still wanted.
const SLICE: u64 = 8 << 20;
/// The most that one chunk, which is unpacked at once, may hold.
const MOST_CHUNK_BYTES: u64 = 1 << 30;
/// Unpacked chunks kept of an array whose rows are read in any order.
const CHUNK_CACHE: usize = 64 << 20;
const CHUNK_SLOTS: usize = 4096;
/// Bytes of all texts of an array.
const MOST_TEXT_BYTES: u64 = 64 << 20;
const LONGEST_TEXT: usize = 1024;
/// No compression that is read shrinks anything further than this.
const MOST_SHRINKS: u64 = 1032;
/// Bytes of lists and headers that may be read to see what is in a file.
const LISTING: u64 = 128 << 20;
/// Bytes of an array's index that may be read besides those of the file.
const INDEX: u64 = 64 << 20;

/// An array of a file.
pub(crate) struct Array {
    pub file: PathBuf,
    /// With the groups that hold it, `train/data`.
    pub name: String,
    pub shape: Vec<usize>,
    pub element: Element,
    /// Where the elements lie in the file, if they lie there one after another.
    pub address: Option<u64>,
    /// Texts of any length, which lie elsewhere in the file.
    has_free_texts: bool,
    rows_in_chunk: u64,
    /// Bytes of the file.
    file_length: u64,
    /// Bytes that the file can hold once unpacked.
    most_bytes: u64,
    /// Set once its chunks are known to lie within the file.
    checked: OnceLock<()>,
    /// What may still be read of lists and indexes.
    budget: Budget,
    dataset: Dataset,
}

impl std::fmt::Debug for Array {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.name, self.shape)
    }
}

/// What is in a file.
pub(crate) struct Contents {
    pub arrays: Vec<Array>,
    /// Names of what is not read, with the reason.
    pub others: Vec<(String, String)>,
    /// Why the first of the arrays that cannot be read is not.
    pub unread: Option<DataError>,
}

/// Whether a file is HDF5, by its first bytes or those after a header of its own.
pub(crate) fn is_one(file: &Path) -> bool {
    strata_core::files::open_regular(file).is_ok() && hdf5_pure::is_hdf5(file).unwrap_or(false)
}

/// Lists the arrays of a file.
pub(crate) fn open(path: &Path) -> Result<Contents, DataError> {
    let budget = Budget::default();
    budget.renew(LISTING);
    let source = Bounded::open(path, &budget);
    let source = source.map_err(|cause| DataError::unreadable(path, cause))?;
    let file = File::from_source(source).map_err(|error| refused(path, "the file", &error))?;
    let root = file.root();
    let mut list = List {
        path,
        budget,
        length: file.file_size(),
        seen: 0,
        is_keras: is_keras(&root),
        arrays: Vec::new(),
        others: Vec::new(),
        unread: None,
    };
    list.group(&root, "", 0)?;
    if list.is_keras {
        return Err(DataError::malformed(
            path,
            "this file holds the weights of a Keras model, and no images",
            "point path at the data that the model was trained with",
        ));
    }
    Ok(Contents {
        arrays: list.arrays,
        others: list.others,
        unread: list.unread,
    })
}

/// Models that Keras saved have attributes that say so.
fn is_keras(root: &Group) -> bool {
    const MARKS: [&str; 5] = [
        "keras_version",
        "layer_names",
        "model_config",
        "training_config",
        "backend",
    ];
    let attributes = root.attrs().unwrap_or_default();
    MARKS.iter().any(|mark| attributes.contains_key(*mark))
}

struct List<'a> {
    path: &'a Path,
    budget: Budget,
    /// Bytes of the file.
    length: u64,
    seen: usize,
    is_keras: bool,
    arrays: Vec<Array>,
    others: Vec<(String, String)>,
    unread: Option<DataError>,
}

impl List<'_> {
    fn group(&mut self, group: &Group, above: &str, depth: usize) -> Result<(), DataError> {
        let fail = |error| refused(self.path, "the list of its arrays", &error);
        let names = group.datasets().map_err(fail)?;
        for name in names {
            self.count()?;
            let path = format!("{above}{name}");
            // Since version 3 Keras calls them `layers/dense/vars/0`.
            self.is_keras |= path.contains("/vars/") || path.starts_with("model_weights/");
            match self.array(group, &name, &path) {
                Ok(Ok(array)) => self.arrays.push(array),
                Ok(Err(reason)) => self.others.push((path, reason)),
                Err(error) => {
                    self.others
                        .push((path.clone(), format!("it cannot be read ({error})")));
                    let refused = refused(self.path, &path, &error);
                    self.unread.get_or_insert(refused);
                }
            }
        }
        if depth == DEEPEST_GROUP {
            return Ok(());
        }
        for name in group.groups().map_err(fail)? {
            self.count()?;
            // MATLAB keeps the cells of its arrays there.
            if name.starts_with('#') {
                continue;
            }
            if let Ok(inner) = group.group(&name) {
                self.group(&inner, &format!("{above}{name}/"), depth + 1)?;
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), DataError> {
        self.seen += 1;
        if self.seen <= MOST_OBJECTS {
            return Ok(());
        }
        let problem = format!("it holds more than {MOST_OBJECTS} arrays and groups");
        Err(DataError::malformed(
            self.path,
            problem,
            "store all images of a split in one array",
        ))
    }

    /// An array, or the reason why its elements cannot be used.
    fn array(
        &self,
        group: &Group,
        name: &str,
        path: &str,
    ) -> Result<Result<Array, String>, hdf5_pure::Error> {
        let cache = ChunkCacheConfig::from_h5p_cache(CHUNK_SLOTS, CHUNK_CACHE);
        let access = DatasetAccessProperties::new().with_chunk_cache(cache);
        let dataset = group.dataset_with_options(name, access)?;
        let datatype = dataset.datatype()?;
        let (element, has_free_texts) = match element(&datatype) {
            Ok(element) => element,
            Err(reason) => return Ok(Err(reason)),
        };
        let axes = dataset.shape()?.into_iter().map(usize::try_from);
        let Ok(shape) = axes.collect::<Result<Vec<usize>, _>>() else {
            return Ok(Err("it is too large".to_owned()));
        };
        let (address, chunk) = match dataset.layout()? {
            Layout::Contiguous { address, size } => (address.filter(|_| size > 0), Vec::new()),
            Layout::Chunked { chunk_shape, .. } => (None, chunk_shape),
            Layout::Virtual => return Ok(Err("it only points at other files".to_owned())),
            _ => (None, Vec::new()),
        };
        let product = |product: u64, &axis: &u64| product.checked_mul(axis);
        let bytes = chunk.iter().try_fold(element.size() as u64, product);
        let most_bytes = self.length.saturating_mul(MOST_SHRINKS);
        let most_chunk = MOST_CHUNK_BYTES.min(most_bytes);
        if bytes.is_none_or(|bytes| bytes == 0 || bytes > most_chunk) {
            let reason = format!("its chunks of {chunk:?} cannot be unpacked");
            return Ok(Err(reason));
        }
        Ok(Ok(Array {
            file: self.path.to_path_buf(),
            name: path.to_owned(),
            shape,
            element,
            address,
            has_free_texts,
            rows_in_chunk: chunk.first().copied().unwrap_or(1).max(1),
            file_length: self.length,
            most_bytes,
            checked: OnceLock::new(),
            budget: self.budget.clone(),
            dataset,
        }))
    }
}

/// NumPy's element for that of HDF5, and whether texts lie elsewhere; or why there is none.
fn element(datatype: &Datatype) -> Result<(Element, bool), String> {
    let order = |order: &DatatypeByteOrder| match order {
        DatatypeByteOrder::LittleEndian => Ok('<'),
        DatatypeByteOrder::BigEndian => Ok('>'),
        DatatypeByteOrder::Vax => Err("its numbers are those of a VAX".to_owned()),
    };
    let name = match datatype {
        Datatype::FixedPoint {
            size,
            byte_order,
            layout,
        } if layout.bit_offset == 0 && u64::from(layout.bit_precision) == 8 * u64::from(*size) => {
            let kind = if layout.signed { 'i' } else { 'u' };
            format!("{}{kind}{size}", order(byte_order)?)
        }
        Datatype::FloatingPoint {
            size,
            byte_order,
            layout,
        } if matches!(
            (size, layout.exponent_size, layout.mantissa_size),
            (2, 5, 10) | (4, 8, 23) | (8, 11, 52)
        ) =>
        {
            format!("{}f{size}", order(byte_order)?)
        }
        Datatype::String { size, .. } => format!("S{size}"),
        Datatype::Enumeration { base_type, .. } => return element(base_type),
        Datatype::VariableLength {
            is_string: true, ..
        } => return Ok((Element::parse("S1")?, true)),
        Datatype::Compound { .. } => {
            return Err("its elements are records of several values".to_owned());
        }
        Datatype::VariableLength { .. } => {
            return Err("its elements are lists of any length".to_owned());
        }
        Datatype::Reference { .. } => {
            return Err("its elements point at other arrays".to_owned());
        }
        _ => return Err("its elements are not plain numbers or texts".to_owned()),
    };
    Ok((Element::parse(&name)?, false))
}

impl Array {
    /// Bytes of the elements of one place of the first axis; none where that is beyond counting.
    fn row_bytes(&self) -> Option<u64> {
        let mut axes = self.shape.iter().skip(1);
        let size = self.element.size() as u64;
        axes.try_fold(size, |product, &axis| product.checked_mul(axis as u64))
    }

    /// Bytes of all elements; none where that is beyond counting.
    pub fn bytes(&self) -> Option<u64> {
        let rows = self.shape.first().copied().unwrap_or(1) as u64;
        self.row_bytes()?.checked_mul(rows)
    }

    /// Whether the file has the bytes for all elements: others were never written.
    pub fn is_written(&self) -> bool {
        self.bytes().is_some_and(|bytes| bytes <= self.most_bytes)
    }

    /// The bytes of so many rows. `length` is what they must come to.
    pub fn rows(&self, start: u64, rows: u64, length: u64) -> Result<Vec<u8>, DataError> {
        if length > self.most_bytes {
            return Err(self.lies());
        }
        self.check_chunks()?;
        self.renew_budget();
        let bytes = self.dataset.read_raw_rows(start, rows);
        let bytes = bytes.map_err(|error| refused(&self.file, &self.name, &error))?;
        if bytes.len() as u64 == length {
            return Ok(bytes);
        }
        let problem = format!(
            "{}: {} bytes follow instead of {}",
            self.name,
            format::count(bytes.len() as u64),
            format::count(length)
        );
        Err(DataError::malformed(&self.file, problem, DOWNLOAD_AGAIN))
    }

    /// The row that begins at a byte of the unpacked array.
    pub fn row_at(&self, start: u64, length: usize) -> Result<Vec<u8>, DataError> {
        let row = start / self.row_bytes().unwrap_or(1).max(1);
        self.rows(row, 1, length as u64)
    }

    /// All elements, read slice by slice: their type (texts then have the length of the longest) and their bytes. At
    /// most `most` bytes are read, and no more than there is memory for.
    pub fn read(&self, ask: &mut OpenRequest, most: u64) -> Result<(Element, Vec<u8>), DataError> {
        let too_large = || {
            let problem = format!("{}: {:?} is too large to be read", self.name, self.shape);
            DataError::malformed(&self.file, problem, LESS_MEMORY)
        };
        let all = self.bytes().filter(|&all| all <= most);
        let all = all.ok_or_else(too_large)?;
        // A text of any length is pointed at from 16 bytes.
        let stored = if self.has_free_texts { 16 * all } else { all };
        if !self.is_written() || stored > self.most_bytes {
            return Err(self.lies());
        }
        if all == 0 {
            return Ok((self.element, Vec::new()));
        }
        system_memory::check_large(all)
            .map_err(|problem| DataError::malformed(&self.file, problem, LESS_MEMORY))?;
        if self.has_free_texts {
            return self.free_texts();
        }
        let rows = self.shape.first().copied().unwrap_or(1) as u64;
        let row = self.row_bytes().unwrap_or(1).max(1);
        let step = (SLICE / row).max(1);
        let step = step
            .checked_next_multiple_of(self.rows_in_chunk)
            .unwrap_or(rows);
        let mut bytes = Vec::new();
        let reserved = bytes.try_reserve_exact(usize::try_from(all).unwrap_or(usize::MAX));
        reserved.map_err(|_| too_large())?;
        for start in (0..rows).step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
            ask.still()?;
            let count = step.min(rows - start);
            bytes.extend(self.rows(start, count, count * row)?);
        }
        Ok((self.element, bytes))
    }

    /// Refuses chunks that together are longer than the file or reach beyond its end: the library takes memory for
    /// them before it looks. Lists the chunks the first time only.
    fn check_chunks(&self) -> Result<(), DataError> {
        if self.checked.get().is_some() {
            return Ok(());
        }
        self.renew_budget();
        let is_short = || self.bytes().is_none_or(|bytes| bytes > self.file_length);
        let chunks = match self.dataset.chunk_index() {
            // The shape alone says how many there are.
            Ok(Some(ChunkIndex::Implicit)) if is_short() => return Err(self.lies()),
            Ok(Some(_)) => self.dataset.chunks(),
            Ok(None) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let chunks = chunks.map_err(|error| refused(&self.file, &self.name, &error))?;
        let mut left = self.file_length;
        for chunk in &chunks {
            let end = chunk.address.checked_add(chunk.storage_size);
            let is_inside = end.is_some_and(|end| end <= self.file_length);
            let rest = left.checked_sub(chunk.storage_size);
            left = rest.filter(|_| is_inside).ok_or_else(|| {
                let problem = format!(
                    "{}: its chunks do not fit into the file of {} bytes",
                    self.name,
                    format::count(self.file_length)
                );
                DataError::malformed(&self.file, problem, DOWNLOAD_AGAIN)
            })?;
        }
        self.checked.get_or_init(|| ());
        Ok(())
    }

    fn renew_budget(&self) {
        self.budget.renew(self.file_length.saturating_add(INDEX));
    }

    fn lies(&self) -> DataError {
        let problem = format!(
            "{}: {:?} is more than the file can hold",
            self.name, self.shape
        );
        DataError::malformed(&self.file, problem, DOWNLOAD_AGAIN)
    }

    fn free_texts(&self) -> Result<(Element, Vec<u8>), DataError> {
        let fail = |error| refused(&self.file, &self.name, &error);
        let too_long = || {
            let problem = format!("{}: its texts are too long for labels", self.name);
            DataError::malformed(&self.file, problem, "store numbers from 0 on as labels")
        };
        self.check_chunks()?;
        self.renew_budget();
        let size = self.dataset.vlen_string_payload_size().map_err(fail)?;
        if size > MOST_TEXT_BYTES {
            return Err(too_long());
        }
        let texts = self
            .dataset
            .read_vlen_strings(VlenStringReadOptions::default());
        let texts = texts.map_err(fail)?;
        let longest = texts.iter().map(String::len).max().unwrap_or(0).max(1);
        let all = longest.saturating_mul(texts.len()) as u64;
        if longest > LONGEST_TEXT || all > MOST_TEXT_BYTES {
            return Err(too_long());
        }
        let mut bytes = Vec::with_capacity(all as usize);
        for text in &texts {
            bytes.extend(text.bytes().chain(std::iter::repeat(0)).take(longest));
        }
        let element = Element::parse(&format!("S{longest}")).map_err(|_| too_long())?;
        Ok((element, bytes))
    }
}

/// The arrays of numbers of a MATLAB file of version 7.3, with MATLAB's axes: the first runs fastest, as HDF5 has the
/// last.
pub(crate) fn matrices(
    ask: &mut OpenRequest,
    path: &Path,
    most: u64,
) -> Result<Vec<Matrix>, DataError> {
    let mut left = most;
    let mut matrices = Vec::new();
    let contents = open(path)?;
    if let (Some(error), true) = (contents.unread, contents.arrays.is_empty()) {
        return Err(error);
    }
    for array in contents.arrays {
        array.renew_budget();
        let attributes = array.dataset.attrs().unwrap_or_default();
        let is_char = attributes
            .get("MATLAB_class")
            .is_some_and(|class| format!("{class:?}").contains("char"));
        if is_char || array.element.is_text() || attributes.contains_key("MATLAB_empty") {
            continue;
        }
        let (element, bytes) = array.read(ask, left)?;
        left -= bytes.len() as u64;
        let mut shape = array.shape;
        shape.reverse();
        matrices.push(Matrix {
            name: array.name,
            shape,
            element,
            bytes,
        });
    }
    Ok(matrices)
}
