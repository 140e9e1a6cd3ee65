//! Constants, moves, jumps, branches; and which family translates an instruction.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, types};
use kiln_bytecode::{Constant, Instruction, Op};
use kiln_vm::Value as Word;

use super::translator::Translator;

impl Translator<'_, '_> {
    /// Translates one instruction.
    pub fn translate_instruction(&mut self, op: Op, instruction: Instruction) {
        match op {
            Op::Nop => {}
            Op::LoadConstant => self.load_constant(instruction),
            Op::LoadUnassigned => {
                let value = self.word(Word::UNASSIGNED.bits());
                self.set(instruction.a(), value);
            }
            Op::Move => self.move_register(instruction),
            Op::Jump => {
                let target = self.target_of(instruction);
                self.builder.ins().jump(target, &[]);
                self.is_open = false;
            }
            Op::LoopBack => self.loop_back(op, instruction),
            Op::JumpIfTrue => self.branch(op, instruction, true),
            Op::JumpIfFalse => self.branch(op, instruction, false),

            Op::Add | Op::Subtract | Op::Multiply | Op::Divide => self.arithmetic(op, instruction),
            Op::AddConstant | Op::SubtractConstant | Op::MultiplyConstant | Op::DivideConstant => {
                self.arithmetic_constant(op, instruction)
            }
            Op::ModuloConstant => self.modulo_constant(op, instruction),
            Op::Modulo => self.modulo(op, instruction),
            Op::PowerConstant => self.power_constant(op, instruction),
            Op::Negate => self.negate(op, instruction),
            Op::Not => self.not(op, instruction),
            Op::And | Op::Or => self.fuzzy(op, instruction),

            Op::Equal
            | Op::NotEqual
            | Op::Less
            | Op::LessEqual
            | Op::Greater
            | Op::GreaterEqual => self.comparison(op, instruction),

            Op::Invoke => self.invoke(op, instruction),
            Op::Settle => self.settle(op, instruction),
            Op::ReadLocal => self.read_local(op, instruction),
            Op::GetGlobal => self.get_global(op, instruction),
            Op::SetGlobal => self.set_global(op, instruction),
            Op::GetVariable => self.get_variable(op, instruction),
            Op::GetOuterVariable => self.get_outer_variable(op, instruction),
            Op::SetVariable => self.set_variable(op, instruction),
            Op::GetSelf => self.get_self(op, instruction),

            Op::GetMember => self.get_member(op, instruction),
            Op::SetMember | Op::InitMember => self.set_member(op, instruction),
            Op::GetIndex => self.get_index(op, instruction),
            Op::SetIndex => self.set_index(op, instruction),

            Op::Call => self.call(op, instruction),
            Op::CallMember => self.call_member(op, instruction),
            Op::CallIndex if instruction.flags() == 0 => self.get_index(op, instruction),
            Op::Return => self.return_value(instruction),

            Op::ForLoop => self.for_loop(op, instruction),
            _ => match self.jump_comparison(op) {
                Some(comparison) => self.compare_and_jump(op, instruction, comparison),
                None => self.translate_out_of_line(op, instruction),
            },
        }
    }

    fn load_constant(&mut self, instruction: Instruction) {
        let index = instruction.bc() as usize;
        let value = match self.job.block.constants.get(index) {
            Some(Constant::Number(number)) if self.is_kept_as_float(instruction.a()) => {
                self.number(*number)
            }
            _ => self.word(self.job.constants[index]),
        };
        self.set(instruction.a(), value);
    }

    fn move_register(&mut self, instruction: Instruction) {
        let value = self.value(instruction.b());
        self.set(instruction.a(), value);
    }

    /// Counts a pass of a loop and goes to its head, or out of line if the countdown ends or anything is requested.
    pub fn begin_pass(
        &mut self,
        loop_index: Option<usize>,
        target: cranelift_codegen::ir::Block,
        otherwise: cranelift_codegen::ir::Block,
    ) {
        if let Some(index) = loop_index {
            let address = self.word(self.job.countdown_address(index));
            let remaining = self.load(types::I32, address, 0);
            let remaining = self.builder.ins().iadd_imm_s(remaining, -1);
            let counted = self.new_block();
            // The interpreter's handler counts the pass that it is called for.
            self.builder
                .ins()
                .brif(remaining, counted, &[], otherwise, &[]);
            self.builder.switch_to_block(counted);
            self.store(remaining, address, 0);
        }
        let limit = self.word(self.job.limit);
        let limit = self.load(types::I64, limit, 0);
        self.builder.ins().brif(limit, target, &[], otherwise, &[]);
    }

    fn loop_back(&mut self, op: Op, instruction: Instruction) {
        let target = self.target_of(instruction);
        let slow = self.cold_block();
        self.begin_pass(Some(usize::from(instruction.a())), target, slow);
        let unused = self.new_block();
        self.slow_path(op, instruction, slow, unused, &[]);
        self.builder.switch_to_block(unused);
        let thrown = self.thrown;
        self.builder.ins().jump(thrown, &[]);
        self.is_open = false;
    }

    fn branch(&mut self, op: Op, instruction: Instruction, wanted: bool) {
        let register = instruction.a();
        let target = self.target_of(instruction);
        let next = self.new_block();
        let number = self.float(register);
        let zero = self.number(0.0);
        if !self.is_number(register) {
            let slow = self.cold_block();
            let bits = self.bits(register);
            let first = self.word(Word::FIRST_NON_NUMBER);
            let is_number = self
                .builder
                .ins()
                .icmp(IntCC::UnsignedLessThan, bits, first);
            self.require(is_number, slow);
            let here = self.builder.current_block();
            self.slow_path(op, instruction, slow, next, &[]);
            if let Some(here) = here {
                self.builder.switch_to_block(here);
            }
        }
        let is_zero = self.builder.ins().fcmp(FloatCC::Equal, number, zero);
        if wanted {
            self.builder.ins().brif(is_zero, next, &[], target, &[]);
        } else {
            self.builder.ins().brif(is_zero, target, &[], next, &[]);
        }
        self.builder.switch_to_block(next);
    }
}
