//! Small parts that several panels use. Each paints only with the colours of [`super::theme`].

mod arrows;
pub mod button;
pub mod choice_box;
mod clauses;
pub mod covered;
pub mod elided;
pub mod empty;
pub mod field;
pub mod figure;
pub mod funnel;
pub mod icon;
pub mod options_button;
pub mod raster;
pub mod refused;
pub mod said;
pub mod slab;
pub mod slice;
pub mod slider;
pub mod steady_scroll;
pub mod stepper;

pub use arrows::keep_arrows;
pub use button::{focus_ring, icon_button, primary_button, quiet_button};
pub use choice_box::{ChoiceBox, close_by_key};
pub use clauses::clauses;
pub use elided::{elided, ending, first_fitting, in_lines};
pub use empty::empty;
pub use field::{Field, FieldEvent};
pub use figure::figure;
pub use icon::{Icon, chevron};
pub use options_button::options_button;
pub use said::{parameters, plain, said};
pub use slice::{slices_of_input, volume_slice};
pub use slider::slider;
pub use steady_scroll::steady_scroll;
pub use stepper::Stepper;
