//! The system's file dialogs, with what each may choose.

use rfd::FileDialog;
use strata_app::dialogs::{Chosen, Wanted};
use strata_app::state::PathPurpose;

/// What can be looked at.
const IMAGES: [&str; 8] = ["png", "jpg", "jpeg", "bmp", "gif", "webp", "tif", "tiff"];

/// Files that hold many images: archives, tables, arrays.
const DATA: [&str; 13] = [
    "zip", "tar", "gz", "tgz", "csv", "tsv", "txt", "npz", "npy", "h5", "hdf5", "parquet", "mat",
];

/// Shows a dialog and waits for it; `None` when it was cancelled, or where the system has none.
pub fn pick(wanted: Wanted) -> Option<Chosen> {
    let dialog = FileDialog::new();
    let project = |dialog: FileDialog| dialog.add_filter("Strata project", &["toml"]);
    match wanted {
        Wanted::Path(PathPurpose::Open) => {
            let dialog = project(dialog)
                .add_filter("Weights", &["safetensors"])
                .add_filter("Network", &["onnx"]);
            dialog.pick_file().map(Chosen::Open)
        }
        Wanted::Path(PathPurpose::Save) => project(dialog).save_file().map(Chosen::Save),
        Wanted::Path(PathPurpose::Picture(kind)) => {
            let path = dialog.add_filter("PNG picture", &["png"]).save_file();
            path.map(|path| Chosen::Picture(kind, path))
        }
        Wanted::DataFolder | Wanted::Path(PathPurpose::Images) => {
            dialog.pick_folder().map(Chosen::DataFolder)
        }
        // Files of sets such as MNIST have no ending: all are offered too.
        Wanted::DataFile => {
            let dialog = dialog
                .add_filter("Data", &DATA)
                .add_filter("All files", &["*"]);
            dialog.pick_file().map(Chosen::DataFile)
        }
        Wanted::Image => {
            let path = dialog.add_filter("Images", &IMAGES).pick_file();
            path.map(Chosen::Image)
        }
    }
}
