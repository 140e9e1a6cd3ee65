//! Who is served next: the queues of all who want something, in turn.

use std::collections::VecDeque;
use std::sync::Arc;

/// The most that may wait for one client. Each order for compiled code is a copy of what the compiler reads.
const MAX_WAITING: usize = 64;

/// What waits for each of several clients. They are served in turn, so that one with many wishes keeps no other waiting; of each
/// one's wishes the most valuable comes first.
#[derive(Debug)]
pub(super) struct Turns<C, T> {
    /// Each client once: the next one to be served in front.
    queues: VecDeque<Queue<C, T>>,
}

#[derive(Debug)]
struct Queue<C, T> {
    client: Arc<C>,
    waiting: Vec<Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    key: usize,
    value: u64,
    what: T,
}

impl<C, T> Default for Turns<C, T> {
    fn default() -> Turns<C, T> {
        Turns {
            queues: VecDeque::new(),
        }
    }
}

impl<C, T> Turns<C, T> {
    /// The number of clients that have something waiting.
    pub fn clients(&self) -> usize {
        self.queues.len()
    }

    fn queue(&mut self, client: &Arc<C>) -> Option<&mut Queue<C, T>> {
        let mut queues = self.queues.iter_mut();
        queues.find(|queue| Arc::ptr_eq(&queue.client, client))
    }

    /// Whether more may wait for a client.
    pub fn has_room(&mut self, client: &Arc<C>) -> bool {
        let queue = self.queue(client);
        queue.is_none_or(|queue| queue.waiting.len() < MAX_WAITING)
    }

    /// Puts something in a client's queue.
    pub fn add(&mut self, client: &Arc<C>, key: usize, value: u64, what: T) {
        let waiting = Waiting { key, value, what };
        match self.queue(client) {
            Some(queue) => queue.waiting.push(waiting),
            None => self.queues.push_back(Queue {
                client: client.clone(),
                waiting: vec![waiting],
            }),
        }
    }

    /// What waits for a client under this key has become more valuable.
    pub fn raise(&mut self, client: &Arc<C>, key: usize, value: u64) {
        if let Some(queue) = self.queue(client) {
            for waiting in &mut queue.waiting {
                if waiting.key == key {
                    waiting.value = waiting.value.max(value);
                }
            }
        }
    }

    /// The most valuable thing of the client whose turn it is; of several that are worth the same, the oldest.
    pub fn next(&mut self) -> Option<(Arc<C>, T)> {
        let mut queue = self.queues.pop_front()?;
        let waiting = queue.waiting.iter().enumerate();
        let best = waiting.rev().max_by_key(|(_, waiting)| waiting.value);
        let (at, _) = best?;
        let what = queue.waiting.remove(at).what;
        let client = queue.client.clone();
        if !queue.waiting.is_empty() {
            self.queues.push_back(queue);
        }
        Some((client, what))
    }

    /// Takes everything that waits for a client.
    pub fn remove(&mut self, client: &Arc<C>) -> Vec<T> {
        let mut queues = self.queues.iter();
        let at = queues.position(|queue| Arc::ptr_eq(&queue.client, client));
        let queue = at.and_then(|at| self.queues.remove(at));
        let waiting = queue.map_or(Vec::new(), |queue| queue.waiting);
        waiting.into_iter().map(|waiting| waiting.what).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Serves everything.
    fn serve(turns: &mut Turns<&'static str, u32>) -> Vec<(&'static str, u32)> {
        std::iter::from_fn(|| turns.next())
            .map(|(client, what)| (*client, what))
            .collect()
    }

    #[test]
    fn clients_are_served_in_turn() {
        let (busy, modest) = (Arc::new("busy"), Arc::new("modest"));
        let mut turns = Turns::default();
        for number in 0..4 {
            turns.add(&busy, 0, 1000, number);
        }
        turns.add(&modest, 0, 1, 9);
        let served = serve(&mut turns);
        assert_eq!(served[..3], [("busy", 0), ("modest", 9), ("busy", 1)]);
        assert_eq!((served.len(), turns.clients()), (5, 0));
    }

    #[test]
    fn the_most_valuable_comes_first_and_then_the_oldest() {
        let client = Arc::new("client");
        let mut turns = Turns::default();
        for (what, value) in [(1, 10), (2, 30), (3, 20), (4, 30)] {
            turns.add(&client, what as usize, value, what);
        }
        turns.raise(&client, 1, 25);
        // Values do not fall.
        turns.raise(&client, 2, 5);
        let order: Vec<u32> = serve(&mut turns)
            .into_iter()
            .map(|(_, what)| what)
            .collect();
        assert_eq!(order, [2, 4, 1, 3]);
    }

    #[test]
    fn a_queue_has_an_end() {
        let (client, other) = (Arc::new("client"), Arc::new("other"));
        let mut turns = Turns::default();
        let mut count = 0;
        while turns.has_room(&client) {
            turns.add(&client, 0, 0, count);
            count += 1;
        }
        assert_eq!(count as usize, MAX_WAITING);
        assert!(turns.has_room(&other));
        turns.next();
        assert!(turns.has_room(&client));
    }

    #[test]
    fn who_leaves_takes_everything_along() {
        let (client, other) = (Arc::new("client"), Arc::new("other"));
        let mut turns = Turns::default();
        turns.add(&client, 0, 0, 1);
        turns.add(&other, 0, 0, 2);
        turns.add(&client, 0, 0, 3);
        assert_eq!(turns.remove(&client), [1, 3]);
        assert!(turns.remove(&client).is_empty());
        assert_eq!(serve(&mut turns), [("other", 2)]);
    }
}
