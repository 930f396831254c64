//! The way to a tenant: which one, at which endpoints, signed in as whom; or the emulator.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::auth::{
    Choice, Credentials, Method, RetryPolicy, Surroundings, TokenClaims, TransportOptions, Way,
};
use crate::config::{Project, TenantAccess};
use crate::deploy::{Observer, RetriesTo, TenantIdentity};
use crate::emulator::{Emulator, EmulatorOptions};
use crate::msgraph::{GraphClient, GraphOptions};
use crate::policy::PolicySet;

use super::Shell;
use super::sign_in::{self, Asked, SignInPlan};

/// The placeholder for the tenant in Microsoft's starter packs and samples.
const PLACEHOLDER: &str = "yourtenant.onmicrosoft.com";

/// What a command needs to do in a tenant; each is granted by any of several permissions, of which
/// the first is the one to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Read policies.
    ReadPolicies,
    /// Write policies.
    WritePolicies,
    /// Read keysets.
    ReadKeysets,
    /// Write keysets.
    WriteKeysets,
}

impl Need {
    /// What a deployment needs.
    pub const DEPLOYMENT: [Self; 2] = [Self::WritePolicies, Self::WriteKeysets];

    const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::ReadPolicies => &["Policy.Read.All", "Policy.ReadWrite.TrustFramework"],
            Self::WritePolicies => &["Policy.ReadWrite.TrustFramework"],
            Self::ReadKeysets => &[
                "TrustFrameworkKeySet.Read.All",
                "TrustFrameworkKeySet.ReadWrite.All",
            ],
            Self::WriteKeysets => &["TrustFrameworkKeySet.ReadWrite.All"],
        }
    }
}

/// How to reach the tenant; the same for every command that does.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Tenant")]
pub struct TenantArgs {
    /// Use an emulated tenant that runs inside this command; nothing leaves this machine
    #[arg(long)]
    pub emulator: bool,

    /// Folder that keeps the emulated tenant from one run to the next
    #[arg(long, value_name = "DIR", default_value = ".iefctl/emulator")]
    pub emulator_state: PathBuf,

    /// Where the emulator listens that the command has started already, for several connections.
    #[arg(skip)]
    pub running_emulator: Option<String>,

    /// How to sign in [default: IEFCTL_AUTH, `auth` of the environment, else the first way that is
    /// there, a client secret last]
    #[arg(long, value_enum, value_name = "WAY")]
    pub auth: Option<Method>,

    /// Cloud: global, usgov, dod or china [default: that of the environment]
    #[arg(long, value_name = "NAME")]
    pub cloud: Option<String>,

    /// Base URL of Microsoft Graph
    #[arg(long, value_name = "URL", env = "IEFCTL_GRAPH_ENDPOINT")]
    pub graph_endpoint: Option<String>,

    /// Base URL of the token endpoint
    #[arg(long, value_name = "URL", env = "IEFCTL_LOGIN_ENDPOINT")]
    pub login_endpoint: Option<String>,

    /// Longest wait for one answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,

    /// Certificates to trust besides those of the system, PEM
    #[arg(long, value_name = "FILE")]
    pub ca_certificate: Option<PathBuf>,
}

/// A tenant that answers, and who it is.
pub struct Connection {
    /// The client, signed in.
    pub client: GraphClient,
    /// The tenant.
    pub tenant: TenantIdentity,
    emulator: Option<Emulator>,
}

impl Connection {
    /// Ends the connection; an emulated tenant is saved.
    pub async fn close(self) {
        if let Some(emulator) = self.emulator {
            emulator.shutdown().await;
        }
    }
}

/// The tenant that a project is for: the one chosen, else the one that all policies name.
///
/// # Errors
/// If policies name several, none, or still the placeholder.
pub fn tenant_name(project: &Project, set: &PolicySet, emulator: bool) -> Result<String> {
    if let Some(tenant) = &project.settings.tenant {
        return Ok(tenant.clone());
    }
    let mut names = set.own().map(|(_, policy)| policy.tenant());
    let Some(first) = names.find(|name| !name.is_empty()) else {
        bail!("no policy names a tenant: choose one with `--tenant DOMAIN`");
    };
    if first.eq_ignore_ascii_case(PLACEHOLDER) && !emulator {
        bail!(
            "the policies name the placeholder {PLACEHOLDER}: choose the tenant with \
             `--tenant DOMAIN`, which replaces it"
        );
    }
    if first.contains('{') {
        let environments = match project.environment_names.as_slice() {
            [] => String::new(),
            names => format!(
                "the environment with `--environment NAME` ({}), or ",
                names.join(", ")
            ),
        };
        bail!(
            "the policies name the tenant as `{first}`, which nothing defines yet: choose \
             {environments}the tenant with `--tenant DOMAIN`"
        );
    }
    if let Some(other) = names.find(|name| !name.eq_ignore_ascii_case(first)) {
        bail!(
            "the policies name several tenants, {first} and {other}: a deployment is for one; \
             choose it with `--tenant DOMAIN`"
        );
    }
    Ok(first.to_owned())
}

impl TenantArgs {
    /// Signs in and returns a client for the tenant, which is reached as `access` says where the
    /// command line leaves it open.
    ///
    /// # Errors
    /// Missing variables, refused sign-in, an unusable endpoint, a tenant other than the one meant.
    pub async fn connect(
        &self,
        tenant: &str,
        access: &TenantAccess,
        observer: Arc<dyn Observer>,
        shell: &Shell,
    ) -> Result<Connection> {
        self.connect_for(&Need::DEPLOYMENT, tenant, access, observer, shell)
            .await
    }

    /// Signs in and returns a client for the tenant that may do what is needed.
    ///
    /// # Errors
    /// As [`TenantArgs::connect`].
    pub async fn connect_for(
        &self,
        needs: &[Need],
        tenant: &str,
        access: &TenantAccess,
        observer: Arc<dyn Observer>,
        shell: &Shell,
    ) -> Result<Connection> {
        let emulator = match self.running_emulator {
            Some(_) => None,
            None => self.start_emulator().await?,
        };
        let own = emulator.as_ref().map(Emulator::url);
        let emulated_at = self.running_emulator.clone().or(own);
        let transport = self.transport()?;
        let retry = RetryPolicy::default();
        let (plan, surroundings) = match &emulated_at {
            // Its secrets protect nothing, and nobody needs to be asked.
            Some(url) => (
                emulated(tenant, url)?,
                Surroundings::new(transport.clone(), retry.clone()),
            ),
            None => (
                sign_in::plan(tenant, self.asked(), access, shell)?,
                sign_in::surroundings(transport.clone(), retry.clone(), shell),
            ),
        };
        let SignInPlan {
            credentials,
            endpoints,
        } = plan;
        let tokens = credentials
            .token_source(&endpoints, &surroundings)
            .map_err(|error| sign_in::explained(&error))?;
        let way = tokens.describe();
        if emulated_at.is_none() {
            shell.note(format!("signs in by {way}, because {}", credentials.reason));
        }
        let token = match tokens.token().await {
            Ok(token) => token,
            Err(error) => {
                let error = sign_in::explained(&error);
                bail!(
                    "cannot sign in to {tenant} by {way}: {error:#}\n  this way was taken because \
                     {}; --auth chooses another{}",
                    credentials.reason,
                    other_tenant(tenant, None, shell).map_or(String::new(), |variable| format!(
                        "\n  note: AZURE_TENANT_ID is {variable}, which is not used"
                    ))
                );
            }
        };
        let claims = TokenClaims::decode(&token);
        if let Some(claims) = &claims {
            check_permissions(claims, &credentials.way, needs)?;
        }
        let id = claims.and_then(|claims| claims.tenant_id);
        if emulated_at.is_none() {
            check_tenant_variable(tenant, id.as_deref(), access.names_tenant, shell)?;
        }
        let client = GraphClient::new(
            GraphOptions {
                transport,
                retry,
                observer: Some(Arc::new(RetriesTo(observer))),
                ..GraphOptions::new(endpoints.graph)
            },
            tokens,
        )?;
        Ok(Connection {
            client,
            tenant: TenantIdentity {
                name: tenant.to_owned(),
                // The emulator invents ids, and files may carry the real one.
                id: id.filter(|_| emulated_at.is_none()),
                aliases: Vec::new(),
            },
            emulator,
        })
    }

    /// Starts the emulator if it is wanted.
    ///
    /// # Errors
    /// If it cannot start, or other endpoints are chosen as well.
    pub(super) async fn start_emulator(&self) -> Result<Option<Emulator>> {
        if !self.emulator {
            return Ok(None);
        }
        let is_elsewhere = self.graph_endpoint.is_some() || self.login_endpoint.is_some();
        if is_elsewhere || self.cloud.is_some() || self.auth.is_some() {
            bail!(
                "--emulator brings its own endpoints and signs in by itself: leave out \
                 --graph-endpoint, --login-endpoint, --cloud and --auth, and unset IEFCTL_GRAPH_ENDPOINT and \
                 IEFCTL_LOGIN_ENDPOINT"
            );
        }
        let options = EmulatorOptions {
            state: Some(self.emulator_state.clone()),
            ..EmulatorOptions::default()
        };
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let emulator = Emulator::start(options, address)
            .await
            .context("cannot start the emulator")?;
        Ok(Some(emulator))
    }

    fn transport(&self) -> Result<TransportOptions> {
        let ca_certificate =
            match &self.ca_certificate {
                Some(file) => Some(std::fs::read(file).with_context(|| {
                    format!("cannot read the certificates `{}`", file.display())
                })?),
                None => None,
            };
        let transport = TransportOptions {
            timeout: Duration::from_secs(self.timeout),
            ca_certificate,
            ..TransportOptions::default()
        };
        if let Some(file) = &self.ca_certificate {
            transport
                .check_certificates()
                .with_context(|| format!("cannot use `{}` of --ca-certificate", file.display()))?;
        }
        Ok(transport)
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            auth: self.auth,
            cloud: self.cloud.as_deref(),
            login_endpoint: self.login_endpoint.as_deref(),
            graph_endpoint: self.graph_endpoint.as_deref(),
        }
    }
}

/// Credentials that the emulator accepts: it takes any.
fn emulated(tenant: &str, url: &str) -> Result<SignInPlan> {
    let lookup = |name: &str| match name {
        "AZURE_CLIENT_ID" | "AZURE_CLIENT_SECRET" => Some("emulator".to_owned()),
        _ => None,
    };
    let credentials = Credentials::find(Some(tenant), &Choice::default(), &lookup)?;
    let endpoints = credentials.endpoints(None, Some(url), Some(url))?;
    Ok(SignInPlan {
        credentials,
        endpoints,
    })
}

fn check_permissions(claims: &TokenClaims, way: &Way, needs: &[Need]) -> Result<()> {
    let missing: Vec<_> = needs
        .iter()
        .map(|need| need.permissions())
        .filter(|permissions| !permissions.iter().any(|name| claims.grants(name)))
        .filter_map(|permissions| permissions.first().copied())
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(sign_in::lacks(claims, way, &missing))
    }
}

/// Where the command line or the configuration names the tenant, `AZURE_TENANT_ID` says nothing: it is
/// one for all environments, and platforms set it to their own tenant. Where only the policies do, it
/// may name the tenant in another way, but must not name another tenant.
fn check_tenant_variable(
    tenant: &str,
    id: Option<&str>,
    is_named: bool,
    shell: &Shell,
) -> Result<()> {
    let Some(variable) = other_tenant(tenant, id, shell) else {
        return Ok(());
    };
    if is_named {
        shell.note(format!(
            "AZURE_TENANT_ID is {variable}, which is not used: {tenant} is named explicitly"
        ));
        return Ok(());
    }
    bail!(
        "AZURE_TENANT_ID is {variable}, but the policies name {tenant}{}: unset the variable, or name \
         the tenant that is meant with `--tenant`",
        id.map_or(String::new(), |id| format!(" ({id})"))
    )
}

/// What `AZURE_TENANT_ID` says if it does not name this tenant.
fn other_tenant(tenant: &str, id: Option<&str>, shell: &Shell) -> Option<String> {
    let variable = shell.variable("AZURE_TENANT_ID")?;
    let variable = variable.trim();
    let is_same = variable.is_empty()
        || variable.eq_ignore_ascii_case(tenant)
        || id.is_some_and(|id| id.eq_ignore_ascii_case(variable));
    (!is_same).then(|| variable.escape_debug().to_string())
}
