//! How the intrinsics for all collections work on maps.

use crate::error::{Fallible, RuntimeError};
use crate::heap::Gc;
use crate::object::list::ListCell;
use crate::object::map::{EntryCursor, MapCell};
use crate::value::Value;
use crate::vm::Vm;

/// Must be called before a program changes a map.
pub(super) fn check_writable(map: Gc<MapCell>) -> Fallible<()> {
    if map.is_protected() {
        Err(RuntimeError::ProtectedMap.into())
    } else {
        Ok(())
    }
}

/// A list of the keys.
pub(super) fn keys(vm: &mut Vm, map: Gc<MapCell>) -> Fallible<Value> {
    let keys = ListCell::allocate(vm, vm.map_length(map))?;
    let mut cursor = EntryCursor::default();
    while let Some((key, _)) = vm.map_next(map, &mut cursor) {
        vm.poll_at(keys.length())?;
        keys.push(vm, key)?;
    }
    Ok(Value::list(keys))
}

/// A list of the values.
pub(super) fn values(vm: &mut Vm, map: Gc<MapCell>) -> Fallible<Gc<ListCell>> {
    let values = ListCell::allocate(vm, vm.map_length(map))?;
    let mut cursor = EntryCursor::default();
    while let Some((_, value)) = vm.map_next(map, &mut cursor) {
        vm.poll_at(values.length())?;
        values.push(vm, value)?;
    }
    Ok(values)
}

/// The key of the first entry with this value, behind the entry with the key `after` unless that is null.
pub(super) fn index_of(
    vm: &mut Vm,
    map: Gc<MapCell>,
    value: Value,
    after: Value,
) -> Fallible<Value> {
    let mut cursor = EntryCursor::default();
    let mut is_behind = after.is_null();
    let mut step = 0;
    while let Some((key, candidate)) = vm.map_next(map, &mut cursor) {
        vm.poll_at(step)?;
        step += 1;
        if !is_behind {
            is_behind = vm.keys_equal(key, after)?;
        } else if vm.deep_equal(candidate, value)? {
            return Ok(key);
        }
    }
    Ok(Value::NULL)
}

/// Removes the oldest entry and returns its key, null if there is none.
pub(super) fn take_oldest(vm: &mut Vm, map: Gc<MapCell>) -> Fallible<Value> {
    check_writable(map)?;
    Ok(vm.map_take_first(map)?.unwrap_or(Value::NULL))
}

/// Replaces the first `most` values that equal `old`.
pub(super) fn replace(
    vm: &mut Vm,
    map: Gc<MapCell>,
    old: Value,
    new: Value,
    most: usize,
) -> Fallible<()> {
    check_writable(map)?;
    let mut cursor = EntryCursor::default();
    let (mut replaced, mut step) = (0, 0);
    while replaced < most
        && let Some((key, value)) = vm.map_next(map, &mut cursor)
    {
        vm.poll_at(step)?;
        step += 1;
        if vm.deep_equal(value, old)? {
            vm.map_replace_at(map, cursor, key, new)?;
            replaced += 1;
        }
    }
    Ok(())
}

/// Deals the values of `values`, of which there are as many as entries, out to the keys in their order.
pub(super) fn replace_values(vm: &mut Vm, map: Gc<MapCell>, values: Gc<ListCell>) -> Fallible<()> {
    let mut cursor = EntryCursor::default();
    let mut index = 0;
    while let Some((key, _)) = vm.map_next(map, &mut cursor) {
        vm.poll_at(index)?;
        let value = values.get(index).unwrap_or(Value::NULL);
        vm.map_replace_at(map, cursor, key, value)?;
        index += 1;
    }
    Ok(())
}

/// The sum of the values that are numbers, in the order of the entries.
pub(super) fn sum(vm: &mut Vm, map: Gc<MapCell>) -> Fallible<f64> {
    let mut cursor = EntryCursor::default();
    let (mut sum, mut step) = (0.0, 0);
    while let Some((_, value)) = vm.map_next(map, &mut cursor) {
        vm.poll_at(step)?;
        step += 1;
        sum += value.as_number().unwrap_or(0.0);
    }
    Ok(sum)
}
