//! Removes what has no effect: unused results, unused block parameters, and parameters that are the same value on every way.

use crate::analysis::reverse_postorder;
use crate::entity::EntityVec;
use crate::ir::{Block, Definition, FrameState, Function, Inst, Node, Value, resolve};

/// Runs the pass.
pub fn run(function: &mut Function) {
    super::control_flow::drop_unreachable(function);
    while remove_trivial_parameters(function) {}
    unbox_frame_states(function);
    remove_unused(function);
}

/// Lets frame states name values as they are before conversions: exits convert what they write.
fn unbox_frame_states(function: &mut Function) {
    let mut frames = std::mem::take(&mut function.frames);
    for value in frames.values_mut().flat_map(FrameState::values_mut) {
        while let Some(
            Node::BoxF64 { value: before }
            | Node::UnboxF64 { value: before }
            | Node::I64ToF64 { value: before }
            | Node::I32ToF64 { value: before }
            | Node::TruthToF64 { value: before },
        ) = function.defining_node(*value)
        {
            *value = *before;
        }
    }
    function.frames = frames;
}

/// Replaces parameters to which every edge passes the same value, or the parameter itself. Says whether there were any.
fn remove_trivial_parameters(function: &mut Function) -> bool {
    let predecessors = function.predecessors();
    let mut replacement = EntityVec::filled(None, function.values.len());
    let mut is_any = false;
    for block in reverse_postorder(function) {
        for (index, &parameter) in function.blocks[block].parameters.iter().enumerate() {
            let mut passed = Vec::new();
            for &from in &predecessors[block] {
                let Some(terminator) = function.terminator(from) else {
                    continue;
                };
                function.node(terminator).for_each_target(|target| {
                    if target.block == block {
                        let argument = resolve(&replacement, target.arguments[index]);
                        if argument != parameter && !passed.contains(&argument) {
                            passed.push(argument);
                        }
                    }
                });
            }
            if let &[only] = passed.as_slice() {
                replacement[parameter] = Some(only);
                is_any = true;
            }
        }
    }
    if is_any {
        retain_parameters(function, |value| replacement[value].is_none());
        function.replace_values(&replacement);
    }
    is_any
}

/// Keeps only the parameters that `keep` accepts, and the arguments for them.
pub(super) fn retain_parameters(function: &mut Function, keep: impl Fn(Value) -> bool) {
    let parameters: Vec<Vec<Value>> = function
        .blocks
        .values()
        .map(|block| block.parameters.clone())
        .collect();
    for block in function.layout.clone() {
        function.blocks[block]
            .parameters
            .retain(|&value| keep(value));
        if let Some(terminator) = function.terminator(block) {
            function.instructions[terminator]
                .node
                .for_each_target_mut(|target| {
                    let kept = &mut parameters[target.block.0 as usize].iter();
                    target
                        .arguments
                        .retain(|_| kept.next().is_some_and(|&value| keep(value)));
                });
        }
    }
}

/// Removes instructions and parameters that nothing needs.
fn remove_unused(function: &mut Function) {
    let Needed {
        instructions,
        values,
        ..
    } = Needed::of(function);
    for &block in &function.layout {
        let kept = &mut function.blocks[block].instructions;
        kept.retain(|&inst| instructions[inst]);
    }
    retain_parameters(function, |value| values[value]);
}

/// The instructions and values that have an effect or that those need.
struct Needed<'a> {
    function: &'a Function,
    instructions: EntityVec<Inst, bool>,
    values: EntityVec<Value, bool>,
    pending: Vec<Value>,
}

impl Needed<'_> {
    fn of(function: &Function) -> Needed<'_> {
        let mut needed = Needed {
            function,
            instructions: EntityVec::filled(false, function.instructions.len()),
            values: EntityVec::filled(false, function.values.len()),
            pending: Vec::new(),
        };
        for &block in &function.layout {
            for &inst in &function.blocks[block].instructions {
                if !function.node(inst).effects().is_removable() {
                    needed.instruction(inst);
                }
            }
        }
        let predecessors = function.predecessors();
        while let Some(value) = needed.pending.pop() {
            match function.values[value].definition {
                Definition::Result(inst) => needed.instruction(inst),
                Definition::Parameter(block) => needed.arguments(block, value, &predecessors),
            }
        }
        needed
    }

    fn value(&mut self, value: Value) {
        if !std::mem::replace(&mut self.values[value], true) {
            self.pending.push(value);
        }
    }

    fn instruction(&mut self, inst: Inst) {
        if std::mem::replace(&mut self.instructions[inst], true) {
            return;
        }
        let node = self.function.node(inst);
        if let Some(frame) = node.frame() {
            let function = self.function;
            function.for_each_frame_value(frame, |value| self.value(value));
        }
        // Arguments are needed if the parameters are.
        match node {
            Node::Branch { condition, .. } => self.value(*condition),
            Node::Jump { .. } => {}
            _ => node.for_each_operand(|value| self.value(value)),
        }
    }

    fn arguments(
        &mut self,
        block: Block,
        parameter: Value,
        predecessors: &EntityVec<Block, Vec<Block>>,
    ) {
        let function = self.function;
        let mut parameters = function.blocks[block].parameters.iter();
        let Some(index) = parameters.position(|&value| value == parameter) else {
            return;
        };
        for &predecessor in &predecessors[block] {
            let Some(terminator) = function.terminator(predecessor) else {
                continue;
            };
            function.node(terminator).for_each_target(|target| {
                if target.block == block {
                    self.value(target.arguments[index]);
                }
            });
        }
    }
}
