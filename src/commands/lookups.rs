//! Settings that are declared as looked up in the tenant: filling them in once there is a connection.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::config::Project;
use crate::setup::{LookupError, look_up};

use super::deployment::Display;
use super::tenant::{Connection, TenantArgs, tenant_name};
use super::{Shell, project};

/// The project with the values that the tenant has; none if nothing is to be looked up.
///
/// # Errors
/// Every value that cannot be had, with what to do.
pub(super) async fn filled(project: &Project, connection: &Connection) -> Result<Option<Project>> {
    let wanted = project.settings.looked_up();
    if wanted.is_empty() {
        return Ok(None);
    }
    match look_up(&connection.client, &wanted).await {
        Ok(found) => {
            let mut project = project.clone();
            project.settings.fill(&found);
            Ok(Some(project))
        }
        Err(errors) => bail!("{}", told(&errors)),
    }
}

/// The same for a command that needs the tenant for nothing else: it signs in only if it must.
///
/// # Errors
/// Those of the sign-in, and as [`filled`].
pub(super) fn connect_and_fill(
    project: Project,
    args: &TenantArgs,
    shell: &Shell,
) -> Result<Project> {
    if project.settings.lookups.is_empty() {
        return Ok(project);
    }
    let work = || -> Result<Option<Project>> {
        let tenant = match &project.settings.tenant {
            Some(tenant) => tenant.clone(),
            None => {
                let validated = project::validate(&project, None, shell)?;
                let set = validated.sets.first().context("there is no policy")?;
                tenant_name(&project, set, args.emulator)?
            }
        };
        super::plan::runtime()?.block_on(async {
            let connection = args
                .connect_for(
                    &[],
                    &tenant,
                    &project.access,
                    Arc::new(Display::new(shell)),
                    shell,
                )
                .await?;
            let filled = filled(&project, &connection).await;
            connection.close().await;
            filled
        })
    };
    let filled = work().with_context(|| {
        let keys = project.settings.lookups.iter();
        let keys = keys.filter_map(|(at, _)| project.settings.values.get(*at));
        let keys: Vec<&str> = keys.map(|setting| setting.key.as_str()).collect();
        format!(
            "the values of {} are looked up in the tenant, which needs a sign-in; without one, write \
             them into the configuration",
            keys.join(", ")
        )
    })?;
    Ok(filled.unwrap_or(project))
}

/// Says with `-v` what an offline look leaves open.
pub(super) fn note(project: &Project, shell: &Shell) {
    let count = project.settings.lookups.len();
    if count > 0 {
        shell.note(format!(
            "{count} settings are looked up in the tenant: nothing is said of the places where they \
             stand; plan and deploy check them"
        ));
    }
}

fn told(errors: &[LookupError]) -> String {
    let told: Vec<String> = errors
        .iter()
        .map(|error| format!("{error}\n  help: {}", error.advice()))
        .collect();
    told.join("\n")
}
