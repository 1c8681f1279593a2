//! Text that stands in the script.

use ruff_python_ast::{Expr, FStringPart, InterpolatedStringElement};

/// The text of a string literal; nothing of what is put together when the script runs.
pub(super) fn text(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::StringLiteral(literal) => Some(literal.value.to_str()),
        _ => None,
    }
}

/// The text of a string literal or an f-string, with a word in place of each part in braces.
pub(super) fn template(expression: &Expr) -> Option<String> {
    let Expr::FString(template) = expression else {
        return text(expression).map(str::to_owned);
    };
    let mut text = String::new();
    for part in &template.value {
        match part {
            FStringPart::Literal(literal) => text.push_str(literal.as_str()),
            FStringPart::FString(part) => {
                for element in &part.elements {
                    match element {
                        InterpolatedStringElement::Literal(literal) => {
                            text.push_str(&literal.value)
                        }
                        InterpolatedStringElement::Interpolation(_) => text.push('x'),
                    }
                }
            }
        }
    }
    Some(text)
}
