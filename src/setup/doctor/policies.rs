//! Room for policies, and the keysets that they need.

use crate::deploy::keys::{self, CheckOptions};
use crate::diagnostics::Level;

use super::{Check, Examination, Group, State};

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
                let state = match finding.level {
                    Level::Error => State::Problem,
                    _ => State::Warning,
                };
                let for_tokens = super::super::keysets_of_tokens()
                    .iter()
                    .any(|(id, _)| id.eq_ignore_ascii_case(&finding.keyset));
                let help = if for_tokens && finding.rule.id == "keyset-missing" {
                    "`iefctl init --tenant` or `iefctl deploy` makes it".to_owned()
                } else {
                    finding.help
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
