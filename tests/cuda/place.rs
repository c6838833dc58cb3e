//! Where a test computes: on the CPU, on the stand-in for a GPU, on a GPU. One at a time, since the stand-in holds for
//! the whole process.

use candle_core::Device;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use strata::nn::device::{self, stand_in};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    StandIn,
    Gpu,
}

/// Holds the place of a test; the stand-in is taken away with it.
pub struct Held {
    _turn: MutexGuard<'static, ()>,
}

impl Drop for Held {
    fn drop(&mut self) {
        stand_in::set(false);
    }
}

static TURN: Mutex<()> = Mutex::new(());

/// The CPU with its own kernels, as long as it is held.
pub fn cpu() -> Held {
    hold(false)
}

fn hold(stand_in: bool) -> Held {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    stand_in::set(stand_in);
    Held { _turn: turn }
}

impl Place {
    /// The stand-in, and the GPU where there is one; with `STRATA_NEEDS_GPU` set there has to be one.
    pub fn all() -> Vec<Place> {
        let mut places = vec![Place::StandIn];
        match device::open(Some("cuda:0")) {
            Ok(_) => places.push(Place::Gpu),
            Err(reason) => {
                let is_needed = std::env::var_os("STRATA_NEEDS_GPU").is_some();
                assert!(!is_needed, "no test on a GPU: {reason}");
                static TOLD: Once = Once::new();
                // Not the captured output of a test: whoever runs this has to see it.
                TOLD.call_once(|| {
                    let line = format!("not tested on a GPU, on its stand-in alone: {reason}\n");
                    std::io::stderr().write_all(line.as_bytes()).ok();
                });
            }
        }
        places
    }

    /// The place with the name and the device to compute on it.
    pub fn hold(self) -> (Held, &'static str, Device) {
        let held = hold(self == Place::StandIn);
        let name = match self {
            Place::StandIn => "cpu",
            Place::Gpu => "cuda:0",
        };
        (held, name, device::open(Some(name)).unwrap())
    }
}
