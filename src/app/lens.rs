//! How the lens is set, and which layer and which value it is on.

use super::state::State;
use serde::{Deserialize, Serialize};
use strata_core::project::Place;
use strata_engine::inspection::reply::Query;
use strata_inspect::pixel::{Pixel, Request};

/// What the lens shows of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LensMode {
    /// The layer on a small grid, step by step.
    #[default]
    Grid,
    /// One value of the trained network.
    Numbers,
    /// The layer as a sparse matrix.
    Matrix,
}

/// How the lens is set. What belongs to one layer or one moment is not remembered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LensSettings {
    /// What is shown.
    pub mode: LensMode,
    /// The position of the kernel on the small grid.
    #[serde(skip)]
    pub step: usize,
    /// Whether the positions follow each other by themselves.
    #[serde(skip)]
    pub playing: bool,
    /// Positions in a second.
    pub pace: u32,
    /// Whether the matrix is shown with rows and columns exchanged.
    pub transposed: bool,
    /// Channel, depth, row and column of the value; `None` for the middle of the output.
    #[serde(skip)]
    pub at: Option<[usize; 4]>,
    /// Which of the probe images.
    #[serde(skip)]
    pub image: usize,
    /// Which of the input's channels is drawn, of those that are summed.
    #[serde(skip)]
    pub part: usize,
}

impl Default for LensSettings {
    fn default() -> LensSettings {
        let (mode, step, playing, pace) = (LensMode::default(), 0, false, 2);
        LensSettings {
            mode,
            step,
            playing,
            pace,
            transposed: false,
            at: None,
            image: 0,
            part: 0,
        }
    }
}

impl State {
    /// The layer in the lens: the selected one, else the first there is.
    pub fn lens_place(&self) -> Option<Place> {
        let rows = &self.shown.inference.rows;
        let first = || rows.iter().find(|row| !row.is_block).or(rows.first());
        let selected = self
            .selected
            .as_ref()
            .and_then(|place| self.shown.inference.row(place));
        selected.or_else(first).map(|row| row.place.clone())
    }

    /// The query for the arithmetic of the value in the lens; `None` without a layer or a network.
    pub fn pixel_query(&self) -> Option<Query<Pixel>> {
        let lens = &self.view.lens;
        let request = Request {
            at: lens.at,
            image: lens.image,
            ..Request::of(self.lens_place()?)
        };
        self.run_query(request)
    }
}
