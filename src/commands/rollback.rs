//! `iefctl rollback`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use crate::config::Project;
use crate::deploy::{
    self, Local, Materials, PlanOptions, Planned, PolicyAction, Remote, Snapshot, TenantLock,
};
use crate::diagnostics::{Report, Source};
use crate::output::{self, Format};
use crate::validate::{self as validation, Input};

use super::choice::TenantChoice;
use super::deployment::{self, Deployment, Display, Ready};
use super::plan::{read, runtime};
use super::plan_view::View;
use super::project::Validated;
use super::snapshots::SnapshotArgs;
use super::tenant::Connection;
use super::validate::report;
use super::{Exit, Shell, ending};

/// Undo a deployment
///
/// Puts back what a deployment overwrote or deleted, as it was saved, and deletes what it created,
/// children before their bases. Keysets stay. A rollback saves what it overwrites as well, so a second
/// one undoes the first; --list tells which command saved what.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl rollback --list
  iefctl rollback -e test                      the last deployment to the tenant of environment test
  iefctl rollback .iefctl/snapshots/contoso.onmicrosoft.com/20261121T033234Z

Shows first what it will do. Signs in like `iefctl deploy`.

Exit status: 0 the tenant is as it was before, 1 an incomplete rollback, 2 could not run or refused")]
pub struct RollbackArgs {
    /// Folder or time of a snapshot [default: the latest one of the tenant]
    #[arg(value_name = "SNAPSHOT")]
    snapshot: Option<PathBuf>,

    /// Show the snapshots there are, and do nothing
    #[arg(long)]
    list: bool,

    /// Undo what somebody has changed since the deployment as well
    #[arg(long)]
    force: bool,

    /// Do not ask before writing to an environment marked production
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    choice: TenantChoice,

    /// How many calls run at a time [default: 8, or what the configuration says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: Option<u16>,

    #[command(flatten)]
    snapshots: SnapshotArgs,

    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
}

/// Runs `iefctl rollback`.
///
/// # Errors
/// What keeps the command from running; nothing was written to the tenant then.
pub fn run(args: &RollbackArgs, shell: &Shell) -> Result<Exit> {
    let project = args.choice.load(shell)?;
    let wanted = project.settings.tenant.clone();
    if args.list {
        return list(args, wanted.as_deref(), shell);
    }
    let snapshot = choose(args, wanted.as_deref())?;
    let tenant = snapshot.manifest.tenant.clone();
    if let Some(wanted) = wanted.filter(|wanted| !wanted.eq_ignore_ascii_case(&tenant)) {
        bail!(
            "{} is of tenant {}, but {} was asked for",
            snapshot.folder.display(),
            output::plain(&tenant),
            wanted
        );
    }
    let concurrency = args.concurrency.map(usize::from).or(project.concurrency);
    let rollback = Rollback {
        args,
        project: &project,
        snapshot,
        concurrency: concurrency.unwrap_or(8),
    };
    let display = Arc::new(Display::new(shell));
    runtime()?.block_on(async {
        let connection = args
            .choice
            .access
            .connect(
                &tenant,
                &project.access,
                Arc::<Display>::clone(&display),
                shell,
            )
            .await?;
        let lock = deployment::lock(&args.root(), &connection, &args.choice.access);
        let prepared = match lock {
            Ok(lock) => rollback
                .prepare(&connection)
                .await
                .map(|prepared| (lock, prepared)),
            Err(error) => Err(error),
        };
        match prepared {
            Ok((lock, prepared)) => {
                rollback
                    .carry_out(connection, lock, prepared, &display, shell)
                    .await
            }
            Err(error) => {
                connection.close().await;
                Err(error)
            }
        }
    })
}

impl RollbackArgs {
    /// The folder of the snapshots.
    fn root(&self) -> PathBuf {
        self.snapshots.root(self.choice.access.emulator)
    }
}

/// The snapshot that is meant.
fn choose(args: &RollbackArgs, tenant: Option<&str>) -> Result<Snapshot> {
    let root = &args.root();
    if let Some(path) = &args.snapshot {
        if path.is_dir() {
            return Ok(Snapshot::open(path)?);
        }
        let named: Vec<Snapshot> = of_tenant(root, tenant)?
            .into_iter()
            .filter(|snapshot| snapshot.folder.file_name() == Some(path.as_os_str()))
            .collect();
        return match <[Snapshot; 1]>::try_from(named) {
            Ok([snapshot]) => Ok(snapshot),
            Err(named) if named.is_empty() => bail!(
                "there is no snapshot `{}`: `iefctl rollback --list` shows those there are",
                path.display()
            ),
            Err(_) => bail!(
                "several tenants have a snapshot `{}`: choose the tenant with `--tenant`",
                path.display()
            ),
        };
    }
    if let Some(tenant) = tenant {
        return Ok(Snapshot::latest(root, tenant)?);
    }
    let mut all = of_tenant(root, None)?;
    let tenants: HashSet<String> = all
        .iter()
        .map(|snapshot| snapshot.manifest.tenant.to_ascii_lowercase())
        .collect();
    if tenants.len() > 1 {
        bail!(
            "there are snapshots of {} tenants: choose one with `--environment` or `--tenant`",
            tenants.len()
        );
    }
    all.pop().with_context(|| {
        format!(
            "there is no snapshot in {}: nothing was deployed from here, or it was saved elsewhere \
             (`--snapshots`)",
            root.display()
        )
    })
}

fn of_tenant(root: &Path, tenant: Option<&str>) -> Result<Vec<Snapshot>> {
    Ok(match tenant {
        Some(tenant) => Snapshot::list(root, tenant)?,
        None => Snapshot::list_all(root)?,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListJson {
    schema_version: u32,
    command: &'static str,
    snapshots: Vec<SnapshotJson>,
}

/// A snapshot with what its deployment was about to do.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotJson {
    folder: String,
    tenant: String,
    created: String,
    /// The command that saved it: `deploy`, `rollback` or `destroy`.
    saved_by: String,
    /// Whether that command did all it was to do.
    finished: bool,
    production: bool,
    policies_created: usize,
    policies_updated: usize,
    policies_deleted: usize,
}

fn list(args: &RollbackArgs, tenant: Option<&str>, shell: &Shell) -> Result<Exit> {
    let snapshots: Vec<SnapshotJson> = of_tenant(&args.root(), tenant)?
        .iter()
        .map(|snapshot| {
            let manifest = &snapshot.manifest;
            let count = |action| {
                let policies = manifest.policies.iter();
                policies.filter(|policy| policy.action == action).count()
            };
            SnapshotJson {
                folder: snapshot.folder.display().to_string(),
                tenant: manifest.tenant.clone(),
                created: manifest.created.clone(),
                saved_by: manifest.command.clone(),
                finished: snapshot.is_finished(),
                production: manifest.production,
                policies_created: count(PolicyAction::Create),
                policies_updated: count(PolicyAction::Update),
                policies_deleted: count(PolicyAction::Delete),
            }
        })
        .collect();
    if shell.format(args.format) == Format::Json {
        let list = ListJson {
            schema_version: output::json::SCHEMA_VERSION,
            command: "rollback",
            snapshots,
        };
        shell.print(|out| {
            serde_json::to_writer_pretty(&mut *out, &list)?;
            out.push(b'\n');
            Ok(())
        })?;
        return Ok(Exit::Clean);
    }
    if snapshots.is_empty() {
        shell.say(format!("no snapshots in {}", args.root().display()));
    }
    shell.print(|out| {
        use std::io::Write as _;
        for it in &snapshots {
            let mut counts: Vec<String> = [
                (it.policies_created, "created"),
                (it.policies_updated, "updated"),
                (it.policies_deleted, "deleted"),
            ]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
            if !it.finished {
                counts.push("not finished".to_owned());
            }
            writeln!(
                out,
                "{}  {:8}  {}  {}  {}",
                output::plain(&it.created),
                output::plain(&it.saved_by),
                output::plain(&it.tenant),
                counts.join(", "),
                output::plain(&it.folder)
            )?;
        }
        Ok(())
    })?;
    Ok(Exit::Clean)
}

struct Rollback<'a> {
    args: &'a RollbackArgs,
    project: &'a Project,
    snapshot: Snapshot,
    concurrency: usize,
}

/// Both sides and what would be done.
struct Prepared {
    local: Local,
    remote: Remote,
    planned: Planned,
    validated: Validated,
}

impl Rollback<'_> {
    /// Reads the snapshot and the tenant, and compares.
    async fn prepare(&self, connection: &Connection) -> Result<Prepared> {
        let manifest = &self.snapshot.manifest;
        if manifest.emulated != self.args.choice.access.emulator {
            let (which, how) = match manifest.emulated {
                true => ("an emulated", "with `--emulator` it is put back there"),
                false => ("a real", "leave out `--emulator` to put it back there"),
            };
            bail!("nothing was written: the snapshot is of {which} tenant; {how}");
        }
        if let (Some(saved), Some(id)) = (&manifest.tenant_id, &connection.tenant.id)
            && !saved.eq_ignore_ascii_case(id)
        {
            bail!(
                "nothing was written: the snapshot is of tenant {}, but {id} was signed in to",
                output::plain(saved)
            );
        }
        let mut input = Input::default();
        for (name, text) in self.snapshot.texts()? {
            let id = input.sources.add(Source::new(name, text));
            input.own.push(id);
        }
        // The tenant had these policies; what validation thinks of them is of no interest now.
        let saved = validation::validate(input);
        let local = Local::new(&saved.set, &saved.report.sources);
        let delete = self.snapshot.created();
        let mut ids = local.wanted();
        ids.extend(manifest.policies.iter().map(|policy| policy.id.clone()));
        let mut remote = read(connection, Some(&ids), self.concurrency).await?;
        if delete.iter().any(|id| remote.has_policy(id)) {
            // Whether anything else inherits from what is to be deleted, only the contents tell.
            let all = remote.policies.clone();
            remote = read(connection, Some(&all), self.concurrency).await?;
        }
        let overtaken = self.snapshot.overtaken(&remote)?;
        if !overtaken.is_empty() && !self.args.force {
            let list: Vec<String> = overtaken
                .iter()
                .map(|id| format!("\n  - {}", output::plain(id)))
                .collect();
            bail!(
                "nothing was written: these policies have changed in the tenant since that \
                 deployment, and the rollback would undo that:{}\n  help: `--force` does it all \
                 the same",
                list.concat()
            );
        }
        let planned = deploy::build(
            &connection.tenant,
            &local,
            &remote,
            &PlanOptions {
                delete,
                now: Some(std::time::SystemTime::now()),
                ..PlanOptions::default()
            },
        );
        check_heirs(&planned, &local, &remote)?;
        let mut validated = Validated {
            report: Report {
                sources: saved.report.sources,
                diagnostics: Vec::new(),
                policies: saved.report.policies,
            },
            sets: vec![saved.set],
        };
        validated.add(planned.findings.iter().cloned(), self.project);
        Ok(Prepared {
            local,
            remote,
            planned,
            validated,
        })
    }

    async fn carry_out(
        &self,
        connection: Connection,
        lock: Option<TenantLock>,
        prepared: Prepared,
        display: &Arc<Display>,
        shell: &Shell,
    ) -> Result<Exit> {
        let Prepared {
            local,
            remote,
            planned,
            validated,
        } = prepared;
        let mut plan = planned.plan;
        plan.production = self.project.settings.production || self.snapshot.manifest.production;
        let view = View {
            command: "rollback",
            plan: &plan,
            local: &local,
            remote: &remote,
            report: &validated.report,
            diff: false,
            pending: Exit::Clean,
        };
        let shown = if validated.report.has_errors() {
            report(&validated, self.args.format, "rollback", shell).map(|_| false)
        } else {
            shell.say(format!(
                "rolling back the {} of {} to {}",
                match self.snapshot.manifest.command.as_str() {
                    "deploy" => "deployment".into(),
                    command => output::plain(command),
                },
                output::plain(&self.snapshot.manifest.created),
                output::plain(&plan.tenant)
            ));
            view.say(shell).map(|()| true).map_err(Into::into)
        };
        match shown {
            Ok(true) => {}
            Ok(false) => {
                connection.close().await;
                return Ok(Exit::Findings);
            }
            Err(error) => {
                connection.close().await;
                return Err(error);
            }
        }
        let (materials, _) =
            Materials::gather(&plan, &local, &|source| source.read(&|_| None), false);
        let deployment = Deployment {
            command: "rollback",
            format: self.args.format,
            concurrency: self.concurrency,
            snapshots: &self.args.snapshots,
            keep: None,
            atomic: false,
            emulator: self.args.choice.access.emulator,
            yes: self.args.yes,
            levels: Vec::new(),
            prunes: false,
            display,
            consent: shell,
        };
        let ready = Ready {
            connection,
            lock,
            plan,
            local,
            remote,
            materials,
            report: validated.report,
            ledger: None,
        };
        let deployed = deployment.carry_out(ready, shell).await?;
        ending::present(&deployed, self.args.format, shell)
    }
}

/// Refuses to delete what other policies of the tenant inherit from.
fn check_heirs(planned: &Planned, local: &Local, remote: &Remote) -> Result<()> {
    let is_deleted = |id: &str| {
        let step = planned.plan.policy(id);
        step.is_some_and(|step| step.action == PolicyAction::Delete)
    };
    let orphans: Vec<String> = remote
        .contents()
        .filter(|policy| local.find(&policy.id).is_none() && !is_deleted(&policy.id))
        .filter_map(|policy| {
            let base = policy.base.as_deref().filter(|base| is_deleted(base))?;
            Some(format!(
                "\n  - {} inherits from {}",
                output::plain(&policy.id),
                output::plain(base)
            ))
        })
        .collect();
    if orphans.is_empty() {
        return Ok(());
    }
    bail!(
        "nothing was written: the rollback would delete what other policies of the tenant inherit \
         from:{}\n  help: delete or change those first",
        orphans.concat()
    )
}
