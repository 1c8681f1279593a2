//! The file in which Nix hands over a derivation's structured attributes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::{Manifest, ParseError};

/// What the runner reads of `.attrs.json`, the file that Nix writes for a derivation with `__structuredAttrs`.
///
/// Other attributes of the derivation stand in the same file and are none of the runner's business.
#[derive(Debug, Clone)]
pub struct Attributes {
    /// The test.
    pub manifest: Manifest,
    /// Where the results go: the derivation's `out`.
    pub out: PathBuf,
    closures: BTreeMap<String, Value>,
}

/// One store path of a closure, as `exportReferencesGraph` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorePathInfo {
    /// The store path.
    pub path: PathBuf,
    /// Hash of its NAR serialisation, with the algorithm in front.
    pub nar_hash: String,
    /// Size of its NAR serialisation in bytes.
    pub nar_size: u64,
    /// The store paths that it refers to, itself perhaps among them.
    #[serde(default)]
    pub references: Vec<PathBuf>,
}

impl Attributes {
    /// Reads the text of `.attrs.json`.
    ///
    /// # Errors
    /// When it is no JSON object, has no `manifest` or `outputs.out`, or the manifest is not of [`VERSION`](crate::VERSION).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut attributes: BTreeMap<String, Value> = serde_json::from_str(text)?;
        let manifest = attributes
            .remove("manifest")
            .ok_or(ParseError::NoAttribute("manifest"))?;
        let out = attributes
            .get("outputs")
            .and_then(|outputs| outputs.get("out"))
            .and_then(Value::as_str)
            .ok_or(ParseError::NoAttribute("outputs.out"))?;
        Ok(Self {
            manifest: Manifest::from_value(manifest)?,
            out: out.into(),
            closures: attributes,
        })
    }

    /// The closure that stands under `key` (see [`Node::closure`](crate::Node::closure)).
    ///
    /// # Errors
    /// When there is none, or it has not the form that Nix gives to it.
    pub fn closure(&self, key: &str) -> Result<Vec<StorePathInfo>, ParseError> {
        let closure = self
            .closures
            .get(key)
            .ok_or_else(|| ParseError::NoClosure(key.to_owned()))?;
        Ok(Vec::deserialize(closure)?)
    }
}
