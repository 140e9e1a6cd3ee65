//! Published code as text, between the bytecode and the source lines it was made from.
//!
//! ```text
//! total, 123 bytes
//! entry
//!       0x0000  55                       push rbp
//! line 3: sum = sum + i
//!   12  add r4, r4, r5
//!       0x0018  48 b8 00 00 00 00 00 00  mov rax, 0x7ff8000000000000
//!               f8 7f
//!       0x0022  ff d0                    call rax  ; add_slow
//! ```
//!
//! Numbers in front are offsets in the code, and so are the targets of jumps. What stands behind `;` is the name of an
//! address. On processors for which there is no disassembler here, the code is shown as bytes.

use std::fmt::{self, Display, Formatter};

use kiln_bytecode::CodeBlock;

use crate::code_memory::{CodeHandle, CodeMemory, CodeObject, PositionRange};

/// Bytes in a row.
const ROW: usize = 8;

/// A code object to print.
pub struct Listing<'a> {
    object: &'a CodeObject,
    bytes: &'a [u8],
    block: &'a CodeBlock,
    lines: Vec<&'a str>,
    #[cfg_attr(not(target_arch = "x86_64"), expect(dead_code))]
    name_of: &'a dyn Fn(u64) -> Option<String>,
}

impl<'a> Listing<'a> {
    /// A listing of a code object that was made from `block`. None if the handle names nothing.
    pub fn new(
        memory: &'a CodeMemory,
        handle: CodeHandle,
        block: &'a CodeBlock,
    ) -> Option<Listing<'a>> {
        Some(Listing {
            object: memory.get(handle)?,
            bytes: memory.bytes(handle)?,
            block,
            lines: Vec::new(),
            name_of: &|_| None,
        })
    }

    /// Shows lines of this text, the whole source file of the block.
    pub fn with_source(self, source: &'a str) -> Listing<'a> {
        Listing {
            lines: source.lines().collect(),
            ..self
        }
    }

    /// Shows these names of addresses, such as those of runtime functions.
    pub fn with_names(self, name_of: &'a dyn Fn(u64) -> Option<String>) -> Listing<'a> {
        Listing { name_of, ..self }
    }

    fn write_line(&self, f: &mut Formatter<'_>, line: u32) -> fmt::Result {
        let text = (line as usize).checked_sub(1);
        match text.and_then(|index| self.lines.get(index)) {
            Some(text) => writeln!(f, "line {line}: {}", text.trim()),
            None => writeln!(f, "line {line}"),
        }
    }
}

impl Display for Listing<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {} bytes", self.object.name(), self.bytes.len())?;
        let ranges = self.object.positions().ranges();
        let width = self.block.instructions.len().to_string().len();
        let mut shown_line = None;
        for (index, range) in ranges.iter().enumerate() {
            let is_last = index + 1 == ranges.len();
            let end = ranges.get(index + 1).map(|next| next.start as usize);
            let start = range.start as usize;
            let Some(bytes) = self.bytes.get(start..end.unwrap_or(self.bytes.len())) else {
                continue;
            };
            if bytes.is_empty() {
                continue;
            }
            match *range {
                PositionRange {
                    position: Some(position),
                    ..
                } => {
                    let line = self.block.line_at(position);
                    if shown_line.replace(line) != Some(line) {
                        self.write_line(f, line)?;
                    }
                    let instruction = self.block.disassemble(position);
                    writeln!(f, "  {position:width$}  {instruction}")?;
                }
                PositionRange { start: 0, .. } => writeln!(f, "entry")?,
                // Cranelift puts a function's constants behind its code, and only there.
                _ if is_last => {
                    writeln!(f, "constants")?;
                    write_bytes(f, start, bytes)?;
                    break;
                }
                _ => writeln!(f, "between instructions")?,
            }
            #[cfg(target_arch = "x86_64")]
            x86_64::write_instructions(f, self, start, bytes)?;
            #[cfg(not(target_arch = "x86_64"))]
            write_bytes(f, start, bytes)?;
        }
        Ok(())
    }
}

/// Rows of bytes and nothing else.
fn write_bytes(f: &mut Formatter<'_>, start: usize, bytes: &[u8]) -> fmt::Result {
    for (row, bytes) in bytes.chunks(ROW).enumerate() {
        writeln!(f, "      {:#06x}  {}", start + row * ROW, Bytes(bytes))?;
    }
    Ok(())
}

/// Bytes in hexadecimal notation with spaces between them.
struct Bytes<'a>(&'a [u8]);

impl Display for Bytes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bytes: Vec<String> = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        f.pad(&bytes.join(" "))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::fmt::{self, Formatter};

    use iced_x86::{Decoder, DecoderOptions, Formatter as _, Instruction, IntelFormatter, OpKind};

    use super::{Bytes, Listing, ROW};

    pub fn write_instructions(
        f: &mut Formatter<'_>,
        listing: &Listing<'_>,
        start: usize,
        bytes: &[u8],
    ) -> fmt::Result {
        let mut formatter = IntelFormatter::new();
        let options = formatter.options_mut();
        options.set_uppercase_hex(false);
        options.set_hex_prefix("0x");
        options.set_hex_suffix("");
        options.set_branch_leading_zeros(false);
        options.set_space_after_operand_separator(true);
        options.set_rip_relative_addresses(true);
        // Counting addresses from the start of the code makes every jump target an offset.
        let mut decoder = Decoder::with_ip(64, bytes, start as u64, DecoderOptions::NONE);
        while decoder.can_decode() {
            let from = decoder.position();
            let instruction = decoder.decode();
            let mut text = String::new();
            formatter.format(&instruction, &mut text);
            if let Some(name) = named_address(listing, &instruction) {
                text = format!("{text}  ; {name}");
            }
            let mut rows = bytes[from..decoder.position()].chunks(ROW);
            let first = Bytes(rows.next().unwrap_or_default());
            let offset = start + from;
            let width = 3 * ROW - 1;
            writeln!(f, "      {offset:#06x}  {first:width$}  {text}")?;
            for row in rows {
                writeln!(f, "              {}", Bytes(row))?;
            }
        }
        Ok(())
    }

    /// The name of the address that an instruction calls or loads.
    fn named_address(listing: &Listing<'_>, instruction: &Instruction) -> Option<String> {
        let operands = 0..instruction.op_count();
        operands.into_iter().find_map(|operand| {
            let address = match instruction.op_kind(operand) {
                OpKind::NearBranch64 => {
                    let start = listing.object.addresses().start as u64;
                    instruction.near_branch64().wrapping_add(start)
                }
                OpKind::Immediate64 => instruction.immediate64(),
                _ => return None,
            };
            (listing.name_of)(address)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code_memory::CodeMemoryOptions;
    use crate::code_memory::tests::{address_of_twice, compile};

    const BLOCK: &str = r#"
function "f"
  origin "f.ms"
  line 1
  registers 8
  constant c0 = 1.0
  code
    line 2
    load_constant r3, c0
    load_constant r4, c0
    line 3
    load_constant r5, c0
    load_constant r6, c0
    add r3, r3, r4
    return_value r3
end
"#;

    const SOURCE: &str = "f = function\n  x = twice(1)\n  y = x + 1\nend function\n";

    #[test]
    fn machine_code_stands_below_the_bytecode_it_was_made_from() {
        let block = kiln_bytecode::parse(BLOCK).unwrap();
        let mut memory = CodeMemory::new(CodeMemoryOptions::default());
        let handle = memory
            .publish(&compile("f", 1, false), address_of_twice)
            .unwrap();
        let name_of = |address| {
            let twice = address_of_twice(&crate::code_memory::tests::twice_symbol())?;
            (address == twice as u64).then(|| "twice".to_owned())
        };
        let listing = Listing::new(&memory, handle, &block)
            .unwrap()
            .with_source(SOURCE)
            .with_names(&name_of)
            .to_string();
        let landmarks = [
            "f, ",
            "entry\n",
            "line 3: y = x + 1\n  3  load_constant r6, c0",
            if cfg!(target_arch = "x86_64") {
                "  ; twice\n"
            } else {
                "0x"
            },
            "  4  add r3, r3, r4\n",
        ];
        let mut rest = listing.as_str();
        for landmark in landmarks {
            let at = rest.find(landmark);
            let at = at.unwrap_or_else(|| panic!("{landmark:?} is missing in\n{listing}"));
            rest = &rest[at + landmark.len()..];
        }
        memory.free(handle);
        assert!(Listing::new(&memory, handle, &block).is_none());
    }

    #[test]
    fn rows_of_bytes_have_their_offsets() {
        struct Rows;
        impl Display for Rows {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                write_bytes(f, 16, &[0, 1, 2, 3, 4, 5, 6, 7, 0xFF])
            }
        }
        let expected = "      0x0010  00 01 02 03 04 05 06 07\n      0x0018  ff\n";
        assert_eq!(Rows.to_string(), expected);
    }
}
