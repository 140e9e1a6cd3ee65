//! Checks on the way into a loop what its passes keep true.
//!
//! A register that is a number in every pass may come into the loop as anything: as an argument, or because the code is entered in
//! mid-loop. Its block parameter then is anything, and every pass begins with a guard. If all that the loop itself passes on are
//! numbers, one guard on the way in does, with the frame state of the loop's checkpoint.

use std::collections::BTreeSet;

use crate::analysis::{Dominators, Loop, LoopId, Loops};
use crate::ir::{Block, Entry, Function, Kinds, Node, Representation, Value};

/// Guards on the way into a loop show up as guards in the loop around it: how many levels are followed.
const LEVELS: usize = 4;

/// Runs the pass.
pub fn run(function: &mut Function) {
    for _ in 0..LEVELS {
        super::kinds::run(function);
        if !guard_entries(function) {
            return;
        }
    }
    super::kinds::run(function);
}

fn guard_entries(function: &mut Function) -> bool {
    let dominators = Dominators::of(function);
    let loops = Loops::of(function, &dominators);
    let mut candidates = BTreeSet::new();
    for (id, one) in loops.loops.iter() {
        if checkpoint(function, one.header).is_some() {
            candidates.extend(guarded_parameters(function, &dominators, &loops, id));
        }
    }
    // What is left keeps itself and the others true.
    loop {
        let broken: Vec<Value> = candidates
            .iter()
            .copied()
            .filter(|&parameter| {
                let is_fine = |value| {
                    function.ty(value).kinds.is_within(Kinds::NUMBER) || candidates.contains(&value)
                };
                let (one, index) = header_of(function, &loops, parameter);
                let latches = one.latches.iter();
                let mut passed =
                    latches.flat_map(|&latch| passed_to(function, latch, one.header, index));
                !passed.all(is_fine)
            })
            .collect();
        if broken.is_empty() {
            break;
        }
        broken.iter().for_each(|value| {
            candidates.remove(value);
        });
    }
    let mut changed = false;
    for &parameter in &candidates {
        let (one, index) = header_of(function, &loops, parameter);
        changed |= guard_entry(function, one, index, &candidates);
    }
    changed
}

/// The loop of a header's parameter, and which of the parameters it is.
fn header_of<'a>(function: &Function, loops: &'a Loops, parameter: Value) -> (&'a Loop, usize) {
    let found = loops.loops.values().find_map(|one| {
        let mut parameters = function.blocks[one.header].parameters.iter();
        Some((one, parameters.position(|&value| value == parameter)?))
    });
    match found {
        Some(found) => found,
        None => unreachable!("candidates are parameters of headers"),
    }
}

/// The values that `from` passes to the header for its parameter with this index.
fn passed_to(function: &Function, from: Block, header: Block, index: usize) -> Vec<Value> {
    let mut passed = Vec::new();
    if let Some(terminator) = function.terminator(from) {
        function.node(terminator).for_each_target(|target| {
            if target.block == header {
                passed.push(target.arguments[index]);
            }
        });
    }
    passed
}

/// The header's parameters that every pass of the loop requires to be numbers. In code entered in mid-loop, where the passes so far
/// have shown what comes by, it is enough if some passes do.
fn guarded_parameters(
    function: &Function,
    dominators: &Dominators,
    loops: &Loops,
    id: LoopId,
) -> Vec<Value> {
    let one = &loops.loops[id];
    let parameters = &function.blocks[one.header].parameters;
    let in_every_pass = |block: Block| {
        let mut latches = one.latches.iter();
        matches!(function.entry, Entry::Loop(_))
            || latches.all(|&latch| dominators.dominates(block, latch))
    };
    let mut guarded = Vec::new();
    for &block in one.blocks.iter().filter(|&&block| in_every_pass(block)) {
        for &inst in &function.blocks[block].instructions {
            if let Node::GuardNumber { value, .. } = *function.node(inst)
                && parameters.contains(&value)
                && !function.ty(value).kinds.is_within(Kinds::NUMBER)
            {
                guarded.push(value);
            }
        }
    }
    guarded
}

/// The checkpoint's frame state at the beginning of a loop header.
pub(super) fn checkpoint(function: &Function, header: Block) -> Option<crate::ir::FrameId> {
    let first = *function.blocks[header].instructions.first()?;
    match function.node(first) {
        Node::Checkpoint { frame } => Some(*frame),
        _ => None,
    }
}

/// Guards what comes into the loop as a parameter on all ways from outside.
fn guard_entry(
    function: &mut Function,
    one: &Loop,
    index: usize,
    candidates: &BTreeSet<Value>,
) -> bool {
    let header = one.header;
    let Some(frame) = checkpoint(function, header) else {
        return false;
    };
    let parameter = function.blocks[header].parameters[index];
    let guard = one
        .blocks
        .iter()
        .flat_map(|&block| &function.blocks[block].instructions)
        .find_map(|&inst| match *function.node(inst) {
            Node::GuardNumber { value, frame } if value == parameter => Some(frame),
            _ => None,
        });
    let frame = match guard {
        Some(guard) => function.moved_frame(guard, frame),
        None => frame,
    };
    let mut changed = false;
    let predecessors = function.predecessors()[header].clone();
    let outside = predecessors
        .iter()
        .filter(|block| !one.blocks.contains(block));
    for &from in outside {
        let Some(terminator) = function.terminator(from) else {
            continue;
        };
        // Only where nothing else depends on the way taken.
        let Node::Jump { target } = function.node(terminator).clone() else {
            continue;
        };
        let argument = target.arguments[index];
        let ty = function.ty(argument);
        if ty.kinds.is_within(Kinds::NUMBER)
            || candidates.contains(&argument)
            || !ty.kinds.meets(Kinds::NUMBER)
            || ty.representation != Representation::Tagged
        {
            continue;
        }
        let parameters = function.blocks[header].parameters.clone();
        let at_entry = |value: Value| {
            let position = parameters.iter().position(|&parameter| parameter == value);
            position.map_or(value, |position| target.arguments[position])
        };
        let frame = function.map_frame(frame, &at_entry);
        let guard = function.insert_at_end(
            from,
            Node::GuardNumber {
                value: argument,
                frame,
            },
        );
        let Some(number) = function.result(guard) else {
            continue;
        };
        let boxed = function.insert_at_end(from, Node::BoxF64 { value: number });
        let boxed = function.result(boxed);
        function.instructions[terminator]
            .node
            .for_each_target_mut(|target| {
                if let Some(boxed) = boxed {
                    target.arguments[index] = boxed;
                }
            });
        changed = true;
    }
    changed
}
