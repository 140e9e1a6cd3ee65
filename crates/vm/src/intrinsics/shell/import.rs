//! Modules.

use super::super::{Arguments, Intrinsic, fail, text};
use super::environment;
use crate::error::{Fallible, RuntimeError};
use crate::feedback::CodeInstance;
use crate::heap::Gc;
use crate::host::Library;
use crate::object::map::MapCell;
use crate::object::string::StringCell;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[Intrinsic {
    name: "import",
    parameters: &[text("libname", "")],
    help: "runs a module and makes its variables, as a map, a variable of its name",
    run: import,
}];

/// How deep imports may be nested. Each takes a piece of the script stack.
const MAX_DEPTH: usize = 64;

/// What separates the folders of the search path.
const PATH_SEPARATOR: char = if cfg!(windows) { ';' } else { ':' };

fn import(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    // The module may suspend the script, so nothing of this function may own anything while it runs.
    let name = vm.argument_text(arguments.get(0))?;
    if name.is_empty() {
        return fail("import: libname required");
    }
    let scope = scope_of_caller(vm)?;
    if vm.import_depth >= MAX_DEPTH {
        return fail("import: nested too deeply (perhaps an import cycle?)");
    }
    let module = find(vm, name)?;
    vm.import_depth += 1;
    let result = vm.run_instance(module);
    vm.import_depth -= 1;
    vm.map_set(scope, Value::string(name), result?)?;
    Ok(Value::NULL)
}

/// The map of the variables among which the calling code can find the module.
fn scope_of_caller(vm: &mut Vm) -> Fallible<Gc<MapCell>> {
    if vm.frames.is_empty() {
        return Ok(vm.globals_map);
    }
    let frame = vm.frames.top();
    // SAFETY: frames refer to instances, which live as long as the interpreter.
    let block = unsafe { &*(*frame.code).block };
    if block.is_top_level {
        return Ok(vm.globals_map);
    }
    let register = block.variables_register.filter(|_| block.variables_by_name);
    // SAFETY: the verifier has checked the register against the window's size.
    let variables =
        register.and_then(|register| unsafe { *frame.base.add(usize::from(register.0)) }.as_map());
    match variables {
        Some(variables) => Ok(variables),
        None => fail("import must be called by its name"),
    }
}

/// The instance of a module's code.
fn find(vm: &mut Vm, name: Gc<StringCell>) -> Fallible<*const CodeInstance> {
    let name = vm.text_of(name);
    let candidates = candidates(vm, &name)?;
    let block = match vm.ask_host("import", |host| host.load_library(&name, &candidates))? {
        Some(Library::Code(block)) => block,
        Some(Library::Broken(report)) => {
            return Err(RuntimeError::BrokenModule(report.into()).into());
        }
        None => return fail(format!("import: library not found: {name}")),
    };
    vm.instance_of(&block)
}

/// The files that may be the module, in the order of the search path.
fn candidates(vm: &mut Vm, name: &str) -> Fallible<Vec<String>> {
    let Some(path) = environment::entry(vm, "MS_IMPORT_PATH")? else {
        return Ok(Vec::new());
    };
    let mut candidates = Vec::new();
    for folder in path.split(PATH_SEPARATOR) {
        let file = match folder {
            "" => format!(".{name}.ms"),
            _ if folder.ends_with(std::path::is_separator) => format!("{folder}{name}.ms"),
            _ => format!("{folder}/{name}.ms"),
        };
        candidates.push(environment::expand(vm, &file)?);
    }
    Ok(candidates)
}
