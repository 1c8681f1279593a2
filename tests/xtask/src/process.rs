//! Runs the programs of a step: output into the step's log, an error that says what was run.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Runs `command` with its output appended to the file `log`.
pub(crate) fn logged(command: &mut Command, log: &Path) -> Result<()> {
    let open = || File::options().create(true).append(true).open(log);
    let file = open().with_context(|| format!("cannot write {}", log.display()))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs `command` and returns what it prints, without the last newline; its errors go to the file `log`.
pub(crate) fn output(command: &mut Command, log: &Path) -> Result<String> {
    let file = File::options().create(true).append(true).open(log)?;
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(file)
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        bail!("{} failed ({})", shown(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned())
}

/// The program and its first arguments: what a developer needs to recognise it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let mut words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    // What `enter` puts around a program is of no interest here.
    if let Some(end) = words.iter().position(|word| word == "--")
        && words.get(1).is_some_and(|word| word == "enter")
    {
        words.drain(..=end);
    }
    let long = words.len() > 5;
    words.truncate(5);
    format!("`{}{}`", words.join(" "), if long { " …" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_names_the_program_and_keeps_its_output() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let error = logged(
            Command::new("sh").args(["-c", "echo why >&2; exit 3"]),
            &log,
        );
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("`sh -c") && error.contains("exit status: 3"),
            "{error}"
        );
        assert_eq!(std::fs::read_to_string(log).unwrap(), "why\n");
    }

    #[test]
    fn the_wrapper_is_not_shown() {
        let command = crate::namespace::Enter {
            program: vec!["ninja".into(), "install".into()],
            ..Default::default()
        };
        assert_eq!(shown(&command.command()), "`ninja install`");
    }
}
