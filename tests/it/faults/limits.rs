//! Limits of the machine and of the shell, and files made to exceed them.

use super::{refused, shell, trained, with_project};
use crate::kit::runs;
use crate::kit::terminal::err;
use std::path::Path;
use strata_testkit::files::{gzip, idx, write};

#[test]
fn a_run_whose_project_grew_too_large_is_refused_before_memory_is_taken() {
    let folder = trained();
    let project = folder.path().join("run/project.toml");
    let text = std::fs::read_to_string(&project).unwrap();
    for (from, to, told) in [
        (
            "conv 6 k3 s2 p1",
            "conv 1073741824 k3 s2 p1",
            "project.toml was changed",
        ),
        (
            "\"relu\"",
            "\"upsample 4000\", \"maxpool 4000\", \"upsample 3000\", \"maxpool 3000\"",
            "does not fit",
        ),
    ] {
        assert!(text.contains(from), "{text}");
        std::fs::write(&project, text.replace(from, to)).unwrap();
        refused(
            &shell(folder.path(), "ulimit -v 3000000; strata eval run"),
            told,
        );
        refused(
            &shell(
                folder.path(),
                "ulimit -v 3000000; strata inspect run saliency",
            ),
            told,
        );
    }
}

#[cfg(unix)]
#[test]
fn limits_of_the_shell_are_told() {
    let folder = with_project();
    let at = folder.path();
    let train = shell(at, "ulimit -f 8; strata train tiny.toml -o small");
    refused(&train, "ulimit -f");
    let text = runs::TINY.replace(
        "\"conv 6 k3 s2 p1\"",
        "\"conv 400000 k3 s2 p1\", \"conv 6 k1\"",
    );
    std::fs::write(at.join("large.toml"), text).unwrap();
    refused(
        &shell(at, "ulimit -v 2000000; strata train large.toml -o large"),
        "MiB are free",
    );
    assert!(!at.join("large").exists());
    // Without a thread to compute with there is one sentence; as root the limit of processes does not hold.
    let check = shell(at, "ulimit -u 1; strata check tiny.toml");
    assert!(
        matches!(check.status.code(), Some(0 | 2)),
        "{:?} {}",
        check.status,
        err(&check)
    );
}

#[cfg(unix)]
#[test]
fn deep_nesting_needs_no_stack_of_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let depth = 25;
    let open = "{ add = [[".repeat(depth);
    let close = "], []] }".repeat(depth);
    let text =
        format!("format = 1\n[network]\ninput = \"1x8x8\"\nencoder = [{open}\"relu\"{close}]\n");
    std::fs::write(folder.path().join("deep.toml"), text).unwrap();
    let checked = |stack: &str| {
        let output = shell(
            folder.path(),
            &format!("ulimit -s {stack}; strata check deep.toml"),
        );
        assert!(output.status.code().is_some(), "{}", err(&output));
        assert!(!err(&output).contains("panicked"), "{}", err(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    // An unoptimised build reads its arguments with more than the 128 kB that a release does with.
    let (small, usual) = (checked("512"), checked("8192"));
    assert!(small.matches("add").count() >= depth, "{small}");
    assert_eq!(small, usual);
}

#[cfg(unix)]
#[test]
fn a_packed_file_that_does_not_fit_the_memory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = idx(&[600, 1000, 1000], &[]);
    let packed = {
        use std::io::Write;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&whole).unwrap();
        (0..600).for_each(|_| packer.write_all(&[0; 1_000_000]).unwrap());
        packer.finish().unwrap()
    };
    write(folder.path(), "mnist/train-images-idx3-ubyte.gz", &packed);
    refused(
        &shell(
            folder.path(),
            "ulimit -v 700000; strata data mnist --path mnist",
        ),
        "of memory",
    );
}

#[cfg(unix)]
#[test]
fn huge_empty_files_of_a_run_are_no_trouble() {
    let folder = trained();
    let run = folder.path().join("run");
    let swell = |file: &str| {
        std::fs::copy(run.join(file), folder.path().join("kept")).unwrap();
        let large = std::fs::File::options()
            .write(true)
            .open(run.join(file))
            .unwrap();
        large.set_len(1 << 36).unwrap();
    };
    for (file, codes) in [
        ("metrics.csv", [0, 1]),
        ("steps.csv", [0, 1]),
        ("run.json", [0, 0]),
        ("project.toml", [2, 2]),
        ("checkpoints/last.safetensors", [2, 2]),
    ] {
        swell(file);
        for (command, wanted) in ["eval run", "train run --resume"].iter().zip(codes) {
            let output = shell(
                folder.path(),
                &format!("ulimit -v 4000000; strata {command}"),
            );
            assert_eq!(
                output.status.code(),
                Some(wanted),
                "{file} {command}: {}",
                err(&output)
            );
        }
        std::fs::copy(folder.path().join("kept"), run.join(file)).unwrap();
    }
}

#[test]
fn reading_a_packed_file_can_be_cancelled_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let pixels = vec![7; 64 << 20];
    write(
        folder.path(),
        "train-images-idx3-ubyte.gz",
        &gzip(&idx(&[64, 1024, 1024], &pixels)),
    );
    let spec = strata::project::data::DataSpec {
        source: strata::project::data::Source::Mnist,
        path: Some(folder.path().display().to_string()),
        ..Default::default()
    };
    let mut asked = 0;
    let opened = strata::data::Dataset::open(&spec, 1, Path::new(""), &mut |_| {
        asked += 1;
        asked < 10
    });
    assert!(matches!(opened, Err(strata::data::DataError::Cancelled)));
    assert_eq!(asked, 10, "it ends at once");
}
