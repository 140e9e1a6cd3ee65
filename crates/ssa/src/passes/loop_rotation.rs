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
//! The header `H` is copied in front of the loop; the header itself becomes the bottom, and what it defines reaches its successors as
//! block parameters. Loops that use a value of the header where the ways from inside and from the test have met again are left as they are.

use std::collections::HashMap;

use crate::analysis::{Dominators, LoopId, Loops};
use crate::entity::EntityVec;
use crate::ir::{Block, BlockCall, Function, Inst, Node, Value};

/// A longer header is not worth its copy.
const MAX_HEADER: usize = 40;

/// Runs the pass.
pub fn run(function: &mut Function) {
    let mut done = Vec::new();
    loop {
        let dominators = Dominators::of(function);
        let loops = Loops::of(function, &dominators);
        let next = loops.loops.keys().find_map(|id| {
            let header = loops.loops[id].header;
            let plan =
                (!done.contains(&header)).then(|| plan(function, &dominators, &loops, id))?;
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
    outside: Vec<Block>,
    /// Inside and outside successor of the header.
    body: Block,
    exit: Block,
    /// What the header defines and others use.
    escaping: Vec<Value>,
    /// Whether each block is reached through the body (true) or the exit only, of those that use such values.
    users: Vec<(Block, bool)>,
}

fn plan(function: &Function, dominators: &Dominators, loops: &Loops, id: LoopId) -> Option<Plan> {
    let one = &loops.loops[id];
    let header = one.header;
    let terminator = function.terminator(header)?;
    let Node::Branch { holds, fails, .. } = function.node(terminator) else {
        return None;
    };
    let (body, exit) = match (
        loops.contains(id, holds.block),
        loops.contains(id, fails.block),
    ) {
        (true, false) => (holds.block, fails.block),
        (false, true) => (fails.block, holds.block),
        _ => return None,
    };
    let instructions = &function.blocks[header].instructions;
    if body == header || instructions.len() > MAX_HEADER || one.latches.contains(&header) {
        return None;
    }
    let predecessors = function.predecessors();
    let outside = predecessors[header].iter().copied();
    let outside = outside
        .filter(|&block| !loops.contains(id, block))
        .collect();

    let results = instructions
        .iter()
        .filter_map(|&inst| function.result(inst));
    let defined: Vec<Value> = function.blocks[header]
        .parameters
        .iter()
        .copied()
        .chain(results)
        .collect();
    let mut escaping = Vec::new();
    let mut users = Vec::new();
    for &block in dominators.order().iter().filter(|&&block| block != header) {
        let mut is_user = false;
        for &inst in &function.blocks[block].instructions {
            for_each_use(function, inst, |value| {
                if defined.contains(&value) {
                    is_user = true;
                    if !escaping.contains(&value) {
                        escaping.push(value);
                    }
                }
            });
        }
        if is_user {
            // The edges become blocks of their own, so the successors must be reached through the header alone to count.
            let single = |successor: Block| predecessors[successor].len() == 1;
            let through =
                |successor: Block| single(successor) && dominators.dominates(successor, block);
            match (through(body), through(exit)) {
                (true, false) => users.push((block, true)),
                (false, true) => users.push((block, false)),
                _ => return None,
            }
        }
    }
    Some(Plan {
        header,
        outside,
        body,
        exit,
        escaping,
        users,
    })
}

/// Calls `visit` with every value an instruction uses, frame states included.
fn for_each_use(function: &Function, inst: Inst, mut visit: impl FnMut(Value)) {
    let node = function.node(inst);
    node.for_each_operand(&mut visit);
    if let Some(frame) = node.frame() {
        function.for_each_frame_value(frame, |_, value| visit(value));
    }
}

fn rotate(function: &mut Function, plan: Plan) {
    let header = plan.header;
    let (to_body, in_body) = landing(function, header, plan.body, &plan.escaping);
    let (to_exit, in_exit) = landing(function, header, plan.exit, &plan.escaping);
    for (block, is_inside) in plan.users {
        let map = if is_inside { &in_body } else { &in_exit };
        for inst in function.blocks[block].instructions.clone() {
            map_uses(function, inst, map);
        }
    }
    // The landings' own jumps pass on what the header passed.
    for (block, map) in [(to_body, &in_body), (to_exit, &in_exit)] {
        for inst in function.blocks[block].instructions.clone() {
            map_uses(function, inst, map);
        }
    }
    let copy = copy_block(function, header);
    for from in plan.outside {
        function.redirect(from, header, copy);
    }
}

/// A new block on the edge from the header to a successor with a parameter for each escaping value, which the header passes: the block
/// and the parameters by the values they stand for.
fn landing(
    function: &mut Function,
    header: Block,
    successor: Block,
    escaping: &[Value],
) -> (Block, HashMap<Value, Value>) {
    let block = function.split_edge(header, successor);
    let mut map = HashMap::new();
    for &value in escaping {
        let ty = function.ty(value);
        map.insert(value, function.add_parameter(block, ty));
    }
    if let Some(terminator) = function.terminator(header) {
        function.instructions[terminator]
            .node
            .for_each_target_mut(|target| {
                if target.block == block {
                    target.arguments.extend(escaping);
                }
            });
    }
    (block, map)
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

/// A copy of a block with the same successors.
fn copy_block(function: &mut Function, block: Block) -> Block {
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
    copy
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
