//! The MiniScript front end, edition 1: lexer, parser, syntax tree.
//!
//! [`lexer`] cuts the text into [`token`]s, [`parser`] builds the [`ast`], [`repl`] does the same line by line,
//! and [`dump`] prints tokens and trees for people.

pub mod ast;
pub mod dump;
pub mod emit;
pub mod lexer;
pub mod names;
pub mod parser;
pub mod repl;
mod resolve;
pub mod token;

pub use emit::{Options, emit};
pub use parser::parse;
