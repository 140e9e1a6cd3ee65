//! The program and its surroundings: exit, arguments, input, other programs.

use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::super::{Arguments, Intrinsic, fail, number, parameter, text};
use super::{Bounded, environment, read_bounded};
use crate::error::{Fallible, Throw};
use crate::object::list::ListCell;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic {
        name: "exit",
        parameters: &[parameter("resultCode")],
        help: "ends the program; the number is its exit status",
        run: exit,
    },
    Intrinsic {
        name: "shellArgs",
        parameters: &[],
        help: "the list of the script's path and the arguments behind it",
        run: shell_args,
    },
    Intrinsic {
        name: "input",
        parameters: &[text("prompt", "")],
        help: "reads a line from standard input; \"\" at its end",
        run: input,
    },
    Intrinsic {
        name: "exec",
        parameters: &[parameter("cmd"), number("timeout", 30.0)],
        help: "runs a shell command: a map of its output, errors and status",
        run: exec,
    },
];

/// How often a waiting `exec` looks for an interrupt.
const INTERRUPT_INTERVAL: Duration = Duration::from_millis(50);

/// The status of a command that was given up, as the program `timeout` has it.
const TIMED_OUT: i32 = 124;

/// The status of a command that could not be run, as shells have it.
const NOT_RUN: i32 = 127;

fn exit(_vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    // A NaN and the infinities, too, end as 0.
    let status = arguments.number(0).trunc().rem_euclid(256.0) as u8;
    Err(Throw::exit(status))
}

fn shell_args(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    if let Some(list) = vm.shell.arguments {
        return Ok(Value::list(list));
    }
    let arguments = vm.ask_host("shellArgs", |host| host.script_arguments())?;
    let list = ListCell::allocate(vm, arguments.len())?;
    for argument in &arguments {
        let argument = vm.new_string(argument)?;
        list.push(vm, argument)?;
    }
    vm.shell.arguments = Some(list);
    Ok(Value::list(list))
}

fn input(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let prompt = vm.argument_string(arguments.get(0))?;
    let line = vm.ask_host("input", |host| {
        host.flush();
        host.read_line(&prompt)
    })?;
    vm.poll()?;
    vm.new_string(&line.unwrap_or_default())
}

/// What a command left behind.
struct Finished {
    output: Bounded<Vec<u8>>,
    errors: Bounded<Vec<u8>>,
    status: ExitStatus,
}

fn exec(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    if !vm.ask_host("exec", |host| host.allows_exec())? {
        return fail("running programs is not allowed here");
    }
    let command = vm.argument_string(arguments.get(0))?;
    let timeout = arguments.number(1);
    let environment = environment::entries(vm)?;
    vm.ask_host("exec", |host| host.flush())?;
    let command = start(&command, environment, vm.limits.heap_bytes);
    let finished = match command {
        Ok(command) => wait(vm, &command, timeout)?,
        Err(error) => return outcome(vm, b"", error.to_string().as_bytes(), NOT_RUN),
    };
    // Ctrl-C ends the command, too.
    vm.poll()?;
    match finished {
        None => outcome(vm, b"", b"Timed out", TIMED_OUT),
        Some(Err(error)) => outcome(vm, b"", error.to_string().as_bytes(), NOT_RUN),
        Some(Ok(Finished {
            output,
            errors,
            status,
        })) => {
            let (output, errors) = (vm.room(output)?, vm.room(errors)?);
            outcome(
                vm,
                without_line_end(&output),
                without_line_end(&errors),
                exit_code(status),
            )
        }
    }
}

/// Starts a command, and threads that collect what it writes: it could not go on if a pipe were full.
fn start(
    command: &str,
    environment: Vec<(String, String)>,
    limit: usize,
) -> io::Result<mpsc::Receiver<io::Result<Finished>>> {
    let (shell, option) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("/bin/sh", "-c")
    };
    let mut child = Command::new(shell)
        .args([option, command])
        .envs(environment)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let errors = thread::spawn(move || {
            errors.map_or(Ok(Bounded::Whole(Vec::new())), |errors| {
                read_bounded(errors, limit)
            })
        });
        let output = output.map_or(Ok(Bounded::Whole(Vec::new())), |output| {
            read_bounded(output, limit)
        });
        let finished = child.wait().and_then(|status| {
            let errors = errors
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("the reader of the errors failed")))?;
            Ok(Finished {
                output: output?,
                errors,
                status,
            })
        });
        // If nobody waits any more, nobody is interested.
        let _ = sender.send(finished);
    });
    Ok(receiver)
}

/// Waits for a command to end; none if it takes longer than `timeout` seconds.
fn wait(
    vm: &mut Vm,
    command: &mpsc::Receiver<io::Result<Finished>>,
    timeout: f64,
) -> Fallible<Option<io::Result<Finished>>> {
    let start = Instant::now();
    let timeout = Duration::try_from_secs_f64(timeout.max(0.0)).unwrap_or(Duration::MAX);
    loop {
        let left = timeout.saturating_sub(start.elapsed());
        match command.recv_timeout(left.min(INTERRUPT_INTERVAL)) {
            Ok(finished) => return Ok(Some(finished)),
            Err(RecvTimeoutError::Disconnected) => {
                return Ok(Some(Err(io::Error::other("the command was lost"))));
            }
            Err(RecvTimeoutError::Timeout) => vm.poll()?,
        }
        if start.elapsed() >= timeout {
            return Ok(None);
        }
    }
}

fn outcome(vm: &mut Vm, output: &[u8], errors: &[u8], status: i32) -> Fallible<Value> {
    let map = vm.new_map(3)?;
    let output = vm.text_from_outside(output)?;
    vm.set_named(map, "output", output)?;
    let errors = vm.text_from_outside(errors)?;
    vm.set_named(map, "errors", errors)?;
    vm.set_named(map, "status", Value::number(f64::from(status)))?;
    Ok(Value::map(map))
}

fn without_line_end(text: &[u8]) -> &[u8] {
    match text.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => text,
    }
}

/// The exit code; for a command that a signal ended what shells make of it.
fn exit_code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(NOT_RUN)
}

#[cfg(test)]
mod tests {
    use super::without_line_end;

    #[test]
    fn one_line_end_is_removed() {
        assert_eq!(without_line_end(b"a\nb\n\n"), b"a\nb\n");
        assert_eq!(without_line_end(b"x\r\n"), b"x");
        assert_eq!(without_line_end(b"x"), b"x");
        assert_eq!(without_line_end(b"x\r"), b"x\r");
    }
}
