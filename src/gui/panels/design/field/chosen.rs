//! The position and layer that are looked at, and their receptive field; computed again only when one of them changes.

use strata_app::state::State;
use strata_core::project::{Network, Place, Stack};
use strata_core::shape::field::{Seen, seen};
use strata_core::shape::{Inference, infer};
use strata_inspect::effective_field::{EffectiveField, Request};

/// A cell of a layer's map.
pub(super) struct Chosen {
    pub place: Place,
    /// By the map's axes.
    pub cell: Vec<usize>,
    /// `None` where an error comes before it.
    pub seen: Option<Seen>,
    /// What it was worked out from.
    of: (Inference, Vec<usize>),
}

impl Chosen {
    /// The cell of the selected layer, or of the code's: the one that was chosen before, or the middle one.
    pub fn of(state: &State, before: Option<Chosen>) -> Option<Chosen> {
        let inference = &state.shown.inference;
        let place = place(state)?;
        let asked = state
            .inspections
            .cell
            .as_ref()
            .filter(|asked| asked.place == place);
        let wanted = asked.map(|asked| asked.cell.clone()).unwrap_or_default();
        let is_same =
            |kept: &Chosen| kept.place == place && kept.of.1 == wanted && kept.of.0 == *inference;
        if let Some(kept) = before.filter(is_same) {
            return Some(kept);
        }
        let found = match inference
            .plan
            .as_ref()
            .and_then(|plan| plan.stack(place.stack))
        {
            Some(_) => seen(inference, &place, &wanted),
            None => seen(&infer(&sound(state.network(), inference)), &place, &wanted),
        };
        let cell = found.as_ref().map_or(wanted, |seen| seen.cell.clone());
        Some(Chosen {
            place,
            of: (inference.clone(), cell.clone()),
            cell,
            seen: found,
        })
    }

    /// The sizes of the map as rows and columns: those of the middle slice of a volume.
    pub fn map(&self) -> Option<[usize; 2]> {
        plane(&self.seen.as_ref()?.map)
    }

    /// The same of the input.
    pub fn input(&self) -> Option<[usize; 2]> {
        plane(self.of.0.input.spatial())
    }

    /// Whether the input is a signal.
    pub(crate) fn is_strip(&self) -> bool {
        self.of.0.input.rank() == 1
    }

    /// Row and column of the cell.
    pub fn position(&self) -> [usize; 2] {
        match self.cell.as_slice() {
            [.., row, column] => [*row, *column],
            [column] => [0, *column],
            [] => [0, 0],
        }
    }

    /// Moves to a row and column of the map.
    pub fn go(&mut self, [row, column]: [usize; 2]) {
        match self.cell.as_mut_slice() {
            [.., r, c] => (*r, *c) = (row, column),
            [c] => *c = column,
            [] => {}
        }
    }

    /// Moves to another slice of a volume.
    pub(crate) fn go_deeper(&mut self, by: isize) {
        let depth = self
            .seen
            .as_ref()
            .and_then(|seen| seen.map.first().copied())
            .unwrap_or(1);
        if let [slice, _, _] = self.cell.as_mut_slice() {
            *slice = slice.saturating_add_signed(by).min(depth - 1);
        }
    }

    /// The effective field of this very cell, if it was measured and the network is still the one that was.
    pub fn effective<'a>(&self, state: &'a State) -> Option<&'a EffectiveField> {
        let looked = state.inspections.latest::<EffectiveField>()?;
        let same = looked.query.request
            == Request {
                place: self.place.clone(),
                cell: self.cell.clone(),
            };
        let field = looked.result.as_deref().ok().filter(|_| same)?;
        (Some(&field.seen) == self.seen.as_ref()).then_some(field)
    }

    /// Where the cell is in the map, counted from 1: `5, 5`.
    pub fn cell_in_words(&self) -> String {
        let indices = self.cell.iter().map(|index| (index + 1).to_string());
        indices.collect::<Vec<_>>().join(", ")
    }

    /// `encoder layer 4: maxpool 2 · size 16×16 · stride 4 · offset −6`
    pub fn line(&self, inference: &Inference) -> String {
        let Some(row) = inference.row(&self.place) else {
            return String::new();
        };
        let mut text = format!("{}: {}", self.place.in_words(), row.text);
        if let Some(field) = &row.receptive_field {
            text += &format!(" · size {}", times(field));
        }
        if let Some(grid) = &row.grid {
            let strides: Vec<_> = grid.iter().map(|axis| axis.stride.to_string()).collect();
            let offsets: Vec<_> = grid.iter().map(|axis| axis.offset.to_string()).collect();
            text += &format!(
                " · stride {} · offset {}",
                super::compact(&strides),
                super::compact(&offsets)
            );
        }
        text
    }
}

/// The selected layer, or the last of the encoder, or the first there is.
fn place(state: &State) -> Option<Place> {
    let inference = &state.shown.inference;
    let selected = state
        .selected
        .as_ref()
        .filter(|place| inference.row(place).is_some());
    let code = || {
        inference
            .stack(Stack::Encoder)
            .filter(|row| row.depth == 0)
            .last()
    };
    selected.cloned().or_else(|| {
        code()
            .or(inference.rows.first())
            .map(|row| row.place.clone())
    })
}

/// The network up to its first errors, so that the layers before them can be looked at.
fn sound(network: &Network, inference: &Inference) -> Network {
    let mut sound = network.clone();
    for stack in Stack::ALL {
        let first = inference
            .errors()
            .find(|(row, _)| row.place.stack == stack)
            .map(|(row, _)| row.place.path.clone());
        if let Some(&index) = first.as_deref().and_then(|path| path.first()) {
            sound.stack_mut(stack).truncate(index);
            if stack == Stack::Encoder {
                (sound.decoder, sound.head) = (Vec::new(), Vec::new());
            }
        }
    }
    sound
}

/// Rows and columns of these sizes; `None` for a vector.
pub(super) fn plane(sizes: &[usize]) -> Option<[usize; 2]> {
    match sizes {
        [.., rows, columns] => Some([*rows, *columns]),
        [columns] => Some([1, *columns]),
        [] => None,
    }
}

/// `3×5`
pub(super) fn times<T: ToString>(sizes: &[T]) -> String {
    sizes.iter().map(T::to_string).collect::<Vec<_>>().join("×")
}
