//! Files of other tools, through the real binary and in folders that a user of those tools would
//! recognise (`tests/fixtures/migration`): they work as they are, what the tools pass silently is found,
//! and they become an `iefctl.toml` that means the same.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod convert;
#[path = "../cli/fixture.rs"]
#[expect(dead_code, reason = "not every test binary uses all of it")]
mod fixture;
mod formats;
mod notations;
#[path = "../origins/mod.rs"]
mod origins;
mod schema;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fixture::{Finished, IefCtl};

/// A copy of one of the folders.
fn tool(name: &str) -> IefCtl {
    let folder = IefCtl::with_files(Vec::<(&str, &str)>::new());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/migration");
    let from = root.join(name);
    let mut open = vec![from.clone()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let inside = path.strip_prefix(&from).unwrap();
            folder.write(inside, std::fs::read(&path).unwrap());
        }
    }
    folder
}

/// Runs a command line and expects this exit status.
#[track_caller]
fn run(folder: IefCtl, line: &str, status: i32) -> (IefCtl, Finished) {
    let folder = folder.args(line.split_whitespace());
    let finished = folder.run();
    assert_eq!(
        finished.status,
        Some(status),
        "{line}\nstdout:\n{}\nstderr:\n{}",
        finished.stdout,
        finished.stderr
    );
    (folder, finished)
}

/// The files of a folder below the copy, with their content.
fn files(folder: &IefCtl, below: &str) -> BTreeMap<PathBuf, String> {
    let root = folder.path(below);
    let content = folder.content().into_iter().filter_map(|(path, bytes)| {
        let inside = path.strip_prefix(&root).ok()?.to_owned();
        let is_policy = inside
            .extension()
            .is_some_and(|extension| extension == "xml");
        is_policy.then(|| (inside, String::from_utf8(bytes).unwrap()))
    });
    content.collect()
}
