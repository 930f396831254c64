//! `iefctl plan`, and what it shares with `deploy`: reading both sides and comparing them.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::config::{self, Project};
use crate::deploy::{
    self, GeneratedKind, KeyContent, KeysetAction, Ledger, Local, Observer, Plan, PlanOptions,
    Planned, PolicyAction, Recipe, Remote, Usage, ValueSource,
};
use crate::output::Format;
use crate::policy::Base;

use super::ownership::PruneArgs;
use super::project::{self, ProjectArgs, TenantPolicy, Validated};
use super::tenant::{Connection, TenantArgs, tenant_name};
use super::validate::report;
use super::{Exit, Shell};

/// Show what `deploy` would change; writes nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl plan policies -e test
  iefctl plan policies -e prod --exit-code     3 if anything would change, for a drift job

Signs in with AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.

Exit status: 0, 1 if the deployment would be refused, 2 could not run, 3 changes with --exit-code")]
pub struct PlanArgs {
    #[command(flatten)]
    project: ProjectArgs,

    #[command(flatten)]
    tenant: TenantArgs,

    #[command(flatten)]
    prune: PruneArgs,

    /// Exit with 3 if anything would change
    #[arg(long)]
    exit_code: bool,

    /// How to report
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
}

/// Runs `iefctl plan`.
///
/// # Errors
/// What keeps the command from running.
pub fn run(args: &PlanArgs, shell: &Shell) -> Result<Exit> {
    let project = args.project.load(shell)?;
    let Some(validated) = validated(&project, args.format, "plan", shell)? else {
        return Ok(Exit::Findings);
    };
    runtime()?.block_on(async {
        let side = TenantSide {
            args: &args.tenant,
            prune: &args.prune,
            paths: &args.project.paths,
            concurrency: 8,
            observer: Arc::new(()),
        };
        let prepared = side.prepare(&project, validated, shell).await?;
        let exit = conclude(args, &prepared, shell);
        prepared.connection.close().await;
        exit
    })
}

fn conclude(args: &PlanArgs, prepared: &Prepared, shell: &Shell) -> Result<Exit> {
    let format = shell.format(args.format);
    let findings = &prepared.validated.report;
    if findings.has_errors() {
        report(&prepared.validated, args.format, "plan", shell)?;
        return Ok(Exit::Findings);
    }
    let plan = &prepared.planned.plan;
    shell.print(|out| match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, plan)?;
            writeln!(out)
        }
        _ => write_plan(plan, out),
    })?;
    Ok(if args.exit_code && plan.has_changes() {
        Exit::ChangesPending
    } else {
        Exit::Clean
    })
}

fn write_plan(plan: &Plan, out: &mut Vec<u8>) -> std::io::Result<()> {
    for step in &plan.keysets {
        let what = match step.action {
            KeysetAction::Present => continue,
            KeysetAction::Create => "create",
            KeysetAction::Fill => "add the first key to",
            KeysetAction::Missing => "missing:",
        };
        let how = step
            .content
            .as_ref()
            .map_or(String::new(), |content| format!(", {content}"));
        writeln!(out, "{what} keyset {}{how}", step.id)?;
    }
    for step in &plan.policies {
        let what = match step.action {
            PolicyAction::Create => "create",
            PolicyAction::Update => "update",
            PolicyAction::Delete => "delete",
            PolicyAction::Unchanged => continue,
        };
        let file = step
            .file()
            .map_or(String::new(), |file| format!(" from {file}"));
        writeln!(out, "{what} policy {}{file}", step.id)?;
    }
    let count = |action| plan.count(action);
    if plan.has_changes() {
        writeln!(
            out,
            "{}: {} to create, {} to update, {} unchanged",
            plan.tenant,
            count(PolicyAction::Create),
            count(PolicyAction::Update),
            count(PolicyAction::Unchanged)
        )
    } else {
        writeln!(out, "{}: nothing would change", plan.tenant)
    }
}

/// Validates a project for one tenant before anything is asked of it; reports and returns nothing
/// if there are errors.
pub(super) fn validated(
    project: &Project,
    format: Option<Format>,
    command: &str,
    shell: &Shell,
) -> Result<Option<Validated>> {
    if project.sets.len() > 1 {
        let names: Vec<_> = project.sets.iter().map(|set| set.name.as_str()).collect();
        bail!(
            "{} are {} sets, and a deployment is of one: run the command once for each",
            names.join(", "),
            names.len()
        );
    }
    let validated = project::validate(project, None, shell)?;
    if validated.report.has_errors() {
        report(&validated, format, command, shell)?;
        return Ok(None);
    }
    Ok(Some(validated))
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
}

/// Both sides and what would be done.
pub(super) struct Prepared {
    pub(super) connection: Connection,
    pub(super) local: Local,
    pub(super) remote: Remote,
    pub(super) planned: Planned,
    /// Everything found, by validation and by planning.
    pub(super) validated: Validated,
    /// What this project deployed before, where that is recorded.
    pub(super) ledger: Option<Ledger>,
}

impl TenantSide<'_> {
    /// Signs in, reads the tenant, validates again with the bases that only the tenant has, and
    /// compares.
    pub(super) async fn prepare(
        &self,
        project: &Project,
        validated: Validated,
        shell: &Shell,
    ) -> Result<Prepared> {
        let Some(set) = validated.sets.first() else {
            bail!("there is no policy to deploy");
        };
        let tenant = tenant_name(project, set, self.args.emulator)?;
        let connection = self
            .args
            .connect(&tenant, Arc::clone(&self.observer), shell)
            .await?;
        match self.compare(project, validated, &connection, shell).await {
            Ok((local, remote, planned, validated, ledger)) => Ok(Prepared {
                connection,
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
        let client = &connection.client;
        let owned = ledger.as_ref().filter(|_| self.prune.prune);
        let owned = owned.map_or_else(Vec::new, Ledger::owned);
        let prunes = owned.iter().any(|owned| wanted.find(&owned.id).is_none());
        let remote = match prunes {
            // Any policy of the tenant may inherit from what is to be deleted.
            true => deploy::read_all(client, self.concurrency).await,
            false => deploy::read(client, &wanted.wanted(), self.concurrency).await,
        };
        let remote = remote
            .map_err(|error| {
                let advice = error.advice().map(|advice| format!("\n  help: {advice}"));
                anyhow::anyhow!("{error}{}", advice.unwrap_or_default())
            })
            .with_context(|| format!("cannot read the tenant {}", connection.tenant.name))?;
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
        let planned = deploy::build(
            &connection.tenant,
            &wanted,
            &remote,
            &PlanOptions {
                recipes: project.keysets.iter().map(recipe).collect(),
                production: project.settings.production,
                placeholder_secrets: self.args.emulator,
                delete: pruning.delete,
            },
        );
        validated.add(pruning.findings.into_iter(), project);
        validated.add(planned.findings.iter().cloned(), project);
        Ok((wanted, remote, planned, validated, ledger))
    }
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
