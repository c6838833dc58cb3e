//! What pictures say of the slice of a volume that they show.

use strata_inspect::activations::Activations;
use strata_inspect::inspection::Slice;
use strata_inspect::slices::SliceOf;

/// Which slice of a volume is drawn, and which of the maps lies there; ranges are of all slices.
pub(super) fn slices_of_maps(maps: &Activations) -> Option<String> {
    let image = maps.slice?;
    let of_maps = match maps.slices() {
        slices if slices > 1 && slices != image.slices => {
            let slice = maps.same_slice();
            format!(", and of the maps {}", SliceOf { slice, slices })
        }
        _ => String::new(),
    };
    Some(format!(
        "Drawn is {image}{of_maps}; values are those of all slices."
    ))
}

/// Which slice of volumes is drawn.
pub(super) fn slice_line(of: Option<SliceOf>, asked: Slice) -> Option<String> {
    let SliceOf { slice, slices } = of?;
    let slice = asked.unwrap_or(slice).min(slices.saturating_sub(1));
    Some(SliceOf { slice, slices }.to_string())
}
