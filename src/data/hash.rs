//! A short name for what a run was trained on (64-bit FNV-1a): to notice a difference, not to
//! prove that nobody tampered. Cannot fail.

/// A running hash.
pub(super) struct Digest(u64);

impl Digest {
    pub fn new() -> Digest {
        Digest(0xcbf2_9ce4_8422_2325)
    }

    /// Adds bytes with their number, so that neighbours cannot trade bytes unseen.
    pub fn add(&mut self, bytes: &[u8]) {
        self.mix(&(bytes.len() as u64).to_le_bytes());
        self.mix(bytes);
    }

    pub fn add_number(&mut self, number: u64) {
        self.mix(&number.to_le_bytes());
    }

    pub fn finish(&self) -> String {
        format!("{:016x}", self.0)
    }

    fn mix(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
