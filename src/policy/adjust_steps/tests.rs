use super::*;
use crate::diagnostics::Source;

const RENUMBER: StepAdjustments = StepAdjustments {
    renumber: true,
    application_insights: false,
};
const INSIGHTS: StepAdjustments = StepAdjustments {
    renumber: false,
    application_insights: true,
};
const BOTH: StepAdjustments = StepAdjustments {
    renumber: true,
    application_insights: true,
};
const STEP: &str = "<OrchestrationStep Order=\"1\" Type=\"ClaimsExchange\"><ClaimsExchanges>\
     <ClaimsExchange Id=\"AppInsights-Start\" TechnicalProfileReferenceId=\"AppInsights-Start\" />\
     </ClaimsExchanges></OrchestrationStep>";

fn step(order: &str) -> String {
    format!("<OrchestrationStep Order=\"{order}\" Type=\"SendClaims\"/>")
}

fn journey(id: &str, orders: &[&str]) -> String {
    let steps: String = orders.iter().map(|order| step(order)).collect();
    format!(
        "<UserJourney Id=\"{id}\"><OrchestrationSteps>{steps}</OrchestrationSteps></UserJourney>"
    )
}

fn policy(id: &str, base: &str, content: &str) -> String {
    let base = match base {
        "" => String::new(),
        base => format!("<BasePolicy><PolicyId>{base}</PolicyId></BasePolicy>"),
    };
    format!(
        "<TrustFrameworkPolicy PolicyId=\"{id}\">{base}<UserJourneys>{content}</UserJourneys>\
         </TrustFrameworkPolicy>"
    )
}

/// The texts afterwards, and the messages with the text that each points at.
fn adjusted(
    steps: StepAdjustments,
    own: &[String],
    context: &[String],
) -> (Vec<String>, Vec<String>) {
    let mut sources = SourceMap::new();
    let mut add = |texts: &[String]| -> Vec<SourceId> {
        let texts = texts.iter();
        texts
            .map(|text| sources.add(Source::new("a.xml", text.as_str())))
            .collect()
    };
    let (own, context) = (add(own), add(context));
    let before = sources.clone();
    let result = steps.apply(&mut sources, &own, &context);
    let findings = result.findings.iter().map(|finding| {
        let place = finding.primary.location;
        let pointed = place.span.of(before.get(place.source).text());
        format!("{pointed}: {}", finding.message)
    });
    let findings = findings.collect();
    let text = |id: &SourceId| sources.get(*id).text().to_string();
    let all: Vec<String> = own.iter().chain(&context).map(text).collect();
    // What is adjusted stays so.
    let mut again = sources.clone();
    let second = steps.apply(&mut again, &own, &context);
    assert!(second.splices.is_empty(), "{:?}", second.splices);
    (all, findings)
}

#[test]
fn steps_are_numbered_in_the_order_of_the_file() {
    let before = ["2", "2", "7", "5"];
    let own = [policy("A", "", &journey("J", &before))];
    let (texts, findings) = adjusted(RENUMBER, &own, &[]);
    assert_eq!(
        texts[0],
        policy("A", "", &journey("J", &["1", "2", "3", "4"]))
    );
    assert_eq!(findings, [""; 0]);
}

#[test]
fn a_number_that_overrides_an_inherited_step_is_left() {
    let base = policy("Base", "", &journey("J", &["1", "2", "3"]));
    let heir = policy(
        "Heir",
        "Base",
        &(journey("j", &["3"]) + &journey("Own", &["2", "4"])),
    );
    let expected = policy(
        "Heir",
        "Base",
        &(journey("j", &["3"]) + &journey("Own", &["1", "2"])),
    );
    for context in [false, true] {
        let (own, context) = match context {
            false => (vec![heir.clone(), base.clone()], vec![]),
            true => (vec![heir.clone()], vec![base.clone()]),
        };
        let (texts, findings) = adjusted(RENUMBER, &own, &context);
        assert_eq!(texts[0], expected);
        assert_eq!(texts[1], base);
        assert_eq!(findings, [""; 0]);
    }
}

#[test]
fn what_others_count_on_is_left_and_said() {
    let base = policy("Base", "", &journey("J", &["1", "3"]));
    let heir = policy("Heir", "Base", &journey("J", &["2"]));
    let own = [base, heir];
    let (texts, findings) = adjusted(RENUMBER, &own, &[]);
    assert_eq!(texts, own);
    let message = "J: the steps of `J` are uploaded as they are: Heir counts on its numbers";
    assert_eq!(findings, [message]);
}

#[test]
fn without_the_base_nothing_is_adjusted() {
    let own = [policy("A", "Unknown", &journey("J", &["2"]))];
    for steps in [RENUMBER, INSIGHTS, BOTH] {
        let (texts, findings) = adjusted(steps, &own, &[]);
        assert_eq!(texts, own);
        assert!(
            findings[0].starts_with("J: the steps of `J`"),
            "{findings:?}"
        );
        assert_eq!(findings.len(), 1);
    }
    let good = [policy("A", "Unknown", &journey("J", &["1", "2"]))];
    assert_eq!(adjusted(RENUMBER, &good, &[]).1, [""; 0]);
}

#[test]
fn the_new_step_comes_first_and_the_others_move_with_those_that_override_them() {
    let base = policy("Base", "", &journey("J", &["1", "2", "4"]));
    let heir = policy("Heir", "Base", &journey("J", &["3", "4"]));
    let leaf = policy("Leaf", "Heir", &journey("J", &["4"]));
    let (texts, findings) = adjusted(INSIGHTS, &[base, heir, leaf], &[]);
    let first = format!("{STEP}{}", step("2"));
    let expected = policy(
        "Base",
        "",
        &journey("J", &["2", "3", "5"]).replace(&step("2"), &first),
    );
    assert_eq!(texts[0], expected);
    assert_eq!(texts[1], policy("Heir", "Base", &journey("J", &["4", "5"])));
    assert_eq!(texts[2], policy("Leaf", "Heir", &journey("J", &["5"])));
    assert_eq!(findings, [""; 0]);
}

#[test]
fn both_together_number_from_the_new_step_on() {
    let own = [policy("A", "", &journey("J", &["1", "1", "9"]))];
    let (texts, _) = adjusted(BOTH, &own, &[]);
    let first = format!("{STEP}{}", step("2"));
    let expected = journey("J", &["2", "3", "4"]).replace(&step("2"), &first);
    assert_eq!(texts[0], policy("A", "", &expected));
}

#[test]
fn a_journey_that_calls_it_anywhere_is_left() {
    let has = journey("J", &["1"]).replace(
        "</OrchestrationSteps>",
        "<OrchestrationStep Order=\"2\" Type=\"ClaimsExchange\"><ClaimsExchanges><ClaimsExchange \
         Id=\"x\" TechnicalProfileReferenceId=\"appinsights-start\"/></ClaimsExchanges>\
         </OrchestrationStep></OrchestrationSteps>",
    );
    for own in [
        vec![policy("A", "", &has)],
        vec![
            policy("A", "", &journey("J", &["1", "2"])),
            policy("B", "A", &has),
        ],
    ] {
        let (texts, findings) = adjusted(INSIGHTS, &own, &[]);
        assert_eq!(texts, own);
        assert_eq!(findings, [""; 0]);
    }
}

#[test]
fn a_prefix_of_the_names_is_kept() {
    let own = ["<p:TrustFrameworkPolicy xmlns:p='u' PolicyId='A'><p:UserJourneys><p:UserJourney \
                Id='J'><p:OrchestrationSteps><p:OrchestrationStep Order='1'/></p:OrchestrationSteps>\
                </p:UserJourney></p:UserJourneys></p:TrustFrameworkPolicy>"
        .to_owned()];
    let (texts, _) = adjusted(INSIGHTS, &own, &[]);
    let (document, findings) = {
        let mut sources = SourceMap::new();
        let id = sources.add(Source::new("a.xml", texts[0].as_str()));
        xml::parse(sources.get(id).text(), id)
    };
    assert!(findings.is_empty(), "{findings:?}");
    let steps: Vec<_> = document
        .elements()
        .filter(|element| element.name() == "OrchestrationStep")
        .map(|element| (element.namespace(), element.attribute_value("Order")))
        .collect();
    assert_eq!(steps, [("u", Some("1")), ("u", Some("2"))]);
}

#[test]
fn what_the_schema_refuses_is_left_to_it() {
    for orders in [&["one", "2"][..], &["4294967295"], &["0", "1"], &[]] {
        let own = [policy("A", "", &journey("J", orders))];
        let (texts, findings) = adjusted(INSIGHTS, &own, &[]);
        assert_eq!((texts, findings), (own.to_vec(), Vec::new()), "{orders:?}");
    }
    let twice = journey("J", &["2"]) + &journey("j", &["5"]);
    let own = [policy("A", "", &twice)];
    let (texts, _) = adjusted(RENUMBER, &own, &[]);
    let expected = journey("J", &["1"]) + &journey("j", &["5"]);
    assert_eq!(texts[0], policy("A", "", &expected));
    let cut = [policy("A", "", &journey("J", &["2"])).replace("</TrustFrameworkPolicy>", "")];
    assert_eq!(adjusted(BOTH, &cut, &[]), (cut.to_vec(), Vec::new()));
}
