//! The check of test scripts, against the script API as it is: a table of wrong scripts and one of right ones.

mod request;
mod table;
