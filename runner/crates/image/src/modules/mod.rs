//! Kernel modules: which files to load, and in which order, so that some named ones work.
//!
//! Reads what depmod(8) writes into `lib/modules/<version>`: `modules.dep`, `modules.builtin`, `modules.softdep`
//! and `modules.alias`. As for modprobe, `-` and `_` are the same in names, soft dependencies that are not there
//! are left out, and an alias can stand for several modules. Aliases with wildcards (device identifiers) are not
//! looked at: nobody names them.

mod compression;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use tables::SoftDependencies;

/// Names this similar (Jaro-Winkler, 1 is equal) are worth suggesting.
const SUGGESTION_THRESHOLD: f64 = 0.8;
const MAX_SUGGESTIONS: usize = 3;

/// What can go wrong with modules.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// A file of the kernel's.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of `modules.dep` without a colon.
    #[error("{}, line {line}: not a `module: dependencies` line", path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// Neither a module, a built-in nor an alias.
    #[error("the kernel in {} has no module `{name}`{}", directory.display(), suggestion(near))]
    Missing {
        /// `lib/modules/<version>`.
        directory: PathBuf,
        /// The name asked for.
        name: String,
        /// Similar names it does have, the most similar first.
        near: Vec<String>,
    },
    /// Modules that need each other: the tables are broken.
    #[error("the module `{name}` in {} depends on itself", directory.display())]
    Cycle {
        /// `lib/modules/<version>`.
        directory: PathBuf,
        /// One of them.
        name: String,
    },
    /// What came out is not a module.
    #[error("{} is not a kernel module", path.display())]
    NotAModule {
        /// The file.
        path: PathBuf,
    },
}

fn suggestion(near: &[String]) -> String {
    if near.is_empty() {
        String::new()
    } else {
        format!("; similar ones: {}", near.join(", "))
    }
}

/// A module to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its name, with `_` for `-`.
    pub name: String,
    /// Its file on the host, perhaps compressed.
    pub path: PathBuf,
    /// Whether the named ones need it. Others are soft dependencies, and may fail to load: `crc32c_intel` does so
    /// on a processor without the instruction.
    pub required: bool,
}

impl Module {
    /// The module as `init_module` takes it: read, and decompressed by the file's ending.
    ///
    /// # Errors
    /// [`ModuleError::Read`], also for damaged data; [`ModuleError::NotAModule`].
    pub fn read(&self) -> Result<Vec<u8>, ModuleError> {
        let bytes = compression::read(&self.path).map_err(|source| ModuleError::Read {
            path: self.path.clone(),
            source,
        })?;
        if !bytes.starts_with(b"\x7fELF") {
            return Err(ModuleError::NotAModule {
                path: self.path.clone(),
            });
        }
        Ok(bytes)
    }
}

/// What one kernel has.
#[derive(Debug)]
pub struct Index {
    directory: PathBuf,
    modules: BTreeMap<String, tables::Entry>,
    builtin: BTreeSet<String>,
    soft: BTreeMap<String, SoftDependencies>,
    aliases: BTreeMap<String, Vec<String>>,
}

impl Index {
    /// Reads the tables in `lib/modules/<version>`. Only `modules.dep` must be there.
    ///
    /// # Errors
    /// [`ModuleError::Read`] and [`ModuleError::BadLine`] name the table.
    pub fn open(directory: &Path) -> Result<Self, ModuleError> {
        let dep = directory.join("modules.dep");
        let text = std::fs::read_to_string(&dep).map_err(|source| ModuleError::Read {
            path: dep.clone(),
            source,
        })?;
        let modules =
            tables::dependencies(&text).map_err(|line| ModuleError::BadLine { path: dep, line })?;
        let optional = |name: &str| {
            let path = directory.join(name);
            match std::fs::read_to_string(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
                other => other.map_err(|source| ModuleError::Read { path, source }),
            }
        };
        Ok(Self {
            directory: directory.to_owned(),
            modules,
            builtin: tables::builtin(&optional("modules.builtin")?),
            soft: tables::soft_dependencies(&optional("modules.softdep")?),
            aliases: tables::aliases(&optional("modules.alias")?),
        })
    }

    /// Everything to load for `names` (modules or aliases), each after what it needs; built-ins are left out.
    ///
    /// # Errors
    /// [`ModuleError::Missing`] for a name the kernel does not have, [`ModuleError::Cycle`].
    pub fn closure(&self, names: &[&str]) -> Result<Vec<Module>, ModuleError> {
        let mut order = Order {
            index: self,
            done: BTreeSet::new(),
            modules: Vec::new(),
        };
        let mut required = BTreeSet::new();
        for name in names {
            let wanted = self.resolve(name).ok_or_else(|| self.missing(name))?;
            for name in &wanted {
                order.add(name, &mut Vec::new())?;
            }
            // Of several modules of one alias, any may do.
            if let [name] = wanted.as_slice() {
                self.require(name, &mut required);
            }
        }
        for module in &mut order.modules {
            module.required = required.contains(&module.name);
        }
        Ok(order.modules)
    }

    /// Marks a module and what it needs. Ends, since what is marked already is not followed again.
    fn require(&self, name: &str, required: &mut BTreeSet<String>) {
        if let Some(entry) = self.modules.get(name)
            && required.insert(name.to_owned())
        {
            entry
                .needs
                .iter()
                .for_each(|needed| self.require(needed, required));
        }
    }

    /// The modules a name stands for: none for a built-in; nothing for an unknown name.
    fn resolve(&self, name: &str) -> Option<Vec<String>> {
        let name = tables::normal(name);
        if self.modules.contains_key(&name) {
            return Some(vec![name]);
        }
        if self.builtin.contains(&name) {
            return Some(Vec::new());
        }
        let targets = self.aliases.get(&name)?.iter();
        Some(
            targets
                .filter(|target| self.modules.contains_key(*target))
                .cloned()
                .collect(),
        )
    }

    fn missing(&self, name: &str) -> ModuleError {
        let normal = tables::normal(name);
        let mut near: Vec<(f64, &String)> = self
            .modules
            .keys()
            .chain(&self.builtin)
            .map(|known| (strsim::jaro_winkler(known, &normal), known))
            .filter(|(similarity, _)| *similarity >= SUGGESTION_THRESHOLD)
            .collect();
        near.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
        near.dedup();
        ModuleError::Missing {
            directory: self.directory.clone(),
            name: name.to_owned(),
            near: near
                .into_iter()
                .take(MAX_SUGGESTIONS)
                .map(|(_, name)| name.clone())
                .collect(),
        }
    }
}

/// Depth-first: what a module needs comes before it.
struct Order<'a> {
    index: &'a Index,
    done: BTreeSet<String>,
    modules: Vec<Module>,
}

impl Order<'_> {
    /// Adds a module that the index has. `open` are those whose needs are being added right now.
    fn add(&mut self, name: &str, open: &mut Vec<String>) -> Result<(), ModuleError> {
        let Some(entry) = self.index.modules.get(name) else {
            return Ok(());
        };
        if self.done.contains(name) {
            return Ok(());
        }
        if open.iter().any(|other| other == name) {
            let directory = self.index.directory.clone();
            return Err(ModuleError::Cycle {
                directory,
                name: name.to_owned(),
            });
        }
        open.push(name.to_owned());
        let soft = self.index.soft.get(name);
        self.add_soft(soft.map_or(&[], |soft| &soft.before), open)?;
        for needed in &entry.needs {
            if !self.index.modules.contains_key(needed) && !self.index.builtin.contains(needed) {
                return Err(self.index.missing(needed));
            }
            self.add(needed, open)?;
        }
        open.pop();
        self.done.insert(name.to_owned());
        self.modules.push(Module {
            name: name.to_owned(),
            path: self.index.directory.join(&entry.path),
            required: false,
        });
        self.add_soft(soft.map_or(&[], |soft| &soft.after), open)
    }

    fn add_soft(&mut self, names: &[String], open: &mut Vec<String>) -> Result<(), ModuleError> {
        for name in names {
            for name in self.index.resolve(name).unwrap_or_default() {
                // A soft dependency back to one that is being added is none.
                if !open.contains(&name) {
                    self.add(&name, open)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
