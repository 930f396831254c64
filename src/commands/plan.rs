//! `iefctl plan`, and what it shares with `deploy`: reading both sides and comparing them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::config::{self, Project};
use crate::deploy::{
    self, GeneratedKind, KeyContent, Ledger, Local, Observer, PlanOptions, Planned, Recipe, Remote,
    TenantLock, Usage, ValueSource,
};
use crate::emulator::Emulator;
use crate::output::Format;
use crate::policy::Base;

use super::deployment::Display;
use super::ending::{self, Ending};
use super::environments::{self, AllArgs, Candidate, Name};
use super::ownership::PruneArgs;
use super::plan_view::View;
use super::project::{self, ProjectArgs, TenantPolicy, Validated};
use super::tenant::{Connection, TenantArgs, tenant_name};
use super::validate::{Checked, report};
use super::{Exit, Shell, deployment, lookups, saved_plan};

/// Show what `deploy` would change; writes nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl plan policies -e test
  iefctl plan policies --all-environments --exit-code
  iefctl plan policies -e prod --exit-code     3 if anything would change, for a drift job
  iefctl plan policies -e prod --out plan.json && iefctl deploy policies -e prod --plan plan.json
  iefctl plan policies -e prod --format markdown > comment.md

Signs in with AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.

Exit status: 0, 1 if the deployment would be refused, 2 could not run, 3 changes with --exit-code")]
pub struct PlanArgs {
    #[command(flatten)]
    project: ProjectArgs,

    #[command(flatten)]
    tenant: TenantArgs,

    #[command(flatten)]
    all: AllArgs,

    #[command(flatten)]
    prune: PruneArgs,

    /// Exit with 3 if anything would change
    #[arg(long)]
    exit_code: bool,

    /// Show the changed lines of the XML as well, without what does not count
    #[arg(long)]
    diff: bool,

    /// Save the plan for `deploy --plan`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
}

/// Runs `iefctl plan`.
///
/// # Errors
/// What keeps the command from running.
pub fn run(args: &PlanArgs, shell: &Shell) -> Result<Exit> {
    let environments = environments::chosen(&args.project, args.all, shell)?;
    let environment = match environments.as_slice() {
        [environment] => environment.as_deref(),
        _ => return several(args, environments, shell),
    };
    let project = args.project.of(environment).load(shell)?;
    let Some(validated) = validated(&project, args.format, "plan", shell)? else {
        return Ok(Exit::Findings);
    };
    runtime()?.block_on(async {
        let side = side(args, &args.tenant, &project, shell);
        let prepared = side.prepare(&project, validated, shell).await?;
        let exit = conclude(args, &prepared, shell);
        prepared.connection.close().await;
        exit
    })
}

fn side<'a>(
    args: &'a PlanArgs,
    tenant: &'a TenantArgs,
    project: &Project,
    shell: &Shell,
) -> TenantSide<'a> {
    TenantSide {
        args: tenant,
        prune: &args.prune,
        paths: &args.project.paths,
        concurrency: project.concurrency.unwrap_or(8),
        observer: Arc::new(Display::new(shell)),
        delete: Vec::new(),
        lock: None,
    }
}

/// Plans for several environments at the same time.
fn several(args: &PlanArgs, environments: Vec<Name>, shell: &Shell) -> Result<Exit> {
    if args.out.is_some() {
        bail!("a saved plan is for one environment: choose it with `--environment NAME`");
    }
    let format = environments::format_for_several(args.format, shell)?;
    let emulated = args.tenant.emulator;
    let candidates = environments::load_for_tenants(&args.project, environments, emulated, shell)?;
    let home = runtime()?;
    let emulator = home.block_on(args.tenant.start_emulator())?;
    let tenant = TenantArgs {
        running_emulator: emulator.as_ref().map(Emulator::url),
        ..args.tenant.clone()
    };
    let plans = environments::side_by_side(candidates, &|_| Ok(true), &|candidate, _| {
        let Candidate {
            project, validated, ..
        } = candidate;
        if validated.report.has_errors() {
            return Ok(Err(Box::new(validated)));
        }
        let side = side(args, &tenant, &project, shell);
        let prepared = runtime()?.block_on(side.prepare(&project, validated, shell))?;
        Ok(Ok(Box::new(prepared)))
    });
    if let Some(emulator) = emulator {
        home.block_on(emulator.shutdown());
    }
    present(args, format, &plans, shell)
}

/// What became of the plan of one environment: a plan, or what stands against it.
type Ended = Result<Result<Box<Prepared>, Box<Validated>>>;

fn present(
    args: &PlanArgs,
    format: Format,
    plans: &[(String, Ended)],
    shell: &Shell,
) -> Result<Exit> {
    let endings = plans.iter().map(|(_, end)| {
        end.as_ref().map(|end| -> Box<dyn Ending + '_> {
            match end {
                Ok(prepared) => Box::new(prepared.view(args)),
                Err(validated) => Box::new(Checked::new(&**validated, "plan")),
            }
        })
    });
    let endings: Vec<_> = endings.collect();
    let ends = plans.iter().zip(&endings).map(|((name, _), ending)| {
        let ending = ending.as_ref().map(|ending| -> &dyn Ending { &**ending });
        (name.as_str(), ending.map_err(|error| *error))
    });
    let ends: Vec<_> = ends.collect();
    ending::present_all(("plan", "planned"), format, &ends, shell)
}

fn conclude(args: &PlanArgs, prepared: &Prepared, shell: &Shell) -> Result<Exit> {
    let exit = ending::present(&prepared.view(args), args.format, shell)?;
    if let Some(file) = &args.out {
        if prepared.validated.report.has_errors() {
            shell.say("not saved: what would be refused is no plan to carry out");
            return Ok(exit);
        }
        saved_plan::write(&prepared.planned.plan, file)?;
        shell.say(format!(
            "saved: `iefctl deploy … --plan {}`, with the same policies and environment, does exactly \
             this or refuses",
            file.display()
        ));
    }
    Ok(exit)
}

/// Validates a project for one tenant before anything is asked of it; reports and returns nothing
/// if there are errors.
pub(super) fn validated(
    project: &Project,
    format: Option<Format>,
    command: &'static str,
    shell: &Shell,
) -> Result<Option<Validated>> {
    ready_for_tenant(project)?;
    let validated = project::validate(project, None, shell)?;
    if validated.report.has_errors() {
        report(&validated, format, command, shell)?;
        return Ok(None);
    }
    Ok(Some(validated))
}

/// Whether a project is what one deployment can be of.
pub(super) fn ready_for_tenant(project: &Project) -> Result<()> {
    if project.sets.len() > 1 {
        let names: Vec<_> = project.sets.iter().map(|set| set.name.as_str()).collect();
        bail!(
            "{} are {} sets, and a deployment is of one: run the command once for each",
            names.join(", "),
            names.len()
        );
    }
    Ok(())
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// How to reach the tenant for a plan.
pub(super) struct TenantSide<'a> {
    pub(super) args: &'a TenantArgs,
    pub(super) prune: &'a PruneArgs,
    /// The paths of the command line.
    pub(super) paths: &'a [PathBuf],
    pub(super) concurrency: usize,
    pub(super) observer: Arc<dyn Observer>,
    /// Policies that are to be deleted where the tenant has them.
    pub(super) delete: Vec<String>,
    /// The folder of the snapshots, if the plan is to be carried out: what is read must not be
    /// changed by another run from here.
    pub(super) lock: Option<&'a Path>,
}

/// Both sides and what would be done.
pub(super) struct Prepared {
    pub(super) connection: Connection,
    pub(super) lock: Option<TenantLock>,
    pub(super) local: Local,
    pub(super) remote: Remote,
    pub(super) planned: Planned,
    /// Everything found, by validation and by planning.
    pub(super) validated: Validated,
    /// What this project deployed before, where that is recorded.
    pub(super) ledger: Option<Ledger>,
}

impl Prepared {
    fn view(&self, args: &PlanArgs) -> View<'_> {
        View {
            command: "plan",
            plan: &self.planned.plan,
            local: &self.local,
            remote: &self.remote,
            report: &self.validated.report,
            diff: args.diff,
            pending: match args.exit_code {
                true => Exit::ChangesPending,
                false => Exit::Clean,
            },
        }
    }
}

impl TenantSide<'_> {
    /// Signs in, reads the tenant, validates again with the bases that only the tenant has, and
    /// compares.
    pub(super) async fn prepare(
        &self,
        project: &Project,
        mut validated: Validated,
        shell: &Shell,
    ) -> Result<Prepared> {
        let Some(set) = validated.sets.first() else {
            bail!("there is no policy to deploy");
        };
        let tenant = tenant_name(project, set, self.args.emulator)?;
        let connection = self
            .args
            .connect(&tenant, &project.access, Arc::clone(&self.observer), shell)
            .await?;
        let filled = match lookups::filled(project, &connection).await {
            Ok(filled) => filled,
            Err(error) => {
                connection.close().await;
                return Err(error);
            }
        };
        let project = filled.as_ref().unwrap_or(project);
        if filled.is_some() {
            validated = project::validate(project, None, shell)?;
        }
        let lock = match self.lock {
            Some(snapshots) => deployment::lock(snapshots, &connection, self.args),
            None => Ok(None),
        };
        let compared = match lock {
            Ok(lock) => self
                .compare(project, validated, &connection, shell)
                .await
                .map(|compared| (lock, compared)),
            Err(error) => Err(error),
        };
        match compared {
            Ok((lock, (local, remote, planned, validated, ledger))) => Ok(Prepared {
                connection,
                lock,
                ledger,
                local,
                remote,
                planned,
                validated,
            }),
            Err(error) => {
                connection.close().await;
                Err(error)
            }
        }
    }

    async fn compare(
        &self,
        project: &Project,
        mut validated: Validated,
        connection: &Connection,
        shell: &Shell,
    ) -> Result<(Local, Remote, Planned, Validated, Option<Ledger>)> {
        let ledger = self
            .prune
            .open(project, self.paths, &connection.tenant, shell)?;
        let local =
            |validated: &Validated| Local::new(&validated.sets[0], &validated.report.sources);
        let mut wanted = local(&validated);
        let owned = ledger.as_ref().filter(|_| self.prune.prune);
        let owned = owned.map_or_else(Vec::new, Ledger::owned);
        let prunes = owned.iter().any(|owned| wanted.find(&owned.id).is_none());
        let remote = match prunes || !self.delete.is_empty() {
            // Any policy of the tenant may inherit from what is to be deleted.
            true => read(connection, None, self.concurrency).await?,
            false => read(connection, Some(&wanted.wanted()), self.concurrency).await?,
        };
        let set = &validated.sets[0];
        if set
            .own()
            .any(|(index, _)| set.base(index) == Base::Elsewhere)
        {
            let own: Vec<String> = set
                .own()
                .map(|(_, policy)| policy.id().to_owned())
                .collect();
            let context: Vec<TenantPolicy<'_>> = remote
                .ancestors(&own)
                .into_iter()
                .map(|policy| TenantPolicy {
                    id: &policy.id,
                    text: &policy.text,
                })
                .collect();
            validated = project::validate(project, Some(&context), shell)?;
            wanted = local(&validated);
        }
        let place = project.name.as_ref().map(|(_, place)| *place);
        let first = wanted.policies.first().map(|policy| policy.location);
        let pruning = match place.or(first) {
            Some(place) if prunes => deploy::prune(&owned, &wanted, &remote, place),
            _ => deploy::Pruning::default(),
        };
        let mut delete = self.delete.clone();
        delete.extend(pruning.delete);
        let heirs = deploy::heirs_outside(&delete, Some(&wanted), &remote);
        if let Some((base, heirs)) = heirs.into_iter().next() {
            bail!(
                "policy {base} is to be deleted, but {} inherits from it: make a new plan",
                heirs.join(", ")
            );
        }
        let planned = deploy::build(
            &connection.tenant,
            &wanted,
            &remote,
            &PlanOptions {
                recipes: project.keysets.iter().map(recipe).collect(),
                production: project.settings.production,
                placeholder_secrets: self.args.emulator,
                delete,
                now: Some(std::time::SystemTime::now()),
            },
        );
        validated.add(pruning.findings.into_iter(), project);
        validated.add(planned.findings.iter().cloned(), project);
        Ok((wanted, remote, planned, validated, ledger))
    }
}

/// Reads what the tenant has of these policies, or of all.
pub(super) async fn read(
    connection: &Connection,
    ids: Option<&[String]>,
    concurrency: usize,
) -> Result<Remote> {
    let client = &connection.client;
    let remote = match ids {
        Some(ids) => deploy::read(client, ids, concurrency).await,
        None => deploy::read_all(client, concurrency).await,
    };
    remote
        .map_err(|error| {
            let advice = error.advice().map(|advice| format!("\n  help: {advice}"));
            anyhow::anyhow!("{error}{}", advice.unwrap_or_default())
        })
        .with_context(|| format!("cannot read the tenant {}", connection.tenant.name))
}

fn recipe(configured: &config::KeysetRecipe) -> Recipe {
    let usage = match configured.key_use {
        config::KeyUse::Sig => Usage::Sig,
        config::KeyUse::Enc => Usage::Enc,
    };
    let source = |source: &config::ValueSource| match source {
        config::ValueSource::Env(name) => ValueSource::Env(name.clone()),
        config::ValueSource::File(path) => ValueSource::File(path.clone()),
    };
    let content = match &configured.content {
        config::KeysetContent::Generate(kind) => KeyContent::Generate {
            kind: match kind {
                config::GeneratedKey::Rsa => GeneratedKind::Rsa,
                config::GeneratedKey::Oct => GeneratedKind::Oct,
            },
            usage,
        },
        config::KeysetContent::Secret(value) => KeyContent::Secret {
            value: source(value),
            usage,
        },
        config::KeysetContent::Certificate(value) => KeyContent::Certificate {
            value: source(value),
        },
        config::KeysetContent::Pkcs12 { archive, password } => KeyContent::Pkcs12 {
            archive: source(archive),
            password: password.as_ref().map(source),
        },
    };
    Recipe {
        keyset: configured.id.clone(),
        content,
        origin: Some(configured.location),
    }
}
