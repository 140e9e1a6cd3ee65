//! The write barrier, between collections and while marking.

use super::world::*;
use crate::heap::Defect;
use crate::heap::collect::Phase;
use crate::value::Value;

/// A world whose first root is an old row of one value.
fn with_old_row() -> (World, Row) {
    let mut world = World::new();
    let old = world.row_at_once(1);
    world.roots.rows.push(old);
    world.collect();
    (world, old)
}

#[test]
fn an_old_cell_keeps_a_young_one() {
    let (mut world, old) = with_old_row();
    for number in 0..5 {
        let young = world.row_at_once(1);
        set_without_barrier(young, 0, Value::number(f64::from(number)));
        world.set(old, 0, young);
        world.verify();
        world.collect();
        world.verify();
        assert_eq!(get(target(old, 0), 0), Value::number(f64::from(number)));
    }
}

#[test]
fn the_verifier_notices_a_missing_barrier() {
    let (mut world, old) = with_old_row();
    let young = world.row_at_once(1);
    set_without_barrier(old, 0, Value::other(young));
    let verdict = world.heap.verify(&mut world.roots);
    assert!(
        matches!(verdict, Err(Defect::NotRemembered { target, .. }) if target == young.address())
    );
}

#[test]
fn the_verifier_notices_a_dangling_reference() {
    let (mut world, old) = with_old_row();
    let dead = world.row_at_once(1);
    world.collect();
    set_without_barrier(old, 0, Value::other(dead));
    let verdict = world.heap.verify(&mut world.roots);
    assert!(matches!(verdict, Err(Defect::Dangling { target, .. }) if target == dead.address()));
}

#[test]
fn a_cell_is_remembered_once() {
    let (mut world, old) = with_old_row();
    for _ in 0..3 {
        let young = world.row_at_once(1);
        world.set(old, 0, young);
    }
    assert_eq!(world.heap.marker.remembered, [old]);
}

/// Begins a full collection that takes many slices. The only root is a long row; it refers to rows of 100 values,
/// and the first value of each refers to a row of one, which holds a number.
fn while_marking() -> (World, Row) {
    let mut world = World::new();
    let long = world.row_at_once(20_000);
    world.roots.rows.push(long);
    for index in 0..length(long) {
        let row = world.row_at_once(100);
        let leaf = world.row_at_once(1);
        set_without_barrier(leaf, 0, Value::number(index as f64));
        world.set(row, 0, leaf);
        world.set(long, index, row);
    }
    world.collect_full();
    world.heap.begin_full(&mut world.roots);
    (world, long)
}

fn is_marked(world: &World, row: Row) -> bool {
    row.header().has_colour(world.heap.black)
}

fn finish_marking(world: &mut World) {
    while world.heap.phase != Phase::Idle {
        world.row(100);
    }
    world.verify();
}

#[test]
fn a_full_collection_pauses_many_times() {
    let (mut world, _) = while_marking();
    let before = world.heap.statistics().slices.count;
    finish_marking(&mut world);
    assert!(world.heap.statistics().slices.count >= before + 8);
}

#[test]
fn a_reference_that_moves_to_a_traced_cell_while_marking_is_found() {
    let (mut world, long) = while_marking();
    // One slice, so that some rows are traced and some are not.
    world.collect();
    world.verify();
    assert_ne!(world.heap.phase, Phase::Idle);
    let rows = || (0..length(long)).map(|index| target(long, index));
    let traced = rows()
        .find(|row| is_marked(&world, target(*row, 0)))
        .expect("a slice traces some");
    let grey = rows()
        .find(|row| !is_marked(&world, target(*row, 0)))
        .expect("a slice is not all");
    assert!(is_marked(&world, traced));
    let leaf = target(grey, 0);
    let number = get(leaf, 0);
    world.set(traced, 1, leaf);
    set_without_barrier(grey, 0, Value::NULL);
    finish_marking(&mut world);
    assert_eq!(target(traced, 1), leaf);
    assert_eq!(get(leaf, 0), number);
}

#[test]
fn a_cell_allocated_while_marking_survives_if_it_is_reachable() {
    let (mut world, long) = while_marking();
    let mut made = 0;
    while world.heap.phase != Phase::Idle {
        let row = world.row(100);
        set_without_barrier(row, 0, Value::number(made as f64));
        world.set(long, made, row);
        made += 1;
    }
    world.verify();
    for index in 0..made {
        assert_eq!(get(target(long, index), 0), Value::number(index as f64));
    }
    world.collect_full();
    assert_eq!(world.cells(), 1 + length(long) + (length(long) - made));
}

#[test]
fn a_full_collection_on_request_ends_one_that_is_marking() {
    let (mut world, long) = while_marking();
    world.collect();
    for index in 0..length(long) / 2 {
        set_without_barrier(long, index, Value::NULL);
    }
    world.collect_full();
    assert_eq!(world.heap.phase, Phase::Idle);
    assert_eq!(world.cells(), length(long) + 1);
}
