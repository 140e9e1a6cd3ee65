//! What every translation to Cranelift's form needs: words, memory, tags.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Type, Value, types};
use cranelift_frontend::FunctionBuilder;
use kiln_vm::value::Tag;

/// How far the tag is shifted in a word.
pub const TAG_SHIFT: i64 = 48;

/// Accesses to memory of the runtime never trap.
pub fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

/// A translation in progress.
pub trait Emit<'function> {
    /// The function being made.
    fn builder(&mut self) -> &mut FunctionBuilder<'function>;

    /// A 64-bit constant.
    fn word(&mut self, word: u64) -> Value {
        self.builder().ins().iconst(types::I64, word as i64)
    }

    /// A double.
    fn float(&mut self, number: f64) -> Value {
        self.builder().ins().f64const(number)
    }

    /// Loads from memory of the runtime.
    fn load(&mut self, kind: Type, address: Value, offset: usize) -> Value {
        self.builder()
            .ins()
            .load(kind, trusted(), address, offset as i32)
    }

    /// Loads a byte as 32 bits.
    fn load_byte(&mut self, address: Value, offset: usize) -> Value {
        self.builder()
            .ins()
            .uload8(types::I32, trusted(), address, offset as i32)
    }

    /// Loads 32 bits as 64.
    fn load_half(&mut self, address: Value, offset: usize) -> Value {
        self.builder()
            .ins()
            .uload32(trusted(), address, offset as i32)
    }

    /// Stores to memory of the runtime.
    fn store(&mut self, value: Value, address: Value, offset: i32) {
        self.builder()
            .ins()
            .store(trusted(), value, address, offset);
    }

    /// A new block, as seldom reached as the one being filled.
    fn new_block(&mut self) -> ir::Block {
        self.builder().create_block()
    }

    /// A new block that is seldom reached.
    fn cold_block(&mut self) -> ir::Block {
        let block = self.builder().create_block();
        self.builder().set_cold_block(block);
        block
    }

    /// Goes on here if the condition holds, else in `otherwise`.
    fn require(&mut self, condition: Value, otherwise: ir::Block) {
        let next = self.new_block();
        self.builder()
            .ins()
            .brif(condition, next, &[], otherwise, &[]);
        self.builder().switch_to_block(next);
    }

    /// Goes to `otherwise` if the condition holds, else on here.
    fn refuse(&mut self, condition: Value, otherwise: ir::Block) {
        let next = self.new_block();
        self.builder()
            .ins()
            .brif(condition, otherwise, &[], next, &[]);
        self.builder().switch_to_block(next);
    }

    /// Whether a word has this tag.
    fn has_tag(&mut self, word: Value, tag: Tag) -> Value {
        let upper = self.builder().ins().ushr_imm_u(word, TAG_SHIFT);
        self.builder()
            .ins()
            .icmp_imm_u(IntCC::Equal, upper, tag as i64)
    }

    /// Whether two words are the same, the second one a constant.
    fn is_word(&mut self, word: Value, constant: u64) -> Value {
        let constant = self.word(constant);
        self.builder().ins().icmp(IntCC::Equal, word, constant)
    }

    /// The address in a word that has this tag.
    fn address_in(&mut self, word: Value, tag: Tag) -> Value {
        let tag = self.word((tag as u64) << TAG_SHIFT);
        self.builder().ins().bxor(word, tag)
    }

    /// The whole number that a double is, 32 bits; goes to `otherwise` if it is none.
    ///
    /// Adding 1.5 * 2^52 leaves a whole number of 32 bits in the lower half of the mantissa, in one instruction and without
    /// the cases that conversions have.
    fn whole_number(&mut self, number: Value, otherwise: ir::Block) -> Value {
        const SHIFT: f64 = 6_755_399_441_055_744.0;
        let shift = self.float(SHIFT);
        let shifted = self.builder().ins().fadd(number, shift);
        let bits = self.bits_of(shifted);
        let whole = self.builder().ins().ireduce(types::I32, bits);
        let back = self.builder().ins().fcvt_from_sint(types::F64, whole);
        let same = self.builder().ins().fcmp(FloatCC::Equal, back, number);
        self.require(same, otherwise);
        whole
    }

    /// The bits of a double.
    fn bits_of(&mut self, value: Value) -> Value {
        self.builder()
            .ins()
            .bitcast(types::I64, MemFlagsData::new(), value)
    }

    /// The double with these bits.
    fn float_of(&mut self, value: Value) -> Value {
        self.builder()
            .ins()
            .bitcast(types::F64, MemFlagsData::new(), value)
    }
}
