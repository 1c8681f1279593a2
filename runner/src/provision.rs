//! Images, initrds and disks: everything that machines boot from, made before the first one starts.
//!
//! Machines with the same layers share one read-only image: it is built once, and the host caches it once.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use vmtest_image::modules::Module;
use vmtest_image::tree::{Layer, Tree};
use vmtest_image::{cpio, disk, erofs, modules};
use vmtest_protocol::boot::{self, BootConfig, CONFIG_PATH, MODULES_DIR};

use crate::spec::{Machine, Test};
use crate::vm::plan::Files;

/// What the agent and the devices of the launch plan need of the kernel. Much of it is built in.
const MODULES: &[&str] = &[
    "virtio_pci",
    "virtio_console",
    "virtio_blk",
    "virtio_net",
    "virtio_rng",
    "erofs",
    "overlay",
    "ext4",
];

/// What a machine that sees folders of the host needs beside these.
const SHARE_MODULES: &[&str] = &["fuse", "virtiofs"];

const MIB: u64 = 1024 * 1024;

/// Makes the files of all machines below `scratch`, in the order of the machines. Blocking.
///
/// # Errors
/// When something cannot be read or written; names the machine or the layer.
pub fn provision(test: &Test, scratch: &Path) -> Result<Vec<Files>> {
    let mut images = Images {
        scratch,
        built: Vec::new(),
    };
    let mut files = Vec::new();
    for machine in &test.machines {
        let folder = scratch.join(&machine.name);
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let made = make(test, machine, &folder, &mut images);
        files.push(made.with_context(|| format!("cannot build the machine `{}`", machine.name))?);
    }
    Ok(files)
}

fn make<'a>(
    test: &Test,
    machine: &'a Machine,
    folder: &Path,
    images: &mut Images<'a>,
) -> Result<Files> {
    let initrd = folder.join("initrd");
    write_initrd(machine, &test.tools.agent, &initrd).context("initrd")?;
    let persistent = match machine.persistent {
        Some(size) => Some(format_disk(
            &folder.join("persistent.img"),
            size,
            &test.tools.mke2fs,
        )?),
        None => None,
    };
    let mut disks = Vec::new();
    for (index, size) in machine.disks.iter().enumerate() {
        let path = folder.join(format!("disk{index}.img"));
        disk::create_raw(&path, u64::from(*size) * MIB)?;
        disks.push(path);
    }
    Ok(Files {
        initrd,
        root: images.root(&machine.layers)?,
        persistent,
        disks,
    })
}

/// The images made so far.
struct Images<'a> {
    scratch: &'a Path,
    built: Vec<(&'a [Layer], PathBuf)>,
}

impl<'a> Images<'a> {
    fn root(&mut self, layers: &'a [Layer]) -> Result<PathBuf> {
        if let Some((_, path)) = self.built.iter().find(|(built, _)| *built == layers) {
            return Ok(path.clone());
        }
        let path = self.scratch.join(format!("root{}.erofs", self.built.len()));
        let tree = Tree::from_layers(layers)?;
        let info = erofs::write(&tree, &path)?;
        tracing::info!(bytes = info.bytes, inodes = info.inodes, path = %path.display(), "root image built");
        self.built.push((layers, path.clone()));
        Ok(path)
    }
}

fn write_initrd(machine: &Machine, agent: &Path, path: &Path) -> Result<()> {
    let mut names = MODULES.to_vec();
    if !machine.shares.is_empty() {
        names.extend(SHARE_MODULES);
    }
    let modules = modules::Index::open(&machine.modules)?.closure(&names)?;
    let config = boot_config(machine, &modules);
    let config = vmtest_protocol::encode(&config)?;
    let agent = std::fs::read(agent).with_context(|| agent.display().to_string())?;
    let output = BufWriter::new(File::create(path)?);
    let mut archive = cpio::Archive::new(output)
        .dir("dev", 0o755)?
        // Before the agent has mounted anything, its standard streams must have somewhere to go.
        .char_device("dev/console", 0o600, 5, 1)?
        .char_device("dev/null", 0o666, 1, 3)?
        .dir("proc", 0o755)?
        .dir("sys", 0o755)?
        .dir("sysroot", 0o755)?
        .file("init", 0o755, &agent)?
        .dir("vmtest", 0o755)?
        .file(relative(CONFIG_PATH), 0o644, &config)?
        .dir(relative(MODULES_DIR), 0o755)?;
    for module in &modules {
        let name = format!("{}/{}", relative(MODULES_DIR), file_name(module));
        archive = archive.file(&name, 0o644, &module.read()?)?;
    }
    archive.finish()?.flush()?;
    Ok(())
}

fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn file_name(module: &Module) -> String {
    format!("{}.ko", module.name)
}

fn boot_config(machine: &Machine, modules: &[Module]) -> BootConfig {
    BootConfig {
        modules: modules
            .iter()
            .map(|module| boot::Module {
                file: file_name(module),
                required: module.required,
            })
            .collect(),
        persistent: machine.persistent.is_some(),
        shares: machine
            .shares
            .iter()
            .map(|share| boot::Share {
                tag: share.tag.clone(),
                target: share.target.clone(),
                read_only: share.read_only,
            })
            .collect(),
        init: machine.init.clone(),
        network: machine.network.as_ref().map(|network| boot::Network {
            host_name: network.host_name.clone(),
            interfaces: machine
                .interfaces
                .iter()
                .map(|interface| boot::Interface {
                    mac: interface.mac.0,
                    name: interface.name.clone(),
                    addresses: interface
                        .addresses
                        .iter()
                        .map(|subnet| (subnet.address, subnet.prefix))
                        .collect(),
                })
                .collect(),
            hosts_file: hosts_file(&network.hosts),
        }),
    }
}

fn hosts_file(hosts: &[(std::net::IpAddr, Vec<String>)]) -> String {
    let mut text = String::from("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    for (address, names) in hosts {
        text.push_str(&format!("{address} {}\n", names.join(" ")));
    }
    text
}

fn format_disk(path: &Path, size: u32, mke2fs: &Path) -> Result<PathBuf> {
    disk::create_raw(path, u64::from(size) * MIB)?;
    let output = Command::new(mke2fs)
        .args(["-q", "-F", "-t", "ext4"])
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
    Ok(path.to_owned())
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
