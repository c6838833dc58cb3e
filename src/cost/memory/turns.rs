//! Buffers that one layer after the other writes in turn.

/// Two places that are written in turn, each as large as the largest it gets.
#[derive(Default)]
pub(super) struct Turns {
    bytes: [u64; 2],
    second: bool,
}

impl Turns {
    pub fn take(&mut self, bytes: u64) {
        self.second = !self.second;
        let [first, second] = &mut self.bytes;
        let place = if self.second { second } else { first };
        *place = (*place).max(bytes);
    }

    pub fn bytes(&self) -> u64 {
        let [first, second] = self.bytes;
        first.saturating_add(second)
    }
}
