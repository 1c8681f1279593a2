//! Runs the steps that are not done yet, as many at a time as their lanes allow, in the order of what they need.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::cache::{Cache, remove};
use crate::process;
use crate::progress::{Progress, last_lines};
use crate::step::{Kept, Lane, Step, keys};

/// Name of the scratch directory in a step's own.
const SCRATCH: &str = ".scratch";

/// What a step gets to work with.
pub(crate) struct Workplace {
    /// The empty directory that becomes its result (for a step that is always run: nothing to rely on).
    pub(crate) dir: PathBuf,
    log: PathBuf,
    results: BTreeMap<&'static str, PathBuf>,
}

impl Workplace {
    /// Result of a step that this one needs.
    pub(crate) fn result(&self, step: &str) -> Result<&Path> {
        let path = self
            .results
            .get(step)
            .with_context(|| format!("no result of step {step}"))?;
        Ok(path)
    }

    /// A directory for what is not part of the result; it is gone when the step is finished.
    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        let dir = self.dir.join(SCRATCH);
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(dir)
    }

    /// Puts a script into the scratch directory, to be run from there. The folder of scripts may change under
    /// a running xtask, and the step's key is that of the scripts as they were compiled in.
    pub(crate) fn script(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.scratch()?.join(name);
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o755)))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Runs a program; its output goes to the step's log.
    pub(crate) fn run(&self, command: &mut Command) -> Result<()> {
        process::logged(command, &self.log)
    }

    /// Runs a program and returns what it prints.
    pub(crate) fn output(&self, command: &mut Command) -> Result<String> {
        process::output(command, &self.log)
    }
}

/// Where the result of each finished step lies.
pub(crate) fn results(steps: &[Step], cache: &Cache) -> BTreeMap<&'static str, PathBuf> {
    keys(steps)
        .into_iter()
        .map(|(name, key)| (name, cache.made(name, &key)))
        .collect()
}

/// Runs what is not done. After a failure no other step is started, but those at work may finish.
pub(crate) fn run(steps: &[Step], cache: &Cache) -> Result<()> {
    let keys = keys(steps);
    let results = results(steps, cache);
    let mut done = BTreeSet::new();
    for step in steps.iter().filter(|step| step.kept == Kept::ByRecipe) {
        if results[step.name].exists() {
            done.insert(step.name);
        }
    }
    let mut progress = Progress::new(steps.len());
    let mut waiting: Vec<_> = (0..steps.len())
        .filter(|at| !done.contains(steps[*at].name))
        .collect();
    let mut busy = BTreeMap::new();
    let mut failure = None;

    std::thread::scope(|scope| {
        let (tell, hear) = mpsc::channel();
        loop {
            while let Some(at) = next(steps, &waiting, &busy, &done).filter(|_| failure.is_none()) {
                waiting.retain(|waits| *waits != at);
                let step = &steps[at];
                let log = cache.path("logs").join(step.name).with_extension("log");
                busy.insert(at, step.lane);
                progress.started(at + 1, step.about, log.clone());
                let (tell, results, key) = (tell.clone(), results.clone(), keys.get(step.name));
                scope.spawn(move || {
                    let outcome = perform(step, key, cache, log, results);
                    // The receiver outlives all senders.
                    let _ = tell.send((at, outcome));
                });
            }
            if busy.is_empty() {
                break;
            }
            match hear.recv_timeout(Duration::from_secs(1)) {
                Ok((at, outcome)) => {
                    busy.remove(&at);
                    progress.finished(at + 1, outcome.is_ok());
                    match outcome {
                        Ok(()) => _ = done.insert(steps[at].name),
                        Err(error) => {
                            progress.say(&failed(&steps[at], cache, &error));
                            failure.get_or_insert(steps[at].name);
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => progress.tick(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    match failure {
        Some(name) => bail!("step `{name}` failed; what is finished is kept, start again to go on"),
        None => Ok(()),
    }
}

/// The first step that waits for nothing but its turn.
fn next(
    steps: &[Step],
    waiting: &[usize],
    busy: &BTreeMap<usize, Lane>,
    done: &BTreeSet<&str>,
) -> Option<usize> {
    waiting.iter().copied().find(|at| {
        let step = &steps[*at];
        step.needs.iter().all(|need| done.contains(need))
            && busy.values().filter(|lane| **lane == step.lane).count() < step.lane.width()
    })
}

fn perform(
    step: &Step,
    key: Option<&String>,
    cache: &Cache,
    log: PathBuf,
    results: BTreeMap<&'static str, PathBuf>,
) -> Result<()> {
    fs::write(&log, "").with_context(|| format!("cannot write {}", log.display()))?;
    let dir = match key {
        Some(key) => cache.begin(step.name, key)?,
        None => cache.root().to_owned(),
    };
    let scratch = dir.join(SCRATCH);
    (step.make)(&Workplace { dir, log, results })?;
    remove(&scratch)?;
    key.map_or(Ok(()), |key| cache.finish(step.name, key))
}

fn failed(step: &Step, cache: &Cache, error: &anyhow::Error) -> String {
    let log = cache.path("logs").join(step.name).with_extension("log");
    let needed = if step.needs.is_empty() {
        "nothing".into()
    } else {
        step.needs.join(", ")
    };
    let lines = last_lines(&log, 12);
    format!(
        "{error:#}\n  It needed: {needed}\n  Its log: {}, which ends with\n{lines}",
        log.display()
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::step::tests::step;

    fn cache() -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path().to_owned());
        cache.create().unwrap();
        (dir, cache)
    }

    #[test]
    fn a_second_start_resumes_at_the_step_that_failed() {
        let (_dir, cache) = cache();
        static ROOT: AtomicUsize = AtomicUsize::new(0);
        static NIX: AtomicUsize = AtomicUsize::new(0);
        let steps = || {
            let mut root = step("root", &[], "");
            root.make = Box::new(|place| {
                ROOT.fetch_add(1, Ordering::Relaxed);
                Ok(fs::write(place.dir.join("file"), "made")?)
            });
            let mut nix = step("nix", &["root"], "");
            nix.make = Box::new(|place| {
                assert_eq!(
                    fs::read_to_string(place.result("root")?.join("file"))?,
                    "made"
                );
                match NIX.fetch_add(1, Ordering::Relaxed) {
                    0 => bail!("no such header"),
                    _ => Ok(()),
                }
            });
            [root, nix]
        };
        let error = run(&steps(), &cache).unwrap_err().to_string();
        assert!(error.contains("`nix` failed"), "{error}");
        run(&steps(), &cache).unwrap();
        assert_eq!(
            (ROOT.load(Ordering::Relaxed), NIX.load(Ordering::Relaxed)),
            (1, 2)
        );
        run(&steps(), &cache).unwrap();
        assert_eq!(
            (ROOT.load(Ordering::Relaxed), NIX.load(Ordering::Relaxed)),
            (1, 2)
        );
    }

    #[test]
    fn what_is_needed_comes_first_and_what_is_always_run_is_always_run() {
        let (_dir, cache) = cache();
        static ORDER: Mutex<Vec<&str>> = Mutex::new(Vec::new());
        let noting = |name, needs, lane, kept| {
            let mut step = step(name, needs, "");
            (step.lane, step.kept) = (lane, kept);
            step.make = Box::new(move |_| {
                ORDER.lock().unwrap().push(name);
                Ok(())
            });
            step
        };
        let steps = [
            noting("packages", &[], Lane::Network, Kept::Never),
            noting("root", &["packages"], Lane::Network, Kept::ByRecipe),
            noting(
                "programs",
                &["packages", "root"],
                Lane::Processor,
                Kept::Never,
            ),
        ];
        run(&steps, &cache).unwrap();
        run(&steps, &cache).unwrap();
        let order = ORDER.lock().unwrap();
        assert_eq!(
            *order,
            ["packages", "root", "programs", "packages", "programs"]
        );
    }

    #[test]
    fn a_lane_takes_no_more_steps_than_it_is_wide() {
        let steps = [step("a", &[], ""), step("b", &[], ""), step("c", &[], "")];
        let none = BTreeSet::new();
        let busy = BTreeMap::from([(0, Lane::Processor), (1, Lane::Network)]);
        assert_eq!(next(&steps, &[2], &busy, &none), Some(2));
        let busy = BTreeMap::from([(0, Lane::Processor), (1, Lane::Processor)]);
        assert_eq!(next(&steps, &[2], &busy, &none), None);
    }

    #[test]
    fn a_failure_says_what_was_needed_and_where_the_log_is() {
        let (_dir, cache) = cache();
        fs::write(cache.path("logs/nix.log"), "cc: no space left\n").unwrap();
        let error = anyhow::anyhow!("`ninja` failed (exit status: 1)");
        let text = failed(&step("nix", &["root"], ""), &cache, &error);
        for part in [
            "`ninja` failed",
            "needed: root",
            "logs/nix.log",
            "no space left",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
