//! File systems for scripts that may not see the real one.

mod folder;
mod memory;
mod path;

pub use folder::FolderFiles;
pub use memory::MemoryFiles;
