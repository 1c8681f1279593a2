//! What the script did.

use serde::{Deserialize, Serialize};

/// A step of the script, or a subtest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its number; those that began later have larger ones.
    pub id: u64,
    /// The step or subtest that it lies in.
    pub parent: Option<u64>,
    /// The subtest's name; null for a step.
    pub subtest: Option<String>,
    /// The machine it is about.
    pub machine: Option<String>,
    /// What was done; a subtest's name after `subtest: `.
    pub message: String,
    /// When it began.
    pub start: f64,
    /// How long it took.
    pub duration: f64,
    /// Whether it succeeded.
    pub passed: bool,
    /// What a failed subtest says of its failure.
    pub error: Option<String>,
    /// How many commands ran in it, those of steps inside it not counted: a wait repeats one.
    pub commands: u64,
    /// The last of them.
    pub command: Option<CommandReport>,
}

impl Step {
    /// When it ended.
    #[must_use]
    pub fn end(&self) -> f64 {
        self.start + self.duration
    }
}

/// A command that ran in a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandReport {
    /// The command as the script has it.
    pub command: String,
    /// The machine it ran in.
    pub machine: String,
    /// How it ended.
    pub ending: Ending,
    /// How long it took.
    pub duration: f64,
    /// What it printed to its standard output; of much, the beginning and the end.
    pub stdout: String,
    /// What it printed to its standard error, likewise.
    pub stderr: String,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ending {
    /// By itself, with this exit code.
    ExitCode(i32),
    /// By a signal of this number.
    Signal(i32),
    /// It took too long.
    TimedOut,
    /// The machine did not tell: it may have ended before.
    Lost(String),
}

impl Ending {
    /// In words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::ExitCode(code) => format!("exit code {code}"),
            Self::Signal(signal) => format!("signal {signal}"),
            Self::TimedOut => "timed out".to_owned(),
            Self::Lost(reason) => reason.clone(),
        }
    }
}

/// The beginning and the end of a text, of at most about so many bytes.
#[must_use]
pub fn excerpt(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let first = text.floor_char_boundary(most / 2);
    let last = text.ceil_char_boundary(text.len() - most / 2);
    let left_out = last - first;
    format!(
        "{}\n… ({left_out} bytes left out) …\n{}",
        &text[..first],
        &text[last..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(excerpt("short", 5), "short");
        let text = "aaaaéxxxxéb";
        assert_eq!(excerpt(text, 10), "aaaa\n… (4 bytes left out) …\nxxéb");
        assert_eq!(excerpt(text, 4), "aa\n… (10 bytes left out) …\nb");
    }
}
