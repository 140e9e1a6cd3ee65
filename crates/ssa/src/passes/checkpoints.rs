//! Removes checkpoints, once no pass needs them any more: the values in their frame states need not be kept then.

use crate::ir::{Function, Node};

/// Runs the pass.
pub fn run(function: &mut Function) {
    for block in function.layout.clone() {
        let mut instructions = std::mem::take(&mut function.blocks[block].instructions);
        instructions.retain(|&inst| !matches!(function.node(inst), Node::Checkpoint { .. }));
        function.blocks[block].instructions = instructions;
    }
}
