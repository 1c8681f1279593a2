//! Messages and framing between the runner and the agent in a guest.
