//! What a profiler records while a script runs: data without text, for reports and for whoever decides by them.
//!
//! There are two ways to measure. *Exact*: programs run in a form of dispatch of its own that tells the [`Profiler`] of every
//! instruction; everything is counted, and the times contain the counting. *Sampled*: programs run as always, and
//! when another thread asks for it ([`Reason::Sample`](crate::safepoint::Reason::Sample)) the script notes at its next poll where
//! it stands.
//!
//! Time is that of the script: what the collector and waiting take is measured apart.

mod loops;
mod memory;
mod signature;
mod tree;

use std::sync::Arc;
use std::time::{Duration, Instant};

use kiln_bytecode::CodeBlock;

pub use loops::LoopIndex;
pub use memory::{Duplicate, Duplication, MemoryCensus, ShapePopulation};
pub use signature::{OperandKind, Signature, SignatureTable};
pub use tree::{CallNode, CallTree, FunctionTimes, NodeId};

use crate::frame::FrameStack;
use crate::heap::{Heap, Kind, Population};
use crate::intrinsics::Intrinsic;
use crate::object::map::AddressMap;
use crate::object::map::shape::{ShapeId, ShapeTable};
use loops::LoopMap;

/// The number of a function in [`Profiler::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FunctionId(u32);

impl FunctionId {
    /// No function.
    pub const NONE: FunctionId = FunctionId(u32::MAX);

    const fn new(index: u32) -> FunctionId {
        FunctionId(index)
    }

    /// The index in [`Profiler::functions`].
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The function, unless this is [`FunctionId::NONE`].
    pub fn known(self) -> Option<FunctionId> {
        (self != FunctionId::NONE).then_some(self)
    }
}

/// How to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Counting every instruction.
    Exact,
    /// Asking now and then.
    Sampled,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How.
    pub method: Method,
    /// Look at the whole heap when it has grown, for the peaks in [`Profiler::peak`].
    pub memory: bool,
}

/// What was called.
#[derive(Clone)]
pub enum Function {
    /// Code of the script.
    Script(Arc<CodeBlock>),
    /// An intrinsic.
    Intrinsic(&'static Intrinsic),
}

/// What is known of a loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoopProfile {
    /// How often it was begun, with one iteration at least.
    pub entries: u64,
    /// How often its body was begun.
    pub iterations: u64,
    /// Nanoseconds spent in it, calls from it included; passes of the same loop inside such calls add nothing.
    pub time: u64,
    /// How often it is running now.
    active: u32,
    /// The number of the sample in which it was last seen.
    sample: u64,
}

/// What is known of a function. By position: of the instruction with this number; empty for intrinsics.
pub struct FunctionProfile {
    /// The function.
    pub function: Function,
    /// How often each instruction was executed.
    pub counts: Box<[u64]>,
    /// What kinds of operands it met.
    pub signatures: Box<[SignatureTable]>,
    /// What it has allocated.
    pub allocations: Box<[Population]>,
    /// Nanoseconds of the samples taken there.
    pub sampled: Box<[u64]>,
    /// The loops in the order of [`CodeBlock::loops`].
    pub loops: Box<[LoopProfile]>,
    map: Option<LoopMap>,
}

impl FunctionProfile {
    /// Whether the instruction at `position` is in the loop, or in one inside it.
    pub fn is_inside(&self, position: u32, index: LoopIndex) -> bool {
        let Some(map) = &self.map else {
            return false;
        };
        let innermost = map.mark(position).inside;
        innermost.is_some_and(|innermost| map.contains(index, innermost))
    }
}

/// A function that is running.
struct Activation {
    node: NodeId,
    function: FunctionId,
    /// The instruction being executed.
    position: u32,
    /// The instruction executed before it, if there was one.
    before: Option<u32>,
    /// The innermost loop.
    inside: Option<LoopIndex>,
    /// The loops around the current position, outermost first.
    entered: Vec<EnteredLoop>,
}

/// A loop that is running.
struct EnteredLoop {
    index: LoopIndex,
    /// The script's time when it was entered.
    since: u64,
    /// Whether an iteration has begun.
    has_begun: bool,
}

/// What has been recorded.
pub struct Profiler {
    settings: Settings,
    functions: Vec<FunctionProfile>,
    /// Functions by the address of their code block or intrinsic.
    known: AddressMap<FunctionId>,
    tree: CallTree,
    stack: Vec<Activation>,
    started: Instant,
    /// Time in which the script waited or did not run.
    paused: Duration,
    /// What collections had taken before.
    collector_before: Duration,
    /// The script's time up to which everything is attributed.
    attributed: u64,
    /// The heap's count of allocations up to which everything is attributed.
    allocated: Population,
    /// The intrinsic that ended last.
    ended: FunctionId,
    /// Names of the members of shapes in signatures.
    shapes: AddressMap<Box<[Box<str>]>>,
    samples: u64,
    /// Where the last sample was taken.
    sampled_node: NodeId,
    peak: [Population; Kind::COUNT],
    /// The live bytes at which the heap is looked at again.
    census_at: usize,
}

/// The deepest stack of which a sample notes everything; of deeper ones, the innermost calls.
const SAMPLE_DEPTH: usize = 256;

impl Profiler {
    /// Begins to measure scripts with this heap.
    pub(crate) fn new(settings: Settings, heap: &Heap) -> Profiler {
        Profiler {
            settings,
            functions: Vec::new(),
            known: AddressMap::default(),
            tree: CallTree::default(),
            stack: Vec::new(),
            started: Instant::now(),
            paused: Duration::ZERO,
            collector_before: heap.pause_time(),
            attributed: 0,
            allocated: heap.counted(),
            ended: FunctionId::NONE,
            shapes: AddressMap::default(),
            samples: 0,
            sampled_node: NodeId::ROOT,
            peak: [Population::default(); Kind::COUNT],
            census_at: 0,
        }
    }

    /// What is measured.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// All functions that were called, or seen in a sample.
    pub fn functions(&self) -> &[FunctionProfile] {
        &self.functions
    }

    /// Who called whom.
    pub fn tree(&self) -> &CallTree {
        &self.tree
    }

    /// How many samples were taken.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// The names of the members of a shape that occurs in a signature.
    pub fn shape(&self, number: u32) -> Option<&[Box<str>]> {
        self.shapes.get(&(number as usize)).map(|names| &**names)
    }

    /// The most cells of each kind that were alive at the same time, as far as the heap was looked at; indexed by [`Kind`].
    pub fn peak(&self) -> &[Population; Kind::COUNT] {
        &self.peak
    }

    /// Notes that the script did not run for so long.
    pub fn pause(&mut self, duration: Duration) {
        self.paused += duration;
    }

    /// How long the script did not run, between being begun and its end.
    pub fn waited(&self) -> Duration {
        self.paused
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.settings.method == Method::Exact
    }

    /// What collections have taken since the profiler was made.
    pub(crate) fn collector_time(&self, heap: &Heap) -> Duration {
        heap.pause_time().saturating_sub(self.collector_before)
    }

    /// The script's time, in nanoseconds.
    fn now(&self, heap: &Heap) -> u64 {
        let elapsed = self.started.elapsed();
        let apart = self.paused + self.collector_time(heap);
        let time = elapsed.saturating_sub(apart).as_nanos() as u64;
        // Clocks of different origins are subtracted.
        time.max(self.attributed)
    }

    /// Gives a node the time since the last call of this.
    fn attribute_time(&mut self, node: NodeId, heap: &Heap) -> u64 {
        let now = self.now(heap);
        self.tree.add_time(node, now - self.attributed);
        self.attributed = now;
        now
    }

    /// A script begins to run, from outside.
    pub(crate) fn begin_run(&mut self, heap: &Heap) {
        if self.stack.is_empty() {
            self.attributed = self.now(heap);
            self.allocated = heap.counted();
        }
    }

    /// The script that ran has ended.
    pub(crate) fn end_run(&mut self, heap: &Heap) {
        if !self.is_exact() && self.sampled_node != NodeId::ROOT {
            self.attribute_time(self.sampled_node, heap);
        }
    }

    /// The number of a function of the script.
    pub(crate) fn script(&mut self, block: &Arc<CodeBlock>) -> FunctionId {
        let address = Arc::as_ptr(block) as usize;
        if let Some(known) = self.known.get(&address) {
            return *known;
        }
        let length = block.instructions.len();
        self.add(
            address,
            FunctionProfile {
                function: Function::Script(block.clone()),
                counts: vec![0; length].into(),
                signatures: vec![SignatureTable::default(); length].into(),
                allocations: vec![Population::default(); length].into(),
                sampled: vec![0; length].into(),
                loops: vec![LoopProfile::default(); block.loops.len()].into(),
                map: Some(LoopMap::new(block)),
            },
        )
    }

    /// The number of an intrinsic.
    pub(crate) fn intrinsic(&mut self, intrinsic: &'static Intrinsic) -> FunctionId {
        let address = std::ptr::from_ref(intrinsic) as usize;
        if let Some(known) = self.known.get(&address) {
            return *known;
        }
        self.add(
            address,
            FunctionProfile {
                function: Function::Intrinsic(intrinsic),
                counts: Box::default(),
                signatures: Box::default(),
                allocations: Box::default(),
                sampled: Box::default(),
                loops: Box::default(),
                map: None,
            },
        )
    }

    fn add(&mut self, address: usize, profile: FunctionProfile) -> FunctionId {
        let id = FunctionId::new(self.functions.len() as u32);
        self.functions.push(profile);
        self.known.insert(address, id);
        id
    }

    // ---- exact: calls ----

    /// How many functions are running, for [`Profiler::leave_to`].
    pub(crate) fn depth(&self) -> usize {
        self.stack.len()
    }

    /// A function has been entered.
    pub(crate) fn enter(&mut self, function: FunctionId, heap: &Heap) {
        let parent = self.stack.last().map_or(NodeId::ROOT, |top| top.node);
        if parent != NodeId::ROOT {
            self.attribute_time(parent, heap);
        }
        let node = self.tree.child(parent, function);
        self.tree.add_call(node);
        self.stack.push(Activation {
            node,
            function,
            position: 0,
            before: None,
            inside: None,
            entered: Vec::new(),
        });
    }

    /// An intrinsic begins. What was allocated up to here belongs to its caller.
    pub(crate) fn begin_intrinsic(&mut self, intrinsic: &'static Intrinsic, heap: &Heap) {
        let function = self.intrinsic(intrinsic);
        self.enter(function, heap);
    }

    /// The intrinsic that began last ends.
    pub(crate) fn end_intrinsic(&mut self, depth: usize, heap: &Heap) {
        self.ended = self
            .stack
            .get(depth)
            .map_or(FunctionId::NONE, |top| top.function);
        self.leave_to(depth, heap);
    }

    /// Counts a call of an intrinsic for which the interpreter has done the work itself.
    pub(crate) fn count_shortcut(&mut self, intrinsic: &'static Intrinsic) -> FunctionId {
        let function = self.intrinsic(intrinsic);
        let parent = self.stack.last().map_or(NodeId::ROOT, |top| top.node);
        let node = self.tree.child(parent, function);
        self.tree.add_call(node);
        function
    }

    /// The intrinsic that has ended since this was last asked.
    pub(crate) fn take_ended(&mut self) -> FunctionId {
        std::mem::replace(&mut self.ended, FunctionId::NONE)
    }

    /// All functions entered since the stack was that deep have been left.
    pub(crate) fn leave_to(&mut self, depth: usize, heap: &Heap) {
        while self.stack.len() > depth {
            self.move_to_loop(None, heap);
            let Some(top) = self.stack.pop() else {
                return;
            };
            self.attribute_time(top.node, heap);
        }
    }

    // ---- exact: instructions ----

    /// The instruction at `position` of the function entered last is about to be executed.
    #[inline]
    pub(crate) fn execute(&mut self, position: u32, heap: &Heap) {
        let Some(top) = self.stack.last_mut() else {
            return;
        };
        let profile = &mut self.functions[top.function.index()];
        profile.counts[position as usize] += 1;
        let before = top.before.replace(position);
        top.position = position;
        let Some(map) = &profile.map else {
            return;
        };
        let mark = map.mark(position);
        if mark.is_out_of_line {
            return;
        }
        if mark.inside != top.inside {
            self.move_to_loop(mark.inside, heap);
        }
        if mark.begins_pass {
            self.begin_passes(position, before);
        }
    }

    /// Counts the iterations that begin at `position`, where the instruction at `before` was executed before.
    fn begin_passes(&mut self, position: u32, before: Option<u32>) {
        let Some(top) = self.stack.last_mut() else {
            return;
        };
        let FunctionProfile { loops, map, .. } = &mut self.functions[top.function.index()];
        let Some(map) = map else {
            return;
        };
        for index in map.passes_begun(position, before) {
            let profile = &mut loops[index as usize];
            profile.iterations += 1;
            let running = top.entered.iter_mut().rev();
            if let Some(entered) = running.into_iter().find(|entered| entered.index == index)
                && !entered.has_begun
            {
                entered.has_begun = true;
                profile.entries += 1;
            }
        }
    }

    /// Execution goes on inside this loop.
    fn move_to_loop(&mut self, inside: Option<LoopIndex>, heap: &Heap) {
        let now = match self.stack.last() {
            Some(top) if top.inside != inside => self.now(heap),
            _ => return,
        };
        let Some(top) = self.stack.last_mut() else {
            return;
        };
        let FunctionProfile { loops, map, .. } = &mut self.functions[top.function.index()];
        let Some(map) = map else {
            return;
        };
        while let Some(left) = top.entered.last() {
            if inside.is_some_and(|inside| map.contains(left.index, inside)) {
                break;
            }
            let profile = &mut loops[left.index as usize];
            profile.active -= 1;
            if profile.active == 0 {
                profile.time += now - left.since;
            }
            top.entered.pop();
        }
        let innermost = top.entered.last().map(|entered| entered.index);
        let known = top.entered.len();
        let mut at = inside;
        while at != innermost
            && let Some(index) = at
        {
            loops[index as usize].active += 1;
            let entered = EnteredLoop {
                index,
                since: now,
                has_begun: false,
            };
            top.entered.insert(known, entered);
            at = map.parent(index);
        }
        top.inside = inside;
    }

    /// The instruction being executed has met operands of these kinds.
    pub(crate) fn count_signature(&mut self, signature: Signature, shapes: &ShapeTable) {
        let Some(top) = self.stack.last() else {
            return;
        };
        let table = &mut self.functions[top.function.index()].signatures[top.position as usize];
        if table.count(signature)
            && let Some(names) = shapes.key_names(ShapeId(signature.shape))
        {
            self.shapes.insert(signature.shape as usize, names);
        }
    }

    /// What has been allocated since this was last called was allocated by the instruction being executed.
    #[inline]
    pub(crate) fn attribute_allocations(&mut self, heap: &mut Heap) {
        let now = heap.counted();
        if now == self.allocated {
            return;
        }
        let (cells, bytes) = (
            now.cells - self.allocated.cells,
            now.bytes - self.allocated.bytes,
        );
        self.allocated = now;
        // What an intrinsic allocates belongs to the instruction that called it.
        let caller = self
            .stack
            .iter()
            .rev()
            .map(|activation| (activation.function.index(), activation.position as usize))
            .find(|(function, _)| !self.functions[*function].allocations.is_empty());
        if let Some((function, position)) = caller {
            let site = &mut self.functions[function].allocations[position];
            site.cells += cells;
            site.bytes += bytes;
        }
        self.note_peak(heap);
    }

    /// Looks at the heap if it has grown by an eighth since the last look.
    fn note_peak(&mut self, heap: &mut Heap) {
        if !self.settings.memory || heap.live_bytes() < self.census_at {
            return;
        }
        self.census_at = (heap.live_bytes() / 8 * 9).max(heap.live_bytes() + MIN_GROWTH);
        self.raise_peak(&heap.census());
    }

    /// Takes these populations into account for the peak.
    pub(crate) fn raise_peak(&mut self, census: &[Population; Kind::COUNT]) {
        for (peak, now) in self.peak.iter_mut().zip(census) {
            peak.cells = peak.cells.max(now.cells);
            peak.bytes = peak.bytes.max(now.bytes);
        }
    }

    // ---- samples ----

    /// Notes where the script stands, and that it has been there since the last sample. `inside` is the intrinsic that is
    /// running, if one is.
    pub(crate) fn sample(
        &mut self,
        frames: &FrameStack,
        inside: Option<&'static Intrinsic>,
        heap: &Heap,
    ) {
        self.samples += 1;
        let before = self.attributed;
        let mut node = NodeId::ROOT;
        let depth = frames.depth();
        let mut innermost = None;
        for index in depth.saturating_sub(SAMPLE_DEPTH)..depth {
            let Some(frame) = frames.get(index) else {
                break;
            };
            // SAFETY: frames refer to instances, which live as long as the interpreter.
            let code = unsafe { &*frame.code };
            let function = self.script(&code.block);
            node = self.tree.child(node, function);
            innermost = Some((function, code.position_before(frame.next)));
        }
        if let Some(intrinsic) = inside {
            let function = self.intrinsic(intrinsic);
            node = self.tree.child(node, function);
        }
        let time = self.attribute_time(node, heap) - before;
        self.sampled_node = node;
        if let Some((function, position)) = innermost
            && let Some(sampled) = self.functions[function.index()]
                .sampled
                .get_mut(position as usize)
        {
            *sampled += time;
        }
        for index in depth.saturating_sub(SAMPLE_DEPTH)..depth {
            if let Some(frame) = frames.get(index) {
                // SAFETY: see above.
                let code = unsafe { &*frame.code };
                let function = self.script(&code.block);
                self.sample_loops(function, code.position_before(frame.next), time);
            }
        }
    }

    fn sample_loops(&mut self, function: FunctionId, position: u32, time: u64) {
        let FunctionProfile { loops, map, .. } = &mut self.functions[function.index()];
        let Some(map) = map else {
            return;
        };
        let mut at = map.mark(position).inside;
        while let Some(index) = at {
            let profile = &mut loops[index as usize];
            if profile.sample != self.samples {
                profile.sample = self.samples;
                profile.time += time;
            }
            at = map.parent(index);
        }
    }
}

/// The least growth of live data between two looks at the whole heap, in bytes.
const MIN_GROWTH: usize = 256 << 10;
