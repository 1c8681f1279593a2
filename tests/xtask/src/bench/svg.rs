//! The few shapes of which plots are made.

use std::fmt::Write as _;

/// A drawing on white: it is shown in light and in dark pages.
pub(super) struct Svg {
    width: f64,
    height: f64,
    shapes: String,
}

/// Where a text stands beside its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            shapes: String::new(),
        }
    }

    /// A box with a tip, which browsers show.
    pub(super) fn rect(&mut self, [x, y, width, height]: [f64; 4], fill: &str, tip: &str) {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(
            self.shapes,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{fill}"><title>{}</title></rect>"#,
            escaped(tip)
        );
    }

    pub(super) fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], stroke: &str) {
        let _ = writeln!(
            self.shapes,
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{stroke}"/>"#
        );
    }

    pub(super) fn text(&mut self, [x, y]: [f64; 2], anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(
            self.shapes,
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" class="{class}">{}</text>"#,
            escaped(text)
        );
    }

    /// The file.
    pub(super) fn finish(self, title: &str) -> String {
        let Self {
            width,
            height,
            shapes,
        } = self;
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{}</title>
<style>text {{ font: 12px sans-serif; fill: #1a1a1a; }} .head {{ font-size: 14px; font-weight: bold; }} .note {{ fill: #555; }}</style>
<rect width="{width}" height="{height}" fill="#ffffff"/>
{shapes}</svg>
"##,
            escaped(title)
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text([1.0, 2.0], Anchor::End, "note", "a < b & c");
        let text = svg.finish("<title>");
        assert!(text.contains("a &lt; b &amp; c") && text.contains("<title>&lt;title&gt;"));
        assert!(text.contains(r##"fill="#ffffff""##), "it is on white");
    }
}
