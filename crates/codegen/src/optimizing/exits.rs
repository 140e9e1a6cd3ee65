//! Leaving for the interpreter.
//!
//! There is one cold block for each frame state, shared by all that leave with it. It writes the registers into the windows, enters the
//! frames of inlined functions, and calls the runtime. That brings a call to its end in the interpreter; code for a loop returns to the
//! interpreter that entered it, which goes on.

use std::cell::Cell;
use std::mem::offset_of;

use cranelift_codegen::ir::{self, InstBuilder, Value as ClifValue, types};
use kiln_bytecode::Register;
use kiln_ssa::ir::{Entry, FrameId, FrameState, Inst};
use kiln_ssa::summary;
use kiln_vm::frame::Frame;
use kiln_vm::object::map::globals::GlobalCell;
use kiln_vm::tier::{self, Exit, ExitKind, layout};

use super::ExitPlace;
use super::lower::Lowering;
use crate::emit::Emit;

/// A block that leaves compiled code, whose own code is made last.
pub(super) struct Leave {
    block: ir::Block,
    frame: FrameId,
    kind: ExitKind,
    /// The instruction that leaves.
    inst: Option<Inst>,
    /// Where the interpreter goes on, if not at the frame state's position.
    position: Option<ClifValue>,
}

impl Lowering<'_, '_> {
    /// A cold block that leaves with this frame state, before the instruction there.
    pub fn exit(&mut self, frame: FrameId, kind: ExitKind) -> ir::Block {
        let block = self.cold_block();
        self.pending_leaves.push(Leave {
            block,
            frame,
            kind,
            inst: self.current,
            position: None,
        });
        if kind == ExitKind::Guard {
            self.fail_guard_on_purpose(block);
        }
        block
    }

    /// Lets `block` leave with this frame state, but for another position of its code.
    pub fn leave_for(&mut self, block: ir::Block, position: ClifValue, frame: FrameId) {
        self.pending_leaves.push(Leave {
            block,
            frame,
            kind: ExitKind::Guard,
            inst: self.current,
            position: Some(position),
        });
    }

    /// Makes the code of a block that leaves: it tells where the interpreter goes on, and why.
    fn lower_leave(&mut self, leave: &Leave) {
        self.builder.switch_to_block(leave.block);
        let state = &self.function.frames[leave.frame];
        let next = match leave.position {
            None => self.word(self.job.instruction_address(state.code, state.position)),
            Some(position) => {
                let bytes = self.builder.ins().ishl_imm_u(position, 3);
                let first = self.word(self.job.instruction_address(state.code, 0));
                self.builder.ins().iadd(first, bytes)
            }
        };
        let (code, position) = state.origin();
        let exit = Box::new(Exit {
            code: self.job.places.codes[code].address as *const _,
            position,
            kind: leave.kind,
            count: Cell::new(0),
        });
        let address = self.word(std::ptr::from_ref(&*exit) as u64);
        let wants_guard = leave.inst.filter(|_| self.job.wants_summary);
        let guard = wants_guard.and_then(|inst| summary::guard(self.function, inst));
        self.exits.push(ExitPlace { exit, guard });
        let block = match self.exit_blocks.get(&leave.frame) {
            Some(block) => *block,
            None => {
                let block = self.cold_block();
                self.builder.append_block_param(block, types::I64);
                self.builder.append_block_param(block, types::I64);
                self.exit_blocks.insert(leave.frame, block);
                self.pending_exits.push((leave.frame, block));
                block
            }
        };
        self.builder
            .ins()
            .jump(block, &[next.into(), address.into()]);
    }

    /// Makes the code of all exit blocks.
    pub fn lower_exits(&mut self) {
        for leave in std::mem::take(&mut self.pending_leaves) {
            self.lower_leave(&leave);
        }
        for (frame, block) in std::mem::take(&mut self.pending_exits) {
            self.builder.switch_to_block(block);
            let vm = self.vm;
            let record = self.record;
            for state in self.chain(frame) {
                self.write_registers(&state);
                for (global, value) in &state.globals {
                    let cell = self.global(*global);
                    let boxed = self.boxed(*value);
                    self.store(boxed, cell, offset_of!(GlobalCell, value) as i32);
                }
            }
            self.enter_inlined_frames(frame);
            let (next, exit) = {
                let parameters = self.builder.block_params(block);
                (parameters[0], parameters[1])
            };
            let leave = match self.function.entry {
                Entry::Call => tier::leave_optimized as *const (),
                Entry::Loop(_) => tier::leave_loop as *const (),
            };
            let leave = self.word(leave as u64);
            let call = self.builder.ins().call_indirect(
                self.signatures.four,
                leave,
                &[vm, next, record, exit],
            );
            let result = self.builder.inst_results(call)[0];
            self.builder.ins().return_(&[result]);
        }
    }

    /// A frame state and those of its callers, the outermost first.
    pub fn chain(&self, frame: FrameId) -> Vec<FrameState> {
        let mut chain = Vec::new();
        let mut next = Some(frame);
        while let Some(frame) = next {
            let state = &self.function.frames[frame];
            chain.push(state.clone());
            next = state.caller;
        }
        chain.reverse();
        chain
    }

    /// Writes the registers of a frame. Objects that nothing needed so far are made now; that may collect garbage, to which a
    /// half-written window is no matter, as what is still to be written lies on the native stack.
    fn write_registers(&mut self, state: &FrameState) {
        for (register, value) in &state.registers {
            let boxed = self.boxed(*value);
            self.store_register(state.window, *register, boxed);
        }
    }

    /// Writes a register of a frame.
    pub fn store_register(&mut self, window: u32, register: Register, value: ClifValue) {
        let base = self.window;
        let offset = (window + u32::from(register.0)) * 8;
        self.store(value, base, offset as i32);
    }

    /// Writes the records of the frames of inlined functions, and where their callers go on. The innermost one's next instruction is left
    /// to the runtime. True if there are any.
    pub fn enter_inlined_frames(&mut self, frame: FrameId) -> bool {
        let chain = self.chain(frame);
        if chain.len() < 2 {
            return false;
        }
        let record = self.record;
        for (depth, pair) in chain.windows(2).enumerate() {
            let (caller, inlined) = (&pair[0], &pair[1]);
            let place = |depth: usize, field: usize| (depth * layout::FRAME_SIZE + field) as i32;
            let next = self.word(
                self.job
                    .instruction_address(caller.code, caller.position + 1),
            );
            self.store(next, record, place(depth, offset_of!(Frame, next)));
            let code = self.word(self.job.places.codes[inlined.code].address);
            let window = self.window;
            let base = self
                .builder
                .ins()
                .iadd_imm_s(window, i64::from(inlined.window) * 8);
            self.store(code, record, place(depth + 1, offset_of!(Frame, code)));
            self.store(base, record, place(depth + 1, offset_of!(Frame, base)));
            let first = self.word(self.job.instruction_address(inlined.code, 0));
            self.store(first, record, place(depth + 1, offset_of!(Frame, next)));
        }
        self.set_frames_top(chain.len());
        true
    }

    /// Takes the records of inlined functions away again.
    pub fn leave_inlined_frames(&mut self, frame: FrameId) {
        if self.chain(frame).len() > 1 {
            self.set_frames_top(1);
        }
    }
}
