//! A layer on a grid that fits the eye, with every step of its arithmetic.
//!
//! A step is one output cell and what it reads, or, for a transposed convolution, one input cell and what it
//! writes. The numbers are small and whole, so that a person can check each sum.

use super::number;

/// Cells in rows and columns, perhaps several planes of them, with their numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    /// Planes: channels, or branches of a block.
    pub planes: usize,
    /// Rows of a plane.
    pub rows: usize,
    /// Columns of a plane.
    pub columns: usize,
    /// `planes × rows × columns` numbers.
    pub values: Vec<f64>,
    /// Cells around each plane, above, to the right, below, to the left: the zeros that are read, or what is cut
    /// off after it was written.
    pub margin: [usize; 4],
}

impl Sheet {
    /// One plane without a margin.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Sheet {
        Sheet {
            planes: 1,
            rows,
            columns,
            values,
            margin: [0; 4],
        }
    }

    /// How many numbers it holds.
    pub fn len(&self) -> usize {
        self.planes * self.rows * self.columns
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Plane, row and column of a cell.
    pub fn place(&self, cell: usize) -> [usize; 3] {
        let plane = (self.rows * self.columns).max(1);
        let columns = self.columns.max(1);
        [cell / plane, cell % plane / columns, cell % columns]
    }

    /// The cell at a place; `None` outside.
    pub fn cell(&self, plane: usize, row: i64, column: i64) -> Option<usize> {
        let inside = |at: i64, size: usize| usize::try_from(at).ok().filter(|at| *at < size);
        let (row, column) = (inside(row, self.rows)?, inside(column, self.columns)?);
        (plane < self.planes).then(|| (plane * self.rows + row) * self.columns + column)
    }

    /// A cell's number; 0 outside.
    pub fn value(&self, cell: Option<usize>) -> f64 {
        cell.and_then(|cell| self.values.get(cell))
            .copied()
            .unwrap_or(0.0)
    }

    /// A cell as people call it, counted from 1: `(2, 1)`, or `3` where there is one row or one column.
    pub fn name(&self, cell: usize) -> String {
        let [plane, row, column] = self.place(cell).map(|index| index + 1);
        let at = match (self.rows, self.columns) {
            (1, _) => column.to_string(),
            (_, 1) => row.to_string(),
            _ => format!("({row}, {column})"),
        };
        if self.planes > 1 {
            format!("{at} of plane {plane}")
        } else {
            at
        }
    }
}

/// Which arithmetic a sample does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Every output cell is a sum of weights times input cells.
    Sum,
    /// Every output cell is a mean of input cells.
    Mean,
    /// Every output cell is the largest of its input cells.
    Max,
    /// Every input cell is multiplied with the whole kernel, and the stamps add up.
    Scatter,
    /// Every input cell goes back to one place of a window.
    Put,
    /// Every output cell is a function of input cells.
    Apply,
}

impl Way {
    /// Whether a step is an input cell that writes, instead of an output cell that reads.
    pub fn writes(self) -> bool {
        matches!(self, Way::Scatter | Way::Put)
    }
}

/// A cell that a step reads, or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The plane.
    pub plane: usize,
    /// Its row; outside of the sheet in the margin.
    pub row: i64,
    /// Its column, likewise.
    pub column: i64,
    /// The cell; `None` in the margin.
    pub cell: Option<usize>,
    /// Index of the weight it is multiplied with.
    pub weight: usize,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The output cell that is made; of a sample that writes, the input cell that is spread.
    pub cell: usize,
    /// What it reads; of a sample that writes, where it writes.
    pub touches: Vec<Touch>,
    /// Which of the touches counts, where only one does.
    pub chosen: Option<usize>,
    /// The arithmetic in full: `1·0 + 2·(−1) = −2`.
    pub sum: String,
}

/// A layer on a small grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Which arithmetic it is.
    pub way: Way,
    /// What goes in.
    pub input: Sheet,
    /// The weights; what [`Touch::weight`] counts.
    pub weights: Vec<f64>,
    /// Rows and columns of the weights, where they are a kernel or a matrix that can be drawn.
    pub kernel: Option<[usize; 2]>,
    /// What comes out.
    pub output: Sheet,
    /// All steps in reading order.
    pub steps: Vec<Step>,
    /// Whether these are the layer's own sizes.
    pub own_size: bool,
}

impl Sample {
    /// A sample whose steps read: the output's numbers are those that `make` gives for each step's touches, with
    /// the arithmetic in words and the touch that counts.
    pub(crate) fn reading(
        way: Way,
        [input, output]: [Sheet; 2],
        (weights, kernel): (Vec<f64>, Option<[usize; 2]>),
        touches: impl Fn(usize) -> Vec<Touch>,
        make: impl Fn(&[Touch]) -> (f64, String, Option<usize>),
    ) -> Sample {
        let mut sample = Sample {
            way,
            input,
            weights,
            kernel,
            output,
            steps: Vec::new(),
            own_size: false,
        };
        sample.output.values = Vec::with_capacity(sample.output.len());
        for cell in 0..sample.output.len() {
            let touches = touches(cell);
            let (value, sum, chosen) = make(&touches);
            sample.output.values.push(value);
            sample.steps.push(Step {
                cell,
                touches,
                chosen,
                sum,
            });
        }
        sample
    }

    /// The numbers a touch brings together: the input cell's (0 in the padding) and the weight.
    pub fn factors(&self, step: &Step, touch: &Touch) -> [f64; 2] {
        let cell = if self.way.writes() {
            Some(step.cell)
        } else {
            touch.cell
        };
        [
            self.input.value(cell),
            self.weights.get(touch.weight).copied().unwrap_or(1.0),
        ]
    }

    /// The output as far as it is known after a step; `None` for cells that nothing was written to yet.
    pub fn after(&self, step: usize) -> Vec<Option<f64>> {
        let mut known = vec![None; self.output.len()];
        for step in self.steps.iter().take(step.saturating_add(1)) {
            if !self.way.writes() {
                if let Some(slot) = known.get_mut(step.cell) {
                    *slot = self.output.values.get(step.cell).copied();
                }
                continue;
            }
            for (index, touch) in step.touches.iter().enumerate() {
                let counts = step.chosen.is_none_or(|chosen| chosen == index);
                let Some(slot) = touch.cell.and_then(|cell| known.get_mut(cell)) else {
                    continue;
                };
                let [value, weight] = self.factors(step, touch);
                *slot = Some(slot.unwrap_or(0.0) + if counts { value * weight } else { 0.0 });
            }
        }
        known
    }

    /// The step that makes an output cell; of a sample that writes, the last one that writes it.
    pub fn step_for_output(&self, cell: usize) -> Option<usize> {
        if !self.way.writes() {
            return self.steps.iter().position(|step| step.cell == cell);
        }
        let writes = |step: &Step| step.touches.iter().any(|touch| touch.cell == Some(cell));
        self.steps.iter().rposition(writes)
    }

    /// How often an output cell is written: the overlap of the stamps. 1 for samples that read.
    pub fn overlap(&self, cell: usize) -> usize {
        if !self.way.writes() {
            return 1;
        }
        self.steps
            .iter()
            .flat_map(|step| &step.touches)
            .filter(|touch| touch.cell == Some(cell))
            .count()
    }

    /// What an output cell is, in full: `2·1 + 3·4 = 14`.
    pub fn sum_for_output(&self, cell: usize) -> String {
        if !self.way.writes() {
            return self
                .step_for_output(cell)
                .map_or_else(String::new, |step| self.steps[step].sum.clone());
        }
        let counted = self.steps.iter().flat_map(|step| {
            step.touches
                .iter()
                .enumerate()
                .map(move |touch| (step, touch))
        });
        let terms = counted
            .filter(|(step, (index, touch))| {
                touch.cell == Some(cell) && step.chosen.is_none_or(|chosen| chosen == *index)
            })
            .map(|(step, (_, touch))| self.factors(step, touch));
        let terms: Vec<String> = terms.map(product).collect();
        let value = number(self.output.value(Some(cell)));
        if terms.is_empty() {
            format!("nothing is written here: {value}")
        } else {
            format!("{} = {value}", terms.join(" + "))
        }
    }

    /// The name of a weight, counted from 1: `w(1, 3)`, `w(2)`; a bare number for weights that are no kernel.
    pub fn weight_name(&self, weight: usize) -> String {
        match self.kernel {
            Some([1, _]) | Some([_, 1]) => format!("w({})", weight + 1),
            Some([_, columns]) => format!(
                "w({}, {})",
                weight / columns.max(1) + 1,
                weight % columns.max(1) + 1
            ),
            None => number(self.weights.get(weight).copied().unwrap_or(1.0)),
        }
    }
}

/// `2·(−1)`
pub(crate) fn product([value, weight]: [f64; 2]) -> String {
    format!("{}·{}", bracketed(value), bracketed(weight))
}

/// A number, in brackets when it is negative.
pub(crate) fn bracketed(value: f64) -> String {
    if value < 0.0 {
        format!("({})", number(value))
    } else {
        number(value)
    }
}
