//! What interfaces and disks can be called.

/// Whether an interface can be called so: what Linux takes (`dev_valid_name`), but for patterns such as `eth%d`.
pub(super) fn is_interface_name(text: &str) -> bool {
    (1..=15).contains(&text.len())
        && !matches!(text, "." | "..")
        && !text.contains(|character: char| character.is_whitespace() || "/:%".contains(character))
}

/// Whether a disk can have such a serial number; longer ones QEMU cuts off.
pub(super) fn is_serial_number(text: &str) -> bool {
    (1..=20).contains(&text.len())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "_.-".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_called_as_linux_lets_them_be() {
        for name in [
            "eth1",
            "user",
            "1lan",
            "a,b",
            "...",
            "a.b",
            "fifteen-letters",
            "ü",
        ] {
            assert!(is_interface_name(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "a:b",
            "a b",
            "a\tb",
            "eth%d",
            "sixteen-letters-",
        ] {
            assert!(!is_interface_name(name), "{name}");
        }
    }
}
