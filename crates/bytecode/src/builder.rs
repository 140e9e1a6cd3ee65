//! Building a code block, instruction by instruction.
//!
//! For every row of the instruction table [`CodeBlockBuilder`] has a function of the row's name that takes
//! the operands in the table's order, then what the flag byte means (a [`ReadMode`], a number of arguments,
//! a loop). Fields that are not used take no argument. Jumps go to [`Label`]s.
//!
//! ```
//! use std::sync::Arc;
//! use kiln_bytecode::{CodeBlockBuilder, Language, Origin, Register};
//!
//! let origin = Arc::new(Origin { file: "count.ms".into(), module: None });
//! let mut builder = CodeBlockBuilder::start(Language::MiniScript1, origin);
//! let (count, result) = (builder.add_parameter("count", 10.0), Register(4));
//! builder.set_line(1);
//! let (done, zero) = (builder.new_label(), builder.number(0.0));
//! builder.jump_if_not_less_constant(count, zero, done);
//! builder.load_constant(count, zero);
//! builder.bind(done);
//! builder.negate(result, count);
//! builder.return_value(result);
//! let block = builder.finish()?;
//! assert_eq!(block.instructions.len(), 4);
//! assert_eq!(block.register_count, 5);
//! # Ok::<(), kiln_bytecode::BuildError>(())
//! ```

mod layout;

use std::collections::HashMap;
use std::sync::Arc;

use thiserror::Error;

use crate::code_block::{
    CodeBlock, Constant, FeedbackInfo, FeedbackKind, GlobalRegister, Language, LineEntry, Origin,
    Parameter, SourceSpan, SpanEntry, VariableInfo,
};
use crate::instruction::{Instruction, ReadMode, Register};
use crate::opcodes::Op;

use layout::{InvokePathLabels, Jump, LoopLabels};

/// A place in the code that jumps can name before it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(u32);

/// An instruction that has been emitted.
///
/// Positions in the finished code block may be higher, because a jump may need more than one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(u32);

/// An index into [`CodeBlock::constants`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConstantIndex(pub u32);

impl ConstantIndex {
    /// Whether the index fits the 16-bit field of the instructions that take a constant as right operand.
    pub const fn fits_16_bits(self) -> bool {
        self.0 <= u16::MAX as u32
    }
}

/// An index into [`CodeBlock::globals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlobalIndex(pub u32);

/// An index into [`CodeBlock::feedback`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FeedbackIndex(pub u32);

/// An index into [`CodeBlock::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FunctionIndex(pub u32);

/// An index into [`CodeBlock::loops`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LoopIndex(pub u32);

/// Why a code block cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BuildError {
    /// A jump, loop or invoke path names a label that was never bound.
    #[error("label {} is not bound to a position", .0.0)]
    UnboundLabel(Label),
    /// A label was bound to two positions.
    #[error("label {} is bound twice", .0.0)]
    LabelBoundTwice(Label),
    /// A label or position of another builder.
    #[error("a label or position does not belong to this builder")]
    Foreign,
    /// Two invoke paths start at one instruction.
    #[error("instruction {} has two invoke paths", .0.0)]
    TwoInvokePaths(Position),
    /// An instruction takes a constant whose index exceeds 16 bits.
    #[error("constant {} is out of reach of a 16-bit operand", .0.0)]
    ConstantOutOfReach(ConstantIndex),
    /// The function needs more than 65,536 registers.
    #[error("the function needs too many registers")]
    TooManyRegisters,
    /// The function has more than 65,536 loops.
    #[error("the function has too many loops")]
    TooManyLoops,
    /// The function has more than 2^30 instructions.
    #[error("the function has too many instructions")]
    TooManyInstructions,
}

/// Two positions are never further apart than this, so a distance fits 32 bits with a sign, even
/// if every jump grows to three instructions.
const MAX_INSTRUCTIONS: usize = (1 << 30) / 3;

/// The most registers that 16 bits can name.
const MAX_REGISTERS: u32 = 1 << 16;

/// Builds the [`CodeBlock`] of one function; see the [module](self) for an example.
///
/// Mistakes of the caller are remembered and reported by [`CodeBlockBuilder::finish`], so that
/// emitting needs no error handling.
#[derive(Debug)]
pub struct CodeBlockBuilder {
    /// [`CodeBlock::name`].
    pub name: Box<str>,
    /// [`CodeBlock::line`].
    pub line: u32,
    /// [`CodeBlock::variables_register`].
    pub variables_register: Option<Register>,
    /// [`CodeBlock::variables_by_name`].
    pub variables_by_name: bool,
    /// [`CodeBlock::uses_super`].
    pub uses_super: bool,
    /// [`CodeBlock::self_parameter`].
    pub self_parameter: bool,
    /// [`CodeBlock::is_top_level`].
    pub is_top_level: bool,

    language: Language,
    origin: Arc<Origin>,
    parameters: Vec<Parameter>,
    register_count: u32,
    instructions: Vec<Instruction>,
    constants: ConstantPool,
    feedback: Vec<FeedbackInfo>,
    globals: Vec<u32>,
    global_registers: Vec<GlobalRegister>,
    global_indices: HashMap<ConstantIndex, GlobalIndex>,
    functions: Vec<Arc<CodeBlock>>,
    loops: Vec<LoopLabels>,
    invoke_paths: Vec<InvokePathLabels>,
    lines: Vec<LineEntry>,
    spans: Vec<SpanEntry>,
    /// What the instructions to come belong to.
    span: Option<SourceSpan>,
    variables: Vec<VariableInfo>,
    /// The position of each label once it is bound.
    labels: Vec<Option<u32>>,
    jumps: Vec<Jump>,
    error: Option<BuildError>,
}

impl CodeBlockBuilder {
    /// Starts a function without parameters, at line 1.
    pub fn start(language: Language, origin: Arc<Origin>) -> CodeBlockBuilder {
        CodeBlockBuilder {
            name: "".into(),
            line: 1,
            variables_register: None,
            variables_by_name: false,
            uses_super: false,
            self_parameter: false,
            is_top_level: false,
            language,
            origin,
            parameters: Vec::new(),
            register_count: u32::from(Register::FIRST_PARAMETER.0),
            instructions: Vec::new(),
            constants: ConstantPool::default(),
            feedback: Vec::new(),
            globals: Vec::new(),
            global_registers: Vec::new(),
            global_indices: HashMap::new(),
            functions: Vec::new(),
            loops: Vec::new(),
            invoke_paths: Vec::new(),
            lines: Vec::new(),
            spans: Vec::new(),
            span: None,
            variables: Vec::new(),
            labels: Vec::new(),
            jumps: Vec::new(),
            error: None,
        }
    }

    /// Adds a parameter and says in which register it arrives.
    pub fn add_parameter(&mut self, name: &str, default: impl Into<Constant>) -> Register {
        let register = usize::from(Register::FIRST_PARAMETER.0) + self.parameters.len();
        self.parameters.push(Parameter {
            name: name.into(),
            default: canonical(default.into()),
        });
        self.reserve_registers(register as u32 + 1);
        Register(u16::try_from(register).unwrap_or(u16::MAX))
    }

    /// Makes the window at least this large. The registers that instructions name are counted anyway.
    pub fn reserve_registers(&mut self, count: u32) {
        if count > MAX_REGISTERS {
            self.fail(BuildError::TooManyRegisters);
        }
        self.register_count = self.register_count.max(count);
    }

    /// Records that `register` holds the source variable `name`, for debuggers and the profiler.
    pub fn name_register(&mut self, register: Register, name: &str) {
        self.reserve_registers(u32::from(register.0) + 1);
        self.variables.push(VariableInfo {
            register,
            name: name.into(),
        });
    }

    /// The instructions emitted from here on belong to the statement at `line`.
    pub fn set_line(&mut self, line: u32) {
        let start = self.instructions.len() as u32;
        match self.lines.last_mut() {
            Some(last) if last.line == line => {}
            Some(last) if last.start == start => last.line = line,
            _ => self.lines.push(LineEntry { start, line }),
        }
    }

    /// The instructions emitted from here on belong to the expression or statement at `span`. Returns what was set before.
    pub fn set_span(&mut self, span: Option<SourceSpan>) -> Option<SourceSpan> {
        std::mem::replace(&mut self.span, span)
    }

    /// What the instructions to come belong to.
    pub fn span(&self) -> Option<SourceSpan> {
        self.span
    }

    // ---- labels ----

    /// A label to be bound later.
    pub fn new_label(&mut self) -> Label {
        self.labels.push(None);
        Label((self.labels.len() - 1) as u32)
    }

    /// A label bound to the next instruction.
    pub fn here(&mut self) -> Label {
        let label = self.new_label();
        self.bind(label);
        label
    }

    /// Binds `label` to the next instruction.
    pub fn bind(&mut self, label: Label) {
        let next = self.instructions.len() as u32;
        match self.labels.get_mut(label.0 as usize) {
            Some(position @ None) => *position = Some(next),
            Some(Some(_)) => self.fail(BuildError::LabelBoundTwice(label)),
            None => self.fail(BuildError::Foreign),
        }
    }

    // ---- tables ----

    /// The index of a constant; equal constants share one.
    pub fn constant(&mut self, constant: Constant) -> ConstantIndex {
        self.constants.index_of(constant)
    }

    /// The index of a number constant. Numbers are equal if their bits are: `0` and `-0` differ.
    pub fn number(&mut self, number: f64) -> ConstantIndex {
        self.constant(Constant::Number(number))
    }

    /// The index of a string constant.
    pub fn string(&mut self, string: &str) -> ConstantIndex {
        self.constant(Constant::String(string.into()))
    }

    /// The index of the constant null.
    pub fn null(&mut self) -> ConstantIndex {
        self.constant(Constant::Null)
    }

    /// The index of the global variable `name`.
    pub fn global(&mut self, name: &str) -> GlobalIndex {
        let name = self.string(name);
        *self.global_indices.entry(name).or_insert_with(|| {
            self.globals.push(name.0);
            GlobalIndex((self.globals.len() - 1) as u32)
        })
    }

    /// A new feedback cell for a call without a key, or an `invoke`.
    pub fn call_feedback(&mut self) -> FeedbackIndex {
        self.add_feedback(FeedbackKind::Call, 0)
    }

    /// A new feedback cell for a variable looked up by name.
    pub fn variable_feedback(&mut self, name: &str) -> FeedbackIndex {
        let key = self.string(name).0;
        self.add_feedback(FeedbackKind::Variable, key)
    }

    /// A new feedback cell for a member that is read, written or called.
    pub fn member_feedback(&mut self, key: &str) -> FeedbackIndex {
        let key = self.string(key).0;
        self.add_feedback(FeedbackKind::Member, key)
    }

    fn add_feedback(&mut self, kind: FeedbackKind, key: u32) -> FeedbackIndex {
        self.feedback.push(FeedbackInfo { kind, key });
        FeedbackIndex((self.feedback.len() - 1) as u32)
    }

    /// Adds a function whose literal stands in this one.
    pub fn add_function(&mut self, function: Arc<CodeBlock>) -> FunctionIndex {
        self.functions.push(function);
        FunctionIndex((self.functions.len() - 1) as u32)
    }

    /// Keeps a global variable in `register` and the one after it; to be called in ascending order of registers.
    pub fn bind_global(&mut self, register: Register, global: GlobalIndex) {
        self.reserve_registers(u32::from(register.0) + 2);
        let global = global.0;
        self.global_registers
            .push(GlobalRegister { register, global });
    }

    /// Adds a loop: its body starts at `header`, and `end` is bound behind it.
    pub fn add_loop(&mut self, header: Label, end: Label, line: u32) -> LoopIndex {
        if self.loops.len() > usize::from(u16::MAX) {
            self.fail(BuildError::TooManyLoops);
        }
        self.loops.push(LoopLabels { header, end, line });
        LoopIndex((self.loops.len() - 1) as u32)
    }

    /// Says where execution continues if the instruction at `from` meets a function in an operand.
    pub fn add_invoke_path(&mut self, from: Position, to: Label) {
        self.invoke_paths.push(InvokePathLabels { from, to });
    }

    // ---- finishing ----

    /// The finished code block.
    ///
    /// # Errors
    ///
    /// Reports the first mistake made in building, or the limit exceeded.
    pub fn finish(mut self) -> Result<CodeBlock, BuildError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if let Some(register) = self.variables_register {
            self.reserve_registers(u32::from(register.0) + 1);
        }
        self.lay_out()
    }

    /// Keeps the first error for [`CodeBlockBuilder::finish`].
    fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }

    /// Encodes one instruction, with a `wide` prefix if its index needs one.
    fn emit(&mut self, op: Op, flags: u8, operands: &[Operand]) -> Position {
        let mut fields = [0u16; 3];
        let mut long_field = None;
        let mut target = None;
        for (field, operand) in fields.iter_mut().zip(operands) {
            match *operand {
                Operand::Out(register) | Operand::In(register) => {
                    *field = self.register(register, 1);
                }
                Operand::InPair(register) | Operand::InOutPair(register) => {
                    *field = self.register(register, 2);
                }
                Operand::Window(register) => {
                    let slots = u32::from(Register::FIRST_PARAMETER.0) + u32::from(flags);
                    *field = self.register(register, slots);
                }
                Operand::Immediate(number) => *field = number,
                Operand::Unused => {}
                Operand::Constant(constant) => match u16::try_from(constant.0) {
                    Ok(index) => *field = index,
                    Err(_) => self.fail(BuildError::ConstantOutOfReach(constant)),
                },
                Operand::Loop(index) => *field = index.0 as u16,
                Operand::Constant32(ConstantIndex(index)) | Operand::Global(GlobalIndex(index)) => {
                    long_field = Some(index);
                }
                Operand::Feedback(FeedbackIndex(index))
                | Operand::Function(FunctionIndex(index)) => {
                    *field = index as u16;
                    let high = (index >> 16) as u16;
                    if high != 0 {
                        self.push(Instruction::new(Op::Wide, 0, high, 0, 0));
                    }
                }
                Operand::Jump(label) | Operand::Jump32(label) => target = Some(label),
            }
        }
        let [a, b, c] = fields;
        let position = self.push(match long_field {
            Some(index) => Instruction::new_32(op, flags, a, index),
            None => Instruction::new(op, flags, a, b, c),
        });
        if let Some(label) = target {
            self.jumps.push(Jump { position, label });
        }
        position
    }

    fn push(&mut self, instruction: Instruction) -> Position {
        if self.instructions.len() >= MAX_INSTRUCTIONS {
            self.fail(BuildError::TooManyInstructions);
            return Position(0);
        }
        if let Some(span) = self.span
            && self.spans.last().is_none_or(|last| last.span != span)
        {
            let start = self.instructions.len() as u32;
            self.spans.push(SpanEntry { start, span });
        }
        self.instructions.push(instruction);
        Position((self.instructions.len() - 1) as u32)
    }

    /// Counts `slots` registers from `register` on as used.
    fn register(&mut self, register: Register, slots: u32) -> u16 {
        self.reserve_registers(u32::from(register.0) + slots);
        register.0
    }
}

/// An operand as the emit functions take it, named after its role in the table.
enum Operand {
    Out(Register),
    In(Register),
    InPair(Register),
    InOutPair(Register),
    Window(Register),
    Immediate(u16),
    Unused,
    Constant(ConstantIndex),
    Constant32(ConstantIndex),
    Global(GlobalIndex),
    Feedback(FeedbackIndex),
    Function(FunctionIndex),
    Loop(LoopIndex),
    Jump(Label),
    Jump32(Label),
}

/// The argument type for a role.
macro_rules! argument_type {
    (Immediate) => {
        u16
    };
    (Constant) => {
        ConstantIndex
    };
    (Constant32) => {
        ConstantIndex
    };
    (Global) => {
        GlobalIndex
    };
    (Feedback) => {
        FeedbackIndex
    };
    (Function) => {
        FunctionIndex
    };
    (Loop) => {
        LoopIndex
    };
    (Jump) => {
        Label
    };
    (Jump32) => {
        Label
    };
    ($register:ident) => {
        Register
    };
}

/// One emit function. Takes the operands of the row one by one, to leave out those that are unused.
macro_rules! define_emit_function {
    // `wide` is emitted where an index needs it.
    ($docs:tt wide $($row:tt)*) => {};
    ($docs:tt $snake:ident $camel:ident $flags:ident ($($argument:tt)*) ($($operand:expr,)*) { $unused:ident: Unused, $($rest:tt)* }) => {
        define_emit_function! { $docs $snake $camel $flags ($($argument)*) ($($operand,)* Operand::Unused,) { $($rest)* } }
    };
    ($docs:tt $snake:ident $camel:ident $flags:ident ($($argument:tt)*) ($($operand:expr,)*) { $name:ident: $role:ident, $($rest:tt)* }) => {
        define_emit_function! { $docs $snake $camel $flags ($($argument)* $name: argument_type!($role),) ($($operand,)* Operand::$role($name),) { $($rest)* } }
    };
    ($docs:tt $snake:ident $camel:ident read_mode $arguments:tt $operands:tt {}) => {
        define_emit_function! { $docs $snake $camel $arguments (mode: ReadMode) (mode.0) $operands }
    };
    ($docs:tt $snake:ident $camel:ident argument_count $arguments:tt $operands:tt {}) => {
        define_emit_function! { $docs $snake $camel $arguments (argument_count: u8) (argument_count) $operands }
    };
    ($docs:tt $snake:ident $camel:ident loop_counter $arguments:tt $operands:tt {}) => {
        define_emit_function! { $docs $snake $camel $arguments (counter: LoopIndex) (counter.0.min(255) as u8) $operands }
    };
    ($docs:tt $snake:ident $camel:ident $none_or_observed:ident $arguments:tt $operands:tt {}) => {
        define_emit_function! { $docs $snake $camel $arguments () (0) $operands }
    };
    ([$(#[$doc:meta])*] $snake:ident $camel:ident ($($argument:tt)*) ($($last:tt)*) ($flags:expr) ($($operand:expr,)*)) => {
        $(#[$doc])*
        pub fn $snake(&mut self, $($argument)* $($last)*) -> Position {
            self.emit(Op::$camel, $flags, &[$($operand,)*])
        }
    };
}

macro_rules! define_emit_functions {
    ($($(#[doc = $doc:literal])+ $snake:ident = $camel:ident { $($operand:ident: $role:ident),* } ($flags:ident) [$($effect:ident)*];)*) => {
        /// One function for each row of the instruction table.
        #[allow(clippy::new_ret_no_self, clippy::wrong_self_convention)]
        impl CodeBlockBuilder {
            $(define_emit_function! { [$(#[doc = $doc])+] $snake $camel $flags () () { $($operand: $role,)* } })*
        }
    };
}
crate::for_each_op!(define_emit_functions);

/// Constants, each once.
#[derive(Debug, Default)]
struct ConstantPool {
    constants: Vec<Constant>,
    indices: HashMap<ConstantKey, ConstantIndex>,
}

/// A constant as a hash key: numbers by their bits.
#[derive(Debug, PartialEq, Eq, Hash)]
enum ConstantKey {
    Null,
    Number(u64),
    String(Box<str>),
}

impl ConstantPool {
    fn index_of(&mut self, constant: Constant) -> ConstantIndex {
        let constant = canonical(constant);
        let key = match &constant {
            Constant::Null => ConstantKey::Null,
            Constant::Number(number) => ConstantKey::Number(number.to_bits()),
            Constant::String(string) => ConstantKey::String(string.clone()),
        };
        *self.indices.entry(key).or_insert_with(|| {
            self.constants.push(constant);
            ConstantIndex((self.constants.len() - 1) as u32)
        })
    }
}

/// Replaces any NaN by the canonical one: its other bits would mean something to an interpreter that
/// stores values as NaNs.
fn canonical(constant: Constant) -> Constant {
    match constant {
        Constant::Number(number) if number.is_nan() => Constant::Number(f64::NAN),
        other => other,
    }
}
