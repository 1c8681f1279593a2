//! The rules of patterns.

use regex_lite::Regex;
use vmtest_manifest::Failures;

use super::Rules;
use crate::spec::Patterns;

impl Rules<'_> {
    /// The patterns that are regular expressions.
    pub(super) fn patterns(&mut self, failures: &Failures) -> Patterns {
        Patterns {
            fail_on: self.expressions("failOn", &failures.fail_on),
            except: self.expressions("failOnExcept", &failures.except),
        }
    }

    fn expressions(&mut self, place: &str, patterns: &[String]) -> Vec<Regex> {
        let mut expressions = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            match Regex::new(pattern) {
                Ok(expression) => expressions.push(expression),
                Err(error) => {
                    let text = format!("`{pattern}` is no regular expression: {error}");
                    self.complain(&format!("{place}.{index}"), text);
                }
            }
        }
        expressions
    }
}
