//! A script and its stubs as a program that `ty` can look at: nothing but memory, no file of the host is read by it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use ruff_db::Db as SourceDb;
use ruff_db::diagnostic::Diagnostic;
use ruff_db::files::{File, Files, system_path_to_file};
use ruff_db::system::{InMemorySystem, MemoryFileSystem, System, SystemPath, SystemPathBuf};
use ruff_db::vendored::VendoredFileSystem;
use ruff_python_ast::PythonVersion;
use thiserror::Error;
use ty_module_resolver::{Db as ModuleResolverDb, SearchPathSettings};
use ty_python_core::ProgramFile;
use ty_python_core::platform::PythonPlatform;
use ty_python_core::program::{FallibleStrategy, ProgramSettings};
use ty_python_semantic::lint::{LintRegistry, RuleSelection};
use ty_python_semantic::{
    AnalysisSettings, Db, Program, PythonVersionSource, PythonVersionWithSource, check_file_unwrap,
    default_lint_registry,
};

use crate::{Test, ignore, rules};

/// The version of Python whose grammar and library scripts are held to: the interpreter's.
const PYTHON: PythonVersion = PythonVersion::PY313;

/// Where scripts and stubs lie.
const ROOT: &str = "/script";
const SCRIPT: &str = "/script/testScript.py";
/// Where packages lie that a script imports from.
const PACKAGES: &str = "/packages";

/// The script cannot be laid out for the type checker.
#[derive(Debug, Error)]
#[error("the type checker cannot be set up: {0}")]
pub struct SetupError(String);

impl SetupError {
    fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// What `ty` asks its questions to.
#[salsa::db]
#[derive(Clone)]
pub(crate) struct Database {
    storage: salsa::Storage<Self>,
    files: Files,
    system: Arc<InMemorySystem>,
    vendored: VendoredFileSystem,
    rules: Arc<RuleSelection>,
    analysis: Arc<AnalysisSettings>,
    settings: Arc<ProgramSettings>,
}

/// A database that knows which program it is about.
#[salsa::db]
trait WithSettings: ty_python_core::Db {
    fn settings(&self) -> &ProgramSettings;
}

#[salsa::tracked(returns(copy))]
fn program(db: &dyn WithSettings) -> Program<'_> {
    Program::from_settings(db, db.settings())
}

impl Database {
    /// Lays out a script, and gives the file that it becomes.
    pub(crate) fn new(script: &str, test: &Test) -> Result<(Self, File), SetupError> {
        let system = InMemorySystem::default();
        let memory = system.fs();
        let path = SystemPath::new(SCRIPT);
        memory
            .write_file_all(path, ignore::without_codes(script))
            .map_err(SetupError::new)?;
        for stub in &test.stubs {
            let path = SystemPath::new(ROOT).join(&stub.path);
            memory
                .write_file_all(path, &stub.text)
                .map_err(SetupError::new)?;
        }
        memory
            .create_directory_all(PACKAGES)
            .map_err(SetupError::new)?;
        for folder in &test.python_path {
            copy_modules(folder, SystemPath::new(PACKAGES), memory);
        }
        let vendored = ty_vendored::file_system().clone();
        let mut database = Self {
            storage: salsa::Storage::new(None),
            files: Files::default(),
            settings: Arc::new(ProgramSettings::empty(&vendored)),
            vendored,
            system: Arc::new(system),
            rules: Arc::new(rules::selection()),
            analysis: Arc::new(AnalysisSettings::default()),
        };
        let search_paths = SearchPathSettings {
            extra_paths: vec![SystemPathBuf::from(PACKAGES)],
            ..SearchPathSettings::new(vec![SystemPathBuf::from(ROOT)])
        };
        let settings = ProgramSettings {
            python_version: PythonVersionWithSource {
                version: PYTHON,
                source: PythonVersionSource::default(),
            },
            python_platform: PythonPlatform::Identifier("linux".to_owned()),
            search_paths: search_paths
                .to_search_paths(database.system(), database.vendored(), &FallibleStrategy)
                .map_err(SetupError::new)?,
        };
        settings.search_paths.try_register_static_roots(&database);
        database.settings = Arc::new(settings);
        let file = system_path_to_file(&database, path).map_err(SetupError::new)?;
        Ok((database, file))
    }
}

/// Copies what can be imported from a folder; what cannot be read cannot be imported either.
fn copy_modules(folder: &Path, to: &SystemPath, memory: &MemoryFileSystem) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let Some(name) = name.to_str() else { continue };
        let target = to.join(name);
        if path.is_dir() {
            copy_modules(&path, &target, memory);
        } else if (name.ends_with(".py") || name.ends_with(".pyi"))
            // A name that is taken is an earlier folder's, which wins.
            && !memory.exists(&target)
            && let Ok(text) = fs::read_to_string(&path)
        {
            let _ = memory.write_file_all(target, text);
        }
    }
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl SourceDb for Database {
    fn vendored(&self) -> &VendoredFileSystem {
        &self.vendored
    }

    fn system(&self) -> &dyn System {
        &*self.system
    }

    fn files(&self) -> &Files {
        &self.files
    }
}

#[salsa::db]
impl ModuleResolverDb for Database {}

#[salsa::db]
impl ty_python_core::Db for Database {
    fn should_check_file(&self, file: File) -> bool {
        file.path(self).as_str() == SCRIPT
    }
}

#[salsa::db]
impl WithSettings for Database {
    fn settings(&self) -> &ProgramSettings {
        &self.settings
    }
}

#[salsa::db]
impl Db for Database {
    fn check_file(&self, file: File) -> Vec<Diagnostic> {
        check_file_unwrap(self, self.program_file(file))
    }

    fn program_file(&self, file: File) -> ProgramFile<'_> {
        program(self).program_file(self, file)
    }

    fn python_version_with_source(&self, _file: File) -> &PythonVersionWithSource {
        &self.settings.python_version
    }

    fn rule_selection(&self, _file: File) -> &RuleSelection {
        &self.rules
    }

    fn lint_registry(&self) -> &LintRegistry {
        default_lint_registry()
    }

    fn analysis_settings(&self, _file: File) -> &AnalysisSettings {
        &self.analysis
    }

    fn verbose(&self) -> bool {
        false
    }

    fn is_open_file(&self, _file: File) -> bool {
        false
    }

    fn dyn_clone(&self) -> Box<dyn Db> {
        Box::new(self.clone())
    }
}

/// Whether a file is a stub of the script API.
pub(crate) fn is_stub(database: &dyn Db, file: File) -> bool {
    let path = file.path(database).as_str();
    path.starts_with(ROOT) && path != SCRIPT
}
