//! The Nix plugin that adds builtins.vmTest.
