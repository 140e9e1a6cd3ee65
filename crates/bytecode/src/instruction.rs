//! Encoding and decoding of one instruction word.

use crate::opcodes::{Op, OperandInfo, Role};

/// A register: an index into the frame's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Register(pub u16);

impl Register {
    /// The function being executed.
    pub const CALLEE: Register = Register(0);
    /// `self`, or unassigned.
    pub const SELF: Register = Register(1);
    /// `super`, or unassigned.
    pub const SUPER: Register = Register(2);
    /// The first parameter.
    pub const FIRST_PARAMETER: Register = Register(3);

    /// The register `distance` above this one.
    pub fn offset(self, distance: u16) -> Register {
        Register(self.0 + distance)
    }
}

impl std::fmt::Display for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "r{}", self.0)
    }
}

/// How a read of a variable or member treats what it finds: bits of the flag byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadMode(pub u8);

impl ReadMode {
    /// The value as it is.
    pub const PLAIN: ReadMode = ReadMode(0);
    /// A function found is called.
    pub const INVOKE: ReadMode = ReadMode(1);
    /// The assignment `x = … x …`: warn if `x` is found, but is no local.
    pub const WARN: ReadMode = ReadMode(2);
    /// The assignment `x op= …`: an error unless `x` is a local.
    pub const STRICT: ReadMode = ReadMode(4);

    /// The bits of either.
    pub const fn with(self, other: ReadMode) -> ReadMode {
        ReadMode(self.0 | other.0)
    }

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: ReadMode) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One encoded instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Instruction(pub u64);

impl Instruction {
    /// Encodes the three 16-bit fields.
    pub const fn new(op: Op, flags: u8, a: u16, b: u16, c: u16) -> Instruction {
        Instruction(
            op as u64
                | (flags as u64) << 8
                | (a as u64) << 16
                | (b as u64) << 32
                | (c as u64) << 48,
        )
    }

    /// Encodes field `a` and the 32-bit field.
    pub const fn new_32(op: Op, flags: u8, a: u16, bc: u32) -> Instruction {
        Instruction(op as u64 | (flags as u64) << 8 | (a as u64) << 16 | (bc as u64) << 32)
    }

    /// The opcode byte, which need not be valid before verification.
    pub const fn op_byte(self) -> u8 {
        self.0 as u8
    }

    /// The opcode, if the byte names one.
    pub fn op(self) -> Option<Op> {
        Op::from_byte(self.op_byte())
    }

    /// The flag byte.
    pub const fn flags(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Field `a`.
    pub const fn a(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Field `b`.
    pub const fn b(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// Field `c`.
    pub const fn c(self) -> u16 {
        (self.0 >> 48) as u16
    }

    /// Fields `b` and `c` as one number.
    pub const fn bc(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The 16-bit field with this number (0 = `a`).
    pub const fn field(self, field: u8) -> u16 {
        (self.0 >> (16 + 16 * field)) as u16
    }

    /// The number an operand of this instruction's row has, without what a `wide` prefix adds.
    pub const fn operand(self, operand: &OperandInfo) -> u32 {
        if operand.role.is_32_bit() {
            self.bc()
        } else {
            self.field(operand.field) as u32
        }
    }

    /// Where the instruction jumps to if it stands at `position`; none if it does not jump.
    /// Before verification the target need not be an instruction.
    pub fn jump_target(self, position: u32) -> Option<i64> {
        let jumps = |operand: &&OperandInfo| matches!(operand.role, Role::Jump | Role::Jump32);
        let distance = match self.op()?.info().operands.iter().find(jumps)?.role {
            Role::Jump => i64::from(self.c() as i16),
            _ => i64::from(self.bc() as i32),
        };
        Some(i64::from(position) + 1 + distance)
    }

    /// The same instruction with another flag byte.
    pub const fn with_flags(self, flags: u8) -> Instruction {
        Instruction(self.0 & !0xFF00 | (flags as u64) << 8)
    }

    /// The same instruction with another field `c`.
    pub const fn with_c(self, c: u16) -> Instruction {
        Instruction(self.0 & !(0xFFFF << 48) | (c as u64) << 48)
    }

    /// The same instruction with another 32-bit field.
    pub const fn with_bc(self, bc: u32) -> Instruction {
        Instruction(self.0 & 0xFFFF_FFFF | (bc as u64) << 32)
    }
}

impl std::fmt::Debug for Instruction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.op() {
            Some(op) => write!(
                f,
                "{}.{} {} {} {}",
                op.info().name,
                self.flags(),
                self.a(),
                self.b(),
                self.c()
            ),
            None => write!(f, "invalid({:#x})", self.0),
        }
    }
}
