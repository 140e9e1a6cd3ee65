//! The baseline compiler: bytecode to machine code in one pass, without speculation.
//!
//! Compiled code uses the interpreter's frame records and register windows. A register's value is at hand as an SSA value, and
//! every write also goes to the window: memory is right at every instruction, so any instruction can be left to the
//! interpreter's handler ([`kiln_vm::tier::out_of_line`]) without further ado, and a loop can be entered from the interpreter at its
//! header. The one function made for a code block is therefore both the entry for calls and, by its last argument, for loops.
//!
//! | file | contents |
//! |---|---|
//! | [`analysis`] | basic blocks, which registers hold numbers where, which are kept as doubles |
//! | [`translator`] | registers, out-of-line instructions, entry and return |
//! | `arith`, `compare`, `control`, `variables`, `access`, `containers`, `calls`, `iter` | the instruction families, as in the interpreter |

mod access;
mod analysis;
mod arith;
mod calls;
mod compare;
mod containers;
mod control;
mod iter;
mod keys;
mod shortcuts;
mod sites;
mod translator;
mod variables;

use std::cell::Cell;
use std::mem::{offset_of, size_of};
use std::sync::Arc;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{Context, isa};
use cranelift_frontend::FunctionBuilderContext;
use kiln_bytecode::{CodeBlock, Op};
use kiln_vm::Vm;
use kiln_vm::feedback::{CodeInstance, Countdown, FeedbackCell};
use thiserror::Error;

use self::sites::{Known, Site};
use crate::code_memory::{MachineCode, RelocationError};

/// The most instructions of a code block that is compiled. Compile time and memory grow with it.
const MAX_INSTRUCTIONS: usize = 20_000;

/// The most bytes of native stack a compiled function may use for each register between the beginning of its window and the first
/// window it lays for a call; see the share in `kiln_vm::stack`.
pub(crate) const MAX_FRAME_BYTES: u32 = 4096;

/// Why a function cannot be compiled. The interpreter runs it.
#[derive(Debug, Error)]
pub enum CompileError {
    /// The processor or system is none that code can be made for.
    #[error("no code can be generated for this machine: {0}")]
    Machine(String),
    /// The function is too large.
    #[error("the function has too many instructions: {0}")]
    TooLarge(usize),
    /// The function needs too much of the native stack.
    #[error("a call of the function would take {0} bytes of native stack")]
    LargeFrame(u32),
    /// The code generator refuses.
    #[error("the code generator failed: {0}")]
    Backend(String),
    /// The code refers to something in an unexpected way.
    #[error(transparent)]
    Relocation(#[from] RelocationError),
}

/// What a compilation reads: copies and addresses, so that it may run on any thread.
///
/// The addresses are of parts of a code instance and its interpreter, which never move. They are not read through during compilation.
pub struct Job {
    /// The code.
    pub block: Arc<CodeBlock>,
    /// What debuggers and profilers call it.
    pub name: String,
    /// What each feedback cell knew when the job was made.
    sites: Vec<Site>,
    /// What reading each global variable gave then.
    global_values: Vec<Known>,
    /// Which kinds of operands each instruction had seen in the interpreter.
    observed: Vec<u8>,
    /// The constants' words.
    constants: Vec<u64>,
    /// The instance.
    code: u64,
    /// Its instructions.
    instructions: u64,
    /// Its feedback cells.
    feedback: u64,
    /// Its table of addresses of global variables.
    globals: u64,
    /// The countdowns of its loops.
    loops: u64,
    /// The strings of one character.
    characters: u64,
    /// The word that the end of a window is compared with.
    limit: u64,
}

/// What profilers and debuggers call the code of a function.
pub fn name_of(block: &CodeBlock) -> String {
    match (block.name.is_empty(), block.is_top_level) {
        (_, true) => format!("{}", block.origin.file),
        (true, _) => format!("{}:{}", block.origin.file, block.line),
        (false, _) => block.name.to_string(),
    }
}

impl Job {
    /// What compiling this instance takes.
    pub fn new(vm: &Vm, code: &CodeInstance) -> Job {
        let block = code.block.clone();
        Job {
            name: name_of(&block),
            sites: code
                .feedback
                .iter()
                .map(|cell| Site::of(vm, cell))
                .collect(),
            global_values: code
                .global_numbers
                .iter()
                .map(|number| Known::of(vm.global_value(*number)))
                .collect(),
            observed: code
                .instructions
                .iter()
                .map(|instruction| match instruction.get() {
                    loops if loops.op() == Some(Op::ForLoop) => code.observed_sequences(loops),
                    other => other.flags(),
                })
                .collect(),
            constants: code.constants.iter().map(|value| value.bits()).collect(),
            code: std::ptr::from_ref(code) as u64,
            instructions: code.instructions.as_ptr() as u64,
            feedback: code.feedback.as_ptr() as u64,
            globals: code.globals.as_ptr() as u64,
            loops: code.loops.as_ptr() as u64,
            characters: vm.characters_address() as u64,
            limit: vm.safepoint_handle().limit_address() as u64,
            block,
        }
    }

    /// The address of the instruction at `position`.
    fn instruction_address(&self, position: u32) -> u64 {
        self.instructions + u64::from(position) * size_of::<Cell<u64>>() as u64
    }

    /// The address of the feedback cell with this index.
    fn feedback_address(&self, index: usize) -> u64 {
        self.feedback + (index * size_of::<FeedbackCell>()) as u64
    }

    /// The address of the number of passes until the countdown of the loop with this index ends.
    fn countdown_address(&self, index: usize) -> u64 {
        self.loops + (index * size_of::<Countdown>() + Countdown::REMAINING_OFFSET) as u64
    }

    /// The address of the number of calls until the countdown of calls ends.
    fn calls_address(&self) -> u64 {
        self.code + (offset_of!(CodeInstance, calls) + Countdown::REMAINING_OFFSET) as u64
    }
}

/// The code generator for this machine, as both compiled tiers set it up.
///
/// # Errors
/// There is none.
pub(crate) fn new_isa() -> Result<OwnedTargetIsa, CompileError> {
    let mut flags = settings::builder();
    let options = [
        // Cranelift's own optimizations take longer than they save here, and duplicate work into exits.
        ("opt_level", "none"),
        (
            "enable_verifier",
            if cfg!(debug_assertions) {
                "true"
            } else {
                "false"
            },
        ),
        ("unwind_info", "false"),
        ("preserve_frame_pointers", "true"),
        ("enable_probestack", "false"),
    ];
    for (name, value) in options {
        flags
            .set(name, value)
            .map_err(|error| CompileError::Machine(error.to_string()))?;
    }
    let builder = cranelift_native::builder().map_err(|text| CompileError::Machine(text.into()))?;
    let isa: OwnedTargetIsa = isa::Builder::finish(&builder, settings::Flags::new(flags))
        .map_err(|error| CompileError::Machine(error.to_string()))?;
    Ok(isa)
}

/// Whether code can be made for this machine at all. Answering takes no compiler, which few programs of an instant ever need.
pub fn is_possible() -> bool {
    cranelift_native::builder().is_ok()
}

/// A compiler with its scratch memory. One is used by one thread at a time.
pub struct Compiler {
    isa: OwnedTargetIsa,
    /// Whether the processor rounds doubles to whole numbers in one instruction.
    rounds: bool,
    context: Context,
    function_context: FunctionBuilderContext,
}

/// What a compilation shows on request.
#[derive(Default)]
pub struct Listing {
    /// Cranelift's intermediate form.
    pub clif: String,
}

impl Compiler {
    /// A compiler for this machine.
    ///
    /// # Errors
    /// Nothing can be compiled for it.
    pub fn new() -> Result<Compiler, CompileError> {
        let isa = new_isa()?;
        let rounds = isa
            .isa_flags()
            .iter()
            .find(|flag| flag.name == "has_sse41")
            .is_none_or(|flag| flag.as_bool() == Some(true));
        Ok(Compiler {
            isa,
            rounds,
            context: Context::new(),
            function_context: FunctionBuilderContext::new(),
        })
    }

    /// Compiles a code block.
    ///
    /// # Errors
    /// The function is too large, or the code generator refuses it.
    pub fn compile(
        &mut self,
        job: &Job,
        listing: Option<&mut Listing>,
    ) -> Result<MachineCode, CompileError> {
        if job.block.instructions.len() > MAX_INSTRUCTIONS {
            return Err(CompileError::TooLarge(job.block.instructions.len()));
        }
        self.context.clear();
        translator::translate(
            job,
            &mut self.context.func,
            &mut self.function_context,
            self.isa.frontend_config(),
            self.rounds,
        )?;
        if let Some(listing) = listing {
            listing.clif = self.context.func.display().to_string();
        }
        self.context
            .compile(&*self.isa, &mut ControlPlane::default())
            .map_err(|error| CompileError::Backend(format!("{:?}", error.inner)))?;
        let Some(compiled) = self.context.compiled_code() else {
            return Err(CompileError::Backend("no code was made".into()));
        };
        let frame = compiled
            .buffer
            .frame_layout()
            .map_or(0, |layout| layout.frame_to_fp_offset);
        if frame > MAX_FRAME_BYTES {
            return Err(CompileError::LargeFrame(frame));
        }
        Ok(MachineCode::new(&job.name, compiled, &self.context.func)?)
    }
}
