//! Plans in files: written by `plan --out`, carried out by `deploy --plan`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::deploy::{Local, Plan, Remote, TenantIdentity};

use super::atomic_file;

/// Writes a plan; whoever reads the file sees all of it or what was there before.
pub(super) fn write(plan: &Plan, path: &Path) -> Result<()> {
    let text = plan.to_json() + "\n";
    atomic_file::write(path, text.as_bytes())
        .with_context(|| format!("cannot write the plan to `{}`", path.display()))
}

/// Reads a plan.
pub(super) fn read(path: &Path) -> Result<Plan> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the plan `{}`", path.display()))?;
    Plan::from_json(&text).with_context(|| format!("cannot use `{}`", path.display()))
}

/// Refuses a plan that was made for another tenant, or from which files, configuration or tenant
/// have moved since. `fresh` is the plan that would be made now.
pub(super) fn check(
    saved: &Plan,
    fresh: &Plan,
    tenant: &TenantIdentity,
    local: &Local,
    remote: &Remote,
) -> Result<()> {
    if !saved.is_for(tenant) {
        bail!(
            "nothing was written: the plan is for {}, but {} was signed in to",
            saved.tenant,
            tenant.name
        );
    }
    let mut moved = saved.moved(local, remote);
    if moved.is_empty() {
        // Only where files and tenant are the same does a difference tell something else.
        moved = saved.deviations(fresh);
    }
    if moved.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = moved.iter().map(|moved| format!("\n  - {moved}")).collect();
    bail!(
        "nothing was written, because the plan does not fit any more:{}\n  help: make a new one \
         with `iefctl plan --out` and look at it again",
        list.concat()
    )
}
