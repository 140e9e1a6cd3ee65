//! Entries of maps by key, and whatever else the runtime does without a frame of its own.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, Value as ClifValue, types};
use kiln_ssa::ir::{FrameId, Node, Value};
use kiln_vm::heap::Header;
use kiln_vm::object::map::MapCell;
use kiln_vm::object::map::dictionary::DictionaryCell;
use kiln_vm::runtime;
use kiln_vm::tier::ExitKind;
use kiln_vm::value::Tag;

use super::lower::Lowering;
use crate::emit::Emit;

impl Lowering<'_, '_> {
    /// Lowers an instruction of this family: its result, if it has one; none if it is of another.
    pub(super) fn lower_keys(&mut self, node: &Node) -> Option<Option<ClifValue>> {
        Some(match *node {
            Node::FindElement { map, key, frame } => {
                let (map, key) = self.pair(map, key);
                let exit = self.exit(frame, ExitKind::Guard);
                Some(self.ask(runtime::find_element as *const (), &[map, key], exit))
            }
            Node::StoreKey {
                map,
                key,
                value,
                frame,
            } => {
                let (map, key) = self.pair(map, key);
                let value = self.value(value);
                let exit = self.exit(frame, ExitKind::Guard);
                self.ask(runtime::store_key as *const (), &[map, key, value], exit);
                None
            }
            Node::HasKey { map, key, frame } => {
                let (map, key) = self.pair(map, key);
                let exit = self.exit(frame, ExitKind::Guard);
                let has = self.ask(runtime::has_key as *const (), &[map, key], exit);
                Some(self.builder.ins().ireduce(types::I8, has))
            }
            Node::GuardDictionary { map, name, frame } => {
                Some(self.guard_dictionary(map, name, frame))
            }
            _ => return None,
        })
    }

    /// Calls a function of the runtime that takes the interpreter and three words at most; goes to `declined` if it leaves the
    /// instruction to the interpreter.
    pub(super) fn ask(
        &mut self,
        function: *const (),
        words: &[ClifValue],
        declined: ir::Block,
    ) -> ClifValue {
        let result = self.call_lean(function, words);
        let is_declined = self.is_word(result, runtime::DECLINED);
        self.refuse(is_declined, declined);
        result
    }

    /// Calls a function of the runtime that takes the interpreter and three words at most.
    fn call_lean(&mut self, function: *const (), words: &[ClifValue]) -> ClifValue {
        let mut arguments = vec![self.vm];
        arguments.extend_from_slice(words);
        let signature = match arguments.len() {
            ..=2 => self.signatures.two,
            3 => self.signatures.three,
            _ => self.signatures.four,
        };
        let function = self.word(function as u64);
        let call = self
            .builder
            .ins()
            .call_indirect(signature, function, &arguments);
        self.builder.inst_results(call)[0]
    }

    fn guard_dictionary(&mut self, map: Value, name: Value, frame: FrameId) -> ClifValue {
        let (word, name) = self.pair(map, name);
        let exit = self.exit(frame, ExitKind::Guard);
        let is_map = self.has_tag(word, Tag::Map);
        self.require(is_map, exit);
        let cell = self.address_in(word, Tag::Map);
        let flags = self.load_byte(cell, offset_of!(Header, flags));
        let dictionary = i64::from(MapCell::DICTIONARY_FLAG);
        let is_dictionary = self.builder.ins().band_imm_u(flags, dictionary);
        self.require(is_dictionary, exit);
        // Without strings among its keys it has neither the name nor a prototype.
        let table = self.load(types::I64, cell, MapCell::OVERFLOW_OFFSET);
        let strings = self.load(types::I32, table, DictionaryCell::STRINGS_OFFSET);
        let (look, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(strings, look, &[], done, &[]);
        self.builder.switch_to_block(look);
        let is_plain = self.call_lean(runtime::is_plain_dictionary as *const (), &[word, name]);
        let is_plain = self.builder.ins().icmp_imm_u(IntCC::Equal, is_plain, 1);
        self.require(is_plain, exit);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
        word
    }
}
