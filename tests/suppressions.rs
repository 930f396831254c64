//! Comments that silence findings, beyond what annotated fixtures can say: findings from other
//! rooms, text from settings, the tenant's view, and files made to be slow.

use std::fmt::Write as _;

use iefctl::diagnostics::{Diagnostic, Level, Source, SourceMap, Span};
use iefctl::policy::{Resolver, Settings};
use iefctl::validate::{Input, Outcome, upload_verdict, validate};

fn policy(body: &str) -> String {
    format!(
        "<TrustFrameworkPolicy \
         xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"contoso.onmicrosoft.com\" \
         PolicyId=\"B2C_1A_Base\" PublicPolicyUri=\"http://contoso.onmicrosoft.com/B2C_1A_Base\">\n\
         {body}\n</TrustFrameworkPolicy>"
    )
}

fn claims(body: &str) -> String {
    policy(&format!(
        "<BuildingBlocks><ClaimsSchema>{body}</ClaimsSchema></BuildingBlocks>"
    ))
}

fn check(text: &str) -> Outcome {
    let mut input = Input::default();
    let id = input.sources.add(Source::new("policy.xml", text));
    input.own.push(id);
    validate(input)
}

fn rules(outcome: &Outcome) -> Vec<&'static str> {
    let findings = outcome.report.diagnostics.iter();
    findings.map(|finding| finding.rule.id).collect()
}

const CLAIM: &str = "<ClaimType Id=\"a\"><DisplayName>A</DisplayName><DataType>string</DataType>\
                     <PredicateValidationReference Id=\"NotThere\" /></ClaimType>";

#[test]
fn schema_findings_are_silenced_too() {
    let wrong = claims("<ClaimType Id=\"a\"><DataType>strng</DataType></ClaimType>");
    let found = rules(&check(&wrong));
    assert_eq!(found.len(), 1, "{found:?}");
    let comment = format!("<!-- iefctl-ignore {}: on purpose --><ClaimType", found[0]);
    assert!(rules(&check(&wrong.replace("<ClaimType", &comment))).is_empty());
}

#[test]
fn nothing_makes_an_ill_formed_file_pass() {
    let text = claims(CLAIM).replace("</ClaimsSchema>", "");
    let text = format!("<!-- iefctl-ignore xml-wellformed: please -->{text}");
    assert!(rules(&check(&text)).contains(&"xml-wellformed"));
}

#[test]
fn a_comment_in_an_ill_formed_file_is_not_called_unused() {
    let text = claims(&format!("<!-- iefctl-ignore ref-claimtype: x -->{CLAIM}"));
    let text = text.replace("</ClaimsSchema>", "");
    assert!(!rules(&check(&text)).contains(&"unused-suppression"));
}

#[test]
fn the_tenant_does_not_read_comments() {
    let text = claims(&format!(
        "<!-- iefctl-ignore ref-predicatevalidation: later -->{CLAIM}"
    ));
    assert!(rules(&check(&text)).is_empty());
    let verdict = upload_verdict(&text, &[], None);
    assert_eq!(verdict.len(), 1, "{verdict:?}");
    assert!(verdict[0].contains("NotThere"));
}

/// Validates a text with settings, as the commands do.
fn check_with(settings: &Settings, text: &str) -> Outcome {
    let mut input = Input::default();
    let resolver = Resolver::new(settings);
    let resolution = resolver.resolve(Source::new("policy.xml", text), &mut input.sources);
    input.own.push(resolution.id);
    input.found = resolution.diagnostics;
    validate(input)
}

#[test]
fn an_undefined_setting_can_be_accepted() {
    let item = "<ClaimType Id=\"a\"><DisplayName>{Settings:Name}</DisplayName>\
                <DataType>string</DataType></ClaimType>";
    let outcome = check_with(&Settings::default(), &claims(item));
    assert_eq!(rules(&outcome), ["settings-undefined"]);
    let comment = "<!-- iefctl-ignore settings-undefined: the release fills it in -->";
    let outcome = check_with(&Settings::default(), &claims(&format!("{comment}{item}")));
    assert!(rules(&outcome).is_empty(), "{:?}", rules(&outcome));
}

#[test]
fn another_environment_may_have_the_finding() {
    // With this setting there is nothing to ignore; with another there would be.
    let settings = Settings {
        tenant: Some("contoso.onmicrosoft.com".to_owned()),
        ..Settings::default()
    };
    let comment = "<!-- iefctl-ignore settings-undefined: not in every environment -->";
    let item = "<ClaimType Id=\"a\"><DisplayName>{Settings:Tenant}</DisplayName>\
                <DataType>string</DataType></ClaimType>";
    let outcome = check_with(&settings, &claims(&format!("{comment}{item}")));
    assert!(rules(&outcome).is_empty(), "{:?}", rules(&outcome));
    let plain = item.replace("{Settings:Tenant}", "A");
    let outcome = check_with(&settings, &claims(&format!("{comment}{plain}")));
    assert_eq!(rules(&outcome), ["unused-suppression"]);
}

#[test]
fn levels_count_after_comments() {
    let text = claims(&format!(
        "<!-- iefctl-ignore ref-predicatevalidation: later -->{CLAIM}"
    ));
    let mut input = Input::default();
    input
        .levels
        .insert("ref-predicatevalidation".to_owned(), None);
    let id = input.sources.add(Source::new("policy.xml", text));
    input.own.push(id);
    // The rule is off, and the comment still has something to silence.
    assert!(validate(input).report.diagnostics.is_empty());
}

fn apply(finding: &Diagnostic, sources: &SourceMap) -> String {
    let mut text = sources
        .get(finding.primary.location.source)
        .text()
        .to_string();
    for edit in finding.fix.iter().flat_map(|fix| fix.edits.iter().rev()) {
        let Span { start, end } = edit.location.span;
        text.replace_range(start as usize..end as usize, &edit.replacement);
    }
    text
}

#[test]
fn an_unused_comment_can_be_removed_with_its_line() {
    let plain = "\n  <ClaimType Id=\"a\"><DisplayName>A</DisplayName><DataType>string</DataType>\
                 </ClaimType>\n";
    for (comment, rest) in [
        ("\n  <!-- iefctl-ignore ref-claimtype: old -->", ""),
        ("\r\n\t<!-- iefctl-ignore ref-claimtype: old -->\r", "\r"),
        (
            "\n<!-- a --> <!-- iefctl-ignore ref-claimtype: old -->",
            "\n<!-- a --> ",
        ),
    ] {
        let outcome = check(&claims(&format!("{comment}{plain}")));
        assert_eq!(rules(&outcome), ["unused-suppression"]);
        let finding = &outcome.report.diagnostics[0];
        assert_eq!(finding.level, Level::Warning);
        let fixed = apply(finding, &outcome.report.sources);
        assert_eq!(fixed, claims(&format!("{rest}{plain}")), "{comment:?}");
        assert!(rules(&check(&fixed)).is_empty());
    }
}

#[test]
fn thousands_of_nested_and_repeated_comments_stay_cheap() {
    let mut body = String::new();
    for _ in 0..20_000 {
        body.push_str("<!-- iefctl-ignore ref-predicatevalidation, ref-inputvalidation: x -->");
    }
    body.push_str(CLAIM);
    let outcome = check(&claims(&body));
    // The innermost counts: one of the comments is used, all others are not.
    assert_eq!(
        rules(&outcome)
            .iter()
            .filter(|rule| **rule == "unused-suppression")
            .count(),
        2 * 20_000 - 1
    );
    let mut deep = String::new();
    for _ in 0..20_000 {
        deep.push_str("<!-- iefctl-ignore ref-claimtype: x --><A>");
    }
    for _ in 0..20_000 {
        deep.push_str("</A>");
    }
    let outcome = check(&policy(&deep));
    assert!(rules(&outcome).contains(&"unused-suppression"));
}

#[test]
fn odd_comments_do_no_harm() {
    let mut body = String::new();
    for comment in [
        "",
        " iefctl-ignore",
        "iefctl-ignore:",
        "iefctl-ignore,,,:x",
        "iefctl-ignore ä, 😀: ß",
        "iefctl-ignore ref-claimtype ,: x",
        "iefctl-ignore\u{a0}ref-claimtype: x",
        "iefctl-ignore\n\tref-claimtype\r\n:\n",
    ] {
        writeln!(body, "<!--{comment}-->").unwrap();
    }
    let outcome = check(&claims(&format!("{body}{CLAIM}{body}")));
    let sources = &outcome.report.sources;
    for finding in &outcome.report.diagnostics {
        let location = finding.primary.location;
        let text = sources.get(location.source).text();
        assert!(!location.span.of(text).is_empty(), "{}", finding.message);
    }
    assert!(rules(&outcome).contains(&"ref-predicatevalidation"));
}

/// A placeholder in many files is told once; whoever silences it in one of them has silenced something.
#[test]
fn a_comment_on_a_mistake_that_is_told_elsewhere_is_used() {
    let template = |id: &str, before: &str| {
        let text = policy("").replace("contoso", "yourtenant");
        format!("{before}{}", text.replace("B2C_1A_Base", id))
    };
    let comment = "<!-- iefctl-ignore tenantid-placeholder: a template -->";
    let found = |first: &str, second: &str| {
        let mut input = Input::default();
        for (name, before) in [("A", first), ("B", second)] {
            let text = template(&format!("B2C_1A_{name}"), before);
            let id = input
                .sources
                .add(Source::new(format!("{name}.xml"), text.as_str()));
            input.own.push(id);
        }
        rules(&validate(input))
    };
    let told = |found: &[&str]| {
        let is_told = |id: &&&str| **id == "tenantid-placeholder";
        found.iter().filter(is_told).count()
    };
    assert_eq!(told(&found("", "")), 1);
    for (first, second, count) in [(comment, "", 1), ("", comment, 1), (comment, comment, 0)] {
        let found = found(first, second);
        assert_eq!(told(&found), count, "{found:?}");
        assert!(!found.contains(&"unused-suppression"), "{found:?}");
    }
}
