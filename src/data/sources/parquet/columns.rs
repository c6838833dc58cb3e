//! Which column holds the images and which their labels: by what the data set's own notes say, else by names and
//! kinds. Fails where no column holds images, and on a column of labels that is not there.

use crate::formats::parquet::{Column, Kind, Table};
use crate::source::Told;
use std::collections::BTreeMap;

const IMAGES: [&str; 8] = [
    "image",
    "img",
    "images",
    "picture",
    "photo",
    "pixel_values",
    "jpg",
    "png",
];
/// In the order in which they are preferred.
const LABELS: [&str; 12] = [
    "label",
    "labels",
    "fine_label",
    "class",
    "target",
    "category",
    "y",
    "digit",
    "class_name",
    "label_name",
    "classes",
    "species",
];

/// What Hugging Face's library writes of a column.
#[derive(Debug, Default)]
pub(super) struct Feature {
    is_image: bool,
    /// The names of the classes, if it holds classes.
    classes: Option<Vec<String>>,
}

/// The columns that a file's notes describe.
pub(super) struct Features(BTreeMap<String, Feature>);

impl Features {
    /// None where a file has no notes, or others.
    pub fn of(table: &Table) -> Features {
        let features = table.note("huggingface").and_then(parse);
        Features(features.unwrap_or_default())
    }
}

fn parse(note: &str) -> Option<BTreeMap<String, Feature>> {
    let note: serde_json::Value = serde_json::from_str(note).ok()?;
    let features = note.get("info")?.get("features")?.as_object()?;
    let feature = |(name, value): (&String, &serde_json::Value)| {
        let kind = value.get("_type").and_then(|kind| kind.as_str());
        // Of lists of classes the names are those of the elements.
        let inner = value.get("feature").filter(|inner| inner.is_object());
        let of_element = inner.unwrap_or(value);
        let kind = match inner {
            Some(inner) => inner.get("_type").and_then(|kind| kind.as_str()),
            None => kind,
        };
        let names = of_element.get("names").and_then(|names| names.as_array());
        let names = names.map(|names| {
            let names = names.iter().filter_map(|name| name.as_str());
            names.map(str::to_owned).collect()
        });
        let feature = Feature {
            is_image: kind == Some("Image"),
            classes: names.filter(|_| kind == Some("ClassLabel")),
        };
        (name.clone(), feature)
    };
    Some(features.iter().map(feature).collect())
}

/// The columns that are read.
pub(super) struct Columns {
    pub image: Column,
    pub label: Option<Column>,
    /// The names of the classes, where labels are their numbers.
    pub classes: Vec<String>,
    /// Columns that could hold labels as well.
    pub others: Vec<String>,
    /// Where there are none, the first column that could hold some.
    likely: Option<String>,
    /// Further columns of images.
    unread: Vec<String>,
}

impl Columns {
    /// Whether another file has the same columns and classes.
    pub fn is_like(&self, other: &Columns) -> bool {
        let label = |columns: &Columns| columns.label.as_ref().map(|column| column.name.clone());
        self.image.name == other.image.name
            && label(self) == label(other)
            && self.classes == other.classes
    }

    /// Says which columns could be read instead.
    pub fn tell(&self, told: &mut Told, is_chosen: bool) {
        if !self.unread.is_empty() {
            told.note(format!(
                "images are those of column {}; {} not read",
                self.image.name,
                match &self.unread[..] {
                    [one] => format!("column {one} is"),
                    several => format!("columns {} are", several.join(", ")),
                }
            ));
        }
        if let Some(likely) = &self.likely {
            told.propose(
                format!("no column is known as that of the labels; {likely} could be"),
                format!("label = \"column: {likely}\""),
            );
        }
        if let (Some(label), Some(other), false) = (&self.label, self.others.first(), is_chosen) {
            told.propose(
                format!(
                    "labels are those of column {}, and {other} could be read instead",
                    label.name
                ),
                format!("label = \"column: {other}\""),
            );
        }
    }
}

/// The names of all columns.
pub(super) fn names(table: &Table) -> Vec<String> {
    let mut names: Vec<String> = table
        .columns
        .iter()
        .map(|column| column.name.clone())
        .collect();
    names.dedup();
    names
}

/// Chooses the columns of a file; `wanted` is the one that the project wants as labels.
pub(super) fn choose(
    table: &Table,
    features: &Features,
    wanted: Option<&str>,
) -> Result<Columns, String> {
    let mut images: Vec<&Column> = table
        .columns
        .iter()
        .filter(|column| may_be_image(column))
        .collect();
    let rank = |column: &&Column| {
        let is_image = features
            .0
            .get(&column.name)
            .is_some_and(|feature| feature.is_image);
        let place = IMAGES
            .iter()
            .position(|name| column.name.eq_ignore_ascii_case(name));
        (!is_image, place.unwrap_or(IMAGES.len()))
    };
    images.sort_by_key(rank);
    let Some((image, unread)) = images.split_first() else {
        return Err("no column holds images".to_owned());
    };
    let (label, others) = match wanted {
        Some(name) => {
            let column = table
                .columns
                .iter()
                .find(|column| column.name == name && (is_list(column) || has_lists(column)));
            let column = column.ok_or_else(|| format!("there is no column {name} of labels"))?;
            (Some(column), Vec::new())
        }
        None => labels(table, features),
    };
    let classes = label
        .and_then(|column| features.0.get(&column.name)?.classes.clone())
        .filter(|_| {
            let kind = label.map(|column| column.list_of.unwrap_or(column.kind));
            kind == Some(Kind::Whole)
        });
    Ok(Columns {
        image: (*image).clone(),
        label: label.cloned(),
        classes: classes.unwrap_or_default(),
        others,
        likely: match label {
            Some(_) => None,
            None => likely(table),
        },
        unread: unread.iter().map(|column| column.name.clone()).collect(),
    })
}

/// A column of bytes, or the field `bytes` of one.
fn may_be_image(column: &Column) -> bool {
    let is_bytes = column.kind == Kind::Bytes;
    match column.field.as_deref() {
        Some(field) => is_bytes && field == "bytes",
        None => is_bytes,
    }
}

/// Whether a column has one number or text for each row.
fn is_list(column: &Column) -> bool {
    column.field.is_none()
        && matches!(
            column.kind,
            Kind::Whole | Kind::Bool | Kind::Text | Kind::Float
        )
}

/// Whether a column has a list of numbers or texts for each row.
fn has_lists(column: &Column) -> bool {
    matches!(column.list_of, Some(Kind::Whole | Kind::Text))
}

/// The column of labels, and others that could be.
fn labels<'a>(table: &'a Table, features: &Features) -> (Option<&'a Column>, Vec<String>) {
    let rank = |column: &&Column| {
        let place = LABELS
            .iter()
            .position(|name| column.name.eq_ignore_ascii_case(name));
        place.unwrap_or(LABELS.len())
    };
    let has_classes = |column: &Column| {
        features
            .0
            .get(&column.name)
            .is_some_and(|feature| feature.classes.is_some())
    };
    let may_be = |column: &&Column| {
        let may_hold = is_list(column) || has_lists(column);
        may_hold && (has_classes(column) || rank(column) < LABELS.len())
    };
    let mut labels: Vec<&Column> = table.columns.iter().filter(may_be).collect();
    labels.sort_by_key(|column| (!has_classes(column), rank(column)));
    let others = labels.iter().skip(1).map(|column| column.name.clone());
    (labels.first().copied(), others.collect())
}

/// The first column of texts or whole numbers that could be labels, whatever its name.
fn likely(table: &Table) -> Option<String> {
    let may_be = |column: &&Column| {
        let is_word = matches!(column.kind, Kind::Text | Kind::Whole | Kind::Bool);
        let name = column.name.to_lowercase();
        let is_other = ["id", "path", "file", "name", "width", "height", "index"];
        is_list(column) && is_word && !is_other.iter().any(|word| name.contains(word))
    };
    let found = table.columns.iter().find(may_be);
    found.map(|column| column.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_hugging_face_name_the_classes() {
        let note = r#"{"info": {"features": {"img": {"_type": "Image"},
            "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "id": {"dtype": "int64", "_type": "Value"}}}}"#;
        let features = parse(note).unwrap();
        assert!(features["img"].is_image);
        assert_eq!(
            features["label"].classes.as_deref().unwrap(),
            ["cat", "dog"]
        );
        assert!(features["id"].classes.is_none());
        for wrong in ["", "[]", "{\"info\": 3}", "{\"info\": {\"features\": []}}"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
