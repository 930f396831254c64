//! Tests over the real policies that stand beside the repository: no false alarm on them, and no miss
//! once they are broken.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it left out and how much it compared"
)]

#[path = "../beside/corpus.rs"]
mod corpus;
mod files;
mod findings;
mod mutants;
mod starter_packs;
mod views;
