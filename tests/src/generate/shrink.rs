//! Making a program that shows a difference as small as it will go: statements are removed, in runs that get shorter
//! (after Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input"), and blocks give way to their bodies.

use super::program::{Node, Program};

/// Where a sequence of statements is: the index of a block and of one of its parts, outermost first.
type Path = Vec<(usize, usize)>;

/// The smallest program found that still `fails`, which the given one does. Tries at most `attempts` programs.
pub fn shrink(
    program: &Program,
    mut attempts: usize,
    mut fails: impl FnMut(&Program) -> bool,
) -> Program {
    let mut smallest = program.clone();
    let mut try_it = |candidate: Program, smallest: &mut Program| {
        if attempts == 0 || candidate == *smallest {
            return false;
        }
        attempts -= 1;
        let is_better = fails(&candidate);
        if is_better {
            *smallest = candidate;
        }
        is_better
    };
    loop {
        let mut progress = false;
        // Outer sequences first: a statement that goes takes all below it along. Paths behind it may then lead elsewhere
        // or nowhere, which costs an attempt or nothing.
        for path in paths(&smallest) {
            progress |= remove_runs(&path, &mut smallest, &mut try_it);
            progress |= unwrap_blocks(&path, &mut smallest, &mut try_it);
        }
        if !progress {
            return smallest;
        }
    }
}

type TryIt<'a> = dyn FnMut(Program, &mut Program) -> bool + 'a;

fn remove_runs(path: &Path, smallest: &mut Program, try_it: &mut TryIt<'_>) -> bool {
    let mut progress = false;
    let mut run = sequence(smallest, path).map_or(0, |nodes| nodes.len());
    while run > 0 {
        let mut start = 0;
        while let Some(length) = sequence(smallest, path).map(|nodes| nodes.len())
            && start < length
        {
            let mut candidate = smallest.clone();
            if let Some(nodes) = sequence(&mut candidate, path) {
                let mut index = 0;
                nodes.retain(|node| {
                    let is_in_run = (start..start + run).contains(&index);
                    index += 1;
                    !is_in_run || matches!(node, Node::Guard(_))
                });
            }
            if try_it(candidate, smallest) {
                progress = true;
            } else {
                start += run;
            }
        }
        run /= 2;
    }
    progress
}

fn unwrap_blocks(path: &Path, smallest: &mut Program, try_it: &mut TryIt<'_>) -> bool {
    let mut progress = false;
    let mut index = 0;
    while let Some(node) = sequence(smallest, path).and_then(|nodes| nodes.get(index)) {
        if let Node::Block { parts, .. } = node.clone() {
            for (_, body) in parts {
                let mut candidate = smallest.clone();
                if let Some(nodes) = sequence(&mut candidate, path) {
                    nodes.splice(index..=index, body);
                }
                if try_it(candidate, smallest) {
                    progress = true;
                    break;
                }
            }
        }
        index += 1;
    }
    progress
}

fn paths(program: &Program) -> Vec<Path> {
    let mut paths = vec![Path::new()];
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        let mut program = program.clone();
        let nodes = sequence(&mut program, &path);
        for (index, node) in nodes.into_iter().flatten().enumerate() {
            if let Node::Block { parts, .. } = node {
                paths.extend((0..parts.len()).map(|part| {
                    let mut inner = path.clone();
                    inner.push((index, part));
                    inner
                }));
            }
        }
        next += 1;
    }
    paths
}

fn sequence<'a>(program: &'a mut Program, path: &Path) -> Option<&'a mut Vec<Node>> {
    let mut nodes = &mut program.nodes;
    for &(index, part) in path {
        let Some(Node::Block { parts, .. }) = nodes.get_mut(index) else {
            return None;
        };
        nodes = &mut parts.get_mut(part)?.1;
    }
    Some(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(from: usize, to: usize) -> Vec<Node> {
        (from..to).map(|it| Node::line(it.to_string())).collect()
    }

    #[test]
    fn only_what_matters_remains() {
        let mut inner = lines(0, 20);
        inner.push(Node::block("loop", lines(20, 40), "end"));
        let mut nodes = lines(40, 60);
        nodes.push(Node::block("if", inner, "end if"));
        let program = Program { nodes };
        let contains = |program: &Program, line: &str| {
            let text = program.to_string();
            text.lines().any(|it| it.trim() == line)
        };
        let smallest = shrink(&program, 10_000, |it| {
            contains(it, "33") && contains(it, "51")
        });
        assert_eq!(smallest.to_string(), "51\n33\n");
    }

    #[test]
    fn guards_stay_in_their_blocks() {
        let guard = Node::Guard(vec!["fuel".into()]);
        let body = vec![guard, Node::line("a"), Node::line("b")];
        let program = Program {
            nodes: vec![Node::block("while", body, "end while")],
        };
        let smallest = shrink(&program, 1000, |it| it.to_string().contains("while\n"));
        assert_eq!(smallest.to_string(), "while\n  fuel\nend while\n");
    }

    #[test]
    fn the_number_of_attempts_is_bounded() {
        let program = Program {
            nodes: lines(0, 50),
        };
        let mut count = 0;
        shrink(&program, 7, |_| {
            count += 1;
            false
        });
        assert_eq!(count, 7);
    }
}
