//! Comparisons, and what kind of value a word is.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value as ClifValue, types};
use kiln_ssa::ir::{Condition, Kinds, Node, Value};
use kiln_vm::Value as Word;
use kiln_vm::heap::{Header, Kind};
use kiln_vm::value::Tag;

use super::lower::Lowering;
use crate::emit::Emit;

impl Lowering<'_, '_> {
    /// Lowers an instruction of this family; none if it is of another.
    pub(super) fn lower_comparison(&mut self, node: &Node) -> Option<ClifValue> {
        Some(match *node {
            Node::CompareF64 {
                condition,
                lhs,
                rhs,
            } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let condition = match condition {
                    Condition::Equal => FloatCC::Equal,
                    Condition::NotEqual => FloatCC::NotEqual,
                    Condition::Less => FloatCC::LessThan,
                    Condition::LessEqual => FloatCC::LessThanOrEqual,
                    Condition::Greater => FloatCC::GreaterThan,
                    Condition::GreaterEqual => FloatCC::GreaterThanOrEqual,
                };
                self.builder.ins().fcmp(condition, lhs, rhs)
            }
            Node::CompareI64 {
                condition,
                lhs,
                rhs,
            }
            | Node::CompareI32 {
                condition,
                lhs,
                rhs,
            } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                let condition = match condition {
                    Condition::Equal => IntCC::Equal,
                    Condition::NotEqual => IntCC::NotEqual,
                    Condition::Less => IntCC::SignedLessThan,
                    Condition::LessEqual => IntCC::SignedLessThanOrEqual,
                    Condition::Greater => IntCC::SignedGreaterThan,
                    Condition::GreaterEqual => IntCC::SignedGreaterThanOrEqual,
                };
                self.builder.ins().icmp(condition, lhs, rhs)
            }
            Node::IsIdentical { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                self.builder.ins().icmp(IntCC::Equal, lhs, rhs)
            }
            Node::IsKind { value, kinds } => self.is_of(value, kinds),
            Node::IsShape { value, ref shapes } => {
                let word = self.value(value);
                let (look, done) = (self.builder.create_block(), self.builder.create_block());
                self.builder.append_block_param(done, types::I8);
                let is_map = self.has_tag(word, Tag::Map);
                let no = self.builder.ins().iconst(types::I8, 0);
                self.builder
                    .ins()
                    .brif(is_map, look, &[], done, &[no.into()]);
                self.builder.switch_to_block(look);
                let cell = self.address_in(word, Tag::Map);
                let found = self.load(types::I32, cell, offset_of!(Header, word));
                let same = self.is_any_shape(found, shapes);
                self.builder.ins().jump(done, &[same.into()]);
                self.builder.switch_to_block(done);
                self.builder.block_params(done)[0]
            }
            Node::AndBool { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                self.builder.ins().band(lhs, rhs)
            }
            Node::OrBool { lhs, rhs } => {
                let (lhs, rhs) = self.pair(lhs, rhs);
                self.builder.ins().bor(lhs, rhs)
            }
            Node::NotBool { value } => {
                let value = self.value(value);
                self.builder.ins().icmp_imm_u(IntCC::Equal, value, 0)
            }
            Node::IsCertainF64 { value } => {
                let value = self.value(value);
                let magnitude = self.builder.ins().fabs(value);
                let one = self.float(1.0);
                // Less, turned around: a NaN is certain.
                self.builder
                    .ins()
                    .fcmp(FloatCC::UnorderedOrGreaterThanOrEqual, magnitude, one)
            }
            _ => return None,
        })
    }

    /// Whether a tagged value is of one of the kinds.
    pub(super) fn is_of(&mut self, value: Value, kinds: Kinds) -> ClifValue {
        let possible = self.function.ty(value).kinds;
        let word = self.value(value);
        let wanted = possible.intersection(kinds);
        let unwanted = possible.without(kinds);
        if unwanted.is_empty() {
            return self.builder.ins().iconst(types::I8, 1);
        }
        // Whichever set takes fewer tests.
        if unwanted.parts() < wanted.parts() {
            let is_unwanted = self.is_any_of(word, unwanted);
            self.builder.ins().icmp_imm_u(IntCC::Equal, is_unwanted, 0)
        } else {
            self.is_any_of(word, wanted)
        }
    }

    fn is_any_of(&mut self, word: ClifValue, kinds: Kinds) -> ClifValue {
        let mut result = None;
        let mut rest = kinds;
        let tests = [
            Kinds::NUMBER,
            Kinds::NULL,
            Kinds::UNASSIGNED,
            Kinds::STRING,
            Kinds::LIST,
            Kinds::MAP,
            Kinds::FUNCTION,
            Kinds::RANGE.union(Kinds::OTHER).union(Kinds::BOOLEAN),
        ];
        for group in tests {
            let part = rest.intersection(group);
            if part.is_empty() {
                continue;
            }
            rest = rest.without(group);
            let test = self.is_of_group(word, part, group);
            result = Some(match result {
                None => test,
                Some(before) => self.builder.ins().bor(before, test),
            });
        }
        match result {
            Some(result) => result,
            None => self.builder.ins().iconst(types::I8, 0),
        }
    }

    /// Whether a word is of these kinds, all of one group.
    fn is_of_group(&mut self, word: ClifValue, kinds: Kinds, group: Kinds) -> ClifValue {
        if group == Kinds::NUMBER {
            return self.is_number_of(word, kinds);
        }
        if group == Kinds::NULL {
            return self.is_word(word, Word::NULL.bits());
        }
        if group == Kinds::UNASSIGNED {
            return self.is_word(word, Word::UNASSIGNED.bits());
        }
        for (kind, tag) in [
            (Kinds::STRING, Tag::String),
            (Kinds::LIST, Tag::List),
            (Kinds::MAP, Tag::Map),
            (Kinds::FUNCTION, Tag::Function),
        ] {
            if group == kind {
                return self.has_tag(word, tag);
            }
        }
        let is_other = self.has_tag(word, Tag::Other);
        if kinds.meets(Kinds::RANGE) && kinds.meets(Kinds::OTHER) {
            return is_other;
        }
        // Ranges are told apart from other cells by their header.
        let (look, done) = (self.builder.create_block(), self.builder.create_block());
        self.builder.append_block_param(done, types::I8);
        let no = self.builder.ins().iconst(types::I8, 0);
        self.builder
            .ins()
            .brif(is_other, look, &[], done, &[no.into()]);
        self.builder.switch_to_block(look);
        let cell = self.address_in(word, Tag::Other);
        let kind = self.load_byte(cell, 0);
        let condition = if kinds.meets(Kinds::RANGE) {
            IntCC::Equal
        } else {
            IntCC::NotEqual
        };
        let is_one = self
            .builder
            .ins()
            .icmp_imm_u(condition, kind, Kind::Range as i64);
        self.builder.ins().jump(done, &[is_one.into()]);
        self.builder.switch_to_block(done);
        self.builder.block_params(done)[0]
    }

    /// Whether a word is a number of these classes.
    fn is_number_of(&mut self, word: ClifValue, kinds: Kinds) -> ClifValue {
        let first = self.word(Word::FIRST_NON_NUMBER);
        let is_number = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, word, first);
        if kinds == Kinds::NUMBER {
            return is_number;
        }
        let is_zero = self.is_word(word, Word::ZERO.bits());
        let is_one = self.is_word(word, Word::ONE.bits());
        let is_truth = self.builder.ins().bor(is_zero, is_one);
        if kinds == Kinds::TRUTH {
            return is_truth;
        }
        // Whole, not 0 unless it is +0, and below 2^53. A word that is no number is a NaN here.
        let number = self.float_of(word);
        let whole = self.builder.ins().fcvt_to_sint_sat(types::I64, number);
        let back = self.builder.ins().fcvt_from_sint(types::F64, whole);
        let same = self.builder.ins().fcmp(FloatCC::Equal, back, number);
        let magnitude = self.builder.ins().fabs(number);
        let limit = self.float((1u64 << 53) as f64);
        let is_exact = self.builder.ins().fcmp(FloatCC::LessThan, magnitude, limit);
        let is_minus_zero = self.is_word(word, 1 << 63);
        let is_plain = self
            .builder
            .ins()
            .icmp_imm_u(IntCC::Equal, is_minus_zero, 0);
        let is_whole = self.builder.ins().band(same, is_exact);
        let is_whole = self.builder.ins().band(is_whole, is_plain);
        let mut result = self.builder.ins().iconst(types::I8, 0);
        if kinds.meets(Kinds::TRUTH) {
            result = self.builder.ins().bor(result, is_truth);
        }
        if kinds.meets(Kinds::WHOLE.without(Kinds::TRUTH)) {
            let not_truth = self.builder.ins().icmp_imm_u(IntCC::Equal, is_truth, 0);
            let counting = self.builder.ins().band(is_whole, not_truth);
            result = self.builder.ins().bor(result, counting);
        }
        if kinds.meets(Kinds::NUMBER.without(Kinds::WHOLE)) {
            let not_whole = self.builder.ins().icmp_imm_u(IntCC::Equal, is_whole, 0);
            let inexact = self.builder.ins().band(is_number, not_whole);
            result = self.builder.ins().bor(result, inexact);
        }
        result
    }
}
