//! Where values live: an interpreter, seen from its host.

use std::any::Any;

use kiln_vm::{Rooted, Vm};

use crate::convert::{FromValue, IntoArguments, IntoValue, Raw};
use crate::error::Error;
use crate::value::{Function, List, Map, Value};

/// Access to the values of an interpreter.
///
/// An [`Interpreter`](crate::Interpreter) gives it, and so do the [`Context`] that conversions receive and the
/// [`Call`](crate::Call) that an intrinsic receives; functions that work with values take any of them as `&mut impl AsContext`.
pub trait AsContext: sealed::Sealed {
    /// Does something with the interpreter's values, as [`Limits::call_time`](crate::Limits::call_time) allows. Several operations at
    /// once take less time this way.
    ///
    /// # Errors
    /// Those of the work.
    ///
    /// ```
    /// use kiln::{AsContext, Engine, List};
    ///
    /// let mut interpreter = Engine::new().interpreter().build()?;
    /// interpreter.with(|context| {
    ///     let list = context.new_list()?;
    ///     for number in 0..100 {
    ///         list.push(context, number)?;
    ///     }
    ///     context.set_global("numbers", list)
    /// })?;
    /// assert_eq!(interpreter.global::<Vec<u8>>("numbers")?.len(), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error>;
}

pub(crate) mod sealed {
    use super::Context;
    use crate::error::Error;

    pub trait Sealed {
        /// Does something that certainly takes little time.
        fn quick<T>(
            &mut self,
            work: impl FnOnce(&mut Context<'_>) -> Result<T, Error>,
        ) -> Result<T, Error>;
    }
}

/// The values of an interpreter: see [`AsContext`].
///
/// There is one only while its interpreter's own stack is in use, where the collector finds what local variables hold.
pub struct Context<'vm> {
    pub(crate) vm: &'vm mut Vm,
}

impl AsContext for Context<'_> {
    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        work(self)
    }
}

impl sealed::Sealed for Context<'_> {
    fn quick<T>(
        &mut self,
        work: impl FnOnce(&mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        work(self)
    }
}

impl Context<'_> {
    /// What the host keeps with the interpreter, if it is of this type; see
    /// [`InterpreterBuilder::data`](crate::InterpreterBuilder::data).
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// use kiln::AsContext;
    ///
    /// let mut interpreter = engine.interpreter().data(41_u32).build()?;
    /// interpreter.with(|context| {
    ///     *context.data::<u32>().unwrap() += 1;
    ///     Ok(())
    /// })?;
    /// assert_eq!(interpreter.data::<u32>(), Some(&mut 42));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn data<T: Any + Send>(&mut self) -> Option<&mut T> {
        self.vm.host_data().as_mut()?.downcast_mut()
    }

    /// The value of a global variable.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::AsContext;
    ///
    /// interpreter.run(&engine.compile("x.ms", "x = 1\ny = 2")?)?;
    /// let sum = interpreter.with(|context| Ok(context.global::<f64>("x")? + context.global::<f64>("y")?))?;
    /// assert_eq!(sum, 3.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// There is no such variable, or its value is of another kind.
    pub fn global<T: FromValue>(&mut self, name: &str) -> Result<T, Error> {
        let interned = self.vm.intern(name)?;
        match self.vm.global(interned) {
            Some(value) => T::from_raw(Raw(value), self),
            None => Err(Error::NoGlobal(name.into())),
        }
    }

    /// Assigns a global variable.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::AsContext;
    ///
    /// interpreter.with(|context| {
    ///     context.set_global("width", 80)?;
    ///     context.set_global("height", 25)
    /// })?;
    /// assert_eq!(interpreter.global::<f64>("height")?, 25.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The value cannot be converted, or the heap limit is reached.
    pub fn set_global(&mut self, name: &str, value: impl IntoValue) -> Result<(), Error> {
        let Raw(value) = value.into_raw(self)?;
        let name = self.vm.intern(name)?;
        self.vm.set_global(name, value)?;
        Ok(())
    }

    /// Converts a Rust value.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::AsContext;
    ///
    /// let value = interpreter.with(|context| context.value(vec![1, 2, 3]))?;
    /// assert_eq!(value.kind(), "list");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The value cannot be converted, or the heap limit is reached.
    pub fn value(&mut self, value: impl IntoValue) -> Result<Value, Error> {
        value.into_value(self)
    }

    /// A new, empty list.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::AsContext;
    ///
    /// let list = interpreter.with(|context| context.new_list())?;
    /// assert!(list.is_empty(&mut interpreter)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The heap limit is reached.
    pub fn new_list(&mut self) -> Result<List, Error> {
        List::new(self)
    }

    /// A new, empty map.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::AsContext;
    ///
    /// let map = interpreter.with(|context| context.new_map())?;
    /// assert!(map.is_empty(&mut interpreter)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The heap limit is reached.
    pub fn new_map(&mut self) -> Result<Map, Error> {
        Map::new(self)
    }

    /// The text of a value, as `str` makes it.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::AsContext;
    ///
    /// let text = interpreter.with(|context| {
    ///     let value = context.value(vec![1.5, 2.0])?;
    ///     context.text(&value)
    /// })?;
    /// assert_eq!(text, "[1.5, 2]");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The text is too long, or the heap limit is reached.
    pub fn text(&mut self, value: &Value) -> Result<String, Error> {
        let Raw(value) = value.to_raw(self)?;
        let mut text = String::new();
        self.vm.append_text(value, &mut text)?;
        Ok(text)
    }

    /// Fails if the script has been interrupted or has used up its time: long work asks now and then.
    pub(crate) fn check_interrupt(&mut self) -> Result<(), Error> {
        Ok(self.vm.poll()?)
    }

    /// The value that a reference keeps alive; null if there is none.
    pub(crate) fn convert_rooted<T: FromValue>(
        &mut self,
        rooted: Option<&Rooted>,
    ) -> Result<T, Error> {
        let value = match rooted {
            Some(rooted) => self.vm.rooted(rooted).ok_or(Error::Foreign)?,
            None => kiln_vm::Value::NULL,
        };
        T::from_raw(Raw(value), self)
    }

    /// A function and its arguments, kept until they are called.
    pub(crate) fn root_call(
        &mut self,
        function: &Function,
        arguments: impl IntoArguments,
    ) -> Result<Vec<Rooted>, Error> {
        let function = function.raw(self)?;
        let mut values = [kiln_vm::Value::NULL; MOST_ARGUMENTS];
        let mut sink = Arguments {
            values: &mut values,
            count: 0,
        };
        arguments.push_into(&mut sink, self)?;
        let count = sink.count;
        Ok(std::iter::once(function)
            .chain(values.into_iter().take(count))
            .map(|value| self.vm.root(value))
            .collect())
    }

    /// Calls a script function.
    pub(crate) fn call_function<R: FromValue>(
        &mut self,
        function: &Function,
        self_value: Option<&Value>,
        arguments: impl IntoArguments,
    ) -> Result<R, Error> {
        let function = function.raw(self)?;
        let self_value = match self_value {
            Some(value) => value.to_raw(self)?.0,
            None => kiln_vm::Value::UNASSIGNED,
        };
        let mut values = [kiln_vm::Value::NULL; MOST_ARGUMENTS];
        let mut sink = Arguments {
            values: &mut values,
            count: 0,
        };
        arguments.push_into(&mut sink, self)?;
        let count = sink.count;
        let result = self.vm.call(function, self_value, &values[..count])?;
        R::from_raw(Raw(result), self)
    }
}

/// Does something with the values of an interpreter. A panic ends here.
pub(crate) fn enter<T>(
    vm: &mut Vm,
    work: impl FnOnce(&mut Context<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut result = None;
    vm.enter(|vm| {
        vm.call_host("host", |vm| {
            result = Some(work(&mut Context { vm }));
            Ok(())
        })
    })?;
    result.unwrap_or(Err(Error::Busy))
}

/// The most arguments of a call from Rust.
const MOST_ARGUMENTS: usize = 32;

/// Where the arguments of a call are collected.
#[doc(hidden)]
pub struct Arguments<'a> {
    values: &'a mut [kiln_vm::Value; MOST_ARGUMENTS],
    count: usize,
}

impl Arguments<'_> {
    pub(crate) fn push(&mut self, Raw(value): Raw) -> Result<(), Error> {
        match self.values.get_mut(self.count) {
            Some(place) => {
                *place = value;
                self.count += 1;
                Ok(())
            }
            None => Err(kiln_vm::error::RuntimeError::TooManyArguments.into()),
        }
    }
}
