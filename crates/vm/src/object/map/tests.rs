//! Shapes and modes of maps, seen from inside.

use super::shape::{MAX_KEYS, ShapeId};
use super::*;
use crate::frame::Limits;
use crate::host::NoHost;

/// Runs a test where collections can find what it holds.
fn with_vm(test: impl FnOnce(&mut Vm) -> Fallible<()>) {
    let mut vm = Vm::new(Limits::default(), Box::new(NoHost)).unwrap();
    assert!(vm.enter(test).is_ok());
}

fn set(vm: &mut Vm, map: Gc<MapCell>, key: &str, value: f64) -> Fallible<()> {
    let key = vm.intern(key)?;
    vm.map_set_interned(map, key, Value::number(value))
}

fn get(vm: &mut Vm, map: Gc<MapCell>, key: &str) -> Option<f64> {
    let key = vm.intern(key).ok()?;
    vm.map_get_interned(map, key)?.as_number()
}

fn map_of(vm: &mut Vm, keys: &[&str]) -> Fallible<Gc<MapCell>> {
    let map = vm.new_map(4)?;
    for (index, key) in keys.iter().enumerate() {
        set(vm, map, key, index as f64)?;
    }
    Ok(map)
}

fn keys_of(vm: &Vm, map: Gc<MapCell>) -> String {
    let mut cursor = EntryCursor::default();
    let mut keys = String::new();
    while let Some((key, _)) = vm.map_next(map, &mut cursor) {
        if let Some(key) = key.as_string() {
            keys.push_str(key.if_flat().unwrap());
        }
        keys.push(' ');
    }
    keys
}

#[test]
fn maps_with_the_same_keys_in_the_same_order_share_a_shape() {
    with_vm(|vm| {
        let first = map_of(vm, &["a", "b", "c"])?;
        let same = map_of(vm, &["a", "b", "c"])?;
        let other_order = map_of(vm, &["c", "b", "a"])?;
        assert_eq!(first.shape(), same.shape());
        assert_ne!(first.shape(), other_order.shape());
        set(vm, same, "d", 1.0)?;
        assert_ne!(first.shape(), same.shape());
        Ok(())
    });
}

#[test]
fn order_survives_overflow_slots_and_the_change_to_a_dictionary() {
    with_vm(|vm| {
        let map = vm.new_map(2)?;
        let mut expected = String::new();
        for number in 0..MAX_KEYS + 10 {
            let was_dictionary = map.is_dictionary();
            set(vm, map, &format!("k{number}"), number as f64)?;
            expected.push_str(&format!("k{number} "));
            assert!(map.is_dictionary() || !was_dictionary);
        }
        assert!(map.is_dictionary());
        assert_eq!(keys_of(vm, map), expected);
        assert_eq!(get(vm, map, "k1"), Some(1.0));
        assert_eq!(get(vm, map, &format!("k{MAX_KEYS}")), Some(MAX_KEYS as f64));
        Ok(())
    });
}

#[test]
fn a_removed_key_comes_back_at_the_end() {
    with_vm(|vm| {
        let map = map_of(vm, &["a", "b", "c"])?;
        let key = Value::string(vm.intern("a")?);
        assert!(vm.map_remove(map, key)?);
        assert!(!vm.map_remove(map, key)?);
        assert!(map.is_dictionary());
        assert_eq!(keys_of(vm, map), "b c ");
        set(vm, map, "a", 7.0)?;
        assert_eq!(keys_of(vm, map), "b c a ");
        assert_eq!(get(vm, map, "a"), Some(7.0));
        Ok(())
    });
}

#[test]
fn a_prototype_has_a_shape_of_its_own_which_every_new_key_replaces() {
    with_vm(|vm| {
        let twin = map_of(vm, &["a"])?;
        let prototype = map_of(vm, &["a"])?;
        let instance = vm.new_instance(prototype)?;
        let own = prototype.shape();
        assert_ne!(own, twin.shape());
        assert_eq!(vm.isa_of(instance), Some(Value::map(prototype)));
        let epoch = vm.prototype_epoch;
        set(vm, prototype, "a", 5.0)?;
        assert_eq!((prototype.shape(), vm.prototype_epoch), (own, epoch));
        set(vm, prototype, "b", 6.0)?;
        assert_ne!(prototype.shape(), own);
        assert_ne!(vm.prototype_epoch, epoch);
        Ok(())
    });
}

#[test]
fn instances_of_different_prototypes_never_share_a_shape() {
    with_vm(|vm| {
        let (first, second) = (map_of(vm, &[])?, map_of(vm, &[])?);
        let a = vm.new_instance(first)?;
        let b = vm.new_instance(first)?;
        let c = vm.new_instance(second)?;
        for map in [a, b, c] {
            set(vm, map, "x", 1.0)?;
        }
        assert_eq!(a.shape(), b.shape());
        assert_ne!(a.shape(), c.shape());
        Ok(())
    });
}

#[test]
fn another_prototype_makes_an_object_a_dictionary() {
    with_vm(|vm| {
        let (first, second) = (map_of(vm, &[])?, map_of(vm, &[])?);
        let object = vm.new_instance(first)?;
        set(vm, object, "x", 1.0)?;
        vm.map_set_interned(object, vm.names.isa, Value::map(second))?;
        assert_eq!(object.shape(), ShapeId::NONE);
        assert_eq!(vm.isa_of(object), Some(Value::map(second)));
        assert_eq!(keys_of(vm, object), "__isa x ");
        Ok(())
    });
}

#[test]
fn a_literal_table_of_very_many_keys_needs_few_shapes() {
    with_vm(|vm| {
        for number in 0..100_000 {
            map_of(vm, &[&format!("key {number}")])?;
        }
        assert!(vm.shapes.count() < 200, "{}", vm.shapes.count());
        Ok(())
    });
}

#[test]
fn ever_new_combinations_of_keys_need_a_bounded_number_of_shapes() {
    with_vm(|vm| {
        for number in 0..200_000_usize {
            let keys = [number % 60, number / 60 % 60, number / 3600 % 60].map(|n| format!("k{n}"));
            map_of(vm, &[&keys[0], &keys[1], &keys[2]])?;
        }
        assert!(vm.shapes.count() < 70_000, "{}", vm.shapes.count());
        Ok(())
    });
}

#[test]
fn shapes_die_with_their_prototypes() {
    with_vm(|vm| {
        for number in 0..100_000 {
            let prototype = map_of(vm, &["method"])?;
            let instance = vm.new_instance(prototype)?;
            set(vm, instance, "field", 1.0)?;
            set(vm, prototype, &format!("key {number}"), 1.0)?;
            if number % 2 == 0 {
                let key = Value::string(vm.intern("method")?);
                vm.map_remove(prototype, key)?;
            }
        }
        vm.collect_garbage();
        assert!(vm.shapes.count() < 200, "{}", vm.shapes.count());
        assert!(vm.shapes.numbers() < 100_000, "{}", vm.shapes.numbers());
        assert!(vm.shapes.keys.len() < 50_000, "{}", vm.shapes.keys.len());
        Ok(())
    });
}

#[test]
fn changing_a_prototype_without_allocating_uses_numbers_of_shapes_again() {
    with_vm(|vm| {
        let parents = [map_of(vm, &[])?, map_of(vm, &[])?];
        let prototype = vm.new_instance(parents[0])?;
        let instance = vm.new_instance(prototype)?;
        for number in 0..100_000 {
            let parent = Value::map(parents[number % 2]);
            vm.map_set_interned(prototype, vm.names.isa, parent)?;
            assert_eq!(vm.isa_of(prototype), Some(parent));
        }
        assert_eq!(vm.isa_of(instance), Some(Value::map(prototype)));
        assert!(vm.shapes.numbers() < 10_000, "{}", vm.shapes.numbers());
        Ok(())
    });
}
