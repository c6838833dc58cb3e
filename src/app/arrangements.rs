//! The arrangements of all workspaces, so that each comes back as it was left; those with a name, and views that were
//! closed.

use super::arrangement::{Arrangement, Purpose, Workspace};
use super::view_kind::ViewKind;
use serde::{Deserialize, Deserializer, Serialize};

/// The arrangement of the data, and those of the design and the training by purpose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrangements {
    #[serde(default = "Arrangement::default_data")]
    data: Arrangement,
    #[serde(deserialize_with = "designs")]
    design: [Arrangement; 3],
    training: [Arrangement; 3],
    #[serde(default)]
    named: Vec<NamedArrangement>,
}

/// Earlier versions kept one design for all purposes.
fn designs<'de, D: Deserializer<'de>>(from: D) -> Result<[Arrangement; 3], D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kept {
        ByPurpose([Arrangement; 3]),
        OfAll(Arrangement),
    }
    Ok(match Kept::deserialize(from)? {
        Kept::ByPurpose(designs) => designs,
        // The usual one of then was that of an autoencoder.
        Kept::OfAll(usual) if usual == Arrangement::default_design(Purpose::Reconstruct) => {
            Purpose::ALL.map(Arrangement::default_design)
        }
        Kept::OfAll(design) => Purpose::ALL.map(|_| design.clone()),
    })
}

/// An arrangement that was given a name, to come back to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedArrangement {
    /// Its name.
    pub name: String,
    /// Where it belongs.
    pub workspace: Workspace,
    /// What it is.
    pub arrangement: Arrangement,
}

/// A view that was closed, with the arrangement that it was closed in.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosedView {
    /// The view.
    pub kind: ViewKind,
    /// Where it was.
    pub workspace: Workspace,
    /// How all views were laid out.
    pub before: Arrangement,
}

impl ClosedView {
    /// Opens it again: where it was, if the others are where they were left, or else as the last.
    pub fn reopen(&self, now: &mut Arrangement) {
        let mut left = self.before.clone();
        left.close(self.kind);
        if left == *now {
            *now = self.before.clone();
        } else {
            now.open(self.kind, None);
        }
    }
}

impl Default for Arrangements {
    fn default() -> Arrangements {
        Arrangements {
            data: Arrangement::default_data(),
            design: Purpose::ALL.map(Arrangement::default_design),
            training: Purpose::ALL.map(Arrangement::default_for),
            named: Vec::new(),
        }
    }
}

impl Arrangements {
    /// The one of a workspace and a purpose.
    pub fn get(&self, workspace: Workspace, purpose: Purpose) -> &Arrangement {
        match workspace {
            Workspace::Data => &self.data,
            Workspace::Design => &self.design[purpose as usize],
            Workspace::Training => &self.training[purpose as usize],
        }
    }

    /// The same, to change.
    pub fn get_mut(&mut self, workspace: Workspace, purpose: Purpose) -> &mut Arrangement {
        match workspace {
            Workspace::Data => &mut self.data,
            Workspace::Design => &mut self.design[purpose as usize],
            Workspace::Training => &mut self.training[purpose as usize],
        }
    }

    /// Those with a name, in the order in which they were named.
    pub fn named(&self) -> &[NamedArrangement] {
        &self.named
    }

    /// Gives an arrangement a name; one that had it is replaced.
    pub fn keep(&mut self, name: &str, workspace: Workspace, arrangement: Arrangement) {
        self.forget(name);
        self.named.push(NamedArrangement {
            name: name.to_owned(),
            workspace,
            arrangement,
        });
    }

    /// Takes the name of an arrangement away.
    pub fn forget(&mut self, name: &str) {
        self.named.retain(|kept| kept.name != name);
    }

    /// Reads a file of them; fails on anything that cannot be shown.
    pub fn from_text(text: &str) -> Result<Arrangements, String> {
        let read: Arrangements = serde_json::from_str(text).map_err(super::store::unread)?;
        let by_purpose = read.design.iter().chain(&read.training);
        let sound = read.data.is_sound()
            && by_purpose.into_iter().all(Arrangement::is_sound)
            && read.named.iter().all(|kept| kept.arrangement.is_sound());
        sound
            .then_some(read)
            .ok_or_else(|| "a view is open twice, or a part has no room".to_owned())
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrangement::Pane;
    use ViewKind::{Filters, Loss};

    #[test]
    fn what_was_closed_comes_back_where_it_was() {
        let before = Arrangement::default_for(Purpose::Reconstruct);
        let mut now = before.clone();
        now.close(Filters);
        let closed = ClosedView {
            kind: Filters,
            workspace: Workspace::Training,
            before: before.clone(),
        };
        let mut same = now.clone();
        closed.reopen(&mut same);
        assert_eq!(same, before);
        now.close(Loss);
        closed.reopen(&mut now);
        assert!(now.is_open(Filters) && !now.is_open(Loss));
    }

    #[test]
    fn arrangements_are_named_and_kept() {
        let mut all = Arrangements::default();
        let one = Arrangement(Some(Pane::of(&[Loss])));
        all.keep("only the loss", Workspace::Training, one.clone());
        all.keep("only the loss", Workspace::Training, one.clone());
        let read = Arrangements::from_text(&all.to_text()).unwrap();
        assert_eq!(read.named().len(), 1);
        assert_eq!(read.named()[0].arrangement, one);
        all.forget("only the loss");
        assert_eq!(all, Arrangements::default());
    }

    #[test]
    fn files_are_read_back_and_nonsense_is_refused() {
        let all = Arrangements::default();
        assert_eq!(Arrangements::from_text(&all.to_text()), Ok(all.clone()));
        for wrong in [
            "",
            "[]",
            "{\"row\": []}",
            "{\"tabs\": {\"views\": [\"loss\"], \"front\": \"filters\"}}",
            "{\"tabs\": {\"views\": [\"loss\", \"loss\"], \"front\": \"loss\"}}",
            "{\"row\": [[-1, {\"tabs\": {\"views\": [\"loss\"], \"front\": \"loss\"}}]]}",
        ] {
            let text = format!("{{\"design\": null, \"training\": [null, null, {wrong}]}}");
            assert!(Arrangements::from_text(&text).is_err(), "{wrong}");
        }
        assert!(
            Arrangements::from_text("{\"design\": null, \"training\": [null, null, null]}").is_ok()
        );
    }

    #[test]
    fn the_one_design_of_earlier_versions_is_that_of_every_purpose() {
        let read = |design: &Arrangement| {
            let design = serde_json::to_string(design).unwrap();
            let text = format!("{{\"design\": {design}, \"training\": [null, null, null]}}");
            let read = Arrangements::from_text(&text).unwrap();
            Purpose::ALL.map(|purpose| read.get(Workspace::Design, purpose).clone())
        };
        let own = Arrangement(Some(Pane::of(&[ViewKind::Cost])));
        assert_eq!(read(&own), Purpose::ALL.map(|_| own.clone()));
        let usual = Arrangement::default_design(Purpose::Reconstruct);
        assert_eq!(read(&usual), Purpose::ALL.map(Arrangement::default_design));
    }
}
