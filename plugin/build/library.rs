//! Makes one Nix expression of the library in `lib/`: in pure evaluation mode a plugin can import no file.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

/// The programs of this build, as JSON; without it, each test has to name them.
const TOOLS: &str = "VMTEST_TOOLS";

/// Store paths of the programs that `builtins.vmTest` uses, and the system they run on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tools {
    /// When left out, the system that the plugin is built for.
    system: Option<String>,
    runner: String,
    agent: String,
    qemu: String,
    e2fsprogs: String,
    /// When left out, a test that reads screens has to name it.
    tesseract: Option<String>,
}

/// The functions of the library that are builtins.
const FUNCTIONS: [&str; 2] = ["vmTest", "vmTestSuite"];

/// The program of this build that checks scripts, as an expression of Rust.
fn checker(tools: Option<&Tools>) -> String {
    match tools {
        Some(tools) => format!("Some({:?})", format!("{}/bin/vmtest", tools.runner)),
        None => "None".to_owned(),
    }
}

/// Writes for each function `vmTest.nix`, an expression for it, and `vmTest.md`, its documentation; and
/// `checker.rs`, the program that checks scripts.
pub(crate) fn write(library: &Path, out: &Path) -> Result<()> {
    println!("cargo:rerun-if-env-changed={TOOLS}");
    let source = inlined(&library.join("default.nix"))?;
    let tools = Tools::given()?;
    fs::write(out.join("checker.rs"), checker(tools.as_ref()))?;
    let attributes = tools.as_ref().map(Tools::attributes).transpose()?;
    let expression = format!("({source}) {{ {} }}\n", attributes.unwrap_or_default());
    for function in FUNCTIONS {
        let text = documentation(&source, function)?;
        write_text(&out.join(format!("{function}.md")), &text)?;
        let value = format!("({expression}).{function}\n");
        write_text(&out.join(format!("{function}.nix")), &value)?;
    }
    Ok(())
}

/// Both files become C strings.
fn write_text(file: &Path, text: &str) -> Result<()> {
    ensure!(!text.contains('\0'), "{} has a NUL byte", file.display());
    fs::write(file, format!("{text}\0")).with_context(|| format!("cannot write {}", file.display()))
}

impl Tools {
    /// Those that the environment names.
    fn given() -> Result<Option<Self>> {
        let Ok(json) = env::var(TOOLS) else {
            return Ok(None);
        };
        serde_json::from_str(&json)
            .map(Some)
            .with_context(|| format!("{TOOLS} is not the JSON it should be"))
    }

    /// The argument of the library that has them.
    fn attributes(&self) -> Result<String> {
        let system = match &self.system {
            Some(system) => system.clone(),
            None => format!("{}-linux", env::var("CARGO_CFG_TARGET_ARCH")?),
        };
        let mut attributes = String::new();
        let programs = [
            ("system", Some(&system)),
            ("runner", Some(&self.runner)),
            ("agent", Some(&self.agent)),
            ("qemu", Some(&self.qemu)),
            ("e2fsprogs", Some(&self.e2fsprogs)),
            ("tesseract", self.tesseract.as_ref()),
        ];
        for (name, value) in programs {
            let Some(value) = value else { continue };
            ensure!(
                value
                    .chars()
                    .all(|character| character.is_ascii_alphanumeric()
                        || "/+-._?=".contains(character)),
                "{TOOLS}: {name} is neither a store path nor a system: {value}"
            );
            attributes.push_str(&format!("{name} = \"{value}\"; "));
        }
        Ok(format!("tools = {{ {attributes}}};"))
    }
}

/// The text of `file`, with the text of another file in place of each `import ./other.nix` and `import ../other.nix`.
fn inlined(file: &Path) -> Result<String> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut parts = text.split("import .");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some(end) = part.find(".nix") else {
            bail!(
                "{}: an import of something else than a .nix file",
                file.display()
            );
        };
        let (path, rest) = part.split_at(end + ".nix".len());
        let other = inlined(&file.with_file_name(format!(".{path}")))?;
        result.push_str(&format!("(\n{other})"));
        result.push_str(rest);
    }
    Ok(result)
}

/// The documentation comment of a function, without its indentation.
fn documentation(source: &str, function: &str) -> Result<String> {
    let (before, _) = source
        .split_once(&format!("\n  {function} ="))
        .with_context(|| format!("lib/default.nix does not define {function}"))?;
    let comment = before
        .rsplit_once("/**")
        .and_then(|(_, comment)| comment.trim_end().strip_suffix("*/"))
        .with_context(|| format!("lib/default.nix does not document {function}"))?;
    let lines: Vec<&str> = comment
        .lines()
        .map(|line| line.strip_prefix("    ").unwrap_or(line.trim_start()))
        .collect();
    Ok(lines.join("\n").trim().to_owned())
}
