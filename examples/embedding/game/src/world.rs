//! The world: who is where, and the rules.

use serde::Serialize;

/// A place, or a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Place {
    pub x: f64,
    pub y: f64,
}

impl Place {
    /// How far it is to another one.
    pub fn distance(self, other: Place) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// The size of something.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Size {
    pub width: f64,
    pub height: f64,
}

impl Size {
    /// The field that everything happens on, in cells of the terminal.
    pub const FIELD: Size = Size {
        width: 64.0,
        height: 20.0,
    };
}

impl kiln::Record for Size {}

/// The pen is at the right edge, so high.
const PEN: std::ops::Range<f64> = 7.0..13.0;
const PEN_WIDTH: f64 = 8.0;

/// What kind of a body it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Dog,
    Sheep,
    Wolf,
    Hermit,
}

impl Kind {
    /// The kind that scripts call by this name.
    pub fn named(name: &str) -> Option<Kind> {
        [Kind::Dog, Kind::Sheep, Kind::Wolf, Kind::Hermit]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Dog => "dog",
            Kind::Sheep => "sheep",
            Kind::Wolf => "wolf",
            Kind::Hermit => "hermit",
        }
    }

    /// Cells per second.
    fn speed(self) -> f64 {
        match self {
            Kind::Dog => 14.0,
            Kind::Sheep => 5.0,
            Kind::Wolf => 6.0,
            Kind::Hermit => 0.0,
        }
    }
}

/// Somebody in the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Body {
    pub kind: Kind,
    pub place: Place,
    heading: Place,
    pub fate: Fate,
}

/// What has become of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    AtLarge,
    InThePen,
    Eaten,
}

impl Body {
    fn new(kind: Kind, x: f64, y: f64) -> Body {
        Body {
            kind,
            place: Place { x, y },
            heading: Place::default(),
            fate: Fate::AtLarge,
        }
    }

    /// Whether it can be met on the field.
    pub fn is_at_large(&self) -> bool {
        self.fate == Fate::AtLarge
    }
}

/// Everybody, and what they say.
pub struct World {
    pub bodies: Vec<Body>,
    /// What is said: by whom, and for how many more frames it can be seen.
    pub speech: Vec<(usize, String, u32)>,
}

/// The number of the player's body.
pub const DOG: usize = 0;

/// How long something that is said can be seen: so many frames.
const SPEECH_FRAMES: u32 = 90;

impl World {
    /// The world at the beginning of a game.
    pub fn new() -> World {
        let mut bodies = vec![
            Body::new(Kind::Dog, 40.0, 10.0),
            Body::new(Kind::Wolf, 4.0, 3.0),
            Body::new(Kind::Hermit, 52.0, 16.0),
        ];
        for number in 0..8 {
            let (column, row) = (number % 4, number / 4);
            let (x, y) = (20.0 + 3.0 * f64::from(column), 8.0 + 3.0 * f64::from(row));
            bodies.push(Body::new(Kind::Sheep, x, y));
        }
        World {
            bodies,
            speech: Vec::new(),
        }
    }

    /// Somebody turns to a direction.
    pub fn head(&mut self, who: usize, direction: Place) {
        let length = direction.x.hypot(direction.y);
        let Some(body) = self.bodies.get_mut(who) else {
            return;
        };
        body.heading = if length > 1e-6 && length.is_finite() {
            Place {
                x: direction.x / length,
                y: direction.y / length,
            }
        } else {
            Place::default()
        };
    }

    /// Somebody says something.
    pub fn say(&mut self, who: usize, words: String) {
        self.speech.retain(|(speaker, ..)| *speaker != who);
        self.speech.push((who, words, SPEECH_FRAMES));
    }

    /// So many seconds pass.
    pub fn pass(&mut self, seconds: f64) {
        let Size { width, height } = Size::FIELD;
        for body in self.bodies.iter_mut().filter(|body| body.is_at_large()) {
            let step = body.kind.speed() * seconds;
            // Cells are twice as high as they are wide.
            body.place.x = (body.place.x + body.heading.x * step).clamp(0.0, width - 1.0);
            body.place.y = (body.place.y + body.heading.y * step / 2.0).clamp(0.0, height - 1.0);
        }
        let wolves: Vec<Place> = self
            .bodies
            .iter()
            .filter(|body| body.kind == Kind::Wolf)
            .map(|wolf| wolf.place)
            .collect();
        for sheep in &mut self.bodies {
            if sheep.kind != Kind::Sheep || !sheep.is_at_large() {
                continue;
            }
            if is_pen(sheep.place) {
                sheep.fate = Fate::InThePen;
            } else if wolves.iter().any(|wolf| wolf.distance(sheep.place) < 0.8) {
                sheep.fate = Fate::Eaten;
            }
        }
        self.speech.retain_mut(|(_, _, frames)| {
            *frames -= 1;
            *frames > 0
        });
    }

    /// How many sheep have met this fate.
    pub fn count(&self, fate: Fate) -> usize {
        let sheep = self.bodies.iter().filter(|body| body.kind == Kind::Sheep);
        sheep.filter(|sheep| sheep.fate == fate).count()
    }
}

/// Whether a place is in the pen.
pub fn is_pen(place: Place) -> bool {
    place.x >= Size::FIELD.width - PEN_WIDTH && PEN.contains(&place.y)
}
