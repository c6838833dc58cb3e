//! `strata predict`: what a run answers for image files.

use super::args::PredictArgs;
use super::numbers::Numbers;
use super::{Told, WrongInput, output, saved, text};
use image::{DynamicImage, GrayImage, RgbImage};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use strata_data::image_files;
use strata_engine::predict::Prediction;
use strata_engine::storage::saved_run::SavedRun;
use tempfile::NamedTempFile;

/// What stands for standard input among the images.
const STANDARD_INPUT: &str = "-";
/// The longest standard input that is taken.
const MOST_BYTES: u64 = 512 << 20;

/// An image file, and how it is called.
struct Asked {
    file: PathBuf,
    name: String,
}

impl AsRef<Path> for Asked {
    fn as_ref(&self) -> &Path {
        &self.file
    }
}

/// Predicts and prints; exit code 1 when a file could not be read.
pub fn run(args: &PredictArgs) -> anyhow::Result<()> {
    let mut run = saved::open(&args.run, &args.checkpoint, args.device.as_deref())?;
    // Deleted when all is done.
    let mut piped = Vec::new();
    let asked = asked(&args.images, &mut piped)?;
    let mut answered = Answered::new(args, &run);
    let mut bad = 0;
    run.predict(&asked, |asked, prediction| {
        match prediction {
            Ok(prediction) => answered.push(&asked.name, prediction),
            Err(error) => {
                bad += 1;
                output::fail(
                    &error
                        .to_string()
                        .replace(&asked.file.display().to_string(), &asked.name),
                );
            }
        }
        Ok(())
    })?;
    answered.save()?;
    answered.print()?;
    tell_of_scaled(&run, &asked);
    match bad {
        0 => Ok(()),
        _ => {
            output::fail(&format!(
                "{bad} of {} images could not be read",
                asked.len()
            ));
            Err(Told(super::FAILED).into())
        }
    }
}

/// Says which images were scaled because their size is not the network's, where the run's own images had that size.
fn tell_of_scaled(run: &SavedRun, asked: &[Asked]) {
    let data = &run.project.data;
    let &[height, width] = run.project.network.input.spatial() else {
        return;
    };
    if data.resize.is_some() || data.patches.is_some() {
        return;
    }
    let is_other = |asked: &&Asked| {
        let size = image::image_dimensions(&asked.file);
        size.is_ok_and(|(wide, high)| [high as usize, wide as usize] != [height, width])
    };
    let scaled: Vec<&Asked> = asked.iter().filter(is_other).collect();
    if let [first, ..] = scaled[..] {
        let (number, name) = (scaled.len(), &first.name);
        output::say(&format!(
            "note: {number} of {} images were scaled to {height}×{width}, the size of the run's images: {name}{}",
            asked.len(),
            if number > 1 { ", …" } else { "" }
        ));
    }
}

/// The files that are meant: folders with all in them, standard input as an image or as a list of paths.
fn asked(images: &[PathBuf], piped: &mut Vec<NamedTempFile>) -> anyhow::Result<Vec<Asked>> {
    let mut asked = Vec::new();
    for path in images {
        if path == Path::new(STANDARD_INPUT) {
            asked.extend(from_standard_input(piped)?);
        } else if path.is_dir() {
            asked.extend(image_files(path)?.into_iter().map(named));
        } else {
            asked.push(named(path.clone()));
        }
    }
    if asked.is_empty() {
        return Err(WrongInput(
            "there is no image file among those: name files or folders of images".into(),
        )
        .into());
    }
    Ok(asked)
}

fn named(file: PathBuf) -> Asked {
    let name = file.display().to_string();
    Asked { file, name }
}

fn from_standard_input(piped: &mut Vec<NamedTempFile>) -> anyhow::Result<Vec<Asked>> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)?;
    let is_image = image::guess_format(&bytes).is_ok();
    match String::from_utf8(bytes) {
        Ok(list) if !is_image => {
            let paths = list.lines().map(str::trim).filter(|line| !line.is_empty());
            Ok(paths.map(|path| named(PathBuf::from(path))).collect())
        }
        Ok(list) => kept(list.as_bytes(), piped),
        Err(image) => kept(image.as_bytes(), piped),
    }
}

/// An image of standard input, kept as a file as long as it is needed.
fn kept(bytes: &[u8], piped: &mut Vec<NamedTempFile>) -> anyhow::Result<Vec<Asked>> {
    let mut file = NamedTempFile::new()?;
    file.write_all(bytes)?;
    let asked = Asked {
        file: file.path().to_owned(),
        name: "standard input".to_owned(),
    };
    piped.push(file);
    Ok(vec![asked])
}

/// What was predicted, and how it is told.
struct Answered<'a> {
    args: &'a PredictArgs,
    classes: Vec<String>,
    /// Channels, height, width.
    shape: [usize; 3],
    names: Vec<String>,
    predictions: Vec<Prediction>,
}

impl<'a> Answered<'a> {
    fn new(args: &'a PredictArgs, run: &SavedRun) -> Answered<'a> {
        Answered {
            args,
            classes: run.dataset.classes().to_vec(),
            shape: run.dataset.shape(),
            names: Vec::new(),
            predictions: Vec::new(),
        }
    }

    fn push(&mut self, name: &str, prediction: Prediction) {
        self.names.push(name.to_owned());
        self.predictions.push(prediction);
    }

    /// The name of a class; its number where the data has none for it.
    fn class(&self, class: usize) -> String {
        self.classes
            .get(class)
            .cloned()
            .unwrap_or_else(|| class.to_string())
    }

    /// Writes the codes and the reconstructions, if they are asked for.
    fn save(&self) -> anyhow::Result<()> {
        if let Some(file) = &self.args.features {
            let values: Vec<f32> = self
                .predictions
                .iter()
                .flat_map(|one| one.code.iter().copied())
                .collect();
            let length = self.predictions.first().map_or(0, |one| one.code.len());
            let axes = [("image", self.predictions.len()), ("code", length)];
            Numbers {
                axes: &axes,
                values: &values,
            }
            .save(file)?;
        }
        if let Some(folder) = &self.args.reconstructions {
            let lacks = |one: &Prediction| one.reconstruction.is_none();
            if self.predictions.iter().any(lacks) {
                let told = "the run has trained no decoder: leave --reconstructions out";
                return Err(WrongInput(told.into()).into());
            }
            output::make_folder(folder)?;
            let mut taken = HashSet::new();
            for (name, prediction) in self.names.iter().zip(&self.predictions) {
                let Some(made) = &prediction.reconstruction else {
                    continue;
                };
                let file = folder.join(free_name(name, &mut taken));
                output::write_file(&file, &png(&made.pixels, self.shape)?)?;
            }
        }
        Ok(())
    }

    fn print(&self) -> anyhow::Result<()> {
        if self.args.json {
            return output::print_json(
                &self
                    .names
                    .iter()
                    .zip(&self.predictions)
                    .map(|(name, one)| self.as_json(name, one))
                    .collect::<Vec<Value>>(),
            );
        }
        let (heading, rows) = self.rows();
        if self.args.csv {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&heading)?;
            rows.iter().try_for_each(|row| writer.write_record(row))?;
            let text = String::from_utf8(writer.into_inner()?)?;
            return output::print(text.trim_end());
        }
        let widths: Vec<usize> = (0..heading.len())
            .map(|column| {
                let cells = std::iter::once(&heading).chain(&rows);
                cells
                    .map(|row| row[column].chars().count())
                    .max()
                    .unwrap_or_default()
            })
            .collect();
        let line = |row: &Vec<String>| {
            let cells = row
                .iter()
                .zip(&widths)
                .map(|(cell, &width)| text::left(cell, width));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let lines: Vec<String> = std::iter::once(&heading).chain(&rows).map(line).collect();
        output::print(&lines.join("\n"))
    }

    /// The columns' names, and a row for each image.
    fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let first = self.predictions.first();
        let top = first.map_or(0, |one| one.top(self.args.top).len());
        let reconstructs = first.is_some_and(|one| one.reconstruction.is_some());
        let mut heading = vec!["image".to_owned()];
        for rank in 1..=top {
            heading.extend([format!("class_{rank}"), format!("probability_{rank}")]);
        }
        if reconstructs {
            heading.extend(["mse".to_owned(), "psnr".to_owned()]);
        }
        let row = |(name, one): (&String, &Prediction)| {
            let mut row = vec![name.clone()];
            for (class, probability) in one.top(self.args.top) {
                row.extend([self.class(class), format!("{probability:.4}")]);
            }
            if let Some(made) = &one.reconstruction {
                row.extend([format!("{:.6}", made.mse), format!("{:.2}", made.psnr)]);
            }
            row
        };
        (
            heading,
            self.names.iter().zip(&self.predictions).map(row).collect(),
        )
    }

    fn as_json(&self, name: &str, one: &Prediction) -> Value {
        let mut told = Map::from_iter([("image".to_owned(), json!(name))]);
        let top = one.top(self.args.top).into_iter();
        let top: Vec<Value> = top
            .map(|(class, probability)| json!({"class": class, "name": self.class(class), "probability": probability}))
            .collect();
        if !top.is_empty() {
            told.insert("top".to_owned(), top.into());
        }
        if let Some(made) = &one.reconstruction {
            told.insert("mse".to_owned(), json!(made.mse));
            told.insert("psnr".to_owned(), json!(made.psnr));
        }
        told.into()
    }
}

/// The name of an image's picture, which no image before has.
fn free_name(name: &str, taken: &mut HashSet<String>) -> String {
    let stem = Path::new(name)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let numbered = (2..).map(|number| format!("{stem}-{number}.png"));
    let mut names = std::iter::once(format!("{stem}.png")).chain(numbered);
    let free = names.find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(free.clone());
    free
}

/// Pixels H×W×C as a file: grey or colour, of other numbers of channels the first as grey.
fn png(pixels: &[u8], [channels, height, width]: [usize; 3]) -> anyhow::Result<Vec<u8>> {
    let (width, height) = (width as u32, height as u32);
    let picture = match channels {
        3 => RgbImage::from_raw(width, height, pixels.to_vec()).map(DynamicImage::from),
        _ => {
            let grey = pixels.iter().step_by(channels).copied().collect();
            GrayImage::from_raw(width, height, grey).map(DynamicImage::from)
        }
    };
    let picture = picture
        .ok_or_else(|| anyhow::anyhow!("a reconstruction has another size than the images"))?;
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
