//! Random statements.

use super::declarations::burn;
use super::program::Node;
use super::{Generator, Place};

/// How deep statements nest.
const DEPTH: usize = 4;

/// How often loops run, by how many loops are around.
const ROUNDS: [&[usize]; 3] = [&[3, 12, 40, 120, 300, 1000], &[2, 5, 9], &[2, 3]];

impl Generator<'_> {
    /// Between `low` and `high` statements.
    pub fn statements(&mut self, low: usize, high: usize) -> Vec<Node> {
        let count = self.choices.between(low, high);
        (0..count).flat_map(|_| self.statement()).collect()
    }

    /// A statement, with what has to go before it.
    pub fn statement(&mut self) -> Vec<Node> {
        if self.depth >= DEPTH {
            return vec![self.assignment()];
        }
        self.depth += 1;
        let is_outermost = self.place == Place::TopLevel && self.loops == 0;
        let loop_weight = if is_outermost { 40 } else { 12 };
        let leave_weight = if self.loops > 0 { 8 } else { 0 };
        let weights = [30, 10, loop_weight, 12, leave_weight, 8, 5, 4, 1];
        let nodes = match self.choices.weighted(&weights) {
            0 => vec![self.assignment()],
            1 => vec![self.choice()],
            2 => self.loop_statement(),
            3 => vec![Node::line(format!("print {}", self.printed()))],
            4 => {
                let condition = self.condition();
                let leave = self.choices.pick(&["break", "continue"]);
                vec![Node::line(format!("if {condition} then {leave}"))]
            }
            5 => self.disturbance(),
            6 => vec![self.other_assignment()],
            7 => self.bare_call(),
            _ => vec![self.error()],
        };
        self.depth -= 1;
        nodes
    }

    fn assignment(&mut self) -> Node {
        let target = self.number_target();
        let value = self.number();
        let line = match self.choices.weighted(&[4, 4, 2]) {
            0 => format!("{target} = {value}"),
            // Keeps numbers in the range where most of them differ.
            1 => format!(
                "{target} = ({value}) % {}",
                self.choices.pick(&[1000, 97, 16])
            ),
            _ => {
                let operator = self.choices.pick(&["+", "-", "*", "/"]);
                format!("{target} {operator}= {value}")
            }
        };
        Node::Line(line)
    }

    fn other_assignment(&mut self) -> Node {
        let global = match self.place {
            Place::TopLevel => "",
            _ => "globals.",
        };
        let line = match self.choices.weighted(&[3, 2, 2, 2, 1]) {
            0 => format!("{global}s0 = ({} + {})[-12:]", self.string(), self.string()),
            1 => format!("{global}a0 = {}", self.value()),
            2 => format!("if l0.len > 1 then l0[1] = {}", self.number()),
            3 => format!(
                "m1[{}] = {}",
                self.choices.pick(&["\"d\"", "\"e\"", "2", "n0", "s1"]),
                self.scalar()
            ),
            _ => format!("{global}l1 = (l0 + [{}])[-6:]", self.scalar()),
        };
        Node::Line(line)
    }

    fn printed(&mut self) -> String {
        match self.choices.weighted(&[5, 2, 2, 1, 1]) {
            0 => self.number(),
            1 => self.string(),
            2 => format!("[{}, {}]", self.number(), self.scalar()),
            3 => self.value(),
            _ => "stackTrace".to_owned(),
        }
    }

    fn bare_call(&mut self) -> Vec<Node> {
        let argument = self.number();
        let line = match self.choices.weighted(&[3, 2, 2, 1]) {
            0 => format!("{} {argument}", self.choices.pick(&["f0", "f1", "f2"])),
            1 => format!(
                "{}.value {argument}",
                self.choices.pick(&["o0", "o1", "o2"])
            ),
            2 => self.choices.pick(&["c0", "c1"]).to_owned(),
            _ => "f1".to_owned(),
        };
        vec![Node::Line(line)]
    }

    /// Ends the program, unless it is not reached.
    fn error(&mut self) -> Node {
        let condition = self.condition();
        let cause = self.choices.pick(&[
            "print noSuchVariable",
            "print fixed[99]",
            "print m0.noSuchKey",
            "print null.member",
            "print [] * \"x\"",
            "o1.noSuchMethod 1",
            "f0 1, 2, 3",
            "print l0 - {}",
        ]);
        Node::Line(format!("if {condition} then {cause}"))
    }

    fn choice(&mut self) -> Node {
        let condition = self.condition();
        let mut parts = vec![(format!("if {condition} then"), self.statements(1, 3))];
        if self.choices.chance(20) {
            let condition = self.condition();
            parts.push((format!("else if {condition} then"), self.statements(1, 2)));
        }
        if self.choices.chance(40) {
            parts.push(("else".to_owned(), self.statements(1, 2)));
        }
        Node::Block {
            parts,
            end: "end if",
        }
    }

    fn loop_statement(&mut self) -> Vec<Node> {
        let rounds = ROUNDS[self.loops.min(ROUNDS.len() - 1)];
        let rounds = match self.place {
            Place::TopLevel => self.choices.pick(rounds),
            // A function runs often as it is.
            _ => self.choices.pick(&[2, 4, 7]),
        };
        let variable = self.fresh_name("i");
        // The number that the loop variable holds, by which a disturbance can choose its moment.
        let mut body_variable = Some(variable.clone());
        let mut before = Vec::new();
        let mut guard = Vec::new();
        let (head, end) = match self.choices.weighted(&[10, 5, 3, 2, 2]) {
            0 => {
                let (from, to, step) = match self.choices.weighted(&[5, 2, 1, 1, 1, 1, 1, 1]) {
                    0 => ("1".to_owned(), rounds.to_string(), ""),
                    1 => (rounds.to_string(), "0".to_owned(), ""),
                    2 => ("0".to_owned(), format!("{rounds}.5"), ", 0.5"),
                    3 => ("0".to_owned(), (2 * rounds).to_string(), ", 2"),
                    4 => ("(-0)".to_owned(), format!("(-{rounds})"), ""),
                    5 => ((3 * rounds).to_string(), "0.5".to_owned(), ", -3"),
                    // Beyond the numbers that machine integers of 32 bits, and doubles, tell from the next one.
                    6 => (
                        "2147483640".to_owned(),
                        (2_147_483_640 + rounds).to_string(),
                        "",
                    ),
                    _ => (
                        "9007199254740990".to_owned(),
                        (9_007_199_254_740_990 + 2 * rounds).to_string(),
                        ", 2",
                    ),
                };
                (
                    format!("for {variable} in range({from}, {to}{step})"),
                    "end for",
                )
            }
            1 => {
                before.push(Node::Guard(vec![format!("{variable} = 0")]));
                guard.push(format!("{variable} = {variable} + 1"));
                (
                    format!("while {variable} < {rounds} and fuel > 0"),
                    "end while",
                )
            }
            2 => {
                let list = self
                    .choices
                    .pick(&["l0", "fixed", "l1", "[1, 2.5, -3]", "l0.indexes"]);
                (format!("for {variable} in {list}"), "end for")
            }
            3 => {
                let map = self.choices.pick(&["m0", "m1", "{\"k\": 1}"]);
                body_variable = None;
                (format!("for {variable} in {map}"), "end for")
            }
            _ => {
                let string = self.choices.pick(&["s0", "\"héy\"", "s1"]);
                body_variable = None;
                (format!("for {variable} in {string}"), "end for")
            }
        };
        let is_hot = rounds >= 40;
        let is_counter = !head.contains(" in ") || head.contains("range(");
        let mut body = match guard.is_empty() {
            true => Vec::new(),
            false => vec![Node::Guard(guard)],
        };
        // Bounded loops in the open need no fuel; those over something that grows, or in functions, do.
        if !(is_counter && self.place == Place::TopLevel) {
            body.push(burn("break"));
        } else if self.loops == 0 {
            let fuel = match rounds {
                ..100 => self.choices.pick(&[10, 5, 20]),
                _ => self.choices.pick(&[3, 1, 5]),
            };
            body.push(Node::Guard(vec![format!("fuel = {fuel}")]));
        }
        self.loops += 1;
        self.loop_variables.extend(body_variable.clone());
        let (low, high) = if is_hot { (2, 5) } else { (1, 4) };
        body.extend(self.statements(low, high));
        if let Some(name) = &body_variable
            && self.choices.chance(if is_hot { 80 } else { 20 })
        {
            let moment = self.choices.between(1, rounds);
            let disturbance = self.disturbance();
            let head = format!("if {name} == {moment} then");
            body.push(Node::block(head, disturbance, "end if"));
            body.extend(self.statements(0, 2));
        }
        if head.starts_with("for") && self.choices.chance(6) {
            // The counter that a `for` loop keeps is a variable like any other.
            let moment = self.choices.between(1, 5);
            let text = format!(
                "if __{variable}_idx == {moment} then __{variable}_idx = {}",
                moment + 2
            );
            body.push(Node::Line(text));
        }
        if body_variable.is_some() {
            self.loop_variables.pop();
        }
        self.loops -= 1;
        before.push(Node::block(head, body, end));
        before
    }
}
