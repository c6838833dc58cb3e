//! The images of Parquet files by row: a group of rows is read when the first of its images is wanted. All groups are
//! kept where there is memory for them, else the last ones.

use super::{Column, Table};
use parquet::data_type::ByteArray;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use strata_core::system_memory;

/// Bytes of groups kept where there is no memory for all.
const FEW_BYTES: u64 = 256 << 20;
const MOST_BYTES: u64 = 4 << 30;

/// The images of a group of rows, or what is wrong with it.
type Images = Result<Vec<Option<ByteArray>>, String>;

struct Group {
    table: usize,
    number: usize,
    column: Column,
    bytes: u64,
    images: Mutex<Option<Arc<Images>>>,
}

/// The images of several files.
pub(crate) struct Rows {
    tables: Vec<Table>,
    groups: Vec<Group>,
    /// Groups that are in memory, the oldest first.
    held: Mutex<VecDeque<usize>>,
    most_bytes: u64,
}

impl Rows {
    /// All groups of tables, each with its column of images. Fails where there is no memory for the largest group.
    pub fn new(tables: Vec<(Table, Column)>) -> Result<Rows, String> {
        let (mut groups, mut all) = (Vec::new(), Vec::new());
        for (at, (table, column)) in tables.into_iter().enumerate() {
            groups.extend((0..table.groups()).map(|number| Group {
                table: at,
                number,
                bytes: table.bytes(number, &column),
                column: column.clone(),
                images: Mutex::new(None),
            }));
            all.push(table);
        }
        let total = groups.iter().map(|group| group.bytes).sum::<u64>();
        let largest = groups.iter().map(|group| group.bytes).max().unwrap_or(0);
        // What the images become is held besides.
        let fits = total <= MOST_BYTES && system_memory::check_large(2 * total).is_ok();
        if !fits {
            system_memory::check_large(2 * largest)?;
        }
        Ok(Rows {
            tables: all,
            groups,
            held: Mutex::default(),
            most_bytes: if fits { MOST_BYTES } else { FEW_BYTES },
        })
    }

    /// The number of the group and the file of each, in order.
    pub fn groups(&self) -> impl Iterator<Item = (usize, &Table, usize)> {
        let group =
            |(at, group): (usize, &Group)| Some((at, self.tables.get(group.table)?, group.number));
        self.groups.iter().enumerate().filter_map(group)
    }

    fn images(&self, at: usize) -> Result<Arc<Images>, String> {
        let group = self.groups.get(at).ok_or("the group of rows is missing")?;
        let mut slot = group.images.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(images) = &*slot {
            return Ok(Arc::clone(images));
        }
        let table = self.tables.get(group.table).ok_or("the file is missing")?;
        let images = Arc::new(table.byte_values(group.number, &group.column));
        *slot = Some(Arc::clone(&images));
        drop(slot);
        self.make_room(at);
        Ok(images)
    }

    /// Lets go of the oldest groups.
    fn make_room(&self, newest: usize) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.push_back(newest);
        let size = |at: &usize| self.groups.get(*at).map_or(0, |group| group.bytes);
        let mut bytes: u64 = held.iter().map(size).sum();
        while bytes > self.most_bytes && held.len() > 1 {
            let Some(oldest) = held.pop_front() else {
                return;
            };
            bytes -= size(&oldest);
            if let Some(group) = self.groups.get(oldest) {
                *group.images.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
        }
    }
}

/// An image in a row of a table.
#[derive(Clone)]
pub(crate) struct Row {
    pub rows: Arc<Rows>,
    /// The number of its group among those of all files.
    pub group: u32,
    /// Its place in the group.
    pub place: u32,
}

impl Row {
    /// Does `work` with the bytes of the image file that the row holds.
    pub fn with_bytes<T>(
        &self,
        work: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<T, String> {
        let images = self.rows.images(self.group as usize)?;
        let images = images.as_ref().as_ref().map_err(Clone::clone)?;
        match images.get(self.place as usize) {
            Some(Some(image)) => work(image.data()),
            _ => Err("the row holds no image".to_owned()),
        }
    }
}
