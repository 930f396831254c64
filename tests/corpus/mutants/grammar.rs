//! What the schema refuses. By itself `tests/schema_mutation` looks at that; here it stands beside other
//! mistakes, as what it may be meant to be explains what seems to be missing.

use roxmltree::Node;

use super::engine::Mutant;
use super::model::{Model, Place, has_path, is};

pub(crate) fn breaks(model: &Model<'_>, mutants: &mut Vec<Mutant>) {
    for place in model.elements() {
        unknown_children(place, mutants);
        let (file, element) = place;
        if has_path(
            element,
            &["TechnicalProfiles", "TechnicalProfile", "Metadata"],
        ) {
            let (start, end) = (element.range().start, element.range().end);
            let length = "Metadata".len();
            let kind = "misspelt list of metadata";
            let open = start + 1..start + 1 + length;
            let mutant = Mutant::new(kind, "xsd-child-order", file, open, "MetaData");
            mutants.push(mutant.and(end - 1 - length..end - 1, "MetaData"));
        }
        if is(element, "ClaimsExchange")
            && let Some(attribute) = element.attribute_node("TechnicalProfileReferenceId")
        {
            let end = attribute.range().end;
            let kind = "unknown attribute of a claims exchange";
            let other = " Unheard=\"x\"";
            mutants.push(Mutant::new(kind, "xsd-attr", file, end..end, other));
        }
        if element.attribute("Required") == Some("true") {
            let kind = "boolean with a capital";
            let capital = Mutant::attribute(kind, "xsd-attr", place, "Required", "True");
            mutants.extend(capital);
        }
        if has_path(element, &["TechnicalProfile", "OutputClaims"])
            && let Some(first) = element.first_element_child()
        {
            let kind = "text among claims";
            let start = first.range().start;
            mutants.push(Mutant::new(
                kind,
                "xsd-text-content",
                file,
                start..start,
                "x",
            ));
        }
    }
}

fn unknown_children((file, element): Place<'_>, mutants: &mut Vec<Mutant>) {
    let kind = match element.tag_name().name() {
        "TechnicalProfile" if has_path(element, &["TechnicalProfiles", "TechnicalProfile"]) => {
            "unknown element in a technical profile"
        }
        "TechnicalProfile" if has_path(element, &["RelyingParty", "TechnicalProfile"]) => {
            "unknown element in a relying party's profile"
        }
        "TechnicalProfiles" => "unknown element among technical profiles",
        "ClaimType" => "unknown element in a claim type",
        "ContentDefinition" => "unknown element in a content definition",
        "OrchestrationStep" => "unknown element in a step",
        "OrchestrationSteps" => "unknown element among steps",
        "ClaimsTransformation" => "unknown element in a claims transformation",
        _ => return,
    };
    if let Some(last) = element.children().rfind(Node::is_element) {
        let end = last.range().end;
        let unknown = "\n<Unheard />";
        mutants.push(Mutant::new(
            kind,
            "xsd-child-order",
            file,
            end..end,
            unknown,
        ));
    }
}
