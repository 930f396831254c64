//! Deployment: plans as pure data, and the real client over real sockets against the emulator.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "deploy/contention.rs"]
mod contention;
#[path = "deploy/execution.rs"]
mod execution;
#[path = "deploy/faults.rs"]
mod faults;
#[path = "deploy/keysets.rs"]
mod keysets;
#[path = "deploy/planning.rs"]
mod planning;
#[path = "deploy/snapshots.rs"]
mod snapshots;
#[path = "deploy/world.rs"]
mod world;
