//! Which tenant is meant, for commands that work on a tenant and on no files.

use anyhow::{Result, bail};

use crate::config::{LoadOptions, Project};

use super::Shell;
use super::project::{ConfigArgs, ProjectArgs};
use super::tenant::TenantArgs;

/// Which tenant, and how to reach it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct TenantChoice {
    /// Environment of the configuration whose tenant is meant
    #[arg(short, long, value_name = "NAME", env = "IEFCTL_ENVIRONMENT")]
    pub(super) environment: Option<String>,

    /// Tenant, such as contoso.onmicrosoft.com
    #[arg(short, long, value_name = "DOMAIN")]
    pub(super) tenant: Option<String>,

    #[command(flatten)]
    pub(super) config: ConfigArgs,

    #[command(flatten)]
    pub(super) access: TenantArgs,
}

impl TenantChoice {
    pub(super) fn options(&self) -> LoadOptions {
        LoadOptions {
            environment: self.environment.clone(),
            tenant: self.tenant.clone(),
            ..self.config.options()
        }
    }

    /// The configuration of this folder, without policies.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub(super) fn load(&self, shell: &Shell) -> Result<Project> {
        self.project().load_configuration(shell)
    }

    /// The same choice for commands that may look at policies.
    pub(super) fn project(&self) -> ProjectArgs {
        ProjectArgs {
            environment: self.environment.iter().cloned().collect(),
            tenant: self.tenant.clone(),
            config: self.config.clone(),
            ..ProjectArgs::default()
        }
    }
}

/// The tenant that the command line or the environment names.
///
/// # Errors
/// If neither does.
pub(super) fn chosen_tenant(project: &Project) -> Result<String> {
    match &project.settings.tenant {
        Some(tenant) => Ok(tenant.clone()),
        None => {
            let known = match project.environment_names.as_slice() {
                [] => String::new(),
                names => format!(" ({})", names.join(", ")),
            };
            bail!(
                "no tenant is chosen: name it with `--tenant DOMAIN` or `--environment NAME`{known}"
            )
        }
    }
}
