//! Inputs that a beginner has at hand: images that do not fit, without validation images, of one class, in several
//! sizes, arrays and tables with a hole in them. What is wrong is told before a training, with what to do.

use crate::kit::terminal::{code, err, json, out, strata};
use std::fs;
use std::path::Path;
use strata_testkit::files::{npy, write};

/// A classifier of what `data` says, for images of this shape.
fn project(at: &Path, data: &str, input: &str, stage: &str) {
    let text = format!(
        "format = 1\ntitle = \"p\"\n[data]\n{data}\n[network]\ninput = \"{input}\"\nencoder = [\"conv 2 k1\"]\nhead = [\"flatten\", \"dense 3\"]\n[[stage]]\nname = \"c\"\ntask = \"classify\"\nloss = \"cross-entropy\"\nepochs = 1\nbatch = 4\n{stage}\n"
    );
    fs::write(at.join("p.toml"), text).unwrap();
}

/// Twelve grey images of four by four pixels in three classes, as arrays.
fn arrays(at: &Path) {
    let pixels: Vec<u8> = (0..12 * 16).map(|value| (value * 7 % 251) as u8).collect();
    let labels: Vec<u8> = (0..12).map(|label| label % 3).collect();
    write(at, "a/x_train.npy", &npy("|u1", &[12, 4, 4], &pixels));
    write(at, "a/y_train.npy", &npy("|u1", &[12], &labels));
}

#[test]
fn check_tells_what_a_training_refuses_of_the_images() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    arrays(at);
    let data = "source = \"npy\"\npath = \"a\"";
    for (data, input, stage, part) in [
        (data.to_owned(), "1x5x5", "", "the network's input is 1×5×5"),
        (
            format!("{data}\nvalid = 0"),
            "1x4x4",
            "early_stop = \"valid loss patience=1\"\n",
            "there is no valid split",
        ),
        (
            data.to_owned(),
            "1x4x4",
            "class_weights = [1, 2]",
            "weighs 2 classes",
        ),
    ] {
        project(at, &data, input, stage);
        assert_eq!(code(&strata(at, &["check", "p.toml"])), 0, "not opened");
        let checked = strata(at, &["check", "p.toml", "--images"]);
        assert_eq!(code(&checked), 2);
        let told = out(&checked);
        assert!(told.contains(part), "{told}");
        assert!(!told.contains("stage `c`: stage"), "{told}");
        let report = json(&strata(at, &["check", "p.toml", "--images", "--json"]));
        assert_eq!(report["ok"], false);
        let message = report["errors"][0]["message"].as_str().unwrap();
        let trained = strata(at, &["train", "p.toml"]);
        assert_eq!(code(&trained), 2);
        assert!(err(&trained).contains(message), "{message}");
    }
    project(at, data, "1x4x4", "");
    let checked = strata(at, &["check", "p.toml", "--images"]);
    assert_eq!(code(&checked), 0, "{}", out(&checked));
}

#[test]
fn a_run_without_images_held_back_is_measured_on_those_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    arrays(at);
    project(at, "source = \"npy\"\npath = \"a\"\nvalid = 0", "1x4x4", "");
    assert_eq!(code(&strata(at, &["train", "p.toml", "-o", "run"])), 0);
    let measured = strata(at, &["eval", "run"]);
    assert_eq!(code(&measured), 0, "{}", err(&measured));
    assert!(out(&measured).starts_with("train: loss"));
    let asked = strata(at, &["eval", "run", "--split", "valid"]);
    assert_eq!(code(&asked), 2);
    assert!(err(&asked).contains("choose one that is there: train"));
    for (name, width, height) in [("as they are.png", 4, 4), ("wide.png", 9, 5)] {
        image::GrayImage::new(width, height)
            .save(at.join(name))
            .unwrap();
    }
    let predicted = strata(at, &["predict", "run", "as they are.png", "wide.png"]);
    let note = "note: 1 of 2 images were scaled to 4×4, the size of the run's images: wide.png\n";
    assert_eq!(err(&predicted), note);
    let numbers = ["predict", "run", "wide.png", "--features", "codes.txt"];
    assert!(err(&strata(at, &numbers)).contains("a name such as codes.npy"));
}

#[test]
fn images_of_one_class_are_nothing_to_tell_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    arrays(at);
    write(at, "a/y_train.npy", &npy("|u1", &[12], &[0; 12]));
    project(at, "source = \"npy\"\npath = \"a\"", "1x4x4", "");
    let trained = strata(at, &["train", "p.toml"]);
    let told = err(&trained);
    assert!(
        told.contains("nothing to tell apart") && !told.contains("dense 1"),
        "{told}"
    );
    let described = out(&strata(at, &["data", "a"]));
    assert!(described.contains("1 class: 0"), "{described}");
    assert!(!described.contains("dense 1"), "{described}");
}

#[test]
fn a_fold_without_images_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    arrays(at);
    project(
        at,
        "source = \"npy\"\npath = \"a\"\nfold = \"40/40\"",
        "1x4x4",
        "",
    );
    let trained = strata(at, &["train", "p.toml"]);
    assert_eq!(code(&trained), 2);
    assert!(
        err(&trained).contains("40/40 holds no image: there are 12"),
        "{}",
        err(&trained)
    );
    project(
        at,
        "source = \"npy\"\npath = \"a\"\nfold = \"2/40\"",
        "1x4x4",
        "",
    );
    assert_eq!(code(&strata(at, &["train", "p.toml"])), 0);
    let many = strata(at, &["data", "npy", "--path", "a", "--set", "per_class=99"]);
    assert!(
        out(&many).contains("per_class = 99 takes no label away"),
        "{}",
        out(&many)
    );
}

#[test]
fn a_hole_in_a_table_costs_its_row_and_a_text_without_letters_is_no_label() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let row = |number: usize| {
        let pixel = |at: usize| match (number, at) {
            (4, 2) => "nan".to_owned(),
            (7, 5) => String::new(),
            _ => ((number * 31 + at * 7) % 255).to_string(),
        };
        let pixels: Vec<String> = (0..16).map(pixel).collect();
        format!("{},{}", number % 3, pixels.join(","))
    };
    let names: Vec<String> = (0..16).map(|at| format!("pixel{at}")).collect();
    let rows: Vec<String> = (0..40).map(row).collect();
    let table = format!("label,{}\n{}\n", names.join(","), rows.join("\n"));
    fs::write(at.join("t.csv"), table).unwrap();
    let described = strata(at, &["data", "t.csv"]);
    let told = out(&described);
    assert_eq!(code(&described), 0, "{}", err(&described));
    assert!(told.contains("images 1×4×4"), "{told}");
    assert!(told.contains("row 6: 'nan' is no number"), "{told}");
    assert!(told.contains("row 9: '' is no number"), "{told}");
    arrays(at);
    let labels: Vec<u8> = (0..12)
        .flat_map(|at| [*b"a\0\0\0", [0; 4]][at % 2])
        .collect();
    write(at, "a/y_train.npy", &npy("|S4", &[12], &labels));
    let described = strata(at, &["data", "a"]);
    assert_eq!(code(&described), 2);
    assert!(
        err(&described).contains("label 1 is an empty text"),
        "{}",
        err(&described)
    );
}

#[test]
fn one_small_image_does_not_decide_the_size_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for index in 0..9u32 {
        let side = if index == 5 { 1 } else { 24 };
        let image = image::RgbImage::from_pixel(side, side, image::Rgb([index as u8, 9, 7]));
        let class = at.join("f").join(if index < 4 { "a" } else { "b" });
        fs::create_dir_all(&class).unwrap();
        image.save(class.join(format!("{index}.png"))).unwrap();
    }
    let told = out(&strata(at, &["data", "f"]));
    assert!(told.contains("resize = [24, 24]"), "{told}");
}

/// What is measured, looked at or exported is a run; a beginner names the project.
#[test]
fn a_project_in_the_place_of_a_run_is_told_from_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    project(at, "source = \"shapes\"", "3x32x32", "");
    fs::create_dir(at.join("empty")).unwrap();
    for (name, part) in [
        (
            "p.toml",
            "p.toml is a project file, not the folder of a run",
        ),
        ("lenet-mnist", "lenet-mnist is a built-in project"),
        ("empty", "empty is no folder of a run"),
        ("gone", "there is no folder gone"),
    ] {
        for command in [
            &["eval", name][..],
            &["predict", name, "image.png"],
            &["inspect", name, "filters"],
            &["inspect", name, "loss"],
            &["export", name, "--to", "onnx"],
            &["replay", name],
            &["control", name],
        ] {
            let told = strata(at, command);
            assert_eq!(code(&told), 2, "{command:?}");
            let text = err(&told);
            assert!(
                text.contains(part) && text.contains("such as runs/NAME-1"),
                "{command:?}: {text}"
            );
        }
    }
    let number = strata(at, &["train", "p.toml", "--epochs", "many"]);
    assert_eq!(code(&number), 2);
    let text = err(&number);
    assert!(
        text.contains("write a whole number") && !text.contains("digit"),
        "{text}"
    );
}

/// What is written as JSON holds paths, and a folder's name need not be UTF-8.
#[cfg(unix)]
#[test]
fn sweeps_comparisons_and_branches_lie_in_folders_of_any_name() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let at = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"m\xfcller"));
    fs::create_dir(&at).unwrap();
    arrays(&at);
    let sweep = "[sweep]\nstage.0.lr = [1e-3, 1e-2]";
    project(&at, "source = \"npy\"\npath = \"a\"", "1x4x4", sweep);
    for command in [
        &["sweep", "p.toml", "-o", "s", "--jobs", "1"][..],
        &["sweep", "s", "--json"],
        &["report", "s"],
        &["train", "p.toml", "-o", "one"],
        &["train", "one", "--checkpoint", "last", "-o", "two"],
        &["eval", "two"],
        &["compare", "one", "two", "--json"],
    ] {
        let done = strata(&at, command);
        assert_eq!(code(&done), 0, "{command:?}: {}", err(&done));
    }
    let compared = json(&strata(&at, &["compare", "one", "two", "--json"]));
    assert_eq!(compared["entries"][0]["path"], "one");
}

#[test]
fn a_stage_that_trains_on_images_kept_out_reports_what_eval_measures() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    arrays(at);
    let data = "source = \"npy\"\npath = \"a\"\nvalid = 0.34\ntest = 0.34";
    for (split, more) in [
        ("test", ""),
        ("valid", ""),
        ("test", "checkpoints = \"best restored\"\n"),
    ] {
        let stage = format!("split = \"{split}\"\noptimizer = \"sgd lr=0.5\"\n{more}");
        project(at, data, "1x4x4", &stage.replace("epochs = 1", ""));
        let args = ["train", "p.toml", "--epochs", "3", "--json"];
        let trained = strata(at, &args);
        assert_eq!(code(&trained), 0, "{}", err(&trained));
        let trained = json(&trained);
        let run = trained["run"].as_str().unwrap();
        let measured = json(&strata(at, &["eval", run, "--split", split, "--json"]));
        for figure in ["loss", "accuracy"] {
            assert_eq!(
                trained[split][figure], measured[split][figure],
                "{split} {more}: {trained} {measured}"
            );
        }
    }
}
