//! Images, initrds and disks: everything that machines boot from, made before the first one starts.
//!
//! What several machines have in common (a kernel, the layers of a root, the modules of an initrd) is made once, and the
//! host caches it once. Everything is made at once, on as many threads as there are processors.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use vmtest_image::erofs::{self, Label};
use vmtest_image::modules::Module;
use vmtest_image::tree::{Layer, Tree};
use vmtest_image::{cpio, disk, kernel, modules};
use vmtest_manifest as manifest;
use vmtest_protocol::boot::{self, AGENT_PATH, BootConfig, CONFIG_PATH, MODULES_DIR};

use crate::snapshot::kept::Snapshot;
use crate::spec::{Image, Interface, Machine, Network, Test};
use crate::vm::plan::{Boot, Disks, Files};

/// What the agent needs of the kernel to mount the root. Much of it is built in.
const ROOT_MODULES: &[&str] = &["virtio_blk", "erofs", "overlay"];

/// What the channel needs of the kernel.
const CHANNEL_MODULES: &[&str] = &["virtio_pci", "virtio_console"];

/// The label of an image that an initrd of the guest's own mounts as the store, and of the disk that it mounts as the root:
/// those of NixOS's virtual machines.
const STORE_LABEL: Label = Label::new("nix-store");
const ROOT_DISK_LABEL: &str = "nixos";

/// The label of an image that the agent finds by its disk's serial number.
const ROOT_LABEL: Label = Label::new("vmtest-root");

/// What the file system of a layer that is kept, and of other disks, needs.
const DISK_MODULE: &str = "ext4";

/// What the other devices of the launch plan need.
const LATE_MODULES: &[&str] = &["virtio_net", "virtio_rng"];

/// What a machine that sees folders of the host needs beside these.
const SHARE_MODULES: &[&str] = &["fuse", "virtiofs"];

const MIB: u64 = 1024 * 1024;

/// Makes the files of all machines, in their order: their images and initrds in the folder `boots`, unpacked kernels and
/// their disks in the folder `scratch`. Blocking.
///
/// # Errors
/// When something cannot be read or written; names the machine.
pub fn provision(test: &Test, boots: &Path, scratch: &Path) -> Result<Vec<Files>> {
    let (boots, disks) = rayon::join(
        || make_boots(test, boots, scratch),
        || make_disks(test, scratch),
    );
    let files = boots?.into_iter().zip(disks?);
    Ok(files.map(|(boot, disks)| Files { boot, disks }).collect())
}

/// The files of machines that go on from a snapshot: they boot from what they were booted from, and have the disks that they
/// had. Those of machines that ran come with their state. Blocking.
///
/// # Errors
/// When something cannot be read or written; names the machine.
pub fn provision_from(snapshot: &Snapshot, test: &Test, scratch: &Path) -> Result<Vec<Files>> {
    let make = |machine: &Machine| -> Result<Files> {
        let restorable = &snapshot.machines[&machine.name];
        let disks = Disks::of(machine, &folder(machine, scratch)?);
        if !restorable.running {
            restorable.saved.restore_disks(&disks)?;
        }
        Ok(Files {
            boot: restorable.boot.clone(),
            disks,
        })
    };
    for_each(&test.machines, make)
}

/// What the machines boot from. It never changes; what lies in `to` may be used by other tests with the same machines.
fn make_boots(test: &Test, to: &Path, scratch: &Path) -> Result<Vec<Boot>> {
    let agent = &test.tools.agent;
    let agent = std::fs::read(agent).with_context(|| agent.display().to_string())?;
    let common = Common::make(test, to, scratch)?;
    let boot = |machine| -> Result<Boot> {
        let initrd = folder(machine, to)?.join("initrd");
        write_initrd(machine, &agent, common.modules(machine), &initrd).context("initrd")?;
        Ok(Boot {
            kernel: common.kernel(machine).to_owned(),
            initrd,
            root: common.root(machine).to_owned(),
        })
    };
    for_each(&test.machines, boot)
}

/// The machines' disks, as they are when they are new.
fn make_disks(test: &Test, to: &Path) -> Result<Vec<Disks>> {
    let make = |machine: &Machine| -> Result<Disks> {
        let disks = Disks::of(machine, &folder(machine, to)?);
        make_disks_of(machine, &disks, &test.tools.mke2fs)?;
        Ok(disks)
    };
    for_each(&test.machines, make)
}

fn make_disks_of(machine: &Machine, disks: &Disks, mke2fs: &Path) -> Result<()> {
    if let (Some(path), Some(size)) = (&disks.persistent, machine.persistent) {
        format_disk(path, size, mke2fs)?;
    }
    for (path, empty) in disks.empty.iter().zip(&machine.disks) {
        disk::create_raw(path, u64::from(empty.size) * MIB)?;
    }
    Ok(())
}

/// Makes a machine's disks as they are when they are new, in place of those that are there. Blocking.
///
/// # Errors
/// When something cannot be removed or written.
pub fn renew_disks(machine: &Machine, disks: &Disks, mke2fs: &Path) -> Result<()> {
    for disk in disks.all() {
        match std::fs::remove_file(disk) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| disk.display().to_string());
            }
            _ => {}
        }
    }
    make_disks_of(machine, disks, mke2fs)
}

fn folder(machine: &Machine, to: &Path) -> Result<PathBuf> {
    let folder = to.join(&machine.name);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

fn for_each<'a, T: Send>(
    machines: &'a [Machine],
    make: impl Fn(&'a Machine) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let make = |machine: &'a Machine| make(machine).with_context(|| failed(machine));
    machines.par_iter().map(make).collect()
}

fn failed(machine: &Machine) -> String {
    format!("cannot build the machine `{}`", machine.name)
}

/// What machines have in common.
struct Common<'a> {
    kernels: BTreeMap<&'a Path, PathBuf>,
    roots: BTreeMap<&'a [Layer], PathBuf>,
    modules: BTreeMap<ModulesKey<'a>, Modules>,
}

/// What decides which modules a machine needs: the kernel's, whether the agent mounts the root, whether a layer is kept, and
/// whether there are shared folders.
type ModulesKey<'a> = (&'a Path, bool, bool, bool);

fn modules_key(machine: &Machine) -> ModulesKey<'_> {
    (
        &machine.modules,
        machine.boot == manifest::Boot::Direct,
        machine.persistent.is_some(),
        !machine.shares.is_empty(),
    )
}

/// The modules of an initrd.
struct Modules {
    all: Vec<ReadModule>,
    /// How many of them come before the agent answers.
    early: usize,
}

/// A module as it goes into an initrd.
struct ReadModule {
    config: boot::Module,
    bytes: Vec<u8>,
}

impl<'a> Common<'a> {
    fn make(test: &'a Test, to: &Path, scratch: &Path) -> Result<Self> {
        for folder in [to, scratch] {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let machines = &test.machines;
        let kernel = |machine: &'a Machine| machine.kernel.as_path();
        let layers = |machine: &'a Machine| machine.layers.as_slice();
        let (kernels, (roots, modules)) = rayon::join(
            || {
                once(machines, kernel, |index, machine| {
                    unpack(machine, scratch.join(format!("kernel{index}")))
                })
            },
            || {
                rayon::join(
                    || {
                        once(machines, layers, |index, machine| {
                            build_image(machine, to.join(format!("root{index}.erofs")))
                        })
                    },
                    || once(machines, modules_key, |_, machine| read_modules(machine)),
                )
            },
        );
        Ok(Self {
            kernels: kernels?,
            roots: roots?,
            modules: modules?,
        })
    }

    fn kernel(&self, machine: &'a Machine) -> &Path {
        &self.kernels[machine.kernel.as_path()]
    }

    fn root(&self, machine: &'a Machine) -> &Path {
        &self.roots[machine.layers.as_slice()]
    }

    fn modules(&self, machine: &'a Machine) -> &Modules {
        &self.modules[&modules_key(machine)]
    }
}

/// Makes what belongs to a key once, for the first machine that has the key; the number is that of the key.
fn once<'a, K: Ord + Copy + Send + Sync, T: Send>(
    machines: &'a [Machine],
    key: impl Fn(&'a Machine) -> K,
    make: impl Fn(usize, &'a Machine) -> Result<T> + Sync,
) -> Result<BTreeMap<K, T>> {
    let mut seen = BTreeSet::new();
    let keyed = machines.iter().map(|machine| (key(machine), machine));
    let firsts: Vec<_> = keyed.filter(|(key, _)| seen.insert(*key)).collect();
    let make = |(index, (key, machine)): (usize, (K, &'a Machine))| {
        let made = make(index, machine).with_context(|| failed(machine))?;
        Ok((key, made))
    };
    firsts.into_par_iter().enumerate().map(make).collect()
}

/// The kernel to start: unpacked, unless it has to unpack itself.
fn unpack(machine: &Machine, to: PathBuf) -> Result<PathBuf> {
    if !machine.unpack_kernel {
        return Ok(machine.kernel.clone());
    }
    match kernel::unpack(&machine.kernel, &to).context("kernel")? {
        Ok(()) => Ok(to),
        Err(packed) => {
            tracing::info!(kernel = %machine.kernel.display(), %packed, "the kernel unpacks itself");
            Ok(machine.kernel.clone())
        }
    }
}

/// Layers of a store are never those of a root: machines with the same ones have the same image.
fn build_image(machine: &Machine, path: PathBuf) -> Result<PathBuf> {
    let label = match machine.image {
        Image::Root => ROOT_LABEL,
        Image::Store => STORE_LABEL,
    };
    let tree = Tree::from_layers(&machine.layers)?;
    let info = erofs::write(&tree, label, &path)?;
    tracing::info!(bytes = info.bytes, inodes = info.inodes, path = %path.display(), "root image built");
    Ok(path)
}

fn read_modules(machine: &Machine) -> Result<Modules> {
    let (_, is_direct, keeps_layer, has_shares) = modules_key(machine);
    let mut names = CHANNEL_MODULES.to_vec();
    let mut late = Vec::new();
    if is_direct {
        names.extend(ROOT_MODULES);
        late.extend(LATE_MODULES);
        if keeps_layer { &mut names } else { &mut late }.push(DISK_MODULE);
    }
    if has_shares {
        late.extend(SHARE_MODULES);
    }
    let index = modules::Index::open(&machine.modules)?;
    let early = index.closure(&names)?.len();
    names.extend(late);
    // More names only add to the end of what is loaded.
    let modules = index.closure(&names)?;
    let read = |module: &Module| -> Result<ReadModule> {
        Ok(ReadModule {
            config: boot::Module {
                file: format!("{}.ko", module.name),
                required: module.required,
            },
            bytes: module.read()?,
        })
    };
    let all = modules.par_iter().map(read).collect::<Result<_>>()?;
    Ok(Modules { all, early })
}

/// The agent's own initrd. One of the guest's own comes behind it: to the kernel they are one.
fn write_initrd(machine: &Machine, agent: &[u8], modules: &Modules, path: &Path) -> Result<()> {
    let config = boot_config(machine, modules);
    let config = vmtest_protocol::encode(&config)?;
    let output = BufWriter::new(File::create(path)?);
    let mut archive = cpio::Archive::new(output)
        .dir("dev", 0o755)?
        // Before the agent has mounted anything, its standard streams must have somewhere to go.
        .char_device("dev/console", 0o600, 5, 1)?
        .char_device("dev/null", 0o666, 1, 3)?
        .dir("proc", 0o755)?
        .dir("sys", 0o755)?
        .dir("sysroot", 0o755)?
        .dir("vmtest", 0o755)?
        .file(relative(agent_path(machine)), 0o755, agent)?
        .file(relative(CONFIG_PATH), 0o644, &config)?
        .dir(relative(MODULES_DIR), 0o755)?;
    for module in &modules.all {
        let name = format!("{}/{}", relative(MODULES_DIR), module.config.file);
        archive = archive.file(&name, 0o644, &module.bytes)?;
    }
    let mut output = archive.finish()?;
    if let manifest::Boot::Initrd(initrd) = &machine.boot {
        let own = File::open(initrd).and_then(|mut own| std::io::copy(&mut own, &mut output));
        own.with_context(|| initrd.display().to_string())?;
    }
    output.flush()?;
    Ok(())
}

/// Where the kernel finds the agent: without a parameter, or beside the init of another.
fn agent_path(machine: &Machine) -> &'static str {
    match machine.boot {
        manifest::Boot::Direct => "/init",
        manifest::Boot::Initrd(_) => AGENT_PATH,
    }
}

fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn boot_config(machine: &Machine, modules: &Modules) -> BootConfig {
    let (early, late) = modules.all.split_at(modules.early);
    let configs =
        |modules: &[ReadModule]| modules.iter().map(|module| module.config.clone()).collect();
    let shares = machine.shares.iter().map(|share| boot::Share {
        tag: share.tag.clone(),
        target: share.target.clone(),
        read_only: share.read_only,
    });
    if let manifest::Boot::Initrd(_) = machine.boot {
        return BootConfig::Initrd(boot::Initrd {
            modules: configs(&modules.all),
            shares: shares.collect(),
        });
    }
    BootConfig::Direct(boot::Direct {
        modules: configs(early),
        late_modules: configs(late),
        image: machine.image,
        persistent: machine.persistent.is_some(),
        shares: shares.collect(),
        init: machine.init.clone(),
        interfaces: (machine.network != Network::Guest)
            .then(|| machine.interfaces.iter().map(interface).collect()),
        names: match &machine.network {
            Network::Guest | Network::Names => None,
            Network::Agent { host_name, hosts } => Some(boot::Names {
                host_name: host_name.clone(),
                hosts_file: hosts_file(hosts),
            }),
        },
    })
}

fn interface(interface: &Interface) -> boot::Interface {
    let addresses = interface.addresses.iter();
    boot::Interface {
        mac: interface.mac.0,
        name: interface.name.clone(),
        addresses: addresses
            .map(|subnet| (subnet.address, subnet.prefix))
            .collect(),
    }
}

fn hosts_file(hosts: &[(std::net::IpAddr, Vec<String>)]) -> String {
    let mut text = String::from("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    for (address, names) in hosts {
        text.push_str(&format!("{address} {}\n", names.join(" ")));
    }
    text
}

fn format_disk(path: &Path, size: u32, mke2fs: &Path) -> Result<()> {
    disk::create_raw(path, u64::from(size) * MIB)?;
    let output = Command::new(mke2fs)
        .args(["-q", "-F", "-t", "ext4", "-L", ROOT_DISK_LABEL])
        .arg(path)
        // Its defaults are built in; a file of the host's would make the disk depend on the host.
        .env("MKE2FS_CONFIG", "/dev/null")
        .output()
        .with_context(|| mke2fs.display().to_string())?;
    if !output.status.success() {
        bail!(
            "{} failed ({}): {}",
            mke2fs.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_listed_after_localhost() {
        let hosts = [(
            "192.168.1.1".parse().expect("address"),
            vec!["client".into(), "c".into()],
        )];
        assert!(hosts_file(&hosts).ends_with("ip6-loopback\n192.168.1.1 client c\n"));
    }

    #[test]
    fn a_formatter_that_fails_is_quoted() {
        let folder = tempfile::tempdir().expect("folder");
        let error = format_disk(&folder.path().join("disk"), 1, Path::new("/bin/false"))
            .expect_err("fails");
        assert!(
            error
                .to_string()
                .starts_with("/bin/false failed (exit status: 1)"),
            "{error}"
        );
    }
}
