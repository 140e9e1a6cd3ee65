//! Elements: `x[i]`, `x[i] = v`, `x[a:b]`, the elements of a `for` loop, `new`.

use super::arith::COPIED_AT_ONCE;
use super::to_integer;
use crate::error::{Fallible, RuntimeError};
use crate::heap::{Gc, Kind};
use crate::object::list::{ListCell, MAX_COMPUTED_LENGTH};
use crate::object::map::{EntryCursor, MapCell};
use crate::object::range::RangeCell;
use crate::object::string;
use crate::text::number::format_number;
use crate::value::Value;
use crate::vm::Vm;

fn number_text(number: f64) -> Box<str> {
    let mut text = String::new();
    format_number(number, &mut text);
    text.into()
}

/// The position that an index of a script means in a sequence: cut to a whole number, negative ones from the end.
pub fn position(index: f64, length: usize) -> Option<usize> {
    let index = index.trunc();
    let from_front = if index < 0.0 {
        index + length as f64
    } else {
        index
    };
    (from_front >= 0.0 && from_front < length as f64).then_some(from_front as usize)
}

impl Vm {
    #[cold]
    fn key_not_found<T>(&mut self, key: Value) -> Fallible<T> {
        let mut text = String::new();
        match key.as_string() {
            Some(_) => self.append_text(key, &mut text)?,
            None => self.append_code(key, 1, &mut text)?,
        }
        Err(RuntimeError::KeyNotFound(text.into()).into())
    }

    /// `object[index]` in an expression.
    pub fn element(&mut self, object: Value, index: Value) -> Fallible<Value> {
        if index.as_string().is_some() {
            if object.is_null() {
                return Ok(Value::NULL);
            }
            return Ok(self.named_element(object, index)?.0);
        }
        if object.is_number() {
            return Ok(Value::NULL);
        }
        self.indexed_element(object, index)
    }

    /// `object[index]` as a statement, and the map it was found in if the index is a name.
    pub fn statement_element(
        &mut self,
        object: Value,
        index: Value,
    ) -> Fallible<(Value, Option<Gc<MapCell>>)> {
        if index.as_string().is_some() {
            return self.named_element(object, index);
        }
        Ok((self.indexed_element(object, index)?, None))
    }

    fn named_element(
        &mut self,
        object: Value,
        index: Value,
    ) -> Fallible<(Value, Option<Gc<MapCell>>)> {
        // Most such maps are used as tables: the own entry first, without interning the key.
        if let Some(map) = object.as_map()
            && let Some(value) = self.map_get(map, index)?
        {
            return Ok((value, Some(map)));
        }
        let Some(key) = index.as_string() else {
            return Ok((Value::NULL, None));
        };
        let key = self.intern_cell(key)?;
        Ok(match self.find_member(object, key)? {
            Some(member) => (member.value, Some(member.holder)),
            None => (Value::NULL, None),
        })
    }

    fn indexed_element(&mut self, object: Value, index: Value) -> Fallible<Value> {
        if let Some(list) = object.as_list() {
            let Some(number) = index.as_number() else {
                return Err(RuntimeError::ListIndexNotNumeric.into());
            };
            let element = position(number, list.length()).and_then(|position| list.get(position));
            return element
                .ok_or_else(|| RuntimeError::ListIndexOutOfRange(number_text(number)).into());
        }
        if let Some(text) = object.as_string() {
            let Some(number) = index.as_number() else {
                return Err(RuntimeError::StringIndexNotNumeric.into());
            };
            if let Some(position) = position(number, text.length())
                && let Some(character) = string::char_at(self, text, position)?
            {
                return Ok(Value::string(character));
            }
            return Err(RuntimeError::StringIndexOutOfRange(number_text(number)).into());
        }
        if let Some(map) = object.as_map() {
            return match self.find_indexed(map, index)? {
                Some(value) => Ok(value),
                None => self.key_not_found(index),
            };
        }
        if object.is_null() {
            return Err(RuntimeError::IndexIntoNull.into());
        }
        Err(RuntimeError::CannotIndex.into())
    }

    /// `object[index] = value`.
    pub fn set_element(&mut self, object: Value, index: Value, value: Value) -> Fallible<()> {
        if let Some(list) = object.as_list() {
            if index.is_null() {
                return Err(RuntimeError::ListIndexNotNumeric.into());
            }
            let number = index.as_number().unwrap_or(0.0);
            let Some(position) = position(number, list.length()) else {
                return Err(RuntimeError::ListIndexOutOfRange(number_text(number)).into());
            };
            list.set(self, position, value);
            return Ok(());
        }
        if let Some(map) = object.as_map() {
            if map.is_protected() {
                return self.set_protected(map, index, value);
            }
            return self.map_set(map, index, value);
        }
        if object.is_null() {
            return Err(RuntimeError::SetElementOfNull.into());
        }
        if self.set_object_member(object, index, value)? {
            return Ok(());
        }
        Err(RuntimeError::CannotSetElement.into())
    }

    /// `object[from:to]`.
    pub fn slice_value(&mut self, object: Value, from: Value, to: Value) -> Fallible<Value> {
        let length = match (object.as_string(), object.as_list()) {
            (Some(text), _) => text.length(),
            (_, Some(list)) => list.length(),
            _ => return Ok(Value::NULL),
        } as i64;
        let adjusted = |index: i64| if index < 0 { index + length } else { index };
        let from = adjusted(i64::from(to_integer(from))).max(0);
        let to = if to.is_null() {
            length
        } else {
            adjusted(i64::from(to_integer(to))).min(length)
        };
        let (from, to) = if to <= from {
            (0, 0)
        } else {
            (from as usize, to as usize)
        };
        if let Some(text) = object.as_string() {
            return Ok(Value::string(string::substring(self, text, from, to)?));
        }
        match object.as_list() {
            Some(list) if to - from <= COPIED_AT_ONCE => {
                Ok(Value::list(ListCell::copy_of(self, list, from..to)?))
            }
            Some(list) => {
                let part = ListCell::allocate(self, to - from)?;
                self.append_elements(part, list, from..to)?;
                Ok(Value::list(part))
            }
            None => Ok(Value::NULL),
        }
    }

    /// The range that `for` may run over without a list: all arguments whole, at least one element, within limits. In every
    /// other case the intrinsic decides.
    pub fn unmaterialized_range(
        &mut self,
        from: Option<Value>,
        to: Option<Value>,
        step: Option<Value>,
    ) -> Fallible<Option<Gc<RangeCell>>> {
        let whole = |value: Option<Value>| match value {
            None => Some(0.0),
            Some(value) => value.as_number().filter(|number| {
                // `trunc` would be a call.
                *number as i64 as f64 == *number && number.abs() < 9_007_199_254_740_992.0
            }),
        };
        let (Some(from), Some(to)) = (whole(from), whole(to)) else {
            return Ok(None);
        };
        let step = match step {
            Some(step) if !step.is_null() => match whole(Some(step)) {
                Some(step) => step,
                None => return Ok(None),
            },
            _ if to >= from => 1.0,
            _ => -1.0,
        };
        let steps = (to - from) / step;
        if !(steps >= 0.0 && steps < MAX_COMPUTED_LENGTH as f64) {
            return Ok(None);
        }
        let count = steps as i64 as f64 + 1.0;
        // A zero with a sign would show in the first element only.
        RangeCell::allocate(self, from, step, count).map(Some)
    }

    /// The element of a `for` loop's pass with this index; none if the loop ends.
    pub fn loop_element(&mut self, sequence: Value, index: Value) -> Fallible<Option<Value>> {
        if let Some(list) = sequence.as_list() {
            let Some(index) = index.as_number() else {
                return Err(RuntimeError::ListIndexNotNumeric.into());
            };
            if index >= list.length() as f64 {
                return Ok(None);
            }
            let element = position(index, list.length()).and_then(|position| list.get(position));
            return match element {
                Some(element) => Ok(Some(element)),
                None => Err(RuntimeError::ListIndexOutOfRange(number_text(index)).into()),
            };
        }
        if let Some(range) = sequence.as_other::<RangeCell>(Kind::Range) {
            let Some(index) = index.as_number() else {
                return Err(RuntimeError::ListIndexNotNumeric.into());
            };
            if index >= range.count {
                return Ok(None);
            }
            return match position(index, range.count as usize) {
                Some(position) => Ok(Some(Value::number(
                    range.first + position as f64 * range.step,
                ))),
                None => Err(RuntimeError::ListIndexOutOfRange(number_text(index)).into()),
            };
        }
        if let Some(text) = sequence.as_string() {
            let Some(index) = index.as_number() else {
                return Err(RuntimeError::StringIndexNotNumeric.into());
            };
            if index >= text.length() as f64 {
                return Ok(None);
            }
            return match position(index, text.length()) {
                Some(position) => Ok(string::char_at(self, text, position)?.map(Value::string)),
                None => Err(RuntimeError::StringIndexOutOfRange(number_text(index)).into()),
            };
        }
        if let Some(map) = sequence.as_map() {
            let index = index.as_number().unwrap_or(0.0);
            if index >= self.map_length(map) as f64 {
                return Ok(None);
            }
            if index.trunc() < 0.0 {
                return Err(RuntimeError::MapIndexOutOfRange(index.trunc() as i64).into());
            }
            let Some((key, value)) = self.map_entry_at(map, index as usize) else {
                return Ok(None);
            };
            let entry = self.new_map(2)?;
            self.map_set_interned(entry, self.names.key, key)?;
            self.map_set_interned(entry, self.names.value, value)?;
            return Ok(Some(Value::map(entry)));
        }
        Ok(None)
    }

    /// `new prototype`.
    pub fn new_value(&mut self, prototype: Value) -> Fallible<Value> {
        let Some(map) = prototype.as_map() else {
            return Err(RuntimeError::Message("argument to 'new' must be a map".into()).into());
        };
        let types = self.types;
        let message = if map == types.string {
            "invalid use of 'new'; to create a string, use quotes, e.g. \"foo\""
        } else if map == types.list {
            "invalid use of 'new'; to create a list, use square brackets, e.g. [1,2]"
        } else if map == types.number {
            "invalid use of 'new'; to create a number, use a numeric literal, e.g. 42"
        } else if map == types.function {
            "invalid use of 'new'; to create a function, use the 'function' keyword"
        } else {
            return Ok(Value::map(self.new_instance(map)?));
        };
        Err(RuntimeError::Message(message.into()).into())
    }

    /// The oldest key of a map.
    pub fn first_key(&mut self, map: Gc<MapCell>) -> Option<Value> {
        self.map_next(map, &mut EntryCursor::default())
            .map(|(key, _)| key)
    }
}
