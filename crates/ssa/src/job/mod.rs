//! Compile jobs: all that the optimizer knows about the program, as copies that it owns.
//!
//! The virtual machine's side fills a job on the script's thread, from the code block, the feedback of its instance and of those it calls.
//! Objects get numbers: [`ConstantId`] for a value that the code may mention, [`ShapeId`], [`GlobalId`] and [`CodeId`]; the filling side keeps
//! tables from these numbers to what they stand for, and the code generator asks them.
//!
//! Filling a job, step by step:
//!
//! 1. [`CompileJob::new`] with the function's code block. Add the code blocks of functions it was seen calling with
//!    [`CompileJob::add_code`], as far as the inlining budget goes; call targets without an entry are not worth one.
//! 2. For every code block, give each position whose instruction has feedback a [`SiteFeedback`]. A position left
//!    [`SiteFeedback::Unknown`] is compiled in the generic form, or with what the types of its operands say, so an incomplete job is
//!    slow and never wrong. [`SiteFeedback::NeverRun`] is worth most: control that would get there leaves compiled code.
//! 3. [`CodeInput::globals`] maps the code block's table of global variables to numbers of the job; [`GlobalInput`] says what is
//!    known about each.
//! 4. After compilation, check [`crate::ir::Function::dependencies`] again and register them.
//!
//! Jobs can be written as text, see [`CompileJob::parse`].

mod text;

use std::sync::Arc;

use kiln_bytecode::{CodeBlock, Instruction, Op};

use crate::entity::{EntityVec, define_entities};
use crate::ir::{Entry, FrameState, Kinds, SlotIndex};

pub use text::JobError;

define_entities! {
    /// A code block of the compile job.
    CodeId "code";
    /// A value of the running program that the compile job names.
    ConstantId "constant";
    /// A global variable.
    GlobalId "global";
    /// A shape, by the number that the virtual machine gives it.
    ShapeId "shape";
}

/// What is to be compiled, and what is known about it.
#[derive(Clone, Debug)]
pub struct CompileJob {
    /// The code block to compile, and those it may call.
    pub codes: EntityVec<CodeId, CodeInput>,
    /// The one to compile.
    pub root: CodeId,
    /// Where the code will be entered.
    pub entry: Entry,
    /// Values that the code may mention.
    pub constants: EntityVec<ConstantId, ConstantInput>,
    /// The global variables that the code blocks mention.
    pub globals: EntityVec<GlobalId, GlobalInput>,
    /// Limits.
    pub limits: Limits,
}

/// A code block with what has been observed of it.
#[derive(Clone, Debug)]
pub struct CodeInput {
    /// The bytecode as the front end made it: no quickened instructions.
    pub block: Arc<CodeBlock>,
    /// What is known about the instruction at each position; positions beyond the end are unknown.
    pub feedback: Vec<SiteFeedback>,
    /// The numbers of the global variables that instructions name by index.
    pub globals: Vec<GlobalId>,
    /// How often the function was called.
    pub calls: u64,
    /// How often each loop's backward jump was taken.
    pub loops: Vec<u64>,
}

impl CodeInput {
    /// The instruction at a position; a `nop` beyond the end.
    pub fn instruction(&self, position: u32) -> Instruction {
        let instructions = &self.block.instructions;
        let nop = Instruction::new(Op::Nop, 0, 0, 0, 0);
        instructions.get(position as usize).copied().unwrap_or(nop)
    }

    /// What is known about the instruction at a position.
    pub fn feedback(&self, position: u32) -> &SiteFeedback {
        let feedback = self.feedback.get(position as usize);
        feedback.unwrap_or(&SiteFeedback::Unknown)
    }

    /// Where the instruction at a position goes on if an operand is a function, if that has happened.
    pub fn taken_invoke_path(&self, position: u32) -> Option<u32> {
        let is_taken = match self.feedback(position) {
            // `ANY` stands for kinds that are not told apart.
            SiteFeedback::Operands(seen)
            | SiteFeedback::Container(seen)
            | SiteFeedback::Failed(seen) => seen.meets(Kinds::FUNCTION) && *seen != Kinds::ANY,
            _ => false,
        };
        is_taken.then(|| self.block.invoke_path(position)).flatten()
    }

    /// The instruction that goes the invoke path which a position is on; the position itself if it is on none. Invoke paths stand
    /// behind everything else.
    pub fn owner(&self, position: u32) -> u32 {
        let paths = self.block.invoke_paths.iter();
        let path = paths
            .filter(|path| path.to <= position)
            .max_by_key(|path| path.to);
        path.map_or(position, |path| path.from)
    }

    /// Notes what is known about the instruction at a position.
    pub fn set_feedback(&mut self, position: u32, feedback: SiteFeedback) {
        let position = position as usize;
        if self.feedback.len() <= position {
            self.feedback.resize(position + 1, SiteFeedback::Unknown);
        }
        self.feedback[position] = feedback;
    }
}

/// What the interpreter has observed at one instruction.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SiteFeedback {
    /// Nothing is known.
    #[default]
    Unknown,
    /// The instruction has never been reached.
    NeverRun,
    /// Code that relied on what was observed here had to be left again and again: nothing must be assumed. The kinds of operands are what
    /// has been seen since, if the instruction notes them.
    Failed(Kinds),
    /// The kinds that operands of arithmetic, a comparison or a branch were of, both together.
    Operands(Kinds),
    /// What `get_index`, `set_index` and `for_loop` went into.
    Container(Kinds),
    /// What `get_member`, `set_member`, `init_member`, `call_member` and reads of variables by name found.
    Member(MemberFeedback),
    /// What `call`, `invoke` and the like called; of `new_closure`, the code of the functions made.
    Call(CallFeedback),
    /// What the empty maps made here are like.
    Layout(Layout),
}

/// What a new map is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Its shape.
    pub shape: ShapeId,
    /// The number of slots inside.
    pub room: u32,
}

/// Objects whose member was accessed, and where it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberFeedback {
    /// The cases seen.
    pub cases: Vec<MemberCase>,
    /// There were other cases that are not listed.
    pub is_open: bool,
    /// What was called, if the access calls what it finds.
    pub calls: CallFeedback,
}

/// One way a member was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberCase {
    /// For which objects.
    pub receiver: Receiver,
    /// Where the member was.
    pub access: MemberAccess,
}

/// Objects that a member is accessed in the same way for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// Maps of this shape.
    Shape(ShapeId),
    /// Values of these kinds, whose members are those of their type map.
    Kind(Kinds),
    /// Maps that are hash tables and have no such member of their own, nor a prototype.
    Dictionary,
}

/// Where a member was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberAccess {
    /// In a slot of the object.
    Own(SlotIndex),
    /// In a slot of a prototype or type map, perhaps of the object itself.
    Inherited {
        /// The map that has the member.
        holder: ConstantId,
        /// The slot there.
        slot: SlotIndex,
        /// What the slot holds, if it is known not to change without breaking a watch.
        value: Option<ConstantId>,
    },
    /// Nowhere: storing it gave the object a further slot and this shape.
    Add(SlotIndex, ShapeId),
}

/// Functions called, the most frequent first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallFeedback {
    /// The functions seen.
    pub targets: Vec<CallTarget>,
    /// There were others that are not listed.
    pub is_open: bool,
}

impl CallFeedback {
    /// The only function ever called, if there is only one.
    pub fn only_target(&self) -> Option<CallTarget> {
        match (self.targets.as_slice(), self.is_open) {
            (&[target], false) => Some(target),
            _ => None,
        }
    }
}

/// A function called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallTarget {
    /// Any function with this code.
    Code(CodeId),
    /// This very function.
    Constant(ConstantId),
}

/// A value of the running program.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ConstantInput {
    /// What it is.
    pub kinds: Kinds,
    /// The code, of a function written in the language.
    pub code: Option<CodeId>,
    /// The meaning, of an intrinsic function that the optimizer knows.
    pub intrinsic: Option<Intrinsic>,
    /// The number, if it is one.
    pub number: Option<f64>,
    /// Of a map: what `super` is in methods found in it, as long as no prototype changes.
    pub parent: Option<ConstantId>,
    /// Of a prototype: what its new instances are like.
    pub instance: Option<Layout>,
}

/// The intrinsic functions that the optimizer knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intrinsic {
    /// `len` of a list or string.
    Length,
    /// `push` on a list.
    Push,
    /// `pop` of a list.
    Pop,
    /// `pull` of a list.
    Pull,
    /// `code` of a string's first character.
    Code,
    /// `char`, the string of a code.
    Character,
    /// `hasIndex` of a map.
    HasIndex,
    /// `floor`
    Floor,
    /// `sqrt`
    SquareRoot,
    /// `abs`
    Absolute,
    /// `range`
    Range,
}

impl Intrinsic {
    /// Every one, with the name the language gives it.
    pub const ALL: &'static [(Intrinsic, &'static str)] = &[
        (Intrinsic::Length, "len"),
        (Intrinsic::Push, "push"),
        (Intrinsic::Pop, "pop"),
        (Intrinsic::Pull, "pull"),
        (Intrinsic::Code, "code"),
        (Intrinsic::Character, "char"),
        (Intrinsic::HasIndex, "hasIndex"),
        (Intrinsic::Floor, "floor"),
        (Intrinsic::SquareRoot, "sqrt"),
        (Intrinsic::Absolute, "abs"),
        (Intrinsic::Range, "range"),
    ];
}

/// What is known about a global variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GlobalInput {
    /// Nothing.
    #[default]
    Unknown,
    /// It has a value and is not expected to lose it.
    Assigned,
    /// It has been assigned once, this value.
    Constant(ConstantId),
    /// It has no value: reading it finds this intrinsic.
    Intrinsic(ConstantId),
}

/// What bounds an optimization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytecode instructions of all functions inlined together.
    pub inlined_instructions: usize,
    /// Bytecode instructions of one function that is inlined.
    pub inlined_function: usize,
    /// Functions inlined into each other.
    pub inlining_depth: usize,
    /// How often a function may be inlined into itself.
    pub inlined_recursion: usize,
    /// Bytecode instructions of the function to compile. Analyses take time and memory in proportion.
    pub instructions: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            inlined_instructions: 400,
            inlined_function: 80,
            inlining_depth: 4,
            inlined_recursion: 2,
            instructions: 20_000,
        }
    }
}

impl CompileJob {
    /// A job for one code block about which nothing is known.
    pub fn new(block: Arc<CodeBlock>) -> CompileJob {
        let mut job = CompileJob {
            codes: EntityVec::default(),
            root: CodeId(0),
            entry: Entry::Call,
            constants: EntityVec::default(),
            globals: EntityVec::default(),
            limits: Limits::default(),
        };
        job.root = job.add_code(block);
        job
    }

    /// Adds a code block. Its global variables are numbered as new ones; the caller replaces [`CodeInput::globals`] where that is wrong.
    pub fn add_code(&mut self, block: Arc<CodeBlock>) -> CodeId {
        let globals = block.globals.iter();
        let globals = globals
            .map(|_| self.globals.push(GlobalInput::Unknown))
            .collect();
        self.codes.push(CodeInput {
            loops: vec![0; block.loops.len()],
            block,
            feedback: Vec::new(),
            globals,
            calls: 0,
        })
    }

    /// How many registers the window of a compiled function needs: its own, and those of inlined functions above.
    pub fn window_size(&self, function: &crate::ir::Function) -> u32 {
        let size = |frame: &FrameState| frame.window + self.codes[frame.code].block.register_count;
        let root = self.codes[self.root].block.register_count;
        function.frames.values().map(size).fold(root, u32::max)
    }
}
