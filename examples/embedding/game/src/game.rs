//! The game: the world and its actors, frame by frame.

use std::sync::Arc;
use std::time::Duration;

use kiln::{Engine, Error};

use crate::actor::Actor;
use crate::world::{DOG, Fate, Kind, Place, World};

/// Sixty frames per second.
pub const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 60);

/// What an actor may spend of a frame. All of them together leave enough of it for everything else.
const SLICE: Duration = Duration::from_millis(1);

/// A game.
pub struct Game {
    pub world: World,
    /// With the numbers of their bodies.
    pub actors: Vec<(usize, Actor)>,
    pub frames: u64,
    /// What all actors together took of the last frame.
    pub script_time: Duration,
}

impl Game {
    /// A game that begins.
    ///
    /// # Errors
    /// A script does not compile.
    pub fn new() -> Result<Game, Error> {
        let engine = Engine::new();
        let sheep = engine.compile("sheep.ms", include_str!("../actors/sheep.ms"))?;
        let wolf = engine.compile("wolf.ms", include_str!("../actors/wolf.ms"))?;
        let hermit = engine.compile("hermit.ms", include_str!("../actors/hermit.ms"))?;
        let world = World::new();
        let mut actors = Vec::new();
        for (number, body) in world.bodies.iter().enumerate() {
            let program = match body.kind {
                // The player decides what the dog does.
                Kind::Dog => continue,
                Kind::Sheep => &sheep,
                Kind::Wolf => &wolf,
                Kind::Hermit => &hermit,
            };
            actors.push((number, Actor::new(&engine, program, body.kind, number)?));
        }
        Ok(Game {
            world,
            actors,
            frames: 0,
            script_time: Duration::ZERO,
        })
    }

    /// The player sends the dog in a direction.
    pub fn steer(&mut self, direction: Place) {
        self.world.head(DOG, direction);
    }

    /// A frame passes.
    pub fn frame(&mut self) {
        let bodies = Arc::from(self.world.bodies.as_slice());
        self.script_time = Duration::ZERO;
        for (number, actor) in &mut self.actors {
            if !self.world.bodies[*number].is_at_large() {
                continue;
            }
            actor.act(&bodies, FRAME, SLICE);
            self.script_time += actor.time;
            if let Some(mind) = actor.mind() {
                if let Some(direction) = mind.heading.take() {
                    self.world.head(*number, direction);
                }
                if let Some(words) = mind.words.take() {
                    self.world.say(*number, words);
                }
            }
        }
        self.world.pass(FRAME.as_secs_f64());
        self.frames += 1;
    }

    /// Whether no sheep is left to be herded.
    pub fn is_over(&self) -> bool {
        self.world.count(Fate::AtLarge) == 0
    }
}
