//! Makes one guard of two that follow each other on a value: where a variable is first checked not to hold a function, and then to be
//! a number, checking for a number is enough.

use crate::entity::EntityVec;
use crate::ir::{Function, Kinds, Node, Value};

/// Runs the pass.
pub fn run(function: &mut Function) {
    let mut replacement = EntityVec::<Value, Option<Value>>::filled(None, function.values.len());
    for block in function.layout.clone() {
        for at in 0..function.blocks[block].instructions.len() {
            let inst = function.blocks[block].instructions[at];
            let Node::GuardKind {
                value,
                kinds,
                frame,
            } = *function.node(inst)
            else {
                continue;
            };
            let Some(settled) = function.result(inst) else {
                continue;
            };
            let mut later = function.blocks[block].instructions[at + 1..].iter();
            let is_number = later.any(
                |&later| matches!(function.node(later), Node::GuardNumber { value, .. } if *value == settled),
            );
            if !is_number || !Kinds::NUMBER.is_within(kinds) {
                continue;
            }
            // Whoever fails the second guard leaves a little earlier.
            let guard = function.create(Node::GuardNumber { value, frame });
            let Some(number) = function.result(guard) else {
                continue;
            };
            let boxed = function.create(Node::BoxF64 { value: number });
            let known = function.ty(settled).kinds;
            function.narrow(number, known);
            if let Some(boxed) = function.result(boxed) {
                function.narrow(boxed, known);
                *replacement.entry(settled, None) = Some(boxed);
            }
            let instructions = &mut function.blocks[block].instructions;
            instructions.splice(at..=at, [guard, boxed]);
        }
    }
    function.replace_values(&replacement);
}
