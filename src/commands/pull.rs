//! `iefctl pull`.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::config::{self, Project};
use crate::deploy::{Fingerprint, Remote, RemotePolicy, file_name};
use crate::diagnostics::{Source, SourceMap, near_miss};
use crate::output::Format;
use crate::policy::{Header, Resolver, canonical_form, without_tenant_object_id};
use crate::xml;

use super::choice::{TenantChoice, chosen_tenant};
use super::deployment::Display;
use super::files;
use super::plan::{read, runtime};
use super::tenant::Need;
use super::{Exit, Shell, formats, lookups};

/// The file with the list of keysets.
const KEYSETS: &str = "keysets.json";

/// Download the policies of a tenant
///
/// Writes every custom policy into a file of the folder, and what can be known of the keysets into
/// keysets.json. A policy that a file below the folder has already stays in that file; a file that
/// means the same keeps its bytes. With --environment, values of its settings become placeholders
/// again, in the way in which the file that is overwritten has them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl pull policies -t contoso.onmicrosoft.com
  iefctl pull policies -e test --policy B2C_1A_SignUpOrSignin

A file that differs from the tenant is overwritten only if it is what an earlier pull has written;
else somebody has worked on it, and it is kept unless --force is given.

Exit status: 0 the files are as the tenant, 1 files were kept, 2 could not run")]
pub struct PullArgs {
    /// Folder to write to
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Only this policy; may be repeated
    #[arg(long, value_name = "ID")]
    policy: Vec<String>,

    #[command(flatten)]
    choice: TenantChoice,

    /// Overwrite files that somebody has worked on
    #[arg(long)]
    force: bool,

    /// How to report
    #[arg(long, value_name = "FORMAT", value_parser = formats::one_of(formats::PLAIN))]
    format: Option<Format>,
}

/// Runs `iefctl pull`.
///
/// # Errors
/// What keeps the command from running, and what the disk refuses.
pub fn run(args: &PullArgs, shell: &Shell) -> Result<Exit> {
    let env = |name: &str| shell.variable(name);
    let mut project = config::load_folder(&args.folder, &args.choice.options(), &env)?;
    for note in project.notes.drain(..) {
        shell.note(note);
    }
    if let Some(renaming) = &project.renaming {
        bail!(
            "the configuration gives all ids the prefix `{}`, which `pull` cannot take away again: \
             pull into a folder without that configuration",
            renaming.prefix()
        );
    }
    let tenant = chosen_tenant(&project)?;
    let (remote, chosen, filled) = runtime()?.block_on(async {
        let needs = [Need::ReadPolicies, Need::ReadKeysets];
        let connection = args
            .choice
            .access
            .connect_for(
                &needs,
                &tenant,
                &project.access,
                Arc::new(Display::new(shell)),
                shell,
            )
            .await?;
        let remote = read(&connection, None, 8).await;
        let filled = lookups::filled(&project, &connection).await;
        connection.close().await;
        let (remote, filled) = (remote?, filled?);
        let chosen = choose(&args.policy, &remote)?;
        Ok::<_, anyhow::Error>((remote, chosen, filled))
    })?;
    let project = filled.unwrap_or(project);
    let files = LocalFiles::read(&project)?;
    let mut base = Base::open(&args.folder, &tenant)?;
    let mut pulled = Vec::new();
    for id in &chosen {
        if let Some(policy) = remote.policy(id) {
            pulled.push(Pulled::new(args, policy, &files, &base, &project)?);
        }
    }
    let keysets = keysets(&remote);
    let keysets_file = args.folder.join(KEYSETS);
    let keysets_action = keysets_action(&keysets_file, &keysets, args.force)?;
    for policy in &pulled {
        if let Some(text) = &policy.text {
            files::write(&policy.path, text, policy.byte_order_mark)?;
        }
        if policy.action != Action::Kept {
            base.note(&policy.id, &policy.fingerprint);
        }
    }
    if matches!(keysets_action, Action::Created | Action::Updated) {
        files::write(&keysets_file, &keysets, false)?;
    }
    base.save()?;
    present(
        args,
        &tenant,
        &pulled,
        (&keysets_file, keysets_action),
        shell,
    )?;
    let kept = pulled.iter().any(|policy| policy.action == Action::Kept);
    Ok(match kept || keysets_action == Action::Kept {
        true => Exit::Findings,
        false => Exit::Clean,
    })
}

/// The ids that are meant, as the tenant writes them.
fn choose(wanted: &[String], remote: &Remote) -> Result<Vec<String>> {
    if wanted.is_empty() {
        return Ok(remote.policies.clone());
    }
    let mut chosen = Vec::new();
    for id in wanted {
        let prefixed = format!("B2C_1A_{id}");
        let known = remote
            .policies
            .iter()
            .find(|known| known.eq_ignore_ascii_case(id) || known.eq_ignore_ascii_case(&prefixed));
        let Some(known) = known else {
            let near = near_miss(id, remote.policies.iter().map(String::as_str));
            let help = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            bail!("the tenant has no policy `{id}`{help}");
        };
        if !chosen.contains(known) {
            chosen.push(known.clone());
        }
    }
    Ok(chosen)
}

/// The policies that lie in the folder already, by folded id.
struct LocalFiles {
    policies: HashMap<String, LocalFile>,
}

struct LocalFile {
    /// With its placeholders replaced.
    source: Source,
    canonical: Option<String>,
}

impl LocalFiles {
    fn read(project: &Project) -> Result<Self> {
        let resolver = Resolver::new(&project.settings);
        let mut policies: HashMap<String, LocalFile> = HashMap::new();
        for file in project.sets.iter().flat_map(|set| &set.files) {
            let mut sources = SourceMap::new();
            let resolution = resolver.resolve(file.clone(), &mut sources);
            let source = sources.get(resolution.id).clone();
            let (document, _) = xml::parse(source.text(), resolution.id);
            let header = Header::read(&document, resolution.id);
            let Some(id) = header.and_then(|header| header.policy_id) else {
                continue;
            };
            let canonical = canonical_form(&document).filter(|_| document.is_well_formed());
            if let Some(other) = policies.get(&id.value.to_ascii_lowercase()) {
                bail!(
                    "`{}` and `{}` both hold policy {}: remove one of them",
                    other.source.name(),
                    source.name(),
                    id.value
                );
            }
            let file = LocalFile { source, canonical };
            policies.insert(id.value.to_ascii_lowercase(), file);
        }
        Ok(Self { policies })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Created,
    Updated,
    Unchanged,
    Kept,
}

impl Action {
    const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Kept => "kept",
        }
    }
}

/// What is in the way of a new file: not every system tells names apart by their case.
fn namesake(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?;
    let entries = std::fs::read_dir(path.parent()?).ok()?;
    let entries = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut same = entries.filter(|it| {
        it.file_name()
            .is_some_and(|it| it.eq_ignore_ascii_case(name))
    });
    same.next()
}

/// What becomes of one policy.
struct Pulled {
    id: String,
    path: PathBuf,
    action: Action,
    fingerprint: Fingerprint,
    /// What is to be written, if anything is.
    text: Option<String>,
    byte_order_mark: bool,
}

impl Pulled {
    fn new(
        args: &PullArgs,
        policy: &RemotePolicy,
        files: &LocalFiles,
        base: &Base,
        project: &Project,
    ) -> Result<Self> {
        let local = files.policies.get(&policy.id.to_ascii_lowercase());
        let path = match local {
            Some(local) => PathBuf::from(local.source.name()),
            None => args.folder.join(format!("{}.xml", file_name(&policy.id))),
        };
        let fingerprint = policy.fingerprint();
        let action = match local {
            None => {
                if let Some(other) = namesake(&path).filter(|_| !args.force) {
                    bail!(
                        "`{}` exists and is not policy {}: move it away, or overwrite it with --force",
                        other.display(),
                        policy.id
                    );
                }
                Action::Created
            }
            Some(local) if local.canonical.is_some() && local.canonical == policy.canonical => {
                Action::Unchanged
            }
            Some(local) => {
                let canonical = local.canonical.as_deref();
                let ours = canonical.is_some_and(|form| base.has(&policy.id, form));
                match ours || args.force {
                    true => Action::Updated,
                    false => Action::Kept,
                }
            }
        };
        let writes = matches!(action, Action::Created | Action::Updated);
        let text = writes.then(|| {
            let text = without_tenant_object_id(&policy.text);
            let resolver = Resolver::new(&project.settings);
            let name = path.to_string_lossy().replace('\\', "/");
            let like = local.map(|local| &local.source);
            resolver.template(&name, &text, like, project.settings.environment.is_some())
        });
        Ok(Self {
            id: policy.id.clone(),
            action,
            fingerprint,
            text,
            byte_order_mark: local.is_some_and(|local| local.source.has_bom()),
            path,
        })
    }
}

/// What the files meant after the last pull, per tenant: who differs from it was worked on.
struct Base {
    path: PathBuf,
    fingerprints: BTreeMap<String, String>,
}

impl Base {
    fn open(folder: &Path, tenant: &str) -> Result<Self> {
        let name = format!("{}.json", file_name(&tenant.to_ascii_lowercase()));
        let path = folder.join(".iefctl").join("pulled").join(name);
        let fingerprints = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .with_context(|| format!("`{}` is damaged; remove it", path.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
            }
        };
        Ok(Self { path, fingerprints })
    }

    fn has(&self, id: &str, canonical: &str) -> bool {
        self.fingerprints
            .get(&id.to_ascii_lowercase())
            .is_some_and(|known| known == Fingerprint::of(canonical).as_str())
    }

    fn note(&mut self, id: &str, fingerprint: &Fingerprint) {
        self.fingerprints
            .insert(id.to_ascii_lowercase(), fingerprint.as_str().to_owned());
    }

    fn save(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.fingerprints)?;
        files::write(&self.path, &format!("{text}\n"), false)
    }
}

/// The list of keysets, sorted: their public side, which is all that the service gives.
fn keysets(remote: &Remote) -> String {
    let mut keysets: Vec<_> = remote.keysets.iter().collect();
    keysets.sort_by_key(|keyset| keyset.id.to_ascii_lowercase());
    let keysets: Vec<Value> = keysets
        .iter()
        .map(|keyset| {
            let keys = keyset.keys.iter().map(|key| {
                json!({
                    "kid": key.kid,
                    "kty": key.kty,
                    "use": key.key_use,
                    "nbf": key.not_before,
                    "exp": key.expires,
                    "x5t": key.thumbprint,
                })
            });
            json!({ "id": keyset.id, "keys": keys.collect::<Vec<_>>() })
        })
        .collect();
    let list = json!({ "schemaVersion": 1, "keysets": keysets });
    // Plain data; writing it cannot fail.
    let mut text = serde_json::to_string_pretty(&list).unwrap_or_default();
    text.push('\n');
    text
}

fn keysets_action(path: &Path, text: &str, force: bool) -> Result<Action> {
    let existing = match std::fs::read_to_string(path) {
        Ok(existing) => existing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Action::Created),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
        }
    };
    if existing == text {
        return Ok(Action::Unchanged);
    }
    let ours = serde_json::from_str::<Value>(&existing)
        .is_ok_and(|value| value["schemaVersion"] == 1 && value["keysets"].is_array());
    Ok(match ours || force {
        true => Action::Updated,
        false => Action::Kept,
    })
}

fn present(
    args: &PullArgs,
    tenant: &str,
    pulled: &[Pulled],
    keysets: (&Path, Action),
    shell: &Shell,
) -> Result<()> {
    let count = |action| {
        pulled
            .iter()
            .filter(|policy| policy.action == action)
            .count()
    };
    let file = |path: &Path| path.to_string_lossy().replace('\\', "/");
    shell.print(|out| {
        if shell.format(args.format) == Format::Json {
            let policies = pulled.iter().map(|policy| {
                json!({
                    "id": policy.id,
                    "file": file(&policy.path),
                    "action": policy.action.word(),
                })
            });
            let report = json!({
                "schemaVersion": 1,
                "command": "pull",
                "tenant": tenant,
                "policies": policies.collect::<Vec<_>>(),
                "keysets": { "file": file(keysets.0), "action": keysets.1.word() },
                "summary": {
                    "created": count(Action::Created),
                    "updated": count(Action::Updated),
                    "unchanged": count(Action::Unchanged),
                    "kept": count(Action::Kept),
                },
            });
            serde_json::to_writer_pretty(&mut *out, &report)?;
            return writeln!(out);
        }
        for policy in pulled {
            if policy.action != Action::Unchanged {
                writeln!(out, "{} {}", policy.action.word(), file(&policy.path))?;
            }
        }
        if keysets.1 != Action::Unchanged {
            writeln!(out, "{} {}", keysets.1.word(), file(keysets.0))?;
        }
        writeln!(
            out,
            "{tenant}: {} created, {} updated, {} unchanged, {} kept",
            count(Action::Created),
            count(Action::Updated),
            count(Action::Unchanged),
            count(Action::Kept)
        )
    })?;
    if count(Action::Kept) > 0 || keysets.1 == Action::Kept {
        shell.say(
            "files that are kept differ from the tenant and were changed since the last pull; \
             --force overwrites them",
        );
    }
    Ok(())
}
