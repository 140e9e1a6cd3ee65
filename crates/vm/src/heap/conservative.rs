//! Conservative roots: words of which nobody knows whether they are references.

use super::Marker;
use crate::value::Tag;

/// The payload of a value that refers to a cell: its address.
const PAYLOAD: u64 = (1 << 48) - 1;
/// Words from this one on are values that refer to cells.
const FIRST_CELL: u64 = (Tag::String as u64) << 48;

impl Marker {
    /// A range of words of which any may be a reference: an address in a cell, or a value that refers to a cell.
    ///
    /// The address just behind a cell does not keep it alive.
    ///
    /// # Safety
    /// The range must be readable, and both ends aligned to 8 bytes.
    pub unsafe fn conservative(&mut self, start: *const u64, end: *const u64) {
        self.root_bytes += end as usize - start as usize;
        let mut word = start;
        while word < end {
            // SAFETY: the word lies in the range. The compiler must not reason about memory that may never
            // have been written, hence the volatile read.
            self.conservative_word(unsafe { word.read_volatile() });
            word = word.wrapping_add(1);
        }
    }

    /// A word that may be a reference.
    #[inline]
    pub fn conservative_word(&mut self, word: u64) {
        // No user-space address has one of the upper 16 bits set.
        let address = match word {
            FIRST_CELL.. => word & PAYLOAD,
            _ => word,
        };
        if let Some(cell) = self.space.find(address as usize) {
            self.cell(cell);
        }
    }
}

/// Calls `scan` with an address such that all registers the caller of this function has in use are
/// in memory between there and the caller's frame.
///
/// A collection is run inside `scan`, and scans the stack conservatively from that address to its base.
#[inline(never)]
pub fn with_spilled_registers<R>(scan: impl FnOnce(*const u64) -> R) -> R {
    let mut registers = [0_u64; SPILLED];
    spill(&mut registers);
    let result = scan(registers.as_ptr());
    // The array must stay where it is until the end.
    std::hint::black_box(&mut registers);
    result
}

/// The number of words that [`spill`] stores.
#[cfg(not(target_arch = "aarch64"))]
const SPILLED: usize = 28;
/// The number of words that [`spill`] stores.
#[cfg(target_arch = "aarch64")]
const SPILLED: usize = 20;

/// Stores the callee-saved registers: the others are on the stack already if a caller needs them.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn spill(registers: &mut [u64; SPILLED]) {
    // SAFETY: the code only writes to the array, within its length.
    unsafe {
        std::arch::asm!(
            "mov [{0}], rbx",
            "mov [{0} + 8], rbp",
            "mov [{0} + 16], r12",
            "mov [{0} + 24], r13",
            "mov [{0} + 32], r14",
            "mov [{0} + 40], r15",
            // Callee-saved on Windows only.
            "mov [{0} + 48], rdi",
            "mov [{0} + 56], rsi",
            in(reg) registers.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
        #[cfg(windows)]
        std::arch::asm!(
            "movups [{0} + 64], xmm6",
            "movups [{0} + 80], xmm7",
            "movups [{0} + 96], xmm8",
            "movups [{0} + 112], xmm9",
            "movups [{0} + 128], xmm10",
            "movups [{0} + 144], xmm11",
            "movups [{0} + 160], xmm12",
            "movups [{0} + 176], xmm13",
            "movups [{0} + 192], xmm14",
            "movups [{0} + 208], xmm15",
            in(reg) registers.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
    }
}

/// Stores the callee-saved registers: the others are on the stack already if a caller needs them.
#[cfg(all(target_arch = "aarch64", not(miri)))]
#[inline(always)]
fn spill(registers: &mut [u64; SPILLED]) {
    // SAFETY: the code only writes to the array, within its length.
    unsafe {
        std::arch::asm!(
            "stp x19, x20, [{0}]",
            "stp x21, x22, [{0}, #16]",
            "stp x23, x24, [{0}, #32]",
            "stp x25, x26, [{0}, #48]",
            "stp x27, x28, [{0}, #64]",
            "str x29, [{0}, #80]",
            // Values may travel in float registers.
            "stp d8, d9, [{0}, #88]",
            "stp d10, d11, [{0}, #104]",
            "stp d12, d13, [{0}, #120]",
            "stp d14, d15, [{0}, #136]",
            in(reg) registers.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
    }
}

/// Under Miri there are no registers.
#[cfg(miri)]
fn spill(_registers: &mut [u64; SPILLED]) {}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", miri)))]
compile_error!(
    "the collector does not know which registers this processor's calling convention preserves"
);
