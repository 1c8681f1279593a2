//! What machines are asked for.

use ruff_python_ast::{AnyNodeRef, Expr, ExprCall, ExprName};
use ruff_text_size::Ranged;
use ty_python_semantic::types::ide_support::{
    ImportAliasResolution, ResolvedDefinition, definitions_for_attribute, definitions_for_name,
};

use super::{Lints, literal, shell, units};
use crate::rules::{self, Rule};
use crate::{Finding, database, suggest};

/// Calls whose positional arguments are all commands of the guest's shell.
const RUN_ALL: &[&str] = &["succeed", "fail"];
/// Calls whose first argument is one.
const RUN: &[&str] = &["execute", "wait_until_succeeds", "wait_until_fails"];
/// Calls with a regular expression, and which argument it is.
const MATCH: &[(&str, usize, &str)] = &[
    ("wait_for_text", 0, "regex"),
    ("wait_for_console_text", 0, "regex"),
    ("wait_for_window", 0, "regexp"),
    ("wait_until_tty_matches", 1, "regexp"),
];
/// Functions of Python's `re` whose first argument is one.
const RE: &[&str] = &[
    "compile",
    "search",
    "match",
    "fullmatch",
    "split",
    "findall",
    "finditer",
    "sub",
    "subn",
];
/// Calls whose first argument is a unit of systemd.
const UNIT: &[&str] = &[
    "wait_for_unit",
    "wait_for_unit_active_state",
    "wait_for_job",
    "require_unit_state",
    "get_unit_info",
    "get_unit_property",
    "start_job",
    "stop_job",
];
/// Calls that read a screen.
const SCREEN: &[&str] = &[
    "get_screen_text",
    "get_screen_text_variants",
    "wait_for_text",
];
/// Calls that save a machine, or bring it back.
const SAVE: &[&str] = &["snapshot", "restore", "pristine"];

impl Lints<'_, '_> {
    pub(super) fn call(&mut self, call: &ExprCall) {
        let (name, range) = match &*call.func {
            Expr::Attribute(attribute) => (attribute.attr.as_str(), attribute.attr.range()),
            Expr::Name(name) => (name.id.as_str(), name.range()),
            _ => return,
        };
        if RE.contains(&name) && is_module(&call.func, "re") {
            // In a verbose pattern, brackets may stand in comments.
            let source = call.arguments.iter_source_order();
            let mut arguments = source.map(|argument| argument.value());
            if !arguments.any(mentions_verbose) {
                self.pattern(argument(call, 0, "pattern"));
            }
            return;
        }
        if RUN_ALL.contains(&name) && self.is_api(&call.func) {
            for command in &call.arguments.args {
                self.command(command);
            }
        } else if RUN.contains(&name) && self.is_api(&call.func) {
            if let Some(command) = argument(call, 0, "command") {
                self.command(command);
            }
        } else if UNIT.contains(&name) && self.is_api(&call.func) {
            self.unit(call);
        } else if SAVE.contains(&name) && self.is_api(&call.func) {
            self.saved(call, name);
        }
        for (_, index, keyword) in MATCH.iter().filter(|(method, ..)| *method == name) {
            if self.is_api(&call.func) {
                self.pattern(argument(call, *index, keyword));
            }
        }
        if SCREEN.contains(&name) && !self.test.ocr && self.may_be_api(&call.func) {
            let message =
                format!("`{name}` reads the screen, and this test has nothing to read it with");
            let finding = Finding::new(&rules::OCR_NOT_ENABLED, range.into(), message)
                .with_help("set `enableOCR = true` in the test");
            self.findings.push(finding);
        }
    }

    /// `execute` as a statement of its own.
    pub(super) fn ignored_status(&mut self, call: &ExprCall) {
        let Expr::Attribute(attribute) = &*call.func else {
            return;
        };
        if attribute.attr.as_str() != "execute" || !self.is_api(&call.func) {
            return;
        }
        let command = argument(call, 0, "command").and_then(literal::template);
        let asks_for_none = ["check_return", "check_output"].iter().any(|name| {
            let keyword = call.arguments.find_keyword(name);
            keyword.is_some_and(|keyword| !is_true(&keyword.value))
        });
        if let Some(command) = command
            && !asks_for_none
            && !shell::has_no_status(&command)
        {
            let message = "the exit status of this command is looked at by nobody".to_owned();
            let finding = Finding::new(&rules::IGNORED_STATUS, call.range().into(), message)
                .with_help(
                    "`succeed` fails when the command does; `_ = …` says that it does not matter",
                );
            self.findings.push(finding);
        }
    }

    fn command(&mut self, command: &Expr) {
        let Some(text) = literal::template(command) else {
            return;
        };
        if let Some(mistake) = shell::mistake(&text) {
            self.found(
                &rules::SHELL_SYNTAX,
                command,
                format!("bash cannot parse this command: {mistake}"),
            );
        }
    }

    fn pattern(&mut self, pattern: Option<&Expr>) {
        let Some((expression, text)) =
            pattern.and_then(|pattern| Some((pattern, literal::text(pattern)?)))
        else {
            return;
        };
        if is_plain(text) {
            return;
        }
        if let Err(mistake) = (self.test.compile)(text) {
            self.found(
                &rules::INVALID_REGEX,
                expression,
                format!("this is no regular expression: {mistake}"),
            );
        }
    }

    fn unit(&mut self, call: &ExprCall) {
        let unit = argument(call, 0, "unit").or_else(|| argument(call, 0, "jobname"));
        let Some((expression, name)) = unit.and_then(|unit| Some((unit, literal::text(unit)?)))
        else {
            return;
        };
        if let Some(meant) = units::meant(name) {
            let message = match name.contains('.') {
                true => format!("`{name}` has no suffix of a unit"),
                false => format!("`{name}` stands for `{name}.service`"),
            };
            self.found(&rules::UNIT_WITHOUT_SUFFIX, expression, message);
            if let Some(finding) = self.findings.last_mut() {
                finding.help = Some(suggest::help(&meant));
            }
        }
    }

    /// A machine that cannot be saved is to be saved, or brought back.
    fn saved(&mut self, call: &ExprCall, name: &str) {
        let mut machines = Vec::new();
        if let Expr::Attribute(attribute) = &*call.func {
            machines.push((&*attribute.value, attribute.attr.range()));
        }
        let arguments = call.arguments.args.iter();
        machines.extend(arguments.map(|argument| (argument, argument.range())));
        for (expression, range) in machines {
            let Expr::Name(variable) = expression else {
                continue;
            };
            let machine = self
                .test
                .machines
                .iter()
                .find(|machine| machine.variable == variable.id.as_str());
            let Some(machine) = machine.filter(|machine| machine.has_start_script) else {
                continue;
            };
            if self.is_defined_here(variable) {
                continue;
            }
            let message = format!(
                "`{name}` cannot be had of machine `{}`: a start script runs it, and it cannot be saved",
                machine.name
            );
            self.findings.push(Finding::new(
                &rules::WRONG_MACHINE_KIND,
                range.into(),
                message,
            ));
        }
    }

    fn found(&mut self, rule: &'static Rule, place: &Expr, message: String) {
        self.findings
            .push(Finding::new(rule, place.range().into(), message));
    }

    /// Whether a function is the script API's, whoever it is called on.
    fn is_api(&self, function: &Expr) -> bool {
        let definitions = match function {
            Expr::Attribute(attribute) => definitions_for_attribute(self.model, attribute),
            Expr::Name(name) => self.definitions(name),
            _ => return false,
        };
        definitions.iter().any(|definition| {
            let file = definition.focus_range(self.model.db()).file();
            database::is_stub(self.model.db(), file)
        })
    }

    /// Whether a function is the script API's, or nobody knows what its object is: names that only machines have say enough.
    fn may_be_api(&self, function: &Expr) -> bool {
        let is_unknown = match function {
            Expr::Attribute(attribute) => {
                definitions_for_attribute(self.model, attribute).is_empty()
            }
            _ => false,
        };
        is_unknown || self.is_api(function)
    }

    /// Whether the script gives a meaning of its own to a name.
    pub(super) fn is_defined_here(&self, name: &ExprName) -> bool {
        let definitions = self.definitions(name);
        let file = self.model.file();
        definitions
            .iter()
            .any(|definition| definition.focus_range(self.model.db()).file() == file)
    }

    fn definitions(&self, name: &ExprName) -> Vec<ResolvedDefinition<'_>> {
        definitions_for_name(
            self.model,
            name.id.as_str(),
            AnyNodeRef::from(name),
            ImportAliasResolution::ResolveAliases,
        )
    }
}

/// An argument by its place, or by its name.
fn argument<'a>(call: &'a ExprCall, index: usize, name: &str) -> Option<&'a Expr> {
    let positional = call.arguments.args.get(index);
    positional
        .filter(|argument| !argument.is_starred_expr())
        .or_else(|| {
            call.arguments
                .find_keyword(name)
                .map(|keyword| &keyword.value)
        })
}

fn is_true(expression: &Expr) -> bool {
    matches!(expression, Expr::BooleanLiteral(literal) if literal.value)
}

fn is_module(function: &Expr, module: &str) -> bool {
    let Expr::Attribute(attribute) = function else {
        return false;
    };
    matches!(&*attribute.value, Expr::Name(name) if name.id == module)
}

fn mentions_verbose(argument: &Expr) -> bool {
    match argument {
        Expr::Attribute(attribute) => matches!(attribute.attr.as_str(), "VERBOSE" | "X"),
        Expr::BinOp(operation) => {
            mentions_verbose(&operation.left) || mentions_verbose(&operation.right)
        }
        _ => false,
    }
}

/// Whether a pattern is of the plain kind that surely compiles, and needs no interpreter to tell.
fn is_plain(pattern: &str) -> bool {
    let mut characters = pattern.chars();
    let mut repeatable = false;
    while let Some(character) = characters.next() {
        repeatable = match character {
            '\\' => match characters.next() {
                Some('d' | 'D' | 's' | 'S' | 'w' | 'W' | 'n' | 't') => true,
                Some(escaped) if escaped.is_ascii_punctuation() => true,
                _ => return false,
            },
            '*' | '+' | '?' if repeatable => false,
            '^' | '$' | '|' => false,
            '*' | '+' | '?' | '(' | ')' | '[' | '{' => return false,
            _ => true,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn plain_patterns_need_no_interpreter() {
        for pattern in [
            "",
            "login:",
            "Welcome to .* on \\d+",
            "a|b",
            "^x$",
            "a?b+",
            "\\(x\\)",
            "]",
        ] {
            assert!(is_plain(pattern), "{pattern}");
        }
        for pattern in ["(", "a**", "*a", "[a-z]", "x{2}", "\\", "\\z", "|*", "a?*"] {
            assert!(!is_plain(pattern), "{pattern}");
        }
    }
}
