//! The button of the window: offered, on its way, cancelled, refused by the server, done.

use super::{file, options};
use crate::kit::web::{Reply, Server};
use crate::kit::window::*;
use egui_kittest::kittest::Queryable;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use strata::app::state::{SideTab, State};
use strata::app::view_kind::ViewKind;
use strata::data::download::{Entry, Options, RemoteFile, Then};
use strata::inspect::gallery::Gallery;
use strata::project::data::Source;
use strata_testkit::files::{self, gzip};

/// An IDX file of so many 28×28 images or labels.
fn idx(name: &str, count: u32) -> Vec<u8> {
    let is_images = name.contains("images");
    let sizes: &[u32] = if is_images {
        &[count, 28, 28]
    } else {
        &[count]
    };
    // Noise, which no compression makes small.
    let noise = |at: u32| {
        let mixed = at.wrapping_mul(0x9e37_79b9);
        ((mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b) >> 24) as u8
    };
    let value = |at: u32| {
        if is_images {
            noise(at)
        } else {
            (at % 10) as u8
        }
    };
    let values: Vec<u8> = (0..sizes.iter().product::<u32>()).map(value).collect();
    files::idx(sizes, &values)
}

/// The four files of MNIST, with few images, as they are served.
fn mnist() -> Vec<(&'static str, Vec<u8>, u64)> {
    let names = [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ];
    let packed = |name: &'static str| {
        let plain = idx(name, if name.starts_with("train") { 120 } else { 40 });
        (name, gzip(&plain), plain.len() as u64)
    };
    names.map(packed).to_vec()
}

/// A server that gives these files one way or another.
fn server(reply: impl Fn(Vec<u8>) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |asked, _| {
        let found = mnist()
            .into_iter()
            .find(|(name, ..)| asked.path.ends_with(&format!("/{name}.gz")));
        found.map_or(Reply::Status(404), |(_, bytes, _)| reply(bytes))
    })
}

fn entry(server: &Server) -> Entry {
    let files = mnist().into_iter().map(|(name, bytes, plain)| {
        let name = format!("{name}.gz");
        let address = format!("{}/mnist/{name}", server.at);
        RemoteFile {
            bytes: bytes.len() as u64,
            ..file(&name, vec![address], &bytes, Then::Keep(plain))
        }
    });
    Entry {
        name: "mnist".to_owned(),
        files: files.collect(),
        path: String::new(),
    }
}

/// The images of a project that lies in `folder`; its dataset comes from this server.
fn open(server: &Server, folder: &Path, path: &str) -> Window {
    let mut window = window(server, folder, path);
    window.show_alone(ViewKind::Data);
    window.run();
    window.wait("the refusal", |state| {
        state
            .inspections
            .latest::<Gallery>()
            .is_some_and(|seen| seen.result.is_err())
    });
    window
}

/// The same before any image is looked at.
fn window(server: &Server, folder: &Path, path: &str) -> Window {
    let mut project = builtin("lenet-mnist");
    project.data.path = Some(path.to_owned());
    let mut state = State::new(project, Some(folder.join("project.toml")));
    let entry = entry(server);
    state.downloads.catalogue =
        Arc::new(move |source| (source == Source::Mnist).then(|| entry.clone()));
    state.downloads.options = Options {
        patience: Duration::from_secs(60),
        ..options()
    };
    Window::of(state, SIZE, no_engine(), None)
}

/// Presses the button of this name in the view; the settings have another one.
fn press(window: &mut Window, label: &str) {
    let buttons = window.harness.query_all_by_label(label);
    buttons
        .max_by(|a, b| a.rect().width().total_cmp(&b.rect().width()))
        .unwrap()
        .click();
    window.run();
}

fn is_running(state: &State) -> bool {
    state.downloads.running(Source::Mnist).is_some()
}

/// Bytes so far.
fn done(state: &State) -> u64 {
    state
        .downloads
        .running(Source::Mnist)
        .and_then(|running| running.progress())
        .map_or(0, |told| told.done)
}

/// Files that lie where the path leads are not offered to be downloaded, also before a view or a run has read them.
#[test]
fn what_is_there_is_not_offered() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(|bytes| Reply::Bytes(bytes, None));
    for (name, bytes, _) in mnist() {
        std::fs::create_dir_all(folder.path().join("mnist")).unwrap();
        let file = folder.path().join("mnist").join(format!("{name}.gz"));
        std::fs::write(file, bytes).unwrap();
    }
    let mut window = window(&server, folder.path(), "mnist");
    window.show_tab(SideTab::Data);
    window.wait_for(Duration::from_secs(60), "a look at the files", |window| {
        window.has("the files are there")
    });
    assert!(!window.has("Download the data"));
    assert!(window.state().inspections.latest::<Gallery>().is_none());
    window.enter("Data path", "elsewhere");
    window.wait_for(Duration::from_secs(60), "another look", |window| {
        window.has("Download the data")
    });
}

#[test]
fn a_dataset_is_downloaded_and_its_images_shown() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(|bytes| Reply::Bytes(bytes, None));
    let mut window = open(&server, folder.path(), "data/mnist");
    assert!(window.has("No images to show") && window.has("Download the data"));
    window.show_tab(SideTab::Data);
    let below = |window: &Window| window.get("Seed").rect();
    let before = below(&window);
    press(&mut window, "Download the data");
    assert_eq!(
        below(&window),
        before,
        "how far it is takes the place of the button"
    );
    window.wait("the images", |state| {
        state
            .inspections
            .latest::<Gallery>()
            .is_some_and(|seen| seen.result.is_ok())
    });
    assert!(window.has("images of the train split") && !window.has("No images to show"));
    assert!(window.has("the files are there"));
    assert_eq!(below(&window), before, "and what is said of them, too");
    assert_eq!(
        window.state().project().data.path.as_deref(),
        Some("data/mnist"),
        "the path leads there as it is"
    );
    assert!(
        folder
            .path()
            .join("data/mnist/t10k-labels-idx1-ubyte.gz")
            .is_file()
    );
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn a_download_tells_how_far_it_is_and_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(|bytes| Reply::Slow(bytes, 20_000, Duration::from_secs(3)));
    let mut window = open(&server, folder.path(), "data");
    press(&mut window, "Download the data");
    window.wait("progress", |state| done(state) > 0);
    assert!(
        window.has("Cancel the download") && window.has(" of ") && !window.has("Download the data")
    );
    press(&mut window, "Cancel the download");
    assert!(window.has("Ending the download") && !window.has("Cancel the download"));
    window.wait("the end", |state| !is_running(state));
    assert!(
        window.has("Download the data") && window.state().downloads.failed(Source::Mnist).is_none()
    );
    let kept = std::fs::metadata(folder.path().join("data/train-images-idx3-ubyte.gz.part"))
        .unwrap()
        .len();
    assert!(kept > 0, "what came is kept");
    press(&mut window, "Download the data");
    window.wait("progress", |state| done(state) >= kept);
    assert_eq!(
        server.asked().last().unwrap().from,
        Some(kept as usize),
        "the next one continues from there"
    );
}

#[test]
fn a_server_that_fails_is_told_with_the_steps_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(|_| Reply::Status(500));
    let mut window = open(&server, folder.path(), "data");
    press(&mut window, "Download the data");
    window.wait("the refusal", |state| {
        state.downloads.failed(Source::Mnist).is_some()
    });
    let place = folder
        .path()
        .join("data/train-images-idx3-ubyte.gz")
        .display()
        .to_string();
    for part in [
        "could not be downloaded",
        "500",
        "By hand",
        &server.at,
        &place,
    ] {
        assert!(window.has(part), "{part}");
    }
    assert!(window.has("Download the data"), "one can try again");
    window
        .harness
        .query_all_by_label("Copy message")
        .last()
        .unwrap()
        .click();
    window.harness.step();
    let copied = format!("{:?}", window.harness.output().platform_output.commands);
    assert!(
        copied.contains("By hand") && copied.contains(&server.at),
        "{copied}"
    );
}

#[test]
#[ignore = "writes pictures"]
fn pictures() {
    let folder = tempfile::tempdir().unwrap();
    for dark in [true, false] {
        let theme = if dark { "dark" } else { "light" };
        let save = |window: &mut Window, what: &str| {
            window.set_dark(dark);
            window.write_picture(&format!("download/{what}-{theme}"));
        };
        let slow = server(|bytes| Reply::Slow(bytes, 500, Duration::from_millis(60)));
        let mut window = open(&slow, folder.path(), &format!("data/{theme}/mnist"));
        save(&mut window, "idle");
        press(&mut window, "Download the data");
        window.wait("progress", |state| done(state) > 20_000);
        save(&mut window, "running");
        press(&mut window, "Cancel the download");
        window.wait("the end", |state| !is_running(state));
        let broken = server(|_| Reply::Status(500));
        let mut window = open(&broken, folder.path(), &format!("data/{theme}/broken"));
        press(&mut window, "Download the data");
        window.wait("the refusal", |state| {
            state.downloads.failed(Source::Mnist).is_some()
        });
        save(&mut window, "failed");
    }
}
