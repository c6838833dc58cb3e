//! What the terminal promises: exit codes, JSON that stays, results on standard output.

use crate::kit::PATIENCE;
use crate::kit::runs;
use crate::kit::terminal::{code, err, json, out, strata};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use strata::project::builtin;
use strata::shape::infer;

/// A folder with the tiny project, its texts replaced.
fn with_project(changes: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = changes
        .iter()
        .fold(runs::TINY.to_owned(), |text, (from, to)| {
            text.replacen(from, to, 1)
        });
    std::fs::write(folder.path().join("tiny.toml"), text).unwrap();
    folder
}

#[test]
fn new_lists_and_writes_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let list = strata(folder.path(), &["new"]);
    assert_eq!((code(&list), out(&list).lines().count() >= 5), (0, true));
    let written = strata(folder.path(), &["new", "keras-cifar"]);
    assert_eq!(
        (code(&written), out(&written).trim()),
        (0, "keras-cifar.toml")
    );
    let again = strata(folder.path(), &["new", "keras-cifar"]);
    assert_eq!(code(&again), 2);
    assert!(err(&again).contains("exists already") && out(&again).is_empty());
    assert_eq!(
        code(&strata(folder.path(), &["new", "keras-cifar", "--force"])),
        0
    );
    let near = strata(folder.path(), &["new", "keras-cifr", "-o", "x.toml"]);
    assert!(code(&near) == 2 && err(&near).contains("did you mean `keras-cifar`?"));
}

#[test]
fn check_prints_the_keras_network() {
    let folder = tempfile::tempdir().unwrap();
    let output = strata(folder.path(), &["check", "keras-cifar"]);
    assert_eq!(code(&output), 0);
    let text = out(&output);
    for part in [
        "122,570",
        "32×30×30",
        "32×15×15",
        "64×13×13",
        "64×6×6",
        "64×4×4",
        "1024",
        " 64 ",
        " 10 ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let value = json(&strata(folder.path(), &["check", "keras-cifar", "--json"]));
    assert_eq!(
        (&value["ok"], &value["totals"]["parameters"]),
        (&Value::Bool(true), &Value::from(122_570))
    );
    assert_eq!(value["output_equals_input"], Value::Null);
    let first = &value["layers"][0];
    assert_eq!(
        (first["stack"].as_str(), first["index"].as_u64()),
        (Some("encoder"), Some(0))
    );
    assert_eq!(first["output"], serde_json::json!([32, 30, 30]));
    assert_eq!(first["receptive_field"], serde_json::json!([3, 3]));
    assert_eq!(
        (first["parameters"].as_u64(), first["macs"].as_u64()),
        (Some(896), Some(777_600))
    );
    assert_eq!(value["errors"], serde_json::json!([]));
}

#[test]
fn a_layer_is_printed_as_arithmetic() {
    let folder = with_project(&[]);
    let text = out(&strata(folder.path(), &["lens", "tiny.toml", "encoder.0"]));
    for part in [
        "⌊(N + 2p − d(k − 1) − 1)/s⌋ + 1 = ⌊(16 + 2·1 − 1·(3 − 1) − 1)/2⌋ + 1 = ⌊15/2⌋ + 1 = 8",
        "output (1, 1): 0·1 + 0·0 + 0·(−1)",
        "a = w(1, 1) = 1",
        "its transpose is the layer `convt 3 k3 s2 p1 op1`",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let value = json(&strata(
        folder.path(),
        &["lens", "tiny.toml", "decoder.0", "--json"],
    ));
    assert_eq!(value["formulas"][0]["result"], "16");
    assert_eq!(value["sample"]["kernel"]["size"], serde_json::json!([4, 4]));
    let folder = with_project(&[("\"conv 6 k3 s2 p1\"", "\"conv 6 k30\"")]);
    let broken = strata(folder.path(), &["lens", "tiny.toml", "encoder.0"]);
    assert!(
        code(&broken) == 2 && out(&broken).contains("error: kernel 30×30"),
        "{}",
        out(&broken)
    );
}

#[test]
fn check_points_at_every_error() {
    let folder = with_project(&[("\"conv 6 k3 s2 p1\"", "{ add = [[\"conf 6\"], []] }")]);
    let output = strata(folder.path(), &["check", "tiny.toml"]);
    assert_eq!(code(&output), 2);
    let text = out(&output);
    for part in ["^^^^", "tiny.toml, line 12: ", "help: "] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let value = json(&strata(folder.path(), &["check", "tiny.toml", "--json"]));
    assert_eq!(value["ok"], Value::Bool(false));
    let error = &value["errors"][0];
    assert_eq!(
        (error["stack"].as_str(), error["index"].as_str()),
        (Some("encoder"), Some("0.0.0"))
    );
    assert!(error["message"].is_string() && error["help"].is_array());
}

#[test]
fn wrong_projects_have_exit_code_2() {
    let folder = with_project(&[("format = 1", "format = 9")]);
    let newer = strata(folder.path(), &["check", "tiny.toml"]);
    assert!(
        code(&newer) == 2 && err(&newer).contains("format 9"),
        "{}",
        err(&newer)
    );
    for args in [
        &["check", "nothing"][..],
        &["train", "nothing"],
        &["fly"],
        &["train"],
        &["eval", "nothing"],
    ] {
        assert_eq!(code(&strata(folder.path(), args)), 2, "{args:?}");
    }
    let folder = with_project(&[]);
    for setting in ["sead=3", "stage.7.batch=3", "seed"] {
        let output = strata(folder.path(), &["train", "tiny.toml", "--set", setting]);
        assert!(
            code(&output) == 2 && err(&output).contains(&format!("--set {setting}")),
            "{}",
            err(&output)
        );
    }
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn train_eval_and_inspect_work_on_one_run() {
    let folder = with_project(&[]);
    let at = folder.path();
    let train = strata(
        at,
        &[
            "train",
            "tiny.toml",
            "-o",
            "run",
            "--epochs",
            "1",
            "--set",
            "stage.labels.batch=8",
            "--json",
        ],
    );
    assert_eq!(code(&train), 0, "{}", err(&train));
    let value = json(&train);
    let shown = json(&strata(at, &["eval", "run", "--json"]));
    for metric in ["accuracy", "log_loss"] {
        assert!(value["test"][metric].is_f64(), "{value}");
        assert_eq!(
            value["test"][metric], shown["test"][metric],
            "eval measures what training measured"
        );
    }
    assert!(
        shown["test"]["mse"].is_f64(),
        "both tasks are measured: {shown}"
    );
    assert_eq!(
        shown["test"]["confusion"].as_array().map(Vec::len),
        Some(10)
    );
    assert_eq!(value["run"], "run");
    assert!(value["seconds"].is_f64() && value["images_per_second"].is_f64());
    assert!(
        std::fs::read_to_string(at.join("run/project.toml"))
            .unwrap()
            .contains("batch = 8")
    );
    for what in ["filters", "reconstructions", "loss", "accuracy"] {
        let file = format!("run/{what}.png");
        let output = strata(at, &["inspect", "run", what]);
        assert_eq!(
            (code(&output), out(&output).trim()),
            (0, file.as_str()),
            "{}",
            err(&output)
        );
        assert!(
            std::fs::read(at.join(&file))
                .unwrap()
                .starts_with(b"\x89PNG")
        );
    }
    let own = strata(
        at,
        &[
            "inspect",
            "run",
            "reconstructions",
            "--image",
            "run/filters.png",
            "-o",
            "own.png",
        ],
    );
    assert_eq!(code(&own), 0, "{}", err(&own));
    let seen = json(&strata(
        at,
        &[
            "inspect", "run", "saliency", "--class", "disc", "-o", "map.png", "--json",
        ],
    ));
    assert_eq!(
        (
            seen["images"].as_array().map(Vec::len),
            &seen["images"][0]["class"]
        ),
        (Some(16), &"disc".into())
    );
    assert_eq!(seen["images"][0]["top"].as_array().map(Vec::len), Some(3));
    let own = strata(
        at,
        &["inspect", "run", "saliency", "--image", "run/filters.png"],
    );
    assert_eq!(
        (code(&own), out(&own).trim()),
        (0, "run/saliency.png"),
        "{}",
        err(&own)
    );
    let means = json(&strata(at, &["inspect", "run", "sparse-code", "--json"]));
    assert_eq!(
        (means["means"].as_array().map(Vec::len), &means["target"][0]),
        (Some(6), &0.1.into())
    );
    assert!(means["penalty"].is_f64() && at.join("run/sparse-code.png").exists());
    let pixel = json(&strata(
        at,
        &[
            "inspect",
            "run",
            "pixel",
            "--layer",
            "encoder.0",
            "--at",
            "2,3,4",
            "--json",
        ],
    ));
    let [value, network] = ["value", "network"].map(|key| pixel[key].as_f64().unwrap());
    assert!(
        (value - network).abs() <= 1e-4 * network.abs().max(0.05),
        "{pixel}"
    );
    assert_eq!(
        (&pixel["at"], pixel["parts"].as_array().map(Vec::len)),
        (&serde_json::json!([2, 3, 4]), Some(3))
    );
    let text = strata(
        at,
        &[
            "inspect",
            "run",
            "pixel",
            "--layer",
            "head.2",
            "--image",
            "run/filters.png",
        ],
    );
    assert!(
        out(&text).contains("the network has ") && out(&text).contains("others"),
        "{}{}",
        out(&text),
        err(&text)
    );
    let valid = strata(at, &["eval", "run", "--split", "valid"]);
    assert!(out(&valid).starts_with("valid: loss"), "{}", out(&valid));
    assert_eq!(code(&strata(at, &["eval", "run", "--split", "nothing"])), 2);
    let text = strata(at, &["train", "run", "--resume", "--epochs", "2"]);
    assert!(
        code(&text) == 0 && out(&text).contains("test: loss"),
        "{}",
        err(&text)
    );
}

#[test]
fn only_stages_that_were_trained_are_measured() {
    let folder = with_project(&[]);
    let at = folder.path();
    let train = strata(
        at,
        &[
            "train",
            "tiny.toml",
            "-o",
            "run",
            "--epochs",
            "1",
            "--stage",
            "labels",
        ],
    );
    assert_eq!(code(&train), 0, "{}", err(&train));
    let shown = json(&strata(at, &["eval", "run", "--json"]));
    assert!(
        shown["test"]["accuracy"].is_f64() && shown["test"]["mse"].is_null(),
        "{shown}"
    );
    let project = at.join("run/project.toml");
    let text = std::fs::read_to_string(&project).unwrap();
    std::fs::write(&project, text.replacen("seed = ", "seed = 1", 1)).unwrap();
    assert!(err(&strata(at, &["eval", "run"])).contains("warning: the images are not the ones"));
}

#[test]
fn what_cannot_be_is_said_with_what_can() {
    let folder = with_project(&[]);
    let at = folder.path();
    assert_eq!(
        code(&strata(
            at,
            &["train", "tiny.toml", "-o", "run", "--epochs", "1"]
        )),
        0
    );
    std::fs::create_dir(at.join("plain")).unwrap();
    std::fs::copy(at.join("tiny.toml"), at.join("plain/project.toml")).unwrap();
    for (args, part) in [
        (&["swoop", "tiny.toml"][..], "there is no command `swoop`"),
        (&["eval", "run", "--checkpoint", "bets"], "this run has: "),
        (&["inspect", "run", "filters", "-o", "x.txt"], "-o x.png"),
        (
            &["inspect", "run", "saliency", "--class", "zebra"],
            "there is no class `zebra`; there is ",
        ),
        (
            &["inspect", "run", "saliency", "--image", "tiny.toml"],
            "tiny.toml",
        ),
        (
            &["inspect", "run", "filters", "--class", "1"],
            "--class is for saliency",
        ),
        (
            &["inspect", "run", "dynamics", "--image", "x.png"],
            "--image is for",
        ),
        (&["inspect", "run", "pixel"], "write --layer encoder.0"),
        (
            &["inspect", "run", "pixel", "--layer", "encoder.9"],
            "no layer encoder.9",
        ),
        (
            &[
                "inspect",
                "run",
                "pixel",
                "--layer",
                "encoder.0",
                "--at",
                "1,2",
            ],
            "--at C,Y,X",
        ),
        (
            &[
                "inspect",
                "run",
                "pixel",
                "--layer",
                "encoder.0",
                "--at",
                "1,2,99",
            ],
            "outside of the output 6×8×8",
        ),
        (
            &["inspect", "run", "loss", "--layer", "encoder.0"],
            "--layer is for",
        ),
        (
            &["lens", "tiny.toml", "encoder.9"],
            "there is no layer `encoder.9`",
        ),
        (
            &["inspect", "run", "filters", "-o", "no/x.png"],
            "cannot write no/x.png: No such file or directory (is the",
        ),
        (
            &["new", "keras-cifar", "-o", "no/x.toml"],
            "cannot write no/x.toml: No such file",
        ),
        (&["train", "plain", "--resume"], "plain is not a run"),
        (
            &["train", "tiny.toml", "-o", "plain"],
            "holds a project.toml already",
        ),
    ] {
        let output = strata(at, args);
        assert!(
            code(&output) == 2 && err(&output).contains(part),
            "{args:?}: {}",
            err(&output)
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn training_goes_on_when_nobody_can_be_told() {
    let folder = with_project(&[]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_strata"));
    command.env("STRATA_LOG", "off");
    command
        .env("STRATA_LOG", "off")
        .current_dir(folder.path())
        .args(["train", "tiny.toml", "-o", "run", "--epochs", "1"]);
    let output = command
        .stderr(std::fs::File::create("/dev/full").unwrap())
        .output()
        .unwrap();
    assert!(
        code(&output) == 0 && out(&output).contains("run: run"),
        "{}",
        out(&output)
    );
}

#[cfg(unix)]
#[test]
fn an_interrupt_saves_a_checkpoint_and_says_how_to_go_on() {
    for signal in ["-INT", "-TERM"] {
        interrupt(signal);
    }
}

#[cfg(unix)]
fn interrupt(signal: &str) {
    let folder = with_project(&[("epochs = 2", "epochs = 100000")]);
    let at = folder.path();
    // A pipe that nobody reads would fill up and stop the training.
    let messages = at.join("messages.txt");
    let mut child = with_usual_signals()
        .current_dir(at)
        .args(["train", "tiny.toml", "-o", "run"])
        .stderr(std::fs::File::create(&messages).unwrap())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let trained = at.join("run/probe/stage-1-epoch-0001.safetensors");
    until("a trained epoch", &mut child, |_| trained.exists());
    // The shell's own `kill`: a bare system has no program of that name.
    Command::new("sh")
        .args(["-c", &format!("kill {signal} {}", child.id())])
        .status()
        .unwrap();
    until("an end", &mut child, |child| {
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let text = std::fs::read_to_string(messages).unwrap();
    assert!(text.contains("strata train run --resume"), "{text}");
    assert!(at.join("run/checkpoints/last.safetensors").is_file());
}

/// Waits, but not for ever: a training that does not stop is killed.
#[cfg(unix)]
fn until(what: &str, child: &mut Child, holds: impl Fn(&mut Child) -> bool) {
    let start = Instant::now();
    while !holds(child) {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("no {what} within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The program, which obeys hangups and interrupts even where nohup or a script in the background has the tests
/// ignore them.
#[cfg(unix)]
fn with_usual_signals() -> Command {
    let program = env!("CARGO_BIN_EXE_strata");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = mask.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    if ignored & 0b11 == 0 {
        let mut command = Command::new(program);
        command.env("STRATA_LOG", "off");
        return command;
    }
    let mut command = Command::new("env");
    command.env("STRATA_LOG", "off");
    command.args(["--default-signal=HUP,INT", program]);
    command
}

#[test]
fn data_counts_what_a_source_has() {
    let folder = tempfile::tempdir().unwrap();
    let value = json(&strata(folder.path(), &["data", "shapes", "--json"]));
    assert_eq!(value["shape"], serde_json::json!([3, 32, 32]));
    assert!(value["classes"].as_array().unwrap().len() >= 10);
    let train = &value["splits"]["train"];
    assert!(
        train["images"].is_u64()
            && train["labelled"] == Value::Bool(true)
            && train["per_class"].is_array()
    );
    assert_eq!(value["skipped"], serde_json::json!([]));
    let missing = strata(folder.path(), &["data", "mnist", "--path", "nowhere"]);
    assert!(
        code(&missing) == 2 && err(&missing).contains("nowhere"),
        "{}",
        err(&missing)
    );
}

fn grey_image(path: &Path, [height, width]: [u32; 2], shade: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::GrayImage::from_fn(width, height, |x, y| {
        image::Luma([shade + (x * 3 + y * 5) as u8])
    })
    .save(path)
    .unwrap();
}

#[test]
fn data_describes_what_training_could_not_use_yet() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..8u32 {
        let class = if number < 6 { "cat" } else { "dog" };
        let path = folder
            .path()
            .join(format!("set/train/{class}/{number}.png"));
        grey_image(&path, [20 + number / 4, 30], number as u8);
    }
    fs::write(folder.path().join("set/train/cat/IMG_1.HEIC"), "x").unwrap();
    fs::write(folder.path().join("set/train/cat/.DS_Store"), "x").unwrap();
    let args = ["data", "folder", "--path", "set"];
    let output = strata(folder.path(), &args);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let words: Vec<String> = out(&output).split_whitespace().map(str::to_owned).collect();
    let text = words.join(" ");
    for part in [
        "images 1×20×30",
        "20×30 4 files",
        "21×30 4 files",
        "the files have 2 sizes, and training needs one: write resize = [20, 30] under [data]",
        "cat, dog",
        "a HEIC photograph, which is not read",
        "passed over: 1 file (.DS_Store): hidden",
        "pillow_heif.register_heif_opener()",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    let value = json(&strata(folder.path(), &[&args[..], &["--json"]].concat()));
    assert_eq!(value["proposal"], "resize = [20, 30]");
    assert_eq!(value["sizes"][0]["images"], 4);
    assert_eq!(value["skipped"].as_array().unwrap().len(), 1);
    assert_eq!(value["passed_over"].as_array().unwrap().len(), 1);
    assert!(value["hash"].is_null());
}

#[test]
fn data_hints_at_classes_out_of_balance() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..20u32 {
        let class = if number < 16 { "cat" } else { "dog" };
        let path = folder
            .path()
            .join(format!("set/train/{class}/{number}.png"));
        grey_image(&path, [8, 8], number as u8);
    }
    let args = ["data", "folder", "--path", "set", "--set", "valid=0"];
    let text = out(&strata(folder.path(), &args));
    assert!(text.contains("cat 16, dog 4"), "{text}");
    let hint = "note: class cat has 16 images for training, class dog has 4: write weights = \"balanced\" under [data]";
    assert!(text.contains(hint), "{text}");
    let balanced = [&args[..], &["--set", "weights=balanced"]].concat();
    let text = out(&strata(folder.path(), &balanced));
    assert!(!text.contains("write weights"), "{text}");
}

#[test]
fn bench_measures_the_cases_that_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let bench = |args: &[&str]| strata(folder.path(), &[&["bench", "--steps", "1"], args].concat());
    let output = bench(&[
        "--cases",
        "sparse-ae,infer-b1",
        "--threads",
        "1",
        "--device",
        "cpu",
        "--json",
    ]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let value = json(&output);
    assert_eq!(
        value.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["infer-b1", "sparse-ae"]
    );
    for case in ["sparse-ae", "infer-b1"] {
        for key in [
            "step_ms",
            "forward_ms",
            "backward_ms",
            "loss_ms",
            "update_ms",
            "gflops",
            "percent_of_peak",
        ] {
            assert!(value[case][key].is_f64(), "{case} {key}: {value}");
        }
    }
    // Images, outputs and gradients of 1000 patches are the least that a step can hold.
    assert!(
        value["sparse-ae"]["peak_bytes"].as_u64().unwrap() > 3 * 1000 * 192 * 4,
        "{value}"
    );
    assert!(
        value["infer-b1"]["gflops"].as_f64().unwrap() > 0.0
            && value["infer-b1"]["backward_ms"] == 0.0
    );
    let table = bench(&["--cases", "infer-b1"]);
    assert!(
        out(&table).contains("GFLOP/s")
            && out(&table).lines().last().unwrap().starts_with("infer-b1")
    );
    for (args, part) in [
        (&["--cases", "infer-b2"][..], "did you mean `infer-b1`?"),
        (&["--threads", "0"], "write a number from 1 on"),
        (&["--device", "cuda:x"], "no device `cuda:x`"),
        (&["--scaling", "--cases", "infer-b1"], "cannot be used with"),
    ] {
        let output = bench(args);
        assert!(
            code(&output) == 2 && err(&output).contains(part),
            "{args:?}: {}",
            err(&output)
        );
    }
}

#[test]
fn bench_measures_the_layers_of_any_project() {
    let folder = tempfile::tempdir().unwrap();
    let bench = |args: &[&str]| strata(folder.path(), &[&["bench"], args].concat());
    let text = out(&bench(&[
        "unet",
        "--steps",
        "3",
        "--set",
        "stage.0.batch=4",
    ]));
    assert!(
        text.contains("roofs: products ") && text.contains("% of bandwidth"),
        "{text}"
    );
    let output = bench(&[
        "resnet-18",
        "--steps",
        "3",
        "--set",
        "stage.0.batch=2",
        "--json",
    ]);
    let report = json(&output);
    let layers = report["layers"].as_array().unwrap();
    let project = builtin::find("resnet-18").unwrap().project().unwrap();
    for row in infer(&project.network).rows {
        let named = layers
            .iter()
            .filter(|layer| layer["layer"] == row.place.to_string());
        assert_eq!(named.count(), 1, "{}", row.place);
    }
    let of = |value: &Value, key: &str| value[key].as_f64().unwrap();
    let parts = |layer| {
        ["forward_ms", "backward_ms", "update_ms"]
            .map(|key| of(layer, key))
            .iter()
            .sum::<f64>()
    };
    let sum: f64 = layers.iter().map(parts).sum::<f64>() + of(&report, "loss_ms");
    let step = of(&report, "step_ms");
    assert!(sum > 0.7 * step && sum < 1.3 * step, "{sum} of {step}");
    for roof in ["gflops", "gigabytes"] {
        assert!(of(&report["roofs"], roof) > 0.1, "{report}");
    }
    for (args, wanted) in [
        (&["unett"][..], "unett"),
        (&["unet", "--cases", "vgg-96"], "--cases means nothing"),
        (&["unet", "--stage", "second"], "there is no stage `second`"),
        (&["--stage", "0"], "--stage means nothing"),
    ] {
        let output = bench(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(err(&output).contains(wanted), "{args:?}: {}", err(&output));
    }
}

#[test]
fn bench_measures_how_images_are_fed() {
    let folder = tempfile::tempdir().unwrap();
    let batch = folder.path().join("pictures/augment-32/data_batch_1.bin");
    std::fs::create_dir_all(batch.parent().unwrap()).unwrap();
    std::fs::write(&batch, [3; 3073 * 130]).unwrap();
    let bench = |args: &[&str]| {
        strata(
            folder.path(),
            &[&["bench", "data", "--data", "pictures"], args].concat(),
        )
    };
    let few = [
        "--cases",
        "training,augment-32",
        "--steps",
        "1",
        "--threads",
        "1",
    ];
    let output = bench(&[&few[..], &["--json"]].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    let value = json(&output);
    assert_eq!(
        value.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["augment-32", "training"]
    );
    assert_eq!(
        (
            &value["augment-32"]["images"],
            &value["augment-32"]["epochs"]
        ),
        (&130.into(), &"later".into())
    );
    assert_eq!(
        value["augment-32"]["images_per_second"],
        value["augment-32"]["later"]
    );
    for key in ["images_per_second", "in_memory", "percent"] {
        assert!(
            value["training"][key].as_f64().unwrap() > 0.0,
            "{key}: {value}"
        );
    }
    let table = bench(&few);
    assert!(
        out(&table).lines().last().unwrap().ends_with(" %") && out(&table).contains(" *"),
        "{}",
        out(&table)
    );
    std::fs::write(&batch, "short").unwrap();
    for (args, part) in [
        (&few[..], "data_batch_1.bin"),
        (&["--cases", "trainin"], "did you mean `training`?"),
    ] {
        let output = bench(args);
        assert!(
            code(&output) == 2 && err(&output).contains(part),
            "{args:?}: {}",
            err(&output)
        );
    }
    for idle in [
        &["--data", "pictures"][..],
        &["headless", "--cases", "infer-b1"],
        &["data", "--scaling"],
        &["data", "--project", "lenet-mnist"],
        &["headless", "--set", "stage.0.batch=8"],
    ] {
        let output = strata(folder.path(), &[&["bench"], idle].concat());
        assert!(
            code(&output) == 2 && err(&output).contains("means nothing"),
            "{idle:?}: {}",
            err(&output)
        );
    }
}

#[test]
fn without_a_display_it_trains_and_leaves_a_report() {
    let folder = with_project(&[]);
    let output = strata(folder.path(), &["tiny.toml"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(
        err(&output).lines().next().unwrap().contains("no display"),
        "{}",
        err(&output)
    );
    let report = std::fs::read_to_string(folder.path().join(out(&output).trim())).unwrap();
    for part in [
        "<svg",
        "data:image/png;base64,",
        "conv 6 k3 s2 p1",
        "output 3×16×16 = input 3×16×16",
    ] {
        assert!(report.contains(part), "{part}");
    }
}

const SHORT: &str = r#"format = 1
title = "a row short"
[network]
input = "3x32x32"
encoder = ["conv 8 k3 s2 p1", "relu"]
decoder = ["convt 3 k3 s2 p1", "sigmoid"]
[[stage]]
name = "train"
task = "reconstruct"
loss = "mse"
epochs = 1
batch = 8
"#;

#[test]
fn solve_proposes_diffs_and_writes_the_one_that_is_picked() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("short.toml"), SHORT).unwrap();
    let text = out(&strata(folder.path(), &["solve", "short.toml"]));
    assert!(text.contains("- decoder.0    convt 3 k3 s2 p1\n"), "{text}");
    assert!(
        text.contains("+ decoder.0    convt 3 k3 s2 p1 op1\n"),
        "{text}"
    );
    let done = strata(folder.path(), &["solve", "short.toml", "-o", "exact.toml"]);
    assert_eq!(done.status.code(), Some(0));
    let check = json(&strata(folder.path(), &["check", "exact.toml", "--json"]));
    assert_eq!(check["output_equals_input"], true);
    let again = strata(folder.path(), &["solve", "short.toml", "-o", "exact.toml"]);
    assert_eq!(
        again.status.code(),
        Some(2),
        "a file is not replaced unasked"
    );
    assert_eq!(
        strata(
            folder.path(),
            &["solve", "short.toml", "-o", "other.toml", "--pick", "99"]
        )
        .status
        .code(),
        Some(2)
    );
    assert!(!folder.path().join("other.toml").exists());
}

/// The fields that DESIGN promises to those who read JSON.
#[test]
fn solve_as_json_has_the_edits_and_both_stacks() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("short.toml"), SHORT).unwrap();
    let value = json(&strata(folder.path(), &["solve", "short.toml", "--json"]));
    let first = &value["solutions"][0];
    let edit = serde_json::json!({"stack": "decoder", "index": 0, "from": "convt 3 k3 s2 p1", "to": "convt 3 k3 s2 p1 op1"});
    assert_eq!(first["edits"][0], edit);
    assert_eq!(
        first["encoder"],
        serde_json::json!(["conv 8 k3 s2 p1", "relu"])
    );
    assert_eq!(
        first["decoder"],
        serde_json::json!(["convt 3 k3 s2 p1 op1", "sigmoid"])
    );
}

#[test]
fn solve_mirrors_and_reaches_other_aims() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("short.toml"), SHORT).unwrap();
    let mirrored = json(&strata(
        folder.path(),
        &["solve", "short.toml", "--mirror", "--json"],
    ));
    assert_eq!(
        mirrored["solutions"][0]["decoder"],
        serde_json::json!(["convt 3 k3 s2 p1 op1", "sigmoid"])
    );
    let small = json(&strata(
        folder.path(),
        &["solve", "deep-autoencoder", "--code", "64", "--json"],
    ));
    assert!(!small["solutions"].as_array().unwrap().is_empty());
    let locked = SHORT.replace(
        "[network]",
        "[network]\nlocked = [\"encoder\", \"decoder\"]",
    );
    std::fs::write(folder.path().join("locked.toml"), locked).unwrap();
    let none = strata(folder.path(), &["solve", "locked.toml"]);
    assert_eq!(none.status.code(), Some(1));
    let told = out(&none);
    assert!(
        told.starts_with("No 3 edits or fewer make the output equal the input: tried were kernels"),
        "{told}"
    );
}

/// Rows that no input reaches are marked in a solution, and `check` warns of the layer that makes them.
#[test]
fn constant_borders_are_told_in_text_and_json() {
    let folder = tempfile::tempdir().unwrap();
    let dead = SHORT.replace("3x32x32", "3x6x6").replace(" s2 p1", " s2");
    std::fs::write(folder.path().join("dead.toml"), &dead).unwrap();
    let value = json(&strata(folder.path(), &["solve", "dead.toml", "--json"]));
    let solutions = value["solutions"].as_array().unwrap();
    assert_eq!(solutions[0]["constant_border"], false);
    let marked = solutions
        .iter()
        .find(|solution| solution["decoder"][0] == "convt 3 k3 s2 op1")
        .unwrap();
    assert_eq!(marked["constant_border"], true);
    let side = serde_json::json!({"before": 0, "between": 0, "after": 1});
    assert_eq!(marked["unreached"], serde_json::json!([side, side]));
    let text = out(&strata(folder.path(), &["solve", "dead.toml"]));
    let note = "constant border: no input reaches the output's last row and last column";
    assert!(text.contains(note), "{text}");
    let applied = dead.replace("convt 3 k3 s2", "convt 3 k3 s2 op1");
    std::fs::write(folder.path().join("applied.toml"), applied).unwrap();
    let checked = out(&strata(folder.path(), &["check", "applied.toml"]));
    let warning = "a constant border: no input reaches its last row and last column, which are the same for every image";
    assert!(checked.contains(warning), "{checked}");
    let value = json(&strata(folder.path(), &["check", "applied.toml", "--json"]));
    let warnings = value["warnings"].as_array().unwrap();
    let told = warnings
        .iter()
        .find(|problem| problem["message"] == warning)
        .unwrap();
    assert_eq!(
        (&told["stack"], &told["index"]),
        (&"decoder".into(), &0.into())
    );
}

/// A norm over the image makes every value depend on the whole image.
#[test]
fn the_field_behind_a_norm_over_the_image_is_the_whole_image() {
    let folder = tempfile::tempdir().unwrap();
    for norm in ["groupnorm 2", "layernorm"] {
        let normed = SHORT.replace("\"relu\"", &format!("\"{norm}\", \"conv 8 k3 p1\""));
        std::fs::write(folder.path().join("normed.toml"), normed).unwrap();
        let value = json(&strata(folder.path(), &["check", "normed.toml", "--json"]));
        let field = |layer: usize| value["layers"][layer]["receptive_field"].clone();
        assert_eq!(field(0), serde_json::json!([3, 3]));
        assert_eq!(field(1), serde_json::json!([32, 32]), "{norm}");
        assert_eq!(field(2), serde_json::json!([32, 32]), "{norm}");
        let text = out(&strata(folder.path(), &["check", "normed.toml"]));
        assert!(text.contains("32×32"), "{text}");
    }
}

/// Where there is no display the window that is measured says so, as any window does.
#[cfg(target_os = "linux")]
#[test]
fn the_window_is_measured_on_the_thread_where_windows_live() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_strata"))
        .args(["bench", "window"])
        .current_dir(folder.path())
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .env("STRATA_LOG", "off")
        .env("DISPLAY", ":4711")
        .output()
        .unwrap();
    let told = err(&output);
    assert!(told.contains("there is no display"), "{told}");
}
