//! Where the code sees less than the input.

use crate::project::Stack;
use crate::shape::infer::Inference;

/// Says so, with the numbers and what helps, when a value of the code sees less than the input on some axis and
/// no layer of the decoder or the head sees everything. Not a mistake: a small field is right for textures.
pub fn sees_less(inference: &Inference) -> Option<String> {
    let fields = |stack| {
        inference
            .stack(stack)
            .filter(|row| row.depth == 0)
            .map(|row| row.receptive_field.as_deref())
    };
    let input: Vec<u64> = inference
        .input
        .spatial()
        .iter()
        .map(|&size| size as u64)
        .collect();
    let covers = |field: &[u64]| field.iter().zip(&input).all(|(field, size)| field >= size);
    let code = fields(Stack::Encoder).last()??;
    let later = || fields(Stack::Decoder).chain(fields(Stack::Head)).flatten();
    let answered = inference.errors().next().is_some() || later().any(covers);
    if covers(code) || answered {
        return None;
    }
    let sizes = |sizes: &[u64]| {
        sizes
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join("×")
    };
    Some(format!(
        "a value of the code sees {} of the input's {}, larger things only in pieces; a stride, a pooling or dilation more in the encoder would widen it",
        sizes(code),
        sizes(&input)
    ))
}
