//! Large rows, which are traced in parts.

use super::world::*;
use crate::heap::barrier::REMEMBERED;
use crate::heap::cards::{CARD_BYTES, Cards};
use crate::heap::collect::Phase;
use crate::heap::{Defect, Gc, Header};
use crate::value::Value;

/// The values of a row whose cards are looked at in these tests. Its last card is not full.
const LENGTH: usize = 10_000;

/// The values on a card.
const ON_CARD: usize = CARD_BYTES / size_of::<Value>();

/// A world whose first root is an old large row.
fn with_old_row() -> (World, Row) {
    let mut world = World::new();
    let row = world.row_at_once(LENGTH);
    world.roots.rows.push(row);
    world.collect_to_end();
    (world, row)
}

/// A new row that holds a number.
fn numbered(world: &mut World, number: usize) -> Row {
    let row = world.row_at_once(1);
    set_without_barrier(row, 0, Value::number(number as f64));
    row
}

fn dirty_cards(row: Row) -> usize {
    let cards = Cards::of(row).expect("a large row has cards");
    let starts = (0..bytes_for(length(row))).step_by(CARD_BYTES);
    starts.filter(|start| cards.is_dirty(*start)).count()
}

#[test]
fn young_cells_in_an_old_row_survive_on_every_card() {
    let (mut world, row) = with_old_row();
    // The header takes the place of one value of the first card.
    let first_and_last = [0, ON_CARD - 2, ON_CARD - 1, LENGTH / 2, LENGTH - 1];
    for index in first_and_last {
        let young = numbered(&mut world, index);
        world.set(row, index, young);
        assert_eq!(dirty_cards(row), 1);
        world.verify();
        world.collect_to_end();
        world.verify();
        assert_eq!(dirty_cards(row), 0);
        assert_eq!(get(target(row, index), 0), Value::number(index as f64));
    }
    assert_eq!(world.cells(), 1 + first_and_last.len());
}

#[test]
fn a_row_is_listed_once_and_stays_black() {
    let (mut world, row) = with_old_row();
    for index in [1, 2, LENGTH - 1] {
        let young = numbered(&mut world, index);
        world.set(row, index, young);
    }
    assert_eq!(world.heap.marker.remembered, [row]);
    assert_eq!(dirty_cards(row), 2);
    assert!(world.heap.needs_barrier(row.header()));
}

#[test]
fn a_row_of_which_any_part_may_have_changed_is_traced_wholly() {
    let (mut world, row) = with_old_row();
    for index in (0..LENGTH).step_by(97) {
        let young = numbered(&mut world, index);
        set_without_barrier(row, index, Value::other(young));
    }
    world.heap.write_barrier(row.header());
    assert_eq!(row.header().state.get(), world.heap.black | REMEMBERED);
    world.verify();
    world.collect_to_end();
    world.verify();
    for index in (0..LENGTH).step_by(97) {
        assert_eq!(get(target(row, index), 0), Value::number(index as f64));
    }
}

#[test]
fn only_the_written_part_is_traced_again() {
    let (mut world, row) = with_old_row();
    // What a barrier should have told, far from the card that was written.
    let young = numbered(&mut world, 1);
    set_without_barrier(row, LENGTH - 1, Value::other(young));
    let other = numbered(&mut world, 2);
    world.set(row, 0, other);
    let verdict = world.heap.verify(&mut world.roots);
    assert!(
        matches!(verdict, Err(Defect::NotRemembered { target, .. }) if target == young.address())
    );
    world.collect_to_end();
    assert_eq!(world.cells(), 2);
}

#[test]
fn cards_of_the_epoch_before_are_forgotten() {
    let (mut world, row) = with_old_row();
    let young = numbered(&mut world, 7);
    world.set(row, 5000, young);
    world.heap.begin_full(&mut world.roots);
    assert_eq!(dirty_cards(row), 0);
    world.collect_to_end();
    let young = numbered(&mut world, 8);
    world.set(row, 5000, young);
    world.collect_to_end();
    world.verify();
    assert_eq!(get(target(row, 5000), 0), Value::number(8.0));
}

#[test]
fn long_rows_are_marked_in_many_slices() {
    let mut world = World::new();
    let row = world.row_at_once(1 << 20);
    world.roots.rows.push(row);
    world.heap.begin_full(&mut world.roots);
    let before = world.heap.statistics().slices.count;
    world.collect_to_end();
    assert!(world.heap.statistics().slices.count >= before + 8);
}

#[test]
fn references_that_move_within_a_row_while_it_is_marked_are_found() {
    let mut world = World::new();
    let row = world.row_at_once(1 << 20);
    world.roots.rows.push(row);
    let last = length(row) - 1;
    let leaf = numbered(&mut world, 3);
    world.set(row, last, leaf);
    world.heap.begin_full(&mut world.roots);
    world.collect();
    world.verify();
    assert_ne!(world.heap.phase, Phase::Idle);
    assert!(!leaf.header().has_colour(world.heap.black));
    world.set(row, 0, leaf);
    set_without_barrier(row, last, Value::NULL);
    world.collect_to_end();
    world.verify();
    assert_eq!(get(target(row, 0), 0), Value::number(3.0));
}

#[test]
fn a_row_may_be_replaced_by_a_larger_one_while_it_is_marked() {
    let mut world = World::new();
    let holder = world.row_at_once(1);
    world.roots.rows.push(holder);
    let row = world.row_at_once(1 << 20);
    world.set(holder, 0, row);
    for index in (0..length(row)).step_by(1000) {
        let leaf = numbered(&mut world, index);
        world.set(row, index, leaf);
    }
    world.heap.begin_full(&mut world.roots);
    world.collect();
    world.collect();
    assert_ne!(world.heap.phase, Phase::Idle);
    let larger = world.row_at_once(3 << 19);
    for index in 0..length(row) {
        set_without_barrier(larger, index, get(row, index));
    }
    world.set(holder, 0, larger);
    world.verify();
    world.collect_to_end();
    world.verify();
    for index in (0..length(row)).step_by(1000) {
        assert_eq!(get(target(larger, index), 0), Value::number(index as f64));
    }
}

#[test]
fn a_minor_collection_with_much_to_trace_marks_in_slices() {
    let (mut world, row) = with_old_row();
    for index in 0..LENGTH {
        let young = world.row_at_once(100);
        set_without_barrier(young, 0, Value::number(index as f64));
        world.set(row, index, young);
    }
    world.collect();
    world.verify();
    assert_ne!(world.heap.phase, Phase::Idle);
    // A cell that is young when the collection ends, in one that it has marked.
    let late = numbered(&mut world, 1);
    world.set(target(row, LENGTH - 1), 1, late);
    world.set(target(row, 0), 1, late);
    world.collect_to_end();
    world.verify();
    assert_eq!(world.heap.statistics().slices.count, 0);
    for index in 0..LENGTH {
        assert_eq!(get(target(row, index), 0), Value::number(index as f64));
    }
    assert_eq!(target(target(row, 0), 1), late);
    assert_eq!(get(late, 0), Value::number(1.0));
}

#[test]
fn small_and_opaque_cells_have_no_cards() {
    let mut world = World::new();
    assert!(Cards::of(world.row_at_once(10)).is_none());
    let bytes: Gc<Header> = world
        .heap
        .allocate_without_collecting(crate::heap::Kind::Bytes, 100_000)
        .expect("there is room");
    assert!(Cards::of(bytes).is_none());
}

#[test]
fn an_abandoned_row_is_freed_by_the_next_minor_collection() {
    for begins_full in [false, true] {
        let (mut world, row) = with_old_row();
        let leaf = numbered(&mut world, 5);
        world.set(row, 1, leaf);
        if begins_full {
            world.heap.begin_full(&mut world.roots);
        }
        let larger = world.row_at_once(2 * LENGTH);
        set_without_barrier(larger, 1, get(row, 1));
        world.roots.rows[0] = larger;
        world.heap.abandon(row);
        world.verify();
        world.collect_to_end();
        world.verify();
        if begins_full {
            // The collection had come across the row already.
            world.collect_full();
        }
        assert_eq!(world.cells(), 2);
        assert_eq!(target(larger, 1), leaf);
        let statistics = world.heap.statistics();
        assert_eq!(statistics.large_bytes, bytes_for(2 * LENGTH));
    }
}

#[test]
fn an_abandoned_row_lives_as_long_as_a_root_refers_to_it() {
    let (mut world, row) = with_old_row();
    world.heap.abandon(row);
    world.collect_to_end();
    world.verify();
    assert_eq!(length(row), LENGTH);
    assert_eq!(world.cells(), 1);
}
