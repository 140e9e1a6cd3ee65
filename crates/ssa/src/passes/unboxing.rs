//! Gives block parameters that are always numbers an unboxed representation: a double, an integer if all that is passed was
//! converted from integers, a truth value if all was converted from truth values.

use crate::entity::EntityVec;
use crate::ir::{Block, Function, Kinds, Node, Number, Representation, Value};

/// Runs the pass. Uses what [`super::kinds`] has found out; leaves conversions behind that [`super::value_numbering`] removes.
pub fn run(function: &mut Function) {
    let choices = choose(function);
    convert(function, &choices);
}

/// What would suit a parameter, by what it is passed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Choice {
    /// No candidate.
    Tagged,
    /// Nothing has been seen yet.
    Nothing,
    /// Whole constants only.
    Whole,
    I64,
    Bool,
    F64,
}

impl Choice {
    fn join(self, other: Choice) -> Choice {
        match (self, other) {
            (Choice::Tagged, _) | (_, Choice::Tagged) => Choice::Tagged,
            (Choice::Nothing, other) | (other, Choice::Nothing) => other,
            (Choice::Whole, Choice::I64) | (Choice::I64, Choice::Whole) => Choice::I64,
            (a, b) if a == b => a,
            _ => Choice::F64,
        }
    }

    fn representation(self) -> Option<Representation> {
        match self {
            Choice::Tagged => None,
            Choice::I64 => Some(Representation::I64),
            Choice::Bool => Some(Representation::Bool),
            Choice::Nothing | Choice::Whole | Choice::F64 => Some(Representation::F64),
        }
    }
}

/// Chooses for all parameters together, assuming the best until something passed contradicts.
fn choose(function: &Function) -> EntityVec<Value, Choice> {
    let mut choices = EntityVec::filled(Choice::Tagged, function.values.len());
    for &block in &function.layout {
        for &parameter in &function.blocks[block].parameters {
            let ty = function.ty(parameter);
            let is_number = ty.kinds.is_within(Kinds::NUMBER) && !ty.kinds.is_empty();
            if ty.representation == Representation::Tagged && is_number {
                choices[parameter] = Choice::Nothing;
            }
        }
    }
    let mut changed = true;
    while std::mem::take(&mut changed) {
        for_each_argument(function, |parameter, argument| {
            if choices[parameter] == Choice::Tagged {
                return;
            }
            let passed = origin(function, argument, &choices);
            let joined = choices[parameter].join(passed);
            if joined != choices[parameter] {
                choices[parameter] = joined;
                changed = true;
            }
        });
    }
    // Parameters that are passed constants only can be either; what becomes an integer needs integers.
    let mut changed = true;
    while std::mem::take(&mut changed) {
        for_each_argument(function, |parameter, argument| {
            if choices[parameter] == Choice::I64 && choices[argument] == Choice::Whole {
                choices[argument] = Choice::I64;
                changed = true;
            }
        });
    }
    choices
}

fn for_each_argument(function: &Function, mut visit: impl FnMut(Value, Value)) {
    for &block in &function.layout {
        if let Some(terminator) = function.terminator(block) {
            function.node(terminator).for_each_target(|target| {
                let parameters = &function.blocks[target.block].parameters;
                for (&parameter, &argument) in parameters.iter().zip(&target.arguments) {
                    visit(parameter, argument);
                }
            });
        }
    }
}

/// What an argument was before it was boxed.
fn origin(function: &Function, argument: Value, choices: &EntityVec<Value, Choice>) -> Choice {
    match function.defining_node(argument) {
        Some(&Node::BoxF64 { value }) => match function.defining_node(value) {
            Some(Node::I64ToF64 { .. }) => Choice::I64,
            Some(Node::TruthToF64 { .. }) => Choice::Bool,
            Some(Node::Number { number }) if Kinds::of_number(number.0).is_within(Kinds::WHOLE) => {
                Choice::Whole
            }
            _ => Choice::F64,
        },
        Some(_) => Choice::F64,
        None if choices[argument] == Choice::Tagged => Choice::F64,
        None => choices[argument],
    }
}

fn convert(function: &mut Function, choices: &EntityVec<Value, Choice>) {
    let mut converted = EntityVec::<Value, Option<Representation>>::default();
    for (value, choice) in choices.iter() {
        *converted.entry(value, None) = choice.representation();
    }
    // Arguments first, while the values they name are still the tagged ones.
    for block in function.layout.clone() {
        let Some(terminator) = function.terminator(block) else {
            continue;
        };
        let mut node = function.node(terminator).clone();
        node.for_each_target_mut(|target| {
            let parameters = function.blocks[target.block].parameters.clone();
            for (parameter, argument) in parameters.into_iter().zip(&mut target.arguments) {
                if let Some(representation) = converted[parameter] {
                    *argument = unboxed(function, block, *argument, representation, &converted);
                }
            }
        });
        function.instructions[terminator].node = node;
    }
    let mut replacement = EntityVec::filled(None, function.values.len());
    let mut boxes = Vec::new();
    for block in function.layout.clone() {
        for parameter in function.blocks[block].parameters.clone() {
            let representation = converted.get(parameter).copied().flatten();
            if let Some(representation) = representation {
                boxes.push((parameter, boxed(function, block, parameter, representation)));
            }
        }
    }
    for &(parameter, (_, tagged)) in &boxes {
        *replacement.entry(parameter, None) = Some(tagged);
    }
    // Frame states take values in any representation: the parameters themselves.
    function.replace_operands(&replacement);
    // The boxing instructions themselves, and arguments already converted, mean the parameter.
    for (parameter, (first, _)) in boxes {
        let node = &mut function.instructions[first].node;
        node.for_each_operand_mut(|value| *value = parameter);
    }
    restore_arguments(function, &converted, &replacement);
}

/// Arguments that are unboxed parameters have been replaced by the boxed ones: takes that back.
fn restore_arguments(
    function: &mut Function,
    converted: &EntityVec<Value, Option<Representation>>,
    replacement: &EntityVec<Value, Option<Value>>,
) {
    let mut parameter_of = EntityVec::<Value, Option<Value>>::filled(None, function.values.len());
    for (parameter, tagged) in replacement.iter() {
        if let Some(tagged) = tagged {
            parameter_of[*tagged] = Some(parameter);
        }
    }
    for block in function.layout.clone() {
        let Some(terminator) = function.terminator(block) else {
            continue;
        };
        let mut node = function.node(terminator).clone();
        node.for_each_target_mut(|target| {
            let parameters = &function.blocks[target.block].parameters;
            for (&parameter, argument) in parameters.iter().zip(&mut target.arguments) {
                let wanted = converted.get(parameter).copied().flatten();
                if let (Some(wanted), Some(original)) = (wanted, parameter_of[*argument])
                    && converted[original] == Some(wanted)
                {
                    *argument = original;
                }
            }
        });
        function.instructions[terminator].node = node;
    }
}

/// A tagged number in another representation, at the end of a block.
fn unboxed(
    function: &mut Function,
    block: Block,
    argument: Value,
    representation: Representation,
    converted: &EntityVec<Value, Option<Representation>>,
) -> Value {
    // A parameter that gets the same representation is passed on as it will be.
    if converted.get(argument).copied().flatten() == Some(representation) {
        return argument;
    }
    let number = match function.defining_node(argument) {
        Some(&Node::BoxF64 { value }) => Some(value),
        _ => None,
    };
    if representation != Representation::F64
        && let Some(number) = number
    {
        match *function.defining_node(number).unwrap_or(&Node::Null {}) {
            Node::I64ToF64 { value } | Node::TruthToF64 { value } => return value,
            Node::Number { number: Number(n) } => {
                let whole = Node::Whole { number: n as i64 };
                return appended(function, block, whole, Kinds::of_number(n));
            }
            _ => {}
        }
    }
    match number {
        Some(number) => number,
        None => {
            let kinds = function.ty(argument).kinds;
            appended(function, block, Node::UnboxF64 { value: argument }, kinds)
        }
    }
}

fn appended(function: &mut Function, block: Block, node: Node, kinds: Kinds) -> Value {
    let inst = function.insert_at_end(block, node);
    match function.result(inst) {
        Some(value) => {
            function.narrow(value, kinds);
            value
        }
        None => unreachable!("conversions have results"),
    }
}

/// Changes a parameter's representation and boxes it for its old uses: the first of the boxing instructions and the tagged value.
fn boxed(
    function: &mut Function,
    block: Block,
    parameter: Value,
    representation: Representation,
) -> (crate::ir::Inst, Value) {
    let kinds = function.ty(parameter).kinds;
    let ty = &mut function.values[parameter].ty;
    ty.representation = representation;
    ty.kinds = kinds.intersection(representation.kinds());
    let conversion = match representation {
        Representation::I64 => Some(Node::I64ToF64 { value: parameter }),
        Representation::Bool => Some(Node::TruthToF64 { value: parameter }),
        _ => None,
    };
    let mut nodes = Vec::new();
    let mut number = parameter;
    if let Some(conversion) = conversion {
        let inst = function.create(conversion);
        nodes.push(inst);
        number = function.result(inst).unwrap_or(number);
        function.narrow(number, kinds);
    }
    let inst = function.create(Node::BoxF64 { value: number });
    nodes.push(inst);
    let tagged = function.result(inst).unwrap_or(number);
    function.narrow(tagged, kinds);
    let first = nodes[0];
    function.blocks[block].instructions.splice(0..0, nodes);
    (first, tagged)
}
