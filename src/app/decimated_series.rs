//! A curve of any length that is drawn in a bounded number of points.
//!
//! With the points it keeps a pyramid of their extremes (blocks of 4, 16, 64 …), so a curve of a
//! million points costs as much to draw as one of a thousand and no spike is ever hidden. Values
//! that are not finite are gaps.

use std::ops::RangeInclusive;

/// Points by rising x.
#[derive(Clone, Debug, Default)]
pub struct Series {
    x: Vec<f64>,
    y: Vec<f64>,
    levels: Vec<Vec<Block>>,
}

/// Where a block of points is lowest and highest, and whether something in it is not finite.
#[derive(Clone, Copy, Debug)]
struct Block {
    low: Option<usize>,
    high: Option<usize>,
    gap: bool,
}

/// Points of a block, and blocks of a block one level up.
const FAN: usize = 4;
/// Blocks with gaps that are looked at closer in one drawing.
const MOST_GAPS: usize = 512;

impl Series {
    /// Appends a point. An x that is smaller than the last one is taken as the last one.
    pub fn push(&mut self, x: f64, y: f64) {
        let index = self.x.len();
        let x = self.x.last().map_or(x, |&last| x.max(last));
        self.x.push(x);
        self.y.push(y);
        let mut size = FAN;
        for level in 0.. {
            if level == self.levels.len() {
                if index + 1 < size {
                    break;
                }
                self.levels.push(self.level(size));
            } else {
                self.extend_level(level, index, size);
            }
            size *= FAN;
        }
    }

    fn level(&self, size: usize) -> Vec<Block> {
        (0..self.y.len())
            .step_by(size)
            .map(|start| self.block(start, size))
            .collect()
    }

    fn block(&self, start: usize, size: usize) -> Block {
        let empty = Block {
            low: None,
            high: None,
            gap: false,
        };
        let end = self.y.len().min(start + size);
        (start..end).fold(empty, |block, index| self.merged(block, index))
    }

    fn extend_level(&mut self, level: usize, index: usize, size: usize) {
        let former = if index.is_multiple_of(size) {
            None
        } else {
            self.levels[level].pop()
        };
        let block = former.unwrap_or(Block {
            low: None,
            high: None,
            gap: false,
        });
        let block = self.merged(block, index);
        self.levels[level].push(block);
    }

    fn merged(&self, block: Block, index: usize) -> Block {
        let y = self.y[index];
        if !y.is_finite() {
            return Block { gap: true, ..block };
        }
        let low = block.low.filter(|&low| self.y[low] <= y).unwrap_or(index);
        let high = block
            .high
            .filter(|&high| self.y[high] >= y)
            .unwrap_or(index);
        Block {
            low: Some(low),
            high: Some(high),
            gap: block.gap,
        }
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// The last finite value.
    pub fn last(&self) -> Option<f64> {
        self.y
            .iter()
            .rev()
            .take(1000)
            .copied()
            .find(|y| y.is_finite())
    }

    /// All points in their order, without the cuts: those repeat the place of the point before them.
    pub fn points(&self) -> impl Iterator<Item = [f64; 2]> {
        let kept = (0..self.len()).filter(|&index| !self.is_cut(index));
        kept.map(|index| [self.x[index], self.y[index]])
    }

    /// Values at about so many places, the same distance apart; those that are not finite are left out.
    pub fn sample(&self, places: usize) -> Vec<f64> {
        let stride = self.y.len().div_ceil(places.max(1)).max(1);
        let values = self.y.iter().step_by(stride).copied();
        values.filter(|value| value.is_finite()).collect()
    }

    /// The running mean of these points, begun anew after every cut.
    pub fn smoothed(&self, smoothing: &mut Smoothing) -> Series {
        let mut smooth = Series::default();
        smoothing.reset();
        for index in 0..self.len() {
            let value = if self.is_cut(index) {
                smoothing.reset();
                f64::NAN
            } else {
                smoothing.next(self.y[index])
            };
            smooth.push(self.x[index], value);
        }
        smooth
    }

    /// Whether this is no point but the end of a line.
    fn is_cut(&self, index: usize) -> bool {
        let before = index.checked_sub(1).and_then(|before| self.x.get(before));
        self.y[index].is_nan() && before == Some(&self.x[index])
    }

    /// The point whose x is nearest, as it was added; `None` where there is none.
    pub fn nearest(&self, x: f64) -> Option<[f64; 2]> {
        let after = self.x.partition_point(|at| *at < x);
        let before = after.checked_sub(1);
        let is_nearer = |a: &usize, b: &usize| (self.x[*a] - x).abs() < (self.x[*b] - x).abs();
        let after = (after < self.len()).then_some(after);
        let nearest = match (before, after) {
            (Some(before), Some(after)) if is_nearer(&after, &before) => after,
            (before, after) => before.or(after)?,
        };
        // A cut repeats the place of the point before it: the first of that place is the point.
        let nearest = self.x.partition_point(|at| *at < self.x[nearest]);
        Some([self.x[nearest], self.y[nearest]])
    }

    /// The x of the last point.
    pub fn end(&self) -> Option<f64> {
        self.x.last().copied()
    }

    /// What to draw of an x range on about `columns` pixels: runs of points without gaps.
    pub fn visible(&self, range: RangeInclusive<f64>, columns: usize) -> Vec<Vec<[f64; 2]>> {
        let start = self
            .x
            .partition_point(|x| x < range.start())
            .saturating_sub(1);
        let end = (self.x.partition_point(|x| x <= range.end()) + 1).min(self.x.len());
        if start >= end {
            return Vec::new();
        }
        let room = (end - start) / columns.max(1);
        let level = (0..self.levels.len())
            .rev()
            .find(|&level| FAN.pow(level as u32 + 1) <= room);
        let mut runs = Runs::default();
        match level {
            None => (start..end).for_each(|index| runs.add(self.x[index], self.y[index])),
            Some(level) => self.add_blocks(level, start, end, &mut runs),
        }
        runs.finish()
    }

    fn add_blocks(&self, level: usize, start: usize, end: usize, runs: &mut Runs) {
        let size = FAN.pow(level as u32 + 1);
        let mut closer = MOST_GAPS;
        for index in start / size..end.div_ceil(size).min(self.levels[level].len()) {
            self.add_block(level, index, &mut closer, runs);
        }
    }

    /// A block with a gap is looked at closer, so that the points before it are never joined to those after it;
    /// where gaps are too many for that, the block is drawn alone.
    fn add_block(&self, level: usize, index: usize, closer: &mut usize, runs: &mut Runs) {
        let Some(block) = self.levels[level].get(index) else {
            return;
        };
        if block.gap && *closer > 0 {
            *closer -= 1;
            return match level.checked_sub(1) {
                Some(finer) => (FAN * index..FAN * (index + 1))
                    .for_each(|i| self.add_block(finer, i, closer, runs)),
                None => {
                    let points = FAN * index..self.y.len().min(FAN * (index + 1));
                    points.for_each(|i| runs.add(self.x[i], self.y[i]));
                }
            };
        }
        if block.gap {
            runs.cut();
        }
        if let (Some(low), Some(high)) = (block.low, block.high) {
            runs.add(self.x[low.min(high)], self.y[low.min(high)]);
            if low != high {
                runs.add(self.x[low.max(high)], self.y[low.max(high)]);
            }
        }
        if block.gap {
            runs.cut();
        }
    }
}

/// Collects points into runs, cut where a value is not finite.
#[derive(Default)]
struct Runs {
    done: Vec<Vec<[f64; 2]>>,
    open: Vec<[f64; 2]>,
}

impl Runs {
    fn add(&mut self, x: f64, y: f64) {
        if y.is_finite() {
            self.open.push([x, y])
        } else {
            self.cut()
        }
    }

    fn cut(&mut self) {
        if !self.open.is_empty() {
            self.done.push(std::mem::take(&mut self.open));
        }
    }

    fn finish(mut self) -> Vec<Vec<[f64; 2]>> {
        self.cut();
        self.done
    }
}

/// A running mean that forgets. Its memory grows with the curve, up to `longest` points, so that it
/// follows the steep beginning and calms the long end.
#[derive(Clone, Copy, Debug)]
pub struct Smoothing {
    longest: f64,
    seen: f64,
    sum: f64,
    mass: f64,
}

/// A tenth of the points so far are remembered.
const SHARE: f64 = 0.1;

impl Smoothing {
    /// Smoothing over at most this many points.
    pub fn new(longest: f64) -> Smoothing {
        Smoothing {
            longest: longest.max(1.0),
            seen: 0.0,
            sum: 0.0,
            mass: 0.0,
        }
    }

    /// The most points that it remembers.
    pub fn longest(&self) -> f64 {
        self.longest
    }

    /// The mean after one more value; a value that is not finite is a gap and changes nothing.
    pub fn next(&mut self, value: f64) -> f64 {
        if !value.is_finite() {
            return f64::NAN;
        }
        self.seen += 1.0;
        let newest = 1.0 / (1.0 + SHARE * self.seen).min(self.longest);
        self.sum += newest * (value - self.sum);
        self.mass += newest * (1.0 - self.mass);
        self.sum / self.mass
    }

    /// How many of the newest points the mean is made of, as their weights count.
    pub fn memory(&self) -> u64 {
        (1.0 + SHARE * self.seen).min(self.longest).round() as u64
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        *self = Smoothing::new(self.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: impl IntoIterator<Item = f64>) -> Series {
        let mut series = Series::default();
        values
            .into_iter()
            .enumerate()
            .for_each(|(i, y)| series.push(i as f64, y));
        series
    }

    #[test]
    fn short_curves_are_drawn_whole() {
        let series = series([1.0, 2.0, f64::NAN, 3.0]);
        assert_eq!(
            series.visible(0.0..=3.0, 100),
            [vec![[0.0, 1.0], [1.0, 2.0]], vec![[3.0, 3.0]]]
        );
        assert!(Series::default().visible(0.0..=1.0, 100).is_empty());
    }

    #[test]
    fn the_nearest_point_is_one_that_was_added() {
        let mut series = Series::default();
        for (x, y) in [(1.0, 5.0), (2.0, 6.0), (2.0, f64::NAN), (5.0, 7.0)] {
            series.push(x, y);
        }
        for (x, y) in [
            (-3.0, 5.0),
            (1.4, 5.0),
            (1.6, 6.0),
            (2.0, 6.0),
            (3.0, 6.0),
            (4.0, 7.0),
            (9.0, 7.0),
        ] {
            assert_eq!(series.nearest(x).unwrap()[1], y, "at {x}");
        }
        assert_eq!(Series::default().nearest(1.0), None);
    }

    #[test]
    fn a_million_points_become_few_and_keep_the_spike() {
        let series =
            series((0..1_000_000).map(|i| if i == 654_321 { 1000.0 } else { (i % 7) as f64 }));
        let runs = series.visible(0.0..=1e6, 800);
        let points: Vec<_> = runs.concat();
        assert!(points.len() < 30_000, "{}", points.len());
        assert!(points.contains(&[654_321.0, 1000.0]));
        assert!(points.is_sorted_by(|a, b| a[0] <= b[0]));
        let near = series.visible(654_000.0..=655_000.0, 800);
        assert!(near.concat().len() >= 1000);
    }

    #[test]
    fn gaps_stay_gaps_when_thinned() {
        let series = series((0..100_000).map(|i| if i == 50_000 { f64::NAN } else { 1.0 }));
        let runs = series.visible(0.0..=1e5, 500);
        assert_eq!(runs.len(), 2);
        let (before, after) = (runs[0].last().unwrap()[0], runs[1].first().unwrap()[0]);
        assert!(
            (49_900.0..50_000.0).contains(&before) && after == 50_001.0,
            "{before} {after}"
        );
        let torn = (0..100_000).map(|i| if i % 2 == 0 { f64::NAN } else { 1.0 });
        let points = self::series(torn).visible(0.0..=1e5, 500).concat().len();
        assert!(
            points < 10_000,
            "{points} points of a curve with a gap at every other"
        );
    }

    #[test]
    fn smoothing_starts_at_the_first_value() {
        let mut smoothing = Smoothing::new(20.0);
        assert!((smoothing.next(5.0) - 5.0).abs() < 1e-12);
        assert!(smoothing.next(f64::INFINITY).is_nan());
        for _ in 0..1000 {
            smoothing.next(1.0);
        }
        let next = smoothing.next(0.0);
        assert!((next - 0.95).abs() < 1e-3, "{next}");
    }
}
