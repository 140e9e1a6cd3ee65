//! Entry point of the suite `kiln_tests::conformance`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_tests::conformance::main(env!("CARGO_BIN_EXE_kiln"))
}
