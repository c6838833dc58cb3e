//! Run folders: new, taken, left behind by a dead run, with files of others in them.

use super::*;

#[test]
fn numbers_count_up_and_locks_hold() {
    let base = tempfile::tempdir().unwrap();
    let mut first = RunFolder::create(None, base.path(), "A b").unwrap();
    first.keep();
    let second = RunFolder::create(None, base.path(), "A b").unwrap();
    assert_eq!(first.path(), base.path().join("runs/a-b-1"));
    assert_eq!(second.path(), base.path().join("runs/a-b-2"));
    std::fs::write(first.checkpoint("last"), "x").unwrap();
    assert!(matches!(
        RunFolder::reopen(first.path()),
        Err(FolderError::InUse(_))
    ));
    let path = first.path().to_owned();
    drop(first);
    assert!(RunFolder::reopen(&path).is_ok());
    assert!(find_checkpoint(&path, "last").is_ok());
    std::fs::write(checkpoint(&path, "stage-1"), "x").unwrap();
    for name in ["best", "../checkpoints/last", ""] {
        let error = find_checkpoint(&path, name).unwrap_err();
        assert!(
            error.to_string().ends_with("this run has: last, stage-1"),
            "{error}"
        );
    }
    assert!(matches!(
        RunFolder::create(Some(&path), base.path(), ""),
        Err(FolderError::Taken(_))
    ));
    assert!(matches!(
        RunFolder::reopen(second.path()),
        Err(FolderError::NotARun(_))
    ));
    let removed = second.path().to_owned();
    drop(second);
    assert!(!removed.exists());
}

#[test]
fn a_resumed_run_clears_what_it_left_when_it_was_killed() {
    let base = tempfile::tempdir().unwrap();
    let mut folder = RunFolder::create(None, base.path(), "a").unwrap();
    folder.keep();
    let run = folder.path().to_owned();
    std::fs::write(folder.checkpoint("last"), "x").unwrap();
    let abandoned = [
        ".strata-AbC123",
        "checkpoints/.strata-0000zz",
        "probe/.strata-xyzXYZ",
    ];
    let foreign = [
        "notes.txt",
        ".strata-of-mine",
        "checkpoints/.tmp123456",
        "probe/epoch-1.png",
    ];
    for name in abandoned.iter().chain(&foreign) {
        std::fs::write(run.join(name), "x").unwrap();
    }
    assert!(matches!(
        RunFolder::reopen(&run),
        Err(FolderError::InUse(_))
    ));
    assert!(
        run.join(abandoned[0]).exists(),
        "another process trains in it"
    );
    drop(folder);
    RunFolder::reopen(&run).unwrap();
    assert!(abandoned.iter().all(|name| !run.join(name).exists()));
    assert!(foreign.iter().all(|name| run.join(name).exists()));
}

#[test]
fn a_folder_that_was_there_is_left_as_it_was() {
    let base = tempfile::tempdir().unwrap();
    let names = || {
        let entries = std::fs::read_dir(base.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name())
            .collect::<Vec<_>>()
    };
    let folder = RunFolder::create(Some(base.path()), base.path(), "").unwrap();
    std::fs::write(base.path().join("metrics.csv"), "").unwrap();
    std::fs::write(folder.checkpoint("last"), "").unwrap();
    std::fs::write(base.path().join("mine"), "").unwrap();
    drop(folder);
    assert_eq!(names(), ["mine"]);
}

#[test]
fn files_of_the_user_are_not_written_over() {
    let base = tempfile::tempdir().unwrap();
    for file in OWN {
        let folder = base.path().join(file.replace('.', "-"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(file), "mine").unwrap();
        let error = RunFolder::create(Some(&folder), base.path(), "a").unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("holds a {file} already")),
            "{error}"
        );
        assert_eq!(
            std::fs::read_dir(&folder).unwrap().count(),
            1,
            "nothing was added"
        );
    }
}

#[test]
fn a_file_in_the_way_is_told() {
    let base = tempfile::tempdir().unwrap();
    let file = base.path().join("runs");
    std::fs::write(&file, "").unwrap();
    let error = RunFolder::create(None, base.path(), "a").unwrap_err();
    assert!(
        error.to_string().contains("cannot write to the run folder"),
        "{error}"
    );
    let error = RunFolder::create(Some(&file.join("x")), base.path(), "a").unwrap_err();
    assert!(matches!(error, FolderError::NotWritable { .. }), "{error}");
}

#[test]
fn what_somebody_puts_into_a_run_that_does_not_begin_stays() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("run");
    for made in [Some(path.as_path()), None] {
        let folder = RunFolder::create(made, base.path(), "run").unwrap();
        let run = folder.path().to_owned();
        std::fs::create_dir(run.join("mine")).unwrap();
        std::fs::write(run.join("mine/thesis.tex"), "x").unwrap();
        std::fs::write(run.join("run.json"), "{}").unwrap();
        drop(folder);
        assert_eq!(
            std::fs::read_dir(&run).unwrap().count(),
            1,
            "{}",
            run.display()
        );
        assert!(run.join("mine/thesis.tex").exists());
    }
}

#[test]
fn checkpoints_and_probe_images_of_others_are_not_written_over() {
    let base = tempfile::tempdir().unwrap();
    for file in [
        "checkpoints/best.safetensors",
        "probe/stage-1-epoch-0001.safetensors",
    ] {
        let folder = base.path().join(file.replace('/', "-"));
        std::fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
        std::fs::write(folder.join(file), "mine").unwrap();
        let error = RunFolder::create(Some(&folder), base.path(), "a")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("holds a {file} already")),
            "{error}"
        );
        assert_eq!(std::fs::read(folder.join(file)).unwrap(), b"mine");
    }
    let folder = base.path().join("lock");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join(".lock"), "mine").unwrap();
    drop(RunFolder::create(Some(&folder), base.path(), "a").unwrap());
    assert_eq!(std::fs::read(folder.join(".lock")).unwrap(), b"mine");
}

#[test]
fn a_run_that_died_before_its_first_checkpoint_begins_anew() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("dead");
    // In the order in which a run writes them: it may die after each.
    let files = [
        ("metrics.csv", "stage,epoch\n"),
        ("steps.csv", "step\n"),
        ("project.toml", "x"),
        ("run.json", "{}"),
        ("checkpoints/.strata-AbC123", "half"),
    ];
    let mut folder = RunFolder::create(Some(&path), base.path(), "").unwrap();
    folder.keep();
    drop(folder);
    for (file, text) in files {
        std::fs::write(path.join(file), text).unwrap();
        drop(RunFolder::create(Some(&path), base.path(), "").unwrap());
        assert!(
            path.join(file).exists() || file.contains(".strata-"),
            "{file}"
        );
    }
    std::fs::write(path.join("metrics.csv"), "stage,epoch\na,1\n").unwrap();
    assert!(matches!(
        RunFolder::create(Some(&path), base.path(), ""),
        Err(FolderError::Taken(_))
    ));
}

#[cfg(unix)]
#[test]
fn images_below_a_folder_whose_name_is_no_utf_8_are_found_again() {
    use std::os::unix::ffi::OsStrExt;
    let base = tempfile::tempdir().unwrap();
    let odd = base.path().join(std::ffi::OsStr::from_bytes(b"m\xfcller"));
    let mut project = strata_core::project::builtin::ALL[0].project().unwrap();
    project.data.path = Some("images".to_owned());
    let folder = RunFolder::create(None, &odd, "a").unwrap();
    folder.write_project(&project, &odd).unwrap();
    let read = file::load(&folder.path().join("project.toml")).unwrap();
    let found = strata_data::folder(&read.data, folder.path()).unwrap();
    assert_eq!(found, odd.join("images"));
}

#[test]
fn a_run_that_died_in_its_first_file_starts_over() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    std::fs::create_dir_all(run.join("checkpoints")).unwrap();
    std::fs::create_dir(run.join("probe")).unwrap();
    std::fs::write(run.join(".lock"), "").unwrap();
    std::fs::write(run.join(".strata-AbC123"), "half").unwrap();
    assert!(died_at_start(&run));
    drop(RunFolder::restart(&run).unwrap());
    assert!(!run.join(".strata-AbC123").exists());
    // Before there was a lock: after each folder that is made.
    let bare = folder.path().join("bare");
    assert!(!died_at_start(&bare), "there is no folder");
    for made in ["", "checkpoints", "probe"] {
        std::fs::create_dir(bare.join(made)).unwrap();
        assert!(died_at_start(&bare), "{made}");
    }
    // Somebody's file is no such thing.
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join(".lock"), "").unwrap();
    std::fs::write(run.join("notes.txt"), "mine").unwrap();
    assert!(!died_at_start(&run));
}

#[test]
fn a_lock_that_is_let_go_in_a_moment_is_waited_for() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("run");
    let mut first = RunFolder::create(Some(&path), base.path(), "").unwrap();
    first.keep();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            drop(first);
        });
        drop(RunFolder::restart(&path).unwrap());
    });
    let _held = RunFolder::restart(&path).unwrap();
    assert!(matches!(
        RunFolder::restart(&path),
        Err(FolderError::InUse(_))
    ));
}
