//! The cases: projects of `assets/bench`, compiled into the program, and what is done with each.

use strata_core::project::{Project, ProjectError, file};

/// A case of `strata bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name, stable between versions.
    pub name: &'static str,
    /// Its project.
    pub text: &'static str,
    /// Images of a forward pass without a gradient; `None`: training steps with the batch of the project's stage.
    pub inference: Option<usize>,
}

impl Case {
    /// The project as a value.
    pub fn project(&self) -> Result<Project, ProjectError> {
        file::parse(self.text, self.name)
    }
}

macro_rules! case {
    ($name:literal) => {
        case!($name, $name, None)
    };
    ($name:literal, $project:literal, $inference:expr) => {
        Case {
            name: $name,
            text: include_str!(concat!("../../assets/bench/", $project, ".toml")),
            inference: $inference,
        }
    };
}

/// All cases, in the order they are measured and shown.
pub const ALL: &[Case] = &[
    case!("keras-cifar"),
    case!("conv-ae"),
    case!("unpool-ae"),
    case!("lenet-mnist"),
    case!("sparse-ae"),
    case!("separable"),
    case!("xception-mini"),
    case!("vgg-96"),
    case!("signal-1d"),
    case!("infer-b1", "keras-cifar", Some(1)),
    case!("infer-b256", "keras-cifar", Some(256)),
];

/// The case of this name.
pub fn find(name: &str) -> Option<&'static Case> {
    ALL.iter().find(|case| case.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::shape::infer;

    /// `sum(p.numel() for p in net.parameters())` of the same networks in torch 2.15.
    const PARAMETERS: [(&str, u64); 11] = [
        ("keras-cifar", 122_570),
        ("conv-ae", 14_067),
        ("unpool-ae", 10_147),
        ("lenet-mnist", 167_478),
        ("sparse-ae", 38_692),
        ("separable", 9_152),
        ("xception-mini", 331_338),
        ("vgg-96", 94_986),
        ("signal-1d", 5_130),
        ("infer-b1", 122_570),
        ("infer-b256", 122_570),
    ];

    #[test]
    fn networks_have_as_many_parameters_as_pytorchs() {
        assert_eq!(ALL.len(), PARAMETERS.len());
        for (name, parameters) in PARAMETERS {
            let project = find(name).unwrap().project().unwrap();
            let inference = infer(&project.network);
            assert_eq!(inference.errors().count(), 0, "{name}");
            assert_eq!(inference.totals.parameters, parameters, "{name}");
        }
    }

    #[test]
    fn batches_and_optimizers_stay_so_that_times_can_be_compared() {
        let large = [
            ("sparse-ae", 1000),
            ("separable", 32),
            ("xception-mini", 32),
            ("vgg-96", 32),
        ];
        for case in ALL {
            let stage = &case.project().unwrap().stages[0];
            let batch = large
                .iter()
                .find(|(name, _)| *name == case.name)
                .map_or(64, |(_, batch)| *batch);
            assert_eq!(
                (stage.batch, stage.optimizer.to_string().as_str()),
                (batch, "sgd lr=0.01 momentum=0.9")
            );
        }
    }
}
