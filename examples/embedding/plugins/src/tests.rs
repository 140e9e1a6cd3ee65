//! Plugins that come, change, break and go.

use std::fs;
use std::path::{Path, PathBuf};

use super::host::{Event, PluginHost};

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("kiln-plugins-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn host(&self) -> PluginHost {
        PluginHost::new(&self.0, |_| {})
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It is a folder for temporary files: what is left there does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn greeting(text: &str) -> String {
    format!("run = function(name)\nreturn \"{text} \" + name\nend function")
}

fn run(host: &mut PluginHost, name: &str, text: &str) -> String {
    host.run(name, text).unwrap().unwrap()
}

#[test]
fn changes_are_loaded() {
    let folder = Folder::new("changes");
    let mut host = folder.host();
    assert_eq!(host.refresh().unwrap(), []);
    folder.write("greet.ms", &greeting("Hello"));
    assert_eq!(host.refresh().unwrap(), [Event::Loaded("greet".into())]);
    assert_eq!(run(&mut host, "greet", "Ada"), "Hello Ada");
    assert_eq!(host.refresh().unwrap(), []);
    folder.write("greet.ms", &greeting("Good day"));
    assert_eq!(host.refresh().unwrap(), [Event::Loaded("greet".into())]);
    assert_eq!(run(&mut host, "greet", "Ada"), "Good day Ada");
    fs::remove_file(folder.0.join("greet.ms")).unwrap();
    assert_eq!(host.refresh().unwrap(), [Event::Removed("greet".into())]);
    assert!(host.run("greet", "Ada").is_none());
}

#[test]
fn what_is_broken_goes_on_as_it_was() {
    let folder = Folder::new("broken");
    let mut host = folder.host();
    folder.write("greet.ms", &greeting("Hello"));
    host.refresh().unwrap();
    for (broken, complaint) in [
        ("run = function(name)\nreturn (1 +", "line 2"),
        ("x = nosuch", "'nosuch' is unknown"),
        ("while true\nend while", "does not come to an end"),
        ("x = 1", "no global variable run"),
    ] {
        folder.write("greet.ms", broken);
        let events = host.refresh().unwrap();
        let [Event::Broken(name, report)] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(name, "greet");
        assert!(report.contains(complaint), "{report}");
        assert_eq!(run(&mut host, "greet", "Ada"), "Hello Ada");
    }
    folder.write("greet.ms", &greeting("Hi"));
    host.refresh().unwrap();
    assert_eq!(run(&mut host, "greet", "Ada"), "Hi Ada");
}

#[test]
fn state_is_carried_over() {
    let folder = Folder::new("state");
    let mut host = folder.host();
    let counter = |step: u32| {
        format!(
            "if not globals.hasIndex(\"state\") then state = {{\"count\": 0, \"log\": []}}\n\
             run = function(text)\nstate.count += {step}\nstate.log.push text\nreturn state.count + state.log.join\nend function"
        )
    };
    folder.write("counter.ms", &counter(1));
    host.refresh().unwrap();
    assert_eq!(run(&mut host, "counter", "a"), "1a");
    folder.write("counter.ms", &counter(10));
    host.refresh().unwrap();
    assert_eq!(run(&mut host, "counter", "b"), "11a b");
}

#[test]
fn an_endless_plugin_disturbs_no_other() {
    let folder = Folder::new("endless");
    let mut host = folder.host();
    folder.write(
        "endless.ms",
        "run = function(text)\nwhile true\nend while\nend function",
    );
    folder.write("greet.ms", &greeting("Hello"));
    host.refresh().unwrap();
    let error = host.run("endless", "").unwrap().unwrap_err();
    assert!(error.contains("the time limit is reached"), "{error}");
    assert_eq!(run(&mut host, "greet", "Ada"), "Hello Ada");
}

#[test]
fn the_plugins_of_the_example_work() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins");
    let mut host = PluginHost::new(folder, |_| {});
    let events = host.refresh().unwrap();
    assert!(
        events.iter().all(|event| matches!(event, Event::Loaded(_))),
        "{events:?}"
    );
    assert_eq!(host.help().count(), 3);
    assert_eq!(run(&mut host, "shout", "hello"), "HELLO!");
    assert_eq!(run(&mut host, "count", "to be or not"), "4 words, 4 in all");
    assert_eq!(run(&mut host, "plot", "3 1"), "");
}
