//! Entries of maps by key: the runtime looks them up, without a frame of its own.

use cranelift_codegen::ir::{self, InstBuilder, Value, types};
use kiln_bytecode::Instruction;
use kiln_vm::Value as Word;
use kiln_vm::runtime;
use kiln_vm::value::Tag;

use super::sites::Method;
use super::translator::Translator;
use crate::emit::Emit;

impl Translator<'_, '_> {
    /// What a register holds, if it is a number or string; else goes to `slow`.
    fn key(&mut self, register: u16, slow: ir::Block) -> Value {
        let bits = self.bits(register);
        if !self.is_number(register) {
            let first = self.word(Word::FIRST_NON_NUMBER);
            let less = ir::condcodes::IntCC::UnsignedLessThan;
            let is_number = self.builder.ins().icmp(less, bits, first);
            let is_string = self.has_tag(bits, Tag::String);
            let is_key = self.builder.ins().bor(is_number, is_string);
            self.require(is_key, slow);
        }
        bits
    }

    /// Calls a function of the runtime that takes three or four words and may decline.
    fn ask(&mut self, function: *const (), words: &[Value], slow: ir::Block) -> Value {
        let signature = match words.len() {
            3 => self.room,
            _ => self.entry,
        };
        let function = self.word(function as u64);
        let call = self.builder.ins().call_indirect(signature, function, words);
        let result = self.builder.inst_results(call)[0];
        let declined = self.is_word(result, runtime::DECLINED);
        self.refuse(declined, slow);
        result
    }

    /// The element of a map for the key in a register.
    pub fn map_element(&mut self, map: Value, key: u16, slow: ir::Block) -> Value {
        let key = self.key(key, slow);
        let words = [self.vm, map, key];
        self.ask(runtime::find_element as *const (), &words, slow)
    }

    /// Stores an element of a map for the key in a register.
    pub fn store_in_map(&mut self, map: Value, key: u16, value: Value, slow: ir::Block) {
        let key = self.key(key, slow);
        let words = [self.vm, map, key, value];
        self.ask(runtime::store_key as *const (), &words, slow);
    }

    /// `map.hasIndex(key)` for a dictionary that has no such entry itself.
    #[expect(
        clippy::too_many_arguments,
        reason = "three of them are where it may go on"
    )]
    pub fn has_index(
        &mut self,
        instruction: Instruction,
        object: Value,
        entry: u64,
        method: Method,
        other: ir::Block,
        slow: ir::Block,
        merge: ir::Block,
    ) {
        self.receiver(object, entry, method, other, slow);
        let key = self.key(instruction.b() + 3, slow);
        let name = self.word(method.name);
        let words = [self.vm, object, key, name];
        let has = self.ask(runtime::has_index as *const (), &words, slow);
        let has = self.builder.ins().ireduce(types::I8, has);
        let (one, zero) = (self.number(1.0), self.number(0.0));
        let result = self.builder.ins().select(has, one, zero);
        self.finish_fast(merge, instruction.a(), result);
    }
}
