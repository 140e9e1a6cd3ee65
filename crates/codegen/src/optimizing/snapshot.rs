//! Compile jobs from code instances: copies of their bytecode and feedback, and tables of what the job's numbers stand for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kiln_bytecode::{
    Effects, Instruction, Op, ReadMode, Register, changed_element, register_written,
};
use kiln_ssa::entity::EntityVec;
use kiln_ssa::ir::{Entry, Kinds, SlotIndex};
use kiln_ssa::job::{
    CallFeedback, CallTarget, CodeId, CodeInput, CompileJob, ConstantId, ConstantInput, GlobalId,
    GlobalInput, Intrinsic, Layout, MemberAccess, MemberCase, MemberFeedback, Receiver, ShapeId,
    SiteFeedback,
};
use kiln_vm::feedback::{Access, CacheEntry, CodeInstance, FeedbackCell};
use kiln_vm::heap::Gc;
use kiln_vm::object::function::Callee;
use kiln_vm::object::map::shape::ShapeId as VmShape;
use kiln_vm::object::map::{MapCell, Slot};
use kiln_vm::tier::Observed;
use kiln_vm::watch::Validity;
use kiln_vm::{Value as Word, Vm};

use super::Faults;
use crate::baseline::name_of;

/// A function to be optimized.
pub struct OptimizingJob {
    /// What debuggers and profilers call it.
    pub name: String,
    /// What the optimizer gets.
    pub input: CompileJob,
    /// What the job's numbers stand for.
    pub places: Places,
    /// Whether to sum up what became of the function, for people.
    pub wants_summary: bool,
    /// What goes wrong on purpose.
    pub faults: Arc<Faults>,
    /// The word that the end of a window is compared with.
    pub(super) limit: u64,
    /// Where the strings of one character are.
    pub(super) characters: u64,
    /// The byte that says whether the code's assumptions hold.
    pub(super) validity: u64,
    /// The prototype epoch.
    pub(super) epoch: u32,
}

/// What the numbers of a compile job stand for.
#[derive(Default)]
pub struct Places {
    /// The words of values.
    pub(super) constants: EntityVec<ConstantId, u64>,
    /// Code instances.
    pub(super) codes: EntityVec<CodeId, CodePlace>,
    /// Global variables.
    pub(super) globals: EntityVec<GlobalId, GlobalPlace>,
}

pub(super) struct CodePlace {
    /// The address of the instance.
    pub address: u64,
    /// The address of its instructions.
    pub instructions: u64,
    /// The words of its constants.
    pub constants: Vec<u64>,
}

pub(super) struct GlobalPlace {
    /// Where the address of the variable's cell stands.
    pub cell: u64,
}

/// The most functions that one job copies.
const MAX_CODES: usize = 40;

/// How far behind `outer` the access to a member of it may be.
const MAX_DISTANCE: usize = 16;

/// How often a job is copied again because prototypes have got other shapes.
const MAX_ATTEMPTS: u32 = 4;

/// The most instructions of a callee that may be worth copying.
const MAX_CALLEE: usize = 2000;

/// What is known to be wrong about feedback, by position: speculation there has failed before.
pub type Failed = HashSet<(usize, u32)>;

/// Copies what a compile job needs.
struct Snapshot<'a> {
    vm: &'a mut Vm,
    failed: &'a Failed,
    validity: &'a Arc<Validity>,
    job: CompileJob,
    places: Places,
    codes: HashMap<usize, CodeId>,
    constants: HashMap<u64, ConstantId>,
    globals: HashMap<u32, GlobalId>,
    /// Instances whose feedback is still to be copied.
    pending: Vec<(CodeId, *const CodeInstance)>,
}

impl OptimizingJob {
    /// A job for calls of an instance, or for one of its loops. None if its bytecode has what the optimizer does not take.
    ///
    /// `failed` says where speculation has failed before. `validity` is revoked when an assumption of the code is broken.
    pub fn new(
        vm: &mut Vm,
        code: &CodeInstance,
        for_loop: Option<usize>,
        failed: &Failed,
        validity: &Arc<Validity>,
    ) -> Option<OptimizingJob> {
        let entry = match for_loop {
            None => Entry::Call,
            Some(index) => Entry::Loop(code.block.loops.get(index)?.header),
        };
        if !is_suitable(code) {
            return None;
        }
        let limit = vm.safepoint_handle().limit_address() as u64;
        let characters = vm.characters_address() as u64;
        let mut snapshot = Snapshot::of(vm, code, failed, validity);
        // Prototypes whose members are watched for the first time get other shapes: what was copied before may mention the old ones.
        for _ in 0..MAX_ATTEMPTS {
            if !snapshot.vm.follow_watched_prototypes() {
                break;
            }
            snapshot = Snapshot::of(snapshot.vm, code, failed, validity);
        }
        let Snapshot {
            mut job, places, ..
        } = snapshot;
        job.entry = entry;
        let name = name_of(&code.block);
        let name = match for_loop {
            None => format!("{name} (optimized)"),
            Some(index) => format!("{name} (optimized loop {index})"),
        };
        Some(OptimizingJob {
            name,
            input: job,
            places,
            wants_summary: false,
            faults: Arc::default(),
            limit,
            characters,
            validity: validity.address() as u64,
            epoch: vm.prototype_epoch(),
        })
    }

    /// The values that the code may mention: they must be kept alive as long as it is.
    pub fn values(&self) -> Vec<Word> {
        let words = self.places.constants.values();
        // SAFETY: words of values, which were alive when the job was made just now.
        words
            .map(|word| unsafe { Word::from_bits(*word) })
            .collect()
    }

    /// The address of a code instance of the job.
    pub fn code_address(&self, code: CodeId) -> usize {
        self.places.codes[code].address as usize
    }

    /// A value that the job names. It is alive as long as [`OptimizingJob::values`] are kept alive.
    pub fn constant(&self, constant: ConstantId) -> Word {
        // SAFETY: the word of a value, which is alive.
        unsafe { Word::from_bits(self.places.constants[constant]) }
    }

    /// The address of an instruction.
    pub(super) fn instruction_address(&self, code: CodeId, position: u32) -> u64 {
        self.places.codes[code].instructions + u64::from(position) * 8
    }
}

/// Whether the optimizer takes an instance's bytecode.
fn is_suitable(code: &CodeInstance) -> bool {
    let has_prefix = |op| op == Some(Op::Wide);
    !code
        .block
        .instructions
        .iter()
        .any(|instruction| has_prefix(instruction.op()))
}

impl<'a> Snapshot<'a> {
    /// What a job for this instance needs.
    fn of(
        vm: &'a mut Vm,
        code: &CodeInstance,
        failed: &'a Failed,
        validity: &'a Arc<Validity>,
    ) -> Snapshot<'a> {
        let mut snapshot = Snapshot {
            job: CompileJob::new(code.block.clone()),
            places: Places::default(),
            vm,
            failed,
            validity,
            codes: HashMap::new(),
            constants: HashMap::new(),
            globals: HashMap::new(),
            pending: Vec::new(),
        };
        // The job has numbered the root's global variables for itself.
        snapshot.job.globals = EntityVec::default();
        let root = snapshot.job.root;
        snapshot.enter_code(root, code);
        while let Some((id, instance)) = snapshot.pending.pop() {
            // SAFETY: instances live as long as the interpreter, which the caller holds.
            snapshot.copy_feedback(id, unsafe { &*instance });
        }
        snapshot
    }

    /// The number of an instance, which is copied if it is worth it.
    fn code(&mut self, address: usize) -> Option<CodeId> {
        if let Some(known) = self.codes.get(&address) {
            return Some(*known);
        }
        let instance = self.vm.instance_at(address)?;
        if self.codes.len() >= MAX_CODES
            || instance.block.instructions.len() > MAX_CALLEE
            || !is_suitable(instance)
        {
            return None;
        }
        let instance: *const CodeInstance = instance;
        // SAFETY: as in `OptimizingJob::new`.
        let instance = unsafe { &*instance };
        let id = self.job.codes.push(CodeInput {
            block: instance.block.clone(),
            feedback: Vec::new(),
            globals: Vec::new(),
            calls: 0,
            loops: Vec::new(),
        });
        self.enter_code(id, instance);
        Some(id)
    }

    fn enter_code(&mut self, id: CodeId, instance: &CodeInstance) {
        self.codes.insert(std::ptr::from_ref(instance) as usize, id);
        let place = CodePlace {
            address: std::ptr::from_ref(instance) as u64,
            instructions: instance.instructions.as_ptr() as u64,
            constants: instance.constants.iter().map(|word| word.bits()).collect(),
        };
        self.places.codes.push(place);
        let globals = instance.global_numbers.iter().enumerate();
        let globals = globals
            .map(|(index, number)| {
                let cell = instance.globals.as_ptr() as u64 + index as u64 * 8;
                self.global(*number, cell)
            })
            .collect();
        let input = &mut self.job.codes[id];
        input.globals = globals;
        input.calls = instance.calls.total();
        input.loops = instance.loops.iter().map(|loops| loops.total()).collect();
        self.pending.push((id, instance));
    }

    fn global(&mut self, number: u32, cell: u64) -> GlobalId {
        if let Some(known) = self.globals.get(&number) {
            return *known;
        }
        let constant = self.vm.constant_global(number, self.validity);
        let is_assigned = self.vm.assigned_global(number, self.validity);
        let input = match constant {
            Some(value) if is_assigned => GlobalInput::Constant(self.constant(value)),
            Some(value) => GlobalInput::Intrinsic(self.constant(value)),
            None if is_assigned => GlobalInput::Assigned,
            None => GlobalInput::Unknown,
        };
        let id = self.job.globals.push(input);
        self.places.globals.push(GlobalPlace { cell });
        self.globals.insert(number, id);
        id
    }

    fn constant(&mut self, value: Word) -> ConstantId {
        if let Some(known) = self.constants.get(&value.bits()) {
            return *known;
        }
        // Entered first: functions may refer to each other.
        let id = self.job.constants.push(ConstantInput {
            kinds: kinds_of(value),
            ..ConstantInput::default()
        });
        self.places.constants.push(value.bits());
        self.constants.insert(value.bits(), id);
        let mut input = ConstantInput {
            kinds: kinds_of(value),
            number: value.as_number(),
            ..ConstantInput::default()
        };
        if let Some(map) = value.as_map()
            && let Some(layout) = self.vm.instance_layout(map)
        {
            input.instance = Some(self.layout(layout));
        }
        if let Some(function) = value.as_function() {
            match function.callee() {
                Callee::Script(code) => input.code = self.code(code as usize),
                Callee::Intrinsic(intrinsic) => {
                    let mut known = Intrinsic::ALL.iter();
                    let known = known.find(|(_, name)| *name == intrinsic.name);
                    input.intrinsic = known.map(|(intrinsic, _)| *intrinsic);
                }
            }
        }
        self.job.constants[id] = input;
        id
    }

    fn copy_feedback(&mut self, id: CodeId, instance: &CodeInstance) {
        let address = std::ptr::from_ref(instance) as usize;
        for position in 0..instance.instructions.len() as u32 {
            let feedback = match self.failed.contains(&(address, position)) {
                true => SiteFeedback::Failed(match self.site(instance, position) {
                    SiteFeedback::Operands(seen) | SiteFeedback::Container(seen) => seen,
                    _ => Kinds::NONE,
                }),
                false => self.site(instance, position),
            };
            if feedback != SiteFeedback::Unknown {
                self.job.codes[id].set_feedback(position, feedback);
            }
        }
    }

    fn site(&mut self, instance: &CodeInstance, position: u32) -> SiteFeedback {
        let instruction = instance.instructions[position as usize].get();
        let Some(op) = instruction.op() else {
            return SiteFeedback::Unknown;
        };
        if let Some(feedback) = self.allocation(instance, op, instruction) {
            return feedback;
        }
        let observed = || kinds_of_bits(instruction.flags());
        let cell = instance.feedback.get(usize::from(instruction.c()));
        match op {
            Op::GetIndex | Op::SetIndex => {
                // The fast path, which notes nothing, is for lists.
                let kinds = observed();
                SiteFeedback::Container(if kinds.is_empty() { Kinds::LIST } else { kinds })
            }
            // It notes nothing; the store that follows it does.
            Op::CallIndex if instruction.flags() == 0 => {
                let instructions = &instance.block.instructions;
                match changed_element(instructions, position as usize) {
                    Some(store) => self.site(instance, store as u32),
                    None => SiteFeedback::Unknown,
                }
            }
            Op::GetMember
            | Op::SetMember
            | Op::InitMember
            | Op::CallMember
            | Op::CallSuper
            | Op::GetVariable
            | Op::GetOuterVariable
            | Op::SetVariable => match cell {
                Some(cell) => {
                    let reads = matches!(op, Op::GetMember | Op::CallMember | Op::CallSuper);
                    self.member(cell, reads)
                }
                None => SiteFeedback::Unknown,
            },
            // Notes nothing; where its arguments were no numbers, it was not what made the sequence.
            Op::MakeRange => SiteFeedback::Operands(Kinds::NUMBER),
            Op::GetOuter => self.first_access(instance, position),
            Op::GetSelf => SiteFeedback::Operands(Kinds::ANY.without(Kinds::UNASSIGNED)),
            Op::ForLoop => {
                // Quick passes over ranges and lists note nothing: what made the sequence tells. The end of a loop notes its kind.
                let seen = instance.observed_sequences(instruction);
                let makes_range = runs_over_range(&instance.block.instructions, position as usize);
                SiteFeedback::Container(match kinds_of_bits(seen & !Observed::OTHER) {
                    seen if seen.is_empty() && makes_range => Kinds::RANGE,
                    seen if seen.is_empty() => Kinds::LIST,
                    seen if makes_range => seen.union(Kinds::RANGE),
                    seen => seen,
                })
            }
            // Likewise for values that stay as they are.
            Op::Settle => {
                let kinds = observed();
                SiteFeedback::Operands(if kinds.is_empty() {
                    Kinds::SETTLED
                } else {
                    kinds
                })
            }
            // The fast path, which notes nothing, is for values that are no functions.
            Op::Invoke | Op::ReadLocal => match cell {
                Some(cell) => {
                    let calls = self.calls(cell);
                    SiteFeedback::Call(calls.unwrap_or_default())
                }
                None => SiteFeedback::Unknown,
            },
            // Notes nothing. What the variable holds now tells what reading it calls.
            Op::GetGlobal if ReadMode(instruction.flags()).has(ReadMode::INVOKE) => {
                self.called_global(instance, instruction.bc() as usize)
            }
            Op::Call => match cell {
                Some(cell) => match self.calls(cell) {
                    Some(calls) => SiteFeedback::Call(calls),
                    None => SiteFeedback::Unknown,
                },
                None => SiteFeedback::Unknown,
            },
            // These note nothing; the same comparison in front of the loop does.
            _ if op.info().name.starts_with("loop_if_") => SiteFeedback::Operands(Kinds::NUMBER),
            _ if op.info().flags == kiln_bytecode::FlagUse::observed
                && !op.info().effects.contains(Effects::writes) =>
            {
                // The fast paths, which note nothing, are for numbers.
                let kinds = observed();
                let kinds = if kinds.is_empty() {
                    Kinds::NUMBER
                } else {
                    kinds
                };
                SiteFeedback::Operands(kinds)
            }
            _ => SiteFeedback::Unknown,
        }
    }

    /// What reading a global variable calls.
    fn called_global(&mut self, instance: &CodeInstance, index: usize) -> SiteFeedback {
        let number = instance.global_numbers.get(index);
        let value = number.map(|number| self.vm.global_value(*number));
        let callee = value
            .and_then(|value| value.as_function())
            .map(|function| function.callee());
        match callee {
            Some(Callee::Script(code)) => SiteFeedback::Call(match self.code(code as usize) {
                Some(code) => CallFeedback {
                    targets: vec![CallTarget::Code(code)],
                    is_open: false,
                },
                None => CallFeedback {
                    targets: Vec::new(),
                    is_open: true,
                },
            }),
            _ => SiteFeedback::Unknown,
        }
    }

    /// What is known about instructions that make objects.
    fn allocation(
        &mut self,
        instance: &CodeInstance,
        op: Op,
        instruction: Instruction,
    ) -> Option<SiteFeedback> {
        let layout = match op {
            Op::NewMap => self.vm.literal_layout(usize::from(instruction.b())),
            Op::NewVariables => self.vm.variables_layout(instance),
            Op::NewClosure => {
                let index = usize::from(instruction.c());
                let nested = instance.functions.get(index)?.get()?;
                let code = self.code(*nested as usize)?;
                return Some(SiteFeedback::Call(CallFeedback {
                    targets: vec![CallTarget::Code(code)],
                    is_open: false,
                }));
            }
            _ => return None,
        };
        Some(match layout {
            Some(layout) => SiteFeedback::Layout(self.layout(layout)),
            None => SiteFeedback::Unknown,
        })
    }

    /// What new maps are like, of a shape that the code may mention.
    fn layout(&mut self, (shape, room): (VmShape, usize)) -> Layout {
        self.vm.pin_shape(shape);
        Layout {
            shape: ShapeId(shape.0),
            room: room as u32,
        }
    }

    /// Whose members tell what `outer` is: those of the first access to a member of what an instruction has found.
    fn first_access(&mut self, instance: &CodeInstance, position: u32) -> SiteFeedback {
        let found = instance.instructions[position as usize].get().a();
        let behind = instance.instructions.iter().skip(position as usize + 1);
        for instruction in behind.take(MAX_DISTANCE) {
            let instruction = instruction.get();
            let object = match instruction.op() {
                Some(Op::GetMember) => instruction.b(),
                Some(Op::SetMember) => instruction.a(),
                _ => continue,
            };
            if object == found
                && let Some(cell) = instance.feedback.get(usize::from(instruction.c()))
            {
                return self.member(cell, false);
            }
        }
        SiteFeedback::Unknown
    }

    fn calls(&mut self, cell: &FeedbackCell) -> Option<CallFeedback> {
        match cell.targets.get() {
            0 => None,
            1 => {
                let code = self.code(cell.target.get());
                Some(CallFeedback {
                    is_open: code.is_none(),
                    targets: code.map(CallTarget::Code).into_iter().collect(),
                })
            }
            _ => Some(CallFeedback {
                targets: Vec::new(),
                is_open: true,
            }),
        }
    }

    fn member(&mut self, cell: &FeedbackCell, reads: bool) -> SiteFeedback {
        let others = cell
            .others
            .get()
            .into_iter()
            .flat_map(|others| others.iter());
        let entries: Vec<CacheEntry> = std::iter::once(&cell.first)
            .chain(others)
            .map(|entry| entry.get())
            .filter(|entry| entry.access != Access::Empty && self.vm.is_live(*entry))
            .collect();
        if entries.is_empty() {
            return SiteFeedback::Unknown;
        }
        let mut feedback = MemberFeedback {
            cases: Vec::new(),
            is_open: cell.megamorphic.get(),
            calls: self.calls(cell).unwrap_or_default(),
        };
        for entry in entries {
            match self.case(entry, reads) {
                Some(case) => feedback.cases.push(case),
                None => feedback.is_open = true,
            }
        }
        // Only shapes are tested for; the last case is guarded.
        let is_shape = |case: &MemberCase| matches!(case.receiver, Receiver::Shape(_));
        feedback.cases.sort_by_key(|case| !is_shape(case));
        SiteFeedback::Member(feedback)
    }

    fn case(&mut self, entry: CacheEntry, reads: bool) -> Option<MemberCase> {
        let receiver = match entry.shape {
            VmShape::NONE => return None,
            VmShape::DICTIONARY if reads && entry.access == Access::Inherited => {
                Receiver::Dictionary
            }
            VmShape::DICTIONARY => return None,
            VmShape::STRING => Receiver::Kind(Kinds::STRING),
            VmShape::LIST => Receiver::Kind(Kinds::LIST),
            VmShape::NUMBER => Receiver::Kind(Kinds::NUMBER),
            VmShape::FUNCTION => Receiver::Kind(Kinds::FUNCTION),
            shape => {
                self.vm.pin_shape(shape);
                Receiver::Shape(ShapeId(shape.0))
            }
        };
        let slot = self.slot(entry.shape, entry.slot);
        let access = match entry.access {
            Access::Own => {
                let known = self.map_of_shape(entry.shape).filter(|_| reads);
                match known.and_then(|map| self.inherited(map, entry.slot)) {
                    Some(access @ MemberAccess::Inherited { value: Some(_), .. }) => access,
                    _ => MemberAccess::Own(slot),
                }
            }
            Access::Add => {
                self.vm.pin_shape(VmShape(entry.epoch));
                MemberAccess::Add(slot, ShapeId(entry.epoch))
            }
            Access::Inherited if entry.epoch == self.vm.prototype_epoch() => {
                self.inherited(entry.holder?, entry.slot)?
            }
            _ => return None,
        };
        Some(MemberCase { receiver, access })
    }

    /// A slot of maps of a shape.
    fn slot(&self, shape: VmShape, slot: Slot) -> SlotIndex {
        SlotIndex {
            number: slot.0,
            is_inside: self.vm.is_inside(shape, slot),
        }
    }

    /// The map that has this shape, if it is a prototype's own and the job knows the prototype.
    fn map_of_shape(&self, shape: VmShape) -> Option<Gc<MapCell>> {
        let words = self.places.constants.values();
        // SAFETY: words of values that are alive: they were found in reachable places just now, and nothing has been collected since.
        let mut maps = words.filter_map(|word| unsafe { Word::from_bits(*word) }.as_map());
        maps.find(|map| map.shape() == shape && self.vm.has_unique_shape(*map))
    }

    /// A member in a prototype's slot: methods are taken for constants.
    fn inherited(&mut self, map: Gc<MapCell>, slot: Slot) -> Option<MemberAccess> {
        self.vm.watch_prototypes(self.validity);
        let is_function = map.slot(slot).get().is_function();
        let value = match is_function {
            true => self.vm.constant_slot(map, slot, self.validity),
            false => None,
        };
        let holder = self.constant(Word::map(map));
        if self.job.constants[holder].parent.is_none() {
            let parent = self.vm.parent(map);
            self.job.constants[holder].parent = Some(self.constant(parent));
        }
        Some(MemberAccess::Inherited {
            holder,
            slot: self.slot(map.shape(), slot),
            value: value.map(|value| self.constant(value)),
        })
    }
}

/// Whether the sequence of the `for_loop` at `position` comes from `make_range`, or from the call that takes its place where it cannot.
fn runs_over_range(instructions: &[Instruction], position: usize) -> bool {
    let Some(jump) = instructions.get(position) else {
        return false;
    };
    let header = jump.jump_target(position as u32);
    let before = header.and_then(|header| instructions.get(..header as usize));
    let mut before = before.unwrap_or_default().iter().rev();
    let made = before.find(|other| register_written(**other) == Some(Register(jump.b())));
    let is_range = |other: &Instruction| other.op() == Some(Op::MakeRange) && other.a() == jump.b();
    made.is_some_and(|made| is_range(made) || before.next().is_some_and(is_range))
}

/// The kinds that the interpreter notes as these bits.
fn kinds_of_bits(bits: u8) -> Kinds {
    let mut kinds = Kinds::NONE;
    for (bit, kind) in [
        (Observed::NUMBER, Kinds::NUMBER),
        (Observed::STRING, Kinds::STRING),
        (Observed::LIST, Kinds::LIST),
        (Observed::MAP, Kinds::MAP),
        (Observed::FUNCTION, Kinds::FUNCTION),
        (Observed::OTHER, Kinds::ANY),
    ] {
        if bits & bit != 0 {
            kinds = kinds.union(kind);
        }
    }
    kinds
}

/// What a value is.
fn kinds_of(value: Word) -> Kinds {
    if let Some(number) = value.as_number() {
        Kinds::of_number(number)
    } else if value.is_null() {
        Kinds::NULL
    } else if value.is_unassigned() {
        Kinds::UNASSIGNED
    } else if value.as_string().is_some() {
        Kinds::STRING
    } else if value.as_list().is_some() {
        Kinds::LIST
    } else if value.as_map().is_some() {
        Kinds::MAP
    } else if value.is_function() {
        Kinds::FUNCTION
    } else {
        Kinds::OTHER.union(Kinds::RANGE)
    }
}
