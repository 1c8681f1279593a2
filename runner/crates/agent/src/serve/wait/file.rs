//! Waits for a file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use vmtest_protocol::Failure;

use super::place::Place;
use super::{Look, Pauses, Vain, Watch};
use crate::process::capture;
use crate::serve::shell::Shell;
use crate::serve::task::{Stopped, Task};

/// Between looks for which a shell is started, which cost much more: the first pause, and the longest.
const PAUSES: Pauses = Pauses::new(Duration::from_millis(20), Duration::from_millis(250));

/// How long a shell may take for a look.
const FOR_SHELL: Duration = Duration::from_secs(30);

/// Waits for a file, of whatever kind.
pub(super) struct Exists {
    name: Name,
}

enum Name {
    /// The word means itself.
    Path { path: PathBuf, place: Place },
    /// The shell says what it means.
    Word {
        shell: Arc<Shell>,
        word: String,
        /// The directory in which its plain beginning lies, if there is one.
        place: Option<Place>,
        pauses: Pauses,
    },
}

impl Exists {
    /// `word` is one of the shell's language; of several files that it means one is enough.
    pub(super) fn new(shell: &Arc<Shell>, word: &str) -> Result<Self, Failure> {
        if word.trim().is_empty() {
            return Err(Failure("there is no name of a file to wait for".into()));
        }
        let folder = Shell::folder();
        let beginning = plain_beginning(word);
        if beginning.len() == word.len() {
            let path = folder.join(word);
            let place = Place::at(&path);
            let name = Name::Path { path, place };
            return Ok(Self { name });
        }
        let directory = beginning.rfind('/').map(|slash| &beginning[..=slash]);
        let name = Name::Word {
            shell: Arc::clone(shell),
            word: word.to_owned(),
            place: directory.map(|directory| Place::inside(&folder.join(directory))),
            pauses: PAUSES,
        };
        Ok(Self { name })
    }
}

/// The part of a word that means itself, whatever comes after it.
fn plain_beginning(word: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || "/._-+,:@%=".contains(c);
    let end = word.find(|c| !plain(c)).unwrap_or(word.len());
    &word[..end]
}

impl Watch for Exists {
    fn look(&mut self, task: &Task) -> Result<Look, Vain> {
        let found = match &mut self.name {
            // As `test -e` has it: a link counts when its target is there.
            Name::Path { path, place } => {
                place.watch();
                path.metadata().is_ok()
            }
            Name::Word {
                shell, word, place, ..
            } => {
                place.iter_mut().for_each(Place::watch);
                let (command, _script_file) = shell
                    .command(&format!(
                        "for file in {word}\ndo test -e \"$file\" && exit 0\ndone\nexit 1"
                    ))
                    .map_err(Vain::Never)?;
                capture(command, Shell::folder(), task.for_look().min(FOR_SHELL)).is_ok()
            }
        };
        Ok(match found {
            true => Look::Holds,
            false => Look::NotYet("no such file".into()),
        })
    }

    fn rest(&mut self, task: &Task) -> Result<(), Stopped> {
        match &mut self.name {
            Name::Path { place, .. } => place.rest(task),
            Name::Word { place, pauses, .. } => {
                // Whatever happens: not one shell after the other.
                task.sleep(PAUSES.next)?;
                match place {
                    Some(place) => place.rest_at_most(task, pauses.next()),
                    None => task.sleep(pauses.next()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_shell_would_change_is_not_plain() {
        let table = [
            ("/run/a-b_c.sock", "/run/a-b_c.sock"),
            ("/tmp/é", "/tmp/é"),
            ("/run/*/x", "/run/"),
            ("/tmp/a b", "/tmp/a"),
            ("$HOME/x", ""),
            ("~/x", ""),
            ("'/tmp/x'", ""),
            ("/tmp/{a,b}", "/tmp/"),
        ];
        for (word, beginning) in table {
            assert_eq!(plain_beginning(word), beginning, "{word}");
        }
    }
}
