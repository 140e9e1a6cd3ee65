//! Machine code that is complete but for the addresses in it.

use cranelift_codegen::CompiledCode;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{ExternalName, Function, LibCall, UserExternalName};
use cranelift_codegen::{FinalizedMachReloc, FinalizedRelocTarget};

use super::positions::PositionTable;

/// A compiled function before it has an address. It owns all it needs, so a compile thread can send it.
#[derive(Clone, Debug)]
pub struct MachineCode {
    pub(super) name: Box<str>,
    pub(super) bytes: Box<[u8]>,
    pub(super) alignment: usize,
    pub(super) relocations: Box<[Relocation]>,
    pub(super) positions: PositionTable,
}

impl MachineCode {
    /// Takes what Cranelift made of `function`. The name is what debuggers and profilers show.
    ///
    /// # Errors
    ///
    /// Fails if the code contains a relocation of a kind that is not known here.
    pub fn new(
        name: &str,
        code: &CompiledCode,
        function: &Function,
    ) -> Result<MachineCode, RelocationError> {
        let relocations = code.buffer.relocs().iter();
        let relocations = relocations.map(|it| Relocation::of(it, function));
        Ok(MachineCode {
            name: name.into(),
            bytes: code.code_buffer().into(),
            alignment: code.buffer.alignment as usize,
            relocations: relocations.collect::<Result<_, _>>()?,
            positions: PositionTable::of(code),
        })
    }

    /// The name that debuggers and profilers show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The length of the code in bytes, constants included.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// Something outside of a function that its code refers to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// What the compiler imported under a number of its own: a runtime function, a table, other compiled code.
    User(UserExternalName),
    /// A function that Cranelift calls for an operation the processor lacks.
    Library(LibCall),
}

/// A place in the code that depends on an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relocation {
    kind: RelocationKind,
    /// Where in the code.
    offset: usize,
    target: Target,
    addend: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Symbol(Symbol),
    /// An offset in the code itself.
    Inside(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RelocationKind {
    /// The address in eight bytes.
    Absolute64,
    /// The distance from the place in four bytes; the addend accounts for where the processor counts from.
    Relative32,
    /// The distance from the place in words, in the low 26 bits of the instruction there.
    Arm64Branch26,
}

/// Why an address cannot be put into code.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RelocationError {
    /// Cranelift asks for something that is not known here.
    #[error("the code has a relocation that is not supported, {0}")]
    Unsupported(String),
    /// Nobody knows the address of a symbol.
    #[error("the code refers to {0:?}, which is not known")]
    UnknownSymbol(Symbol),
    /// The code can name only addresses nearer than this one.
    #[error("the code refers to an address that is out of its reach, {0} bytes away")]
    OutOfReach(i64),
    /// A place to patch lies outside of the code.
    #[error("the code has a relocation at offset {0}, behind its end")]
    BehindTheEnd(usize),
}

impl Relocation {
    fn of(
        relocation: &FinalizedMachReloc,
        function: &Function,
    ) -> Result<Relocation, RelocationError> {
        let unsupported = || {
            let target = relocation.target.display(Some(&function.params));
            RelocationError::Unsupported(format!("{:?} to {target}", relocation.kind))
        };
        let kind = match relocation.kind {
            Reloc::Abs8 => RelocationKind::Absolute64,
            Reloc::X86PCRel4 | Reloc::X86CallPCRel4 => RelocationKind::Relative32,
            Reloc::Arm64Call => RelocationKind::Arm64Branch26,
            _ => return Err(unsupported()),
        };
        let target = match &relocation.target {
            FinalizedRelocTarget::Func(offset) => Target::Inside(*offset),
            FinalizedRelocTarget::ExternalName(name) => Target::Symbol(match name {
                ExternalName::User(reference) => {
                    let names = function.params.user_named_funcs();
                    let name = names.get(*reference).ok_or_else(unsupported)?;
                    Symbol::User(name.clone())
                }
                ExternalName::LibCall(call) => Symbol::Library(*call),
                _ => return Err(unsupported()),
            }),
        };
        Ok(Relocation {
            kind,
            offset: relocation.offset as usize,
            target,
            addend: relocation.addend,
        })
    }

    /// Puts the address into `code`, which will run at `base`.
    pub(super) fn apply(
        &self,
        code: &mut [u8],
        base: usize,
        resolve: &mut dyn FnMut(&Symbol) -> Option<usize>,
    ) -> Result<(), RelocationError> {
        let target = match &self.target {
            Target::Inside(offset) => base.wrapping_add(*offset as usize),
            Target::Symbol(symbol) => {
                let address = resolve(symbol);
                address.ok_or_else(|| RelocationError::UnknownSymbol(symbol.clone()))?
            }
        };
        let target = (target as i64).wrapping_add(self.addend);
        let place = base.wrapping_add(self.offset) as i64;
        let distance = target.wrapping_sub(place);
        let out_of_reach = || RelocationError::OutOfReach(distance);
        let behind_the_end = || RelocationError::BehindTheEnd(self.offset);
        let bytes = code.get_mut(self.offset..).ok_or_else(behind_the_end)?;
        match self.kind {
            RelocationKind::Absolute64 => {
                let bytes = bytes.first_chunk_mut().ok_or_else(behind_the_end)?;
                *bytes = target.to_le_bytes();
            }
            RelocationKind::Relative32 => {
                let bytes = bytes.first_chunk_mut().ok_or_else(behind_the_end)?;
                let distance = i32::try_from(distance).map_err(|_| out_of_reach())?;
                *bytes = distance.to_le_bytes();
            }
            RelocationKind::Arm64Branch26 => {
                let bytes = bytes.first_chunk_mut().ok_or_else(behind_the_end)?;
                let words = distance / 4;
                if distance % 4 != 0 || !(-(1 << 25)..1 << 25).contains(&words) {
                    return Err(out_of_reach());
                }
                let opcode = u32::from_le_bytes(*bytes) & 0xFC00_0000;
                *bytes = (opcode | words as u32 & 0x03FF_FFFF).to_le_bytes();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: usize = 0x10_0000;

    fn applied(
        kind: RelocationKind,
        addend: i64,
        target: usize,
        code: &mut [u8],
    ) -> Result<(), RelocationError> {
        let relocation = Relocation {
            kind,
            offset: 4,
            target: Target::Symbol(Symbol::Library(LibCall::FloorF64)),
            addend,
        };
        relocation.apply(code, BASE, &mut |_| Some(target))
    }

    #[test]
    fn an_absolute_address_takes_eight_bytes() {
        let mut code = [0; 12];
        applied(
            RelocationKind::Absolute64,
            1,
            0x1122_3344_5566_7788,
            &mut code,
        )
        .unwrap();
        assert_eq!(code[4..], 0x1122_3344_5566_7789_u64.to_le_bytes());
        let error = applied(RelocationKind::Absolute64, 0, 0, &mut code[..11]);
        assert_eq!(error, Err(RelocationError::BehindTheEnd(4)));
        let error = applied(RelocationKind::Absolute64, 0, 0, &mut code[..2]);
        assert_eq!(error, Err(RelocationError::BehindTheEnd(4)));
    }

    #[test]
    fn a_distance_counts_from_behind_the_field() {
        let mut code = [0; 8];
        applied(RelocationKind::Relative32, -4, BASE, &mut code).unwrap();
        assert_eq!(code[4..], (-8_i32).to_le_bytes());
        let far = BASE + (1 << 31) + 8;
        let error = applied(RelocationKind::Relative32, -4, far, &mut code);
        assert_eq!(error, Err(RelocationError::OutOfReach(1 << 31)));
        applied(RelocationKind::Relative32, -4, far - 1, &mut code).unwrap();
        assert_eq!(code[4..], i32::MAX.to_le_bytes());
    }

    #[test]
    fn an_arm64_branch_keeps_its_opcode() {
        let mut code = [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x97];
        applied(RelocationKind::Arm64Branch26, 0, BASE, &mut code).unwrap();
        assert_eq!(code[4..], 0x97FF_FFFF_u32.to_le_bytes());
        applied(RelocationKind::Arm64Branch26, 0, BASE + 12, &mut code).unwrap();
        assert_eq!(code[4..], 0x9400_0002_u32.to_le_bytes());
        for target in [BASE + 4 + (1 << 27), BASE + 5] {
            let error = applied(RelocationKind::Arm64Branch26, 0, target, &mut code);
            assert!(matches!(error, Err(RelocationError::OutOfReach(_))));
        }
    }

    #[test]
    fn the_base_may_be_the_target() {
        let relocation = Relocation {
            kind: RelocationKind::Absolute64,
            offset: 0,
            target: Target::Inside(3),
            addend: 0,
        };
        let mut code = [0; 8];
        relocation.apply(&mut code, BASE, &mut |_| None).unwrap();
        assert_eq!(code, (BASE as u64 + 3).to_le_bytes());
    }
}
