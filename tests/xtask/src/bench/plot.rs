//! The plot: the time of the trivial test by its parts, and that of many machines.

use super::document::Document;
use super::scripted::FLEETS;
use super::svg::{Anchor, Svg};
use super::table::number;
use super::trivial::PARTS;
use super::upstream;

const WIDTH: f64 = 860.0;
/// Where bars begin: names stand before that.
const LEFT: f64 = 190.0;
/// Room for the number after the longest bar.
const RIGHT: f64 = 70.0;
const BAR: f64 = 22.0;
const STEP: f64 = 30.0;

/// Colours that people who see colours differently can tell apart (Okabe and Ito), in the order of the parts.
const COLOURS: [&str; PARTS.len()] = [
    "#e69f00", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7",
];
const BOOTED: &str = "#0072b2";
const RESTORED: &str = "#009e73";
/// Of another driver in the same run.
const OTHER: &str = "#707070";
const ELSEWHERE: &str = "#b0b0b0";
const RULE: &str = "#d8d8d8";

struct Bar {
    name: String,
    /// Seconds, as they are written beside it: the median of sums is not quite the sum of medians.
    total: f64,
    /// Seconds, colour, and what it is.
    segments: Vec<(f64, &'static str, String)>,
}

impl Bar {
    /// How far it goes.
    fn length(&self) -> f64 {
        self.segments.iter().map(|(seconds, ..)| seconds).sum()
    }
}

/// As far as the document has what is plotted.
pub(crate) fn plot(document: &Document) -> String {
    let (tests, fleets) = (tests(document), fleets(document));
    let panels = [&tests, &fleets].map(|bars| height(bars));
    let mut svg = Svg::new(WIDTH, panels.iter().sum::<f64>() + 40.0);
    let mut top = 10.0;
    if !tests.is_empty() {
        let names = PARTS.map(|part| {
            if part == "script after that" {
                "script"
            } else {
                part
            }
        });
        let legend: Vec<_> = names.into_iter().zip(COLOURS).collect();
        let head = "One Debian machine until multi-user.target: `nix build` to result, seconds";
        panel(&mut svg, top, head, &legend, &tests);
        top += panels[0];
    }
    if !fleets.is_empty() {
        let head = "Machines of 256 MB until all have answered a command, seconds";
        panel(
            &mut svg,
            top,
            head,
            &[("booted", BOOTED), ("restored", RESTORED)],
            &fleets,
        );
        top += panels[1];
    }
    let about = &document.about;
    let note = format!(
        "{}, {} processors, rounds: {}; `cargo xtask bench`",
        about.acceleration, about.processors, about.repeat
    );
    svg.text([LEFT, top + 12.0], Anchor::Start, "note", &note);
    svg.finish("Time of tests")
}

fn tests(document: &Document) -> Vec<Bar> {
    let names = [
        ("trivial", "first run"),
        ("restored", "restored"),
        ("edited", "script edited"),
        ("peer", "other driver, first run"),
    ];
    let ours = names.into_iter().filter_map(|(test, name)| {
        let total = document.median(test, "total")?;
        let parts = PARTS.into_iter().zip(COLOURS);
        let segments = parts.filter_map(|(part, colour)| {
            let seconds = document.median(test, part)?.max(0.0);
            Some((seconds, colour, format!("{part}: {} s", number(seconds))))
        });
        let mut segments: Vec<_> = segments.collect();
        if segments.is_empty() {
            // Nothing is known of its parts.
            segments.push((total, OTHER, format!("total: {} s", number(total))));
        }
        Some(Bar {
            name: name.to_owned(),
            total,
            segments,
        })
    });
    let mut bars: Vec<_> = ours.collect();
    if !bars.is_empty()
        && let Some(figure) = upstream::figure("trivial", "total")
    {
        let tip = "NixOS test driver (Python): measured elsewhere, not in this run";
        bars.push(Bar {
            name: "NixOS driver, elsewhere".to_owned(),
            total: figure.high,
            segments: vec![(figure.high, ELSEWHERE, tip.to_owned())],
        });
    }
    bars
}

fn fleets(document: &Document) -> Vec<Bar> {
    let kinds = [("booted", BOOTED), ("restored", RESTORED)];
    let bars = FLEETS.into_iter().flat_map(|count| {
        kinds.into_iter().filter_map(move |(kind, colour)| {
            let seconds =
                document.median(&format!("machines-{count}-{kind}"), "all have answered")?;
            let name = format!("{count} {kind}");
            let tip = format!("{name}: {} s", number(seconds));
            Some(Bar {
                name,
                total: seconds,
                segments: vec![(seconds, colour, tip)],
            })
        })
    });
    bars.collect()
}

#[expect(clippy::cast_precision_loss, reason = "there are few bars")]
fn height(bars: &[Bar]) -> f64 {
    if bars.is_empty() {
        return 0.0;
    }
    STEP.mul_add(bars.len() as f64, 90.0)
}

/// A head, a legend, and bars below each other on one scale.
fn panel(svg: &mut Svg, top: f64, head: &str, legend: &[(&str, &str)], bars: &[Bar]) {
    svg.text([10.0, top + 14.0], Anchor::Start, "head", head);
    let mut x = 10.0;
    for (name, colour) in legend {
        svg.rect([x, top + 26.0, 12.0, 12.0], colour, name);
        svg.text([x + 16.0, top + 36.0], Anchor::Start, "note", name);
        // About as wide as its letters.
        x += 34.0 + 6.2 * f64::from(u32::try_from(name.len()).unwrap_or(0));
    }
    let longest = bars.iter().map(Bar::length).fold(0.0, f64::max);
    let tick = tick(longest);
    let scale = (WIDTH - LEFT - RIGHT) / longest.max(tick);
    let (start, end) = (top + 50.0, top + height(bars) - 32.0);
    let mut at = 0.0;
    while at <= longest {
        let x = scale.mul_add(at, LEFT);
        svg.line([x, start, x, end], RULE);
        svg.text([x, end + 14.0], Anchor::Middle, "note", &format!("{at}"));
        at += tick;
    }
    let mut y = start + 4.0;
    for bar in bars {
        svg.text([LEFT - 8.0, y + 15.0], Anchor::End, "name", &bar.name);
        let mut x = LEFT;
        for (seconds, colour, tip) in &bar.segments {
            svg.rect([x, y, seconds * scale, BAR], colour, tip);
            x += seconds * scale;
        }
        svg.text(
            [x + 6.0, y + 15.0],
            Anchor::Start,
            "name",
            &number(bar.total),
        );
        y += STEP;
    }
}

/// Seconds between two lines of a scale: some four to nine of them fit.
fn tick(longest: f64) -> f64 {
    let mut ticks = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0].into_iter();
    ticks.find(|tick| longest / tick < 9.0).unwrap_or(500.0)
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::document;
    use super::super::document::{About, Document};
    use super::super::measurement::Measurements;
    use super::*;

    #[test]
    fn what_was_measured_is_drawn_to_scale() {
        let text = plot(&document());
        assert!(text.contains("evaluation, build start and end: 0.25 s"));
        assert!(text.contains("measured elsewhere, not in this run"));
        // The longest of the first panel is upstream's bar, that of the second 48 s; 8 s are a sixth.
        assert_eq!(text.matches(r#"width="600.0""#).count(), 2);
        assert!(text.contains(r#"width="100.0""#));
    }

    #[test]
    fn nothing_measured_is_an_empty_plot() {
        let none = Document::new(About::here(1, None), Measurements::default(), Vec::new());
        let text = plot(&none);
        assert!(text.starts_with("<svg") && !text.contains("elsewhere"));
    }

    #[test]
    fn scales() {
        assert_eq!(
            [0.5, 8.9, 9.0, 30.0, 44.0].map(tick),
            [1.0, 1.0, 2.0, 5.0, 5.0]
        );
        assert_eq!(tick(10_000.0), 500.0);
    }
}
