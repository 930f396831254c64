//! What a tenant needs besides policies: the applications IdentityExperienceFramework and
//! ProxyIdentityExperienceFramework with consent, b2c-extensions-app, and the keysets of tokens.
//!
//! [`Expected`] is what a set of policies says of the tenant, [`Facts`] is what the tenant says of
//! itself, every part of it read for itself, so that one that cannot be read does not hide the
//! others. From both, [`doctor::examine`] makes a list of checks and [`SetupPlan::new`] the steps
//! that are left to do, both without touching anything; only `apply.rs` writes. [`look_up`] finds the
//! values of settings that are declared as looked up.

mod apply;
pub mod doctor;
mod expected;
mod facts;
mod lookup;
mod plan;

pub use apply::{Applied, Progress, StepOutcome, apply};
pub use expected::{Expected, Mention};
pub use facts::{Answer, Facts, Registration, read};
pub use lookup::{LookupError, look_up};
pub use plan::{Obstacle, SetupPlan, Step, StepKind, keysets_of_tokens};

/// Display name of the application whose scope policies sign in to.
pub const FRAMEWORK: &str = "IdentityExperienceFramework";
/// Display name of the public client that signs in.
pub const PROXY: &str = "ProxyIdentityExperienceFramework";
/// Beginning of the display name of the application that holds extension attributes.
pub const EXTENSIONS: &str = "b2c-extensions-app";
/// The permission that the first application offers and the second one has.
pub const SCOPE: &str = "user_impersonation";
/// App id of Microsoft Graph in every tenant.
pub const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// Permissions of Microsoft Graph that both applications ask for, with their ids.
pub const GRAPH_SCOPES: [(&str, &str); 2] = [
    ("openid", "37f7f235-527c-4136-accd-4a02d197296e"),
    ("offline_access", "7427e0e9-2fba-42fe-b0c0-848c9e6a8182"),
];
/// The reply URL of the public client; nothing is ever sent there.
pub const REPLY_URL: &str = "myapp://auth";

/// Whether a text has the form of an id.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
