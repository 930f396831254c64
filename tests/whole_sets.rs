//! Rules that fixtures cannot hold: limits of size and number, and environments marked production.

use iefctl::diagnostics::{Diagnostic, Level, Source};
use iefctl::validate::{Input, validate};

fn policy(id: &str, attributes: &str, body: &str) -> String {
    format!(
        "<TrustFrameworkPolicy \
         xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"contoso.onmicrosoft.com\" PolicyId=\"{id}\" \
         PublicPolicyUri=\"http://contoso.onmicrosoft.com/{id}\" {attributes}>\
         {body}</TrustFrameworkPolicy>"
    )
}

fn check(texts: &[String], production: bool) -> Vec<Diagnostic> {
    let mut input = Input {
        production,
        ..Input::default()
    };
    for text in texts {
        let id = input.sources.add(Source::new("policy.xml", text.as_str()));
        input.own.push(id);
    }
    validate(input).report.diagnostics
}

fn of<'d>(findings: &'d [Diagnostic], rule: &str) -> Vec<&'d Diagnostic> {
    findings
        .iter()
        .filter(|finding| finding.rule.id == rule)
        .collect()
}

#[test]
fn a_policy_may_have_1024_kilobytes() {
    let empty = policy("B2C_1A_Base", "", "<!---->").len();
    for (bytes, level) in [
        (1_024_000, None),
        (1_024_001, Some(Level::Warning)),
        (1_048_576, Some(Level::Warning)),
        (1_048_577, Some(Level::Error)),
    ] {
        let comment = format!("<!--{}-->", "x".repeat(bytes - empty));
        let text = policy("B2C_1A_Base", "", &comment);
        assert_eq!(text.len(), bytes);
        let findings = check(&[text], false);
        let found = of(&findings, "file-too-large");
        assert_eq!(found.first().map(|finding| finding.level), level, "{bytes}");
    }
}

#[test]
fn a_set_may_have_200_policies() {
    let base = policy("B2C_1A_0", "", "");
    let child = |number: usize| {
        let base = "<BasePolicy><TenantId>contoso.onmicrosoft.com</TenantId>\
                    <PolicyId>B2C_1A_0</PolicyId></BasePolicy>";
        policy(&format!("B2C_1A_{number}"), "", base)
    };
    let mut texts = vec![base];
    texts.extend((1..200).map(child));
    assert!(of(&check(&texts, false), "too-many-policies").is_empty());
    texts.push(child(200));
    let findings = check(&texts, false);
    let found = of(&findings, "too-many-policies");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].policy_id.as_deref(), Some("B2C_1A_200"));
}

#[test]
fn development_mode_is_reported_in_production_only() {
    let insights = "<RelyingParty><DefaultUserJourney ReferenceId=\"SignIn\" />\
                    <UserJourneyBehaviors><JourneyInsights TelemetryEngine=\"ApplicationInsights\" \
                    InstrumentationKey=\"00000000-0000-0000-0000-000000000001\" \
                    DeveloperMode=\"true\" ClientEnabled=\"false\" ServerEnabled=\"true\" \
                    TelemetryVersion=\"1.0.0\" /></UserJourneyBehaviors></RelyingParty>";
    for (attributes, body, rule) in [
        ("DeploymentMode=\"Development\"", "", "sec-development-mode"),
        ("DeploymentMode=\"Debugging\"", "", "sec-development-mode"),
        ("", insights, "sec-insights-developer"),
    ] {
        let text = policy("B2C_1A_Base", attributes, body);
        assert_eq!(
            of(&check(std::slice::from_ref(&text), true), rule).len(),
            1,
            "{rule}"
        );
        assert!(of(&check(std::slice::from_ref(&text), false), rule).is_empty());
        // A comment that waits for production is not unused elsewhere.
        let text = format!("<!-- iefctl-ignore {rule}: a test tenant -->{text}");
        for production in [true, false] {
            let findings = check(std::slice::from_ref(&text), production);
            assert!(of(&findings, rule).is_empty());
            assert!(of(&findings, "unused-suppression").is_empty(), "{rule}");
        }
    }
    let quiet = policy("B2C_1A_Base", "DeploymentMode=\"Production\"", "");
    assert!(of(&check(&[quiet], true), "sec-development-mode").is_empty());
}
