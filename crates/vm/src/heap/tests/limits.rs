//! The heap limit, and what a heap costs.

use super::world::*;
use crate::error::{Ending, RuntimeError};
use crate::heap::{Heap, Kind};

const LIMIT: usize = 4 << 20;

#[test]
fn a_heap_without_cells_has_no_memory() {
    let world = World::new();
    assert_eq!(world.heap.statistics().chunks, 0);
    assert!(size_of::<Heap>() < 8 << 10);
}

#[test]
fn allocation_fails_at_the_limit_and_works_again_below_it() {
    let mut world = World::with_limit(LIMIT);
    let throw = loop {
        match world.try_row(63) {
            Ok(row) => world.roots.rows.push(row),
            Err(throw) => break throw,
        }
    };
    let ending = throw.into_ending();
    assert!(
        matches!(ending, Ending::Error(RuntimeError::OutOfMemory(4))),
        "{ending:?}"
    );
    let kept = world.roots.rows.len();
    assert!(
        kept * 512 > LIMIT - (32 << 10) && kept * 512 <= LIMIT,
        "{kept} cells of 512 bytes"
    );
    world.verify();

    world.roots.rows.clear();
    for _ in 0..50_000 {
        world.row(63);
    }
    assert!(world.heap.statistics().peak_bytes <= LIMIT);
}

#[test]
fn a_large_cell_beyond_the_limit_fails() {
    let mut world = World::with_limit(LIMIT);
    assert!(world.try_row(LIMIT / 8).is_err());
    assert!(world.try_row(LIMIT / 16).is_ok());
    assert!(
        world
            .heap
            .allocate_without_collecting(Kind::Bytes, usize::MAX)
            .is_none()
    );
}

#[test]
fn garbage_is_collected_before_the_limit_is_an_error() {
    let mut world = World::with_limit(LIMIT);
    for _ in 0..100 {
        let row = world.row(LIMIT / 32);
        world.roots.rows = vec![row];
        // Old by now, so that only a full collection frees it.
        world.collect();
    }
    world.verify();
}

#[test]
fn external_bytes_count() {
    let mut world = World::with_limit(LIMIT);
    world.heap.add_external(LIMIT);
    assert!(world.heap.is_collection_due());
    assert!(world.try_row(1).is_err());
    world.heap.remove_external(LIMIT / 2);
    assert!(world.try_row(1).is_ok());
    assert_eq!(world.heap.statistics().external_bytes, LIMIT / 2);
}

#[test]
fn inline_allocation_describes_the_fast_path() {
    let mut world = World::new();
    let first = world.row_at_once(2);
    let place = Heap::inline_allocation(bytes_for(2)).unwrap();
    let start = (&raw mut world.heap).cast::<u8>();
    // SAFETY: the offsets lie in the heap, at words.
    let (cursor, limit) = unsafe {
        (
            *start.add(place.cursor).cast::<usize>(),
            *start.add(place.limit).cast::<usize>(),
        )
    };
    assert_eq!(cursor, first.address() + place.bytes);
    assert!(limit >= cursor + place.bytes);
    assert_eq!(world.row_at_once(2).address(), cursor);
    assert_eq!(Heap::inline_allocation(100_000), None);
}

#[test]
fn under_stress_every_allocation_asks_for_a_collection() {
    let mut world = World::new();
    world.heap.set_stress(true);
    for length in [1, 1, 3000, 1] {
        assert_eq!(
            world.heap.try_allocate(Kind::Values, bytes_for(length)),
            None
        );
        world.row(length);
    }
    let statistics = world.heap.statistics();
    assert!(statistics.minor.count >= 2 && statistics.full_collections >= 1);
    world.heap.set_stress(false);
    world.row_at_once(1);
    assert!(world.heap.try_allocate(Kind::Bytes, bytes_for(1)).is_some());
}

#[test]
#[cfg(target_os = "linux")]
fn a_dropped_heap_leaves_no_memory_behind() {
    fn mapped_pages() -> usize {
        let status = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
        status
            .split(' ')
            .next()
            .and_then(|pages| pages.parse().ok())
            .expect("the first number")
    }
    let before = mapped_pages();
    for _ in 0..10_000 {
        World::new().row(1);
    }
    // A chunk is 256 pages of 4 KiB. Other tests, running meanwhile, need some memory too.
    assert!(mapped_pages() < before + 10_000 * 128);
}
