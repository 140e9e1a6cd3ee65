//! Entry point of the suite `kiln_tests::differential`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_tests::differential::main(env!("CARGO_BIN_EXE_kiln"))
}
