//! The texts of the files that a profile speaks of.

use std::collections::BTreeSet;

use kiln::profile::{Profile, SourceText};

/// A larger file is left out: nobody reads it on a page.
const MAX_BYTES: u64 = 4 << 20;

/// The texts, as far as they are there. `script` is the text of the program itself, which may have come from a pipe.
pub fn of(profile: &Profile, script: Option<&[u8]>) -> Vec<SourceText> {
    let files: BTreeSet<&str> = profile.lines.iter().map(|line| &*line.file).collect();
    let text = |file: &str| match script {
        Some(text) if file == profile.script => Some(text.to_vec()),
        _ => read(file),
    };
    files
        .into_iter()
        .filter_map(|file| {
            Some(SourceText {
                file: file.to_owned(),
                text: String::from_utf8_lossy(&text(file)?).into_owned(),
            })
        })
        .collect()
}

/// An ordinary file of an ordinary size.
fn read(file: &str) -> Option<Vec<u8>> {
    let metadata = std::fs::metadata(file).ok()?;
    (metadata.is_file() && metadata.len() <= MAX_BYTES)
        .then(|| std::fs::read(file).ok())
        .flatten()
}
