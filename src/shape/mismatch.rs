//! Whether the output equals the input, as one sentence.
