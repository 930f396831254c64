//! Which tenant is meant, for commands that work on a tenant and on no files.

use std::path::Path;

use anyhow::{Result, bail};

use crate::config::{self, LoadOptions, Project};

use super::Shell;
use super::project::ConfigArgs;
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
        let env = |name: &str| shell.variable(name);
        Ok(config::load_settings(
            Path::new("."),
            &self.options(),
            &env,
        )?)
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
            bail!("no tenant is chosen: name it with `--tenant DOMAIN` or `--environment NAME`")
        }
    }
}
