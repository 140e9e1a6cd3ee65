//! Machine code as text, for people.

use std::fmt::Write;
use std::sync::Arc;

use kiln_bytecode::{CodeBlock, Op};
use kiln_codegen::baseline::{self, CompileError, Compiler, Job};
use kiln_codegen::code_memory::{CodeMemory, CodeMemoryError, CodeMemoryOptions, MachineCode};
use kiln_codegen::disassembly;
use kiln_vm::frame::Limits;
use kiln_vm::host::NoHost;
use kiln_vm::vm::StartError;
use kiln_vm::{Vm, tier};
use thiserror::Error;

/// A form of compiled code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeForm {
    /// Cranelift's intermediate form.
    Clif,
    /// Machine instructions, between the bytecode and the source lines that they were made from.
    Assembly,
}

/// Why there is no machine code to be shown.
#[derive(Debug, Error)]
pub enum MachineCodeError {
    /// No interpreter can be set up.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The program cannot be loaded.
    #[error("the program cannot be loaded")]
    Load,
    /// The code cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The code cannot be placed in memory.
    #[error(transparent)]
    Memory(#[from] CodeMemoryError),
    /// There is no function with that name.
    #[error("there is no function named {0}")]
    NoSuchFunction(String),
}

/// What the baseline compiler makes of a program, or of its functions of one name, before it has run: code that has run is compiled
/// with what its inline caches have seen.
///
/// # Errors
/// There is no such function, or it cannot be compiled on this machine.
pub fn machine_code(
    program: &Arc<CodeBlock>,
    source: &str,
    function: Option<&str>,
    form: CodeForm,
) -> Result<String, MachineCodeError> {
    let mut vm = Vm::new(Limits::default(), Box::new(NoHost))?;
    let mut compiler = Compiler::new()?;
    let mut memory = CodeMemory::new(CodeMemoryOptions::default());
    let mut text = String::new();
    let mut pending = vec![program.clone()];
    while let Some(block) = pending.pop() {
        pending.extend(block.functions.iter().rev().cloned());
        if function.is_some_and(|name| *block.name != *name) {
            continue;
        }
        let code = vm.instantiate(&block).map_err(|_| MachineCodeError::Load)?;
        // SAFETY: instances live as long as their interpreter.
        let job = Job::new(&vm, unsafe { &*code });
        let mut listing = baseline::Listing::default();
        let machine_code = compiler.compile(&job, Some(&mut listing))?;
        let separator = if text.is_empty() { "" } else { "\n" };
        match form {
            CodeForm::Clif => {
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "{separator}{}:\n{}",
                    job.name,
                    listing.clif.trim_end()
                );
            }
            CodeForm::Assembly => {
                let handle = memory.publish(&machine_code, |_| None)?;
                if let Some(listing) = disassembly::Listing::new(&memory, handle, &block) {
                    let listing = listing.with_source(source).with_names(&name_of);
                    let _ = write!(text, "{separator}{listing}");
                }
                memory.free(handle);
            }
        }
    }
    match function {
        Some(name) if text.is_empty() => Err(MachineCodeError::NoSuchFunction(name.to_owned())),
        _ => Ok(text),
    }
}

/// Machine code that was made from a block, as text; else why it cannot be shown.
pub(super) fn assembly(code: &MachineCode, block: &CodeBlock) -> String {
    let mut memory = CodeMemory::new(CodeMemoryOptions::default());
    match memory.publish(code, |_| None) {
        Ok(handle) => disassembly::Listing::new(&memory, handle, block)
            .map(|listing| listing.with_names(&name_of).to_string())
            .unwrap_or_default(),
        Err(error) => format!("{error}\n"),
    }
}

/// What compiled code calls at an address.
fn name_of(address: u64) -> Option<String> {
    let address = address as usize;
    if address == tier::make_room as *const () as usize {
        return Some("make room".into());
    }
    if address == tier::call_is_hot as *const () as usize {
        return Some("call is hot".into());
    }
    let ops = (0..=u8::MAX).filter_map(Op::from_byte);
    let mut handlers = ops.map(|op| (tier::out_of_line(op) as usize, op));
    let (_, op) = handlers.find(|(handler, _)| *handler == address)?;
    Some(format!("{} out of line", op.info().name))
}
