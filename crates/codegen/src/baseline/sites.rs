//! What the feedback of an instance knew when a job was made.

use std::mem::offset_of;

use kiln_vm::feedback::{Access, FeedbackCell};
use kiln_vm::heap::Gc;
use kiln_vm::intrinsics::Shortcut;
use kiln_vm::object::function::FunctionCell;
use kiln_vm::object::map::shape::ShapeId;
use kiln_vm::value::Tag;
use kiln_vm::{Value, Vm};

/// What an instruction with a feedback cell has seen.
pub(super) struct Site {
    /// The entries of its inline cache that are in use.
    pub entries: Vec<Entry>,
    /// Whether it may be worth calling script functions from here without the interpreter's help.
    pub calls_script: bool,
}

/// An entry of an inline cache.
pub(super) struct Entry {
    /// Where it is.
    pub address: u64,
    /// How it reaches the member.
    pub access: Access,
    /// Whose members it is about.
    pub receiver: Receiver,
}

/// What kind of object an entry is for.
#[derive(Clone, Copy)]
pub(super) enum Receiver {
    /// Maps with a shape.
    Map,
    /// Strings, lists or dictionaries, whose member is an intrinsic.
    BuiltIn(Method),
    /// All others.
    Other,
}

/// An intrinsic found as a member of a string, list or dictionary.
#[derive(Clone, Copy)]
pub(super) struct Method {
    /// The object's tag.
    pub tag: Tag,
    /// What the entry's shape is for such objects.
    pub shape: u32,
    /// The function's word. The interpreter keeps the function alive.
    pub function: u64,
    /// What it does.
    pub shortcut: Shortcut,
    /// The word of the name it was found under, an interned string that lives as long as the instance.
    pub name: u64,
}

impl Site {
    /// What a feedback cell knows now.
    pub fn of(vm: &Vm, cell: &FeedbackCell) -> Site {
        let others = cell.others.get().into_iter().flat_map(|it| it.iter());
        let cells = std::iter::once(&cell.first).chain(others);
        let mut calls_script = false;
        let mut entries = Vec::new();
        for cache in cells {
            let entry = cache.get();
            if entry.access == Access::Empty {
                continue;
            }
            let member = vm.inherited_member(entry).and_then(Value::as_function);
            calls_script |= match entry.access {
                Access::Inherited => member.is_some_and(|function| !function.is_intrinsic()),
                _ => cell.target.get() != 0,
            };
            let name = cell.key.bits();
            let receiver = match (entry.shape, member) {
                (ShapeId::STRING, Some(function)) => {
                    built_in(Tag::String, entry.shape, function, name)
                }
                (ShapeId::LIST, Some(function)) => built_in(Tag::List, entry.shape, function, name),
                (ShapeId::DICTIONARY, Some(function)) => {
                    built_in(Tag::Map, entry.shape, function, name)
                }
                (shape, _) if shape.is_of_maps() => Receiver::Map,
                _ => Receiver::Other,
            };
            entries.push(Entry {
                address: std::ptr::from_ref(cache) as u64,
                access: entry.access,
                receiver,
            });
        }
        if entries.is_empty() {
            // Variables have no entries if they are registers.
            calls_script = cell.target.get() != 0;
        }
        Site {
            entries,
            calls_script,
        }
    }

    /// The entries for maps with one of these kinds of access. A site that has none yet is expected to come to `expected`.
    pub fn map_entries(
        &self,
        kinds: &[Access],
        expected: Access,
        feedback: u64,
    ) -> Vec<(u64, Access)> {
        let known: Vec<(u64, Access)> = self
            .entries
            .iter()
            .filter(|entry| matches!(entry.receiver, Receiver::Map))
            .filter(|entry| kinds.contains(&entry.access))
            .map(|entry| (entry.address, entry.access))
            .collect();
        if known.is_empty() && self.entries.is_empty() {
            return vec![(feedback + offset_of!(FeedbackCell, first) as u64, expected)];
        }
        known
    }

    /// The intrinsic that the site's first such entry finds in strings, lists or dictionaries, and the entry's address.
    pub fn built_in_method(&self) -> Option<(u64, Method)> {
        self.entries.iter().find_map(|entry| match entry.receiver {
            Receiver::BuiltIn(method) => Some((entry.address, method)),
            _ => None,
        })
    }
}

fn built_in(tag: Tag, shape: ShapeId, function: Gc<FunctionCell>, name: u64) -> Receiver {
    match function.shortcut() {
        Shortcut::None => Receiver::Other,
        shortcut => Receiver::BuiltIn(Method {
            tag,
            shape: shape.0,
            function: Value::function(function).bits(),
            shortcut,
            name,
        }),
    }
}

/// What a value is, as far as calls are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// A function of the script.
    ScriptFunction,
    /// The intrinsic with this function word.
    Intrinsic { function: u64, shortcut: Shortcut },
    /// Anything else.
    Other,
}

impl Known {
    pub(super) fn of(value: Value) -> Known {
        match value.as_function() {
            Some(function) if function.shortcut() != Shortcut::None => Known::Intrinsic {
                function: value.bits(),
                shortcut: function.shortcut(),
            },
            Some(function) if !function.is_intrinsic() => Known::ScriptFunction,
            _ => Known::Other,
        }
    }
}
