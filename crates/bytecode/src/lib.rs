//! Kiln bytecode: the contract between front ends, interpreter and compilers.
#![forbid(unsafe_code)]
