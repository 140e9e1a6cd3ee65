//! MiniScript programs made at random, to be run in every mode and compared.
//!
//! A program declares the same few globals, functions and prototypes, whose bodies are random, runs random statements,
//! and prints its state at the end. Two things make programs worth running. They are *hot*: loops run often enough for
//! a tier to compile them. And they are *disturbed*: in the middle of a loop a variable changes its type, a function,
//! method, prototype or intrinsic is replaced, a variable is written through `locals`, `outer` or `globals`; everything
//! that compiled code may have relied on.
//!
//! Every program ends: loops and calls draw on one counter, `fuel`, which only statements of the top level that run a
//! bounded number of times fill up again, and whatever could grow is kept small. Few programs end in an error, because that
//! ends everything; some do so on purpose.

mod choices;
mod declarations;
mod disturbances;
mod expressions;
mod program;
mod shrink;
mod statements;

use choices::Choices;

pub use program::{Node, Program};
pub use shrink::shrink;

/// How many choices a program gets from a seed; when they run out, the first of each kind is taken, and it ends soon.
const CHOICE_BYTES: usize = 8 << 10;

/// The program that belongs to a number.
pub fn from_seed(seed: u64) -> Program {
    let mut bytes = vec![0; CHOICE_BYTES];
    fastrand::Rng::with_seed(seed).fill(&mut bytes);
    from_bytes(&bytes)
}

/// The program in which each choice is made by some of the bytes: what a fuzzer that mutates bytes needs.
pub fn from_bytes(bytes: &[u8]) -> Program {
    Generator::new(Choices::new(bytes)).program()
}

/// Where code stands, which decides what it can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    TopLevel,
    Function,
    /// A function in a function.
    Closure,
    Method {
        /// Whether there is a `super` to call.
        is_derived: bool,
    },
}

/// Makes one program.
struct Generator<'a> {
    choices: Choices<'a>,
    place: Place,
    /// Loops around the current statement.
    loops: usize,
    /// Statements around the current one.
    depth: usize,
    /// Variables of the loops around, innermost last, all of them numbers.
    loop_variables: Vec<String>,
    /// Numbers the names that must not be shared.
    names: usize,
}

impl<'a> Generator<'a> {
    fn new(choices: Choices<'a>) -> Generator<'a> {
        Generator {
            choices,
            place: Place::TopLevel,
            loops: 0,
            depth: 0,
            loop_variables: Vec::new(),
            names: 0,
        }
    }

    /// A name that nothing else has.
    fn fresh_name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    /// Makes something at another place, and comes back.
    fn at_place<T>(&mut self, place: Place, make: impl FnOnce(&mut Self) -> T) -> T {
        let outside = (
            std::mem::replace(&mut self.place, place),
            std::mem::take(&mut self.loops),
            std::mem::take(&mut self.loop_variables),
        );
        let made = make(self);
        (self.place, self.loops, self.loop_variables) = outside;
        made
    }

    fn program(&mut self) -> Program {
        let mut nodes = self.declarations();
        for _ in 0..self.choices.between(3, 9) {
            let fuel = self.choices.pick(&[60, 20, 150]);
            nodes.push(Node::Guard(vec![format!("fuel = {fuel}")]));
            nodes.extend(self.statement());
        }
        nodes.extend(self.final_report());
        Program { nodes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_program() {
        assert_eq!(from_seed(1).to_string(), from_seed(1).to_string());
        assert_ne!(from_seed(1).to_string(), from_seed(2).to_string());
    }

    #[test]
    fn any_bytes_make_a_program() {
        for bytes in [&[][..], &[0; 100], &[0xFF; 10_000]] {
            let text = from_bytes(bytes).to_string();
            assert!(text.contains("print"), "{text}");
            assert!(text.lines().count() < 2000, "{}", text.len());
        }
    }

    #[test]
    fn programs_cover_the_language() {
        let mut all = String::new();
        for seed in 0..200 {
            all.push_str(&from_seed(seed).to_string());
        }
        let features = [
            "while ",
            "for ",
            "break",
            "continue",
            "return",
            "else if",
            "super.",
            "outer.",
            "locals",
            "globals",
            "new Base",
            "__isa",
            "stackTrace",
            "_idx = ",
            "@",
            ".remove",
            ".push",
            "0/0",
            "9007199254740992",
            " and ",
            " or ",
            "not ",
            "[-12:]",
            "number.probe",
            "abs = ",
        ];
        for feature in features {
            assert!(all.contains(feature), "{feature} never occurs");
        }
    }
}
