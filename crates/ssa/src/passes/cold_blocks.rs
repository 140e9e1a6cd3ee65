//! Puts blocks that are hardly ever run out of the way, and all others into an order in which control mostly falls through.

use crate::analysis::reverse_postorder;
use crate::ir::{Block, Function, Node};

/// Runs the pass.
pub fn run(function: &mut Function) {
    let mut order = reverse_postorder(function);
    // Successors first: what only leads to cold blocks is cold.
    for &block in order.iter().rev() {
        let leaves = function.terminator(block).is_some_and(|last| {
            matches!(
                function.node(last),
                Node::Exit { .. } | Node::Unreachable {}
            )
        });
        let successors = function.successors(block);
        let is_cold = |block: &Block| function.blocks[*block].is_cold;
        let is_cold = leaves || (!successors.is_empty() && successors.iter().all(is_cold));
        function.blocks[block].is_cold = is_cold;
    }
    if let Some(&entry) = order.first() {
        function.blocks[entry].is_cold = false;
    }
    order.sort_by_key(|&block| function.blocks[block].is_cold);
    function.layout = order;
}
