//! The Debian mirror of this machine, and the packages of this machine that are missing.
//!
//! The mirror is read from apt's own configuration, so that whoever has one nearby, or no other, uses it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The release that the toolbox is made of.
pub(crate) const SUITE: &str = "trixie";

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A place to fetch Debian from, and the keys that it is checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mirror {
    uri: String,
    keyring: String,
}

impl Mirror {
    /// What a `sources.list` for [`SUITE`] says; with the source packages if `sources`.
    pub(crate) fn sources_list(&self, sources: bool) -> String {
        let Self { uri, keyring } = self;
        let line = |kind| format!("{kind} [signed-by={keyring}] {uri} {SUITE} main\n");
        if sources {
            line("deb") + &line("deb-src")
        } else {
            line("deb")
        }
    }

    /// The mirror of the apt configuration below `etc` (`/etc/apt`) on a machine that runs release `codename`.
    pub(crate) fn of_machine(etc: &Path, codename: &str) -> Result<Self> {
        let mut entries = Vec::new();
        let mut files = vec![etc.join("sources.list")];
        if let Ok(dir) = fs::read_dir(etc.join("sources.list.d")) {
            files.extend(dir.filter_map(Result::ok).map(|entry| entry.path()));
        }
        files.sort();
        for file in files {
            let kind = file.extension().and_then(|extension| extension.to_str());
            let Ok(text) = fs::read_to_string(&file) else {
                continue;
            };
            match kind {
                Some("list") => entries.extend(one_line(&text)),
                Some("sources") => entries.extend(deb822(&text)),
                _ => {}
            }
        }
        let debian = entries.into_iter().find(|entry| entry.is_archive(codename));
        let Some(Entry { uri, keyring, .. }) = debian else {
            bail!(
                "apt's configuration in {} names no Debian mirror (an enabled `deb` entry for \
                 {codename} with component main)",
                etc.display()
            );
        };
        let keyring = keyring
            .filter(|key| key.starts_with('/'))
            .unwrap_or_else(|| KEYRING.into());
        Ok(Self {
            uri: uri.trim_end_matches('/').to_owned(),
            keyring,
        })
    }
}

/// One place in apt's configuration.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    uri: String,
    suites: Vec<String>,
    components: Vec<String>,
    keyring: Option<String>,
}

impl Entry {
    /// Whether this is the main archive of the machine's own release: it has the other releases too.
    fn is_archive(&self, codename: &str) -> bool {
        let suite = |name: &String| name == codename || name == "stable";
        self.suites.iter().any(suite) && self.components.iter().any(|name| name == "main")
    }
}

/// `deb [signed-by=KEYRING] URI SUITE COMPONENT…`
fn one_line(text: &str) -> Vec<Entry> {
    let entry = |line: &str| {
        let line = line.split('#').next()?.trim().strip_prefix("deb")?;
        let line = line.strip_prefix([' ', '\t'])?.trim_start();
        let (options, rest) = match line.strip_prefix('[') {
            Some(line) => line.split_once(']')?,
            None => ("", line),
        };
        let keyring = options
            .split_whitespace()
            .find_map(|word| word.strip_prefix("signed-by="));
        let mut words = rest.split_whitespace().map(str::to_owned);
        Some(Entry {
            uri: words.next()?,
            suites: vec![words.next()?],
            components: words.collect(),
            keyring: keyring.map(str::to_owned),
        })
    };
    text.lines().filter_map(entry).collect()
}

/// Paragraphs of `Field: value`, with continued lines and comments.
fn deb822(text: &str) -> Vec<Entry> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect::<Vec<_>>();
    let paragraphs = lines.split(|line| line.trim().is_empty());
    paragraphs
        .filter(|lines| !lines.is_empty())
        .flat_map(paragraph)
        .collect()
}

fn paragraph(lines: &[&str]) -> Vec<Entry> {
    let mut fields = Vec::<(String, String)>::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let field = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let words = |name: &str| {
        field(name)
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let disabled = matches!(field("enabled"), "no" | "false" | "0");
    if disabled || !words("types").iter().any(|kind| kind == "deb") {
        return Vec::new();
    }
    let entry = |uri| Entry {
        uri,
        suites: words("suites"),
        components: words("components"),
        keyring: words("signed-by").into_iter().next(),
    };
    words("uris").into_iter().map(entry).collect()
}

/// Name of the release that this machine runs.
pub(crate) fn codename() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(name
        .context("/etc/os-release names no VERSION_CODENAME")?
        .trim_matches('"')
        .to_owned())
}

/// Settings of this machine's apt that decide whether a fetch works: proxies, time-outs, checks of the date.
pub(crate) fn fetch_settings() -> Result<Vec<String>> {
    let output = Command::new("apt-config")
        .args(["dump", "Acquire"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let wanted = [
        "Acquire::http",
        "Acquire::https",
        "Acquire::Check-",
        "Acquire::Retries",
    ];
    let lines = text
        .lines()
        .filter(|line| wanted.iter().any(|name| line.starts_with(name)));
    // A setting without a value is only a heading.
    Ok(lines
        .filter(|line| !line.contains("\"\""))
        .map(str::to_owned)
        .collect())
}

/// Which of `packages` are not installed on this machine.
pub(crate) fn missing<'a>(packages: &[&'a str]) -> Result<Vec<&'a str>> {
    let installed = |package: &str| -> Result<bool> {
        let query = ["-W", "-f", "${db:Status-Status}", package];
        let output = Command::new("dpkg-query").args(query).output()?;
        Ok(output.stdout == b"installed")
    };
    let mut missing = Vec::new();
    for package in packages {
        if !installed(package)? {
            missing.push(*package);
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> Result<Mirror> {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sources.list.d")).unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        Mirror::of_machine(dir.path(), "bookworm")
    }

    #[test]
    fn deb822_with_comments_folds_and_other_archives() {
        let vendor =
            "Types: deb\nURIs: https://vendor.example/apt\nSuites: bookworm\nComponents: stable\n";
        let debian = "Types: deb-src\nURIs: http://src.example/debian\nSuites: bookworm\nComponents: main\n\n\
            # near\nTypes: deb deb-src\nURIs: http://mirror.example/debian/\n# inside\n\
            Suites: bookworm\n bookworm-updates\nComponents: main contrib\n\
            Signed-By: /usr/share/keyrings/own.gpg\n";
        let files = [
            ("sources.list.d/a.sources", vendor),
            ("sources.list.d/b.sources", debian),
        ];
        let mirror = machine(&files).unwrap();
        assert_eq!(
            mirror.sources_list(true),
            "deb [signed-by=/usr/share/keyrings/own.gpg] http://mirror.example/debian trixie main\n\
             deb-src [signed-by=/usr/share/keyrings/own.gpg] http://mirror.example/debian trixie main\n"
        );
    }

    #[test]
    fn one_line_with_and_without_options() {
        let text = "# deb http://commented.example/debian bookworm main\n\
            deb-src http://src.example/debian bookworm main\n\
            deb http://security.example/debian-security bookworm-security main\n\
            deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main # near\n";
        let mirror = machine(&[("sources.list", text)]).unwrap();
        let expected = Mirror {
            uri: "http://mirror.example/debian".into(),
            keyring: "/k.gpg".into(),
        };
        assert_eq!(mirror, expected);

        let text = "deb http://mirror.example/debian stable main\n";
        assert_eq!(
            machine(&[("sources.list.d/x.list", text)]).unwrap().keyring,
            KEYRING
        );
    }

    #[test]
    fn disabled_entries_and_keys_inside_the_file() {
        let off = "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\n";
        let inline = "Types: deb\nURIs: http://on.example/debian\nSuites: bookworm\nComponents: main\n\
            Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n";
        let files = [
            ("sources.list.d/a.sources", off),
            ("sources.list.d/b.sources", inline),
        ];
        let mirror = machine(&files).unwrap();
        assert_eq!(
            (mirror.uri.as_str(), mirror.keyring.as_str()),
            ("http://on.example/debian", KEYRING)
        );
    }

    #[test]
    fn no_mirror_is_said_clearly() {
        let other = "deb http://vendor.example/apt bookworm stable\n";
        let error = machine(&[("sources.list.d/v.list.disabled", other)])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("names no Debian mirror") && error.contains("bookworm"),
            "{error}"
        );
    }
}
