//! The steps of journeys: their order, their types, and what each type needs.

use roxmltree::Node;

use super::engine::{HERE, Mutant};
use super::model::{Model, Place, below, child, is, order};

pub(super) fn breaks(model: &Model<'_>, mutants: &mut Vec<Mutant>) {
    for place in model.elements() {
        let (_, journey) = place;
        let name = journey.tag_name().name();
        let id = journey.attribute("Id").unwrap_or_default();
        // What is merged of several files has its mistakes elsewhere.
        if matches!(name, "UserJourney" | "SubJourney") && model.count(name, id) == 1 {
            whole(place, mutants);
            let steps: Vec<_> = below(journey, "OrchestrationStep").collect();
            orders(place, &steps, mutants);
            for (index, step) in steps.iter().enumerate() {
                let before = index.checked_sub(1).map(|before| steps[before]);
                of_step(
                    (place.0, *step),
                    before,
                    steps.get(index + 1).copied(),
                    mutants,
                );
            }
        }
    }
    relying_parties(model, mutants);
}

fn whole(place: Place<'_>, mutants: &mut Vec<Mutant>) {
    let (_, journey) = place;
    let id = journey.attribute("Id").unwrap_or_default();
    let other = id.to_ascii_uppercase();
    if other != id && is(journey, "UserJourney") {
        let text = &journey.document().input_text()[journey.range()];
        let twin = text.replacen(id, &other, 1);
        mutants.push(Mutant::behind(
            "id in other case",
            "duplicate-id-case",
            place,
            &twin,
        ));
    }
}

/// Numbers of steps. The steps of real journeys stand in order.
fn orders(place: Place<'_>, steps: &[Node<'_, '_>], mutants: &mut Vec<Mutant>) {
    let (file, journey) = place;
    let set = |kind, rule, step: Node<'_, '_>, number: String| {
        Mutant::attribute(kind, rule, (file, step), "Order", number)
    };
    let gap = "journey-order-gap";
    if let Some(last) = steps.last() {
        let far = (order(*last) + 7).to_string();
        mutants.extend(set("number of the last step too high", gap, *last, far));
    }
    for pair in steps.windows(2) {
        let before = order(pair[0]).to_string();
        mutants.extend(set(
            "number of a step twice",
            "xsd-duplicate-id",
            pair[1],
            before,
        ));
        let kind = "step in the middle left out";
        let mutant = Mutant::without(kind, gap, (file, pair[0]));
        mutants.push(mutant.at_attribute((file, pair[1]), "Order"));
    }
    if let Some(first) = steps.first() {
        mutants.extend(set("step 0", gap, *first, "0".to_owned()));
        mutants.extend(set(
            "step of a negative number",
            gap,
            *first,
            "-1".to_owned(),
        ));
    }
    let exchanges: Vec<_> = below(journey, "ClaimsExchange").collect();
    for pair in exchanges.windows(2) {
        let id = pair[0].attribute("Id").unwrap_or_default();
        let kind = "claims exchange twice";
        let twice = Mutant::attribute(kind, "xsd-duplicate-id", (file, pair[1]), "Id", id);
        mutants.extend(twice);
    }
}

fn of_step(
    place: Place<'_>,
    before: Option<Node<'_, '_>>,
    next: Option<Node<'_, '_>>,
    mutants: &mut Vec<Mutant>,
) {
    let (file, step) = place;
    let of_type = |step: Node<'_, '_>| step.attribute("Type").unwrap_or_default().to_owned();
    let own_type = of_type(step);
    let chooses = |step: Node<'_, '_>| {
        matches!(
            of_type(step).as_str(),
            "CombinedSignInAndSignUp" | "ClaimsProviderSelection"
        )
    };
    let misspelt = own_type.replacen("Claims", "Claim", 1) + "Step";
    let kind = "unknown type of step";
    mutants.extend(Mutant::attribute(kind, "xsd-attr", place, "Type", misspelt));
    // A published sample has selections in a step of this type, and tenants accept it.
    if own_type == "ClaimsExchange"
        && !before.is_some_and(chooses)
        && child(step, "ClaimsProviderSelections").is_none()
        && let Some(exchange) = below(step, "ClaimsExchange").next()
    {
        let profile = exchange
            .attribute("TechnicalProfileReferenceId")
            .unwrap_or_default();
        let second = format!(
            "<ClaimsExchange Id=\"SecondExchange\" TechnicalProfileReferenceId=\"{profile}\" />"
        );
        mutants.push(Mutant::behind(
            "second claims exchange",
            "journey-multi-exchange",
            (file, exchange),
            &second,
        ));
    }
    if own_type == "SendClaims" {
        // In front of it, where nothing waits for what the step would yield.
        let number = order(step);
        let empty = format!("<OrchestrationStep Order=\"{number}\" Type=\"ClaimsExchange\" />\n");
        let start = step.range().start;
        let numbers = step.attribute_node("Order").unwrap().range_value();
        if next.is_none() {
            let kind = "step without claims exchange";
            let mutant = Mutant::new(kind, "step-no-exchange", file, start..start, empty);
            mutants.push(mutant.and(numbers, (number + 1).to_string()));
        }
    }
    if let Some(next) = next {
        if chooses(step) {
            let kind = "no claims exchange after a selection";
            let rule = "selection-next-not-exchange";
            mutants.extend(Mutant::attribute(kind, rule, (file, next), "Type", "Noop"));
        }
        let exchanges: Vec<_> = below(next, "ClaimsExchange").collect();
        if chooses(step) && exchanges.len() > 1 {
            selection(place, &exchanges, mutants);
        }
    }
    if let Some(list) = child(step, "ClaimsProviderSelections")
        && chooses(step)
        && next.is_some_and(|next| below(next, "ClaimsExchange").count() == 1)
    {
        let kind = "nothing to choose from";
        let mutant = Mutant::without(kind, "step-no-selection", (file, list));
        mutants.push(mutant.at(place));
    }
    if chooses(step) {
        mutants.extend(Mutant::without_attribute(
            "selection without a page",
            "selection-content-definition",
            place,
            "ContentDefinitionReferenceId",
        ));
        for one in below(step, "ClaimsProviderSelection") {
            for attribute in ["TargetClaimsExchangeId", "ValidationClaimsExchangeId"] {
                mutants.extend(Mutant::without_attribute(
                    "selection of nothing",
                    "selection-target",
                    (file, one),
                    attribute,
                ));
            }
            if let Some(target) = one.attribute_node("TargetClaimsExchangeId") {
                let end = target.range().end;
                let both = format!(" ValidationClaimsExchangeId=\"{}\"", target.value());
                let kind = "selection of two";
                let mutant = Mutant::new(kind, "selection-target", file, end..end, both);
                mutants.push(mutant.at((file, one)));
            }
        }
    }
    if own_type == "SendClaims" && next.is_none() && child(step, "Preconditions").is_none() {
        let number = order(step) + 1;
        let more = format!("<OrchestrationStep Order=\"{number}\" Type=\"Noop\" />");
        let kind = "step after the last";
        let mutant = Mutant::behind(kind, "sendclaims-not-last", place, &more);
        mutants.push(mutant.at_attribute(place, "Order"));
    }
    if own_type == "ClaimsExchange" && before.is_some() && !before.is_some_and(chooses) {
        let kind = "claims of the request in the middle";
        mutants.extend(Mutant::attribute(
            kind,
            "getclaims-first",
            place,
            "Type",
            "GetClaims",
        ));
    }
}

/// A step that offers a choice, and the claims exchanges to choose from.
fn selection(place: Place<'_>, exchanges: &[Node<'_, '_>], mutants: &mut Vec<Mutant>) {
    let (file, step) = place;
    // One that can be chosen in this way only.
    let linked = |id: &str| {
        step.document().descendants().any(|item| {
            is(item, "Item")
                && item
                    .text()
                    .is_some_and(|text| text.trim().eq_ignore_ascii_case(id))
        })
    };
    for one in below(step, "ClaimsProviderSelection") {
        let target = one.attribute("TargetClaimsExchangeId").unwrap_or_default();
        let exchange = exchanges.iter().find(|exchange| {
            exchange
                .attribute("Id")
                .is_some_and(|id| id.eq_ignore_ascii_case(target))
        });
        if let Some(exchange) = exchange
            && !linked(target)
            && below(step, "ClaimsProviderSelection").count() > 1
        {
            let kind = "selection left out";
            let mutant = Mutant::without(kind, "exchange-unreachable", (file, one));
            mutants.push(mutant.at_attribute((file, *exchange), "Id"));
        }
    }
    let kind = "no selection before a choice";
    let mutant = Mutant::attribute(kind, "journey-multi-exchange", place, "Type", "Noop");
    mutants.extend(mutant.map(|mutant| mutant.at_attribute((file, exchanges[1]), "Id")));
}

/// A sub journey, invoked before the last step; each one breaks something in it.
fn sub_journeys(model: &Model<'_>, place: Place<'_>, send: Place<'_>, mutants: &mut Vec<Mutant>) {
    let (file, journey) = place;
    let root = model.documents[file].root_element();
    let exchange = below(journey, "ClaimsExchange").next();
    let profile = exchange.and_then(|one| one.attribute("TechnicalProfileReferenceId"));
    let (Some(journeys), Some(profile)) = (child(root, "UserJourneys"), profile) else {
        return;
    };
    if child(root, "SubJourneys").is_some() {
        return;
    }
    let number = order(send.1);
    let end = journeys.range().end;
    let send_start = send.1.range().start;
    let send_number = send.1.attribute_node("Order").unwrap().range_value();
    let exchange = format!(
        "<OrchestrationStep Order=\"1\" Type=\"ClaimsExchange\"><ClaimsExchanges>\
         <ClaimsExchange Id=\"Own\" TechnicalProfileReferenceId=\"{profile}\" />\
         </ClaimsExchanges></OrchestrationStep>\n"
    );
    let sends = |number: usize| {
        format!(
            "<OrchestrationStep Order=\"{number}\" {HERE}Type=\"SendClaims\" \
             CpimIssuerTechnicalProfileReferenceId=\"JwtIssuer\" />"
        )
    };
    let list = |id: &str| format!("<JourneyList>\n<Candidate {id} /></JourneyList>");
    let known = "SubJourneyReferenceId=\"Called\"";
    let mut add = |kind, rule, candidates: String, of_type: &str, steps: String| {
        let step = format!(
            "<OrchestrationStep Order=\"{number}\" Type=\"InvokeSubJourney\">{candidates}\
             </OrchestrationStep>\n"
        );
        let called = format!(
            "<SubJourneys>\n<SubJourney Id=\"Called\" Type=\"{of_type}\">\n<OrchestrationSteps>\
             {steps}</OrchestrationSteps></SubJourney></SubJourneys>"
        );
        let mutant = Mutant::new(kind, rule, file, send_start..send_start, step);
        let mutant = mutant.and(send_number.clone(), (number + 1).to_string());
        mutants.push(mutant.and(end..end, called));
    };
    let marked = format!("{HERE}{known}");
    let nowhere = format!("{HERE}SubJourneyReferenceId=\"brokenReference\"");
    let one = &exchange;
    add(
        "sub journey of a step",
        "ref-subjourney",
        list(&nowhere),
        "Call",
        one.clone(),
    );
    add(
        "no sub journey to invoke",
        "invoke-no-candidate",
        HERE.to_string(),
        "Call",
        one.clone(),
    );
    let (kind, rule) = ("call that answers", "subjourney-call-sendclaims");
    add(
        kind,
        rule,
        list(known),
        "Call",
        format!("{one}{}", sends(2)),
    );
    let (kind, rule) = ("transfer that does not answer", "transfer-no-sendclaims");
    add(
        kind,
        rule,
        list(known),
        &format!("{HERE}Transfer"),
        one.clone(),
    );
    let nested = format!(
        "{one}<OrchestrationStep Order=\"2\" Type=\"InvokeSubJourney\">{}</OrchestrationStep>",
        list(&marked)
    );
    let (kind, rule) = ("sub journey in a sub journey", "subjourney-nesting");
    add(kind, rule, list(known), "Call", nested);
    let far = one.replace("Order=\"1\"", &format!("{HERE}Order=\"3\""));
    add(
        "gap in a sub journey",
        "journey-order-gap",
        list(known),
        "Call",
        far,
    );
}

/// What a journey needs only where a relying party runs it.
fn relying_parties(model: &Model<'_>, mutants: &mut Vec<Mutant>) {
    for (file, relying_party, id) in model.relying_parties() {
        let declared = model.declared(file, "UserJourney", id);
        let protocol =
            child(relying_party, "TechnicalProfile").and_then(|profile| child(profile, "Protocol"));
        if let Some(protocol) = protocol {
            let other = if protocol.attribute("Name") == Some("SAML2") {
                "OpenIdConnect"
            } else {
                "SAML2"
            };
            let kind = "protocol of a relying party";
            let place = (file, protocol);
            mutants.extend(Mutant::attribute(
                kind,
                "rp-protocol-issuer",
                place,
                "Name",
                other,
            ));
        }
        parts(model, (file, relying_party), mutants);
        let [(at, journey)] = declared[..] else {
            continue;
        };
        if !model.may_break(at) {
            continue;
        }
        let steps: Vec<_> = below(journey, "OrchestrationStep").collect();
        let sends: Vec<_> = steps
            .iter()
            .filter(|step| step.attribute("Type") == Some("SendClaims"))
            .collect();
        let invokes = steps
            .iter()
            .any(|step| child(*step, "JourneyList").is_some());
        let [send] = sends[..] else {
            continue;
        };
        let place = (at, *send);
        let is_last = steps.last() == Some(send);
        if is_last && !invokes {
            let kind = "journey that does not answer";
            let mutant = Mutant::without(kind, "journey-no-sendclaims", place);
            mutants.push(mutant.at_attribute((at, journey), "Id"));
            sub_journeys(model, (at, journey), place, mutants);
        }
        if journey
            .attribute("DefaultCpimIssuerTechnicalProfileReferenceId")
            .is_none()
        {
            let attribute = "CpimIssuerTechnicalProfileReferenceId";
            let rule = "sendclaims-issuer";
            let kind = "answer without issuer";
            let mutant = Mutant::without_attribute(kind, rule, place, attribute);
            mutants.extend(mutant);
            let exchange = below(journey, "ClaimsExchange").next();
            let profile = exchange.and_then(|one| one.attribute("TechnicalProfileReferenceId"));
            if let Some(profile) = profile {
                let kind = "answer by no issuer";
                let mutant = Mutant::attribute(kind, rule, place, attribute, profile);
                mutants.extend(mutant);
            }
        }
        tail(model, (file, relying_party), (at, journey), mutants);
    }
}

/// What a relying party cannot do without.
fn parts(model: &Model<'_>, place: Place<'_>, mutants: &mut Vec<Mutant>) {
    let (file, relying_party) = place;
    let mut bases = model.chain(file).into_iter().skip(1);
    let is_inherited = bases.any(|base| {
        let root = model.documents[base].root_element();
        child(root, "RelyingParty").is_some()
    });
    let has_endpoints = child(relying_party, "Endpoints").is_some();
    let lost = |name, kind, rule| {
        let element = child(relying_party, name)?;
        Some(Mutant::without(kind, rule, (file, element)).at(place))
    };
    if !is_inherited && !has_endpoints {
        let kind = "relying party without journey";
        mutants.extend(lost("DefaultUserJourney", kind, "rp-no-journey"));
    }
    let kind = "relying party without profile";
    mutants.extend(lost("TechnicalProfile", kind, "rp-no-profile"));
    let profile = child(relying_party, "TechnicalProfile");
    if let Some(protocol) = profile.and_then(|profile| child(profile, "Protocol")) {
        let kind = "no protocol of relying parties";
        let place = (file, protocol);
        let mutant = Mutant::attribute(kind, "rp-protocol", place, "Name", "OAuth2");
        mutants.extend(mutant);
    }
}

/// A shorter journey of the same id in the relying party's file.
fn tail(
    model: &Model<'_>,
    relying_party: Place<'_>,
    journey: Place<'_>,
    mutants: &mut Vec<Mutant>,
) {
    let (file, element) = relying_party;
    let root = model.documents[file].root_element();
    let steps = below(journey.1, "OrchestrationStep").count();
    if journey.0 == file || steps < 4 || child(root, "UserJourneys").is_some() {
        return;
    }
    let Some(exchange) = below(journey.1, "ClaimsExchange").next() else {
        return;
    };
    let profile = exchange
        .attribute("TechnicalProfileReferenceId")
        .unwrap_or_default();
    let id = journey.1.attribute("Id").unwrap_or_default();
    let anew = format!(
        "<UserJourneys><UserJourney Id=\"{id}\"><OrchestrationSteps>\
         <OrchestrationStep Order=\"1\" Type=\"ClaimsExchange\"><ClaimsExchanges>\
         <ClaimsExchange Id=\"Anew\" TechnicalProfileReferenceId=\"{profile}\" />\
         </ClaimsExchanges></OrchestrationStep>\
         <OrchestrationStep Order=\"2\" Type=\"SendClaims\" \
         CpimIssuerTechnicalProfileReferenceId=\"JwtIssuer\" />\
         </OrchestrationSteps></UserJourney></UserJourneys>"
    );
    let kind = "shorter journey of an inherited id";
    mutants.push(Mutant::before(
        kind,
        "journey-tail-inherited",
        (file, element),
        &anew,
    ));
}
