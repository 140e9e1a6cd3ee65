//! Results as a picture: for each script a bar chart of the medians with their intervals.

use kiln_bench::document::{Document, Metric};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::report::{range, seconds};

const WIDTH: u32 = 760;
const TITLE_HEIGHT: u32 = 40;
/// The room of a script beside its bars: heading and axis.
const SCRIPT_HEIGHT: u32 = 70;
const BAR_HEIGHT: u32 = 44;
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

/// Draws the results as SVG.
pub fn draw(document: &Document) -> Result<String, Box<dyn std::error::Error>> {
    let heights: Vec<u32> = document
        .scripts
        .iter()
        .map(|script| SCRIPT_HEIGHT + BAR_HEIGHT * script.engines.len() as u32)
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
        let caption = format!("{what}: median and 95 % interval, less is better");
        let position = (MARGIN as i32, MARGIN as i32);
        title.draw_text(
            &caption,
            &("sans-serif", 16).into_text_style(&title),
            position,
        )?;
        for (script, height) in document.scripts.iter().zip(heights) {
            let (area, below) = rest.split_vertically(height);
            rest = below;
            let highest = script
                .engines
                .iter()
                .map(|engine| engine.summary.interval.high);
            let highest = highest.fold(f64::MIN_POSITIVE, f64::max);
            let rows = script.engines.len() as f64;
            let mut chart = ChartBuilder::on(&area)
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
            for (index, (engine, colour)) in script
                .engines
                .iter()
                .zip(COLOURS.iter().cycle())
                .enumerate()
            {
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
                    .into_text_style(&area)
                    .pos(Pos::new(HPos::Left, VPos::Bottom));
                chart.draw_series([Text::new(label, (0.0, top + 0.42), style)])?;
            }
        }
        root.present()?;
    }
    Ok(svg)
}
