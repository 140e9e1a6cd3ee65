//! Keeps global variables in machine registers while a loop runs: loads and stores become block parameters, memory is brought up to date behind
//! the loop and by exits.
//!
//! Only in loops in which nothing else reads or writes global variables or can end the program. Every block of the loop gets a parameter for
//! each variable; [`super::dead_code`] removes those that are superfluous.

use super::loop_rotation::preheader;
use crate::analysis::{Dominators, Loop, Loops};
use crate::entity::EntityVec;
use crate::ir::{Block, Effects, Function, Node, Type, Value};
use crate::job::GlobalId;

/// More variables or blocks would make more parameters than this is worth.
const MAX_GLOBALS: usize = 12;
const MAX_BLOCKS: usize = 200;

/// Runs the pass.
pub fn run(function: &mut Function) {
    super::control_flow::drop_unreachable(function);
    loop {
        let dominators = Dominators::of(function);
        let loops = Loops::of(function, &dominators);
        // Outer loops first: what they keep in registers, inner ones do too.
        let mut outer_first = loops.loops.values().rev();
        let found = outer_first.find_map(|one| Some((one, promotable(function, one)?)));
        match found {
            Some((one, globals)) => promote(function, one, &globals),
            None => return,
        }
    }
}

/// The variables that the loop assigns, if they can be kept in registers.
fn promotable(function: &Function, one: &Loop) -> Option<Vec<GlobalId>> {
    let mut assigned = Vec::new();
    for &block in &one.blocks {
        for &inst in &function.blocks[block].instructions {
            match function.node(inst) {
                Node::LoadGlobal { .. } => {}
                Node::StoreGlobal { global, .. } => assigned.push(*global),
                node => {
                    let effects = node.effects();
                    if effects.contains(Effects::reads_globals)
                        || effects.contains(Effects::writes_globals)
                        || effects.contains(Effects::throws)
                    {
                        return None;
                    }
                }
            }
        }
    }
    assigned.sort_unstable();
    assigned.dedup();
    let is_worth_it = (1..=MAX_GLOBALS).contains(&assigned.len()) && one.blocks.len() <= MAX_BLOCKS;
    is_worth_it.then_some(assigned)
}

fn promote(function: &mut Function, one: &Loop, globals: &[GlobalId]) {
    let predecessors = function.predecessors();
    let front = preheader(function, &predecessors, one.header, &one.blocks);
    let exits = split_exits(function, one);
    for &global in globals {
        let load = function.insert_at_end(front, Node::LoadGlobal { global });
        let value = function.result(load);
        pass_on(function, front, one, &Vec::from_iter(value));
    }
    for &block in &one.blocks {
        for _ in globals {
            function.add_parameter(block, Type::ANY);
        }
    }
    let mut replacement = EntityVec::<Value, Option<Value>>::filled(None, function.values.len());
    for &block in &one.blocks {
        let current = rewrite(function, block, globals, &mut replacement);
        pass_on(function, block, one, &current);
        for &(_, exit) in exits.iter().filter(|(from, _)| *from == block) {
            for (&global, &value) in globals.iter().zip(&current) {
                function.insert_at_start(exit, Node::StoreGlobal { global, value });
            }
        }
    }
    function.replace_values(&replacement);
}

/// Puts a block on every edge that leaves the loop: where each comes from, and the block.
fn split_exits(function: &mut Function, one: &Loop) -> Vec<(Block, Block)> {
    let mut exits = Vec::new();
    for &from in &one.blocks {
        let mut outside = function.successors(from);
        outside.retain(|to| one.blocks.binary_search(to).is_err());
        outside.dedup();
        for to in outside {
            exits.push((from, function.split_edge(from, to)));
        }
    }
    exits
}

/// Adds arguments to all edges from a block into the loop.
fn pass_on(function: &mut Function, from: Block, one: &Loop, values: &[Value]) {
    if let Some(terminator) = function.terminator(from) {
        let node = &mut function.instructions[terminator].node;
        node.for_each_target_mut(|target| {
            if one.blocks.binary_search(&target.block).is_ok() {
                target.arguments.extend(values);
            }
        });
    }
}

/// Takes loads and stores of the variables out of a block and lets its frame states name the values; the values at its end.
fn rewrite(
    function: &mut Function,
    block: Block,
    globals: &[GlobalId],
    replacement: &mut EntityVec<Value, Option<Value>>,
) -> Vec<Value> {
    let parameters = &function.blocks[block].parameters;
    let mut current = parameters[parameters.len() - globals.len()..].to_vec();
    let place = |global: GlobalId| globals.iter().position(|&known| known == global);
    let instructions = std::mem::take(&mut function.blocks[block].instructions);
    for inst in instructions {
        match *function.node(inst) {
            Node::LoadGlobal { global } if place(global).is_some() => {
                if let (Some(place), Some(result)) = (place(global), function.result(inst)) {
                    *replacement.entry(result, None) = Some(current[place]);
                }
                continue;
            }
            Node::StoreGlobal { global, value } if place(global).is_some() => {
                if let Some(place) = place(global) {
                    current[place] = value;
                }
                continue;
            }
            _ => {}
        }
        if let Some(frame) = function.node(inst).frame() {
            let mut state = function.frames[frame].clone();
            for (&global, &value) in globals.iter().zip(&current) {
                match state
                    .globals
                    .binary_search_by_key(&global, |(known, _)| *known)
                {
                    Ok(at) => state.globals[at].1 = value,
                    Err(at) => state.globals.insert(at, (global, value)),
                }
            }
            let frame = function.add_frame(state);
            function.instructions[inst].node.set_frame(frame);
        }
        function.blocks[block].instructions.push(inst);
    }
    current
}
