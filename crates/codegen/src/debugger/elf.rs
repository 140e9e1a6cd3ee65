//! The smallest object file that gives a range of addresses a name.

/// Layouts and numbers are those of the System V ABI, chapter "Object Files", in its 64-bit form.
const HEADER_SIZE: u64 = 64;
const SECTION_HEADER_SIZE: u64 = 64;
const SYMBOL_SIZE: u64 = 24;

const TYPE_RELOCATABLE: u16 = 1;
const MACHINE: u16 = if cfg!(target_arch = "aarch64") {
    183
} else {
    62 // x86-64
};

const SECTION_SYMBOLS: u32 = 2;
const SECTION_STRINGS: u32 = 3;
/// Takes address space, but nothing in the file: the code is in memory already.
const SECTION_NO_BITS: u32 = 8;
const FLAGS_CODE: u64 = 2 | 4; // allocated, executable

const GLOBAL_FUNCTION: u8 = 1 << 4 | 2;

/// The sections, in the order of their numbers.
const SECTION_NAMES: &str = "\0.text\0.symtab\0.strtab\0.shstrtab\0";
const TEXT: u16 = 1;
const STRINGS: u32 = 3;
const NAMES: u16 = 4;

/// An object file in which one function occupies `size` bytes at `start`.
pub fn object_file(start: u64, size: u64, name: &str) -> Vec<u8> {
    // The symbols: the empty one that every table begins with, and the function.
    let mut symbols = vec![0; SYMBOL_SIZE as usize];
    symbols.extend(1_u32.to_le_bytes());
    symbols.extend([GLOBAL_FUNCTION, 0]);
    symbols.extend(TEXT.to_le_bytes());
    symbols.extend(0_u64.to_le_bytes()); // from the start of its section
    symbols.extend(size.to_le_bytes());

    let mut strings = vec![0];
    strings.extend(name.bytes().filter(|&byte| byte != 0));
    strings.push(0);

    let symbols_at = HEADER_SIZE;
    let strings_at = symbols_at + symbols.len() as u64;
    let names_at = strings_at + strings.len() as u64;
    let sections_at = (names_at + SECTION_NAMES.len() as u64).next_multiple_of(8);

    let mut file = Vec::new();
    file.extend(b"\x7fELF");
    file.extend([2, 1, 1]); // 64 bits, little-endian, version 1
    file.resize(16, 0);
    file.extend(TYPE_RELOCATABLE.to_le_bytes());
    file.extend(MACHINE.to_le_bytes());
    file.extend(1_u32.to_le_bytes()); // version
    file.extend([0; 16]); // no entry point, no program headers
    file.extend(sections_at.to_le_bytes());
    file.extend(0_u32.to_le_bytes()); // flags
    for field in [
        HEADER_SIZE as u16,
        0,
        0,
        SECTION_HEADER_SIZE as u16,
        5,
        NAMES,
    ] {
        file.extend(field.to_le_bytes());
    }
    let symbols_size = symbols.len() as u64;
    let strings_size = strings.len() as u64;
    file.extend(symbols);
    file.extend(strings);
    file.extend(SECTION_NAMES.as_bytes());
    file.resize(sections_at as usize, 0);

    let section = |kind, address, offset, size| SectionHeader {
        kind,
        address,
        offset,
        size,
        ..SectionHeader::default()
    };
    let headers = [
        SectionHeader::default(),
        SectionHeader {
            name: ".text",
            flags: FLAGS_CODE,
            alignment: 16,
            ..section(SECTION_NO_BITS, start, 0, size)
        },
        SectionHeader {
            name: ".symtab",
            link: STRINGS,
            first_global: 1,
            alignment: 8,
            entry_size: SYMBOL_SIZE,
            ..section(SECTION_SYMBOLS, 0, symbols_at, symbols_size)
        },
        SectionHeader {
            name: ".strtab",
            alignment: 1,
            ..section(SECTION_STRINGS, 0, strings_at, strings_size)
        },
        SectionHeader {
            name: ".shstrtab",
            alignment: 1,
            ..section(SECTION_STRINGS, 0, names_at, SECTION_NAMES.len() as u64)
        },
    ];
    for header in headers {
        header.write(&mut file);
    }
    file
}

#[derive(Default)]
struct SectionHeader {
    name: &'static str,
    kind: u32,
    flags: u64,
    address: u64,
    offset: u64,
    size: u64,
    link: u32,
    first_global: u32,
    alignment: u64,
    entry_size: u64,
}

impl SectionHeader {
    fn write(&self, file: &mut Vec<u8>) {
        let whole_name = format!("\0{}\0", self.name);
        let name = SECTION_NAMES
            .find(&whole_name)
            .map_or(0, |at| at as u32 + 1);
        file.extend(name.to_le_bytes());
        file.extend(self.kind.to_le_bytes());
        for field in [self.flags, self.address, self.offset, self.size] {
            file.extend(field.to_le_bytes());
        }
        file.extend(self.link.to_le_bytes());
        file.extend(self.first_global.to_le_bytes());
        file.extend(self.alignment.to_le_bytes());
        file.extend(self.entry_size.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field<const SIZE: usize>(file: &[u8], at: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes[..SIZE].copy_from_slice(&file[at..at + SIZE]);
        u64::from_le_bytes(bytes)
    }

    #[test]
    fn the_file_names_the_range() {
        let file = object_file(0x1234_5000, 0x80, "fib at 3");
        let sections_at = field::<8>(&file, 40) as usize;
        let count = field::<2>(&file, 60) as usize;
        assert_eq!(file.len(), sections_at + count * 64);

        let names_header = sections_at + 64 * field::<2>(&file, 62) as usize;
        let names_at = field::<8>(&file, names_header + 24) as usize;
        let name = |section: usize| {
            let at = names_at + field::<4>(&file, sections_at + 64 * section) as usize;
            let length = file[at..].iter().position(|&byte| byte == 0).unwrap();
            str::from_utf8(&file[at..at + length]).unwrap()
        };
        let names: Vec<&str> = (0..count).map(name).collect();
        assert_eq!(names, ["", ".text", ".symtab", ".strtab", ".shstrtab"]);

        let text = sections_at + 64;
        assert_eq!(field::<8>(&file, text + 16), 0x1234_5000);
        assert_eq!(field::<8>(&file, text + 32), 0x80);
        let symbol = field::<8>(&file, text + 64 + 24) as usize + 24;
        assert_eq!(field::<2>(&file, symbol + 6), 1);
        assert_eq!(field::<8>(&file, symbol + 16), 0x80);
        let strings = field::<8>(&file, text + 128 + 24) as usize;
        let name = strings + field::<4>(&file, symbol) as usize;
        assert!(file[name..].starts_with(b"fib at 3\0"));
    }
}
