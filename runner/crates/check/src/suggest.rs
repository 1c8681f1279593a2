//! What was probably meant.

/// Names that differ more than this are not meant.
const SIMILAR: f64 = 0.75;

/// The name among `known` that is nearest to `name`, if one is near.
pub(crate) fn nearest<N: AsRef<str>>(
    name: &str,
    known: impl IntoIterator<Item = N>,
) -> Option<String> {
    let mut best: Option<(f64, String)> = None;
    for candidate in known {
        let candidate = candidate.as_ref();
        // Names that begin so are not meant for scripts.
        if candidate.starts_with('_') && !name.starts_with('_') {
            continue;
        }
        let similarity = similarity(name, candidate);
        let is_better = best.as_ref().is_none_or(|(most, text)| {
            similarity > *most || (similarity == *most && candidate < text.as_str())
        });
        if similarity >= SIMILAR && is_better {
            best = Some((similarity, candidate.to_owned()));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// From 0, nothing in common, to 1, equal but for the case of letters and underscores.
fn similarity(name: &str, candidate: &str) -> f64 {
    let plain = |name: &str| name.to_lowercase().replace('_', "");
    strsim::normalized_damerau_levenshtein(&plain(name), &plain(candidate))
}

/// The help that names what was probably meant.
pub(crate) fn help(meant: &str) -> String {
    format!("did you mean `{meant}`?")
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typing_mistakes_are_seen_through() {
        let known = [
            "succeed",
            "shutdown",
            "send_key",
            "send_keys",
            "_private",
            "server",
        ];
        let cases = [
            ("suceed", Some("succeed")),
            ("Succeed", Some("succeed")),
            ("send_kye", Some("send_key")),
            ("sevrer", Some("server")),
            ("private", None),
            ("sendKey", Some("send_key")),
            ("reboot", None),
            ("x", None),
        ];
        for (name, meant) in cases {
            assert_eq!(nearest(name, known).as_deref(), meant, "{name}");
        }
    }
}
