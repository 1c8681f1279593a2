//! The Ethernet switch between the machines of a test.
