//! The state of a translation, and what all instruction families use: registers, memory, out-of-line instructions, entry and return.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{
    self, AbiParam, BlockArg, Function, InstBuilder, MemFlagsData, SigRef, Signature, SourceLoc,
    Type, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Switch, Variable};
use kiln_bytecode::{Instruction, Op, Register, register_written};
use kiln_vm::tier::{self, layout};
use kiln_vm::value::Tag;

use super::analysis::{Analysis, Numbers, full_instruction, may_change_others};
use super::{CompileError, Job};
use crate::emit::Emit;

/// The upper 16 bits of a word.
pub(super) const TAG_SHIFT: i64 = 48;

/// Accesses to memory of the runtime never trap.
pub(super) fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

/// The translation of one code block.
pub(super) struct Translator<'job, 'function> {
    pub job: &'job Job,
    pub analysis: &'job Analysis<'job>,
    pub builder: FunctionBuilder<'function>,
    /// Blocks of the function, by the number of the basic block.
    blocks: Vec<ir::Block>,
    variables: Vec<Variable>,
    /// What is known at the instruction being translated.
    pub numbers: Numbers,
    /// Values of global variables' registers, and the block in which they were loaded or stored: as long as the translation is in that
    /// block no other code has run.
    bound: Vec<Option<(Value, ir::Block)>>,
    /// The interpreter.
    pub vm: Value,
    /// The frame's window.
    pub window: Value,
    /// How the function was entered.
    at: Value,
    /// Leaves with [`tier::THROWN`].
    pub thrown: ir::Block,
    /// Leaves after optimized code has taken over, if there is a loop.
    taken_over: Option<ir::Block>,
    out_of_line: SigRef,
    pub entry: SigRef,
    pub room: SigRef,
    pub notice: SigRef,
    /// The instruction being translated, behind its prefix if it has one.
    pub position: u32,
    /// Whether the processor rounds doubles to whole numbers in one instruction.
    pub rounds: bool,
    /// Whether the basic block being translated is seldom reached.
    is_cold: bool,
    /// Whether control arrives at the next instruction.
    pub is_open: bool,
}

/// Translates a job's code block into `function`.
pub(super) fn translate(
    job: &Job,
    function: &mut Function,
    context: &mut FunctionBuilderContext,
    config: TargetFrontendConfig,
    rounds: bool,
) -> Result<(), CompileError> {
    let instructions = job.block.instructions.len();
    let analysis =
        Analysis::of(&job.block, &job.observed).ok_or(CompileError::TooLarge(instructions))?;
    let signature = |parameters: &[Type], results: &[Type]| Signature {
        params: parameters.iter().copied().map(AbiParam::new).collect(),
        returns: results.iter().copied().map(AbiParam::new).collect(),
        // What `extern "C"` means on the systems code is made for.
        call_conv: CallConv::SystemV,
    };
    const WORD: Type = types::I64;
    function.signature = signature(&[WORD; 4], &[WORD]);
    let mut builder = FunctionBuilder::new(function, context);
    let out_of_line = builder.import_signature(signature(&[WORD; 2], &[WORD]));
    let entry = builder.import_signature(signature(&[WORD; 4], &[WORD]));
    let room = builder.import_signature(signature(&[WORD; 3], &[WORD]));
    let notice = builder.import_signature(signature(&[WORD; 2], &[]));
    let registers = job.block.register_count as usize;
    let variables = analysis.floats[..registers]
        .iter()
        .map(|is_float| builder.declare_var(if *is_float { types::F64 } else { WORD }))
        .collect();
    let blocks = analysis
        .blocks
        .iter()
        .map(|_| builder.create_block())
        .collect();
    let thrown = builder.create_block();
    builder.set_cold_block(thrown);
    let first = builder.create_block();
    builder.append_block_params_for_function_params(first);
    builder.switch_to_block(first);
    let parameters = builder.block_params(first);
    let (vm, window, at) = (parameters[0], parameters[1], parameters[3]);
    let mut translator = Translator {
        job,
        analysis: &analysis,
        builder,
        blocks,
        variables,
        numbers: Numbers::none(registers),
        bound: vec![None; registers],
        vm,
        window,
        at,
        thrown,
        taken_over: None,
        out_of_line,
        entry,
        room,
        notice,
        position: 0,
        rounds,
        is_cold: false,
        is_open: true,
    };
    translator.translate_entry();
    translator.translate_blocks();
    translator.finish();
    translator.builder.seal_all_blocks();
    translator.builder.finalize(config);
    Ok(())
}

/// Whether an instruction takes much more code in line than out of line.
fn is_large(op: Op) -> bool {
    matches!(
        op,
        Op::Add
            | Op::Subtract
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::Invoke
            | Op::ReadLocal
            | Op::GetGlobal
            | Op::SetGlobal
            | Op::GetVariable
            | Op::GetOuterVariable
            | Op::SetVariable
            | Op::GetMember
            | Op::SetMember
            | Op::GetIndex
            | Op::SetIndex
            | Op::Call
            | Op::CallMember
    )
}

impl<'function> Emit<'function> for Translator<'_, 'function> {
    fn builder(&mut self) -> &mut FunctionBuilder<'function> {
        &mut self.builder
    }

    fn new_block(&mut self) -> ir::Block {
        Translator::new_block(self)
    }
}

impl Translator<'_, '_> {
    // ---- entry, blocks, return ----

    /// Enters the frame of a call, or goes to the header of a loop.
    fn translate_entry(&mut self) {
        let at = self.at;
        let call = self.builder.create_block();
        let loops = self.builder.create_block();
        self.builder.set_cold_block(loops);
        self.builder.ins().brif(at, loops, &[], call, &[]);

        self.builder.switch_to_block(loops);
        let mut switch = Switch::new();
        let mut headers = Vec::new();
        for (info, index) in self.job.block.loops.iter().zip(1u128..) {
            let Some(number) = self.analysis.block_at(info.header) else {
                continue;
            };
            if self.analysis.blocks[number].numbers.is_none() {
                continue;
            }
            let block = self.builder.create_block();
            self.builder.set_cold_block(block);
            switch.set_entry(index, block);
            headers.push((block, number, info.header));
        }
        switch.emit(&mut self.builder, at, self.thrown);
        for (block, number, header) in headers {
            self.builder.switch_to_block(block);
            self.load_live_registers(header);
            let target = self.blocks[number];
            self.builder.ins().jump(target, &[]);
        }

        self.builder.switch_to_block(call);
        self.enter_frame();
        self.load_live_registers(0);
        let first = self.blocks[0];
        self.builder.ins().jump(first, &[]);
    }

    /// Makes the registers that are live at `position` known from the window.
    fn load_live_registers(&mut self, position: u32) {
        for register in self.analysis.liveness.at(position).iter() {
            if usize::from(register.0) < self.variables.len() && !self.is_bound(register.0) {
                let value = self.load_register(register.0);
                let variable = self.variables[usize::from(register.0)];
                self.builder.def_var(variable, value);
            }
        }
    }

    fn translate_blocks(&mut self) {
        for number in 0..self.analysis.blocks.len() {
            let block = self.blocks[number];
            let basic = &self.analysis.blocks[number];
            let Some(numbers) = &basic.numbers else {
                continue;
            };
            self.numbers = numbers.clone();
            self.bound.fill(None);
            self.is_cold = basic.is_cold;
            if basic.is_cold {
                self.builder.set_cold_block(block);
            }
            self.builder.switch_to_block(block);
            self.is_open = true;
            let end = self.analysis.end_of(number);
            let mut position = basic.start;
            while position < end
                && self.is_open
                && let Some((instruction, words)) = full_instruction(&self.job.block, position)
                && let Some(op) = instruction.op()
            {
                self.position = position + words - 1;
                self.builder.set_srcloc(SourceLoc::new(self.position));
                // What is seldom executed had better be small.
                if words == 2 || (basic.is_cold && is_large(op)) {
                    self.translate_out_of_line(op, instruction);
                } else {
                    self.translate_instruction(op, instruction);
                }
                self.analysis.step(instruction, &mut self.numbers);
                position += words;
            }
            if self.is_open {
                match self.block_at(end) {
                    Some(next) => self.builder.ins().jump(next, &[]),
                    None => self.builder.ins().jump(self.thrown, &[]),
                };
            }
        }
    }

    fn finish(&mut self) {
        // Blocks that are never reached have no code, but must be well formed.
        for number in 0..self.analysis.blocks.len() {
            if self.analysis.blocks[number].numbers.is_none() {
                let block = self.blocks[number];
                self.builder.switch_to_block(block);
                self.builder.ins().jump(self.thrown, &[]);
            }
        }
        self.builder.switch_to_block(self.thrown);
        let thrown = self.word(tier::THROWN);
        self.builder.ins().return_(&[thrown]);
        if let Some(block) = self.taken_over {
            self.builder.switch_to_block(block);
            let function = self.word(tier::taken_over as *const () as u64);
            let call =
                self.builder
                    .ins()
                    .call_indirect(self.out_of_line, function, &[self.vm, self.at]);
            let result = self.builder.inst_results(call)[0];
            self.builder.ins().return_(&[result]);
        }
    }

    /// The block that begins at `position`.
    pub fn block_at(&self, position: u32) -> Option<ir::Block> {
        self.analysis
            .block_at(position)
            .map(|number| self.blocks[number])
    }

    /// The block a jump of the current instruction leads to.
    pub fn target_of(&self, instruction: Instruction) -> ir::Block {
        let target = instruction.jump_target(self.position);
        target
            .and_then(|target| self.block_at(target as u32))
            .unwrap_or(self.thrown)
    }

    // ---- words and memory ----

    pub fn word(&mut self, word: u64) -> Value {
        self.builder.ins().iconst(types::I64, word as i64)
    }

    pub fn number(&mut self, number: f64) -> Value {
        self.builder.ins().f64const(number)
    }

    pub fn load(&mut self, kind: Type, address: Value, offset: usize) -> Value {
        self.builder
            .ins()
            .load(kind, trusted(), address, offset as i32)
    }

    pub fn load_byte(&mut self, address: Value, offset: usize) -> Value {
        self.builder
            .ins()
            .uload8(types::I32, trusted(), address, offset as i32)
    }

    pub fn store(&mut self, value: Value, address: Value, offset: usize) {
        self.builder
            .ins()
            .store(trusted(), value, address, offset as i32);
    }

    /// A new block that is seldom reached.
    pub fn cold_block(&mut self) -> ir::Block {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        block
    }

    /// A new block, which is as seldom reached as the basic block being translated.
    pub fn new_block(&mut self) -> ir::Block {
        let block = self.builder.create_block();
        if self.is_cold {
            self.builder.set_cold_block(block);
        }
        block
    }

    /// Goes on here if the condition holds, else in `otherwise`.
    pub fn require(&mut self, condition: Value, otherwise: ir::Block) {
        let next = self.new_block();
        self.builder
            .ins()
            .brif(condition, next, &[], otherwise, &[]);
        self.builder.switch_to_block(next);
    }

    /// Goes to `otherwise` if the condition holds, else on here.
    pub fn refuse(&mut self, condition: Value, otherwise: ir::Block) {
        let next = self.new_block();
        self.builder
            .ins()
            .brif(condition, otherwise, &[], next, &[]);
        self.builder.switch_to_block(next);
    }

    /// The address of the cell that a word with this tag refers to; goes to `otherwise` if it has another one.
    pub fn cell_of(&mut self, word: Value, tag: Tag, otherwise: ir::Block) -> Value {
        let upper = self.builder.ins().ushr_imm_u(word, TAG_SHIFT);
        let fits = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, upper, tag as i64);
        self.require(fits, otherwise);
        self.address_in(word, tag)
    }

    /// The address in a word that has this tag.
    pub fn address_in(&mut self, word: Value, tag: Tag) -> Value {
        let tag = self.word((tag as u64) << TAG_SHIFT);
        self.builder.ins().bxor(word, tag)
    }

    /// The whole number that a double is, 32 bits; goes to `otherwise` if it is none.
    ///
    /// Adding 1.5 * 2^52 leaves a whole number of 32 bits in the lower half of the mantissa, in one instruction and without
    /// the cases that conversions have.
    pub fn whole_number(&mut self, number: Value, otherwise: ir::Block) -> Value {
        const SHIFT: f64 = 6_755_399_441_055_744.0;
        let shift = self.number(SHIFT);
        let shifted = self.builder.ins().fadd(number, shift);
        let bits = self.bits_of(shifted);
        let whole = self.builder.ins().ireduce(types::I32, bits);
        let back = self.builder.ins().fcvt_from_sint(types::F64, whole);
        let same = self.builder.ins().fcmp(FloatCC::Equal, back, number);
        self.require(same, otherwise);
        whole
    }

    /// The word of a value that is at hand as a double or as a word.
    pub fn bits_of(&mut self, value: Value) -> Value {
        if self.builder.func.dfg.value_type(value) == types::F64 {
            self.builder
                .ins()
                .bitcast(types::I64, MemFlagsData::new(), value)
        } else {
            value
        }
    }

    /// The double of a value that is at hand as a double or as a word.
    pub fn float_of(&mut self, value: Value) -> Value {
        if self.builder.func.dfg.value_type(value) == types::I64 {
            self.builder
                .ins()
                .bitcast(types::F64, MemFlagsData::new(), value)
        } else {
            value
        }
    }

    // ---- registers ----

    pub fn is_bound(&self, register: u16) -> bool {
        self.analysis.in_memory || self.analysis.bound.contains(Register(register))
    }

    pub fn is_number(&self, register: u16) -> bool {
        self.numbers.contains(register)
    }

    /// Whether a register is kept as a double.
    pub fn is_kept_as_float(&self, register: u16) -> bool {
        self.is_float(register)
    }

    /// A block argument for the parameter of a register: the value in the register's own type.
    pub fn as_kept(&mut self, register: u16, value: Value) -> BlockArg {
        let value = if self.is_float(register) {
            self.float_of(value)
        } else {
            self.bits_of(value)
        };
        value.into()
    }

    /// Reads a register that a handler has written from the window.
    pub fn reload(&mut self, register: u16) {
        if !self.is_bound(register) {
            let value = self.load_register(register);
            self.note(register, value);
        }
    }

    fn is_float(&self, register: u16) -> bool {
        self.analysis.floats[usize::from(register)]
    }

    pub fn slot(register: u16) -> usize {
        usize::from(register) * 8
    }

    /// Reads a register from the window.
    fn load_register(&mut self, register: u16) -> Value {
        let kind = if self.is_float(register) {
            types::F64
        } else {
            types::I64
        };
        let window = self.window;
        self.load(kind, window, Self::slot(register))
    }

    /// A register's value, as a word or as a double.
    pub fn value(&mut self, register: u16) -> Value {
        let index = usize::from(register);
        if !self.is_bound(register) {
            return self.builder.use_var(self.variables[index]);
        }
        let here = self.builder.current_block();
        if let Some((known, block)) = self.bound[index]
            && here == Some(block)
        {
            return known;
        }
        let value = self.load_register(register);
        self.bound[index] = here.map(|block| (value, block));
        value
    }

    /// A register's word.
    pub fn bits(&mut self, register: u16) -> Value {
        let value = self.value(register);
        self.bits_of(value)
    }

    /// A register's word read as a double.
    pub fn float(&mut self, register: u16) -> Value {
        let value = self.value(register);
        self.float_of(value)
    }

    /// Notes a register's value without writing it to the window, where it is already.
    fn note(&mut self, register: u16, value: Value) {
        let value = if self.is_float(register) {
            self.float_of(value)
        } else {
            self.bits_of(value)
        };
        let index = usize::from(register);
        if self.is_bound(register) {
            let here = self.builder.current_block();
            self.bound[index] = here.map(|block| (value, block));
        } else {
            self.builder.def_var(self.variables[index], value);
        }
    }

    /// Writes a register: a word, or a double whose bits are one.
    pub fn set(&mut self, register: u16, value: Value) {
        let window = self.window;
        self.store(value, window, Self::slot(register));
        self.note(register, value);
    }

    // ---- out of line ----

    /// Executes the current instruction in the interpreter's handler; the position of the next one.
    fn call_out_of_line(&mut self, op: Op) -> Value {
        let next = self.word(self.job.instruction_address(self.position + 1));
        let function = self.word(tier::out_of_line(op) as usize as u64);
        let call = self
            .builder
            .ins()
            .call_indirect(self.out_of_line, function, &[self.vm, next]);
        self.builder.inst_results(call)[0]
    }

    /// Where else than behind itself the current instruction may lead.
    fn other_targets(&self, instruction: Instruction) -> Vec<(u32, ir::Block)> {
        let jump = instruction
            .jump_target(self.position)
            .map(|target| target as u32);
        let invoke = self.job.block.invoke_path(self.position);
        let targets = [jump, invoke].into_iter().flatten();
        targets
            .filter_map(|target| Some((target, self.block_at(target)?)))
            .collect()
    }

    /// Emits the slow path of the current instruction, which stands in the block `slow`, and goes on in `merge` with the result.
    ///
    /// `merge` has a parameter for each register of `results`, of the register's own type.
    pub fn slow_path(
        &mut self,
        op: Op,
        instruction: Instruction,
        slow: ir::Block,
        merge: ir::Block,
        results: &[u16],
    ) {
        self.builder.switch_to_block(slow);
        self.slow_path_here(op, instruction, Some((merge, results)), true);
    }

    fn slow_path_here(
        &mut self,
        op: Op,
        instruction: Instruction,
        merge: Option<(ir::Block, &[u16])>,
        is_seldom: bool,
    ) {
        let position = self.call_out_of_line(op);
        let next = i64::from(self.position) + 1;
        let mut targets = self.other_targets(instruction);
        // A jump may lead to the next instruction.
        targets.retain(|(target, _)| i64::from(*target) != next || merge.is_none());
        if op.falls_through()
            && let Some((merge, results)) = merge
        {
            let done = self.new_block();
            let other = self.cold_block();
            let same = self.builder.ins().icmp_imm_u(IntCC::Equal, position, next);
            self.builder.ins().brif(same, done, &[], other, &[]);
            self.builder.switch_to_block(done);
            if is_seldom {
                self.builder.set_cold_block(done);
            }
            let arguments: Vec<BlockArg> = results
                .iter()
                .map(|register| self.load_register(*register).into())
                .collect();
            self.builder.ins().jump(merge, &arguments);
            self.builder.switch_to_block(other);
        }
        for (target, block) in targets {
            let elsewhere = self.cold_block();
            let taken = self.cold_block();
            let goes_there =
                self.builder
                    .ins()
                    .icmp_imm_u(IntCC::Equal, position, i64::from(target));
            self.builder
                .ins()
                .brif(goes_there, taken, &[], elsewhere, &[]);
            self.builder.switch_to_block(taken);
            // What the instruction may have written is in the window only.
            for register in self.written_by(instruction) {
                if !self.is_bound(register) {
                    let value = self.load_register(register);
                    let variable = self.variables[usize::from(register)];
                    self.builder.def_var(variable, value);
                }
            }
            self.builder.ins().jump(block, &[]);
            self.builder.switch_to_block(elsewhere);
        }
        if !op.polls() {
            self.builder.ins().jump(self.thrown, &[]);
            return;
        }
        let taken_over = match self.taken_over {
            Some(block) => block,
            None => {
                let block = self.cold_block();
                self.taken_over = Some(block);
                block
            }
        };
        let is_taken_over =
            self.builder
                .ins()
                .icmp_imm_s(IntCC::Equal, position, tier::TAKEN_OVER as i64);
        self.builder
            .ins()
            .brif(is_taken_over, taken_over, &[], self.thrown, &[]);
    }

    /// The registers that an instruction writes.
    pub fn written_by(&self, instruction: Instruction) -> Vec<u16> {
        let mut written: Vec<u16> = register_written(instruction)
            .map(|it| it.0)
            .into_iter()
            .collect();
        if instruction.op() == Some(Op::ForLoop) {
            written.push(instruction.b() + 1);
        }
        written
    }

    /// A block where fast and slow path of an instruction meet, with a parameter for each register written.
    pub fn merge_block(&mut self, results: &[u16]) -> ir::Block {
        let merge = self.new_block();
        for register in results {
            let kind = if self.is_float(*register) {
                types::F64
            } else {
                types::I64
            };
            self.builder.append_block_param(merge, kind);
        }
        merge
    }

    /// Ends the fast path: writes the result and goes to `merge`.
    pub fn finish_fast(&mut self, merge: ir::Block, register: u16, value: Value) {
        let window = self.window;
        self.store(value, window, Self::slot(register));
        let value = if self.is_float(register) {
            self.float_of(value)
        } else {
            self.bits_of(value)
        };
        self.builder.ins().jump(merge, &[value.into()]);
    }

    /// Goes on behind the instruction, where `merge` has the values of these registers.
    pub fn continue_in(&mut self, op: Op, merge: ir::Block, results: &[u16]) {
        self.builder.switch_to_block(merge);
        self.forget_bound(op);
        for (index, register) in results.iter().enumerate() {
            let value = self.builder.block_params(merge)[index];
            self.note(*register, value);
        }
    }

    /// Forgets what an instruction may have changed besides its result.
    pub fn forget_bound(&mut self, op: Op) {
        if may_change_others(op) {
            self.bound.fill(None);
        }
    }

    /// Completes an instruction with a fast path that has ended in `merge`: its slow path, and what follows.
    pub fn complete(
        &mut self,
        op: Op,
        instruction: Instruction,
        slow: ir::Block,
        merge: ir::Block,
    ) {
        let results = self.written_by(instruction);
        self.slow_path(op, instruction, slow, merge, &results);
        self.continue_in(op, merge, &results);
    }

    /// Leaves an instruction to the interpreter's handler altogether.
    pub fn translate_out_of_line(&mut self, op: Op, instruction: Instruction) {
        let results = if op.writes_only_if_it_jumps() {
            Vec::new()
        } else {
            self.written_by(instruction)
        };
        let merge = self.merge_block(&results);
        if !op.falls_through() {
            self.slow_path_here(op, instruction, None, false);
            self.is_open = false;
            return;
        }
        self.slow_path_here(op, instruction, Some((merge, &results)), false);
        self.continue_in(op, merge, &results);
    }

    // ---- frames ----

    /// The address behind the current frame's record.
    pub fn frames_top(&mut self) -> Value {
        let vm = self.vm;
        self.load(types::I64, vm, layout::FRAMES_TOP)
    }
}
