//! Tests of the MiniScript front end from outside.

mod limits;
mod messages;
mod snapshots;

use kiln_frontend::diagnostic::Diagnostic;
use kiln_frontend::miniscript::{self, ast::Program};
use kiln_frontend::source::Source;

fn parse(text: &str) -> Result<Program, Vec<Diagnostic>> {
    miniscript::parse(&Source::new("test.ms", text).expect("test sources are small"))
}

/// The first error in a text, as it is displayed.
fn first_error(text: &str) -> String {
    match parse(text) {
        Ok(_) => panic!("no error in {text:?}"),
        Err(diagnostics) => diagnostics[0].to_string(),
    }
}
