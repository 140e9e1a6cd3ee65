//! The list of benchmark programs, `benches/manifest.json`.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Error;

/// One benchmark program, present in every language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    pub name: String,
    /// What the program stresses; also the folder it lies in.
    pub group: String,
    /// The problem size for measuring.
    pub default: u64,
    /// A problem size that any engine finishes in an instant.
    pub small: u64,
}

impl Program {
    /// The source for one language, relative to the folder of benchmarks.
    pub fn file(&self, extension: &str) -> PathBuf {
        Path::new(&self.group).join(format!("{}.{extension}", self.name))
    }
}

/// Reads the manifest.
pub fn load(path: &Path) -> Result<Vec<Program>, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_str(&text).map_err(|source| Error::Manifest {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::bench::engine::Language;

    fn benches() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches")
    }

    fn programs() -> Vec<Program> {
        load(&benches().join("manifest.json")).expect("the manifest is readable")
    }

    #[test]
    fn every_program_exists_in_every_language_with_the_default_size_of_the_manifest() {
        for program in programs() {
            for (language, default) in [
                (Language::MiniScript, format!("\nn = {}\n", program.default)),
                (
                    Language::Lua,
                    format!("\nlocal n = tonumber(arg[1]) or {}\n", program.default),
                ),
                (
                    Language::Python,
                    format!(" if len(sys.argv) > 1 else {}\n", program.default),
                ),
                (
                    Language::JavaScript,
                    format!("(process.argv[2] ?? {});\n", program.default),
                ),
            ] {
                let file = program.file(language.extension());
                let source = fs::read_to_string(benches().join(&file))
                    .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                assert!(
                    source.contains(&default),
                    "{} lacks {default:?}",
                    file.display()
                );
            }
        }
    }

    /// Folders of programs that no other engine runs: they are measured with `--gc-stats`.
    const KILN_ALONE: &[&str] = &["collector"];

    #[test]
    fn every_source_is_listed() {
        let listed: BTreeSet<PathBuf> = programs()
            .iter()
            .flat_map(|program| Language::ALL.map(|language| program.file(language.extension())))
            .collect();
        for group in fs::read_dir(benches()).expect("the folder is readable") {
            let group = group.expect("the folder is readable").path();
            if !group.is_dir() || KILN_ALONE.iter().any(|name| group.ends_with(name)) {
                continue;
            }
            for source in fs::read_dir(group).expect("the folder is readable") {
                let source = source.expect("the folder is readable").path();
                let file = source
                    .strip_prefix(benches())
                    .expect("it lies in the folder");
                assert!(
                    listed.contains(file),
                    "{} is not in the manifest",
                    file.display()
                );
            }
        }
    }
}
