//! The layers of a functional model of Keras, and the file of them: `config.json` and `model.weights.h5` in an archive.

use hdf5_pure::FileBuilder;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{Cursor, Write};
use strata_core::project::size::Shape;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The version of Keras whose form of files this is.
const KERAS: &str = "3.0.0";

/// A layer's place in the graph.
pub(super) type Index = usize;

/// A tensor of a layer.
pub(super) struct Variable {
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

/// A layer with what it reads.
pub(super) struct Layer {
    /// The name of its class.
    pub class: String,
    pub name: String,
    /// The arguments of its class.
    pub config: Value,
    pub inputs: Vec<Index>,
    /// Its output, channels last, without the batch.
    pub shape: Vec<usize>,
    /// What it has learned, in the order in which Keras keeps it.
    pub variables: Vec<Variable>,
    /// Whether it draws random numbers while training.
    pub is_random: bool,
}

/// A graph as it grows.
#[derive(Default)]
pub(super) struct Graph {
    layers: Vec<Layer>,
}

/// Our sizes with the channels behind them.
pub(super) fn channels_last(shape: &Shape) -> Vec<usize> {
    [shape.spatial(), &[shape.channels()]].concat()
}

impl Graph {
    /// The layer that the images come in by.
    pub(super) fn input(&mut self, shape: &Shape) -> Index {
        let shape = channels_last(shape);
        self.push(Layer {
            class: "InputLayer".into(),
            name: "input".into(),
            config: json!({ "batch_shape": batch(&shape), "dtype": "float32" }),
            inputs: Vec::new(),
            shape,
            variables: Vec::new(),
            is_random: false,
        })
    }

    pub(super) fn push(&mut self, layer: Layer) -> Index {
        self.layers.push(layer);
        self.layers.len() - 1
    }

    /// The output of a layer, channels last, without the batch.
    pub(super) fn shape(&self, layer: Index) -> &[usize] {
        &self.layers[layer].shape
    }

    /// The file; fails with what could not be written.
    pub(super) fn file(&self, outputs: &[Index]) -> Result<Vec<u8>, String> {
        let config = json!({
            "module": "keras.src.models.functional",
            "class_name": "Functional",
            "registered_name": "Functional",
            "config": {
                "name": "network",
                "trainable": true,
                "layers": self.layers.iter().map(|layer| self.described(layer)).collect::<Vec<_>>(),
                "input_layers": ["input", 0, 0],
                "output_layers": self.ends(outputs),
            },
        });
        let metadata = json!({ "keras_version": KERAS, "date_saved": "" });
        let weights = self.weights(outputs)?;
        let files = [
            ("metadata.json", metadata.to_string().into_bytes()),
            ("config.json", config.to_string().into_bytes()),
            ("model.weights.h5", weights),
        ];
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for (name, bytes) in files {
            archive
                .start_file(name, options)
                .map_err(|error| error.to_string())?;
            archive
                .write_all(&bytes)
                .map_err(|error| error.to_string())?;
        }
        let written = archive.finish().map_err(|error| error.to_string())?;
        Ok(written.into_inner())
    }

    fn ends(&self, outputs: &[Index]) -> Value {
        let end = |output: &Index| json!([self.layers[*output].name, 0, 0]);
        match outputs {
            [only] => end(only),
            several => several.iter().map(end).collect(),
        }
    }

    fn described(&self, layer: &Layer) -> Value {
        let tensor = |input: &Index| {
            let from = &self.layers[*input];
            json!({
                "class_name": "__keras_tensor__",
                "config": {
                    "shape": batch(&from.shape),
                    "dtype": "float32",
                    "keras_history": [from.name, 0, 0],
                },
            })
        };
        let inbound = match layer.inputs.as_slice() {
            [] => json!([]),
            [only] => json!([{ "args": [tensor(only)], "kwargs": {} }]),
            several => {
                let tensors: Vec<Value> = several.iter().map(tensor).collect();
                json!([{ "args": [tensors], "kwargs": {} }])
            }
        };
        let shapes: Vec<Value> = layer
            .inputs
            .iter()
            .map(|&input| batch(self.shape(input)))
            .collect();
        let built_on = match shapes.as_slice() {
            [] => Value::Null,
            [only] => only.clone(),
            several => several.into(),
        };
        let mut config = layer.config.clone();
        if let Some(config) = config.as_object_mut() {
            config.insert("name".into(), json!(layer.name));
        }
        let mut described = json!({
            "module": "keras.layers",
            "class_name": layer.class,
            "config": config,
            "registered_name": null,
            "name": layer.name,
            "inbound_nodes": inbound,
        });
        if let (Some(described), false) = (described.as_object_mut(), built_on.is_null()) {
            described.insert("build_config".into(), json!({ "input_shape": built_on }));
        }
        described
    }

    /// Keras finds a layer's variables by its class and how many of that class come before it.
    fn weights(&self, outputs: &[Index]) -> Result<Vec<u8>, String> {
        let mut file = FileBuilder::new();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let mut layers = file.create_group("layers");
        for index in self.in_kerass_order(outputs) {
            let layer = &self.layers[index];
            let count = counts.entry(&layer.class).or_default();
            let name = match *count {
                0 => snake_case(&layer.class),
                number => format!("{}_{number}", snake_case(&layer.class)),
            };
            *count += 1;
            let mut group = layers.create_group(&name);
            let mut variables = group.create_group("vars");
            for (number, variable) in layer.variables.iter().enumerate() {
                let dims: Vec<u64> = variable.dims.iter().map(|&size| size as u64).collect();
                let dataset = variables.create_dataset(&number.to_string());
                dataset.with_f32_data(&variable.values).with_shape(&dims);
            }
            group.add_group(variables.finish());
            if layer.is_random {
                let mut generator = group.create_group("seed_generator");
                let mut state = generator.create_group("vars");
                state
                    .create_dataset("0")
                    .with_u32_data(&[0, 0])
                    .with_shape(&[2]);
                generator.add_group(state.finish());
                group.add_group(generator.finish());
            }
            layers.add_group(group.finish());
        }
        file.add_group(layers.finish());
        file.finish().map_err(|error| error.to_string())
    }

    /// The order in which Keras counts layers: those farthest from an output first, of equal ones those that it meets
    /// first on its way back from the outputs (`map_graph` of Keras).
    fn in_kerass_order(&self, outputs: &[Index]) -> Vec<Index> {
        let mut depths = vec![0; self.layers.len()];
        for (index, layer) in self.layers.iter().enumerate().rev() {
            for &input in &layer.inputs {
                depths[input] = depths[input].max(depths[index] + 1);
            }
        }
        let mut met = Vec::new();
        let mut waiting: Vec<Index> = outputs.iter().rev().copied().collect();
        while let Some(index) = waiting.pop() {
            if !met.contains(&index) {
                met.push(index);
                waiting.extend(self.layers[index].inputs.iter().rev());
            }
        }
        // The sort keeps the order of equal ones.
        met.sort_by_key(|&index| std::cmp::Reverse(depths[index]));
        met
    }
}

/// A shape behind a batch of any size.
fn batch(shape: &[usize]) -> Value {
    let sizes = shape.iter().map(|&size| json!(size));
    std::iter::once(Value::Null).chain(sizes).collect()
}

/// `Conv2DTranspose` as `conv2d_transpose`, `PReLU` as `p_re_lu`: an underline between any letter and a capital one that
/// a small one follows, and between a small and a capital one.
fn snake_case(class: &str) -> String {
    let is_small = |letter: Option<&char>| letter.is_some_and(|letter| letter.is_lowercase());
    let letters: Vec<char> = class.chars().collect();
    let mut snake = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| letters.get(index));
        let begins = is_small(before) || is_small(letters.get(index + 1));
        if letter.is_uppercase() && before.is_some() && begins {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_named_as_keras_names_their_variables() {
        for (class, snake) in [
            ("Conv2D", "conv2d"),
            ("Conv2DTranspose", "conv2d_transpose"),
            ("DepthwiseConv1D", "depthwise_conv1d"),
            ("BatchNormalization", "batch_normalization"),
            ("PReLU", "p_re_lu"),
            ("ELU", "elu"),
        ] {
            assert_eq!(snake_case(class), snake);
        }
    }
}
