//! Script values in Rust.

use kiln_vm::Rooted;
use kiln_vm::heap::{Gc, Kind};
use kiln_vm::object::handle::HandleCell;
use kiln_vm::object::list::ListCell;
use kiln_vm::object::map::{EntryCursor, MapCell};

use crate::context::{AsContext, Context};
use crate::convert::{FromValue, IntoArguments, IntoValue, Raw};
use crate::error::Error;

/// A value of a script, in Rust.
///
/// Numbers and strings are copies. Lists, maps, functions and objects are references, which keep what they refer to alive, and
/// which only the interpreter they come from can follow.
///
/// ```
/// use kiln::{Engine, Value};
///
/// let engine = Engine::new();
/// let mut interpreter = engine.interpreter().build()?;
/// interpreter.run(&engine.compile("x.ms", "list = [1, \"two\", null]")?)?;
/// let list: kiln::List = interpreter.global("list")?;
/// assert_eq!(list.len(&mut interpreter)?, 3);
/// match list.get::<Value>(&mut interpreter, 1)? {
///     Value::String(text) => assert_eq!(text, "two"),
///     other => panic!("a {} where a string was expected", other.kind()),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Null.
    #[default]
    Null,
    /// A number.
    Number(f64),
    /// A string.
    String(String),
    /// A list.
    List(List),
    /// A map.
    Map(Map),
    /// A function.
    Function(Function),
    /// An object of the host, or another handle.
    Object(Object),
}

impl Value {
    /// The kind, as an error message names it.
    ///
    /// ```
    /// assert_eq!(kiln::Value::Number(1.5).kind(), "number");
    /// ```
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Function(_) => "function",
            Value::Object(_) => "object",
        }
    }

    /// Whether this is null.
    ///
    /// ```
    /// assert!(kiln::Value::default().is_null());
    /// ```
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The number, if this is one.
    ///
    /// ```
    /// assert_eq!(kiln::Value::Number(1.5).as_number(), Some(1.5));
    /// assert_eq!(kiln::Value::Null.as_number(), None);
    /// ```
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The text, if this is a string.
    ///
    /// ```
    /// assert_eq!(kiln::Value::String("text".into()).as_str(), Some("text"));
    /// assert_eq!(kiln::Value::Null.as_str(), None);
    /// ```
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn to_raw(&self, context: &mut Context) -> Result<Raw, Error> {
        Ok(Raw(match self {
            Value::Null => kiln_vm::Value::NULL,
            Value::Number(number) => kiln_vm::Value::number(*number),
            Value::String(text) => context.vm.new_string(text)?,
            Value::List(List(rooted))
            | Value::Map(Map(rooted))
            | Value::Function(Function(rooted))
            | Value::Object(Object(rooted)) => follow(rooted, context)?,
        }))
    }

    pub(crate) fn of_raw(value: kiln_vm::Value, context: &mut Context) -> Result<Value, Error> {
        if let Some(number) = value.as_number() {
            return Ok(Value::Number(number));
        }
        if let Some(text) = value.as_string() {
            return Ok(Value::String(text.flat_str(context.vm)?.to_owned()));
        }
        if value.is_null() || value.is_unassigned() {
            return Ok(Value::Null);
        }
        let rooted = context.vm.root(value);
        Ok(if value.as_list().is_some() {
            Value::List(List(rooted))
        } else if value.as_map().is_some() {
            Value::Map(Map(rooted))
        } else if value.is_function() {
            Value::Function(Function(rooted))
        } else {
            Value::Object(Object(rooted))
        })
    }
}

/// The value that a reference stands for.
fn follow(rooted: &Rooted, context: &Context) -> Result<kiln_vm::Value, Error> {
    context.vm.rooted(rooted).ok_or(Error::Foreign)
}

/// The kind of a raw value, as an error message names it.
pub(crate) fn kind_of(value: kiln_vm::Value) -> &'static str {
    if value.is_number() {
        "number"
    } else if value.as_string().is_some() {
        "string"
    } else if value.as_list().is_some() {
        "list"
    } else if value.as_map().is_some() {
        "map"
    } else if value.is_function() {
        "function"
    } else if value.is_null() || value.is_unassigned() {
        "null"
    } else {
        "object"
    }
}

/// A script's list.
///
/// ```
/// let engine = kiln::Engine::new();
/// let mut interpreter = engine.interpreter().build()?;
/// let list = interpreter.new_list()?;
/// list.push(&mut interpreter, 1)?;
/// list.push(&mut interpreter, "two")?;
/// interpreter.set_global("things", &list)?;
/// interpreter.run(&engine.compile("x.ms", "things.push 3\ncount = things.len")?)?;
/// assert_eq!(interpreter.global::<usize>("count")?, 3);
/// assert_eq!(list.get::<String>(&mut interpreter, 1)?, "two");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct List(pub(crate) Rooted);

/// A script's map.
///
/// ```
/// let engine = kiln::Engine::new();
/// let mut interpreter = engine.interpreter().build()?;
/// let settings = interpreter.new_map()?;
/// settings.set(&mut interpreter, "volume", 0.5)?;
/// interpreter.set_global("settings", &settings)?;
/// interpreter.run(&engine.compile("x.ms", "settings.volume = settings.volume * 2")?)?;
/// assert_eq!(settings.get::<f64>(&mut interpreter, "volume")?, Some(1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Map(pub(crate) Rooted);

/// A script's function.
///
/// ```
/// let engine = kiln::Engine::new();
/// let mut interpreter = engine.interpreter().build()?;
/// let program = engine.compile("x.ms", "add = function(a, b=10)\nreturn a + b\nend function")?;
/// interpreter.run(&program)?;
/// let add: kiln::Function = interpreter.global("add")?;
/// assert_eq!(add.call::<f64>(&mut interpreter, (1, 2))?, 3.0);
/// assert_eq!(add.call::<f64>(&mut interpreter, (1,))?, 11.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Function(pub(crate) Rooted);

/// An object of the host in a script; see [`Class`](crate::Class).
#[derive(Clone, Debug)]
pub struct Object(pub(crate) Rooted);

impl List {
    /// A new, empty list.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// let list = kiln::List::new(&mut interpreter)?;
    /// assert_eq!(list.len(&mut interpreter)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The heap limit is reached.
    pub fn new(context: &mut impl AsContext) -> Result<List, Error> {
        context.quick(|context| {
            let list = ListCell::allocate(context.vm, 0)?;
            Ok(List(context.vm.root(kiln_vm::Value::list(list))))
        })
    }

    fn cell(&self, context: &Context) -> Result<Gc<ListCell>, Error> {
        follow(&self.0, context)?.as_list().ok_or(Error::Foreign)
    }

    /// The number of elements.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "list = [1, \"two\"]")?)?;
    /// let list: kiln::List = interpreter.global("list")?;
    /// assert_eq!(list.len(&mut interpreter)?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The list belongs to another interpreter.
    pub fn len(&self, context: &mut impl AsContext) -> Result<usize, Error> {
        context.quick(|context| Ok(self.cell(context)?.length()))
    }

    /// Whether there are no elements.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "list = [1, \"two\"]")?)?;
    /// let list: kiln::List = interpreter.global("list")?;
    /// assert!(!list.is_empty(&mut interpreter)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The list belongs to another interpreter.
    pub fn is_empty(&self, context: &mut impl AsContext) -> Result<bool, Error> {
        Ok(self.len(context)? == 0)
    }

    /// An element; null if there is none.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "list = [1, \"two\"]")?)?;
    /// let list: kiln::List = interpreter.global("list")?;
    /// assert_eq!(list.get::<String>(&mut interpreter, 1)?, "two");
    /// assert_eq!(list.get::<Option<f64>>(&mut interpreter, 7)?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The element is of another kind, or the list belongs to another interpreter.
    pub fn get<T: FromValue>(
        &self,
        context: &mut impl AsContext,
        index: usize,
    ) -> Result<T, Error> {
        context.quick(|context| {
            let element = self.cell(context)?.get(index);
            T::from_raw(Raw(element.unwrap_or(kiln_vm::Value::NULL)), context)
        })
    }

    /// Replaces an element.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "list = [1, \"two\"]")?)?;
    /// let list: kiln::List = interpreter.global("list")?;
    /// list.set(&mut interpreter, 1, 2)?;
    /// assert_eq!(interpreter.global::<Vec<u8>>("list")?, [1, 2]);
    /// assert!(list.set(&mut interpreter, 7, 2).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no such element, the heap limit is reached, or the list belongs to another interpreter.
    pub fn set(
        &self,
        context: &mut impl AsContext,
        index: usize,
        value: impl IntoValue,
    ) -> Result<(), Error> {
        context.quick(|context| {
            let list = self.cell(context)?;
            let Raw(value) = value.into_raw(context)?;
            if index >= list.length() {
                return Err(Error::message(format!("list index {index} out of range")));
            }
            list.set(context.vm, index, value);
            Ok(())
        })
    }

    /// Adds an element at the end.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "list = [1, \"two\"]")?)?;
    /// let list: kiln::List = interpreter.global("list")?;
    /// list.push(&mut interpreter, 3)?;
    /// assert_eq!(list.len(&mut interpreter)?, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The heap limit is reached, or the list belongs to another interpreter.
    pub fn push(&self, context: &mut impl AsContext, value: impl IntoValue) -> Result<(), Error> {
        context.quick(|context| {
            let list = self.cell(context)?;
            let Raw(value) = value.into_raw(context)?;
            list.push(context.vm, value)?;
            Ok(())
        })
    }
}

impl Map {
    /// A new, empty map.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// let map = kiln::Map::new(&mut interpreter)?;
    /// assert_eq!(map.len(&mut interpreter)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The heap limit is reached.
    pub fn new(context: &mut impl AsContext) -> Result<Map, Error> {
        context.quick(|context| {
            let map = context.vm.new_map(4)?;
            Ok(Map(context.vm.root(kiln_vm::Value::map(map))))
        })
    }

    fn cell(&self, context: &Context) -> Result<Gc<MapCell>, Error> {
        follow(&self.0, context)?.as_map().ok_or(Error::Foreign)
    }

    /// The number of entries.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "map = {\"a\": 1, \"b\": 2}")?)?;
    /// let map: kiln::Map = interpreter.global("map")?;
    /// assert_eq!(map.len(&mut interpreter)?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The map belongs to another interpreter.
    pub fn len(&self, context: &mut impl AsContext) -> Result<usize, Error> {
        context.quick(|context| {
            let map = self.cell(context)?;
            Ok(context.vm.map_length(map))
        })
    }

    /// Whether there are no entries.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "map = {\"a\": 1, \"b\": 2}")?)?;
    /// let map: kiln::Map = interpreter.global("map")?;
    /// assert!(!map.is_empty(&mut interpreter)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The map belongs to another interpreter.
    pub fn is_empty(&self, context: &mut impl AsContext) -> Result<bool, Error> {
        Ok(self.len(context)? == 0)
    }

    /// The map's own value under a key.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "map = {\"a\": 1, \"b\": 2}")?)?;
    /// let map: kiln::Map = interpreter.global("map")?;
    /// assert_eq!(map.get::<f64>(&mut interpreter, "b")?, Some(2.0));
    /// assert_eq!(map.get::<f64>(&mut interpreter, "c")?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The value is of another kind, or the map belongs to another interpreter.
    pub fn get<T: FromValue>(
        &self,
        context: &mut impl AsContext,
        key: impl IntoValue,
    ) -> Result<Option<T>, Error> {
        context.quick(|context| {
            let map = self.cell(context)?;
            let Raw(key) = key.into_raw(context)?;
            match context.vm.map_get(map, key)? {
                Some(value) => T::from_raw(Raw(value), context).map(Some),
                None => Ok(None),
            }
        })
    }

    /// The value under a key, the map's own or, as for the script, that of the nearest prototype that has one.
    ///
    /// ```
    /// let engine = kiln::Engine::new();
    /// let mut interpreter = engine.interpreter().build()?;
    /// let program = "Monster = {\"strength\": 7}\ngoblin = new Monster";
    /// interpreter.run(&engine.compile("x.ms", program)?)?;
    /// let goblin: kiln::Map = interpreter.global("goblin")?;
    /// assert_eq!(goblin.get::<f64>(&mut interpreter, "strength")?, None);
    /// assert_eq!(goblin.lookup::<f64>(&mut interpreter, "strength")?, Some(7.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The value is of another kind, the prototypes lead in a circle, or the map belongs to another interpreter.
    pub fn lookup<T: FromValue>(
        &self,
        context: &mut impl AsContext,
        key: impl IntoValue,
    ) -> Result<Option<T>, Error> {
        context.quick(|context| {
            let map = self.cell(context)?;
            let Raw(key) = key.into_raw(context)?;
            match context.vm.find_indexed(map, key)? {
                Some(value) => T::from_raw(Raw(value), context).map(Some),
                None => Ok(None),
            }
        })
    }

    /// Sets the value under a key.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "map = {\"a\": 1, \"b\": 2}")?)?;
    /// let map: kiln::Map = interpreter.global("map")?;
    /// map.set(&mut interpreter, "c", vec![3])?;
    /// map.set(&mut interpreter, 7, "a number may be a key")?;
    /// assert_eq!(map.len(&mut interpreter)?, 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The map is protected, the heap limit is reached, or the map belongs to another interpreter.
    pub fn set(
        &self,
        context: &mut impl AsContext,
        key: impl IntoValue,
        value: impl IntoValue,
    ) -> Result<(), Error> {
        context.quick(|context| {
            let map = self.cell(context)?;
            let Raw(key) = key.into_raw(context)?;
            let Raw(value) = value.into_raw(context)?;
            context
                .vm
                .set_element(kiln_vm::Value::map(map), key, value)?;
            Ok(())
        })
    }

    /// Removes the entry under a key; whether there was one.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "map = {\"a\": 1, \"b\": 2}")?)?;
    /// let map: kiln::Map = interpreter.global("map")?;
    /// assert!(map.remove(&mut interpreter, "a")?);
    /// assert!(!map.remove(&mut interpreter, "a")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The map is protected, or belongs to another interpreter.
    pub fn remove(&self, context: &mut impl AsContext, key: impl IntoValue) -> Result<bool, Error> {
        context.quick(|context| {
            let map = self.cell(context)?;
            if map.is_protected() {
                return Err(kiln_vm::error::RuntimeError::ProtectedMap.into());
            }
            let Raw(key) = key.into_raw(context)?;
            Ok(context.vm.map_remove(map, key)?)
        })
    }

    /// The map's own entries, in their order.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "map = {\"a\": 1, \"b\": 2}")?)?;
    /// let map: kiln::Map = interpreter.global("map")?;
    /// let entries: Vec<(String, f64)> = map.entries(&mut interpreter)?;
    /// assert_eq!(entries, [("a".to_owned(), 1.0), ("b".to_owned(), 2.0)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A key or value is of another kind, or the map belongs to another interpreter.
    pub fn entries<K: FromValue, V: FromValue>(
        &self,
        context: &mut impl AsContext,
    ) -> Result<Vec<(K, V)>, Error> {
        context.quick(|context| {
            let map = self.cell(context)?;
            let mut entries = Vec::new();
            let mut cursor = EntryCursor::default();
            while let Some((key, value)) = context.vm.map_next(map, &mut cursor) {
                let key = K::from_raw(Raw(key), context)?;
                entries.push((key, V::from_raw(Raw(value), context)?));
            }
            Ok(entries)
        })
    }
}

impl Function {
    pub(crate) fn raw(&self, context: &Context) -> Result<kiln_vm::Value, Error> {
        follow(&self.0, context)
    }

    /// Calls the function. It runs to its end: it cannot `wait`, and `yield` does nothing in it.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// interpreter.run(&engine.compile("x.ms", "greet = function(who)\nreturn \"Hello \" + who\nend function")?)?;
    /// let greet: kiln::Function = interpreter.global("greet")?;
    /// assert_eq!(greet.call::<String>(&mut interpreter, ("Ada",))?, "Hello Ada");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The script's error, or the result is of another kind.
    pub fn call<R: FromValue>(
        &self,
        context: &mut impl AsContext,
        arguments: impl IntoArguments,
    ) -> Result<R, Error> {
        context.with(|context| context.call_function(self, None, arguments))
    }

    /// [`Function::call`] as a method of an object: `self` is the object.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::{Function, Map, Value};
    ///
    /// let program = "Dog = {\"name\": \"Rex\"}\nDog.call = function(word)\nreturn self.name + \", \" + word + \"!\"\nend function\ndog = new Dog";
    /// interpreter.run(&engine.compile("x.ms", program)?)?;
    /// let dog: Map = interpreter.global("dog")?;
    /// let call: Function = dog.lookup(&mut interpreter, "call")?.unwrap();
    /// let text: String = call.call_method(&mut interpreter, &dog.into(), ("sit",))?;
    /// assert_eq!(text, "Rex, sit!");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The script's error, or the result is of another kind.
    pub fn call_method<R: FromValue>(
        &self,
        context: &mut impl AsContext,
        self_value: &Value,
        arguments: impl IntoArguments,
    ) -> Result<R, Error> {
        context.with(|context| context.call_function(self, Some(self_value), arguments))
    }
}

impl Object {
    pub(crate) fn cell(&self, context: &Context) -> Result<Gc<HandleCell>, Error> {
        follow(&self.0, context)?
            .as_other(Kind::Handle)
            .ok_or(Error::Foreign)
    }
}
