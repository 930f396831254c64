//! `iefctl build`.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::{self, BUILD_MANIFEST, Project};
use crate::deploy::Fingerprint;
use crate::diagnostics::Level;
use crate::output::Format;
use crate::policy::SETTINGS_RULES;

use super::environments::{self, AllArgs};
use super::files;
use super::project::{self, ProjectArgs, Validated};
use super::tenant::TenantArgs;
use super::validate::report;
use super::{Exit, Shell, formats, lookups, report_file};

/// Write the policies with their settings replaced
///
/// For every environment a folder with the files as they would be uploaded, in the layout of the VS
/// Code extension: DIR/ENVIRONMENT/sub-folder/file. Outside of what is replaced every byte stays.
/// Without any environment the files go to DIR itself. The tenant is asked only for settings that are
/// declared as looked up in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl build -e test --output Environments
  iefctl build --all-environments --output Environments
  iefctl build policies -e test --output out --flat

Files that an earlier build wrote and that are no result any more are removed; others never are.
Nothing is written if a setting is missing or wrong in any of the environments.

Exit status: 0 written, 1 errors in the settings or the policies, 2 could not run")]
pub struct BuildArgs {
    #[command(flatten)]
    project: ProjectArgs,

    #[command(flatten)]
    tenant: TenantArgs,

    /// Folder to write to
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,

    #[command(flatten)]
    all: AllArgs,

    /// Write the files of the one environment to DIR itself, placed as below their PATH
    #[arg(long, conflicts_with = "all_environments")]
    flat: bool,

    /// Overwrite files that no build has written
    #[arg(long)]
    force: bool,

    /// How to report
    #[arg(long, value_name = "FORMAT", value_parser = formats::one_of(formats::ANNOTATED))]
    format: Option<Format>,
}

/// Runs `iefctl build`.
///
/// # Errors
/// What keeps the command from running, and what the disk refuses.
pub fn run(args: &BuildArgs, shell: &Shell) -> Result<Exit> {
    let mut results: Vec<Built> = Vec::new();
    let mut policies_are_wrong = false;
    let environments = environments::chosen(&args.project, args.all, shell)?;
    for environment in &environments {
        let project = args.project.of(environment.as_deref()).load(shell)?;
        let project = lookups::connect_and_fill(project, &args.tenant, shell)?;
        let validated = project::validate(&project, None, shell)?;
        if has_settings_errors(&validated) {
            report(&validated, args.format, "build", shell)?;
            shell.say("nothing was written");
            return Ok(Exit::Findings);
        }
        let errors = validated.report.summary().errors;
        if errors > 0 {
            policies_are_wrong = true;
            let chosen = environment.as_ref();
            let chosen = chosen.map_or(String::new(), |name| format!(" -e {name}"));
            shell.say(format!(
                "the policies have {errors} errors: see `iefctl validate{chosen}`"
            ));
        }
        collect(&project, &validated, args.flat, &mut results)?;
    }
    check_output(args, &results)?;
    let manifest_path = args.output.join(BUILD_MANIFEST);
    let old = Manifest::read(&manifest_path)?;
    check(args, &results, &old)?;
    let removed = write(args, &results, old, args.all.all_environments)?;
    present(args, &results, &removed, shell)?;
    Ok(match policies_are_wrong {
        true => Exit::Findings,
        false => Exit::Clean,
    })
}

fn has_settings_errors(validated: &Validated) -> bool {
    let mut findings = validated.report.diagnostics.iter();
    findings.any(|finding| {
        let rule = finding.rule;
        finding.level == Level::Error && SETTINGS_RULES.iter().any(|known| known.id == rule.id)
    })
}

/// One file that is to be written.
struct Built {
    environment: Option<String>,
    /// Below the output folder, with forward slashes.
    path: String,
    source: String,
    text: String,
    byte_order_mark: bool,
}

impl Built {
    fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.text, self.byte_order_mark)
    }
}

fn fingerprint(text: &str, byte_order_mark: bool) -> Fingerprint {
    match byte_order_mark {
        true => Fingerprint::of(&format!("\u{feff}{text}")),
        false => Fingerprint::of(text),
    }
}

fn collect(
    project: &Project,
    validated: &Validated,
    flat: bool,
    results: &mut Vec<Built>,
) -> Result<()> {
    let environment = project.settings.environment.clone();
    let folder = environment.as_ref().filter(|_| !flat);
    if let Some(name) = folder {
        let mut parts = Path::new(name).components();
        let plain = matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none();
        if !plain || name.contains(['/', '\\', ':']) {
            bail!("environment `{name}` cannot be the name of a folder");
        }
    }
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for set in &project.sets {
        for file in &set.files {
            let Some(id) = validated.report.sources.find(file.name()) else {
                continue;
            };
            let source = validated.report.sources.get(id);
            let below = place(project, &set.name, file.name(), flat);
            let path = match folder {
                Some(name) => format!("{name}/{below}"),
                None => below,
            };
            if let Some(other) = seen.insert(path.to_lowercase(), file.name().to_owned()) {
                bail!("`{other}` and `{}` would both become `{path}`", file.name());
            }
            results.push(Built {
                environment: environment.clone(),
                path,
                source: file.name().to_owned(),
                text: source.text().to_string(),
                byte_order_mark: source.has_bom(),
            });
        }
    }
    Ok(())
}

/// Where a file goes: its path in the folder of the configuration (unless `flat`), else in that of its
/// set.
fn place(project: &Project, set: &str, file: &str, flat: bool) -> String {
    let path = Path::new(file);
    let configured = project.config_source.filter(|_| !flat);
    let configured = configured.map(|_| project.folder.as_path());
    let folders = configured.into_iter().chain([Path::new(set)]);
    for folder in folders {
        if let Some(relative) = config::relative(path, folder)
            && relative != "."
        {
            return relative;
        }
    }
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.map_or_else(|| file.to_owned(), |name| name.into_owned())
}

/// What a build wrote, kept in the folder.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    files: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    environment: Option<String>,
    sha256: Fingerprint,
}

impl Manifest {
    fn read(path: &Path) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self {
                    schema_version: 1,
                    files: BTreeMap::new(),
                });
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
            }
        };
        let damaged = || format!("`{}` is no list of built files: remove it", path.display());
        let manifest: Self = serde_json::from_str(&text).with_context(damaged)?;
        // A list from elsewhere must not lead out of its folder.
        let leads_out = |file: &String| {
            let mut parts = Path::new(file).components();
            file.is_empty() || parts.any(|part| !matches!(part, Component::Normal(_)))
        };
        if manifest.schema_version != 1 || manifest.files.keys().any(leads_out) {
            bail!(damaged());
        }
        Ok(manifest)
    }
}

/// Refuses a folder that holds what is built: nothing beside built files is input any more.
fn check_output(args: &BuildArgs, results: &[Built]) -> Result<()> {
    let shown = args.output.display();
    let Ok(output) = std::fs::canonicalize(&args.output) else {
        return Ok(());
    };
    if !output.is_dir() {
        bail!("`{shown}` is a file: choose a folder with --output");
    }
    let inside = results.iter().find(|built| {
        std::fs::canonicalize(&built.source).is_ok_and(|source| source.starts_with(&output))
    });
    if let Some(built) = inside {
        bail!(
            "`{shown}` holds `{}`, which is one of the files that are built: choose a folder of its own \
             with --output, such as `Environments`",
            built.source
        );
    }
    Ok(())
}

/// Refuses to overwrite what no build has written, the templates above all.
fn check(args: &BuildArgs, results: &[Built], old: &Manifest) -> Result<()> {
    let sources: HashSet<PathBuf> = results
        .iter()
        .filter_map(|built| std::fs::canonicalize(&built.source).ok())
        .collect();
    for built in results {
        let path = args.output.join(&built.path);
        let Ok(real) = std::fs::canonicalize(&path) else {
            continue;
        };
        if sources.contains(&real) {
            bail!(
                "`{}` is one of the files that are built: choose another --output",
                path.display()
            );
        }
        let same = std::fs::read(&path).is_ok_and(|bytes| {
            let text = String::from_utf8(bytes);
            text.is_ok_and(|text| Fingerprint::of(&text) == built.fingerprint())
        });
        if !args.force && !same && !old.files.contains_key(&built.path) {
            bail!(
                "`{}` exists and no build has written it: choose another --output, or overwrite it \
                 with --force",
                path.display()
            );
        }
    }
    Ok(())
}

/// Writes all files and removes those of earlier builds of the same environments. Returns those.
fn write(args: &BuildArgs, results: &[Built], old: Manifest, all: bool) -> Result<Vec<String>> {
    let mut new = old.files.clone();
    for built in results {
        let entry = Entry {
            environment: built.environment.clone(),
            sha256: built.fingerprint(),
        };
        new.insert(built.path.clone(), entry);
    }
    // First the list of everything that may be there, so that an interrupted build is cleaned up by
    // the next one.
    save(args, &new)?;
    for built in results {
        let path = args.output.join(&built.path);
        files::write(&path, &built.text, built.byte_order_mark)?;
    }
    let written: HashSet<&str> = results.iter().map(|built| built.path.as_str()).collect();
    let mut removed = Vec::new();
    for (file, entry) in old.files {
        let concerned = all
            || results
                .iter()
                .any(|built| built.environment == entry.environment);
        if !concerned || written.contains(file.as_str()) {
            continue;
        }
        new.remove(&file);
        let path = args.output.join(&file);
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        // Somebody's own work stays.
        if Fingerprint::of(&text) == entry.sha256 {
            std::fs::remove_file(&path)
                .with_context(|| format!("cannot remove `{}`", path.display()))?;
            removed.push(file);
        }
    }
    save(args, &new)?;
    Ok(removed)
}

fn save(args: &BuildArgs, files: &BTreeMap<String, Entry>) -> Result<()> {
    let manifest = Manifest {
        schema_version: 1,
        files: files.clone(),
    };
    let text = serde_json::to_string_pretty(&manifest)?;
    files::write(
        &args.output.join(BUILD_MANIFEST),
        &format!("{text}\n"),
        false,
    )
}

fn present(args: &BuildArgs, results: &[Built], removed: &[String], shell: &Shell) -> Result<()> {
    let shown = args.output.to_string_lossy().replace('\\', "/");
    let files = results.iter().map(|built| {
        json!({
            "environment": built.environment,
            "file": format!("{shown}/{}", built.path),
            "source": built.source,
        })
    });
    let report = json!({
        "schemaVersion": 1,
        "command": "build",
        "files": files.collect::<Vec<_>>(),
        "removed": removed.iter().map(|file| format!("{shown}/{file}")).collect::<Vec<_>>(),
    });
    let as_json = |out: &mut Vec<u8>| {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)
    };
    report_file::write(shell, as_json)?;
    shell.print(|out| {
        if shell.format(args.format) == Format::Json {
            return as_json(out);
        }
        let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for built in results {
            *counts.entry(built.environment.as_deref()).or_default() += 1;
        }
        for (environment, count) in counts {
            let folder = environment.filter(|_| !args.flat);
            let folder = folder.map_or(shown.clone(), |name| format!("{shown}/{name}"));
            let files = if count == 1 { "file" } else { "files" };
            writeln!(out, "{count} {files} in {folder}")?;
        }
        for file in removed {
            writeln!(out, "removed {shown}/{file}")?;
        }
        Ok(())
    })?;
    Ok(())
}
