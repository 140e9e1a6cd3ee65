//! Output, time, and giving control to the host.

use std::time::Instant;

use super::{Arguments, Intrinsic, number, parameter, text};
use crate::error::Fallible;
use crate::stack::Suspension;
use crate::value::Value;
use crate::vm::Vm;

/// The table of the family.
pub static TABLE: &[Intrinsic] = &[
    Intrinsic {
        name: "print",
        parameters: &[text("s", ""), parameter("delimiter")],
        help: "writes the text of s, then the delimiter or, if that is null, a line end",
        run: print,
    },
    Intrinsic {
        name: "time",
        parameters: &[],
        help: "the seconds since the program began",
        run: time,
    },
    Intrinsic {
        name: "wait",
        parameters: &[number("seconds", 1.0)],
        help: "lets this many seconds pass before the program goes on",
        run: wait,
    },
    Intrinsic {
        name: "yield",
        parameters: &[],
        help: "lets the host do something else for a moment",
        run: r#yield,
    },
];

/// What the buffer of `print` may keep: more than most lines need.
const KEPT_BUFFER_BYTES: usize = 64 << 10;

/// The longest time to wait: some thirty years. Hosts need not cope with an infinite one.
const MOST_SECONDS: f64 = 1e9;

fn print(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let mut line = std::mem::take(&mut vm.print_buffer);
    line.clear();
    let mut outcome = append_line(vm, arguments, &mut line);
    if outcome.is_ok() {
        outcome = vm.ask_host("print", |host| host.write_output(&line));
    }
    if line.capacity() > KEPT_BUFFER_BYTES {
        line = String::new();
    }
    vm.print_buffer = line;
    outcome.map(|()| Value::NULL)
}

fn append_line(vm: &mut Vm, arguments: Arguments, line: &mut String) -> Fallible<()> {
    match arguments.get(0) {
        value if value.is_null() => line.push_str("null"),
        value => vm.append_text(value, line)?,
    }
    match arguments.get(1) {
        delimiter if delimiter.is_null() => line.push('\n'),
        delimiter => vm.append_text(delimiter, line)?,
    }
    Ok(())
}

fn time(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    Ok(Value::number(vm.started.elapsed().as_secs_f64()))
}

fn wait(vm: &mut Vm, arguments: Arguments) -> Fallible<Value> {
    let seconds = match arguments.number(0) {
        seconds if seconds > 0.0 => seconds.min(MOST_SECONDS),
        _ => 0.0,
    };
    vm.ask_host("wait", |host| host.flush())?;
    let begun = Instant::now();
    let mut left = seconds;
    // A host may come back early, to look after other things or to deliver an interrupt.
    loop {
        vm.suspend(Suspension::Wait(left))?;
        vm.poll()?;
        left = seconds - begun.elapsed().as_secs_f64();
        if left <= 0.0 || !vm.stack.is_active() {
            return Ok(Value::NULL);
        }
    }
}

fn r#yield(vm: &mut Vm, _arguments: Arguments) -> Fallible<Value> {
    vm.suspend(Suspension::Yield)?;
    vm.poll()?;
    Ok(Value::NULL)
}
