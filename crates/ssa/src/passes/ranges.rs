//! Decides comparisons of loop counters and drops checks that they cannot fail: a counter that starts at a constant and is only counted up never
//! gets below it, and one that goes on only while it is less than something leaves room to count up once more.

use crate::analysis::{Dominators, Loops};
use crate::entity::EntityVec;
use crate::ir::{Block, Condition, Function, Node, Value};

/// Integers are below this in magnitude.
const LIMIT: i64 = 1 << 53;

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

/// The parameters of loop headers that are counted up from constants.
fn counters(function: &Function) -> EntityVec<Value, Option<Range>> {
    let dominators = Dominators::of(function);
    let loops = Loops::of(function, &dominators);
    let predecessors = function.predecessors();
    let mut counters = EntityVec::filled(None, function.values.len());
    for one in loops.loops.values() {
        let parameters = function.blocks[one.header].parameters.iter();
        for (index, &parameter) in parameters.enumerate() {
            let mut range = Range {
                least: i64::MAX,
                most: i64::MIN,
            };
            let mut ways = predecessors[one.header].iter();
            let is_counter = ways.all(|&from| {
                let is_latch = one.latches.contains(&from);
                edges(function, from, one.header).all(|(holds, arguments)| {
                    let passed = arguments[index];
                    match is_latch {
                        true => counted_up(function, parameter, passed, from, holds, &mut range),
                        false => starts(function, passed, &mut range),
                    }
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

/// Whether a counter starts with a constant.
fn starts(function: &Function, passed: Value, range: &mut Range) -> bool {
    let Some(Node::Whole { number }) = function.defining_node(passed) else {
        return false;
    };
    range.least = range.least.min(*number);
    range.most = range.most.max(*number);
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

impl Ranges {
    /// The bounds of an integer.
    fn of(&self, function: &Function, value: Value, depth: usize) -> Range {
        let counter = self.counters.get(value).copied().flatten();
        let any = Range {
            least: 1 - LIMIT,
            most: LIMIT - 1,
        };
        match function.defining_node(value) {
            None => counter.unwrap_or(any),
            Some(&Node::Whole { number }) => Range {
                least: number,
                most: number,
            },
            Some(Node::ListLength { .. } | Node::RangeCount { .. } | Node::CheckBounds { .. }) => {
                Range { least: 0, ..any }
            }
            Some(&(Node::AddI64 { lhs, rhs } | Node::AddI64Checked { lhs, rhs, .. }))
                if depth < MAX_DEPTH =>
            {
                let (lhs, rhs) = (
                    self.of(function, lhs, depth + 1),
                    self.of(function, rhs, depth + 1),
                );
                Range {
                    least: any.least.max(lhs.least + rhs.least),
                    most: any.most.min(lhs.most + rhs.most),
                }
            }
            Some(_) => any,
        }
    }

    /// The outcome of a comparison, if the bounds decide it.
    fn decide(
        &self,
        function: &Function,
        condition: Condition,
        lhs: Value,
        rhs: Value,
    ) -> Option<bool> {
        let (lhs, rhs) = (self.of(function, lhs, 0), self.of(function, rhs, 0));
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
        let (lhs, rhs) = (self.of(function, lhs, 0), self.of(function, rhs, 0));
        lhs.most + rhs.most < LIMIT && lhs.least + rhs.least > -LIMIT
    }
}
