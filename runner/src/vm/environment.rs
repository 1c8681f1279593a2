//! What the environment adds to the start of a machine.
//!
//! The start scripts of NixOS machines append these variables to QEMU's command line and to the kernel's, and test
//! scripts set them in `os.environ` before they start a machine.

/// Arguments for QEMU, parted by white space.
const OPTIONS: &str = "QEMU_OPTS";

/// Kernel parameters, parted by white space.
const KERNEL_PARAMETERS: &str = "QEMU_KERNEL_PARAMS";

/// Appends what the variables say, and tells in words what that was. `variable` looks one up.
pub fn extend(
    options: &mut Vec<String>,
    kernel_parameters: &mut Vec<String>,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    let mut told = Vec::new();
    for (name, whose, list) in [
        (OPTIONS, "QEMU's arguments", options),
        (
            KERNEL_PARAMETERS,
            "the kernel's parameters",
            kernel_parameters,
        ),
    ] {
        let text = variable(name).unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        if !words.is_empty() {
            told.push(format!("{name} adds to {whose}: {}", words.join(" ")));
            list.extend(words.into_iter().map(str::to_owned));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_appended_and_told() {
        let (mut options, mut parameters) = (vec!["-s".to_owned()], Vec::new());
        let told = extend(&mut options, &mut parameters, |name| match name {
            OPTIONS => Some(" -snapshot  -m\n2048 ".to_owned()),
            _ => Some(" ".to_owned()),
        });
        assert_eq!(options, ["-s", "-snapshot", "-m", "2048"]);
        assert_eq!(parameters, [""; 0]);
        assert_eq!(
            told,
            ["QEMU_OPTS adds to QEMU's arguments: -snapshot -m 2048"]
        );
        let told = extend(&mut options, &mut parameters, |name| {
            (name == KERNEL_PARAMETERS).then(|| "quiet debug".to_owned())
        });
        assert_eq!(parameters, ["quiet", "debug"]);
        assert_eq!(
            told,
            ["QEMU_KERNEL_PARAMS adds to the kernel's parameters: quiet debug"]
        );
    }
}
