//! Preconditions of steps and of validation technical profiles.

use super::engine::Mutant;
use super::model::{Model, Place, below, child, has_path, is};

pub(super) fn breaks(model: &Model<'_>, mutants: &mut Vec<Mutant>) {
    for place in model.elements() {
        let (file, element) = place;
        if !is(element, "Precondition") {
            continue;
        }
        let values: Vec<_> = below(element, "Value").collect();
        match (element.attribute("Type"), &values[..]) {
            (Some("ClaimsExist"), [claim]) => {
                mutants.push(Mutant::behind(
                    "value too many",
                    "precondition-arity",
                    (file, *claim),
                    "<Value>True</Value>",
                ));
                let kind = "value too few";
                let other =
                    Mutant::attribute(kind, "precondition-arity", place, "Type", "ClaimEquals");
                mutants.extend(other);
            }
            (Some("ClaimEquals"), [claim, literal]) => {
                let kind = "value of two left out";
                let mutant = Mutant::without(kind, "precondition-arity", (file, *literal));
                mutants.push(mutant.at(place));
                let id = claim.text().unwrap_or_default().trim();
                if model.data_type(file, id).map(str::trim) == Some("boolean") {
                    let (kind, rule) = ("word for a boolean", "precondition-boolean-literal");
                    mutants.extend(Mutant::text(kind, rule, (file, *literal), "true"));
                } else {
                    let (kind, rule) = ("claim as literal", "precondition-literal-is-claim");
                    let other = "strongAuthenticationPhoneNumber";
                    if !model.declared(file, "ClaimType", other).is_empty() {
                        mutants.extend(Mutant::text(kind, rule, (file, *literal), other));
                    }
                }
            }
            _ => {}
        }
        action(place, mutants);
    }
}

fn action((file, element): Place<'_>, mutants: &mut Vec<Mutant>) {
    let Some(action) = child(element, "Action") else {
        return;
    };
    let of_step = has_path(
        element,
        &["OrchestrationStep", "Preconditions", "Precondition"],
    );
    let (kind, other) = if of_step {
        ("action of a step", "SkipThisValidationTechnicalProfile")
    } else {
        ("action of a validation", "SkipThisOrchestrationStep")
    };
    let rule = "precondition-action-place";
    mutants.extend(Mutant::text(kind, rule, (file, action), other));
}
