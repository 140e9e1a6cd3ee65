//! `+ - * / % ^`.

use std::ops::Range;

use super::described_type;
use crate::error::{Fallible, RuntimeError};
use crate::heap::Gc;
use crate::object::list::{ListCell, MAX_COMPUTED_LENGTH};
use crate::object::map::EntryCursor;
use crate::object::string::{self, StringCell};
use crate::value::Value;
use crate::vm::Vm;

/// So many elements are copied between two looks for interrupts: some microseconds.
pub(super) const COPIED_AT_ONCE: usize = 1 << 14;

/// `base ^ exponent`.
#[inline]
pub fn power_of_numbers(base: f64, exponent: f64) -> f64 {
    if exponent == 2.0 {
        base * base
    } else {
        base.powf(exponent)
    }
}

#[cold]
fn wrong_type<T>(got: Value, required: &'static str, operation: &'static str) -> Fallible<T> {
    Err(RuntimeError::WrongType {
        got: described_type(got),
        required,
        operation,
    }
    .into())
}

/// The right operand of an operation on a number: null counts as 0.
fn as_operand(value: Value) -> Option<f64> {
    if value.is_null() {
        Some(0.0)
    } else {
        value.as_number()
    }
}

impl Vm {
    /// `lhs + rhs`.
    pub fn add(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        if let (Some(a), Some(b)) = (lhs.as_number(), rhs.as_number()) {
            return Ok(Value::number(a + b));
        }
        if lhs.as_string().is_some() || rhs.as_string().is_some() {
            let a = self.operand_string(lhs)?;
            let b = self.operand_string(rhs)?;
            return Ok(Value::string(string::concat(self, a, b)?));
        }
        if let Some(a) = lhs.as_number() {
            return Ok(as_operand(rhs).map_or(Value::NULL, |b| Value::number(a + b)));
        }
        if let Some(list) = lhs.as_list() {
            let Some(other) = rhs.as_list() else {
                return wrong_type(rhs, "List", "list concatenation");
            };
            let length = list.length() + other.length();
            if length > MAX_COMPUTED_LENGTH {
                return Err(RuntimeError::ListTooLarge.into());
            }
            let sum = ListCell::allocate(self, length)?;
            self.append_elements(sum, list, 0..list.length())?;
            self.append_elements(sum, other, 0..other.length())?;
            return Ok(Value::list(sum));
        }
        if let Some(map) = lhs.as_map() {
            let Some(other) = rhs.as_map() else {
                return wrong_type(rhs, "Map", "map combination");
            };
            let sum = self.copy_map(map)?;
            let mut cursor = EntryCursor::default();
            let mut steps = 0;
            while let Some((key, value)) = self.map_next(other, &mut cursor) {
                self.poll_at(steps)?;
                steps += 1;
                self.map_set(sum, key, value)?;
            }
            return Ok(Value::map(sum));
        }
        Ok(Value::NULL)
    }

    /// Appends elements of a list to another one for which there is room, however many they are.
    pub(super) fn append_elements(
        &mut self,
        to: Gc<ListCell>,
        from: Gc<ListCell>,
        range: Range<usize>,
    ) -> Fallible<()> {
        let end = range.end;
        for start in range.step_by(COPIED_AT_ONCE) {
            if start > 0 {
                self.poll()?;
            }
            to.push_range(self, from, start..end.min(start + COPIED_AT_ONCE))?;
        }
        Ok(())
    }

    /// A new map with the same entries.
    pub fn copy_map(
        &mut self,
        map: Gc<crate::object::map::MapCell>,
    ) -> Fallible<Gc<crate::object::map::MapCell>> {
        let copy = self.new_map(self.map_length(map))?;
        let mut cursor = EntryCursor::default();
        let mut steps = 0;
        while let Some((key, value)) = self.map_next(map, &mut cursor) {
            self.poll_at(steps)?;
            steps += 1;
            self.map_set(copy, key, value)?;
        }
        Ok(copy)
    }

    /// What an operand of string `+` contributes: its text, nothing if it is null.
    fn operand_string(&mut self, value: Value) -> Fallible<Gc<StringCell>> {
        match value.as_string() {
            Some(string) => Ok(string),
            None => self.to_string_cell(value),
        }
    }

    /// `lhs - rhs`.
    pub fn subtract(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        if let Some(a) = lhs.as_number() {
            return Ok(as_operand(rhs).map_or(Value::NULL, |b| Value::number(a - b)));
        }
        if let Some(a) = lhs.as_string() {
            if rhs.is_null() {
                return Ok(lhs);
            }
            let Some(b) = rhs.as_string() else {
                return Ok(Value::NULL);
            };
            if b.length() > a.length() || !a.flat_str(self)?.ends_with(b.flat_str(self)?) {
                return Ok(lhs);
            }
            return Ok(Value::string(string::substring(
                self,
                a,
                0,
                a.length() - b.length(),
            )?));
        }
        Ok(Value::NULL)
    }

    /// `lhs * rhs`.
    pub fn multiply(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        if let Some(a) = lhs.as_number() {
            return Ok(as_operand(rhs).map_or(Value::NULL, |b| Value::number(a * b)));
        }
        self.replicate(
            lhs,
            rhs,
            |factor| factor,
            "string replication",
            "list replication",
        )
    }

    /// `lhs / rhs`.
    pub fn divide(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        if let Some(a) = lhs.as_number() {
            return Ok(as_operand(rhs).map_or(Value::NULL, |b| Value::number(a / b)));
        }
        self.replicate(
            lhs,
            rhs,
            |divisor| 1.0 / divisor,
            "string division",
            "list division",
        )
    }

    fn replicate(
        &mut self,
        lhs: Value,
        rhs: Value,
        factor: fn(f64) -> f64,
        of_string: &'static str,
        of_list: &'static str,
    ) -> Fallible<Value> {
        if let Some(text) = lhs.as_string() {
            let Some(number) = rhs.as_number() else {
                return wrong_type(rhs, "Number", of_string);
            };
            let factor = factor(number);
            if !factor.is_finite() {
                return Ok(Value::NULL);
            }
            return Ok(Value::string(string::replicate(self, text, factor)?));
        }
        if let Some(list) = lhs.as_list() {
            let Some(number) = rhs.as_number() else {
                return wrong_type(rhs, "Number", of_list);
            };
            let factor = factor(number);
            if !factor.is_finite() {
                return Ok(Value::NULL);
            }
            let length = list.length();
            if length == 0 || factor <= 0.0 {
                return Ok(Value::list(ListCell::allocate(self, 0)?));
            }
            let wanted = (length as f64 * factor).trunc();
            if wanted > MAX_COMPUTED_LENGTH as f64 {
                return Err(RuntimeError::ListTooLarge.into());
            }
            let wanted = wanted as usize;
            let result = ListCell::allocate(self, wanted)?;
            for index in 0..wanted {
                self.poll_at(index)?;
                result.push(self, list.as_slice()[index % length])?;
            }
            return Ok(Value::list(result));
        }
        Ok(Value::NULL)
    }

    /// `lhs % rhs`.
    pub fn modulo(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        let (Some(a), Some(b)) = (lhs.as_number(), as_operand(rhs)) else {
            return Ok(Value::NULL);
        };
        Ok(Value::number(a % b))
    }

    /// `lhs ^ rhs`.
    pub fn power(&mut self, lhs: Value, rhs: Value) -> Fallible<Value> {
        let (Some(a), Some(b)) = (lhs.as_number(), as_operand(rhs)) else {
            return Ok(Value::NULL);
        };
        Ok(Value::number(power_of_numbers(a, b)))
    }
}
