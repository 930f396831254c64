//! From what policies expect and what the tenant says to a list of checks, each with what to do.
//!
//! Everything here is pure: [`examine`] asks nobody anything and knows no format.

mod applications;
mod extensions;
mod permissions;
mod policies;
mod tenant;

use crate::auth::TokenClaims;
use crate::msgraph::GraphError;

use super::{Expected, Facts};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All is well.
    Ok,
    /// It works, but should be looked at.
    Warning,
    /// It has to be put right.
    Problem,
    /// It could not be checked.
    Unknown,
}

/// What a check is about; the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// How the tool signed in.
    SignIn,
    /// What it may do.
    Permissions,
    /// Which tenant it is, and how full.
    Tenant,
    /// The application IdentityExperienceFramework.
    Framework,
    /// The application ProxyIdentityExperienceFramework.
    Proxy,
    /// The application b2c-extensions-app.
    Extensions,
    /// Policies and keysets.
    Policies,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its stable name, such as `proxy-consent`.
    pub id: &'static str,
    /// What it is about.
    pub group: Group,
    /// How it ended.
    pub state: State,
    /// What was checked, in a few words.
    pub subject: String,
    /// What was found.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Check {
    /// A check that ended in this way.
    pub fn new(
        group: Group,
        id: &'static str,
        subject: impl Into<String>,
        state: State,
        message: impl Into<String>,
    ) -> Self {
        Self {
            id,
            group,
            state,
            subject: subject.into(),
            message: message.into(),
            help: None,
        }
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A check that the service did not let happen.
    fn unknown(
        group: Group,
        id: &'static str,
        subject: impl Into<String>,
        error: &GraphError,
        permission: &str,
    ) -> Self {
        let (because, help) = why(error, permission);
        let check = Self::new(
            group,
            id,
            subject,
            State::Unknown,
            format!("could not check, because {because}"),
        );
        match help {
            Some(help) => check.help(help),
            None => check,
        }
    }
}

/// Why a part of the tenant could not be read, and what to do.
fn why(error: &GraphError, permission: &str) -> (String, Option<String>) {
    match error.status() {
        Some(403) => (
            format!("the sign-in may not read it ({permission})"),
            Some(format!("{}; this check is optional", grant(permission))),
        ),
        _ => (error.to_string(), error.advice().map(str::to_owned)),
    }
}

/// How a permission is granted.
pub(crate) fn grant(permission: &str) -> String {
    format!(
        "portal: App registrations > the application that signs in > API permissions > Add > \
         Microsoft Graph > Application permissions > {permission}, then Grant admin consent"
    )
}

/// What is known when the checks are made.
#[derive(Debug)]
pub struct Examination<'a> {
    /// What policies expect.
    pub expected: &'a Expected,
    /// What the tenant says.
    pub facts: &'a Facts,
    /// What the token says; none if it cannot be read.
    pub claims: Option<&'a TokenClaims>,
    /// The tenant as the user named it.
    pub tenant: &'a str,
    /// The time, seconds since 1970.
    pub now: i64,
    /// Keys that expire within so many seconds are reported.
    pub within: i64,
}

/// Makes all checks, in the order of the report.
pub fn examine(examination: &Examination<'_>) -> Vec<Check> {
    let mut checks = permissions::check(examination);
    checks.extend(tenant::check(examination));
    checks.extend(applications::check(examination));
    checks.extend(extensions::check(examination));
    checks.extend(policies::check(examination));
    checks
}
