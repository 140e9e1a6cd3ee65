//! Programs as trees of statements, so that they can be shrunk without being parsed.

use std::fmt;

/// A program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Its statements.
    pub nodes: Vec<Node>,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// One of a single line.
    Line(String),
    /// Lines that the program may not end without; they go only with the block that they stand in.
    Guard(Vec<String>),
    /// One with statements inside.
    Block {
        /// Its parts: the line that begins each, and what stands below it.
        parts: Vec<(String, Vec<Node>)>,
        /// Its last line.
        end: &'static str,
    },
}

impl Node {
    /// A statement of a single line.
    pub fn line(text: impl Into<String>) -> Node {
        Node::Line(text.into())
    }

    /// A statement with one part.
    pub fn block(head: impl Into<String>, body: Vec<Node>, end: &'static str) -> Node {
        Node::Block {
            parts: vec![(head.into(), body)],
            end,
        }
    }

    /// The definition of a function, `target` being what it is assigned to.
    pub fn function(target: &str, parameters: &str, body: Vec<Node>) -> Node {
        let head = format!("{target} = function({parameters})");
        Node::block(head, body, "end function")
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_nodes(f, &self.nodes, 0)
    }
}

/// Programs are only as deep as the generator makes them, so this may recurse.
fn write_nodes(f: &mut fmt::Formatter<'_>, nodes: &[Node], depth: usize) -> fmt::Result {
    let indent = 2 * depth;
    for node in nodes {
        match node {
            Node::Line(text) => writeln!(f, "{:indent$}{text}", "")?,
            Node::Guard(lines) => {
                for line in lines {
                    writeln!(f, "{:indent$}{line}", "")?;
                }
            }
            Node::Block { parts, end } => {
                for (head, body) in parts {
                    writeln!(f, "{:indent$}{head}", "")?;
                    write_nodes(f, body, depth + 1)?;
                }
                writeln!(f, "{:indent$}{end}", "")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_written_as_people_write_them() {
        let choice = Node::Block {
            parts: vec![
                ("if x then".into(), vec![Node::line("print 1")]),
                ("else".into(), vec![Node::line("return")]),
            ],
            end: "end if",
        };
        let guard = Node::Guard(vec!["a".into(), "b".into()]);
        let program = Program {
            nodes: vec![
                Node::function("f", "x=1", vec![guard, choice]),
                Node::line("f 2"),
            ],
        };
        let text = "f = function(x=1)\n  a\n  b\n  if x then\n    print 1\n  else\n    return\n  end if\nend function\nf 2\n";
        assert_eq!(program.to_string(), text);
    }
}
