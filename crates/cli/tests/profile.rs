//! `kiln profile`, `kiln hotspots` and `kiln explain` as people and scripts see them.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A folder in the system's folder for temporary files, removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("kiln-profile-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// The path of a file in the folder.
    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file: its path.
    fn file(&self, name: &str, contents: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, contents).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn kiln(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs `kiln`: its standard output, standard error and exit status.
fn run(arguments: &[&str]) -> (String, String, i32) {
    let output = kiln(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code().unwrap(),
    )
}

const FIB: &str = "\
fib = function(n)
  if n < 2 then return n
  return fib(n - 1) + fib(n - 2)
end function
print fib(15)
print shellArgs[1:]
";

#[test]
fn the_report_leaves_standard_output_to_the_script() {
    let folder = Folder::new("stdout");
    let script = folder.file("fib.ms", FIB);
    let (output, report, status) = run(&["profile", &script, "--json", "x"]);
    assert_eq!((&*output, status), ("610\n[\"--json\", \"x\"]\n", 0));
    assert!(report.starts_with("Profile of "), "{report}");
    assert!(report.contains("1,973"), "{report}");
    // No terminal, no colours.
    assert!(!report.contains('\x1b'), "{report}");
    let lengths: Vec<usize> = report.lines().map(|line| line.chars().count()).collect();
    assert!(lengths.len() > 20);
}

#[test]
fn json_and_folded_stacks_go_to_files() {
    let folder = Folder::new("files");
    let script = folder.file("fib.ms", FIB);
    let (json, folded) = (folder.path("p.json"), folder.path("p.folded"));
    let arguments = [
        "profile", "--json", "-o", &json, "--folded", &folded, &script,
    ];
    assert_eq!(run(&arguments), ("610\n[]\n".into(), String::new(), 0));
    let profile: Value = serde_json::from_str(&folder.read("p.json")).unwrap();
    assert_eq!(profile["schema_version"], 1);
    assert_eq!(profile["method"], "exact");
    assert_eq!(profile["ending"]["kind"], "finished");
    let functions = profile["functions"].as_array().unwrap();
    let fib = functions.iter().find(|it| it["name"] == "fib").unwrap();
    assert_eq!(fib["calls"], 1973);
    for line in folder.read("p.folded").lines() {
        let (stack, time) = line.rsplit_once(' ').unwrap();
        assert!(stack.starts_with("(top level) fib.ms:1"), "{line}");
        time.parse::<u64>().unwrap();
    }
}

#[test]
fn every_field_of_the_schema_is_described() {
    let folder = Folder::new("schema");
    let script = folder.file("fib.ms", FIB);
    let json = folder.path("p.json");
    run(&["profile", "--memory", "--json", "-o", &json, &script]);
    let profile: Value = serde_json::from_str(&folder.read("p.json")).unwrap();
    let hotspots = folder.path("h.json");
    run(&["hotspots", "--json", "-o", &hotspots, &script]);
    let hotspots: Value = serde_json::from_str(&folder.read("h.json")).unwrap();
    let schema = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/profile-schema.md"
    ))
    .unwrap();
    let mut keys = Vec::new();
    collect_keys(&profile, &mut keys);
    collect_keys(&hotspots, &mut keys);
    assert!(keys.len() > 50, "{keys:?}");
    for key in keys {
        assert!(schema.contains(&format!("`{key}`")), "{key}");
    }
}

fn collect_keys(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if !keys.contains(key) {
                    keys.push(key.clone());
                }
                collect_keys(member, keys);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                collect_keys(element, keys);
            }
        }
        _ => {}
    }
}

#[test]
fn the_exit_status_is_that_of_the_script() {
    let folder = Folder::new("status");
    let exits = folder.file("exit.ms", "print 1\nexit 7");
    let (output, report, status) = run(&["profile", &exits]);
    assert_eq!((&*output, status), ("1\n", 7));
    assert!(report.contains("it ended by exit(7)"), "{report}");
    let fails = folder.file("fail.ms", "print 1\nx = nosuch");
    let (output, report, status) = run(&["profile", &fails]);
    assert_eq!((&*output, status), ("1\n", 1));
    assert!(
        report.starts_with("Runtime Error: Undefined Identifier: 'nosuch'"),
        "{report}"
    );
    assert!(report.contains("it ended by an error: "), "{report}");
    let wrong = folder.file("wrong.ms", "x = )");
    assert_eq!(run(&["profile", &wrong]).2, 1);
    assert_eq!(run(&["profile", &folder.path("nosuch.ms")]).2, 2);
    assert_eq!(run(&["profile"]).2, 2);
}

#[test]
fn an_unwritable_file_is_told_before_the_script_runs() {
    let folder = Folder::new("unwritable");
    let script = folder.file("hello.ms", "print \"hello\"");
    let nowhere = folder.path("no/such/folder/report.txt");
    for option in ["--output", "--folded"] {
        let (output, errors, status) = run(&["profile", option, &nowhere, &script]);
        assert_eq!((&*output, status), ("", 1));
        assert!(errors.starts_with("kiln: cannot write "), "{errors}");
    }
}

#[test]
fn an_interrupted_script_has_its_report() {
    let folder = Folder::new("interrupt");
    // `yield` makes sure that the word arrives.
    let script = folder.file(
        "endless.ms",
        "print \"ready\"\nyield\nwhile true\n  n = 1\nend while",
    );
    for more in [None, Some("--sample")] {
        let mut command = kiln(&["profile", "--json", "-o", &folder.path("p.json")]);
        let mut child = command
            .args(more)
            .arg(&script)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let profile: Value = serde_json::from_str(&folder.read("p.json")).unwrap();
        assert_eq!(profile["ending"]["kind"], "interrupted");
    }
}

#[test]
fn memory_has_a_report_of_its_own() {
    let folder = Folder::new("memory");
    let script = folder.file(
        "list.ms",
        "list = []\nfor i in range(1, 9)\n  list.push {\"a\": i}\nend for",
    );
    let (_, report, status) = run(&["profile", "--memory", &script]);
    assert_eq!(status, 0);
    assert!(report.contains("Shapes of maps"), "{report}");
    assert!(report.contains("{a}"), "{report}");
    assert!(report.contains("list.ms:3"), "{report}");
}

#[test]
fn hot_spots_decide_the_exit_status() {
    let folder = Folder::new("hotspots");
    let script = folder.file("fib.ms", FIB);
    let (_, report, status) = run(&["hotspots", &script]);
    assert_eq!(status, 0);
    assert!(report.contains("function fib at fib.ms:1"), "{report}");
    let strict = [
        "hotspots",
        "--min-calls",
        "2000",
        "--min-time",
        "100",
        &script,
    ];
    let (_, report, status) = run(&strict);
    assert_eq!(status, 3);
    assert!(report.starts_with("No candidates"), "{report}");
    let fails = folder.file("fail.ms", &format!("{FIB}x = nosuch"));
    let (_, report, status) = run(&["hotspots", &fails]);
    assert_eq!(status, 1);
    assert!(report.contains("function fib at fail.ms:1"), "{report}");
    assert_eq!(run(&["hotspots", "--min-time", "101", &script]).2, 2);
}

#[test]
fn compiled_files_can_be_measured() {
    let folder = Folder::new("compiled");
    let script = folder.file("fib.ms", FIB);
    let compiled = folder.path("fib.kbc");
    assert_eq!(run(&["compile", &script, "-o", &compiled]).2, 0);
    let (output, report, status) = run(&["profile", &compiled]);
    assert_eq!((&*output, status), ("610\n[]\n", 0));
    assert!(report.contains("1,973"), "{report}");
}

#[test]
fn the_page_has_the_numbers_of_the_json_and_the_source() {
    let folder = Folder::new("page");
    let script = folder.file("fib.ms", FIB);
    let (json, html) = (folder.path("p.json"), folder.path("p.html"));
    run(&[
        "profile", "--json", "-o", &json, "--html", &html, "--memory", &script,
    ]);
    let page = folder.read("p.html");
    let (_, embedded) = page.split_once("type=\"application/json\">").unwrap();
    let (embedded, _) = embedded.split_once("</script>").unwrap();
    let embedded: Value = serde_json::from_str(embedded).unwrap();
    let profile: Value = serde_json::from_str(&folder.read("p.json")).unwrap();
    assert_eq!(embedded, profile);
    assert!(page.contains("1,973"));
    assert!(page.contains("<span class=\"keyword\">return</span> fib(n - "));
    let lines = profile["lines"].as_array().unwrap();
    let numbers: Vec<&Value> = lines.iter().map(|line| &line["line"]).collect();
    assert_eq!(numbers, [1, 2, 3, 5, 6]);
}

#[test]
fn samples_come_with_what_was_compiled() {
    let folder = Folder::new("tiers");
    let script = folder.file("fib.ms", FIB);
    let json = folder.path("p.json");
    run(&[
        "profile",
        "--sample",
        "--jit-threshold",
        "1",
        "--json",
        "-o",
        &json,
        &script,
    ]);
    let profile: Value = serde_json::from_str(&folder.read("p.json")).unwrap();
    let changes = profile["tier_changes"].as_array().unwrap();
    // Machines for which there is no compiler record nothing.
    if let Some(fib) = changes.iter().find(|it| it["event"] == "installed") {
        assert!(fib["code_bytes"].as_u64().unwrap() > 0);
        assert!(fib["instructions"].as_u64().unwrap() > 0);
    }
}

#[test]
fn a_function_is_explained() {
    let folder = Folder::new("explain");
    let script = folder.file(
        "mixed.ms",
        "add = function(a, b)\n  return a + b\nend function\nfor i in range(1, 500)\n  add i, 1\n  add \"n\", i\nend for\n\
         print \"done\"\nexit 3",
    );
    let (output, text, status) = run(&["explain", &format!("{script}:2")]);
    // The second run is silent.
    assert_eq!((&*output, status), ("done\n", 3));
    assert!(text.starts_with("add (mixed.ms:1-"), "{text}");
    assert!(text.contains("1,000 calls"), "{text}");
    assert!(
        text.contains("line 2, `add`: also 50 % string + number"),
        "{text}"
    );
    assert!(text.contains("Tiers"), "{text}");
    let (output, text, _) = run(&["explain", "--once", &script]);
    assert_eq!(output, "done\n");
    assert!(!text.contains("Tiers"), "{text}");
    let (_, errors, status) = run(&["explain", &format!("{script}:99")]);
    assert_eq!(status, 2);
    assert!(errors.contains("no function of"), "{errors}");
    assert_eq!(run(&["explain", "-"]).2, 2);
}
