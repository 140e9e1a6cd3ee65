//! Runs little programs of calls and literals, so that tests of intrinsics read like scripts.
//!
//! A program is a series of lines `expression` or `name = expression`. Expressions are literals, names (a variable, else a
//! call of the intrinsic), calls `f(a, b)`, method calls `x.f(a)` and functions `@f`. `inf` and `nan` are literals.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::error::{Ending, Fallible, Throw};
use crate::frame::Limits;
use crate::host::{Host, Identity};
use crate::intrinsics::{Arguments, families};
use crate::object::list::ListCell;
use crate::safepoint::Reason;
use crate::stack::{Progress, Suspension};
use crate::value::Value;
use crate::vm::Vm;

/// What the host was told, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Output(String),
    Flush,
    Suspended(Suspension),
}

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Event>>>);

impl Host for Recorder {
    fn write_output(&mut self, text: &str) {
        self.0.lock().unwrap().push(Event::Output(text.into()));
    }

    fn flush(&mut self) {
        self.0.lock().unwrap().push(Event::Flush);
    }

    fn identity(&self) -> Identity {
        Identity {
            name: "test".into(),
            information: "none".into(),
            version: 2.5,
        }
    }
}

/// An interpreter with variables.
pub struct Session {
    pub vm: Box<Vm>,
    recorder: Recorder,
}

impl Session {
    pub fn new() -> Session {
        let recorder = Recorder::default();
        let vm = Vm::new(Limits::default(), Box::new(recorder.clone())).unwrap();
        Session { vm, recorder }
    }

    /// An interpreter that collects garbage at every allocation.
    pub fn stressed() -> Session {
        let mut session = Session::new();
        session.vm.heap().set_stress(true);
        session
    }

    /// Runs a program. Gives its last value as it stands in code, or the message of the error that ended it.
    pub fn run(&mut self, program: &str) -> String {
        let program = program.to_owned();
        self.work(move |vm| Program::new(vm, &program).run())
    }

    /// Calls an intrinsic with these arguments, separated by commas, while an interrupt is pending.
    pub fn run_interrupted(&mut self, name: &'static str, arguments: &str) -> String {
        let program = format!("{arguments})");
        self.work(move |vm| {
            let mut values = Program::new(vm, &program).values_until(")")?;
            let rows = families().iter().flat_map(|(_, table)| table.iter());
            let row = rows.into_iter().find(|row| row.name == name).unwrap();
            let missing = row.parameters.iter().skip(values.len());
            values.extend(missing.map(|parameter| parameter.default_value(vm)));
            vm.safepoint_handle().request(Reason::Stop);
            // SAFETY: the values outlive the call.
            let arguments =
                unsafe { Arguments::new(row, values.as_ptr(), values.len(), Value::UNASSIGNED) };
            let result = (row.run)(vm, arguments)?;
            let mut text = String::new();
            vm.append_code(result, 1, &mut text)?;
            Ok(text)
        })
    }

    fn work(&mut self, work: impl FnOnce(&mut Vm) -> Fallible<String> + 'static) -> String {
        let mut work = Some(work);
        let mut activity = self
            .vm
            .start(move |vm| {
                let Some(work) = work.take() else {
                    return Ok(String::new());
                };
                Ok(work(vm).unwrap_or_else(message))
            })
            .unwrap();
        loop {
            match self.vm.resume(&mut activity).unwrap() {
                Progress::Done(text) => return text.unwrap_or_else(message),
                Progress::Suspended(why) => {
                    self.recorder.0.lock().unwrap().push(Event::Suspended(why))
                }
            }
        }
    }

    /// What the host was told since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.recorder.0.lock().unwrap())
    }

    /// What was written since the last call.
    pub fn output(&mut self) -> String {
        let written = |event| match event {
            Event::Output(text) => Some(text),
            _ => None,
        };
        self.events().into_iter().filter_map(written).collect()
    }
}

/// Checks programs of a fresh interpreter each, given with their results.
pub fn check(cases: &[(&str, &str)]) {
    for (program, expected) in cases {
        assert_eq!(Session::new().run(program), *expected, "{program}");
    }
}

fn message(throw: Throw) -> String {
    match throw.into_ending() {
        Ending::Reported(error) => error.error.to_string(),
        Ending::Error(error) => error.to_string(),
        Ending::Exit(status) => format!("exit {status}"),
    }
}

struct Program<'a> {
    vm: &'a mut Vm,
    rest: &'a str,
    /// Variables by name: indexes into the interpreter's further roots, where everything stays alive.
    variables: HashMap<String, usize>,
}

impl<'a> Program<'a> {
    fn new(vm: &'a mut Vm, program: &'a str) -> Program<'a> {
        Program {
            vm,
            rest: program.trim(),
            variables: HashMap::new(),
        }
    }

    fn run(mut self) -> Fallible<String> {
        let mut last = Value::NULL;
        while !self.rest.is_empty() {
            let line = self.rest;
            let target = self.word().to_owned();
            if !target.is_empty() && self.accept("=") {
                let value = self.expression()?;
                self.variables.insert(target, self.vm.roots.len());
                self.vm.roots.push(value);
            } else {
                self.rest = line;
                last = self.expression()?;
            }
            self.rest = self.rest.trim_start();
        }
        let mut text = String::new();
        self.vm.append_code(last, 3, &mut text)?;
        Ok(text)
    }

    fn accept(&mut self, token: &str) -> bool {
        match self.rest.trim_start_matches(' ').strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let text = self.rest.trim_start();
        let end = text
            .find(|character| !belongs(character))
            .unwrap_or(text.len());
        self.rest = &text[end..];
        &text[..end]
    }

    fn word(&mut self) -> &'a str {
        self.take_while(|character| character.is_alphabetic() || character == '_')
    }

    fn function(&mut self, name: &str) -> Fallible<Value> {
        let name = self.vm.intern(name)?;
        Ok(Value::function(
            self.vm.intrinsics.function(name).expect("an intrinsic"),
        ))
    }

    /// Values up to the closing bracket. They stay alive among the interpreter's roots.
    fn values_until(&mut self, end: &str) -> Fallible<Vec<Value>> {
        let mut values = Vec::new();
        while !self.accept(end) {
            let value = self.expression()?;
            self.vm.roots.push(value);
            values.push(value);
            let _ = self.accept(",") || self.accept(":");
        }
        Ok(values)
    }

    fn call(&mut self, name: &str, object: Value) -> Fallible<Value> {
        let function = self.function(name)?;
        self.vm.roots.push(object);
        let arguments = if self.accept("(") {
            self.values_until(")")?
        } else {
            Vec::new()
        };
        self.vm.call(function, object, &arguments)
    }

    fn expression(&mut self) -> Fallible<Value> {
        let mut value = self.primary()?;
        while self.accept(".") {
            let name = self.word();
            value = self.call(name, value)?;
        }
        Ok(value)
    }

    fn primary(&mut self) -> Fallible<Value> {
        if self.accept("@") {
            let name = self.word();
            return self.function(name);
        }
        if self.accept("\"") {
            let (text, rest) = self.rest.split_once('"').expect("a closing quote");
            self.rest = rest;
            return self.vm.new_string(text);
        }
        if self.accept("[") {
            let values = self.values_until("]")?;
            let list = ListCell::allocate(self.vm, 0)?;
            for value in values {
                list.push(self.vm, value)?;
            }
            return Ok(Value::list(list));
        }
        if self.accept("{") {
            let entries = self.values_until("}")?;
            let map = self.vm.new_map(entries.len() / 2)?;
            for entry in entries.chunks_exact(2) {
                self.vm.map_set(map, entry[0], entry[1])?;
            }
            return Ok(Value::map(map));
        }
        let negative = self.accept("-");
        let word = self.word();
        let number = match word {
            "" => self.number(),
            "inf" => f64::INFINITY,
            "nan" => f64::NAN,
            "null" => return Ok(Value::NULL),
            _ => {
                return match self.variables.get(word) {
                    Some(index) => Ok(self.vm.roots[*index]),
                    None => self.call(word, Value::UNASSIGNED),
                };
            }
        };
        Ok(Value::number(if negative { -number } else { number }))
    }

    fn number(&mut self) -> f64 {
        let mut digits = self
            .take_while(|character| character.is_ascii_digit())
            .to_owned();
        // A point followed by a letter is a method call.
        if self.rest.starts_with('.')
            && self.rest[1..].starts_with(|next: char| next.is_ascii_digit())
        {
            digits.push_str(
                self.take_while(|character| character.is_ascii_digit() || character == '.'),
            );
        }
        if self.rest.starts_with('e') {
            digits.push_str(
                self.take_while(|character| character.is_ascii_digit() || "e-".contains(character)),
            );
        }
        digits.parse().expect("a number")
    }
}
