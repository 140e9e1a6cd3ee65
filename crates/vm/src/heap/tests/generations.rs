//! What survives which collection.

use std::collections::HashSet;

use super::world::*;
use crate::heap::{Heap, Kind};
use crate::value::Value;

#[test]
fn cells_of_every_size_keep_their_contents() {
    let mut world = World::new();
    let lengths = (0..400).chain((400..20_000).step_by(977));
    let mut kept = Vec::new();
    for (number, length) in lengths.enumerate() {
        let row = world.row_at_once(length);
        for index in 0..length {
            set_without_barrier(row, index, Value::number((number * 31 + index) as f64));
        }
        if number % 3 == 0 {
            world.roots.rows.push(row);
            kept.push((number, length, row));
        }
    }
    for round in 0..4 {
        if round % 2 == 0 {
            world.collect()
        } else {
            world.collect_full()
        }
        world.verify();
        for length in 0..400 {
            world.row_at_once(length);
        }
    }
    for (number, length_then, row) in kept {
        assert_eq!(length(row), length_then);
        for index in 0..length_then {
            assert_eq!(get(row, index), Value::number((number * 31 + index) as f64));
        }
    }
}

#[test]
fn allocation_rounds_up_to_what_it_announces() {
    let mut world = World::new();
    for bytes in [8, 16, 17, 100, 1024, 1025, 8192, 8193, 100_000] {
        let real = Heap::cell_bytes(bytes);
        assert!(real >= bytes);
        let first = world
            .heap
            .allocate_without_collecting(Kind::Bytes, bytes)
            .unwrap();
        let second = world
            .heap
            .allocate_without_collecting(Kind::Bytes, bytes)
            .unwrap();
        assert!(first.address().abs_diff(second.address()) >= real);
    }
}

#[test]
fn what_a_root_reaches_survives_and_the_rest_does_not() {
    let mut world = World::new();
    let list = world.row_at_once(1);
    world.roots.rows.push(list);
    let mut last = list;
    for _ in 0..99 {
        let next = world.row_at_once(1);
        world.set(last, 0, next);
        last = next;
        world.row_at_once(5);
    }
    assert_eq!(world.cells(), 199);
    world.collect();
    assert_eq!(world.cells(), 100);
    world.roots.rows.clear();
    world.collect_full();
    assert_eq!(world.cells(), 0);
}

#[test]
fn a_minor_collection_keeps_old_garbage_and_a_full_one_does_not() {
    let mut world = World::new();
    let row = world.row_at_once(3);
    world.roots.rows.push(row);
    world.collect();
    world.roots.rows.clear();
    world.collect();
    assert_eq!(world.cells(), 1);
    world.collect_full();
    assert_eq!(world.cells(), 0);
}

#[test]
fn memory_of_dead_cells_is_used_again() {
    let mut world = World::new();
    for _ in 0..100 {
        for _ in 0..1000 {
            world.row_at_once(3);
        }
        world.collect();
    }
    assert_eq!(world.heap.statistics().chunks, 1);
}

#[test]
fn survivors_do_not_spread_over_the_heap() {
    let mut world = World::new();
    for _ in 0..200 {
        let row = world.row_at_once(3);
        world.roots.rows.push(row);
        for _ in 0..1000 {
            world.row_at_once(3);
        }
        world.collect();
    }
    // What 1000 rows need, and what 200 survivors do.
    assert!(world.heap.statistics().used_blocks <= 4);
}

#[test]
fn gaps_between_survivors_are_filled() {
    let mut world = World::new();
    for _ in 0..10_000 {
        let row = world.row_at_once(3);
        world.roots.rows.push(row);
        world.row_at_once(3);
    }
    world.collect_full();
    let chunks = world.heap.statistics().chunks;
    let mut addresses: HashSet<usize> = world.roots.rows.iter().map(|row| row.address()).collect();
    for _ in 0..9_000 {
        let row = world.row_at_once(3);
        assert!(
            addresses.insert(row.address()),
            "two live cells share memory"
        );
    }
    world.verify();
    assert_eq!(world.heap.statistics().chunks, chunks);
}

#[test]
fn weak_references_end_with_their_targets() {
    let mut world = World::new();
    let (kept, lost) = (world.row_at_once(1), world.row_at_once(1));
    world.roots.rows.push(kept);
    world.roots.weak = vec![kept, lost];
    world.collect();
    assert_eq!(world.roots.weak, [kept]);
    world.roots.rows.clear();
    world.collect_full();
    assert_eq!(world.roots.weak, []);
}

#[test]
fn large_cells_live_and_die_like_others() {
    let mut world = World::new();
    let large = world.row_at_once(50_000);
    world.roots.rows.push(large);
    for index in 0..length(large) {
        let row = world.row_at_once(1);
        world.set(large, index, row);
    }
    world.row_at_once(70_000);
    world.collect_to_end();
    assert_eq!(world.cells(), 50_001);
    for index in (0..length(large)).step_by(2) {
        set_without_barrier(large, index, Value::ZERO);
    }
    world.collect_full();
    assert_eq!(world.cells(), 25_001);
    world.roots.rows.clear();
    world.collect_full();
    assert_eq!(world.heap.statistics().large_bytes, 0);
}

#[test]
fn memory_goes_back_to_the_system_after_a_full_collection() {
    let mut world = World::new();
    for _ in 0..40 {
        for _ in 0..1000 {
            let row = world.row_at_once(127);
            world.roots.rows.push(row);
        }
    }
    world.collect_full();
    assert!(world.heap.statistics().chunks >= 39);
    world.roots.rows.truncate(10);
    world.collect_full();
    let few = world.heap.statistics().chunks;
    assert!(few < 8, "{few} chunks remain");
    assert_eq!(world.cells(), 10);
}

#[test]
fn a_deep_structure_is_marked_without_recursion() {
    let mut world = World::new();
    let mut head = world.row_at_once(1);
    for _ in 0..if cfg!(miri) { 1000 } else { 300_000 } {
        let next = world.row_at_once(1);
        world.set(next, 0, head);
        head = next;
    }
    world.roots.rows.push(head);
    let before = world.cells();
    world.collect_full();
    assert_eq!(world.cells(), before);
}

#[test]
fn statistics_count_what_happened() {
    let mut world = World::new();
    let row = world.row_at_once(1);
    world.roots.rows.push(row);
    world.row_at_once(1);
    assert_eq!(world.heap.statistics().allocated_bytes, 32);
    world.collect();
    world.collect_full();
    let statistics = world.heap.statistics();
    assert_eq!(statistics.minor.count, 1);
    assert_eq!(statistics.full.count, 1);
    assert_eq!(statistics.full.histogram.count(), 1);
    assert_eq!(statistics.full_collections, 1);
    assert_eq!(statistics.allocated_bytes, 32);
    assert_eq!(statistics.live_bytes, 16);
    assert_eq!(statistics.used_blocks, 1);
}

#[test]
fn heaps_live_on_many_threads() {
    let threads: Vec<_> = (0..8)
        .map(|seed: usize| {
            std::thread::spawn(move || {
                for _ in 0..if cfg!(miri) { 1 } else { 50 } {
                    let mut world = World::new();
                    for number in 0..1000 {
                        let row = world.row(number % 40 + 1);
                        set_without_barrier(row, 0, Value::number((seed + number) as f64));
                        world.roots.rows.push(row);
                    }
                    world.collect_full();
                    for (number, &row) in world.roots.rows.iter().enumerate() {
                        assert_eq!(get(row, 0), Value::number((seed + number) as f64));
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
