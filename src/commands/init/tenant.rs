//! `iefctl init --tenant`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::auth::TokenClaims;
use crate::config::Project;
use crate::deploy::{Event, Observer};
use crate::output::Format;
use crate::output::setup::{
    SetupJson, SetupStatus, SetupStepJson, render, render_end, render_step, render_steps,
};
use crate::policy::TenantValue;
use crate::setup::{
    self, Applied, Expected, Facts, Progress, SetupPlan, Step, StepKind, StepOutcome,
};

use super::settings_file;
use crate::commands::deployment::lock;
use crate::commands::doctor::token_keys;
use crate::commands::keys::configured_tenant;
use crate::commands::project::{self, ConfigArgs, ProjectArgs};
use crate::commands::snapshots::SNAPSHOTS;
use crate::commands::tenant::{Connection, TenantArgs};
use crate::commands::{Exit, Shell, formats};

/// The settings that the ids go to: the names that samples use.
const KEYS: [(&str, TenantValue); 4] = [
    (
        "IdentityExperienceFrameworkAppId",
        TenantValue::FrameworkAppId,
    ),
    (
        "ProxyIdentityExperienceFrameworkAppId",
        TenantValue::ProxyAppId,
    ),
    ("ExtensionsAppClientId", TenantValue::ExtensionsAppId),
    ("ExtensionsAppObjectId", TenantValue::ExtensionsObjectId),
];

#[derive(Debug, Clone, clap::Args)]
pub(super) struct TenantSetupArgs {
    /// Prepare this tenant [default: that of --environment or of the policies]
    #[arg(short, long, value_name = "DOMAIN", num_args = 0..=1)]
    tenant: Option<Option<String>>,

    /// Environment of the configuration whose tenant is meant
    #[arg(short, long, value_name = "NAME", env = "IEFCTL_ENVIRONMENT")]
    environment: Option<String>,

    #[command(flatten)]
    config: ConfigArgs,

    /// Only show what would be done
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    /// Write the ids into iefctl.toml; the rest of the file stays as it is
    #[arg(long, conflicts_with = "dry_run")]
    write: bool,

    #[command(flatten)]
    connection: TenantArgs,

    /// How to report
    #[arg(long, value_name = "FORMAT", value_parser = formats::one_of(formats::RESULT))]
    format: Option<Format>,
}

impl TenantSetupArgs {
    /// Whether a tenant is to be prepared.
    pub(super) const fn is_asked_for(&self) -> bool {
        self.tenant.is_some()
    }

    /// An option that means nothing without a tenant.
    pub(super) const fn is_given_in_vain(&self) -> Option<&'static str> {
        match self {
            Self { yes: true, .. } => Some("--yes"),
            Self { write: true, .. } => Some("--write"),
            Self {
                config: ConfigArgs {
                    config: Some(_), ..
                },
                ..
            } => Some("--config"),
            Self {
                format: Some(_), ..
            } => Some("--format"),
            _ => None,
        }
    }

    fn project(&self) -> ProjectArgs {
        ProjectArgs {
            environment: self.environment.clone().into_iter().collect(),
            tenant: self.tenant.clone().flatten(),
            config: self.config.clone(),
            ..ProjectArgs::default()
        }
    }

    /// The table of `iefctl.toml` for the ids, as keys.
    fn table(&self, project: &Project) -> Vec<String> {
        match &project.settings.environment {
            Some(name) => vec![
                "environments".to_owned(),
                name.clone(),
                "settings".to_owned(),
            ],
            None => vec!["settings".to_owned()],
        }
    }
}

pub(super) fn run(args: &TenantSetupArgs, shell: &Shell) -> Result<Exit> {
    let project_args = args.project();
    let project = project_args.load_configuration(shell)?;
    let file = if args.write {
        Some(configuration_file(&project)?)
    } else {
        None
    };
    let emulator = args.connection.emulator;
    let tenant = configured_tenant(&project_args, &project, emulator, shell)?;
    let expected = expected(&project_args, shell);
    crate::commands::plan::runtime()?.block_on(async {
        let connection = args
            .connection
            .connect_for(
                &[],
                &tenant,
                &project.access,
                Arc::new(Waits(*shell)),
                shell,
            )
            .await?;
        let work = Work {
            args,
            tenant: &tenant,
            project: &project,
            expected: &expected,
            file: file.as_deref(),
            snapshots: Path::new(SNAPSHOTS),
            shell,
        };
        let result = work.run(&connection).await;
        connection.close().await;
        result
    })
}

/// What the policies say, where there are any: which of several applications they use.
fn expected(args: &ProjectArgs, shell: &Shell) -> Expected {
    let quiet = Shell {
        verbosity: 0,
        quiet: true,
        ..*shell
    };
    let mut expected = Expected::default();
    if let Ok(project) = args.load(&quiet)
        && let Ok(validated) = project::validate(&project, None, &quiet)
    {
        for set in &validated.sets {
            expected.extend(Expected::of(set, &validated.report.sources));
        }
    }
    expected.keys = token_keys();
    expected
}

/// The `iefctl.toml` to write to.
fn configuration_file(project: &Project) -> Result<PathBuf> {
    let Some(source) = project.config_source else {
        return Ok(PathBuf::from("iefctl.toml"));
    };
    let path = Path::new(project.sources.get(source).name());
    if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        return Ok(path.to_owned());
    }
    bail!(
        "--write writes iefctl.toml only, and the configuration is `{}`: leave --write out and put \
         the ids there yourself",
        path.display()
    )
}

struct Work<'a> {
    args: &'a TenantSetupArgs,
    tenant: &'a str,
    project: &'a Project,
    expected: &'a Expected,
    file: Option<&'a Path>,
    /// Where the lock of the tenant lies.
    snapshots: &'a Path,
    shell: &'a Shell,
}

impl Work<'_> {
    async fn run(&self, connection: &Connection) -> Result<Exit> {
        let client = &connection.client;
        // What is read must still be true when it is written.
        let lock = match self.args.dry_run {
            true => None,
            false => lock(self.snapshots, connection, &self.args.connection)?,
        };
        let facts = setup::read(client, self.expected).await;
        let plan = match SetupPlan::new(&facts, self.expected, self.tenant) {
            Ok(plan) => plan,
            Err(obstacles) => {
                let told: Vec<String> = obstacles
                    .iter()
                    .map(|obstacle| format!("{}\n  help: {}", obstacle.message, obstacle.help))
                    .collect();
                bail!("the tenant cannot be prepared:\n{}", told.join("\n"));
            }
        };
        if self.args.dry_run || !plan.has_changes() {
            let applied = Applied {
                outcomes: Vec::new(),
                framework: None,
                proxy: None,
            };
            return self.report(&plan, &applied, &facts);
        }
        self.check_permissions(&plan, connection).await?;
        if !self.is_agreed(&plan)? {
            self.shell.say("nothing was changed");
            return Ok(Exit::Findings);
        }
        let rows = Rows {
            shell: self.shell,
            plan: self.json(&plan, None),
            kinds: plan.steps.iter().map(|step| step.kind).collect(),
            is_watched: self.is_watched(),
        };
        let applied = setup::apply(client, &plan, lock.as_ref(), &rows).await;
        self.report(&plan, &applied, &facts)
    }

    /// Names every permission that a step needs and the token lacks, before anything is written.
    async fn check_permissions(&self, plan: &SetupPlan, connection: &Connection) -> Result<()> {
        let Ok(token) = connection.client.tokens().token().await else {
            return Ok(());
        };
        let Some(claims) = TokenClaims::decode(&token) else {
            return Ok(());
        };
        let needed = |kinds: &dyn Fn(StepKind) -> bool| {
            let mut steps = plan.steps.iter();
            steps.any(|step| step.is_needed() && kinds(step.kind))
        };
        let consent = |kind| {
            matches!(
                kind,
                StepKind::Consent | StepKind::FrameworkGraphConsent | StepKind::ProxyGraphConsent
            )
        };
        let keyset = |kind| matches!(kind, StepKind::Keyset(_));
        let mut missing = Vec::new();
        for (name, is_needed) in [
            (
                "Application.ReadWrite.All",
                needed(&|kind| !consent(kind) && !keyset(kind)),
            ),
            ("DelegatedPermissionGrant.ReadWrite.All", needed(&consent)),
            ("TrustFrameworkKeySet.ReadWrite.All", needed(&keyset)),
        ] {
            let directory = name != "TrustFrameworkKeySet.ReadWrite.All"
                && claims.grants("Directory.ReadWrite.All");
            if is_needed && !directory && !claims.grants(name) {
                missing.push(name);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        bail!(
            "the sign-in lacks the permission {}: nothing was changed\n  help: {}",
            missing.join(" and "),
            setup::doctor::grant(&missing.join(", "))
        )
    }

    fn is_agreed(&self, plan: &SetupPlan) -> Result<bool> {
        // The emulated tenant is nobody's.
        if self.args.yes || self.args.connection.emulator {
            return Ok(true);
        }
        if !self.shell.can_ask() {
            bail!(
                "nobody can be asked here: say --yes to prepare {}, or --dry-run to see what would \
                 be done",
                self.tenant
            );
        }
        let shown = self.json(plan, None);
        let mut text = Vec::new();
        render_steps(&shown, self.shell.error_style(), &mut text)?;
        let loud = Shell {
            quiet: false,
            ..*self.shell
        };
        loud.say(String::from_utf8_lossy(&text).trim_end());
        let question = format!("Do this in {}?", crate::output::plain(self.tenant));
        self.shell
            .confirm(&question)
            .context("cannot read the answer; `--yes` does not ask")
    }

    /// The steps with their outcomes; without, as they are planned.
    fn json(&self, plan: &SetupPlan, applied: Option<&Applied>) -> SetupJson {
        let steps = plan.steps.iter().enumerate().map(|(number, step)| {
            let outcome = applied.and_then(|applied| applied.outcomes.get(number));
            step_json(step, outcome)
        });
        SetupJson::new(self.tenant, self.args.dry_run, steps.collect())
    }

    /// Whether people watch the steps as they end.
    fn is_watched(&self) -> bool {
        let format = self.shell.format(self.args.format);
        !matches!(format, Format::Json | Format::Markdown)
    }

    fn report(&self, plan: &SetupPlan, applied: &Applied, facts: &Facts) -> Result<Exit> {
        let mut report = self.json(plan, Some(applied));
        let table = self.args.table(self.project);
        report.settings_table = settings_file::shown(&table);
        for (key, value) in KEYS {
            if let Some(id) = id_of(value, plan, applied, facts) {
                report.settings.insert(key.to_owned(), id);
                report.lookups.insert(key, value.notation());
            }
        }
        if let Some(file) = self.file
            && !report.settings.is_empty()
        {
            let kept = settings_file::write(file, &table, &report.settings)
                .with_context(|| format!("cannot write `{}`", file.display()))?;
            for key in kept {
                self.shell.say(format!(
                    "note: {key} stays as it is in {}: it is no literal value",
                    file.display()
                ));
                report.settings.remove(&key);
            }
            report.written = Some(file.display().to_string());
        }
        let format = self.shell.format(self.args.format);
        let style = self.shell.style();
        let was_watched = !applied.outcomes.is_empty() && self.is_watched();
        self.shell.print(|out| match was_watched {
            true => render_end(&report, style, out),
            false => render(&report, format, style, out),
        })?;
        if !report.complete && !self.args.dry_run {
            self.shell
                .say("not complete: run the same command again, it does only what is left");
            return Ok(Exit::Findings);
        }
        Ok(Exit::Clean)
    }
}

/// An id, once it is known.
fn id_of(value: TenantValue, plan: &SetupPlan, applied: &Applied, facts: &Facts) -> Option<String> {
    let extensions = || match facts.extensions.as_deref() {
        Ok([one]) => Some(one),
        _ => None,
    };
    match value {
        TenantValue::FrameworkAppId => applied.framework.clone().or_else(|| plan.framework_id()),
        TenantValue::ProxyAppId => applied.proxy.clone().or_else(|| plan.proxy_id()),
        TenantValue::ExtensionsAppId => extensions().map(|it| it.app_id.clone()),
        TenantValue::ExtensionsObjectId => extensions().map(|it| it.object_id.clone()),
        TenantValue::TenantId | TenantValue::TenantDomain => None,
    }
}

/// Writes the line of each step as it ends.
struct Rows<'a> {
    shell: &'a Shell,
    plan: SetupJson,
    kinds: Vec<StepKind>,
    is_watched: bool,
}

impl Progress for Rows<'_> {
    fn on_start(&self, step: &Step) {
        let subject = crate::output::plain(&step.subject);
        self.shell
            .note(format!("{subject}: {}", step.actions.join(", ")));
    }

    fn on_end(&self, step: &Step, outcome: &StepOutcome) {
        let number = self.kinds.iter().position(|kind| *kind == step.kind);
        let Some(number) = number.filter(|_| self.is_watched) else {
            return;
        };
        let mut shown = self.plan.clone();
        shown.steps[number] = step_json(step, Some(outcome));
        let style = self.shell.style();
        // Nothing can be done about a closed output; the tenant is prepared all the same.
        let _ = self
            .shell
            .print(|out| render_step(&shown, number, style, out));
    }
}

/// A step with its outcome; without, as it is planned.
fn step_json(step: &Step, outcome: Option<&StepOutcome>) -> SetupStepJson {
    let (status, error, help) = match outcome {
        Some(StepOutcome::Done) => (SetupStatus::Done, None, None),
        Some(StepOutcome::Blocked) => (SetupStatus::Blocked, None, None),
        Some(StepOutcome::Failed { error, advice }) => {
            (SetupStatus::Failed, Some(error.clone()), advice.clone())
        }
        Some(StepOutcome::Present) => (SetupStatus::Present, None, None),
        None if step.is_needed() => (SetupStatus::Planned, None, None),
        None => (SetupStatus::Present, None, None),
    };
    SetupStepJson {
        subject: step.subject.clone(),
        actions: step.actions.clone(),
        status,
        error,
        help,
    }
}

/// Says what is being waited for.
struct Waits(Shell);

impl Observer for Waits {
    fn on_event(&self, event: &Event) {
        if let Event::Retry { delay, reason, .. } = event {
            let seconds = delay.as_secs_f32();
            let reason = crate::output::plain(reason);
            self.0.say(format!("  {reason}: again in {seconds:.1} s"));
        }
    }
}
