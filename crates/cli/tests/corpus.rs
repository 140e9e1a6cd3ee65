//! Entry point of the suite `kiln_tests::corpus`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kiln_tests::corpus::main(env!("CARGO_BIN_EXE_kiln"))
}
