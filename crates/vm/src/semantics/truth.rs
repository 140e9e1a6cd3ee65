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

    /// Both operands' degrees. A number beside something that is neither number nor null only counts as true or false.
    fn degrees(&self, lhs: Value, rhs: Value) -> (f64, f64) {
        let lhs = if rhs.is_number() || rhs.is_null() {
            lhs
        } else {
            Value::truth(self.is_true(lhs))
        };
        (self.degree(lhs), self.degree(rhs))
    }

    /// The fuzzy product.
    pub fn and_values(&self, lhs: Value, rhs: Value) -> Value {
        let (a, b) = self.degrees(lhs, rhs);
        Value::number(clamp(a * b))
    }

    /// The fuzzy sum.
    pub fn or_values(&self, lhs: Value, rhs: Value) -> Value {
        let (a, b) = self.degrees(lhs, rhs);
        Value::number(clamp(a + b - a * b))
    }
}
