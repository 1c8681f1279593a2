//! Runs NixOS VM tests: builds the machines, boots them, runs the test script.

fn main() {}
