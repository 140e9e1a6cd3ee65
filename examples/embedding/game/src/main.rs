//! A terminal game at sixty frames per second whose actors are scripts.
//!
//! You are the dog. Drive the sheep into the pen before the wolf gets them. Sheep, wolf and hermit are scripts in `actors/`, suspended
//! and resumed in every frame; the hermit would never stop by himself, which does not disturb anybody.
//!
//! `cargo run --release -p kiln-example-game`

mod actor;
mod game;
mod view;
mod world;

#[cfg(test)]
mod tests;

use std::time::Instant;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode};

use game::{FRAME, Game};
use world::Place;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut game = Game::new()?;
    let mut terminal = ratatui::init();
    let result = play(&mut terminal, &mut game);
    ratatui::restore();
    Ok(result?)
}

/// Plays until the player leaves.
fn play(terminal: &mut DefaultTerminal, game: &mut Game) -> std::io::Result<()> {
    let mut next_frame = Instant::now();
    loop {
        game.frame();
        terminal.draw(|frame| view::draw(frame, game))?;
        next_frame += FRAME;
        // What is left of the frame is spent waiting for keys.
        while event::poll(next_frame.saturating_duration_since(Instant::now()))? {
            if let Event::Key(key) = event::read()? {
                let (x, y) = match key.code {
                    KeyCode::Left => (-1.0, 0.0),
                    KeyCode::Right => (1.0, 0.0),
                    KeyCode::Up => (0.0, -1.0),
                    KeyCode::Down => (0.0, 1.0),
                    KeyCode::Char(' ') => (0.0, 0.0),
                    KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                    _ => continue,
                };
                game.steer(Place { x, y });
            }
        }
    }
}
