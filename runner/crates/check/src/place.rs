//! Where in a Nix file a script stands.
//!
//! Nix tells in which file, and perhaps at which line, an option was written. The script is looked for there: lines of a
//! string in Nix are those of the script, but for their indentation and for what is put in (`${…}`).

/// Where a script comes from, as far as Nix knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// The line of the option, from 1.
    pub line: Option<usize>,
}

/// How the lines of a script lie in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line of the file in which the script's first line stands, from 1.
    pub first_line: usize,
    /// How far the lines are indented there, in characters.
    pub indentation: usize,
}

/// Scripts with fewer lines than this are found in too many places by chance.
const SURE: usize = 3;

impl Origin {
    /// Looks for a script in the text of its file.
    #[must_use]
    pub fn locate(&self, text: &str, script: &str) -> Option<Place> {
        let file: Vec<&str> = text.lines().collect();
        let script: Vec<&str> = script.lines().collect();
        let known = script.iter().filter(|line| !line.trim().is_empty()).count();
        let from = self.line.map_or(0, |line| line.saturating_sub(1));
        let mut best: Option<(usize, usize)> = None;
        for start in from..file.len() {
            let matching = matching(&file[start..], &script);
            let enough = matching >= known.min(SURE).max(known / 2);
            if known > 0 && enough && best.is_none_or(|(most, _)| matching > most) {
                best = Some((matching, start));
            }
        }
        let (_, start) = best?;
        let indentation = script
            .iter()
            .zip(&file[start..])
            .find_map(|(line, in_file)| {
                let same = !line.trim().is_empty() && in_file.trim_start() == line.trim_start();
                let indent = |text: &str| text.len() - text.trim_start().len();
                same.then(|| indent(in_file).checked_sub(indent(line)))
                    .flatten()
            });
        Some(Place {
            file: self.file.clone(),
            first_line: start + 1,
            indentation: indentation?,
        })
    }
}

/// How many lines of a script, but for empty ones, stand at the beginning of a text.
fn matching(text: &[&str], script: &[&str]) -> usize {
    let pairs = script.iter().zip(text);
    pairs
        .filter(|(line, in_text)| !line.trim().is_empty() && line.trim() == in_text.trim())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{ pkgs, ... }:
{
  name = "x";
  testScript = { nodes, ... }: ''
    start_all()
    server.wait_for_unit("${nodes.server.unit}")

    with subtest("a"):
        server.succeed("true")
  '';
}
"#;

    fn locate(line: Option<usize>, script: &str) -> Option<(usize, usize)> {
        let file = "t.nix".to_owned();
        let place = Origin { file, line }.locate(FILE, script)?;
        Some((place.first_line, place.indentation))
    }

    #[test]
    fn a_script_is_found_by_its_lines() {
        let script = "start_all()\nserver.wait_for_unit(\"nginx.service\")\n\nwith subtest(\"a\"):\n    server.succeed(\"true\")\n";
        assert_eq!(locate(Some(4), script), Some((5, 4)));
        assert_eq!(locate(None, script), Some((5, 4)));
        // Behind its place nothing of it is left.
        assert_eq!(locate(Some(9), script), None);
    }

    #[test]
    fn short_scripts_are_found_whole() {
        assert_eq!(locate(None, "    server.succeed(\"true\")\n"), Some((9, 4)));
        assert_eq!(locate(None, "server.succeed(\"false\")\n"), None);
        assert_eq!(locate(None, "\n"), None);
    }

    #[test]
    fn another_script_is_not() {
        assert_eq!(locate(None, "start_all()\na()\nb()\nc()\n"), None);
    }
}
