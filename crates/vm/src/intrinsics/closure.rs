//! Intrinsics that the host defines: closures in place of the functions in the tables.

use super::{Arguments, Default, Intrinsic, Parameter, Run};
use crate::error::Fallible;
use crate::heap::Gc;
use crate::object::function::FunctionCell;
use crate::object::handle::HandleCell;
use crate::stack::Suspension;
use crate::value::Value;
use crate::vm::Vm;

/// See [`Closure::Immediate`].
pub type Immediate = dyn Fn(&mut Vm, Arguments) -> Fallible<Value> + Send;

/// See [`Closure::Resumable`].
pub type Begin = dyn Fn() -> State + Send;

/// See [`Closure::Resumable`].
pub type Poll = dyn Fn(&mut Vm, Arguments, &mut State) -> Fallible<Option<Value>> + Send;

/// What an intrinsic of the host does.
pub enum Closure {
    /// Gives its result at once.
    Immediate(Box<Immediate>),
    /// May have to be asked again, in a later time slice: the script is suspended as long as it gives none.
    Resumable {
        /// Makes the state of a call, which is kept between questions.
        begin: Box<Begin>,
        /// Asked until it gives a result.
        poll: Box<Poll>,
    },
}

/// What a call of a resumable intrinsic keeps between questions.
pub type State = Box<dyn std::any::Any + Send>;

/// The default of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum DefaultValue {
    /// Null.
    Null,
    /// A number.
    Number(f64),
    /// A string.
    Text(Box<str>),
}

/// An intrinsic to be defined.
pub struct Definition {
    /// The name.
    pub name: Box<str>,
    /// Names and defaults of the parameters.
    pub parameters: Vec<(Box<str>, DefaultValue)>,
    /// One line of help.
    pub help: Box<str>,
    /// What it does.
    pub closure: Closure,
}

/// A row like those of the tables, together with what it borrows.
#[repr(C)]
pub(crate) struct ClosureRow {
    /// First, so that the address of the row is that of the whole.
    row: Intrinsic,
    closure: Closure,
    /// The texts that the row refers to; boxes, which stay where they are.
    _parameters: Box<[Parameter]>,
    _texts: Vec<Box<str>>,
}

/// # Safety
/// The result must not be used when what it refers to is gone.
unsafe fn forever<T: ?Sized>(borrowed: &T) -> &'static T {
    // SAFETY: by contract.
    unsafe { &*std::ptr::from_ref(borrowed) }
}

impl ClosureRow {
    fn new(definition: Definition) -> Box<ClosureRow> {
        let mut texts = Vec::new();
        let mut keep = |text: Box<str>| -> &'static str {
            // SAFETY: the row keeps the text, and nobody uses the row's references when it is gone: function cells, which
            // refer to it, are gone before, and `families` does not list it.
            let kept = unsafe { forever(&*text) };
            texts.push(text);
            kept
        };
        let name = keep(definition.name);
        let help = keep(definition.help);
        let parameters: Box<[Parameter]> = definition
            .parameters
            .into_iter()
            .map(|(name, default)| Parameter {
                name: keep(name),
                default: match default {
                    DefaultValue::Null => Default::Null,
                    DefaultValue::Number(number) => Default::Number(number),
                    DefaultValue::Text(text) => Default::Text(keep(text)),
                },
            })
            .collect();
        let run: Run = match definition.closure {
            Closure::Immediate(_) => run_immediate,
            Closure::Resumable { .. } => run_resumable,
        };
        Box::new(ClosureRow {
            row: Intrinsic {
                name,
                // SAFETY: as above.
                parameters: unsafe { forever(&*parameters) },
                help,
                run,
            },
            closure: definition.closure,
            _parameters: parameters,
            _texts: texts,
        })
    }

    /// # Safety
    /// The arguments must be of a call of a row that is in a `ClosureRow`.
    unsafe fn of<'a>(arguments: Arguments<'a>) -> &'a ClosureRow {
        // SAFETY: the row is the first field of a `repr(C)` struct.
        unsafe { &*std::ptr::from_ref(arguments.intrinsic()).cast::<ClosureRow>() }
    }
}

fn run_immediate(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    // SAFETY: only rows made by `ClosureRow::new` have this function.
    let ClosureRow { row, closure, .. } = unsafe { ClosureRow::of(arguments) };
    match closure {
        Closure::Immediate(run) => vm.call_host(row.name, |vm| run(vm, arguments)),
        Closure::Resumable { .. } => Ok(Value::NULL),
    }
}

fn run_resumable(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    // SAFETY: only rows made by `ClosureRow::new` have this function.
    let ClosureRow { row, closure, .. } = unsafe { ClosureRow::of(arguments) };
    let Closure::Resumable { begin, poll } = closure else {
        return Ok(Value::NULL);
    };
    // While the script is suspended nothing here may own anything, so the state is an object that the collector finds.
    let handle = vm.call_host(row.name, |vm| vm.new_handle(begin()))?;
    loop {
        let result = vm.call_host(row.name, |vm| ask(vm, handle, arguments, poll))?;
        if let Some(result) = result {
            return Ok(result);
        }
        vm.suspend(Suspension::Pending)?;
        vm.poll()?;
    }
}

fn ask(
    vm: &mut Vm,
    handle: Gc<HandleCell>,
    arguments: Arguments,
    poll: &Poll,
) -> Fallible<Option<Value>> {
    // Taken out, since the closure may do with the interpreter what it likes.
    let Some(mut object) = vm.take_object(handle) else {
        return Ok(Some(Value::NULL));
    };
    let result = match object.downcast_mut::<State>() {
        Some(state) => poll(vm, arguments, state),
        None => Ok(Some(Value::NULL)),
    };
    vm.put_object(handle, object);
    result
}

impl Vm {
    /// Defines an intrinsic. One that has the same name is replaced, for programs that are compiled from now on and those that
    /// read the name again.
    ///
    /// # Errors
    /// Fails if the heap limit is reached.
    pub fn define(&mut self, definition: Definition) -> Fallible<()> {
        let function = self.new_closure(definition)?;
        let Some(name) = self.closures.last().map(|closure| closure.row.name) else {
            return Ok(());
        };
        let name = self.intern(name)?;
        self.intrinsics.functions.insert(name.address(), function);
        self.intrinsics.listed.retain(|(known, _)| *known != name);
        self.intrinsics.listed.push((name, function));
        self.intrinsics.listing = None;
        let index = self.global_index(name);
        self.globals
            .cell(index)
            .fallback
            .set(Value::function(function));
        Ok(())
    }

    /// A function value that runs a closure of the host.
    ///
    /// # Errors
    /// Fails if the heap limit is reached.
    pub fn new_closure(&mut self, definition: Definition) -> Fallible<Gc<FunctionCell>> {
        let closure = ClosureRow::new(definition);
        // SAFETY: closures live as long as the interpreter, and nothing outlives it that refers to them.
        let row: &'static Intrinsic = unsafe { forever(&closure.row) };
        self.closures.push(closure);
        self.install_defaults(std::slice::from_ref(row))?;
        self.intrinsic_function(row)
    }
}
