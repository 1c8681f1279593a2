//! The parameters of a function, and their defaults.

/// A parameter.
#[derive(Debug)]
pub struct Param {
    /// Its name, which is also its keyword.
    pub name: &'static str,
    /// A name that it had in older drivers and that is still understood as a keyword.
    pub old_name: Option<&'static str>,
    /// Its type, in Python's notation.
    pub type_name: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// Whether it is given by keyword only. What follows a [`ParamKind::Rest`] always is.
    pub keyword_only: bool,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamKind {
    /// One argument, which must be given.
    Required,
    /// One argument, or else this.
    Optional(Literal),
    /// All remaining positional arguments; what follows is given by keyword only.
    Rest,
    /// All keywords that no other parameter has.
    Keywords,
}

/// A default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// A whole number.
    Int(i32),
    /// A number of seconds, such as 0.01.
    Float(f64),
    /// A string without characters that need escaping.
    Text(&'static str),
    /// `{}`
    EmptyDict,
}

impl Param {
    pub(crate) const fn required(name: &'static str, type_name: &'static str) -> Self {
        Self {
            name,
            old_name: None,
            type_name,
            kind: ParamKind::Required,
            keyword_only: false,
        }
    }

    pub(crate) const fn optional(
        name: &'static str,
        type_name: &'static str,
        default: Literal,
    ) -> Self {
        Self {
            name,
            old_name: None,
            type_name,
            kind: ParamKind::Optional(default),
            keyword_only: false,
        }
    }

    pub(crate) const fn rest(name: &'static str, type_name: &'static str) -> Self {
        Self {
            name,
            old_name: None,
            type_name,
            kind: ParamKind::Rest,
            keyword_only: false,
        }
    }

    pub(crate) const fn keywords(name: &'static str, type_name: &'static str) -> Self {
        Self {
            name,
            old_name: None,
            type_name,
            kind: ParamKind::Keywords,
            keyword_only: false,
        }
    }

    /// The time-out that most waits have: `timeout=900`.
    pub(crate) const fn timeout() -> Self {
        Self::optional("timeout", "Duration", Literal::Int(900))
    }

    pub(crate) const fn formerly(mut self, old_name: &'static str) -> Self {
        self.old_name = Some(old_name);
        self
    }

    pub(crate) const fn by_keyword(mut self) -> Self {
        self.keyword_only = true;
        self
    }

    fn describe(&self) -> String {
        let Self {
            name, type_name, ..
        } = self;
        match self.kind {
            ParamKind::Required => format!("{name}: {type_name}"),
            ParamKind::Optional(default) => format!("{name}: {type_name} = {default}"),
            ParamKind::Rest => format!("*{name}: {type_name}"),
            ParamKind::Keywords => format!("**{name}: {type_name}"),
        }
    }
}

impl std::fmt::Display for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::EmptyDict => f.write_str("{}"),
        }
    }
}

/// Parameters in Python's notation, with the star before those that are given by keyword only.
pub(crate) fn describe(params: &[Param]) -> Vec<String> {
    let mut described = Vec::new();
    let mut by_keyword_only = false;
    for param in params {
        if param.keyword_only && !by_keyword_only {
            described.push("*".to_owned());
        }
        by_keyword_only |= param.keyword_only || param.kind == ParamKind::Rest;
        described.push(param.describe());
    }
    described
}

/// The same, with the old names of parameters as parameters of their own, at the end.
pub(crate) fn describe_all(params: &[Param]) -> Vec<String> {
    let mut described = describe(params);
    let by_keyword_only = |param: &Param| param.keyword_only || param.kind == ParamKind::Rest;
    let mut has_star = params.iter().any(by_keyword_only);
    for param in params {
        let Some(old_name) = param.old_name else {
            continue;
        };
        if !has_star {
            described.push("*".to_owned());
            has_star = true;
        }
        let type_name = param.type_name;
        described.push(format!("{old_name}: {type_name} = ..."));
    }
    described
}
