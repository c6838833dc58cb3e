//! Whatever is dropped onto the window is opened for what it is; what cannot be says so in a sentence, and changes
//! nothing.

use crate::kit::runs::{completed, options, train};
use crate::kit::window::*;
use eframe::egui::{DroppedFile, Key, Modifiers};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strata::app::action::{Action, Answer};
use strata::app::arrangement::Workspace;
use strata::project::data::Source;
use strata::project::{Project, Stack, file};

#[derive(Debug)]
struct Dropped(PathBuf);

impl DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

/// A window on a project that is not saved anywhere, in a folder with things to drop.
struct Drops {
    folder: tempfile::TempDir,
    window: Window,
    before: Project,
}

impl Drops {
    fn new() -> Drops {
        let folder = tempfile::tempdir().unwrap();
        let window = Window::real(builtin("conv-autoencoder"), SIZE);
        let before = window.state().project().clone();
        Drops {
            folder,
            window,
            before,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Drops it; what the window says then.
    fn drop(&mut self, path: &Path) -> String {
        let file = Arc::new(Dropped(path.to_path_buf()));
        self.window.harness.input_mut().dropped_files.push(file);
        self.window.run();
        // What is read on another thread arrives within a moment.
        for _ in 0..100 {
            if !self.said().is_empty() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
            self.window.harness.step();
        }
        self.said()
    }

    fn said(&self) -> String {
        let messages = &self.window.state().messages;
        let all = messages.lasting().chain(messages.note());
        all.map(|message| message.text.clone())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Takes away what was said.
    fn forget(&mut self) {
        while self.window.has("Dismiss message") {
            self.window.click("Dismiss message");
        }
    }

    /// The project is as before, and no question is open.
    fn nothing_changed(&self, what: &str) {
        assert_eq!(*self.window.state().project(), self.before, "{what}");
        assert!(self.window.state().pending.is_none(), "{what}");
    }
}

/// What can be no project, no data and no network: each has a sentence of its own, and the project stays as it is.
#[test]
fn what_cannot_be_opened_says_what_it_is_and_changes_nothing() {
    let mut drops = Drops::new();
    for (name, bytes, part) in [
        (
            "weights.pt",
            &b"PK\x03\x04\x00\x00"[..],
            "safetensors.torch.save_file",
        ),
        ("weights.pth", b"\x80\x02}q\x00.", "a model of PyTorch"),
        ("model.ckpt", b"\x00\x01\x02", "a model of PyTorch"),
        ("model.keras", b"PK\x03\x04", "ONNX"),
        (
            "weights.safetensors",
            b"garbage",
            "is it a safetensors file?",
        ),
        ("network.onnx", b"garbage", "this is no ONNX file"),
        (
            "song.wav",
            b"RIFF\x00\x00\x00\x00WAVEfmt ",
            "it is a recording",
        ),
        (
            "broken.toml",
            b"format = [",
            "a bracket is opened here and not closed",
        ),
        ("other.toml", b"[package]\nname = \"x\"\n", "is no project"),
        ("garbage", b"\x00\xff\xfe", "it is no text"),
        ("empty", b"", "is no project"),
        ("film.mp4", b"\x00\x00", "it is no text"),
        ("page.pdf", b"%PDF-1.4", "is no project"),
        ("run.json", b"{}", "is no project"),
        ("code.ipynb", b"{}", "it is a notebook"),
        (
            "words.py",
            b"print('no layers here')\n",
            "it is a script of Python",
        ),
    ] {
        let path = drops.write(name, bytes);
        let said = drops.drop(&path);
        assert!(said.contains(part), "{name}: {said}");
        drops.nothing_changed(name);
        drops.forget();
    }
    std::fs::create_dir(drops.path("empty-folder")).unwrap();
    for (name, part) in [
        ("empty-folder", "holds no project and no run"),
        ("nowhere", "cannot read"),
    ] {
        let path = drops.path(name);
        let said = drops.drop(&path);
        assert!(said.contains(part), "{name}: {said}");
        drops.nothing_changed(name);
        drops.forget();
    }
}

/// A printed network and lines of code become a project, also with the ending that tables of images have.
#[test]
fn the_print_of_a_network_becomes_a_project() {
    let print =
        "Sequential(\n  (0): Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1))\n  (1): ReLU()\n)\n";
    for (name, text) in [
        ("print.txt", print),
        ("code.py", "import torch\nnn.Conv2d(1, 8, 3)\nnn.ReLU()\n"),
    ] {
        let mut drops = Drops::new();
        let path = drops.write(name, text);
        drops.drop(&path);
        let shown = drops.window.texts(Stack::Encoder);
        assert_eq!(shown, ["conv 8 k3", "relu"], "{name}");
        let made = drops.window.state().file.clone().unwrap();
        assert_eq!(made, path.with_extension("toml"), "{name}");
    }
}

/// Tables, archives, arrays and folders of images become the data, which one step takes back.
#[test]
fn images_of_every_form_become_the_data() {
    let mut drops = Drops::new();
    let picture = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 30, 90]));
    std::fs::create_dir_all(drops.path("pets/cat")).unwrap();
    picture.save(drops.path("pets/cat/one.png")).unwrap();
    drops.write("table.csv", "path,label\npets/cat/one.png,cat\n");
    drops.write("list.txt", "pets/cat/one.png 0\n");
    drops.write("images.npz", "");
    drops.write("images.zip", "");
    drops.write("images.tar.gz", "");
    for (name, source) in [
        ("pets", Source::Folder),
        ("table.csv", Source::Csv),
        ("list.txt", Source::Csv),
        ("images.npz", Source::Npy),
        ("images.zip", Source::Folder),
        ("images.tar.gz", Source::Folder),
    ] {
        let path = drops.path(name);
        drops.drop(&path);
        let data = &drops.window.state().project().data;
        assert_eq!(data.path.as_deref(), path.to_str(), "{name}");
        if !name.contains("images.") {
            assert_eq!(data.source, source, "{name}");
        }
        assert_eq!(drops.window.state().view.workspace, Workspace::Data);
        drops.window.press(Modifiers::COMMAND, Key::Z);
        drops.nothing_changed(name);
        drops.forget();
    }
    // A single picture is looked at.
    drops.window.show_workspace(Workspace::Training);
    let one = drops.path("pets/cat/one.png");
    drops.drop(&one);
    drops.nothing_changed("a picture");
    assert_eq!(
        drops.window.state().inspections.saliency.image.as_ref(),
        Some(&one)
    );
}

/// Projects and runs are opened, a run also by one of its files; what is unsaved is asked about before.
#[test]
fn projects_runs_and_weights_are_opened() {
    let mut drops = Drops::new();
    let run = drops.path("runs/one");
    completed(train(&classifier(), &options(&run)).0);
    let project = drops.path("mine.toml");
    file::save(&builtin("lenet-mnist"), &project).unwrap();
    drops.drop(&project);
    assert_eq!(drops.window.state().project().title, "LeNet for MNIST");
    for part in ["", "run.json", "metrics.csv", "project.toml"] {
        let mut drops = Drops::new();
        drops.drop(&run.join(part));
        assert_eq!(drops.window.state().project().title, "Small classifier");
        assert_eq!(
            drops.window.state().training.run.as_ref(),
            Some(&run),
            "{part}"
        );
    }
    // The folder of the runs is no data, though tables and pictures lie in it.
    drops.before = drops.window.state().project().clone();
    let runs = drops.path("runs");
    let said = drops.drop(&runs);
    assert!(said.contains("holds several runs"), "{said}");
    drops.nothing_changed("runs");
    // Weights are put into the project that is open.
    let checkpoint = run.join("checkpoints/last.safetensors");
    assert!(checkpoint.is_file());
    let mut fresh = Drops::new();
    let own = fresh.path("own.toml");
    file::save(&classifier(), &own).unwrap();
    fresh.drop(&own);
    fresh.forget();
    fresh.drop(&checkpoint);
    fresh.window.wait("the run of the weights", |state| {
        state.training.run.is_some()
    });
    // With unsaved changes the next project has to wait for an answer.
    fresh.window.enter("Project title", "Changed");
    fresh.drop(&project);
    assert!(fresh.window.state().pending.is_some());
    assert_eq!(fresh.window.state().project().title, "Changed");
    let discard = Action::Unsaved(Answer::Discard);
    fresh.window.harness.state_mut().handle(discard);
    fresh.window.run();
    assert_eq!(fresh.window.state().project().title, "LeNet for MNIST");
}
