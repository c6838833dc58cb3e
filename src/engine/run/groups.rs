//! Parameter groups and class weights of a stage, from what the project says and what is known of its images.

use strata_core::project::layer::Kind;
use strata_core::project::node::Node;
use strata_core::project::stage::{Decay, Stage};
use strata_core::project::{Place, Project, Stack};
use strata_core::shape::layers::Linearity;
use strata_data::Dataset;
use strata_nn::optim::Group;
use strata_nn::{Parameter, Route};

/// The group of a parameter in a stage. `trained` are the stages whose weights it begins with; where the layer came from
/// another run, `is_transferred` says so.
pub fn group_of(
    project: &Project,
    stage: &Stage,
    trained: &[Stage],
    is_transferred: &dyn Fn(&Parameter) -> bool,
    begins_after: &dyn Fn(&Place) -> u64,
    parameter: &Parameter,
) -> Group {
    let place = &parameter.place;
    let is_pretrained = is_trained_by(trained, place) || is_transferred(parameter);
    Group {
        lr_factor: stage.rate_factors.of(place, is_pretrained),
        decays: stage.decay == Decay::All || is_weight(project, parameter),
        begins_after: begins_after(place),
    }
}

/// Whether one of these stages trains the layers at a place.
pub fn is_trained_by(stages: &[Stage], place: &Place) -> bool {
    let trains = |stage: &Stage| {
        let runs = [Stack::Encoder, Route::from(stage.task).second()].contains(&place.stack);
        runs && !stage.freezes(place)
    };
    stages.iter().any(trains)
}

/// Whether it is what a layer multiplies with: no bias, and nothing of a norm or of an activation.
fn is_weight(project: &Project, parameter: &Parameter) -> bool {
    let multiplies = |kind: &Kind| kind.linearity() == Linearity::Weighted;
    let is_of_weights = match project.network.node(&parameter.place) {
        Some(Node::Layer(layer)) => multiplies(&layer.kind),
        _ => false,
    };
    is_of_weights && !parameter.key.ends_with("bias")
}

/// How much the images of each class count in the loss of a stage, where they do not count alike.
pub fn class_weights(stage: &Stage, dataset: &Dataset) -> Option<Vec<f64>> {
    let weights = stage.class_weights.as_ref()?;
    let split = dataset.split(stage.split)?;
    let images = split.per_class();
    Some(match dataset.has_label_sets() {
        true => weights.of_labels(&images, split.len()),
        false => weights.of_classes(&images),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use strata_core::project::file;
    use strata_core::shape::infer;
    use strata_nn::Network;

    const TEXT: &str = r#"format = 1
[data]
source = "shapes"
[network]
input = "3x8x8"
encoder = ["conv 4 k3", "bn", "prelu", { repeat = 2, layers = ["conv 4 k3 p1", "groupnorm 2"] }]
decoder = ["convt 3 k3"]
head = ["flatten", "dense 10"]
[[stage]]
name = "a"
task = "reconstruct"
loss = "mse"
epochs = 1
batch = 4
freeze = ["encoder.3"]
[[stage]]
name = "b"
task = "classify"
loss = "cross-entropy"
optimizer = "adamw lr=1e-3"
rate_factors = "pretrained=0.1 head=2"
decay = "weights"
epochs = 1
batch = 4
"#;

    /// Each parameter with its factor and whether it decays, in the second stage after the first.
    #[test]
    fn every_parameter_has_its_group() {
        let project = file::parse(TEXT, "p").unwrap();
        let plan = infer(&project.network).plan.unwrap();
        let network = Network::new(&plan, 1, &Device::Cpu).unwrap();
        let (earlier, stage) = (&project.stages[..1], &project.stages[1]);
        for parameter in network.parameters() {
            let at_once = |_: &Place| 0;
            let group = group_of(&project, stage, earlier, &|_| false, &at_once, parameter);
            let key = parameter.key.as_str();
            let factor = match key {
                _ if key.starts_with("encoder.3") => 1.0,
                _ if key.starts_with("head") => 2.0,
                _ if key.starts_with("decoder") || key.starts_with("encoder") => 0.1,
                other => panic!("{other}"),
            };
            assert_eq!(group.lr_factor, factor, "{key}");
            let is_norm = ["encoder.1.", "encoder.2."]
                .iter()
                .any(|start| key.starts_with(start))
                || parameter.place.path.ends_with(&[0, 1]);
            assert_eq!(group.decays, !is_norm && key.ends_with("weight"), "{key}");
            let transferred = group_of(&project, stage, &[], &|_| true, &at_once, parameter);
            let is_head = key.starts_with("head");
            assert_eq!(
                transferred.lr_factor,
                if is_head { 2.0 } else { 0.1 },
                "{key}"
            );
        }
    }
}
