//! Deployment: plans as pure data, and the real client over real sockets against the emulator.

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
