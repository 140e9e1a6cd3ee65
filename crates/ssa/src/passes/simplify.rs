//! Rules that replace one instruction by something simpler: constants, conversions that cancel out, what types decide.
//!
//! Not a pass of its own: [`super::value_numbering`] applies the rules to each instruction, operands first.

use crate::ir::{BlockCall, Condition, Function, Kinds, Node, Number, Value};

/// What an instruction becomes.
pub(super) enum Simpler {
    /// Its result is this value.
    Value(Value),
    /// This instruction does the same.
    Node(Node),
    /// It has no effect.
    Nothing,
}

/// Applies the first rule that fits. `create` adds an instruction in front and gives its result.
pub(super) fn simplify(
    function: &mut Function,
    node: &Node,
    create: &mut dyn FnMut(&mut Function, Node) -> Value,
) -> Option<Simpler> {
    let rules = Rules { function };
    match *node {
        Node::BoxF64 { value } => rules.boxed(value),
        Node::UnboxF64 { value } => rules.unboxed(value),
        Node::GuardNumber { value, .. } => {
            let known = rules.kinds(value).is_within(Kinds::NUMBER);
            known.then_some(Simpler::Node(Node::UnboxF64 { value }))
        }
        Node::GuardKind { value, kinds, .. } => {
            let known = rules.kinds(value).is_within(kinds);
            known.then_some(Simpler::Value(value))
        }
        Node::IsKind { value, kinds } => {
            let known = rules.kinds(value);
            if known.is_within(kinds) {
                truth(true)
            } else if !known.meets(kinds) {
                truth(false)
            } else {
                None
            }
        }
        Node::GuardTrue { condition, .. } => {
            (rules.truth(condition) == Some(true)).then_some(Simpler::Nothing)
        }
        Node::GuardFalse { condition, .. } => {
            (rules.truth(condition) == Some(false)).then_some(Simpler::Nothing)
        }
        Node::FunctionOuter { function } => match rules.function.defining_node(function) {
            Some(Node::NewClosure { variables, .. }) => Some(Simpler::Value(*variables)),
            _ => None,
        },
        Node::GuardCode { function, code, .. } => match rules.function.defining_node(function) {
            Some(Node::NewClosure { code: known, .. }) if *known == code => {
                Some(Simpler::Value(function))
            }
            _ => None,
        },
        Node::GuardConstant {
            value, constant, ..
        } => match rules.function.defining_node(value) {
            Some(Node::Constant { constant: known }) if *known == constant => {
                Some(Simpler::Value(value))
            }
            _ => None,
        },
        Node::Branch { .. } => rules.branch(node),
        Node::CompareF64 {
            condition,
            lhs,
            rhs,
        } => compare_f64(function, condition, lhs, rhs, create),
        Node::CompareI64 {
            condition,
            lhs,
            rhs,
        } => rules.compare_i64(condition, lhs, rhs),
        Node::NotBool { value } => match rules.function.defining_node(value) {
            Some(&Node::NotBool { value }) => Some(Simpler::Value(value)),
            Some(Node::Truth { holds }) => truth(!holds),
            _ => None,
        },
        Node::AndBool { lhs, rhs } => rules.logic(lhs, rhs, true),
        Node::OrBool { lhs, rhs } => rules.logic(lhs, rhs, false),
        Node::AndF64 { lhs, rhs } => {
            let (lhs, rhs) = (rules.truth_value(lhs)?, rules.truth_value(rhs)?);
            let value = create(function, Node::AndBool { lhs, rhs });
            Some(Simpler::Node(Node::TruthToF64 { value }))
        }
        Node::OrF64 { lhs, rhs } => {
            let (lhs, rhs) = (rules.truth_value(lhs)?, rules.truth_value(rhs)?);
            let value = create(function, Node::OrBool { lhs, rhs });
            Some(Simpler::Node(Node::TruthToF64 { value }))
        }
        Node::NotF64 { value } => {
            let value = rules.truth_value(value)?;
            let value = create(function, Node::NotBool { value });
            Some(Simpler::Node(Node::TruthToF64 { value }))
        }
        Node::IsCertainF64 { value } => rules.truth_value(value).map(Simpler::Value),
        Node::TruthToF64 { value } => rules
            .truth(value)
            .map(|holds| number(f64::from(u8::from(holds)))),
        Node::I64ToF64 { value } => rules.whole(value).map(|whole| number(whole as f64)),
        Node::F64ToI64 { value, .. } => rules.integer(value),
        Node::F64ToIndex { value, .. } => rules.index(value),
        Node::RangeCount { range } => rules
            .range(range)
            .map(|(_, _, count)| Simpler::Value(count)),
        Node::RangeFirst { range } => rules
            .range(range)
            .map(|(first, _, _)| Simpler::Value(first)),
        Node::RangeStep { range } => rules.range(range).map(|(_, step, _)| Simpler::Value(step)),
        _ => rules.arithmetic(node),
    }
}

fn number(number: f64) -> Simpler {
    Simpler::Node(Node::Number {
        number: Number(number),
    })
}

fn truth(holds: bool) -> Option<Simpler> {
    Some(Simpler::Node(Node::Truth { holds }))
}

fn compare_f64(
    function: &mut Function,
    condition: Condition,
    lhs: Value,
    rhs: Value,
    create: &mut dyn FnMut(&mut Function, Node) -> Value,
) -> Option<Simpler> {
    let rules = Rules { function };
    if let (Some(lhs), Some(rhs)) = (rules.number(lhs), rules.number(rhs)) {
        return truth(condition.holds(lhs, rhs));
    }
    // A truth value compared with 0 or 1 is itself or its opposite.
    if let (Some(value), Some(constant)) = (rules.truth_value(lhs), rules.number(rhs)) {
        let outcomes = (
            condition.holds(0.0, constant),
            condition.holds(1.0, constant),
        );
        return match outcomes {
            (false, true) => Some(Simpler::Value(value)),
            (true, false) => Some(Simpler::Node(Node::NotBool { value })),
            (always, _) => truth(always),
        };
    }
    // Whole numbers are compared as integers, if at least one is an integer anyway.
    let (left, right) = (rules.converted_integer(lhs), rules.converted_integer(rhs));
    let (wholes, constants) = ((left, right), (rules.number(lhs), rules.number(rhs)));
    let is_whole = |number: &f64| Kinds::of_number(*number).is_within(Kinds::WHOLE);
    let (lhs, rhs) = match (wholes, constants) {
        ((Some(lhs), Some(rhs)), _) => (lhs, rhs),
        ((Some(lhs), None), (_, Some(constant))) if is_whole(&constant) => {
            let number = constant as i64;
            (lhs, create(function, Node::Whole { number }))
        }
        ((None, Some(rhs)), (Some(constant), _)) if is_whole(&constant) => {
            let number = constant as i64;
            (create(function, Node::Whole { number }), rhs)
        }
        _ => return None,
    };
    Some(Simpler::Node(Node::CompareI64 {
        condition,
        lhs,
        rhs,
    }))
}

/// What rules ask about values.
struct Rules<'a> {
    function: &'a Function,
}

impl Rules<'_> {
    fn kinds(&self, value: Value) -> Kinds {
        self.function.ty(value).kinds
    }

    fn number(&self, value: Value) -> Option<f64> {
        match self.function.defining_node(value)? {
            Node::Number { number } => Some(number.0),
            _ => None,
        }
    }

    fn whole(&self, value: Value) -> Option<i64> {
        match self.function.defining_node(value)? {
            Node::Whole { number } => Some(*number),
            _ => None,
        }
    }

    fn truth(&self, value: Value) -> Option<bool> {
        match self.function.defining_node(value)? {
            Node::Truth { holds } => Some(*holds),
            _ => None,
        }
    }

    /// First element, step and count of a range.
    fn range(&self, value: Value) -> Option<(Value, Value, Value)> {
        match self.function.defining_node(value)? {
            Node::NewRange { first, step, count } => Some((*first, *step, *count)),
            _ => None,
        }
    }

    /// The truth value that a double was made of.
    fn truth_value(&self, value: Value) -> Option<Value> {
        match self.function.defining_node(value)? {
            Node::TruthToF64 { value } => Some(*value),
            _ => None,
        }
    }

    /// The integer that a double was made of.
    fn converted_integer(&self, value: Value) -> Option<Value> {
        match self.function.defining_node(value)? {
            Node::I64ToF64 { value } => Some(*value),
            _ => None,
        }
    }

    fn boxed(&self, value: Value) -> Option<Simpler> {
        match self.function.defining_node(value)? {
            Node::UnboxF64 { value } => Some(Simpler::Value(*value)),
            _ => None,
        }
    }

    fn unboxed(&self, value: Value) -> Option<Simpler> {
        match self.function.defining_node(value)? {
            Node::BoxF64 { value } => Some(Simpler::Value(*value)),
            _ => None,
        }
    }

    fn branch(&self, node: &Node) -> Option<Simpler> {
        let Node::Branch {
            condition,
            holds,
            fails,
        } = node
        else {
            return None;
        };
        let jump = |target: &BlockCall| {
            Simpler::Node(Node::Jump {
                target: target.clone(),
            })
        };
        if let Some(known) = self.truth(*condition) {
            return Some(jump(if known { holds } else { fails }));
        }
        if holds == fails {
            return Some(jump(holds));
        }
        match self.function.defining_node(*condition)? {
            Node::NotBool { value } => Some(Simpler::Node(Node::Branch {
                condition: *value,
                holds: fails.clone(),
                fails: holds.clone(),
            })),
            _ => None,
        }
    }

    fn compare_i64(&self, condition: Condition, lhs: Value, rhs: Value) -> Option<Simpler> {
        if let (Some(lhs), Some(rhs)) = (self.whole(lhs), self.whole(rhs)) {
            return truth(condition.holds(lhs, rhs));
        }
        if lhs == rhs {
            return truth(condition.holds(0, 0));
        }
        None
    }

    /// `and` (`neutral` is true) and `or` of truth values.
    fn logic(&self, lhs: Value, rhs: Value, neutral: bool) -> Option<Simpler> {
        if lhs == rhs {
            return Some(Simpler::Value(lhs));
        }
        for (known, other) in [(lhs, rhs), (rhs, lhs)] {
            if let Some(holds) = self.truth(known) {
                return match holds == neutral {
                    true => Some(Simpler::Value(other)),
                    false => truth(!neutral),
                };
            }
        }
        None
    }

    /// A double converted to an integer.
    fn integer(&self, value: Value) -> Option<Simpler> {
        if let Some(integer) = self.converted_integer(value) {
            return Some(Simpler::Value(integer));
        }
        let number = self.number(value)?;
        let is_whole = Kinds::of_number(number).is_within(Kinds::WHOLE);
        is_whole.then_some(Simpler::Node(Node::Whole {
            number: number as i64,
        }))
    }

    /// A double used as an index. Integers need no check: what uses an index compares it with a length.
    fn index(&self, value: Value) -> Option<Simpler> {
        if let Some(integer) = self.converted_integer(value) {
            return Some(Simpler::Value(integer));
        }
        let number = self.number(value)?;
        let index = number as i32;
        (f64::from(index) == number).then_some(Simpler::Node(Node::Whole {
            number: i64::from(index),
        }))
    }

    fn arithmetic(&self, node: &Node) -> Option<Simpler> {
        match *node {
            Node::AddF64 { lhs, rhs } => self.constant(lhs, rhs, |a, b| a + b),
            Node::SubtractF64 { lhs, rhs } => {
                // x - 0 is x, even for -0.
                if self
                    .number(rhs)
                    .is_some_and(|n| n == 0.0 && n.is_sign_positive())
                {
                    return Some(Simpler::Value(lhs));
                }
                self.constant(lhs, rhs, |a, b| a - b)
            }
            Node::MultiplyF64 { lhs, rhs } => {
                if self.number(rhs) == Some(1.0) {
                    return Some(Simpler::Value(lhs));
                }
                if self.number(lhs) == Some(1.0) {
                    return Some(Simpler::Value(rhs));
                }
                self.constant(lhs, rhs, |a, b| a * b)
            }
            Node::DivideF64 { lhs, rhs } => {
                if self.number(rhs) == Some(1.0) {
                    return Some(Simpler::Value(lhs));
                }
                self.constant(lhs, rhs, |a, b| a / b)
            }
            Node::RemainderF64 { lhs, rhs } => self.constant(lhs, rhs, |a, b| a % b),
            Node::AddI64 { lhs, rhs } | Node::AddI64Checked { lhs, rhs, .. } => {
                for (known, other) in [(lhs, rhs), (rhs, lhs)] {
                    if self.whole(known) == Some(0) {
                        return Some(Simpler::Value(other));
                    }
                }
                self.whole_constant(lhs, rhs, i64::checked_add)
            }
            Node::SubtractI64 { lhs, rhs } | Node::SubtractI64Checked { lhs, rhs, .. } => {
                if self.whole(rhs) == Some(0) {
                    return Some(Simpler::Value(lhs));
                }
                self.whole_constant(lhs, rhs, i64::checked_sub)
            }
            Node::MultiplyI64 { lhs, rhs } => {
                for (known, other) in [(lhs, rhs), (rhs, lhs)] {
                    if self.whole(known) == Some(1) {
                        return Some(Simpler::Value(other));
                    }
                }
                self.whole_constant(lhs, rhs, i64::checked_mul)
            }
            _ => None,
        }
    }

    fn constant(&self, lhs: Value, rhs: Value, operation: fn(f64, f64) -> f64) -> Option<Simpler> {
        let result = operation(self.number(lhs)?, self.number(rhs)?);
        // The bits of a NaN depend on the machine.
        (!result.is_nan()).then(|| number(result))
    }

    fn whole_constant(
        &self,
        lhs: Value,
        rhs: Value,
        operation: fn(i64, i64) -> Option<i64>,
    ) -> Option<Simpler> {
        let number = operation(self.whole(lhs)?, self.whole(rhs)?)?;
        let is_whole = Kinds::of_number(number as f64).is_within(Kinds::WHOLE);
        is_whole.then_some(Simpler::Node(Node::Whole { number }))
    }
}
