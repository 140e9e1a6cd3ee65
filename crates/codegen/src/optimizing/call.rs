//! Calls, and bytecode instructions that are left to the interpreter's handlers.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value as ClifValue, types};
use kiln_bytecode::{Instruction, Op, Register, Role, register_written};
use kiln_ssa::ir::{FrameId, Kinds, Node, Site, Value, runtime_inputs};
use kiln_vm::Value as Word;
use kiln_vm::feedback::CodeInstance;
use kiln_vm::frame::Frame;
use kiln_vm::heap::Header;
use kiln_vm::object::function::FunctionCell;
use kiln_vm::tier::{self, layout};
use kiln_vm::value::Tag;

use super::lower::Lowering;
use crate::emit::Emit;

impl Lowering<'_, '_> {
    /// Lowers an instruction of this family: its result, if it has one; none if it is of another.
    pub(super) fn lower_call(&mut self, node: &Node) -> Option<Option<ClifValue>> {
        Some(match node {
            Node::RuntimeValue {
                site,
                inputs,
                frame,
            } if site.op == Op::Call => Some(self.call_any(*site, inputs, *frame)),
            Node::RuntimeValue {
                site,
                inputs,
                frame,
            } => {
                self.run(*site, inputs, *frame);
                let window = self.function.frames[*frame].window;
                let written = register_written(self.instruction(*site))?;
                Some(self.load_window(window, written))
            }
            Node::RuntimeEffect {
                site,
                inputs,
                frame,
            } => {
                self.run(*site, inputs, *frame);
                None
            }
            Node::RuntimeTest {
                site,
                inputs,
                frame,
            } => Some(self.test(*site, inputs, *frame)),
            Node::CallKnown {
                code,
                site,
                inputs,
                frame,
            } => {
                let window = self.function.frames[*frame].window + self.call_window(*site);
                for (slot, value) in inputs.iter().enumerate() {
                    let word = self.value(*value);
                    self.store_register(window, Register(slot as u16), word);
                }
                let instance = self.word(self.job.places.codes[*code].address);
                let entry = self.load(types::I64, instance, Self::ENTRY);
                Some(self.enter(*site, *frame, window, instance, entry))
            }
            _ => return None,
        })
    }

    /// Calls a function of the runtime that takes the interpreter and three words at most, and may fail or look at the frames, which are
    /// those of the frame state; its result.
    pub(super) fn call_runtime(
        &mut self,
        frame: FrameId,
        function: *const (),
        arguments: &[ClifValue],
    ) -> ClifValue {
        let is_inlined = self.enter_inlined_frames(frame);
        let state = &self.function.frames[frame];
        let next = self.job.instruction_address(state.code, state.position + 1);
        self.set_next(frame, next);
        let mut words = vec![self.vm];
        words.extend_from_slice(arguments);
        let signature = match words.len() {
            0..=2 => self.signatures.two,
            3 => self.signatures.three,
            _ => self.signatures.four,
        };
        let function = self.word(function as u64);
        let call = self
            .builder
            .ins()
            .call_indirect(signature, function, &words);
        let result = self.builder.inst_results(call)[0];
        let failed = self.is_word(result, tier::THROWN);
        let thrown = self.thrown;
        self.refuse(failed, thrown);
        if is_inlined {
            self.leave_inlined_frames(frame);
        }
        result
    }

    /// Calls whatever function stands in the window: through its entry if it is a script's and takes just these arguments, else in the
    /// interpreter's handler.
    fn call_any(&mut self, site: Site, inputs: &[Value], frame: FrameId) -> ClifValue {
        let instruction = self.instruction(site);
        let callee = self.value(inputs[0]);
        let (slow, done) = (self.cold_block(), self.builder.create_block());
        self.builder.append_block_param(done, types::I64);
        if !self.function.ty(inputs[0]).kinds.is_within(Kinds::FUNCTION) {
            let is_function = self.has_tag(callee, Tag::Function);
            self.require(is_function, slow);
        }
        let function = self.address_in(callee, Tag::Function);
        let flags = self.load_byte(function, offset_of!(Header, flags));
        let intrinsic = i64::from(FunctionCell::INTRINSIC_FLAG);
        let is_intrinsic = self.builder.ins().band_imm_u(flags, intrinsic);
        self.refuse(is_intrinsic, slow);
        let code = self.load(types::I64, function, FunctionCell::CODE_OFFSET);
        let parameters = self.load(types::I64, code, offset_of!(CodeInstance, parameter_count));
        let arguments = i64::from(instruction.flags());
        let fits = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, parameters, arguments);
        self.require(fits, slow);
        let window = self.function.frames[frame].window + self.call_window(site);
        let absent = self.word(Word::UNASSIGNED.bits());
        self.store_register(window, Register::SELF, absent);
        self.store_register(window, Register::SUPER, absent);
        let block = &self.job.input.codes[site.code].block;
        let registers = runtime_inputs(block, instruction);
        let own = self.function.frames[frame].window;
        for (register, value) in registers.into_iter().zip(inputs) {
            let word = self.value(*value);
            self.store_register(own, register, word);
        }
        let entry = self.load(types::I64, code, Self::ENTRY);
        let result = self.enter(site, frame, window, code, entry);
        self.builder.ins().jump(done, &[result.into()]);
        self.builder.switch_to_block(slow);
        self.run(site, inputs, frame);
        let result = match register_written(instruction) {
            Some(written) => self.load_window(own, written),
            None => self.word(Word::NULL.bits()),
        };
        self.builder.ins().jump(done, &[result.into()]);
        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    /// Runs a function whose window, which begins at this register of the outermost frame's, is in order; its result.
    fn enter(
        &mut self,
        site: Site,
        frame: FrameId,
        window: u32,
        instance: ClifValue,
        entry: ClifValue,
    ) -> ClifValue {
        let is_inlined = self.enter_inlined_frames(frame);
        let next = self.job.instruction_address(site.code, site.position + 1);
        self.set_next(frame, next);
        let (vm, base) = (self.vm, self.window);
        let base = self.builder.ins().iadd_imm_s(base, i64::from(window) * 8);
        let at_start = self.word(0);
        let call = self.builder.ins().call_indirect(
            self.signatures.four,
            entry,
            &[vm, base, instance, at_start],
        );
        let result = self.builder.inst_results(call)[0];
        let failed = self.is_word(result, tier::THROWN);
        let thrown = self.thrown;
        self.refuse(failed, thrown);
        if is_inlined {
            self.leave_inlined_frames(frame);
        }
        result
    }

    fn instruction(&self, site: Site) -> Instruction {
        self.job.input.codes[site.code].instruction(site.position)
    }

    /// The register in which the window of a call begins: a read that calls what it finds lays it behind the frame's own window.
    fn call_window(&self, site: Site) -> u32 {
        let instruction = self.instruction(site);
        let operands = site.op.info().operands;
        match operands.iter().find(|operand| operand.role == Role::Window) {
            Some(window) => u32::from(instruction.field(window.field)),
            None => self.job.input.codes[site.code].block.register_count,
        }
    }

    fn load_window(&mut self, window: u32, register: Register) -> ClifValue {
        let base = self.window;
        self.load(
            types::I64,
            base,
            (window as usize + usize::from(register.0)) * 8,
        )
    }

    /// Tells where the innermost of a frame state's frames, which have been entered, goes on.
    fn set_next(&mut self, frame: FrameId, next: u64) {
        let depth = self.chain(frame).len() - 1;
        let next = self.word(next);
        let place = depth * layout::FRAME_SIZE + offset_of!(Frame, next);
        self.store(next, self.record, place as i32);
    }

    /// Executes a bytecode instruction in the interpreter's handler; the position of the next one.
    fn run_handler(&mut self, site: Site, inputs: &[Value], frame: FrameId) -> ClifValue {
        let state = &self.function.frames[frame];
        let window = state.window;
        let instruction = self.instruction(site);
        let block = &self.job.input.codes[site.code].block;
        // Every handler may look at the callee.
        if state.caller.is_some()
            && let Some((register, value)) = state.registers.first()
            && *register == Register::CALLEE
        {
            let word = self.boxed(*value);
            self.store_register(window, Register::CALLEE, word);
        }
        for (register, value) in runtime_inputs(block, instruction).into_iter().zip(inputs) {
            let word = self.value(*value);
            self.store_register(window, register, word);
        }
        let is_inlined = self.enter_inlined_frames(frame);
        let vm = self.vm;
        if site.op.polls() {
            self.keep_loop();
        }
        let next = self.word(self.job.instruction_address(site.code, site.position + 1));
        let handler = self.word(tier::out_of_line(site.op) as usize as u64);
        let call = self
            .builder
            .ins()
            .call_indirect(self.signatures.two, handler, &[vm, next]);
        let position = self.builder.inst_results(call)[0];
        let gone = self
            .builder
            .ins()
            .icmp_imm_s(IntCC::Equal, position, tier::GONE as i64);
        let thrown = self.thrown;
        self.refuse(gone, thrown);
        if is_inlined {
            self.leave_inlined_frames(frame);
        }
        position
    }

    /// Forbids other optimized code to take over the loop of the instruction that is executed by its handler next.
    fn keep_loop(&mut self) {
        let vm = self.vm;
        let flag = self.builder.ins().iconst(types::I8, 1);
        self.store(flag, vm, layout::KEEPS_LOOPS as i32);
    }

    /// Executes a bytecode instruction that continues at the next one; leaves if it continues elsewhere, on its invoke path.
    fn run(&mut self, site: Site, inputs: &[Value], frame: FrameId) {
        let position = self.run_handler(site, inputs, frame);
        let expected = i64::from(site.position) + 1;
        let goes_on = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, position, expected);
        let elsewhere = self.cold_block();
        self.require(goes_on, elsewhere);
        self.leave_for(elsewhere, position, frame);
    }

    /// Executes a bytecode instruction that branches; whether it jumps.
    fn test(&mut self, site: Site, inputs: &[Value], frame: FrameId) -> ClifValue {
        let target = self
            .instruction(site)
            .jump_target(site.position)
            .unwrap_or_default();
        let position = self.run_handler(site, inputs, frame);
        let jumps = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, position, target);
        let next = i64::from(site.position) + 1;
        let goes_on = self.builder.ins().icmp_imm_u(IntCC::Equal, position, next);
        let either = self.builder.ins().bor(jumps, goes_on);
        let elsewhere = self.cold_block();
        self.require(either, elsewhere);
        self.leave_for(elsewhere, position, frame);
        jumps
    }
}
