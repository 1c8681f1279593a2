//! Regular expressions, as scripts would compile them.

use std::cell::OnceCell;

use rustpython::{InterpreterBuilder, InterpreterBuilderExt};
use rustpython_vm::{AsObject, Interpreter, PyResult, VirtualMachine};

use crate::engine::settings;

/// Compiles regular expressions without a script. The interpreter for that is started with the first of them.
#[derive(Default)]
pub struct Patterns(OnceCell<Interpreter>);

impl Patterns {
    /// Compiles a regular expression as Python's `re` does.
    ///
    /// # Errors
    /// What Python has against it.
    pub fn compile(&self, pattern: &str) -> Result<(), String> {
        let interpreter = self.0.get_or_init(|| {
            let mut settings = settings();
            // What will be an error in a later Python is none yet.
            settings.warnoptions.push("ignore".to_owned());
            InterpreterBuilder::new()
                .settings(settings)
                .init_stdlib()
                .interpreter()
        });
        interpreter.enter(|vm| {
            compile(pattern, vm).map_err(|exception| {
                let text = exception.as_object().str(vm);
                text.map(|text| text.to_string_lossy().into_owned())
                    .unwrap_or_default()
            })
        })
    }
}

fn compile(pattern: &str, vm: &VirtualMachine) -> PyResult<()> {
    let re = vm.import("re", 0)?;
    vm.call_method(&re, "compile", (pattern,)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    #[test]
    fn patterns_are_pythons() {
        let patterns = Patterns::default();
        for pattern in ["login:", "(?P<a>x)(?P=a)", r"(?<=a)b\Z", "x{,3}", "[]]"] {
            assert_eq!(patterns.compile(pattern), Ok(()), "{pattern}");
        }
        let cases = [
            (
                "login (as",
                "missing ), unterminated subpattern at position 6",
            ),
            ("*a", "nothing to repeat at position 0"),
            ("a**", "multiple repeat at position 2"),
            (r"\p{L}", r"bad escape \p at position 0"),
            ("[a", "unterminated character set at position 0"),
        ];
        for (pattern, message) in cases {
            assert_eq!(
                patterns.compile(pattern),
                Err(message.to_owned()),
                "{pattern}"
            );
        }
    }
}
