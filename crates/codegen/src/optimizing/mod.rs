//! The optimizing compiler's back end: from the optimizer's SSA form to machine code.
//!
//! | file | contents |
//! |---|---|
//! | [`snapshot`] | what a compile job needs, copied from code instances and their feedback |
//! | [`lower`] | blocks, entry, and which family lowers an instruction |
//! | `arith`, `compare`, `access`, `allocation`, `call`, `control` | the instruction families |
//! | [`exits`] | leaving for the interpreter: frames and registers as a frame state says |
//! | [`faults`] | leaving on purpose, for tests |

mod access;
mod allocation;
mod arith;
mod call;
mod compare;
mod control;
mod exits;
mod faults;
mod keys;
mod lower;
mod snapshot;
mod strings;

use std::time::Duration;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_frontend::FunctionBuilderContext;
use kiln_ssa::ir::{Dependency, Function};
use kiln_ssa::pipeline::{self, OptimizeError};
use kiln_vm::tier::Exit;
use thiserror::Error;

pub use faults::Faults;
pub use kiln_ssa::ir::{Dependency as Assumption, Kinds};
pub use kiln_ssa::job::{CodeId, CompileJob, ConstantId, GlobalId};
pub use kiln_ssa::pipeline::Options as PassOptions;
pub use kiln_ssa::summary;
pub use snapshot::{Failed, OptimizingJob, Places};

use crate::baseline::{CompileError, MAX_FRAME_BYTES, new_isa};
use crate::code_memory::MachineCode;

/// Why a function is not optimized. It keeps the code it has.
#[derive(Debug, Error)]
pub enum OptimizingError {
    /// The optimizer declines or has a defect.
    #[error(transparent)]
    Optimize(#[from] OptimizeError),
    /// The code generator declines.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// The places where code can be left. The code mentions their addresses.
pub type Exits = Vec<ExitPlace>;

/// A place where code can be left.
pub struct ExitPlace {
    /// What the code mentions, at an address that does not change.
    pub exit: Box<Exit>,
    /// What was expected there, if the job asks for a summary.
    pub guard: Option<summary::Guard>,
}

/// Optimized machine code with what goes with it.
pub struct OptimizedCode {
    /// The code.
    pub machine_code: MachineCode,
    /// The places where it can be left. The code contains their addresses.
    pub exits: Exits,
    /// What it takes for granted.
    pub dependencies: Vec<Dependency>,
    /// The number of instructions of the optimized function.
    pub instructions: usize,
    /// The time the optimizer took, without the code generator.
    pub optimizer_time: Duration,
    /// What became of the function, if the job asks for it.
    pub summary: Option<Box<summary::Summary>>,
}

/// A compiler with its scratch memory. One is used by one thread at a time.
pub struct OptimizingCompiler {
    isa: OwnedTargetIsa,
    context: Context,
    function_context: FunctionBuilderContext,
}

/// What a compilation shows on request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The function after each pass: the pass's name and the text.
    pub steps: Vec<(&'static str, String)>,
    /// Cranelift's intermediate form.
    pub clif: String,
}

impl OptimizingCompiler {
    /// A compiler for this machine.
    ///
    /// # Errors
    /// Nothing can be compiled for it.
    pub fn new() -> Result<OptimizingCompiler, CompileError> {
        Ok(OptimizingCompiler {
            isa: new_isa()?,
            context: Context::new(),
            function_context: FunctionBuilderContext::new(),
        })
    }

    /// Compiles a job by these passes.
    ///
    /// # Errors
    /// The function is too large for the optimizer, or the code generator refuses it.
    pub fn compile(
        &mut self,
        job: &OptimizingJob,
        passes: &pipeline::Options,
        mut listing: Option<&mut Listing>,
    ) -> Result<OptimizedCode, OptimizingError> {
        let mut optimizer_time = Duration::ZERO;
        let function = pipeline::optimize(&job.input, passes, &mut |step, function: &Function| {
            optimizer_time += step.time;
            if let Some(listing) = &mut listing {
                listing.steps.push((step.pass, function.to_string()));
            }
        })?;
        self.context.clear();
        let exits = lower::lower(
            job,
            &function,
            &mut self.context.func,
            &mut self.function_context,
            self.isa.frontend_config(),
        )?;
        if let Some(listing) = listing {
            listing.clif = self.context.func.display().to_string();
        }
        self.context
            .compile(&*self.isa, &mut ControlPlane::default())
            .map_err(|error| CompileError::Backend(format!("{:?}", error.inner)))?;
        let Some(compiled) = self.context.compiled_code() else {
            return Err(CompileError::Backend("no code was made".into()).into());
        };
        let frame = compiled
            .buffer
            .frame_layout()
            .map_or(0, |layout| layout.frame_to_fp_offset);
        if frame > MAX_FRAME_BYTES {
            return Err(CompileError::LargeFrame(frame).into());
        }
        let machine_code = MachineCode::new(&job.name, compiled, &self.context.func)
            .map_err(CompileError::Relocation)?;
        let summary = job
            .wants_summary
            .then(|| Box::new(summary::summarize(&job.input, &function)));
        Ok(OptimizedCode {
            machine_code,
            summary,
            exits,
            instructions: function
                .layout
                .iter()
                .map(|block| function.blocks[*block].instructions.len())
                .sum(),
            dependencies: function.dependencies,
            optimizer_time,
        })
    }
}
