//! Runs the Nix that has loaded the plugin.

use std::env;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Where the function under test comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry {
    /// `builtins.vmTest`, in pure evaluation mode.
    Plugin,
    /// `lib/default.nix`, which has to be read from the disk.
    Library,
}

impl Entry {
    pub(crate) const ALL: [Self; 2] = [Self::Plugin, Self::Library];

    fn library(self) -> String {
        match self {
            Self::Plugin => "builtins".to_owned(),
            Self::Library => {
                let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lib");
                format!("(import {} {{ }})", library.display())
            }
        }
    }

    /// Evaluates `expression`, in which there are `vmTest`, `vmTestSuite`, `tools`, a `machine` and, for brevity, `run`, `node` and `nodes`.
    pub(crate) fn eval(self, options: &[&str], expression: &str) -> Result<String, String> {
        let (printed, _) = self.run(options, expression)?;
        Ok(printed)
    }

    /// What Nix says beside the value of an expression.
    pub(crate) fn warnings(self, expression: &str) -> Result<String, String> {
        let (_, said) = self.run(&[], expression)?;
        Ok(said)
    }

    fn run(self, options: &[&str], expression: &str) -> Result<(String, String), String> {
        let library = self.library();
        let expression = format!(
            r#"let
              inherit ({library}) vmTest vmTestSuite;
              fake = name: derivation {{ inherit name; system = "x86_64-linux"; builder = "/fake"; }};
              tools = {{
                system = "x86_64-linux";
                runner = fake "vmtest"; agent = fake "vmtest-agent"; qemu = fake "qemu"; e2fsprogs = fake "e2fsprogs";
              }};
              machine = {{ kernel = fake "kernel"; root.layers = [ {{ archive = fake "guest.tar"; }} ]; }};
              run = attributes: (vmTest ({{ name = "t"; nodes = {{ }}; testScript = ""; inherit tools; }} // attributes)).drvPath;
              nodes = attributes: run {{ nodes = attributes; }};
              node = attributes: nodes {{ server = machine // attributes; }};
            in {expression}"#
        );
        let mut arguments = vec!["eval", "--read-only", "--expr", &expression];
        if matches!(self, Self::Library) {
            arguments.push("--impure");
        }
        arguments.extend(options);
        let output = nix(&arguments, "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            let printed = String::from_utf8_lossy(&output.stdout);
            Ok((printed.trim_end().to_owned(), said))
        } else {
            Err(said)
        }
    }
}

/// Runs `nix` with `input` on its standard input.
pub(crate) fn nix(arguments: &[&str], input: &str) -> Output {
    let xtask = env::var_os("VMTEST_XTASK").expect("VMTEST_XTASK is set: run `cargo xtask test`");
    let mut child = Command::new(xtask)
        .args(["nix", "--"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xtask starts");
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    // One that ends before it has read all says why.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("nix ends")
}
