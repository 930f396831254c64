//! One mistake gives one finding: a policy with every element of the grammar, and what becomes of it
//! when one thing in it is broken. And documents that somebody broke on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use iefctl::diagnostics::{Diagnostic, Source, SourceMap};
use iefctl::schema;
use iefctl::xml::{self, Element};

mod schema_mutation;

use schema_mutation::{Random, mutate, parse, sites};

const COMPLETE: &str = include_str!("fixtures/schema/complete.xml");

fn check(text: &str) -> Vec<Diagnostic> {
    let text: Arc<str> = text.into();
    let mut sources = SourceMap::new();
    let id = sources.add(Source::new("test.xml", Arc::clone(&text)));
    let (document, findings) = xml::parse(&text, id);
    assert_eq!(findings, [], "ill-formed: {text}");
    schema::validate(&document, id)
}

/// A policy with this content.
fn policy(content: &str) -> String {
    let namespace = schema::NAMESPACE;
    format!(
        "<TrustFrameworkPolicy xmlns=\"{namespace}\" PolicySchemaVersion=\"0.3.0.0\" TenantId=\"contoso.onmicrosoft.com\" PolicyId=\"B2C_1A_x\" PublicPolicyUri=\"http://contoso.onmicrosoft.com/B2C_1A_x\">\n{content}\n</TrustFrameworkPolicy>"
    )
}

/// A policy with one technical profile of this content.
fn profile(content: &str) -> String {
    policy(&format!(
        "<ClaimsProviders><ClaimsProvider><TechnicalProfiles><TechnicalProfile Id=\"a\">\n{content}\n</TechnicalProfile></TechnicalProfiles></ClaimsProvider></ClaimsProviders>"
    ))
}

#[test]
fn a_policy_with_everything_is_valid() {
    assert_eq!(check(COMPLETE), []);
    assert_eq!(check(&policy("")), []);
}

#[test]
fn the_policy_with_everything_has_every_element() {
    let path = |element: Element<'_>| {
        let mut names: Vec<_> = element.ancestors().map(Element::name).collect();
        names.reverse();
        names.push(element.name());
        names.join("/")
    };
    let document = parse(COMPLETE);
    let here: BTreeSet<String> = document.elements().map(path).collect();
    let lacking: Vec<_> = schema::declared_elements()
        .map(|(path, _)| path)
        .filter(|path| !here.contains(*path))
        // The relying party's technical profile is of the same type as any; the other half of a
        // choice cannot be there.
        .filter(|path| !path.contains("RelyingParty/TechnicalProfile/"))
        .filter(|path| !path.ends_with("Inheritance/ConstraintHandler"))
        .filter(|path| !path.contains("SubJourneys/SubJourney/OrchestrationSteps/"))
        .collect();
    assert_eq!(lacking, Vec::<&str>::new());
    let other = "<PolicyConstraints><Inheritance DerivingPolicies=\"All\"><ConstraintHandler Id=\"a\" Handler=\"b\"/></Inheritance></PolicyConstraints>";
    assert_eq!(check(&policy(other)), []);
}

#[test]
fn hostile_documents_take_linear_time_and_no_stack() {
    let deep = "<a>".repeat(50_000) + &"</a>".repeat(50_000);
    assert_eq!(check(&profile(&deep)).len(), 1);
    let wide = "<OutputClaims/><InputClaims/>".repeat(20_000);
    assert_eq!(check(&profile(&wide)).len(), 39_998);
    let names: String = (0..20_000).map(|n| format!("<n{n}/>")).collect();
    assert_eq!(check(&profile(&names)).len(), 20_000);
    let policies = "<TrustFrameworkPolicy/>".repeat(10_000);
    let text = policy(&format!(
        "<BuildingBlocks><ContentDefinitions><ContentDefinition Id=\"a\"><LoadUri>{policies}</LoadUri></ContentDefinition></ContentDefinitions></BuildingBlocks>"
    ));
    assert_eq!(check(&text).len(), 40_000);
}

/// Mutations after which one finding is expected wherever the result is invalid.
const SINGLE: &[&str] = &[
    "drop",
    "duplicate",
    "empty",
    "swap with next",
    "move to start of parent",
    "move to end of parent",
    "rename to nothing known",
    "rename by a letter",
    "rename in small letters",
    "insert unknown child",
    "insert text",
    "insert white space",
    "insert white space reference",
    "insert CDATA",
    "insert blank CDATA",
    "insert empty CDATA",
    "insert comment",
    "insert instruction",
    "insert foreign child",
    "no namespace",
    "other namespace",
    "add unknown attribute",
    "add xml:lang",
    "add xsi:nil",
    "add xsi:other",
    "add xsi:type unknown",
    "change text",
    "text in other case",
    "prefix",
    "in other case",
    "one letter more",
    "one letter less",
    "change value",
    "change value again",
    "white space around",
    "white space around text",
    "value of the one before",
];

#[test]
fn one_mistake_is_one_finding() {
    let document = parse(COMPLETE);
    let documents = [document];
    let mut random = Random(3);
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut more = Vec::new();
    for ((kind, mutation), sites) in &sites(&documents) {
        if !SINGLE.contains(mutation) {
            continue;
        }
        for site in sites.iter().take(2) {
            let Some(text) = mutate(&documents[0], *site, mutation, &mut random) else {
                continue;
            };
            let findings = check(&text);
            let count = counts.entry(mutation).or_default();
            count.0 += 1;
            count.1 += usize::from(!findings.is_empty());
            if findings.len() > 1 && !is_several(kind, mutation) {
                let messages: Vec<_> = findings.iter().map(|f| f.message.clone()).collect();
                more.push(format!("{mutation}: {kind}: {messages:#?}"));
            }
        }
    }
    for (mutation, (tried, found)) in &counts {
        println!("{mutation}: {tried} tried, {found} invalid");
    }
    assert!(
        more.is_empty(),
        "{} of them:\n{}",
        more.len(),
        more.join("\n")
    );
}

/// Mutations that make several mistakes by nature.
fn is_several(kind: &str, mutation: &str) -> bool {
    match mutation {
        // A copy repeats every id in it.
        "duplicate" => true,
        // Two elements change places over a distance, or names of two kinds are affected.
        "value of the one before" => kind.ends_with("/@schemaLocation"),
        _ => false,
    }
}
