//! The game without a player, on a terminal that is none.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::actor::State;
use crate::game::Game;
use crate::view;
use crate::world::{Kind, Place};

/// A game after so many frames, in which nobody touches the keys.
fn after(frames: usize) -> Game {
    let mut game = Game::new().unwrap();
    for _ in 0..frames {
        game.frame();
    }
    game
}

fn screen(game: &Game) -> String {
    let mut terminal = Terminal::new(TestBackend::new(104, 24)).unwrap();
    terminal.draw(|frame| view::draw(frame, game)).unwrap();
    let buffer = terminal.backend().buffer();
    let cells: Vec<&str> = buffer.content().iter().map(|cell| cell.symbol()).collect();
    cells.chunks(104).map(|row| row.concat() + "\n").collect()
}

#[test]
fn everybody_acts_and_nobody_fails() {
    let begun = Game::new().unwrap();
    let game = after(300);
    for (number, actor) in &game.actors {
        assert!(
            !matches!(actor.state, State::Failed(_) | State::Ended),
            "{:?}",
            actor.state
        );
        if actor.kind != Kind::Hermit {
            let (old, new) = (begun.world.bodies[*number], game.world.bodies[*number]);
            assert_ne!(old.place, new.place, "{:?} has not moved", actor.kind);
        }
    }
}

#[test]
fn the_hermit_is_interrupted_in_every_frame_and_goes_on() {
    let game = after(60);
    let hermit = game
        .actors
        .iter()
        .find(|(_, actor)| actor.kind == Kind::Hermit);
    let (_, hermit) = hermit.unwrap();
    assert_eq!(
        (hermit.interruptions, &hermit.state),
        (60, &State::Interrupted)
    );
}

#[test]
fn sheep_run_from_the_dog() {
    let mut game = Game::new().unwrap();
    let flock = |game: &Game| -> Vec<Place> {
        let bodies = game.world.bodies.iter();
        let sheep = bodies.filter(|body| body.kind == Kind::Sheep);
        sheep.map(|body| body.place).collect()
    };
    let mut ran = 0;
    // Whoever comes last has the dog behind it. Sheep graze at random, so only most of what the nearest one does is flight.
    for _ in 0..600 {
        let dog = game.world.bodies[0].place;
        let distance = |place: &Place| (place.x - dog.x).hypot(place.y - dog.y);
        let before = flock(&game);
        let Some(nearest) = (0..before.len())
            .filter(|&sheep| distance(&before[sheep]) < 5.0)
            .min_by(|&a, &b| distance(&before[a]).total_cmp(&distance(&before[b])))
        else {
            let goal = before[0];
            game.steer(Place {
                x: goal.x - dog.x,
                y: goal.y - dog.y,
            });
            game.frame();
            continue;
        };
        game.steer(Place { x: 0.0, y: 0.0 });
        game.frame();
        let after = flock(&game)[nearest];
        ran += if distance(&after) > distance(&before[nearest]) {
            1
        } else {
            -1
        };
    }
    assert!(ran > 0, "{ran}");
}

#[test]
fn the_screen_shows_the_field_and_the_scripts() {
    let game = after(10);
    let screen = screen(&game);
    for part in [
        "Pasture",
        "@",
        "W",
        "Drive the sheep into the pen.",
        "0 in the pen, 0 eaten, 8 at large",
        "frame 10",
        "hermit",
        "interrupted 10x",
    ] {
        assert!(screen.contains(part), "{part} is missing:\n{screen}");
    }
}
