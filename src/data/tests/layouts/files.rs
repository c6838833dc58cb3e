//! The files that a layout's texts stand for.

use crate::archive::Archive;
use crate::tests::made::{gzip, write};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use strata_testkit::files::{fixture, idx, npy};

/// A file of what its layout says.
pub fn make(root: &Path, text: &str, number: &mut u8) {
    let (name, content) = text.split_once(" = ").unwrap_or((text, ""));
    if let Some(star) = name.find('*') {
        let count: usize = name[star + 1..].split('.').next().unwrap().parse().unwrap();
        let ending = name.rsplit('.').next().unwrap();
        for at in 0..count {
            image_file(root, &format!("{}{at}.{ending}", &name[..star]), number);
        }
    } else if content.is_empty()
        && [".jpg", ".png", ".JPEG"]
            .iter()
            .any(|end| name.ends_with(end))
    {
        image_file(root, name, number);
    } else if let Some(kind) = Archive::by_name(Path::new(name)) {
        write(root, name, &packed(kind, content, number));
    } else if name.ends_with(".npz") {
        write(root, name, &archive(content));
    } else if let Some(of) = content.strip_prefix("@fixture ") {
        write(root, name, &fixture(of));
    } else if name.ends_with(".h5") {
        write(root, name, &hdf5(content));
    } else {
        write(root, name, &bytes_of(content));
    }
}

/// An archive of the files that the texts between semicolons stand for.
fn packed(kind: Archive, content: &str, number: &mut u8) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    for text in content.split("; ") {
        make(folder.path(), text, number);
    }
    if kind != Archive::Zip {
        let mut out = tar::Builder::new(Vec::new());
        out.append_dir_all(".", folder.path()).unwrap();
        let bytes = out.into_inner().unwrap();
        return match kind {
            Archive::TarGz => gzip(&bytes),
            Archive::Tar | Archive::Zip => bytes,
        };
    }
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut folders = vec![folder.path().to_path_buf()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder.path()).unwrap();
            let name = name.to_str().unwrap().replace('\\', "/");
            out.start_file(name, zip::write::SimpleFileOptions::default())
                .unwrap();
            out.write_all(&std::fs::read(&path).unwrap()).unwrap();
        }
    }
    out.finish().unwrap().into_inner()
}

fn image_file(root: &Path, name: &str, number: &mut u8) {
    *number += 1;
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let shade = *number;
    let picture = image::GrayImage::from_fn(8, 8, |x, y| {
        image::Luma([(shade * 7) ^ (x * 20 + y * 9) as u8])
    });
    picture.save(path).unwrap();
}

fn bytes_of(content: &str) -> Vec<u8> {
    let Some(rest) = content.strip_prefix('@') else {
        return content.as_bytes().to_vec();
    };
    let words: Vec<&str> = rest.split(' ').collect();
    match words[..] {
        ["pixels", "header", label, place, count, rows] => pixels(Some(label), place, count, rows),
        ["pixels", "header", "none", count, rows] => pixels(None, "none", count, rows),
        ["pixels", "bare", place, count, rows] => pixels(Some(""), place, count, rows),
        ["fer"] => fer(),
        [kind @ ("idx" | "idx1" | "idx17"), shape] => {
            let sizes: Vec<u32> = shape.split('x').map(|size| size.parse().unwrap()).collect();
            let first: u8 = kind[3..].parse().unwrap_or(0);
            let count: u32 = sizes.iter().product();
            idx(
                &sizes,
                &(0..count)
                    .map(|at| first + (at % 200) as u8)
                    .collect::<Vec<u8>>(),
            )
        }
        [kind, shape] => array(kind, shape),
        _ => panic!("{content}"),
    }
}

fn array(kind: &str, shape: &str) -> Vec<u8> {
    let mut shape: Vec<usize> = shape.split('x').map(|size| size.parse().unwrap()).collect();
    let count: usize = shape.iter().product();
    let number = |at: usize| match kind {
        "u1" => vec![(at % 251) as u8],
        "u2" => (at as u16).to_le_bytes().to_vec(),
        "i4" => (at as i32).to_le_bytes().to_vec(),
        "i8" => (at as i64).to_le_bytes().to_vec(),
        _ => (at as f64).to_le_bytes().to_vec(),
    };
    match kind {
        "texts" => {
            let bytes: Vec<u8> = (0..count)
                .flat_map(|at| format!("c{at}\0").into_bytes())
                .collect();
            npy("|S3", &shape, &bytes)
        }
        "onehot" => {
            shape.push(count);
            let bytes: Vec<u8> = (0..count * count)
                .map(|at| u8::from(at / count == at % count))
                .collect();
            npy("|u1", &shape, &bytes)
        }
        _ => {
            let kind = if kind == "u1" {
                "|u1".to_owned()
            } else {
                format!("<{kind}")
            };
            npy(
                &kind,
                &shape,
                &(0..count).flat_map(number).collect::<Vec<u8>>(),
            )
        }
    }
}

fn archive(content: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for member in content.split(';') {
        let (name, array_text) = member.split_once(':').unwrap();
        let (kind, shape) = array_text.split_once(' ').unwrap();
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(format!("{name}.npy"), options).unwrap();
        writer.write_all(&array(kind, shape)).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// An HDF5 file of arrays that count up, as `@u1 3x4x4` does.
fn hdf5(content: &str) -> Vec<u8> {
    let mut file = hdf5_pure::FileBuilder::new();
    let mut groups: BTreeMap<&str, Vec<[&str; 3]>> = BTreeMap::new();
    for member in content.split(';') {
        let (path, text) = member.split_once(':').unwrap();
        let (kind, shape) = text.split_once(' ').unwrap();
        let (group, name) = path.split_once('/').unwrap_or(("", path));
        groups.entry(group).or_default().push([name, kind, shape]);
    }
    for (name, arrays) in groups {
        if name.is_empty() {
            for [name, kind, shape] in arrays {
                fill(file.create_dataset(name), kind, shape);
            }
            continue;
        }
        let mut group = file.create_group(name);
        for [name, kind, shape] in arrays {
            fill(group.create_dataset(name), kind, shape);
        }
        file.add_group(group.finish());
    }
    file.finish().unwrap()
}

fn fill(array: &mut hdf5_pure::DatasetBuilder, kind: &str, shape: &str) {
    let shape: Vec<u64> = shape.split('x').map(|size| size.parse().unwrap()).collect();
    let numbers = 0..shape.iter().product::<u64>();
    match kind {
        "u1" => array.with_u8_data(&numbers.map(|at| (at % 251) as u8).collect::<Vec<u8>>()),
        "i8" => array.with_i64_data(&numbers.map(|at| at as i64).collect::<Vec<i64>>()),
        "f4" => array.with_f32_data(&numbers.map(|at| at as f32).collect::<Vec<f32>>()),
        _ => array.with_f64_data(&numbers.map(|at| at as f64).collect::<Vec<f64>>()),
    };
    array.with_shape(&shape);
}

/// A table of pixels: images that are smooth, with the labels 3, 4, 5, …
fn pixels(label: Option<&str>, place: &str, count: &str, rows: &str) -> Vec<u8> {
    let (count, rows): (usize, usize) = (count.parse().unwrap(), rows.parse().unwrap());
    let mut lines = Vec::new();
    let mut names: Vec<String> = (0..count).map(|at| format!("pixel{at}")).collect();
    match (label, place) {
        (Some(label), "first") => names.insert(0, label.to_owned()),
        (Some(label), "last") => names.push(label.to_owned()),
        _ => {}
    }
    if label != Some("") {
        lines.push(names.join(","));
    }
    for row in 0..rows {
        let mut cells: Vec<String> = (0..count)
            .map(|at| (at / 12 % 200 + row).to_string())
            .collect();
        cells[0] = "0".to_owned();
        match place {
            "first" => cells.insert(0, (row + 3).to_string()),
            "last" => cells.push((row + 3).to_string()),
            _ => {}
        }
        lines.push(cells.join(","));
    }
    lines.join("\n").into_bytes()
}

fn fer() -> Vec<u8> {
    let mut text = "emotion,pixels,Usage\n".to_owned();
    for (row, usage) in ["Training", "Training", "PublicTest", "PrivateTest"]
        .iter()
        .enumerate()
    {
        let pixels: Vec<String> = (0..48 * 48).map(|at| (at / 48 + row).to_string()).collect();
        text += &format!("{},{},{usage}\n", [0, 3][row % 2], pixels.join(" "));
    }
    text.into_bytes()
}
