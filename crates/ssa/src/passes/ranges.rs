//! Decides comparisons of loop counters and drops checks that they cannot fail: a counter that starts at a constant and is only counted up never
//! gets below it, and one that goes on only while it is less than something leaves room to count up once more.

use crate::analysis::{Dominators, Loops};
use crate::entity::EntityVec;
use crate::ir::{Block, Condition, Function, Node, Representation, Value};

/// Integers are below this in magnitude.
const LIMIT: i64 = 1 << 53;

/// Lists, strings and ranges are not longer than this: their lengths are numbers of 32 bits.
const MAX_LENGTH: i64 = u32::MAX as i64;

/// The operands of a sum of integers.
const MAX_DEPTH: usize = 4;

/// What is known of a counter.
#[derive(Clone, Copy, Debug)]
struct Range {
    least: i64,
    most: i64,
}

/// Runs the pass.
pub fn run(function: &mut Function) {
    let counters = counters(function);
    let ranges = Ranges { counters };
    for block in function.layout.clone() {
        for inst in function.blocks[block].instructions.clone() {
            let simpler = match *function.node(inst) {
                Node::CompareI64 {
                    condition,
                    lhs,
                    rhs,
                } => ranges
                    .decide(function, condition, lhs, rhs)
                    .map(|holds| Node::Truth { holds }),
                Node::AddI64Checked { lhs, rhs, .. } => ranges
                    .fits(function, lhs, rhs)
                    .then_some(Node::AddI64 { lhs, rhs }),
                _ => None,
            };
            if let Some(node) = simpler {
                function.instructions[inst].node = node;
            }
        }
    }
}

/// The parameters of loop headers that are counted up from something known.
fn counters(function: &Function) -> EntityVec<Value, Option<Range>> {
    let dominators = Dominators::of(function);
    let loops = Loops::of(function, &dominators);
    let predecessors = function.predecessors();
    let mut counters = EntityVec::filled(None, function.values.len());
    // Outer loops first: their counters are what inner ones start with.
    for one in loops.loops.values().rev() {
        let parameters = function.blocks[one.header].parameters.iter();
        for (index, &parameter) in parameters.enumerate() {
            if function.ty(parameter).representation != Representation::I64 {
                continue;
            }
            let mut range = Range {
                least: i64::MAX,
                most: i64::MIN,
            };
            let mut ways = predecessors[one.header].iter();
            let is_counter = ways.all(|&from| {
                let is_latch = one.latches.contains(&from);
                edges(function, from, one.header).all(|(holds, arguments)| {
                    let passed = arguments[index];
                    is_latch && counted_up(function, parameter, passed, from, holds, &mut range)
                        || starts(function, passed, &counters, &mut range)
                })
            });
            if is_counter && range.least != i64::MAX {
                counters[parameter] = Some(range);
            }
        }
    }
    counters
}

/// The edges between two blocks: the outcome of the branch that takes them, and the arguments.
fn edges(
    function: &Function,
    from: Block,
    to: Block,
) -> impl Iterator<Item = (Option<bool>, Vec<Value>)> {
    let mut edges = Vec::new();
    if let Some(terminator) = function.terminator(from) {
        match function.node(terminator) {
            Node::Branch { holds, fails, .. } => {
                for (outcome, target) in [(true, holds), (false, fails)] {
                    if target.block == to {
                        edges.push((Some(outcome), target.arguments.clone()));
                    }
                }
            }
            node => node.for_each_target(|target| edges.push((None, target.arguments.clone()))),
        }
    }
    edges.into_iter()
}

/// Whether a counter starts with, or is set back to, something with bounds.
fn starts(
    function: &Function,
    passed: Value,
    counters: &EntityVec<Value, Option<Range>>,
    range: &mut Range,
) -> bool {
    let found = bounds(function, counters, passed, 0);
    if found.least <= -LIMIT + 1 {
        return false;
    }
    range.least = range.least.min(found.least);
    range.most = range.most.max(found.most);
    true
}

/// Whether a pass ends with the counter increased; how far follows from the test at its end.
fn counted_up(
    function: &Function,
    parameter: Value,
    passed: Value,
    from: Block,
    outcome: Option<bool>,
    range: &mut Range,
) -> bool {
    if passed == parameter {
        return true;
    }
    let (lhs, rhs) = match function.defining_node(passed) {
        Some(Node::AddI64 { lhs, rhs } | Node::AddI64Checked { lhs, rhs, .. }) => (*lhs, *rhs),
        _ => return false,
    };
    let step = match function.defining_node(rhs) {
        Some(Node::Whole { number }) if lhs == parameter => *number,
        _ => return false,
    };
    let condition =
        function
            .terminator(from)
            .and_then(|terminator| match function.node(terminator) {
                Node::Branch { condition, .. } => function.defining_node(*condition),
                _ => None,
            });
    let most = match condition {
        // Less than some integer, which is less than the limit.
        Some(Node::CompareI64 {
            condition: Condition::Less,
            lhs,
            ..
        }) if *lhs == passed && outcome == Some(true) => LIMIT - 2,
        _ => LIMIT - 1,
    };
    range.most = range.most.max(most);
    step >= 0
}

struct Ranges {
    counters: EntityVec<Value, Option<Range>>,
}

/// The bounds of an integer, given those of counters.
fn bounds(
    function: &Function,
    counters: &EntityVec<Value, Option<Range>>,
    value: Value,
    depth: usize,
) -> Range {
    let any = Range {
        least: 1 - LIMIT,
        most: LIMIT - 1,
    };
    let of = |value| bounds(function, counters, value, depth + 1);
    let within = |least: i64, most: i64| Range {
        least: any.least.max(least),
        most: any.most.min(most),
    };
    match function.defining_node(value) {
        None => counters.get(value).copied().flatten().unwrap_or(any),
        Some(&Node::Whole { number }) => Range {
            least: number,
            most: number,
        },
        // An index is one of a list or something as long.
        Some(Node::ListLength { .. } | Node::RangeCount { .. }) => within(0, MAX_LENGTH),
        Some(Node::CheckBounds { .. }) => within(0, MAX_LENGTH - 1),
        Some(Node::StringLength { .. }) => within(0, i64::from(u32::MAX)),
        Some(Node::CharacterCode { .. }) => within(0, i64::from(u32::from(char::MAX))),
        Some(&(Node::AddI64 { lhs, rhs } | Node::AddI64Checked { lhs, rhs, .. }))
            if depth < MAX_DEPTH =>
        {
            let (lhs, rhs) = (of(lhs), of(rhs));
            within(lhs.least + rhs.least, lhs.most + rhs.most)
        }
        Some(&(Node::SubtractI64 { lhs, rhs } | Node::SubtractI64Checked { lhs, rhs, .. }))
            if depth < MAX_DEPTH =>
        {
            let (lhs, rhs) = (of(lhs), of(rhs));
            within(lhs.least - rhs.most, lhs.most - rhs.least)
        }
        Some(_) => any,
    }
}

impl Ranges {
    /// The bounds of an integer.
    fn of(&self, function: &Function, value: Value) -> Range {
        bounds(function, &self.counters, value, 0)
    }

    /// The outcome of a comparison, if the bounds decide it.
    fn decide(
        &self,
        function: &Function,
        condition: Condition,
        lhs: Value,
        rhs: Value,
    ) -> Option<bool> {
        let (lhs, rhs) = (self.of(function, lhs), self.of(function, rhs));
        match condition {
            Condition::GreaterEqual if lhs.least >= rhs.most => Some(true),
            Condition::GreaterEqual if lhs.most < rhs.least => Some(false),
            Condition::Less if lhs.most < rhs.least => Some(true),
            Condition::Less if lhs.least >= rhs.most => Some(false),
            _ => None,
        }
    }

    /// Whether a sum stays an exact integer.
    fn fits(&self, function: &Function, lhs: Value, rhs: Value) -> bool {
        let (lhs, rhs) = (self.of(function, lhs), self.of(function, rhs));
        lhs.most + rhs.most < LIMIT && lhs.least + rhs.least > -LIMIT
    }
}
