//! What every program begins and ends with: its globals, functions and prototypes, and the report of their state.

use super::program::Node;
use super::{Generator, Place};

/// The functions that closures are made by, with the names of what they make.
const MAKERS: [(&str, &str); 2] = [("make0", "c0"), ("make1", "c1")];

impl Generator<'_> {
    pub fn declarations(&mut self) -> Vec<Node> {
        let mut nodes = vec![Node::Guard(vec!["fuel = 100".into()])];
        nodes.extend((0..4).map(|index| {
            let value = self.literal();
            Node::line(format!("n{index} = {value}"))
        }));
        nodes.extend((0..2).map(|index| {
            let value = self.string_literal();
            Node::line(format!("s{index} = {value}"))
        }));
        nodes.extend(
            [
                "l0 = [3, 1, 4, 1.5, 9]",
                "l1 = [1, \"two\", null, [3]]",
                "fixed = [10, 20, 30, 40]",
                "m0 = {\"a\": 1, \"b\": 2.5, \"c\": -3}",
                "m1 = {\"d\": 1, 2: \"two\"}",
                "m2 = m0",
                "a0 = null",
            ]
            .map(Node::line),
        );
        nodes.extend(self.helpers());
        for (name, parameters) in [("f0", "p, q=2"), ("f1", "p=1, q=4"), ("f2", "p=3, q=-1")] {
            nodes.push(self.function(name, parameters));
        }
        for (maker, closure) in MAKERS {
            nodes.push(self.closure_maker(maker));
            let argument = self.literal();
            nodes.push(Node::line(format!("{closure} = {maker}({argument})")));
        }
        nodes.extend(self.prototypes());
        nodes
    }

    fn helpers(&mut self) -> Vec<Node> {
        let lines = |lines: &[&str]| lines.iter().map(|&line| Node::line(line)).collect();
        let at = [
            // Also for what is no number.
            "if items.len == 0 or not (i * i < 1000000) then return 0",
            "return items[floor(i * i) % items.len]",
        ];
        let mut helpers = vec![Node::function("at", "items, i", lines(&at))];
        for (kind, result) in [
            ("number", "self + 1"),
            ("string", "self.len"),
            ("list", "self.len * 2"),
            ("map", "self.len * 3"),
        ] {
            let body = lines(&[&format!("return {result}")]);
            helpers.push(Node::function(&format!("{kind}.probe"), "", body));
        }
        // Small enough to be inlined wherever they are called; in the last one something may go wrong.
        for name in ["t0", "t1"] {
            helpers.extend(self.replacement(name));
        }
        let fatal = self.choices.pick(&["2147483647", "7", "\"a\"", "(-2.25)"]);
        let trap = lines(&[
            &format!("if p == {fatal} then return fixed[p].member"),
            "return t0(p) + t1(q)",
        ]);
        helpers.push(Node::function("trap", "p=0, q=1", trap));
        helpers
    }

    /// A function that ends when the fuel is used up.
    pub fn function(&mut self, name: &str, parameters: &str) -> Node {
        let body = self.at_place(Place::Function, |this| {
            let mut body = vec![burn("return 1")];
            body.push(Node::Guard(vec!["x = q".into(), "y = p".into()]));
            if this.choices.chance(30) {
                body.push(this.inner_function());
            }
            body.extend(this.statements(1, 4));
            body.push(this.return_statement());
            body
        });
        Node::function(name, parameters, body)
    }

    fn inner_function(&mut self) -> Node {
        let name = "inner";
        let body = self.at_place(Place::Closure, |this| {
            let mut body = vec![burn("return 2"), Node::Guard(vec!["z = d + x".into()])];
            body.extend(this.statements(1, 3));
            body.push(this.return_statement());
            body
        });
        Node::function(name, "d=1", body)
    }

    fn closure_maker(&mut self, name: &str) -> Node {
        let body = self.at_place(Place::Function, |this| {
            let mut body = vec![burn("return 3")];
            body.push(Node::Guard(vec!["x = p".into(), "y = 1".into()]));
            body.push(this.inner_function());
            body.push(Node::Guard(vec!["return @inner".into()]));
            body
        });
        Node::function(name, "p, q=1", body)
    }

    fn prototypes(&mut self) -> Vec<Node> {
        let mut nodes = vec![Node::line("Base = {\"a\": 1, \"b\": 2, \"shared\": 10}")];
        nodes.push(self.method("Base.value", false));
        nodes.push(Node::line("Derived = new Base"));
        if self.choices.chance(70) {
            nodes.push(self.method("Derived.value", true));
        }
        nodes.push(Node::line("Leaf = new Derived"));
        if self.choices.chance(40) {
            nodes.push(self.method("Leaf.value", true));
        }
        nodes.extend(
            [
                "o0 = new Base",
                "o1 = new Derived",
                "o2 = new Leaf",
                "o1.a = 5",
                "o2.b = 0.5",
                "objects = [o0, o1, o2]",
            ]
            .map(Node::line),
        );
        nodes
    }

    pub fn method(&mut self, target: &str, is_derived: bool) -> Node {
        let body = self.at_place(Place::Method { is_derived }, |this| {
            let mut body = vec![burn("return 4"), Node::Guard(vec!["t = k".into()])];
            body.extend(this.statements(0, 2));
            body.push(this.return_statement());
            body
        });
        Node::function(target, "k=1", body)
    }

    pub fn return_statement(&mut self) -> Node {
        let value = match self.choices.weighted(&[12, 1]) {
            0 => self.number(),
            _ => self.value(),
        };
        Node::line(format!("return {value}"))
    }

    pub fn final_report(&mut self) -> Vec<Node> {
        [
            "print [n0, n1, n2, n3]",
            "print s0 + \"|\" + s1",
            "print l0",
            "print l1",
            "print m0",
            "print m1",
            "print a0",
            "for o in objects",
            "  print [o.a, o.b, o.shared, o.indexes]",
            "end for",
            "print fuel",
        ]
        .map(Node::line)
        .into()
    }
}

/// Takes one unit of fuel, and leaves if there is none.
pub fn burn(leave: &str) -> Node {
    Node::Guard(vec![
        "globals.fuel = fuel - 1".into(),
        format!("if fuel < 0 then {leave}"),
    ])
}
