//! The stages of a program as text, for people.

use kiln_frontend::miniscript;
use kiln_frontend::source::Source;

use crate::compile::{CompileErrors, CompileOptions, compile};

/// A stage of compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The tokens, one to a line.
    Tokens,
    /// The syntax tree.
    Tree,
    /// The bytecode.
    Bytecode,
}

/// Shows a program as it is at a stage of compilation.
///
/// # Errors
/// What is wrong with the text. Tokens can be shown of any text.
pub fn dump(name: &str, text: &[u8], stage: Stage) -> Result<String, CompileErrors> {
    if stage == Stage::Bytecode {
        return compile(name, text, CompileOptions::default()).map(|block| block.to_string());
    }
    let source = Source::from_file(name, text).map_err(CompileErrors::unreadable)?;
    if stage == Stage::Tokens {
        return Ok(miniscript::dump::tokens(&source));
    }
    match miniscript::parse(&source) {
        Ok(program) => Ok(miniscript::dump::program(&program)),
        Err(errors) => Err(CompileErrors::in_source(source, errors)),
    }
}
