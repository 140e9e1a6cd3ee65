//! Folds and numbers values: applies the rules of [`super::simplify`] and replaces what a dominating instruction has computed or checked
//! already.
//!
//! Covers instructions that depend on their operands alone, guards among them: a guard with the same operands that dominates another makes it
//! superfluous, whatever its frame state. What depends on memory is left to [`super::memory`].

use std::collections::HashMap;

use super::simplify::{Simpler, simplify};
use crate::analysis::Dominators;
use crate::entity::EntityVec;
use crate::ir::{Block, FrameId, Function, Inst, Kinds, Node, Value, resolve};

/// The frame state of all instructions in the table of known ones: it makes no difference there.
const NO_FRAME: FrameId = FrameId(u32::MAX);

/// Runs the pass.
pub fn run(function: &mut Function) {
    let dominators = Dominators::of(function);
    let mut numbering = Numbering {
        replacement: EntityVec::filled(None, function.values.len()),
        known: HashMap::new(),
        guarded: HashMap::new(),
        dominators,
    };
    for block in numbering.dominators.order().to_vec() {
        numbering.block(function, block);
    }
    function.replace_values(&numbering.replacement);
    super::control_flow::drop_unreachable(function);
}

/// What an instruction delivers, and where: a value, or nothing but the certainty that it has been passed.
type Known = (Block, Option<Value>);

struct Numbering {
    replacement: EntityVec<Value, Option<Value>>,
    known: HashMap<Node, Vec<Known>>,
    /// Values that have been checked to be of some kinds, by the value checked.
    guarded: HashMap<Value, Vec<(Block, Kinds, Value)>>,
    dominators: Dominators,
}

impl Numbering {
    fn block(&mut self, function: &mut Function, block: Block) {
        let instructions = std::mem::take(&mut function.blocks[block].instructions);
        for inst in instructions {
            self.instruction(function, block, inst);
        }
    }

    fn instruction(&mut self, function: &mut Function, block: Block, inst: Inst) {
        let replacement = &self.replacement;
        let node = &mut function.instructions[inst].node;
        node.for_each_operand_mut(|value| *value = resolve(replacement, *value));
        let result = function.result(inst);
        loop {
            let node = function.node(inst).clone();
            let mut create =
                |function: &mut Function, node: Node| self.number(function, block, node);
            match simplify(function, &node, &mut create) {
                Some(Simpler::Value(value)) => return self.replace(result, value),
                Some(Simpler::Nothing) => return,
                Some(Simpler::Node(simpler)) => {
                    let kinds = match &simpler {
                        Node::Number { number } => Kinds::of_number(number.0),
                        Node::Whole { number } => Kinds::of_number(*number as f64),
                        other => other.info().result.map_or(Kinds::NONE, |ty| ty.kinds),
                    };
                    function.instructions[inst].node = simpler;
                    if let Some(result) = result {
                        function.narrow(result, kinds);
                    }
                }
                None => break,
            }
        }
        let node = function.node(inst).clone();
        if let Some(value) = self.guarded_value(&node, block) {
            return self.replace(result, value);
        }
        if let Some(known) = self.find(&node, block) {
            if let (Some(result), Some(known)) = (result, known) {
                // Both are the same, so what is known of either holds for both.
                let kinds = function.ty(result).kinds;
                if kinds.meets(function.ty(known).kinds) {
                    function.narrow(known, kinds);
                }
                self.replace(Some(result), known);
            }
            return;
        }
        self.remember(&node, block, result);
        function.blocks[block].instructions.push(inst);
    }

    fn replace(&mut self, result: Option<Value>, value: Value) {
        if let Some(result) = result {
            *self.replacement.entry(result, None) = Some(value);
        }
    }

    /// The result of a new instruction at the end of the block, or of an equal one.
    fn number(&mut self, function: &mut Function, block: Block, node: Node) -> Value {
        if let Some(Some(value)) = self.find(&node, block) {
            return value;
        }
        let value = function.append_value(block, node.clone());
        if let Node::Whole { number } = node {
            function.narrow(value, Kinds::of_number(number as f64));
        }
        self.remember(&node, block, Some(value));
        value
    }

    /// What an equal instruction delivers that dominates the block.
    fn find(&self, node: &Node, block: Block) -> Option<Option<Value>> {
        let known = self.known.get(&key(node)?)?;
        let mut dominating = known.iter();
        dominating
            .find(|(at, _)| self.dominators.dominates(*at, block))
            .map(|(_, value)| *value)
    }

    fn remember(&mut self, node: &Node, block: Block, result: Option<Value>) {
        if let Some(key) = key(node) {
            self.known.entry(key).or_default().push((block, result));
        }
        let checked = match *node {
            Node::GuardKind { value, kinds, .. } => Some((value, kinds)),
            Node::GuardShape { map, .. } => Some((map, Kinds::MAP)),
            Node::GuardCode { function, .. } => Some((function, Kinds::FUNCTION)),
            _ => None,
        };
        if let (Some((value, kinds)), Some(result)) = (checked, result) {
            let entry = (block, kinds, result);
            self.guarded.entry(value).or_default().push(entry);
        }
    }

    /// The value that a guard on kinds would deliver, if another guard has delivered it.
    fn guarded_value(&self, node: &Node, block: Block) -> Option<Value> {
        let Node::GuardKind {
            value,
            kinds: wanted,
            ..
        } = node
        else {
            return None;
        };
        let mut checks = self.guarded.get(value)?.iter();
        checks
            .find(|(at, kinds, _)| {
                kinds.is_within(*wanted) && self.dominators.dominates(*at, block)
            })
            .map(|(_, _, checked)| *checked)
    }
}

/// The instruction as a key of the table; none if equal ones may have different results.
fn key(node: &Node) -> Option<Node> {
    let effects = node.effects();
    let is_numbered = effects.is_pure() || (node.is_guard() && !effects.reads());
    is_numbered.then(|| {
        let mut key = node.clone();
        key.set_frame(NO_FRAME);
        key
    })
}
