//! What scripts can do is what their host grants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kiln::{
    CodeBlock, CompileOptions, Engine, FileSystem, Host, Interpreter, Library, Outcome,
    RuntimeError, ScriptError, SystemFiles,
};

fn compile(text: &str, module: Option<String>) -> Arc<CodeBlock> {
    kiln::compile(
        "test",
        text.as_bytes(),
        CompileOptions {
            module,
            ..CompileOptions::default()
        },
    )
    .unwrap()
}

fn interpreter() -> Interpreter {
    Engine::new().interpreter().build().unwrap()
}

/// Runs a program without any grants and returns its error.
fn refused(program: &str) -> String {
    let mut interpreter = interpreter();
    interpreter
        .run(&compile(program, None))
        .unwrap_err()
        .error
        .to_string()
}

/// A host with modules in memory, which keeps what is printed.
#[derive(Default)]
struct Recorder {
    output: Arc<Mutex<String>>,
    modules: HashMap<&'static str, Arc<CodeBlock>>,
    environment: Vec<(String, String)>,
    files: Option<SystemFiles>,
}

impl Recorder {
    fn with_modules(modules: &[(&'static str, &str)]) -> Recorder {
        let compiled = |(name, text): &(&'static str, &str)| {
            (*name, compile(text, Some(format!("{name}.ms"))))
        };
        Recorder {
            modules: modules.iter().map(compiled).collect(),
            ..Recorder::default()
        }
    }

    /// Runs a program: what it printed, and how it ended.
    fn run(self, program: &str) -> (String, Result<Outcome, String>) {
        let output = self.output.clone();
        let mut interpreter = Engine::new().interpreter().host(self).build().unwrap();
        let ending = interpreter
            .run(&compile(program, None))
            .map_err(|error| error.to_string());
        (std::mem::take(&mut *output.lock().unwrap()), ending)
    }
}

impl Host for Recorder {
    fn write_output(&mut self, text: &str) {
        self.output.lock().unwrap().push_str(text);
    }

    fn files(&mut self) -> Option<&mut dyn FileSystem> {
        self.files
            .as_mut()
            .map(|files| files as &mut dyn FileSystem)
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }

    fn load_library(&mut self, name: &str, candidates: &[String]) -> Option<Library> {
        if name == "where" {
            return Some(Library::Broken(candidates.join(" ")));
        }
        self.modules.get(name).cloned().map(Library::Code)
    }
}

#[test]
fn nothing_is_granted_by_default() {
    assert_eq!(
        refused("file.exists \"x\""),
        "file access is not allowed here"
    );
    assert_eq!(
        refused("file.open \"x\""),
        "file access is not allowed here"
    );
    assert_eq!(refused("file.children"), "file access is not allowed here");
    assert_eq!(
        refused("exec \"true\""),
        "running programs is not allowed here"
    );
    assert_eq!(refused("import \"x\""), "import: library not found: x");
    assert_eq!(
        refused("key.get"),
        "key.get: there is no keyboard to wait for"
    );
}

#[test]
fn what_needs_no_grant_works_without() {
    let program = "env.a = 1; print env; print file.name(\"/a/b\"); print input; print shellArgs; print key.available";
    let (output, ending) = Recorder::default().run(program);
    assert_eq!(output, "{\"a\": 1}\nb\n\n[]\n0\n");
    assert_eq!(ending, Ok(Outcome::Finished));
}

#[test]
fn modules_come_from_the_host() {
    let host = Recorder::with_modules(&[(
        "counter",
        "count = 0\nnext = function\nouter.count += 1\nreturn count\nend function",
    )]);
    let (output, ending) = host.run(
        "for i in range(1, 3)\nimport \"counter\"\nprint counter.next + counter.next\nend for",
    );
    assert_eq!(
        (output.as_str(), ending),
        ("3\n3\n3\n", Ok(Outcome::Finished))
    );
}

#[test]
fn modules_that_import_each_other_end_with_an_error() {
    let host = Recorder::with_modules(&[("a", "import \"b\""), ("b", "x = 1\nimport \"a\"")]);
    let (_, ending) = host.run("import \"a\"");
    assert_eq!(
        ending,
        Err(
            "Runtime Error: import: nested too deeply (perhaps an import cycle?) [b.ms line 2]"
                .to_string()
        )
    );
}

#[test]
fn a_module_may_end_the_program() {
    let host = Recorder::with_modules(&[("leave", "exit 3")]);
    assert_eq!(
        host.run("import \"leave\"\nprint 1"),
        (String::new(), Ok(Outcome::Exit(3)))
    );
}

#[test]
fn a_module_may_wait() {
    let host = Recorder::with_modules(&[("slow", "wait 0.01\nx = 1")]);
    assert_eq!(
        host.run("import \"slow\"\nprint slow.x"),
        ("1\n".to_string(), Ok(Outcome::Finished))
    );
}

#[test]
fn the_search_path_is_the_scripts_to_change() {
    let path = (
        "MS_IMPORT_PATH".to_string(),
        "$BASE/x:${BASE}y/::$LATER".to_string(),
    );
    let host = Recorder {
        environment: vec![path, ("BASE".into(), "/base".into())],
        ..Recorder::default()
    };
    let (_, ending) = host.run("env.LATER = \"$BASE/z\"\nimport \"where\"");
    assert_eq!(
        ending,
        Err("/base/x/where.ms /basey/where.ms .where.ms /base/z/where.ms".to_string())
    );
}

#[test]
fn files_that_nobody_can_reach_are_closed() {
    let path = std::env::temp_dir().join(format!("kiln-host-{}", std::process::id()));
    let program = format!(
        "for i in range(1, 3000)\nf = file.open(\"{}\", \"w\")\nif f == null then exit 1\nf.write i\nend for",
        path.display()
    );
    let (_, ending) = Recorder {
        files: Some(SystemFiles),
        ..Recorder::default()
    }
    .run(&program);
    assert_eq!(ending, Ok(Outcome::Finished));
    // The world has ended with the run, and its files with it.
    let contents = std::fs::read_to_string(&path);
    std::fs::remove_file(&path).unwrap();
    assert!(contents.unwrap().ends_with("3000"));
}

/// Runs a program, interrupts it when it has been running for a while, and returns how it ended.
fn interrupted(interpreter: &mut Interpreter, program: &str) -> ScriptError {
    let interrupter = interpreter.interrupter();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        interrupter.interrupt();
    });
    let error = interpreter.run(&compile(program, None)).unwrap_err();
    thread.join().unwrap();
    error
}

/// Every form of loop: conditions that are one comparison with a constant or a variable, others, and slow ones.
#[test]
fn endless_loops_can_be_interrupted() {
    let mut interpreter = interpreter();
    for (condition, body) in [
        ("x < 1", ""),
        ("x == y", ""),
        ("x < 1 and y < 1", ""),
        ("x < 1 or y < 1", ""),
        ("not x", ""),
        ("true", "continue"),
        ("x != text", ""),
        ("x != f", ""),
    ] {
        let program = format!(
            "x = 0; y = 0; text = \"text\"; f = function; return 1; end function\nx = 0\nwhile {condition}\n{body}\nend while"
        );
        let error = interrupted(&mut interpreter, &program);
        assert_eq!(error.error, RuntimeError::Interrupted, "{condition}");
        assert_eq!(
            error.to_string(),
            "Runtime Error: interrupted [line 3]",
            "{condition}"
        );
    }
}

/// More loops than a flag byte can number, and one whose body is too long for a 16-bit distance.
#[test]
fn functions_may_have_many_and_long_loops() {
    let loops = "i = 0\nwhile i < 3\ni += 1\nn += 1\nend while\n".repeat(300);
    let body = "n += i\n".repeat(40_000);
    let program = format!(
        "count = function(n)\n{loops}while i > 1\n{body}i -= 1\nend while\nreturn n\nend function\nexit count(-200000) - 900"
    );
    let mut interpreter = interpreter();
    assert_eq!(
        interpreter.run(&compile(&program, None)),
        Ok(Outcome::Exit(0))
    );
}

#[test]
fn a_waiting_script_can_be_interrupted() {
    let mut interpreter = interpreter();
    let error = interrupted(&mut interpreter, "x = 1\nwait 1000000");
    assert_eq!(error.error, RuntimeError::Interrupted);
    assert_eq!(error.to_string(), "Runtime Error: interrupted [line 2]");
    // The next program is not affected.
    assert_eq!(
        interpreter.run(&compile("x += 1", None)),
        Ok(Outcome::Finished)
    );
    assert_eq!(interpreter.global_text("x").as_deref(), Some("2"));
}

#[test]
fn long_stacks_are_shown_with_a_gap() {
    let mut interpreter = interpreter();
    let program = compile(
        "f = function(n)\nif n == 0 then return nosuch\nreturn f(n - 1)\nend function\nf 99",
        None,
    );
    let error = interpreter.run(&program).unwrap_err();
    let lines: Vec<String> = error.stack_lines().collect();
    assert_eq!(lines.len(), 41);
    assert_eq!(lines[0], "  (current program) line 2");
    assert_eq!(lines[30], "  ... 61 more calls ...");
    assert_eq!(lines[40], "  (current program) line 5");
}

#[test]
fn only_lines_that_store_a_result_have_one() {
    let mut interpreter = interpreter();
    let mut lines = kiln::LineReader::new();
    for (line, expected) in [
        ("1 + 1", Some("2")),
        ("x = 5", None),
        ("_ * 10", Some("20")),
        ("if 0 then 7", None),
        ("_", Some("20")),
        ("null", None),
        ("nothing = null; nothing", None),
        ("list = [1]; [list]", Some("[list]")),
    ] {
        let Ok(kiln::Line::Program(program)) = lines.feed(line) else {
            continue;
        };
        assert_eq!(
            interpreter.run_line(&program).unwrap().result.as_deref(),
            expected,
            "{line}"
        );
    }
}

#[test]
fn compiled_code_survives_a_file() {
    let program = compile(
        "x = [1, \"two\"]\nf = function\nreturn x\nend function\ny = f",
        None,
    );
    let contents = kiln::save_compiled(&program);
    assert!(kiln::is_compiled(&contents) && !kiln::is_compiled(b"x = 1"));
    let mut interpreter = interpreter();
    interpreter
        .run(&kiln::load_compiled(&contents).unwrap())
        .unwrap();
    assert_eq!(
        interpreter.global_text("y").as_deref(),
        Some("[1, \"two\"]")
    );
    assert!(kiln::load_compiled(&contents[..contents.len() / 2]).is_err());
}

#[test]
fn globals_can_be_read_after_an_error_and_by_the_next_program() {
    let mut interpreter = interpreter();
    let failing = "f = function\n  return total\nend function\n\
        total = 0\nfor i in [1, 2, 3]\n  total = total + i\n  if i == 2 then nosuch\nend for\n";
    for _ in 0..2 {
        assert!(interpreter.run(&compile(failing, None)).is_err());
        assert_eq!(interpreter.global_text("total").as_deref(), Some("3"));
        assert_eq!(
            interpreter.global_names(),
            ["f", "total", "__i_idx", "i"].map(String::from)
        );
    }
    let next = "before = f + total\ntotal = 10\nafter = f + total\nexit";
    let ending = interpreter.run(&compile(next, None)).unwrap();
    assert_eq!(ending, Outcome::Exit(0));
    assert_eq!(interpreter.global_text("before").as_deref(), Some("6"));
    assert_eq!(interpreter.global_text("after").as_deref(), Some("20"));
}

#[test]
fn a_module_may_use_the_variables_of_the_program_that_is_running() {
    let host = Recorder::with_modules(&[(
        "clear",
        "drop = function(name)\n  globals.remove name\nend function\n\
         grow = function\n  globals.total = globals.total + 1\n  return 10\nend function\n",
    )]);
    let program = "import \"clear\"\ntotal = 1\nfor i in [1, 2]\n  total = total + clear.grow\n\
        print total\n  clear.drop \"total\"\n  total = i * 5\nend for\nprint total\n\
        row = [1, 2]\nclear.drop \"row\"\nprint row[0]\n";
    let (output, ending) = host.run(program);
    assert_eq!(output, "11\n15\n10\n");
    assert!(ending.unwrap_err().contains("'row'"));
}

#[test]
fn a_program_can_be_run_again_and_again() {
    let recorder = Recorder::default();
    let output = recorder.output.clone();
    let mut interpreter = Engine::new().interpreter().host(recorder).build().unwrap();
    // The top level's own variables, a closure over a local and a way out in the middle.
    let program = compile(
        "if not globals.hasIndex(\"runs\") then globals.runs = 0\n\
         globals.runs = globals.runs + 1\n\
         adder = function(n)\n  f = function(m)\n    return m + n\n  end function\n  return @f\nend function\n\
         add = adder(runs)\n\
         if runs == 2 then exit 7\n\
         if runs == 3 then nosuch\n\
         print add(10)",
        None,
    );
    let other = compile("print \"other \" + runs", None);
    assert_eq!(interpreter.run(&program).unwrap(), Outcome::Finished);
    assert_eq!(interpreter.run(&program).unwrap(), Outcome::Exit(7));
    assert!(interpreter.run(&program).is_err());
    assert_eq!(interpreter.run(&other).unwrap(), Outcome::Finished);
    assert_eq!(interpreter.run(&program).unwrap(), Outcome::Finished);
    assert_eq!(interpreter.run(&program).unwrap(), Outcome::Finished);
    assert_eq!(*output.lock().unwrap(), "11\nother 3\n14\n15\n");
}
