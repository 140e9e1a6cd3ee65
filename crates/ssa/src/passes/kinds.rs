//! Finds out what values can be: follows kinds through block parameters, guards and conversions, assuming at first that loops
//! bring nothing new, until that holds.

use crate::analysis::reverse_postorder;
use crate::entity::EntityVec;
use crate::ir::{Block, Function, Kinds, Node, Value};

/// Runs the pass.
pub fn run(function: &mut Function) {
    let order = reverse_postorder(function);
    let mut found = EntityVec::filled(Kinds::NONE, function.values.len());
    while sweep(function, &order, &mut found) {}
    for (value, kinds) in found.iter() {
        // A value of no kind is never computed; it keeps its type.
        if !kinds.is_empty() {
            function.narrow(value, *kinds);
        }
    }
}

/// Goes over all instructions once; says whether anything grew.
fn sweep(function: &Function, order: &[Block], found: &mut EntityVec<Value, Kinds>) -> bool {
    let mut changed = false;
    let mut add = |found: &mut EntityVec<Value, Kinds>, value: Value, kinds: Kinds| {
        let limited = kinds.intersection(function.ty(value).kinds);
        let joined = found[value].union(limited);
        changed |= joined != found[value];
        found[value] = joined;
    };
    for &block in order {
        for &inst in &function.blocks[block].instructions {
            let node = function.node(inst);
            if let Some(result) = function.result(inst) {
                let kinds = result_kinds(node, found);
                add(found, result, kinds);
            }
            let mut passed = Vec::new();
            node.for_each_target(|target| {
                let parameters = &function.blocks[target.block].parameters;
                passed.extend(
                    parameters
                        .iter()
                        .copied()
                        .zip(target.arguments.iter().copied()),
                );
            });
            for (parameter, argument) in passed {
                let kinds = found[argument];
                add(found, parameter, kinds);
            }
        }
    }
    changed
}

/// What a result can be, given what the operands can be.
fn result_kinds(node: &Node, found: &EntityVec<Value, Kinds>) -> Kinds {
    match node {
        Node::BoxF64 { value }
        | Node::UnboxF64 { value }
        | Node::GuardNumber { value, .. }
        | Node::TruthToF64 { value }
        | Node::I64ToF64 { value }
        | Node::I32ToF64 { value }
        | Node::I32ToI64 { value } => found[*value],
        Node::F64ToI64 { value, .. } | Node::F64ToI32 { value, .. } => {
            found[*value].intersection(Kinds::WHOLE)
        }
        Node::GuardKind { value, kinds, .. } => found[*value].intersection(*kinds),
        Node::Number { number } => Kinds::of_number(number.0),
        Node::Whole { number } => Kinds::of_number(*number as f64),
        _ => Kinds::ANY.intersection(node.info().result.map_or(Kinds::NONE, |ty| ty.kinds)),
    }
}
