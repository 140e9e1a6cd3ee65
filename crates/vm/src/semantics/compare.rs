//! Comparisons and `isa`.

use std::cmp::Ordering;

use crate::error::{Fallible, RuntimeError};
use crate::object::string;
use crate::value::Value;
use crate::vm::Vm;

/// The longest chain of `__isa` that `isa` follows.
const MAX_ISA_DEPTH: usize = 257;

impl Vm {
    /// `lhs == rhs`.
    pub fn equal_values(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        if is_odd_comparison(lhs, rhs) {
            return Ok(Value::NULL);
        }
        Ok(Value::truth(self.deep_equal(lhs, rhs)?))
    }

    /// `lhs != rhs`.
    pub fn unequal_values(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        if is_odd_comparison(lhs, rhs) {
            return Ok(Value::NULL);
        }
        Ok(Value::truth(!self.deep_equal(lhs, rhs)?))
    }

    fn order(
        &mut self,
        lhs: Value,
        rhs: Value,
        holds: fn(Option<Ordering>) -> bool,
    ) -> Fallible<Value> {
        if let Some(a) = lhs.as_number() {
            let b = if rhs.is_null() {
                Some(0.0)
            } else {
                rhs.as_number()
            };
            return Ok(b.map_or(Value::NULL, |b| Value::truth(holds(a.partial_cmp(&b)))));
        }
        if let Some(a) = lhs.as_string() {
            let ordering = if rhs.is_null() {
                if a.is_empty() {
                    Ordering::Equal
                } else {
                    Ordering::Greater
                }
            } else {
                let Some(b) = rhs.as_string() else {
                    return Ok(Value::NULL);
                };
                string::compare(self, a, b)?
            };
            return Ok(Value::truth(holds(Some(ordering))));
        }
        Ok(Value::NULL)
    }

    /// `lhs < rhs`.
    pub fn less_values(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        self.order(lhs, rhs, |ordering| ordering.is_some_and(Ordering::is_lt))
    }

    /// `lhs <= rhs`.
    pub fn less_equal_values(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        self.order(lhs, rhs, |ordering| ordering.is_some_and(Ordering::is_le))
    }

    /// `lhs > rhs`.
    pub fn greater_values(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        self.order(lhs, rhs, |ordering| ordering.is_some_and(Ordering::is_gt))
    }

    /// `lhs >= rhs`.
    pub fn greater_equal_values(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        self.order(lhs, rhs, |ordering| ordering.is_some_and(Ordering::is_ge))
    }

    /// `lhs isa rhs`.
    pub fn isa_values(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        if rhs.is_null() || lhs.is_null() {
            return Ok(Value::truth(lhs.is_null() && rhs.is_null()));
        }
        if self
            .type_map_of(lhs)
            .is_some_and(|types| Value::map(types) == rhs)
        {
            return Ok(Value::ONE);
        }
        let Some(mut at) = lhs.as_map() else {
            return Ok(Value::ZERO);
        };
        for _ in 0..=MAX_ISA_DEPTH {
            let Some(next) = self.isa_of(at) else {
                return Ok(Value::ZERO);
            };
            // Only lists and maps have an identity to compare.
            if next == rhs && (next.as_map().is_some() || next.as_list().is_some()) {
                return Ok(Value::ONE);
            }
            match next.as_map() {
                Some(next) => at = next,
                None => return Ok(Value::ZERO),
            }
        }
        Err(RuntimeError::IsaDepthExceeded.into())
    }
}

/// A function compared with anything but a function or null yields null, whichever way one asks.
fn is_odd_comparison(lhs: Value, rhs: Value) -> bool {
    lhs.is_function() && !rhs.is_function() && !rhs.is_null()
}
