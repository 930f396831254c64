//! The walk over a document: each element against its type.

use crate::diagnostics::{Diagnostic, Location, Rule, SourceId, Span};
use crate::xml::{Attribute, Document, Element, NodeKind};

use super::attributes::Glance;
use super::grammar::{NAMESPACE, POLICY};
use super::instance;
use super::notation::{Content, Declaration, Type};
use super::service::{self, Service};
use super::suggest::nearest;
use super::values::{ValueType, Verdict, is_space};
use super::{SCHEMA_NEWER, XML_ROOT_NS, XSD_TEXT_CONTENT, describe};

/// Checks a document against the grammar. Findings come in the order of the text.
///
/// The answer means something for well-formed documents only; what the parser could not understand
/// of others is missing here.
pub fn validate(document: &Document, source: SourceId) -> Vec<Diagnostic> {
    let Some(root) = document.root() else {
        return Vec::new();
    };
    let mut checker = Checker::new(document, root, source);
    checker.root(root);
    while let Some((element, of)) = checker.pending.pop() {
        checker.content(element, of);
    }
    let mut findings = checker.findings;
    findings.sort_by_key(|finding| finding.primary.location.span);
    if let Some(id) = root.attribute_value("PolicyId") {
        for finding in &mut findings {
            finding.policy_id = Some(id.to_owned());
        }
    }
    findings
}

/// How far the children of an element have come.
#[derive(Default)]
struct Progress {
    /// Rank of the first particle that the next child may be.
    rank: usize,
    /// Whether a child has been of that particle already, which repeats then.
    met: bool,
}

impl Progress {
    /// How many particles have had their chance.
    fn passed(&self) -> usize {
        self.rank + usize::from(self.met)
    }
}

pub(super) struct Checker<'d> {
    pub(super) document: &'d Document,
    source: SourceId,
    pub(super) service: Service<'d>,
    /// The document element. In its namespace all others are expected, so that a wrong one is one
    /// mistake.
    root: Element<'d>,
    pub(super) findings: Vec<Diagnostic>,
    /// Elements inside content of any kind that are checked nevertheless. Kept apart from the walk,
    /// whose depth is that of the grammar.
    pub(super) pending: Vec<(Element<'d>, &'static Type)>,
    /// Room for the values of one key at a time, as numbers.
    pub(super) marks: Vec<u64>,
}

impl<'d> Checker<'d> {
    fn new(document: &'d Document, root: Element<'d>, source: SourceId) -> Self {
        Self {
            document,
            source,
            service: Service::new(document),
            root,
            findings: Vec::new(),
            pending: Vec::new(),
            marks: Vec::new(),
        }
    }

    fn root(&mut self, root: Element<'d>) {
        let same_name = root.name() == POLICY.name;
        let namespace = root.namespace();
        if same_name && namespace == NAMESPACE {
            return self.element(root, POLICY.of);
        }
        let near = nearest(root.name(), std::iter::once(POLICY.name));
        let declared = instance::default_namespace_span(root);
        let finding = if !same_name {
            self.finding(
                &XML_ROOT_NS,
                root.name_span(),
                format!(
                    "the document element is `{}`, not `{}`",
                    shorten(root.name()),
                    POLICY.name
                ),
            )
            .help(match near {
                Some(_) => format!("did you mean `{}`?", POLICY.name),
                None => "only policy files belong in a set of policies".to_owned(),
            })
        } else if namespace.is_empty() {
            self.finding(
                &XML_ROOT_NS,
                root.name_span(),
                format!("`{}` is in no namespace", POLICY.name),
            )
            .help(format!("add `xmlns=\"{NAMESPACE}\"`"))
        } else {
            self.finding(
                &XML_ROOT_NS,
                declared.unwrap_or_else(|| root.name_span()),
                format!("`{}` is not the namespace of policies", shorten(namespace)),
            )
            .help(format!("write `{NAMESPACE}`"))
        };
        let written = match namespace {
            "" => root.name().to_owned(),
            namespace => format!("{namespace}:{}", root.name()),
        };
        let sentence = self.service.sentence(
            root.name_span().start,
            &format!("The '{written}' element is not declared."),
        );
        self.findings.push(finding.service_message(sentence));
        if same_name || near.is_some() {
            self.element(root, POLICY.of);
        }
    }

    /// Checks an element that stands where it may.
    pub(super) fn element(&mut self, element: Element<'d>, declared: &'static Type) {
        self.visit(element, declared);
    }

    /// The same, as a part of the loop over the children of an element: most have none of their own, and
    /// are checked without a call.
    #[inline(always)]
    fn visit(&mut self, element: Element<'d>, declared: &'static Type) {
        let glance = Glance::at(element, declared);
        if !glance.may_state_type(element) {
            self.whole(element, declared, glance);
        } else if let Some(of) = instance::effective_type(self, element, declared) {
            self.content(element, of);
        }
    }

    /// Checks an element against the type that holds for it.
    pub(super) fn content(&mut self, element: Element<'d>, of: &'static Type) {
        self.whole(element, of, Glance::at(element, of));
    }

    #[inline(always)]
    fn whole(&mut self, element: Element<'d>, of: &'static Type, glance: Glance) {
        if !glance.suffices(of) {
            self.attributes(element, of, glance);
        }
        match of.content {
            Content::Empty => {
                if element
                    .child_nodes()
                    .any(|node| node.kind() == NodeKind::Text || node.element().is_some())
                {
                    self.not_empty(element);
                }
            }
            Content::Text(values) => {
                if element.children().next().is_some() {
                    self.no_elements(element, "text only");
                } else if !values.is_any_text() {
                    self.text(element, values);
                }
            }
            Content::Sequence(children) => self.children(element, of, children, false),
            Content::Choice(children) => self.children(element, of, children, true),
            Content::Unchecked => {
                self.stray_text(element, || {
                    " List of possible elements expected: any element in namespace '##any'.".into()
                });
            }
            Content::Anything => self.lax(element),
        }
        for key in of.keys {
            self.key(element, key);
        }
    }

    fn children(
        &mut self,
        parent: Element<'d>,
        of: &'static Type,
        particles: &'static [Declaration],
        choice: bool,
    ) {
        let mut progress = Progress::default();
        let mut open = particles;
        let mut checked = 0;
        let mut stuck = false;
        for child in parent.children() {
            let Some(particle) = self.advance(&mut progress, open, child) else {
                stuck = true;
                break;
            };
            if choice {
                // The first child has chosen.
                open = &particles[..progress.passed()];
            }
            self.visit(child, particle.of);
            checked += 1;
        }
        if stuck || progress.passed() < of.requires {
            self.explain_children(parent, of, particles, choice, checked);
        }
        if parent.holds_text() {
            self.text_among(parent, particles, choice);
        }
    }

    /// The particle of a child that may stand behind those before it.
    #[inline]
    fn advance(
        &self,
        progress: &mut Progress,
        particles: &'static [Declaration],
        child: Element<'d>,
    ) -> Option<&'static Declaration> {
        if !self.is_ours(child) {
            return None;
        }
        loop {
            let particle = particles.get(progress.rank)?;
            if child.has_name(particle.fingerprint, particle.name) {
                progress.met = particle.repeats;
                progress.rank += usize::from(!particle.repeats);
                return Some(particle);
            }
            if particle.required && !progress.met {
                return None;
            }
            progress.rank += 1;
            progress.met = false;
        }
    }

    /// Whether an element is in the namespace of the document element.
    pub(super) fn is_ours(&self, element: Element<'d>) -> bool {
        element.shares_namespace(self.root)
    }

    /// Text where the type has elements only.
    fn text_among(&mut self, parent: Element<'d>, particles: &'static [Declaration], choice: bool) {
        let namespace = self.root.namespace();
        let before = parent
            .child_nodes()
            .take_while(|node| node.kind() != NodeKind::Text || is_blank(*node))
            .filter_map(|node| node.element())
            .filter_map(|child| particles.iter().position(|p| p.name == child.name()))
            .last();
        self.stray_text(parent, || {
            let expected = match before {
                Some(rank) if choice => particles[rank]
                    .repeats
                    .then_some(particles[rank].name)
                    .into_iter()
                    .collect(),
                None if choice => particles.iter().map(|particle| particle.name).collect(),
                _ => service::following(particles, before),
            };
            service::expecting(&expected, namespace)
        });
    }

    /// Reports the first text in an element that holds only elements, if there is any; `list` is the
    /// end of the service's sentence.
    fn stray_text(&mut self, parent: Element<'d>, list: impl FnOnce() -> String) {
        if !parent.holds_text() {
            return;
        }
        let mut texts = parent
            .child_nodes()
            .filter(|node| node.kind() == NodeKind::Text);
        let Some(text) = texts.find(|node| !is_blank(*node)) else {
            return;
        };
        let sentence = service::no_text(parent, &list());
        let sentence = self.service.sentence(text.span().start, &sentence);
        let finding = self
            .finding(
                &XSD_TEXT_CONTENT,
                trimmed(text.span(), self.document.text()),
                format!(
                    "text is not allowed in `{}`, which holds only elements",
                    parent.name()
                ),
            )
            .service_message(sentence);
        self.findings.push(finding);
    }

    /// An element that has content although its type has none.
    fn not_empty(&mut self, element: Element<'d>) {
        let has_children = element.children().next().is_some();
        if has_children {
            self.no_elements(element, "empty");
        }
        let texts = || {
            element
                .child_nodes()
                .filter(|node| node.kind() == NodeKind::Text)
        };
        let written = texts().find(|node| !is_blank(*node));
        let Some(text) = written.or_else(|| texts().next().filter(|_| !has_children)) else {
            return;
        };
        let blank = written.is_none();
        let sentence = self
            .service
            .sentence(text.span().start, service::text_in_empty(blank));
        let (span, what) = if blank {
            (text.span(), "white space is")
        } else {
            (trimmed(text.span(), self.document.text()), "text is")
        };
        let name = element.name();
        let finding = self
            .finding(
                &XSD_TEXT_CONTENT,
                span,
                format!("{what} not allowed in `{name}`, which has attributes only"),
            )
            .help(format!("close it at once: `<{name} … />`"))
            .service_message(sentence);
        self.findings.push(finding);
    }

    /// The text of an element that holds nothing else.
    fn text(&mut self, element: Element<'d>, of: &'static ValueType) {
        let value = element.text();
        match of.judge(value) {
            Verdict::Fine => {}
            Verdict::Newer => {
                let what = format!("value `{value}` of `{}`", element.name());
                self.newer(element.text_span(), what);
            }
            Verdict::Wrong => {
                let (name, span) = (element.name(), element.text_span());
                let blank = value.trim_matches(is_space).is_empty();
                let message = if blank {
                    format!("`{name}` is empty")
                } else {
                    format!(
                        "`{}` is not allowed in `{name}`",
                        shorten(value.trim_matches(is_space))
                    )
                };
                let span = if blank { element.name_span() } else { span };
                let written = match element.namespace() {
                    "" => name.to_owned(),
                    namespace => format!("{namespace}:{name}"),
                };
                let sentence = self.service.sentence(
                    service::end_name(element),
                    &service::wrong_value(&written, "element", value, of),
                );
                let finding = self.finding(&XSD_TEXT_CONTENT, span, message);
                let finding = self.expecting_value(finding, of, value, span);
                self.findings.push(finding.service_message(sentence));
            }
        }
    }

    /// Content of any kind: only what the grammar knows as a document element, or what names its own
    /// type, is checked.
    fn lax(&mut self, element: Element<'d>) {
        let mut open: Vec<_> = element.children().collect();
        while let Some(element) = open.pop() {
            if self.is_ours(element) && element.name() == POLICY.name {
                self.pending.push((element, POLICY.of));
            } else if let Some(of) = instance::stated_type(element) {
                self.pending.push((element, of));
            } else {
                open.extend(element.children());
            }
        }
    }

    /// Checks the content of an element that does not belong where it stands, as far as it is clear
    /// what it is.
    pub(super) fn displaced(&mut self, element: Element<'d>) {
        let mut places = describe::places(element.name()).map(|place| place.declaration.of);
        let Some(of) = places.next() else { return };
        let one_type = places.all(|other| std::ptr::eq(other, of));
        if one_type && fits(element, of) && !std::ptr::eq(of, POLICY.of) {
            self.pending.push((element, of));
        }
    }

    /// Reports what only newer schemas know.
    pub(super) fn newer(&mut self, span: Span, what: String) {
        let finding = self
            .finding(
                &SCHEMA_NEWER,
                span,
                format!("{what} is newer than the schema that Microsoft publishes"),
            )
            .help("the service is documented to accept it; editors that validate with the published schema do not");
        self.findings.push(finding);
    }

    pub(super) fn finding(&self, rule: &'static Rule, span: Span, message: String) -> Diagnostic {
        Diagnostic::new(rule, self.location(span), message)
    }

    pub(super) const fn location(&self, span: Span) -> Location {
        Location {
            source: self.source,
            span,
        }
    }
}

/// Whether an element looks as if it were of a type: attributes and children have names of it.
pub(super) fn fits(element: Element<'_>, of: &Type) -> bool {
    let known = |name: &str| of.attributes.iter().any(|declared| declared.name == name);
    let content = match of.content {
        Content::Empty => element.child_nodes().next().is_none(),
        Content::Text(_) => element.children().next().is_none(),
        Content::Sequence(_) | Content::Choice(_) => {
            element.trimmed_text().is_empty()
                && element
                    .children()
                    .all(|child| of.child(child.name()).is_some())
                && of
                    .children()
                    .iter()
                    .all(|child| !child.required || element.child(child.name).is_some())
        }
        Content::Unchecked | Content::Anything => true,
    };
    content
        && element
            .attributes()
            .all(|attribute| known(attribute.name()))
        && of
            .attributes
            .iter()
            .all(|declared| !declared.required || element.attribute(declared.name).is_some())
}

/// Whether a text node may stand between elements. A CDATA section never may.
fn is_blank(node: crate::xml::Node<'_>) -> bool {
    let text = node.text();
    text.bytes()
        .all(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
        && (node.span().len() as usize == text.len() || !is_cdata(node))
}

fn is_cdata(node: crate::xml::Node<'_>) -> bool {
    node.parent().is_some_and(|parent| {
        node.span()
            .of(parent.document().text())
            .starts_with("<![CDATA[")
    })
}

/// The range without white space at its ends, unless nothing else is in it.
fn trimmed(span: Span, text: &str) -> Span {
    let raw = span.of(text);
    let inner = raw.trim_matches(is_space);
    if inner.is_empty() {
        return span;
    }
    let start = span.start + (raw.len() - raw.trim_start_matches(is_space).len()) as u32;
    Span::new(start, start + inner.len() as u32)
}

/// A value for a headline: one line, not too long.
pub(super) fn shorten(value: &str) -> String {
    const LONGEST: usize = 60;
    let mut line: String = value
        .split(is_space)
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// The span of an attribute's value; its name if the value is empty.
pub(super) fn value_or_name(attribute: Attribute<'_>) -> Span {
    match attribute.value_span() {
        span if span.is_empty() => attribute.name_span(),
        span => span,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::diagnostics::{Source, SourceMap};
    use crate::schema::notation::{
        any_number, at_least_one, choice, once, optional, sequence, text,
    };
    use crate::schema::values::STRING;

    static TEXT: Type = text(&STRING);
    const NAMES: [&str; 4] = ["Metadata", "DisplayName", "Protocol", "Other"];

    /// Whether a list of names is what some particles want, by the letter.
    fn is_allowed(mut names: &[usize], particles: &[Declaration], choice: bool) -> bool {
        if choice {
            let chosen = particles
                .iter()
                .find(|p| Some(&p.name) == names.first().map(|n| &NAMES[*n]));
            return names.is_empty()
                || chosen.is_some_and(|p| is_allowed(names, std::slice::from_ref(p), false));
        }
        for particle in particles {
            let run = names
                .iter()
                .take_while(|n| NAMES[**n] == particle.name)
                .count();
            if (run == 0 && particle.required) || (run > 1 && !particle.repeats) {
                return false;
            }
            names = &names[run..];
        }
        names.is_empty()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn nothing_is_found_exactly_in_what_is_allowed(
            kinds in prop::collection::vec(0..4_usize, 0..=3),
            names in prop::collection::vec((0..12_usize).prop_map(|n| n.min(3)), 0..6),
            is_choice: bool,
            sorted: bool,
        ) {
            let particles = kinds.iter().zip(NAMES).map(|(kind, name)| match kind {
                0 => optional(name, &TEXT, ""),
                1 => any_number(name, &TEXT, ""),
                // Nothing is required of a choice.
                2 if !is_choice => once(name, &TEXT, ""),
                3 if !is_choice => at_least_one(name, &TEXT, ""),
                _ => optional(name, &TEXT, ""),
            });
            let particles: &'static [Declaration] = particles.collect::<Vec<_>>().leak();
            let of = if is_choice { choice(particles) } else { sequence(particles) };
            let of: &'static Type = Box::leak(Box::new(of));
            let mut names: Vec<usize> = names.iter().map(|n| n % NAMES.len()).collect();
            if sorted {
                names.sort_unstable();
            }
            let children: String = names.iter().map(|n| format!("<{}/>", NAMES[*n])).collect();
            let written: Arc<str> = format!("<Parent>{children}</Parent>").into();
            let id = SourceMap::new().add(Source::new("x", "x"));
            let (document, _) = crate::xml::parse(&written, id);
            let mut checker = Checker::new(&document, document.root().unwrap(), id);
            checker.element(document.root().unwrap(), of);
            prop_assert_eq!(
                checker.findings.is_empty(),
                is_allowed(&names, particles, is_choice),
                "{} as {:?}", written, kinds
            );
        }
    }
}
