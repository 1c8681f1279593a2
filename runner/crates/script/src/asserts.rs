//! Where the `assert` statements of a script are.

use std::ops::Range;

use rustpython_ruff_text_size::{Ranged, TextRange};
use rustpython_vm::compiler::ast::Stmt;
use rustpython_vm::compiler::ast::visitor::{Visitor, walk_stmt};
use rustpython_vm::compiler::parser;

/// An `assert` statement, in bytes from the script's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assert {
    /// The whole statement.
    pub(crate) statement: Range<usize>,
    /// What it asserts.
    pub(crate) test: Range<usize>,
}

/// The `assert` statement that the offset lies in.
pub(crate) fn enclosing(text: &str, offset: usize) -> Option<Assert> {
    let module = parser::parse_module(text).ok()?.into_syntax();
    let mut search = Search {
        offset,
        found: None,
    };
    for statement in &module.body {
        search.visit_stmt(statement);
    }
    search.found
}

struct Search {
    offset: usize,
    found: Option<Assert>,
}

impl<'a> Visitor<'a> for Search {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Stmt::Assert(assert) = statement {
            let range = in_bytes(assert.range);
            // The end counts: the failure may be placed just behind the last character.
            if range.start <= self.offset && self.offset <= range.end {
                self.found = Some(Assert {
                    statement: range,
                    test: in_bytes(assert.test.range()),
                });
            }
        }
        walk_stmt(self, statement);
    }
}

fn in_bytes(range: TextRange) -> Range<usize> {
    range.start().to_usize()..range.end().to_usize()
}
