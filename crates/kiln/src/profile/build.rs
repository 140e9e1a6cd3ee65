//! From what the machine has recorded to a [`Profile`].

use kiln_bytecode::{CodeBlock, Op, Role};
use kiln_vm::profile::{self as recorded, FunctionId, FunctionProfile, FunctionTimes, Profiler};

use super::lines;
use super::names;
use super::report::{
    AllocationSite, Allocations, Function, FunctionKind, Loop, OperationCount, Operations, Profile,
    Site, SiteSignature, Stack, Variable,
};

/// A loop that runs less often is not worth switching code in the middle of it.
const OSR_ITERATIONS: u64 = 1000;
/// A loop that passes less often for each entry is served by faster code from its next entry on.
const OSR_ITERATIONS_PER_ENTRY: u64 = 100;
/// Where iterations are not counted: the share of time that makes a loop worth it.
const OSR_SHARE: f64 = 0.1;

/// The part of a whole; of nothing it is nothing.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// How often sites met their commonest signature, and how often they met any.
#[derive(Clone, Copy, Default)]
struct Stability {
    most: u64,
    total: u64,
}

impl Stability {
    fn add(&mut self, table: &recorded::SignatureTable) {
        self.most += table.most();
        self.total += table.total();
    }

    fn score(self) -> Option<f64> {
        (self.total > 0).then(|| share(self.most, self.total))
    }
}

/// What the sections are made from.
struct Builder<'a> {
    profiler: &'a Profiler,
    is_exact: bool,
    times: Vec<FunctionTimes>,
    /// All functions' time.
    total: u64,
}

/// Fills in everything that concerns code.
pub(super) fn add_code(profile: &mut Profile, profiler: &Profiler) {
    let builder = Builder {
        profiler,
        is_exact: profiler.settings().method == recorded::Method::Exact,
        times: profiler.tree().function_times(profiler.functions().len()),
        total: profiler.tree().total_time(),
    };
    profile.functions = builder.functions();
    profile.loops = builder.loops();
    profile.sites = builder.sites();
    profile.operations = builder.operations();
    profile.allocations = builder.allocations();
    profile.stacks = builder.stacks();
    profile.lines = lines::lines(profiler, &builder.times, builder.total);
}

impl Builder<'_> {
    fn scripts(&self) -> impl Iterator<Item = (&FunctionProfile, &CodeBlock)> {
        let functions = self.profiler.functions().iter();
        functions.filter_map(|profile| match &profile.function {
            recorded::Function::Script(block) => Some((profile, &**block)),
            recorded::Function::Intrinsic(_) => None,
        })
    }

    fn functions(&self) -> Vec<Function> {
        let numbered = self.profiler.functions().iter().zip(&self.times);
        let mut functions: Vec<Function> = numbered
            .map(|(profile, times)| self.function(profile, times))
            .collect();
        functions.sort_by(|a, b| (b.self_ns, b.calls, &a.name).cmp(&(a.self_ns, a.calls, &b.name)));
        functions
    }

    fn function(&self, profile: &FunctionProfile, times: &FunctionTimes) -> Function {
        let mut stability = Stability::default();
        for table in &profile.signatures {
            stability.add(table);
        }
        let (kind, file, line, last_line) = match &profile.function {
            recorded::Function::Script(block) => (
                if block.is_top_level {
                    FunctionKind::TopLevel
                } else {
                    FunctionKind::Script
                },
                Some(block.origin.file.to_string()),
                Some(block.line),
                block.lines.iter().map(|entry| entry.line).max(),
            ),
            recorded::Function::Intrinsic(_) => (FunctionKind::Intrinsic, None, None, None),
        };
        let is_counted = self.is_exact && kind != FunctionKind::Intrinsic;
        Function {
            name: names::function(&profile.function),
            kind,
            file,
            line,
            last_line,
            calls: self.is_exact.then_some(times.calls),
            self_ns: times.self_time,
            total_ns: times.total_time,
            self_share: share(times.self_time, self.total),
            share: share(times.total_time, self.total),
            stability: stability.score(),
            instructions: is_counted.then(|| profile.counts.iter().sum()),
        }
    }

    fn loops(&self) -> Vec<Loop> {
        let mut loops = Vec::new();
        for (profile, block) in self.scripts() {
            for (index, measured) in profile.loops.iter().enumerate() {
                if measured.entries > 0 || measured.time > 0 {
                    loops.push(self.one_loop(profile, block, index, measured));
                }
            }
        }
        loops.sort_by(|a, b| (b.time_ns, a.line).cmp(&(a.time_ns, b.line)));
        loops
    }

    fn one_loop(
        &self,
        profile: &FunctionProfile,
        block: &CodeBlock,
        index: usize,
        measured: &recorded::LoopProfile,
    ) -> Loop {
        let positions = || {
            (0..block.instructions.len()).filter(|at| profile.is_inside(*at as u32, index as u32))
        };
        let mut stability = Stability::default();
        for position in positions() {
            stability.add(&profile.signatures[position]);
        }
        let iterations = measured.iterations;
        let share = share(measured.time, self.total);
        Loop {
            function: names::function(&profile.function),
            file: block.origin.file.to_string(),
            line: block.loops[index].line,
            entries: self.is_exact.then_some(measured.entries),
            iterations: self.is_exact.then_some(iterations),
            time_ns: measured.time,
            share,
            ns_per_iteration: (self.is_exact && iterations > 0)
                .then(|| measured.time as f64 / iterations as f64),
            osr_candidate: if self.is_exact {
                iterations >= OSR_ITERATIONS
                    && iterations >= measured.entries.saturating_mul(OSR_ITERATIONS_PER_ENTRY)
            } else {
                share >= OSR_SHARE
            },
            stability: stability.score(),
            variables: variables(profile, block, positions()),
        }
    }

    fn sites(&self) -> Vec<Site> {
        let mut sites = Vec::new();
        for (profile, block) in self.scripts() {
            for (position, table) in profile.signatures.iter().enumerate() {
                if table.total() > 0 {
                    sites.extend(self.site(profile, block, position, table));
                }
            }
        }
        sites.sort_by(|a, b| (b.count, a.line, a.position).cmp(&(a.count, b.line, b.position)));
        sites
    }

    fn site(
        &self,
        profile: &FunctionProfile,
        block: &CodeBlock,
        position: usize,
        table: &recorded::SignatureTable,
    ) -> Option<Site> {
        let op = block.instructions[position].op()?;
        let total = table.total();
        let mut signatures: Vec<SiteSignature> = table
            .entries()
            .iter()
            .map(|(signature, count)| SiteSignature {
                text: names::signature(op, signature, self.profiler),
                count: *count,
                share: share(*count, total),
            })
            .collect();
        signatures.sort_by(|a, b| (b.count, &a.text).cmp(&(a.count, &b.text)));
        if table.others() > 0 {
            signatures.push(SiteSignature {
                text: "(others)".into(),
                count: table.others(),
                share: share(table.others(), total),
            });
        }
        Some(Site {
            function: names::function(&profile.function),
            file: block.origin.file.to_string(),
            line: block.line_at(position as u32),
            position: position as u32,
            operation: op.info().name.into(),
            is_call: table
                .entries()
                .iter()
                .any(|(signature, _)| signature.target.known().is_some()),
            count: total,
            score: share(table.most(), total),
            signatures,
        })
    }

    fn operations(&self) -> Operations {
        let mut counts = [0; Op::COUNT];
        for (profile, block) in self.scripts() {
            for (instruction, count) in block.instructions.iter().zip(&profile.counts) {
                counts[usize::from(instruction.op_byte())] += count;
            }
        }
        let total: u64 = counts.iter().sum();
        let counted = |name: &str, count| OperationCount {
            name: name.into(),
            count,
            share: share(count, total),
        };
        let mut families: Vec<OperationCount> = Vec::new();
        let mut instructions = Vec::new();
        for (op, count) in Op::ALL.iter().zip(counts).filter(|(_, count)| *count > 0) {
            instructions.push(counted(op.info().name, count));
            let family = names::family(*op);
            match families.iter_mut().find(|known| known.name == family) {
                Some(known) => {
                    known.count += count;
                    known.share = share(known.count, total);
                }
                None => families.push(counted(family, count)),
            }
        }
        for list in [&mut families, &mut instructions] {
            list.sort_by(|a, b| (b.count, &a.name).cmp(&(a.count, &b.name)));
        }
        Operations {
            total: self.is_exact.then_some(total),
            families,
            instructions,
        }
    }

    fn allocations(&self) -> Allocations {
        let mut sites = Vec::new();
        for (profile, block) in self.scripts() {
            for (position, allocated) in profile.allocations.iter().enumerate() {
                if allocated.cells == 0 {
                    continue;
                }
                sites.push(AllocationSite {
                    function: names::function(&profile.function),
                    file: block.origin.file.to_string(),
                    line: block.line_at(position as u32),
                    what: self.allocator(profile, block, position),
                    cells: allocated.cells as u64,
                    bytes: allocated.bytes as u64,
                    share: 0.0,
                });
            }
        }
        let bytes = sites.iter().map(|site| site.bytes).sum();
        let cells = sites.iter().map(|site| site.cells).sum();
        for site in &mut sites {
            site.share = share(site.bytes, bytes);
        }
        sites.sort_by(|a, b| (b.bytes, b.cells, a.line).cmp(&(a.bytes, a.cells, b.line)));
        Allocations {
            cells: self.is_exact.then_some(cells),
            bytes: self.is_exact.then_some(bytes),
            sites,
        }
    }

    /// What allocates at an instruction.
    fn allocator(&self, profile: &FunctionProfile, block: &CodeBlock, position: usize) -> String {
        let entries = profile.signatures[position].entries();
        let called = entries
            .iter()
            .filter_map(|(signature, _)| signature.target.known())
            .map(|target| &self.profiler.functions()[target.index()].function)
            .find(|function| matches!(function, recorded::Function::Intrinsic(_)));
        match (called, block.instructions[position].op()) {
            (Some(function), _) => format!("call of {}", names::function(function)),
            (None, Some(op)) => names::allocation(op).into(),
            (None, None) => String::new(),
        }
    }

    fn stacks(&self) -> Vec<Stack> {
        let tree = self.profiler.tree();
        let place = |id: FunctionId| names::place(&self.profiler.functions()[id.index()].function);
        let nodes = tree.nodes();
        nodes
            .filter(|(_, node)| node.self_time > 0 || node.calls > 0)
            .map(|(id, node)| Stack {
                frames: tree.path(id).into_iter().map(place).collect(),
                calls: self.is_exact.then_some(node.calls),
                self_ns: node.self_time,
            })
            .collect()
    }
}

/// The variables that instructions at these positions read, with what they found in them.
fn variables(
    profile: &FunctionProfile,
    block: &CodeBlock,
    positions: impl Iterator<Item = usize>,
) -> Vec<Variable> {
    let mut found: Vec<(&str, Vec<(&str, u64)>)> = Vec::new();
    for position in positions {
        let instruction = block.instructions[position];
        let Some(op) = instruction.op() else {
            continue;
        };
        let operands = op.info().operands;
        if operands.iter().any(|operand| operand.role == Role::Window) {
            // Arguments are copies.
            continue;
        }
        let registers = operands
            .iter()
            .filter(|operand| matches!(operand.role, Role::In | Role::InPair | Role::InOutPair))
            .map(|operand| instruction.field(operand.field));
        for (index, register) in registers.enumerate() {
            let Some(name) = names::variable(block, register) else {
                continue;
            };
            let at = match found.iter().position(|(known, _)| *known == name) {
                Some(at) => at,
                None => {
                    found.push((name, Vec::new()));
                    found.len() - 1
                }
            };
            let kinds = &mut found[at].1;
            for (signature, count) in profile.signatures[position].entries() {
                let Some(kind) = signature.operands().nth(index) else {
                    continue;
                };
                match kinds.iter_mut().find(|(known, _)| *known == kind.name()) {
                    Some((_, known)) => *known += count,
                    None => kinds.push((kind.name(), *count)),
                }
            }
        }
    }
    let mut variables = Vec::new();
    for (name, mut kinds) in found {
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        if !kinds.is_empty() {
            variables.push(Variable {
                name: name.into(),
                kinds: kinds.iter().map(|(kind, _)| (*kind).into()).collect(),
            });
        }
    }
    variables
}
