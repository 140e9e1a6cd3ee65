//! Actors: a script each, in an interpreter of its own.
//!
//! Scripts do not touch the world. Before a frame each is given what it can see; in the frame it leaves wishes; after it the world
//! decides what comes of them. So it does not matter in which order actors run, and they could run on several threads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kiln::{CodeBlock, Engine, Error, Interpreter, Intrinsic, Limits, Progress, Record};
use serde::Serialize;

use crate::world::{self, Body, Kind, Place};

/// What an actor sees, and what it wishes: the interpreter's host data.
#[derive(Debug, Default)]
pub struct Mind {
    me: usize,
    bodies: Arc<[Body]>,
    /// Where it wants to go: a direction.
    pub heading: Option<Place>,
    /// What it wants to say.
    pub words: Option<String>,
}

impl Mind {
    fn here(&self) -> Place {
        self.bodies
            .get(self.me)
            .map_or(Place::default(), |me| me.place)
    }
}

/// Somebody, as a script sees him.
#[derive(Serialize)]
struct Seen {
    x: f64,
    y: f64,
    distance: f64,
}

impl Record for Seen {}
impl Record for Place {}

/// What an actor does at present.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// It has done what it wanted to do in this frame.
    Ready,
    /// It had to be interrupted.
    Interrupted,
    /// It waits, for so long.
    Waiting(Duration),
    /// Its script has ended.
    Ended,
    /// Its script has ended with an error.
    Failed(String),
}

/// An actor.
pub struct Actor {
    interpreter: Interpreter,
    pub kind: Kind,
    pub state: State,
    /// In how many frames it has been interrupted.
    pub interruptions: usize,
    /// How long it took in the last frame.
    pub time: Duration,
}

/// No actor needs more than a megabyte.
const LIMITS: Limits = Limits {
    heap_bytes: 1 << 20,
    ..Limits::UNTRUSTED
};

impl Actor {
    /// An actor at the beginning of its script. `me` is the number of its body.
    pub fn new(
        engine: &Engine,
        program: &Arc<CodeBlock>,
        kind: Kind,
        me: usize,
    ) -> Result<Actor, Error> {
        let builder = engine.interpreter().limits(LIMITS);
        let mind = Mind {
            me,
            ..Mind::default()
        };
        let made = builder.intrinsics(intrinsics()).data(mind).build();
        let mut interpreter = made.map_err(|error| Error::message(error.to_string()))?;
        interpreter.start(program)?;
        Ok(Actor {
            interpreter,
            kind,
            state: State::Ready,
            interruptions: 0,
            time: Duration::ZERO,
        })
    }

    /// Lets the actor act for a frame, which it may spend `slice` of. `passed` is how long ago the last one was.
    pub fn act(&mut self, bodies: &Arc<[Body]>, passed: Duration, slice: Duration) {
        self.time = Duration::ZERO;
        match &mut self.state {
            State::Ended | State::Failed(_) => return,
            State::Waiting(left) if *left > passed => {
                *left -= passed;
                return;
            }
            _ => {}
        }
        if let Some(mind) = self.mind() {
            mind.bodies = bodies.clone();
        }
        let begun = Instant::now();
        let progress = self.interpreter.run_for(slice);
        self.time = begun.elapsed();
        self.state = match progress {
            Ok(Progress::Yielded | Progress::Pending) => State::Ready,
            Ok(Progress::Waiting(time)) => State::Waiting(time),
            Ok(Progress::SliceOver) => {
                self.interruptions += 1;
                State::Interrupted
            }
            Ok(Progress::Done(_)) => State::Ended,
            Err(error) => State::Failed(error.to_string()),
        };
    }

    /// What it sees and wishes.
    pub fn mind(&mut self) -> Option<&mut Mind> {
        self.interpreter.data()
    }
}

/// What scripts can sense and do.
fn intrinsics() -> Vec<Intrinsic> {
    fn mind<'a>(call: &'a mut kiln::Call<'_>) -> Result<&'a mut Mind, Error> {
        call.data()
            .ok_or_else(|| Error::message("there is no world"))
    }
    let position = Intrinsic::new("position", |call| Ok(mind(call)?.here()))
        .help("where I am: a map of x and y");
    let field = Intrinsic::new("field", |_| Ok(world::Size::FIELD))
        .help("how large the field is: a map of width and height");
    let nearest = Intrinsic::new("nearest", |call| {
        let name: String = call.argument(0)?;
        let Some(kind) = Kind::named(&name) else {
            return Err(Error::message(format!(
                "there is no such thing as a {name}"
            )));
        };
        let mind = mind(call)?;
        let here = mind.here();
        let others = mind.bodies.iter().enumerate();
        let others = others.filter(|(index, body)| *index != mind.me && body.kind == kind);
        let seen = others
            .filter(|(_, body)| body.is_at_large())
            .map(|(_, body)| Seen {
                x: body.place.x,
                y: body.place.y,
                distance: here.distance(body.place),
            });
        Ok(seen.min_by(|one, other| one.distance.total_cmp(&other.distance)))
    })
    .parameter("kind")
    .help("the nearest one of a kind: a map of x, y and distance, or null");
    let head = Intrinsic::new("head", |call| {
        let (x, y) = (call.argument(0)?, call.argument(1)?);
        mind(call)?.heading = Some(Place { x, y });
        Ok(())
    })
    .parameter_or("dx", 0)
    .parameter_or("dy", 0)
    .help("go in this direction from now on");
    let say = Intrinsic::new("say", |call| {
        let words = call.argument(0)?;
        let words = call.text(&words)?;
        mind(call)?.words = Some(words);
        Ok(())
    })
    .parameter("words")
    .help("say something");
    vec![position, field, nearest, head, say]
}
