//! The real policies, read as sets.

use std::path::{Path, PathBuf};

use iefctl::diagnostics::Source;
use iefctl::validate::{Input, Outcome, validate};

pub(crate) use crate::corpus::corpus;

/// What samples have where the reader's tenant belongs.
const TENANTS: &[&str] = &[
    "yourtenant.onmicrosoft.com",
    "your-tenant.onmicrosoft.com",
    "your_tenant.onmicrosoft.com",
    "tenant-name.onmicrosoft.com",
    "{Settings:Tenant}",
    "{{ tenantId }}",
];

/// The starter packs that samples are written for, the likeliest first.
const PACKS: [&str; 8] = [
    "SocialAndLocalAccounts",
    "SocialAndLocalAccountsWithMfa",
    "LocalAccounts",
    "SocialAccounts",
    "Display Controls Starterpack/SocialAndLocalAccounts",
    "Display Controls Starterpack/SocialAndLocalAccountsWithMfa",
    "Display Controls Starterpack/LocalAccounts",
    "Display Controls Starterpack/SocialAccounts",
];

/// The starter packs that a sample can belong to.
pub(crate) fn packs(corpus: &Path) -> Vec<PathBuf> {
    let packs = corpus.join("starterpack");
    PACKS.iter().map(|pack| packs.join(pack)).collect()
}

/// The folders of the samples that hold policies, sorted.
pub(crate) fn samples(corpus: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    folders(&corpus.join("samples"), &mut found);
    assert!(found.len() > 40);
    found
}

fn folders(root: &Path, found: &mut Vec<PathBuf>) {
    if !xml_files(root).is_empty() {
        found.push(root.to_path_buf());
    }
    for folder in entries(root).into_iter().filter(|path| path.is_dir()) {
        folders(&folder, found);
    }
}

/// The policies of a folder, without those below it.
pub(crate) fn xml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = entries(folder);
    files.retain(|path| path.extension().is_some_and(|ext| ext == "xml"));
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// A policy for the tenant contoso.
pub(crate) fn text(file: &Path) -> String {
    let bytes = std::fs::read(file).unwrap();
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    for tenant in TENANTS {
        text = text.replace(tenant, "contoso.onmicrosoft.com");
    }
    text.trim_start_matches('\u{FEFF}').to_owned()
}

/// Validates a folder as a set, with the bases that another one holds.
pub(crate) fn check(folder: &Path, bases: Option<&Path>) -> Outcome {
    let mut input = Input::default();
    for file in xml_files(folder) {
        let name = file.display().to_string();
        let id = input.sources.add(Source::new(name, text(&file)));
        input.own.push(id);
    }
    for file in bases.into_iter().flat_map(xml_files) {
        let name = file.display().to_string();
        let id = input.sources.add(Source::new(name, text(&file)));
        input.context.push(id);
    }
    validate(input)
}
