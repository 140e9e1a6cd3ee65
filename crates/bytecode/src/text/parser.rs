//! Text to code blocks.

use std::collections::HashMap;
use std::sync::Arc;

use thiserror::Error;

use crate::code_block::{
    CodeBlock, Constant, FeedbackInfo, FeedbackKind, GlobalRegister, InvokePath, Language,
    LineEntry, LoopInfo, Origin, Parameter, VariableInfo,
};
use crate::instruction::{Instruction, Register};
use crate::opcodes::{FlagUse, Op, OperandInfo, Role};
use crate::verifier::MAX_FUNCTION_DEPTH;

use super::scanner::Scanner;
use super::{READ_MODES, prefix};

/// Why a text is no code block.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// The line of the text, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// Something else should stand here.
    #[error("{0} expected")]
    Expected(&'static str),
    /// No property, table or instruction has this name.
    #[error("`{0}` means nothing here")]
    Unknown(String),
    /// Entries of tables, and instructions with positions, come in order.
    #[error("the number here should be {0}")]
    OutOfOrder(usize),
    /// A jump goes further than its distance field can say.
    #[error("the jump goes too far")]
    JumpTooFar,
    /// A jump names a label that no line defines.
    #[error("there is no label `{0}`")]
    NoLabel(String),
    /// Two lines define one label.
    #[error("the label `{0}` stands at two places")]
    LabelTwice(String),
    /// Functions are nested deeper than the verifier allows.
    #[error("functions are nested too deep")]
    NestedTooDeep,
}

/// Reads the text of one function. The result is not verified.
///
/// # Errors
///
/// Reports the first line that is not as the [module](super) describes.
///
/// ```
/// let text = r#"
/// function ""
///   language miniscript1
///   origin "count.ms"
///   registers 4
///   constant c0 = 10.0
///   loop l0 = @1..@3 line 1
///   code
///     load_constant r3, c0
///     head:
///     jump_if_less_constant r3, c0, @out
///     loop_back l0, @head
///     out:
///     return_value r3
/// end
/// "#;
/// let block = kiln_bytecode::parse(text)?;
/// assert_eq!(block.instructions.len(), 4);
/// assert_eq!(kiln_bytecode::verify(&block), Ok(()));
/// # Ok::<(), kiln_bytecode::ParseError>(())
/// ```
pub fn parse(text: &str) -> Result<CodeBlock, ParseError> {
    let mut parser = Parser::default();
    for (text, line) in text.lines().zip(1..) {
        let fail = |problem| ParseError { line, problem };
        parser.line = line;
        parser.parse_line(text).map_err(fail)?;
    }
    match parser.result {
        Some(block) if parser.open.is_empty() => Ok(block),
        _ => Err(ParseError {
            line: parser.line,
            problem: Problem::Expected("`end`"),
        }),
    }
}

#[derive(Default)]
struct Parser {
    line: usize,
    /// The functions whose `end` has not come, outermost first.
    open: Vec<Function>,
    result: Option<CodeBlock>,
}

/// A function being read.
struct Function {
    block: CodeBlock,
    is_in_code: bool,
    labels: HashMap<String, u32>,
    /// Jumps to labels: their positions and the labels.
    jumps: Vec<(u32, String)>,
}

impl Parser {
    fn parse_line(&mut self, text: &str) -> Result<(), Problem> {
        let mut line = Scanner::new(text);
        if line.is_at_end() {
            return Ok(());
        }
        if line.take("function ") {
            let name = line.string()?;
            line.require_end()?;
            return self.open_function(name);
        }
        let Some(function) = self.open.last_mut() else {
            return Err(Problem::Expected("`function`"));
        };
        if function.is_in_code {
            let mut ahead = Scanner::new(text);
            if ahead.name() == "end" && ahead.is_at_end() {
                return self.close_function();
            }
            function.parse_code(&mut line)?;
        } else {
            function.parse_property(&mut line)?;
        }
        line.require_end()
    }

    fn open_function(&mut self, name: Box<str>) -> Result<(), Problem> {
        if self.result.is_some() {
            return Err(Problem::Expected("nothing behind the last `end`"));
        }
        if self.open.len() > MAX_FUNCTION_DEPTH {
            return Err(Problem::NestedTooDeep);
        }
        let parent = self.open.last().map(|function| &function.block);
        let (language, origin) = match parent {
            Some(parent) => (parent.language, parent.origin.clone()),
            None => {
                let (file, module) = ("".into(), None);
                (Language::MiniScript1, Arc::new(Origin { file, module }))
            }
        };
        self.open.push(Function {
            block: CodeBlock {
                name,
                origin,
                line: 1,
                language,
                parameters: Vec::new(),
                register_count: u32::from(Register::FIRST_PARAMETER.0),
                instructions: Vec::new(),
                constants: Vec::new(),
                feedback: Vec::new(),
                globals: Vec::new(),
                global_registers: Vec::new(),
                functions: Vec::new(),
                loops: Vec::new(),
                invoke_paths: Vec::new(),
                lines: Vec::new(),
                spans: Vec::new(),
                variables: Vec::new(),
                variables_register: None,
                variables_by_name: false,
                uses_super: false,
                self_parameter: false,
                is_top_level: false,
            },
            is_in_code: false,
            labels: HashMap::new(),
            jumps: Vec::new(),
        });
        Ok(())
    }

    fn close_function(&mut self) -> Result<(), Problem> {
        let Some(mut function) = self.open.pop() else {
            return Err(Problem::Expected("`function`"));
        };
        function.resolve_labels()?;
        match self.open.last_mut() {
            Some(parent) => parent.block.functions.push(Arc::new(function.block)),
            None => self.result = Some(function.block),
        }
        Ok(())
    }
}

impl Function {
    fn parse_property(&mut self, line: &mut Scanner<'_>) -> Result<(), Problem> {
        let block = &mut self.block;
        match line.name() {
            "code" => self.is_in_code = true,
            "language" => {
                let name = line.name();
                let known = Language::from_name(name);
                block.language = known.ok_or_else(|| Problem::Unknown(name.into()))?;
            }
            "origin" => {
                let file = line.string()?;
                let has_module = line.take("module");
                let module = has_module.then(|| line.string()).transpose()?;
                block.origin = Arc::new(Origin { file, module });
            }
            "line" => block.line = line.number()?,
            "registers" => block.register_count = line.number()?,
            "variables_by_name" => block.variables_by_name = true,
            "uses_super" => block.uses_super = true,
            "self_parameter" => block.self_parameter = true,
            "top_level" => block.is_top_level = true,
            "variables" => block.variables_register = Some(Register(line.prefixed("r")?)),
            "parameter" => {
                let name = line.string()?;
                line.require("=")?;
                let default = parse_constant(line)?;
                block.parameters.push(Parameter { name, default });
            }
            "variable" => {
                let register = Register(line.prefixed("r")?);
                line.require("=")?;
                let name = line.string()?;
                block.variables.push(VariableInfo { register, name });
            }
            "constant" => {
                parse_index(line, "c", block.constants.len())?;
                block.constants.push(parse_constant(line)?);
            }
            "global" => {
                parse_index(line, "g", block.globals.len())?;
                block.globals.push(line.prefixed("c")?);
            }
            "global_register" => {
                let register = Register(line.prefixed("r")?);
                line.require("=")?;
                let global = line.prefixed("g")?;
                block
                    .global_registers
                    .push(GlobalRegister { register, global });
            }
            "feedback" => {
                parse_index(line, "f", block.feedback.len())?;
                block.feedback.push(parse_feedback(line)?);
            }
            "loop" => {
                parse_index(line, "l", block.loops.len())?;
                let header = line.prefixed("@")?;
                line.require("..")?;
                let end = line.prefixed("@")?;
                line.require("line")?;
                let line = line.number()?;
                block.loops.push(LoopInfo { header, end, line });
            }
            "invoke_path" => {
                let from = line.prefixed("@")?;
                line.require("->")?;
                let to = line.prefixed("@")?;
                block.invoke_paths.push(InvokePath { from, to });
            }
            unknown => return Err(Problem::Unknown(unknown.into())),
        }
        Ok(())
    }

    fn parse_code(&mut self, line: &mut Scanner<'_>) -> Result<(), Problem> {
        let position = self.block.instructions.len();
        let mut name = line.name();
        if line.take(":") {
            let previous = self.labels.insert(name.into(), position as u32);
            return match previous {
                None => Ok(()),
                Some(_) => Err(Problem::LabelTwice(name.into())),
            };
        }
        if let Ok(stated) = name.parse::<usize>() {
            if stated != position {
                return Err(Problem::OutOfOrder(position));
            }
            name = line.name();
        }
        match name {
            "line" => {
                let start = position as u32;
                let line = line.number()?;
                self.block.lines.push(LineEntry { start, line });
            }
            "word" => {
                line.require("0x")?;
                let word = u64::from_str_radix(line.name(), 16);
                let word = word.map_err(|_| Problem::Expected("sixteen digits"))?;
                self.block.instructions.push(Instruction(word));
            }
            name => {
                let mut all = Op::ALL.iter().copied();
                let op = all.find(|op| op.info().name == name);
                let op = op.ok_or_else(|| Problem::Unknown(name.into()))?;
                self.parse_instruction(op, line)?;
            }
        }
        Ok(())
    }

    fn parse_instruction(&mut self, op: Op, line: &mut Scanner<'_>) -> Result<(), Problem> {
        let row = op.info();
        let mut flags = 0;
        while row.flags == FlagUse::read_mode && line.take(".") {
            let name = line.name();
            let bit = READ_MODES.iter().position(|&mode| mode == name);
            flags |= 1 << bit.ok_or_else(|| Problem::Unknown(name.into()))?;
        }
        let mut separator = "";
        let (mut fields, mut long, mut high) = ([0; 3], None, 0);
        let is_used = |operand: &&OperandInfo| operand.role != Role::Unused;
        for operand in row.operands.iter().filter(is_used) {
            line.require(separator)?;
            separator = ",";
            let value = self.parse_operand(operand.role, line)?;
            if operand.role == Role::Window {
                line.require("(")?;
                flags = line.number()?;
                line.require(")")?;
            }
            if operand.role.is_32_bit() {
                long = Some(value);
            } else {
                fields[usize::from(operand.field)] = value as u16;
                high = if operand.role.is_widened() {
                    (value >> 16) as u16
                } else {
                    0
                };
            }
        }
        if row.flags == FlagUse::loop_counter {
            line.require(separator)?;
            flags = line.prefixed(prefix(Role::Loop))?;
        }
        if high != 0 {
            let wide = Instruction::new(Op::Wide, 0, high, 0, 0);
            self.block.instructions.push(wide);
        }
        let [a, b, c] = fields;
        self.block.instructions.push(match long {
            Some(long) => Instruction::new_32(op, flags, a, long),
            None => Instruction::new(op, flags, a, b, c),
        });
        Ok(())
    }

    /// An operand as its field has it; more than 16 bits only where 32 bits or a prefix take them.
    fn parse_operand(&mut self, role: Role, line: &mut Scanner<'_>) -> Result<u32, Problem> {
        let prefix = prefix(role);
        if let Role::Jump | Role::Jump32 = role {
            line.require(prefix)?;
            let position = self.block.instructions.len() as u32;
            return match line.number::<i64>() {
                Ok(target) => distance(position, target, role),
                Err(_) => {
                    self.jumps.push((position, line.name().into()));
                    Ok(0)
                }
            };
        }
        if role.is_32_bit() || role.is_widened() {
            line.prefixed(prefix)
        } else {
            line.prefixed::<u16>(prefix).map(u32::from)
        }
    }

    fn resolve_labels(&mut self) -> Result<(), Problem> {
        for (position, label) in std::mem::take(&mut self.jumps) {
            let Some(&target) = self.labels.get(&label) else {
                return Err(Problem::NoLabel(label));
            };
            let Some(instruction) = self.block.instructions.get_mut(position as usize) else {
                continue;
            };
            let operands = instruction.op().map_or(&[][..], |op| op.info().operands);
            let jump = operands
                .iter()
                .map(|operand| operand.role)
                .find_map(|role| match role {
                    Role::Jump | Role::Jump32 => Some(distance(position, i64::from(target), role)),
                    _ => None,
                });
            if let Some(distance) = jump.transpose()? {
                *instruction = match operands.iter().any(|it| it.role == Role::Jump32) {
                    true => instruction.with_bc(distance),
                    false => instruction.with_c(distance as u16),
                };
            }
        }
        Ok(())
    }
}

/// The distance field of a jump, within its bits.
fn distance(position: u32, target: i64, role: Role) -> Result<u32, Problem> {
    let distance = target.checked_sub(i64::from(position) + 1);
    let fits = |distance: &i64| match role {
        Role::Jump => i16::try_from(*distance).is_ok(),
        _ => i32::try_from(*distance).is_ok(),
    };
    let distance = distance.filter(fits).ok_or(Problem::JumpTooFar)?;
    Ok(distance as u32)
}

/// The `c3 =` of the next entry of a table.
fn parse_index(line: &mut Scanner<'_>, prefix: &'static str, next: usize) -> Result<(), Problem> {
    if line.prefixed::<usize>(prefix)? != next {
        return Err(Problem::OutOfOrder(next));
    }
    line.require("=")
}

fn parse_constant(line: &mut Scanner<'_>) -> Result<Constant, Problem> {
    if let Ok(string) = line.string() {
        return Ok(Constant::String(string));
    }
    if line.take("null") {
        return Ok(Constant::Null);
    }
    line.number().map(Constant::Number)
}

fn parse_feedback(line: &mut Scanner<'_>) -> Result<FeedbackInfo, Problem> {
    let name = line.name();
    let kind = FeedbackKind::from_name(name);
    let kind = kind.ok_or_else(|| Problem::Unknown(name.into()))?;
    let key = match kind {
        FeedbackKind::Call => 0,
        FeedbackKind::Variable | FeedbackKind::Member => line.prefixed("c")?,
    };
    Ok(FeedbackInfo { kind, key })
}
