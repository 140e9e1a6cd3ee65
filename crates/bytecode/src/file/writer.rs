//! Code blocks to bytes.

use std::collections::HashMap;
use std::sync::Arc;

use crate::code_block::{CodeBlock, Constant, FeedbackKind, Origin, SpanEntry};

use super::{FORMAT, MAGIC, constant_kind, function_flag, table_fingerprint};

/// The compiled file of `block` and the functions nested in it.
pub fn to_bytes(block: &CodeBlock) -> Vec<u8> {
    let functions = containers_first(block);
    let mut origins = Origins::default();
    for (function, _) in &functions {
        origins.number_of(&function.origin);
    }
    let mut writer = Writer::default();
    writer.bytes.extend_from_slice(MAGIC);
    writer.bytes.extend_from_slice(&FORMAT.to_le_bytes());
    writer
        .bytes
        .extend_from_slice(&table_fingerprint().to_le_bytes());
    writer.sequence(&origins.all, |writer, origin| {
        writer.string(&origin.file);
        writer.byte(u8::from(origin.module.is_some()));
        if let Some(module) = &origin.module {
            writer.string(module);
        }
    });
    // Backwards, those contained come first.
    let last = functions.len() - 1;
    writer.count(functions.len());
    for (function, children) in functions.iter().rev() {
        let origin = origins.number_of(&function.origin);
        writer.function(function, origin, children.iter().map(|child| last - child));
    }
    writer.bytes
}

/// All functions, each before those it contains, with the places of the latter.
fn containers_first(block: &CodeBlock) -> Vec<(&CodeBlock, Vec<usize>)> {
    let mut functions = vec![(block, Vec::new())];
    let mut next = 0;
    while next < functions.len() {
        let (block, _) = functions[next];
        for function in &block.functions {
            let place = functions.len();
            functions.push((function, Vec::new()));
            functions[next].1.push(place);
        }
        next += 1;
    }
    functions
}

/// The origins that occur, each once.
#[derive(Default)]
struct Origins<'a> {
    all: Vec<&'a Origin>,
    numbers: HashMap<(&'a str, Option<&'a str>), usize>,
}

impl<'a> Origins<'a> {
    fn number_of(&mut self, origin: &'a Arc<Origin>) -> usize {
        let key = (&*origin.file, origin.module.as_deref());
        *self.numbers.entry(key).or_insert_with(|| {
            self.all.push(origin);
            self.all.len() - 1
        })
    }
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn function(
        &mut self,
        block: &CodeBlock,
        origin: usize,
        children: impl ExactSizeIterator<Item = usize>,
    ) {
        self.string(&block.name);
        self.count(origin);
        self.number(block.line);
        self.byte(block.language as u8);
        self.flags(block);
        self.number(block.register_count);
        self.sequence(&block.parameters, |writer, parameter| {
            writer.string(&parameter.name);
            writer.constant(&parameter.default);
        });
        self.sequence(&block.constants, Writer::constant);
        self.sequence(&block.feedback, |writer, cell| {
            writer.byte(cell.kind as u8);
            if cell.kind != FeedbackKind::Call {
                writer.number(cell.key);
            }
        });
        self.sequence(&block.globals, |writer, &name| writer.number(name));
        self.sequence(&block.global_registers, |writer, bound| {
            writer.number(u32::from(bound.register.0));
            writer.number(bound.global);
        });
        self.count(children.len());
        children.for_each(|child| self.count(child));
        self.sequence(&block.loops, |writer, info| {
            writer.number(info.header);
            writer.number(info.end);
            writer.number(info.line);
        });
        self.sequence(&block.invoke_paths, |writer, path| {
            writer.number(path.from);
            writer.number(path.to);
        });
        self.sequence(&block.lines, |writer, entry| {
            writer.number(entry.start);
            writer.number(entry.line);
        });
        self.sequence(&block.spans, |writer, SpanEntry { start, span }| {
            writer.number(*start);
            writer.number(span.line);
            writer.number(span.column);
            writer.number(span.end_line);
            writer.number(span.end_column);
        });
        self.sequence(&block.variables, |writer, variable| {
            writer.number(u32::from(variable.register.0));
            writer.string(&variable.name);
        });
        self.sequence(&block.instructions, |writer, instruction| {
            writer.bytes.extend_from_slice(&instruction.0.to_le_bytes());
        });
    }

    fn flags(&mut self, block: &CodeBlock) {
        let flags = [
            (function_flag::VARIABLES_BY_NAME, block.variables_by_name),
            (function_flag::USES_SUPER, block.uses_super),
            (function_flag::SELF_PARAMETER, block.self_parameter),
            (function_flag::TOP_LEVEL, block.is_top_level),
            (
                function_flag::VARIABLES_REGISTER,
                block.variables_register.is_some(),
            ),
        ];
        let set = flags.iter().filter(|(_, is_set)| *is_set);
        self.byte(set.fold(0, |byte, (flag, _)| byte | flag));
        if let Some(register) = block.variables_register {
            self.number(u32::from(register.0));
        }
    }

    fn constant(&mut self, constant: &Constant) {
        match constant {
            Constant::Null => self.byte(constant_kind::NULL),
            Constant::Number(number) => {
                self.byte(constant_kind::NUMBER);
                self.bytes
                    .extend_from_slice(&number.to_bits().to_le_bytes());
            }
            Constant::String(string) => {
                self.byte(constant_kind::STRING);
                self.string(string);
            }
        }
    }

    fn sequence<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Writer, &T)) {
        self.count(items.len());
        items.iter().for_each(|item| write(self, item));
    }

    fn string(&mut self, string: &str) {
        self.count(string.len());
        self.bytes.extend_from_slice(string.as_bytes());
    }

    fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    fn number(&mut self, number: u32) {
        self.leb128(u64::from(number));
    }

    fn count(&mut self, count: usize) {
        self.leb128(count as u64);
    }

    /// Seven bits a byte, the lowest first; the top bit says that more follow.
    fn leb128(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }
}
