//! Objects of the host in scripts.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use kiln_vm::Vm;
use kiln_vm::error::{Fallible, Throw};
use kiln_vm::heap::Gc;
use kiln_vm::intrinsics::closure::{Closure, DefaultValue, Definition};
use kiln_vm::object::handle::{self, ClassId, HandleCell};

use crate::context::{AsContext, Context};
use crate::convert::{FromValue, IntoValue, Raw};
use crate::error::Error;
use crate::intrinsic::Call;
use crate::value::Object;

/// What scripts can do with objects of a Rust type.
///
/// An object belongs to the interpreter it was given to. It is dropped when the garbage collector finds that no script can
/// reach it any more, and no [`Object`] in Rust refers to it; at the latest with its interpreter.
///
/// ```
/// use kiln::{Class, Engine};
///
/// struct Turtle { x: f64, name: String }
///
/// let turtle = Class::<Turtle>::new("Turtle")
///     .property("name", |turtle| turtle.name.clone())
///     .variable("x", |turtle| turtle.x, |turtle, x| turtle.x = x)
///     .method("forward", &["distance"], |turtle, call| {
///         turtle.x += call.argument::<f64>(0)?;
///         Ok(turtle.x)
///     });
///
/// let engine = Engine::new();
/// let mut interpreter = engine.interpreter().build()?;
/// let object = turtle.object(&mut interpreter, Turtle { x: 0.0, name: "Tim".into() })?;
/// interpreter.set_global("turtle", &object)?;
/// interpreter.run(&engine.compile("x.ms", "turtle.forward 10\nturtle.x = turtle.x * 2\nwho = turtle.name")?)?;
/// assert_eq!(object.borrow(&mut interpreter, |turtle: &mut Turtle| turtle.x)?, 20.0);
/// assert_eq!(interpreter.global::<String>("who")?, "Tim");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Class<T> {
    members: Arc<Members<T>>,
}

/// A class shares its members with all interpreters that know it; their address tells classes apart.
struct Members<T> {
    name: Box<str>,
    methods: Vec<Method<T>>,
    properties: Vec<Property<T>>,
}

type Run<T> = dyn Fn(&mut T, &mut Call<'_>) -> Result<Raw, Error> + Send + Sync;
type Get<T> = dyn Fn(&mut T, &mut Context<'_>) -> Result<Raw, Error> + Send + Sync;
type Set<T> = dyn Fn(&mut T, Raw, &mut Context<'_>) -> Result<(), Error> + Send + Sync;

struct Method<T> {
    name: Box<str>,
    parameters: Vec<(Box<str>, DefaultValue)>,
    run: Arc<Run<T>>,
}

struct Property<T> {
    name: Box<str>,
    get: Arc<Get<T>>,
    set: Option<Arc<Set<T>>>,
}

impl<T> Clone for Method<T> {
    fn clone(&self) -> Method<T> {
        Method {
            name: self.name.clone(),
            parameters: self.parameters.clone(),
            run: self.run.clone(),
        }
    }
}

impl<T> Clone for Property<T> {
    fn clone(&self) -> Property<T> {
        Property {
            name: self.name.clone(),
            get: self.get.clone(),
            set: self.set.clone(),
        }
    }
}

impl<T> Clone for Members<T> {
    fn clone(&self) -> Members<T> {
        Members {
            name: self.name.clone(),
            methods: self.methods.clone(),
            properties: self.properties.clone(),
        }
    }
}

impl<T> Clone for Class<T> {
    fn clone(&self) -> Class<T> {
        Class {
            members: self.members.clone(),
        }
    }
}

impl<T: Any + Send> Class<T> {
    /// A class without members.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::Class;
    ///
    /// // Scripts can pass it around, and nothing else.
    /// let token = Class::<u64>::new("Token").object(&mut interpreter, 12345)?;
    /// interpreter.set_global("token", &token)?;
    /// interpreter.run(&engine.compile("x.ms", "copy = token")?)?;
    /// let copy: kiln::Object = interpreter.global("copy")?;
    /// assert_eq!(copy.borrow(&mut interpreter, |number: &mut u64| *number)?, 12345);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(name: impl Into<Box<str>>) -> Class<T> {
        Class {
            members: Arc::new(Members {
                name: name.into(),
                methods: Vec::new(),
                properties: Vec::new(),
            }),
        }
    }

    /// Adds a method. While it runs the object is in use: a script function that it calls cannot use it.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::Class;
    ///
    /// let stack = Class::<Vec<f64>>::new("Stack")
    ///     .method("add", &["number"], |stack, call| {
    ///         stack.push(call.argument(0)?);
    ///         Ok(())
    ///     })
    ///     .method("take", &[], |stack, _| Ok(stack.pop()));
    /// let object = stack.object(&mut interpreter, Vec::new())?;
    /// interpreter.set_global("stack", &object)?;
    /// interpreter.run(&engine.compile("x.ms", "stack.add 7\nx = stack.take\ny = stack.take")?)?;
    /// assert_eq!(interpreter.global::<Option<f64>>("x")?, Some(7.0));
    /// assert_eq!(interpreter.global::<Option<f64>>("y")?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn method<R: IntoValue>(
        mut self,
        name: impl Into<Box<str>>,
        parameters: &[&str],
        run: impl Fn(&mut T, &mut Call<'_>) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Self {
        let method = Method {
            name: name.into(),
            parameters: parameters
                .iter()
                .map(|name| ((*name).into(), DefaultValue::Null))
                .collect(),
            run: Arc::new(move |object: &mut T, call: &mut Call<'_>| {
                run(object, call)?.into_raw(&mut call.as_context())
            }),
        };
        Arc::make_mut(&mut self.members).methods.push(method);
        self
    }

    /// Adds a property that scripts can read.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::Class;
    ///
    /// let text = Class::<String>::new("Text").property("size", |text| text.len());
    /// let object = text.object(&mut interpreter, "hello".to_owned())?;
    /// interpreter.set_global("text", &object)?;
    /// interpreter.run(&engine.compile("x.ms", "size = text.size")?)?;
    /// assert_eq!(interpreter.global::<f64>("size")?, 5.0);
    /// let error = interpreter.run(&engine.compile("y.ms", "text.size = 6")?).unwrap_err();
    /// assert_eq!(error.error.to_string(), "size cannot be assigned");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn property<R: IntoValue>(
        self,
        name: impl Into<Box<str>>,
        get: impl Fn(&mut T) -> R + Send + Sync + 'static,
    ) -> Self {
        let get = move |object: &mut T, context: &mut Context<'_>| get(object).into_raw(context);
        self.with_property(name.into(), Arc::new(get), None)
    }

    /// Adds a property that scripts can read and assign.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::Class;
    ///
    /// struct Lamp { brightness: f64 }
    ///
    /// let lamp = Class::<Lamp>::new("Lamp")
    ///     .variable("brightness", |lamp| lamp.brightness, |lamp, value: f64| lamp.brightness = value.clamp(0.0, 1.0));
    /// let object = lamp.object(&mut interpreter, Lamp { brightness: 0.5 })?;
    /// interpreter.set_global("lamp", &object)?;
    /// interpreter.run(&engine.compile("x.ms", "lamp.brightness += 7")?)?;
    /// assert_eq!(object.borrow(&mut interpreter, |lamp: &mut Lamp| lamp.brightness)?, 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn variable<R: IntoValue, V: FromValue>(
        self,
        name: impl Into<Box<str>>,
        get: impl Fn(&mut T) -> R + Send + Sync + 'static,
        set: impl Fn(&mut T, V) + Send + Sync + 'static,
    ) -> Self {
        let get = move |object: &mut T, context: &mut Context<'_>| get(object).into_raw(context);
        let set = move |object: &mut T, value: Raw, context: &mut Context<'_>| {
            set(object, V::from_raw(value, context)?);
            Ok(())
        };
        self.with_property(name.into(), Arc::new(get), Some(Arc::new(set)))
    }

    fn with_property(mut self, name: Box<str>, get: Arc<Get<T>>, set: Option<Arc<Set<T>>>) -> Self {
        let properties = &mut Arc::make_mut(&mut self.members).properties;
        properties.push(Property { name, get, set });
        self
    }

    /// Gives an interpreter an object of this class.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use std::sync::Arc;
    /// use kiln::Class;
    ///
    /// let class = Class::<Arc<()>>::new("Shared");
    /// let shared = Arc::new(());
    /// let object = class.object(&mut interpreter, shared.clone())?;
    /// assert_eq!(Arc::strong_count(&shared), 2);
    /// drop(object);
    /// drop(interpreter);
    /// assert_eq!(Arc::strong_count(&shared), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The heap limit is reached.
    pub fn object(&self, context: &mut impl AsContext, object: T) -> Result<Object, Error> {
        context.quick(|context| {
            let class = self.enter(context.vm)?;
            let handle = context.vm.new_object(Box::new(object), Some(class))?;
            Ok(Object(context.vm.root(kiln_vm::Value::other(handle))))
        })
    }

    /// The class as the interpreter knows it.
    fn enter(&self, vm: &mut Vm) -> Fallible<ClassId> {
        let key = Arc::as_ptr(&self.members).cast::<()>() as usize;
        if let Some(known) = vm.known_class(key) {
            return Ok(known);
        }
        let methods = vm.new_map(self.members.methods.len())?;
        for method in &self.members.methods {
            let name = vm.intern(&method.name)?;
            let run = method.run.clone();
            let function = vm.new_closure(Definition {
                name: format!("{}.{}", self.members.name, method.name).into(),
                parameters: method.parameters.clone(),
                help: "".into(),
                closure: Closure::Immediate(Box::new(move |vm, arguments| {
                    let handle = handle_of(arguments.self_value(), vm)?;
                    let result = with_object(vm, handle, |object, vm| {
                        run(object, &mut Call { vm, arguments })
                    });
                    finish(result).map(|Raw(value)| value)
                })),
            })?;
            vm.map_set_interned(methods, name, kiln_vm::Value::function(function))?;
        }
        // The members are kept by these, so their address stays theirs.
        let (readable, writable) = (self.members.clone(), self.members.clone());
        Ok(vm.new_class(handle::Class {
            key,
            name: self.members.name.clone(),
            methods,
            get: Box::new(move |vm, handle, name| {
                let Some(property) = find(&readable, name) else {
                    return Ok(None);
                };
                let result = with_object(vm, handle, |object, vm| {
                    (property.get)(object, &mut Context { vm })
                });
                finish(result).map(|Raw(value)| Some(value))
            }),
            set: Box::new(move |vm, handle, name, value| {
                let Some(property) = find(&writable, name) else {
                    return Ok(false);
                };
                let Some(set) = &property.set else {
                    return Err(Throw::message(format!("{name} cannot be assigned")));
                };
                let result = with_object(vm, handle, |object, vm| {
                    set(object, Raw(value), &mut Context { vm })
                });
                finish(result).map(|()| true)
            }),
        }))
    }
}

fn find<'a, T>(members: &'a Members<T>, name: &str) -> Option<&'a Property<T>> {
    let mut properties = members.properties.iter();
    properties.find(|property| &*property.name == name)
}

fn finish<R>(result: Result<R, Error>) -> Fallible<R> {
    result.map_err(Error::into_throw)
}

/// The handle on which a method of class `T` is called.
fn handle_of(value: kiln_vm::Value, vm: &mut Vm) -> Fallible<Gc<HandleCell>> {
    match vm.class_of(value) {
        Some((handle, _)) => Ok(handle),
        None => Err(Throw::message("this method needs an object of its class")),
    }
}

/// Works with an object and the interpreter at once.
fn with_object<T: Any, R>(
    vm: &mut Vm,
    handle: Gc<HandleCell>,
    work: impl FnOnce(&mut T, &mut Vm) -> Result<R, Error>,
) -> Result<R, Error> {
    let mut object = vm.take_object(handle).ok_or(Error::InUse)?;
    let result = catch_unwind(AssertUnwindSafe(|| match object.downcast_mut::<T>() {
        Some(object) => work(object, vm),
        None => Err(Error::Conversion {
            expected: "object of another class",
            got: "object",
        }),
    }));
    // Also after a panic, which is not the object's fault.
    vm.put_object(handle, object);
    result.unwrap_or_else(|payload| resume_unwind(payload))
}

impl Object {
    /// Works with the Rust object itself.
    ///
    /// ```
    /// # let engine = kiln::Engine::new();
    /// # let mut interpreter = engine.interpreter().build()?;
    /// use kiln::{Class, Error};
    ///
    /// let object = Class::<String>::new("Text").object(&mut interpreter, "hello".to_owned())?;
    /// object.borrow(&mut interpreter, |text: &mut String| text.push('!'))?;
    /// assert_eq!(object.borrow(&mut interpreter, |text: &mut String| text.clone())?, "hello!");
    /// assert!(matches!(object.borrow(&mut interpreter, |_: &mut u32| ()), Err(Error::Conversion { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The object is of another type or in use, or belongs to another interpreter.
    pub fn borrow<T: Any, R>(
        &self,
        context: &mut impl AsContext,
        work: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Error> {
        context.quick(|context| {
            let handle = self.cell(context)?;
            with_object(context.vm, handle, |object, _| Ok(work(object)))
        })
    }
}
