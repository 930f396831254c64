//! `iefctl keys delete`.

use anyhow::Result;

use crate::commands::choice::TenantChoice;
use crate::commands::confirm::{Unattended, agreed};
use crate::commands::tenant::{Connection, Need};
use crate::commands::{Exit, Shell, formats};
use crate::deploy::keys::{self, KeyUser, KeysError};
use crate::output::Format;
use crate::output::keys::{ChangeJson, ChangeStatus, render_change};

use super::{CONCURRENCY, connected, existing, explained, lock, presentation};

/// Delete a keyset with all its keys; refused while a policy of the tenant needs it
///
/// Reads all policies of the tenant first. A deleted key cannot be restored.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iefctl keys delete OldSecret -e test --yes

Exit status: 0 deleted, 1 refused because a policy needs it, 2 could not run")]
pub(super) struct DeleteArgs {
    /// The keyset; the prefix B2C_1A_ may be left out
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    choice: TenantChoice,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    /// How to report
    #[arg(long, value_name = "FORMAT", value_parser = formats::one_of(formats::RESULT))]
    format: Option<Format>,
}

pub(super) fn run(args: &DeleteArgs, shell: &Shell) -> Result<Exit> {
    let (project, tenant) = args.choice.resolve(shell)?;
    let needs = [Need::ReadPolicies, Need::WriteKeysets];
    connected(
        &tenant,
        &project.access,
        &args.choice.access,
        &needs,
        shell,
        async |connection| carry_out(args, &tenant, connection, shell).await,
    )
}

async fn carry_out(
    args: &DeleteArgs,
    tenant: &str,
    connection: &Connection,
    shell: &Shell,
) -> Result<Exit> {
    let keyset = existing(connection, &args.id).await?;
    let mut change = ChangeJson::new("keys delete", tenant, &keyset.id);
    let finish = |change: &ChangeJson, exit| {
        let format = shell.format(args.format);
        shell.print(|out| render_change(change, format, shell.style(), out))?;
        Ok(exit)
    };
    let users = keys::users_in_tenant(&connection.client, &keyset.id, CONCURRENCY)
        .await
        .map_err(|error| explained(&error))?;
    if !users.is_empty() {
        refuse(&mut change, &users);
        return finish(&change, Exit::Findings);
    }
    let question = format!(
        "Delete keyset {} of {tenant} with {} for good?",
        keyset.id,
        match keyset.keys.len() {
            1 => "1 key".to_owned(),
            count => format!("{count} keys"),
        }
    );
    let unattended = Unattended::NeedsYes("a deleted keyset cannot be restored");
    if !agreed(&question, args.yes, unattended, shell)? {
        change.status = ChangeStatus::Declined;
        return finish(&change, Exit::Findings);
    }
    // A deployment that runs meanwhile could be about to need the keyset, or to fill it.
    let _held = lock(connection, &args.choice.access, shell)?;
    match keys::delete(&connection.client, &keyset, CONCURRENCY).await {
        Ok(()) => {
            change.status = ChangeStatus::Done;
            finish(&change, Exit::Clean)
        }
        Err(KeysError::InUse { users, .. }) => {
            refuse(&mut change, &users);
            finish(&change, Exit::Findings)
        }
        Err(KeysError::Graph(error)) => {
            change.status = ChangeStatus::Failed;
            change.errors.push(format!("{:#}", explained(&error)));
            finish(&change, Exit::Findings)
        }
        Err(error) => Err(error.into()),
    }
}

fn refuse(change: &mut ChangeJson, users: &[KeyUser]) {
    let mut policies: Vec<&str> = users.iter().map(|user| user.policy_id.as_str()).collect();
    policies.dedup();
    change.status = ChangeStatus::Refused;
    change.errors.push(format!(
        "{} of the tenant still {} the keyset: remove the references and deploy, then delete it",
        policies.join(", "),
        if policies.len() == 1 { "needs" } else { "need" }
    ));
    change.used_by = users.iter().map(presentation::key_user).collect();
}
