//! The toolbox as the commands use it: a private Nix inside a Debian root, and what was made for this working copy.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::cache::{Cache, Lock};
use crate::namespace::Enter;
use crate::schedule::{self, Workplace};
use crate::{preflight, recipe};

/// Where programs are looked for inside the root.
pub(crate) const INSIDE_PATH: &str = "/usr/local/bin:/usr/bin:/usr/sbin";

/// The platform that runner and agent are built for. Named, so that cargo keeps their flags from build scripts.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Nix as users have it, but for substituters: without one, no build waits for a cache that cannot be reached.
/// `kvm` is promised to builds on machines without it too: runs say what they accelerate with.
const NIX_CONF: &str = "\
experimental-features = nix-command flakes
sandbox = true
sandbox-fallback = false
build-users-group = nixbld
substituters =
system-features = nixos-test kvm big-parallel benchmark
max-jobs = 1
cores = 2
flake-registry =
warn-dirty = false
";

/// The tools that the plugin is built with.
const TOOLS_OF_PLUGIN: [&str; 5] = ["runner", "agent", "qemu", "e2fsprogs", "tesseract"];

/// How the names of this project's crates begin.
const CRATES: [&str; 5] = [
    "vmtest",
    "nix-vmtest-plugin-",
    "xtask-",
    "architecture-",
    "e2e-",
];

/// Removes what cargo remembers of this project's crates in the folder of one profile. A cargo that is at work there, another
/// clone's, is waited for.
fn forget_crates(profile: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(profile.join(".fingerprint")) else {
        return Ok(());
    };
    // Cargo's own lock on the folder, which goes with the file.
    let lock = fs::File::options()
        .write(true)
        .open(profile.join(".cargo-lock"));
    if let Ok(lock) = &lock {
        lock.lock().context("cannot wait for cargo")?;
    }
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if CRATES
            .iter()
            .any(|prefix| name.to_string_lossy().starts_with(prefix))
        {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// The toolbox for the working copy that this xtask was built from.
#[derive(Clone)]
pub(crate) struct Toolbox {
    cache: Cache,
    repository: PathBuf,
}

/// A static program of this project.
pub(crate) struct Program {
    /// Of its package, of its file, and of its directory.
    pub(crate) name: &'static str,
    /// cargo's settings for it.
    pub(crate) profile: &'static str,
    /// Its name in tools.nix.
    pub(crate) attribute: &'static str,
}

impl Toolbox {
    /// The programs that lie in the store.
    pub(crate) const PROGRAMS: [Program; 2] = [
        Program {
            name: "vmtest",
            profile: "release",
            attribute: "runner",
        },
        Program {
            name: "vmtest-agent",
            profile: "agent",
            attribute: "agent",
        },
    ];

    /// Finds the places; nothing is made yet.
    pub(crate) fn find() -> Result<Self> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let repository = repository
            .canonicalize()
            .with_context(|| format!("the working copy {} is gone", repository.display()))?;
        Ok(Self {
            cache: Cache::of_user()?,
            repository,
        })
    }

    /// Makes everything that is missing.
    pub(crate) fn set_up(&self, waiting: impl FnOnce(&str)) -> Result<()> {
        preflight::check(&self.cache)?;
        self.cache.create()?;
        let _at_work = self.cache.lock("setup", waiting)?;
        let etc = self.cache.path("etc");
        fs::create_dir_all(&etc)?;
        fs::create_dir_all(self.clone_dir())?;
        fs::write(
            self.clone_dir().join("repository"),
            self.repository.as_os_str().as_encoded_bytes(),
        )?;
        fs::write(etc.join("nix.conf"), NIX_CONF).context("cannot write nix.conf")?;
        self.claim_cargo_dir()?;
        schedule::run(&recipe::steps(self), &self.cache)
    }

    /// Makes the browser, if it is missing.
    pub(crate) fn set_up_browser(&self, waiting: impl FnOnce(&str)) -> Result<()> {
        if self.browser().exists() {
            return Ok(());
        }
        self.cache.create()?;
        let _at_work = self.cache.lock("setup", waiting)?;
        schedule::run(&recipe::browser(), &self.cache)
    }

    /// The tree that the browser is in.
    fn browser(&self) -> PathBuf {
        schedule::results(&recipe::browser(), &self.cache)["browser"].join("tree")
    }

    /// A command that runs `program` in the browser's tree, from where it sees the cache.
    pub(crate) fn browse(&self, program: &[&str]) -> Command {
        let cache = self.cache.root().display();
        let enter = Enter {
            root: Some(self.browser()),
            bind: vec![format!("{cache}:{cache}")],
            program: program.iter().map(|word| (*word).to_owned()).collect(),
            ..Enter::default()
        };
        let mut command = enter.command();
        command
            .env("PATH", INSIDE_PATH)
            .env("HOME", "/root")
            .env("LC_ALL", "C.UTF-8");
        command
    }

    /// Makes cargo look at this working copy's crates anew if another one built last.
    ///
    /// Cargo takes the crates of two clones for the same ones, and tells by the files' times whether they have changed:
    /// without this, a clone with older files would get the programs of the other.
    fn claim_cargo_dir(&self) -> Result<()> {
        let owner = self.cache.path("cargo-owner");
        let own = self.repository.as_os_str().as_encoded_bytes();
        if fs::read(&owner).is_ok_and(|owner| owner == own) {
            return Ok(());
        }
        for folder in ["release", "debug", "agent"] {
            for target in [self.cargo_dir(), self.cargo_dir().join(TARGET)] {
                forget_crates(&target.join(folder))?;
            }
        }
        fs::write(owner, own).context("cannot note whose crates were built last")
    }

    /// Held while something of the toolbox runs, so that nobody removes it.
    pub(crate) fn in_use(&self) -> Result<Lock> {
        self.cache
            .in_use(false)?
            .context("the toolbox is being removed (`cargo xtask clean`)")
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    pub(crate) fn repository(&self) -> &Path {
        &self.repository
    }

    /// Where the result of each kept step lies, or would lie.
    pub(crate) fn results(&self) -> BTreeMap<&'static str, PathBuf> {
        schedule::results(&recipe::steps(self), &self.cache)
    }

    /// Directory of what belongs to this working copy.
    pub(crate) fn clone_dir(&self) -> PathBuf {
        self.cache.clone_dir(&self.repository)
    }

    /// A name for this working copy.
    pub(crate) fn id(&self) -> String {
        self.clone_dir()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// The plugin, at the same path inside and outside.
    pub(crate) fn plugin(&self) -> PathBuf {
        self.clone_dir().join("libnix_vmtest_plugin.so")
    }

    /// The tools' store paths as a Nix attribute set, at the same path inside and outside.
    pub(crate) fn tools_nix(&self) -> PathBuf {
        self.clone_dir().join("tools.nix")
    }

    /// Directory of the installed Nix, as seen from outside.
    pub(crate) fn nix_dir(&self) -> PathBuf {
        self.results()["nix"].clone()
    }

    /// Where a path of the private store lies for those outside.
    pub(crate) fn outside(&self, path: &str) -> PathBuf {
        self.cache.path(path.trim_start_matches('/'))
    }

    /// A command that runs `program` inside the root, in `dir`; Nix loads the plugin there if `plugin`.
    pub(crate) fn enter<T: AsRef<str>>(&self, program: &[T], dir: &Path, plugin: bool) -> Command {
        let results = self.results();
        let same = |path: &Path| format!("{0}:{0}", path.display());
        let shown = |path: &Path, target: &str| format!("{}:{target}", path.display());
        let enter = Enter {
            root: Some(results["root"].join("tree")),
            bind: vec![
                shown(&results["nix"], "/usr/local"),
                shown(&self.cache.path("nix"), "/nix"),
                shown(&self.cache.path("etc"), "/etc/nix"),
                same(self.cache.root()),
                same(&self.repository),
            ],
            chdir: Some(dir.to_owned()),
            program: program
                .iter()
                .map(|word| word.as_ref().to_owned())
                .collect(),
            ..Enter::default()
        };
        let mut command = enter.command();
        for name in [
            "TMPDIR",
            "XDG_CACHE_HOME",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
        ] {
            command.env_remove(name);
        }
        command
            .env("PATH", INSIDE_PATH)
            .env("HOME", "/root")
            .env("LC_ALL", "C.UTF-8");
        if plugin && self.plugin().exists() {
            command.env("NIX_CONFIG", self.config_with_plugin());
        }
        command
    }

    fn config_with_plugin(&self) -> String {
        let mut config = std::env::var("NIX_CONFIG").unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(config, "\nplugin-files = {}\n", self.plugin().display());
        config
    }

    /// Adds a file or directory to the private store and returns its path there.
    pub(crate) fn add_to_store(&self, place: &Workplace, path: &Path) -> Result<String> {
        let program = ["nix-store", "--add", &path.display().to_string()];
        place.output(&mut self.enter(&program, Path::new("/"), false))
    }

    /// Keeps a store path from the garbage collector, until the next one is kept under the same name.
    pub(crate) fn keep_in_store(&self, name: &str, path: &str) -> Result<()> {
        let roots = self.cache.path("nix/var/nix/gcroots");
        let (part, root) = (roots.join(format!(".{name}")), roots.join(name));
        // What a killed run left.
        let _ = fs::remove_file(&part);
        fs::create_dir_all(&roots)
            .and_then(|()| symlink(path, &part))
            .and_then(|()| fs::rename(&part, &root))
            .with_context(|| format!("cannot keep {path} in the store"))
    }

    /// Writes what tests and the plugin are told about the tools.
    pub(crate) fn write_tools(&self, tools: &Map<String, Value>) -> Result<()> {
        let nix = tools.iter().fold("{\n".to_owned(), |text, (name, value)| {
            // A store path or a platform: no character in it means anything to Nix's strings.
            format!("{text}  {name} = {value};\n")
        });
        let write = |name, text: &str| {
            let path = self.clone_dir().join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        write("tools.nix", &format!("{nix}}}\n"))?;
        write("tools.json", &serde_json::to_string(tools)?)
    }

    /// The tools' store paths, by the names of tools.nix.
    pub(crate) fn tools(&self) -> Result<BTreeMap<String, String>> {
        let path = self.clone_dir().join("tools.json");
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} is missing: run `cargo xtask setup`", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// cargo's directory for the programs: in the cache, so that a second clone compiles no dependency again.
    pub(crate) fn cargo_dir(&self) -> PathBuf {
        self.cache.path("cargo")
    }

    /// Where the static programs of a cargo profile come out.
    pub(crate) fn static_output(&self, profile: &str) -> PathBuf {
        self.cargo_dir().join(TARGET).join(profile)
    }

    /// cargo in the working copy, building into the cache.
    pub(crate) fn cargo(&self) -> Command {
        self.building_here(Command::new(cargo_program()))
    }

    /// The same for a step: it ends when xtask is killed, so that the next one need not wait for it.
    pub(crate) fn cargo_step(&self, arguments: &[&str]) -> Command {
        let cargo = cargo_program().to_string_lossy().into_owned();
        let words = std::iter::once(cargo.as_str()).chain(arguments.iter().copied());
        let enter = Enter {
            program: words.map(str::to_owned).collect(),
            ..Enter::default()
        };
        self.building_here(enter.command())
    }

    fn building_here(&self, mut command: Command) -> Command {
        command
            .current_dir(&self.repository)
            .env("CARGO_TARGET_DIR", self.cargo_dir());
        command
    }

    /// Settings under which the crates of runner and agent are compiled, as pairs of an environment.
    pub(crate) fn static_environment() -> [(&'static str, &'static str); 3] {
        [
            (
                "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
                "-C target-feature=+crt-static -C relocation-model=static",
            ),
            ("CARGO_BUILD_TARGET", TARGET),
            ("CARGO_TERM_COLOR", "never"),
        ]
    }

    /// Settings under which the plugin is compiled.
    pub(crate) fn plugin_environment(&self) -> Result<[(&'static str, String); 4]> {
        let mut tools = self.tools()?;
        tools.retain(|name, _| TOOLS_OF_PLUGIN.contains(&name.as_str()));
        let nix = self.nix_dir();
        Ok([
            ("VMTEST_TOOLS", serde_json::to_string(&tools)?),
            (
                "NIX_VMTEST_NIX_INCLUDE",
                nix.join("include/nix").display().to_string(),
            ),
            ("NIX_VMTEST_NIX_LIB", nix.join("lib").display().to_string()),
            ("CARGO_TERM_COLOR", "never".into()),
        ])
    }
}

/// The cargo that runs us, if one does.
fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crates_of_this_project_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let fingerprints = folder.path().join(".fingerprint");
        for name in ["vmtest-0a", "vmtest-script-0b", "e2e-0c", "serde-0d"] {
            fs::create_dir_all(fingerprints.join(name)).unwrap();
        }
        forget_crates(folder.path()).unwrap();
        let left = fs::read_dir(fingerprints).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["serde-0d"]);
        forget_crates(&folder.path().join("missing")).unwrap();
    }

    #[test]
    fn a_cargo_at_work_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(".fingerprint/vmtest-0a")).unwrap();
        let cargo = fs::File::create(folder.path().join(".cargo-lock")).unwrap();
        cargo.lock().unwrap();
        let (sender, done) = std::sync::mpsc::channel();
        let profile = folder.path().to_owned();
        std::thread::spawn(move || sender.send(forget_crates(&profile).is_ok()));
        let early = done.recv_timeout(std::time::Duration::from_millis(200));
        assert!(early.is_err(), "it has not waited");
        drop(cargo);
        assert_eq!(done.recv(), Ok(true));
    }

    #[test]
    fn tools_are_written_as_nix_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let toolbox = Toolbox {
            cache: Cache::at(dir.path().into()),
            repository: "/clone".into(),
        };
        fs::create_dir_all(toolbox.clone_dir()).unwrap();
        let tools = Map::from_iter([("qemu".to_owned(), Value::from("/nix/store/abc-qemu"))]);
        toolbox.write_tools(&tools).unwrap();
        let nix = fs::read_to_string(toolbox.tools_nix()).unwrap();
        assert_eq!(nix, "{\n  qemu = \"/nix/store/abc-qemu\";\n}\n");
        assert_eq!(toolbox.tools().unwrap()["qemu"], "/nix/store/abc-qemu");
        let inside = dir.path().join("nix/store/abc-qemu");
        assert_eq!(toolbox.outside("/nix/store/abc-qemu"), inside);
    }

    #[test]
    fn the_plugin_is_told_only_what_it_starts() {
        let dir = tempfile::tempdir().unwrap();
        let toolbox = Toolbox {
            cache: Cache::at(dir.path().into()),
            repository: "/clone".into(),
        };
        fs::create_dir_all(toolbox.clone_dir()).unwrap();
        let tools = ["qemu", "runner", "kernel"].map(|name| (name.to_owned(), Value::from("/p")));
        toolbox.write_tools(&Map::from_iter(tools)).unwrap();
        let environment = toolbox.plugin_environment().unwrap();
        assert_eq!(environment[0].1, r#"{"qemu":"/p","runner":"/p"}"#);
    }

    #[test]
    fn a_kept_path_replaces_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let toolbox = Toolbox {
            cache: Cache::at(dir.path().into()),
            repository: "/clone".into(),
        };
        let roots = dir.path().join("nix/var/nix/gcroots");
        toolbox
            .keep_in_store("runner", "/nix/store/1-runner")
            .unwrap();
        toolbox
            .keep_in_store("runner", "/nix/store/2-runner")
            .unwrap();
        assert_eq!(
            fs::read_link(roots.join("runner")).unwrap(),
            Path::new("/nix/store/2-runner")
        );
    }
}
