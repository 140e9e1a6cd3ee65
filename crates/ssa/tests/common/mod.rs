//! Case files: an input, a line of dashes, what is expected of it.

#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};

const SEPARATOR: &str = "\n----\n";

/// Runs `transform` over the input of every case in the folder `tests/<folder>` and compares with what the case expects. With `KILN_BLESS`
/// in the environment, writes what came out into the files instead.
pub fn check_cases(folder: &str, transform: impl Fn(&str) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder exists")
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no cases in {}", folder.display());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("the case can be read");
        let (input, expected) = text.split_once(SEPARATOR).unwrap_or((text.trim_end(), ""));
        let actual = transform(input);
        if std::env::var_os("KILN_BLESS").is_some() {
            let text = format!("{input}{SEPARATOR}{actual}");
            fs::write(&file, text).expect("the case can be written");
        } else if actual != expected {
            wrong.push(format!(
                "{}\nexpected:\n{expected}\nfound:\n{actual}",
                file.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
