//! Dictionaries against a model: entries in order of insertion, whatever comes and goes.

use super::*;
use crate::frame::Limits;
use crate::host::NoHost;
use crate::text::random::Random;

/// Runs a test where collections can find what it holds.
fn with_vm(stress: bool, test: impl FnOnce(&mut Vm) -> Fallible<()>) {
    let mut vm = Vm::new(Limits::default(), Box::new(NoHost)).unwrap();
    vm.heap().set_stress(stress);
    assert!(vm.enter(test).is_ok());
}

/// A key of the test: a number, a string or a list.
fn key(vm: &mut Vm, number: usize) -> Fallible<Value> {
    match number % 3 {
        0 => Ok(Value::number(number as f64 * 37.0)),
        1 => vm.new_string(&format!("key {number}")),
        _ => {
            let list = crate::object::list::ListCell::from_slice(
                vm,
                &[Value::number(number as f64), Value::NULL],
            )?;
            Ok(Value::list(list))
        }
    }
}

/// Checks every entry: in order, by position and by key.
fn check(vm: &mut Vm, map: Gc<MapCell>, model: &[(usize, f64)]) -> Fallible<()> {
    assert_eq!(vm.map_length(map), model.len());
    let mut cursor = EntryCursor::default();
    for (number, value) in model {
        let (found, at) = vm.map_next(map, &mut cursor).unwrap();
        let wanted = key(vm, *number)?;
        assert!(vm.deep_equal(found, wanted)?);
        assert_eq!(at.as_number(), Some(*value));
        assert_eq!(
            vm.map_get(map, wanted)?.and_then(Value::as_number),
            Some(*value)
        );
        assert!(vm.map_has(map, wanted)?);
    }
    assert!(vm.map_next(map, &mut cursor).is_none());
    Ok(())
}

fn random_changes(vm: &mut Vm, seed: f64, steps: usize) -> Fallible<()> {
    let mut random = Random::new();
    random.seed(seed);
    let map = vm.new_dictionary_map(0)?;
    let mut model: Vec<(usize, f64)> = Vec::new();
    for step in 0..steps {
        let number = random.below(60);
        let place = model.iter().position(|(key, _)| *key == number);
        match random.below(9) {
            0..5 => {
                let key = key(vm, number)?;
                vm.map_set(map, key, Value::number(step as f64))?;
                match place {
                    Some(place) => model[place].1 = step as f64,
                    None => model.push((number, step as f64)),
                }
            }
            5 | 6 => {
                let key = key(vm, number)?;
                assert_eq!(vm.map_remove(map, key)?, place.is_some());
                place.map(|place| model.remove(place));
            }
            7 => {
                let taken = vm.map_take_first(map)?;
                assert_eq!(taken.is_some(), !model.is_empty());
                model.drain(..1.min(model.len()));
            }
            _ if !model.is_empty() => {
                // Closes the gaps.
                let index = random.below(model.len());
                let (_, value) = vm.map_entry_at(map, index).unwrap();
                assert_eq!(value.as_number(), Some(model[index].1));
            }
            _ => assert!(vm.map_entry_at(map, 0).is_none()),
        }
        if step % 16 == 0 {
            check(vm, map, &model)?;
        }
    }
    check(vm, map, &model)
}

#[test]
fn random_changes_leave_the_entries_in_order() {
    with_vm(false, |vm| {
        (0..20).try_for_each(|seed| random_changes(vm, f64::from(seed), 2000))
    });
}

#[test]
fn random_changes_survive_collections() {
    with_vm(true, |vm| random_changes(vm, 7.0, 300));
}

#[test]
fn a_large_table_finds_all_its_numbers() {
    with_vm(false, |vm| {
        let map = vm.new_dictionary_map(0)?;
        let number = |index: u32| Value::number(f64::from(index) * 0.25 - 1000.0);
        for index in 0..100_000 {
            vm.map_set(map, number(index), Value::number(f64::from(index)))?;
        }
        for index in 0..100_000 {
            let value = vm.map_get(map, number(index))?;
            assert_eq!(value.and_then(Value::as_number), Some(f64::from(index)));
        }
        assert!(!vm.map_has(map, number(100_000))?);
        assert!(vm.map_get(map, Value::NULL)?.is_none());
        Ok(())
    });
}

#[test]
fn a_name_looked_for_in_vain_is_found_once_it_is_there() {
    with_vm(false, |vm| {
        let map = vm.new_dictionary_map(0)?;
        let other = vm.new_string("other")?;
        vm.map_set(map, other, Value::ONE)?;
        let name = vm.intern("name")?;
        for _ in 0..3 {
            assert!(vm.map_get_interned(map, name).is_none());
            // A string that is equal but not the interned one.
            let key = vm.new_string("name")?;
            vm.map_set(map, key, Value::ONE)?;
            assert!(vm.map_get_interned(map, name).is_some());
            vm.map_remove(map, key)?;
        }
        Ok(())
    });
}

#[test]
fn a_value_of_another_kind_in_a_table_of_numbers_survives() {
    with_vm(true, |vm| {
        let map = vm.new_dictionary_map(0)?;
        for index in 0..30 {
            vm.map_set(map, Value::number(f64::from(index)), Value::ONE)?;
        }
        let text = vm.new_string("a text of its own")?;
        assert!(vm.map_replace_quick(map, Value::number(3.0), text));
        for index in 30..60 {
            vm.map_set(map, Value::number(f64::from(index)), Value::ONE)?;
        }
        let found = vm.map_get(map, Value::number(3.0))?;
        let found = found.and_then(Value::as_string);
        assert_eq!(
            found.as_ref().and_then(Gc::if_flat),
            Some("a text of its own")
        );
        Ok(())
    });
}

#[test]
fn whole_numbers_are_found_beside_keys_of_other_kinds() {
    with_vm(false, |vm| {
        let map = vm.new_dictionary_map(0)?;
        let numbers = [0.0, -1.0, 2147483647.0, -2147483648.0];
        let others = [0.5, 2147483648.0, f64::INFINITY, 1e300];
        for number in numbers {
            vm.map_set(map, Value::number(number), Value::number(number))?;
        }
        assert!(vm.map_has(map, Value::number(-0.0))?);
        for number in others {
            assert!(!vm.map_has(map, Value::number(number))?);
        }
        for number in others {
            vm.map_set(map, Value::number(number), Value::number(number))?;
        }
        let list = key(vm, 2)?;
        vm.map_set(map, list, Value::ONE)?;
        assert!(!vm.map_has(map, Value::arithmetic(f64::NAN))?);
        for number in numbers.into_iter().chain(others) {
            let value = vm.map_get(map, Value::number(number))?;
            assert_eq!(value.and_then(Value::as_number), Some(number));
        }
        assert!(vm.map_remove(map, list)?);
        Ok(())
    });
}

#[test]
fn a_key_that_has_changed_can_be_taken_from_the_front() {
    with_vm(false, |vm| {
        let map = vm.new_dictionary_map(0)?;
        for number in 0..50 {
            let key = key(vm, number)?;
            vm.map_set(map, key, Value::number(number as f64))?;
            if let Some(list) = key.as_list() {
                list.set(vm, 0, Value::NULL);
            }
        }
        for length in (0..50).rev() {
            assert!(vm.map_take_first(map)?.is_some());
            assert_eq!(vm.map_length(map), length);
        }
        assert!(vm.map_take_first(map)?.is_none());
        Ok(())
    });
}

#[test]
fn methods_looked_up_in_tables_leave_room_for_the_prototype_among_absent_names() {
    let place = |name| crate::object::string::hash_of(name) as usize % dictionary::ABSENT_NAMES;
    for name in [
        "hasIndex", "len", "push", "pull", "indexes", "values", "remove", "indexOf",
    ] {
        assert_ne!(place(name), place("__isa"), "{name}");
    }
}
