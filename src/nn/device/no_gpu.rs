//! Why no NVIDIA GPU can be used: each cause with what to do about it.

/// Why a GPU cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoGpu {
    /// The feature `cuda` was off when this program was built.
    NotBuilt,
    /// The system has no driver.
    NoDriver,
    /// The driver is for an older CUDA than the kernels of this program.
    OldDriver {
        /// The CUDA version that the driver is for: `12.4`.
        driver: String,
        /// That of the toolkit that the program was built with.
        needed: String,
    },
    /// There is a driver and no GPU that it lets this program use.
    NoDevice,
    /// Another number than the GPUs have.
    BeyondLast {
        /// How many there are.
        count: usize,
    },
    /// A library of the CUDA toolkit is missing or cannot be loaded.
    NoLibrary {
        /// `cublas`.
        library: &'static str,
        /// The toolkit's version.
        version: String,
    },
    /// The driver or a library refused, in its words.
    Refused(String),
}

impl std::fmt::Display for NoGpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoGpu::NotBuilt => f.write_str(
                "this Strata was built without CUDA: build it with --features cuda to use a GPU",
            ),
            NoGpu::NoDriver => {
                f.write_str("no NVIDIA driver was found: install the driver of the GPU")
            }
            NoGpu::OldDriver { driver, needed } => write!(
                f,
                "the NVIDIA driver is for CUDA {driver}, this Strata was built with CUDA {needed}: update the driver, \
                 or build Strata with an older CUDA toolkit"
            ),
            NoGpu::NoDevice => f.write_str(
                "the NVIDIA driver finds no GPU (CUDA_VISIBLE_DEVICES may hide it; `nvidia-smi` lists what there is)",
            ),
            NoGpu::BeyondLast { count: 1 } => f.write_str("there is one GPU, cuda:0"),
            NoGpu::BeyondLast { count } => write!(
                f,
                "there are {count} GPUs, cuda:0 to cuda:{}",
                count.saturating_sub(1)
            ),
            NoGpu::NoLibrary { library, version } => write!(
                f,
                "the library {library} of CUDA {version} was not found: install the CUDA toolkit's libraries of that \
                 version, or name their folder in LD_LIBRARY_PATH"
            ),
            NoGpu::Refused(reason) => write!(f, "the NVIDIA driver refused: {reason}"),
        }
    }
}

impl NoGpu {
    /// The cause for the window, which names no commands.
    pub fn in_window(&self) -> String {
        match self {
            NoGpu::NotBuilt => "this Strata was built without CUDA".to_owned(),
            NoGpu::NoDevice => "the NVIDIA driver finds no GPU".to_owned(),
            NoGpu::NoLibrary { library, version } => format!(
                "the library {library} of CUDA {version} was not found: install the CUDA toolkit's libraries of that \
                 version"
            ),
            NoGpu::OldDriver { driver, needed } => format!(
                "the NVIDIA driver is for CUDA {driver}, this Strata was built with CUDA {needed}: update the driver"
            ),
            NoGpu::BeyondLast { .. } | NoGpu::NoDriver | NoGpu::Refused(_) => self.to_string(),
        }
    }

    /// The message where a GPU was asked for by its number.
    pub(super) fn text(&self, index: usize) -> String {
        format!("cuda:{index} is not available: {self}, or use cpu")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_says_what_to_do() {
        let old = NoGpu::OldDriver {
            driver: "12.2".into(),
            needed: "13.0".into(),
        };
        let missing = NoGpu::NoLibrary {
            library: "cublas",
            version: "13.0".into(),
        };
        for (cause, part) in [
            (NoGpu::NotBuilt, "--features cuda"),
            (NoGpu::NoDriver, "install the driver"),
            (old, "for CUDA 12.2, this Strata was built with CUDA 13.0"),
            (NoGpu::NoDevice, "nvidia-smi"),
            (NoGpu::BeyondLast { count: 1 }, "one GPU, cuda:0"),
            (NoGpu::BeyondLast { count: 4 }, "cuda:0 to cuda:3"),
            (missing, "cublas of CUDA 13.0"),
            (NoGpu::Refused("busy".into()), "refused: busy"),
        ] {
            let text = cause.text(7);
            assert!(text.starts_with("cuda:7 is not available: "), "{text}");
            assert!(
                text.contains(part) && text.ends_with("or use cpu"),
                "{text}"
            );
        }
    }
}
