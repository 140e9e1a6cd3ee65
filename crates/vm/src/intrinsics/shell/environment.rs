//! The environment variables.
//!
//! `env` is a map like any other, made once from what the host grants. It is the script's own: commands run by `exec`
//! see its entries, and `import` looks its search path up in it; the environment of the process itself stays as it is,
//! since it belongs to all interpreters of the process.

use super::super::{Arguments, Intrinsic};
use crate::error::Fallible;
use crate::heap::Gc;
use crate::object::map::{EntryCursor, MapCell};
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[Intrinsic {
    name: "env",
    parameters: &[],
    help: "the map of environment variables; commands see what is assigned to it",
    run: env,
}];

/// How often the value of a variable may contain variables itself.
const MAX_NESTING: usize = 8;

fn env(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    environment(vm).map(Value::map)
}

/// The map `env`.
fn environment(vm: &mut Vm) -> Fallible<Gc<MapCell>> {
    if let Some(map) = vm.shell.environment {
        return Ok(map);
    }
    let entries = vm.ask_host("env", |host| host.environment())?;
    let map = vm.new_dictionary_map(entries.len())?;
    vm.shell.environment = Some(map);
    for (name, value) in &entries {
        let value = vm.new_string(value)?;
        vm.set_named(map, name, value)?;
    }
    Ok(map)
}

/// The entries of `env` as text, for a command. Those that no process can be given are left out.
pub(super) fn entries(vm: &mut Vm) -> Fallible<Vec<(String, String)>> {
    let map = environment(vm)?;
    let mut entries = Vec::new();
    let mut cursor = EntryCursor::default();
    while let Some((name, value)) = vm.map_next(map, &mut cursor) {
        let (name, value) = (vm.argument_string(name)?, vm.argument_string(value)?);
        if !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0') {
            entries.push((name, value));
        }
    }
    Ok(entries)
}

/// The entry of `env` with this name as text, if there is one.
pub(super) fn entry(vm: &mut Vm, name: &str) -> Fallible<Option<String>> {
    let map = environment(vm)?;
    let name = vm.intern(name)?;
    match vm.map_get_interned(map, name) {
        Some(value) => vm.argument_string(value).map(Some),
        None => Ok(None),
    }
}

/// Replaces `$NAME`, `${NAME}` and `$(NAME)` by the entries of `env`, unknown names by nothing.
pub(super) fn expand(vm: &mut Vm, text: &str) -> Fallible<String> {
    let mut out = String::new();
    expand_into(vm, text, MAX_NESTING, &mut out)?;
    Ok(out)
}

fn expand_into(vm: &mut Vm, text: &str, nesting: usize, out: &mut String) -> Fallible<()> {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let (name, behind) = variable(&rest[at + 1..]);
        rest = behind;
        if nesting > 0
            && let Some(value) = entry(vm, name)?
        {
            expand_into(vm, &value, nesting - 1, out)?;
        }
    }
    out.push_str(rest);
    Ok(())
}

/// The name at the start of a text that follows a dollar sign, and what follows it.
fn variable(text: &str) -> (&str, &str) {
    for (open, close) in [('{', '}'), ('(', ')')] {
        if let Some(inside) = text.strip_prefix(open)
            && let Some(parts) = inside.split_once(close)
        {
            return parts;
        }
    }
    let end = text.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    text.split_at(end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::variable;

    #[test]
    fn a_variable_ends_with_its_bracket_or_its_letters() {
        assert_eq!(variable("HOME/lib"), ("HOME", "/lib"));
        assert_eq!(variable("A_1"), ("A_1", ""));
        assert_eq!(variable("{HOME}x"), ("HOME", "x"));
        assert_eq!(variable("(HOME):y"), ("HOME", ":y"));
        assert_eq!(variable("{HOME"), ("", "{HOME"));
        assert_eq!(variable(""), ("", ""));
    }
}
