//! Conversions between Rust values and script values.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use kiln_vm::object::list::ListCell;

use crate::context::{Arguments, Context};
use crate::error::Error;
use crate::value::{Function, List, Map, Object, Value, kind_of};

/// A value as the virtual machine has it. It may only be in local variables.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Raw(pub(crate) kiln_vm::Value);

/// Rust values that can become script values.
///
/// For types that implement `serde::Serialize` there are [`Record`](crate::Record) and [`Data`](crate::Data). To decide yourself what
/// a type of yours becomes, implement the trait:
///
/// ```
/// use kiln::{AsContext, Context, Engine, Error, FromValue, IntoValue, Map, Value};
///
/// struct Point { x: f64, y: f64 }
///
/// impl IntoValue for Point {
///     fn into_value(self, context: &mut Context) -> Result<Value, Error> {
///         let map = Map::new(context)?;
///         map.set(context, "x", self.x)?;
///         map.set(context, "y", self.y)?;
///         Ok(map.into())
///     }
/// }
///
/// impl FromValue for Point {
///     fn from_value(value: Value, context: &mut Context) -> Result<Point, Error> {
///         let map = Map::from_value(value, context)?;
///         let x = map.get(context, "x")?.unwrap_or(0.0);
///         Ok(Point { x, y: map.get(context, "y")?.unwrap_or(0.0) })
///     }
/// }
///
/// let engine = Engine::new();
/// let mut interpreter = engine.interpreter().build()?;
/// interpreter.set_global("p", Point { x: 1.0, y: 2.0 })?;
/// interpreter.run(&engine.compile("move.ms", "p.x = p.x + p.y")?)?;
/// assert_eq!(interpreter.global::<Point>("p")?.x, 3.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait IntoValue: Sized {
    /// Converts the value.
    ///
    /// # Errors
    /// The value has no counterpart, or the heap limit is reached.
    fn into_value(self, context: &mut Context<'_>) -> Result<Value, Error>;

    /// Converts the value without a detour.
    #[doc(hidden)]
    fn into_raw(self, context: &mut Context<'_>) -> Result<Raw, Error> {
        self.into_value(context)?.to_raw(context)
    }
}

/// Rust values that script values can become; see [`IntoValue`] for an example.
pub trait FromValue: Sized {
    /// Converts the value.
    ///
    /// # Errors
    /// The value is of another kind.
    fn from_value(value: Value, context: &mut Context<'_>) -> Result<Self, Error>;

    /// Converts the value without a detour.
    #[doc(hidden)]
    fn from_raw(raw: Raw, context: &mut Context<'_>) -> Result<Self, Error> {
        let value = Value::of_raw(raw.0, context)?;
        Self::from_value(value, context)
    }
}

/// The arguments of a call: a tuple, an array, a slice of [`Value`]s, or `()`.
///
/// ```
/// # let engine = kiln::Engine::new();
/// # let mut interpreter = engine.interpreter().build()?;
/// use kiln::Value;
///
/// interpreter.run(&engine.compile("x.ms", "join = function(a, b=\"-\")\nreturn a + b\nend function")?)?;
/// assert_eq!(interpreter.call::<String>("join", ("a", 1))?, "a1");
/// assert_eq!(interpreter.call::<String>("join", ["a", "b"])?, "ab");
/// assert_eq!(interpreter.call::<String>("join", &[Value::String("a".into())][..])?, "a-");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait IntoArguments {
    #[doc(hidden)]
    fn push_into(
        self,
        arguments: &mut Arguments<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Error>;
}

fn mismatch<T>(expected: &'static str, got: &'static str) -> Result<T, Error> {
    Err(Error::Conversion { expected, got })
}

impl IntoValue for Value {
    fn into_value(self, _context: &mut Context<'_>) -> Result<Value, Error> {
        Ok(self)
    }
}

impl IntoValue for &Value {
    fn into_value(self, _context: &mut Context<'_>) -> Result<Value, Error> {
        Ok(self.clone())
    }

    fn into_raw(self, context: &mut Context<'_>) -> Result<Raw, Error> {
        self.to_raw(context)
    }
}

impl FromValue for Value {
    fn from_value(value: Value, _context: &mut Context<'_>) -> Result<Value, Error> {
        Ok(value)
    }
}

macro_rules! references {
    ($($kind:ident)*) => {$(
        impl From<$kind> for Value {
            fn from(reference: $kind) -> Value {
                Value::$kind(reference)
            }
        }

        impl IntoValue for $kind {
            fn into_value(self, _context: &mut Context<'_>) -> Result<Value, Error> {
                Ok(self.into())
            }
        }

        impl IntoValue for &$kind {
            fn into_value(self, _context: &mut Context<'_>) -> Result<Value, Error> {
                Ok(self.clone().into())
            }
        }

        impl FromValue for $kind {
            fn from_value(value: Value, _context: &mut Context<'_>) -> Result<$kind, Error> {
                match value {
                    Value::$kind(reference) => Ok(reference),
                    other => mismatch(stringify!($kind), other.kind()),
                }
            }
        }
    )*};
}

references!(List Map Function Object);

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl IntoValue for $number {
            fn into_value(self, _context: &mut Context<'_>) -> Result<Value, Error> {
                Ok(Value::Number(self as f64))
            }

            #[inline]
            fn into_raw(self, _context: &mut Context<'_>) -> Result<Raw, Error> {
                Ok(Raw(kiln_vm::Value::number(self as f64)))
            }
        }

        impl FromValue for $number {
            fn from_value(value: Value, _context: &mut Context<'_>) -> Result<$number, Error> {
                match value {
                    Value::Number(number) => Ok(number as $number),
                    other => mismatch("number", other.kind()),
                }
            }

            #[inline]
            fn from_raw(Raw(value): Raw, _context: &mut Context<'_>) -> Result<$number, Error> {
                match value.as_number() {
                    Some(number) => Ok(number as $number),
                    None => mismatch("number", kind_of(value)),
                }
            }
        }
    )*};
}

// Numbers from scripts are cut to what the type can hold, as Rust's `as` does.
numbers!(f64 f32 i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl IntoValue for bool {
    fn into_value(self, _context: &mut Context<'_>) -> Result<Value, Error> {
        Ok(Value::Number(f64::from(u8::from(self))))
    }
}

impl FromValue for bool {
    /// What `if` would make of it.
    fn from_value(value: Value, context: &mut Context<'_>) -> Result<bool, Error> {
        let raw = value.to_raw(context)?;
        bool::from_raw(raw, context)
    }

    fn from_raw(Raw(value): Raw, context: &mut Context<'_>) -> Result<bool, Error> {
        Ok(context.vm.is_true(value))
    }
}

impl IntoValue for () {
    fn into_value(self, _context: &mut Context<'_>) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn into_raw(self, _context: &mut Context<'_>) -> Result<Raw, Error> {
        Ok(Raw(kiln_vm::Value::NULL))
    }
}

impl FromValue for () {
    /// Takes anything.
    fn from_value(_value: Value, _context: &mut Context<'_>) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn from_raw(_raw: Raw, _context: &mut Context<'_>) -> Result<(), Error> {
        Ok(())
    }
}

impl IntoValue for &str {
    fn into_value(self, _context: &mut Context<'_>) -> Result<Value, Error> {
        Ok(Value::String(self.to_owned()))
    }

    fn into_raw(self, context: &mut Context<'_>) -> Result<Raw, Error> {
        Ok(Raw(context.vm.new_string(self)?))
    }
}

impl IntoValue for String {
    fn into_value(self, _context: &mut Context<'_>) -> Result<Value, Error> {
        Ok(Value::String(self))
    }
}

impl IntoValue for &String {
    fn into_value(self, context: &mut Context<'_>) -> Result<Value, Error> {
        self.as_str().into_value(context)
    }

    fn into_raw(self, context: &mut Context<'_>) -> Result<Raw, Error> {
        self.as_str().into_raw(context)
    }
}

impl FromValue for String {
    fn from_value(value: Value, _context: &mut Context<'_>) -> Result<String, Error> {
        match value {
            Value::String(text) => Ok(text),
            other => mismatch("string", other.kind()),
        }
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self, context: &mut Context<'_>) -> Result<Value, Error> {
        match self {
            Some(value) => value.into_value(context),
            None => Ok(Value::Null),
        }
    }

    fn into_raw(self, context: &mut Context<'_>) -> Result<Raw, Error> {
        match self {
            Some(value) => value.into_raw(context),
            None => Ok(Raw(kiln_vm::Value::NULL)),
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value, context: &mut Context<'_>) -> Result<Option<T>, Error> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value, context).map(Some),
        }
    }

    fn from_raw(raw: Raw, context: &mut Context<'_>) -> Result<Option<T>, Error> {
        if raw.0.is_null() {
            Ok(None)
        } else {
            T::from_raw(raw, context).map(Some)
        }
    }
}

fn list_of<T: IntoValue>(
    values: impl ExactSizeIterator<Item = T>,
    context: &mut Context<'_>,
) -> Result<Raw, Error> {
    let list = ListCell::allocate(context.vm, values.len())?;
    for value in values {
        let Raw(value) = value.into_raw(context)?;
        list.push(context.vm, value)?;
    }
    Ok(Raw(kiln_vm::Value::list(list)))
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self, context: &mut Context<'_>) -> Result<Value, Error> {
        let Raw(value) = self.into_raw(context)?;
        Value::of_raw(value, context)
    }

    fn into_raw(self, context: &mut Context<'_>) -> Result<Raw, Error> {
        list_of(self.into_iter(), context)
    }
}

impl<T> IntoValue for &[T]
where
    for<'a> &'a T: IntoValue,
{
    fn into_value(self, context: &mut Context<'_>) -> Result<Value, Error> {
        let Raw(value) = self.into_raw(context)?;
        Value::of_raw(value, context)
    }

    fn into_raw(self, context: &mut Context<'_>) -> Result<Raw, Error> {
        list_of(self.iter(), context)
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value, context: &mut Context<'_>) -> Result<Vec<T>, Error> {
        let list = List::from_value(value, context)?;
        let length = list.len(context)?;
        (0..length).map(|index| list.get(context, index)).collect()
    }
}

fn map_of<K: IntoValue, V: IntoValue>(
    entries: impl IntoIterator<Item = (K, V)>,
    context: &mut Context<'_>,
) -> Result<Value, Error> {
    let map = Map::new(context)?;
    for (key, value) in entries {
        map.set(context, key, value)?;
    }
    Ok(map.into())
}

impl<K: IntoValue, V: IntoValue, S> IntoValue for HashMap<K, V, S> {
    fn into_value(self, context: &mut Context<'_>) -> Result<Value, Error> {
        map_of(self, context)
    }
}

impl<K: FromValue + Eq + Hash, V: FromValue, S: BuildHasher + Default> FromValue
    for HashMap<K, V, S>
{
    fn from_value(value: Value, context: &mut Context<'_>) -> Result<Self, Error> {
        let map = Map::from_value(value, context)?;
        Ok(map.entries(context)?.into_iter().collect())
    }
}

impl<K: IntoValue, V: IntoValue> IntoValue for BTreeMap<K, V> {
    fn into_value(self, context: &mut Context<'_>) -> Result<Value, Error> {
        map_of(self, context)
    }
}

impl<K: FromValue + Ord, V: FromValue> FromValue for BTreeMap<K, V> {
    fn from_value(value: Value, context: &mut Context<'_>) -> Result<Self, Error> {
        let map = Map::from_value(value, context)?;
        Ok(map.entries(context)?.into_iter().collect())
    }
}

impl IntoArguments for () {
    #[inline]
    fn push_into(self, _: &mut Arguments<'_>, _: &mut Context<'_>) -> Result<(), Error> {
        Ok(())
    }
}

impl IntoArguments for &[Value] {
    fn push_into(
        self,
        arguments: &mut Arguments<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Error> {
        for value in self {
            let value = value.to_raw(context)?;
            arguments.push(value)?;
        }
        Ok(())
    }
}

impl<T: IntoValue, const N: usize> IntoArguments for [T; N] {
    fn push_into(
        self,
        arguments: &mut Arguments<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Error> {
        for value in self {
            let value = value.into_raw(context)?;
            arguments.push(value)?;
        }
        Ok(())
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: IntoValue),*> IntoArguments for ($($name,)*) {
            #[inline]
            fn push_into(self, arguments: &mut Arguments<'_>, context: &mut Context<'_>) -> Result<(), Error> {
                #[allow(non_snake_case)]
                let ($($name,)*) = self;
                $(
                    let value = $name.into_raw(context)?;
                    arguments.push(value)?;
                )*
                Ok(())
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
