//! What the NixOS test driver (Python) takes, by emulation on two cores, with the same image: measured once, elsewhere.

use super::measurement::Elsewhere;

/// Test, figure, lowest and highest; in the unit of the figure.
const FIGURES: [(&str, &str, f64, f64); 14] = [
    ("trivial", "total", 25.8, 25.8),
    // From QEMU's start to the root shell, which it has late.
    ("trivial", "power-on to agent", 24.8, 24.8),
    // `wait_for_unit` after that.
    ("trivial", "agent to multi-user", 0.5, 0.5),
    ("command", "succeed(\"true\")", 38.0, 38.0),
    ("waits", "wait_for_file", 520.0, 640.0),
    ("waits", "wait_for_unit", 520.0, 640.0),
    ("waits", "wait_for_open_port", 520.0, 640.0),
    ("waits", "wait_for_console_text", 520.0, 640.0),
    // Over a folder that host and guest share.
    ("copy", "copy_from_host of 64 MiB", 41.0, 41.0),
    ("copy", "copy_from_machine of 64 MiB", 47.0, 47.0),
    ("network", "TCP of 64 MiB between two guests", 13.0, 13.0),
    ("network", "ping between two guests", 1.9, 1.9),
    (
        "machines-1-booted",
        "memory of the runner (PSS)",
        46.0,
        46.0,
    ),
    // Its packages, without QEMU.
    ("sizes", "runner and agent", 161.0, 161.0),
];

/// The driver's figure, if there is one.
pub(super) fn figure(test: &str, name: &str) -> Option<Elsewhere> {
    FIGURES
        .into_iter()
        .find(|(of, figure, ..)| (*of, *figure) == (test, name))
        .map(|(_, _, low, high)| Elsewhere { low, high })
}
