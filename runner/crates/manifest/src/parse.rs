//! From JSON to a [`Manifest`], the version first.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::{Manifest, VERSION};

/// Why a manifest cannot be read.
#[derive(Debug, Error)]
pub enum ParseError {
    /// It is no JSON, or has a field that does not exist, is missing, or is of the wrong type.
    #[error("malformed manifest")]
    Malformed(#[from] serde_json::Error),
    /// It was written for another version of the interface.
    #[error("this runner reads manifests of version {VERSION}, and this one is of version {0}")]
    Version(Value),
    /// An attribute of the derivation is missing.
    #[error("the derivation has no attribute `{0}`")]
    NoAttribute(&'static str),
    /// A machine names a closure that the derivation does not have.
    #[error("the derivation has no closure `{0}` (exportReferencesGraph)")]
    NoClosure(String),
}

impl Manifest {
    /// Reads a manifest from JSON text.
    ///
    /// # Errors
    /// When the text is no manifest of [`VERSION`].
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::from_value(serde_json::from_str(text)?)
    }

    /// The version is looked at first: a newer manifest is refused for its version, not for its first new field.
    pub(crate) fn from_value(value: Value) -> Result<Self, ParseError> {
        match value.get("version") {
            Some(version) if version.as_u64() != Some(u64::from(VERSION)) => {
                Err(ParseError::Version(version.clone()))
            }
            _ => Ok(Self::deserialize(value)?),
        }
    }
}
