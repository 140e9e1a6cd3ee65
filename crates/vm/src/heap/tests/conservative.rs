//! Words that may be references.

use super::world::*;
use crate::heap::{Marker, Roots, Survivors, with_spilled_registers};
use crate::value::Value;

const LENGTHS: [usize; 8] = [1, 2, 3, 8, 100, 1000, 1023, 5000];

#[test]
fn an_address_anywhere_in_a_cell_keeps_it() {
    for length in LENGTHS {
        let last = bytes_for(length) - 1;
        for offset in [0, 1, 8, last / 2, last] {
            let mut world = World::new();
            world.row_at_once(length);
            let row = world.row_at_once(length);
            world.row_at_once(length);
            set_without_barrier(row, 0, Value::ONE);
            world.roots.words.push((row.address() + offset) as u64);
            world.collect();
            assert_eq!(world.cells(), 1, "offset {offset} in a row of {length}");
            assert_eq!(get(row, 0), Value::ONE);
            world.collect_full();
            assert_eq!(world.cells(), 1, "offset {offset} in a row of {length}");
        }
    }
}

#[test]
fn a_value_keeps_its_cell() {
    for length in LENGTHS {
        let mut world = World::new();
        let row = world.row_at_once(length);
        world.roots.words.push(Value::other(row).bits());
        world.roots.words.push(Value::number(1.5).bits());
        world.collect_full();
        assert_eq!(world.cells(), 1);
    }
}

#[test]
fn words_that_point_nowhere_are_ignored() {
    let mut world = World::new();
    let row = world.row_at_once(4);
    let large = world.row_at_once(5000);
    let chunk = row.address() & !((1 << 20) - 1);
    world.roots.words = vec![
        0,
        1,
        u64::MAX,
        Value::NULL.bits(),
        chunk as u64,
        (chunk - 1) as u64,
        (chunk + (1 << 20) - 1) as u64,
        (chunk + (1 << 20)) as u64,
        (row.address() - 1) as u64,
        (row.address() + 48) as u64,
        (large.address() - 1) as u64,
        (large.address() + bytes_for(5000)) as u64,
        row.address() as u64 | 1 << 60,
    ];
    world.collect();
    assert_eq!(world.cells(), 0);
}

#[test]
fn a_word_does_not_revive_a_dead_cell() {
    let mut world = World::new();
    let rows: Vec<Row> = (0..300).map(|_| world.row_at_once(2)).collect();
    // Survivors between them, so that the blocks stay in use.
    world.roots.rows = rows.iter().copied().step_by(10).collect();
    world.collect();
    // Now the blocks are not swept, and after the allocation one of them is.
    for round in 0..2 {
        world.roots.words = rows.iter().map(|row| row.address() as u64).collect();
        world.collect();
        assert_eq!(world.cells(), 30 + round);
        world.collect_full();
        assert_eq!(world.cells(), 30 + round);
        world.roots.words.clear();
        let new = world.row_at_once(2);
        world.roots.rows.push(new);
    }
}

#[test]
fn large_cells_are_found_wherever_they_lie() {
    let mut world = World::new();
    for round in 0..10 {
        // Memory of different sizes is freed and used again, so addresses come in no order.
        let rows: Vec<Row> = (0..40)
            .map(|n| world.row_at_once(1500 + n * 7919 % 1777))
            .collect();
        for (number, row) in rows.iter().enumerate() {
            if (number + round) % 3 == 0 {
                world.roots.words.push((row.address() + 5000) as u64);
            }
        }
        world.collect_to_end();
        assert_eq!(world.cells(), world.roots.words.len());
        if round % 4 == 3 {
            let half = world.roots.words.len() / 2;
            world.roots.words.drain(..half);
            world.collect_full();
            assert_eq!(world.cells(), world.roots.words.len());
        }
    }
}

#[test]
fn new_cells_are_found_while_marking() {
    let mut world = World::new();
    let old = world.row_at_once(10);
    world.roots.rows.push(old);
    world.heap.begin_full(&mut world.roots);
    for length in [1, 3000] {
        let new = world.row_at_once(length);
        set_without_barrier(new, 0, Value::ONE);
        world.roots.words.push(new.address() as u64);
    }
    while world.heap.statistics().full_collections == 0 {
        world.collect();
    }
    world.verify();
    assert_eq!(world.cells(), 3);
}

/// Scans the native stack.
struct StackRoots {
    base: *const u64,
    stack_pointer: *const u64,
}

impl Roots for StackRoots {
    fn trace(&mut self, marker: &mut Marker) {
        // SAFETY: the stack is readable from its pointer to a place in an outer frame.
        unsafe { marker.conservative(self.stack_pointer, self.base) };
    }

    fn forget_dead(&mut self, _survivors: &Survivors) {}
}

#[test]
#[cfg(not(miri))]
fn references_in_local_variables_are_found() {
    #[inline(never)]
    fn run(world: &mut World, base: *const u64) {
        let rows: [Row; 12] = std::array::from_fn(|index| {
            let row = world.row_at_once(index + 1);
            set_without_barrier(row, index, Value::number(index as f64));
            row
        });
        for _ in 0..1000 {
            world.row_at_once(4);
        }
        with_spilled_registers(|stack_pointer| {
            world.heap.collect_full(&mut StackRoots {
                base,
                stack_pointer,
            });
        });
        for (index, &row) in rows.iter().enumerate() {
            assert_eq!(get(row, index), Value::number(index as f64));
        }
        // Some garbage may be found on the stack, but not much.
        assert!((12..100).contains(&world.cells()));
    }
    let mut world = World::new();
    let base = 0_u64;
    run(&mut world, std::hint::black_box(&base));
}

#[test]
#[cfg(all(target_arch = "x86_64", not(miri)))]
fn a_reference_in_a_preserved_register_is_found() {
    extern "C" fn collect(world: &mut World, _hidden: u64, base: *const u64) {
        with_spilled_registers(|stack_pointer| {
            world.heap.collect_full(&mut StackRoots {
                base,
                stack_pointer,
            });
        });
    }
    /// Collects while register r12 holds the complement of `hidden`.
    fn collect_with_register(world: &mut World, hidden: u64) {
        // SAFETY: calls a function of the right signature by the rules of its convention.
        unsafe {
            std::arch::asm!(
                "mov r12, rsi",
                "not r12",
                "mov rdx, rsp",
                "call {collect}",
                collect = sym collect,
                in("rdi") world,
                in("rsi") hidden,
                out("rdx") _,
                out("r12") _,
                clobber_abi("C"),
            );
        }
    }
    let mut world = World::new();
    // The complement, so that the address stands nowhere else.
    let hidden = !(world.row_at_once(1).address() as u64);
    collect_with_register(&mut world, hidden);
    assert_eq!(world.cells(), 1);
    collect_with_register(&mut world, !0);
    assert_eq!(world.cells(), 0);
}
