//! From Rust to scripts: a serializer that makes script values.

use serde::ser::{self, Serialize};

use super::{DataError, MAX_DEPTH};
use crate::context::Context;
use crate::error::Error;
use crate::value::{List, Map, Value};

/// The largest integer up to which a script's numbers hold every integer.
const MAX_EXACT: u64 = 1 << 53;

/// Makes a script value of data.
pub(super) fn to_value<T: Serialize + ?Sized>(
    data: &T,
    context: &mut Context<'_>,
) -> Result<Value, Error> {
    let writer = Writer { context, depth: 0 };
    Ok(data.serialize(writer)?)
}

struct Writer<'a, 'vm> {
    context: &'a mut Context<'vm>,
    depth: usize,
}

type Written<T = Value> = Result<T, DataError>;

impl<'a, 'vm> Writer<'a, 'vm> {
    /// Steps into a value that holds others.
    fn deeper(self) -> Written<Writer<'a, 'vm>> {
        if self.depth == MAX_DEPTH {
            return Err(DataError::new("the data are nested too deeply"));
        }
        Ok(Writer {
            context: self.context,
            depth: self.depth + 1,
        })
    }

    fn list(self) -> Written<ListWriter<'a, 'vm>> {
        let writer = self.deeper()?;
        Ok(ListWriter {
            list: List::new(writer.context)?,
            length: 0,
            variant: None,
            writer,
        })
    }

    fn map(self) -> Written<MapWriter<'a, 'vm>> {
        let writer = self.deeper()?;
        Ok(MapWriter {
            map: Map::new(writer.context)?,
            key: Value::Null,
            variant: None,
            writer,
        })
    }

    /// A value inside this one.
    fn inner<T: Serialize + ?Sized>(&mut self, data: &T) -> Written {
        data.serialize(Writer {
            context: self.context,
            depth: self.depth,
        })
    }

    /// The value of an enum's variant: a map with its name as the only key.
    fn finish(self, variant: Option<&'static str>, value: Value) -> Written {
        let Some(name) = variant else {
            return Ok(value);
        };
        let map = Map::new(self.context)?;
        map.set(self.context, name, value)?;
        Ok(map.into())
    }
}

fn integer(number: impl TryInto<i64> + Copy + std::fmt::Display) -> Written {
    match number.try_into() {
        Ok(exact) if exact.unsigned_abs() <= MAX_EXACT => Ok(Value::Number(exact as f64)),
        _ => Err(DataError::new(format!(
            "a script's number cannot be {number} exactly"
        ))),
    }
}

macro_rules! integers {
    ($($method:ident $type:ty)*) => {$(
        fn $method(self, number: $type) -> Written {
            integer(number)
        }
    )*};
}

impl<'a, 'vm> ser::Serializer for Writer<'a, 'vm> {
    type Ok = Value;
    type Error = DataError;
    type SerializeSeq = ListWriter<'a, 'vm>;
    type SerializeTuple = ListWriter<'a, 'vm>;
    type SerializeTupleStruct = ListWriter<'a, 'vm>;
    type SerializeTupleVariant = ListWriter<'a, 'vm>;
    type SerializeMap = MapWriter<'a, 'vm>;
    type SerializeStruct = MapWriter<'a, 'vm>;
    type SerializeStructVariant = MapWriter<'a, 'vm>;

    integers! {
        serialize_i8 i8 serialize_i16 i16 serialize_i32 i32 serialize_i64 i64 serialize_i128 i128
        serialize_u8 u8 serialize_u16 u16 serialize_u32 u32 serialize_u64 u64 serialize_u128 u128
    }

    fn serialize_bool(self, value: bool) -> Written {
        Ok(Value::Number(f64::from(u8::from(value))))
    }

    fn serialize_f32(self, number: f32) -> Written {
        Ok(Value::Number(number.into()))
    }

    fn serialize_f64(self, number: f64) -> Written {
        Ok(Value::Number(number))
    }

    fn serialize_char(self, character: char) -> Written {
        Ok(Value::String(character.into()))
    }

    fn serialize_str(self, text: &str) -> Written {
        Ok(Value::String(text.to_owned()))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Written {
        let list = List::new(self.context)?;
        for byte in bytes {
            list.push(self.context, *byte)?;
        }
        Ok(list.into())
    }

    fn serialize_none(self) -> Written {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, data: &T) -> Written {
        data.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Written {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Written {
        Ok(Value::String(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        data: &T,
    ) -> Written {
        data.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        data: &T,
    ) -> Written {
        let mut writer = self.deeper()?;
        let value = writer.inner(data);
        let value = value.map_err(|error| error.in_field(variant))?;
        writer.finish(Some(variant), value)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Written<Self::SerializeSeq> {
        self.list()
    }

    fn serialize_tuple(self, _length: usize) -> Written<Self::SerializeTuple> {
        self.list()
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Written<Self::SerializeTupleStruct> {
        self.list()
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Written<Self::SerializeTupleVariant> {
        let mut list = self.list()?;
        list.variant = Some(variant);
        Ok(list)
    }

    fn serialize_map(self, _length: Option<usize>) -> Written<Self::SerializeMap> {
        self.map()
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Written<Self::SerializeStruct> {
        self.map()
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Written<Self::SerializeStructVariant> {
        let mut map = self.map()?;
        map.variant = Some(variant);
        Ok(map)
    }
}

/// Fills a list.
struct ListWriter<'a, 'vm> {
    writer: Writer<'a, 'vm>,
    list: List,
    length: usize,
    /// The enum's variant that the list is the contents of.
    variant: Option<&'static str>,
}

impl ListWriter<'_, '_> {
    fn add<T: Serialize + ?Sized>(&mut self, data: &T) -> Written<()> {
        let index = self.length;
        let value = self.writer.inner(data);
        let value = value.map_err(|error| error.in_element(index))?;
        self.list.push(self.writer.context, value)?;
        self.length += 1;
        Ok(())
    }

    fn finish(self) -> Written {
        self.writer.finish(self.variant, self.list.into())
    }
}

macro_rules! list_writers {
    ($($part:ident $method:ident)*) => {$(
        impl ser::$part for ListWriter<'_, '_> {
            type Ok = Value;
            type Error = DataError;

            fn $method<T: Serialize + ?Sized>(&mut self, data: &T) -> Written<()> {
                self.add(data)
            }

            fn end(self) -> Written {
                self.finish()
            }
        }
    )*};
}

list_writers! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

/// Fills a map.
struct MapWriter<'a, 'vm> {
    writer: Writer<'a, 'vm>,
    map: Map,
    /// The key whose value comes next.
    key: Value,
    variant: Option<&'static str>,
}

impl MapWriter<'_, '_> {
    fn add<T: Serialize + ?Sized>(&mut self, key: Value, data: &T) -> Written<()> {
        let value = self.writer.inner(data);
        let value = value.map_err(|error| match &key {
            Value::String(name) => error.in_field(name),
            Value::Number(number) => error.in_field(&number.to_string()),
            other => error.in_field(other.kind()),
        })?;
        self.map.set(self.writer.context, key, value)?;
        Ok(())
    }

    fn finish(self) -> Written {
        self.writer.finish(self.variant, self.map.into())
    }
}

impl ser::SerializeMap for MapWriter<'_, '_> {
    type Ok = Value;
    type Error = DataError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written<()> {
        self.key = self.writer.inner(key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, data: &T) -> Written<()> {
        let key = std::mem::take(&mut self.key);
        self.add(key, data)
    }

    fn end(self) -> Written {
        self.finish()
    }
}

macro_rules! struct_writers {
    ($($part:ident)*) => {$(
        impl ser::$part for MapWriter<'_, '_> {
            type Ok = Value;
            type Error = DataError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                data: &T,
            ) -> Written<()> {
                self.add(Value::String(name.to_owned()), data)
            }

            fn end(self) -> Written {
                self.finish()
            }
        }
    )*};
}

struct_writers!(SerializeStruct SerializeStructVariant);
