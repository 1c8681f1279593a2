//! `builtins.vmTestCheck`: has the runner look at the scripts of a test, unless it is known that they are right.
//!
//! The library calls it when a test is evaluated. What passed is remembered in the user's cache, by a hash of all that the
//! answer depends on, so that an evaluation whose scripts were checked before starts no process.

use std::env;
use std::ffi::OsString;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::nix_api::Function;

/// The runner that this plugin was built with.
const OWN_CHECKER: Option<&str> = include!(concat!(env!("OUT_DIR"), "/checker.rs"));

/// A check takes a fraction of a second; on a machine that is very busy, some seconds.
const DEADLINE: Duration = Duration::from_secs(60);

/// The answer when there is nothing to say.
const NOTHING: &str = "";

/// The function. It takes the program that checks (another one is taken where that is not built yet), a hash of what the
/// answer depends on, and the request; it returns the answer, JSON of the checker, or why there is none. Texts of requests
/// and answers are the runner's.
pub(crate) static FUNCTION: Function<3> = Function {
    name: c"__vmTestCheck",
    arguments: [c"checker", c"key", c"request"],
    documentation:
        c"Has the scripts of a test checked. It belongs to `builtins.vmTest`, which calls it.",
    call: |[checker, key, request]| Ok(check(cache().as_deref(), &checker, &key, &request)),
};

fn check(cache: Option<&Path>, checker: &str, key: &str, request: &str) -> String {
    let passed = cache.map(|folder| folder.join(key));
    if passed.as_ref().is_some_and(|file| file.exists()) {
        return NOTHING.to_owned();
    }
    let answer = program(checker).and_then(|program| ask(program, passed.as_deref(), request));
    answer.unwrap_or_else(|error| once(&format!("{error:#}")))
}

/// The reason why scripts are not checked is told once: it is the same for all.
fn once(reason: &str) -> String {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if TOLD.swap(true, Ordering::Relaxed) {
        NOTHING.to_owned()
    } else {
        reason.to_owned()
    }
}

/// Where it is remembered what passed.
fn cache() -> Option<PathBuf> {
    let folder = |name| {
        let path = PathBuf::from(env::var_os(name).filter(|path: &OsString| !path.is_empty())?);
        path.is_absolute().then_some(path)
    };
    let caches = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(caches.join("nix-vmtest/checks"))
}

/// The program that is asked.
fn program(wanted: &str) -> Result<&str> {
    if Path::new(wanted).exists() {
        return Ok(wanted);
    }
    let own = OWN_CHECKER.filter(|own| Path::new(own).exists());
    own.with_context(|| format!("{wanted} is not there before the test is built"))
}

/// Asks the checker, and waits for its answer.
fn ask(program: &str, passed: Option<&Path>, request: &str) -> Result<String> {
    let mut command = Command::new(program);
    command
        .arg("check-request")
        .args(
            passed
                .into_iter()
                .flat_map(|file| ["--passed".as_ref(), file.as_os_str()]),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("{program} cannot be started"))?;
    let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) = streams else {
        bail!("{program} has no streams");
    };
    let (status, answer, complaint) = thread::scope(|scope| {
        // One that ends without reading says why.
        scope.spawn(move || stdin.write_all(request.as_bytes()));
        let answer = scope.spawn(move || read(&mut stdout));
        let complaint = scope.spawn(move || read(&mut stderr));
        let status = wait(&mut child);
        let text = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().unwrap_or_default();
        (status, text(answer), text(complaint))
    });
    let status = status.with_context(|| format!("{program} cannot be waited for"))?;
    ensure!(
        status.success() && answer.starts_with('{'),
        "{program} did not answer ({status}): {}",
        complaint.trim()
    );
    Ok(answer)
}

fn read(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    // What came before an error is what there is.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for the end of a process, and makes it end when its time is over.
fn wait(child: &mut Child) -> std::io::Result<ExitStatus> {
    let deadline = Instant::now() + DEADLINE;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > deadline {
            child.kill()?;
            return child.wait();
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A checker that counts how often it was started, in `DIR/started`.
    fn checker(folder: &Path, body: &str) -> String {
        let file = folder.join("checker");
        let text = format!(
            "#!/bin/sh\necho x >> {}/started\n{body}\n",
            folder.display()
        );
        fs::write(&file, text).expect("checker");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("mode");
        file.display().to_string()
    }

    fn started(folder: &Path) -> usize {
        fs::read_to_string(folder.join("started")).map_or(0, |text| text.lines().count())
    }

    fn scratch(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("nix-vmtest-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        folder
    }

    #[test]
    fn what_passed_is_not_checked_again() {
        let folder = scratch("passed");
        // As the runner does: it makes the file that `--passed` names.
        let checker = checker(
            &folder,
            r#"mkdir -p "${3%/*}"; : > "$3"; cat > /dev/null; echo '{"errors":null}'"#,
        );
        let cache = folder.join("cache");
        let answer = check(Some(&cache), &checker, "key", "{}");
        assert_eq!(answer.trim(), r#"{"errors":null}"#);
        assert_eq!(check(Some(&cache), &checker, "key", "{}"), "");
        assert_eq!(started(&folder), 1);
        check(Some(&cache), &checker, "other", "{}");
        assert_eq!(started(&folder), 2);
        fs::remove_dir_all(folder).expect("folder");
    }

    #[test]
    fn a_request_arrives_whole() {
        let folder = scratch("whole");
        let checker = checker(&folder, "printf '{\"bytes\":%s}' $(wc -c)");
        let request = "x".repeat(1 << 20);
        assert_eq!(
            check(None, &checker, "key", &request),
            r#"{"bytes":1048576}"#
        );
        fs::remove_dir_all(folder).expect("folder");
    }

    /// The evaluation goes on, and hears of it once.
    #[test]
    fn a_checker_that_fails_is_told_of_once() {
        let folder = scratch("fails");
        let checker = checker(&folder, "echo no such command >&2; exit 2");
        let first = check(None, &checker, "key", "{}");
        assert!(
            first.contains("did not answer (exit status: 2): no such command"),
            "{first}"
        );
        assert_eq!(check(None, &checker, "key", "{}"), "");
        fs::remove_dir_all(folder).expect("folder");
    }

    #[test]
    fn a_checker_that_is_not_built_is_named() {
        if OWN_CHECKER.is_none_or(|own| !Path::new(own).exists()) {
            let error = program("/nowhere/bin/vmtest").expect_err("not there");
            assert_eq!(
                error.to_string(),
                "/nowhere/bin/vmtest is not there before the test is built"
            );
        }
    }
}
