//! What the schema room says: the place, the sentence, the near miss and the service's sentence.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use std::sync::Arc;

use iefctl::diagnostics::{Diagnostic, Source, SourceMap};
use iefctl::schema;
use iefctl::xml;

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

fn only(text: &str) -> Diagnostic {
    let mut findings = check(text);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.remove(0)
}

/// Rule, text at the place, headline and help of the only finding.
fn told(text: &str) -> [String; 4] {
    let finding = only(text);
    assert_eq!(finding.policy_id.as_deref(), Some("B2C_1A_x"));
    [
        finding.rule.id.to_owned(),
        finding.primary.location.span.of(text).to_owned(),
        finding.message,
        finding.help.unwrap_or_default(),
    ]
}

fn service(text: &str) -> String {
    only(text).service_message.unwrap()
}

/// The service's sentence at a place of the test policy.
fn sentence(line: u32, column: u32, text: &str) -> String {
    format!(
        "Schema validation error found at line {line} col {column} in policy \"B2C_1A_x\" of tenant \"contoso.onmicrosoft.com\": {}",
        text.replace(" NS", &format!(" in namespace '{}'", schema::NAMESPACE))
            .replace("TFP:", &format!("{}:", schema::NAMESPACE))
    )
}

/// The text after the fix of the only finding.
fn fixed(text: &str) -> String {
    let fix = only(text).fix.unwrap();
    let mut fixed = text.to_owned();
    for edit in fix.edits.iter().rev() {
        let span = edit.location.span;
        fixed.replace_range(span.start as usize..span.end as usize, &edit.replacement);
    }
    fixed
}

#[test]
fn a_misplaced_child_is_told_where_it_belongs() {
    let text =
        profile("<InputClaims />\n<Metadata><Item Key=\"a\">b</Item></Metadata>\n<OutputClaims />");
    let [rule, place, message, help] = told(&text);
    assert_eq!(rule, "xsd-child-order");
    assert_eq!(place, "Metadata");
    assert_eq!(
        message,
        "`Metadata` must stand before `InputClaims` on line 3"
    );
    assert!(
        help.starts_with("the order in `TechnicalProfile` is: Domains, Domain, "),
        "{help}"
    );
    assert!(service(&text).starts_with(&sentence(
        4,
        2,
        "The element 'TechnicalProfile' NS has invalid child element 'Metadata' NS. List of possible elements expected: 'DisplayClaims, PersistedClaims, OutputClaims,"
    )));
}

#[test]
fn the_service_lists_what_may_follow() {
    let text =
        profile("<UseTechnicalProfileForSessionManagement ReferenceId=\"b\" />\n<OutputClaims />");
    assert_eq!(
        service(&text),
        sentence(
            4,
            2,
            "The element 'TechnicalProfile' NS has invalid child element 'OutputClaims' NS. List of possible elements expected: 'ErrorHandlers, EnabledForUserJourneys' NS."
        )
    );
}

#[test]
fn an_early_child_is_misplaced_alone() {
    let text = profile(
        "<OutputClaims />\n<DisplayName>a</DisplayName>\n<Description>b</Description>\n<Protocol Name=\"None\" />",
    );
    let [_, place, message, _] = told(&text);
    assert_eq!(place, "OutputClaims");
    assert_eq!(
        message,
        "`OutputClaims` must stand behind `Protocol` on line 6"
    );
    // The service complains about the one behind it.
    assert!(
        service(&text).contains("at line 4 col 2"),
        "{}",
        service(&text)
    );
}

#[test]
fn the_content_of_a_misplaced_child_is_checked() {
    let text = profile("<OutputClaims />\n<Protocol Name=\"Nothing\" />");
    let rules: Vec<_> = check(&text).iter().map(|finding| finding.rule.id).collect();
    assert_eq!(rules, ["xsd-child-order", "xsd-attr"]);
}

#[test]
fn a_second_child_is_repeated() {
    let text = profile("<OutputClaims />\n<OutputClaims />");
    let finding = only(&text);
    assert_eq!(
        finding.message,
        "`OutputClaims` may stand in `TechnicalProfile` only once"
    );
    assert_eq!(
        finding.primary.location.span.start as usize,
        text.rfind("OutputClaims").unwrap()
    );
    assert_eq!(finding.related.len(), 1);
}

#[test]
fn a_slip_in_a_name_is_recovered() {
    let text = profile(
        "<outputClaims><OutputClaim ClaimTypeReferenceId=\"x\" Required=\"yes\" /></outputClaims>\n<EnabledForUserJourneys>true</EnabledForUserJourneys>",
    );
    let findings = check(&text);
    let rules: Vec<_> = findings.iter().map(|finding| finding.rule.id).collect();
    assert_eq!(rules, ["xsd-child-order", "xsd-attr"]);
    let help = findings[0].help.as_deref().unwrap();
    assert!(
        help.starts_with("did you mean `OutputClaims`? The claims that"),
        "{help}"
    );
    let text = profile("<outputClaims></outputClaims>");
    assert_eq!(fixed(&text), profile("<OutputClaims></OutputClaims>"));
}

#[test]
fn unknown_children_are_skipped_and_counted() {
    let text = profile("<Nonsense><Deep/></Nonsense><Nonsense/><OutputClaims/>");
    let [rule, place, message, help] = told(&text);
    assert_eq!(
        (rule.as_str(), place.as_str()),
        ("xsd-child-order", "Nonsense")
    );
    assert_eq!(
        message,
        "`Nonsense` is not allowed in `TechnicalProfile` (2 times)"
    );
    assert!(help.starts_with("allowed here: `Domains`, "), "{help}");
}

#[test]
fn known_elements_are_sent_home() {
    let help = |text: &str| told(text)[3].clone();
    let text = policy(
        "<ClaimsProviders><ClaimsProvider><TechnicalProfile Id=\"a\" /></ClaimsProvider></ClaimsProviders>",
    );
    assert_eq!(
        help(&text),
        "`TechnicalProfile` belongs in `TechnicalProfiles`; `ClaimsProvider` still needs `TechnicalProfiles`"
    );
    let text = profile("<UserJourneys><UserJourney Id=\"a\" /></UserJourneys>");
    assert!(
        help(&text).contains("belongs in `TrustFrameworkPolicy`, further out"),
        "{}",
        help(&text)
    );
    let text = profile("<Candidate SubJourneyReferenceId=\"a\" />");
    assert!(
        help(&text).contains("belongs in `JourneyList`"),
        "{}",
        help(&text)
    );
}

#[test]
fn missing_children_are_named() {
    let text = policy("<ClaimsProviders>\n</ClaimsProviders>");
    let [rule, place, message, help] = told(&text);
    assert_eq!(
        (rule.as_str(), place.as_str()),
        ("xsd-missing-child", "ClaimsProviders")
    );
    assert_eq!(
        message,
        "`ClaimsProviders` is empty; it needs at least one `ClaimsProvider`"
    );
    assert!(
        help.starts_with("add `ClaimsProvider`: One party"),
        "{help}"
    );
    assert_eq!(
        service(&text),
        sentence(
            3,
            3,
            "The element 'ClaimsProviders' NS has incomplete content. List of possible elements expected: 'ClaimsProvider' NS."
        )
    );
    let text = policy("<BasePolicy />");
    assert_eq!(
        told(&text)[2],
        "`BasePolicy` lacks `TenantId` and `PolicyId`"
    );
    assert!(
        service(&text).contains("at line 2 col 2"),
        "{}",
        service(&text)
    );
}

#[test]
fn text_between_elements() {
    let text = profile(
        "<OutputClaims>\n  oops <OutputClaim ClaimTypeReferenceId=\"a\" /> again </OutputClaims>",
    );
    let [rule, place, message, _] = told(&text);
    assert_eq!(
        (rule.as_str(), place.as_str()),
        ("xsd-text-content", "oops")
    );
    assert_eq!(
        message,
        "text is not allowed in `OutputClaims`, which holds only elements"
    );
    assert_eq!(
        service(&text),
        sentence(
            3,
            15,
            "The element 'OutputClaims' NS cannot contain text. List of possible elements expected: 'OutputClaim' NS."
        )
    );
}

#[test]
fn white_space_in_an_empty_element() {
    let text = profile("<Protocol Name=\"None\"> </Protocol>");
    let [rule, _, message, help] = told(&text);
    assert_eq!(rule, "xsd-text-content");
    assert_eq!(
        message,
        "white space is not allowed in `Protocol`, which has attributes only"
    );
    assert_eq!(help, "close it at once: `<Protocol … />`");
    assert_eq!(
        service(&text),
        sentence(
            3,
            23,
            "The element cannot contain white space. Content model is empty."
        )
    );
    assert_eq!(
        check(&profile("<Protocol Name=\"None\"><!-- x --></Protocol>")),
        []
    );
}

#[test]
fn values_of_elements() {
    let text = policy(
        "<BuildingBlocks><ClaimsSchema><ClaimType Id=\"a\"><DataType>\n String </DataType></ClaimType></ClaimsSchema></BuildingBlocks>",
    );
    let [rule, place, message, help] = told(&text);
    assert_eq!(
        (rule.as_str(), place.as_str()),
        ("xsd-text-content", "String")
    );
    assert_eq!(message, "`String` is not allowed in `DataType`");
    assert!(
        help.starts_with("did you mean `string`? Allowed are `boolean`, `date`"),
        "{help}"
    );
    assert_eq!(
        service(&text),
        sentence(
            3,
            11,
            "The 'TFP:DataType' element is invalid - The value '\n String ' is invalid according to its datatype 'TFP:DataType' - The Enumeration constraint failed."
        )
    );
    let text = profile("<IncludeInSso/>");
    assert_eq!(
        told(&text)[1..3],
        ["IncludeInSso", "`IncludeInSso` is empty"]
    );
}

#[test]
fn values_of_attributes() {
    let text = profile(
        "<OutputClaims><OutputClaim ClaimTypeReferenceId=\"x\" Required=\"True\" /></OutputClaims>",
    );
    let [rule, place, message, help] = told(&text);
    assert_eq!((rule.as_str(), place.as_str()), ("xsd-attr", "True"));
    assert_eq!(
        message,
        "`True` is not allowed in attribute `Required` of `OutputClaim`"
    );
    assert!(help.starts_with("did you mean `true`?"), "{help}");
    assert_eq!(fixed(&text), text.replace("True", "true"));
    assert_eq!(
        service(&text),
        sentence(
            3,
            53,
            "The 'Required' attribute is invalid - The value 'True' is invalid according to its datatype 'http://www.w3.org/2001/XMLSchema:boolean' - The string 'True' is not a valid Boolean value."
        )
    );
    let text = policy("").replace(
        "contoso.onmicrosoft.com\" PolicyId",
        "your-tenant.onmicrosoft.com\" PolicyId",
    );
    let finding = only(&text);
    assert!(
        finding
            .service_message
            .unwrap()
            .ends_with(":TenantId' - The Pattern constraint failed.")
    );
    let text = policy("").replace("http://contoso.onmicrosoft.com/B2C_1A_x", "{Settings:x}");
    assert_eq!(told(&text)[1], "{Settings:x}");
}

#[test]
fn unknown_and_missing_attributes() {
    let text = profile("<IncludeTechnicalProfile Referenceid=\"b\" />");
    let [rule, place, message, help] = told(&text);
    assert_eq!((rule.as_str(), place.as_str()), ("xsd-attr", "Referenceid"));
    assert_eq!(
        message,
        "attribute `Referenceid` is not allowed on `IncludeTechnicalProfile`"
    );
    assert!(help.starts_with("did you mean `ReferenceId`?"), "{help}");
    assert_eq!(fixed(&text), text.replace("Referenceid", "ReferenceId"));
    assert_eq!(
        service(&text),
        sentence(3, 26, "The 'Referenceid' attribute is not declared.")
    );
    let text = profile("<IncludeTechnicalProfile />");
    let [_, place, message, help] = told(&text);
    assert_eq!(place, "IncludeTechnicalProfile");
    assert_eq!(
        message,
        "`IncludeTechnicalProfile` lacks the attribute `ReferenceId`"
    );
    assert_eq!(help, "add `ReferenceId=\"…\"`");
    assert_eq!(
        service(&text),
        sentence(3, 2, "The required attribute 'ReferenceId' is missing.")
    );
    let text = profile("<Description xml:lang=\"en\">a</Description>");
    assert_eq!(told(&text)[3], "`Description` has no attributes");
}

#[test]
fn duplicates() {
    let text = policy(
        "<UserJourneys><UserJourney Id=\"a\"><OrchestrationSteps>\n<OrchestrationStep Order=\"1\" Type=\"Noop\" />\n<OrchestrationStep Order=\" 01\" Type=\"Noop\" /></OrchestrationSteps></UserJourney></UserJourneys>",
    );
    let [rule, place, message, _] = told(&text);
    assert_eq!((rule.as_str(), place.as_str()), ("xsd-duplicate-id", " 01"));
    assert_eq!(
        message,
        "`Order` `01` is already the `Order` of the `OrchestrationStep` on line 3"
    );
    assert_eq!(
        service(&text),
        sentence(
            4,
            2,
            "There is a duplicate key sequence '1' for the 'TFP:UniqueOrchestrationStepOrder' key or unique identity constraint."
        )
    );
    let profiles = "<ClaimsProvider><TechnicalProfiles><TechnicalProfile Id=\"a\"/></TechnicalProfiles></ClaimsProvider>";
    let text = policy(&format!(
        "<ClaimsProviders>{profiles}{profiles}{profiles}</ClaimsProviders>"
    ));
    assert_eq!(check(&text).len(), 2);
    assert_eq!(
        check(
            &text
                .replacen("Id=\"a\"", "Id=\"A\"", 2)
                .replacen("Id=\"A\"", "Id=\"b\"", 1)
        ),
        []
    );
}

#[test]
fn one_or_the_other() {
    let restriction = |content: &str| {
        policy(&format!(
            "<BuildingBlocks><ClaimsSchema><ClaimType Id=\"a\"><Restriction>{content}</Restriction></ClaimType></ClaimsSchema></BuildingBlocks>"
        ))
    };
    let item = "<Enumeration Text=\"a\" Value=\"b\"/>";
    let pattern = "<Pattern RegularExpression=\"a\"/>";
    assert_eq!(check(&restriction("")), []);
    let text = restriction(&format!("{item}{item}{pattern}"));
    assert_eq!(
        told(&text)[1..3],
        ["Pattern", "`Pattern` cannot stand beside `Enumeration`"]
    );
    let text = restriction(&format!("{pattern}{item}{item}"));
    assert_eq!(
        told(&text)[1..3],
        ["Enumeration", "`Enumeration` cannot stand beside `Pattern`"]
    );
    let text = restriction(&format!("{pattern}{pattern}"));
    assert_eq!(
        told(&text)[2],
        "`Pattern` may stand in `Restriction` only once"
    );
}

#[test]
fn roots() {
    let text = policy("<RelyingParty/>").replace("2013/06", "2013/07");
    let [rule, place, message, _] = told(&text);
    assert_eq!(rule, "xml-root-ns");
    assert_eq!(
        place,
        "http://schemas.microsoft.com/online/cpim/schemas/2013/07"
    );
    assert!(
        message.ends_with("is not the namespace of policies"),
        "{message}"
    );
    let text = policy("<RelyingParty/>").replace(&format!(" xmlns=\"{}\"", schema::NAMESPACE), "");
    assert_eq!(told(&text)[2], "`TrustFrameworkPolicy` is in no namespace");
    let text = policy("").replace("TrustFrameworkPolicy", "TrustframeworkPolicy");
    assert_eq!(told(&text)[3], "did you mean `TrustFrameworkPolicy`?");
    let finding = only("<Project><a b='c'/></Project>");
    assert_eq!(
        finding.message,
        "the document element is `Project`, not `TrustFrameworkPolicy`"
    );
    assert!(
        finding
            .service_message
            .unwrap()
            .ends_with("The 'Project' element is not declared.")
    );
}

#[test]
fn versions() {
    let text = policy("").replace("0.3.0.0", "0.4.0.0");
    assert_eq!(told(&text)[..2], ["schema-version", "0.4.0.0"]);
    let text = policy("").replace("0.3.0.0", "0.3");
    assert_eq!(told(&text)[..2], ["xsd-attr", "0.3"]);
}

#[test]
fn what_the_service_accepts_beyond_the_schema_is_a_warning() {
    let control = |kind: &str, name: &str| {
        policy(&format!(
            "<BuildingBlocks><DisplayControls><DisplayControl Id=\"a\" UserInterfaceControlType=\"{kind}\"{name}/></DisplayControls></BuildingBlocks>"
        ))
    };
    assert_eq!(
        told(&control("CaptchaControl", ""))[..2],
        ["schema-newer", "CaptchaControl"]
    );
    let text = control("VerificationControl", " DisplayName=\"x\"");
    assert_eq!(told(&text)[..2], ["schema-newer", "DisplayName"]);
    assert_eq!(told(&control("captchacontrol", ""))[0], "xsd-attr");
}

#[test]
fn instance_attributes() {
    let xsi = "xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:p=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"";
    let with = |attribute: &str| policy(&format!("<BuildingBlocks {xsi} {attribute}/>"));
    assert_eq!(
        check(&with(
            "i:schemaLocation=\"a b\" i:noNamespaceSchemaLocation=\"c\""
        )),
        []
    );
    assert_eq!(check(&with("i:type=\"p:BuildingBlocks\"")), []);
    assert_eq!(check(&with("i:type=\"BuildingBlocks\"")), []);
    for attribute in [
        "i:nil=\"false\"",
        "i:type=\"xs:string\"",
        "i:type=\"q:x\"",
        "i:other=\"a\"",
    ] {
        assert_eq!(told(&with(attribute))[0], "xsd-attr", "{attribute}");
    }
}

#[test]
fn content_of_any_kind() {
    let load = |content: &str| {
        policy(&format!(
            "<BuildingBlocks><ContentDefinitions><ContentDefinition Id=\"a\"><LoadUri>{content}</LoadUri></ContentDefinition></ContentDefinitions></BuildingBlocks>"
        ))
    };
    assert_eq!(check(&load("https://x <b c='d'><InputClaim/></b>")), []);
    // What is a policy is checked as one, even there, and even if it nests.
    assert_eq!(check(&load("<b><TrustFrameworkPolicy/></b>")).len(), 4);
    let (mut nested, mut depth) = (load(""), 0);
    while depth < 200 {
        nested = load(&nested);
        depth += 1;
    }
    assert_eq!(check(&nested), []);
    assert_eq!(
        check(&profile(
            "<Extensions><x xmlns='u' y='z'>w</x><TrustFrameworkPolicy/></Extensions>"
        )),
        []
    );
    assert_eq!(
        told(&profile("<Extensions>w</Extensions>"))[0],
        "xsd-text-content"
    );
}

#[test]
fn foreign_elements() {
    let text = profile("<OutputClaims xmlns='urn:x'><a/></OutputClaims>");
    let [rule, _, message, _] = told(&text);
    assert_eq!(rule, "xsd-child-order");
    assert_eq!(
        message,
        "`OutputClaims` is in the namespace `urn:x`, not in that of policies"
    );
    assert_eq!(told(&profile("<a xmlns=''/>"))[2], "`a` is in no namespace");
}
