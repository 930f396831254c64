//! Keysets for life: the library over real sockets against the emulator, and the binary as a user
//! types it. Dates are far in the past or future, so that no clock decides.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "keys/commands.rs"]
mod commands;
#[path = "keys/tenant.rs"]
mod tenant;
#[expect(dead_code, reason = "the tests of deployments use the rest")]
#[path = "deploy/world.rs"]
mod world;
