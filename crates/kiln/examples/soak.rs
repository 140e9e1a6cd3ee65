//! An hour of frames: whether anything is left behind when scripts come and go for a long time.
//!
//! `cargo run --release -p kiln --example soak` runs 216 000 frames, an hour's at sixty per second, as fast as they go; a number behind `--`
//! asks for another number of frames. In them happens whatever could leave something behind: scripts that are suspended, and
//! dropped in the middle of a loop; errors, interrupts and resets; host objects, deferred results, data, new programs. The run fails
//! if the heaps or the process are larger at its end than in its middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kiln::{
    Class, CodeBlock, Completer, Data, Engine, Error, Function, Interpreter, Intrinsic, Limits,
    Progress,
};
use serde::{Deserialize, Serialize};

/// An hour at sixty frames per second.
const HOUR: u32 = 60 * 60 * 60;

/// In a shorter run actors are still filling their memories.
const LEAST: u32 = 1600;

/// How often memory is looked at in a run.
const SAMPLES: u32 = 16;

const ACTORS: usize = 24;

/// What every actor does: it works with all kinds of values, and keeps some of them for a while.
const ACTOR: &str = r#"
Particle = {"x": 0, "y": 0}
Particle.move = function(dx, dy)
	self.x += dx
	self.y += dy
end function

memories = []
remember = function(what)
	memories.push what
	if memories.len > 50 then memories.pull
end function

frame = 0
while true
	frame += 1
	particles = []
	for i in range(1, 20)
		p = new Particle
		p.x = i
		p.move frame % 7, rnd
		particles.push p
	end for
	text = ""
	for p in particles
		text += "(" + p.x + "," + round(p.y, 2) + ") "
	end for
	remember text.split(" ")
	remember {"frame": frame, "things": [thing(frame), thing(-frame)], "sorted": particles.sort("x")}
	if frame % 10 == 0 then remember later(frame)
	yield
end while
"#;

/// What the host calls in every frame.
const CALLED: &str = "update = function(record)\nrecord.score += record.tags.len\nrecord.tags.push \"tag \" + record.score\nif record.tags.len > 5 then record.tags = []\nreturn record\nend function";

/// What goes wrong now and then.
const MISHAPS: [&str; 4] = [
    "f = function(n)\nreturn f(n + 1)\nend function\nf 0",
    "list = []\nwhile true\nlist.push \"x\" * 100\nend while",
    "x = [1, 2, 3]\nx[7] = nosuch",
    "while true\nend while",
];

#[derive(Debug, Default, Serialize, Deserialize)]
struct Scores {
    score: f64,
    tags: Vec<String>,
}

/// A host object that is counted.
struct Thing(Arc<AtomicUsize>);

impl Drop for Thing {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What an actor waits for: a number, and where it is to be delivered.
type Question = Option<(f64, Completer<f64>)>;

struct World {
    engine: Engine,
    actor: Arc<CodeBlock>,
    intrinsics: Vec<Intrinsic>,
    actors: Vec<Interpreter>,
    called: Interpreter,
    scores: Scores,
    /// How many host objects there are.
    things: Arc<AtomicUsize>,
    frames: u32,
}

/// What a world takes.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    /// What all heaps hold after a collection.
    heap_bytes: usize,
    /// What the process takes, where the system tells.
    resident_bytes: usize,
    things: usize,
}

impl World {
    fn new() -> Result<World, Error> {
        let engine = Engine::new();
        let things = Arc::new(AtomicUsize::new(0));
        let class = Class::<Thing>::new("Thing");
        let counter = things.clone();
        let thing = Intrinsic::new("thing", move |call| {
            counter.fetch_add(1, Ordering::Relaxed);
            class.object(call, Thing(counter.clone()))
        })
        .parameter("number");
        let later = Intrinsic::deferred("later", |call| {
            let number: f64 = call.argument(0)?;
            let (completer, result) = kiln::deferred();
            if let Some(question) = call.data::<Question>() {
                *question = Some((number, completer));
            }
            Ok(result)
        })
        .parameter("number");
        let mut called = interpreter(&engine, &[], 1 << 20)?;
        called.start(&engine.compile("called.ms", CALLED)?)?;
        called.run_until_done()?;
        let mut world = World {
            actor: engine.compile("actor.ms", ACTOR)?,
            engine,
            intrinsics: vec![thing, later],
            actors: Vec::new(),
            called,
            scores: Scores::default(),
            things,
            frames: 0,
        };
        for _ in 0..ACTORS {
            let actor = world.new_actor(world.actor.clone())?;
            world.actors.push(actor);
        }
        Ok(world)
    }

    fn new_actor(&self, program: Arc<CodeBlock>) -> Result<Interpreter, Error> {
        let mut actor = interpreter(&self.engine, &self.intrinsics, 4 << 20)?;
        actor.start(&program)?;
        Ok(actor)
    }

    fn frame(&mut self) -> Result<(), Error> {
        self.frames += 1;
        let frame = self.frames as usize;
        for actor in &mut self.actors {
            match actor.run_for(Duration::from_millis(100))? {
                Progress::Yielded => {}
                Progress::Pending => {
                    if let Some((number, completer)) =
                        actor.data::<Question>().and_then(Option::take)
                    {
                        completer.complete(number * 2.0);
                    }
                }
                other => return Err(Error::message(format!("an actor: {other:?}"))),
            }
        }
        let update: Function = self.called.global("update")?;
        let scores = std::mem::take(&mut self.scores);
        Data(self.scores) = update.call(&mut self.called, (Data(scores),))?;
        if frame.is_multiple_of(7) {
            // A program of its own for some, so that code comes and goes, too.
            let program = match frame % 21 {
                0 => self.engine.compile("actor.ms", ACTOR)?,
                _ => self.actor.clone(),
            };
            let at = frame / 7 % ACTORS;
            self.actors[at] = self.new_actor(program)?;
        }
        if frame.is_multiple_of(50) {
            let at = frame / 50 % ACTORS;
            let program = self.actor.clone();
            self.actors[at].reset()?;
            self.actors[at].start(&program)?;
        }
        if frame.is_multiple_of(11) {
            self.mishap(MISHAPS[frame / 11 % MISHAPS.len()])?;
        }
        Ok(())
    }

    /// A script that goes wrong, in an interpreter of its own.
    fn mishap(&mut self, program: &str) -> Result<(), Error> {
        let mut unlucky = interpreter(&self.engine, &self.intrinsics, 1 << 20)?;
        unlucky.start(&self.engine.compile("mishap.ms", program)?)?;
        match unlucky.run_for(Duration::from_millis(2)) {
            Ok(Progress::SliceOver) => Ok(()),
            Err(Error::Script(_)) => Ok(()),
            other => Err(Error::message(format!("a mishap: {other:?}"))),
        }
    }

    fn sample(&mut self) -> Sample {
        let all = self.actors.iter_mut().chain([&mut self.called]);
        let heaps = all.map(|interpreter| {
            interpreter.memory_census();
            interpreter.statistics().used_bytes
        });
        Sample {
            heap_bytes: heaps.sum(),
            resident_bytes: resident_bytes().unwrap_or_default(),
            things: self.things.load(Ordering::Relaxed),
        }
    }
}

fn interpreter(
    engine: &Engine,
    intrinsics: &[Intrinsic],
    heap_bytes: usize,
) -> Result<Interpreter, Error> {
    let limits = Limits {
        heap_bytes,
        ..Limits::default()
    };
    let builder = engine.interpreter().limits(limits).data(Question::None);
    let made = builder.intrinsics(intrinsics.iter().cloned()).build();
    made.map_err(|error| Error::message(error.to_string()))
}

/// The memory of this process that is in use, where the system tells.
fn resident_bytes() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// Runs so many frames; samples at equal distances, and the times of the frames.
fn soak(
    frames: u32,
    mut show: impl FnMut(u32, &Sample),
) -> Result<(Vec<Sample>, Vec<Duration>), Error> {
    let mut world = World::new()?;
    let mut samples = Vec::new();
    let mut times = Vec::new();
    for _ in 0..SAMPLES {
        for _ in 0..frames.div_ceil(SAMPLES) {
            let begun = Instant::now();
            world.frame()?;
            times.push(begun.elapsed());
        }
        let sample = world.sample();
        show(world.frames, &sample);
        samples.push(sample);
    }
    let things = world.things.clone();
    drop(world);
    match things.load(Ordering::Relaxed) {
        0 => Ok((samples, times)),
        left => Err(Error::message(format!("{left} host objects are left"))),
    }
}

/// Something of which a world takes more or less.
struct Measure {
    name: &'static str,
    of: fn(&Sample) -> usize,
    /// What may be more by chance, beside an eighth.
    tolerance: usize,
}

const MEASURES: [Measure; 3] = [
    Measure {
        name: "the heaps",
        of: |sample| sample.heap_bytes,
        tolerance: 1 << 18,
    },
    Measure {
        name: "the process",
        of: |sample| sample.resident_bytes,
        tolerance: 8 << 20,
    },
    Measure {
        name: "the number of host objects",
        of: |sample| sample.things,
        tolerance: 1000,
    },
];

/// What has grown from the second quarter of a run to its last; none if nothing has. Each sample sees the world at another moment, so
/// quarters are compared by what they took at most.
fn growth(samples: &[Sample]) -> Option<String> {
    let quarter = samples.len() / 4;
    let most = |range: &[Sample], of: fn(&Sample) -> usize| range.iter().map(of).max();
    MEASURES.iter().find_map(|measure| {
        let Measure {
            name,
            of,
            tolerance,
        } = *measure;
        let before = most(&samples[quarter..2 * quarter], of)?;
        let after = most(&samples[samples.len() - quarter..], of)?;
        let has_grown = after > before + before / 8 + tolerance;
        has_grown.then(|| format!("{name} grew from {before} to {after}"))
    })
}

fn main() -> Result<(), Error> {
    let frames = std::env::args().nth(1);
    let frames = frames
        .and_then(|frames| frames.parse().ok())
        .unwrap_or(HOUR);
    println!("  frame   heaps KiB   process KiB   host objects");
    let (samples, mut times) = soak(frames, |frame, sample| {
        println!(
            "{frame:>7} {:>11} {:>13} {:>14}",
            sample.heap_bytes / 1024,
            sample.resident_bytes / 1024,
            sample.things
        );
    })?;
    times.sort();
    let share = |of: usize| times[times.len() * of / 1000];
    println!(
        "frames took {:.1?} (median), {:.1?} (one in a hundred is longer), {:.1?} (one in a thousand)",
        share(500),
        share(990),
        share(999)
    );
    match growth(&samples) {
        Some(_) if frames < LEAST => {
            println!("{LEAST} frames would tell whether anything grows");
            Ok(())
        }
        Some(growth) => Err(Error::Message(growth.into())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_leave_memory_as_it_was() {
        let (samples, times) = soak(LEAST, |_, _| {}).unwrap();
        assert_eq!((samples.len(), times.len()), (16, 1600));
        assert_eq!(growth(&samples), None, "{samples:#?}");
    }

    #[test]
    fn growth_is_noticed() {
        let steady = Sample {
            heap_bytes: 10 << 20,
            resident_bytes: 100 << 20,
            things: 500,
        };
        let mut samples = [steady; SAMPLES as usize];
        assert_eq!(growth(&samples), None);
        for (at, sample) in samples.iter_mut().enumerate() {
            sample.heap_bytes += at << 18;
        }
        let growth = growth(&samples).unwrap();
        assert!(growth.starts_with("the heaps grew"), "{growth}");
    }
}
