//! A decision tree: at every node one value is compared with a threshold.

/// A node; leaves have no children.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Node {
    /// Which value is compared.
    pub feature: u32,
    /// Rows whose value is not above it go left.
    pub threshold: f32,
    /// Where the children are; 0 in a leaf, since no node has the first as its child.
    pub children: [u32; 2],
    /// Of a leaf: which of the tree's values is its own.
    pub leaf: u32,
}

/// A tree whose leaves have values of type `V`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tree<V> {
    pub nodes: Vec<Node>,
    pub values: Vec<V>,
}

impl<V> Tree<V> {
    /// The leaf that a row falls into.
    pub fn leaf(&self, row: &[f32]) -> usize {
        let mut node = self.nodes[0];
        while node.children[0] != 0 {
            // What is no number goes right, as in scikit-learn's forests.
            let goes_left = row[node.feature as usize] <= node.threshold;
            node = self.nodes[node.children[usize::from(!goes_left)] as usize];
        }
        node.leaf as usize
    }
}
