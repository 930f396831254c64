//! `iefctl emulator`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::emulator::{DirectoryOptions, Emulator, EmulatorOptions, Faults, read_applications};

use super::signals::Signals;
use super::{Exit, Shell};

/// Run a local stand-in for the tenant
///
/// Serves the token endpoint, Microsoft Graph's trustFramework endpoints and what policies need of
/// its directory on this machine, with their status codes, error bodies and quirks. Uploads are validated. Accepts any tenant, client id
/// and secret unless told otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl emulator                              on a free port, forgets everything at the end
  iefctl emulator --port 8085 --state tenant   keeps the tenant in folder `tenant`
  iefctl emulator --latency 200                every answer takes 200 ms

  export IEFCTL_GRAPH_ENDPOINT=http://127.0.0.1:8085 IEFCTL_LOGIN_ENDPOINT=http://127.0.0.1:8085
  export AZURE_TENANT_ID=contoso.onmicrosoft.com AZURE_CLIENT_ID=any AZURE_CLIENT_SECRET=any
  iefctl deploy policies

Stops at Ctrl-C and SIGTERM, when running requests are answered.")]
pub struct EmulatorArgs {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,

    /// Folder that keeps the tenants from one run to the next [default: memory only]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,

    /// The only tenant that can sign in [default: any]
    #[arg(long, value_name = "DOMAIN")]
    tenant: Option<String>,

    /// The only client id that can sign in [default: any]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// The applications that can sign in, with their certificates and federated credentials, as
    /// JSON: {"applications":[{"clientId":"…","certificates":["client.pem"]}]} [default: any]
    #[arg(long, value_name = "FILE", conflicts_with = "client_id")]
    applications: Option<PathBuf>,

    /// How long an access token is good, in seconds
    #[arg(long, default_value_t = 3599, value_name = "SECONDS")]
    token_lifetime: u64,

    /// How long every answer takes, in milliseconds
    #[arg(long, default_value_t = 0, value_name = "MS")]
    latency: u64,

    /// Script of faults, as JSON: {"seed":7,"latencyMs":200,"rules":[…]}
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// A new tenant has the applications that `iefctl init --tenant` would create
    #[arg(long)]
    ief_applications: bool,

    /// Store uploads without validating them
    #[arg(long)]
    no_validation: bool,
}

impl EmulatorArgs {
    fn faults(&self) -> Result<Faults> {
        let mut faults = match &self.faults {
            Some(file) => {
                let name = file.display();
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read the faults `{name}`"))?;
                serde_json::from_str(&text)
                    .with_context(|| format!("`{name}` is no script of faults"))?
            }
            None => Faults::default(),
        };
        if self.latency > 0 {
            faults.latency_ms = self.latency;
        }
        Ok(faults)
    }
}

/// Runs `iefctl emulator` until Ctrl-C.
///
/// # Errors
/// If the port cannot be used or the state cannot be read.
pub fn run(args: &EmulatorArgs, shell: &Shell) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(serve(args, shell))
}

async fn serve(args: &EmulatorArgs, shell: &Shell) -> Result<Exit> {
    let options = EmulatorOptions {
        tenant: args.tenant.clone(),
        client_id: args.client_id.clone(),
        applications: match &args.applications {
            Some(file) => read_applications(file).map_err(anyhow::Error::msg)?,
            None => Vec::new(),
        },
        token_lifetime: Duration::from_secs(args.token_lifetime),
        state: args.state.clone(),
        validate: !args.no_validation,
        directory: DirectoryOptions {
            ief_applications: args.ief_applications,
            ..DirectoryOptions::default()
        },
        faults: args.faults()?,
        ..EmulatorOptions::default()
    };
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), args.port);
    let emulator = Emulator::start(options, address).await?;
    let url = emulator.url();
    shell.print(|out| {
        use std::io::Write as _;
        writeln!(out, "emulator listens on {url}")?;
        writeln!(out, "  graph  {url}/beta/trustFramework/policies")?;
        writeln!(out, "  token  {url}/{{tenant}}/oauth2/v2.0/token")
    })?;
    let mut signals = Signals::listen().context("cannot wait for Ctrl-C")?;
    signals.next().await;
    shell.say("stopping");
    emulator.shutdown().await;
    Ok(Exit::Clean)
}
