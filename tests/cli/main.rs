//! The real binary, run as a user runs it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod environments;
mod fix;
mod fixture;
mod formats;
mod man_pages;
#[cfg(unix)]
mod pre_commit;
#[path = "../tenant/mod.rs"]
mod tenant;
mod unreadable;
mod watch;
