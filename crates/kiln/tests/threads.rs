//! Interpreters start no threads that they do not need.

#![cfg(target_os = "linux")]

use kiln::{Engine, Interpreter};

/// The number of threads of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn an_interpreter_compiles_on_a_thread_only_once_something_is_hot() {
    let engine = Engine::new();
    let cold = engine.compile("cold.ms", "x = 1").unwrap();
    let hot = "x = 0\nwhile x < 1000000\nx += 1\nend while";
    let hot = engine.compile("hot.ms", hot).unwrap();
    let before = threads();
    let mut interpreters: Vec<Interpreter> = Vec::new();
    for _ in 0..50 {
        let mut interpreter = engine.interpreter().build().unwrap();
        interpreter.run(&cold).unwrap();
        interpreters.push(interpreter);
    }
    assert_eq!(threads(), before);
    interpreters[0].run(&hot).unwrap();
    assert_eq!(threads(), before + 1);
}
