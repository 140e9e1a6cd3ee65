//! The `kiln` program as scripts and people at a shell see it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Runs `kiln` with this input: its standard output, standard error and exit status.
fn kiln(arguments: &[&str], input: &str) -> (String, String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kiln"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read its input may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(stdout), text(stderr), status.code().unwrap())
}

/// A file in the system's folder for temporary files, removed at the end of the test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, contents: &str) -> Temporary {
        let path = std::env::temp_dir().join(format!("kiln-cli-{}-{name}", std::process::id()));
        std::fs::write(&path, contents).unwrap();
        Temporary(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn programs_come_from_files_options_and_standard_input() {
    let script = Temporary::new("sources.ms", "print shellArgs[1:]");
    let expected = ("[\"-x\", \"--help\"]\n".into(), String::new(), 0);
    assert_eq!(kiln(&[script.path(), "-x", "--help"], ""), expected);
    assert_eq!(kiln(&["run", script.path(), "-x", "--help"], ""), expected);
    let two = ("2\n".into(), String::new(), 0);
    assert_eq!(kiln(&["-c", "print 1 + 1"], ""), two);
    assert_eq!(kiln(&["-"], "print 1 + 1"), two);
    assert_eq!(kiln(&[], "print 1 + 1"), two);
}

#[test]
fn the_exit_status_tells_how_it_went() {
    assert_eq!(kiln(&["-c", "exit 261"], "").2, 5);
    assert_eq!(kiln(&["-c", "print nosuch"], "").2, 1);
    assert_eq!(kiln(&["-c", "print )"], "").2, 1);
    assert_eq!(kiln(&["--no-such-option"], "").2, 2);
    let (_, errors, status) = kiln(&["no-such-file.ms"], "");
    assert_eq!(status, 2);
    assert!(
        errors.starts_with("kiln: cannot read no-such-file.ms: "),
        "{errors}"
    );
}

#[test]
fn errors_follow_the_output_and_show_the_stack() {
    let program = "f = function\n  print 1, \"\"\n  return nosuch\nend function\nf";
    let (output, errors, _) = kiln(&["-c", program], "");
    assert_eq!(output, "1");
    let expected = [
        "Runtime Error: Undefined Identifier: 'nosuch' is unknown in this context [line 3]",
        "  (current program) line 3",
        "  (current program) line 5",
    ];
    assert_eq!(errors.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn limits_end_programs_with_errors() {
    let hoarder = "x = []\nwhile 1\nx.push [1]\nend while";
    let (_, errors, status) = kiln(&["--heap-limit", "8M", "-c", hoarder], "");
    assert_eq!(status, 1);
    assert!(
        errors.starts_with("Runtime Error: out of memory: the heap limit of 8 MB is reached"),
        "{errors}"
    );
    let recursion = "f = function(n)\nreturn f(n + 1)\nend function\nf 1";
    let (_, errors, status) = kiln(&["--stack-limit", "64K", "-c", recursion], "");
    assert_eq!(status, 1);
    assert!(
        errors.starts_with("Runtime Error: Call stack overflow [line 2]"),
        "{errors}"
    );
}

#[test]
fn a_program_whose_output_nobody_reads_stops_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kiln"))
        .args(["-c", "while true\nprint \"line\"\nend while"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn check_reports_errors_and_runs_nothing() {
    let good = Temporary::new("good.ms", "print \"running\"");
    let bad = Temporary::new("bad.ms", "x = 1\nprint )");
    assert_eq!(
        kiln(&["check", good.path()], ""),
        (String::new(), String::new(), 0)
    );
    let (output, errors, status) = kiln(&["check", bad.path(), good.path()], "");
    assert_eq!((output.as_str(), status), ("", 1));
    assert!(
        errors.starts_with("Compiler Error: got RParen where number"),
        "{errors}"
    );
    assert!(errors.contains("print )"), "{errors}");
}

#[test]
fn compiled_programs_run_like_their_source() {
    let source = Temporary::new(
        "square.ms",
        "f = function(x)\nreturn x * x\nend function\nprint f(7)\nprint shellArgs.len",
    );
    let compiled = Temporary::new("square.kbc", "");
    let quiet = (String::new(), String::new(), 0);
    assert_eq!(
        kiln(&["compile", source.path(), "-o", compiled.path()], ""),
        quiet
    );
    let expected = ("49\n2\n".into(), String::new(), 0);
    assert_eq!(kiln(&[compiled.path(), "x"], ""), expected);
    assert_eq!(kiln(&["run", compiled.path(), "x"], ""), expected);
    std::fs::write(&compiled.0, b"KILNBC nonsense").unwrap();
    let (_, errors, status) = kiln(&[compiled.path()], "");
    assert_eq!(status, 2);
    assert!(errors.starts_with("kiln: cannot run "), "{errors}");
}

#[test]
fn stages_can_be_looked_at() {
    let source = Temporary::new("stages.ms", "answer = 6 * 7");
    let dump = |options: &[&str]| kiln(&[&["dump"], options, &[source.path()]].concat(), "").0;
    assert!(dump(&["--tokens"]).contains("Identifier(answer)"));
    assert!(dump(&["--ast"]).contains("target variable answer"));
    assert!(dump(&[]).contains("= \"answer\"\n"));
}

#[test]
fn what_the_optimizer_makes_of_hot_code_can_be_looked_at() {
    let source = "f = function(n)\n  sum = 0\n  while n > 0\n    sum = sum + n\n    n = n - 1\n  end while\n  \
                  return sum\nend function\nfor i in range(1, 20)\n  f 100\nend for\nprint \"unseen\"\n";
    let script = Temporary::new("optimized.ms", source);
    let target = format!("{}:f", script.path());
    let dump = |options: &[&str]| {
        let mut arguments = vec!["dump", "--jit-threshold=1"];
        arguments.extend(options);
        arguments.push(&target);
        let (output, errors, status) = kiln(&arguments, "");
        assert_eq!((errors.as_str(), status), ("", 0), "{options:?}");
        assert!(!output.contains("unseen"), "{output}");
        output
    };
    assert!(dump(&["--ssa"]).contains("add_f64"));
    let passes = dump(&["--ssa-passes"]);
    assert!(passes.contains("behind build\n") && passes.contains("behind unboxing\n"));
    let skipped = dump(&["--ssa-passes", "--ssa-skip=unboxing,memory"]);
    assert!(skipped.contains("behind build\n") && !skipped.contains("behind unboxing\n"));
    assert!(!dump(&["--ssa-passes", "--ssa-stop-after=2"]).contains("behind unboxing\n"));
    assert!(dump(&["--clif", "--optimized"]).contains("fadd"));
    assert!(dump(&["--asm", "--optimized"]).contains("bytes"));
}

#[test]
fn a_session_shows_results_and_survives_errors() {
    let input = "x = [1,\n2]\nif x then\nprint \"yes\"\nend if\nx\nnosuch\n1 +* 2\n_\nline = input\nsome text\nline\nexit 3\n4\n";
    let (output, errors, status) = kiln(&["repl"], input);
    assert_eq!(output, "yes\n[1, 2]\n[1, 2]\nsome text\n");
    assert_eq!(status, 3);
    let reports: Vec<&str> = errors
        .lines()
        .filter(|line| line.contains("Error:"))
        .collect();
    assert_eq!(reports.len(), 2, "{errors}");
    assert!(
        reports.iter().all(|report| report.ends_with("[line 1]")),
        "{errors}"
    );
}

#[test]
fn lines_of_a_session_share_their_variables() {
    let input = "drop = function(name)\nglobals.remove name\nend function\n\
        total = 1\nfor i in [1, 2, 3]\ntotal = total + i\nend for\ntotal\n\
        for i in [4, 5]\ntotal = total * i\nif i == 5 then drop \"total\"\ntotal = i\nend for\n\
        total\nlen = 7\nif 1 then\nlen = 8\ndrop \"len\"\nprint @len\nlen = 9\nend if\nlen\n\
        if 1 then\ntotal = 1\ndrop \"total\"\ntotal = total + 1\nend if\n\
        for i in [6, 7]\nnosuch\nend for\ni\n__i_idx\nglobals.indexes.join\n";
    let (output, errors, _) = kiln(&["repl"], input);
    assert_eq!(
        output,
        "7\n5\nFUNCTION(self)\n9\n6\n0\ndrop __i_idx i len\n"
    );
    let reports: Vec<&str> = errors
        .lines()
        .filter(|line| line.contains("Error:"))
        .collect();
    assert_eq!(reports.len(), 2, "{errors}");
    assert!(reports[0].contains("'total'"), "{errors}");
    assert!(reports[1].contains("'nosuch'"), "{errors}");
}

#[test]
fn a_session_may_go_on_after_a_program() {
    let (output, _, status) = kiln(&["-i", "-c", "x = 6"], "x * 7\n");
    assert_eq!((output.as_str(), status), ("42\n", 0));
}

#[test]
fn statistics_are_told_on_standard_error() {
    let (output, errors, _) = kiln(&["--gc-stats", "--gc-stress", "-c", "print [1, 2]"], "");
    assert_eq!(output, "[1, 2]\n");
    assert!(errors.starts_with("allocated "), "{errors}");
}
