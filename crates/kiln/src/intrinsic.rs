//! Functions of the host for scripts.

use std::any::Any;
use std::sync::Arc;
use std::task::Poll;

use kiln_vm::error::Throw;
use kiln_vm::intrinsics::closure::{Closure, DefaultValue, Definition, State};

use crate::context::{AsContext, Context, sealed};
use crate::convert::{FromValue, IntoValue, Raw};
use crate::deferred::Deferred;
use crate::error::Error;
use crate::value::Value;

/// A function of the host that scripts find without defining it.
///
/// One intrinsic can be given to any number of interpreters.
///
/// ```
/// use kiln::{Engine, Intrinsic};
///
/// let engine = Engine::new();
/// let clamp = Intrinsic::new("clamp", |call| {
///     let (x, low, high): (f64, f64, f64) = (call.argument(0)?, call.argument(1)?, call.argument(2)?);
///     Ok(x.max(low).min(high))
/// })
/// .parameter("x")
/// .parameter_or("low", 0.0)
/// .parameter_or("high", 1.0)
/// .help("a number, but neither below low nor above high");
/// let mut interpreter = engine.interpreter().intrinsic(clamp).build()?;
/// interpreter.run(&engine.compile("x.ms", "a = clamp(7)\nb = clamp(7, 0, 5)")?)?;
/// assert_eq!((interpreter.global::<f64>("a")?, interpreter.global::<f64>("b")?), (1.0, 5.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Intrinsic {
    name: Box<str>,
    parameters: Vec<(Box<str>, DefaultValue)>,
    help: Box<str>,
    run: Run,
}

type Immediate = dyn Fn(&mut Call<'_>) -> Result<Raw, Error> + Send + Sync;
type Resumable = dyn Fn(&mut Call<'_>, &mut State) -> Result<Poll<Raw>, Error> + Send + Sync;
type Begin = dyn Fn() -> State + Send + Sync;

#[derive(Clone)]
enum Run {
    Immediate(Arc<Immediate>),
    Resumable {
        begin: Arc<Begin>,
        poll: Arc<Resumable>,
    },
}

/// The default of a parameter: null, a number or a text.
pub trait IntoDefault {
    #[doc(hidden)]
    fn into_default(self) -> DefaultValue;
}

impl IntoDefault for f64 {
    fn into_default(self) -> DefaultValue {
        DefaultValue::Number(self)
    }
}

impl IntoDefault for i32 {
    fn into_default(self) -> DefaultValue {
        DefaultValue::Number(self.into())
    }
}

impl IntoDefault for bool {
    fn into_default(self) -> DefaultValue {
        DefaultValue::Number(u8::from(self).into())
    }
}

impl IntoDefault for &str {
    fn into_default(self) -> DefaultValue {
        DefaultValue::Text(self.into())
    }
}

impl Intrinsic {
    /// A function that gives its result at once. It may call script functions, which may call it again.
    ///
    /// A panic in it becomes a script error that names the intrinsic.
    ///
    /// ```
    /// use kiln::{Engine, Error, Function, Intrinsic};
    ///
    /// let twice = Intrinsic::new("twice", |call| {
    ///     let function: Function = call.argument(0)?;
    ///     let once: f64 = function.call(call, (1,))?;
    ///     function.call::<f64>(call, (once,))
    /// })
    /// .parameter("function");
    /// let panics = Intrinsic::new("panics", |_| -> Result<(), Error> { panic!("no more") });
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().intrinsics([twice, panics]).build()?;
    /// interpreter.run(&engine.compile("x.ms", "f = function(n)\nreturn n * 3\nend function\nx = twice(@f)")?)?;
    /// assert_eq!(interpreter.global::<f64>("x")?, 9.0);
    /// let error = interpreter.run(&engine.compile("y.ms", "panics")?).unwrap_err();
    /// assert_eq!(error.error.to_string(), "panics: the host panicked: no more");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new<R: IntoValue>(
        name: impl Into<Box<str>>,
        run: impl Fn(&mut Call<'_>) -> Result<R, Error> + Send + Sync + 'static,
    ) -> Intrinsic {
        let run = move |call: &mut Call<'_>| {
            let result = run(call)?;
            result.into_raw(&mut call.as_context())
        };
        Intrinsic::with(name, Run::Immediate(Arc::new(run)))
    }

    /// A function that may take several frames: as long as its answer is pending the script is suspended, and the function is asked
    /// again when the script is resumed. The state, which is new for each call of the script, is kept in between.
    ///
    /// ```
    /// use std::task::Poll;
    /// use kiln::{Engine, Intrinsic, Outcome, Progress};
    ///
    /// let engine = Engine::new();
    /// let walk = Intrinsic::resumable("walk", |call, walked: &mut f64| {
    ///     *walked += 1.0;
    ///     let distance: f64 = call.argument(0)?;
    ///     Ok(if *walked < distance { Poll::Pending } else { Poll::Ready("arrived") })
    /// })
    /// .parameter("distance");
    /// let mut interpreter = engine.interpreter().intrinsic(walk).build()?;
    /// interpreter.start(&engine.compile("x.ms", "result = walk(3)")?)?;
    /// assert_eq!(interpreter.resume()?, Progress::Pending);
    /// assert_eq!(interpreter.resume()?, Progress::Pending);
    /// assert_eq!(interpreter.resume()?, Progress::Done(Outcome::Finished));
    /// assert_eq!(interpreter.global::<String>("result")?, "arrived");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resumable<S: Default + Send + 'static, R: IntoValue>(
        name: impl Into<Box<str>>,
        poll: impl Fn(&mut Call<'_>, &mut S) -> Result<Poll<R>, Error> + Send + Sync + 'static,
    ) -> Intrinsic {
        let poll = move |call: &mut Call<'_>, state: &mut State| {
            let Some(state) = state.downcast_mut::<S>() else {
                return Err(Error::InUse);
            };
            Ok(match poll(call, state)? {
                Poll::Ready(result) => Poll::Ready(result.into_raw(&mut call.as_context())?),
                Poll::Pending => Poll::Pending,
            })
        };
        let run = Run::Resumable {
            begin: Arc::new(|| Box::new(S::default()) as State),
            poll: Arc::new(poll),
        };
        Intrinsic::with(name, run)
    }

    /// A function whose result somebody else will deliver, perhaps on another thread: the script is suspended until then. See
    /// [`deferred`](crate::deferred()).
    ///
    /// ```
    /// use std::thread;
    /// use kiln::{Engine, Intrinsic};
    ///
    /// let solve = Intrinsic::deferred("solve", |call| {
    ///     let number: f64 = call.argument(0)?;
    ///     let (completer, result) = kiln::deferred();
    ///     thread::spawn(move || completer.complete(number.sqrt()));
    ///     Ok(result)
    /// })
    /// .parameter("number");
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().intrinsic(solve).build()?;
    /// interpreter.run(&engine.compile("x.ms", "x = solve(49)")?)?;
    /// assert_eq!(interpreter.global::<f64>("x")?, 7.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn deferred<R: IntoValue + Send + 'static>(
        name: impl Into<Box<str>>,
        begin: impl Fn(&mut Call<'_>) -> Result<Deferred<R>, Error> + Send + Sync + 'static,
    ) -> Intrinsic {
        Intrinsic::resumable(name, move |call, waiting: &mut Option<Deferred<R>>| {
            let deferred = match waiting {
                Some(deferred) => deferred,
                None => waiting.insert(begin(call)?),
            };
            match deferred.poll() {
                Poll::Ready(result) => result.map(Poll::Ready),
                Poll::Pending => Ok(Poll::Pending),
            }
        })
    }

    fn with(name: impl Into<Box<str>>, run: Run) -> Intrinsic {
        Intrinsic {
            name: name.into(),
            parameters: Vec::new(),
            help: "".into(),
            run,
        }
    }

    /// Adds a parameter, which is null if a call passes no argument for it. If the first one is named `self`, a method call passes
    /// its object there.
    ///
    /// ```
    /// use kiln::{Engine, Intrinsic, Value};
    ///
    /// let kind = Intrinsic::new("kind", |call| Ok(call.argument::<Value>(0)?.kind())).parameter("self");
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().intrinsic(kind).build()?;
    /// interpreter.run(&engine.compile("x.ms", "a = kind([1])\nb = kind")?)?;
    /// assert_eq!(interpreter.global::<String>("a")?, "list");
    /// assert_eq!(interpreter.global::<String>("b")?, "null");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parameter(mut self, name: impl Into<Box<str>>) -> Intrinsic {
        self.parameters.push((name.into(), DefaultValue::Null));
        self
    }

    /// Adds a parameter with a default.
    ///
    /// ```
    /// use kiln::{Engine, Intrinsic};
    ///
    /// let copies = Intrinsic::new("copies", |call| {
    ///     let (text, times): (String, usize) = (call.argument(0)?, call.argument(1)?);
    ///     Ok(text.repeat(times))
    /// })
    /// .parameter_or("text", "-")
    /// .parameter_or("times", 3);
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().intrinsic(copies).build()?;
    /// interpreter.run(&engine.compile("x.ms", "line = copies")?)?;
    /// assert_eq!(interpreter.global::<String>("line")?, "---");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parameter_or(
        mut self,
        name: impl Into<Box<str>>,
        default: impl IntoDefault,
    ) -> Intrinsic {
        self.parameters.push((name.into(), default.into_default()));
        self
    }

    /// Says in a line what the function does.
    ///
    /// ```
    /// let roll = kiln::Intrinsic::new("roll", |_| Ok(4)).help("throws a die");
    /// assert_eq!(roll.documentation(), "roll(): throws a die");
    /// ```
    pub fn help(mut self, help: impl Into<Box<str>>) -> Intrinsic {
        self.help = help.into();
        self
    }

    /// The name.
    ///
    /// ```
    /// assert_eq!(kiln::Intrinsic::new("roll", |_| Ok(4)).name(), "roll");
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name, parameters and help, as documentation shows them.
    ///
    /// ```
    /// let roll = kiln::Intrinsic::new("roll", |_| Ok(4)).parameter_or("sides", 6).help("throws a die");
    /// assert_eq!(roll.documentation(), "roll(sides=6): throws a die");
    /// ```
    pub fn documentation(&self) -> String {
        let parameter = |(name, default): &(Box<str>, DefaultValue)| match default {
            DefaultValue::Null => name.to_string(),
            DefaultValue::Number(number) => format!("{name}={number}"),
            DefaultValue::Text(text) => format!("{name}={text:?}"),
        };
        let parameters: Vec<String> = self.parameters.iter().map(parameter).collect();
        format!("{}({}): {}", self.name, parameters.join(", "), self.help)
    }

    pub(crate) fn definition(&self) -> Definition {
        Definition {
            name: self.name.clone(),
            parameters: self.parameters.clone(),
            help: self.help.clone(),
            closure: self.run.closure(),
        }
    }
}

impl Run {
    fn closure(&self) -> Closure {
        match self {
            Run::Immediate(run) => {
                let run = run.clone();
                Closure::Immediate(Box::new(move |vm, arguments| {
                    let mut call = Call { vm, arguments };
                    let Raw(result) = run(&mut call).map_err(Error::into_throw)?;
                    Ok(result)
                }))
            }
            Run::Resumable { begin, poll } => {
                let (begin, poll) = (begin.clone(), poll.clone());
                Closure::Resumable {
                    begin: Box::new(move || begin()),
                    poll: Box::new(move |vm, arguments, state| {
                        let mut call = Call { vm, arguments };
                        match poll(&mut call, state) {
                            Ok(Poll::Ready(Raw(result))) => Ok(Some(result)),
                            Ok(Poll::Pending) => Ok(None),
                            Err(error) => Err::<_, Throw>(error.into_throw()),
                        }
                    }),
                }
            }
        }
    }
}

/// A call of an intrinsic by a script: its arguments, and access to the interpreter.
///
/// ```
/// use kiln::{AsContext, Engine, Intrinsic};
///
/// let describe = Intrinsic::new("describe", |call| {
///     let value = call.argument(0)?;
///     let text = call.text(&value)?;
///     call.print(&format!("{text}\n"));
///     call.with(|context| context.set_global("described", text))
/// })
/// .parameter("value");
/// let engine = Engine::new();
/// let mut interpreter = engine.interpreter().intrinsic(describe).build()?;
/// interpreter.run(&engine.compile("x.ms", "describe [1, 2]")?)?;
/// assert_eq!(interpreter.global::<String>("described")?, "[1, 2]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Call<'a> {
    pub(crate) vm: &'a mut kiln_vm::Vm,
    pub(crate) arguments: kiln_vm::intrinsics::Arguments<'a>,
}

impl Call<'_> {
    pub(crate) fn as_context(&mut self) -> Context<'_> {
        Context { vm: self.vm }
    }

    /// The argument for the parameter with this number, counted from 0.
    ///
    /// ```
    /// use kiln::{Engine, Intrinsic};
    ///
    /// let shift = Intrinsic::new("shift", |call| Ok(call.argument::<i32>(0)? << call.argument::<u32>(1)?))
    ///     .parameter("number")
    ///     .parameter("bits");
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().intrinsic(shift).build()?;
    /// interpreter.run(&engine.compile("x.ms", "x = shift(1, 4)")?)?;
    /// assert_eq!(interpreter.global::<f64>("x")?, 16.0);
    /// let error = interpreter.run(&engine.compile("y.ms", "shift \"1\", 4")?).unwrap_err();
    /// assert_eq!(error.error.to_string(), "expected number, got string");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// It is of another kind.
    pub fn argument<T: FromValue>(&mut self, index: usize) -> Result<T, Error> {
        let value = self.arguments.get(index);
        T::from_raw(Raw(value), &mut self.as_context())
    }

    /// The object of a method call.
    ///
    /// ```
    /// use kiln::{Engine, Intrinsic, Map};
    ///
    /// let area = Intrinsic::new("area", |call| {
    ///     let shape: Map = call.self_value()?;
    ///     Ok(shape.get::<f64>(call, "width")?.unwrap_or(0.0) * shape.get::<f64>(call, "height")?.unwrap_or(0.0))
    /// });
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().intrinsic(area).build()?;
    /// interpreter.run(&engine.compile("x.ms", "box = {\"width\": 2, \"height\": 3, \"area\": @area}\nx = box.area")?)?;
    /// assert_eq!(interpreter.global::<f64>("x")?, 6.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// It is of another kind.
    pub fn self_value<T: FromValue>(&mut self) -> Result<T, Error> {
        let value = self.arguments.self_value();
        T::from_raw(Raw(value), &mut self.as_context())
    }

    /// What the host keeps with the interpreter, if it is of this type; see
    /// [`InterpreterBuilder::data`](crate::InterpreterBuilder::data).
    ///
    /// ```
    /// use kiln::{Engine, Error, Intrinsic};
    ///
    /// let engine = Engine::new();
    /// let score = Intrinsic::new("score", |call| {
    ///     let points: u32 = call.argument(0)?;
    ///     let total = call.data::<u32>().ok_or_else(|| Error::message("no game"))?;
    ///     *total += points;
    ///     Ok(*total)
    /// })
    /// .parameter_or("points", 1);
    /// let mut interpreter = engine.interpreter().intrinsic(score).data(10_u32).build()?;
    /// interpreter.run(&engine.compile("x.ms", "score\nscore 5")?)?;
    /// assert_eq!(interpreter.data::<u32>(), Some(&mut 16));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn data<T: Any + Send>(&mut self) -> Option<&mut T> {
        self.vm.host_data().as_mut()?.downcast_mut()
    }

    /// Writes to the script's standard output.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use kiln::{Engine, Intrinsic};
    ///
    /// let greet = Intrinsic::new("greet", |call| {
    ///     call.print("Hello!\n");
    ///     Ok(())
    /// });
    /// let (sender, printed) = mpsc::channel();
    /// let engine = Engine::new();
    /// let output = move |text: &str| sender.send(text.to_owned()).unwrap();
    /// let mut interpreter = engine.interpreter().intrinsic(greet).output(output).build()?;
    /// interpreter.run(&engine.compile("x.ms", "greet")?)?;
    /// assert_eq!(printed.recv()?, "Hello!\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn print(&mut self, text: &str) {
        self.vm.host().write_output(text);
    }

    /// The text of a value, as `str` makes it.
    ///
    /// ```
    /// use kiln::{Engine, Intrinsic};
    ///
    /// let length = Intrinsic::new("textLength", |call| {
    ///     let value = call.argument(0)?;
    ///     Ok(call.text(&value)?.len())
    /// })
    /// .parameter("value");
    /// let engine = Engine::new();
    /// let mut interpreter = engine.interpreter().intrinsic(length).build()?;
    /// interpreter.run(&engine.compile("x.ms", "x = textLength([1, 2])")?)?;
    /// assert_eq!(interpreter.global::<f64>("x")?, 6.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The text is too long, or the heap limit is reached.
    pub fn text(&mut self, value: &Value) -> Result<String, Error> {
        self.as_context().text(value)
    }
}

impl AsContext for Call<'_> {
    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        work(&mut self.as_context())
    }
}

impl sealed::Sealed for Call<'_> {
    fn quick<T>(
        &mut self,
        work: impl FnOnce(&mut Context<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        work(&mut self.as_context())
    }
}
