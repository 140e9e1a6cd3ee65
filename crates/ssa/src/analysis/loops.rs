//! Natural loops and how they nest.

use super::Dominators;
use crate::entity::{EntityVec, define_entities};
use crate::ir::{Block, Function};

define_entities! {
    /// A loop of a function.
    LoopId "loop";
}

/// A natural loop: a header, and all blocks from which a backward edge to it can be reached without passing it.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The block that every way into the loop leads through.
    pub header: Block,
    /// The blocks with an edge back to the header.
    pub latches: Vec<Block>,
    /// All blocks, in ascending order.
    pub blocks: Vec<Block>,
}

/// The loops of a function.
#[derive(Clone, Debug)]
pub struct Loops {
    /// Inner loops before those around them.
    pub loops: EntityVec<LoopId, Loop>,
    innermost: EntityVec<Block, Option<LoopId>>,
}

impl Loops {
    /// Finds the loops.
    pub fn of(function: &Function, dominators: &Dominators) -> Loops {
        let predecessors = function.predecessors();
        let mut found = Vec::new();
        for &header in dominators.order() {
            let latches: Vec<Block> = predecessors[header]
                .iter()
                .copied()
                .filter(|&latch| dominators.dominates(header, latch))
                .collect();
            if !latches.is_empty() {
                let blocks = body(header, &latches, &predecessors);
                found.push(Loop {
                    header,
                    latches,
                    blocks,
                });
            }
        }
        found.sort_by_key(|one| one.blocks.len());
        let loops = EntityVec::from(found);
        let mut innermost = EntityVec::filled(None, function.blocks.len());
        for (id, one) in loops.iter() {
            for &block in &one.blocks {
                innermost[block] = innermost[block].or(Some(id));
            }
        }
        Loops { loops, innermost }
    }

    /// The innermost loop around a block.
    pub fn innermost(&self, block: Block) -> Option<LoopId> {
        self.innermost.get(block).copied().flatten()
    }

    /// The loop with this header.
    pub fn with_header(&self, header: Block) -> Option<LoopId> {
        let mut all = self.loops.iter();
        all.find(|(_, one)| one.header == header).map(|(id, _)| id)
    }

    /// Whether the block belongs to the loop.
    pub fn contains(&self, id: LoopId, block: Block) -> bool {
        self.loops[id].blocks.binary_search(&block).is_ok()
    }
}

fn body(
    header: Block,
    latches: &[Block],
    predecessors: &EntityVec<Block, Vec<Block>>,
) -> Vec<Block> {
    let mut blocks = vec![header];
    let mut is_inside = EntityVec::<Block, bool>::filled(false, predecessors.len());
    is_inside[header] = true;
    let mut pending = latches.to_vec();
    while let Some(block) = pending.pop() {
        if !std::mem::replace(&mut is_inside[block], true) {
            blocks.push(block);
            pending.extend(&predecessors[block]);
        }
    }
    blocks.sort_unstable();
    blocks
}
