//! The images in the window: pages by class, the long grid, the settings of the data, real files; driven by labels.

use crate::kit::window::*;
use eframe::egui::{Event, Modifiers, MouseWheelSource, MouseWheelUnit, TouchPhase, vec2};
use egui_kittest::kittest::Queryable;
use std::path::Path;
use strata::app::action::{Action, Show};
use strata::app::view_kind::ViewKind;
use strata::inspect::gallery::{BLOCK, Gallery, Part};
use strata::project::Project;
use strata::project::data::{
    Fitting, Fold, Labels, MeanStd, Normalize, Source, Spectrogram, Split,
};
use strata::project::edit::Edit;
use strata_testkit::folders::real_data;

/// The images of a project in a folder of its own.
fn images(folder: &Path, project: &Project) -> Window {
    let mut window = open(folder, project);
    window.show_alone(ViewKind::Data);
    window.run();
    window.wait("images", |state| {
        state.inspections.latest::<Gallery>().is_some()
    });
    window
}

fn gallery(window: &Window) -> &Gallery {
    window
        .state()
        .inspections
        .latest::<Gallery>()
        .unwrap()
        .result
        .as_ref()
        .unwrap()
}

/// Waits until what is shown is this.
fn until(window: &mut Window, what: &str, holds: impl Fn(&Gallery) -> bool) {
    window.wait(what, |state| {
        let looked = state.inspections.latest::<Gallery>();
        looked
            .and_then(|looked| looked.result.as_ref().ok())
            .is_some_and(|gallery| holds(gallery))
    });
}

#[test]
fn the_images_are_shown_by_class_and_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = images(folder.path(), &classifier());
    assert!(window.has("images of the train split") && window.has("Images of each class"));
    assert!(window.has("No file was left out."));
    window.click("Show unlabeled images");
    until(&mut window, "the split", |gallery| {
        gallery.split == Split::Unlabeled
    });
    assert!(window.has("64 images of the unlabeled split"));
    let mut lost = classifier();
    lost.data.source = Source::Mnist;
    lost.data.path = Some("nowhere".into());
    let window = images(folder.path(), &lost);
    assert!(window.has("No images to show") && window.has("nowhere"));
}

#[test]
fn one_grid_scrolls_over_all_images_and_over_one_class() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = classifier();
    project.data.limit = Some(3000);
    let mut window = images(folder.path(), &project);
    window.click("Show all images");
    until(&mut window, "the first block", |gallery| {
        matches!(gallery.part, Part::Block { class: None, .. })
    });
    assert!(window.has("3,000 images of the train split") && window.has("1–"));
    scroll_to_the_end(&mut window, "3,000 images of the train split");
    let last = 3000usize.div_ceil(BLOCK) - 1;
    // The last block is asked for, and then the one before it, for the way back.
    until(&mut window, "the blocks at the end", |gallery| {
        gallery.part.number() == last - 1
    });
    assert!(window.has("–3,000 / 3,000"));
    let count = gallery(&window).splits[0].per_class[3];
    let name = format!("{}: {count} images", gallery(&window).classes[3]);
    window.click(&name);
    until(&mut window, "one class", |gallery| {
        matches!(gallery.part, Part::Block { class: Some(3), .. })
    });
    assert!(
        gallery(&window)
            .images
            .iter()
            .all(|(_, label)| *label == Some(3))
    );
    assert!(window.has(&format!(
        "{count} images of {} of the train split",
        gallery(&window).classes[3]
    )));
    window.click("Show all classes");
    until(&mut window, "all again", |gallery| gallery.total == 3000);
    window.click("Show images by class");
    until(&mut window, "a page", |gallery| {
        gallery.part == Part::Page(0)
    });
    window.click("Show unlabeled images");
    until(&mut window, "the second block", |gallery| {
        gallery.part
            == Part::Block {
                class: None,
                block: 1,
            }
    });
    window.click("Show train images");
    until(&mut window, "by class still", |gallery| {
        gallery.part == Part::Page(0)
    });
}

#[test]
fn a_class_without_images_and_a_file_that_comes_back_leave_a_way_on() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = folder.path().join("images").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::RgbImage::from_pixel(16, 16, image::Rgb([99, 9, 9]))
            .save(path)
            .unwrap();
    };
    (0..4).for_each(|n| write(&format!("train/cat/{n}.png")));
    (0..4).for_each(|n| write(&format!("train/dog/{n}.png")));
    write("test/cat/0.png");
    let mut project = classifier();
    (project.data.source, project.data.path) = (Source::Folder, Some("images".into()));
    let mut window = images(folder.path(), &project);
    let dogs = gallery(&window).splits[0].per_class[1];
    window.click(&format!("dog: {dogs} images"));
    until(&mut window, "dogs", |gallery| gallery.total == dogs);
    window.click("Show test images");
    until(&mut window, "no dogs", |gallery| {
        gallery.split == Split::Test && gallery.total == 0
    });
    window.run();
    assert!(
        window.has("No images of this class") && window.has("cat: 1 images") && !window.has(" / 0")
    );
    window.keep_picture("data/empty-class");
    window.click("Show all classes");
    until(&mut window, "the cat", |gallery| gallery.total == 1);

    let away = folder.path().join("away");
    std::fs::rename(folder.path().join("images"), &away).unwrap();
    project.data.limit = Some(3);
    window
        .harness
        .state_mut()
        .handle(Action::Edit(Edit::Data(project.data.clone())));
    window.wait("the refusal", |state| {
        state.inspections.reply_to(&state.gallery_query()).is_some()
    });
    assert!(window.has("No images to show"));
    window.keep_picture("data/read-again");
    std::fs::rename(&away, folder.path().join("images")).unwrap();
    window.click("Read again");
    window.wait("the images", |state| {
        state
            .inspections
            .reply_to(&state.gallery_query())
            .is_some_and(|looked| looked.result.is_ok())
    });
    assert!(window.has("Images of each class"));
}

#[test]
fn a_hundred_thousand_images_are_scrolled_over_without_being_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("unlabeled_X.bin")).unwrap();
    // As long as STL-10's own file, 2.7 GB of which a file system stores none.
    file.set_len(100_000 * 3 * 96 * 96).unwrap();
    let mut project = classifier();
    (project.data.source, project.data.path, project.data.limit) =
        (Source::Stl10, Some(".".into()), None);
    let mut window = images(folder.path(), &project);
    assert!(window.has("100,000 images of the unlabeled split"));
    scroll_to_the_end(&mut window, "100,000 images of the unlabeled split");
    let last = 100_000usize.div_ceil(BLOCK) - 1;
    until(&mut window, "the blocks at the end", |gallery| {
        gallery.part.number() == last - 1
    });
    assert!(window.has("–100,000 / 100,000"));
}

/// Turns the wheel over the images.
fn scroll_to_the_end(window: &mut Window, images: &str) {
    let middle = window.get(images).rect().center();
    window.harness.hover_at(middle);
    window.harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, -1e8),
        phase: TouchPhase::Move,
        source: MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    });
    window.run();
}

#[test]
fn files_that_were_left_out_are_listed_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    for class in ["cat", "dog"] {
        let at = folder.path().join("images").join(class);
        std::fs::create_dir_all(&at).unwrap();
        for n in 0..4 {
            image::RgbImage::from_pixel(16, 16, image::Rgb([60 * n, 9, 9]))
                .save(at.join(format!("{n}.png")))
                .unwrap();
        }
        std::fs::write(at.join("torn.png"), "not a picture").unwrap();
    }
    let mut project = classifier();
    project.data.source = Source::Folder;
    project.data.path = Some("images".into());
    let window = images(folder.path(), &project);
    assert!(window.has("Left out: 2 files") && window.has("torn.png: "));
    assert!(window.has("cat: ") && window.has("dog: "));
}

#[test]
fn every_setting_of_the_data_has_a_field() {
    let mut window = Window::idle("conv-autoencoder");
    window.click("Pixels of the data");
    window.enter("Resize", "24x32");
    choose(&mut window, "Resize filter", "lanczos");
    choose(&mut window, "Resize fit", "letterbox");
    window.click("Grey");
    window.enter("Patches", "8");
    window.enter("Patches per image", "5");
    choose(&mut window, "Pixel values", "train mean/std");
    let data = &window.state().project().data;
    assert_eq!(
        (data.resize, data.fit, data.grey),
        (Some([24, 32]), Fitting::Letterbox, true)
    );
    assert_eq!(
        (
            data.filter.to_string().as_str(),
            data.patches,
            data.patches_per_image
        ),
        ("lanczos", Some([8, 8]), Some(5))
    );
    assert_eq!(
        (data.range, &data.normalize),
        (None, &Some(Normalize::MEASURED))
    );
    choose(&mut window, "Pixel values", "own mean/std");
    window.enter("Mean", "0.5, 0.4 0.3");
    window.enter("Deviation", "0.2 0 0.2");
    assert!(window.has("write numbers above 0"));
    window.enter("Deviation", "0.2 0.2 0.2");
    let by = MeanStd {
        mean: vec![0.5, 0.4, 0.3],
        std: vec![0.2; 3],
    };
    assert_eq!(
        window.state().project().data.normalize,
        Some(Normalize::By(by))
    );
    window.keep_picture("data/settings-pixels");
    window.click("Pixels of the data");
    assert!(!window.has("Resize filter"), "closed");

    window.click("Splits of the data");
    window.enter("Valid share", "20 %");
    window.enter("Test share", "0.25");
    window.enter("Images per class", "40");
    window.enter("Image limit", "900");
    let data = &window.state().project().data;
    assert_eq!(
        (data.valid, data.test, data.per_class, data.limit),
        (Some(0.2), Some(0.25), Some(40), Some(900))
    );
    window.enter("Fold", "6/5");
    assert!(window.has("is no fold"));
    window.enter("Fold", "2/5");
    let data = &window.state().project().data;
    assert_eq!(
        (data.fold, data.valid),
        (Some(Fold { part: 2, of: 5 }), None),
        "they exclude each other"
    );
    assert!(!window.has("Valid share"));
    window.keep_picture("data/settings-splits");
}

#[test]
fn some_sources_have_settings_of_their_own() {
    let mut window = Window::idle("conv-autoencoder");
    window.click("Splits of the data");
    assert!(!window.has("Source fold") && !window.has("Signals of the data"));
    choose_source(&mut window, "cifar100");
    choose(&mut window, "Labels", "coarse");
    assert_eq!(window.state().project().data.labels, Some(Labels::Coarse));
    choose_source(&mut window, "stl10");
    window.enter("Source fold", "7");
    assert_eq!(window.state().project().data.source_fold, Some(7));
    choose_source(&mut window, "wav");
    window.click("Signals of the data");
    window.enter("Signal length", "8000");
    window.enter("Sample rate", "16000");
    window.click("Spectrogram");
    window.enter("Window", "512");
    window.enter("Hop", "64");
    window.click("Logarithmic");
    let data = &window.state().project().data;
    assert_eq!((data.length, data.rate), (Some(8000), Some(16000)));
    assert_eq!(
        data.spectrogram,
        Some(Spectrogram {
            window: 512,
            hop: 64,
            log: false
        })
    );
    window
        .harness
        .state_mut()
        .handle(Action::Show(Show::Dark(false)));
    window.keep_picture("data/settings-signals");
    window.click("Spectrogram");
    assert_eq!(window.state().project().data.spectrogram, None);
}

/// Chooses from a list.
fn choose(window: &mut Window, list: &str, entry: &str) {
    window.click(list);
    window.click(entry);
}

/// Where its images come from stands beside its name.
fn choose_source(window: &mut Window, source: &str) {
    window.click("Data source");
    let entry = format!("{source}, ");
    window.harness.get_by_label_contains(&entry).click();
    window.run();
}

/// Images of each split.
type Counts = &'static [(Split, usize)];

/// Folder, source, and how many images each split has.
const REAL: [(&str, Source, Counts); 9] = [
    (
        "mnist",
        Source::Mnist,
        &[
            (Split::Train, 54_000),
            (Split::Valid, 6_000),
            (Split::Test, 10_000),
        ],
    ),
    (
        "fashion-mnist-subset",
        Source::FashionMnist,
        &[(Split::Train, 675), (Split::Valid, 75), (Split::Test, 150)],
    ),
    (
        "cifar10/exact",
        Source::Cifar10,
        &[(Split::Train, 2_700), (Split::Valid, 300)],
    ),
    (
        "cifar10/jpeg-decoded",
        Source::Cifar10,
        &[
            (Split::Train, 9_000),
            (Split::Valid, 1_000),
            (Split::Test, 10_000),
        ],
    ),
    (
        "cifar100-flowers",
        Source::Cifar100,
        &[
            (Split::Train, 1_800),
            (Split::Valid, 200),
            (Split::Test, 400),
        ],
    ),
    (
        "stl10",
        Source::Stl10,
        &[
            (Split::Train, 72),
            (Split::Valid, 8),
            (Split::Test, 10),
            (Split::Unlabeled, 200),
        ],
    ),
    (
        "eurosat",
        Source::Eurosat,
        &[(Split::Train, 810), (Split::Valid, 90), (Split::Test, 100)],
    ),
    (
        "flowers17",
        Source::Flowers17,
        &[(Split::Train, 275), (Split::Valid, 31), (Split::Test, 34)],
    ),
    (
        "sign-digits",
        Source::Folder,
        &[(Split::Train, 486), (Split::Valid, 54), (Split::Test, 60)],
    ),
];

#[test]
fn real_images_of_every_folder_open_in_the_window() {
    let Some(root) = real_data("real_images_of_every_folder_open_in_the_window") else {
        return;
    };
    for (name, source, counts) in REAL {
        let folder = tempfile::tempdir().unwrap();
        let mut project = classifier();
        (project.data.source, project.data.limit) = (source, None);
        project.data.path = Some(root.join(name).display().to_string());
        project.data.resize = matches!(source, Source::Flowers17).then_some([64, 64]);
        let mut window = images(folder.path(), &project);
        let found: Vec<_> = gallery(&window)
            .splits
            .iter()
            .map(|counts| (counts.split, counts.images))
            .collect();
        assert_eq!(found, counts, "{name}");
        assert!(
            window.has("Images of each class") && window.has("No file was left out."),
            "{name}"
        );
        window.keep_picture(&format!("data/{}", name.replace('/', "-")));
        window.click("Show all images");
        until(&mut window, "the grid", |gallery| {
            matches!(gallery.part, Part::Block { .. })
        });
        window.keep_picture(&format!("data/{}-all", name.replace('/', "-")));
    }
}

/// Two classes of grey images of two sizes, five to one, with files that are not used.
fn unlike_images(folder: &Path) {
    for number in 0..24u32 {
        let class = if number % 6 == 0 { "rare" } else { "usual" };
        let path = folder.join(format!("train/{class}/{number}.png"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let value = |x: u32, y: u32| image::Luma([(number * 5 + x * 3 + y) as u8]);
        image::GrayImage::from_fn(16, 16 + number % 2, value)
            .save(path)
            .unwrap();
    }
    std::fs::write(folder.join("train/rare/IMG_1.HEIC"), "x").unwrap();
    std::fs::write(folder.join("train/rare/.DS_Store"), "x").unwrap();
}

#[test]
fn what_training_needs_is_a_button_and_one_undo_takes_it_back() {
    let folder = tempfile::tempdir().unwrap();
    unlike_images(&folder.path().join("set"));
    let mut project = classifier();
    project.data.source = Source::Folder;
    project.data.resize = None;
    project.data.path = Some(folder.path().join("set").display().to_string());
    let mut window = images(folder.path(), &project);
    assert!(window.has("the images differ in size"));
    window.click("Scale to 16×16");
    assert_eq!(window.state().project().data.resize, Some([16, 16]));
    until(&mut window, "the images", |gallery| {
        !gallery.splits.is_empty()
    });
    assert!(window.has("class usual has") && window.has("Passed over: 1 file (.DS_Store)"));
    assert!(window.has("IMG_1.HEIC: a HEIC photograph, which is not read"));
    assert!(window.has("Copy the Python that converts"));
    window.click("Set weights to balanced");
    let weights = |window: &Window| window.state().project().data.weights;
    assert!(weights(&window).is_some());
    until(&mut window, "the images without the hint", |gallery| {
        !gallery
            .notes
            .iter()
            .any(|note| note.line.as_deref() == Some("weights = \"balanced\""))
    });
    window.press(Modifiers::COMMAND, eframe::egui::Key::Z);
    assert_eq!(weights(&window), None);
    assert_eq!(window.state().project().data.resize, Some([16, 16]));
}

#[test]
fn classes_out_of_balance_are_no_matter_of_an_autoencoder() {
    let folder = tempfile::tempdir().unwrap();
    unlike_images(&folder.path().join("set"));
    let mut project = builtin("conv-autoencoder");
    project.data.source = Source::Folder;
    project.data.resize = Some([16, 16]);
    project.data.path = Some(folder.path().join("set").display().to_string());
    let mut window = images(folder.path(), &project);
    until(&mut window, "the images", |gallery| {
        !gallery.splits.is_empty()
    });
    assert!(gallery(&window).notes.iter().any(|note| note.of_classes));
    assert!(!window.has("class usual has") && !window.has("Set weights to balanced"));
}
