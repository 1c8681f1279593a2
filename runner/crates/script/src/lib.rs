//! Runs Python test scripts and gives them their machine objects.
