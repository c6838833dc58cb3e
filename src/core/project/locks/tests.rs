use super::*;
use crate::project::file::parse;

/// `encoder = a, { add = [[b, c], []] }, d` with these locks.
fn project(locked: &[&str]) -> Project {
    let text = "format = 1\n[network]\ninput = \"1x8x8\"\n\
        encoder = [\"conv 1 k1\", { add = [[\"conv 1 k3 p1\", \"bn\"], []] }, \"relu\"]\ndecoder = [\"tanh\"]\n";
    let mut project = parse(text, "p").unwrap();
    project.locked = locked.iter().map(|name| (*name).to_owned()).collect();
    project
}

fn at(name: &str) -> Place {
    match name.parse().unwrap() {
        Target::Node(place) => place,
        Target::Stack(stack) => panic!("{stack} is no layer"),
    }
}

fn node() -> Node {
    Node::from_text("elu")
}

fn insert(name: &str) -> Edit {
    Edit::Insert(at(name), node())
}

fn replace(name: &str) -> Edit {
    Edit::Replace(at(name), node())
}

fn remove(name: &str) -> Edit {
    Edit::Remove(at(name))
}

#[test]
fn what_is_locked_is_not_edited() {
    for (lock, edit, refused) in [
        ("encoder.0", replace("encoder.0"), true),
        ("encoder.0", remove("encoder.0"), true),
        ("encoder.0", Edit::Move(at("encoder.0"), 1), true),
        ("encoder.0", insert("encoder.0"), false),
        ("encoder.0", Edit::Move(at("encoder.2"), 0), false),
        ("encoder.0", remove("encoder.1"), false),
        ("encoder.1", replace("encoder.1.0.0"), true),
        ("encoder.1", insert("encoder.1.1.0"), true),
        ("encoder.1", insert("encoder.1"), false),
        ("encoder.1.0.0", remove("encoder.1"), true),
        ("encoder.1.0.0", Edit::Move(at("encoder.1"), 0), true),
        ("encoder.1.0.0", replace("encoder.1.0.1"), false),
        ("encoder.1.0.0", insert("encoder.1.0.0"), false),
        ("encoder", insert("encoder.3"), true),
        ("encoder", insert("encoder.1.1.0"), true),
        ("encoder", Edit::Move(at("encoder.2"), 0), true),
        ("encoder", replace("decoder.0"), false),
        ("encoder", Edit::Input("1x4x4".parse().unwrap()), false),
        ("encoder", Edit::Seed(3), false),
        ("encoder.9", replace("encoder.0"), false),
        ("nonsense", replace("encoder.0"), false),
    ] {
        let result = edit.apply(&project(&[lock]));
        assert_eq!(result.is_err(), refused, "{lock}: {edit:?}");
        if refused {
            assert_eq!(result.unwrap_err(), EditError::Locked(lock.into()));
        }
    }
    let message = replace("encoder.0")
        .apply(&project(&["encoder.0"]))
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "encoder.0 is locked: unlock it first (right click)"
    );
}

#[test]
fn locks_stay_at_their_layers() {
    for (lock, edit, then) in [
        ("encoder.2", insert("encoder.0"), "encoder.3"),
        ("encoder.2", insert("encoder.3"), "encoder.2"),
        ("encoder.2", insert("decoder.0"), "encoder.2"),
        ("encoder.2", remove("encoder.0"), "encoder.1"),
        ("encoder.1.0.1", remove("encoder.0"), "encoder.0.0.1"),
        ("encoder.1.0.1", remove("encoder.1.0.0"), "encoder.1.0.0"),
        ("encoder.1.0.1", insert("encoder.1.1.0"), "encoder.1.0.1"),
        ("encoder.1", Edit::Move(at("encoder.0"), 2), "encoder.0"),
        ("encoder.1", Edit::Move(at("encoder.2"), 0), "encoder.2"),
        ("encoder.0", Edit::Move(at("encoder.2"), 1), "encoder.0"),
        ("encoder.9", insert("encoder.0"), "encoder.10"),
        ("decoder", insert("encoder.0"), "decoder"),
        ("nonsense", insert("encoder.0"), "nonsense"),
    ] {
        let before = project(&[lock]);
        let after = edit.apply(&before).unwrap();
        assert_eq!(after.locked, [then], "{lock}: {edit:?}");
        let known = targets(&before)
            .first()
            .map(|target| content(&before, target));
        assert_eq!(
            targets(&after)
                .first()
                .map(|target| content(&after, target)),
            known,
            "{lock}: {edit:?}"
        );
    }
}

#[test]
fn a_whole_project_keeps_what_is_locked() {
    let before = project(&["encoder.0", "decoder"]);
    let all = |project: Project| Edit::All(Box::new(project)).apply(&before);
    assert!(all(before.clone()).is_ok());
    let mut shifted = insert("encoder.0").apply(&before).unwrap();
    assert!(all(shifted.clone()).is_ok(), "the lock went with its layer");
    shifted.locked = before.locked.clone();
    assert_eq!(
        all(shifted).unwrap_err(),
        EditError::Locked("encoder.0".into())
    );
    let mut changed = before.clone();
    changed.network.decoder = vec![node()];
    assert_eq!(
        all(changed).unwrap_err(),
        EditError::Locked("decoder".into())
    );
    let mut other = before.clone();
    other.network.encoder[2] = node();
    assert!(all(other).is_ok(), "what is not locked is free");
    let unlocked = Project {
        locked: Vec::new(),
        ..before.clone()
    };
    assert!(all(unlocked).is_err(), "unlocking is an edit of its own");
}

#[test]
fn locking_is_an_edit() {
    let lock = |name: &str, on: bool, project: &Project| Edit::Lock(name.into(), on).apply(project);
    let one = lock("encoder.1.0.0", true, &project(&[])).unwrap();
    assert_eq!(one.locked, ["encoder.1.0.0"]);
    assert_eq!(lock("encoder.1.0.0", true, &one).unwrap(), one);
    assert_eq!(lock("encoder.1.0.0", false, &one).unwrap(), project(&[]));
    assert_eq!(
        lock("encoder.7", true, &one).unwrap_err(),
        EditError::Missing("encoder.7".into())
    );
    let outer = project(&["encoder"]);
    assert_eq!(
        lock("encoder.0", false, &outer).unwrap_err(),
        EditError::Locked("encoder".into())
    );
    assert_eq!(
        lock("encoder.7", false, &project(&["encoder.7"])).unwrap(),
        project(&[])
    );
    assert_eq!(
        lock("encoder.0", false, &project(&[])).unwrap(),
        project(&[])
    );
}

#[test]
fn the_lock_on_a_place_is_found() {
    let project = project(&["encoder.1", "decoder"]);
    assert_eq!(
        on(&project, &at("encoder.1.0.1")),
        Some(Target::Node(at("encoder.1")))
    );
    assert_eq!(on(&project, &at("encoder.0")), None);
    assert_eq!(
        on(&project, &at("decoder.0")),
        Some(Target::Stack(Stack::Decoder))
    );
}
