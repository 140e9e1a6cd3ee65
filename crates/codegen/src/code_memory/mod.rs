//! Where machine code lives: publishing it, finding it by address, and freeing it.
//!
//! Each interpreter has a [`CodeMemory`] of its own. It reserves address space when the first function is published, small enough
//! that all code in it can call each other with near calls, and keeps one allocation for each *code object*, so that
//! functions come and go one by one. Nothing here knows who uses the code: whoever frees it makes sure that no cell
//! leads to it any more and that no frame on a stack returns into it.
//!
//! A system may refuse memory that can be executed. That is an error like any other here, and everything goes on
//! interpreted.

mod arena;
mod free_list;
mod machine_code;
mod positions;

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use crate::debugger;
use crate::perf_map::PerfMap;

use arena::{Arena, Mapping, fill_with_traps};
use free_list::{Block, FreeList};

pub use machine_code::{MachineCode, RelocationError, Symbol};
pub use positions::{PositionRange, PositionTable};

/// How code memory is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeMemoryOptions {
    /// Address space to reserve, in bytes. Beyond 128 MiB code objects may lie too far apart to call each other.
    pub reserved_bytes: usize,
    /// How many bytes code may take at a time, rounding included.
    pub budget_bytes: usize,
    /// List published code in a file for the profiler `perf`.
    pub perf_map: bool,
    /// Register published code with a debugger that knows the interface of GDB.
    pub debugger: bool,
}

impl Default for CodeMemoryOptions {
    fn default() -> CodeMemoryOptions {
        CodeMemoryOptions {
            reserved_bytes: 64 << 20,
            budget_bytes: 64 << 20,
            perf_map: false,
            debugger: false,
        }
    }
}

/// Why code cannot be published. None of these is a fault of the script: it goes on without the code.
#[derive(Debug, thiserror::Error)]
pub enum CodeMemoryError {
    /// How to make code memory on this system is not known.
    #[error("executable memory is not supported on this system")]
    Unsupported,
    /// The system does not let this process have executable memory, or not as much.
    #[error("the system refuses executable memory: {operation}: {cause}")]
    Refused {
        /// What failed.
        operation: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// An earlier request was refused; the system is not asked again.
    #[error("executable memory was refused before")]
    RefusedBefore,
    /// Other code has to go first.
    #[error("the budget for machine code is spent: {missing} bytes more are needed")]
    OverBudget {
        /// How many bytes must be freed.
        missing: usize,
    },
    /// The free memory is in pieces too small for this code.
    #[error("no free piece of code memory has {0} bytes")]
    Fragmented(usize),
    /// An address cannot be put into the code.
    #[error(transparent)]
    Relocation(#[from] RelocationError),
}

/// Names a published code object. After the object is freed, the handle names nothing, even if its memory is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CodeHandle {
    slot: u32,
    generation: u32,
}

/// A published piece of machine code.
#[derive(Debug)]
pub struct CodeObject {
    name: Box<str>,
    start: usize,
    /// The length of the code; the block may be longer.
    size: usize,
    block: Block,
    last_use: u64,
    positions: PositionTable,
    /// Known to the debugger as long as this lives.
    _registration: Option<debugger::Registration>,
}

impl CodeObject {
    /// The name that debuggers and profilers show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of the first instruction. It may be called until the object is freed.
    pub fn entry(&self) -> *const u8 {
        std::ptr::with_exposed_provenance(self.start)
    }

    /// The addresses that belong to the code.
    pub fn addresses(&self) -> Range<usize> {
        self.start..self.start + self.size
    }

    /// The length in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Which bytecode the code was made from.
    pub fn positions(&self) -> &PositionTable {
        &self.positions
    }

    /// The position of the call that returns to this address; none if the address is not in this code.
    pub fn position_at(&self, return_address: usize) -> Option<u32> {
        let offset = return_address.checked_sub(self.start)?;
        // A call that never returns can be the last instruction, so its return address may lie just behind the code.
        (offset <= self.size)
            .then(|| {
                self.positions
                    .at_return_address(u32::try_from(offset).ok()?)
            })
            .flatten()
    }
}

/// A slot for a code object, used again after the object is freed.
#[derive(Debug, Default)]
struct Slot {
    /// Counts the objects that were here, so that old handles do not name new objects.
    generation: u32,
    object: Option<CodeObject>,
}

#[derive(Debug)]
enum Memory {
    /// Nothing was published yet.
    Untouched,
    Refused,
    Reserved {
        arena: Arena,
        free: FreeList,
    },
}

/// The machine code of one interpreter.
#[derive(Debug)]
pub struct CodeMemory {
    options: CodeMemoryOptions,
    memory: Memory,
    slots: Vec<Slot>,
    vacant_slots: Vec<u32>,
    /// Slots by where their code begins in the arena.
    by_offset: BTreeMap<usize, u32>,
    used_bytes: usize,
    /// Counts publications and touches: what time means for "least recently used".
    clock: u64,
    perf_map: Option<PerfMap>,
}

impl CodeMemory {
    /// Code memory that takes nothing until something is published.
    pub fn new(options: CodeMemoryOptions) -> CodeMemory {
        CodeMemory {
            options,
            memory: Memory::Untouched,
            slots: Vec::new(),
            vacant_slots: Vec::new(),
            by_offset: BTreeMap::new(),
            used_bytes: 0,
            clock: 0,
            perf_map: None,
        }
    }

    /// Gives code an address and makes it ready to run. `resolve` gives the addresses of the symbols it refers to.
    ///
    /// # Errors
    ///
    /// Fails if the code would exceed the budget (see [`eviction_candidates`](CodeMemory::eviction_candidates)), does not fit,
    /// refers to something unknown, or if the system refuses memory.
    pub fn publish(
        &mut self,
        code: &MachineCode,
        mut resolve: impl FnMut(&Symbol) -> Option<usize>,
    ) -> Result<CodeHandle, CodeMemoryError> {
        let taken = FreeList::rounded(code.size()).and_then(|it| it.checked_add(self.used_bytes));
        let over = taken
            .unwrap_or(usize::MAX)
            .saturating_sub(self.options.budget_bytes);
        if over > 0 {
            return Err(CodeMemoryError::OverBudget { missing: over });
        }
        self.reserve()?;
        let Memory::Reserved { arena, free } = &mut self.memory else {
            return Err(CodeMemoryError::RefusedBefore);
        };
        let block = free
            .allocate(code.size(), code.alignment)
            .ok_or(CodeMemoryError::Fragmented(code.size()))?;
        let start = arena.start() + block.offset;
        if let Err(error) = place(arena, block, code, &mut resolve) {
            arena.clear(block.offset..block.end());
            free.free(block);
            return Err(error);
        }
        self.used_bytes += block.size;
        self.clock += 1;
        if let Some(perf_map) = &self.perf_map {
            perf_map.record(start, code.size(), &code.name);
        }
        let registration = self
            .options
            .debugger
            .then(|| debugger::Registration::new(start, code.size(), &code.name));
        Ok(self.insert(CodeObject {
            name: code.name.clone(),
            start,
            size: code.size(),
            block,
            last_use: self.clock,
            positions: code.positions.clone(),
            _registration: registration,
        }))
    }

    fn reserve(&mut self) -> Result<(), CodeMemoryError> {
        if !matches!(self.memory, Memory::Untouched) {
            return Ok(());
        }
        self.memory = Memory::Refused;
        let mapping = match self.options.perf_map {
            true => Mapping::Anonymous,
            false => Mapping::Usual,
        };
        let arena = Arena::reserve(self.options.reserved_bytes, mapping)?;
        let free = FreeList::new(self.options.reserved_bytes);
        self.memory = Memory::Reserved { arena, free };
        if self.options.perf_map {
            // A profiler that misses names is no reason to run slower.
            self.perf_map = PerfMap::open().ok();
        }
        Ok(())
    }

    fn insert(&mut self, object: CodeObject) -> CodeHandle {
        let slot = self.vacant_slots.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        self.by_offset.insert(object.block.offset, slot);
        let entry = &mut self.slots[slot as usize];
        entry.object = Some(object);
        CodeHandle {
            slot,
            generation: entry.generation,
        }
    }

    /// Frees a code object and overwrites it with instructions that trap. Says whether the handle named one.
    ///
    /// The caller sees to it that nothing runs the code any more: no cell leads to it, and no frame returns into it.
    pub fn free(&mut self, handle: CodeHandle) -> bool {
        let slot = self.slots.get_mut(handle.slot as usize);
        let Some(slot) = slot.filter(|slot| slot.generation == handle.generation) else {
            return false;
        };
        let Some(object) = slot.object.take() else {
            return false;
        };
        // A slot whose handles are used up stays empty.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.vacant_slots.push(handle.slot);
        }
        let block = object.block;
        self.by_offset.remove(&block.offset);
        self.used_bytes -= block.size;
        if let Memory::Reserved { arena, free } = &mut self.memory {
            arena.clear(block.offset..block.end());
            free.free(block);
        }
        true
    }

    /// The code object that a handle names; none after it is freed.
    pub fn get(&self, handle: CodeHandle) -> Option<&CodeObject> {
        let slot = self.slots.get(handle.slot as usize)?;
        slot.object
            .as_ref()
            .filter(|_| slot.generation == handle.generation)
    }

    /// The bytes of a code object, as they are executed.
    pub fn bytes(&self, handle: CodeHandle) -> Option<&[u8]> {
        let object = self.get(handle)?;
        let Memory::Reserved { arena, .. } = &self.memory else {
            return None;
        };
        let start = object.block.offset;
        arena.code().get(start..start + object.size)
    }

    /// The code object that contains an address.
    pub fn find(&self, address: usize) -> Option<CodeHandle> {
        let Memory::Reserved { arena, .. } = &self.memory else {
            return None;
        };
        let offset = address.checked_sub(arena.start())?;
        let (_, &slot) = self.by_offset.range(..=offset).next_back()?;
        let entry = self.slots.get(slot as usize)?;
        let object = entry.object.as_ref()?;
        object.addresses().contains(&address).then_some(CodeHandle {
            slot,
            generation: entry.generation,
        })
    }

    /// The code object and the position in it of the call that returns to an address.
    pub fn position_at(&self, return_address: usize) -> Option<(CodeHandle, u32)> {
        let call = return_address.checked_sub(1)?;
        let handle = self.find(call)?;
        Some((handle, self.get(handle)?.position_at(return_address)?))
    }

    /// The bytes that published code takes, rounding included: what counts against the budget.
    pub fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// How many bytes code may take at a time.
    pub fn budget_bytes(&self) -> usize {
        self.options.budget_bytes
    }

    /// How many code objects there are.
    pub fn len(&self) -> usize {
        self.by_offset.len()
    }

    /// Whether nothing is published.
    pub fn is_empty(&self) -> bool {
        self.by_offset.is_empty()
    }

    /// All code objects, in the order of their addresses.
    pub fn handles(&self) -> impl Iterator<Item = CodeHandle> {
        self.by_offset.values().map(|&slot| CodeHandle {
            slot,
            generation: self.slots[slot as usize].generation,
        })
    }

    /// Notes that a code object is in use: it is evicted later than those touched before it.
    pub fn touch(&mut self, handle: CodeHandle) {
        self.clock += 1;
        let clock = self.clock;
        let slot = self.slots.get_mut(handle.slot as usize);
        if let Some(slot) = slot.filter(|slot| slot.generation == handle.generation)
            && let Some(object) = &mut slot.object
        {
            object.last_use = clock;
        }
    }

    /// The code objects to free, least recently used first, so that `bytes` bytes come free. Those that `must_stay`, because a
    /// frame on a stack returns into them, are passed over; so the list may hold less than was asked for.
    pub fn eviction_candidates(
        &self,
        bytes: usize,
        mut must_stay: impl FnMut(CodeHandle, &CodeObject) -> bool,
    ) -> Vec<CodeHandle> {
        let object = |handle| Some((self.get(handle)?, handle));
        let mut by_use: Vec<_> = self.handles().filter_map(object).collect();
        by_use.sort_unstable_by_key(|(object, _)| object.last_use);
        let mut found = 0;
        let mut candidates = Vec::new();
        for (object, handle) in by_use {
            if found >= bytes {
                break;
            }
            if !must_stay(handle, object) {
                found += object.block.size;
                candidates.push(handle);
            }
        }
        candidates
    }
}

/// Writes code to its place and lets it be executed.
fn place(
    arena: &mut Arena,
    block: Block,
    code: &MachineCode,
    resolve: &mut dyn FnMut(&Symbol) -> Option<usize>,
) -> Result<(), CodeMemoryError> {
    let base = arena.start() + block.offset;
    arena.write(block.offset..block.end(), |memory| {
        let (bytes, rest) = memory.split_at_mut(code.size());
        bytes.copy_from_slice(&code.bytes);
        fill_with_traps(rest);
        let mut relocations = code.relocations.iter();
        relocations.try_for_each(|relocation| relocation.apply(bytes, base, resolve))
    })??;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
