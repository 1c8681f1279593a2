//! HTML as text, in which nothing of a test is markup.

use std::fmt::{self, Display, Write as _};

/// Text in an element or a quoted attribute.
pub(super) struct Escaped<T>(pub(super) T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(f), "{}", self.0)
    }
}

struct Escaper<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                '\n' | '\t' => self.0.write_char(c)?,
                // What no page may have, and what turns the order of characters around.
                c if c.is_control() || is_direction(c) => self.0.write_char('\u{fffd}')?,
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Characters by which a line can look like another one.
const fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A page under construction.
#[derive(Default)]
pub(super) struct Html(pub(super) String);

impl Html {
    /// Markup of the page's own: nothing of a test is in it.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text.
    pub(super) fn text(&mut self, text: impl Display) -> &mut Self {
        let _ = write!(self.0, "{}", Escaped(text));
        self
    }

    /// An element with text in it.
    pub(super) fn element(&mut self, name: &str, class: &str, text: impl Display) -> &mut Self {
        self.open(name, class).text(text).close(name)
    }

    /// The beginning of an element.
    pub(super) fn open(&mut self, name: &str, class: &str) -> &mut Self {
        match class {
            "" => self.raw("<").raw(name).raw(">"),
            class => self.open_with(name, &[("class", &class)]),
        }
    }

    /// The beginning of an element with these attributes.
    pub(super) fn open_with(
        &mut self,
        name: &str,
        attributes: &[(&str, &dyn Display)],
    ) -> &mut Self {
        self.raw("<").raw(name);
        for (attribute, value) in attributes {
            let _ = write!(self.0, " {attribute}=\"{}\"", Escaped(value));
        }
        self.raw(">")
    }

    /// The end of an element.
    pub(super) fn close(&mut self, name: &str) -> &mut Self {
        self.raw("</").raw(name).raw(">")
    }
}

/// A link to a file beside the page: each byte that could mean something else is written by its number.
pub(super) fn link(path: &str) -> String {
    let mut link = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            link.push(char::from(byte));
        } else {
            let _ = write!(link, "%{byte:02X}");
        }
    }
    // A scheme or a host is none of ours.
    format!("./{}", link.trim_start_matches('/'))
}

/// Seconds as people read them.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds >= 100.0 {
        let whole = seconds.round();
        format!("{:.0} min {:02.0} s", (whole / 60.0).floor(), whole % 60.0)
    } else if seconds >= 10.0 {
        format!("{seconds:.1} s")
    } else if seconds >= 0.0995 {
        format!("{seconds:.2} s")
    } else {
        format!("{:.0} ms", seconds * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_test_is_markup() {
        let mut html = Html::default();
        html.open_with("p", &[("title", &"\"x' onload=1")]);
        html.text("<script>&\u{0}\u{202e}").close("p");
        assert_eq!(
            html.0,
            "<p title=\"&quot;x&#39; onload=1\">&lt;script&gt;&amp;\u{fffd}\u{fffd}</p>"
        );
    }

    #[test]
    fn links_stay_beside_the_page() {
        assert_eq!(
            link("machines/a b/console.log"),
            "./machines/a%20b/console.log"
        );
        assert_eq!(link("javascript:alert(1)"), "./javascript%3Aalert%281%29");
        assert_eq!(link("//host/x"), "./host/x");
    }

    #[test]
    fn seconds_for_people() {
        let table = [
            (0.0, "0 ms"),
            (0.0123, "12 ms"),
            (0.5, "0.50 s"),
            (12.34, "12.3 s"),
            (119.6, "2 min 00 s"),
        ];
        for (given, shown) in table {
            assert_eq!(seconds(given), shown);
        }
    }
}
