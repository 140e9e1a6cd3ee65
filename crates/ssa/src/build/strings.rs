//! Strings: characters, comparisons, concatenation.

use kiln_bytecode::{Instruction, Op, Register};

use super::Builder;
use crate::ir::{Condition, Kinds, Node, Value};
use crate::job::{Intrinsic, SiteFeedback};

/// What strings are concatenated with in place.
const TEXT: Kinds = Kinds::STRING.union(Kinds::NUMBER);

impl Builder<'_> {
    /// Whether both operands are strings as far as types and feedback say.
    fn are_strings(&self, lhs: Value, rhs: Value) -> bool {
        let (lhs, rhs) = (self.kinds(lhs), self.kinds(rhs));
        let seen = match self.frame.feedback() {
            SiteFeedback::Operands(kinds) => *kinds == Kinds::STRING,
            _ => false,
        };
        let known = lhs == Kinds::STRING && rhs == Kinds::STRING;
        known || (seen && lhs.meets(Kinds::STRING) && rhs.meets(Kinds::STRING))
    }

    /// Both values, known to be strings.
    fn strings(&mut self, lhs: Value, rhs: Value) -> (Value, Value) {
        let lhs = self.of_kind(lhs, Kinds::STRING);
        let rhs = self.of_kind(rhs, Kinds::STRING);
        (lhs, rhs)
    }

    /// The outcome of comparing two strings; none if they are none.
    pub(super) fn compare_strings(
        &mut self,
        condition: Condition,
        lhs: Value,
        rhs: Value,
    ) -> Option<Value> {
        if !self.are_strings(lhs, rhs) {
            return None;
        }
        let (lhs, rhs) = self.strings(lhs, rhs);
        let frame = self.frame_state();
        if matches!(condition, Condition::Equal | Condition::NotEqual) {
            let equal = self.value(Node::EqualStrings { lhs, rhs, frame });
            return Some(match condition {
                Condition::Equal => equal,
                _ => self.value(Node::NotBool { value: equal }),
            });
        }
        let order = self.value(Node::CompareStrings { lhs, rhs, frame });
        let zero = self.value(Node::Whole { number: 0 });
        self.assume(zero, Kinds::TRUTH);
        Some(self.value(Node::CompareI64 {
            condition,
            lhs: order,
            rhs: zero,
        }))
    }

    /// `lhs + rhs`, if it is a concatenation that only takes strings and numbers; false if it is not.
    pub(super) fn concatenate(
        &mut self,
        op: Op,
        instruction: Instruction,
        lhs: Value,
        rhs: Value,
    ) -> bool {
        if !matches!(op, Op::Add | Op::AddConstant) {
            return false;
        }
        let (left, right) = (self.kinds(lhs), self.kinds(rhs));
        let seen = match self.frame.feedback() {
            SiteFeedback::Operands(kinds) => *kinds,
            _ => Kinds::NONE,
        };
        let has_string = left == Kinds::STRING || right == Kinds::STRING;
        let is_seen = seen.is_within(TEXT) && seen.meets(Kinds::STRING);
        let is_known = has_string && left.union(right).is_within(TEXT);
        if !(is_known || is_seen) || !left.meets(TEXT) || !right.meets(TEXT) {
            return false;
        }
        // Of two operands of which strings have been seen only, both are some.
        let wanted = match seen == Kinds::STRING {
            true => Kinds::STRING,
            false => TEXT,
        };
        let operand = |builder: &mut Self, value: Value| match builder.kinds(value).is_within(TEXT)
        {
            true => builder.tagged(value),
            false => builder.of_kind(value, wanted),
        };
        let lhs = operand(self, lhs);
        let rhs = operand(self, rhs);
        let is_string = |value| self.kinds(value) == Kinds::STRING;
        let kinds = match is_string(lhs) || is_string(rhs) {
            true => Kinds::STRING,
            false => TEXT,
        };
        let frame = self.frame_state();
        let result = self.value(Node::Concatenate { lhs, rhs, frame });
        self.assume(result, kinds);
        self.write(Register(instruction.a()), result);
        true
    }

    /// The character of a string at an index.
    pub(super) fn character_at(&mut self, object: Value, index: Value) -> Value {
        let string = self.of_kind(object, Kinds::STRING);
        let index = self.index(index);
        let frame = self.frame_state();
        self.value(Node::CharacterAt {
            string,
            index,
            frame,
        })
    }

    /// The result of an intrinsic on a string, or of one that makes a character; none if it has to be called.
    pub(super) fn string_intrinsic(
        &mut self,
        intrinsic: Intrinsic,
        arguments: &[Value],
    ) -> Option<Value> {
        let &[argument] = arguments else {
            return None;
        };
        let kinds = self.kinds(argument);
        match intrinsic {
            Intrinsic::Length if kinds == Kinds::STRING => {
                Some(self.value(Node::StringLength { string: argument }))
            }
            Intrinsic::Code if kinds == Kinds::STRING => {
                let frame = self.frame_state();
                Some(self.value(Node::CharacterCode {
                    string: argument,
                    frame,
                }))
            }
            Intrinsic::Character if kinds.meets(Kinds::NUMBER) => {
                let code = self.index(argument);
                let frame = self.frame_state();
                Some(self.value(Node::CharacterOf { code, frame }))
            }
            _ => None,
        }
    }
}
