//! A small reference machine: what bytecode means, for numbers, null, lists, ranges and functions, as far as the optimizer can tell.
//!
//! The optimizer treats every bytecode instruction whose operands are no numbers or lists as something that the interpreter knows. So what
//! these do here need not be what the language does; it must be the same in the reference and where optimized code asks for it.

use kiln_bytecode::{Constant, Instruction, Op};
use kiln_ssa::CompileJob;
use kiln_ssa::ir::Kinds;
use kiln_ssa::job::CodeId;

/// A value of the machine.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    Null,
    Unassigned,
    Number(f64),
    /// A list, by its place in the heap.
    List(usize),
    Range {
        first: f64,
        step: f64,
        count: f64,
    },
    Function(CodeId),
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => {
                (a.is_nan() && b.is_nan()) || a.to_bits() == b.to_bits()
            }
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Function(a), Value::Function(b)) => a == b,
            (Value::Null, Value::Null) | (Value::Unassigned, Value::Unassigned) => true,
            (Value::Range { first: a, .. }, Value::Range { first: b, .. }) => a == b,
            _ => false,
        }
    }
}

impl Value {
    pub fn kinds(self) -> Kinds {
        match self {
            Value::Null => Kinds::NULL,
            Value::Unassigned => Kinds::UNASSIGNED,
            Value::Number(number) => Kinds::of_number(number),
            Value::List(_) => Kinds::LIST,
            Value::Range { .. } => Kinds::RANGE,
            Value::Function(_) => Kinds::FUNCTION,
        }
    }

    fn number(self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }
}

/// Why a run ended without a result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// A script error.
    Error,
    /// It took too long: says nothing about the program.
    OutOfFuel,
}

/// Where control goes behind an instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flow {
    Next(u32),
    Return(Value),
}

/// What an observer is told in front of every instruction: code, position, registers.
pub type Observer<'a> = &'a mut dyn FnMut(CodeId, u32, &[Value]);

pub struct Machine<'a> {
    pub job: &'a CompileJob,
    pub heap: Vec<Vec<Value>>,
    pub globals: Vec<Value>,
    pub fuel: u32,
    depth: u32,
}

impl<'a> Machine<'a> {
    pub fn new(job: &'a CompileJob, heap: Vec<Vec<Value>>, globals: Vec<Value>) -> Machine<'a> {
        Machine {
            job,
            heap,
            globals,
            fuel: 20_000,
            depth: 0,
        }
    }

    pub fn burn(&mut self) -> Result<(), Stop> {
        self.fuel = self.fuel.checked_sub(1).ok_or(Stop::OutOfFuel)?;
        Ok(())
    }

    /// Calls a function.
    pub fn call(
        &mut self,
        code: CodeId,
        arguments: &[Value],
        observe: Observer<'_>,
    ) -> Result<Value, Stop> {
        let block = &self.job.codes[code].block;
        let mut registers = vec![Value::Null; block.register_count as usize];
        registers[0] = Value::Function(code);
        registers[1] = Value::Unassigned;
        if arguments.len() > block.parameters.len() {
            return Err(Stop::Error);
        }
        for (register, argument) in registers[3..].iter_mut().zip(arguments) {
            *register = *argument;
        }
        self.depth += 1;
        let result = match self.depth > 50 {
            true => Err(Stop::OutOfFuel),
            false => self.resume(code, &mut registers, 0, observe),
        };
        self.depth -= 1;
        result
    }

    /// Goes on at a position until the function returns.
    pub fn resume(
        &mut self,
        code: CodeId,
        registers: &mut [Value],
        mut position: u32,
        observe: Observer<'_>,
    ) -> Result<Value, Stop> {
        loop {
            self.burn()?;
            observe(code, position, registers);
            match self.step(code, registers, position, observe)? {
                Flow::Next(next) => position = next,
                Flow::Return(value) => return Ok(value),
            }
        }
    }

    /// One instruction.
    pub fn step(
        &mut self,
        code: CodeId,
        registers: &mut [Value],
        position: u32,
        observe: Observer<'_>,
    ) -> Result<Flow, Stop> {
        let input = &self.job.codes[code];
        let instruction = input.instruction(position);
        let op = instruction.op().expect("the bytecode is verified");
        let (a, b, c) = (
            usize::from(instruction.a()),
            usize::from(instruction.b()),
            usize::from(instruction.c()),
        );
        let constant = |index: usize| match &input.block.constants[index] {
            Constant::Number(number) => Value::Number(*number),
            _ => Value::Null,
        };
        let target = || instruction.jump_target(position).expect("it jumps") as u32;
        let next = position + 1;
        match op {
            Op::LoadConstant => registers[a] = constant(instruction.bc() as usize),
            Op::Move => registers[a] = registers[b],
            Op::Jump | Op::LoopBack => return Ok(Flow::Next(target())),
            Op::Return => return Ok(Flow::Return(registers[a])),
            Op::Negate => registers[a] = arith(Op::Subtract, Value::Number(0.0), registers[b])?,
            Op::Not => {
                registers[a] = Value::Number(match registers[b] {
                    Value::Number(number) => 1.0 - clamp(number),
                    other => f64::from(u8::from(!self.is_true(other))),
                })
            }
            Op::And | Op::Or => {
                let (lhs, rhs) = (self.degree(registers[b]), self.degree(registers[c]));
                registers[a] = Value::Number(match op {
                    Op::And => clamp(lhs * rhs),
                    _ => clamp(lhs + rhs - lhs * rhs),
                });
            }
            Op::JumpIfTrue | Op::JumpIfFalse => {
                if self.is_true(registers[a]) == (op == Op::JumpIfTrue) {
                    return Ok(Flow::Next(target()));
                }
            }
            // No variable holds a function here.
            Op::Settle => {}
            Op::JumpIfCertain => {
                if registers[a]
                    .number()
                    .is_some_and(|n| n.abs() >= 1.0 || n.is_nan())
                {
                    return Ok(Flow::Next(target()));
                }
            }
            Op::NewList => {
                self.heap.push(Vec::new());
                registers[a] = Value::List(self.heap.len() - 1);
            }
            Op::Append => match registers[a] {
                Value::List(list) => self.heap[list].push(registers[b]),
                _ => return Err(Stop::Error),
            },
            Op::GetIndex => registers[a] = self.element(registers[b], registers[c])?,
            Op::SetIndex => self.set_element(registers[a], registers[b], registers[c])?,
            Op::GetGlobal => registers[a] = self.globals[self.global(code, instruction)],
            Op::SetGlobal => {
                let global = self.global(code, instruction);
                self.globals[global] = registers[a];
            }
            Op::Call => {
                let arguments: Vec<Value> =
                    registers[b + 3..b + 3 + usize::from(instruction.flags())].to_vec();
                registers[a] = match registers[b] {
                    Value::Function(code) => self.call(code, &arguments, observe)?,
                    _ if !arguments.is_empty() => return Err(Stop::Error),
                    value => value,
                };
            }
            Op::MakeRange => {
                let whole =
                    |value: Value| value.number().filter(|n| n.trunc() == *n && n.abs() < 1e6);
                if let (Some(first), Some(last)) =
                    (whole(registers[b + 3]), whole(registers[b + 4]))
                {
                    let step = if last >= first { 1.0 } else { -1.0 };
                    let count = ((last - first) / step).trunc() + 1.0;
                    registers[a] = Value::Range { first, step, count };
                    return Ok(Flow::Next(target()));
                }
            }
            Op::ForLoop => {
                let index = registers[b + 1].number().unwrap_or(0.0) + 1.0;
                registers[b + 1] = Value::Number(index);
                if let Some(element) = self.loop_element(registers[b], index) {
                    registers[a] = element;
                    return Ok(Flow::Next(target()));
                }
            }
            _ if is_comparison(op) => {
                return compare_and_jump(self, instruction, registers, &constant, next, target);
            }
            _ => {
                let (plain, rhs) = without_constant(op);
                let rhs = match rhs {
                    true => constant(c),
                    false => registers[c],
                };
                registers[a] = arith(plain, registers[b], rhs)?;
            }
        }
        Ok(Flow::Next(next))
    }

    fn global(&self, code: CodeId, instruction: Instruction) -> usize {
        self.job.codes[code].globals[instruction.bc() as usize].0 as usize
    }

    fn is_true(&self, value: Value) -> bool {
        match value {
            Value::Number(number) => number != 0.0,
            Value::List(list) => !self.heap[list].is_empty(),
            Value::Function(_) => true,
            _ => false,
        }
    }

    fn degree(&self, value: Value) -> f64 {
        value
            .number()
            .unwrap_or_else(|| f64::from(u8::from(self.is_true(value))))
    }

    fn place(&self, list: usize, index: Value) -> Option<usize> {
        let index = index.number()?.trunc();
        let length = self.heap[list].len() as f64;
        let index = if index < 0.0 { index + length } else { index };
        (index >= 0.0 && index < length).then_some(index as usize)
    }

    fn element(&self, object: Value, index: Value) -> Result<Value, Stop> {
        match object {
            Value::List(list) => {
                let place = self.place(list, index).ok_or(Stop::Error)?;
                Ok(self.heap[list][place])
            }
            _ => Ok(Value::Null),
        }
    }

    fn set_element(&mut self, object: Value, index: Value, value: Value) -> Result<(), Stop> {
        let Value::List(list) = object else {
            return Err(Stop::Error);
        };
        let place = self.place(list, index).ok_or(Stop::Error)?;
        self.heap[list][place] = value;
        Ok(())
    }

    fn loop_element(&self, sequence: Value, index: f64) -> Option<Value> {
        match sequence {
            Value::List(list) if index < self.heap[list].len() as f64 => Some(
                self.place(list, Value::Number(index))
                    .map_or(Value::Null, |at| self.heap[list][at]),
            ),
            Value::Range { first, step, count } if index < count => {
                Some(Value::Number(first + index * step))
            }
            _ => None,
        }
    }
}

fn clamp(number: f64) -> f64 {
    if number.abs() > 1.0 {
        1.0
    } else {
        number.abs()
    }
}

fn without_constant(op: Op) -> (Op, bool) {
    match op {
        Op::AddConstant => (Op::Add, true),
        Op::SubtractConstant => (Op::Subtract, true),
        Op::MultiplyConstant => (Op::Multiply, true),
        Op::DivideConstant => (Op::Divide, true),
        Op::ModuloConstant => (Op::Modulo, true),
        other => (other, false),
    }
}

fn arith(op: Op, lhs: Value, rhs: Value) -> Result<Value, Stop> {
    if matches!(lhs, Value::List(_)) {
        return Err(Stop::Error);
    }
    let rhs = if rhs == Value::Null {
        Value::Number(0.0)
    } else {
        rhs
    };
    let (Some(a), Some(b)) = (lhs.number(), rhs.number()) else {
        return Ok(Value::Null);
    };
    Ok(Value::Number(match op {
        Op::Add => a + b,
        Op::Subtract => a - b,
        Op::Multiply => a * b,
        Op::Divide => a / b,
        Op::Modulo => a % b,
        other => panic!("the machine knows no {other:?}"),
    }))
}

fn is_comparison(op: Op) -> bool {
    let name = op.info().name;
    ["equal", "less", "greater", "different"]
        .iter()
        .any(|part| name.contains(part))
}

/// Comparisons by their systematic names, independently of how the optimizer reads these.
fn compare_and_jump(
    machine: &Machine<'_>,
    instruction: Instruction,
    registers: &mut [Value],
    constant: &dyn Fn(usize) -> Value,
    next: u32,
    target: impl Fn() -> u32,
) -> Result<Flow, Stop> {
    let name = instruction.op().expect("it is valid").info().name;
    let jumps = name.starts_with("jump_if_") || name.starts_with("loop_if_");
    let (first, second) = match jumps {
        true => (instruction.a(), instruction.b()),
        false => (instruction.b(), instruction.c()),
    };
    let lhs = registers[usize::from(first)];
    let rhs = match name.ends_with("_constant") {
        true => constant(usize::from(second)),
        false => registers[usize::from(second)],
    };
    let relation = name
        .trim_start_matches("jump_if_")
        .trim_start_matches("loop_if_")
        .trim_end_matches("_constant");
    let (wanted, relation) = match relation.strip_prefix("not_").filter(|_| jumps) {
        Some(relation) => (false, relation),
        None => (true, relation),
    };
    let outcome = match relation {
        "equal" | "not_equal" | "different" => {
            let same = match (lhs, rhs) {
                (Value::Number(a), Value::Number(b)) => a == b,
                _ => lhs == rhs,
            };
            Some(same == (relation == "equal"))
        }
        _ => match (lhs.number(), rhs.number()) {
            (Some(a), Some(b)) => Some(match relation {
                "less" => a < b,
                "less_equal" => a <= b,
                "greater" => a > b,
                _ => a >= b,
            }),
            _ => None,
        },
    };
    let value = outcome.map_or(Value::Null, |holds| {
        Value::Number(f64::from(u8::from(holds)))
    });
    if !jumps {
        registers[usize::from(instruction.a())] = value;
        return Ok(Flow::Next(next));
    }
    Ok(Flow::Next(match machine.is_true(value) == wanted {
        true => target(),
        false => next,
    }))
}

/// The registers of a frame that a frame state leaves open: something no program makes.
pub const GARBAGE: Value = Value::Number(-12345.678);
