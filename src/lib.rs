//! `iefctl` checks Azure AD B2C custom policies (TrustFrameworkPolicy XML, the Identity Experience
//! Framework) as strictly as the tenant would, and deploys them through Microsoft Graph.
//!
//! The modules are the rooms of the house, listed in the order in which data flows; a room may use
//! the rooms above it, never those below. `ARCHITECTURE.md` tells what belongs where and why, and
//! `tests/architecture.rs` holds the invariants.

pub mod parallel;

pub mod diagnostics;

pub mod xml;

pub mod schema;

pub mod policy;

pub mod rules;

pub mod validate;

pub mod utc;

pub mod x509;

pub mod auth;

pub mod msgraph;

pub mod deploy;

pub mod setup;

pub mod emulator;

pub mod config;

pub mod output;

pub mod commands;

pub mod cli;
