//! Where findings on a relying party's journey point when the mistake lies in files that are not the
//! user's own, and when several relying parties share it.

use iefctl::diagnostics::{Diagnostic, Level, Source};
use iefctl::validate::{Input, Outcome, upload_verdict, validate};

fn policy(id: &str, base: Option<&str>, content: &str) -> String {
    let base = base.map_or_else(String::new, |base| {
        format!(
            "<BasePolicy><TenantId>contoso.onmicrosoft.com</TenantId>\
             <PolicyId>{base}</PolicyId></BasePolicy>"
        )
    });
    format!(
        "<TrustFrameworkPolicy xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"contoso.onmicrosoft.com\" PolicyId=\"{id}\" \
         PublicPolicyUri=\"http://contoso.onmicrosoft.com/{id}\">{base}{content}\
         </TrustFrameworkPolicy>"
    )
}

/// A base whose journey reads a user without having asked who it is.
fn broken_base() -> String {
    let handler = "Web.TPEngine.Providers.AzureActiveDirectoryProvider, Web.TPEngine, \
                   Version=1.0.0.0, Culture=neutral, PublicKeyToken=null";
    let content = format!(
        "<BuildingBlocks><ClaimsSchema>\
         <ClaimType Id=\"objectId\"><DisplayName>id</DisplayName><DataType>string</DataType></ClaimType>\
         <ClaimType Id=\"displayName\"><DisplayName>name</DisplayName><DataType>string</DataType></ClaimType>\
         </ClaimsSchema></BuildingBlocks>\
         <ClaimsProviders><ClaimsProvider><DisplayName>AAD</DisplayName><TechnicalProfiles>\
         <TechnicalProfile Id=\"AAD-Read\"><DisplayName>read</DisplayName>\
         <Protocol Name=\"Proprietary\" Handler=\"{handler}\" />\
         <Metadata><Item Key=\"Operation\">Read</Item></Metadata>\
         <InputClaims><InputClaim ClaimTypeReferenceId=\"objectId\" Required=\"true\" /></InputClaims>\
         <OutputClaims><OutputClaim ClaimTypeReferenceId=\"displayName\" PartnerClaimType=\"displayName\" /></OutputClaims>\
         </TechnicalProfile></TechnicalProfiles></ClaimsProvider></ClaimsProviders>\
         <UserJourneys><UserJourney Id=\"Read\"><OrchestrationSteps>\
         <OrchestrationStep Order=\"1\" Type=\"ClaimsExchange\"><ClaimsExchanges>\
         <ClaimsExchange Id=\"Read\" TechnicalProfileReferenceId=\"AAD-Read\" />\
         </ClaimsExchanges></OrchestrationStep>\
         </OrchestrationSteps></UserJourney></UserJourneys>"
    );
    policy("B2C_1A_Base", None, &content)
}

fn relying_party(id: &str) -> String {
    let content = "<RelyingParty><DefaultUserJourney ReferenceId=\"Read\" />\
        <TechnicalProfile Id=\"PolicyProfile\"><DisplayName>p</DisplayName>\
        <Protocol Name=\"OpenIdConnect\" />\
        <OutputClaims><OutputClaim ClaimTypeReferenceId=\"displayName\" PartnerClaimType=\"sub\" /></OutputClaims>\
        <SubjectNamingInfo ClaimType=\"sub\" /></TechnicalProfile></RelyingParty>";
    policy(id, Some("B2C_1A_Base"), content)
}

fn run(own: &[String], context: &[String]) -> Outcome {
    let mut input = Input {
        tenant_known: true,
        ..Input::default()
    };
    for (index, text) in own.iter().chain(context).enumerate() {
        let id = input
            .sources
            .add(Source::new(format!("{index}.xml"), text.as_str()));
        if index < own.len() {
            input.own.push(id);
        } else {
            input.context.push(id);
        }
    }
    validate(input)
}

fn of<'o>(outcome: &'o Outcome, rule: &str) -> Vec<&'o Diagnostic> {
    let findings = outcome.report.diagnostics.iter();
    findings.filter(|finding| finding.rule.id == rule).collect()
}

fn pointed_at<'o>(outcome: &'o Outcome, finding: &Diagnostic) -> (&'o str, &'o str) {
    let location = finding.primary.location;
    let source = outcome.report.sources.get(location.source);
    (source.name(), location.span.of(source.text()))
}

#[test]
fn a_mistake_in_a_shared_base_is_reported_once_and_there() {
    let own = [
        broken_base(),
        relying_party("B2C_1A_SignIn"),
        relying_party("B2C_1A_ProfileEdit"),
    ];
    let outcome = run(&own, &[]);
    for (rule, text) in [
        ("flow-required-input", "AAD-Read"),
        ("journey-no-sendclaims", "Read"),
    ] {
        let findings = of(&outcome, rule);
        assert_eq!(findings.len(), 1, "{rule}");
        assert_eq!(pointed_at(&outcome, findings[0]), ("0.xml", text));
        assert_eq!(findings[0].policy_id.as_deref(), Some("B2C_1A_Base"));
    }
}

#[test]
fn a_mistake_in_a_base_of_the_tenant_is_reported_at_the_relying_party() {
    let outcome = run(&[relying_party("B2C_1A_SignIn")], &[broken_base()]);
    for rule in ["flow-required-input", "journey-no-sendclaims"] {
        let findings = of(&outcome, rule);
        assert_eq!(findings.len(), 1, "{rule}");
        assert_eq!(
            pointed_at(&outcome, findings[0]),
            ("0.xml", "Read"),
            "{rule}"
        );
        assert_eq!(findings[0].policy_id.as_deref(), Some("B2C_1A_SignIn"));
    }
}

#[test]
fn the_base_alone_is_accepted_and_the_relying_party_is_not() {
    let base = broken_base();
    assert_eq!(upload_verdict(&base, &[], None), Vec::<String>::new());
    let sentences = upload_verdict(&relying_party("B2C_1A_SignIn"), &[&base], None);
    let expected = [
        "User journey 'Read' does not contain a send claims step.",
        "Claim type \"objectId\" is the input claim of technical profile \"AAD-Read\" in step \"1\" \
         of user journey \"Read\" but it is not an output claim in any of the previous steps.",
    ];
    for sentence in expected {
        assert!(
            sentences.iter().any(|found| found == sentence),
            "{sentences:?}"
        );
    }
}

#[test]
fn circles_and_unfinished_files_end_and_stay_silent() {
    let sub = |id: &str, other: &str| {
        format!(
            "<SubJourney Id=\"{id}\" Type=\"Call\"><OrchestrationSteps>\
             <OrchestrationStep Order=\"1\" Type=\"InvokeSubJourney\"><JourneyList>\
             <Candidate SubJourneyReferenceId=\"{other}\" /></JourneyList></OrchestrationStep>\
             </OrchestrationSteps></SubJourney>"
        )
    };
    let content = format!(
        "<UserJourneys><UserJourney Id=\"J\"><OrchestrationSteps>\
         <OrchestrationStep Order=\"1\" Type=\"InvokeSubJourney\"><JourneyList>\
         <Candidate SubJourneyReferenceId=\"A\" /></JourneyList></OrchestrationStep>\
         <OrchestrationStep Order=\"2147483647\" Type=\"CombinedSignInAndSignUp\" />\
         </OrchestrationSteps></UserJourney></UserJourneys>\
         <SubJourneys>{}{}</SubJourneys>\
         <RelyingParty><DefaultUserJourney ReferenceId=\"J\" /><TechnicalProfile /></RelyingParty>",
        sub("A", "B"),
        sub("B", "a")
    );
    let outcome = run(&[policy("B2C_1A_Circle", None, &content)], &[]);
    assert_eq!(of(&outcome, "subjourney-nesting").len(), 2);
    assert_eq!(of(&outcome, "journey-order-gap").len(), 1);
    assert_eq!(of(&outcome, "journey-no-sendclaims").len(), 1);
    let truncated = &content[..content.len() / 2];
    run(&[format!("<TrustFrameworkPolicy>{truncated}")], &[]);
}

#[test]
fn renumbering_is_offered_for_journeys_of_one_policy_only() {
    let journey = |orders: &[u32]| {
        let steps: String = orders
            .iter()
            .map(|order| {
                format!(
                    "<OrchestrationStep Order=\"{order}\" Type=\"SendClaims\"><Preconditions /></OrchestrationStep>"
                )
            })
            .collect();
        format!(
            "<UserJourneys><UserJourney Id=\"J\"><OrchestrationSteps>{steps}</OrchestrationSteps>\
             </UserJourney></UserJourneys>"
        )
    };
    let alone = policy("B2C_1A_Base", None, &journey(&[5, 2, 9]));
    let outcome = run(std::slice::from_ref(&alone), &[]);
    let findings = of(&outcome, "journey-order-gap");
    assert_eq!(findings.len(), 1);
    let mut text = alone.clone();
    let fix = findings[0].fix.as_ref().unwrap();
    for edit in fix.edits.iter().rev() {
        let span = edit.location.span;
        text.replace_range(span.start as usize..span.end as usize, &edit.replacement);
    }
    assert_eq!(text, policy("B2C_1A_Base", None, &journey(&[2, 1, 3])));
    let extended = policy("B2C_1A_Ext", Some("B2C_1A_Base"), &journey(&[1]));
    let outcome = run(&[alone, extended], &[]);
    let findings = of(&outcome, "journey-order-gap");
    assert!(!findings.is_empty());
    assert!(findings.iter().all(|finding| finding.fix.is_none()));
}

#[test]
fn a_long_chain_of_sub_journeys_is_followed_to_its_end() {
    let mut subs = String::new();
    for number in 0..3000 {
        subs.push_str(&format!(
            "<SubJourney Id=\"S{number}\" Type=\"Transfer\"><OrchestrationSteps>\
             <OrchestrationStep Order=\"1\" Type=\"InvokeSubJourney\"><JourneyList>\
             <Candidate SubJourneyReferenceId=\"s{}\" /></JourneyList></OrchestrationStep>\
             </OrchestrationSteps></SubJourney>",
            number + 1
        ));
    }
    let end = "<SubJourney Id=\"S3000\" Type=\"Transfer\"><OrchestrationSteps>\
               <OrchestrationStep Order=\"1\" Type=\"SendClaims\" />\
               </OrchestrationSteps></SubJourney>";
    let content = format!(
        "<UserJourneys><UserJourney Id=\"J\"><OrchestrationSteps>\
         <OrchestrationStep Order=\"1\" Type=\"InvokeSubJourney\"><JourneyList>\
         <Candidate SubJourneyReferenceId=\"S0\" /></JourneyList></OrchestrationStep>\
         </OrchestrationSteps></UserJourney></UserJourneys><SubJourneys>{subs}{end}</SubJourneys>\
         <RelyingParty><DefaultUserJourney ReferenceId=\"J\" /></RelyingParty>"
    );
    let outcome = run(&[policy("B2C_1A_Chain", None, &content)], &[]);
    assert_eq!(
        of(&outcome, "journey-no-sendclaims"),
        Vec::<&Diagnostic>::new()
    );
    assert_eq!(of(&outcome, "sendclaims-issuer").len(), 1);
}

/// The rules that find something in a base and a relying party, at some levels, with how bad it is.
fn found_at(own: &[String], levels: &[(&str, Option<Level>)]) -> Vec<(&'static str, Level)> {
    let mut input = Input {
        tenant_known: true,
        ..Input::default()
    };
    for (rule, level) in levels {
        input.levels.insert((*rule).to_owned(), *level);
    }
    for (number, text) in own.iter().enumerate() {
        let source = Source::new(format!("{number}.xml"), text.as_str());
        input.own.push(input.sources.add(source));
    }
    let findings = validate(input).report.diagnostics.into_iter();
    findings.map(|it| (it.rule.id, it.level)).collect()
}

#[track_caller]
fn assert_finds(own: &[String], levels: &[(&str, Option<Level>)], rules: &[&str]) {
    let found = found_at(own, levels);
    for rule in rules {
        assert!(
            found.contains(&(*rule, Level::Error)),
            "no error of {rule}: {found:?}"
        );
    }
}

/// What is silenced or lowered must not take an error with it.
#[test]
fn a_mistake_beside_another_one_is_found_whatever_becomes_of_that() {
    let good = [broken_base(), relying_party("B2C_1A_Rp")];
    // A value that is wrong, beside an attribute that does not exist.
    let mut wrong = good.clone();
    wrong[0] = wrong[0]
        .replace("Operation\">Read", "Operation\">Raed")
        .replace("Required=\"true\"", "Requiredd=\"true\"");
    assert_finds(&wrong, &[], &["xsd-attr", "aad-operation"]);
    assert_finds(&wrong, &[("xsd-attr", None)], &["aad-operation"]);
    // No end, beside an attribute that does not exist.
    let mut endless = good.clone();
    endless[0] = endless[0].replace("<UserJourney Id=", "<UserJourney Stray=\"1\" Id=");
    assert_finds(&endless, &[], &["xsd-attr", "journey-no-sendclaims"]);
    // A claim that nothing yields, beside one that nobody declares.
    let mut missing = good.clone();
    missing[0] = missing[0]
        .replace(
            "</ClaimsSchema>",
            "<ClaimType Id=\"mine\"><DisplayName>mine</DisplayName><DataType>string</DataType>\
             </ClaimType></ClaimsSchema>",
        )
        .replace(
            "</OutputClaims></TechnicalProfile>",
            "<OutputClaim ClaimTypeReferenceId=\"nobody\" PartnerClaimType=\"city\" />\
             </OutputClaims></TechnicalProfile>",
        );
    missing[1] = missing[1].replace(
        "</OutputClaims>",
        "<OutputClaim ClaimTypeReferenceId=\"mine\" /></OutputClaims>",
    );
    let ids = |levels| -> Vec<&str> {
        let found = found_at(&missing, levels);
        found.into_iter().map(|(id, _)| id).collect()
    };
    assert!(ids(&[]).contains(&"ref-claimtype"));
    assert!(!ids(&[]).contains(&"flow-rp-output"), "they may be one");
    for level in [None, Some(Level::Warning)] {
        assert_finds(&missing, &[("ref-claimtype", level)], &["flow-rp-output"]);
    }
}
