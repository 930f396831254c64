//! The thin binary: everything is in the library.

use std::process::ExitCode;

/// Validation allocates much on all cores, and the allocator of musl, which the released binaries for
/// Linux are linked with, lets one thread in at a time: it made validation three times slower.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    iefctl::cli::run()
}
