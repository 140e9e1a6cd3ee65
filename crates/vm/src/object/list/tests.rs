//! What lists know about their elements, whoever stores them.

use super::*;
use crate::frame::Limits;
use crate::host::NoHost;
use crate::text::random::Random;
use crate::vm::Vm;

/// Runs a test where collections can find what it holds, with a collection at every allocation.
fn with_vm(test: impl FnOnce(&mut Vm) -> Fallible<()>) {
    let mut vm = Vm::new(Limits::default(), Box::new(NoHost)).unwrap();
    vm.heap().set_stress(true);
    assert!(vm.enter(test).is_ok());
}

fn numbers(vm: &mut Vm, count: usize) -> Fallible<Gc<ListCell>> {
    let list = ListCell::allocate(vm, 0)?;
    for index in 0..count {
        list.push(vm, Value::number(index as f64))?;
    }
    Ok(list)
}

fn text(vm: &mut Vm) -> Fallible<Value> {
    vm.new_string("a text of its own, not a shared one")
}

fn check(list: Gc<ListCell>) {
    if list.element_kind() == ElementKind::Numbers {
        assert!(list.as_slice().iter().all(|value| value.is_number()));
    }
    if let Some(elements) = list.elements.get() {
        assert_eq!(elements.element_kind(), list.element_kind());
    }
}

#[test]
fn a_new_list_holds_numbers_until_something_else_is_stored() {
    with_vm(|vm| {
        let list = numbers(vm, 3)?;
        assert_eq!(list.as_numbers(), Some(&[0.0, 1.0, 2.0][..]));
        list.set(vm, 1, Value::NULL);
        assert_eq!(list.element_kind(), ElementKind::Mixed);
        list.set(vm, 1, Value::ONE);
        assert_eq!(
            list.element_kind(),
            ElementKind::Mixed,
            "it is not looked through again"
        );
        Ok(())
    });
}

#[test]
fn each_way_to_store_is_noticed() {
    type Store = fn(&mut Vm, Gc<ListCell>, Value) -> Fallible<()>;
    let ways: [Store; 5] = [
        |vm, list, value| list.push(vm, value),
        |vm, list, value| list.insert(vm, 0, value),
        |vm, list, value| {
            list.set(vm, 1, value);
            Ok(())
        },
        |vm, list, value| {
            let other = ListCell::from_slice(vm, &[value])?;
            list.push_all(vm, other)
        },
        |vm, list, value| vm.set_element(Value::list(list), Value::ONE, value),
    ];
    for store in ways {
        // With room for another element and without.
        for count in [4, 5] {
            with_vm(move |vm| {
                let list = numbers(vm, count)?;
                let value = text(vm)?;
                store(vm, list, value)?;
                check(list);
                assert_eq!(list.element_kind(), ElementKind::Mixed);
                assert_eq!(
                    list.elements.get().map(Gc::<ValuesCell>::element_kind),
                    Some(ElementKind::Mixed)
                );
                Ok(())
            });
        }
    }
}

#[test]
fn a_store_without_a_call_is_refused_if_the_kind_would_change() {
    with_vm(|vm| {
        let list = numbers(vm, 2)?;
        assert!(list.set_quickly(&vm.heap, 0, Value::ONE));
        assert!(!list.set_quickly(&vm.heap, 0, Value::NULL));
        assert_eq!(list.as_numbers(), Some(&[1.0, 1.0][..]));
        Ok(())
    });
}

#[test]
fn copies_are_of_the_kind_of_what_is_copied() {
    with_vm(|vm| {
        let list = numbers(vm, 3)?;
        list.set(vm, 0, Value::NULL);
        assert_eq!(
            ListCell::copy_of(vm, list, 0..2)?.element_kind(),
            ElementKind::Mixed
        );
        assert_eq!(
            ListCell::copy_of(vm, list, 1..3)?.element_kind(),
            ElementKind::Numbers
        );
        let sum = vm.add(Value::list(list), Value::list(list))?;
        assert_eq!(
            sum.as_list().map(Gc::<ListCell>::element_kind),
            Some(ElementKind::Mixed)
        );
        Ok(())
    });
}

#[test]
fn a_list_can_be_appended_to_itself() {
    with_vm(|vm| {
        let list = numbers(vm, 3)?;
        list.push_all(vm, list)?;
        assert_eq!(list.as_numbers(), Some(&[0.0, 1.0, 2.0, 0.0, 1.0, 2.0][..]));
        Ok(())
    });
}

#[test]
fn random_changes_keep_the_kind_right() {
    with_vm(|vm| {
        let mut random = Random::new();
        random.seed(11.0);
        for _ in 0..40 {
            let list = ListCell::allocate(vm, random.below(6))?;
            let mut model: Vec<Option<f64>> = Vec::new();
            for step in 0..60 {
                // Rarely something that is no number, so that lists of both kinds are seen.
                let element = (random.below(40) > 0).then_some(step as f64);
                let value = match element {
                    Some(number) => Value::number(number),
                    None => text(vm)?,
                };
                match random.below(8) {
                    0 if !model.is_empty() => {
                        let index = random.below(model.len());
                        list.set(vm, index, value);
                        model[index] = element;
                    }
                    1 => {
                        list.pull();
                        model.drain(..1.min(model.len()));
                    }
                    2 => {
                        list.pop();
                        model.pop();
                    }
                    3 => {
                        let index = random.below(model.len() + 1);
                        list.insert(vm, index, value)?;
                        model.insert(index, element);
                    }
                    4 if !model.is_empty() => {
                        let index = random.below(model.len());
                        list.remove(vm, index);
                        model.remove(index);
                    }
                    _ => {
                        list.push(vm, value)?;
                        model.push(element);
                    }
                }
                check(list);
                let elements: Vec<_> = list.as_slice().iter().map(|v| v.as_number()).collect();
                assert_eq!(elements, model);
            }
        }
        Ok(())
    });
}
