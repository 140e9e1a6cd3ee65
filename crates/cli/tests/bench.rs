//! `kiln bench` as people and scripts see it. Nothing here depends on how long anything takes.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A folder in the system's folder for temporary files, removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("kiln-bench-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, contents: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, contents).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs `kiln bench`: its standard output, standard error and exit status.
fn bench(arguments: &[&str]) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_kiln"))
        .arg("bench")
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code().unwrap(),
    )
}

/// Runs `kiln bench`, which must fail with this status and say this.
fn refused(arguments: &[&str], status: i32, message: &str) {
    let (_, errors, found) = bench(arguments);
    assert_eq!(found, status, "{arguments:?}: {errors}");
    assert!(errors.contains(message), "{arguments:?}: {errors}");
}

fn kiln_with_placeholder() -> String {
    format!("'{}' run {{}}", env!("CARGO_BIN_EXE_kiln"))
}

#[test]
fn the_report_shows_every_engine_and_a_verdict() {
    let folder = Folder::new("report");
    let script = folder.file("sum.ms", "print 1 + 1");
    let (output, errors, status) = bench(&[&script, "--runs", "6", "--vs", "sh -c 'echo 2' {}"]);
    assert_eq!((errors.as_str(), status), ("", 0));
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], script);
    for title in ["elapsed", "median", "95 % interval", "memory", "runs"] {
        assert!(lines[1].contains(title), "{output}");
    }
    assert!(
        lines[2].starts_with("  kiln ") && lines[2].ends_with(" 6"),
        "{output}"
    );
    assert!(lines[3].starts_with("  sh "), "{output}");
    assert!(lines[4].contains("times as fast"), "{output}");
    assert!(!output.contains('\x1b'));
}

#[test]
fn the_document_holds_every_run() {
    let folder = Folder::new("document");
    let script = folder.file("sum.ms", "print shellArgs[1:]");
    let json = folder.path("out.json");
    let kiln = env!("CARGO_BIN_EXE_kiln");
    let (_, errors, status) = bench(&[
        &script,
        "--runs",
        "7",
        "-a",
        "-x",
        "--binary",
        kiln,
        "--metric",
        "processor",
        "--json",
        &json,
    ]);
    assert_eq!((errors.as_str(), status), ("", 0));
    let document = folder.json("out.json");
    assert_eq!(document["schema"], "kiln-bench");
    assert_eq!(document["version"], 1);
    assert_eq!(document["settings"]["mode"], "process");
    assert_eq!(document["settings"]["metric"], "processor");
    assert_eq!(document["settings"]["arguments"][0], "-x");
    assert!(document["host"]["threads"].as_u64().unwrap() > 0);
    let engines = document["scripts"][0]["engines"].as_array().unwrap();
    assert_eq!(engines.len(), 2);
    for engine in engines {
        assert_eq!(engine["runs"].as_array().unwrap().len(), 7);
        assert_eq!(engine["summary"]["count"], 7);
        assert!(engine["runs"][0]["peak_memory_bytes"].as_u64().unwrap() > 0);
        let summary = &engine["summary"];
        assert!(summary["interval"]["low"].as_f64() <= summary["median"].as_f64());
    }
    assert!(engines[0]["comparison"].is_null());
    assert!(engines[1]["comparison"]["ratio"].as_f64().unwrap() > 0.0);
    assert_eq!(engines[1]["name"], kiln);
}

#[test]
fn json_on_standard_output_stands_alone() {
    let folder = Folder::new("standard-output");
    let script = folder.file("sum.ms", "print 1");
    let (output, _, _) = bench(&[&script, "-n", "1", "--json", "-"]);
    let document: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(document["scripts"][0]["script"], script.as_str());
}

#[test]
fn without_a_number_of_runs_there_are_enough_for_an_interval() {
    let folder = Folder::new("adaptive");
    let script = folder.file("sum.ms", "print 1");
    let (output, errors, _) = bench(&[&script, "--time", "0.001", "--json", "-"]);
    let document: Value = serde_json::from_str(&output).unwrap_or_else(|_| panic!("{errors}"));
    let interval = &document["scripts"][0]["engines"][0]["summary"]["interval"];
    assert!(interval["confidence"].as_f64().unwrap() >= 0.95);
}

#[test]
fn one_process_can_make_all_runs() {
    let folder = Folder::new("in-process");
    // A global variable tells that the interpreter stays the same.
    let script = folder.file(
        "count.ms",
        "if not globals.hasIndex(\"runs\") then globals.runs = 0\nruns = runs + 1\nprint runs + input",
    );
    let input = folder.file("input", "!\n");
    let arguments = [&script, "--in-process", "--input", &input, "-n", "3"];
    refused(&arguments, 1, "in line 1: \"1!\" against \"2!\"");
    let (output, _, status) =
        bench(&[&arguments[..], &["--ignore-output", "--json", "-"]].concat());
    assert_eq!(status, 0);
    let document: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(document["settings"]["mode"], "in-process");
    assert_eq!(document["scripts"][0]["engines"][0]["summary"]["count"], 3);
    let svg = folder.path("course.svg");
    let drawn = ["--ignore-output", "--svg", &svg];
    let (output, errors, status) = bench(&[&arguments[..], &drawn].concat());
    assert_eq!((errors.as_str(), status), ("", 0));
    assert!(output.contains("Run by run: 1 "), "{output}");
    assert!(folder.read("course.svg").contains("run by run"));
    let broken = folder.file("broken.ms", "print nosuch");
    refused(&[&broken, "--in-process"], 1, "'nosuch' is unknown");
    let unfinished = folder.file("unfinished.ms", "if 1 then");
    refused(&[&unfinished, "--in-process"], 1, "does not compile");
}

#[test]
fn results_can_be_compared_with_earlier_ones() {
    let folder = Folder::new("baseline");
    let script = folder.file("sum.ms", "print 1");
    let baseline = folder.path("baseline.json");
    let (_, errors, status) = bench(&[&script, "-n", "6", "--save-baseline", &baseline]);
    assert_eq!((errors.as_str(), status), ("", 0));
    let arguments = [&script, "-n", "6", "--baseline", &baseline];
    let (output, _, status) = bench(&arguments);
    assert_eq!(status, 0);
    assert!(output.contains("baseline"), "{output}");

    // As if everything had taken a thousandth of the least time that counts.
    let mut earlier = folder.json("baseline.json");
    for run in earlier["scripts"][0]["engines"][0]["runs"]
        .as_array_mut()
        .unwrap()
    {
        run["elapsed_seconds"] = 1e-9.into();
    }
    folder.file("baseline.json", &earlier.to_string());
    let (output, errors, status) = bench(&[&arguments[..], &["--fail-if-slower", "10"]].concat());
    assert_eq!((errors.as_str(), status), ("", 3));
    assert!(
        output.contains("times as slow as in the baseline"),
        "{output}"
    );

    let other = folder.file("other.ms", "print 1");
    let (output, _, _) = bench(&[&other, "-n", "6", "--baseline", &baseline]);
    assert!(
        output.contains("no results for this in the baseline"),
        "{output}"
    );
    refused(
        &[&script, "-a", "1", "--baseline", &baseline],
        2,
        "was measured with other arguments",
    );
}

#[test]
fn a_history_grows_by_a_line_for_each_script_and_engine() {
    let folder = Folder::new("history");
    let script = folder.file("sum.ms", "print 1");
    let history = folder.path("history.jsonl");
    let arguments = [&script, "-n", "2", "--history", &history];
    assert!(!bench(&arguments).0.contains("kiln took"));
    assert!(bench(&arguments).0.contains("kiln took"));
    let lines: Vec<Value> = folder
        .read("history.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["schema"], "kiln-bench-history");
    assert_eq!(
        (&lines[1]["engine"], &lines[1]["runs"]),
        (&"kiln".into(), &2.into())
    );
}

#[test]
fn the_chart_names_scripts_and_engines() {
    let folder = Folder::new("chart");
    let script = folder.file("a&b.ms", "print 1");
    let svg = folder.path("chart.svg");
    let (_, errors, status) = bench(&[
        &script,
        "-n",
        "2",
        "--vs",
        "sh -c 'echo 1' {}",
        "--svg",
        &svg,
    ]);
    assert_eq!((errors.as_str(), status), ("", 0));
    let chart = folder.read("chart.svg");
    assert!(chart.starts_with("<svg ") && chart.trim_end().ends_with("</svg>"));
    assert!(chart.contains("a&amp;b.ms") && chart.contains("kiln: ") && chart.contains("sh: "));
}

#[test]
fn engines_must_agree() {
    let folder = Folder::new("differences");
    let script = folder.file("sum.ms", "print 1");
    let kiln = kiln_with_placeholder();
    let arguments = [
        &script,
        "-n",
        "2",
        "--vs",
        &kiln,
        "--vs",
        "echo {stem} {dir}",
    ];
    refused(&arguments, 1, "in line 1");
    let (output, _, status) = bench(&[&arguments[..], &["--ignore-output"]].concat());
    assert_eq!(status, 0);
    // Two engines have the same name: the command tells them apart.
    assert!(output.contains(&kiln), "{output}");
}

#[test]
fn failing_scripts_are_errors() {
    let folder = Folder::new("failures");
    let broken = folder.file("broken.ms", "print nosuch");
    refused(
        &[&broken],
        1,
        "broken.ms failed on kiln with exit status: 1",
    );
    refused(&[&broken], 1, "'nosuch' is unknown");
    let exit = folder.file("exit.ms", "print 1\nexit 3");
    refused(
        &[&exit],
        1,
        "exit status: 3 (--ignore-status lets that pass)",
    );
    for more in [&["-n", "2"][..], &["-n", "2", "--in-process"]] {
        let (_, errors, status) = bench(&[&[exit.as_str(), "--ignore-status"], more].concat());
        assert_eq!((errors.as_str(), status), ("", 0));
    }
}

#[test]
fn scripts_read_what_they_are_given_and_never_wait() {
    let folder = Folder::new("input");
    let script = folder.file("input.ms", "print input + input");
    assert_eq!(bench(&[&script, "-n", "2"]).2, 0);
    let lines = folder.file("lines", "a\nb\n");
    let expected = folder.file("expected", "ab\n");
    let cat = format!("sh -c 'cat {expected}' {{}}");
    let (_, errors, status) = bench(&[&script, "-n", "2", "--input", &lines, "--vs", &cat]);
    assert_eq!((errors.as_str(), status), ("", 0));
}

#[test]
fn wrong_usage_is_told_before_anything_runs() {
    let folder = Folder::new("usage");
    let script = folder.file("sum.ms", "print 1");
    let damaged = folder.file("damaged", "{\"schema\": \"kiln-bench\", \"version\": 1");
    let other = folder.file("other", "{\"schema\": \"else\", \"version\": 1}");
    for (arguments, status, message) in [
        (&[][..], 2, "required arguments"),
        (&["no-such-file.ms"], 2, "cannot read no-such-file.ms"),
        (&["-"], 2, "could be read only once"),
        (&[&script, "--runs", "0"], 2, "invalid value '0'"),
        (&[&script, "--precision", "0"], 2, "above 0"),
        (&[&script, "--time", "NaN"], 2, "above 0"),
        (
            &[&script, "--vs", "no-such-command {}"],
            2,
            "cannot run no-such-command",
        ),
        (&[&script, "--vs", "luajit"], 2, "put {} where"),
        (&[&script, "--vs", "'"], 2, "missing closing quote"),
        (
            &[&script, "--binary", "no-such-kiln"],
            2,
            "cannot run ./no-such-kiln",
        ),
        (
            &[&script, "--in-process", "--vs", "x {}"],
            2,
            "cannot be used with",
        ),
        (
            &[&script, "--input", "no-such-file"],
            2,
            "cannot read no-such-file",
        ),
        (
            &[&script, "--json", "no-such-folder/x"],
            1,
            "cannot write no-such-folder/x",
        ),
        (
            &[&script, "--history", "no-such-folder/x"],
            1,
            "cannot write no-such-folder/x",
        ),
        (
            &[&script, "--baseline", "no-such-file"],
            2,
            "cannot be read",
        ),
        (&[&script, "--baseline", &damaged], 2, "is damaged"),
        (
            &[&script, "--baseline", &other],
            2,
            "its schema is \"else\"",
        ),
        (&[&script, "--history", &damaged], 2, "line 1 is damaged"),
        (&[&script, "--fail-if-slower", "5"], 2, "--baseline"),
    ] {
        refused(arguments, status, message);
    }
    assert!(!Path::new("no-such-folder").exists());
}
