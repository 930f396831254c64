//! What the tenant refused, as findings on the user's lines, and what the makers of this tool need to
//! know about a refusal that validation did not foresee.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use crate::diagnostics::{Diagnostic, Level, Location, Rule};
use crate::rules;
use crate::xml::{Element, NodeKind, Significance, canonical};

use super::failure::FailureItem;
use super::{Failure, Local, LocalPolicy, Outcome, Status};

/// The tenant did not take a policy.
pub static UPLOAD_FAILED: Rule = Rule {
    id: "upload-failed",
    level: Level::Error,
    summary: "the tenant refused a policy, or the policy could not be sent",
};

impl Outcome {
    /// The policies that failed, as findings: one for each thing that the service found, at its place
    /// in the user's file; one at the PolicyId where the service says nothing of the content.
    pub fn findings(&self, local: &Local) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        for outcome in &self.policies {
            let (Some(failure), Some(policy)) = (&outcome.error, local.find(&outcome.id)) else {
                continue;
            };
            if outcome.status != Status::Failed {
                continue;
            }
            if failure.items.is_empty() {
                let mut finding =
                    Diagnostic::new(&UPLOAD_FAILED, policy.location, failure.message.trim())
                        .policy_id(&policy.id);
                finding.help.clone_from(&failure.advice);
                findings.push(finding);
            }
            for item in &failure.items {
                let location = item.location.unwrap_or(policy.location);
                let text = item.text.trim();
                let mut finding = Diagnostic::new(&UPLOAD_FAILED, location, text)
                    .label("the tenant refuses this")
                    .policy_id(&policy.id);
                if item.unforeseen {
                    finding = finding.help("validation did not find this; please report it");
                }
                findings.push(finding);
            }
        }
        findings
    }
}

/// What to attach to a report about a refusal that validation did not foresee, as Markdown: the
/// service's sentences, the part of the policy that they are about, and the rules that were on. Names
/// and structure stay; tenant names, ids, addresses and everything else that may be somebody's own
/// value are blanked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The policy.
    pub policy: String,
    /// The text.
    pub markdown: String,
}

impl Evidence {
    /// One for each policy that was refused for something which validation should have found.
    /// `levels` are the rules whose level the team changed, with `None` for "off".
    pub fn of(outcome: &Outcome, local: &Local, levels: &[(String, Option<Level>)]) -> Vec<Self> {
        let mut all = Vec::new();
        for refused in &outcome.policies {
            if let Some(failure) = refused.error.as_ref().filter(|error| error.unforeseen)
                && let Some(policy) = local.find(&refused.id)
            {
                all.push(Self {
                    policy: policy.id.clone(),
                    markdown: markdown(failure, policy, &outcome.tenant, levels),
                });
            }
        }
        all
    }
}

/// More lines of a policy than this help nobody.
const MOST_LINES: usize = 120;

fn markdown(
    failure: &Failure,
    policy: &LocalPolicy,
    tenant: &str,
    levels: &[(String, Option<Level>)],
) -> String {
    let mut text = format!(
        "# The tenant refused a policy that iefctl {} found nothing wrong with\n\n\
         Values are blanked as `…`; please look through it before you publish it.\n",
        env!("CARGO_PKG_VERSION")
    );
    let blank = Blank { policy, tenant };
    for item in failure.items.iter().filter(|item| item.unforeseen) {
        let _ = write!(
            text,
            "\n## The service's sentence\n\n{}\n",
            fenced(&blank.sentence(item))
        );
        if let Some(part) = item
            .location
            .and_then(|location| part(&policy.document, location))
        {
            let _ = write!(
                text,
                "\n## The part of the policy\n\n{}\n",
                fenced(&blank.element(part))
            );
        }
    }
    let changed: Vec<String> = levels
        .iter()
        .map(|(rule, level)| match level {
            Some(level) => format!("{rule} = {level}"),
            None => format!("{rule} = off"),
        })
        .collect();
    let ids: Vec<&str> = rules::all().map(|rule| rule.id).collect();
    let _ = write!(
        text,
        "\n## Rules\n\nChanged by configuration: {}\n\n{}\n",
        if changed.is_empty() {
            "none".to_owned()
        } else {
            changed.join(", ")
        },
        ids.join(", ")
    );
    text
}

/// A code block that no text inside can close.
fn fenced(text: &str) -> String {
    let text = text.replace("```", "` ` `");
    format!("```\n{}\n```", text.trim_end())
}

/// The element that says enough about a place: the step or the declaration that holds it.
fn part(document: &crate::xml::Document, location: Location) -> Option<Element<'_>> {
    const UNITS: [&str; 12] = [
        "ClaimType",
        "Predicate",
        "InputValidation",
        "PredicateValidation",
        "ClaimsTransformation",
        "ContentDefinition",
        "DisplayControl",
        "LocalizedResources",
        "TechnicalProfile",
        "OrchestrationStep",
        "RelyingParty",
        "BasePolicy",
    ];
    let inside = document.elements().filter(|element| {
        let span = element.span();
        span.start <= location.span.start && location.span.start < span.end
    });
    let mut element = inside.last()?;
    loop {
        if UNITS.contains(&element.name()) {
            return Some(element);
        }
        match element.parent() {
            // The whole policy would be too much.
            Some(parent) if parent.parent().is_some() => element = parent,
            _ => return None,
        }
    }
}

/// Takes values out of what is to be published.
struct Blank<'a> {
    policy: &'a LocalPolicy,
    tenant: &'a str,
}

const BLANK: &str = "…";

static VALUES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // Addresses, domains of tenants, GUIDs, and long runs without a word in them.
    Regex::new(
        r#"(?xi) [a-z][a-z0-9+.-]*://[^\s"'<>]+ | [^\s"'<>@]+@[^\s"'<>@]+
         | [a-z0-9-]+\.(?:onmicrosoft\.[a-z]+|partner\.onmschina\.cn) | [0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}
         | [A-Za-z0-9+/_=~.-]{48,}"#,
    )
    .ok()
});

impl Blank<'_> {
    fn sentence(&self, item: &FailureItem) -> String {
        let mut text = item.reportable.clone();
        let own = self.policy.tenant.as_ref().map(|(name, _)| name.as_str());
        for tenant in own.into_iter().chain([self.tenant]) {
            if !tenant.is_empty() {
                text = text.replace(tenant, BLANK);
            }
        }
        // Without the expression nothing would be blanked, so nothing is given away.
        VALUES.as_ref().map_or_else(
            || BLANK.to_owned(),
            |values| values.replace_all(&text, BLANK).into_owned(),
        )
    }

    fn element(&self, element: Element<'_>) -> String {
        let has_stray_text = |element: Element<'_>| {
            element.children().next().is_some()
                && element.child_nodes().any(|node| {
                    node.kind() == NodeKind::Text && !node.text().trim_ascii().is_empty()
                })
        };
        if has_stray_text(element) || element.descendants().any(has_stray_text) {
            return "left out: it holds text beside elements".to_owned();
        }
        let text = canonical(element, self);
        let mut lines: Vec<&str> = text.lines().take(MOST_LINES + 1).collect();
        if lines.len() > MOST_LINES {
            lines[MOST_LINES] = BLANK;
        }
        lines.join("\n")
    }
}

/// Whether a value is one of few, and so nobody's own.
fn is_plain(value: &str) -> bool {
    let value = value.trim();
    let number = value.len() <= 6 && value.bytes().all(|byte| byte.is_ascii_digit());
    number || matches!(value, "true" | "false" | "True" | "False")
}

impl Significance for Blank<'_> {
    fn attribute<'v>(
        &self,
        element: Element<'_>,
        name: &str,
        value: &'v str,
    ) -> Option<Cow<'v, str>> {
        let is_name = matches!(
            name,
            "Id" | "Order" | "Key" | "Type" | "Operator" | "Language" | "TransformationMethod"
        ) || name.ends_with("ReferenceId")
            || name.ends_with("ExchangeId")
            || name.ends_with("ClaimType")
            || (name == "Name" && element.name() == "Protocol")
            || name == "DataType";
        let shown = is_name || is_plain(value);
        Some(Cow::Borrowed(if shown { value } else { BLANK }))
    }

    fn text<'v>(&self, element: Element<'_>, text: &'v str) -> Cow<'v, str> {
        let is_word = matches!(
            element.name(),
            "DataType" | "UserInputType" | "InputTokenFormat" | "OutputTokenFormat" | "Action"
        );
        let shown = is_word || text.is_empty() || is_plain(text);
        Cow::Borrowed(if shown { text } else { BLANK })
    }
}
