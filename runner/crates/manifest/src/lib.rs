//! The manifest: what Nix hands to the runner.
