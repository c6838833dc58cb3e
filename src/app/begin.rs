//! The first step of a project without layers: what is to be built.

use strata_core::project::data::Split;
use strata_core::project::node::Node;
use strata_core::project::stage::{Loss, Stage, Task};
use strata_core::project::{Network, Project};

/// What can be built from nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// A network that names the class of an image.
    Classifier,
    /// A network that draws its input again from less.
    Autoencoder,
}

/// The classes of the images that the program draws.
const CLASSES: usize = 10;

impl Beginning {
    /// The project with a small network of this kind and a stage that trains it; its images stay.
    pub(super) fn of(self, project: &Project) -> Project {
        let input = project.network.input.clone();
        let channels = input.channels();
        let layers = |texts: &[&str]| texts.iter().map(|text| Node::from_text(text)).collect();
        let first = project.stages.first().cloned().unwrap_or_default();
        let (network, stage) = match self {
            Beginning::Classifier => (
                Network {
                    encoder: layers(&[
                        "conv 16 k3 p1",
                        "relu",
                        "maxpool 2",
                        "conv 32 k3 p1",
                        "relu",
                    ]),
                    decoder: Vec::new(),
                    head: layers(&["gap", &format!("dense {CLASSES}")]),
                    input,
                },
                Stage {
                    name: "classify".to_owned(),
                    task: Task::Classify,
                    split: Split::Train,
                    loss: Loss::CROSS_ENTROPY,
                    ..first
                },
            ),
            Beginning::Autoencoder => (
                Network {
                    encoder: layers(&["conv 16 k4 s2 p1", "relu"]),
                    decoder: layers(&[&format!("convt {channels} k4 s2 p1")]),
                    head: Vec::new(),
                    input,
                },
                Stage {
                    name: "autoencoder".to_owned(),
                    task: Task::Reconstruct,
                    loss: Loss::Mse,
                    ..first
                },
            ),
        };
        Project {
            network,
            stages: vec![stage],
            ..project.clone()
        }
    }
}

/// Whether a network has no layers.
pub(super) fn is_empty(network: &Network) -> bool {
    network.encoder.is_empty() && network.decoder.is_empty() && network.head.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_core::project::builtin;
    use strata_core::shape::infer;
    use strata_design::{Severity, check_inferred};

    #[test]
    fn what_is_begun_can_be_trained() {
        let project = builtin::find("conv-autoencoder")
            .unwrap()
            .project()
            .unwrap();
        for beginning in [Beginning::Classifier, Beginning::Autoencoder] {
            let begun = beginning.of(&project);
            let problems = check_inferred(&begun, &infer(&begun.network));
            let error = problems
                .iter()
                .find(|problem| problem.severity == Severity::Error);
            assert!(error.is_none(), "{beginning:?}: {error:?}");
        }
    }
}
