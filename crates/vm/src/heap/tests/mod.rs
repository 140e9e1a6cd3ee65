//! Tests of the heap with cells of one kind: rows of values.

mod barrier;
mod conservative;
mod generations;
mod limits;
mod random;
mod world;
