//! The first weights of a run that takes them from another run or from a file, and the table of what went where.

mod moved;
mod outputs;
mod widened;

pub use widened::Widened;

use super::checkpoint;
use super::first_weights::FirstWeights;
use super::matched_weights::{MatchTable, Taken};
use super::record::Parent;
use super::run_folder;
use super::tensor_file;
use crate::error::RunError;
use candle_core::Tensor;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use strata_core::files::path_in;
use strata_core::project::init::Init;
use strata_core::project::stage::Task;
use strata_core::project::{Network as NetworkSpec, Project, Stack, file};
use strata_nn::{Network, Route};

/// Where the weights of an `init` are; its path starts at `base`.
pub fn file_of(init: &Init, base: &Path) -> PathBuf {
    let path = base.join(path_in(&init.from));
    match path.is_dir() {
        true => run_folder::checkpoint(&path, "last"),
        false => path,
    }
}

/// Gives a network the weights that its project asks for; none where it asks for none. What does not fit keeps its
/// random weights, and is in the table with the reason. Fails where nothing fits.
pub(crate) fn take(
    project: &Project,
    base: &Path,
    network: &mut Network,
) -> Result<Option<FirstWeights>, RunError> {
    let Some(init) = &project.init else {
        return Ok(None);
    };
    let from = file_of(init, base);
    let (mut tensors, _) = tensor_file::read(&from).map_err(|reason| {
        RunError::Input(format!(
            "cannot read the first weights {}: {reason}; init names a run's folder or a safetensors file",
            from.display()
        ))
    })?;
    tensors.retain(|key, _| !key.starts_with("optimizer."));
    let mut state: HashMap<String, Tensor> = network.state()?.into_iter().collect();
    let mut wanted: Vec<(String, Vec<usize>)> = Vec::new();
    for (key, tensor) in network.shared_state() {
        if init.wants(&key) {
            wanted.push((key, tensor.dims().to_vec()));
        }
    }
    let before = source_network(&from).map(|network| (network, tensors.clone()));
    let (names, mut widened) = match &before {
        Some((before, _)) => {
            let names = moved::renamed(before, &project.network, &mut tensors);
            let widened = widened::widen(&project.network, project.seed, &mut tensors)?;
            (names, widened)
        }
        None => Default::default(),
    };
    as_filters(&wanted, &mut tensors)?;
    let table = whole_layers(matched(&wanted, &tensors), &wanted);
    let picked = table.pick(&tensors);
    let table = moved::with_names(table, &names);
    widened.retain(|layer| table.taken.iter().any(|taken| layer.has(&taken.key)));
    let told = FirstWeights {
        parent: parent(&from),
        from,
        table,
        widened,
        changed: None,
    };
    if told.table.taken.is_empty() {
        let from = told.from.display();
        let reason = match told.table.missing.first() {
            Some((key, reason)) => format!("{key}: {reason}"),
            None => format!(
                "the network has nothing that is called {}",
                init.parts.join(" or ")
            ),
        };
        return Err(RunError::Input(format!(
            "nothing of {from} fits the network: {reason}"
        )));
    }
    state.extend(picked);
    network.load_state(&state).map_err(RunError::input)?;
    // Images of another size have no place in the network that was before.
    let is_asked_alike = |network: &NetworkSpec| network.input == project.network.input;
    let before = before.filter(|(network, _)| is_asked_alike(network));
    let changed = match before.filter(|_| !told.widened.is_empty()) {
        Some((before, weights)) => {
            let route = match project.stages.first().map(|stage| stage.task) {
                Some(Task::Classify) => Route::Classify,
                Some(Task::Reconstruct) | None => Route::Reconstruct,
            };
            outputs::change(&before, &weights, network, (route, project.seed))?
        }
        None => None,
    };
    Ok(Some(FirstWeights { changed, ..told }))
}

/// The run that a checkpoint belongs to, as the parent of the one that begins with it.
fn parent(file: &Path) -> Option<Parent> {
    let run = file.parent()?.parent()?;
    let position = checkpoint::position(file)?;
    Some(Parent {
        run: std::path::absolute(run).unwrap_or_else(|_| run.to_owned()),
        checkpoint: file.file_stem()?.to_string_lossy().into_owned(),
        step: position.step,
    })
}

/// The network of the run that a checkpoint belongs to.
fn source_network(file: &Path) -> Option<NetworkSpec> {
    let run = file.parent()?.parent()?;
    let project = file::load(&run.join("project.toml"));
    project.ok().map(|project| project.network)
}

/// Turns the rows of dense layers into the filters of convolutions where the network wants these: a unit that looks at
/// a whole patch of `channels × height × width` is a filter of that size. Rows are in the order channels, height, width,
/// as PyTorch flattens.
fn as_filters(
    wanted: &[(String, Vec<usize>)],
    tensors: &mut HashMap<String, Tensor>,
) -> Result<(), RunError> {
    let is_there = |shape: &[usize]| tensors.values().any(|tensor| tensor.dims() == shape);
    let filters: Vec<&Vec<usize>> = wanted
        .iter()
        .map(|(_, shape)| shape)
        .filter(|shape| shape.len() == 4 && !is_there(shape))
        .collect();
    for tensor in tensors.values_mut() {
        let &[units, numbers] = tensor.dims() else {
            continue;
        };
        if wanted.iter().any(|(_, shape)| shape == tensor.dims()) {
            continue;
        }
        let mut fitting = filters.iter();
        let fitting = fitting
            .find(|shape| shape[0] == units && shape[1..].iter().product::<usize>() == numbers);
        if let Some(shape) = fitting {
            *tensor = tensor.reshape(shape.as_slice())?;
        }
    }
    Ok(())
}

/// A layer is taken whole or begins anew: a bias is of no use without its weights.
fn whole_layers(mut table: MatchTable, wanted: &[(String, Vec<usize>)]) -> MatchTable {
    let layer = |key: &str| {
        key.rsplit_once('.')
            .map_or("", |(layer, _)| layer)
            .to_owned()
    };
    let anew: Vec<String> = table.missing.iter().map(|(key, _)| layer(key)).collect();
    let (torn, whole) = table
        .taken
        .into_iter()
        .partition(|taken| anew.contains(&layer(&taken.key)));
    table.taken = whole;
    let torn: Vec<Taken> = torn;
    table.unused.extend(
        torn.iter()
            .map(|taken| (taken.from.clone(), taken.shape.clone())),
    );
    let reason = "another tensor of its layer does not fit";
    table
        .missing
        .extend(torn.into_iter().map(|taken| (taken.key, reason.to_owned())));
    let place = |key: &String| wanted.iter().position(|(wanted, _)| wanted == key);
    table.missing.sort_by_key(|(key, _)| place(key));
    table
}

/// What goes where. In a file with our own keys a stack takes from the same stack; of another program's file any layer may.
fn matched(wanted: &[(String, Vec<usize>)], tensors: &HashMap<String, Tensor>) -> MatchTable {
    let of = |key: &str, stack: Stack| key.split('.').next() == Some(stack.name());
    let is_ours = |key: &String| Stack::ALL.into_iter().any(|stack| of(key, stack));
    let shapes = |take: &dyn Fn(&str) -> bool| -> HashMap<String, Vec<usize>> {
        let taken = tensors.iter().filter(|(key, _)| take(key));
        taken
            .map(|(key, tensor)| (key.clone(), tensor.dims().to_vec()))
            .collect()
    };
    if !tensors.keys().all(is_ours) {
        return MatchTable::new(wanted, &shapes(&|_| true));
    }
    let mut whole = MatchTable::default();
    for stack in Stack::ALL {
        let of_stack = wanted.iter().filter(|(key, _)| of(key, stack));
        let of_stack: Vec<_> = of_stack.cloned().collect();
        let table = MatchTable::new(&of_stack, &shapes(&|key| of(key, stack)));
        whole.taken.extend(table.taken);
        whole.missing.extend(table.missing);
        whole.unused.extend(table.unused);
    }
    whole
}
