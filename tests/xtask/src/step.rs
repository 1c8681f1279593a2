//! One step of setting up, and the key under which its result is kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use crate::schedule::Workplace;

/// What a step keeps busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Network,
    Processor,
}

impl Lane {
    /// How many steps of this lane run at a time. Two compilations fill the gaps in each other's work:
    /// linking, and crates that nothing else can be compiled beside.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::Network => 1,
            Self::Processor => 2,
        }
    }
}

/// How it is known that a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Its directory is in the cache, under the key of its recipe.
    ByRecipe,
    /// It is run each time, since it knows itself what has changed (as cargo and apt do).
    Never,
}

/// What a step does.
pub(crate) type Make = Box<dyn Fn(&Workplace) -> Result<()> + Send + Sync>;

/// One step of setting up.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// What the developer is told about it, in a few words.
    pub(crate) about: &'static str,
    pub(crate) lane: Lane,
    pub(crate) kept: Kept,
    /// Names of the steps whose result it uses.
    pub(crate) needs: &'static [&'static str],
    /// Everything that decides its result: scripts, package names, the release.
    pub(crate) recipe: Vec<String>,
    pub(crate) make: Make,
}

/// Keys of all steps: the hash of a step's recipe and of the keys of what it needs.
///
/// `steps` are in an order in which each comes after what it needs.
pub(crate) fn keys(steps: &[Step]) -> BTreeMap<&'static str, String> {
    let mut keys = BTreeMap::<&'static str, String>::new();
    for step in steps {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            // With lengths, so that no two lists of parts give the same bytes.
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        part(step.name);
        step.recipe.iter().for_each(|text| part(text));
        // A step that is always run has no key worth building on: its result is looked at anew by all who need it.
        step.needs
            .iter()
            .filter_map(|need| keys.get(need))
            .for_each(|key| part(key));
        if step.kept == Kept::ByRecipe {
            keys.insert(step.name, short_hex(&hash.finalize()));
        }
    }
    keys
}

/// The first 80 bits in hexadecimal: enough to tell recipes apart, short enough to read.
pub(crate) fn short_hex(bytes: &[u8]) -> String {
    bytes.iter().take(10).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn step(name: &'static str, needs: &'static [&'static str], recipe: &str) -> Step {
        Step {
            name,
            about: name,
            lane: Lane::Processor,
            kept: Kept::ByRecipe,
            needs,
            recipe: vec![recipe.to_owned()],
            make: Box::new(|_| Ok(())),
        }
    }

    fn three(root: &str, nix: &str, guest: &str) -> BTreeMap<&'static str, String> {
        keys(&[
            step("root", &[], root),
            step("nix", &["root"], nix),
            step("guest", &[], guest),
        ])
    }

    #[test]
    fn a_changed_recipe_changes_what_depends_on_it_and_nothing_else() {
        let (before, after) = (three("a", "b", "c"), three("A", "b", "c"));
        assert_ne!(before["root"], after["root"]);
        assert_ne!(before["nix"], after["nix"]);
        assert_eq!(before["guest"], after["guest"]);

        let after = three("a", "B", "c");
        assert_eq!(before["root"], after["root"]);
        assert_ne!(before["nix"], after["nix"]);
    }

    #[test]
    fn parts_of_a_recipe_do_not_run_into_each_other() {
        let key = |parts: &[&str]| {
            let recipe = parts.iter().map(ToString::to_string).collect();
            keys(&[Step {
                recipe,
                ..step("s", &[], "")
            }])["s"]
                .clone()
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
    }
}
