//! Random edits of random files with comments in random places.

use super::super::updated;
use super::{inside, read};
use crate::project::data::Filter;
use crate::project::edit::{Edit, History};
use crate::project::node::Node;
use crate::project::stage::{EarlyStop, Stage};
use crate::project::{Place, Project, Stack, file};
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Writes a file. Every layer and every comment in it is there once, so that it can be found again.
struct Writer {
    rng: ChaCha8Rng,
    text: String,
    count: usize,
}

impl Writer {
    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn number(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    fn layer(&mut self) -> String {
        let number = self.number();
        let word = ["conv", "dense", "convt"].choose(&mut self.rng).unwrap();
        format!("{word} {number}")
    }

    /// Comments on their own lines, and empty lines. `of` names what they go with when it is removed.
    fn own_lines(&mut self, indent: &str, of: &str) {
        for _ in 0..self.rng.random_range(0..3) {
            if self.chance(60) {
                let number = self.number();
                self.text += &format!("{indent}# own-line #{number}, [ ] of {of}\n");
            } else if self.chance(50) {
                self.text.push('\n');
            }
        }
    }

    /// The end of a line, perhaps with a comment.
    fn end_line(&mut self) {
        if self.chance(40) {
            let number = self.number();
            self.text += &format!("  # at the end, \"{number}\"");
        }
        self.text.push('\n');
    }

    fn key(&mut self, key: &str, value: &str, of: &str) {
        self.text += &format!("{key} = {value}");
        self.end_line();
        if self.chance(20) {
            self.own_lines("", of);
        }
    }

    fn stack(&mut self, depth: usize, indent: &str, of: &str) {
        let count = self.rng.random_range(1..5);
        self.text.push('[');
        if self.chance(30) {
            for index in 0..count {
                let layer = self.layer();
                self.text += &format!("{}\"{layer}\"", if index == 0 { "" } else { ", " });
            }
            self.text.push(']');
            return;
        }
        self.end_line();
        let deeper = format!("{indent}{}", if self.chance(50) { "  " } else { "    " });
        let is_open = self.chance(50);
        for index in 0..count {
            self.own_lines(&deeper, of);
            self.text += &deeper;
            self.node(depth, &deeper);
            if index + 1 < count || !is_open {
                self.text.push(',');
            }
            self.end_line();
        }
        self.own_lines(&deeper, of);
        self.text += &format!("{indent}]");
    }

    fn node(&mut self, depth: usize, indent: &str) {
        if depth == 0 || self.chance(75) {
            let layer = self.layer();
            self.text += &format!("\"{layer}\"");
        } else if self.chance(50) {
            let times = self.number();
            self.text += &format!("{{ repeat = {times}, layers = ");
            self.stack(depth - 1, indent, &format!("repeat = {times},"));
            self.text += " }";
        } else {
            let first = self.layer();
            self.text += &format!("{{ add = [[\"{first}\"], ");
            self.stack(depth - 1, indent, &format!("\"{first}\""));
            self.text += ", []] }";
        }
    }

    fn stage(&mut self) {
        let number = self.number();
        let name = format!("name = \"s{number}\"");
        self.text += "[[stage]]";
        self.end_line();
        self.text += &format!("{name}\ntask = \"reconstruct\"\nloss = \"mse\"\n");
        for (key, value) in [
            ("split", "\"train\""),
            ("optimizer", "\"sgd lr=0.10\""),
            ("early_stop", "{ patience = 5 }"),
        ] {
            if self.chance(40) {
                self.own_lines("", &name);
                self.key(key, value, &name);
            }
        }
        self.own_lines("", &name);
        self.text += "epochs = 3\nbatch = 8";
        self.end_line();
        self.text.push('\n');
    }

    fn file(mut self) -> String {
        self.own_lines("", "nothing");
        self.key("format", "1", "nothing");
        if self.chance(70) {
            self.key("title", "'random'", "nothing");
        }
        if self.chance(70) {
            self.text.push('\n');
            self.own_lines("", "nothing");
            self.text += "[data]";
            self.end_line();
            self.key("filter", "\"bilinear\"", "nothing");
            if self.chance(50) {
                self.key("resize", "[16, 16]", "nothing");
            }
        }
        self.own_lines("", "nothing");
        self.text += "[network]\ninput = \"3x16x16\"\n";
        for name in ["encoder", "decoder", "head"] {
            if self.chance(80) {
                self.own_lines("", "nothing");
                self.text += &format!("{name} = ");
                self.stack(2, "", "nothing");
                self.end_line();
            }
        }
        if self.chance(50) {
            self.key("locked", "[\"decoder.0\"]", "nothing");
        }
        if self.chance(50) {
            self.own_lines("", "nothing");
            self.text += "[goals]\n";
            self.key("parameters", "\"<= 5000\"", "nothing");
        }
        for _ in 0..self.rng.random_range(0..4) {
            self.own_lines("", "nothing");
            self.stage();
        }
        self.own_lines("", "nothing");
        self.finish()
    }

    fn finish(mut self) -> String {
        let mut text = std::mem::take(&mut self.text);
        if self.chance(20) {
            text = text.trim_end().to_owned();
        }
        if self.chance(20) {
            text = text.replace('\n', "\r\n");
        }
        if self.chance(10) {
            text.insert(0, '\u{feff}');
        }
        text
    }
}

/// What an edit may change, apart from its own part of the network.
struct Change {
    edit: Edit,
    /// Lines that start so may change.
    keys: &'static [&'static str],
    /// Whether what is kept stays in order.
    is_in_order: bool,
}

/// A place in the network; of a new node where `is_new`.
fn place(rng: &mut ChaCha8Rng, project: &Project, is_new: bool) -> Option<Place> {
    let stack = *Stack::ALL.choose(rng)?;
    let mut path = Vec::new();
    let mut siblings = project.network.stack(stack);
    loop {
        let end = siblings.len() + usize::from(is_new);
        let index = (0..end).collect::<Vec<_>>().choose(rng).copied()?;
        path.push(index);
        let branches = siblings.get(index).map_or(&[][..], Node::branches);
        if branches.is_empty() || rng.random_bool(0.4) {
            return Some(Place {
                stack,
                ..inside(&path)
            });
        }
        let branch = rng.random_range(0..branches.len());
        path.push(branch);
        siblings = &branches[branch];
        if siblings.is_empty() && !is_new {
            return None;
        }
    }
}

fn node(rng: &mut ChaCha8Rng) -> Node {
    let number: u32 = rng.random_range(10_000..60_000);
    let text = match rng.random_range(0..4) {
        0 => format!("{{ concat = [[\"conv {number}\", \"relu\"], []] }}"),
        1 => format!("mistyped {number}"),
        _ => format!("conv {number} k3"),
    };
    Node::from_text(&text)
}

fn change(rng: &mut ChaCha8Rng, project: &Project) -> Option<Change> {
    let of = |edit, keys, is_in_order| Change {
        edit,
        keys,
        is_in_order,
    };
    Some(match rng.random_range(0..12) {
        0 | 1 => {
            let edit = Edit::Insert(place(rng, project, true)?, node(rng));
            of(edit, &["locked"], true)
        }
        2 => {
            let edit = Edit::Replace(place(rng, project, false)?, node(rng));
            of(edit, &["locked"], true)
        }
        3 => of(Edit::Remove(place(rng, project, false)?), &["locked"], true),
        4 => {
            let from = place(rng, project, false)?;
            let to = rng.random_range(0..4);
            of(Edit::Move(from, to), &["locked"], false)
        }
        5 => of(
            Edit::Title(format!("t{}", rng.random_range(0..9))),
            &["title"],
            true,
        ),
        6 => of(Edit::Seed(rng.random_range(0..999)), &["seed"], true),
        7 => data_change(rng, project),
        8 => stage_change(rng, project)?,
        9 => {
            let index = rng.random_range(0..=project.stages.len());
            let stage = Stage {
                name: format!("new {}", rng.random_range(0..999)),
                ..Stage::default()
            };
            of(Edit::InsertStage(index, stage), &[], true)
        }
        10 => {
            let mut next = project.clone();
            next.stages.shuffle(rng);
            of(Edit::All(Box::new(next)), &[], false)
        }
        _ if rng.random() => of(Edit::RemoveStage(0), &[], true),
        _ => {
            let goal = format!("parameters <= {}", rng.random_range(1..9))
                .parse()
                .ok()?;
            of(Edit::Goals(project.goals.with(goal)), &["parameters"], true)
        }
    })
}

fn data_change(rng: &mut ChaCha8Rng, project: &Project) -> Change {
    let mut data = project.data.clone();
    data.filter = *[Filter::Bilinear, Filter::Lanczos].choose(rng).unwrap();
    data.resize = rng.random_bool(0.5).then(|| [rng.random_range(8..32), 16]);
    data.limit = rng.random_bool(0.5).then(|| rng.random_range(1..99));
    Change {
        edit: Edit::Data(data),
        keys: &["filter", "resize", "limit"],
        is_in_order: true,
    }
}

fn stage_change(rng: &mut ChaCha8Rng, project: &Project) -> Option<Change> {
    let index = (0..project.stages.len())
        .collect::<Vec<_>>()
        .choose(rng)
        .copied()?;
    let mut stage = project.stages[index].clone();
    stage.epochs = rng.random_range(1..9);
    stage.early_stop = rng.random_bool(0.5).then(|| EarlyStop {
        metric: "valid loss".into(),
        patience: rng.random_range(1..9),
    });
    Some(Change {
        edit: Edit::Stage(index, stage),
        keys: &["epochs", "early_stop"],
        is_in_order: true,
    })
}

/// The lines of a text that an edit to `next` does not touch. An element's comma is not part of its line.
fn untouched<'t>(text: &'t str, next: &str, keys: &[&str]) -> Vec<&'t str> {
    let mut stage = "";
    let is_kept = |line: &&'t str| {
        if line.trim() == "[[stage]]" || line.trim().is_empty() {
            return false;
        }
        if let Some((_, of)) = line
            .trim_start()
            .starts_with('#')
            .then(|| line.split_once("] of "))
            .flatten()
        {
            return of.trim() == "nothing" || next.contains(of.trim());
        }
        if line.starts_with("name = ") {
            stage = line.trim();
        }
        let is_in_removed_stage = !stage.is_empty() && !next.contains(stage);
        let layers: Vec<&str> = line.split('#').next().unwrap_or("").split('"').collect();
        let is_setting = !line.starts_with(' ')
            && !line.starts_with("encoder")
            && !line.starts_with("decoder")
            && !line.starts_with("head");
        match layers[..] {
            _ if keys.iter().any(|key| line.starts_with(key)) => false,
            _ if is_setting => {
                !is_in_removed_stage && !line.starts_with(']') && !line.starts_with('[')
            }
            // One layer, on its own line.
            [before, layer, after] => {
                before.trim().is_empty()
                    && ["", ","].contains(&after.trim())
                    && next.contains(&format!("\"{layer}\""))
            }
            _ => false,
        }
    };
    text.lines().filter(is_kept).collect()
}

/// The same line, whether or not a comma follows its element.
fn plain(line: &str) -> String {
    line.replacen("\",", "\"", 1)
}

fn assert_untouched_lines_are_there(before: &str, after: &str, next: &Project, change: &Change) {
    let kept = untouched(before, &file::to_text(next), change.keys);
    let lines: Vec<String> = after.lines().map(plain).collect();
    let mut from = 0;
    for line in kept {
        let found = lines[from..].iter().position(|there| *there == plain(line));
        let at = found
            .unwrap_or_else(|| panic!("{:?} lost {line:?} of\n{before}\nin\n{after}", change.edit));
        if change.is_in_order {
            from += at + 1;
        }
    }
}

/// A random file through some edits and back again.
fn round(seed: u64) {
    let mut text = Writer {
        rng: ChaCha8Rng::seed_from_u64(seed),
        text: String::new(),
        count: 100,
    }
    .file();
    let first = read(&text);
    let mut history = History::new(first.clone());
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    for _ in 0..6 {
        let Some(change) = change(&mut rng, history.project()) else {
            continue;
        };
        // What is locked stays as it is.
        if history.edit(&change.edit).is_err() {
            continue;
        }
        let next = updated(&text, history.project()).unwrap();
        let read = file::parse(&next, "random");
        assert_eq!(
            read.as_ref(),
            Ok(history.project()),
            "{seed}: {:?}\n{text}\n{next}",
            change.edit
        );
        assert_untouched_lines_are_there(&text, &next, history.project(), &change);
        text = next;
    }
    while history.undo() {
        text = updated(&text, history.project()).unwrap();
        assert_eq!(
            file::parse(&text, "random").as_ref(),
            Ok(history.project()),
            "{seed}"
        );
    }
    assert_eq!(read(&text), first);
}

#[test]
fn random_edits_keep_what_they_do_not_touch() {
    (0..400).for_each(round);
}

#[test]
#[ignore = "minutes; for changes of the text update"]
fn many_random_edits_keep_what_they_do_not_touch() {
    (1000..11_000).for_each(round);
}
