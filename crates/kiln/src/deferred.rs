//! Results that are delivered later.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread::{self, Thread};

use crate::error::Error;

/// A result that somebody else will deliver; made by [`deferred`].
#[derive(Debug)]
pub struct Deferred<T> {
    slot: Arc<Slot<T>>,
}

/// Delivers the result of a [`Deferred`], from any thread. If it is dropped before, the script ends with an error.
#[derive(Debug)]
pub struct Completer<T> {
    slot: Arc<Slot<T>>,
}

#[derive(Debug)]
struct Slot<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    result: Option<Result<T, String>>,
    is_abandoned: bool,
    /// Who waits for the result, if anybody does.
    waiting: Option<Thread>,
}

/// A result that will be delivered later, and the means to deliver it: for [`Intrinsic::deferred`](crate::Intrinsic::deferred).
///
/// ```
/// use std::thread;
/// use kiln::{Engine, Intrinsic};
///
/// let engine = Engine::new();
/// let fetch = Intrinsic::deferred("fetch", |call| {
///     let address: String = call.argument(0)?;
///     let (completer, result) = kiln::deferred();
///     thread::spawn(move || completer.complete(format!("the contents of {address}")));
///     Ok(result)
/// })
/// .parameter("address");
/// let mut interpreter = engine.interpreter().intrinsic(fetch).build()?;
/// interpreter.run(&engine.compile("x.ms", "text = fetch(\"somewhere\")")?)?;
/// assert_eq!(interpreter.global::<String>("text")?, "the contents of somewhere");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn deferred<T>() -> (Completer<T>, Deferred<T>) {
    let slot = Arc::new(Slot(Mutex::new(State {
        result: None,
        is_abandoned: false,
        waiting: None,
    })));
    (Completer { slot: slot.clone() }, Deferred { slot })
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Completer<T> {
    /// Delivers the result.
    ///
    /// ```
    /// use kiln::{Completer, Engine, Intrinsic, Progress};
    ///
    /// let engine = Engine::new();
    /// // The question waits with the interpreter until the host finds time for it.
    /// let ask = Intrinsic::deferred("ask", |call| {
    ///     let (completer, result) = kiln::deferred();
    ///     *call.data::<Option<Completer<f64>>>().unwrap() = Some(completer);
    ///     Ok(result)
    /// });
    /// let mut interpreter = engine.interpreter().intrinsic(ask).data(None::<Completer<f64>>).build()?;
    /// interpreter.start(&engine.compile("x.ms", "x = ask + 1")?)?;
    /// assert_eq!(interpreter.resume()?, Progress::Pending);
    /// let completer = interpreter.data::<Option<Completer<f64>>>().and_then(Option::take).unwrap();
    /// completer.complete(41.0);
    /// assert!(interpreter.resume()?.is_done());
    /// assert_eq!(interpreter.global::<f64>("x")?, 42.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn complete(self, value: T) {
        self.slot.lock().result = Some(Ok(value));
    }

    /// Ends the script with an error instead.
    ///
    /// ```
    /// use kiln::{Engine, Intrinsic};
    ///
    /// let engine = Engine::new();
    /// let fetch = Intrinsic::deferred("fetch", |_| {
    ///     let (completer, result) = kiln::deferred::<String>();
    ///     completer.fail("no connection");
    ///     Ok(result)
    /// });
    /// let mut interpreter = engine.interpreter().intrinsic(fetch).build()?;
    /// let error = interpreter.run(&engine.compile("x.ms", "fetch")?).unwrap_err();
    /// assert_eq!(error.error.to_string(), "no connection");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fail(self, message: impl Into<String>) {
        self.slot.lock().result = Some(Err(message.into()));
    }

    /// Whether nobody waits for the result any more.
    ///
    /// ```
    /// let (completer, result) = kiln::deferred::<f64>();
    /// assert!(!completer.is_abandoned());
    /// drop(result);
    /// assert!(completer.is_abandoned());
    /// ```
    pub fn is_abandoned(&self) -> bool {
        self.slot.lock().is_abandoned
    }
}

impl<T> Drop for Completer<T> {
    fn drop(&mut self) {
        let mut state = self.slot.lock();
        state
            .result
            .get_or_insert_with(|| Err("the result was never delivered".into()));
        if let Some(thread) = state.waiting.take() {
            thread.unpark();
        }
    }
}

impl<T> Deferred<T> {
    /// Looks whether the result has been delivered. If not, this thread will be unparked when it is.
    pub(crate) fn poll(&self) -> Poll<Result<T, Error>> {
        let mut state = self.slot.lock();
        match state.result.take() {
            Some(result) => Poll::Ready(result.map_err(Error::message)),
            None => {
                state.waiting = Some(thread::current());
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Deferred<T> {
    fn drop(&mut self) {
        self.slot.lock().is_abandoned = true;
    }
}
