//! The words of a ChaCha8 stream (Bernstein 2008) at any place in it, as `rand_chacha` draws them one after the other.
//!
//! Sixteen blocks are computed side by side, a vector for each of a block's sixteen words. Callers are compiled for each
//! instruction set, and this becomes part of them.

/// Blocks computed side by side.
const LANES: usize = 16;
/// Words of a block, which are also its vectors.
const BLOCK: usize = 16;
/// Words that are drawn at a time; a draw begins at a multiple.
pub(super) const DRAWN: usize = LANES * BLOCK;
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
/// Of eight rounds two at a time.
const DOUBLE_ROUNDS: usize = 4;

type Row = [u32; LANES];

/// A stream of random words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    key: [u32; 8],
}

impl Words {
    /// The words of the generator with this seed.
    pub(crate) fn new(seed: [u8; 32]) -> Words {
        let mut key = [0; 8];
        for (word, bytes) in key.iter_mut().zip(seed.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        Words { key }
    }

    /// The words from the `first` on, which is a multiple of [`DRAWN`].
    #[inline(always)]
    pub(super) fn draw<const N: usize>(&self, first: usize, words: &mut [u32; N]) {
        const { assert!(N.is_multiple_of(DRAWN)) };
        let mut block = (first / BLOCK) as u64;
        for words in words.as_chunks_mut::<DRAWN>().0 {
            self.blocks(block, words);
            block = block.wrapping_add(LANES as u64);
        }
    }

    #[inline(always)]
    fn blocks(&self, first: u64, words: &mut [u32; DRAWN]) {
        let mut start: [Row; BLOCK] = [[0; LANES]; BLOCK];
        for (row, word) in start.iter_mut().zip(CONSTANTS.iter().chain(&self.key)) {
            *row = [*word; LANES];
        }
        let numbers: [u64; LANES] = std::array::from_fn(|lane| first.wrapping_add(lane as u64));
        start[12] = numbers.map(|number| number as u32);
        start[13] = numbers.map(|number| (number >> 32) as u32);
        let mut state = start;
        for _ in 0..DOUBLE_ROUNDS {
            quarter_round(&mut state, [0, 4, 8, 12]);
            quarter_round(&mut state, [1, 5, 9, 13]);
            quarter_round(&mut state, [2, 6, 10, 14]);
            quarter_round(&mut state, [3, 7, 11, 15]);
            quarter_round(&mut state, [0, 5, 10, 15]);
            quarter_round(&mut state, [1, 6, 11, 12]);
            quarter_round(&mut state, [2, 7, 8, 13]);
            quarter_round(&mut state, [3, 4, 9, 14]);
        }
        for (state, start) in state.iter_mut().zip(&start) {
            for lane in 0..LANES {
                state[lane] = state[lane].wrapping_add(start[lane]);
            }
        }
        for (lane, block) in words.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            for (word, row) in block.iter_mut().zip(&state) {
                *word = row[lane];
            }
        }
    }
}

#[inline(always)]
fn quarter_round(state: &mut [Row; BLOCK], [a, b, c, d]: [usize; 4]) {
    let [mut x, mut y, mut z, mut w] = [state[a], state[b], state[c], state[d]];
    add_turn(&mut x, &y, &mut w, 16);
    add_turn(&mut z, &w, &mut y, 12);
    add_turn(&mut x, &y, &mut w, 8);
    add_turn(&mut z, &w, &mut y, 7);
    [state[a], state[b], state[c], state[d]] = [x, y, z, w];
}

/// Adds a row to another one, and that one's bits to a third, which is turned.
#[inline(always)]
fn add_turn(sum: &mut Row, added: &Row, turned: &mut Row, bits: u32) {
    for lane in 0..LANES {
        sum[lane] = sum[lane].wrapping_add(added[lane]);
        turned[lane] = (turned[lane] ^ sum[lane]).rotate_left(bits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;
    use strata_core::rng::{Purpose, stream};

    #[test]
    fn words_are_those_of_the_generator() {
        let mut rng = stream(11, Purpose::Dropout, 5);
        let words = Words::new(rng.get_seed());
        for first in [0, DRAWN, 1 << 20, 1 << 37] {
            rng.set_word_pos(first as u128);
            let mut drawn = [0; 2 * DRAWN];
            words.draw(first, &mut drawn);
            assert!(drawn.into_iter().all(|word| word == rng.next_u32()));
        }
    }
}
