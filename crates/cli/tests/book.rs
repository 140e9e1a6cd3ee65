//! Entry point of the suite `kiln_tests::book`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_tests::book::main(env!("CARGO_BIN_EXE_kiln"))
}
