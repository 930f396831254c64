//! The invariants of ARCHITECTURE.md, held by walking the sources.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

/// The rooms in the order in which data flows. A room may use those before it.
const ROOMS: &[&str] = &[
    "parallel",
    "diagnostics",
    "xml",
    "schema",
    "policy",
    "rules",
    "validate",
    "utc",
    "x509",
    "auth",
    "msgraph",
    "deploy",
    "setup",
    "emulator",
    "config",
    "output",
    "commands",
    "cli",
];

/// Rooms that may use less than the order allows, with what they may use.
const NARROW: &[(&str, &[&str])] = &[
    ("utc", &[]),
    ("x509", &["utc"]),
    // Getting a token and calling Microsoft Graph is independent of what is sent.
    ("auth", &["utc", "x509"]),
    ("msgraph", &["auth"]),
    // Sharing code with the client would hide the client's mistakes.
    (
        "emulator",
        &[
            "diagnostics",
            "xml",
            "schema",
            "policy",
            "rules",
            "validate",
        ],
    ),
    (
        "config",
        &["parallel", "diagnostics", "xml", "policy", "validate"],
    ),
    // Formats know the report and the records that it refers to, nothing that acts.
    ("output", &["parallel", "diagnostics", "xml", "rules"]),
];

/// What the pure rooms must not touch.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::process",
    "std::time",
    "tokio",
    "reqwest",
    "async fn",
    "SystemTime",
    "Instant::now",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            files.push(path);
        }
    }
    files.sort();
}

struct File {
    /// Path below `src`, with forward slashes.
    path: String,
    room: String,
    text: String,
}

impl File {
    /// The text up to the unit tests.
    fn product(&self) -> &str {
        self.text.split("#[cfg(test)]").next().unwrap()
    }
}

fn sources() -> Vec<File> {
    let src = root().join("src");
    let mut paths = Vec::new();
    rust_files(&src, &mut paths);
    paths
        .into_iter()
        .map(|path| {
            let below = path.strip_prefix(&src).unwrap();
            let first = below.iter().next().unwrap().to_string_lossy();
            File {
                path: below.to_string_lossy().replace('\\', "/"),
                room: first.trim_end_matches(".rs").to_owned(),
                text: std::fs::read_to_string(&path).unwrap(),
            }
        })
        .collect()
}

/// The rooms that a text names behind `crate::`, also in `use crate::{a, b::c};`.
fn used_rooms(text: &str) -> Vec<String> {
    let mut used = Vec::new();
    for part in text.split("crate::").skip(1) {
        if let Some(list) = part.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => used.push(std::mem::take(&mut name)),
                    _ if depth == 0 => name.push(c),
                    _ => {}
                }
            }
            used.push(name);
        } else {
            used.push(part.to_owned());
        }
    }
    used.iter()
        .map(|name| {
            name.trim()
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect()
        })
        .filter(|name: &String| ROOMS.contains(&name.as_str()))
        .collect()
}

#[test]
fn imports_point_upwards_only() {
    let mut problems = Vec::new();
    for file in sources() {
        let Some(position) = ROOMS.iter().position(|room| *room == file.room) else {
            assert!(
                ["lib", "main"].contains(&file.room.as_str()),
                "{} is in no known room",
                file.path
            );
            continue;
        };
        let narrow = NARROW.iter().find(|(room, _)| *room == file.room);
        for used in used_rooms(file.product()) {
            let allowed = used == file.room
                || match narrow {
                    Some((_, allowed)) => allowed.contains(&used.as_str()),
                    None => ROOMS[..position].contains(&used.as_str()),
                };
            if !allowed {
                problems.push(format!("{} uses {used}", file.path));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn validation_is_pure() {
    let last = ROOMS.iter().position(|room| *room == "validate").unwrap();
    let mut problems = Vec::new();
    for file in sources() {
        if !ROOMS[..=last].contains(&file.room.as_str()) {
            continue;
        }
        for impure in IMPURE {
            let code = file
                .product()
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            if code.clone().any(|line| line.contains(impure)) {
                problems.push(format!("{} mentions {impure}", file.path));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn only_auth_and_msgraph_speak_http() {
    for file in sources() {
        let speaks = file.product().contains("reqwest");
        let may = ["auth", "msgraph"].contains(&file.room.as_str());
        assert!(may || !speaks, "{} uses reqwest", file.path);
    }
}

#[test]
fn only_execution_writes_to_a_tenant() {
    let writes = [
        ".put_policy(",
        ".delete_policy(",
        ".create_keyset(",
        ".generate_key(",
        ".upload_secret(",
        ".upload_certificate(",
        ".upload_pkcs12(",
        ".delete_keyset(",
        ".set_key_enabled(",
        ".create_application(",
        ".update_application(",
        ".create_service_principal(",
        ".grant_permissions(",
    ];
    for file in sources() {
        if ["msgraph", "emulator"].contains(&file.room.as_str()) {
            continue;
        }
        let may = [
            "deploy/execute",
            "deploy/keys/apply",
            "deploy/provision",
            "deploy/restore",
            "deploy/upload",
            "setup/apply",
        ]
        .iter()
        .any(|place| file.path.starts_with(place));
        for write in writes {
            assert!(
                may || !file.product().contains(write),
                "{} calls {write}",
                file.path
            );
        }
    }
}

#[test]
fn files_keep_one_subject() {
    for file in sources() {
        let lines = file.product().lines().count();
        assert!(lines <= 600, "{} has {lines} lines; split it", file.path);
        let name = file.path.rsplit('/').next().unwrap();
        for vague in ["utils", "util", "common", "helpers", "types", "misc"] {
            assert_ne!(name, format!("{vague}.rs"), "{}", file.path);
            assert!(!file.path.contains(&format!("/{vague}/")), "{}", file.path);
        }
    }
}

#[test]
fn every_room_says_what_it_is() {
    for file in sources() {
        if file.path.ends_with("mod.rs") || !file.path.contains('/') {
            assert!(
                file.text.starts_with("//!"),
                "{} has no module docs",
                file.path
            );
        }
    }
}

/// The names of all dependencies, those for tests and for some systems only among them.
fn dependencies() -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let of_systems = manifest["target"].as_table().unwrap().values();
    let tables = std::iter::once(&manifest).chain(of_systems.map(|it| it.as_table().unwrap()));
    tables
        .flat_map(|table| ["dependencies", "dev-dependencies"].map(|name| table.get(name)))
        .flatten()
        .flat_map(|section| section.as_table().unwrap().keys().cloned())
        .collect()
}

#[test]
fn every_dependency_is_justified() {
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for name in dependencies() {
        assert!(
            architecture.contains(&format!("`{name}`")),
            "ARCHITECTURE.md does not say why `{name}` is a dependency"
        );
    }
}

/// What is no dependency any more needs no reason either.
#[test]
fn every_justified_dependency_is_one() {
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, section) = architecture.split_once("\n## Dependencies\n").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let first = rows.filter_map(|row| row.split('|').nth(1));
    let names: Vec<&str> = first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(names.len() > 20, "the table was not found: {names:?}");
    let dependencies = dependencies();
    let gone: Vec<_> = names
        .iter()
        .filter(|name| !dependencies.iter().any(|known| known == *name))
        .collect();
    assert!(gone.is_empty(), "no dependencies: {gone:?}");
}

#[test]
fn a_use_list_names_its_rooms() {
    let text = "use crate::{policy, xml::{self, Document}};\nlet x = crate::rules::all();";
    assert_eq!(used_rooms(text), ["policy", "xml", "rules"]);
}
