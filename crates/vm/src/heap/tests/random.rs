//! Random programs against a model: a graph of rows whose every cell carries a number, compared again and
//! again with the same graph in ordinary collections.

use std::collections::HashMap;

use super::world::*;
use crate::heap::collect::Phase;
use crate::value::Value;

/// A small generator (xorshift64*, Vigna 2016), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }
}

/// What a row should hold: its number stands at index 0, references to other rows behind it.
struct Model {
    rows: HashMap<usize, Vec<Option<usize>>>,
    roots: Vec<usize>,
}

/// Walks both graphs from the roots and compares them. Returns the rows by number.
fn compare(world: &World, model: &mut Model) -> Vec<(usize, Row)> {
    let mut found: HashMap<usize, Row> = HashMap::new();
    let mut waiting: Vec<(usize, Row)> = model
        .roots
        .iter()
        .copied()
        .zip(world.roots.rows.iter().copied())
        .collect();
    while let Some((number, row)) = waiting.pop() {
        if let Some(&known) = found.get(&number) {
            assert_eq!(known, row);
            continue;
        }
        found.insert(number, row);
        let links = &model.rows[&number];
        assert_eq!(length(row), links.len() + 1);
        assert_eq!(get(row, 0), Value::number(number as f64));
        for (index, link) in links.iter().enumerate() {
            match link {
                Some(next) => waiting.push((*next, target(row, index + 1))),
                None => assert!(get(row, index + 1).is_null()),
            }
        }
    }
    model.rows.retain(|number, _| found.contains_key(number));
    let mut rows: Vec<_> = found.into_iter().collect();
    rows.sort_unstable_by_key(|&(number, _)| number);
    rows
}

/// A world, its model, and the rows that are certainly reachable.
struct Program {
    world: World,
    model: Model,
    known: Vec<(usize, Row)>,
    random: Random,
}

impl Program {
    fn pick(&mut self) -> (usize, Row) {
        self.known[self.random.below(self.known.len())]
    }

    /// Stores a reference somewhere in a known row, seldom over another one. Returns whether there was a place.
    fn link(&mut self, number: usize, row: Row) -> bool {
        let (owner_number, owner) = self.pick();
        let links = self
            .model
            .rows
            .get_mut(&owner_number)
            .expect("known rows are in the model");
        if links.is_empty() {
            return false;
        }
        let index = self.random.below(links.len());
        if links[index].is_some() && self.random.below(20) != 0 {
            return false;
        }
        let lost = links[index].replace(number);
        self.world.set(owner, index + 1, row);
        if lost.is_some() {
            self.known = compare(&self.world, &mut self.model);
        }
        true
    }

    fn add_root(&mut self, number: usize, row: Row) {
        self.model.roots.push(number);
        self.world.roots.rows.push(row);
    }

    fn step(&mut self, number: usize) {
        let links = match self.random.below(200) {
            0 => 1000 + self.random.below(3000),
            1..20 => self.random.below(200),
            _ => self.random.below(6),
        };
        let row = self.world.row(links + 1);
        set_without_barrier(row, 0, Value::number(number as f64));
        self.model.rows.insert(number, vec![None; links]);
        if self.known.is_empty() || self.random.below(20) == 0 {
            self.add_root(number, row);
        } else if !self.link(number, row) {
            return;
        }
        if self.model.rows.contains_key(&number) {
            self.known.push((number, row));
        }
        for _ in 0..3 {
            let (number, row) = self.pick();
            self.link(number, row);
        }
        if self.model.roots.len() > 20 {
            let root = self.random.below(self.model.roots.len());
            self.model.roots.swap_remove(root);
            self.world.roots.rows.swap_remove(root);
            self.known = compare(&self.world, &mut self.model);
        }
        match self.random.below(1000) {
            0 => self.world.collect_full(),
            1..10 if self.world.heap.phase == Phase::Idle => {
                self.world.heap.begin_full(&mut self.world.roots);
            }
            10..30 => {
                self.world.collect();
                self.world.verify();
            }
            _ => {}
        }
    }
}

fn run(seed: u64, steps: usize, stress: bool) {
    let mut world = World::with_limit(8 << 20);
    world.heap.set_stress(stress);
    let model = Model {
        rows: HashMap::new(),
        roots: Vec::new(),
    };
    let mut program = Program {
        world,
        model,
        known: Vec::new(),
        random: Random(seed),
    };
    for number in 0..steps {
        program.step(number);
    }
    let Program {
        mut world,
        mut model,
        ..
    } = program;
    compare(&world, &mut model);
    world.collect_full();
    let rows = compare(&world, &mut model);
    assert_eq!(world.cells(), rows.len());
    let statistics = world.heap.statistics();
    assert!(cfg!(miri) || statistics.minor.count > 20 && statistics.slices.count > 20);
}

#[test]
fn random_graphs_stay_as_they_are() {
    let steps = if cfg!(miri) { 200 } else { 12_000 };
    for seed in 1..=4 {
        run(seed, steps, false);
    }
}

#[test]
fn random_graphs_stay_as_they_are_under_stress() {
    let steps = if cfg!(miri) { 50 } else { 1500 };
    for seed in 1..=4 {
        run(seed, steps, true);
    }
}
