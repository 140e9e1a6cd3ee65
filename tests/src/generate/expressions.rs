//! Random expressions. Most are numbers, because most fast paths are.

use super::{Generator, Place};

/// Numbers at which something changes: the sign of zero, the range of machine integers, exactness of doubles.
const NUMBERS: [&str; 26] = [
    "1",
    "2",
    "0",
    "3",
    "5",
    "7",
    "10",
    "100",
    "0.5",
    "1.5",
    "0.1",
    "(-1)",
    "(-2.25)",
    "(-0)",
    "255",
    "2147483647",
    "2147483648",
    "(-2147483649)",
    "4294967296",
    "9007199254740991",
    "9007199254740992",
    "(0/0)",
    "(1/0)",
    "(-1/0)",
    "1e300",
    "1e-7",
];

/// The first of [`NUMBERS`] that are small and whole.
const PLAIN_NUMBERS: usize = 13;

const STRINGS: [&str; 8] = [
    "\"\"",
    "\"a\"",
    "\"kiln\"",
    "\"b c\"",
    "\"héé\"",
    "\"7\"",
    "\"😀x\"",
    "\"zz\"",
];

pub const INTRINSICS: [&str; 6] = ["abs", "floor", "ceil", "sign", "round", "sqrt"];

/// How deep operators nest.
const DEPTH: usize = 3;

impl Generator<'_> {
    /// Variables and members that hold numbers, as a rule.
    fn number_variables(&self) -> Vec<String> {
        let mut names: Vec<String> = ["n0", "n1", "n2", "n3"].map(str::to_owned).into();
        let own: &[&str] = match self.place {
            Place::TopLevel => &["n0", "n1"],
            Place::Function => &["x", "y", "p", "q", "x", "y"],
            Place::Closure => &["z", "d", "x", "p", "z"],
            Place::Method { .. } => &["self.a", "self.b", "k", "t", "self.a"],
        };
        names.extend(own.iter().map(|&name| name.to_owned()));
        for name in &self.loop_variables {
            names.extend([name.clone(), name.clone()]);
        }
        names
    }

    fn number_variable(&mut self) -> String {
        let mut names = self.number_variables();
        let index = self.choices.between(0, names.len() - 1);
        names.swap_remove(index)
    }

    /// What numbers are assigned to.
    pub fn number_target(&mut self) -> &'static str {
        let targets: &[&str] = match self.place {
            Place::TopLevel => &["n0", "n1", "n2", "n3", "n0", "n1", "globals.n2"],
            Place::Function => &["x", "y", "x", "y", "p", "globals.n0", "globals.n3"],
            Place::Closure => &["z", "z", "outer.x", "outer.y", "globals.n1"],
            Place::Method { .. } => &["t", "t", "self.a", "self.b", "globals.n2"],
        };
        self.choices.pick(targets)
    }

    pub fn literal(&mut self) -> &'static str {
        let odd = self.choices.chance(15);
        let end = if odd { NUMBERS.len() } else { PLAIN_NUMBERS };
        self.choices.pick(&NUMBERS[..end])
    }

    pub fn string_literal(&mut self) -> &'static str {
        self.choices.pick(&STRINGS)
    }

    pub fn number(&mut self) -> String {
        self.number_within(0)
    }

    fn number_within(&mut self, depth: usize) -> String {
        if depth >= DEPTH || self.choices.chance(20) {
            return match self.choices.weighted(&[7, 3]) {
                0 => self.number_variable(),
                _ => self.literal().to_owned(),
            };
        }
        let depth = depth + 1;
        match self.choices.weighted(&[5, 40, 3, 8, 4, 2, 8, 8, 6, 8, 2]) {
            0 => self.number_variable(),
            1 => {
                let operator = self.choices.pick(&["+", "-", "*", "+", "-", "%", "/", "^"]);
                let left = self.number_within(depth);
                // Powers of powers are all infinite.
                let right = match operator {
                    "^" => self
                        .choices
                        .pick(&["2", "0.5", "3", "(-1)", "0"])
                        .to_owned(),
                    _ => self.number_within(depth),
                };
                format!("({left} {operator} {right})")
            }
            2 => format!("(-{})", self.number_variable()),
            3 => self.comparison(depth),
            4 => {
                let operator = self.choices.pick(&["and", "or"]);
                let (left, right) = (self.number_within(depth), self.number_within(depth));
                format!("({left} {operator} {right})")
            }
            5 => format!("(not {})", self.number_within(depth)),
            6 => self.call(depth),
            7 => self.member(depth),
            8 => {
                let name = self.choices.pick(&INTRINSICS);
                format!("{name}({})", self.number_within(depth))
            }
            9 => self.element(depth),
            _ => {
                let value = self.choices.pick(&["s0", "l0", "m0", "l1"]);
                format!("{value}.len")
            }
        }
    }

    fn comparison(&mut self, depth: usize) -> String {
        let operators = ["<", "<=", ">", ">=", "==", "!="];
        let operator = self.choices.pick(&operators);
        let (left, right) = (self.number_within(depth), self.number_within(depth));
        if self.choices.chance(12) {
            let second = self.choices.pick(&operators);
            let last = self.number_variable();
            return format!("({left} {operator} {right} {second} {last})");
        }
        format!("({left} {operator} {right})")
    }

    /// A call of a function whose number of arguments may differ from the number of its parameters.
    fn call(&mut self, depth: usize) -> String {
        let name = self
            .choices
            .pick(&["f0", "f1", "f2", "f0", "c0", "c1", "t0", "t1", "trap"]);
        match self.choices.weighted(&[5, 3, 2]) {
            0 => format!("{name}({})", self.number_within(depth)),
            1 if !name.starts_with('c') => {
                let (first, second) = (self.number_within(depth), self.number_within(depth));
                format!("{name}({first}, {second})")
            }
            _ => name.to_owned(),
        }
    }

    fn member(&mut self, depth: usize) -> String {
        let object = match self.choices.weighted(&[6, 3, 3]) {
            0 => self.choices.pick(&["o0", "o1", "o2"]).to_owned(),
            1 => format!("at(objects, {})", self.number_variable()),
            _ if matches!(self.place, Place::Method { .. }) => "self".to_owned(),
            _ => "o1".to_owned(),
        };
        let in_derived = self.place == Place::Method { is_derived: true };
        match self.choices.weighted(&[4, 3, 2, 2, 2, 2]) {
            0 => format!("{object}.a"),
            1 => format!("{object}.value({})", self.number_within(depth)),
            2 => format!("{object}.value"),
            3 if in_derived => format!("super.value({})", self.number_within(depth)),
            3 => format!("{object}[\"b\"]"),
            4 => format!("{object}.shared"),
            _ => {
                let value = self
                    .choices
                    .pick(&["n0", "s0", "l0", "m0", "o1", "(5)", "\"x\"", "[]"]);
                format!("{value}.probe")
            }
        }
    }

    fn element(&mut self, depth: usize) -> String {
        match self.choices.weighted(&[5, 3, 2, 2]) {
            0 => {
                let sequence = self
                    .choices
                    .pick(&["l0", "l0", "l0", "s0", "l1", "\"0123\""]);
                let index = match self.loop_variables.last() {
                    Some(name) => name.clone(),
                    None => self.choices.between(0, 9).to_string(),
                };
                format!("at({sequence}, {index})")
            }
            1 => {
                let index = self.choices.pick(&["0", "1", "-1", "2", "1.5"]);
                format!("fixed[{index}]")
            }
            2 => format!("m0.{}", self.choices.pick(&["a", "b", "c"])),
            _ => format!("at([{}, 4], 0)", self.number_within(depth)),
        }
    }

    pub fn string(&mut self) -> String {
        match self.choices.weighted(&[4, 3, 4, 2, 2, 2, 1]) {
            0 => self.choices.pick(&["s0", "s1"]).to_owned(),
            1 => self.string_literal().to_owned(),
            2 => format!("({} + {})", self.string_literal(), self.number()),
            3 => format!(
                "s0[{}:{}]",
                self.choices.between(0, 3),
                self.choices.between(1, 5)
            ),
            4 => format!("s1.{}", self.choices.pick(&["upper", "lower"])),
            5 => format!("str({})", self.number()),
            _ => format!(
                "({} * {})",
                self.string_literal(),
                self.choices.between(0, 3)
            ),
        }
    }

    /// A value of any kind. It holds at most one other value, so that nothing grows out of bounds.
    pub fn value(&mut self) -> String {
        match self.choices.weighted(&[5, 3, 2, 2, 1, 1, 1, 1]) {
            0 => self.number(),
            1 => self.string(),
            2 => format!("[{}, 2, \"three\"]", self.number()),
            3 => format!("{{\"a\": {}, \"b\": 2}}", self.number()),
            4 => "null".to_owned(),
            5 => "@f1".to_owned(),
            6 => self
                .choices
                .pick(&["l0", "l1", "m0", "o1", "a0"])
                .to_owned(),
            _ => "new Base".to_owned(),
        }
    }

    pub fn condition(&mut self) -> String {
        match self.choices.weighted(&[8, 3, 1, 1, 1, 1, 1]) {
            0 => self.comparison(1),
            1 => self.number(),
            2 => self
                .choices
                .pick(&["s0", "l0", "m0", "a0", "not l1"])
                .to_owned(),
            3 => format!("m1.hasIndex(\"{}\")", self.choices.pick(&["d", "e", "a"])),
            4 => format!(
                "a0 isa {}",
                self.choices
                    .pick(&["number", "string", "list", "map", "Base"])
            ),
            5 => format!("a0 == {}", self.value()),
            _ => format!("{} < {}", self.string(), self.string()),
        }
    }
}
