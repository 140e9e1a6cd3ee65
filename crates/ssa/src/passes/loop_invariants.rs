//! Moves out of loops what every pass would compute or check alike.
//!
//! Instructions that depend on nothing but their operands move whenever these are defined outside. Loads move if nothing in the loop writes
//! what they read. Guards move if, moreover, every pass makes them, and if there is a frame state for the place in front of the loop: that
//! of the loop's checkpoint, or the last one before the loop, as long as nothing that a script could notice happens in between.

use super::entry_guards::checkpoint;
use super::loop_rotation::preheader;
use crate::analysis::{Dominators, LoopId, Loops};
use crate::ir::{Block, Definition, Effects, FrameId, Function, Inst, Node, Value};

/// Runs the pass.
pub fn run(function: &mut Function) {
    let mut done = Vec::new();
    loop {
        let dominators = Dominators::of(function);
        let loops = Loops::of(function, &dominators);
        // Inner loops come first; what leaves them may then leave the loops around.
        let mut pending = loops.loops.iter();
        let Some((id, one)) = pending.find(|(_, one)| !done.contains(&one.header)) else {
            return;
        };
        done.push(one.header);
        hoist(function, &dominators, &loops, id);
    }
}

fn hoist(function: &mut Function, dominators: &Dominators, loops: &Loops, id: LoopId) {
    let one = &loops.loops[id];
    let predecessors = function.predecessors();
    let front = preheader(function, &predecessors, one.header, &one.blocks);
    let frame = frame_in_front(function, front, one.header);
    let written = one
        .blocks
        .iter()
        .flat_map(|&block| &function.blocks[block].instructions)
        .map(|&inst| function.node(inst).effects())
        .fold(Effects::NONE, Effects::union);
    let mut is_inside = vec![false; function.blocks.len()];
    for block in &one.blocks {
        is_inside[block.0 as usize] = true;
    }
    for &block in dominators
        .order()
        .iter()
        .filter(|&&block| loops.contains(id, block))
    {
        let mut latches = one.latches.iter();
        let is_in_every_pass = latches.all(|&latch| dominators.dominates(block, latch));
        for inst in function.blocks[block].instructions.clone() {
            let node = function.node(inst);
            let is_outside = |value: Value| {
                let at = match function.values[value].definition {
                    Definition::Parameter(block) => block,
                    Definition::Result(_) => {
                        return !is_result_inside(function, &one.blocks, value);
                    }
                };
                !is_inside[at.0 as usize]
            };
            let is_invariant = node.operands().into_iter().all(is_outside);
            if is_invariant
                && is_safe_anywhere(function, node)
                && can_move(node, written, is_in_every_pass, frame)
            {
                move_to_end(function, block, front, inst, frame);
            }
        }
    }
}

/// Whether a result is defined in one of the blocks.
fn is_result_inside(function: &Function, blocks: &[Block], value: Value) -> bool {
    let Definition::Result(inst) = function.values[value].definition else {
        return false;
    };
    let mut inside = blocks.iter();
    inside.any(|&block| function.blocks[block].instructions.contains(&inst))
}

/// Whether the operands of a load prove that it may be done. An element's index may have been compared with the length on the way only.
fn is_safe_anywhere(function: &Function, node: &Node) -> bool {
    match *node {
        Node::LoadElement { index, .. } => {
            let checked = function.defining_node(index);
            matches!(checked, Some(Node::CheckBounds { .. }))
        }
        _ => true,
    }
}

fn can_move(node: &Node, written: Effects, is_in_every_pass: bool, frame: Option<FrameId>) -> bool {
    let effects = node.effects();
    if effects.is_pure() {
        return true;
    }
    if written.invalidates(effects) || matches!(node, Node::LoadRegister { .. }) {
        return false;
    }
    let is_load = effects.is_removable() && !effects.contains(Effects::allocates);
    is_load || (node.is_guard() && is_in_every_pass && frame.is_some())
}

fn move_to_end(
    function: &mut Function,
    from: Block,
    to: Block,
    inst: Inst,
    frame: Option<FrameId>,
) {
    function.blocks[from]
        .instructions
        .retain(|&other| other != inst);
    let instructions = &mut function.blocks[to].instructions;
    let at = instructions.len().saturating_sub(1);
    instructions.insert(at, inst);
    if let (Some(frame), Some(before)) = (frame, function.node(inst).frame()) {
        let frame = function.moved_frame(before, frame);
        function.instructions[inst].node.set_frame(frame);
    }
}

/// A frame state for the end of the block in front of a loop.
fn frame_in_front(function: &mut Function, front: Block, header: Block) -> Option<FrameId> {
    if let Some(frame) = checkpoint(function, header) {
        let terminator = function.terminator(front)?;
        let Node::Jump { target } = function.node(terminator).clone() else {
            return None;
        };
        let parameters = function.blocks[header].parameters.clone();
        let at_entry = |value: Value| {
            let position = parameters.iter().position(|&parameter| parameter == value);
            position.map_or(value, |position| target.arguments[position])
        };
        return Some(function.map_frame(frame, &at_entry));
    }
    last_frame(function, front)
}

/// The frame state of the last instruction with one on the only way to the end of a block, if repeating what follows it does no harm.
fn last_frame(function: &Function, block: Block) -> Option<FrameId> {
    let predecessors = function.predecessors();
    let mut at = block;
    for _ in 0..function.layout.len() {
        for &inst in function.blocks[at].instructions.iter().rev() {
            let node = function.node(inst);
            if node.effects().writes() && !is_repeatable(node) {
                return None;
            }
            if let Some(frame) = node.frame() {
                return Some(frame);
            }
        }
        match predecessors[at].as_slice() {
            &[only] => at = only,
            _ => return None,
        }
    }
    None
}

/// Whether an instruction writes nothing but the window, which an exit writes anew.
fn is_repeatable(node: &Node) -> bool {
    let effects = node.effects();
    !effects.contains(Effects::writes_slots)
        && !effects.contains(Effects::writes_globals)
        && !effects.contains(Effects::writes_elements)
        && !effects.contains(Effects::writes_other)
        && effects.contains(Effects::writes_window)
}
