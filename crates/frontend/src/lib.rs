//! Source text to bytecode.
#![forbid(unsafe_code)]
