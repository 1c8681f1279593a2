//! Lines of consoles and journals that fail a test.

use regex_lite::Regex;

/// Which lines fail a test.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    /// Those with one of these.
    pub fail_on: Vec<Regex>,
    /// But for those with one of these.
    pub except: Vec<Regex>,
}

impl Patterns {
    /// The pattern by which a line fails the test, if it does.
    #[must_use]
    pub fn find(&self, line: &str) -> Option<&str> {
        let found = self.fail_on.iter().find(|pattern| pattern.is_match(line))?;
        let excepted = self.except.iter().any(|pattern| pattern.is_match(line));
        (!excepted).then(|| found.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_fail_a_test() {
        let all = |patterns: &[&str]| -> Vec<Regex> {
            let all = patterns.iter().map(|pattern| Regex::new(pattern));
            all.collect::<Result<_, _>>().expect("expressions")
        };
        let patterns = Patterns {
            fail_on: all(&["BUG:", "^segfault at [0-9]+$"]),
            except: all(&["known"]),
        };
        assert_eq!(patterns.find("[1.0] BUG: bad"), Some("BUG:"));
        assert_eq!(
            patterns.find("segfault at 12"),
            Some("^segfault at [0-9]+$")
        );
        assert_eq!(patterns.find("BUG: known for long"), None);
        assert_eq!(patterns.find("a segfault at 12"), None);
        assert_eq!(Patterns::default().find("BUG:"), None);
    }
}
