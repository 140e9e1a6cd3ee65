//! Tests of the intrinsics, family by family.

mod containers;
mod limits;
mod lists;
mod numeric;
mod ordering;
mod runtime;
mod session;
mod strings;
