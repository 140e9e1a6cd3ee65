//! Values as text.

use crate::error::{Fallible, RuntimeError};
use crate::heap::Gc;
use crate::object::function::{Callee, FunctionCell};
use crate::object::list::ListCell;
use crate::object::map::{EntryCursor, MapCell};
use crate::object::string::{self, StringCell};
use crate::text::number::format_number;
use crate::value::Value;
use crate::vm::Vm;

/// How deep containers are shown.
const DEPTH: usize = 3;
/// How long a chain of `__isa` is shown.
const ISA_DEPTH: usize = 64;

/// More memory than this is not kept for the next text.
const MAX_SCRATCH: usize = 4096;

/// How a value is turned into text.
struct Printer<'a> {
    out: &'a mut String,
    /// Maps being printed, so that a cycle of `__isa` ends.
    printing: Vec<Gc<MapCell>>,
    /// Containers that are values of global variables appear as the variable's name.
    with_global_names: bool,
}

impl Vm {
    /// Appends a value's text as `print` shows it, but nothing for null.
    pub fn append_text(&mut self, value: Value, out: &mut String) -> Fallible<()> {
        if value.is_null() {
            return Ok(());
        }
        if let Some(string) = value.as_string() {
            out.push_str(string.flat_str(self)?);
            return Ok(());
        }
        self.append_code(value, DEPTH, out)
    }

    /// Appends a value as it stands in code, showing containers `depth` levels deep.
    pub fn append_code(&mut self, value: Value, depth: usize, out: &mut String) -> Fallible<()> {
        let mut printer = Printer {
            out,
            printing: Vec::new(),
            with_global_names: false,
        };
        printer.value(self, value, depth)
    }

    /// The text of a REPL result: as `print` shows it, with the names of global variables in place of nested containers.
    pub fn result_text(&mut self, value: Value) -> Fallible<String> {
        let mut out = String::new();
        if value.as_string().is_some() {
            self.append_text(value, &mut out)?;
            return Ok(out);
        }
        let mut printer = Printer {
            out: &mut out,
            printing: Vec::new(),
            with_global_names: true,
        };
        printer.contents(self, value, DEPTH)?;
        Ok(out)
    }

    /// The string of a value, as `str` makes it.
    pub fn to_string_cell(&mut self, value: Value) -> Fallible<Gc<StringCell>> {
        if let Some(string) = value.as_string() {
            return Ok(string);
        }
        if value.is_null() {
            return Ok(self.names.empty);
        }
        // The buffer holds no references, and is dropped before anything can suspend.
        let mut out = std::mem::take(&mut self.scratch);
        out.clear();
        self.append_text(value, &mut out)?;
        let made = string::new_string(self, &out)?;
        if out.capacity() <= MAX_SCRATCH {
            self.scratch = out;
        }
        Ok(made)
    }

    fn global_named(&self, value: Value) -> Option<Gc<StringCell>> {
        let mut cursor = EntryCursor::default();
        while let Some((key, global)) = self.map_next(self.globals_map, &mut cursor) {
            if global == value
                && let Some(name) = key.as_string()
                && name.if_flat() != Some("_")
            {
                return Some(name);
            }
        }
        None
    }
}

impl Printer<'_> {
    fn value(&mut self, vm: &mut Vm, value: Value, depth: usize) -> Fallible<()> {
        if self.with_global_names
            && (value.as_list().is_some() || value.as_map().is_some())
            && depth > 0
            && let Some(name) = vm.global_named(value)
        {
            self.out.push_str(name.flat_str(vm)?);
            return Ok(());
        }
        self.contents(vm, value, depth)
    }

    fn contents(&mut self, vm: &mut Vm, value: Value, depth: usize) -> Fallible<()> {
        if self.out.len() > 4 * string::MAX_LENGTH {
            return Err(RuntimeError::StringTooLarge.into());
        }
        if let Some(number) = value.as_number() {
            format_number(number, self.out);
        } else if let Some(text) = value.as_string() {
            self.out.push('"');
            let text = text.flat_str(vm)?;
            self.out.push_str(&text.replace('"', "\"\""));
            self.out.push('"');
        } else if let Some(list) = value.as_list() {
            self.list(vm, list, depth)?;
        } else if let Some(map) = value.as_map() {
            if depth == 0 {
                self.out.push_str("{...}");
            } else {
                self.map(vm, map, depth)?;
            }
        } else if let Some(function) = value.as_function() {
            self.function(vm, function)?;
        } else if value.is_null() {
            self.out.push_str("null");
        } else {
            self.out.push_str("Handle");
        }
        Ok(())
    }

    fn list(&mut self, vm: &mut Vm, list: Gc<ListCell>, depth: usize) -> Fallible<()> {
        if depth == 0 {
            self.out.push_str("[...]");
            return Ok(());
        }
        self.out.push('[');
        for index in 0..list.length() {
            vm.poll_at(index)?;
            if index > 0 {
                self.out.push_str(", ");
            }
            self.value(vm, list.get(index).unwrap_or(Value::NULL), depth - 1)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn map(&mut self, vm: &mut Vm, map: Gc<MapCell>, depth: usize) -> Fallible<()> {
        self.out.push('{');
        self.printing.push(map);
        let mut cursor = EntryCursor::default();
        let mut first = true;
        let mut steps = 0;
        while let Some((key, value)) = vm.map_next(map, &mut cursor) {
            vm.poll_at(steps)?;
            steps += 1;
            if !std::mem::take(&mut first) {
                self.out.push_str(", ");
            }
            self.value(vm, key, depth - 1)?;
            self.out.push_str(": ");
            if key == Value::string(vm.names.isa) {
                self.parent(vm, value)?;
            } else {
                self.value(vm, value, depth - 1)?;
            }
        }
        self.printing.pop();
        self.out.push('}');
        Ok(())
    }

    /// The value of an `__isa`: shown one level deep, a further `__isa` in it likewise.
    fn parent(&mut self, vm: &mut Vm, value: Value) -> Fallible<()> {
        match value.as_map() {
            Some(map) if self.printing.contains(&map) || self.printing.len() >= ISA_DEPTH => {
                self.out.push_str("{...}");
                Ok(())
            }
            _ => self.value(vm, value, 1),
        }
    }

    fn function(&mut self, vm: &mut Vm, function: Gc<FunctionCell>) -> Fallible<()> {
        self.out.push_str("FUNCTION(");
        match function.callee() {
            Callee::Script(code) => {
                // SAFETY: instances live as long as the interpreter.
                let code = unsafe { &*code };
                for (index, parameter) in code.block.parameters.iter().enumerate() {
                    self.parameter(vm, index, &parameter.name, code.defaults[index])?;
                }
            }
            Callee::Intrinsic(intrinsic) => {
                for (index, parameter) in intrinsic.parameters.iter().enumerate() {
                    let default = parameter.default_value(vm);
                    self.parameter(vm, index, parameter.name, default)?;
                }
            }
        }
        self.out.push(')');
        Ok(())
    }

    fn parameter(&mut self, vm: &mut Vm, index: usize, name: &str, default: Value) -> Fallible<()> {
        if index > 0 {
            self.out.push_str(", ");
        }
        self.out.push_str(name);
        if !default.is_null() {
            self.out.push('=');
            self.contents(vm, default, 1)?;
        }
        Ok(())
    }
}
