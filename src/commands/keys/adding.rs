//! `iefctl keys create` and `iefctl keys rotate`.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::commands::choice::TenantChoice;
use crate::commands::confirm::{Unattended, agreed};
use crate::commands::masking::key_values;
use crate::commands::signals::Signals;
use crate::commands::tenant::{Connection, Need};
use crate::commands::{Exit, Shell, formats};
use crate::deploy::keys::{self, Added, KeysError, Offer, RotationPlan, TenantKeyset};
use crate::deploy::{
    DateError, GeneratedKind, KeyContent, Usage, ValueSource, parse_date, parse_span,
};
use crate::msgraph::KeyValidity;
use crate::output::Format;
use crate::output::keys::{ChangeJson, ChangeStatus, render_change};

use super::{connected, existing, explained, lock, now, one, presentation};

/// A day: time for applications to read the published keys again.
const USUAL_LEAD: i64 = 86_400;

/// Where the key comes from; never its value.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
#[command(next_help_heading = "Key")]
struct KeySource {
    /// Let the service generate it
    #[arg(long, value_enum, value_name = "KIND")]
    generate: Option<Kind>,

    /// Environment variable that holds a secret
    #[arg(long, value_name = "NAME")]
    secret_env: Option<String>,

    /// File that holds a secret
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,

    /// Certificate without private key, PEM or DER
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,

    /// Certificate with its private key, PKCS#12 (.pfx)
    #[arg(long, value_name = "FILE")]
    pkcs12: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// RSA key pair
    Rsa,
    /// Symmetric key
    Oct,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum UseArg {
    /// Signatures, and secrets that are sent or compared
    Sig,
    /// Encryption
    Enc,
}

/// A date, or a time from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    At(i64),
    In(i64),
}

impl When {
    fn read(text: &str) -> Result<Self, DateError> {
        parse_span(text)
            .map(Self::In)
            .or_else(|_| parse_date(text).map(Self::At))
    }

    const fn from(self, now: i64) -> i64 {
        match self {
            Self::At(at) => at,
            Self::In(span) => now.saturating_add(span),
        }
    }
}

/// What both commands share.
#[derive(Debug, Clone, clap::Args)]
struct NewKey {
    #[command(flatten)]
    source: KeySource,

    /// Environment variable that holds the password of --pkcs12
    #[arg(long, value_name = "NAME", requires = "pkcs12")]
    password_env: Option<String>,

    /// What the key is for [default: as the keyset; sig for secrets]
    #[arg(long = "use", value_enum, value_name = "USE")]
    key_use: Option<UseArg>,

    /// The key is not used before: 2027-01-31, 2027-01-31T09:30:00Z, or a time from now such as 48h
    #[arg(long, value_name = "DATE", value_parser = When::read)]
    not_before: Option<When>,

    /// The key is not used from then on: a date or a time from now such as 730d
    #[arg(long, value_name = "DATE", value_parser = When::read)]
    expires: Option<When>,

    #[command(flatten)]
    choice: TenantChoice,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    /// How to report
    #[arg(long, value_name = "FORMAT", value_parser = formats::one_of(formats::RESULT))]
    format: Option<Format>,
}

/// Create a keyset with its first key
///
/// Refused if the keyset has a key. An empty keyset gets its first key.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl keys create TokenSigningKeyContainer -e test --generate rsa --use sig
  iefctl keys create GoogleSecret -e test --secret-env GOOGLE_SECRET
  iefctl keys create ApiKey -e test --generate oct --use sig --if-missing
  iefctl keys create SamlSigning -e test --pkcs12 saml.pfx --password-env SAML_PASSWORD

Exit status: 0 created, 1 refused or failed, 2 could not run")]
pub(super) struct CreateArgs {
    /// The keyset; the service adds the prefix B2C_1A_ where it is missing
    #[arg(value_name = "ID")]
    id: String,

    /// Leave a keyset that has a key as it is, with a warning, and succeed
    #[arg(long)]
    if_missing: bool,

    #[command(flatten)]
    key: NewKey,
}

/// Add the next key to a keyset, with an overlap
///
/// Shows first which key is active when. The former keys stay published, so that what they signed
/// stays valid; the service cannot remove them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl keys rotate TokenSigningKeyContainer -e prod --generate rsa --active-in 48h
  iefctl keys rotate GoogleSecret -e prod --secret-env GOOGLE_SECRET --expires 180d --yes

Without --not-before, --active-in and --no-not-before the key becomes active in 24 hours; one of a
certificate when the certificate says.

Exit status: 0 added, 1 refused or failed, 2 could not run")]
pub(super) struct RotateArgs {
    /// The keyset; the prefix B2C_1A_ may be left out
    #[arg(value_name = "ID")]
    id: String,

    /// The key becomes active after this time, such as 24h
    #[arg(long, value_name = "TIME", value_parser = parse_span, conflicts_with = "not_before")]
    active_in: Option<i64>,

    /// The key has no beginning: it is the default for times at which no other key is valid
    #[arg(long, conflicts_with_all = ["not_before", "active_in"])]
    no_not_before: bool,

    /// Even if a key that was added before still waits for its time
    #[arg(long)]
    again: bool,

    #[command(flatten)]
    key: NewKey,
}

pub(super) fn create(args: &CreateArgs, shell: &Shell) -> Result<Exit> {
    let key = &args.key;
    if key.source.generate.is_some() && key.key_use.is_none() {
        bail!("say with `--use sig` or `--use enc` what the generated key is for");
    }
    if args.id.to_ascii_lowercase().ends_with(".bak") {
        bail!(
            "`{}`: the service keeps ids that end with .bak for backups of its own (AADB2C95027)",
            args.id.escape_debug()
        );
    }
    let not_before = key.not_before;
    let command = Addition {
        command: "keys create",
        key,
        shell,
    };
    command.run(async |connection: &Connection| {
        let now = now();
        let known = one(connection, &args.id).await?;
        let offer = command.offer(None, not_before.map(|when| when.from(now)), now)?;
        let id = known.as_ref().map_or(&args.id, |keyset| &keyset.id);
        let plan = RotationPlan::first(id, offer, now);
        let mut change = presentation::plan("keys create", &plan, &connection.tenant.name);
        if let Some(keyset) = known.filter(|keyset| !keyset.keys.is_empty()) {
            let id = keyset.id;
            let keys = keyset.keys.len();
            if args.if_missing {
                change.status = ChangeStatus::Unchanged;
                change.warnings = vec![format!(
                    "it has a key already, so none was added; whether that is the given one cannot \
                     be told, as the service returns no keys: `iefctl keys rotate {id}` adds one"
                )];
                return Ok((plan, change));
            }
            change.status = ChangeStatus::Refused;
            change
                .errors
                .push(KeysError::HasKeys { id, keys }.to_string());
        }
        Ok((plan, change))
    })
}

pub(super) fn rotate(args: &RotateArgs, shell: &Shell) -> Result<Exit> {
    let key = &args.key;
    let is_certificate = key.source.certificate.is_some() || key.source.pkcs12.is_some();
    let command = Addition {
        command: "keys rotate",
        key,
        shell,
    };
    command.run(async |connection: &Connection| {
        let now = now();
        let keyset = existing(connection, &args.id).await?;
        let usual = (!args.no_not_before && !is_certificate).then_some(USUAL_LEAD);
        let not_before = match (key.not_before, args.active_in) {
            (Some(when), _) => Some(when.from(now)),
            (None, Some(span)) => Some(now.saturating_add(span)),
            (None, None) => usual.map(|span| now.saturating_add(span)),
        };
        let offer = command.offer(Some(&keyset), not_before, now)?;
        let plan = RotationPlan::new(&keyset, offer, now, args.again);
        let change = presentation::plan("keys rotate", &plan, &connection.tenant.name);
        Ok((plan, change))
    })
}

/// A command that adds a key.
struct Addition<'a> {
    command: &'static str,
    key: &'a NewKey,
    shell: &'a Shell,
}

impl Addition<'_> {
    fn run(
        &self,
        plan: impl AsyncFnOnce(&Connection) -> Result<(RotationPlan, ChangeJson)>,
    ) -> Result<Exit> {
        let choice = &self.key.choice;
        let (project, tenant) = choice.resolve(self.shell)?;
        let production = project.settings.production;
        connected(
            &tenant,
            &project.access,
            &choice.access,
            &[Need::WriteKeysets],
            self.shell,
            async |connection: &Connection| {
                let (plan, change) = plan(connection).await?;
                self.carry_out(&plan, change, production, connection).await
            },
        )
    }

    async fn carry_out(
        &self,
        plan: &RotationPlan,
        mut change: ChangeJson,
        production: bool,
        connection: &Connection,
    ) -> Result<Exit> {
        if change.status == ChangeStatus::Refused {
            self.print(&change)?;
            return Ok(Exit::Findings);
        }
        if change.status == ChangeStatus::Unchanged {
            self.print(&change)?;
            return Ok(Exit::Clean);
        }
        let rotates = self.command == "keys rotate";
        if (rotates || production) && !self.agreed(&change, production)? {
            change.status = ChangeStatus::Declined;
            self.print(&change)?;
            return Ok(Exit::Findings);
        }
        let lock = lock(connection, &self.key.choice.access, self.shell)?;
        let patience = tokio::spawn(finish_first(*self.shell));
        let shell = self.shell;
        let resolve = key_values(shell);
        let added = if rotates {
            keys::rotate(&connection.client, plan, &resolve, lock.as_ref()).await
        } else {
            keys::create(&connection.client, plan, &resolve, lock.as_ref()).await
        };
        patience.abort();
        let exit = match added {
            Ok(added) => describe(&added, &mut change),
            Err(KeysError::Graph(error)) => {
                change.status = ChangeStatus::Failed;
                change.errors.push(explained(&error).to_string());
                Exit::Findings
            }
            Err(
                error @ (KeysError::HasKeys { .. }
                | KeysError::Refused(_)
                | KeysError::Pending { .. }),
            ) => {
                change.status = ChangeStatus::Refused;
                change.errors.push(error.to_string());
                Exit::Findings
            }
            Err(error) => return Err(error.into()),
        };
        self.print(&change)?;
        Ok(exit)
    }

    /// Shows the plan to whoever is asked.
    fn agreed(&self, change: &ChangeJson, production: bool) -> Result<bool> {
        let question = format!(
            "Add a key to keyset {} of {}?",
            change.keyset, change.tenant
        );
        let unattended = if production {
            Unattended::NeedsYes("the environment is marked production")
        } else {
            Unattended::Proceed
        };
        if !self.key.yes {
            let mut shown = Vec::new();
            let style = self.shell.error_style();
            render_change(change, Format::Human, style, &mut shown)?;
            self.shell.say(String::from_utf8_lossy(&shown).trim_end());
        }
        agreed(&question, self.key.yes, unattended, self.shell)
    }

    fn print(&self, change: &ChangeJson) -> Result<()> {
        let format = self.shell.format(self.key.format);
        let style = self.shell.style();
        self.shell
            .print(|out| render_change(change, format, style, out))?;
        Ok(())
    }

    /// What is to be added; values are read and checked before anything is sent.
    fn offer(
        &self,
        keyset: Option<&TenantKeyset>,
        not_before: Option<i64>,
        now: i64,
    ) -> Result<Offer> {
        let validity = KeyValidity {
            not_before,
            expires: self.key.expires.map(|when| when.from(now)),
        };
        let shell = self.shell;
        let resolve = key_values(shell);
        Ok(keys::offer_from(
            &self.content(keyset)?,
            validity,
            &resolve,
        )?)
    }

    fn content(&self, keyset: Option<&TenantKeyset>) -> Result<KeyContent> {
        let source = &self.key.source;
        let usage = match self.key.key_use {
            Some(UseArg::Sig) => Usage::Sig,
            Some(UseArg::Enc) => Usage::Enc,
            None => match keyset.and_then(TenantKeyset::key_use) {
                Some(present) if present.eq_ignore_ascii_case("enc") => Usage::Enc,
                _ => Usage::Sig,
            },
        };
        let is_certificate = source.certificate.is_some() || source.pkcs12.is_some();
        if is_certificate && self.key.key_use.is_some() {
            bail!("the service decides what a certificate is for: leave out --use");
        }
        Ok(if let Some(kind) = source.generate {
            KeyContent::Generate {
                kind: match kind {
                    Kind::Rsa => GeneratedKind::Rsa,
                    Kind::Oct => GeneratedKind::Oct,
                },
                usage,
            }
        } else if let Some(name) = &source.secret_env {
            let value = ValueSource::Env(name.clone());
            KeyContent::Secret { value, usage }
        } else if let Some(file) = &source.secret_file {
            let value = ValueSource::File(file.clone());
            KeyContent::Secret { value, usage }
        } else if let Some(file) = &source.certificate {
            let value = ValueSource::File(file.clone());
            KeyContent::Certificate { value }
        } else if let Some(file) = &source.pkcs12 {
            KeyContent::Pkcs12 {
                archive: ValueSource::File(file.clone()),
                password: self.key.password_env.clone().map(ValueSource::Env),
            }
        } else {
            bail!("say where the key comes from");
        })
    }
}

/// Fills in what became of the plan.
fn describe(added: &Added, change: &mut ChangeJson) -> Exit {
    change.keyset.clone_from(&added.keyset);
    change.kid.clone_from(&added.key.kid);
    change.attempts = added.attempts;
    change.status = ChangeStatus::Done;
    if let Some(doubt) = &added.doubt {
        change.status = ChangeStatus::Doubtful;
        change.warnings.push(doubt.clone());
        return Exit::Findings;
    }
    Exit::Clean
}

/// A key that is on its way cannot be called back: Ctrl-C waits for the answer.
async fn finish_first(shell: Shell) {
    let Ok(mut signals) = Signals::listen() else {
        return;
    };
    loop {
        signals.next().await;
        shell.say("waiting for the answer of the service: whether the key was added must be known");
    }
}
