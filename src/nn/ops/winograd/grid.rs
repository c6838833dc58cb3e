//! Where the tiles of an image lie: what they read, and what they write.

use super::pass::Piece;
use std::ops::Range;
use strata_core::shape::op::Geometry;

/// Calls `all` of a kernel as it is compiled for these points and this window along an axis: no other pair is chosen.
macro_rules! compiled_for {
    ($kernel:ident, $lanes:ident, $points:expr, $window:expr) => {
        match ($points, $window) {
            (4, _) => $kernel.all::<L, 4, 3>($lanes),
            (6, 3) => $kernel.all::<L, 6, 3>($lanes),
            (6, _) => $kernel.all::<L, 6, 5>($lanes),
            (_, 5) => $kernel.all::<L, 8, 5>($lanes),
            _ => $kernel.all::<L, 8, 7>($lanes),
        }
    };
}
pub(super) use compiled_for;

/// The tiles of one direction of a convolution in two axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) struct TileGrid {
    /// Points of an axis: a tile reads as many positions along it.
    pub points: usize,
    /// Elements of the window along an axis.
    pub window: usize,
    /// From an element of the window to the next one: positions along each axis. Tiles are as wide apart, so that
    /// as many of them lie between each other.
    pub dilation: [usize; 2],
    /// Sizes of a source image.
    pub source: [usize; 2],
    /// Zeros before the first source position along each axis; negative where it is not read at all.
    pub before: [isize; 2],
    /// Sizes of a target image.
    pub target: [usize; 2],
    /// Tiles along each axis.
    pub tiles: [usize; 2],
}

impl TileGrid {
    /// The tiles of a direction.
    pub fn new(geometry: &Geometry, points: usize, down: bool) -> TileGrid {
        let plane = |sizes: [usize; 3]| [sizes[1], sizes[2]];
        let (large, small) = (plane(geometry.input), plane(geometry.output));
        let pad = plane(geometry.pad).map(|pad| pad as isize);
        let (window, dilation) = (geometry.kernel[1], plane(geometry.dilation));
        let reach = dilation.map(|step| ((window - 1) * step) as isize);
        let (source, target, before) = if down {
            (large, small, pad)
        } else {
            // The transpose reads the flipped window from where it begins to touch the small side.
            (small, large, [reach[0] - pad[0], reach[1] - pad[1]])
        };
        let outputs = points + 1 - window;
        let tiles = |axis: usize| {
            let step: usize = dilation[axis];
            step * target[axis].div_ceil(step).div_ceil(outputs)
        };
        TileGrid {
            points,
            window,
            dilation,
            source,
            before,
            target,
            tiles: [tiles(0), tiles(1)],
        }
    }

    /// Target positions of a tile along an axis.
    pub fn outputs(&self) -> usize {
        self.points + 1 - self.window
    }

    /// Positions of a source image.
    pub fn source_cells(&self) -> usize {
        self.source.iter().product()
    }

    /// Positions of a target image.
    pub fn target_cells(&self) -> usize {
        self.target.iter().product()
    }

    /// Where the target positions of a tile along an axis begin.
    #[inline(always)]
    fn first(&self, axis: usize, tile: usize) -> usize {
        let step = self.dilation[axis];
        if step == 1 {
            return tile * self.outputs();
        }
        // The tiles that lie between each other follow each other.
        tile / step * step * self.outputs() + tile % step
    }

    /// Target positions along the first axis that tiles which lie between each other have together.
    pub fn row_group(&self) -> usize {
        self.dilation[0] * self.outputs()
    }

    /// The groups of rows of tiles in a band, each with those that lie between each other.
    pub fn groups(&self, band: Piece) -> Range<usize> {
        band.range(self.tiles[0] / self.dilation[0])
    }

    /// The rows of tiles in a band.
    pub fn rows(&self, band: Piece) -> Range<usize> {
        let groups = self.groups(band);
        groups.start * self.dilation[0]..groups.end * self.dilation[0]
    }

    /// By element of a tile along an axis, its source position; [`OUTSIDE`] in the padding.
    #[inline(always)]
    fn sources<const N: usize>(&self, axis: usize, tile: usize) -> [usize; N] {
        let first = self
            .first(axis, tile)
            .wrapping_add_signed(-self.before[axis]);
        let step = self.dilation[axis];
        let mut places = [OUTSIDE; N];
        for (element, place) in places.iter_mut().enumerate() {
            let at = first.wrapping_add(element * step);
            if at < self.source[axis] {
                *place = at;
            }
        }
        places
    }

    /// By output of a tile along an axis, its target position; [`OUTSIDE`] where the tile reaches over the edge.
    #[inline(always)]
    fn targets<const N: usize>(&self, axis: usize, tile: usize) -> [usize; N] {
        let mut places = [OUTSIDE; N];
        let (first, step) = (self.first(axis, tile), self.dilation[axis]);
        for (output, place) in places.iter_mut().enumerate().take(self.outputs()) {
            let at = first + output * step;
            if at < self.target[axis] {
                *place = at;
            }
        }
        places
    }
}

/// No position of an axis.
const OUTSIDE: usize = usize::MAX;

/// Elements of an image, by row and column of a tile; `None` outside of the image.
#[derive(Clone, Copy)]
pub(super) struct Cells<const N: usize> {
    rows: [usize; N],
    columns: [usize; N],
}

impl<const N: usize> Cells<N> {
    /// From positions of both axes to elements: `first` is that of the image, `width` its positions in a row.
    #[inline(always)]
    fn new(axes: [[usize; N]; 2], first: usize, width: usize, channels: usize) -> Cells<N> {
        let [mut rows, mut columns] = axes;
        for at in rows.iter_mut().filter(|at| **at != OUTSIDE) {
            *at = first + *at * width * channels;
        }
        for at in columns.iter_mut().filter(|at| **at != OUTSIDE) {
            *at *= channels;
        }
        Cells { rows, columns }
    }

    /// The first element, where all of the tile is inside of the image.
    #[inline(always)]
    pub fn whole(&self) -> Option<usize> {
        // Elements of an axis follow each other: with both ends, all are inside.
        let inside = |axis: &[usize; N]| axis[0] != OUTSIDE && axis[N - 1] != OUTSIDE;
        if inside(&self.rows) && inside(&self.columns) {
            return Some(self.rows[0] + self.columns[0]);
        }
        None
    }

    #[inline(always)]
    pub fn at(&self, row: usize, column: usize) -> Option<usize> {
        let (row, column) = (self.rows[row], self.columns[column]);
        if row == OUTSIDE || column == OUTSIDE {
            return None;
        }
        Some(row + column)
    }
}

/// Some rows of tiles of each of some images, in order.
#[derive(Clone, Debug)]
pub(in crate::ops) struct TileWalk {
    pub grid: TileGrid,
    /// Rows of tiles of each image.
    pub rows: Range<usize>,
    pub images: usize,
}

impl TileWalk {
    /// Number of tiles.
    pub fn count(&self) -> usize {
        self.images * self.rows.len() * self.grid.tiles[1]
    }

    /// Goes through the tiles from one on.
    #[inline(always)]
    pub fn from(&self, tile: usize) -> Steps<'_> {
        let columns = self.grid.tiles[1].max(1);
        let in_image = (self.rows.len() * columns).max(1);
        let in_rows = tile % in_image;
        Steps {
            walk: self,
            image: tile / in_image,
            tile: [self.rows.start + in_rows / columns, in_rows % columns],
        }
    }
}

/// A tile of a walk, and the way to the next one.
pub(super) struct Steps<'a> {
    walk: &'a TileWalk,
    image: usize,
    tile: [usize; 2],
}

impl Steps<'_> {
    /// The tile's elements in the source images.
    #[inline(always)]
    pub fn sources<const N: usize>(&self, channels: usize) -> Cells<N> {
        let grid = &self.walk.grid;
        let axes = [grid.sources(0, self.tile[0]), grid.sources(1, self.tile[1])];
        let first = self.image * grid.source_cells() * channels;
        Cells::new(axes, first, grid.source[1], channels)
    }

    /// The tile's outputs in the target images: as many as [`TileGrid::outputs`]; the others are `None`.
    #[inline(always)]
    pub fn targets<const N: usize>(&self, channels: usize) -> Cells<N> {
        let grid = &self.walk.grid;
        let axes = [grid.targets(0, self.tile[0]), grid.targets(1, self.tile[1])];
        let first = self.image * grid.target_cells() * channels;
        Cells::new(axes, first, grid.target[1], channels)
    }

    /// Goes to the next tile.
    #[inline(always)]
    pub fn advance(&mut self) {
        self.tile[1] += 1;
        if self.tile[1] == self.walk.grid.tiles[1] {
            self.tile = [self.tile[0] + 1, 0];
            if self.tile[0] == self.walk.rows.end {
                self.tile[0] = self.walk.rows.start;
                self.image += 1;
            }
        }
    }
}
