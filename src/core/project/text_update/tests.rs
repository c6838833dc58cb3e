//! What a hand-written file looks like after an edit; random files and edits are in [`random`].

mod random;

use super::*;
use crate::project::builtin;
use crate::project::edit::Edit;
use crate::project::node::Node;
use crate::project::stage::Stage;
use crate::project::{Place, Stack};

const FILE: &str = r#"# My network.
format = 1
title = 'Hand-written'   # single quotes

[data]
source = "shapes"
filter = "bilinear"      # the default, written out

[network]
input = "3x32x32"
encoder = [
  # 32×32
  "conv 16 k3x3 p1",     # not how Strata writes it
  "relu", "maxpool 2",

  # 16×16
  { add = [
      ["conv 16 k3 p1"], # body
      [],
  ] }
]
head = ["flatten", "dense 10"] # ten classes

# First phase
[[stage]]
name = "warm-up"
task = "classify"
loss = "cross-entropy"
epochs = 3     # short
batch = 16

# Second phase
[[stage]]
name = "main"
task = "classify"
loss = "cross-entropy"
epochs = 30
batch = 16
# schedule = "cosine"
"#;

fn read(text: &str) -> Project {
    file::parse(text, "test").unwrap()
}

/// The text after an edit; never the one that is written where the edit could not be made in the text.
fn after(text: &str, edit: &Edit) -> String {
    let project = edit.apply(&read(text)).unwrap();
    let text = updated(text, &project).unwrap();
    assert_eq!(read(&text), project, "{text}");
    text
}

fn encoder(index: usize) -> Place {
    Place::new(Stack::Encoder, index)
}

fn inside(path: &[usize]) -> Place {
    Place {
        stack: Stack::Encoder,
        path: path.to_vec(),
    }
}

/// Checks that an edit replaces exactly one part of [`FILE`].
fn assert_edit(edit: &Edit, from: &str, to: &str) {
    assert_eq!(FILE.matches(from).count(), 1, "{from}");
    assert_eq!(after(FILE, edit), FILE.replace(from, to), "{edit:?}");
}

#[test]
fn layers_change_at_their_place() {
    let node = |text: &str| Node::from_text(text);
    assert_edit(
        &Edit::Replace(encoder(0), node("conv 8 k3")),
        "\"conv 16 k3x3 p1\"",
        "\"conv 8 k3\"",
    );
    assert_edit(
        &Edit::Insert(encoder(0), node("bn")),
        "  # 32×32\n",
        "  \"bn\",\n  # 32×32\n",
    );
    assert_edit(
        &Edit::Remove(encoder(0)),
        "  \"conv 16 k3x3 p1\",     # not how Strata writes it\n",
        "",
    );
    assert_edit(
        &Edit::Remove(encoder(1)),
        "  \"relu\", \"maxpool 2\",",
        "  \"maxpool 2\",",
    );
    assert_edit(
        &Edit::Insert(inside(&[3, 0, 1]), node("bn")),
        "[\"conv 16 k3 p1\"], # body",
        "[\"conv 16 k3 p1\", \"bn\"], # body",
    );
    assert_edit(
        &Edit::Insert(inside(&[3, 1, 0]), node("bn")),
        "[],",
        "[\"bn\"],",
    );
    assert_edit(
        &Edit::Insert(encoder(4), node("tanh")),
        "  ] }\n]",
        "  ] },\n  \"tanh\"\n]",
    );
    assert_edit(
        &Edit::Insert(Place::new(Stack::Head, 0), node("relu")),
        "[\"flatten\"",
        "[\"relu\", \"flatten\"",
    );
    assert_edit(
        &Edit::Insert(Place::new(Stack::Decoder, 0), node("relu")),
        "head =",
        "decoder = [\n    \"relu\",\n]\nhead =",
    );
}

#[test]
fn a_moved_layer_takes_its_comments_along() {
    let edit = Edit::Move(encoder(0), 2);
    let text = after(FILE, &edit);
    let wanted = FILE
        .replace(
            "  # 32×32\n  \"conv 16 k3x3 p1\",     # not how Strata writes it\n",
            "",
        )
        .replace(
            "\"maxpool 2\",\n",
            "\"maxpool 2\",\n  # 32×32\n  \"conv 16 k3x3 p1\",     # not how Strata writes it\n",
        );
    assert_eq!(text, wanted);
}

#[test]
fn an_emptied_stack_keeps_what_was_said_about_it() {
    let text = FILE.replace("head = [", "head = [ # the answer\n  # in two steps\n  ");
    let mut project = read(&text);
    project.network.head.clear();
    let emptied = update_text(&text, &project);
    assert!(
        emptied.contains("head = [ # the answer\n  # in two steps\n] # ten classes\n"),
        "{emptied}"
    );
    let place = Place::new(Stack::Head, 0);
    let filled = after(&emptied, &Edit::Insert(place, Node::from_text("gap")));
    assert!(
        filled.contains("head = [ # the answer\n  # in two steps\n    \"gap\",\n] # ten"),
        "{filled}"
    );
}

#[test]
fn stages_change_come_go_and_move() {
    let stages = read(FILE).stages;
    let changed = |change: fn(&mut Stage)| {
        let mut stage = stages[0].clone();
        change(&mut stage);
        Edit::Stage(0, stage)
    };
    assert_edit(
        &changed(|stage| stage.epochs = 5),
        "epochs = 3 ",
        "epochs = 5 ",
    );
    assert_edit(
        &changed(|stage| stage.schedule = "cosine".parse().ok()),
        "epochs = 3 ",
        "schedule = \"cosine\"\nepochs = 3 ",
    );
    assert_edit(
        &changed(|stage| stage.name = "a".into()),
        "\"warm-up\"",
        "\"a\"",
    );
    let first = "[[stage]]\nname = \"warm-up\"\ntask = \"classify\"\nloss = \"cross-entropy\"\nepochs = 3     # short\nbatch = 16\n";
    assert_edit(&Edit::RemoveStage(0), first, "");
    let new = Stage {
        name: "new".into(),
        ..Stage::default()
    };
    let mut alone = read(FILE);
    alone.stages = vec![new.clone()];
    let new_text = file::to_text(&alone);
    let new_text = &new_text[new_text.find("[[stage]]").unwrap()..];
    for (index, from, to) in [
        (0, "# First phase\n", format!("{new_text}\n# First phase\n")),
        (
            1,
            "# Second phase\n",
            format!("{new_text}\n# Second phase\n"),
        ),
        (2, "\"cosine\"\n", format!("\"cosine\"\n\n{new_text}")),
    ] {
        assert_edit(&Edit::InsertStage(index, new.clone()), from, &to);
    }
    let mut exchanged = read(FILE);
    exchanged.stages.swap(0, 1);
    let text = after(FILE, &Edit::All(Box::new(exchanged)));
    let position = |part: &str| text.find(part).unwrap();
    assert!(
        position("# Second phase\n[[stage]]\nname = \"main\"")
            < position("# First phase\n[[stage]]")
    );
    assert!(position("# schedule") < position("# First phase"), "{text}");
    assert_eq!(text.len(), FILE.len(), "{text}");
}

#[test]
fn settings_that_are_not_written_yet_find_their_place() {
    assert_edit(
        &Edit::Seed(7),
        "# single quotes\n",
        "# single quotes\nseed = 7\n",
    );
    let goals = ["parameters <= 50000", "psnr >= 22"].map(|goal| goal.parse().unwrap());
    let with_goals = after(FILE, &Edit::Goals(goals.into_iter().collect()));
    let wanted = FILE.replace(
        "# ten classes\n",
        "# ten classes\n\n[goals]\nparameters = \"<= 50000\"\npsnr = \">= 22\"\n",
    );
    assert_eq!(with_goals, wanted);
    assert_eq!(after(&with_goals, &Edit::Goals(Default::default())), FILE);
    assert_edit(
        &Edit::Lock("encoder".into(), true),
        "# ten classes\n",
        "# ten classes\nlocked = [\"encoder\"]\n",
    );
}

#[test]
fn a_written_default_stays_until_it_is_changed() {
    let mut data = read(FILE).data;
    data.limit = Some(100);
    assert_edit(
        &Edit::Data(data.clone()),
        "\"shapes\"\n",
        "\"shapes\"\nlimit = 100\n",
    );
    data.limit = None;
    data.filter = crate::project::data::Filter::Lanczos;
    assert_edit(&Edit::Data(data), "\"bilinear\" ", "\"lanczos\" ");
}

#[test]
fn other_ways_to_write_a_project_are_kept() {
    for (text, edit, from, to) in [
        (
            // Dotted keys, no header.
            "format = 1\ndata.source = \"shapes\" # a\nnetwork = { input = \"1x8x8\", encoder = [\"relu\"] } # b",
            Edit::Insert(encoder(1), Node::from_text("tanh")),
            "[\"relu\"]",
            "[\"relu\", \"tanh\"]",
        ),
        (
            "format = 1\n[network]\ninput = \"1x8x8\"",
            Edit::Title("x".into()),
            "format = 1\n",
            "format = 1\ntitle = \"x\"\n",
        ),
        (
            "format = 1\n[network]\ninput = \"1x8x8\"",
            Edit::Insert(encoder(0), Node::from_text("relu")),
            "8\"",
            "8\"\nencoder = [\n    \"relu\",\n]",
        ),
        (
            "\u{feff}format = 1\r\n# c\r\n[network]\r\ninput = \"1x8x8\"\r\n",
            Edit::Title("x".into()),
            "format = 1\r\n",
            "format = 1\r\ntitle = \"x\"\r\n",
        ),
        (
            "format = 1\n[network]\ninput = \"1x8x8\"\n[data] # d\nresize = [8, # high\n 8]\n",
            Edit::Seed(3),
            "format = 1\n",
            "format = 1\nseed = 3\n",
        ),
    ] {
        assert_eq!(after(text, &edit), text.replace(from, to), "{edit:?}");
    }
}

#[test]
fn tables_give_way_to_values_and_back() {
    use crate::project::data::Normalize;
    let text = "format = 1\n[data]\nlimit = 3 # few\n# measured\n[data.normalize]\nmean = [0.5] # m\nstd = [0.25]\n\n[network]\ninput = \"1x8x8\"\n";
    let mut data = read(text).data;
    data.normalize = Some(Normalize::MEASURED);
    let trained = after(text, &Edit::Data(data.clone()));
    assert_eq!(
        trained,
        "format = 1\n[data]\nnormalize = \"train\"\nlimit = 3 # few\n# measured\n\n[network]\ninput = \"1x8x8\"\n"
    );
    data.normalize = read(text).data.normalize;
    let again = after(&trained, &Edit::Data(data));
    assert!(
        again.contains("normalize = { mean = [0.5], std = [0.25] }\nlimit = 3 # few\n# measured"),
        "{again}"
    );
}

#[test]
fn former_keys_are_changed_where_they_are() {
    let text = "format = 1\n[data]\npatches = [8, 8] # small\n[network]\ninput = \"1x8x8\"\n";
    let mut data = read(text).data;
    data.patches = Some([4, 6]);
    let changed = after(text, &Edit::Data(data.clone()));
    assert!(changed.contains("patches = \"4x6\" # small"), "{changed}");
    data.patches = None;
    assert_eq!(
        after(text, &Edit::Data(data)),
        text.replace("patches = [8, 8] # small\n", "")
    );
}

#[test]
fn built_in_projects_keep_their_comments() {
    for entry in builtin::ALL {
        let comments = |text: &str| text.lines().filter(|line| line.contains('#')).count();
        let text = after(entry.text, &Edit::Insert(encoder(1), Node::from_text("bn")));
        assert_eq!(comments(&text), comments(entry.text), "{}", entry.name);
        let lines = text.lines().count() - entry.text.lines().count();
        match entry.project().unwrap().study {
            None => assert_eq!(lines, 1, "{}", entry.name),
            // The run that is shown gets an encoder of its own.
            Some(_) => assert!(text.contains("[run.network]") && lines < 16, "{text}"),
        }
    }
}

#[test]
fn what_is_no_project_is_written_as_if_new() {
    let project = read(FILE);
    for text in ["", "nonsense", "format = 1\n[network\n"] {
        assert_eq!(update_text(text, &project), file::to_text(&project));
    }
    assert_eq!(update_text(FILE, &project), FILE);
}
