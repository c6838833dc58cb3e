//! Which arrays are there, and what each is for, by name. Fails when there is none, and on two
//! arrays for one purpose.

use super::header::Header;
use crate::Skipped;
use crate::error::DataError;
use crate::formats::hdf5;
use crate::sources::folder::names;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata_core::files::open_regular;
use strata_core::logging::panic::caught;
use strata_core::project::data::Split;

/// A file has no more arrays than this.
const MOST_MEMBERS: usize = 1000;
const HELP: &str = "name the arrays x_train, y_train, x_test, y_test (or x, y; unlabeled), \
                    in one .npz file or as .npy files in one folder";

/// What an array is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Images,
    Labels,
}

/// Where in a file an array lies.
#[derive(Clone, Debug)]
pub(crate) enum Member {
    /// It is the whole file.
    Whole,
    /// The member of this number, in an `.npz` file.
    Zip(usize),
    /// One of several, in an HDF5 file.
    Hdf5(Arc<hdf5::Array>),
}

/// Where an array lies.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub file: PathBuf,
    pub member: Member,
    /// The array's name, for messages.
    pub name: String,
}

#[derive(Debug)]
pub(crate) struct Found {
    pub place: Place,
    pub split: Split,
    pub role: Role,
    /// The class of all its images, where each file is one (Quick, Draw!).
    pub class: Option<String>,
}

/// The arrays that can be used, and those whose names say nothing.
pub(crate) fn find(path: &Path) -> Result<(Vec<Found>, Vec<Skipped>), DataError> {
    let places = places(path)?;
    if let Some(found) = one_a_class(path, &places) {
        return Ok((found, Vec::new()));
    }
    let alone = places.len() == 1;
    let (mut found, mut skipped): (Vec<Found>, Vec<Skipped>) = Default::default();
    let mut names_nothing = Vec::new();
    for place in places {
        match purpose(&place.name).or(alone.then_some((Split::Train, Role::Images))) {
            Some((split, role)) => found.push(Found {
                place,
                split,
                role,
                class: None,
            }),
            None => {
                skipped.push(Skipped {
                    file: place.file.join(&place.name),
                    reason: "its name does not say what the array is for".to_string(),
                });
                names_nothing.push(place);
            }
        }
    }
    if !found.iter().any(|found| found.role == Role::Images) {
        by_shape(&mut found, &mut skipped, names_nothing);
    }
    check(path, &found)?;
    Ok((found, skipped))
}

/// Where no name in an archive says that an array holds images, the largest does; the only list as long as it holds the
/// labels, where none are known.
fn by_shape(found: &mut Vec<Found>, skipped: &mut Vec<Skipped>, places: Vec<Place>) {
    let about = |place: Place| {
        let header = header_of(&place)?;
        Some((place, header))
    };
    let mut arrays: Vec<(Place, Header)> = places.into_iter().filter_map(about).collect();
    let size = |(_, (_, header)): &(usize, &(Place, Header))| header.body();
    let largest = arrays.iter().enumerate();
    let largest = largest
        .filter(|(_, (_, header))| header.shape.len() > 1 && !header.element.is_text())
        .max_by_key(size);
    let Some((at, _)) = largest else { return };
    let (images, header) = arrays.swap_remove(at);
    let count = header.shape.first().copied();
    arrays.retain(|(_, header)| {
        let is_list = header.shape.iter().skip(1).all(|&axis| axis == 1);
        let is_label = header.element.is_whole() || header.element.is_text();
        header.shape.first().copied() == count && is_list && is_label
    });
    let mut chosen = vec![(images, Role::Images)];
    if let (false, true) = (
        found.iter().any(|found| found.role == Role::Labels),
        arrays.len() == 1,
    ) {
        chosen.extend(arrays.pop().map(|(labels, _)| (labels, Role::Labels)));
    }
    for (place, role) in chosen {
        skipped.retain(|skipped| skipped.file != place.file.join(&place.name));
        found.push(Found {
            place,
            split: Split::Train,
            role,
            class: None,
        });
    }
}

/// What an array in an archive says of itself; none where it cannot be read.
fn header_of(place: &Place) -> Option<Header> {
    let Member::Zip(member) = place.member else {
        return None;
    };
    let mut archive = archive(&place.file).ok()?;
    let read = caught(|| {
        let mut file = archive.by_index(member).ok()?;
        Header::read(&mut file).ok()
    });
    read.ok().flatten()
}

/// Several files in a folder whose names say nothing of a purpose, beside none that says so: each is a class, called as
/// what sets its name apart from the others.
fn one_a_class(path: &Path, places: &[Place]) -> Option<Vec<Found>> {
    let is_plain =
        |place: &Place| matches!(place.member, Member::Whole) && purpose(&place.name).is_none();
    if !path.is_dir() || places.len() < 2 || !places.iter().all(is_plain) {
        return None;
    }
    let stem = |place: &Place| {
        let name = place.name.trim_end_matches(".gz");
        name.strip_suffix(".npy").unwrap_or(name).to_owned()
    };
    let stems: Vec<String> = places.iter().map(stem).collect();
    let first = stems.first()?;
    let ends = first
        .char_indices()
        .filter(|(_, letter)| !letter.is_alphanumeric());
    let shared = ends
        .map(|(at, letter)| at + letter.len_utf8())
        .filter(|&end| stems.iter().all(|stem| stem.get(..end) == first.get(..end)))
        .max()
        .unwrap_or(0);
    let found = places.iter().zip(&stems).map(|(place, stem)| Found {
        place: place.clone(),
        split: Split::Train,
        role: Role::Images,
        class: Some(stem.get(shared..).unwrap_or(stem).to_owned()),
    });
    Some(found.collect())
}

fn check(path: &Path, found: &[Found]) -> Result<(), DataError> {
    for (at, one) in found.iter().enumerate() {
        let rest = found.iter().skip(at + 1);
        if let Some(other) = rest
            .clone()
            .find(|other| other.split == one.split && other.role == one.role)
        {
            let problem = format!(
                "{} and {} are for the same purpose",
                one.place.name, other.place.name
            );
            return Err(DataError::malformed(path, problem, "keep one of them"));
        }
    }
    if found.iter().any(|found| found.role == Role::Images) {
        return Ok(());
    }
    Err(DataError::malformed(
        path,
        "there is no array of images or signals",
        HELP,
    ))
}

fn places(path: &Path) -> Result<Vec<Place>, DataError> {
    if !path.is_dir() {
        return if is_named(path, "npz") {
            members(path)
        } else {
            Ok(vec![plain(path)])
        };
    }
    let entries = std::fs::read_dir(path).map_err(|cause| DataError::unreadable(path, cause))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let arrays: Vec<Place> = files
        .iter()
        .filter(|file| is_named(file, "npy"))
        .map(|file| plain(file))
        .collect();
    if !arrays.is_empty() {
        return Ok(arrays);
    }
    match files
        .iter()
        .filter(|file| is_named(file, "npz"))
        .collect::<Vec<_>>()[..]
    {
        [one] => members(one),
        [] => Err(DataError::malformed(
            path,
            "there is no .npy or .npz file in this folder",
            HELP,
        )),
        _ => Err(DataError::malformed(
            path,
            "there is more than one .npz file",
            "point path at one of them",
        )),
    }
}

fn is_named(path: &Path, extension: &str) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.rsplit_once('.')
        .is_some_and(|(stem, found)| found == extension && !stem.starts_with('.'))
}

fn plain(file: &Path) -> Place {
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Place {
        file: file.to_path_buf(),
        member: Member::Whole,
        name,
    }
}

fn members(file: &Path) -> Result<Vec<Place>, DataError> {
    let archive = archive(file)?;
    if archive.len() > MOST_MEMBERS {
        return Err(DataError::malformed(
            file,
            format!("it claims {} arrays", archive.len()),
            HELP,
        ));
    }
    let names = (0..archive.len())
        .filter_map(|at| Some((at, archive.name_for_index(at)?.ok()?.into_owned())));
    let arrays = names.filter(|(_, name)| is_named(Path::new(name), "npy"));
    Ok(arrays
        .map(|(at, name)| Place {
            file: file.to_path_buf(),
            member: Member::Zip(at),
            name,
        })
        .collect())
}

pub(crate) fn archive(file: &Path) -> Result<zip::ZipArchive<std::io::BufReader<File>>, DataError> {
    let opened = open_regular(file).map_err(|cause| DataError::unreadable(file, cause))?;
    let archive = caught(|| zip::ZipArchive::new(std::io::BufReader::new(opened)));
    let archive = archive.and_then(|archive| archive.map_err(|error| error.to_string()));
    archive.map_err(|error| {
        let problem = format!("this is no .npz file that can be read ({error})");
        DataError::malformed(file, problem, "save it again with numpy.savez")
    })
}

/// The split that a word of an array's name says.
pub(crate) fn split_of(word: &str) -> Option<Split> {
    match word {
        "tr" => Some(Split::Train),
        "te" => Some(Split::Test),
        word => names::split_of(word),
    }
}

/// What a word of an array's name says that it is for.
pub(crate) fn role_of(word: &str) -> Option<Role> {
    match word {
        "x" | "image" | "images" | "img" | "imgs" | "data" | "input" | "inputs" | "signals"
        | "signal" | "features" | "pixels" | "pictures" | "samples" | "arr0" => Some(Role::Images),
        "y" | "label" | "labels" | "target" | "targets" | "class" | "classes" | "lbl" | "lab"
        | "ans" | "category" | "output" | "outputs" | "arr1" => Some(Role::Labels),
        _ => None,
    }
}

/// Split and role from the words of a name such as `x_train.npy`.
fn purpose(name: &str) -> Option<(Split, Role)> {
    let name = name.to_lowercase();
    let stem = name
        .trim_end_matches(".gz")
        .trim_end_matches(".npy")
        .replace("arr_", "arr");
    let (mut split, mut role) = (None, None);
    for word in stem
        .split(['_', '-', '.', ' '])
        .filter(|word| !word.is_empty())
    {
        if matches!(word, "set" | "np" | "array" | "orig") {
            continue;
        }
        match (split_of(word), role_of(word)) {
            (Some(found), _) if split.is_none() => split = Some(found),
            (_, Some(found)) if role.is_none() => role = Some(found),
            _ => return None,
        }
    }
    (split.is_some() || role.is_some())
        .then(|| (split.unwrap_or(Split::Train), role.unwrap_or(Role::Images)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_arrays_are_for() {
        for (name, split, role) in [
            ("x_train.npy", Split::Train, Role::Images),
            ("Train_Y", Split::Train, Role::Labels),
            ("train-images.npy", Split::Train, Role::Images),
            ("test.npy", Split::Test, Role::Images),
            ("val_labels", Split::Valid, Role::Labels),
            ("y", Split::Train, Role::Labels),
            ("unlabeled.npy", Split::Unlabeled, Role::Images),
            ("arr_0.npy", Split::Train, Role::Images),
            ("arr_1.npy", Split::Train, Role::Labels),
        ] {
            assert_eq!(purpose(name), Some((split, role)), "{name}");
        }
        for name in ["mean.npy", "x_y.npy", "train_test.npy", "", "weights_train"] {
            assert_eq!(purpose(name), None, "{name}");
        }
    }
}
