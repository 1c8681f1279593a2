//! The rules of shared folders.

use std::path::{Component, Path};

use vmtest_manifest::SharedDirectory;
use vmtest_share::LONGEST_TAG;

use super::Rules;
use crate::spec::Share;

impl Rules<'_> {
    pub(super) fn shares(&mut self, place: &str, directories: &[SharedDirectory]) -> Vec<Share> {
        let (mut tags, mut targets) = (Vec::new(), Vec::new());
        if self.attributes.manifest.shared_dir {
            tags.push(Share::COMMON_TAG);
            targets.push(Share::COMMON_TARGET);
        }
        for directory in directories {
            let SharedDirectory {
                tag,
                source,
                target,
                ..
            } = directory;
            let at = format!("{place}.{tag}");
            self.require(
                &at,
                is_tag(tag),
                format!(
                    "a shared folder's tag has 1 to {LONGEST_TAG} letters, digits and characters of `+-._`"
                ),
            );
            self.require(
                &at,
                !tags.contains(&tag.as_str()),
                "another shared folder of the machine has this tag",
            );
            self.folder(&format!("{at}.source"), source);
            let at = format!("{at}.target");
            self.require(
                &at,
                is_target(target),
                format!("`{target}` is no absolute path without `..`, white space and backslashes"),
            );
            self.require(
                &at,
                !targets.contains(&target.as_str()),
                format!("another shared folder of the machine is at `{target}`"),
            );
            tags.push(tag);
            targets.push(target);
        }
        directories.iter().map(share).collect()
    }
}

/// QEMU's command line takes no comma for a part of a value.
fn is_tag(tag: &str) -> bool {
    (1..=LONGEST_TAG).contains(&tag.len())
        && tag
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c))
}

/// The agent finds its mounts in a table of the kernel's, which has other signs for white space and backslashes.
fn is_target(target: &str) -> bool {
    let mut components = Path::new(target).components();
    components.next() == Some(Component::RootDir)
        && components.clone().next().is_some()
        && components.all(|component| matches!(component, Component::Normal(_)))
        && !target.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\')
        && !target.ends_with('/')
}

fn share(directory: &SharedDirectory) -> Share {
    Share {
        tag: directory.tag.clone(),
        source: directory.source.clone(),
        target: directory.target.clone(),
        read_only: directory.read_only,
    }
}
