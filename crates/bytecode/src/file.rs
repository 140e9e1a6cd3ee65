//! The file format of compiled bytecode.
//!
//! ```text
//! file      = "KILNBC" format:u16 table:u64 origins functions
//! origins   = count { file:string (0 | 1 module:string) }
//! functions = count { function }            the last one is the program
//! ```
//!
//! Functions stand before those that contain them and are named by their number. All numbers are little-endian;
//! counts, indices and lengths are in LEB128, strings in UTF-8 behind their length. `table` is a fingerprint of
//! the instruction table: a file compiled for another one is refused. What is read is verified, always, and
//! no count is trusted further than the bytes behind it reach.

mod reader;
mod writer;

use thiserror::Error;

use crate::opcodes::Op;
use crate::verifier::VerifyError;

pub use reader::from_bytes;
pub use writer::to_bytes;

const MAGIC: &[u8; 6] = b"KILNBC";

/// The version of the format, counted up when the layout of files changes.
const FORMAT: u16 = 2;

/// Why bytes are no compiled file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FileError {
    /// The bytes do not start as compiled files do.
    #[error("this is not a compiled Kiln file")]
    NotAFile,
    /// The file was written by another version of Kiln.
    #[error("the file was compiled by another version of Kiln")]
    OtherVersion,
    /// The file ends too early, or a count, index or value is impossible.
    #[error("the file is damaged at byte {0}")]
    Damaged(usize),
    /// The file can be read, but its code must not be run.
    #[error(transparent)]
    Invalid(#[from] VerifyError),
}

/// A fingerprint (FNV-1a, 64 bits) of everything in the instruction table that files depend on.
fn table_fingerprint() -> u64 {
    let mut hash: u64 = 0xCBF2_9CE4_8422_2325;
    let mut add = |text: &str| {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
        }
    };
    for op in Op::ALL {
        let row = op.info();
        add(row.name);
        add(&format!("{:?}", row.flags));
        for operand in row.operands {
            add(&format!("{:?}", operand.role));
        }
    }
    hash
}

/// Indices in files for the kinds of constants.
mod constant_kind {
    pub(super) const NULL: u8 = 0;
    pub(super) const NUMBER: u8 = 1;
    pub(super) const STRING: u8 = 2;
}

/// Bits of a function's flag byte.
mod function_flag {
    pub(super) const VARIABLES_BY_NAME: u8 = 1;
    pub(super) const USES_SUPER: u8 = 2;
    pub(super) const SELF_PARAMETER: u8 = 4;
    pub(super) const TOP_LEVEL: u8 = 8;
    pub(super) const VARIABLES_REGISTER: u8 = 16;
    pub(super) const ALL: u8 = 31;
}
