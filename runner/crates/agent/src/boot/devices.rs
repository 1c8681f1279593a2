//! Disks by their serial number, and the port by its name.
//!
//! Drivers find their devices a moment after they were loaded, hence the waiting.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use thiserror::Error;

/// How long a device may take to appear; emulated machines are slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(2);

const PORTS: &str = "/sys/class/virtio-ports";

/// Why a device is not there.
#[derive(Debug, Error)]
pub(super) enum DeviceError {
    #[error("no {kind} {name:?} appeared within {} s (there are: {})", PATIENCE.as_secs(), present(seen))]
    Missing {
        kind: &'static str,
        name: String,
        seen: Vec<String>,
    },
    #[error("cannot open {}: {source}", path.display())]
    Open { path: PathBuf, source: io::Error },
}

fn present(seen: &[String]) -> String {
    match seen {
        [] => "none".into(),
        seen => seen.join(", "),
    }
}

/// The device file of the disk with a serial number.
pub(super) fn find_disk(serial: &str) -> Result<PathBuf, DeviceError> {
    find(
        "disk with the serial number",
        "/sys/block",
        "serial",
        serial,
    )
}

/// Opens the virtio-serial port of a name, when it has appeared.
pub(super) fn open_port(name: &str) -> Result<OwnedFd, DeviceError> {
    open_file(find("virtio-serial port", PORTS, "name", name)?)
}

/// Opens the virtio-serial port of a name if it is there by now.
pub(super) fn open_present_port(name: &str) -> Option<OwnedFd> {
    let port = look(Path::new(PORTS), "name", name)?;
    open_file(Path::new("/dev").join(port)).ok()
}

fn open_file(path: PathBuf) -> Result<OwnedFd, DeviceError> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY;
    let opened = open(&path, flags, Mode::empty()).map_err(io::Error::from);
    opened.map_err(|source| DeviceError::Open { path, source })
}

/// Waits for the device whose attribute has a value, and for its file.
fn find(
    kind: &'static str,
    class: &str,
    attribute: &str,
    value: &str,
) -> Result<PathBuf, DeviceError> {
    wait_for(|| {
        look(Path::new(class), attribute, value)
            .map(|name| Path::new("/dev").join(name))
            .filter(|path| path.exists())
    })
    .ok_or_else(|| DeviceError::Missing {
        kind,
        name: value.into(),
        seen: values(Path::new(class), attribute)
            .map(|(_, value)| value)
            .collect(),
    })
}

/// Looks again and again until there is something, or patience ends.
pub(super) fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = look();
        if found.is_some() || Instant::now() > deadline {
            return found;
        }
        std::thread::sleep(INTERVAL);
    }
}

fn look(class: &Path, attribute: &str, wanted: &str) -> Option<String> {
    values(class, attribute).find_map(|(name, value)| (value == wanted).then_some(name))
}

/// The names of a class's devices, each with the value of an attribute.
pub(super) fn values(class: &Path, attribute: &str) -> impl Iterator<Item = (String, String)> {
    let entries = fs::read_dir(class).into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let value = fs::read_to_string(entry.path().join(attribute)).ok()?;
        Some((
            entry.file_name().into_string().ok()?,
            value.trim().to_owned(),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_by_its_attribute() {
        let class = tempfile::tempdir().expect("temporary folder");
        for (name, serial) in [("vda", "other\n"), ("vdb", "vmtest-root\n")] {
            fs::create_dir(class.path().join(name)).expect("made");
            fs::write(class.path().join(name).join("serial"), serial).expect("written");
        }
        fs::create_dir(class.path().join("sr0")).expect("made");
        assert_eq!(
            look(class.path(), "serial", "vmtest-root"),
            Some("vdb".into())
        );
        assert_eq!(look(class.path(), "serial", "vmtest"), None);
    }
}
