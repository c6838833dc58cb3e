//! Layers that take several operators of opset 19.

use super::super::graph::Value;
use super::{ExportError, Writer, batch_of, epsilon};
use strata_core::project::size::Shape;

impl Writer<'_> {
    pub(super) fn relu6(&mut self, key: &str, x: String) -> String {
        let (low, high) = (self.number(0.0), self.number(6.0));
        self.operator("Clip", key, vec![x, low, high], Vec::new())
    }

    /// x·(1 + erf(x/√2))/2
    pub(super) fn gelu(&mut self, key: &str, x: String) -> String {
        let part = |name: &str| format!("{key}/{name}");
        let (scale, one, half) = (
            self.number(std::f32::consts::FRAC_1_SQRT_2),
            self.number(1.0),
            self.number(0.5),
        );
        let scaled = self.operator("Mul", &part("scaled"), vec![x.clone(), scale], Vec::new());
        let erf = self.operator("Erf", &part("erf"), vec![scaled], Vec::new());
        let raised = self.operator("Add", &part("raised"), vec![erf, one], Vec::new());
        let half = self.operator("Mul", &part("half"), vec![x, half], Vec::new());
        self.operator("Mul", key, vec![half, raised], Vec::new())
    }

    pub(super) fn silu(&mut self, key: &str, x: String) -> String {
        let gate = self.operator(
            "Sigmoid",
            &format!("{key}/gate"),
            vec![x.clone()],
            Vec::new(),
        );
        self.operator("Mul", key, vec![x, gate], Vec::new())
    }

    pub(super) fn step(&mut self, key: &str, x: String) -> String {
        const FLOAT: i64 = 1;
        let zero = self.number(0.0);
        let above = self.operator(
            "Greater",
            &format!("{key}/above"),
            vec![x, zero],
            Vec::new(),
        );
        self.operator("Cast", key, vec![above], vec![("to", Value::Whole(FLOAT))])
    }

    /// The groups become the channels of an instance norm; the weights of the channels follow.
    pub(super) fn group_norm(
        &mut self,
        key: &str,
        groups: usize,
        input: &Shape,
        x: String,
    ) -> Result<String, ExportError> {
        let part = |name: &str| format!("{key}/{name}");
        let by_group = self
            .graph
            .wholes(&part("by_group"), &[0, groups as i64, -1]);
        let by_channel = self.graph.wholes(&part("by_channel"), &batch_of(input));
        let ones = self
            .graph
            .reals(&part("ones"), &[groups], &vec![1.0; groups]);
        let zeros = self
            .graph
            .reals(&part("zeros"), &[groups], &vec![0.0; groups]);
        let grouped = self.operator("Reshape", &part("grouped"), vec![x, by_group], Vec::new());
        let inputs = vec![grouped, ones, zeros];
        let normed = self.operator("InstanceNormalization", &part("normed"), inputs, epsilon());
        let restored = self.operator(
            "Reshape",
            &part("restored"),
            vec![normed, by_channel],
            Vec::new(),
        );
        let (channels, axes) = (input.channels(), input.rank());
        let weight = self.shaped_weight(key, "weight", channels, axes)?;
        let bias = self.shaped_weight(key, "bias", channels, axes)?;
        let scaled = self.operator("Mul", &part("scaled"), vec![restored, weight], Vec::new());
        Ok(self.operator("Add", key, vec![scaled, bias], Vec::new()))
    }

    /// A single number.
    fn number(&mut self, number: f32) -> String {
        self.graph.reals(&format!("/{number}"), &[], &[number])
    }
}
