//! What the player sees.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table, Widget};

use crate::actor::State;
use crate::game::Game;
use crate::world::{Fate, Kind, Place, Size, World, is_pen};

/// Draws everything.
pub fn draw(frame: &mut Frame, game: &Game) {
    let columns = [
        Constraint::Length(Size::FIELD.width as u16 + 2),
        Constraint::Min(34),
    ];
    let [left, right] = Layout::horizontal(columns).areas(frame.area());
    let rows = [
        Constraint::Length(Size::FIELD.height as u16 + 2),
        Constraint::Length(1),
    ];
    let [field, help] = Layout::vertical(rows).areas(left);
    frame.render_widget(Field(&game.world), field);
    frame.render_widget(
        Line::from(" arrows: the dog   space: sit   q: leave").dim(),
        help,
    );
    let rows = [Constraint::Length(6), Constraint::Min(0)];
    let [score, actors] = Layout::vertical(rows).areas(right);
    frame.render_widget(self::score(game), score);
    frame.render_widget(self::actors(game), actors);
}

/// The field with everybody on it.
struct Field<'a>(&'a World);

/// How somebody looks.
fn looks(kind: Kind) -> (&'static str, Style) {
    match kind {
        Kind::Dog => ("@", Style::new().yellow().bold()),
        Kind::Sheep => ("o", Style::new().white().bold()),
        Kind::Wolf => ("W", Style::new().red().bold()),
        Kind::Hermit => ("H", Style::new().cyan()),
    }
}

impl Widget for Field<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let block = Block::bordered().title(" Pasture ");
        let inner = block.inner(area);
        block.render(area, buffer);
        let cell = |place: Place| (inner.x + place.x as u16, inner.y + place.y as u16);
        for y in inner.top()..inner.bottom() {
            for x in inner.left()..inner.right() {
                let place = Place {
                    x: f64::from(x - inner.x),
                    y: f64::from(y - inner.y),
                };
                if is_pen(place) {
                    buffer[(x, y)].set_bg(Color::Rgb(90, 70, 30));
                } else if (x * 7 + y * 13) % 11 == 0 {
                    buffer[(x, y)].set_symbol("\"").set_fg(Color::Green);
                }
            }
        }
        for body in self.0.bodies.iter().filter(|body| body.fate != Fate::Eaten) {
            let (symbol, style) = looks(body.kind);
            let (x, y) = cell(body.place);
            if inner.contains((x, y).into()) {
                buffer.set_string(x, y, symbol, style);
            }
        }
        for (who, words, _) in &self.0.speech {
            let (x, y) = cell(self.0.bodies[*who].place);
            let y = y.saturating_sub(1).max(inner.y);
            let room = usize::from(inner.right().saturating_sub(x));
            buffer.set_stringn(x, y, words, room, Style::new().italic().gray());
        }
    }
}

fn score(game: &Game) -> Paragraph<'static> {
    let world = &game.world;
    let outcome = if game.is_over() {
        "The day is over.".bold()
    } else {
        "Drive the sheep into the pen.".into()
    };
    Paragraph::new(vec![
        outcome.into(),
        format!(
            "{} in the pen, {} eaten, {} at large",
            world.count(Fate::InThePen),
            world.count(Fate::Eaten),
            world.count(Fate::AtLarge)
        )
        .into(),
        format!("frame {}", game.frames).into(),
        format!("scripts took {:.2?} of it", game.script_time).into(),
    ])
    .block(Block::bordered().title(" Day "))
}

/// What the scripts are doing.
fn actors(game: &Game) -> Table<'static> {
    let rows = game.actors.iter().map(|(number, actor)| {
        let state = match (game.world.bodies[*number].fate, &actor.state) {
            (Fate::InThePen, _) => "in the pen".to_owned(),
            (Fate::Eaten, _) => "eaten".to_owned(),
            (_, State::Ready) => "ready".to_owned(),
            (_, State::Interrupted) => format!("interrupted {}x", actor.interruptions),
            (_, State::Waiting(time)) => format!("waits {:.1} s", time.as_secs_f64()),
            (_, State::Ended) => "ended".to_owned(),
            (_, State::Failed(error)) => error.clone(),
        };
        Row::new([
            Cell::from(actor.kind.name()).style(looks(actor.kind).1),
            Cell::from(format!("{:>4} µs", actor.time.as_micros())),
            Cell::from(state),
        ])
    });
    let widths = [
        Constraint::Length(7),
        Constraint::Length(8),
        Constraint::Fill(1),
    ];
    Table::new(rows, widths).block(Block::bordered().title(" Scripts "))
}
