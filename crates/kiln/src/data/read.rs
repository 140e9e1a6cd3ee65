//! From scripts to Rust: a deserializer that reads script values.

use serde::de::{self, DeserializeOwned, DeserializeSeed, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::{DataError, MAX_DEPTH};
use crate::context::Context;
use crate::error::Error;
use crate::value::{List, Map, Value};

/// The most values in a piece of data. Values that share others can be many more in Rust than in the script.
const MAX_VALUES: usize = 1 << 24;

/// The largest integer up to which a script's numbers hold every integer.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The key under which a map has its prototype, which is no data.
const PROTOTYPE: &str = "__isa";

/// Makes data of a script value.
pub(super) fn from_value<T: DeserializeOwned>(
    value: Value,
    context: &mut Context<'_>,
) -> Result<T, Error> {
    let mut left = MAX_VALUES;
    let reader = Reader {
        value,
        context,
        depth: 0,
        left: &mut left,
    };
    Ok(T::deserialize(reader)?)
}

/// Reads a value.
struct Reader<'a, 'vm> {
    value: Value,
    context: &'a mut Context<'vm>,
    depth: usize,
    /// How many more values may be read.
    left: &'a mut usize,
}

type Read<T> = Result<T, DataError>;

impl<'a, 'vm> Reader<'a, 'vm> {
    /// Steps into a value that holds others.
    fn deeper(&mut self) -> Read<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(DataError::new("the value is nested too deeply"));
        }
        Ok(())
    }

    /// Reads a value inside this one.
    fn inner<'de, S: DeserializeSeed<'de>>(&mut self, value: Value, seed: S) -> Read<S::Value> {
        *self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return Err(DataError::new("the value is too large")),
        };
        self.context.check_interrupt()?;
        seed.deserialize(Reader {
            value,
            context: self.context,
            depth: self.depth,
            left: self.left,
        })
    }

    fn list<'de, V: Visitor<'de>>(mut self, list: List, visitor: V) -> Read<V::Value> {
        self.deeper()?;
        visitor.visit_seq(Elements {
            list,
            next: 0,
            reader: self,
        })
    }

    /// Reads a map's own entries, and of `fields` also those that it inherits.
    fn map<'de, V: Visitor<'de>>(
        mut self,
        map: &Map,
        fields: &[&str],
        visitor: V,
    ) -> Read<V::Value> {
        self.deeper()?;
        let mut entries = map.entries::<Value, Value>(self.context)?;
        entries.retain(|(key, _)| key.as_str() != Some(PROTOTYPE));
        for field in fields {
            let is_own = entries.iter().any(|(key, _)| key.as_str() == Some(field));
            if !is_own && let Some(value) = map.lookup(self.context, *field)? {
                entries.push((Value::String((*field).to_owned()), value));
            }
        }
        visitor.visit_map(Entries {
            entries: entries.into_iter(),
            value: None,
            reader: self,
        })
    }

    fn mismatch<T>(&self, expected: &dyn de::Expected) -> Read<T> {
        let unexpected = match &self.value {
            Value::Null => Unexpected::Other("null"),
            Value::Number(number) => Unexpected::Float(*number),
            Value::String(text) => Unexpected::Str(text),
            Value::List(_) => Unexpected::Seq,
            Value::Map(_) => Unexpected::Map,
            Value::Function(_) => Unexpected::Other("function"),
            Value::Object(_) => Unexpected::Other("object"),
        };
        Err(de::Error::invalid_type(unexpected, expected))
    }
}

/// Gives a number to whoever expects one: an integer as such, so that it fits integers and floating point numbers alike.
fn number<'de, V: Visitor<'de>>(number: f64, visitor: V) -> Read<V::Value> {
    if number.fract() == 0.0 && number.abs() <= MAX_EXACT {
        if number >= 0.0 {
            visitor.visit_u64(number as u64)
        } else {
            visitor.visit_i64(number as i64)
        }
    } else {
        visitor.visit_f64(number)
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_, '_> {
    type Error = DataError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Number(value) => number(value, visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::List(ref list) => {
                let list = list.clone();
                self.list(list, visitor)
            }
            Value::Map(ref map) => {
                let map = map.clone();
                self.map(&map, &[], visitor)
            }
            Value::Function(_) | Value::Object(_) => self.mismatch(&visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.value {
            Value::Number(number) => visitor.visit_bool(number != 0.0),
            _ => self.mismatch(&visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.value {
            Value::Number(number) => visitor.visit_f64(number),
            _ => self.mismatch(&visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match &self.value {
            Value::List(list) => {
                let length = list.len(self.context)?;
                let bytes = (0..length).map(|index| list.get(self.context, index));
                visitor.visit_byte_buf(bytes.collect::<Result<Vec<u8>, Error>>()?)
            }
            _ => self.mismatch(&visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        match &self.value {
            Value::Map(map) => {
                let map = map.clone();
                self.map(&map, fields, visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        let (name, contents) = match &self.value {
            Value::String(name) => (Value::String(name.clone()), None),
            Value::Map(map) => {
                let entries = map.entries::<Value, Value>(self.context)?;
                match <[_; 1]>::try_from(entries) {
                    Ok([(name, contents)]) => (name, Some(contents)),
                    Err(_) => {
                        return Err(DataError::new(
                            "a variant of an enum is a map with its name as the only key",
                        ));
                    }
                }
            }
            _ => return self.mismatch(&visitor),
        };
        self.deeper()?;
        visitor.visit_enum(Variant {
            name,
            contents,
            reader: self,
        })
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The elements of a list.
struct Elements<'a, 'vm> {
    list: List,
    next: usize,
    reader: Reader<'a, 'vm>,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, '_> {
    type Error = DataError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Read<Option<S::Value>> {
        let index = self.next;
        if index >= self.list.len(self.reader.context)? {
            return Ok(None);
        }
        self.next += 1;
        let element = self.list.get(self.reader.context, index)?;
        let data = self.reader.inner(element, seed);
        data.map(Some).map_err(|error| error.in_element(index))
    }
}

/// The entries of a map.
struct Entries<'a, 'vm> {
    entries: std::vec::IntoIter<(Value, Value)>,
    /// The name of the key that was read last, and its value.
    value: Option<(String, Value)>,
    reader: Reader<'a, 'vm>,
}

impl<'de> de::MapAccess<'de> for Entries<'_, '_> {
    type Error = DataError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Read<Option<S::Value>> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        let name = match &key {
            Value::String(name) => name.clone(),
            Value::Number(number) => number.to_string(),
            other => other.kind().to_owned(),
        };
        self.value = Some((name, value));
        self.reader.inner(key, seed).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Read<S::Value> {
        let Some((name, value)) = self.value.take() else {
            return Err(DataError::new("a value was asked for before its key"));
        };
        let data = self.reader.inner(value, seed);
        data.map_err(|error| error.in_field(&name))
    }
}

/// A variant of an enum.
struct Variant<'a, 'vm> {
    name: Value,
    contents: Option<Value>,
    reader: Reader<'a, 'vm>,
}

impl<'a, 'de, 'vm> de::EnumAccess<'de> for Variant<'a, 'vm> {
    type Error = DataError;
    type Variant = Contents<'a, 'vm>;

    fn variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Read<(S::Value, Self::Variant)> {
        let name = self.name.as_str().unwrap_or_default().to_owned();
        let variant = self.reader.inner(self.name, seed)?;
        let contents = Contents {
            name,
            contents: self.contents,
            reader: self.reader,
        };
        Ok((variant, contents))
    }
}

/// What a variant holds.
struct Contents<'a, 'vm> {
    name: String,
    contents: Option<Value>,
    reader: Reader<'a, 'vm>,
}

impl<'a, 'vm> Contents<'a, 'vm> {
    /// Reads the contents; an error is that of the variant.
    fn read<T>(self, read: impl FnOnce(Reader<'_, '_>) -> Read<T>) -> Read<T> {
        let reader = Reader {
            value: self.contents.unwrap_or_default(),
            context: self.reader.context,
            depth: self.reader.depth,
            left: self.reader.left,
        };
        read(reader).map_err(|error| error.in_field(&self.name))
    }
}

impl<'de> de::VariantAccess<'de> for Contents<'_, '_> {
    type Error = DataError;

    fn unit_variant(self) -> Read<()> {
        match self.contents {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(DataError::new(format!("{} holds nothing", self.name))),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Read<S::Value> {
        self.read(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Read<V::Value> {
        self.read(|reader| de::Deserializer::deserialize_any(reader, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        self.read(|reader| de::Deserializer::deserialize_struct(reader, "", fields, visitor))
    }
}
