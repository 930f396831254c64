//! `iefctl doctor`.

use std::sync::Arc;

use anyhow::{Result, bail};

use crate::auth::TokenClaims;
use crate::config::Project;
use crate::deploy::keys::KeyUser;
use crate::deploy::{date, parse_span};
use crate::output::Format;
use crate::output::doctor::{CheckGroup, CheckJson, CheckState, DoctorJson, render};
use crate::setup::doctor::{Check, Examination, Group, State, examine};
use crate::setup::{self, Expected, keysets_of_tokens};

use super::deployment::Display;
use super::keys::{configured_tenant, now};
use super::project::{self, ProjectArgs};
use super::tenant::{Connection, TenantArgs, tenant_name};
use super::{Exit, Shell, formats};

/// Check sign-in, permissions and the tenant before anything else fails
///
/// Signs in, reads what the token allows, and compares the tenant with what the policies need: its
/// identity and type, the applications IdentityExperienceFramework, ProxyIdentityExperienceFramework
/// and b2c-extensions-app with their ids, consent, keysets, and how full it is. Every line says that
/// it is ok or what to do. Writes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl doctor policies -e test
  iefctl doctor -t contoso.onmicrosoft.com      the tenant alone, without policies
  iefctl doctor policies --emulator

`iefctl init --tenant` creates what is missing.

Exit status: 0 no problems, 1 something has to be put right, 2 could not sign in or run")]
pub struct DoctorArgs {
    #[command(flatten)]
    project: ProjectArgs,

    #[command(flatten)]
    tenant: TenantArgs,

    /// Report keys that expire within this time, such as 30d
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = parse_span)]
    within: i64,

    /// How to report
    #[arg(long, value_name = "FORMAT", value_parser = formats::one_of(formats::RESULT))]
    format: Option<Format>,
}

/// Runs `iefctl doctor`.
///
/// # Errors
/// What keeps the command from running; a refused sign-in is part of the report.
pub fn run(args: &DoctorArgs, shell: &Shell) -> Result<Exit> {
    let local = Local::read(args, shell)?;
    super::plan::runtime()?.block_on(async {
        let connected = args
            .tenant
            .connect_for(
                &[],
                &local.tenant,
                &local.project.access,
                Arc::new(Display::new(shell)),
                shell,
            )
            .await;
        let mut checks = Vec::new();
        let exit = match connected {
            Ok(connection) => {
                checks.extend(examined(args, &local, &connection, shell).await);
                connection.close().await;
                None
            }
            Err(error) => {
                let check = Check::new(
                    Group::SignIn,
                    "sign-in",
                    "sign-in",
                    State::Problem,
                    format!("{error:#}"),
                );
                checks.push(check.help("nothing else can be checked before this works"));
                Some(Exit::CouldNotRun)
            }
        };
        checks.extend(local.checks);
        let report = DoctorJson::new(local.tenant, checks.into_iter().map(json).collect());
        let format = shell.format(args.format);
        shell.print(|out| render(&report, format, shell.style(), out))?;
        Ok(exit.unwrap_or(match report.summary.problems {
            0 => Exit::Clean,
            _ => Exit::Findings,
        }))
    })
}

/// What is known before the tenant is asked.
struct Local {
    project: Project,
    tenant: String,
    expected: Expected,
    checks: Vec<Check>,
}

impl Local {
    fn read(args: &DoctorArgs, shell: &Shell) -> Result<Self> {
        let emulator = args.tenant.emulator;
        let check = |state, message: String| {
            Check::new(
                Group::Policies,
                "policies-valid",
                "validation",
                state,
                message,
            )
        };
        let project = match args.project.load(shell) {
            Ok(project) => project,
            // Without policies the tenant alone can be looked at.
            Err(error) if args.project.paths.is_empty() => {
                let project = args.project.load_configuration(shell)?;
                let Some(tenant) = project.settings.tenant.clone() else {
                    return Err(error);
                };
                let mut expected = Expected {
                    keys: token_keys(),
                    ..Expected::default()
                };
                expected.looked_up = project.settings.looked_up();
                let none = check(State::Unknown, "no policies are checked".to_owned())
                    .help(format!("{error:#}; name their folder: iefctl doctor PATH"));
                return Ok(Self {
                    project,
                    tenant,
                    expected,
                    checks: vec![none],
                });
            }
            Err(error) => return Err(error),
        };
        let validated = project::validate(&project, None, shell)?;
        let summary = validated.report.summary();
        let validity = match summary.errors {
            0 => check(
                State::Ok,
                format!("{} policies without errors", summary.policies),
            ),
            errors => check(
                State::Problem,
                format!("the policies have {errors} errors: what they need may be told wrongly"),
            )
            .help("`iefctl validate` shows them"),
        };
        let mut expected = Expected::default();
        let mut tenant: Option<String> = None;
        for set in &validated.sets {
            let name = match &tenant {
                None => match tenant_name(&project, set, emulator) {
                    Ok(name) => name,
                    Err(_) => configured_tenant(&args.project, &project, emulator, shell)?,
                },
                Some(name) => name.clone(),
            };
            tenant = Some(name);
            expected.extend(Expected::of(set, &validated.report.sources));
        }
        expected.looked_up = project.settings.looked_up();
        let recipes = project.keysets.iter().map(|recipe| recipe.id.clone());
        expected.recipes = recipes.collect();
        let Some(tenant) = tenant else {
            bail!("there is no policy");
        };
        Ok(Self {
            project,
            tenant,
            expected,
            checks: vec![validity],
        })
    }
}

/// The keysets that nearly every set needs.
pub(super) fn token_keys() -> Vec<KeyUser> {
    let purposes = ["issuer_secret", "issuer_refresh_token_key"];
    keysets_of_tokens()
        .into_iter()
        .zip(purposes)
        .map(|((keyset, _), key)| KeyUser {
            keyset: keyset.to_owned(),
            policy_id: String::new(),
            element: String::new(),
            key: key.to_owned(),
            place: None,
        })
        .collect()
}

async fn examined(
    args: &DoctorArgs,
    local: &Local,
    connection: &Connection,
    shell: &Shell,
) -> Vec<Check> {
    let client = &connection.client;
    let tokens = client.tokens();
    let claims = match tokens.token().await {
        Ok(token) => TokenClaims::decode(&token),
        Err(_) => None,
    };
    let mut checks = vec![signed_in(&tokens.describe(), claims.as_ref())];
    let wanted = local.project.settings.looked_up();
    let (facts, looked_up) = tokio::join!(
        setup::read(client, &local.expected),
        setup::look_up(client, &wanted)
    );
    checks.extend(examine(&Examination {
        expected: &local.expected,
        facts: &facts,
        claims: claims.as_ref(),
        tenant: &local.tenant,
        now: now(),
        within: args.within,
    }));
    let subject = "looked-up settings";
    let group = Group::Policies;
    match looked_up {
        Ok(_) if wanted.is_empty() => {}
        Ok(found) => {
            let message = format!("{} found in the tenant", found.len());
            checks.push(Check::new(
                group,
                "settings-lookup",
                subject,
                State::Ok,
                message,
            ));
        }
        Err(errors) => checks.extend(errors.iter().map(|error| {
            let message = error.to_string();
            Check::new(group, "settings-lookup", subject, State::Problem, message)
                .help(error.advice())
        })),
    }
    shell.note(format!(
        "{} requests to Microsoft Graph",
        client.stats().requests
    ));
    checks
}

fn signed_in(how: &str, claims: Option<&TokenClaims>) -> Check {
    let mut message = how.to_owned();
    if let Some(claims) = claims {
        if let Some(application) = &claims.application_id
            && !message.contains(application.as_str())
        {
            message = format!("{message}, application {application}");
        }
        if let Some(expires) = claims.expires {
            message = format!("{message}, token valid until {}", date(expires));
        }
    }
    Check::new(Group::SignIn, "sign-in", "sign-in", State::Ok, message)
}

fn json(check: Check) -> CheckJson {
    CheckJson {
        id: check.id,
        group: match check.group {
            Group::SignIn => CheckGroup::SignIn,
            Group::Permissions => CheckGroup::Permissions,
            Group::Tenant => CheckGroup::Tenant,
            Group::Framework => CheckGroup::IdentityExperienceFramework,
            Group::Proxy => CheckGroup::ProxyIdentityExperienceFramework,
            Group::Extensions => CheckGroup::ExtensionsApp,
            Group::Policies => CheckGroup::Policies,
        },
        state: match check.state {
            State::Ok => CheckState::Ok,
            State::Warning => CheckState::Warning,
            State::Problem => CheckState::Problem,
            State::Unknown => CheckState::Unknown,
        },
        subject: check.subject,
        message: check.message,
        help: check.help,
    }
}
