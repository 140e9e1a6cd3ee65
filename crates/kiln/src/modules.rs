//! Modules in files, for hosts whose scripts may import them.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use kiln_bytecode::CodeBlock;
use kiln_vm::file_system::{FileSystem, OpenOptions};
use kiln_vm::host::Library;

use crate::compile::{CompileOptions, compile};

/// Finds and compiles modules, each text once.
#[derive(Debug, Default)]
pub struct Modules {
    /// By path: the text that was compiled, and its code.
    known: HashMap<String, (Vec<u8>, Arc<CodeBlock>)>,
    /// Whether reports of modules that do not compile are coloured.
    colour: bool,
}

impl Modules {
    /// No modules yet.
    pub fn new(colour: bool) -> Modules {
        Modules {
            known: HashMap::new(),
            colour,
        }
    }

    /// The module in the first of these files that can be read; what a host's
    /// [`load_library`](kiln_vm::host::Host::load_library) answers.
    pub fn load(
        &mut self,
        files: &mut dyn FileSystem,
        name: &str,
        candidates: &[String],
    ) -> Option<Library> {
        let (path, text) = candidates
            .iter()
            .find_map(|path| Some((path, read(files, path)?)))?;
        if let Some((known, block)) = self.known.get(path)
            && *known == text
        {
            return Some(Library::Code(block.clone()));
        }
        let options = CompileOptions {
            module: Some(format!("{name}.ms")),
            ..CompileOptions::default()
        };
        Some(match compile(path, &text, options) {
            Ok(block) => {
                self.known.insert(path.clone(), (text, block.clone()));
                Library::Code(block)
            }
            Err(errors) => Library::Broken(errors.render(self.colour)),
        })
    }
}

/// The longest module, in bytes. What calls itself a file may have no end.
const LONGEST_MODULE: u64 = 64 << 20;

/// The text of a file, if it can be read.
fn read(files: &mut dyn FileSystem, path: &str) -> Option<Vec<u8>> {
    let file = files.open(path, OpenOptions::READ).ok()?;
    let mut text = Vec::new();
    file.take(LONGEST_MODULE).read_to_end(&mut text).ok()?;
    Some(text)
}
