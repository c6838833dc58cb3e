//! `strata inspect`: the window's pictures of a run as PNG files.

use super::args::{InspectArgs, Picture};
use super::{WrongInput, output};
use crate::engine::error::RunError;
use crate::engine::saved::SavedRun;
use crate::inspect::filters::first_layer;
use crate::inspect::picture::{FilterScale, filter_sheet, png, reconstruction_sheet, zoom_for};
use crate::inspect::reconstructions::{Probe, reconstruct};
use image::RgbaImage;

/// Draws, writes and prints the file's name.
pub fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let file = args.output.clone().unwrap_or_else(|| args.run.join(format!("{}.png", args.what.name())));
    if !file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
        let png = file.with_extension("png");
        return Err(WrongInput(format!("pictures are written as PNG: write -o {}", png.display())).into());
    }
    let mut run = SavedRun::open(&args.run, &args.checkpoint, args.device.as_deref(), &mut |_| true)?;
    output::warn(&run.warnings);
    let picture = match args.what {
        Picture::Filters => filters(&run)?,
        Picture::Reconstructions => reconstructions(&mut run, args)?,
    };
    output::write_file(&file, &png(&picture)?)?;
    output::print(&file.display().to_string())
}

fn filters(run: &SavedRun) -> anyhow::Result<RgbaImage> {
    let filters = first_layer(&run.network, &run.inference, run.position.step)?;
    let filters = filters.ok_or_else(|| WrongInput("the network has no layer with filters".to_owned()))?;
    output::say(&format!("{} filters of {} `{}`", filters.count, filters.key, filters.layer));
    Ok(filter_sheet(&filters, FilterScale::PerFilter, zoom_for(filters.height)))
}

fn reconstructions(run: &mut SavedRun, args: &InspectArgs) -> anyhow::Result<RgbaImage> {
    if run.inference.output_equals_input != Some(true) {
        return Err(WrongInput("the network has no decoder whose output equals the input".to_owned()).into());
    }
    let probe = probe(run, args)?.ok_or_else(|| WrongInput("there are no images to reconstruct".to_owned()))?;
    let pictures = reconstruct(&mut run.network, &run.dataset, &probe, run.position.step)?;
    let (mse, psnr) = (pictures.mean_mse, pictures.psnr);
    output::say(&format!("mse {mse:.5}, psnr {psnr:.2} dB over {} images", pictures.mse.len()));
    Ok(reconstruction_sheet(&pictures, zoom_for(pictures.height)))
}

fn probe(run: &SavedRun, args: &InspectArgs) -> anyhow::Result<Option<Probe>> {
    let Some(file) = &args.image else {
        return Ok(Probe::of_run(&run.dataset, run.project.seed, run.device()).map_err(RunError::from)?);
    };
    let values = run.dataset.read_file(file).map_err(RunError::from)?;
    let [channels, height, width] = run.dataset.shape();
    Ok(Some(Probe::new(values, [height, width, channels], run.device())?))
}
