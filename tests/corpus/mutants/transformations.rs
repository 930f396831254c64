//! Claims transformations: slots and parameters, their names and their types.

use iefctl::policy::known::transformation_method;
use roxmltree::Node;

use super::engine::Mutant;
use super::model::{Model, child, is};

/// A claim type of a data type that no method takes.
const DECLARATION: &str = "<ClaimType Id=\"brokenType\"><DisplayName>x</DisplayName>\
                           <DataType>duration</DataType></ClaimType>";

pub(super) fn breaks(model: &Model<'_>, mutants: &mut Vec<Mutant>) {
    for (file, element) in model.elements() {
        if !is(element, "ClaimsTransformation") {
            continue;
        }
        let method = element.attribute("TransformationMethod");
        let Some(method) = method.and_then(transformation_method) else {
            continue;
        };
        let schema = schema_of(model.documents[file].root_element());
        for node in element.descendants() {
            let place = (file, node);
            let slot = node
                .attribute("TransformationClaimType")
                .unwrap_or_default();
            let id = node.attribute("Id").unwrap_or_default();
            let mut name = |kind, rule| {
                let attribute = "TransformationClaimType";
                mutants.extend(Mutant::attribute(
                    kind,
                    rule,
                    place,
                    attribute,
                    "brokenSlot",
                ));
            };
            match node.tag_name().name() {
                "InputClaim" if method.inputs.named(slot).is_some() => {
                    name("input slot", "ct-input-mismatch");
                    let typed = method.inputs.named(slot);
                    if typed.is_some_and(|slot| !slot.types.is_empty()) {
                        let (kind, rule) = ("input type", "ct-input-mismatch");
                        mutants.extend(retyped(kind, rule, place, schema));
                    }
                }
                "OutputClaim"
                    if method.outputs.named(slot).is_some() && method.outputs.free.is_none() =>
                {
                    name("output slot", "ct-output-mismatch");
                    let (kind, rule) = ("output type", "ct-output-mismatch");
                    mutants.extend(retyped(kind, rule, place, schema));
                }
                "InputParameter"
                    if method.parameters.named(id).is_some()
                        && method.parameters.free.is_none() =>
                {
                    let rule = "ct-parameter-mismatch";
                    let kind = "parameter name";
                    mutants.extend(Mutant::attribute(
                        kind,
                        rule,
                        place,
                        "Id",
                        "brokenParameter",
                    ));
                    let kind = "parameter type";
                    mutants.extend(Mutant::attribute(kind, rule, place, "DataType", "duration"));
                }
                _ => {}
            }
        }
    }
}

fn schema_of<'m>(root: Node<'m, 'm>) -> Option<Node<'m, 'm>> {
    let schema = child(child(root, "BuildingBlocks")?, "ClaimsSchema")?;
    schema.children().find(|claim| is(*claim, "ClaimType"))
}

/// A claim of another type in a slot; the type is declared in the same file.
fn retyped(
    kind: &'static str,
    rule: &'static str,
    place: super::model::Place<'_>,
    schema: Option<Node<'_, '_>>,
) -> Option<Mutant> {
    let start = schema?.range().start;
    let mutant = Mutant::attribute(kind, rule, place, "ClaimTypeReferenceId", "brokenType")?;
    Some(mutant.and(start..start, DECLARATION))
}
