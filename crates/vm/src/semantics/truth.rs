//! Truth, and the fuzzy logic of `and`, `or` and `not`.

use crate::value::Value;
use crate::vm::Vm;

/// Whether an `or` with this left operand is decided.
#[inline]
pub fn is_certain(number: f64) -> bool {
    number.abs() >= 1.0 || number.is_nan()
}

/// A degree of truth: the magnitude, at most 1.
fn clamp(number: f64) -> f64 {
    if number.abs() > 1.0 {
        1.0
    } else {
        number.abs()
    }
}

impl Vm {
    /// Whether a condition with this value holds.
    pub fn is_true(&self, value: Value) -> bool {
        if let Some(number) = value.as_number() {
            return number != 0.0;
        }
        if let Some(string) = value.as_string() {
            return !string.is_empty();
        }
        if let Some(list) = value.as_list() {
            return list.length() > 0;
        }
        if let Some(map) = value.as_map() {
            return self.map_length(map) > 0;
        }
        value.is_cell()
    }

    fn degree(&self, value: Value) -> f64 {
        value
            .as_number()
            .unwrap_or_else(|| if self.is_true(value) { 1.0 } else { 0.0 })
    }

    /// `not value`.
    pub fn not_value(&self, value: Value) -> Value {
        match value.as_number() {
            Some(number) => Value::number(1.0 - clamp(number)),
            None => Value::truth(!self.is_true(value)),
        }
    }

    /// The fuzzy product.
    pub fn and_values(&self, lhs: Value, rhs: Value) -> Value {
        Value::number(clamp(self.degree(lhs) * self.degree(rhs)))
    }

    /// The fuzzy sum.
    pub fn or_values(&self, lhs: Value, rhs: Value) -> Value {
        let (a, b) = (self.degree(lhs), self.degree(rhs));
        Value::number(clamp(a + b - a * b))
    }
}
