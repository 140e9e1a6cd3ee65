//! Results as a picture: for each script a bar chart of the medians with their intervals, or, for runs in one process, their
//! course.

use kiln_bench::document::{Document, Metric, Mode, ScriptResult};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::report::{range, seconds};

const WIDTH: u32 = 760;
const TITLE_HEIGHT: u32 = 40;
/// The room of a script beside its bars: heading and axis.
const SCRIPT_HEIGHT: u32 = 70;
const BAR_HEIGHT: u32 = 44;
/// The height of a script's chart that shows its runs one by one.
const COURSE_HEIGHT: u32 = 260;
const MARGIN: u32 = 12;

/// Distinguishable with any kind of colour vision (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x7f, 0x7f, 0x7f),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<T> = Result<T, Box<dyn std::error::Error>>;

/// Draws the results as SVG.
pub fn draw(document: &Document) -> Drawn<String> {
    let heights: Vec<u32> = document
        .scripts
        .iter()
        .map(|script| match document.settings.mode {
            Mode::Process => SCRIPT_HEIGHT + BAR_HEIGHT * script.engines.len() as u32,
            Mode::InProcess => COURSE_HEIGHT,
        })
        .collect();
    let mut svg = String::new();
    {
        let size = (WIDTH, TITLE_HEIGHT + heights.iter().sum::<u32>());
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE)?;
        let (title, mut rest) = root.split_vertically(TITLE_HEIGHT);
        let what = match document.settings.metric {
            Metric::Elapsed => "Elapsed time",
            Metric::Processor => "Processor time",
        };
        let caption = match document.settings.mode {
            Mode::Process => format!("{what}: median and 95 % interval, less is better"),
            Mode::InProcess => format!("{what}, run by run"),
        };
        let position = (MARGIN as i32, MARGIN as i32);
        title.draw_text(
            &caption,
            &("sans-serif", 16).into_text_style(&title),
            position,
        )?;
        for (script, height) in document.scripts.iter().zip(heights) {
            let (area, below) = rest.split_vertically(height);
            rest = below;
            match document.settings.mode {
                Mode::Process => bars(&area, script)?,
                Mode::InProcess => course(&area, script, document.settings.metric)?,
            }
        }
        root.present()?;
    }
    Ok(svg)
}

/// The medians of a script's engines with their intervals.
fn bars(area: &Area<'_>, script: &ScriptResult) -> Drawn<()> {
    let highest = script
        .engines
        .iter()
        .map(|engine| engine.summary.interval.high)
        .fold(f64::MIN_POSITIVE, f64::max);
    let rows = script.engines.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(MARGIN)
        .caption(&script.script, ("sans-serif", 14))
        .x_label_area_size(20)
        // The first engine is at the top.
        .build_cartesian_2d(0.0..highest * 1.05, rows..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(TRANSPARENT)
        .x_labels(6)
        .x_label_formatter(&|value| seconds(*value))
        .draw()?;
    let engines = script.engines.iter().zip(COLOURS.iter().cycle());
    for (index, (engine, colour)) in engines.enumerate() {
        let (top, interval) = (index as f64, engine.summary.interval);
        let bar = [(0.0, top + 0.45), (engine.summary.median, top + 0.85)];
        chart.draw_series([Rectangle::new(bar, colour.filled())])?;
        let ends = [(interval.low, top + 0.65), (interval.high, top + 0.65)];
        chart.draw_series([PathElement::new(ends, BLACK.stroke_width(2))])?;
        let label = format!(
            "{}: {} ({})",
            engine.name,
            seconds(engine.summary.median),
            range(interval.low, interval.high)
        );
        let style = ("sans-serif", 12)
            .into_text_style(area)
            .pos(Pos::new(HPos::Left, VPos::Bottom));
        chart.draw_series([Text::new(label, (0.0, top + 0.42), style)])?;
    }
    Ok(())
}

/// The time of each run of a script, warm-up included.
fn course(area: &Area<'_>, script: &ScriptResult, metric: Metric) -> Drawn<()> {
    let runs = script.engines.iter().flat_map(|engine| &engine.runs);
    let highest = runs
        .map(|run| metric.of(run))
        .fold(f64::MIN_POSITIVE, f64::max);
    let count = script.engines.iter().map(|engine| engine.runs.len()).max();
    let last = count.unwrap_or(1).max(2) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(MARGIN)
        .caption(&script.script, ("sans-serif", 14))
        .x_label_area_size(20)
        .y_label_area_size(60)
        .build_cartesian_2d(1.0..last, 0.0..highest * 1.05)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|run| format!("{run:.0}"))
        .y_label_formatter(&|value| seconds(*value))
        .draw()?;
    for (engine, colour) in script.engines.iter().zip(COLOURS.iter().cycle()) {
        let times = engine.runs.iter().map(|run| metric.of(run));
        let points: Vec<(f64, f64)> = (1..).map(f64::from).zip(times).collect();
        chart.draw_series(LineSeries::new(points.iter().copied(), colour))?;
        let dots = points
            .iter()
            .map(|&point| Circle::new(point, 2, colour.filled()));
        chart.draw_series(dots)?;
    }
    Ok(())
}
