//! Comments that silence findings: `<!-- iefctl-ignore rule-id: reason -->` before an element.
//!
//! Such a comment silences the findings of its rules whose primary place lies anywhere in the next
//! element; before the document element, in the whole file. What a comment promises and does not keep
//! (a rule that does not exist, a finding that is not there any more) is a finding itself.

use std::collections::HashMap;

use crate::diagnostics::{
    Diagnostic, Edit, Level, Location, Rule, SourceId, SourceMap, Span, near_miss,
};
use crate::policy::{Policy, PolicySet};
use crate::xml::{Element, FILE_UNREADABLE, Node, NodeKind, XML_WELLFORMED};

/// The word with which such a comment begins.
const MARK: &str = "iefctl-ignore";

/// Nothing is left to be silenced.
static UNUSED_SUPPRESSION: Rule = Rule {
    id: "unused-suppression",
    level: Level::Warning,
    summary: "a comment iefctl-ignore silences nothing",
};

/// The comment does not say why.
static SUPPRESSION_NO_REASON: Rule = Rule {
    id: "suppression-no-reason",
    level: Level::Hint,
    summary: "a comment iefctl-ignore does not say why the finding is accepted",
};

/// The comment names no rule that could be silenced.
static SUPPRESSION_UNKNOWN_RULE: Rule = Rule {
    id: "suppression-unknown-rule",
    level: Level::Warning,
    summary: "a comment iefctl-ignore names no rule, or one that cannot be silenced",
};

pub(super) static RULES: &[&Rule] = &[
    &UNUSED_SUPPRESSION,
    &SUPPRESSION_NO_REASON,
    &SUPPRESSION_UNKNOWN_RULE,
];

/// One rule in one comment.
struct Suppression<'s> {
    rule: &'static Rule,
    /// Where the comment names the rule.
    place: Span,
    comment: Span,
    /// Whether the comment names no other rule.
    alone: bool,
    /// What it covers; none if no element follows.
    element: Option<Element<'s>>,
    used: bool,
}

/// Removes the findings that comments in the policies silence, and adds what is wrong with the
/// comments themselves.
pub fn suppress(set: &PolicySet, sources: &SourceMap, findings: &mut Vec<Diagnostic>) {
    let mark = memchr::memmem::Finder::new(MARK);
    let mut about_comments = Vec::new();
    let mut commented = Vec::new();
    for (index, policy) in set.own() {
        if mark.find(policy.document.text().as_bytes()).is_some() {
            let suppressions = read(policy, &mut about_comments);
            if !suppressions.is_empty() {
                commented.push((index, policy, suppressions));
            }
        }
    }
    if commented.is_empty() {
        findings.append(&mut about_comments);
        return;
    }

    let mut by_source: HashMap<SourceId, Vec<usize>> = HashMap::new();
    for (number, finding) in findings.iter().enumerate() {
        let source = finding.primary.location.source;
        by_source.entry(source).or_default().push(number);
    }
    let mut silenced = vec![false; findings.len()];
    for (index, policy, suppressions) in &mut commented {
        if let Some(mut numbers) = by_source.remove(&policy.source) {
            numbers.sort_by_key(|&number| findings[number].primary.location.span.start);
            for number in sweep(suppressions, &numbers, findings) {
                silenced[number] = true;
            }
        }
        // With a base unknown or the file ill-formed, findings are withheld that would be silenced.
        if policy.document.is_well_formed() && set.chain(*index).1 {
            let unused = suppressions
                .iter()
                .filter(|suppression| !suppression.used && is_certain(suppression))
                .filter(|suppression| !depends_on_settings(suppression, policy, sources));
            about_comments.extend(unused.map(|suppression| unused_finding(suppression, policy)));
        }
    }
    let mut silenced = silenced.into_iter();
    findings.retain(|_| !silenced.next().unwrap_or(false));
    findings.append(&mut about_comments);
}

/// The comments of a file in text order.
fn read<'s>(policy: &'s Policy, findings: &mut Vec<Diagnostic>) -> Vec<Suppression<'s>> {
    let mut suppressions: Vec<Suppression<'s>> = Vec::new();
    // Those from this index on wait for the next element below the same parent.
    let mut waiting: Option<(usize, Option<Element<'s>>)> = None;
    for node in policy.document.nodes() {
        match node.kind() {
            NodeKind::Comment => {
                if waiting.is_some_and(|(_, parent)| parent != node.parent()) {
                    waiting = None;
                }
                let first = suppressions.len();
                read_comment(policy, node, &mut suppressions, findings);
                if suppressions.len() > first {
                    waiting.get_or_insert((first, node.parent()));
                }
            }
            NodeKind::Element => {
                if let Some((first, parent)) = waiting.take()
                    && parent == node.parent()
                {
                    for suppression in &mut suppressions[first..] {
                        suppression.element = node.element();
                    }
                }
            }
            NodeKind::Text | NodeKind::ProcessingInstruction => {}
        }
    }
    suppressions
}

/// Reads `iefctl-ignore id, id: reason`.
fn read_comment(
    policy: &Policy,
    comment: Node<'_>,
    suppressions: &mut Vec<Suppression<'_>>,
    findings: &mut Vec<Diagnostic>,
) {
    let text = comment.text();
    let blank = |c: char| c.is_ascii_whitespace();
    let Some(mut rest) = text.trim_start_matches(blank).strip_prefix(MARK) else {
        return;
    };
    if !(rest.is_empty() || rest.starts_with(blank) || rest.starts_with(':')) {
        return;
    }
    let place = |from: &str, length: usize| {
        // `text` begins behind `<!--`.
        let start = comment.span().start + 4 + (text.len() - from.len()) as u32;
        Span::new(start, start + length as u32)
    };
    let finding = |rule: &'static Rule, span: Span, message: String| {
        Diagnostic::new(rule, policy.location(span), message).policy_id(policy.id())
    };
    let whole = place(
        text.trim_start_matches(blank),
        text.trim_matches(blank).len(),
    );
    let first = suppressions.len();
    let mut named = 0;
    loop {
        rest = rest.trim_start_matches(blank);
        let end = rest
            .find(|c: char| blank(c) || c == ',' || c == ':')
            .unwrap_or(rest.len());
        let id = &rest[..end];
        if !id.is_empty() {
            named += 1;
            let span = place(rest, end);
            match lookup(id) {
                Ok(rule) => suppressions.push(Suppression {
                    rule,
                    place: span,
                    comment: comment.span(),
                    alone: true,
                    element: None,
                    used: false,
                }),
                Err((message, help)) => {
                    findings.push(finding(&SUPPRESSION_UNKNOWN_RULE, span, message).help(help))
                }
            }
        }
        rest = rest[end..].trim_start_matches(blank);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => break,
        }
    }
    if named == 0 {
        let message = "this comment names no rule to ignore".to_owned();
        findings.push(finding(&SUPPRESSION_UNKNOWN_RULE, whole, message).help(FORM));
        return;
    }
    if named > 1 {
        for suppression in &mut suppressions[first..] {
            suppression.alone = false;
        }
    }
    if rest
        .strip_prefix(':')
        .is_none_or(|reason| reason.trim_matches(blank).is_empty())
    {
        let message = if rest.trim_end_matches(blank).is_empty() || rest.starts_with(':') {
            "this comment does not say why the finding is ignored"
        } else {
            "a colon must stand between the rule and the reason"
        };
        findings.push(finding(&SUPPRESSION_NO_REASON, whole, message.to_owned()).help(FORM));
    }
}

/// How such a comment is written.
const FORM: &str =
    "write `<!-- iefctl-ignore rule-id: reason -->`, several rules with commas between";

/// The rule of this id, or what is wrong with it and what to do.
fn lookup(id: &str) -> Result<&'static Rule, (String, String)> {
    let Some(rule) = super::find(id) else {
        let known = super::all().map(|rule| rule.id);
        let help = match near_miss(id, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                "`iefctl explain` lists all rules; those that `plan` and `deploy` check against \
                     a tenant can only be changed in the configuration"
                    .to_owned()
            }
        };
        return Err((format!("no rule of validation is called `{id}`"), help));
    };
    if rule == &XML_WELLFORMED || rule == &FILE_UNREADABLE {
        return Err((
            format!("`{id}` cannot be ignored: nothing can be said of the rest of such a file"),
            "repair the file".to_owned(),
        ));
    }
    if RULES.contains(&rule) {
        return Err((
            format!("`{id}` cannot be ignored by a comment"),
            "remove the comment that it is about, or set its level in the configuration".to_owned(),
        ));
    }
    Ok(rule)
}

/// Goes through findings and elements in text order, with the open elements' suppressions at hand.
/// Returns the findings that are silenced; of nested comments the innermost counts.
fn sweep(
    suppressions: &mut [Suppression<'_>],
    numbers: &[usize],
    findings: &[Diagnostic],
) -> Vec<usize> {
    let mut silenced = Vec::new();
    // Suppressions of open elements, and the same by rule; elements nest, so both are stacks.
    let mut open: Vec<usize> = Vec::new();
    let mut by_rule: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut next = 0;
    for &number in numbers {
        let finding = &findings[number];
        let start = finding.primary.location.span.start;
        loop {
            let opening = suppressions[next..]
                .iter()
                .position(|suppression| suppression.element.is_some())
                .map(|skipped| next + skipped);
            next = opening.unwrap_or(suppressions.len());
            let opens = opening.and_then(|opening| {
                let span = suppressions[opening].element?.span();
                (span.start <= start).then_some(span)
            });
            // What ended before the element begins, or before the finding, is closed first.
            let now = opens.map_or(start, |span| span.start);
            while let Some(&last) = open.last()
                && suppressions[last]
                    .element
                    .is_none_or(|element| element.span().end <= now)
            {
                open.pop();
                if let Some(stack) = by_rule.get_mut(suppressions[last].rule.id) {
                    stack.pop();
                }
            }
            if opens.is_none() {
                break;
            }
            open.push(next);
            by_rule
                .entry(suppressions[next].rule.id)
                .or_default()
                .push(next);
            next += 1;
        }
        let covering = by_rule
            .get(finding.rule.id)
            .and_then(|stack| stack.last().copied());
        if let Some(covering) = covering {
            suppressions[covering].used = true;
            silenced.push(number);
        }
    }
    silenced
}

/// Whether that there is no finding means that there is nothing to find. Some rules speak only in
/// production environments or over complete sets.
fn is_certain(suppression: &Suppression<'_>) -> bool {
    !super::is_conditional(suppression.rule)
}

/// Whether the covered text comes in part from settings: another environment may have the finding.
fn depends_on_settings(
    suppression: &Suppression<'_>,
    policy: &Policy,
    sources: &SourceMap,
) -> bool {
    let Some(element) = suppression.element else {
        return false;
    };
    let source = sources.get(policy.source);
    let span = element.span();
    span.of(source.text()) != source.to_original(span).of(source.original())
}

fn unused_finding(suppression: &Suppression<'_>, policy: &Policy) -> Diagnostic {
    let rule = suppression.rule.id;
    let message = match suppression.element {
        Some(element) => format!(
            "there is no finding of `{rule}` to ignore in this `{}`",
            element.name()
        ),
        None => format!("no element follows in which to ignore findings of `{rule}`"),
    };
    let finding = Diagnostic::new(
        &UNUSED_SUPPRESSION,
        policy.location(suppression.place),
        message,
    )
    .policy_id(policy.id());
    if !suppression.alone {
        return finding.help("remove the rule from the comment");
    }
    let edit = Edit {
        location: Location {
            source: policy.source,
            span: whole_line(suppression.comment, policy.document.text()),
        },
        replacement: String::new(),
    };
    finding
        .help("remove the comment")
        .fix("remove the comment", vec![edit])
}

/// The comment, with its line if nothing else stands there.
fn whole_line(comment: Span, text: &str) -> Span {
    let before = &text[..comment.start as usize];
    let indented = before.trim_end_matches([' ', '\t']);
    let after = &text[comment.end as usize..];
    let rest = after.trim_start_matches([' ', '\t']);
    let line_end = match rest {
        _ if rest.starts_with("\r\n") => 2,
        _ if rest.starts_with('\n') => 1,
        _ => return comment,
    };
    if !indented.is_empty() && !indented.ends_with('\n') {
        return comment;
    }
    let end = text.len() - rest.len() + line_end;
    Span::new(indented.len() as u32, end as u32)
}
