//! `override-case` and `override-identical`: what is inherited, written again in other letters or in
//! the same.

use std::borrow::Cow;

use crate::diagnostics::{Diagnostic, Level, Rule};
use crate::policy::{Effective, Override};
use crate::xml::{Element, Significance, canonical};

/// An inherited element under the same id in other letters.
pub(super) static OVERRIDE_CASE: Rule = Rule {
    id: "override-case",
    level: Level::Hint,
    summary: "a policy extends an inherited element and writes its id with other letter case",
};

/// An inherited element once more.
pub(super) static OVERRIDE_IDENTICAL: Rule = Rule {
    id: "override-identical",
    level: Level::Hint,
    summary: "a policy repeats an inherited element without changing anything",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy = view.policy();
    for &Override {
        kind,
        id,
        own: site,
        inherited,
    } in view.overrides()
    {
        let finding = if inherited.attribute("Id") != Some(id) {
            Diagnostic::new(
                &OVERRIDE_CASE,
                site.attribute_location("Id"),
                format!(
                    "`{}` writes the id of this {} `{}`",
                    inherited.policy.id(),
                    kind.noun(),
                    inherited.attribute("Id").unwrap_or_default()
                ),
            )
            .help("for the service both are one element; write the id in the same letters")
        } else if policy.declared(kind, id).count() == 1 && same(site.element, inherited.element) {
            Diagnostic::new(
                &OVERRIDE_IDENTICAL,
                site.attribute_location("Id"),
                format!(
                    "{} `{id}` is the same in `{}`",
                    kind.noun(),
                    inherited.policy.id()
                ),
            )
            .help("it is inherited anyway; remove it here")
        } else {
            continue;
        };
        findings.push(
            finding
                .related(inherited.attribute_location("Id"), "inherited from here")
                .policy_id(policy.id()),
        );
    }
}

/// Whether both say the same, white space and comments aside.
fn same(a: Element<'_>, b: Element<'_>) -> bool {
    // Most pairs differ in their number of elements, which is far cheaper to see.
    a.descendants().count() == b.descendants().count()
        && canonical(a, &Everything) == canonical(b, &Everything)
}

struct Everything;

impl Significance for Everything {
    fn attribute<'v>(&self, _: Element<'_>, _: &str, value: &'v str) -> Option<Cow<'v, str>> {
        Some(Cow::Borrowed(value))
    }

    fn text<'v>(&self, _: Element<'_>, text: &'v str) -> Cow<'v, str> {
        Cow::Borrowed(text)
    }
}
