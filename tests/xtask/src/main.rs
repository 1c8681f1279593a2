//! The developer's command: sets up the toolbox, runs and tests the project.

fn main() {}
