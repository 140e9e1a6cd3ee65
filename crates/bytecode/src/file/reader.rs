//! Bytes to code blocks. The bytes may come from anywhere.

use std::sync::Arc;

use crate::code_block::{
    CodeBlock, Constant, FeedbackInfo, FeedbackKind, GlobalRegister, InvokePath, Language,
    LineEntry, LoopInfo, Origin, Parameter, SourceSpan, SpanEntry, VariableInfo,
};
use crate::instruction::{Instruction, Register};
use crate::verifier::{MAX_FUNCTION_DEPTH, verify};

use super::{FORMAT, FileError, MAGIC, constant_kind, function_flag, table_fingerprint};

/// Reads a compiled file and verifies the code in it.
///
/// # Errors
///
/// Reports bytes that are no compiled file, or one that must not be run.
pub fn from_bytes(bytes: &[u8]) -> Result<CodeBlock, FileError> {
    let mut reader = Reader { bytes, position: 0 };
    if reader.array() != Ok(*MAGIC) {
        return Err(FileError::NotAFile);
    }
    let format = reader.array().map(u16::from_le_bytes)?;
    let table = reader.array().map(u64::from_le_bytes)?;
    if format != FORMAT || table != table_fingerprint() {
        return Err(FileError::OtherVersion);
    }
    let origins = reader.sequence(2, |reader| {
        let file = reader.string()?;
        let module = match reader.byte()? {
            0 => None,
            1 => Some(reader.string()?),
            _ => return Err(reader.damage()),
        };
        Ok(Arc::new(Origin { file, module }))
    })?;
    let program = reader.functions(&origins)?;
    if reader.position != bytes.len() {
        return Err(reader.damage());
    }
    verify(&program)?;
    Ok(program)
}

/// A function that none has claimed as its own yet.
struct Unclaimed {
    block: CodeBlock,
    /// How many levels of functions it contains.
    depth: usize,
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// All functions; the last one is the program, to which all others belong.
    fn functions(&mut self, origins: &[Arc<Origin>]) -> Result<CodeBlock, FileError> {
        let mut functions: Vec<Option<Unclaimed>> = Vec::new();
        let count = self.count(FUNCTION_SIZE)?;
        for _ in 0..count {
            let function = self.function(origins, &mut functions)?;
            functions.push(Some(function));
        }
        let program = functions.pop().flatten().ok_or_else(|| self.damage())?;
        if functions.iter().any(Option::is_some) {
            return Err(self.damage());
        }
        Ok(program.block)
    }

    fn function(
        &mut self,
        origins: &[Arc<Origin>],
        functions: &mut [Option<Unclaimed>],
    ) -> Result<Unclaimed, FileError> {
        let name = self.string()?;
        let origin = self.number()? as usize;
        let origin = origins.get(origin).ok_or_else(|| self.damage())?.clone();
        let line = self.number()?;
        let language = self.byte_of(Language::ALL, |language| language as u8)?;
        let flags = self.byte()?;
        if flags & !function_flag::ALL != 0 {
            return Err(self.damage());
        }
        let has = |flag| flags & flag != 0;
        let has_variables = has(function_flag::VARIABLES_REGISTER);
        let variables_register = has_variables.then(|| self.register()).transpose()?;
        let register_count = self.number()?;
        let parameters = self.sequence(2, |reader| {
            let name = reader.string()?;
            let default = reader.constant()?;
            Ok(Parameter { name, default })
        })?;
        let constants = self.sequence(1, Reader::constant)?;
        let feedback = self.sequence(1, |reader| {
            let kind = reader.byte_of(FeedbackKind::ALL, |kind| kind as u8)?;
            let key = match kind {
                FeedbackKind::Call => 0,
                FeedbackKind::Variable | FeedbackKind::Member => reader.number()?,
            };
            Ok(FeedbackInfo { kind, key })
        })?;
        let globals = self.sequence(1, Reader::number)?;
        let global_registers = self.sequence(2, |reader| {
            let (register, global) = (reader.register()?, reader.number()?);
            Ok(GlobalRegister { register, global })
        })?;
        let mut depth = 0;
        let nested = self.sequence(1, |reader| {
            let index = reader.number()? as usize;
            let function = functions.get_mut(index).and_then(Option::take);
            let function = function.ok_or_else(|| reader.damage())?;
            depth = depth.max(function.depth + 1);
            Ok(Arc::new(function.block))
        })?;
        // Checked before the verifier does, because dropping the functions recurses as well.
        if depth > MAX_FUNCTION_DEPTH {
            return Err(self.damage());
        }
        let loops = self.sequence(3, |reader| {
            let (header, end, line) = (reader.number()?, reader.number()?, reader.number()?);
            Ok(LoopInfo { header, end, line })
        })?;
        let invoke_paths = self.sequence(2, |reader| {
            let (from, to) = (reader.number()?, reader.number()?);
            Ok(InvokePath { from, to })
        })?;
        let lines = self.sequence(2, |reader| {
            let (start, line) = (reader.number()?, reader.number()?);
            Ok(LineEntry { start, line })
        })?;
        let spans = self.sequence(5, |reader| {
            let start = reader.number()?;
            let span = SourceSpan {
                line: reader.number()?,
                column: reader.number()?,
                end_line: reader.number()?,
                end_column: reader.number()?,
            };
            Ok(SpanEntry { start, span })
        })?;
        let variables = self.sequence(2, |reader| {
            let (register, name) = (reader.register()?, reader.string()?);
            Ok(VariableInfo { register, name })
        })?;
        let instructions = self.sequence(8, |reader| {
            Ok(Instruction(reader.array().map(u64::from_le_bytes)?))
        })?;
        let block = CodeBlock {
            name,
            origin,
            line,
            language,
            parameters,
            register_count,
            instructions,
            constants,
            feedback,
            globals,
            global_registers,
            functions: nested,
            loops,
            invoke_paths,
            lines,
            spans,
            variables,
            variables_register,
            variables_by_name: has(function_flag::VARIABLES_BY_NAME),
            uses_super: has(function_flag::USES_SUPER),
            self_parameter: has(function_flag::SELF_PARAMETER),
            is_top_level: has(function_flag::TOP_LEVEL),
        };
        Ok(Unclaimed { block, depth })
    }

    fn constant(&mut self) -> Result<Constant, FileError> {
        match self.byte()? {
            constant_kind::NULL => Ok(Constant::Null),
            constant_kind::NUMBER => {
                let bits = self.array().map(u64::from_le_bytes)?;
                Ok(Constant::Number(f64::from_bits(bits)))
            }
            constant_kind::STRING => self.string().map(Constant::String),
            _ => Err(self.damage()),
        }
    }

    /// A count and that many items, each of at least `size` bytes.
    fn sequence<T>(
        &mut self,
        size: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, FileError>,
    ) -> Result<Vec<T>, FileError> {
        let count = self.count(size)?;
        (0..count).map(|_| read(self)).collect()
    }

    /// A count of items of at least `size` bytes each, for which there are enough bytes left.
    fn count(&mut self, size: usize) -> Result<usize, FileError> {
        let count = self.number()? as usize;
        if count > (self.bytes.len() - self.position) / size {
            return Err(self.damage());
        }
        Ok(count)
    }

    fn string(&mut self) -> Result<Box<str>, FileError> {
        let length = self.count(1)?;
        let bytes = self.take(length)?;
        let string = str::from_utf8(bytes).map_err(|_| self.damage())?;
        Ok(string.into())
    }

    fn register(&mut self) -> Result<Register, FileError> {
        let number = self.number()?;
        u16::try_from(number)
            .map(Register)
            .map_err(|_| self.damage())
    }

    /// One of `all`, stored as the byte that `number` gives.
    fn byte_of<T: Copy>(&mut self, all: &[T], number: fn(T) -> u8) -> Result<T, FileError> {
        let byte = self.byte()?;
        let mut all = all.iter().copied();
        all.find(|&it| number(it) == byte)
            .ok_or_else(|| self.damage())
    }

    /// A number of at most 32 bits in LEB128.
    fn number(&mut self) -> Result<u32, FileError> {
        let mut number: u64 = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(number).map_err(|_| self.damage());
            }
        }
        Err(self.damage())
    }

    fn byte(&mut self) -> Result<u8, FileError> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FileError> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| self.damage())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], FileError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let taken = rest.get(..length).ok_or_else(|| self.damage())?;
        self.position += length;
        Ok(taken)
    }

    fn damage(&self) -> FileError {
        FileError::Damaged(self.position)
    }
}

/// The least number of bytes of a function: one for each of its fields and counts.
const FUNCTION_SIZE: usize = 16;
