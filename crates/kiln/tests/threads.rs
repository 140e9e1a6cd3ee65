//! Interpreters share the compile threads of their engine, and start none that they do not need.

#![cfg(target_os = "linux")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use kiln::{Engine, EngineOptions, Interpreter, JitOptions};

/// Tests that count threads run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Those of the test before end when they have compiled what they are at.
    while compile_threads() > 0 {
        std::thread::yield_now();
    }
    alone
}

/// The number of threads of this process that compile.
fn compile_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.trim() == "kiln-compile")
        .count()
}

/// Options with which loops get hot at once.
fn eager() -> JitOptions {
    JitOptions {
        threshold: 20,
        ..JitOptions::default()
    }
}

/// A program with many functions that get hot, `f0` to `f39`, and the sum of what they return.
fn many_functions() -> String {
    let mut program = String::from("sum = 0\n");
    for number in 0..40 {
        program += &format!(
            "f{number} = function(n)\nx = 0\nfor i in range(1, n)\nx += {number}\nend for\nreturn x\nend function\nsum += f{number}(200)\n"
        );
    }
    program
}

#[test]
fn an_interpreter_compiles_on_a_thread_only_once_something_is_hot() {
    let _alone = alone();
    let engine = Engine::with(&EngineOptions { compile_threads: 1 });
    let cold = engine.compile("cold.ms", "x = 1").unwrap();
    let hot = "x = 0\nwhile x < 1000000\nx += 1\nend while";
    let hot = engine.compile("hot.ms", hot).unwrap();
    let mut interpreters: Vec<Interpreter> = Vec::new();
    for _ in 0..50 {
        let mut interpreter = engine.interpreter().build().unwrap();
        interpreter.run(&cold).unwrap();
        interpreters.push(interpreter);
    }
    assert_eq!(compile_threads(), 0);
    // Once it has delivered something, the thread has its name, by which it is counted.
    while interpreters[0].jit_report().compiled == 0 {
        interpreters[0].run(&hot).unwrap();
    }
    assert_eq!(compile_threads(), 1);
}

#[test]
fn the_interpreters_of_an_engine_share_its_compile_threads() {
    let _alone = alone();
    let engine = Engine::with(&EngineOptions { compile_threads: 2 });
    let program = engine.compile("hot.ms", &many_functions()).unwrap();
    let mut interpreters: Vec<Interpreter> = (0..20)
        .map(|_| engine.interpreter().jit(eager()).build().unwrap())
        .collect();
    for _ in 0..3 {
        for interpreter in &mut interpreters {
            interpreter.run(&program).unwrap();
            assert_eq!(interpreter.global::<f64>("sum").unwrap(), 156_000.0);
            assert!(compile_threads() <= 2);
        }
    }
    // However much the others want, everyone gets something.
    for interpreter in &mut interpreters {
        while interpreter.jit_report().compiled == 0 {
            interpreter.run(&program).unwrap();
        }
    }
    assert!((1..=2).contains(&compile_threads()));
}

#[test]
fn an_interpreter_may_go_while_its_code_is_compiled() {
    let _alone = alone();
    let engine = Engine::with(&EngineOptions { compile_threads: 1 });
    let program = engine.compile("hot.ms", &many_functions()).unwrap();
    for round in 0..30 {
        let mut interpreter = engine.interpreter().jit(eager()).build().unwrap();
        interpreter.run(&program).unwrap();
        if round % 3 == 0 {
            // Orders of the old world are of no use to the new one.
            interpreter.reset().unwrap();
            interpreter.run(&program).unwrap();
        }
    }
    let mut last = engine.interpreter().jit(eager()).build().unwrap();
    while last.jit_report().compiled == 0 {
        last.run(&program).unwrap();
    }
    assert_eq!(last.global::<f64>("sum").unwrap(), 156_000.0);
}

#[test]
fn without_threads_scripts_wait_for_their_code() {
    let _alone = alone();
    let engine = Engine::with(&EngineOptions { compile_threads: 0 });
    let mut interpreter = engine.interpreter().jit(eager()).build().unwrap();
    let program = engine.compile("hot.ms", &many_functions()).unwrap();
    interpreter.run(&program).unwrap();
    assert!(interpreter.jit_report().compiled >= 40);
    assert_eq!(compile_threads(), 0);
}
