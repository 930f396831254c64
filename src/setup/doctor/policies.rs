//! Room for policies, and the keysets that they need.

use crate::deploy::KEYSET_MISSING;
use crate::deploy::keys::{self, CheckOptions, KeyFinding};
use crate::diagnostics::Level;

use super::{Check, Examination, Group, State};
use crate::setup::{Expected, keysets_of_tokens};

/// Custom policies and user flows that a tenant can hold (service limits).
const MOST: usize = 200;

pub(super) fn check(examination: &Examination<'_>) -> Vec<Check> {
    let mut checks = vec![count(examination)];
    match &examination.facts.keysets {
        Err(error) => checks.push(Check::unknown(
            Group::Policies,
            "keysets",
            "keysets",
            error,
            "TrustFrameworkKeySet.Read.All",
        )),
        Ok(keysets) => {
            let options = CheckOptions {
                now: examination.now,
                within: examination.within,
                all: false,
            };
            let report = keys::check(&examination.expected.keys, keysets, options);
            if report.findings.is_empty() {
                let message = match report.keysets.len() {
                    0 => "no policy needs one".to_owned(),
                    1 => "the one that is needed is there and in order".to_owned(),
                    count => format!("the {count} that are needed are there and in order"),
                };
                checks.push(Check::new(
                    Group::Policies,
                    "keysets",
                    "keysets",
                    State::Ok,
                    message,
                ));
            }
            for finding in report.findings {
                let (state, help) = match made_by_deploy(examination.expected, &finding) {
                    Some(help) => (State::Warning, help.to_owned()),
                    None if finding.level == Level::Error => (State::Problem, finding.help),
                    None => (State::Warning, finding.help),
                };
                checks.push(
                    Check::new(
                        Group::Policies,
                        finding.rule.id,
                        "keyset",
                        state,
                        finding.message,
                    )
                    .help(help),
                );
            }
        }
    }
    checks
}

/// What to do about a missing keyset that a deployment makes without being told more.
fn made_by_deploy(expected: &Expected, finding: &KeyFinding) -> Option<&'static str> {
    let is_this = |id: &str| id.eq_ignore_ascii_case(&finding.keyset);
    if finding.rule != &KEYSET_MISSING {
        None
    } else if expected.recipes.iter().any(|id| is_this(id)) {
        Some("`iefctl deploy` makes it as the configuration says")
    } else if keysets_of_tokens().iter().any(|(id, _)| is_this(id)) {
        Some("`iefctl init --tenant` or `iefctl deploy` makes it")
    } else {
        None
    }
}

fn count(examination: &Examination<'_>) -> Check {
    let check = |state, message: String| {
        Check::new(Group::Policies, "policy-count", "policies", state, message)
    };
    let stored = match &examination.facts.policies {
        Ok(stored) => stored,
        Err(error) => {
            return Check::unknown(
                Group::Policies,
                "policy-count",
                "policies",
                error,
                "Policy.Read.All",
            );
        }
    };
    let new = examination.expected.policies.iter().filter(|id| {
        let mut stored = stored.iter();
        !stored.any(|known| known.eq_ignore_ascii_case(id))
    });
    let new = new.count();
    let after = stored.len() + new;
    let mut message = format!("{} of {MOST} are there", stored.len());
    if new > 0 {
        message = format!("{message}, {new} of yours are new");
    }
    let help = "`iefctl destroy --prefix` removes copies that nobody needs; user flows count too";
    if after > MOST {
        check(State::Problem, format!("{message}: that is too many")).help(help)
    } else if after * 10 >= MOST * 9 {
        check(
            State::Warning,
            format!("{message}: there is little room left"),
        )
        .help(help)
    } else {
        check(State::Ok, message)
    }
}
