//! Calls, returns, entering and leaving frames.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_bytecode::{Instruction, Op};
use kiln_vm::Value as Word;
use kiln_vm::feedback::{Access, CodeInstance, FeedbackCell};
use kiln_vm::frame::Frame;
use kiln_vm::heap::Header;
use kiln_vm::object::function::FunctionCell;
use kiln_vm::tier::{self, layout};
use kiln_vm::value::Tag;

use super::sites::Known;
use super::translator::Translator;

/// What a read calls if it finds a function.
#[derive(Clone, Copy)]
pub(super) enum Invoked {
    /// A variable's value; the feedback cell that records it, if one does.
    Variable(Option<usize>),
    /// A member of an object.
    Member { index: usize, object: Value },
}

impl Translator<'_, '_> {
    /// Enters the frame of a call whose window is in order: counts, checks the stacks, and writes the record.
    pub(super) fn enter_frame(&mut self) {
        let code = self.word(self.job.code);
        let vm = self.vm;
        let countdown = self.word(self.job.calls_address());
        let remaining = self.load(types::I32, countdown, 0);
        let remaining = self.builder.ins().iadd_imm_s(remaining, -1);
        self.store(remaining, countdown, 0);
        let (hot, counted) = (self.cold_block(), self.new_block());
        self.builder.ins().brif(remaining, counted, &[], hot, &[]);
        self.builder.switch_to_block(hot);
        let notice = self.word(tier::call_is_hot as *const () as u64);
        self.builder
            .ins()
            .call_indirect(self.notice, notice, &[vm, code]);
        self.builder.ins().jump(counted, &[]);
        self.builder.switch_to_block(counted);

        let bytes = i64::from(self.job.block.register_count) * 8;
        let window = self.window;
        let end = self.builder.ins().iadd_imm_s(window, bytes);
        let limit = self.word(self.job.limit);
        let limit = self.load(types::I64, limit, 0);
        let is_beyond = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, end, limit);
        let (full, fits) = (self.cold_block(), self.new_block());
        self.refuse(is_beyond, full);
        let here = self.builder.ins().get_stack_pointer(types::I64);
        let lowest = self.load(types::I64, vm, layout::STACK_LIMIT);
        let is_used_up = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, here, lowest);
        self.builder.ins().brif(is_used_up, full, &[], fits, &[]);
        self.builder.switch_to_block(full);
        let make_room = self.word(tier::make_room as *const () as u64);
        let call = self
            .builder
            .ins()
            .call_indirect(self.room, make_room, &[vm, code, window]);
        let refused = self.builder.inst_results(call)[0];
        let thrown = self.thrown;
        self.builder.ins().brif(refused, thrown, &[], fits, &[]);
        self.builder.switch_to_block(fits);

        let top = self.frames_top();
        // Where the frame goes on is written before anything looks: by its calls, and by instructions executed out of line.
        self.store(code, top, offset_of!(Frame, code));
        self.store(window, top, offset_of!(Frame, base));
        let top = self
            .builder
            .ins()
            .iadd_imm_s(top, layout::FRAME_SIZE as i64);
        self.store(top, vm, layout::FRAMES_TOP);
    }

    pub(super) fn return_value(&mut self, instruction: Instruction) {
        let result = self.bits(instruction.a());
        let top = self.frames_top();
        let top = self
            .builder
            .ins()
            .iadd_imm_s(top, -(layout::FRAME_SIZE as i64));
        let vm = self.vm;
        self.store(top, vm, layout::FRAMES_TOP);
        self.builder.ins().return_(&[result]);
        self.is_open = false;
    }

    /// The code instance of a script function that takes this many arguments, none of them shifted; else goes to `slow`.
    fn script_code(&mut self, function: Value, arguments: u8, slow: ir::Block) -> Value {
        let flags = self.load_byte(function, offset_of!(Header, flags));
        let intrinsic = i64::from(FunctionCell::INTRINSIC_FLAG);
        let is_intrinsic = self.builder.ins().band_imm_u(flags, intrinsic);
        self.refuse(is_intrinsic, slow);
        let code = self.load(types::I64, function, FunctionCell::CODE_OFFSET);
        let parameters = self.load(types::I64, code, offset_of!(CodeInstance, parameter_count));
        let fits = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, parameters, i64::from(arguments));
        self.require(fits, slow);
        code
    }

    /// Records which code a call site calls, as [`FeedbackCell::record_target`] does.
    fn record_target(&mut self, index: usize, code: Value) {
        let feedback = self.word(self.job.feedback_address(index));
        let known = self.load(types::I64, feedback, offset_of!(FeedbackCell, target));
        let same = self.builder.ins().icmp(IntCC::Equal, known, code);
        let (other, done) = (self.cold_block(), self.new_block());
        self.builder.ins().brif(same, done, &[], other, &[]);
        self.builder.switch_to_block(other);
        self.store(code, feedback, offset_of!(FeedbackCell, target));
        let targets = self.load_byte(feedback, offset_of!(FeedbackCell, targets));
        let full = self.builder.ins().icmp_imm_u(IntCC::Equal, targets, 255);
        let more = self.builder.ins().iadd_imm_s(targets, 1);
        let targets = self.builder.ins().select(full, targets, more);
        let offset = offset_of!(FeedbackCell, targets) as i32;
        self.builder
            .ins()
            .istore8(super::translator::trusted(), targets, feedback, offset);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// Runs a script function whose arguments stand in the window that begins at register `first`, and goes to `merge` with the result.
    fn enter_code(
        &mut self,
        instruction: Instruction,
        code: Value,
        feedback: Option<usize>,
        first: usize,
        merge: ir::Block,
    ) {
        if let Some(index) = feedback {
            self.record_target(index, code);
        }
        let next = self.word(self.job.instruction_address(self.position + 1));
        let top = self.frames_top();
        let record = offset_of!(Frame, next) as i32 - layout::FRAME_SIZE as i32;
        self.builder
            .ins()
            .store(super::translator::trusted(), next, top, record);
        let vm = self.vm;
        let window = self.window;
        let callee_window = self.builder.ins().iadd_imm_s(window, (first * 8) as i64);
        let entry = self.load(types::I64, code, offset_of!(CodeInstance, entry));
        let at_start = self.word(0);
        let call = self.builder.ins().call_indirect(
            self.entry,
            entry,
            &[vm, callee_window, code, at_start],
        );
        let result = self.builder.inst_results(call)[0];
        let thrown = self.word(tier::THROWN);
        let failed = self.builder.ins().icmp(IntCC::Equal, result, thrown);
        let block = self.thrown;
        self.refuse(failed, block);
        self.finish_fast(merge, instruction.a(), result);
    }

    /// Goes to `slow` if calls of the code as a method need `super`, or the object among the arguments.
    fn refuse_special(&mut self, code: Value, slow: ir::Block) {
        let special = self.load(types::I8, code, offset_of!(CodeInstance, uses_super));
        self.refuse(special, slow);
        let special = self.load(types::I8, code, offset_of!(CodeInstance, self_parameter));
        self.refuse(special, slow);
    }

    /// Ends the fast path of a read that calls what it finds: `value`, or the result of its call if it is a function. Functions that
    /// are not `invoked`, or are not simply a script's, are left to the handler.
    pub fn invoke_or_finish(
        &mut self,
        instruction: Instruction,
        value: Value,
        invoked: Option<Invoked>,
        slow: ir::Block,
        merge: ir::Block,
    ) {
        let Some(invoked) = invoked else {
            self.refuse_function(value, slow);
            return self.finish_fast(merge, instruction.a(), value);
        };
        let plain = self.new_block();
        let function = self.cell_of(value, Tag::Function, plain);
        let code = self.script_code(function, 0, slow);
        let absent = self.word(Word::UNASSIGNED.bits());
        let (feedback, receiver) = match invoked {
            Invoked::Variable(index) => (index, absent),
            Invoked::Member { index, object } => {
                self.refuse_special(code, slow);
                (Some(index), object)
            }
        };
        // The window lies behind the frame's registers, in the red zone at worst until the callee has checked the limit.
        let first = self.job.block.register_count as usize;
        let window = self.window;
        for (slot, word) in [value, receiver, absent].into_iter().enumerate() {
            self.store(word, window, (first + slot) * 8);
        }
        self.enter_code(instruction, code, feedback, first, merge);
        self.builder.switch_to_block(plain);
        self.finish_fast(merge, instruction.a(), value);
    }

    pub(super) fn call(&mut self, op: Op, instruction: Instruction) {
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let callee = self.bits(instruction.b());
        if let Known::Intrinsic { function, shortcut } = self.known_callee(instruction)
            && let Some(result) =
                self.shortcut_result(shortcut, instruction, callee, function, slow)
        {
            self.finish_fast(merge, instruction.a(), result);
            return self.complete(op, instruction, slow, merge);
        }
        let function = self.cell_of(callee, Tag::Function, slow);
        let code = self.script_code(function, instruction.flags(), slow);
        let window = self.window;
        let absent = self.word(Word::UNASSIGNED.bits());
        self.store(absent, window, Self::slot(instruction.b() + 1));
        self.store(absent, window, Self::slot(instruction.b() + 2));
        let index = usize::from(instruction.c());
        let first = usize::from(instruction.b());
        self.enter_code(instruction, code, Some(index), first, merge);
        self.complete(op, instruction, slow, merge);
    }

    pub(super) fn call_member(&mut self, op: Op, instruction: Instruction) {
        let index = usize::from(instruction.c());
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let object = self.bits(instruction.b() + 1);
        if let Some((entry, method)) = self.job.sites[index].built_in_method() {
            let other = self.new_block();
            self.built_in_method(instruction, object, entry, method, other, slow, merge);
            self.builder.switch_to_block(other);
        }
        let member = self.load_member(index, object, Access::Inherited, slow);
        let function = self.cell_of(member, Tag::Function, slow);
        let code = self.script_code(function, instruction.flags(), slow);
        // What needs `super`, or the object among the arguments, is left to the handler.
        self.refuse_special(code, slow);
        let window = self.window;
        self.store(member, window, Self::slot(instruction.b()));
        let index = usize::from(instruction.c());
        let first = usize::from(instruction.b());
        self.enter_code(instruction, code, Some(index), first, merge);
        self.complete(op, instruction, slow, merge);
    }

    pub(super) fn invoke(&mut self, op: Op, instruction: Instruction) {
        if self.is_number(instruction.b()) {
            let value = self.value(instruction.b());
            self.set(instruction.a(), value);
            return;
        }
        let bits = self.bits(instruction.b());
        let slow = self.cold_block();
        let merge = self.merge_block(&[instruction.a()]);
        let index = usize::from(instruction.c());
        let calls = self.job.sites[index].calls_script;
        let invoked = calls.then_some(Invoked::Variable(Some(index)));
        self.invoke_or_finish(instruction, bits, invoked, slow, merge);
        self.complete(op, instruction, slow, merge);
    }
}
