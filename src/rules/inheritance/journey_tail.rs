//! `journey-tail-inherited`: a journey is written anew and keeps the end of the old one.

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Kind, Override};

/// Inherited steps follow the last step of a journey that looks complete.
pub(super) static JOURNEY_TAIL_INHERITED: Rule = Rule {
    id: "journey-tail-inherited",
    level: Level::Warning,
    summary: "a journey that is written anew under an inherited id is shorter, so inherited steps \
              follow its end",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    let overrides = view.overrides().iter();
    for journey in overrides.filter(|journey| journey.kind == Kind::UserJourney) {
        let &Override {
            id, own: journey, ..
        } = journey;
        let Some(merged) = view.journey(Kind::UserJourney, id) else {
            continue;
        };
        let Some(last) = merged.written_anew_to() else {
            continue;
        };
        let tail: Vec<_> = merged
            .steps
            .iter()
            .filter(|step| step.order > last)
            .collect();
        let Some(next) = tail.first() else {
            continue;
        };
        let site = next.site();
        if site.policy.source == policy.source {
            continue;
        }
        let count = match tail.len() {
            1 => "one more step follows".to_owned(),
            count => format!("{count} more steps follow"),
        };
        findings.push(
            Diagnostic::new(
                &JOURNEY_TAIL_INHERITED,
                journey.attribute_location("Id"),
                format!(
                    "journey `{id}` ends with step {last} here, but {count} that `{}` declares",
                    site.policy.id()
                ),
            )
            .related(site.attribute_location("Order"), "the next step")
            .help("inherited steps cannot be removed; give the journey another id")
            .policy_id(policy.id()),
        );
    }
}
