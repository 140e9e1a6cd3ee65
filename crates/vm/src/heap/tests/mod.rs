//! Tests of the heap with cells of one kind: rows of values.

mod barrier;
mod cards;
mod conservative;
mod generations;
mod limits;
mod random;
mod world;
