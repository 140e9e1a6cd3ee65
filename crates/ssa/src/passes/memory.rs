//! Load elimination: replaces loads, and guards on what is in memory, by what is known to be there.
//!
//! Follows the effects of instructions forwards. What is known where several ways meet is what all of them agree on; at a loop header it
//! is what is known in front of the loop, without what the loop may change. A store makes known what the next load would find.

use std::collections::HashMap;

use crate::analysis::{Dominators, Loops};
use crate::entity::EntityVec;
use crate::ir::{
    Block, Effects, FrameId, Function, Inst, Node, ShapeSet, SlotIndex, Value, resolve,
};
use crate::job::ShapeId;

/// The frame state of all instructions in tables of facts: it makes no difference there.
const NO_FRAME: FrameId = FrameId(u32::MAX);

/// Loads and guards with what they would deliver; guards without a result deliver nothing.
type Facts = HashMap<Node, Option<Value>>;

/// Runs the pass.
pub fn run(function: &mut Function) {
    let dominators = Dominators::of(function);
    let loops = Loops::of(function, &dominators);
    let predecessors = function.predecessors();
    let mut behind = EntityVec::<Block, Option<Facts>>::filled(None, function.blocks.len());
    let mut replacement = EntityVec::filled(None, function.values.len());
    for &block in dominators.order() {
        let mut ways = predecessors[block]
            .iter()
            .filter(|&&way| dominators.is_reachable(way));
        let is_loop = loops.with_header(block);
        let known = ways.clone().filter_map(|&way| behind[way].as_ref());
        let mut facts = agreed(known);
        let is_unknown = ways.any(|&way| behind[way].is_none());
        match is_loop {
            Some(id) => {
                for &inside in &loops.loops[id].blocks {
                    for &inst in &function.blocks[inside].instructions {
                        forget(&mut facts, function.node(inst));
                    }
                }
            }
            // A backward edge that belongs to no natural loop.
            None if is_unknown => facts.clear(),
            None => {}
        }
        let instructions = std::mem::take(&mut function.blocks[block].instructions);
        let mut kept = Vec::with_capacity(instructions.len());
        for inst in instructions {
            let node = &mut function.instructions[inst].node;
            node.for_each_operand_mut(|value| *value = resolve(&replacement, *value));
            match known_result(function, inst, &facts) {
                Some(Some(value)) => {
                    if let Some(result) = function.result(inst) {
                        *replacement.entry(result, None) = Some(value);
                    }
                }
                Some(None) => {}
                None => {
                    learn(function, inst, &mut facts);
                    kept.push(inst);
                }
            }
        }
        function.blocks[block].instructions = kept;
        behind[block] = Some(facts);
    }
    function.replace_values(&replacement);
}

/// The facts that are in all sets.
fn agreed<'a>(mut sets: impl Iterator<Item = &'a Facts>) -> Facts {
    let Some(first) = sets.next() else {
        return Facts::new();
    };
    let mut agreed = first.clone();
    for set in sets {
        agreed.retain(|node, value| set.get(node) == Some(value));
    }
    agreed
}

/// The instruction as a key of the table of facts; none if it is no load or guard on memory.
fn key(node: &Node) -> Option<Node> {
    let effects = node.effects();
    let is_load =
        effects.reads() && effects.is_removable() && !effects.contains(Effects::allocates);
    let is_guard = effects.reads() && node.is_guard();
    if !(is_load || is_guard) || matches!(node, Node::LoadRegister { .. }) {
        return None;
    }
    let mut key = node.clone();
    key.set_frame(NO_FRAME);
    if let Node::LoadSlot { slot, .. } = &mut key {
        *slot = SlotIndex::anywhere(slot.number);
    }
    Some(key)
}

/// What a load or guard would deliver.
fn known_result(function: &Function, inst: Inst, facts: &Facts) -> Option<Option<Value>> {
    facts.get(&key(function.node(inst))?).copied()
}

/// Takes out what an instruction may have changed.
fn forget(facts: &mut Facts, node: &Node) {
    let effects = node.effects();
    if !effects.writes() {
        return;
    }
    facts.retain(|fact, _| !changes(node, effects, fact));
}

/// The fact that a map has one of these shapes.
fn has_shape(map: Value, shapes: ShapeSet) -> Node {
    let frame = NO_FRAME;
    Node::GuardShape { map, shapes, frame }
}

/// Takes out what is no longer known when a map gets another shape. If its shape was known, so is which other values it cannot be.
fn forget_shape(facts: &mut Facts, changed: Value, to: ShapeId) {
    let shapes_of = |fact: &Node| match fact {
        Node::GuardShape { map, shapes, .. } if *map == changed => Some(shapes.clone()),
        _ => None,
    };
    let from = facts.keys().find_map(shapes_of);
    let cannot_be = |shapes: &ShapeSet| from.as_ref().is_some_and(|from| !from.meets(shapes));
    facts.retain(|fact, _| match fact {
        Node::GuardShape { map, shapes, .. } => *map != changed && cannot_be(shapes),
        Node::IsShape { value, shapes } => {
            *value != changed && !shapes.contains(to) && cannot_be(shapes)
        }
        _ => !fact.effects().contains(Effects::reads_shapes),
    });
}

/// Whether an instruction may change what a fact is about.
fn changes(node: &Node, effects: Effects, fact: &Node) -> bool {
    match (node, fact) {
        // Different slots and variables are different places, whatever the maps.
        (Node::StoreSlot { slot, .. }, Node::LoadSlot { slot: known, .. }) => {
            slot.number == known.number
        }
        (Node::StoreGlobal { global, .. }, Node::LoadGlobal { global: known }) => global == known,
        // No map had the slot before it was added.
        (Node::AddSlot { .. }, Node::LoadSlot { .. }) => false,
        _ => effects.invalidates(fact.effects()),
    }
}

/// Notes what is known behind an instruction.
fn learn(function: &Function, inst: Inst, facts: &mut Facts) {
    let node = function.node(inst);
    match node {
        Node::AddSlot { map, shape, .. } => forget_shape(facts, *map, *shape),
        _ => forget(facts, node),
    }
    let result = function.result(inst);
    if let Some(key) = key(node) {
        facts.insert(key, result);
    }
    match *node {
        // What a guard delivers needs no guard of the same sort.
        Node::GuardShape { ref shapes, .. } => {
            if let Some(map) = result {
                facts.insert(has_shape(map, shapes.clone()), result);
            }
        }
        Node::NewMap { shape, .. } | Node::NewInstance { shape, .. } => {
            if let Some(map) = result {
                facts.insert(has_shape(map, shape.into()), result);
            }
        }
        Node::AssumeShape { map, ref shapes } => {
            for map in result.into_iter().chain([map]) {
                facts.insert(has_shape(map, shapes.clone()), result);
            }
        }
        Node::GuardWritable { .. } => {
            if let Some(list) = result {
                let frame = NO_FRAME;
                facts.insert(Node::GuardWritable { list, frame }, result);
            }
        }
        Node::AddSlot {
            map,
            slot,
            value,
            shape,
            ..
        } => {
            facts.insert(has_shape(map, shape.into()), Some(map));
            let slot = SlotIndex::anywhere(slot.number);
            facts.insert(Node::LoadSlot { map, slot }, Some(value));
        }
        Node::StoreSlot { map, slot, value } => {
            let slot = SlotIndex::anywhere(slot.number);
            facts.insert(Node::LoadSlot { map, slot }, Some(value));
        }
        Node::StoreElement {
            elements,
            index,
            value,
            ..
        } => {
            facts.insert(Node::LoadElement { elements, index }, Some(value));
        }
        Node::StoreGlobal { global, value } => {
            facts.insert(Node::LoadGlobal { global }, Some(value));
        }
        _ => {}
    }
}
