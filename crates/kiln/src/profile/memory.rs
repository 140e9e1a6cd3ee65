//! The heap's part of a profile.

use kiln_vm::profile::{MemoryCensus, Profiler};

use super::names;
use super::report::{DuplicateString, KindMemory, Memory, ShapeMemory, StringMemory};

pub(super) fn memory(census: &MemoryCensus, profiler: &Profiler, peak_heap: usize) -> Memory {
    let mut kinds: Vec<KindMemory> = names::KINDS
        .iter()
        .map(|(kind, name)| {
            let (live, peak) = (
                census.kinds[*kind as usize],
                profiler.peak()[*kind as usize],
            );
            KindMemory {
                kind: (*name).into(),
                live_cells: live.cells as u64,
                live_bytes: live.bytes as u64,
                peak_cells: peak.cells.max(live.cells) as u64,
                peak_bytes: peak.bytes.max(live.bytes) as u64,
            }
        })
        .filter(|kind| kind.peak_cells > 0)
        .collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.peak_bytes));
    let shapes = census.shapes.iter().map(|shape| ShapeMemory {
        keys: shape
            .members
            .as_ref()
            .map(|names| names.iter().map(|name| name.to_string()).collect()),
        maps: shape.maps.cells as u64,
        bytes: shape.maps.bytes as u64,
    });
    let duplication = &census.duplication;
    let worst = duplication.worst.iter().map(|text| DuplicateString {
        text: text.text.to_string(),
        strings: text.strings.cells as u64,
        bytes: text.strings.bytes as u64,
    });
    Memory {
        peak_heap_bytes: peak_heap as u64,
        live_bytes: kinds.iter().map(|kind| kind.live_bytes).sum(),
        kinds,
        shapes: shapes.collect(),
        strings: StringMemory {
            strings: duplication.strings.cells as u64,
            bytes: duplication.strings.bytes as u64,
            distinct: duplication.distinct.cells as u64,
            duplicate_bytes: (duplication.strings.bytes - duplication.distinct.bytes) as u64,
            worst: worst.collect(),
        },
    }
}
