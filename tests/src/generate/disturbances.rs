//! Statements that change, in the middle of everything, what compiled code may have relied on.

use super::expressions::INTRINSICS;
use super::program::Node;
use super::{Generator, Place};

impl Generator<'_> {
    /// Something unexpected. Where a name would be a new local variable, it is written through `globals`.
    pub fn disturbance(&mut self) -> Vec<Node> {
        let global = match self.place {
            Place::TopLevel => "",
            _ => "globals.",
        };
        let line = |text: String| vec![Node::line(text)];
        match self.choices.weighted(&[8, 5, 5, 5, 3, 3, 5, 3, 2]) {
            0 => {
                let target = self.number_target();
                let value = match self.choices.weighted(&[3, 2, 1, 3]) {
                    0 => self.string_literal().to_owned(),
                    1 => "null".to_owned(),
                    2 => "@f1".to_owned(),
                    _ => self.literal().to_owned(),
                };
                line(format!("{target} = {value}"))
            }
            1 => {
                let name = self
                    .choices
                    .pick(&["f0", "f1", "f2", "c0", "f0", "t0", "t1"]);
                self.replacement(&format!("{global}{name}"))
            }
            2 => self.changed_prototype(),
            3 => self.changed_list(),
            4 => {
                let name = self.choices.pick(&INTRINSICS);
                match self.choices.weighted(&[2, 2]) {
                    0 => self.replacement(&format!("{global}{name}")),
                    _ => line(format!("globals.remove \"{name}\"")),
                }
            }
            5 => {
                let kind = self.choices.pick(&["number", "string", "list", "map"]);
                self.replacement(&format!("{kind}.probe"))
            }
            6 => self.named_write(),
            7 => {
                let name = self.choices.pick(&["a", "b", "c"]);
                let value = self.number();
                // The same object by another name.
                let object = self.choices.pick(&["m0", "m2", "objects[1]", "globals.m2"]);
                line(format!("{object}.{name} = {value}"))
            }
            _ => line(format!("{global}a0 = {}", self.value())),
        }
    }

    /// A small function, assigned to something that was another one.
    pub fn replacement(&mut self, target: &str) -> Vec<Node> {
        if self.choices.chance(25) {
            let other = self.choices.pick(&["@f2", "@c1", "@abs", "@f0"]);
            return vec![Node::line(format!("{target} = {other}"))];
        }
        // It calls nothing, so it needs no fuel.
        let increment = self.literal();
        let body = match self.choices.weighted(&[3, 1, 1]) {
            0 => format!("return p + {increment}"),
            1 => format!("return {increment}"),
            _ => "return \"t\" + p".to_owned(),
        };
        vec![Node::function(target, "p=2, q=1", vec![Node::Line(body)])]
    }

    fn changed_prototype(&mut self) -> Vec<Node> {
        let prototype = self.choices.pick(&["Base", "Derived", "Leaf"]);
        let object = self.choices.pick(&["o0", "o1", "o2"]);
        let value = self.number();
        let line = match self.choices.weighted(&[3, 3, 2, 2, 1, 1, 1, 1]) {
            0 => {
                let target = format!("{prototype}.value");
                // In a method, a method with random statements would contain itself without end.
                return match self.place {
                    Place::TopLevel => vec![self.method(&target, prototype != "Base")],
                    _ => self.replacement(&target),
                };
            }
            1 => format!("{object}.a = {value}"),
            2 => format!("{prototype}.shared = {value}"),
            3 => format!("{prototype}.{} = {value}", self.fresh_name("extra")),
            4 => format!("{object}.value = {value}"),
            5 => format!("{object}.remove \"a\""),
            6 => format!("{object}.__isa = {prototype}"),
            _ => {
                let above = self
                    .choices
                    .pick(&["Base", "{\"shared\": 3, \"a\": 1, \"b\": 2, \"value\": 8}"]);
                format!("Derived.__isa = {above}")
            }
        };
        vec![Node::line(line)]
    }

    fn changed_list(&mut self) -> Vec<Node> {
        let list = self.choices.pick(&["l0", "l0", "l1", "fixed"]);
        let line = match self.choices.weighted(&[4, 2, 2, 1, 1, 1, 1]) {
            0 => format!("{list}.push {}", self.scalar()),
            1 => format!("if {list}.len > 0 then {list}[0] = {}", self.scalar()),
            2 => format!("if {list}.len > 4 then {list}.remove 1"),
            3 => format!(
                "if {list}.len > 4 then {list}.{}",
                self.choices.pick(&["pop", "pull"])
            ),
            4 => format!("{list}.insert 1, {}", self.scalar()),
            5 => format!("{list}.sort"),
            _ => format!("if {list}.len > 0 then {list}[-1] = {list}[0]"),
        };
        vec![Node::Line(line)]
    }

    /// A number or a string.
    pub fn scalar(&mut self) -> String {
        match self.choices.weighted(&[3, 1]) {
            0 => self.number(),
            _ => self.string(),
        }
    }

    /// An assignment that names its variable at run time.
    fn named_write(&mut self) -> Vec<Node> {
        let value = self.number();
        let text = match (self.place, self.choices.between(0, 2)) {
            (_, 0) => {
                let name = self.choices.between(0, 3);
                format!("globals[\"n\" + {name}] = {value}")
            }
            (Place::Function, 1) => format!("locals.x = {value}"),
            (Place::Function, _) => format!("locals[\"y\"] = {value}"),
            (Place::Closure, _) => format!("outer[\"x\"] = {value}"),
            (Place::Method { .. }, _) => format!("self[\"b\"] = {value}"),
            (Place::TopLevel, 1) => format!("locals.n1 = {value}"),
            (Place::TopLevel, _) => format!("globals.n0 = {value}"),
        };
        vec![Node::Line(text)]
    }
}
