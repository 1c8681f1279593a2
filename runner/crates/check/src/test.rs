//! What a script is checked against.

use std::path::PathBuf;

/// A test, as far as its script can tell.
pub struct Test<'a> {
    /// Its machines.
    pub machines: Vec<Machine>,
    /// What a script can use, as files of types.
    pub stubs: Vec<Stub>,
    /// Whether the script may read screens.
    pub ocr: bool,
    /// Folders in which the script finds more modules. Those that are not there yet may hold any module.
    pub python_path: Vec<PathBuf>,
    /// Whether only what is no question of types is looked at.
    pub skip_types: bool,
    /// Whether only syntax and types are looked at.
    pub skip_lint: bool,
    /// Names of rules that are not followed.
    pub ignored: Vec<String>,
    /// Compiles a regular expression as the script's interpreter does; an error is the interpreter's message.
    pub compile: &'a dyn Fn(&str) -> Result<(), String>,
    /// Modules of Python's standard library that the script's interpreter does not have.
    pub unavailable: &'static [&'static str],
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name in the test.
    pub name: String,
    /// Its name in the script.
    pub variable: String,
    /// Whether a start script of its own runs it: it cannot be saved then.
    pub has_start_script: bool,
}

/// A file of types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stub {
    /// Its path below the root of modules, such as `test_driver/errors.pyi`.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl Test<'_> {
    /// The packages are not built yet while a test is evaluated.
    pub(crate) fn lacks_packages(&self) -> bool {
        self.python_path.iter().any(|folder| !folder.exists())
    }
}
