//! Machines that are kept for other tests: a folder in the output of the test that has booted them.
//!
//! | file | |
//! |---|---|
//! | `snapshot.json` | what is kept, and what has to be the same where it is used |
//! | `root0.erofs`, `server/initrd`, … | what the machines boot from |
//! | `state.index`, `state.blocks` | memory, devices and disks, packed by [`vmtest_state`] |

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use vmtest_state::{Archive, Packed, Packer};

use super::{Saved, name_of, processor};
use crate::machine::LOGS;
use crate::machine::record::Forward;
use crate::spec::{Machine, Test};
use crate::vm::accel::Accelerator;
use crate::vm::launch::layout;
use crate::vm::plan::{Boot, Files};
use crate::vm::qemu_version;

/// The folder in the output of a test.
pub const FOLDER: &str = "snapshot";

/// What is kept.
const DESCRIPTION: &str = "snapshot.json";

/// Version of the folder's form.
const VERSION: u32 = 3;

/// What `snapshot.json` holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Description {
    version: u32,
    /// Why nothing is kept, if so.
    unsaved: Option<String>,
    /// Whether a script has brought the machines to where they are.
    prepared: bool,
    accelerator: String,
    /// The processor, where machines see it.
    processor: Option<String>,
    qemu: Qemu,
    machines: BTreeMap<String, Kept>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Qemu {
    program: PathBuf,
    version: String,
}

/// One machine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kept {
    /// What it boots from, in the folder.
    initrd: PathBuf,
    root: PathBuf,
    /// Whether it runs; else only its disks are kept.
    running: bool,
    allow_reboot: bool,
    /// Ports of the host that lead into it.
    forwards: Vec<Forward>,
    /// See [`layout`].
    layout: Vec<String>,
}

/// Makes the folder in the output of a test in which it keeps its machines. A test that is run without Nix may find what its
/// last run has kept: that is removed. Blocking.
///
/// # Errors
/// When the folder cannot be made, or is there already and not what a run has kept.
pub fn claim(output: &Path) -> Result<PathBuf> {
    let folder = output.join(FOLDER);
    if folder.join(DESCRIPTION).exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    match fs::create_dir(&folder) {
        Ok(()) => Ok(folder),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!(
            "{} is to hold the machines that the test saves, and there is something already that no test has saved (it has \
             no {DESCRIPTION}): move it away, or choose another output directory",
            folder.display()
        ),
        Err(error) => Err(error).with_context(|| folder.display().to_string()),
    }
}

/// A machine to be kept: what it boots from, and what it was; none if it is off.
#[derive(Debug)]
pub struct Keep {
    /// The machine.
    pub machine: Machine,
    /// Its files.
    pub files: Files,
    /// Its state, if it runs.
    pub saved: Option<Arc<Saved>>,
}

/// Keeps machines in `folder`, in which what they boot from lies already. Blocking.
///
/// # Errors
/// When a file cannot be read or written, or QEMU does not tell its version.
pub fn keep(
    test: &Test,
    accelerator: Accelerator,
    prepared: bool,
    machines: &[Keep],
    folder: &Path,
) -> Result<Packed> {
    let images: Vec<String> = {
        let roots = machines.iter().map(|keep| &keep.files.boot.root);
        let mut names: Vec<String> = roots.filter_map(|root| inside(root, folder)).collect();
        names.sort();
        names.dedup();
        names
    };
    let mut packer = Packer::new(folder, &images)?;
    for Keep {
        machine,
        files,
        saved,
    } in machines
    {
        let parts = match saved {
            Some(saved) => saved.files()?,
            None => {
                let disks = files.disks.all();
                disks.map(|disk| (name_of(disk), disk.to_owned())).collect()
            }
        };
        for (name, path) in parts {
            packer.add(&format!("{}/{name}", machine.name), &path)?;
        }
    }
    let packed = packer.finish()?;
    let kept = machines.iter().map(|keep| {
        let relative = |path: &Path| path.strip_prefix(folder).unwrap_or(path).to_owned();
        let boot = &keep.files.boot;
        let kept = Kept {
            initrd: relative(&boot.initrd),
            root: relative(&boot.root),
            running: keep.saved.is_some(),
            allow_reboot: keep.saved.as_ref().is_some_and(|saved| saved.allow_reboot),
            forwards: (keep.saved.as_ref()).map_or_else(Vec::new, |saved| saved.forwards.clone()),
            layout: layout(&keep.machine, accelerator),
        };
        (keep.machine.name.clone(), kept)
    });
    let machines = kept.collect();
    describe(test, accelerator, prepared, machines, None, folder)?;
    Ok(packed)
}

/// Notes in `folder`, which is made, why nothing is kept.
///
/// # Errors
/// When a file cannot be written, or QEMU does not tell its version.
pub fn keep_nothing(
    test: &Test,
    accelerator: Accelerator,
    reason: &str,
    folder: &Path,
) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let unsaved = Some(reason.to_owned());
    describe(test, accelerator, false, BTreeMap::new(), unsaved, folder)
}

fn describe(
    test: &Test,
    accelerator: Accelerator,
    prepared: bool,
    machines: BTreeMap<String, Kept>,
    unsaved: Option<String>,
    folder: &Path,
) -> Result<()> {
    let description = Description {
        version: VERSION,
        unsaved,
        prepared,
        accelerator: accelerator.name().to_owned(),
        processor: processor::seen_on(accelerator)?,
        qemu: Qemu {
            program: test.tools.qemu.clone(),
            version: qemu_version(&test.tools.qemu)?,
        },
        machines,
    };
    let path = folder.join(DESCRIPTION);
    let text = serde_json::to_string_pretty(&description)?;
    fs::write(&path, text).with_context(|| path.display().to_string())
}

/// The name of a file that lies in the folder.
fn inside(file: &Path, folder: &Path) -> Option<String> {
    let name = file.strip_prefix(folder).ok()?;
    Some(name.to_string_lossy().into_owned())
}

/// Machines that a test can go on from.
#[derive(Debug)]
pub struct Snapshot {
    /// Whether they run already when the script begins.
    pub prepared: bool,
    /// By name.
    pub machines: BTreeMap<String, Restorable>,
}

/// One of them.
#[derive(Debug)]
pub struct Restorable {
    /// What it boots from.
    pub boot: Boot,
    /// What it was.
    pub saved: Arc<Saved>,
    /// Whether it ran; else only its disks were kept.
    pub running: bool,
}

/// Opens what another test has kept in its output, for the machines of this one. Blocking.
///
/// # Errors
/// When the machines of this test cannot go on from there, with the reason.
pub fn open(output: &Path, test: &Test, accelerator: Accelerator) -> Result<Snapshot> {
    let folder = output.join(FOLDER);
    let path = folder.join(DESCRIPTION);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let kept = parse(&text).with_context(|| path.display().to_string())?;
    check(&kept, &test.tools.qemu, accelerator)?;
    let archive = Arc::new(Archive::open(&folder)?);
    let mut machines = BTreeMap::new();
    for machine in &test.machines {
        let name = &machine.name;
        let Some(kept) = kept.machines.get(name) else {
            bail!("there is no machine `{name}` in it");
        };
        let here = layout(machine, accelerator);
        ensure!(
            here == kept.layout,
            "the machine `{name}` was another one: {}",
            difference(&kept.layout, &here)
        );
        let logs = output.join(LOGS).join(name);
        let forwards = kept.forwards.clone();
        let saved = Saved::in_archive(&archive, name, kept.allow_reboot, forwards, logs);
        let restorable = Restorable {
            boot: Boot {
                // It is needed for a reboot only, and QEMU holds it in memory all the time: the smaller one.
                kernel: machine.kernel.clone(),
                initrd: folder.join(&kept.initrd),
                root: folder.join(&kept.root),
            },
            saved: Arc::new(saved),
            running: kept.running,
        };
        machines.insert(name.clone(), restorable);
    }
    Ok(Snapshot {
        prepared: kept.prepared,
        machines,
    })
}

/// Reads a description. One of another version may have another form: its version is looked at first.
fn parse(text: &str) -> Result<Description> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let Versioned { version } = serde_json::from_str(text)?;
    ensure!(
        version == VERSION,
        "it is of version {version}, and this runner reads version {VERSION}"
    );
    Ok(serde_json::from_str(text)?)
}

/// Whether machines that were saved there can go on here.
fn check(kept: &Description, qemu: &Path, accelerator: Accelerator) -> Result<()> {
    if let Some(reason) = &kept.unsaved {
        bail!("the machines could not be saved: {reason}");
    }
    ensure!(
        kept.accelerator == accelerator.name(),
        "the machines were saved on {}, and run on {} here",
        kept.accelerator,
        accelerator.name()
    );
    let here = processor::seen_on(accelerator)?;
    let difference = processor::difference(
        kept.processor.as_deref().unwrap_or_default(),
        here.as_deref().unwrap_or_default(),
    );
    ensure!(
        difference.is_empty(),
        "the machines were saved on another processor: {difference}; delete the output of the boot derivation (`nix store delete`) to have them \
         booted here, or use `snapshot = \"prefer\"`"
    );
    // One program has one version.
    if kept.qemu.program != qemu {
        let version = qemu_version(qemu)?;
        ensure!(
            kept.qemu.version == version,
            "the machines were saved by QEMU {}, and this is QEMU {version}",
            kept.qemu.version
        );
    }
    Ok(())
}

/// The first argument of QEMU's that is not the same.
fn difference(kept: &[String], here: &[String]) -> String {
    let end = "nothing".to_owned();
    let longest = kept.len().max(here.len());
    let different = (0..longest).find(|&index| kept.get(index) != here.get(index));
    let index = different.unwrap_or_default();
    let option = |words: &[String]| {
        let word = words.get(index).unwrap_or(&end).clone();
        match index.checked_sub(1).and_then(|index| words.get(index)) {
            Some(option) if option.starts_with('-') && !word.starts_with('-') => {
                format!("{option} {word}")
            }
            _ => word,
        }
    };
    format!("it had `{}`, and has `{}` now", option(kept), option(here))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_first_difference_is_told_with_its_option() {
        let table = [
            (
                "-m 512M -smp 2",
                "-m 1024M -smp 2",
                "it had `-m 512M`, and has `-m 1024M` now",
            ),
            (
                "-m 1M -device VGA",
                "-m 1M -S -device VGA",
                "it had `-device`, and has `-S` now",
            ),
            ("-m 1M", "-m 1M -S", "it had `nothing`, and has `-S` now"),
        ];
        for (kept, here, expected) in table {
            assert_eq!(difference(&words(kept), &words(here)), expected);
        }
    }

    fn kept(change: impl FnOnce(&mut Description)) -> Description {
        let mut kept = Description {
            version: VERSION,
            unsaved: None,
            prepared: false,
            accelerator: "tcg".into(),
            processor: None,
            qemu: Qemu {
                program: "/qemu".into(),
                version: "10.0.2".into(),
            },
            machines: BTreeMap::new(),
        };
        change(&mut kept);
        kept
    }

    #[test]
    fn a_description_of_another_version_is_refused_for_that() {
        let mine = serde_json::to_string(&kept(|_| {})).expect("JSON");
        parse(&mine).expect("of this version");
        let other = r#"{ "version": 7, "colour": "red" }"#;
        let error = parse(other).expect_err("refused").to_string();
        assert_eq!(error, "it is of version 7, and this runner reads version 3");
        let error = parse("{}").expect_err("refused").to_string();
        assert!(error.contains("version"), "{error}");
    }

    #[test]
    fn what_was_saved_elsewhere_is_refused_with_the_reason() {
        let mine = Path::new("/qemu");
        let check = |kept: &Description| check(kept, mine, Accelerator::Tcg);
        check(&kept(|_| {})).expect("the same");
        let table: [(&str, Description); 2] = [
            (
                "the machines could not be saved: no room",
                kept(|kept| kept.unsaved = Some("no room".into())),
            ),
            (
                "the machines were saved on kvm, and run on tcg here",
                kept(|kept| kept.accelerator = "kvm".into()),
            ),
        ];
        for (expected, kept) in table {
            assert_eq!(check(&kept).expect_err("refused").to_string(), expected);
        }
        let other = kept(|kept| kept.processor = Some("vendor_id: X".into()));
        let error = check(&other).expect_err("refused").to_string();
        let expected = "the machines were saved on another processor: vendor_id `X`, here ``; delete the output of";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn another_qemu_is_one_of_another_version() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("folder");
        let qemu = folder.path().join("qemu");
        let script = "#!/bin/sh\necho QEMU emulator version 10.0.2\n";
        fs::write(&qemu, script).expect("written");
        fs::set_permissions(&qemu, fs::Permissions::from_mode(0o755)).expect("set");
        check(&kept(|_| {}), &qemu, Accelerator::Tcg).expect("the same version");
        let older = kept(|kept| kept.qemu.version = "9.2.0".into());
        let error = check(&older, &qemu, Accelerator::Tcg).expect_err("refused");
        let expected = "the machines were saved by QEMU 9.2.0, and this is QEMU 10.0.2";
        assert_eq!(error.to_string(), expected);
    }
}
