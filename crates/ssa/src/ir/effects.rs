//! What an instruction does besides computing its result, and which regions of memory it depends on.

use kiln_bytecode::Effects as BytecodeEffects;

/// A set of effects: what an instruction may do, and which regions of memory it reads and writes.
///
/// Regions do not overlap. An element of one list may be an element of another (they may be the same list), but never a slot of a
/// map, a length or a global variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Effects(u32);

const READ: u32 = 8;
const WRITE: u32 = 16;

macro_rules! regions {
    ($($(#[$doc:meta])+ $read:ident $write:ident = $number:literal;)*) => {
        #[allow(non_upper_case_globals)]
        impl Effects {
            $($(#[$doc])+
            pub const $read: Effects = Effects(1 << (READ + $number));
            $(#[$doc])+
            pub const $write: Effects = Effects(1 << (WRITE + $number));)*

            const ALL_REGIONS: u32 = 0 $(| 1 << $number)*;
        }
    };
}

regions! {
    /// The elements of lists.
    reads_elements writes_elements = 0;
    /// Lengths, data addresses and states of lists.
    reads_list_headers writes_list_headers = 1;
    /// The slots of maps.
    reads_slots writes_slots = 2;
    /// The shapes of maps.
    reads_shapes writes_shapes = 3;
    /// Global variables.
    reads_globals writes_globals = 4;
    /// The registers of this frame's window in memory.
    reads_window writes_window = 5;
    /// Whether this code's assumptions hold: prototypes, constant slots, constant global variables.
    reads_validity writes_validity = 6;
    /// Everything else: contents of dictionaries, of strings, the outside world.
    reads_other writes_other = 7;
}

#[allow(non_upper_case_globals)]
impl Effects {
    /// Nothing.
    pub const NONE: Effects = Effects(0);
    /// May leave compiled code and go on in the interpreter.
    pub const exits: Effects = Effects(1);
    /// May allocate, and so collect garbage.
    pub const allocates: Effects = Effects(2);
    /// May end in a script error.
    pub const throws: Effects = Effects(4);
    /// Ends its block.
    pub const terminates: Effects = Effects(8);
    /// Must stay where it is although it has no result.
    pub const pinned: Effects = Effects(16);
    /// Depends on the bytecode instruction: see [`Effects::of_runtime`].
    pub const runtime: Effects = Effects(0);
    /// Reads any region.
    pub const reads_all: Effects = Effects(Effects::ALL_REGIONS << READ);
    /// Writes any region.
    pub const writes_all: Effects = Effects(Effects::ALL_REGIONS << WRITE);
    /// May run script code, which can do anything.
    pub const calls: Effects = Effects::allocates
        .union(Effects::throws)
        .union(Effects::reads_all)
        .union(Effects::writes_all);

    /// What flags and regions are called.
    const NAMES: &[(Effects, &str)] = &[
        (Effects::exits, "exit"),
        (Effects::allocates, "allocate"),
        (Effects::throws, "throw"),
        (Effects::reads_all, "read all"),
        (Effects::reads_elements, "read elements"),
        (Effects::reads_list_headers, "read list headers"),
        (Effects::reads_slots, "read slots"),
        (Effects::reads_shapes, "read shapes"),
        (Effects::reads_globals, "read globals"),
        (Effects::reads_window, "read the window"),
        (Effects::reads_validity, "read validity"),
        (Effects::writes_all, "write all"),
        (Effects::writes_elements, "write elements"),
        (Effects::writes_list_headers, "write list headers"),
        (Effects::writes_slots, "write slots"),
        (Effects::writes_shapes, "write shapes"),
        (Effects::writes_globals, "write globals"),
        (Effects::writes_window, "write the window"),
    ];

    /// The effects in words, separated by commas.
    pub fn describe(self) -> String {
        let mut rest = self;
        let mut words = Vec::new();
        for (effect, name) in Effects::NAMES {
            if rest.contains(*effect) {
                words.push(*name);
                rest = Effects(rest.0 & !effect.0);
            }
        }
        words.join(", ")
    }

    /// The effects of either.
    pub const fn union(self, other: Effects) -> Effects {
        Effects(self.0 | other.0)
    }

    /// Whether all effects of `other` are among these.
    pub const fn contains(self, other: Effects) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any region is written.
    pub const fn writes(self) -> bool {
        self.0 >> WRITE != 0
    }

    /// Whether any region is read.
    pub const fn reads(self) -> bool {
        (self.0 >> READ) & Effects::ALL_REGIONS != 0
    }

    /// Whether something that `other` reads is written here: what it has read may have changed.
    pub const fn invalidates(self, other: Effects) -> bool {
        (self.0 >> WRITE) & (other.0 >> READ) & Effects::ALL_REGIONS != 0
    }

    /// Whether the instruction computes its result from its operands alone.
    pub const fn is_pure(self) -> bool {
        self.0 == 0
    }

    /// Whether an instruction without uses can be left out. Reading and allocating are nothing that a script could notice.
    pub const fn is_removable(self) -> bool {
        let noticed =
            Effects::exits.0 | Effects::throws.0 | Effects::terminates.0 | Effects::pinned.0;
        !self.writes() && self.0 & noticed == 0
    }

    /// What the interpreter's form of a bytecode instruction may do.
    pub const fn of_runtime(effects: BytecodeEffects) -> Effects {
        let mut result = Effects::reads_all.union(Effects::writes_window);
        if effects.contains(BytecodeEffects::allocates) {
            result = result.union(Effects::allocates);
        }
        // An operand that turns out to be a function makes the interpreter go on elsewhere.
        result = result.union(Effects::exits).union(Effects::throws);
        if effects.contains(BytecodeEffects::writes) || effects.contains(BytecodeEffects::calls) {
            result = result.union(Effects::writes_all);
        }
        result
    }
}
