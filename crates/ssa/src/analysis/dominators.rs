//! The dominator tree, by the algorithm of Cooper, Harvey and Kennedy (*A Simple, Fast Dominance Algorithm*, 2001).

use super::reverse_postorder;
use crate::entity::EntityVec;
use crate::ir::{Block, Function};

/// Which blocks every way to a block leads through.
#[derive(Clone, Debug)]
pub struct Dominators {
    order: Vec<Block>,
    /// Where each block stands in `order`; none if it cannot be reached.
    number: EntityVec<Block, Option<usize>>,
    /// The immediate dominator of each block but the entry, as a number.
    immediate: Vec<usize>,
}

impl Dominators {
    /// Computes the tree.
    pub fn of(function: &Function) -> Dominators {
        let order = reverse_postorder(function);
        let mut number = EntityVec::filled(None, function.blocks.len());
        for (index, &block) in order.iter().enumerate() {
            number[block] = Some(index);
        }
        let predecessors = function.predecessors();
        let mut immediate: Vec<Option<usize>> = vec![None; order.len()];
        immediate[0] = Some(0);
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for (index, &block) in order.iter().enumerate().skip(1) {
                let processed = predecessors[block]
                    .iter()
                    .filter_map(|&predecessor| number[predecessor])
                    .filter(|&predecessor| immediate[predecessor].is_some());
                let dominator = processed.reduce(|a, b| intersect(&immediate, a, b));
                if immediate[index] != dominator {
                    immediate[index] = dominator;
                    changed = true;
                }
            }
        }
        Dominators {
            order,
            number,
            immediate: immediate
                .into_iter()
                .map(Option::unwrap_or_default)
                .collect(),
        }
    }

    /// The blocks that can be reached, each before the blocks it dominates.
    pub fn order(&self) -> &[Block] {
        &self.order
    }

    /// Whether the block can be reached.
    pub fn is_reachable(&self, block: Block) -> bool {
        self.number[block].is_some()
    }

    /// The nearest block that every way to `block` leads through; none for the entry.
    pub fn immediate(&self, block: Block) -> Option<Block> {
        let number = self.number[block].filter(|&number| number != 0)?;
        Some(self.order[self.immediate[number]])
    }

    /// Whether every way to `block` leads through `dominator`. Every block dominates itself.
    pub fn dominates(&self, dominator: Block, block: Block) -> bool {
        let (Some(dominator), Some(mut block)) = (self.number[dominator], self.number[block])
        else {
            return false;
        };
        while block > dominator {
            block = self.immediate[block];
        }
        block == dominator
    }
}

fn intersect(immediate: &[Option<usize>], mut a: usize, mut b: usize) -> usize {
    while a != b {
        let deeper = if a > b { &mut a } else { &mut b };
        *deeper = immediate[*deeper].unwrap_or_default();
    }
    a
}
