//! Straightens control flow: drops blocks that cannot be reached, joins blocks with their only successor, forwards jumps to jumps.

use crate::analysis::reverse_postorder;
use crate::entity::EntityVec;
use crate::ir::{Block, Function, Node, Value};

/// Runs the pass.
pub fn run(function: &mut Function) {
    drop_unreachable(function);
    while join_blocks(function) | forward_jumps(function) {
        drop_unreachable(function);
    }
}

/// Takes blocks that cannot be reached out of the layout.
pub(super) fn drop_unreachable(function: &mut Function) {
    let mut is_reached = EntityVec::<Block, bool>::filled(false, function.blocks.len());
    for block in reverse_postorder(function) {
        is_reached[block] = true;
    }
    function.layout.retain(|&block| is_reached[block]);
}

/// Appends blocks to their only predecessor if that has no other successor.
fn join_blocks(function: &mut Function) -> bool {
    let mut predecessors = function.predecessors();
    let mut replacement = EntityVec::<Value, Option<Value>>::filled(None, function.values.len());
    let mut changed = false;
    for block in function.layout.clone() {
        while let Some(terminator) = function.terminator(block) {
            let Node::Jump { target } = function.node(terminator).clone() else {
                break;
            };
            let next = target.block;
            if predecessors[next].len() != 1 || next == block || next == function.entry_block() {
                break;
            }
            let parameters = std::mem::take(&mut function.blocks[next].parameters);
            for (parameter, argument) in parameters.into_iter().zip(target.arguments) {
                replacement[parameter] = Some(argument);
            }
            let moved = std::mem::take(&mut function.blocks[next].instructions);
            function.blocks[block].instructions.pop();
            function.blocks[block].instructions.extend(moved);
            predecessors[next].clear();
            changed = true;
        }
    }
    if changed {
        function.replace_values(&replacement);
        let blocks = &function.blocks;
        let layout = &mut function.layout;
        layout.retain(|&block| !blocks[block].instructions.is_empty());
    }
    changed
}

/// Leads edges to a block that only jumps on to where that goes.
fn forward_jumps(function: &mut Function) -> bool {
    let mut changed = false;
    for block in function.layout.clone() {
        let data = &function.blocks[block];
        let &[only] = data.instructions.as_slice() else {
            continue;
        };
        let Node::Jump { target } = function.node(only).clone() else {
            continue;
        };
        // A parameter might be used further on.
        let passes_nothing = data.parameters.is_empty();
        if !passes_nothing || target.block == block || block == function.entry_block() {
            continue;
        }
        for from in function.layout.clone() {
            let Some(terminator) = function.terminator(from).filter(|_| from != block) else {
                continue;
            };
            function.instructions[terminator]
                .node
                .for_each_target_mut(|call| {
                    if call.block == block {
                        *call = target.clone();
                        changed = true;
                    }
                });
        }
    }
    changed
}
