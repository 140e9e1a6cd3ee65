//! Turns loops that test at the top into loops that test at the bottom: one jump fewer in every pass, and a place in front of the loop that
//! is reached only if there is a first pass.
//!
//! ```text
//!     before               after
//!                          H' (copy of H) ──► exit
//!     ┌─► H ──► exit          │
//!     │   │                ┌─►B …
//!     └── B …              └─ H ──► exit
//! ```
//!
//! The header `H` is copied in front of the loop, and the header itself becomes the bottom. What it defines has two definitions then; where
//! ways from both meet, blocks get parameters for it.

use std::collections::HashMap;

use crate::analysis::{Dominators, LoopId, Loops};
use crate::entity::EntityVec;
use crate::ir::{Block, BlockCall, Function, Inst, Node, Value};

/// A longer header is not worth its copy.
const MAX_HEADER: usize = 40;

/// Runs the pass.
pub fn run(function: &mut Function) {
    let mut done = Vec::new();
    super::control_flow::drop_unreachable(function);
    loop {
        let dominators = Dominators::of(function);
        let loops = Loops::of(function, &dominators);
        let next = loops.loops.keys().find_map(|id| {
            let header = loops.loops[id].header;
            let plan = (!done.contains(&header)).then(|| plan(function, &loops, id))?;
            done.push(header);
            plan
        });
        match next {
            Some(plan) => rotate(function, plan),
            None => return,
        }
    }
}

/// A loop that can be rotated.
struct Plan {
    header: Block,
    /// Where control comes into the loop from.
    outside: Vec<Block>,
}

fn plan(function: &Function, loops: &Loops, id: LoopId) -> Option<Plan> {
    let one = &loops.loops[id];
    let header = one.header;
    let terminator = function.terminator(header)?;
    let Node::Branch { holds, fails, .. } = function.node(terminator) else {
        return None;
    };
    let body = match (
        loops.contains(id, holds.block),
        loops.contains(id, fails.block),
    ) {
        (true, false) => holds.block,
        (false, true) => fails.block,
        _ => return None,
    };
    let is_long = function.blocks[header].instructions.len() > MAX_HEADER;
    // Where a pass may end with a test of whether to go on, the loop is rotated already.
    let ends_with_test = |&latch: &Block| {
        let mut next = function.successors(latch).into_iter();
        next.any(|block| !loops.contains(id, block))
    };
    if body == header || is_long || one.latches.iter().any(ends_with_test) {
        return None;
    }
    let predecessors = function.predecessors();
    let outside = predecessors[header].iter().copied();
    let outside = outside.filter(|&block| !loops.contains(id, block));
    Some(Plan {
        header,
        outside: outside.collect(),
    })
}

fn rotate(function: &mut Function, plan: Plan) {
    let header = plan.header;
    let (copy, map) = copy_block(function, header);
    for from in plan.outside {
        function.redirect(from, header, copy);
    }
    let predecessors = function.predecessors();
    let mut uses = users(function, &map, [header, copy]);
    let mut values: Vec<(Value, Value)> = map.into_iter().collect();
    values.sort_unstable();
    for (value, copied) in values {
        if let Some(users) = uses.remove(&value) {
            let sources = Sources {
                blocks: [(header, value), (copy, copied)],
                predecessors: &predecessors,
            };
            join(function, value, users, &sources);
        }
    }
}

/// The blocks that use each of the values, but for these two.
fn users(
    function: &Function,
    values: &HashMap<Value, Value>,
    but: [Block; 2],
) -> HashMap<Value, Vec<Block>> {
    let mut users: HashMap<Value, Vec<Block>> = HashMap::new();
    for &block in function.layout.iter().filter(|block| !but.contains(block)) {
        for &inst in &function.blocks[block].instructions {
            for_each_use(function, inst, |value| {
                if values.contains_key(&value) {
                    let blocks = users.entry(value).or_default();
                    if blocks.last() != Some(&block) {
                        blocks.push(block);
                    }
                }
            });
        }
    }
    users
}

/// Calls `visit` with every value an instruction uses, frame states included.
fn for_each_use(function: &Function, inst: Inst, mut visit: impl FnMut(Value)) {
    let node = function.node(inst);
    node.for_each_operand(&mut visit);
    if let Some(frame) = node.frame() {
        function.for_each_frame_value(frame, visit);
    }
}

/// The two blocks that define what used to be one value.
struct Sources<'a> {
    blocks: [(Block, Value); 2],
    predecessors: &'a EntityVec<Block, Vec<Block>>,
}

impl Sources<'_> {
    fn at_end(&self, block: Block) -> Option<Value> {
        let mut blocks = self.blocks.iter();
        blocks.find(|(at, _)| *at == block).map(|(_, value)| *value)
    }

    /// What stands for the value at the end of a block, given the parameters that blocks where ways meet have for it.
    fn find(&self, mut block: Block, parameters: &HashMap<Block, Value>) -> Option<Value> {
        for _ in 0..=self.predecessors.len() {
            if let Some(value) = self.at_end(block).or(parameters.get(&block).copied()) {
                return Some(value);
            }
            block = *self.predecessors[block].first()?;
        }
        None
    }
}

/// Lets uses of a value that two blocks define now refer to the right one: blocks on the way where control meets get a parameter for it.
/// Parameters that turn out to be superfluous are left to [`super::dead_code`].
fn join(function: &mut Function, value: Value, users: Vec<Block>, sources: &Sources<'_>) {
    let ty = function.ty(value);
    let mut parameters = HashMap::new();
    let mut joins = Vec::new();
    let mut seen: Vec<Block> = Vec::new();
    let mut pending = users.clone();
    while let Some(block) = pending.pop() {
        if seen.contains(&block) || sources.at_end(block).is_some() {
            continue;
        }
        seen.push(block);
        if sources.predecessors[block].len() > 1 {
            parameters.insert(block, function.add_parameter(block, ty));
            joins.push(block);
        }
        pending.extend(&sources.predecessors[block]);
    }
    for block in joins {
        let mut from = sources.predecessors[block].clone();
        from.dedup();
        for from in from {
            let argument = sources.find(from, &parameters);
            let (Some(argument), Some(terminator)) = (argument, function.terminator(from)) else {
                continue;
            };
            let count = function.blocks[block].parameters.len();
            function.instructions[terminator]
                .node
                .for_each_target_mut(|target| {
                    if target.block == block && target.arguments.len() < count {
                        target.arguments.push(argument);
                    }
                });
        }
    }
    for block in users {
        if let Some(here) = sources.find(block, &parameters) {
            let map = HashMap::from([(value, here)]);
            for inst in function.blocks[block].instructions.clone() {
                map_uses(function, inst, &map);
            }
        }
    }
}

fn map_uses(function: &mut Function, inst: Inst, map: &HashMap<Value, Value>) {
    let mapped = |value: Value| map.get(&value).copied().unwrap_or(value);
    let node = &mut function.instructions[inst].node;
    node.for_each_operand_mut(|value| *value = mapped(*value));
    if let Some(frame) = function.node(inst).frame() {
        // Others may share the frame state.
        let frame = function.map_frame(frame, &mapped);
        function.instructions[inst].node.set_frame(frame);
    }
}

/// A copy of a block with the same successors, and what stands there for the block's values.
fn copy_block(function: &mut Function, block: Block) -> (Block, HashMap<Value, Value>) {
    let copy = function.add_block();
    let mut map = HashMap::new();
    for parameter in function.blocks[block].parameters.clone() {
        let ty = function.ty(parameter);
        map.insert(parameter, function.add_parameter(copy, ty));
    }
    for inst in function.blocks[block].instructions.clone() {
        let node = function.node(inst).clone();
        let copied = function.append(copy, node);
        map_uses(function, copied, &map);
        if let (Some(result), Some(new)) = (function.result(inst), function.result(copied)) {
            function.values[new].ty = function.ty(result);
            map.insert(result, new);
        }
    }
    (copy, map)
}

/// Makes sure that a loop has one block in front of it that leads nowhere else; that block.
pub(super) fn preheader(
    function: &mut Function,
    predecessors: &EntityVec<Block, Vec<Block>>,
    header: Block,
    inside: &[Block],
) -> Block {
    let outside: Vec<Block> = predecessors[header]
        .iter()
        .copied()
        .filter(|block| !inside.contains(block))
        .collect();
    if let &[only] = outside.as_slice()
        && function.successors(only).len() == 1
    {
        return only;
    }
    let block = function.add_block();
    let types: Vec<_> = function.blocks[header]
        .parameters
        .iter()
        .map(|&parameter| function.ty(parameter))
        .collect();
    let arguments = types
        .into_iter()
        .map(|ty| function.add_parameter(block, ty))
        .collect();
    let target = BlockCall {
        block: header,
        arguments,
    };
    function.append(block, Node::Jump { target });
    for from in outside {
        function.redirect(from, header, block);
    }
    block
}
