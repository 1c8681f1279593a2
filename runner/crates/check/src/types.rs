//! What ty finds, in our words where ty cannot know better.

use std::ops::Range;

use ruff_db::diagnostic::Diagnostic;
use ruff_db::parsed::ParsedModuleRef;
use ruff_python_ast::find_node::covering_node;
use ruff_python_ast::{AnyNodeRef, ExprAttribute, ExprCall, Keyword};
use ruff_text_size::{Ranged, TextRange};
use ty_python_semantic::SemanticModel;
use ty_python_semantic::types::ide_support::call_signature_details;

use crate::suggest::{self, nearest};
use crate::{Finding, Test, lints, rules};

/// What ty has against a script, but for what is right in a test script.
pub(crate) fn findings(
    model: &SemanticModel,
    parsed: &ParsedModuleRef,
    script: &str,
    test: &Test,
) -> Vec<Finding> {
    let root = AnyNodeRef::from(parsed.syntax());
    let context = Context {
        model,
        root,
        script,
        test,
    };
    let diagnostics = model.db().check_file(model.file());
    diagnostics
        .iter()
        .filter_map(|diagnostic| context.finding(diagnostic))
        .collect()
}

/// Names that are words of the language.
const CONSTANTS: [&str; 3] = ["True", "False", "None"];

struct Context<'a, 'db> {
    model: &'a SemanticModel<'db>,
    root: AnyNodeRef<'a>,
    script: &'a str,
    test: &'a Test<'a>,
}

impl<'a> Context<'a, '_> {
    fn finding(&self, diagnostic: &Diagnostic) -> Option<Finding> {
        let range = diagnostic.primary_span()?.range()?;
        let message = sentence(diagnostic);
        let rule = if diagnostic.is_invalid_syntax() {
            &rules::INVALID_SYNTAX
        } else {
            rules::of_ty(diagnostic.id().as_str())?
        };
        let finding = Finding::new(rule, range.into(), message);
        if self.is_right(&finding, range) {
            return None;
        }
        Some(match rule.name {
            "unresolved-attribute" => self.attribute(finding, range),
            "unresolved-reference" => self.name(finding, range),
            "unknown-argument" => self.keyword(finding, range),
            _ => finding,
        })
    }

    /// Whether it is right in a test script. Each case has an example among the scripts that are right.
    fn is_right(&self, finding: &Finding, range: TextRange) -> bool {
        let text = &self.script[Range::from(range)];
        match finding.rule.name {
            // What a search has not found, a function may take for found: it fails if not. Other type checkers do not look
            // into functions without annotations.
            "unresolved-attribute" => {
                finding.message.contains("on `None` in union") && self.is_in_plain_function(range)
            }
            // A name may be used for something else from here on.
            "invalid-assignment" => ["Implicit shadowing", "to `<class '", "to `<module '"]
                .iter()
                .any(|text| finding.message.contains(text)),
            "unresolved-import" => {
                self.test.lacks_packages()
                    || self.ancestors(range).any(|node| {
                        matches!(node, AnyNodeRef::StmtTry(tried) if lints::handles_imports(tried))
                    })
            }
            // Nobody knows which names there are then.
            "unresolved-reference" => self.makes_names(),
            // Which of the values it is that does not fit, nobody knows.
            "invalid-argument-type" => text.starts_with("**"),
            _ => false,
        }
    }

    /// Whether a place lies in a function that says nothing of types.
    fn is_in_plain_function(&self, range: TextRange) -> bool {
        let function = self.ancestors(range).find_map(|node| match node {
            AnyNodeRef::StmtFunctionDef(function) => Some(function),
            _ => None,
        });
        function.is_some_and(|function| {
            let mut params = function.parameters.iter();
            function.returns.is_none() && params.all(|param| param.annotation().is_none())
        })
    }

    /// Whether the script defines names that do not stand in it.
    fn makes_names(&self) -> bool {
        self.script.contains("exec(") || self.script.contains("globals()")
    }

    /// An attribute that is not there: the place is its name, not all that stands before it.
    fn attribute(&self, finding: Finding, range: TextRange) -> Finding {
        let Some(node) = self.covering::<&ExprAttribute>(range, |node| match node {
            AnyNodeRef::ExprAttribute(attribute) => Some(attribute),
            _ => None,
        }) else {
            return finding;
        };
        let members = self.model.attribute_completions(node);
        let meant = nearest(
            &node.attr,
            members.iter().map(|member| member.name.as_str()),
        );
        let finding = Finding {
            range: node.attr.range().into(),
            ..finding
        };
        helped(finding, meant)
    }

    /// A name that is not defined: that of a machine, perhaps.
    fn name(&self, finding: Finding, range: TextRange) -> Finding {
        let name = &self.script[Range::from(range)];
        if self.model.resolve_module(Some(name), 0).is_some() {
            return finding.with_help(format!("did you mean to `import {name}` before?"));
        }
        let variables = || {
            self.test
                .machines
                .iter()
                .map(|machine| machine.variable.as_str())
        };
        let machine = nearest(name, variables());
        if machine.is_some() || self.is_used_as_machine(range) {
            let message = format!("the test has no machine `{name}`");
            let finding = Finding::new(&rules::UNKNOWN_MACHINE, range.into(), message);
            return match machine {
                Some(machine) => finding.with_help(suggest::help(&machine)),
                None => finding.with_help(self.list()),
            };
        }
        let defined = self.covering(range, AnyNodeRef::as_expr_ref);
        let known = defined.map(|expr| self.model.scoped_completions(expr.into()));
        let known = known.unwrap_or_default();
        let known = known.iter().map(|known| known.name.as_str());
        helped(finding, nearest(name, known.chain(CONSTANTS)))
    }

    fn list(&self) -> String {
        let names: Vec<String> = self
            .test
            .machines
            .iter()
            .map(|machine| format!("`{}`", machine.variable))
            .collect();
        match names.as_slice() {
            [] => "it has no machines".to_owned(),
            [only] => format!("its only machine is {only}"),
            [rest @ .., last] => format!("its machines are {} and {last}", rest.join(", ")),
        }
    }

    /// Whether a name stands before an attribute that machines have.
    fn is_used_as_machine(&self, range: TextRange) -> bool {
        let parent = self.covering(range, |node| match node {
            AnyNodeRef::ExprAttribute(attribute) if attribute.value.range() == range => {
                Some(attribute)
            }
            _ => None,
        });
        parent.is_some_and(|attribute| {
            let stubs = self.test.stubs.iter();
            let method = format!("\n    def {}(self", attribute.attr);
            // Names such as `append` are those of other things, too.
            stubs
                .filter(|stub| stub.text.contains("\nclass Machine"))
                .any(|stub| stub.text.contains(&method))
        })
    }

    /// A keyword that a function does not have.
    fn keyword(&self, finding: Finding, range: TextRange) -> Finding {
        let keyword = self.covering::<&Keyword>(range, |node| match node {
            AnyNodeRef::Keyword(keyword) => Some(keyword),
            _ => None,
        });
        let call = self.covering::<&ExprCall>(range, |node| match node {
            AnyNodeRef::ExprCall(call) => Some(call),
            _ => None,
        });
        let (
            Some(Keyword {
                arg: Some(name), ..
            }),
            Some(call),
        ) = (keyword, call)
        else {
            return finding;
        };
        let signatures = call_signature_details(self.model, call);
        let params = signatures
            .iter()
            .flat_map(|signature| &signature.parameters);
        let meant = nearest(name, params.map(|param| param.name.as_str()));
        helped(finding, meant)
    }

    /// The innermost node around a place that is wanted.
    fn covering<N>(
        &self,
        range: TextRange,
        wanted: impl Fn(AnyNodeRef<'a>) -> Option<N>,
    ) -> Option<N> {
        self.ancestors(range).find_map(wanted)
    }

    /// The nodes around a place, from the innermost on.
    fn ancestors(&self, range: TextRange) -> impl Iterator<Item = AnyNodeRef<'a>> + use<'a> {
        let covering = covering_node(self.root, range);
        let nodes: Vec<AnyNodeRef> = covering.ancestors().collect();
        nodes.into_iter()
    }
}

fn helped(finding: Finding, meant: Option<String>) -> Finding {
    match meant {
        Some(meant) => finding.with_help(suggest::help(&meant)),
        None => finding,
    }
}

/// What ty says, with what it adds at the place itself.
fn sentence(diagnostic: &Diagnostic) -> String {
    let message = diagnostic.concise_message().to_string();
    let mut lines = message.lines().map(str::trim);
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |sentence, line| sentence + " " + line)
}
