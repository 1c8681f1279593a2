//! What the environment adds to the start of a machine.
//!
//! The start scripts of NixOS machines append these variables to QEMU's command line and to the kernel's, and test
//! scripts set them in `os.environ` before they start a machine.

/// Arguments for QEMU, parted by white space.
const OPTIONS: &str = "QEMU_OPTS";

/// Options of the user network, parted by commas, such as `hostfwd=tcp::8080-:80`.
const USER_NETWORK: &str = "QEMU_NET_OPTS";

/// Kernel parameters, parted by white space.
const KERNEL_PARAMETERS: &str = "QEMU_KERNEL_PARAMS";

/// What is added to a start.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Additions {
    /// Arguments for QEMU.
    pub options: Vec<String>,
    /// Options of the user network, parted by commas; may be empty.
    pub user_network: String,
    /// Kernel parameters.
    pub kernel_parameters: Vec<String>,
}

impl Additions {
    /// What the variables say; `variable` looks one up.
    pub fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name| variable(name).unwrap_or_default();
        let words = |name| text(name).split_whitespace().map(str::to_owned).collect();
        Self {
            options: words(OPTIONS),
            user_network: text(USER_NETWORK).trim().trim_matches(',').to_owned(),
            kernel_parameters: words(KERNEL_PARAMETERS),
        }
    }

    /// What is added to a machine, in words, and what is not since it has no user network.
    #[must_use]
    pub fn told(&self, has_user_network: bool) -> Vec<String> {
        let told = [
            (OPTIONS, "QEMU's arguments", self.options.join(" ")),
            (
                USER_NETWORK,
                "QEMU's user network",
                self.user_network.clone(),
            ),
            (
                KERNEL_PARAMETERS,
                "the kernel's parameters",
                self.kernel_parameters.join(" "),
            ),
        ];
        told.into_iter()
            .filter(|(_, _, what)| !what.is_empty())
            .map(|(name, whose, what)| match name {
                USER_NETWORK if !has_user_network => {
                    format!("{name} adds nothing to a machine without a user network: {what}")
                }
                _ => format!("{name} adds to {whose}: {what}"),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_added_and_told() {
        let additions = Additions::from(|name| match name {
            OPTIONS => Some(" -snapshot  -m\n2048 ".to_owned()),
            USER_NETWORK => Some(",hostfwd=tcp::8080-:80".to_owned()),
            _ => Some(" ".to_owned()),
        });
        let expected = Additions {
            options: ["-snapshot", "-m", "2048"].map(str::to_owned).into(),
            user_network: "hostfwd=tcp::8080-:80".to_owned(),
            kernel_parameters: Vec::new(),
        };
        assert_eq!(additions, expected);
        assert_eq!(
            additions.told(true),
            [
                "QEMU_OPTS adds to QEMU's arguments: -snapshot -m 2048",
                "QEMU_NET_OPTS adds to QEMU's user network: hostfwd=tcp::8080-:80"
            ]
        );
        assert_eq!(
            additions.told(false)[1],
            "QEMU_NET_OPTS adds nothing to a machine without a user network: hostfwd=tcp::8080-:80"
        );
        let additions =
            Additions::from(|name| (name == KERNEL_PARAMETERS).then(|| "quiet debug".to_owned()));
        assert_eq!(additions.kernel_parameters, ["quiet", "debug"]);
        assert_eq!(
            additions.told(false),
            ["QEMU_KERNEL_PARAMS adds to the kernel's parameters: quiet debug"]
        );
        assert_eq!(Additions::from(|_| None), Additions::default());
    }
}
