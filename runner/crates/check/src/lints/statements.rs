//! Statements that stand where they do nothing, or not what they seem to.

use ruff_python_ast::{ExceptHandler, Expr, Stmt, StmtTry};
use ruff_text_size::Ranged;

use super::Lints;
use crate::{Finding, rules};

impl Lints<'_, '_> {
    /// Tells of what stands behind a statement that never ends.
    pub(super) fn unreachable(&mut self, body: &[Stmt]) {
        for [statement, next] in body.array_windows() {
            let Some(end) = self.end_of_block(statement) else {
                continue;
            };
            // A function that is never reached may be there for a type, and a generator needs its yield.
            if is_yield(next) {
                continue;
            }
            let message = format!("this is never reached: it stands behind {end}");
            let finding = Finding::new(&rules::UNREACHABLE_CODE, next.range().into(), message);
            self.findings.push(finding);
            return;
        }
    }

    /// What it is, if it is a statement behind which nothing of its block is reached.
    fn end_of_block(&self, statement: &Stmt) -> Option<&'static str> {
        match statement {
            Stmt::Return(_) => Some("`return`"),
            Stmt::Raise(_) => Some("`raise`"),
            Stmt::Break(_) => Some("`break`"),
            Stmt::Continue(_) => Some("`continue`"),
            Stmt::Expr(expression) => match &*expression.value {
                Expr::Call(call) => self.is_exit(&call.func).then_some("`exit`"),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_exit(&self, function: &Expr) -> bool {
        match function {
            Expr::Name(name) => {
                matches!(name.id.as_str(), "exit" | "quit") && !self.is_defined_here(name)
            }
            Expr::Attribute(attribute) => {
                let is_sys = matches!(&*attribute.value, Expr::Name(name) if name.id == "sys");
                is_sys && attribute.attr.as_str() == "exit"
            }
            _ => false,
        }
    }

    /// Looks at one statement, not at those in it.
    pub(super) fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Assert(assertion) => {
                if let Expr::Tuple(tuple) = &*assertion.test
                    && !tuple.elts.is_empty()
                {
                    let message =
                        "this assertion never fails: a tuple with elements is true".to_owned();
                    let finding =
                        Finding::new(&rules::ASSERT_ON_TUPLE, tuple.range().into(), message)
                            .with_help(
                                "an assertion with a message has no parentheses around both",
                            );
                    self.findings.push(finding);
                }
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    self.import(&alias.name, alias.name.range().into());
                }
            }
            Stmt::ImportFrom(import) => {
                if let (Some(module), 0) = (&import.module, import.level) {
                    self.import(module, module.range().into());
                }
            }
            Stmt::Expr(expression) => {
                if let Expr::Call(call) = &*expression.value {
                    self.ignored_status(call);
                }
            }
            _ => {}
        }
    }

    fn import(&mut self, module: &str, range: std::ops::Range<usize>) {
        let top = module.split('.').next().unwrap_or(module);
        if !self.import_may_fail && self.test.unavailable.contains(&top) {
            let message = format!("the interpreter of test scripts has no module `{top}`");
            self.findings
                .push(Finding::new(&rules::UNAVAILABLE_MODULE, range, message));
        }
    }
}

/// Whether a `try` has a handler for imports that fail.
pub(crate) fn handles_imports(tried: &StmtTry) -> bool {
    tried
        .handlers
        .iter()
        .any(
            |ExceptHandler::ExceptHandler(handler)| match handler.type_.as_deref() {
                None => true,
                Some(Expr::Tuple(several)) => several.elts.iter().any(is_import_error),
                Some(one) => is_import_error(one),
            },
        )
}

fn is_import_error(class: &Expr) -> bool {
    matches!(class, Expr::Name(name) if matches!(
        name.id.as_str(),
        "ImportError" | "ModuleNotFoundError" | "Exception" | "BaseException"
    ))
}

fn is_yield(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Expr(expression) if matches!(&*expression.value, Expr::Yield(_) | Expr::YieldFrom(_)))
}
