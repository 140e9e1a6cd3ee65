//! Text to functions.

use thiserror::Error;

use super::scanner::{Problem, Scanner};
use crate::entity::Entity;
use crate::ir::{
    Block, BlockData, Definition, Dependency, Entry, Field, FrameState, Function, InstData, Kinds,
    Node, Representation, Type, Value, ValueData,
};
use crate::job::{CodeId, ConstantId, GlobalId};

/// No text may name higher numbers: what keeps a small text from asking for much memory.
const MAX_NUMBER: u32 = 1 << 20;

/// Why a text is no function.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// The line of the text, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Reads the text of one function. The result is not verified.
///
/// # Errors
///
/// Reports the first line that is not as the [module](super) describes.
///
/// ```
/// let text = r#"function "one"
/// b0:
///   v0: f64 truth = number 1.0
///   v1: tagged truth = box_f64 v0
///   return_value v1
/// end
/// "#;
/// let function = kiln_ssa::text::parse(text)?;
/// assert_eq!(function.to_string(), text);
/// # Ok::<(), kiln_ssa::text::ParseError>(())
/// ```
pub fn parse(text: &str) -> Result<Function, ParseError> {
    let mut parser = Parser {
        function: Function::new(""),
        state: State::Start,
        is_defined: Vec::new(),
    };
    let mut last = 0;
    for (text, line) in text.lines().zip(1..) {
        let mut scanner = Scanner::new(text);
        last = line;
        if !scanner.is_at_end() {
            let result = parser.line(&mut scanner);
            result
                .and_then(|()| scanner.require_end())
                .map_err(|problem| ParseError { line, problem })?;
        }
    }
    let fail = |problem| ParseError {
        line: last,
        problem,
    };
    if parser.state != State::End {
        return Err(fail(Problem::Expected("end")));
    }
    parser.check_references().map_err(fail)?;
    Ok(parser.function)
}

#[derive(PartialEq)]
enum State {
    Start,
    Body,
    End,
}

struct Parser {
    function: Function,
    state: State,
    /// For each value whether its definition has come.
    is_defined: Vec<bool>,
}

impl Parser {
    fn line(&mut self, text: &mut Scanner<'_>) -> Result<(), Problem> {
        match self.state {
            State::Start => {
                text.require("function")?;
                self.function.name = text.string()?.to_owned();
                if text.take("at") {
                    self.function.entry = Entry::Loop(text.prefixed("@")?);
                }
                self.state = State::Body;
                Ok(())
            }
            State::End => Err(Problem::Expected("the end of the text")),
            State::Body => {
                if text.take("end") {
                    self.state = State::End;
                    Ok(())
                } else if text.take("depends on") {
                    self.dependency(text)
                } else if text.is_at("frame") {
                    self.frame(text)
                } else if text.is_at("b") {
                    self.block(text)
                } else {
                    self.instruction(text)
                }
            }
        }
    }

    fn dependency(&mut self, text: &mut Scanner<'_>) -> Result<(), Problem> {
        let dependency = match text.name() {
            "prototypes" => Dependency::Prototypes,
            "assigned" => Dependency::AssignedGlobal(GlobalId::parse(text)?),
            "constant" if text.take("global") => {
                Dependency::ConstantGlobal(GlobalId(text.number()?))
            }
            "constant" => Dependency::ConstantSlot(ConstantId::parse(text)?, Field::parse(text)?),
            other => return Err(Problem::Unknown(other.to_owned())),
        };
        self.function.depend_on(dependency);
        Ok(())
    }

    fn frame(&mut self, text: &mut Scanner<'_>) -> Result<(), Problem> {
        let id = bounded(text.prefixed("frame")?)?;
        text.require("=")?;
        let mut frame = FrameState {
            code: CodeId::parse(text)?,
            window: 0,
            position: text.prefixed("@")?,
            registers: Vec::new(),
            globals: Vec::new(),
            caller: None,
            origin: None,
        };
        if text.take("+") {
            frame.window = text.number()?;
        }
        if text.take("for") {
            frame.origin = Some((CodeId::parse(text)?, text.prefixed("@")?));
        }
        while !text.is_at_end() {
            if text.take("in") {
                frame.caller = Some(Field::parse(text)?);
                break;
            }
            if text.is_at("global") {
                let global = Field::parse(text)?;
                text.require("=")?;
                frame.globals.push((global, Value::parse(text)?));
                continue;
            }
            let register = Field::parse(text)?;
            text.require("=")?;
            frame.registers.push((register, Value::parse(text)?));
        }
        let filler = empty_frame();
        *self.function.frames.entry(Entity::from_index(id), filler) = frame;
        Ok(())
    }

    fn block(&mut self, text: &mut Scanner<'_>) -> Result<(), Problem> {
        let block = Block::from_index(bounded(text.prefixed("b")?)?);
        if self.function.layout.contains(&block) {
            return Err(Problem::OutOfOrder(self.function.blocks.len()));
        }
        self.function.blocks.entry(block, BlockData::default());
        self.function.layout.push(block);
        if text.take("(") {
            for (value, ty) in text.list(")", typed_value)? {
                self.define(value, ty, Definition::Parameter(block))?;
                self.function.blocks[block].parameters.push(value);
            }
        }
        self.function.blocks[block].is_cold = text.take("cold");
        text.require(":")
    }

    fn instruction(&mut self, text: &mut Scanner<'_>) -> Result<(), Problem> {
        let Some(&block) = self.function.layout.last() else {
            return Err(Problem::Expected("a block"));
        };
        let mut typed = None;
        if text.is_at("v") {
            typed = Some(typed_value(text)?);
            text.require("=")?;
        }
        let name = text.name();
        let node = Node::parse(name, text)?;
        if typed.is_some() != node.info().result.is_some() {
            return Err(Problem::Expected("a result exactly where there is one"));
        }
        let inst = self
            .function
            .instructions
            .push(InstData { node, result: None });
        if let Some((value, ty)) = typed {
            self.define(value, ty, Definition::Result(inst))?;
            self.function.instructions[inst].result = Some(value);
        }
        self.function.blocks[block].instructions.push(inst);
        Ok(())
    }

    fn define(&mut self, value: Value, ty: Type, definition: Definition) -> Result<(), Problem> {
        let index = bounded(value.0)?;
        if self.is_defined.len() <= index {
            self.is_defined.resize(index + 1, false);
        }
        if std::mem::replace(&mut self.is_defined[index], true) {
            return Err(Problem::DefinedTwice(value.0));
        }
        let filler = ValueData {
            ty: Type::of(Representation::Pointer),
            definition,
        };
        *self.function.values.entry(value, filler) = ValueData { ty, definition };
        Ok(())
    }

    /// Numbers that do not exist would make every user of the function check its indexes.
    fn check_references(&mut self) -> Result<(), Problem> {
        let undefined = |what: &dyn std::fmt::Display| Err(Problem::Undefined(what.to_string()));
        let defined = |value: Value| self.is_defined.get(value.index()) == Some(&true);
        let function = &self.function;
        for inst in function.instructions.values() {
            let mut wrong = None;
            inst.node.for_each_operand(|value| {
                if !defined(value) {
                    wrong = Some(value);
                }
            });
            if let Some(value) = wrong {
                return undefined(&value);
            }
            let mut wrong = None;
            inst.node.for_each_target(|target| {
                if !function.layout.contains(&target.block) {
                    wrong = Some(target.block);
                }
            });
            if let Some(block) = wrong {
                return undefined(&block);
            }
            if let Some(frame) = inst.node.frame()
                && function.frames.get(frame).is_none()
            {
                return undefined(&frame);
            }
        }
        for (id, frame) in function.frames.iter() {
            if let Some(value) = frame.values().find(|value| !defined(*value)) {
                return undefined(&value);
            }
            // Callers come later, so that chains end.
            if let Some(caller) = frame.caller
                && (function.frames.get(caller).is_none() || caller == id)
            {
                return undefined(&caller);
            }
        }
        if function.layout.is_empty() {
            return Err(Problem::Expected("a block"));
        }
        Ok(())
    }
}

fn bounded(number: u32) -> Result<usize, Problem> {
    match number < MAX_NUMBER {
        true => Ok(number as usize),
        false => Err(Problem::Expected("a smaller number")),
    }
}

fn empty_frame() -> FrameState {
    FrameState {
        code: CodeId(0),
        window: 0,
        position: 0,
        registers: Vec::new(),
        globals: Vec::new(),
        caller: None,
        origin: None,
    }
}

/// Reads a value and its type.
fn typed_value(text: &mut Scanner<'_>) -> Result<(Value, Type), Problem> {
    let value = Value::parse(text)?;
    text.require(":")?;
    let name = text.name();
    let mut all = Representation::ALL.iter().copied();
    let representation = all
        .find(|representation| representation.name() == name)
        .ok_or(Problem::Unknown(name.to_owned()))?;
    let names = text.kind_names();
    let kinds = match names {
        "" => representation.kinds(),
        names => Kinds::parse(names).ok_or(Problem::Unknown(names.to_owned()))?,
    };
    Ok((
        value,
        Type {
            representation,
            kinds,
        },
    ))
}
