//! The nodes and constants of an ONNX graph, and the file of them.

use onnx_rs::ast::{
    Attribute, AttributeType, DataType, Dimension, Graph as AstGraph, Model, Node as AstNode,
    OpType, OperatorSetId, TensorProto, TensorShape, TensorShapeDimension, TensorTypeProto,
    TypeProto, TypeValue, ValueInfo,
};
use strata_core::project::size::Shape;

/// The version of the file's form that goes with opset 19.
const IR_VERSION: i64 = 9;

/// What an attribute holds.
pub(super) enum Value {
    Whole(i64),
    Wholes(Vec<i64>),
    Real(f32),
    Word(&'static str),
}

/// An operator with its inputs and outputs.
pub(super) struct Node {
    pub op: &'static str,
    pub name: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: Vec<(&'static str, Value)>,
    /// The layer's text in the project.
    pub about: String,
}

/// A tensor of the file.
struct Constant {
    name: String,
    dims: Vec<i64>,
    data_type: DataType,
    bytes: Vec<u8>,
}

/// A graph as it grows.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    constants: Vec<Constant>,
}

impl Graph {
    pub(super) fn push(&mut self, node: Node) {
        self.nodes.push(node);
    }

    /// Adds numbers under a name, unless they are there.
    pub(super) fn reals(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.constant(name, dims, DataType::Float, bytes)
    }

    /// Adds whole numbers under a name, unless they are there.
    pub(super) fn wholes(&mut self, name: &str, values: &[i64]) -> String {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.constant(name, &[values.len()], DataType::Int64, bytes)
    }

    fn constant(
        &mut self,
        name: &str,
        dims: &[usize],
        data_type: DataType,
        bytes: Vec<u8>,
    ) -> String {
        if !self.constants.iter().any(|constant| constant.name == name) {
            self.constants.push(Constant {
                name: name.to_owned(),
                dims: dims.iter().map(|&size| size as i64).collect(),
                data_type,
                bytes,
            });
        }
        name.to_owned()
    }

    /// The file.
    pub(super) fn encode(
        &self,
        title: &str,
        input: (&str, &Shape),
        outputs: &[(&str, Shape)],
    ) -> Vec<u8> {
        let graph = AstGraph {
            name: "network",
            node: self.nodes.iter().map(node).collect(),
            initializer: self.constants.iter().map(tensor).collect(),
            input: vec![value(input.0, input.1)],
            output: outputs
                .iter()
                .map(|(name, shape)| value(name, shape))
                .collect(),
            ..AstGraph::default()
        };
        onnx_rs::encode(&Model {
            ir_version: IR_VERSION,
            opset_import: vec![OperatorSetId {
                domain: "",
                version: super::OPSET,
            }],
            producer_name: "Strata",
            producer_version: env!("CARGO_PKG_VERSION"),
            doc_string: title,
            graph: Some(graph),
            ..Model::default()
        })
    }
}

fn node(node: &Node) -> AstNode<'_> {
    AstNode {
        input: node.inputs.iter().map(String::as_str).collect(),
        output: node.outputs.iter().map(String::as_str).collect(),
        name: &node.name,
        op_type: OpType::from(node.op),
        attribute: node
            .attributes
            .iter()
            .map(|(name, value)| attribute(name, value))
            .collect(),
        doc_string: &node.about,
        ..AstNode::default()
    }
}

fn attribute<'a>(name: &'a str, value: &'a Value) -> Attribute<'a> {
    let named = |r#type: AttributeType| Attribute {
        name,
        r#type,
        ..Attribute::default()
    };
    match value {
        Value::Whole(number) => Attribute {
            i: *number,
            ..named(AttributeType::Int)
        },
        Value::Wholes(numbers) => Attribute {
            ints: numbers.clone(),
            ..named(AttributeType::Ints)
        },
        Value::Real(number) => Attribute {
            f: *number,
            ..named(AttributeType::Float)
        },
        Value::Word(word) => Attribute {
            s: word.as_bytes(),
            ..named(AttributeType::String)
        },
    }
}

fn tensor(constant: &Constant) -> TensorProto<'_> {
    TensorProto::from_raw(
        &constant.name,
        constant.dims.clone(),
        constant.data_type,
        &constant.bytes,
    )
}

/// A tensor of the network's batches: N stays free.
fn value<'a>(name: &'a str, shape: &Shape) -> ValueInfo<'a> {
    let sizes = shape
        .dims()
        .iter()
        .map(|&size| Dimension::Value(size as i64));
    let dim = std::iter::once(Dimension::Param("N")).chain(sizes);
    let dim = dim.map(|value| TensorShapeDimension {
        value,
        ..TensorShapeDimension::default()
    });
    let tensor = TensorTypeProto {
        elem_type: DataType::Float,
        shape: Some(TensorShape { dim: dim.collect() }),
    };
    ValueInfo {
        name,
        r#type: Some(TypeProto {
            value: Some(TypeValue::Tensor(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfo::default()
    }
}
