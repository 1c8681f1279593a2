//! The guest's first process, and the agent that stays.

fn main() {}
