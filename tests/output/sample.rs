//! The report that all formats are tested on: several files, CRLF and LF, tabs, non-ASCII and wide
//! characters, replaced placeholders, a very long line, and hostile messages and paths.

use iefctl::diagnostics::{
    Diagnostic, Edit, Level, Location, Piece, Report, Rule, Source, SourceId, SourceMap, Span,
    TextMap,
};

pub(crate) static REF_CLAIM_TYPE: Rule = Rule {
    id: "ref-claim-type",
    level: Level::Error,
    summary: "A reference to a claim type that neither the policy nor its ancestors define",
};

pub(crate) static WRONG_TENANT: Rule = Rule {
    id: "tenant-mismatch",
    level: Level::Warning,
    summary: "A policy names another tenant than its base",
};

pub(crate) static UNUSED: Rule = Rule {
    id: "unused-claim-type",
    level: Level::Hint,
    summary: "A claim type that nothing uses",
};

pub(crate) static HOSTILE: Rule = Rule {
    id: "hostile-text",
    level: Level::Error,
    summary: "Text that tries to be more than text: | ` <b> @team",
};

pub(crate) const HOSTILE_MESSAGE: &str = "50% | `x` <script>alert(1)</script> @team ]]> \"q\" 'a' \
     ##vso[task.complete result=Failed;] ::error::no\r\n::stop-commands::x\u{1b}[31m\u{0}\u{202e}";

pub(crate) const HOSTILE_FILE: &str = "policies/a,b:c;d]%0A|`<x>`.xml";

const BASE: &str = "<TrustFrameworkPolicy PolicyId=\"B2C_1A_Base\">
  <ClaimType Id=\"email\"/>
  <ClaimType Id=\"emails\"/>
</TrustFrameworkPolicy>
";

const EXTENSIONS: &str = "<TrustFrameworkPolicy\r\n  TenantId=\"{Settings:Tenant}\"\r\n  \
     PolicyId=\"B2C_1A_Ext\">\r\n\t<!-- Prüfung 検証 -->\t<OutputClaim ClaimTypeReferenceId=\"emial\"/>\r\n\
     </TrustFrameworkPolicy>\r\n";

const TENANT: &str = "contoso&amp;co.onmicrosoft.com";

/// The report, sorted as a validation would leave it.
pub(crate) fn report() -> Report {
    let mut sources = SourceMap::new();
    let base = sources.add(Source::new("policies/Base.xml", BASE));
    let extensions = sources.add(resolved("policies/Ext ä.xml", EXTENSIONS));
    let hostile = sources.add(Source::new(
        HOSTILE_FILE,
        "<a>```\n##vso[task.x]y <b c=\"1\"/>\u{7}</a>",
    ));
    sources.add(Source::new("policies/Clean.xml", "<ok/>"));
    let long = sources.add(Source::new("policies/Long.xml", long_line()));

    let at = |source: SourceId, needle: &str| {
        let text = sources.get(source).text();
        let start = text.find(needle).expect("the sample holds the needle") as u32;
        Location {
            source,
            span: Span::new(start, start + needle.len() as u32),
        }
    };
    let end_of = |source: SourceId| Location {
        source,
        span: Span::at(sources.get(source).text().len() as u32),
    };
    let diagnostics = vec![
        Diagnostic::new(
            &REF_CLAIM_TYPE,
            at(extensions, "emial"),
            "claim type `emial` does not exist",
        )
        .label("not defined in B2C_1A_Ext or B2C_1A_Base")
        .related(at(base, "email"), "did you mean this one?")
        .related(at(extensions, "B2C_1A_Ext"), "in this policy")
        .help("define the claim type or correct the id")
        .service_message("Claim type \"emial\" is not defined in policy \"B2C_1A_Ext\".")
        .policy_id("B2C_1A_Ext")
        .fix(
            "replace `emial` by `email`",
            vec![Edit {
                location: at(extensions, "emial"),
                replacement: "email".to_owned(),
            }],
        ),
        Diagnostic::new(
            &WRONG_TENANT,
            at(extensions, TENANT),
            "the base is in another tenant",
        )
        .policy_id("B2C_1A_Ext")
        .fix(
            "must never be applied: the file holds a placeholder",
            vec![Edit {
                location: at(extensions, TENANT),
                replacement: "fabrikam.onmicrosoft.com".to_owned(),
            }],
        ),
        Diagnostic::new(
            &UNUSED,
            at(base, "emails"),
            "nothing uses the claim type `emails`",
        )
        .help("remove it")
        .policy_id("B2C_1A_Base"),
        Diagnostic::new(&UNUSED, at(base, "B2C_1A_Base"), "another hint"),
        Diagnostic::new(&REF_CLAIM_TYPE, end_of(base), "unexpected end of file"),
        Diagnostic::new(
            &WRONG_TENANT,
            at(base, "email\"/>\n  <ClaimType Id=\"emails\"/>\n</Trust"),
            "something about several lines",
        )
        .label("from here to there"),
        Diagnostic::new(&HOSTILE, at(hostile, "b c=\"1\""), HOSTILE_MESSAGE)
            .label(HOSTILE_MESSAGE)
            .help(HOSTILE_MESSAGE)
            .service_message(HOSTILE_MESSAGE)
            .policy_id(HOSTILE_MESSAGE),
        Diagnostic::new(
            &REF_CLAIM_TYPE,
            at(long, "needle"),
            "a label in the middle of a long line",
        )
        .label("here")
        .related(at(long, "first"), "far in front of it"),
        Diagnostic::new(
            &WRONG_TENANT,
            at(long, &"x".repeat(1_000)),
            "a label longer than the screen",
        )
        .label("all of this"),
    ];
    let mut report = Report {
        sources,
        diagnostics,
        policies: 5,
    };
    report.sort();
    report
}

fn resolved(name: &str, original: &str) -> Source {
    let placeholder = "{Settings:Tenant}";
    let start = original
        .find(placeholder)
        .expect("the placeholder is there") as u32;
    let map = TextMap::new(vec![Piece {
        original: Span::new(start, start + placeholder.len() as u32),
        resolved: Span::new(start, start + TENANT.len() as u32),
    }]);
    Source::new(name, original).resolved(original.replace(placeholder, TENANT), map)
}

fn long_line() -> String {
    format!(
        "<first/>{}ä<needle/>{}\n<second/>\n",
        "x".repeat(1_500),
        "y".repeat(1_500)
    )
}
