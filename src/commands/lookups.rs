//! Settings that are declared as looked up in the tenant: filling them in once there is a connection.

use anyhow::{Result, bail};

use crate::config::Project;
use crate::setup::{LookupError, look_up};

use super::tenant::Connection;

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

fn told(errors: &[LookupError]) -> String {
    let told: Vec<String> = errors
        .iter()
        .map(|error| format!("{error}\n  help: {}", error.advice()))
        .collect();
    told.join("\n")
}
