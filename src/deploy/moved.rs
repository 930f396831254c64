//! Whether a plan still fits: neither the files nor the tenant have changed since it was made.

use std::fmt;

use super::plan::{KeysetAction, Plan, PolicyAction};
use super::{Local, Remote};

/// Something that changed since a plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// The file's policy is another one, or is gone.
    File {
        /// The policy.
        policy: String,
    },
    /// A policy of the set is not in the plan.
    NewFile {
        /// The policy.
        policy: String,
    },
    /// The tenant's policy is another one, is gone, or is there now.
    Tenant {
        /// The policy.
        policy: String,
    },
    /// The keyset is there now, is gone, or got a key.
    Keyset {
        /// The keyset.
        keyset: String,
    },
    /// The configuration makes the keyset's key in another way.
    Recipe {
        /// The keyset.
        keyset: String,
    },
    /// The policies do not stand in an order in which they can be uploaded.
    Order {
        /// The policy that stands before its base.
        policy: String,
    },
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { policy } => write!(f, "the file of policy {policy} has changed"),
            Self::NewFile { policy } => write!(f, "policy {policy} is not in the plan"),
            Self::Tenant { policy } => write!(f, "policy {policy} has changed in the tenant"),
            Self::Keyset { keyset } => write!(f, "keyset {keyset} has changed in the tenant"),
            Self::Recipe { keyset } => {
                write!(f, "the configuration of keyset {keyset} has changed")
            }
            Self::Order { policy } => write!(f, "policy {policy} stands before its base"),
        }
    }
}

impl Plan {
    /// What a plan that was just made does in another way than this one, which was made earlier from
    /// the same files and for the same state of the tenant: where keys come from, and what is
    /// deleted. A saved plan cannot be used to read values that the configuration does not name.
    pub fn deviations(&self, fresh: &Self) -> Vec<Moved> {
        let mut moved = Vec::new();
        for step in &self.keysets {
            let known = fresh
                .keysets
                .iter()
                .find(|known| known.id.eq_ignore_ascii_case(&step.id));
            if !known.is_some_and(|known| known.content == step.content) {
                let keyset = step.id.clone();
                moved.push(Moved::Recipe { keyset });
            }
        }
        for known in &fresh.keysets {
            if !self
                .keysets
                .iter()
                .any(|step| step.id.eq_ignore_ascii_case(&known.id))
            {
                let keyset = known.id.clone();
                moved.push(Moved::Recipe { keyset });
            }
        }
        for step in &self.policies {
            let same = fresh
                .policy(&step.id)
                .is_some_and(|known| known.action == step.action && known.base == step.base);
            if !same {
                let policy = step.id.clone();
                moved.push(Moved::File { policy });
            }
        }
        moved
    }

    /// What changed since this plan was made; empty if it still fits.
    pub fn moved(&self, local: &Local, remote: &Remote) -> Vec<Moved> {
        let mut moved = Vec::new();
        for (position, step) in self.policies.iter().enumerate() {
            let policy = || step.id.clone();
            let file = local.find(&step.id);
            if file.map(super::LocalPolicy::fingerprint) != step.local {
                moved.push(Moved::File { policy: policy() });
            }
            let stored = remote.policy(&step.id);
            let listed = remote.has_policy(&step.id);
            let expected = step.action != PolicyAction::Create;
            let same = stored.map(super::RemotePolicy::fingerprint) == step.remote;
            if listed != expected || !same {
                moved.push(Moved::Tenant { policy: policy() });
            }
            let base = step
                .base
                .as_ref()
                .filter(|_| step.action != PolicyAction::Delete);
            let later = self.policies.iter().skip(position);
            let mut later = later.filter(|later| later.action != PolicyAction::Delete);
            if let Some(base) = base
                && later.any(|later| later.id.eq_ignore_ascii_case(base))
            {
                moved.push(Moved::Order { policy: policy() });
            }
        }
        for policy in &local.policies {
            if self.policy(&policy.id).is_none() {
                let policy = policy.id.clone();
                moved.push(Moved::NewFile { policy });
            }
        }
        for step in &self.keysets {
            let keys = remote.keyset(&step.id).map(|keyset| keyset.keys.len());
            let same = match step.action {
                KeysetAction::Present => keys.is_some_and(|keys| keys > 0),
                KeysetAction::Create => keys.is_none(),
                KeysetAction::Fill => keys == Some(0),
                KeysetAction::Missing => true,
            };
            if !same {
                let keyset = step.id.clone();
                moved.push(Moved::Keyset { keyset });
            }
        }
        moved
    }
}
