//! How the playground for kernels is set: on which picture, which kernel, how it is slid.

use super::state::State;
use serde::{Deserialize, Serialize, Serializer};
use std::path::{Path, PathBuf};
use strata_core::project::data::Split;
use strata_engine::inspection::reply::Query;
use strata_inspect::inspection::Subject as Inspected;
use strata_inspect::kernel::{Amount, Kernel, Named, Settings};
use strata_inspect::kernel_playground::{PictureSource, Playground, Question};

/// The largest stride, dilation and padding that the view offers.
const MOST_STEP: usize = 8;

/// Which picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// One of the project's images.
    #[default]
    Data,
    /// An image file.
    File(#[serde(serialize_with = "lossily")] PathBuf),
    /// The made noisy curve.
    Curve,
}

/// JSON cannot hold a path that is not UTF-8; the view says that the file is missing.
fn lossily<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.to_string_lossy())
}

/// How the playground is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KernelSettings {
    /// Which picture.
    pub subject: Subject,
    /// The split of the project's images; `None` for the first there is.
    pub split: Option<Split>,
    /// The number of the image, from 0.
    pub index: usize,
    /// The noise of the made curve.
    pub noise: f32,
    /// The named kernel that was chosen; `None` once it was changed by hand.
    pub named: Option<Named>,
    /// Standard deviation of a Gaussian; `None` for the usual one of its size.
    pub sigma: Option<f32>,
    /// The kernel.
    pub kernel: Kernel,
    /// How it is slid.
    pub settings: Settings,
    /// A patch to find again, instead of the kernel; it belongs to one image, so that it is not remembered.
    #[serde(skip)]
    pub patch: Option<[usize; 4]>,
}

impl Default for KernelSettings {
    fn default() -> KernelSettings {
        let values = vec![-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0];
        let kernel = Kernel {
            name: "sobel-x".to_owned(),
            size: [3, 3],
            values,
            divisor: 1.0,
            offset: 0.0,
        };
        KernelSettings {
            subject: Subject::default(),
            split: None,
            index: 0,
            noise: 0.2,
            named: Some(Named::SobelX),
            sigma: None,
            kernel,
            settings: Settings::default(),
            patch: None,
        }
    }
}

impl KernelSettings {
    /// The same with a named kernel; unchanged where it does not come so.
    pub fn with_named(
        &self,
        named: Named,
        size: Option<usize>,
        sigma: Option<f32>,
    ) -> KernelSettings {
        match named.kernel(size, sigma) {
            Ok(kernel) => KernelSettings {
                named: Some(named),
                sigma,
                kernel,
                patch: None,
                ..self.clone()
            },
            Err(_) => self.clone(),
        }
    }

    /// The same with a kernel made by hand.
    pub fn with_own(&self, kernel: Kernel) -> KernelSettings {
        let kernel = Kernel {
            name: "own".to_owned(),
            ..kernel
        };
        KernelSettings {
            named: None,
            kernel,
            patch: None,
            ..self.clone()
        }
    }

    /// The same with values that can be shown: a file may hold anything.
    #[must_use]
    pub fn sound(self) -> KernelSettings {
        let usual = KernelSettings::default();
        let (kernel, named) = match sound_kernel(self.kernel) {
            Some(kernel) => (kernel, self.named),
            None => (usual.kernel, usual.named),
        };
        let is_number = |value: &f32| value.is_finite();
        let noise = Some(self.noise).filter(is_number).unwrap_or(usual.noise);
        let sigma = self.sigma.filter(is_number);
        let sound = KernelSettings {
            subject: Subject::default(),
            split: self.split,
            index: self.index,
            noise: noise.clamp(0.0, 2.0),
            named,
            sigma: sigma.map(|sigma| sigma.clamp(0.1, 20.0)),
            kernel,
            settings: sound_settings(self.settings),
            patch: None,
        };
        sound.with_subject(self.subject)
    }

    /// The same on another picture; a curve gets a kernel of one row, and a picture one for pictures.
    pub fn with_subject(&self, subject: Subject) -> KernelSettings {
        let changed = KernelSettings {
            subject,
            patch: None,
            ..self.clone()
        };
        let is_curve = changed.subject == Subject::Curve;
        match (is_curve, changed.kernel.size[0] == 1) {
            (true, false) => changed.with_named(Named::MovingAverage, None, None),
            (false, true) if self.subject == Subject::Curve => {
                changed.with_named(Named::Gaussian, None, None)
            }
            _ => changed,
        }
    }
}

fn sound_kernel(kernel: Kernel) -> Option<Kernel> {
    let Kernel {
        name,
        size,
        values,
        divisor,
        offset,
    } = kernel;
    let kernel = Kernel::new(&name, size, values, divisor).ok()?;
    offset.is_finite().then_some(Kernel { offset, ..kernel })
}

fn sound_settings(settings: Settings) -> Settings {
    let amount = match settings.amount {
        Amount::By(pixels) => Amount::By(pixels.clamp(1, MOST_STEP)),
        other => other,
    };
    Settings {
        stride: settings.stride.clamp(1, MOST_STEP),
        dilation: settings.dilation.clamp(1, MOST_STEP),
        amount,
        ..settings
    }
}

impl State {
    /// The query for what the playground is set to.
    pub fn kernel_query(&self) -> Query<Playground> {
        let KernelSettings {
            subject,
            split,
            index,
            noise,
            kernel,
            settings,
            patch,
            ..
        } = &self.inspections.kernels;
        let of_images = (
            self.image_set(),
            PictureSource::Data {
                split: *split,
                index: *index,
            },
        );
        let (subject, source) = match subject {
            Subject::Data => of_images,
            Subject::File(path) => (Inspected::Nothing, PictureSource::File(path.clone())),
            Subject::Curve => (Inspected::Nothing, PictureSource::Curve(*noise)),
        };
        let question = Question {
            source,
            kernel: kernel.clone(),
            settings: *settings,
            patch: *patch,
        };
        Query::new(subject, question).with_slice(self.inspections.slice)
    }
}
