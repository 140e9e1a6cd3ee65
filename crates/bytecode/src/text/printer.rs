//! Code blocks to text. Prints any block, valid or not.

use std::fmt::{self, Display, Formatter};

use crate::code_block::{CodeBlock, Constant, FeedbackKind};
use crate::instruction::Instruction;
use crate::opcodes::{FlagUse, OpInfo, OperandInfo, Role};

use super::{READ_MODES, prefix, prefix_value, symbolic_row};

impl Display for CodeBlock {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // The functions being printed, outermost first, and how many of their own functions are done.
        let mut open: Vec<(&CodeBlock, usize)> = Vec::new();
        let mut next = Some(self);
        loop {
            if let Some(block) = next {
                let parent = open.last().map(|&(parent, _)| parent);
                print_function(f, block, parent, open.len())?;
                open.push((block, 0));
            }
            let depth = open.len();
            let Some((block, done)) = open.last_mut() else {
                return Ok(());
            };
            next = block.functions.get(*done).map(|function| &**function);
            *done += 1;
            if next.is_none() {
                open.pop();
                writeln!(f, "{}end", Indent(depth - 1))?;
            }
        }
    }
}

/// Prints a function except for those nested in it and its `end`.
fn print_function(
    f: &mut Formatter<'_>,
    block: &CodeBlock,
    parent: Option<&CodeBlock>,
    depth: usize,
) -> fmt::Result {
    writeln!(f, "{}function {}", Indent(depth), Quoted(&block.name))?;
    let indent = Indent(depth + 1);
    print_properties(f, block, parent, indent)?;
    print_tables(f, block, indent)?;
    writeln!(f, "{indent}code")?;
    let indent = Indent(depth + 2);
    let width = block.instructions.len().saturating_sub(1).to_string().len();
    let mut lines = block.lines.iter().peekable();
    let mut position = 0;
    while (position as usize) < block.instructions.len() {
        while let Some(entry) = lines.next_if(|entry| entry.start <= position) {
            writeln!(f, "{indent}line {}", entry.line)?;
        }
        let line = CodeLine::at(block, position);
        writeln!(f, "{indent}{position:width$}  {line}")?;
        position += line.length();
    }
    Ok(())
}

fn print_properties(
    f: &mut Formatter<'_>,
    block: &CodeBlock,
    parent: Option<&CodeBlock>,
    indent: Indent,
) -> fmt::Result {
    if parent.is_none_or(|parent| parent.language != block.language) {
        writeln!(f, "{indent}language {}", block.language.name())?;
    }
    if parent.is_none_or(|parent| parent.origin != block.origin) {
        write!(f, "{indent}origin {}", Quoted(&block.origin.file))?;
        if let Some(module) = &block.origin.module {
            write!(f, " module {}", Quoted(module))?;
        }
        writeln!(f)?;
    }
    writeln!(f, "{indent}line {}", block.line)?;
    writeln!(f, "{indent}registers {}", block.register_count)?;
    let flags = [
        ("variables_by_name", block.variables_by_name),
        ("uses_super", block.uses_super),
        ("self_parameter", block.self_parameter),
        ("top_level", block.is_top_level),
    ];
    for (name, _) in flags.iter().filter(|(_, is_set)| *is_set) {
        writeln!(f, "{indent}{name}")?;
    }
    if let Some(register) = block.variables_register {
        writeln!(f, "{indent}variables {register}")?;
    }
    Ok(())
}

fn print_tables(f: &mut Formatter<'_>, block: &CodeBlock, indent: Indent) -> fmt::Result {
    for parameter in &block.parameters {
        let (name, default) = (Quoted(&parameter.name), &parameter.default);
        writeln!(f, "{indent}parameter {name} = {}", Literal(default))?;
    }
    for variable in &block.variables {
        let name = Quoted(&variable.name);
        writeln!(f, "{indent}variable {} = {name}", variable.register)?;
    }
    for (index, constant) in block.constants.iter().enumerate() {
        writeln!(f, "{indent}constant c{index} = {}", Literal(constant))?;
    }
    for (index, name) in block.globals.iter().enumerate() {
        let note = Note::constant(block, *name);
        writeln!(f, "{indent}global g{index} = c{name}{note}")?;
    }
    for bound in &block.global_registers {
        writeln!(
            f,
            "{indent}global_register {} = g{}",
            bound.register, bound.global
        )?;
    }
    for (index, cell) in block.feedback.iter().enumerate() {
        write!(f, "{indent}feedback f{index} = {}", cell.kind.name())?;
        if cell.kind != FeedbackKind::Call {
            write!(f, " c{}{}", cell.key, Note::constant(block, cell.key))?;
        }
        writeln!(f)?;
    }
    for (index, info) in block.loops.iter().enumerate() {
        let (header, end, line) = (info.header, info.end, info.line);
        writeln!(f, "{indent}loop l{index} = @{header}..@{end} line {line}")?;
    }
    for path in &block.invoke_paths {
        writeln!(f, "{indent}invoke_path @{} -> @{}", path.from, path.to)?;
    }
    Ok(())
}

impl CodeBlock {
    /// The text of the instruction at `position`, which may be a `wide` prefix with what it belongs to;
    /// empty if there is none.
    pub fn disassemble(&self, position: u32) -> impl Display + '_ {
        CodeLine::at(self, position)
    }
}

/// One line of code.
enum CodeLine<'a> {
    Symbolic {
        block: &'a CodeBlock,
        instruction: Instruction,
        row: &'static OpInfo,
        position: u32,
        /// What a prefix adds, if there is one.
        high: Option<u32>,
    },
    Word(Instruction),
    Nothing,
}

impl CodeLine<'_> {
    fn at(block: &CodeBlock, position: u32) -> CodeLine<'_> {
        let word = |position: u32| block.instructions.get(position as usize).copied();
        let Some(first) = word(position) else {
            return CodeLine::Nothing;
        };
        let next = position.checked_add(1).and_then(word);
        let high = prefix_value(first, next);
        let (instruction, position) = match (high, next) {
            (Some(_), Some(next)) => (next, position + 1),
            _ => (first, position),
        };
        match symbolic_row(instruction) {
            Some(row) => CodeLine::Symbolic {
                block,
                instruction,
                row,
                position,
                high,
            },
            None => CodeLine::Word(instruction),
        }
    }

    /// The number of words.
    fn length(&self) -> u32 {
        match self {
            CodeLine::Symbolic { high: Some(_), .. } => 2,
            _ => 1,
        }
    }
}

impl Display for CodeLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (block, instruction, row, position, high) = match *self {
            CodeLine::Nothing => return Ok(()),
            CodeLine::Word(word) => return write!(f, "word {:#018x}", word.0),
            CodeLine::Symbolic {
                block,
                instruction,
                row,
                position,
                high,
            } => (block, instruction, row, position, high),
        };
        f.write_str(row.name)?;
        if row.flags == FlagUse::read_mode {
            for (bit, name) in READ_MODES.iter().enumerate() {
                if instruction.flags() & 1 << bit != 0 {
                    write!(f, ".{name}")?;
                }
            }
        }
        let mut separator = " ";
        let mut notes = Vec::new();
        let is_used = |operand: &&OperandInfo| operand.role != Role::Unused;
        for operand in row.operands.iter().filter(is_used) {
            let role = operand.role;
            let mut value = i64::from(instruction.operand(operand));
            if role.is_widened() {
                value |= i64::from(high.unwrap_or(0));
            } else if let (Role::Jump | Role::Jump32, Some(target)) =
                (role, instruction.jump_target(position))
            {
                value = target;
            }
            write!(f, "{separator}{}{value}", prefix(role))?;
            if role == Role::Window {
                write!(f, "({})", instruction.flags())?;
            }
            notes.extend(note(block, role, value as u32));
            separator = ", ";
        }
        if row.flags == FlagUse::loop_counter {
            write!(
                f,
                "{separator}{}{}",
                prefix(Role::Loop),
                instruction.flags()
            )?;
        }
        separator = "  ; ";
        for note in notes {
            write!(f, "{separator}{note}")?;
            separator = ", ";
        }
        Ok(())
    }
}

/// A comment that says what an operand stands for.
fn note(block: &CodeBlock, role: Role, value: u32) -> Option<String> {
    let index = value as usize;
    let constant = match role {
        Role::Constant | Role::Constant32 => value,
        Role::Global => *block.globals.get(index)?,
        Role::Feedback => {
            let cell = block.feedback.get(index)?;
            (cell.kind != FeedbackKind::Call).then_some(cell.key)?
        }
        Role::Function => {
            let name = &block.functions.get(index)?.name;
            return Some(format!("fn{value} = {}", Quoted(name)));
        }
        _ => return None,
    };
    let meaning = Literal(block.constants.get(constant as usize)?);
    Some(format!("{}{value} = {meaning}", prefix(role)))
}

/// A comment that shows a constant an entry of a table names.
struct Note<'a>(Option<&'a Constant>);

impl Note<'_> {
    fn constant(block: &CodeBlock, index: u32) -> Note<'_> {
        Note(block.constants.get(index as usize))
    }
}

impl Display for Note<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |it| write!(f, "  ; {}", Literal(it)))
    }
}

/// Two spaces for each level.
#[derive(Clone, Copy)]
struct Indent(usize);

impl Display for Indent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:1$}", "", 2 * self.0)
    }
}

/// A constant that reads back exactly.
struct Literal<'a>(&'a Constant);

impl Display for Literal<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Constant::Null => f.write_str("null"),
            Constant::Number(number) => write!(f, "{number:?}"),
            Constant::String(string) => Quoted(string).fmt(f),
        }
    }
}

/// A string in quotes on one line.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                // Line separators of Unicode would tear the line apart in some viewers.
                _ if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') => {
                    write!(f, "\\u{{{:x}}}", u32::from(character))?;
                }
                _ => write!(f, "{character}")?,
            }
        }
        f.write_str("\"")
    }
}
