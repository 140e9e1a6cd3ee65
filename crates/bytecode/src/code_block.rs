//! The code block: the bytecode of one function and its tables, immutable and independent of any interpreter.

use std::sync::Arc;

use crate::instruction::{Instruction, Register};

/// The language a code block was written in; slow paths consult it where languages differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Language {
    /// MiniScript, edition 1 (1.6).
    MiniScript1 = 0,
}

impl Language {
    /// Every language.
    pub const ALL: &'static [Language] = &[Language::MiniScript1];

    /// The name in listings.
    pub fn name(self) -> &'static str {
        match self {
            Language::MiniScript1 => "miniscript1",
        }
    }

    /// The language of that name.
    pub fn from_name(name: &str) -> Option<Language> {
        let mut all = Language::ALL.iter().copied();
        all.find(|language| language.name() == name)
    }
}

/// A constant of the pool.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// The null value.
    Null,
    /// A number.
    Number(f64),
    /// A string; the interpreter interns it.
    String(Box<str>),
}

impl From<f64> for Constant {
    fn from(number: f64) -> Constant {
        Constant::Number(number)
    }
}

impl From<&str> for Constant {
    fn from(string: &str) -> Constant {
        Constant::String(string.into())
    }
}

/// A parameter of a function: its name and the value it takes if the call passes none.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The name.
    pub name: Box<str>,
    /// The default value.
    pub default: Constant,
}

/// What a feedback cell records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FeedbackKind {
    /// A call site without a key: the targets seen.
    Call = 0,
    /// A variable looked up by name.
    Variable = 1,
    /// A member read, written or called: shapes and holders seen.
    Member = 2,
}

impl FeedbackKind {
    /// Every kind.
    pub const ALL: &'static [FeedbackKind] = &[
        FeedbackKind::Call,
        FeedbackKind::Variable,
        FeedbackKind::Member,
    ];

    /// The name in listings.
    pub fn name(self) -> &'static str {
        match self {
            FeedbackKind::Call => "call",
            FeedbackKind::Variable => "variable",
            FeedbackKind::Member => "member",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<FeedbackKind> {
        let mut all = FeedbackKind::ALL.iter().copied();
        all.find(|kind| kind.name() == name)
    }
}

/// A feedback cell's static part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedbackInfo {
    /// What it records.
    pub kind: FeedbackKind,
    /// The constant (a string) that is the variable's or member's name; unused for calls.
    pub key: u32,
}

/// A loop of the source: what the tiers count and the profiler names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopInfo {
    /// The first instruction of the loop's body: where optimized code may be entered.
    pub header: u32,
    /// The first instruction behind the loop.
    pub end: u32,
    /// The source line of the loop statement.
    pub line: u32,
}

/// Instruction ranges to source lines: sorted by `start`, each entry holds up to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineEntry {
    /// The first instruction of the range.
    pub start: u32,
    /// The line, counted from 1, of the statement the instructions belong to.
    pub line: u32,
}

/// A range of the source text. Lines, and the characters of a line, count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceSpan {
    /// The line it begins in.
    pub line: u32,
    /// Its first character.
    pub column: u32,
    /// The line it ends in.
    pub end_line: u32,
    /// The character behind its last one.
    pub end_column: u32,
}

impl std::fmt::Display for SourceSpan {
    /// As editors show it: `3:5-3:9`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let SourceSpan {
            line,
            column,
            end_line,
            end_column,
        } = self;
        write!(f, "{line}:{column}-{end_line}:{end_column}")
    }
}

/// Instruction ranges to expressions: sorted by `start`, each entry holds up to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanEntry {
    /// The first instruction of the range.
    pub start: u32,
    /// The innermost expression, or the statement, that the instructions belong to.
    pub span: SourceSpan,
}

/// Where a slow path continues when an operand read from a variable turns out to be a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvokePath {
    /// The instruction that met the function.
    pub from: u32,
    /// The position of the same expression with explicit `invoke` instructions.
    pub to: u32,
}

/// A register that holds a source variable, for debuggers and the profiler.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableInfo {
    /// The register.
    pub register: Register,
    /// The variable's name.
    pub name: Box<str>,
}

/// A global variable that the interpreter keeps in the window of a top level while that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalRegister {
    /// The register that is the variable's value; the one after it is its fallback.
    pub register: Register,
    /// The index of the variable in [`CodeBlock::globals`].
    pub global: u32,
}

/// Where a code block comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The file, or a name such as `(command line)`, for tools.
    pub file: Box<str>,
    /// For an imported module its name with extension, as error positions and stack traces show it.
    pub module: Option<Box<str>>,
}

/// The bytecode of one function with everything needed to run it.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeBlock {
    /// The function's name as tools show it; empty for the top level and for anonymous functions.
    pub name: Box<str>,
    /// Where the source is.
    pub origin: Arc<Origin>,
    /// The line of the function literal, 1 for a top level.
    pub line: u32,
    /// The language that slow paths consult.
    pub language: Language,
    /// The parameters; their registers start at [`Register::FIRST_PARAMETER`].
    pub parameters: Vec<Parameter>,
    /// The number of registers of the window, the first three and all call windows' fixed slots included.
    pub register_count: u32,
    /// The instructions.
    pub instructions: Vec<Instruction>,
    /// The constants.
    pub constants: Vec<Constant>,
    /// The feedback cells.
    pub feedback: Vec<FeedbackInfo>,
    /// The names (constants) of the global variables that instructions mention by index into this table.
    pub globals: Vec<u32>,
    /// The global variables that live in registers, sorted by register. Other code may read and assign these registers whenever
    /// it runs.
    pub global_registers: Vec<GlobalRegister>,
    /// The functions whose literals stand directly in this one.
    pub functions: Vec<Arc<CodeBlock>>,
    /// The loops.
    pub loops: Vec<LoopInfo>,
    /// The invoke paths, sorted by `from`.
    pub invoke_paths: Vec<InvokePath>,
    /// The line table.
    pub lines: Vec<LineEntry>,
    /// The table of spans; empty if they are not known. The text form leaves it out.
    pub spans: Vec<SpanEntry>,
    /// Names of the registers that hold variables.
    pub variables: Vec<VariableInfo>,
    /// The register of the frame's variable map, if the function needs one.
    pub variables_register: Option<Register>,
    /// All variables live in the variable map, so code that is not known at compile time may name them.
    pub variables_by_name: bool,
    /// The function reads `super` from its window, so calls must set it.
    pub uses_super: bool,
    /// The first parameter is named `self`: a method call passes the object there.
    pub self_parameter: bool,
    /// This is the top level of a program: its variables are the globals.
    pub is_top_level: bool,
}

impl CodeBlock {
    /// The source line of the statement that the instruction at `position` belongs to.
    pub fn line_at(&self, position: u32) -> u32 {
        let after = self.lines.partition_point(|entry| entry.start <= position);
        after
            .checked_sub(1)
            .map_or(self.line, |at| self.lines[at].line)
    }

    /// The expression, or statement, that the instruction at `position` belongs to, if that is known.
    pub fn span_at(&self, position: u32) -> Option<SourceSpan> {
        let after = self.spans.partition_point(|entry| entry.start <= position);
        Some(self.spans[after.checked_sub(1)?].span)
    }

    /// Where the slow path of the instruction at `position` continues if an operand is a function.
    pub fn invoke_path(&self, position: u32) -> Option<u32> {
        let at = self
            .invoke_paths
            .binary_search_by_key(&position, |path| path.from)
            .ok()?;
        Some(self.invoke_paths[at].to)
    }
}
