//! Comments that silence rules: `# vmtest: ignore[rule, other-rule]` at the end of a line, or on the line before.

use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_text_size::Ranged;

use crate::Finding;

/// What a script does not want to hear.
#[derive(Debug, Default)]
pub(crate) struct Ignores {
    /// Ranges of bytes, and the rule that is silent there.
    silent: Vec<(std::ops::Range<usize>, String)>,
}

impl Ignores {
    /// Those of a script's comments.
    pub(crate) fn of(script: &str, tokens: &Tokens) -> Self {
        let mut silent = Vec::new();
        for token in tokens
            .iter()
            .filter(|token| token.kind() == TokenKind::Comment)
        {
            let (start, end) = (token.start().to_usize(), token.end().to_usize());
            let Some(names) = rules(&script[start..end]) else {
                continue;
            };
            let line = line_around(script, start);
            let is_alone = script[line.start..start].trim().is_empty();
            let silenced = if is_alone {
                line.start..line_around(script, (line.end + 1).min(script.len())).end
            } else {
                line
            };
            silent.extend(names.map(|name| (silenced.clone(), name.to_owned())));
        }
        Self { silent }
    }

    /// Whether a finding is silenced: the comment stands on its first line, on its last, or before it.
    pub(crate) fn silence(&self, script: &str, finding: &Finding) -> bool {
        let ends = [
            finding.range.start,
            finding.range.end.saturating_sub(1).max(finding.range.start),
        ];
        ends.iter().any(|offset| {
            let line = line_around(script, *offset);
            self.silent.iter().any(|(range, rule)| {
                rule == finding.rule.name && range.start <= line.start && line.end <= range.end
            })
        })
    }
}

/// A script whose comments `# type: ignore[code]` have no codes: those of other type checkers say nothing to ty, and silence
/// everything then, as `# type: ignore` does. The text keeps its length.
pub(crate) fn without_codes(script: &str) -> String {
    const COMMENT: &str = "# type: ignore[";
    let mut text = script.to_owned();
    let mut from = 0;
    while let Some(found) = text[from..].find(COMMENT) {
        let bracket = from + found + COMMENT.len() - 1;
        from = bracket + 1;
        let line = text[bracket..]
            .find('\n')
            .map_or(text.len(), |end| bracket + end);
        if let Some(end) = text[bracket..line].find(']') {
            let end = bracket + end + 1;
            text.replace_range(bracket..end, &" ".repeat(end - bracket));
        }
    }
    text
}

/// The names in a comment of this kind.
fn rules(comment: &str) -> Option<impl Iterator<Item = &str>> {
    // Another comment may stand before it on the line.
    let (_, after) = comment.split_once("vmtest:")?;
    let names = after.trim_start().strip_prefix("ignore[")?;
    let (names, _) = names.split_once(']')?;
    Some(names.split(',').map(str::trim))
}

/// The bytes of the line that `offset` lies in, without its end.
fn line_around(script: &str, offset: usize) -> std::ops::Range<usize> {
    let start = script[..offset]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let end = script[offset..]
        .find('\n')
        .map_or(script.len(), |newline| offset + newline);
    start..end
}

#[cfg(test)]
mod tests {
    use super::{rules, without_codes};

    #[test]
    fn comments_name_rules() {
        let names = |comment| rules(comment).map(|names| names.collect::<Vec<_>>());
        assert_eq!(names("# vmtest: ignore[a-b, c]"), Some(vec!["a-b", "c"]));
        assert_eq!(names("# noqa # vmtest:ignore[a]"), Some(vec!["a"]));
        assert_eq!(names("# vmtest: ignore"), None);
        assert_eq!(names("# ignore[a]"), None);
    }

    #[test]
    fn codes_of_other_type_checkers_are_blotted_out() {
        let text =
            "a = 1  # type: ignore[assignment]\nb = 'ü'  # type: ignore\nc  # type: ignore[x\n";
        let blotted = without_codes(text);
        assert_eq!(blotted.len(), text.len());
        assert_eq!(
            blotted.lines().next(),
            Some("a = 1  # type: ignore            ")
        );
        assert_eq!(
            blotted.lines().skip(1).collect::<Vec<_>>(),
            text.lines().skip(1).collect::<Vec<_>>()
        );
    }
}
