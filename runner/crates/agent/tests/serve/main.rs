//! The conversation, over a socketpair: the agent serves this machine as it would a guest.

mod commands;
mod conversation;
mod copies;
mod fifo;
mod host;
mod waits;
