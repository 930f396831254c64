//! Claims that are asked for and that nothing yields.

use roxmltree::Node;

use super::engine::Mutant;
use super::model::{Model, Place, Step, below, child, has_path, is, within};

/// A claim type that is declared and nothing else.
const DECLARATION: &str = "<ClaimType Id=\"unheardOf\"><DisplayName>x</DisplayName>\
                           <DataType>string</DataType></ClaimType>";
const CLAIM: &str = "unheardOf";

pub(super) fn breaks(model: &Model<'_>, mutants: &mut Vec<Mutant>) {
    for (file, relying_party, journey) in model.relying_parties() {
        outputs(model, (file, relying_party), mutants);
        for step in &model.steps(file, journey) {
            for exchange in step.exchanges() {
                inputs(model, file, exchange, mutants);
            }
            preconditions(model, step, mutants);
        }
    }
}

/// The mutant in whose file the claim type is declared too.
fn declaring(model: &Model<'_>, mutant: Mutant, file: usize) -> Option<Mutant> {
    let root = model.documents[file].root_element();
    if let Some(blocks) = child(root, "BuildingBlocks") {
        let schema = child(blocks, "ClaimsSchema")?;
        let first = schema.children().find(|claim| is(*claim, "ClaimType"))?;
        let start = first.range().start;
        return Some(mutant.and(start..start, DECLARATION));
    }
    let after = [
        "ClaimsProviders",
        "UserJourneys",
        "SubJourneys",
        "RelyingParty",
    ];
    let start = after
        .iter()
        .find_map(|name| child(root, name))?
        .range()
        .start;
    let blocks =
        format!("<BuildingBlocks><ClaimsSchema>{DECLARATION}</ClaimsSchema></BuildingBlocks>");
    Some(mutant.and(start..start, blocks))
}

/// Required input claims and output claims of pages.
fn inputs(model: &Model<'_>, file: usize, exchange: Place<'_>, mutants: &mut Vec<Mutant>) {
    let id = exchange
        .1
        .attribute("TechnicalProfileReferenceId")
        .unwrap_or_default();
    let declared = model.declared(file, "TechnicalProfile", id);
    for &(at, profile) in declared.iter().filter(|(at, _)| model.may_break(*at)) {
        for claim in below(profile, "InputClaim") {
            if claim.attribute("DefaultValue").is_some() || !is_of(claim, profile) {
                continue;
            }
            let (kind, rule) = ("required claim that nothing yields", "flow-required-input");
            let place = (at, claim);
            if claim.attribute("Required") == Some("true") {
                let attribute = "ClaimTypeReferenceId";
                let mutant = Mutant::attribute(kind, rule, place, attribute, CLAIM);
                let mutant = mutant.and_then(|mutant| declaring(model, mutant, at));
                let attribute = "TechnicalProfileReferenceId";
                mutants.extend(mutant.map(|mutant| mutant.at_attribute(exchange, attribute)));
            }
            let more = format!("<InputClaim ClaimTypeReferenceId=\"{CLAIM}\" Required=\"true\" />");
            let kind = "required claim added";
            let mutant = declaring(model, Mutant::behind(kind, rule, place, &more), at);
            let attribute = "TechnicalProfileReferenceId";
            mutants.extend(mutant.map(|mutant| mutant.at_attribute(exchange, attribute)));
        }
        let shows = declared
            .iter()
            .any(|(_, one)| child(*one, "DisplayClaims").is_some());
        let is_page = declared.iter().any(|(_, one)| {
            child(*one, "Protocol")
                .and_then(|protocol| protocol.attribute("Handler"))
                .is_some_and(|handler| handler.contains("SelfAsserted"))
        });
        if is_page && !shows {
            for claim in below(profile, "OutputClaim").filter(|claim| is_of(*claim, profile)) {
                let (kind, rule) = ("output of a page without source", "sa-output-no-source");
                let more = format!("<OutputClaim ClaimTypeReferenceId=\"{CLAIM}\" />");
                let mutant = Mutant::behind(kind, rule, (at, claim), &more);
                mutants.extend(declaring(model, mutant, at));
            }
        }
    }
}

fn is_of(claim: Node<'_, '_>, profile: Node<'_, '_>) -> bool {
    claim.parent().and_then(|list| list.parent()) == Some(profile)
}

/// Output claims of the relying party.
fn outputs(model: &Model<'_>, (file, relying_party): Place<'_>, mutants: &mut Vec<Mutant>) {
    let rule = "flow-rp-output";
    let attribute = "ClaimTypeReferenceId";
    for claim in below(relying_party, "OutputClaim") {
        if claim.attribute("DefaultValue").is_some() {
            continue;
        }
        let kind = "claim of a relying party that nothing yields";
        let mutant = Mutant::attribute(kind, rule, (file, claim), attribute, CLAIM);
        mutants.extend(mutant.and_then(|mutant| declaring(model, mutant, file)));
        let id = claim.attribute(attribute).unwrap_or_default();
        if let Some(producer) = only_producer(model, file, id) {
            let kind = "only source of a relying party's claim left out";
            let mutant = Mutant::without(kind, rule, producer);
            mutants.push(mutant.at_attribute((file, claim), attribute));
        }
    }
}

/// The one output claim of a profile that names the claim, where nothing else can yield it.
fn only_producer<'m>(model: &'m Model<'_>, file: usize, id: &str) -> Option<Place<'m>> {
    let mut producers = Vec::new();
    for file in model.chain(file) {
        for element in model.documents[file].descendants() {
            let yields = is(element, "OutputClaim") || is(element, "DisplayClaim");
            let named = element
                .attribute("ClaimTypeReferenceId")
                .is_some_and(|named| named.eq_ignore_ascii_case(id));
            if yields && named && !within(element, "RelyingParty") {
                producers.push((file, element));
            }
        }
    }
    match producers[..] {
        [(file, element)] if model.may_break(file) => {
            let path = ["TechnicalProfile", "OutputClaims", "OutputClaim"];
            has_path(element, &path).then_some((file, element))
        }
        _ => None,
    }
}

/// Steps that are skipped for a claim that cannot be there.
fn preconditions(model: &Model<'_>, step: &Step<'_>, mutants: &mut Vec<Mutant>) {
    let [(file, element)] = step.elements[..] else {
        return;
    };
    if !model.may_break(file) {
        return;
    }
    for precondition in below(element, "Precondition") {
        if precondition.attribute("Type") == Some("ClaimsExist")
            && let Some(value) = child(precondition, "Value")
        {
            let kind = "precondition on a claim that nothing yields";
            let mutant = Mutant::text(kind, "precondition-never", (file, value), CLAIM);
            mutants.extend(mutant.and_then(|mutant| declaring(model, mutant, file)));
        }
    }
}
