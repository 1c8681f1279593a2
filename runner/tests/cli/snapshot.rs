//! Tests that go on from what another has kept.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};

use super::Site;

/// Modules that every machine has.
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

impl Site {
    /// A test with a machine that is never started, and a QEMU that says what it is and no more.
    fn with_machine(&self, script: &str) -> Value {
        let qemu = "#!/bin/sh\necho QEMU emulator version 10.0.2\n";
        fs::write(self.path("qemu"), qemu).expect("file");
        fs::set_permissions(self.path("qemu"), fs::Permissions::from_mode(0o755)).expect("set");
        let modules = self.path("modules/6.12.0");
        for folder in [&modules, &self.path("root")] {
            fs::create_dir_all(folder).expect("folder");
        }
        let built_in: String = MODULES
            .iter()
            .map(|name| format!("kernel/{name}.ko\n"))
            .collect();
        fs::write(modules.join("modules.dep"), "").expect("file");
        fs::write(modules.join("modules.builtin"), built_in).expect("file");
        fs::write(self.path("kernel"), "").expect("file");
        fs::write(self.path("root/file"), "content").expect("file");
        let mut attributes = self.attributes(script);
        attributes["manifest"]["nodes"]["server"] = json!({
            "boot": "direct",
            "kernel": { "image": self.path("kernel"), "modules": self.path("modules"), "unpack": false },
            "kernelParams": [],
            "root": { "layers": [{ "tree": self.path("root") }], "persistent": null },
            "closure": null,
            "init": "/init",
            "memory": 64,
            "cores": 1,
            "disks": [{ "size": 1, "serial": "disk0" }],
            "sharedDirectories": [],
            "network": { "setup": "guest", "user": null, "hostName": "server", "interfaces": [], "hosts": [] },
            "qemuOptions": [],
            "bootTimeout": 60,
        });
        attributes
    }
}

/// What cannot be unpacked is an error, or has the machines boot: the log and the report say why.
#[test]
fn a_snapshot_whose_files_cannot_be_made_is_done_without() {
    let site = Site::new();
    let mut saving = site.with_machine("pass\n");
    saving["manifest"]["snapshot"] = json!({ "save": { "required": true, "prepared": true } });
    let saved = site.run(&saving);
    assert_eq!(saved.code, Some(0), "{}", saved.stderr);
    let from = site.path("boot");
    fs::rename(site.path("result"), &from).expect("renamed");

    let mut attributes = site.with_machine("print('at work')\n");
    let mut restore = |required: bool| {
        attributes["manifest"]["snapshot"] = json!({
            "restore": { "from": from, "required": required, "prepare": null, "fresh": [] },
        });
        // Nothing can be made in it, until whoever gives the machines up removes it.
        let _ = fs::remove_dir_all(site.path("scratch/machines"));
        symlink("/nowhere/at/all", site.path("scratch/machines")).expect("link");
        site.run(&attributes)
    };
    let refused = restore(true);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    let message = refused.report()["failure"]["message"].as_str();
    let message = message.expect("a message");
    assert!(
        message.contains("cannot go on from the snapshot"),
        "{message}"
    );
    let booted = restore(false);
    assert_eq!(booted.code, Some(0), "{}", booted.stderr);
    assert!(booted.stderr.contains("at work"), "{}", booted.stderr);
    let reason = "vmtest: warning: the machines boot, since they cannot go on from the snapshot";
    assert!(booted.stderr.contains(reason), "{}", booted.stderr);
}
