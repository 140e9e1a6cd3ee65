//! Frames and register windows.
//!
//! Register windows lie in one contiguous value stack. A window is laid over the caller's registers, so arguments
//! are written where the callee expects them:
//!
//! ```text
//! caller's window                    callee's window
//! | callee | self | super | a | b | t |
//!                                 ^ | callee | self | super | argument 0 | argument 1 | locals … |
//!                                   window operand of the call
//! ```
//! A frame record remembers what a return restores; it lies on a stack of its own.

use std::cell::Cell;
use std::mem::offset_of;

use kiln_bytecode::Instruction;
use memmap2::MmapMut;

use crate::error::Position;
use crate::feedback::CodeInstance;
use crate::heap::Marker;
use crate::safepoint::{Reasons, Safepoint};
use crate::value::Value;

/// What bounds a script.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that the heap may grow to.
    pub heap_bytes: usize,
    /// Registers of all calls together: what bounds recursion.
    pub stack_registers: usize,
}

impl Default for Limits {
    /// 1 GiB of heap; a stack on which some hundred thousand calls of small functions fit.
    fn default() -> Limits {
        Limits {
            heap_bytes: 1 << 30,
            stack_registers: 4 << 20,
        }
    }
}

/// What a return restores.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Frame {
    /// The code.
    pub code: *const CodeInstance,
    /// The instruction after the one being executed: kept up to date at calls and in slow paths.
    pub next: *const Cell<Instruction>,
    /// The window.
    pub base: *mut Value,
}

/// A place in the stack of frames: which frame was the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct FrameMark(*mut Frame);

/// Where what is running begins: above the frames of a suspended activity, if there are any.
#[derive(Clone, Copy)]
pub(crate) struct Floor {
    mark: FrameMark,
    /// The first register that is free for it.
    end: *mut Value,
}

impl FrameMark {
    /// The mark made before the frame with this record was entered.
    pub(crate) fn below(record: *mut Frame) -> FrameMark {
        FrameMark(record)
    }
}

/// Registers beyond the limit that runtime functions may use without a check.
const RED_ZONE: usize = 512;

/// The most registers that a call from outside writes before its window is checked: the fixed slots, the arguments, `self`.
pub(crate) const CALL_REGISTERS: usize = 3 + MAX_ARGUMENTS + 1;

/// The most arguments of a call.
pub(crate) const MAX_ARGUMENTS: usize = 256;

/// The value stack and the stack of frame records.
pub struct FrameStack {
    values: MmapMut,
    records: MmapMut,
    /// Behind the current frame's record.
    top: *mut Frame,
    /// Where what is running begins.
    floor: Floor,
    /// A window must end below its limit, which a request lowers to 0.
    safepoint: Safepoint,
    /// The limit while nothing is requested.
    real_limit: usize,
}

impl FrameStack {
    /// Where compiled code finds the address behind the current frame's record.
    pub const TOP_OFFSET: usize = offset_of!(FrameStack, top);

    /// Stacks for this many registers; memory is committed when it is touched.
    pub fn new(registers: usize) -> std::io::Result<FrameStack> {
        let values = MmapMut::map_anon((registers + RED_ZONE) * size_of::<Value>())?;
        // Windows of nested calls are at least three registers apart.
        let records = MmapMut::map_anon((registers / 3 + 2) * size_of::<Frame>())?;
        let real_limit = values.as_ptr() as usize + registers * size_of::<Value>();
        let top = records.as_ptr() as *mut Frame;
        Ok(FrameStack {
            records,
            top,
            floor: Floor {
                mark: FrameMark(top),
                end: values.as_ptr() as *mut Value,
            },
            values,
            safepoint: Safepoint::new(real_limit),
            real_limit,
        })
    }

    /// The number of frames.
    pub fn depth(&self) -> usize {
        (self.top as usize - self.records.as_ptr() as usize) / size_of::<Frame>()
    }

    /// Which frame is the current one, for comparing and for [`FrameStack::truncate`].
    #[inline(always)]
    pub fn mark(&self) -> FrameMark {
        FrameMark(self.top)
    }

    /// The current frame.
    #[inline(always)]
    pub fn top(&self) -> &Frame {
        debug_assert!(self.depth() > 0);
        // SAFETY: records below `top` are initialized.
        unsafe { &*self.top.sub(1) }
    }

    /// The frame with this number, counted from the outermost.
    pub fn get(&self, index: usize) -> Option<&Frame> {
        // SAFETY: records below `top` are initialized.
        (index < self.depth())
            .then(|| unsafe { &*self.records.as_ptr().cast::<Frame>().add(index) })
    }

    /// Remembers where the current frame goes on.
    #[inline(always)]
    pub fn set_next(&mut self, next: *const Cell<Instruction>) {
        debug_assert!(self.depth() > 0);
        // SAFETY: records below `top` are initialized.
        unsafe { (*self.top.sub(1)).next = next };
    }

    /// Enters a frame whose window has been checked against the limit.
    #[inline(always)]
    pub fn push(&mut self, frame: Frame) {
        // SAFETY: windows of nested frames are at least three registers apart and below the limit, so there is room for the record.
        unsafe {
            self.top.write(frame);
            self.top = self.top.add(1);
        }
    }

    /// Leaves the current frame.
    #[inline(always)]
    pub fn pop(&mut self) {
        debug_assert!(self.depth() > 0);
        // SAFETY: there is a current frame.
        self.top = unsafe { self.top.sub(1) };
    }

    /// Leaves all frames that have been entered since the mark was made.
    pub fn truncate(&mut self, mark: FrameMark) {
        debug_assert!(mark.0 <= self.top);
        self.top = mark.0;
    }

    /// The first register behind the current frame's window.
    pub fn end(&self) -> *mut Value {
        if self.top == self.floor.mark.0 {
            return self.floor.end;
        }
        let frame = self.top();
        // SAFETY: the window ends below the limit, inside the mapping.
        unsafe { frame.base.add((*frame.code).register_count) }
    }

    /// Makes what runs next begin behind all frames there are, and behind what a call that is just being made may have written.
    /// Returns what was so before.
    pub(crate) fn raise_floor(&mut self) -> Floor {
        let before = self.floor;
        if !self.is_empty() {
            self.floor = Floor {
                mark: self.mark(),
                end: self.end().wrapping_add(CALL_REGISTERS),
            };
        }
        before
    }

    /// Puts the floor back.
    pub(crate) fn set_floor(&mut self, floor: Floor) {
        self.floor = floor;
    }

    /// Whether nothing that runs has a frame.
    pub fn is_empty(&self) -> bool {
        self.top == self.floor.mark.0
    }

    /// The number of frames of what runs.
    pub fn running_depth(&self) -> usize {
        (self.top as usize - self.floor.mark.0 as usize) / size_of::<Frame>()
    }

    /// Whether a window that ends at `end` is too far; also true if anything is requested.
    #[inline(always)]
    pub fn is_beyond_limit(&self, end: *const Value) -> bool {
        end as usize > self.safepoint.limit()
    }

    /// Whether a window is inside the stack, whatever may be pending. A call without room fails.
    pub fn has_room_for(&self, window: *const Value, registers: usize) -> bool {
        window.wrapping_add(registers) as usize <= self.real_limit
    }

    /// Whether anything is requested at the next safepoint.
    #[inline(always)]
    pub fn is_requested(&self) -> bool {
        self.safepoint.limit() == 0
    }

    /// Takes pending requests; see [`Safepoint`].
    pub(crate) fn take_requests(&self, among: Reasons) -> Reasons {
        self.safepoint.take(among, self.real_limit)
    }

    /// Where other threads put their requests.
    pub(crate) fn safepoint(&self) -> &Safepoint {
        &self.safepoint
    }

    /// Where the frames are, innermost first; at most `most`, of long stacks the innermost and the outermost.
    pub fn positions(&self, most: usize) -> Vec<Position> {
        let depth = self.depth();
        let running = self.running_depth();
        let skipped = running.saturating_sub(most);
        let skip_from = most - most / 4;
        let mut positions = Vec::new();
        for (number, index) in (depth - running..depth).rev().enumerate() {
            if number >= skip_from && number < skip_from + skipped {
                continue;
            }
            if let Some(frame) = self.get(index) {
                // SAFETY: frames refer to instances, which live as long as the interpreter.
                let code = unsafe { &*frame.code };
                let position = code.position_before(frame.next);
                positions.push(Position {
                    module: code.block.origin.module.clone(),
                    line: code.block.line_at(position),
                    span: code.block.span_at(position),
                    function: code.block.name.clone(),
                });
            }
        }
        positions
    }

    /// Marks what registers hold. Windows are reserved, not cleared, so any word may be stale.
    pub(crate) fn trace(&self, marker: &mut Marker) {
        let start = self.values.as_ptr().cast::<u64>();
        // Arguments of a call that is just being made may lie behind the window.
        let end = self.end() as usize + CALL_REGISTERS * size_of::<Value>();
        let end = end.min(start as usize + self.values.len()) as *const u64;
        // SAFETY: both ends lie in the mapping of the value stack.
        unsafe { marker.conservative(start, end) };
    }
}
