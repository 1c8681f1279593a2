//! A script, and what is wrong with it.

use ruff_db::parsed::parsed_module;
use ruff_text_size::Ranged as _;
use ty_python_semantic::{Db as _, SemanticModel};

use crate::database::{Database, SetupError};
use crate::ignore::Ignores;
use crate::rules::{self, Kind};
use crate::{Finding, Test, lints, types};

/// Checks a script, and gives what is wrong with it in the order of places; of a script that is no Python, only that.
///
/// # Errors
/// When the type checker cannot be set up.
pub fn check(script: &str, test: &Test) -> Result<Vec<Finding>, SetupError> {
    let (database, file) = Database::new(script, test)?;
    let program_file = database.program_file(file);
    let parsed = parsed_module(&database, program_file.python_file(&database)).load(&database);
    if !parsed.errors().is_empty() {
        // What follows the first is often nothing but its consequence.
        let errors = parsed.errors().iter().take(1).map(|error| {
            Finding::new(
                &rules::INVALID_SYNTAX,
                error.range().into(),
                error.error.to_string(),
            )
        });
        return Ok(errors.collect());
    }

    let model = SemanticModel::new(&database, program_file);
    let mut findings = types::findings(&model, &parsed, script, test);
    lints::add(&model, &parsed, test, &mut findings);

    let ignores = Ignores::of(script, parsed.tokens());
    findings.retain(|finding| {
        let is_wanted = match finding.rule.kind {
            Kind::Syntax => true,
            Kind::Names => !(test.skip_types && test.skip_lint),
            Kind::Types => !test.skip_types,
            Kind::Lint => !test.skip_lint,
        };
        is_wanted
            && (finding.rule.kind == Kind::Syntax
                || !test.ignored.iter().any(|name| name == finding.rule.name)
                    && !ignores.silence(script, finding))
    });
    findings.sort_by_key(|finding| (finding.range.start, finding.range.end));
    // What is wrong with each of several types is wrong once.
    findings.dedup_by(|a, b| a.rule == b.rule && a.range == b.range);
    Ok(findings)
}
