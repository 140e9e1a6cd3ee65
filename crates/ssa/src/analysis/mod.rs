//! What passes want to know about a function: order of blocks, dominators, loops.

mod dominators;
mod loops;

pub use dominators::Dominators;
pub use loops::{Loop, LoopId, Loops};

use crate::entity::EntityVec;
use crate::ir::{Block, Function};

/// The blocks that can be reached, each before its successors but for those at the end of backward edges.
pub fn reverse_postorder(function: &Function) -> Vec<Block> {
    let mut is_seen = EntityVec::<Block, bool>::filled(false, function.blocks.len());
    let mut order = Vec::new();
    let entry = function.entry_block();
    is_seen[entry] = true;
    let mut stack = vec![(entry, function.successors(entry))];
    while let Some((block, pending)) = stack.last_mut() {
        match pending.pop() {
            Some(successor) => {
                if !std::mem::replace(&mut is_seen[successor], true) {
                    stack.push((successor, function.successors(successor)));
                }
            }
            None => {
                order.push(*block);
                stack.pop();
            }
        }
    }
    order.reverse();
    order
}
