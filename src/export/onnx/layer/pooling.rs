//! Pooling, unpooling and changes of size.

use super::super::graph::Value;
use super::{Writer, batch_of, pads, window};
use crate::windows::{margins_after, means};
use strata_core::project::size::Shape;
use strata_core::shape::op::Geometry;

impl Writer<'_> {
    pub(super) fn max_pool(
        &mut self,
        key: &str,
        geometry: &Geometry,
        slot: usize,
        axes: usize,
        x: String,
    ) -> String {
        let mut attributes = window(geometry, axes);
        attributes.push(("pads", margins(geometry, axes)));
        if !self.undone.contains(&slot) {
            return self.operator("MaxPool", key, vec![x], attributes);
        }
        let indices = format!("{key}/indices");
        self.indices.insert(slot, indices.clone());
        self.operator_with("MaxPool", key, vec![x], attributes, vec![indices])
    }

    pub(super) fn average_pool(
        &mut self,
        key: &str,
        geometry: &Geometry,
        count_padding: bool,
        axes: usize,
        x: String,
    ) -> String {
        let mut attributes = window(geometry, axes);
        attributes.push(("pads", margins(geometry, axes)));
        attributes.push(("count_include_pad", Value::Whole(i64::from(count_padding))));
        self.operator("AveragePool", key, vec![x], attributes)
    }

    /// The indices of ONNX count through the whole batch, so one scatter puts all values back.
    pub(super) fn unpool(&mut self, key: &str, slot: usize, output: &Shape, x: String) -> String {
        let indices = self.indices.get(&slot).cloned().unwrap_or_default();
        let one = self.graph.wholes("/one", &[1]);
        let zero = self.graph.wholes("/zero", &[0]);
        let elements = self
            .graph
            .wholes(&format!("{key}/elements"), &[output.elements() as i64]);
        let all = self.graph.wholes("/all", &[-1]);
        let dims = self
            .graph
            .wholes(&format!("{key}/dims"), &batch_of(output)[1..]);
        let part = |name: &str| format!("{key}/{name}");
        let shape = self.operator("Shape", &part("shape"), vec![x.clone()], Vec::new());
        let batch = self.operator("Slice", &part("batch"), vec![shape, zero, one], Vec::new());
        let count = self.operator(
            "Mul",
            &part("count"),
            vec![batch.clone(), elements],
            Vec::new(),
        );
        let empty = self.operator("ConstantOfShape", &part("empty"), vec![count], Vec::new());
        let places = self.operator(
            "Reshape",
            &part("places"),
            vec![indices, all.clone()],
            Vec::new(),
        );
        let values = self.operator("Reshape", &part("values"), vec![x, all], Vec::new());
        let adding = vec![("reduction", Value::Word("add"))];
        let filled = self.operator(
            "ScatterElements",
            &part("filled"),
            vec![empty, places, values],
            adding,
        );
        let dims = self.operator(
            "Concat",
            &part("batch_dims"),
            vec![batch, dims],
            vec![("axis", Value::Whole(0))],
        );
        self.operator("Reshape", key, vec![filled, dims], Vec::new())
    }

    pub(super) fn upsample(
        &mut self,
        key: &str,
        factor: &[usize; 3],
        bilinear: bool,
        axes: usize,
        x: String,
    ) -> String {
        let own = factor[3 - axes..].iter().map(|&factor| factor as f32);
        let factors: Vec<f32> = [1.0, 1.0].into_iter().chain(own).collect();
        let factors = self
            .graph
            .reals(&format!("{key}/factors"), &[factors.len()], &factors);
        let attributes = match bilinear {
            true => vec![
                ("mode", Value::Word("linear")),
                ("coordinate_transformation_mode", Value::Word("half_pixel")),
            ],
            false => vec![
                ("mode", Value::Word("nearest")),
                ("coordinate_transformation_mode", Value::Word("asymmetric")),
                ("nearest_mode", Value::Word("floor")),
            ],
        };
        // Between them would be a region of interest, which only another mode reads.
        self.operator("Resize", key, vec![x, String::new(), factors], attributes)
    }

    /// Pooling over all of space, then a vector of it.
    pub(super) fn flattened(&mut self, op: &'static str, key: &str, x: String) -> String {
        let pooled = self.operator(op, &format!("{key}/pooled"), vec![x], Vec::new());
        self.operator("Flatten", key, vec![pooled], Vec::new())
    }

    pub(super) fn reshape(&mut self, key: &str, output: &Shape, x: String) -> String {
        let dims = self.graph.wholes(&format!("{key}/dims"), &batch_of(output));
        self.operator("Reshape", key, vec![x, dims], Vec::new())
    }

    /// The means over windows of different sizes: along each axis a product with the matrix of the means.
    pub(super) fn adaptive_pool(
        &mut self,
        key: &str,
        input: &[usize; 3],
        output: &[usize; 3],
        axes: usize,
        x: String,
    ) -> String {
        let mut value = x;
        for axis in 0..axes {
            let (from, to) = (input[3 - axes + axis], output[3 - axes + axis]);
            let last = 2 + axes - 1;
            let part = |name: &str| format!("{key}/axis_{axis}/{name}");
            let swapped = (2 + axis, last);
            value = self.swapped(&part("turned"), swapped, value);
            let means = self
                .graph
                .reals(&part("means"), &[from, to], &means(from, to));
            value = self.operator("MatMul", &part("pooled"), vec![value, means], Vec::new());
            value = self.swapped(&part("turned_back"), swapped, value);
        }
        self.operator("Identity", key, vec![value], Vec::new())
    }

    /// Exchanges two axes of a batch that has `last + 1` of them.
    fn swapped(&mut self, name: &str, (axis, last): (usize, usize), x: String) -> String {
        if axis == last {
            return x;
        }
        let mut order: Vec<i64> = (0..=last as i64).collect();
        order.swap(axis, last);
        self.operator(
            "Transpose",
            name,
            vec![x],
            vec![("perm", Value::Wholes(order))],
        )
    }
}

fn margins(geometry: &Geometry, axes: usize) -> Value {
    let after = margins_after(geometry).map(|zeros| zeros.max(0));
    pads(geometry.pad.map(|zeros| zeros as i64), after, axes)
}
