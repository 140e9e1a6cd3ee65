//! The repository's own checks and tools: `cargo xtask COMMAND`.

mod bench;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next();
    match command.as_deref().and_then(|command| command.to_str()) {
        Some("bench") => bench::run(arguments),
        _ => {
            eprintln!("usage: cargo xtask bench [OPTION]...");
            ExitCode::FAILURE
        }
    }
}
