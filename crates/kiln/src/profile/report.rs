//! A profile as data. Serialized, it is the JSON that `docs/profile-schema.md` describes.

use serde::{Deserialize, Serialize};

use super::lines::Line;
use super::timeline::{Collections, TierChange};
use crate::jit::GuardFailure;

/// The version of the schema. It changes when a field is removed or gets another meaning, not when one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// How it was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Every instruction was counted. Counts are exact, and times contain the counting.
    #[default]
    Exact,
    /// The program ran as always and was asked now and then where it stands.
    Sampled,
}

/// How the program ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Ending {
    /// At its end.
    #[default]
    Finished,
    /// By `exit`.
    Exit {
        /// The status.
        status: u8,
    },
    /// By a runtime error.
    Error {
        /// Its line.
        message: String,
    },
    /// It was interrupted.
    Interrupted,
}

/// Everything that was measured of a run. All times are nanoseconds, all shares are between 0 and 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of Kiln.
    pub kiln_version: String,
    /// The program's path or name.
    pub script: String,
    /// How it was measured.
    pub method: Method,
    /// The samples taken, if it was sampled.
    pub samples: Option<u64>,
    /// The tiers that ran code of the program.
    pub tiers: Vec<String>,
    /// How the program ended.
    pub ending: Ending,
    /// All phases together.
    pub total_ns: u64,
    /// What the time went to, in the order in which phases begin.
    pub phases: Vec<Phase>,
    /// The functions, those with the most time of their own first.
    pub functions: Vec<Function>,
    /// The loops, those with the most time first.
    pub loops: Vec<Loop>,
    /// Calls and operations with the kinds of values they met, the commonest first.
    pub sites: Vec<Site>,
    /// The instructions executed.
    pub operations: Operations,
    /// What was allocated, if it was counted.
    pub allocations: Allocations,
    /// The lines that were executed, by file and number.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// The time of a second run at full speed, if there was one: changes of tiers, failures of guards and the timeline of collections
    /// are that run's.
    #[serde(default)]
    pub full_speed_ns: Option<u64>,
    /// What became of code while the program ran, in order, if that was recorded ([`JitOptions::record`](crate::JitOptions::record)).
    #[serde(default)]
    pub tier_changes: Vec<TierChange>,
    /// The guards of optimized code that failed, if that was recorded.
    #[serde(default)]
    pub guard_failures: Vec<GuardFailure>,
    /// What the collector did.
    #[serde(default)]
    pub collections: Collections,
    /// The heap, if that was asked for.
    pub memory: Option<Memory>,
    /// What to look at first.
    pub recommendations: Vec<Recommendation>,
    /// Every chain of calls with the time of its last function.
    pub stacks: Vec<Stack>,
}

impl Profile {
    /// Takes from a profile of the same program at full speed what counting does not show: what became of code, and when the collector
    /// interrupted it.
    pub fn add_full_speed(&mut self, fast: Profile) {
        self.full_speed_ns = Some(fast.total_ns);
        self.tier_changes = fast.tier_changes;
        self.guard_failures = fast.guard_failures;
        self.collections = fast.collections;
    }
}

/// A phase: a part of the time that is not in any other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// `read`, `parse`, `compile`, `interpret`, `collector`, `waiting`; tiers add theirs.
    pub name: String,
    /// The time.
    pub time_ns: u64,
    /// The part of all phases.
    pub share: f64,
    /// By how much the whole would be faster if this phase took half the time (Amdahl's law): 0.25 is 25 %.
    pub gain_if_halved: f64,
}

/// What a function is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionKind {
    /// The top level of a program or module.
    TopLevel,
    /// A function of the script.
    #[default]
    Script,
    /// A built-in function.
    Intrinsic,
}

/// A function.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Its name; `(top level)` and `(function)` for those without.
    pub name: String,
    /// What it is.
    pub kind: FunctionKind,
    /// The file it stands in, unless it is an intrinsic.
    pub file: Option<String>,
    /// The line of its literal.
    pub line: Option<u32>,
    /// The last line of its code.
    #[serde(default)]
    pub last_line: Option<u32>,
    /// How often it was called, if calls were counted.
    pub calls: Option<u64>,
    /// Time in the function itself. Added up over all functions that is the time of the phase `interpret`.
    pub self_ns: u64,
    /// Time from call to return; recursion counts once.
    pub total_ns: u64,
    /// The part of `self_ns` in all functions' time.
    pub self_share: f64,
    /// The part of `total_ns` in all functions' time.
    pub share: f64,
    /// How much its operations met always the same kinds of values: the mean of [`Site::score`] over all executions; none if nothing
    /// was observed.
    pub stability: Option<f64>,
    /// The instructions it executed, if they were counted.
    pub instructions: Option<u64>,
}

/// A variable and what was in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The kinds of values that operations found in it, the commonest first.
    pub kinds: Vec<String>,
}

/// A loop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Loop {
    /// The function it is in.
    pub function: String,
    /// The file.
    pub file: String,
    /// The line of its statement.
    pub line: u32,
    /// How often it was begun, with one iteration at least, if that was counted.
    pub entries: Option<u64>,
    /// How often its body was begun, if that was counted.
    pub iterations: Option<u64>,
    /// Time in the loop, with what it calls.
    pub time_ns: u64,
    /// The part of that in all functions' time.
    pub share: f64,
    /// Time for each iteration, if they were counted.
    pub ns_per_iteration: Option<f64>,
    /// Whether on-stack replacement would pay: one entry runs long enough that faster code should take over in the middle.
    pub osr_candidate: bool,
    /// As [`Function::stability`], for what stands in the loop.
    pub stability: Option<f64>,
    /// The variables that operations in the loop read.
    pub variables: Vec<Variable>,
}

/// The kinds of values that an operation met together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SiteSignature {
    /// Such as `number + number`, `map{x, y}` or `f(number, string)`.
    pub text: String,
    /// How often.
    pub count: u64,
    /// The part of all executions.
    pub share: f64,
}

/// A call or an operation in the program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// The function it is in.
    pub function: String,
    /// The file.
    pub file: String,
    /// The line of its statement.
    pub line: u32,
    /// The number of the instruction in its function, which tells sites on a line apart.
    pub position: u32,
    /// The instruction, as `docs/bytecode.md` names it.
    pub operation: String,
    /// Whether a function was called.
    pub is_call: bool,
    /// How often it was executed.
    pub count: u64,
    /// How stable it is: the share of its commonest signature. 1 means always the same.
    pub score: f64,
    /// The signatures, the commonest first.
    pub signatures: Vec<SiteSignature>,
}

/// The instructions executed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Operations {
    /// All of them; none if they were not counted.
    pub total: Option<u64>,
    /// By family.
    pub families: Vec<OperationCount>,
    /// By instruction.
    pub instructions: Vec<OperationCount>,
}

/// How often something was executed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperationCount {
    /// The family, or the instruction as `docs/bytecode.md` names it.
    pub name: String,
    /// How often.
    pub count: u64,
    /// The part of all.
    pub share: f64,
}

/// What was allocated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Allocations {
    /// Objects; none if they were not counted.
    pub cells: Option<u64>,
    /// Their bytes, rounded up as the heap does; none if they were not counted.
    pub bytes: Option<u64>,
    /// Where, those with the most bytes first.
    pub sites: Vec<AllocationSite>,
}

/// Where something was allocated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AllocationSite {
    /// The function it is in.
    pub function: String,
    /// The file.
    pub file: String,
    /// The line of its statement.
    pub line: u32,
    /// What allocates: an instruction, or the intrinsic it called.
    pub what: String,
    /// Objects.
    pub cells: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The part of all bytes.
    pub share: f64,
}

/// The heap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The most bytes that the heap has taken from the system at a time, garbage included.
    pub peak_heap_bytes: u64,
    /// What was alive at the end, after a collection.
    pub live_bytes: u64,
    /// By kind, those with the highest peak first.
    pub kinds: Vec<KindMemory>,
    /// The maps by shape, those with the most bytes first.
    pub shapes: Vec<ShapeMemory>,
    /// How much strings repeat each other.
    pub strings: StringMemory,
}

/// The objects of a kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KindMemory {
    /// `string`, `list`, `map` and so on.
    pub kind: String,
    /// Alive at the end.
    pub live_cells: u64,
    /// Their bytes.
    pub live_bytes: u64,
    /// The most that were alive at a time, as far as the heap was looked at while the program ran.
    pub peak_cells: u64,
    /// The most bytes.
    pub peak_bytes: u64,
}

/// The maps of a shape.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShapeMemory {
    /// Their keys in order; none for maps that are used as tables.
    pub keys: Option<Vec<String>>,
    /// How many there are at the end.
    pub maps: u64,
    /// Their bytes, without members that are kept elsewhere.
    pub bytes: u64,
}

/// How much strings repeat each other at the end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StringMemory {
    /// All strings whose text is in one piece.
    pub strings: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The different texts among them.
    pub distinct: u64,
    /// The bytes that copies take.
    pub duplicate_bytes: u64,
    /// The texts whose copies take the most.
    pub worst: Vec<DuplicateString>,
}

/// A text that is there more than once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DuplicateString {
    /// Its beginning.
    pub text: String,
    /// How many strings hold it.
    pub strings: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How much there is to win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Priority {
    /// Here first.
    High,
    /// Worth a look.
    Medium,
    /// Good to know.
    Low,
}

impl Priority {
    /// The word that begins a recommendation.
    pub fn name(self) -> &'static str {
        match self {
            Priority::High => "HIGH",
            Priority::Medium => "MEDIUM",
            Priority::Low => "LOW",
        }
    }
}

/// Something worth looking at, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// How much there is to win.
    pub priority: Priority,
    /// What it is about, such as `loop at game.ms:15`.
    pub subject: String,
    /// What was measured.
    pub reason: String,
    /// What follows.
    pub advice: String,
}

/// A chain of calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// The functions, the outermost first, each with its place: `update game.ms:12`.
    pub frames: Vec<String>,
    /// How often the last one was called so, if calls were counted.
    pub calls: Option<u64>,
    /// Time in the last one itself.
    pub self_ns: u64,
}
