//! The text tables that depmod(8) writes.

use std::collections::{BTreeMap, BTreeSet};

/// A module of `modules.dep`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Relative to `lib/modules/<version>`.
    pub(super) path: String,
    /// Names of the modules it needs, those needed first coming first.
    pub(super) needs: Vec<String>,
}

/// What `modules.softdep` wants around a module.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct SoftDependencies {
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
}

/// A name as the kernel spells it.
pub(super) fn normal(name: &str) -> String {
    name.replace('-', "_")
}

/// A module's name from its path: `kernel/fs/erofs/erofs.ko.xz` is `erofs`.
fn name_of(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    normal(file.split(".ko").next().unwrap_or(file))
}

/// `modules.dep`; the error is the number of the bad line.
pub(super) fn dependencies(text: &str) -> Result<BTreeMap<String, Entry>, usize> {
    lines(text)
        .map(|(number, line)| {
            let (path, needs) = line.split_once(':').ok_or(number)?;
            // A line names everything its module needs, what is needed first coming last.
            let needs = needs.split_whitespace().rev().map(name_of).collect();
            Ok((
                name_of(path),
                Entry {
                    path: path.to_owned(),
                    needs,
                },
            ))
        })
        .collect()
}

/// `modules.builtin`: a path in each line.
pub(super) fn builtin(text: &str) -> BTreeSet<String> {
    lines(text).map(|(_, line)| name_of(line)).collect()
}

/// `modules.softdep`: `softdep NAME pre: NAME… post: NAME…`.
pub(super) fn soft_dependencies(text: &str) -> BTreeMap<String, SoftDependencies> {
    let mut found: BTreeMap<String, SoftDependencies> = BTreeMap::new();
    for (_, line) in lines(text) {
        let mut words = line.split_whitespace();
        if words.next() != Some("softdep") {
            continue;
        }
        let Some(name) = words.next() else { continue };
        let soft = found.entry(normal(name)).or_default();
        let mut list = None;
        for word in words {
            match (word, list.as_mut()) {
                ("pre:", _) => list = Some(&mut soft.before),
                ("post:", _) => list = Some(&mut soft.after),
                (name, Some(list)) => list.push(normal(name)),
                (_, None) => {}
            }
        }
    }
    found
}

/// `modules.alias` without the wildcards: `alias NAME MODULE`.
pub(super) fn aliases(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, line) in lines(text) {
        let mut words = line.split_whitespace();
        if let (Some("alias"), Some(alias), Some(module)) =
            (words.next(), words.next(), words.next())
            && !alias.contains(['*', '?', '['])
        {
            found.entry(normal(alias)).or_default().push(normal(module));
        }
    }
    found
}

/// Numbered from 1, without comments and empty ones.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
