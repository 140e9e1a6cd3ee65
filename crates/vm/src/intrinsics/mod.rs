//! Intrinsics: the functions a program finds without defining them.
//!
//! Each family is a file with a table of [`Intrinsic`] rows; from the rows come calls, `print @name`, completion and help.

mod bits;
pub mod closure;
mod containers;
mod inspection;
mod lists;
mod maps;
mod numeric;
mod ordering;
mod output;
mod reference;
pub(crate) mod shell;
mod shortcut;
mod strings;
#[cfg(test)]
mod tests;
mod types;

use std::fmt::Write;
use std::marker::PhantomData;

pub use reference::reference_page;
pub use shortcut::Shortcut;

use crate::error::{Fallible, RuntimeError, Throw};
use crate::heap::{Gc, Marker};
use crate::object::function::FunctionCell;
use crate::object::map::AddressMap;
use crate::object::map::MapCell;
use crate::object::string::{self, StringCell};
use crate::semantics::to_integer;
use crate::value::Value;
use crate::vm::Vm;

/// The value a parameter takes if the call passes none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// Null.
    Null,
    /// A number.
    Number(f64),
    /// A string.
    Text(&'static str),
}

/// A parameter of an intrinsic.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The name.
    pub name: &'static str,
    /// The default.
    pub default: Default,
}

/// A parameter without a default.
pub const fn parameter(name: &'static str) -> Parameter {
    Parameter {
        name,
        default: Default::Null,
    }
}

/// A parameter with a number as its default.
pub const fn number(name: &'static str, default: f64) -> Parameter {
    Parameter {
        name,
        default: Default::Number(default),
    }
}

/// A parameter with a string as its default.
pub const fn text(name: &'static str, default: &'static str) -> Parameter {
    Parameter {
        name,
        default: Default::Text(default),
    }
}

impl Parameter {
    /// The default as a value.
    pub fn default_value(&self, vm: &Vm) -> Value {
        match self.default {
            Default::Null => Value::NULL,
            Default::Number(number) => Value::number(number),
            Default::Text(text) => vm.intrinsics.default_text(text),
        }
    }
}

/// What an intrinsic does.
pub type Run = fn(&mut Vm, Arguments) -> Fallible<Value>;

/// A row of a table of intrinsics.
pub struct Intrinsic {
    /// The name; empty for functions that are only reached as values.
    pub name: &'static str,
    /// The parameters. One named `self` comes first.
    pub parameters: &'static [Parameter],
    /// One line of help.
    pub help: &'static str,
    /// The function.
    pub run: Run,
}

impl Intrinsic {
    /// Whether a method call passes the object as the first argument.
    pub fn takes_self(&self) -> bool {
        self.parameters
            .first()
            .is_some_and(|parameter| parameter.name == "self")
    }

    /// Name and parameters as documentation shows them: `range(from=0, to=0, step)`; just the name if there are none.
    pub fn signature(&self) -> String {
        let mut text = self.name.to_owned();
        for (index, parameter) in self.parameters.iter().enumerate() {
            text.push_str(if index == 0 { "(" } else { ", " });
            text.push_str(parameter.name);
            // Writing to a string cannot fail.
            let _ = match parameter.default {
                Default::Null => Ok(()),
                Default::Number(number) => write!(text, "={number}"),
                Default::Text(default) => write!(text, "={default:?}"),
            };
        }
        if !self.parameters.is_empty() {
            text.push(')');
        }
        text
    }
}

/// The arguments of a call, defaults filled in.
#[derive(Clone, Copy)]
pub struct Arguments<'a> {
    first: *const Value,
    count: usize,
    self_value: Value,
    intrinsic: &'a Intrinsic,
    window: PhantomData<&'a Value>,
}

impl<'a> Arguments<'a> {
    /// # Safety
    /// `count` values must stand from `first` on, and stay there during the call.
    pub(crate) unsafe fn new(
        intrinsic: &'a Intrinsic,
        first: *const Value,
        count: usize,
        self_value: Value,
    ) -> Arguments<'a> {
        Arguments {
            intrinsic,
            first,
            count,
            self_value,
            window: PhantomData,
        }
    }

    /// The argument with this number.
    #[inline]
    pub fn get(&self, index: usize) -> Value {
        if index < self.count {
            // SAFETY: in range, and the window stays as it is while the intrinsic runs.
            unsafe { *self.first.add(index) }
        } else {
            Value::NULL
        }
    }

    /// How many arguments there are: as many as the intrinsic has parameters.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The intrinsic that is called.
    pub fn intrinsic(&self) -> &'a Intrinsic {
        self.intrinsic
    }

    /// The argument as a number; what is none counts as 0.
    pub fn number(&self, index: usize) -> f64 {
        self.get(index).as_number().unwrap_or(0.0)
    }

    /// The argument cut to a 32-bit integer.
    pub fn integer(&self, index: usize) -> i32 {
        to_integer(self.get(index))
    }

    /// The object of a method call, also if the intrinsic has no parameter `self`; else unassigned.
    pub fn self_value(&self) -> Value {
        self.self_value
    }
}

/// All families, in the order in which help lists them.
static FAMILIES: &[(&str, &[Intrinsic])] = &[
    ("Numbers", numeric::TABLE),
    ("Bits", bits::TABLE),
    ("Strings", strings::TABLE),
    ("Lists", lists::TABLE),
    ("Order of elements", ordering::TABLE),
    ("Lists, maps and strings", containers::TABLE),
    ("Output and time", output::TABLE),
    ("Inspection", inspection::TABLE),
    ("Types", types::TABLE),
    ("Program and input", shell::process::TABLE),
    ("Environment", shell::environment::TABLE),
    ("Files", shell::files::TABLE),
    ("Binary data", shell::raw_data::TABLE),
    ("Keys", shell::keys::TABLE),
    ("Modules", shell::import::TABLE),
    ("Dates", shell::dates::TABLE),
];

/// The intrinsics that are members of maps, with a word for the map.
static MEMBERS: &[(&str, &[Intrinsic])] = &[
    ("file", shell::files::MEMBERS),
    ("(open file)", shell::file_handle::MEMBERS),
    ("RawData", shell::raw_data::MEMBERS),
    ("key", shell::keys::MEMBERS),
];

/// The intrinsics of an interpreter as values.
#[derive(Default)]
pub struct IntrinsicTable {
    functions: AddressMap<Gc<FunctionCell>>,
    /// Functions in the order of the tables, with their names.
    listed: Vec<(Gc<StringCell>, Gc<FunctionCell>)>,
    texts: Vec<(&'static str, Value)>,
    /// The map `version`, once a program has asked for it.
    version: Option<Gc<MapCell>>,
    /// The map `intrinsics`, once a program has asked for it.
    listing: Option<Gc<MapCell>>,
}

impl IntrinsicTable {
    /// The intrinsic with this interned name.
    pub fn function(&self, name: Gc<StringCell>) -> Option<Gc<FunctionCell>> {
        self.functions.get(&name.address()).copied()
    }

    /// All named intrinsics.
    pub fn listed(&self) -> impl Iterator<Item = (Gc<StringCell>, Gc<FunctionCell>)> {
        self.listed.iter().copied()
    }

    fn default_text(&self, text: &str) -> Value {
        self.texts
            .iter()
            .find(|(known, _)| *known == text)
            .map_or(Value::NULL, |(_, value)| *value)
    }

    pub(crate) fn trace(&self, marker: &mut Marker) {
        for (name, function) in &self.listed {
            marker.cell(*name);
            marker.cell(*function);
        }
        for (_, value) in &self.texts {
            marker.value(*value);
        }
        for map in self.version.iter().chain(&self.listing) {
            marker.cell(*map);
        }
    }
}

/// All intrinsics with the names of their families.
pub fn families() -> &'static [(&'static str, &'static [Intrinsic])] {
    FAMILIES
}

/// The intrinsics that are members of maps, with a word for the map.
pub fn members() -> &'static [(&'static str, &'static [Intrinsic])] {
    MEMBERS
}

impl Vm {
    /// Makes the function values of all intrinsics and fills the type maps.
    pub(crate) fn install_intrinsics(&mut self) -> Fallible<()> {
        for (_, table) in MEMBERS {
            self.install_defaults(table)?;
        }
        for (_, table) in FAMILIES {
            self.install_defaults(table)?;
            for intrinsic in *table {
                if intrinsic.name.is_empty() {
                    continue;
                }
                let name = self.intern(intrinsic.name)?;
                let function = self.intrinsic_function(intrinsic)?;
                function.set_shortcut(Shortcut::of(intrinsic.name));
                self.intrinsics.functions.insert(name.address(), function);
                self.intrinsics.listed.push((name, function));
            }
        }
        types::install_methods(self)
    }

    /// Makes the strings that are defaults of parameters.
    fn install_defaults(&mut self, table: &[Intrinsic]) -> Fallible<()> {
        for parameter in table.iter().flat_map(|intrinsic| intrinsic.parameters) {
            if let Default::Text(text) = parameter.default
                && self.intrinsics.default_text(text).is_null()
            {
                let value = Value::string(self.intern(text)?);
                self.intrinsics.texts.push((text, value));
            }
        }
        Ok(())
    }

    /// A map of intrinsics under their names.
    pub(crate) fn map_of_intrinsics(
        &mut self,
        table: &'static [Intrinsic],
    ) -> Fallible<Gc<MapCell>> {
        let map = self.new_map(table.len() + 1)?;
        for intrinsic in table {
            let name = self.intern(intrinsic.name)?;
            let function = self.intrinsic_function(intrinsic)?;
            self.map_set_interned(map, name, Value::function(function))?;
        }
        Ok(map)
    }

    /// Forbids scripts to change a map. It becomes a dictionary, so that no inline cache that knows another map of the same
    /// shape can store into it past its protection.
    pub(crate) fn protect_map(&mut self, map: Gc<MapCell>) -> Fallible<()> {
        if !map.is_dictionary() {
            self.make_dictionary(map)?;
        }
        map.protect();
        Ok(())
    }

    /// The text of an argument that is converted to a string; null gives the empty string.
    pub(crate) fn argument_text(&mut self, value: Value) -> Fallible<Gc<StringCell>> {
        self.to_string_cell(value)
    }
}

/// Ends the making of a text that is certainly too long for a string, before it fills the memory.
pub(crate) fn check_text_size(text: &str) -> Fallible<()> {
    // No code point takes more than four bytes.
    if text.len() > 4 * string::MAX_LENGTH {
        Err(RuntimeError::StringTooLarge.into())
    } else {
        Ok(())
    }
}

/// An error with a message.
pub(crate) fn fail<T>(message: impl Into<Box<str>>) -> Fallible<T> {
    Err(Throw::message(message))
}
