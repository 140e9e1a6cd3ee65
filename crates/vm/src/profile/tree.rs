//! The tree of calls: one node for each chain of functions that called each other.
//!
//! Times and calls are kept by node; what belongs to a function follows from the nodes (Ammons, Ball and Larus 1997 call it
//! the calling context tree).

use hashbrown::HashMap;

use super::FunctionId;

/// The number of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The root, which stands for no function: the host.
    pub const ROOT: NodeId = NodeId(0);
}

/// A function as called by a certain chain of callers.
#[derive(Clone, Copy, Debug)]
pub struct CallNode {
    /// The caller's node; the root is its own.
    pub parent: NodeId,
    /// The function; meaningless for the root.
    pub function: FunctionId,
    /// The number of callers.
    depth: u32,
    /// How often it was called so; zero if calls are not counted.
    pub calls: u64,
    /// Nanoseconds spent in the function itself.
    pub self_time: u64,
}

/// What belongs to one function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FunctionTimes {
    /// How often it was called.
    pub calls: u64,
    /// Nanoseconds spent in the function itself.
    pub self_time: u64,
    /// Nanoseconds from call to return; calls inside a call of the same function add nothing.
    pub total_time: u64,
}

/// The deepest chain of callers that is told apart. Deeper calls count for the nearest caller of the same function, as recursion
/// of any depth would otherwise make a tree of any size.
const MAX_DEPTH: u32 = 512;

/// The most nodes: a few megabytes.
const MAX_NODES: usize = 1 << 16;

/// The tree of calls.
#[derive(Debug)]
pub struct CallTree {
    nodes: Vec<CallNode>,
    children: HashMap<(NodeId, FunctionId), NodeId, foldhash::fast::FixedState>,
}

impl Default for CallTree {
    fn default() -> CallTree {
        CallTree {
            nodes: vec![CallNode {
                parent: NodeId::ROOT,
                function: FunctionId::NONE,
                depth: 0,
                calls: 0,
                self_time: 0,
            }],
            children: HashMap::default(),
        }
    }
}

impl CallTree {
    /// The nodes but the root. A caller comes before those it calls.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &CallNode)> {
        let numbered = self.nodes.iter().enumerate().skip(1);
        numbered.map(|(index, node)| (NodeId(index as u32), node))
    }

    /// The node with this number.
    pub fn node(&self, id: NodeId) -> &CallNode {
        &self.nodes[id.0 as usize]
    }

    /// The functions from the outermost caller to the node's own.
    pub fn path(&self, id: NodeId) -> Vec<FunctionId> {
        let mut path = Vec::new();
        let mut at = id;
        while at != NodeId::ROOT {
            path.push(self.node(at).function);
            at = self.node(at).parent;
        }
        path.reverse();
        path
    }

    /// The node of a function called by `parent`.
    pub(crate) fn child(&mut self, parent: NodeId, function: FunctionId) -> NodeId {
        if let Some(known) = self.children.get(&(parent, function)) {
            return *known;
        }
        let depth = self.node(parent).depth + 1;
        if (depth > MAX_DEPTH || self.nodes.len() >= MAX_NODES)
            && let Some(ancestor) = self.nearest(parent, function)
        {
            return ancestor;
        }
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(CallNode {
            parent,
            function,
            depth,
            calls: 0,
            self_time: 0,
        });
        self.children.insert((parent, function), id);
        id
    }

    pub(crate) fn add_call(&mut self, id: NodeId) {
        self.nodes[id.0 as usize].calls += 1;
    }

    pub(crate) fn add_time(&mut self, id: NodeId, nanoseconds: u64) {
        self.nodes[id.0 as usize].self_time += nanoseconds;
    }

    /// The innermost node of a function from `from` outwards.
    fn nearest(&self, from: NodeId, function: FunctionId) -> Option<NodeId> {
        let mut at = from;
        while at != NodeId::ROOT {
            if self.node(at).function == function {
                return Some(at);
            }
            at = self.node(at).parent;
        }
        None
    }

    /// All self times added up.
    pub fn total_time(&self) -> u64 {
        self.nodes.iter().map(|node| node.self_time).sum()
    }

    /// What belongs to each function, indexed by its number.
    pub fn function_times(&self, functions: usize) -> Vec<FunctionTimes> {
        let mut inclusive: Vec<u64> = self.nodes.iter().map(|node| node.self_time).collect();
        for (index, node) in self.nodes.iter().enumerate().skip(1).rev() {
            inclusive[node.parent.0 as usize] += inclusive[index];
        }
        let mut times = vec![FunctionTimes::default(); functions];
        for (id, node) in self.nodes() {
            let own = &mut times[node.function.index()];
            own.calls += node.calls;
            own.self_time += node.self_time;
            if self.nearest(node.parent, node.function).is_none() {
                own.total_time += inclusive[id.0 as usize];
            }
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: FunctionId = FunctionId::new(0);
    const EVEN: FunctionId = FunctionId::new(1);
    const ODD: FunctionId = FunctionId::new(2);

    #[test]
    fn recursion_counts_once() {
        let mut tree = CallTree::default();
        let main = tree.child(NodeId::ROOT, MAIN);
        let even = tree.child(main, EVEN);
        let odd = tree.child(even, ODD);
        let inner = tree.child(odd, EVEN);
        for (node, time) in [(main, 1), (even, 10), (odd, 100), (inner, 1000)] {
            tree.add_call(node);
            tree.add_time(node, time);
        }
        let times = tree.function_times(3);
        let expected = |calls, self_time, total_time| FunctionTimes {
            calls,
            self_time,
            total_time,
        };
        assert_eq!(times[0], expected(1, 1, 1111));
        assert_eq!(times[1], expected(2, 1010, 1110));
        assert_eq!(times[2], expected(1, 100, 1100));
        assert_eq!(tree.total_time(), 1111);
    }

    #[test]
    fn deep_recursion_does_not_grow_the_tree() {
        let mut tree = CallTree::default();
        let mut node = NodeId::ROOT;
        for depth in 0..100_000 {
            node = tree.child(node, if depth % 2 == 0 { EVEN } else { ODD });
        }
        assert!(tree.nodes().count() <= MAX_DEPTH as usize + 2);
    }
}
