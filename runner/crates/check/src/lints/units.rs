//! Names of systemd's units.

use crate::suggest::nearest;

/// The kinds of units, from systemd.unit(5).
const SUFFIXES: &[&str] = &[
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

/// The targets of systemd.special(7), but for those that a service may well be called like.
const TARGETS: &[&str] = &[
    "basic",
    "boot-complete",
    "cryptsetup",
    "cryptsetup-pre",
    "ctrl-alt-del",
    "default",
    "emergency",
    "exit",
    "first-boot-complete",
    "getty",
    "getty-pre",
    "graphical",
    "graphical-session",
    "graphical-session-pre",
    "halt",
    "hibernate",
    "hybrid-sleep",
    "initrd",
    "initrd-fs",
    "initrd-root-device",
    "initrd-root-fs",
    "initrd-switch-root",
    "integritysetup",
    "kexec",
    "local-fs",
    "local-fs-pre",
    "multi-user",
    "network",
    "network-online",
    "network-pre",
    "nss-lookup",
    "nss-user-lookup",
    "paths",
    "poweroff",
    "printer",
    "reboot",
    "remote-cryptsetup",
    "remote-fs",
    "remote-fs-pre",
    "remote-veritysetup",
    "rescue",
    "rpcbind",
    "shutdown",
    "sigpwr",
    "sleep",
    "slices",
    "smartcard",
    "sockets",
    "sound",
    "suspend",
    "suspend-then-hibernate",
    "swap",
    "sysinit",
    "system-update",
    "time-set",
    "time-sync",
    "timers",
    "umount",
    "usb-gadget",
    "veritysetup",
    "veritysetup-pre",
];

/// What a unit's name seems to mean, where it does not say that.
pub(super) fn meant(name: &str) -> Option<String> {
    if TARGETS.contains(&name) {
        return Some(format!("{name}.target"));
    }
    let (stem, suffix) = name.rsplit_once('.')?;
    if SUFFIXES.contains(&suffix) || suffix.is_empty() {
        return None;
    }
    // Services are called like domains, too: only what is nearly a suffix is a mistake.
    nearest(suffix, SUFFIXES).map(|suffix| format!("{stem}.{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn only_what_is_surely_wrong_is_told() {
        let table = [
            ("multi-user", Some("multi-user.target")),
            ("network-online", Some("network-online.target")),
            ("nginx.sevice", Some("nginx.service")),
            ("sshd.sockets", Some("sshd.socket")),
            ("backup.timers", Some("backup.timer")),
            ("nginx", None),
            ("nginx.service", None),
            ("getty@tty1.service", None),
            ("acme-a.example.test", None),
            ("dev-vdb.device", None),
            ("container@x.y", None),
        ];
        for (name, expected) in table {
            assert_eq!(meant(name).as_deref(), expected, "{name}");
        }
    }
}
