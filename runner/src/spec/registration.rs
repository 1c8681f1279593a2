//! What a machine's own Nix has to know of the store paths that the machine sees.
//!
//! The form is that of `nix-store --dump-db`, which `nix-store --load-db` takes: for each store path its name, hash, size in
//! bytes, deriver (none), the number of its references, and these, each on a line.

use std::fmt::Write;

use vmtest_manifest::StorePathInfo;

/// Where it lies in the machine.
pub(super) const PATH: &str = "/nix/.registration";

/// Where it lies in an image that is mounted as the store.
pub(super) const PATH_IN_STORE: &str = "/.registration";

/// The registration of a closure.
pub(super) fn text(closure: &[StorePathInfo]) -> String {
    let mut text = String::new();
    for info in closure {
        let (path, hash, size) = (info.path.display(), &info.nar_hash, info.nar_size);
        // A String takes whatever is written to it.
        let _ = write!(
            text,
            "{path}\n{hash}\n{size}\n\n{}\n",
            info.references.len()
        );
        for reference in &info.references {
            let _ = writeln!(text, "{}", reference.display());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_comes_with_its_references() {
        let closure = [
            StorePathInfo {
                path: "/nix/store/1-a".into(),
                nar_hash: "sha256:0abc".into(),
                nar_size: 120,
                references: vec!["/nix/store/1-a".into(), "/nix/store/2-b".into()],
            },
            StorePathInfo {
                path: "/nix/store/2-b".into(),
                nar_hash: "sha256:0def".into(),
                nar_size: 96,
                references: Vec::new(),
            },
        ];
        let expected = "/nix/store/1-a\nsha256:0abc\n120\n\n2\n/nix/store/1-a\n/nix/store/2-b\n\
                        /nix/store/2-b\nsha256:0def\n96\n\n0\n";
        assert_eq!(text(&closure), expected);
    }
}
