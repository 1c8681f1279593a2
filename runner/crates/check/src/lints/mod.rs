//! What no type checker sees, since it is about tests and machines.
//!
//! - `calls`: what machines are asked for: patterns, commands, units, screens, snapshots;
//! - `statements`: what stands in the wrong place, or is never reached;
//! - `literal`: text that stands in the script.

mod calls;
mod literal;
mod shell;
mod statements;
mod units;

pub(crate) use statements::handles_imports;

use ruff_db::parsed::ParsedModuleRef;
use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, Stmt};
use ty_python_semantic::SemanticModel;

use crate::{Finding, Test};

/// Looks at all of a script.
pub(crate) fn add(
    model: &SemanticModel,
    parsed: &ParsedModuleRef,
    test: &Test,
    findings: &mut Vec<Finding>,
) {
    let mut lints = Lints {
        model,
        test,
        findings,
        import_may_fail: false,
    };
    lints.visit_body(parsed.suite());
}

struct Lints<'a, 'db> {
    model: &'a SemanticModel<'db>,
    test: &'a Test<'a>,
    findings: &'a mut Vec<Finding>,
    /// Whether what is looked at stands in a `try` that handles imports that fail.
    import_may_fail: bool,
}

impl Visitor<'_> for Lints<'_, '_> {
    fn visit_body(&mut self, body: &[Stmt]) {
        self.unreachable(body);
        for statement in body {
            self.visit_stmt(statement);
        }
    }

    fn visit_stmt(&mut self, statement: &Stmt) {
        self.statement(statement);
        if let Stmt::Try(tried) = statement
            && handles_imports(tried)
        {
            let outer = std::mem::replace(&mut self.import_may_fail, true);
            self.visit_body(&tried.body);
            self.import_may_fail = outer;
            for ruff_python_ast::ExceptHandler::ExceptHandler(handler) in &tried.handlers {
                self.visit_body(&handler.body);
            }
            self.visit_body(&tried.orelse);
            self.visit_body(&tried.finalbody);
            return;
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &Expr) {
        if let Expr::Call(call) = expression {
            self.call(call);
        }
        walk_expr(self, expression);
    }
}
