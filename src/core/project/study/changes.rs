//! What a run has otherwise than the settings before all runs.

use crate::project::data::DataSpec;
use crate::project::goals::Goals;
use crate::project::init::Init;
use crate::project::node::Node;
use crate::project::size::Shape;
use crate::project::stage::Stage;
use crate::project::{Network, Project};
use toml::Table;

/// The key of `[data]` with which a run's table stands for itself.
const SOURCE: &str = "source";

/// What a run has otherwise. What is `None` or empty is as it stands before the runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// The seed.
    pub seed: Option<u64>,
    /// The first weights; `Some(None)` for random ones.
    pub init: Option<Option<Init>>,
    /// Keys of `[data]`. With a `source` among them nothing is taken over from the table before the runs.
    pub data: Table,
    /// The input's shape.
    pub input: Option<Shape>,
    /// The encoder.
    pub encoder: Option<Vec<Node>>,
    /// The decoder.
    pub decoder: Option<Vec<Node>>,
    /// The head.
    pub head: Option<Vec<Node>>,
    /// What is locked.
    pub locked: Option<Vec<String>>,
    /// The goals.
    pub goals: Option<Goals>,
    /// All stages.
    pub stages: Option<Vec<Stage>>,
}

impl Changes {
    /// The settings of the run.
    pub(super) fn applied(&self, shared: &Project) -> Project {
        let or = |own: &Option<Vec<Node>>, shared: &[Node]| {
            own.clone().unwrap_or_else(|| shared.to_vec())
        };
        let network = &shared.network;
        Project {
            title: shared.title.clone(),
            seed: self.seed.unwrap_or(shared.seed),
            init: self.init.clone().unwrap_or_else(|| shared.init.clone()),
            // Both tables were read as data before, key by key, so together they can be read too.
            data: self.data(&shared.data).unwrap_or(shared.data.clone()),
            network: Network {
                input: self.input.clone().unwrap_or_else(|| network.input.clone()),
                encoder: or(&self.encoder, &network.encoder),
                decoder: or(&self.decoder, &network.decoder),
                head: or(&self.head, &network.head),
            },
            stages: self.stages.clone().unwrap_or_else(|| shared.stages.clone()),
            goals: self.goals.clone().unwrap_or_else(|| shared.goals.clone()),
            sweep: shared.sweep.clone(),
            locked: self.locked.clone().unwrap_or_else(|| shared.locked.clone()),
            study: None,
        }
    }

    /// The data of the run; none where its table cannot be read.
    pub(super) fn data(&self, shared: &DataSpec) -> Option<DataSpec> {
        let mut table = match self.data.contains_key(SOURCE) {
            true => Table::new(),
            false => Table::try_from(shared).ok()?,
        };
        table.extend(self.data.clone());
        table.try_into().ok()
    }

    /// What a run with these settings has otherwise than `shared`.
    pub(super) fn between(shared: &Project, own: &Project) -> Changes {
        fn changed<T: Clone + PartialEq>(shared: &T, own: &T) -> Option<T> {
            (own != shared).then(|| own.clone())
        }
        let (before, network) = (&shared.network, &own.network);
        Changes {
            seed: changed(&shared.seed, &own.seed),
            init: changed(&shared.init, &own.init),
            data: data_between(&shared.data, &own.data),
            input: changed(&before.input, &network.input),
            encoder: changed(&before.encoder, &network.encoder),
            decoder: changed(&before.decoder, &network.decoder),
            head: changed(&before.head, &network.head),
            locked: changed(&shared.locked, &own.locked),
            goals: changed(&shared.goals, &own.goals),
            stages: changed(&shared.stages, &own.stages),
        }
    }
}

/// The keys that differ; the whole table where the source does, or where something was taken out.
fn data_between(shared: &DataSpec, own: &DataSpec) -> Table {
    let table = |spec: &DataSpec| Table::try_from(spec).unwrap_or_default();
    let (before, own) = (table(shared), table(own));
    let is_all =
        before.get(SOURCE) != own.get(SOURCE) || before.keys().any(|key| !own.contains_key(key));
    let is_changed =
        |(key, value): &(String, toml::Value)| is_all || before.get(key) != Some(value);
    own.into_iter().filter(is_changed).collect()
}
