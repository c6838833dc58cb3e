//! No room may tie many of its modules into one knot: modules that import each other in a circle can only be read
//! and changed together. Cargo refuses circles between rooms; within a room this test does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The most modules that may import each other in a circle.
const MOST_MODULES: usize = 12;

#[test]
fn no_room_has_a_large_import_cycle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut rooms: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("lib.rs").exists())
        .collect();
    rooms.sort();
    assert!(rooms.len() >= 10, "{rooms:?}");
    rooms.push(root);
    for room in rooms {
        let sources = Sources::read(&room);
        assert!(sources.modules.len() > 1, "{}", room.display());
        let largest = sources.largest_cycle();
        assert!(
            largest.len() <= MOST_MODULES,
            "{} modules of {} import each other in a circle, at most {MOST_MODULES} may. Move what the others need \
             into a file of its own. They are:\n{}",
            largest.len(),
            room.display(),
            largest.join("\n")
        );
    }
}

#[test]
fn a_cycle_is_found_through_every_kind_of_import() {
    let room = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = room.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "lib.rs",
        "mod a;\nmod b;\nmod c;\npub use c::inner::Deep;\n",
    );
    write(
        "a.rs",
        "use super::b::{\n    B,\n    C as D,\n};\npub struct A;\n",
    );
    write("b.rs", "fn f() { crate::Deep::new(); }\n");
    write("c/mod.rs", "pub mod inner;\n// use crate::a::A;\n");
    write("c/inner.rs", "use crate::a;\nfn f() -> a::A { a::A }\n");
    write("c/alone.rs", "use super::inner::Deep;\n");
    let sources = Sources::read(room.path());
    assert_eq!(sources.largest_cycle(), ["a", "b", "c::inner"]);
    write(
        "b.rs",
        "#[cfg(test)]\nmod tests {\n    use crate::Deep;\n}\n",
    );
    assert!(Sources::read(room.path()).largest_cycle().len() < 2);
}

/// The path of a module within its room; empty for the room itself.
type ModulePath = Vec<String>;

/// The modules of a room with what they import.
struct Sources {
    modules: BTreeMap<ModulePath, Module>,
}

struct Module {
    /// The paths that its text names, from the room on.
    paths: Vec<ModulePath>,
    /// The paths that it gives to others under its own name.
    exported: Vec<ModulePath>,
}

impl Sources {
    fn read(room: &Path) -> Sources {
        let mut modules = BTreeMap::new();
        let mut folders = vec![room.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    // A room of its own, or tests, which may import whatever they test.
                    let is_room = path.join("Cargo.toml").exists();
                    if !is_room && !path.ends_with("tests") {
                        folders.push(path);
                    }
                } else if path.extension().is_some_and(|end| end == "rs")
                    && !path.ends_with("tests.rs")
                {
                    let module = module_path(path.strip_prefix(room).unwrap());
                    let text = without_comments_and_tests(&std::fs::read_to_string(&path).unwrap());
                    modules.insert(module.clone(), Module::read(&text, &module));
                }
            }
        }
        Sources { modules }
    }

    /// The module that defines what a path names, through re-exports.
    fn defining(&self, path: &[String], depth: usize) -> Option<&ModulePath> {
        let length = (0..=path.len())
            .rev()
            .find(|&length| self.modules.contains_key(&path[..length]))?;
        let (module, found) = self.modules.get_key_value(&path[..length])?;
        let Some(name) = path.get(length).filter(|_| depth < 8) else {
            return Some(module);
        };
        let exported = found.exported.iter().find(|to| to.last() == Some(name));
        match exported {
            Some(exported) => {
                let rest = path[length + 1..].iter();
                let path: ModulePath = exported.iter().chain(rest).cloned().collect();
                self.defining(&path, depth + 1)
            }
            None => Some(module),
        }
    }

    /// The modules that each module imports from.
    fn imports(&self) -> BTreeMap<&ModulePath, BTreeSet<&ModulePath>> {
        self.modules
            .iter()
            .map(|(module, found)| {
                let defining = found.paths.iter().filter_map(|path| self.defining(path, 0));
                (module, defining.filter(|to| *to != module).collect())
            })
            .collect()
    }

    /// The names of the most modules of which each imports every other, directly or through others.
    fn largest_cycle(&self) -> Vec<String> {
        let imports = self.imports();
        let reached: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> = imports
            .keys()
            .map(|module| (*module, reached(&imports, module)))
            .collect();
        let cycle = |module: &ModulePath| -> Vec<String> {
            let both = reached[module]
                .iter()
                .filter(|other| reached[*other].contains(module));
            both.map(|other| other.join("::")).collect()
        };
        let cycles = reached.keys().map(|module| cycle(module));
        cycles.max_by_key(Vec::len).unwrap_or_default()
    }
}

fn reached<'a>(
    imports: &BTreeMap<&'a ModulePath, BTreeSet<&'a ModulePath>>,
    from: &ModulePath,
) -> BTreeSet<&'a ModulePath> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&ModulePath> = imports[from].iter().copied().collect();
    while let Some(module) = open.pop() {
        if reached.insert(module) {
            open.extend(&imports[module]);
        }
    }
    reached
}

impl Module {
    fn read(text: &str, module: &ModulePath) -> Module {
        let mut read = Module {
            paths: Vec::new(),
            exported: Vec::new(),
        };
        for (at, word) in words(text) {
            let starts_path = text[at + word.len()..].starts_with("::");
            let is_continued = text[..at].ends_with(':') || text[..at].ends_with('$');
            if !starts_path || is_continued {
                continue;
            }
            let is_export = text[..at].trim_end().ends_with("pub use")
                || text[..at].trim_end().ends_with(") use");
            let base = match word {
                "crate" => Vec::new(),
                "self" => module.clone(),
                "super" => parent(module),
                child if is_export => [module.as_slice(), &[child.to_owned()]].concat(),
                // A module that names those below it contains them: that is no import.
                _ => continue,
            };
            let mut paths = Vec::new();
            tree(&text[at + word.len() + 2..], base, &mut paths);
            let into = if is_export {
                &mut read.exported
            } else {
                &mut read.paths
            };
            into.append(&mut paths);
        }
        read
    }
}

/// Adds the paths of a `use` tree, or of a path in an expression; returns what follows it.
fn tree<'t>(text: &'t str, base: ModulePath, paths: &mut Vec<ModulePath>) -> &'t str {
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches([' ', '\n', ',']);
            match rest.strip_prefix('}') {
                Some(after) => return after,
                None if rest.is_empty() => return rest,
                None => rest = tree(rest, base.clone(), paths),
            }
        }
    }
    let length = text
        .find(|letter: char| !is_letter(letter))
        .unwrap_or(text.len());
    let (word, mut rest) = text.split_at(length);
    let path = match word {
        "self" | "" => base,
        "super" => parent(&base),
        _ => [base.as_slice(), &[word.to_owned()]].concat(),
    };
    if let Some(deeper) = rest.strip_prefix("::") {
        return tree(deeper, path, paths);
    }
    paths.push(path);
    if let Some(renamed) = rest.strip_prefix(" as ") {
        rest = renamed.trim_start_matches(is_letter);
    }
    // What a tree cannot contain is stepped over, so that every call gets on.
    match rest.chars().next() {
        Some(',' | '}') | None => rest,
        Some(other) => &rest[other.len_utf8()..],
    }
}

fn parent(module: &ModulePath) -> ModulePath {
    module[..module.len().saturating_sub(1)].to_vec()
}

fn is_letter(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(|letter: char| !is_letter(letter))
        .map(move |word| {
            // Every separator is found again by the position of the word in the text.
            let start = at + text[at..].find(word).unwrap_or_default();
            at = start + word.len();
            (start, word)
        })
}

/// `widgets/field.rs` is `["widgets", "field"]`, `widgets/mod.rs` is `["widgets"]`, `lib.rs` the room.
fn module_path(file: &Path) -> ModulePath {
    let mut path: ModulePath = file
        .with_extension("")
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if path
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        path.pop();
    }
    path
}

/// The text up to the tests at its end, without comments.
fn without_comments_and_tests(text: &str) -> String {
    let code = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let line = |line: &str| match line.find("//") {
        Some(start) => line[..start].to_owned(),
        None => line.to_owned(),
    };
    code.lines().map(line).collect::<Vec<_>>().join("\n")
}
