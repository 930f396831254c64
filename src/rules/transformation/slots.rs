//! `ct-input-mismatch` and `ct-output-mismatch`: claims that do not fit the transformation method.
//!
//! The service compares slot names together with data types, so a claim of the wrong type is to it
//! one unexpected and one missing slot. Here it is one problem; the service's sentence keeps both.

use crate::diagnostics::{Diagnostic, Edit, Level, Location, Rule, near_miss};
use crate::policy::known::{Method, Slot, Slots, service_type_name};
use crate::policy::{ClaimsTransformation, Effective, SlotClaim};

/// Input claims that the method does not take, or that are missing.
pub(super) static CT_INPUT_MISMATCH: Rule = Rule {
    id: "ct-input-mismatch",
    level: Level::Error,
    summary: "the input claims of a claims transformation do not fit its method",
};

/// Output claims that the method does not give, or that are missing.
pub(super) static CT_OUTPUT_MISMATCH: Rule = Rule {
    id: "ct-output-mismatch",
    level: Level::Error,
    summary: "the output claims of a claims transformation do not fit its method",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for transformation in view.own_transformations() {
        let Some(method) = transformation.method else {
            continue;
        };
        for side in [Side::Input, Side::Output] {
            findings.extend(compare(view, transformation, method, side));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Input,
    Output,
}

impl Side {
    const fn rule(self) -> &'static Rule {
        match self {
            Self::Input => &CT_INPUT_MISMATCH,
            Self::Output => &CT_OUTPUT_MISMATCH,
        }
    }

    /// The word of the service's sentence.
    const fn list(self) -> &'static str {
        match self {
            Self::Input => "InputClaims",
            Self::Output => "OutputClaims",
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Input => "input claim",
            Self::Output => "output claim",
        }
    }

    const fn slots(self, method: &Method) -> &Slots {
        match self {
            Self::Input => &method.inputs,
            Self::Output => &method.outputs,
        }
    }
}

/// One thing that does not fit.
struct Problem {
    text: String,
    /// Missing slots have no place of their own.
    location: Option<Location>,
    /// Whether the service is known to refuse it.
    sure: bool,
    related: Option<(Location, String)>,
    /// `[Type]slot` for the service's two lists.
    unexpected: Option<String>,
    missing: Option<String>,
}

fn compare<'s>(
    view: &Effective<'s>,
    transformation: &ClaimsTransformation<'s>,
    method: &'static Method,
    side: Side,
) -> Option<Diagnostic> {
    let slots = side.slots(method);
    let claims: Vec<_> = match side {
        Side::Input => transformation.inputs().collect(),
        Side::Output => transformation.outputs().collect(),
    };
    let mut problems = Vec::new();
    // Slots of the method that no claim names, and claims that name no slot.
    let mut open: Vec<&Slot> = slots
        .named
        .iter()
        .filter(|slot| !claims.iter().any(|claim| claim.slot == slot.name))
        .collect();
    let mut strays = Vec::new();
    for claim in &claims {
        let Some(slot) = slots.named(claim.slot) else {
            match &slots.free {
                Some(free) => problems.extend(type_problem(view, claim, free, transformation)),
                None => strays.push(claim),
            }
            continue;
        };
        problems.extend(type_problem(view, claim, slot, transformation));
    }
    let mut rename = None;
    for claim in strays {
        let near = near_miss(claim.slot, open.iter().map(|slot| slot.name));
        let meant = open.iter().position(|slot| Some(slot.name) == near);
        let meant = meant.map(|index| open.remove(index));
        if let Some(slot) = meant {
            rename.get_or_insert((*claim, slot.name));
        }
        problems.push(stray_problem(view, claim, meant, side));
    }
    let single = slots.named.len() == 1;
    for slot in open.into_iter().filter(|slot| !slot.optional) {
        problems.push(Problem {
            text: format!(
                "{} `{}` ({}) is missing",
                side.noun(),
                slot.name,
                slot.types_in_prose()
            ),
            location: None,
            // Whether every output of several must be taken is not known.
            sure: side == Side::Input || single,
            related: None,
            unexpected: None,
            missing: expected(slot),
        });
    }
    problems.sort_by_key(|problem| (problem.location.is_none(), problem.location));
    let first = problems.first()?;
    let location = first.location.unwrap_or_else(|| {
        let site = transformation.site;
        site.attribute_location("TransformationMethod")
    });
    let sure = problems.iter().any(|problem| problem.sure);
    let texts: Vec<_> = problems.iter().map(|problem| &*problem.text).collect();
    let mut finding = Diagnostic::new(
        side.rule(),
        location,
        format!(
            "`{}` does not fit method {}: {}",
            transformation.id,
            method.name,
            texts.join("; ")
        ),
    )
    .level(if sure { Level::Error } else { Level::Warning })
    .policy_id(view.policy().id())
    .help(signature(method, side));
    if sure {
        finding = finding.service_message(sentence(transformation, &problems, side));
    }
    for (location, message) in problems
        .iter()
        .filter_map(|problem| problem.related.clone())
    {
        finding = finding.related(location, message);
    }
    if let ([_], Some((claim, name))) = (problems.as_slice(), rename)
        && claim.site.attribute("TransformationClaimType").is_some()
    {
        finding = finding.fix(
            format!("call it `{name}`"),
            vec![Edit {
                location: claim.site.attribute_location("TransformationClaimType"),
                replacement: name.to_owned(),
            }],
        );
    }
    Some(finding)
}

/// A claim in a slot that takes another data type.
fn type_problem<'s>(
    view: &Effective<'s>,
    claim: &SlotClaim<'s>,
    slot: &Slot,
    transformation: &ClaimsTransformation<'s>,
) -> Option<Problem> {
    let declaration = claim.data_type(view)?;
    let actual = declaration.element.trimmed_text();
    let (wanted, sure) = match slot.same_as {
        Some(other) => {
            let input = transformation.inputs().find(|input| input.slot == other)?;
            let wanted = input.data_type(view)?.element.trimmed_text();
            if wanted == actual {
                return None;
            }
            (format!("{wanted} like {other}"), false)
        }
        None if slot.accepts(actual) => return None,
        None => (slot.types_in_prose(), !slot.unsure),
    };
    Some(Problem {
        text: format!(
            "`{}` must be {wanted}, but claim type `{}` is {actual}",
            claim.slot, claim.claim_type
        ),
        location: Some(claim.site.attribute_location("ClaimTypeReferenceId")),
        sure,
        related: Some((
            declaration.location(declaration.element.text_span()),
            format!("`{}` is {actual}", claim.claim_type),
        )),
        unexpected: Some(declared(actual, claim.slot)),
        missing: expected(slot),
    })
}

/// A claim that names no slot of the method.
fn stray_problem<'s>(
    view: &Effective<'s>,
    claim: &SlotClaim<'s>,
    meant: Option<&Slot>,
    side: Side,
) -> Problem {
    let data_type = claim.data_type(view);
    let actual = data_type.map(|site| site.element.trimmed_text());
    let named = claim.site.attribute("TransformationClaimType").is_some();
    let (text, attribute) = match (meant, named) {
        (Some(slot), _) => (
            format!(
                "it has no {} `{}`, did you mean `{}`?",
                side.noun(),
                claim.slot,
                slot.name
            ),
            "TransformationClaimType",
        ),
        (None, true) => (
            format!("it has no {} `{}`", side.noun(), claim.slot),
            "TransformationClaimType",
        ),
        (None, false) => (
            format!(
                "claim `{}` names no slot (TransformationClaimType)",
                claim.slot
            ),
            "ClaimTypeReferenceId",
        ),
    };
    // Whether letter case counts in slot names is not known.
    let case_only = meant.is_some_and(|slot| slot.name.eq_ignore_ascii_case(claim.slot));
    Problem {
        text,
        location: Some(claim.site.attribute_location(attribute)),
        sure: !case_only,
        related: None,
        unexpected: actual.map(|actual| declared(actual, claim.slot)),
        missing: meant.filter(|slot| !slot.optional).and_then(expected),
    }
}

fn declared(data_type: &str, slot: &str) -> String {
    format!("[{}]{slot}", service_type_name(data_type))
}

fn expected(slot: &Slot) -> Option<String> {
    Some(declared(slot.types.first()?, slot.name))
}

/// What the method takes or gives, in one line.
fn signature(method: &Method, side: Side) -> String {
    let slots = side.slots(method);
    let mut parts: Vec<String> = slots
        .named
        .iter()
        .map(|slot| {
            let types = match slot.same_as {
                Some(other) => format!("the type of {other}"),
                None => slot.types_in_prose(),
            };
            let optional = if slot.optional { ", optional" } else { "" };
            format!("`{}` ({types}{optional})", slot.name)
        })
        .collect();
    parts.extend(slots.free.as_ref().map(|_| "others of your choice".into()));
    if parts.is_empty() {
        return format!("{} has no {}s", method.name, side.noun());
    }
    let verb = match side {
        Side::Input => "takes",
        Side::Output => "gives",
    };
    format!("{} {verb} {}", method.name, parts.join(", "))
}

fn sentence(transformation: &ClaimsTransformation<'_>, problems: &[Problem], side: Side) -> String {
    let list = side.list();
    let mut sentence = format!(
        "The {list} mismatched in ClaimsTransformation with id \"{}\" with TransformationMethod \
         \"{}\".",
        transformation.id, transformation.method_name
    );
    let unexpected = problems
        .iter()
        .filter_map(|problem| problem.unexpected.as_deref());
    let unexpected: Vec<_> = unexpected.collect();
    if !unexpected.is_empty() {
        sentence.push_str(&format!(
            " The following {list} were declared in the Policy but were not expected by the \
             TransformMethod: {}.",
            unexpected.join(", ")
        ));
    }
    let missing = problems
        .iter()
        .filter_map(|problem| problem.missing.as_deref());
    let missing: Vec<_> = missing.collect();
    if !missing.is_empty() {
        sentence.push_str(&format!(
            " The following {list} were expected by the TransformMethod but were not declared in \
             the Policy: {}.",
            missing.join(", ")
        ));
    }
    sentence
}
