use super::*;
use crate::ops::taps::{OUTSIDE, Taps};

/// Every pair (source cell, window cell) that each target reads, by walking the phases.
fn pairs(sliding: &Sliding) -> Vec<(usize, usize, usize)> {
    let margin = &sliding.margin;
    let mut inside = vec![None; margin.padded_cells()];
    for (cell, at) in grid(margin.image).enumerate() {
        inside[margin.place(at)] = Some(cell);
    }
    let mut pairs = Vec::new();
    let mut seen = vec![0; sliding.targets];
    for phase in &sliding.phases {
        for at in grid(phase.counts) {
            let place = |walk: &Walk| {
                walk.start + (0..3).map(|axis| at[axis] * walk.step[axis]).sum::<usize>()
            };
            let target = place(&phase.target);
            seen[target..target + phase.slots]
                .iter_mut()
                .for_each(|count| *count += 1);
            for tap in &phase.taps {
                pairs.extend(
                    inside[place(&phase.source) + tap.offset]
                        .map(|s| (target + tap.slot as usize, s, tap.cell as usize)),
                );
            }
        }
    }
    assert!(
        seen.iter().all(|&count| count == 1),
        "every target once: {seen:?}"
    );
    pairs.sort_unstable();
    pairs
}

fn geometries() -> Vec<Geometry> {
    let mut all = Vec::new();
    for (input, kernel, stride, dilation, pad) in (1..8).flat_map(|i| {
        (1..5).flat_map(move |k| {
            (1..4).flat_map(move |s| (1..3).flat_map(move |d| (0..3).map(move |p| (i, k, s, d, p))))
        })
    }) {
        let (reach, room) = ((kernel - 1) * dilation + 1, input + 2 * pad);
        // More zeros than the window is wide would be a position that reads nothing.
        if reach > room || pad >= reach {
            continue;
        }
        let output = (room - reach) / stride + 1;
        let (a, b) = ([1, 1, input], [1, 1, kernel]);
        all.push(Geometry {
            input: a,
            output: [1, 1, output],
            kernel: b,
            stride: [1, 1, stride],
            dilation: [1, 1, dilation],
            pad: [0, 0, pad],
        });
        all.push(Geometry {
            input: [2, input, 3],
            output: [1, output, 3],
            kernel: [2, kernel, 1],
            stride: [1, stride, 1],
            dilation: [1, dilation, 1],
            pad: [0, pad, 0],
        });
    }
    all
}

#[test]
fn both_ways_read_what_the_window_says() {
    let all = geometries();
    assert!(all.len() > 200);
    for geometry in all {
        let taps = Taps::new(&geometry);
        let (mut down, mut up) = (Vec::new(), Vec::new());
        for position in 0..taps.positions {
            for (cell, &tap) in taps
                .at(position)
                .iter()
                .enumerate()
                .filter(|(_, tap)| **tap != OUTSIDE)
            {
                down.push((position, tap as usize, cell));
                up.push((tap as usize, position, cell));
            }
        }
        down.sort_unstable();
        up.sort_unstable();
        for lanes in [1, 3, 8, 16] {
            let [to_small, to_large] = [Sliding::down(&geometry), Sliding::up(&geometry)]
                .map(|sliding| sliding.in_slots(lanes, 16));
            assert_eq!(pairs(&to_small), down, "{lanes} {geometry:?}");
            assert_eq!(pairs(&to_large), up, "{lanes} {geometry:?}");
        }
    }
}

#[test]
fn neighbours_share_what_they_read() {
    let plane = |stride: usize| Geometry {
        input: [1, 5, 21],
        output: [1, 5, 20 / stride + 1],
        kernel: [1, 1, 3],
        stride: [1, 1, stride],
        dilation: [1; 3],
        pad: [0, 0, 1],
    };
    let phases = |sliding: Sliding, lanes: usize| -> Vec<_> {
        let phases = sliding.in_slots(lanes, 16).phases.into_iter();
        phases
            .map(|phase| (phase.counts[2], phase.slots, phase.offsets().count()))
            .collect()
    };
    assert_eq!(phases(Sliding::down(&plane(1)), 16), [(21, 1, 3)]);
    assert_eq!(phases(Sliding::down(&plane(1)), 8), [(10, 2, 4), (1, 1, 3)]);
    assert_eq!(phases(Sliding::up(&plane(1)), 5), [(7, 3, 5)]);
    assert_eq!(phases(Sliding::down(&plane(1)), 1), [(2, 8, 10), (5, 1, 3)]);
    // Windows that hardly overlap are not worth it.
    assert_eq!(phases(Sliding::down(&plane(2)), 8), [(11, 1, 3)]);
    // The positions of both phases take turns: 4 of them read 3 instead of 6.
    assert_eq!(phases(Sliding::up(&plane(2)), 4)[0], (5, 4, 3));
}
