//! The intrinsics so common that the interpreter knows them.

/// An intrinsic whose usual case the interpreter and compiled code do themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Shortcut {
    /// Any function that it has to call.
    None,
    /// `len`
    Length,
    /// `push`
    Push,
    /// `pop`
    Pop,
    /// `code`
    Code,
    /// `char`
    Character,
    /// `floor`
    Floor,
    /// `pull`
    Pull,
    /// `hasIndex`
    HasIndex,
    /// `indexOf`
    IndexOf,
    /// `remove`
    Remove,
    /// `range`, as the sequence of a loop
    Range,
}

impl Shortcut {
    const ALL: [Shortcut; 12] = [
        Shortcut::None,
        Shortcut::Length,
        Shortcut::Push,
        Shortcut::Pop,
        Shortcut::Code,
        Shortcut::Character,
        Shortcut::Floor,
        Shortcut::Pull,
        Shortcut::HasIndex,
        Shortcut::IndexOf,
        Shortcut::Remove,
        Shortcut::Range,
    ];

    /// The shortcut for the global intrinsic with this name.
    pub fn of(name: &str) -> Shortcut {
        match name {
            "len" => Shortcut::Length,
            "push" => Shortcut::Push,
            "pop" => Shortcut::Pop,
            "code" => Shortcut::Code,
            "char" => Shortcut::Character,
            "floor" => Shortcut::Floor,
            "pull" => Shortcut::Pull,
            "hasIndex" => Shortcut::HasIndex,
            "indexOf" => Shortcut::IndexOf,
            "remove" => Shortcut::Remove,
            "range" => Shortcut::Range,
            _ => Shortcut::None,
        }
    }

    /// The shortcut that has been cast to this byte.
    #[inline(always)]
    pub fn from_byte(byte: u8) -> Shortcut {
        match Shortcut::ALL.get(usize::from(byte)) {
            Some(shortcut) => *shortcut,
            None => Shortcut::None,
        }
    }
}
