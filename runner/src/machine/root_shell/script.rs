//! What a guest's root shell is told.

use vmtest_protocol::{JOIN, PORT_NAME};

/// Ends the answer to [`question`] and begins it, so that neither an echo of the question nor a line of the kernel's is
/// taken for it.
pub(super) const ANSWER: &str = "vmtest-boot:";

/// Begins what the installation says when it fails; a line.
pub(super) const COMPLAINT: &str = "vmtest-agent: ";

/// Where a guest has its things.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    boot_id: &'a str,
    ports: &'a str,
    devices: &'a str,
    /// Where the program may lie for the moment, in order of preference: not all take programs.
    folders: &'a str,
}

/// Linux's own.
const LINUX: Places<'_> = Places {
    boot_id: "/proc/sys/kernel/random/boot_id",
    ports: "/sys/class/virtio-ports",
    devices: "/dev",
    folders: "/run /tmp /dev/shm /root",
};

/// Asks which boot this is; answered by `vmtest-boot:ID:`, empty where it is not known.
pub(super) fn question() -> String {
    let file = LINUX.boot_id;
    format!("name=vmtest; boot=; read -r boot < {file}; echo; echo \"$name-boot:$boot:\"\n")
}

/// Has the shell take a program of so many bytes and start it, if this is still the same boot.
pub(super) fn installation(boot: &str, mark: &str, length: usize) -> String {
    installation_at(&LINUX, boot, mark, length)
}

/// What goes through the port then: what is in it from an earlier boot is told apart by the mark.
pub(super) fn parcel(mark: &str, program: &[u8]) -> Vec<u8> {
    [b"\n", mark.as_bytes(), b"\n", program].concat()
}

fn installation_at(places: &Places<'_>, boot: &str, mark: &str, length: usize) -> String {
    let length = length.to_string();
    let values = [
        ("@BOOT_ID_FILE@", places.boot_id),
        ("@PORTS@", places.ports),
        ("@DEVICES@", places.devices),
        ("@FOLDERS@", places.folders),
        ("@PORT@", PORT_NAME),
        ("@JOIN@", JOIN),
        ("@BOOT@", boot),
        ("@MARK@", mark),
        ("@LENGTH@", &length),
    ];
    let text = include_str!("install.sh");
    let lines = text.lines().map(str::trim_start);
    let mut script = String::with_capacity(text.len());
    for line in lines.filter(|line| !line.starts_with('#')) {
        script.push_str(line);
        script.push('\n');
    }
    for (name, value) in values {
        script = script.replace(name, value);
    }
    script
}

#[cfg(test)]
mod tests;
