//! Runs functions in SSA form on the reference machine, and leaves them for it where they exit.

use kiln_bytecode::register_written;
use kiln_ssa::ir::{
    Block, BlockCall, Condition, FrameId, Function, Node, Value as Name, bound_global,
    runtime_inputs,
};
use kiln_ssa::job::CodeId;

use crate::machine::{Flow, GARBAGE, Machine, Stop, Value};

/// A value in one of the representations.
#[derive(Clone, Copy, Debug)]
enum Word {
    Tagged(Value),
    F64(f64),
    I64(i64),
    Bool(bool),
    Pointer(usize),
}

impl Word {
    /// The value of the language.
    fn value(self) -> Value {
        match self {
            Word::Tagged(value) => value,
            Word::F64(number) => Value::Number(number),
            Word::I64(number) => Value::Number(number as f64),
            Word::Bool(holds) => Value::Number(f64::from(u8::from(holds))),
            Word::Pointer(_) => panic!("an address is no value"),
        }
    }
}

pub struct Evaluator<'m, 'j> {
    function: &'m Function,
    machine: &'m mut Machine<'j>,
    words: Vec<Option<Word>>,
    /// The window in memory.
    window: Vec<Value>,
    arguments: &'m [Value],
    /// How many guards there are before one fails without reason.
    guards_left: Option<u32>,
}

/// What an instruction does to control.
enum Outcome {
    Continue,
    Jump(Block),
    Return(Value),
    Exit(FrameId),
}

/// Runs a function with these registers (callee, self, super, arguments). The guard after `guards_left` others fails on purpose.
pub fn run(
    function: &Function,
    machine: &mut Machine<'_>,
    registers: &[Value],
    guards_left: Option<u32>,
) -> Result<Value, Stop> {
    let size = machine.job.window_size(function) as usize;
    let mut window = vec![GARBAGE; size.max(registers.len())];
    window[..registers.len()].copy_from_slice(registers);
    let mut evaluator = Evaluator {
        function,
        machine,
        words: vec![None; function.values.len()],
        window,
        arguments: registers,
        guards_left,
    };
    evaluator.run()
}

impl Evaluator<'_, '_> {
    fn run(&mut self) -> Result<Value, Stop> {
        let function = self.function;
        let mut block = function.entry_block();
        loop {
            let mut next = None;
            for &inst in &function.blocks[block].instructions {
                self.machine.burn()?;
                match self.instruction(function.node(inst), function.result(inst))? {
                    Outcome::Continue => {}
                    Outcome::Jump(target) => next = Some(target),
                    Outcome::Return(value) => return Ok(value),
                    Outcome::Exit(frame) => return self.exit(frame),
                }
            }
            block = next.expect("a block ends with a terminator");
        }
    }

    fn word(&self, name: Name) -> Word {
        self.words[name.0 as usize].expect("a value is defined before it is used")
    }

    fn tagged(&self, name: Name) -> Value {
        match self.word(name) {
            Word::Tagged(value) => value,
            other => panic!("{name} is {other:?}, not tagged"),
        }
    }

    fn f64(&self, name: Name) -> f64 {
        match self.word(name) {
            Word::F64(number) => number,
            other => panic!("{name} is {other:?}, not f64"),
        }
    }

    fn i64(&self, name: Name) -> i64 {
        match self.word(name) {
            Word::I64(number) => number,
            other => panic!("{name} is {other:?}, not i64"),
        }
    }

    fn bool(&self, name: Name) -> bool {
        match self.word(name) {
            Word::Bool(holds) => holds,
            other => panic!("{name} is {other:?}, not bool"),
        }
    }

    /// Goes on in the interpreter, in the innermost frame first.
    fn exit(&mut self, frame: FrameId) -> Result<Value, Stop> {
        let function = self.function;
        let mut next = Some(frame);
        let mut returned: Option<Value> = None;
        for &(global, name) in &function.frames[frame].globals {
            self.machine.globals[global.0 as usize] = self.word(name).value();
        }
        while let Some(id) = next {
            let frame = &function.frames[id];
            let block = &self.machine.job.codes[frame.code].block;
            let mut registers = vec![GARBAGE; block.register_count as usize];
            for &(register, name) in &frame.registers {
                assert!(bound_global(block, register).is_none());
                registers[usize::from(register.0)] = self.word(name).value();
            }
            let mut position = frame.position;
            if let Some(value) = returned {
                let call = block.instructions[position as usize];
                let register = register_written(call).expect("a call has a result");
                registers[usize::from(register.0)] = value;
                position += 1;
            }
            let code = frame.code;
            let result = self
                .machine
                .resume(code, &mut registers, position, &mut |_, _, _| {})?;
            returned = Some(result);
            next = frame.caller;
        }
        Ok(returned.expect("there is at least one frame"))
    }

    fn instruction(&mut self, node: &Node, result: Option<Name>) -> Result<Outcome, Stop> {
        if let Some(frame) = node.frame()
            && (node.is_guard() || matches!(node, Node::Poll { .. }))
            && let Some(left) = &mut self.guards_left
        {
            if *left == 0 {
                return Ok(Outcome::Exit(frame));
            }
            *left -= 1;
        }
        let word = match node {
            Node::Jump { target } => return Ok(self.jump(target)),
            Node::Branch {
                condition,
                holds,
                fails,
            } => {
                let target = if self.bool(*condition) { holds } else { fails };
                return Ok(self.jump(target));
            }
            Node::Return { value } => return Ok(Outcome::Return(self.tagged(*value))),
            Node::Exit { frame, .. } => return Ok(Outcome::Exit(*frame)),
            Node::Poll { .. } | Node::Checkpoint { .. } | Node::GuardValid { .. } => None,
            Node::GuardEpoch { .. } => None,
            Node::RuntimeValue {
                site,
                inputs,
                frame,
            } => {
                let window = self.function.frames[*frame].window;
                let registers = self.runtime(site.code, site.position, inputs, window)?.1;
                let instruction = self.machine.job.codes[site.code].instruction(site.position);
                let written = register_written(instruction).expect("it has a result");
                Some(Word::Tagged(registers[usize::from(written.0)]))
            }
            Node::RuntimeEffect {
                site,
                inputs,
                frame,
            } => {
                let window = self.function.frames[*frame].window;
                self.runtime(site.code, site.position, inputs, window)?;
                None
            }
            Node::RuntimeTest {
                site,
                inputs,
                frame,
            } => {
                let window = self.function.frames[*frame].window;
                let flow = self.runtime(site.code, site.position, inputs, window)?.0;
                Some(Word::Bool(flow != Flow::Next(site.position + 1)))
            }
            Node::CallKnown { code, inputs, .. } => {
                let values: Vec<Value> = inputs.iter().map(|&name| self.tagged(name)).collect();
                assert_eq!(values[0], Value::Function(*code));
                let result = self.machine.call(*code, &values[3..], &mut |_, _, _| {})?;
                Some(Word::Tagged(result))
            }
            Node::StoreElement {
                list, index, value, ..
            } => {
                let Value::List(list) = self.tagged(*list) else {
                    panic!("elements of no list");
                };
                let (index, value) = (self.i64(*index) as usize, self.tagged(*value));
                self.machine.heap[list][index] = value;
                None
            }
            Node::NewList { .. } => {
                self.machine.heap.push(Vec::new());
                let list = Value::List(self.machine.heap.len() - 1);
                Some(Word::Tagged(list))
            }
            Node::PushElement { list, value, .. } => {
                let Value::List(list) = self.tagged(*list) else {
                    panic!("elements of no list");
                };
                let value = self.tagged(*value);
                self.machine.heap[list].push(value);
                None
            }
            Node::StoreGlobal { global, value } => {
                self.machine.globals[global.0 as usize] = self.tagged(*value);
                None
            }
            Node::GuardTrue { condition, frame } => {
                if !self.bool(*condition) {
                    return Ok(Outcome::Exit(*frame));
                }
                None
            }
            Node::GuardFalse { condition, frame } => {
                if self.bool(*condition) {
                    return Ok(Outcome::Exit(*frame));
                }
                None
            }
            _ => match self.compute(node) {
                Some(word) => Some(word),
                None => return Ok(Outcome::Exit(node.frame().expect("only guards fail"))),
            },
        };
        if let (Some(result), Some(word)) = (result, word) {
            let ty = self.function.ty(result);
            if !matches!(word, Word::Pointer(_)) {
                let kinds = word.value().kinds();
                assert!(
                    kinds.is_within(ty.kinds),
                    "{result}: {ty} is {word:?} in {node:?}"
                );
            }
            self.words[result.0 as usize] = Some(word);
        }
        Ok(Outcome::Continue)
    }

    fn jump(&mut self, target: &BlockCall) -> Outcome {
        let words: Vec<Word> = target
            .arguments
            .iter()
            .map(|&name| self.word(name))
            .collect();
        let parameters = &self.function.blocks[target.block].parameters;
        for (parameter, word) in parameters.iter().zip(words) {
            let kinds = word.value().kinds();
            let ty = self.function.ty(*parameter);
            assert!(
                kinds.is_within(ty.kinds),
                "{parameter}: {ty} is passed {word:?}"
            );
            self.words[parameter.0 as usize] = Some(word);
        }
        Outcome::Jump(target.block)
    }

    /// Does a bytecode instruction on the window in memory.
    fn runtime(
        &mut self,
        code: CodeId,
        position: u32,
        inputs: &[Name],
        window: u32,
    ) -> Result<(Flow, Vec<Value>), Stop> {
        let block = &self.machine.job.codes[code].block;
        let names = runtime_inputs(block, block.instructions[position as usize]);
        assert_eq!(names.len(), inputs.len());
        let start = window as usize;
        let end = start + block.register_count as usize;
        // What is not an input is not to be relied on.
        self.window[start..end].fill(GARBAGE);
        for (register, &name) in names.iter().zip(inputs) {
            self.window[start + usize::from(register.0)] = self.tagged(name);
        }
        let mut registers = self.window[start..end].to_vec();
        let flow = self
            .machine
            .step(code, &mut registers, position, &mut |_, _, _| {})?;
        self.window[start..end].copy_from_slice(&registers);
        Ok((flow, registers))
    }

    /// What an instruction computes; none if it is a guard that fails.
    fn compute(&self, node: &Node) -> Option<Word> {
        let whole = |number: i64| (number.abs() < 1 << 53).then_some(Word::I64(number));
        Some(match *node {
            Node::Number { number } => Word::F64(number.0),
            Node::Whole { number } => Word::I64(number),
            Node::Truth { holds } => Word::Bool(holds),
            Node::Null {} => Word::Tagged(Value::Null),
            Node::Unassigned {} => Word::Tagged(Value::Unassigned),
            Node::Constant { constant } => {
                let code = self.machine.job.constants[constant].code;
                Word::Tagged(Value::Function(code.expect("constants are functions")))
            }
            Node::Argument { register } => Word::Tagged(self.arguments[usize::from(register.0)]),
            Node::LoadRegister { register } => Word::Tagged(self.window[usize::from(register.0)]),
            Node::AddF64 { lhs, rhs } => Word::F64(self.f64(lhs) + self.f64(rhs)),
            Node::SubtractF64 { lhs, rhs } => Word::F64(self.f64(lhs) - self.f64(rhs)),
            Node::MultiplyF64 { lhs, rhs } => Word::F64(self.f64(lhs) * self.f64(rhs)),
            Node::DivideF64 { lhs, rhs } => Word::F64(self.f64(lhs) / self.f64(rhs)),
            Node::RemainderF64 { lhs, rhs } => Word::F64(self.f64(lhs) % self.f64(rhs)),
            Node::AndF64 { lhs, rhs } => {
                let product = (self.f64(lhs) * self.f64(rhs)).abs();
                Word::F64(if product > 1.0 { 1.0 } else { product })
            }
            Node::OrF64 { lhs, rhs } => {
                let (lhs, rhs) = (self.f64(lhs), self.f64(rhs));
                let sum = (lhs + rhs - lhs * rhs).abs();
                Word::F64(if sum > 1.0 { 1.0 } else { sum })
            }
            Node::NotF64 { value } => {
                let degree = self.f64(value).abs();
                Word::F64(1.0 - if degree > 1.0 { 1.0 } else { degree })
            }
            Node::IsCertainF64 { value } => {
                let number = self.f64(value);
                Word::Bool(number.abs() >= 1.0 || number.is_nan())
            }
            Node::CompareF64 {
                condition,
                lhs,
                rhs,
            } => Word::Bool(condition.holds(self.f64(lhs), self.f64(rhs))),
            Node::CompareI64 {
                condition,
                lhs,
                rhs,
            } => Word::Bool(Condition::holds(condition, self.i64(lhs), self.i64(rhs))),
            Node::IsKind { value, kinds } => {
                Word::Bool(self.tagged(value).kinds().is_within(kinds))
            }
            Node::AndBool { lhs, rhs } => Word::Bool(self.bool(lhs) && self.bool(rhs)),
            Node::OrBool { lhs, rhs } => Word::Bool(self.bool(lhs) || self.bool(rhs)),
            Node::NotBool { value } => Word::Bool(!self.bool(value)),
            Node::AddI64 { lhs, rhs } => Word::I64(self.i64(lhs) + self.i64(rhs)),
            Node::SubtractI64 { lhs, rhs } => Word::I64(self.i64(lhs) - self.i64(rhs)),
            Node::SubtractI64Checked { lhs, rhs, .. } => whole(self.i64(lhs) - self.i64(rhs))?,
            Node::MultiplyI64 { lhs, rhs } => Word::I64(self.i64(lhs) * self.i64(rhs)),
            Node::AddI64Checked { lhs, rhs, .. } => whole(self.i64(lhs) + self.i64(rhs))?,
            Node::BoxF64 { value } => Word::Tagged(Value::Number(self.f64(value))),
            Node::UnboxF64 { value } => match self.tagged(value) {
                Value::Number(number) => Word::F64(number),
                other => panic!("{value} is known to be a number, but is {other:?}"),
            },
            Node::TruthToF64 { value } => Word::F64(f64::from(u8::from(self.bool(value)))),
            Node::I64ToF64 { value } => Word::F64(self.i64(value) as f64),
            Node::F64ToI64 { value, .. } => {
                let number = self.f64(value);
                let is_whole = Value::Number(number)
                    .kinds()
                    .is_within(kiln_ssa::ir::Kinds::WHOLE);
                is_whole.then_some(Word::I64(number as i64))?
            }
            Node::F64ToIndex { value, .. } => {
                let number = self.f64(value);
                let index = number as i32;
                (f64::from(index) == number).then_some(Word::I64(i64::from(index)))?
            }
            Node::GuardNumber { value, .. } => match self.tagged(value) {
                Value::Number(number) => Word::F64(number),
                _ => return None,
            },
            Node::GuardKind { value, kinds, .. } => {
                let value = self.tagged(value);
                value
                    .kinds()
                    .is_within(kinds)
                    .then_some(Word::Tagged(value))?
            }
            Node::GuardCode { function, code, .. } => {
                let value = self.tagged(function);
                (value == Value::Function(code)).then_some(Word::Tagged(value))?
            }
            Node::CheckBounds { index, length, .. } => {
                let index = self.i64(index);
                (index >= 0 && index < self.i64(length)).then_some(Word::I64(index))?
            }
            Node::ListLength { list } => Word::I64(self.list(list).len() as i64),
            Node::ListElements { list } => match self.tagged(list) {
                Value::List(list) => Word::Pointer(list),
                other => panic!("{other:?} is no list"),
            },
            Node::LoadElement { elements, index } => match self.word(elements) {
                Word::Pointer(list) => {
                    Word::Tagged(self.machine.heap[list][self.i64(index) as usize])
                }
                other => panic!("{other:?} is no address"),
            },
            Node::GuardWritable { list, .. } => Word::Tagged(self.tagged(list)),
            Node::NewRange { first, step, count } => Word::Tagged(Value::Range {
                first: self.f64(first),
                step: self.f64(step),
                count: self.i64(count) as f64,
            }),
            Node::RangeCount { range } => Word::I64(self.range(range).2 as i64),
            Node::RangeFirst { range } => Word::F64(self.range(range).0),
            Node::RangeStep { range } => Word::F64(self.range(range).1),
            Node::LoadGlobal { global } => Word::Tagged(self.machine.globals[global.0 as usize]),
            ref other => panic!("the evaluator knows no {other:?}"),
        })
    }

    fn list(&self, name: Name) -> &[Value] {
        match self.tagged(name) {
            Value::List(list) => &self.machine.heap[list],
            other => panic!("{other:?} is no list"),
        }
    }

    fn range(&self, name: Name) -> (f64, f64, f64) {
        match self.tagged(name) {
            Value::Range { first, step, count } => (first, step, count),
            other => panic!("{other:?} is no range"),
        }
    }
}
