//! The walk over a document: each element against its type.

use crate::diagnostics::{Diagnostic, Location, Rule, SourceId, Span};
use crate::xml::{Attribute, Document, Element, NodeKind};

use super::grammar::{NAMESPACE, POLICY};
use super::instance;
use super::keys::Entry;
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
    let mut checker = Checker {
        document,
        source,
        service: Service::new(document),
        namespace: root.namespace(),
        findings: Vec::new(),
        pending: Vec::new(),
        entries: Vec::new(),
    };
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

pub(super) struct Checker<'d> {
    pub(super) document: &'d Document,
    source: SourceId,
    pub(super) service: Service<'d>,
    /// The namespace in which the document's elements are expected: that of the root, so that a
    /// wrong one is one mistake.
    pub(super) namespace: &'d str,
    pub(super) findings: Vec<Diagnostic>,
    /// Elements inside content of any kind that are checked nevertheless. Kept apart from the walk,
    /// whose depth is that of the grammar.
    pub(super) pending: Vec<(Element<'d>, &'static Type)>,
    /// Room for the values of one key at a time.
    pub(super) entries: Vec<Entry<'d>>,
}

/// How far the children of a sequence have come.
struct Progress {
    /// Rank of the particle that the last child matched.
    last: Option<usize>,
}

impl<'d> Checker<'d> {
    fn root(&mut self, root: Element<'d>) {
        let same_name = root.name() == POLICY.name;
        if same_name && self.namespace == NAMESPACE {
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
        } else if self.namespace.is_empty() {
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
                format!(
                    "`{}` is not the namespace of policies",
                    shorten(self.namespace)
                ),
            )
            .help(format!("write `{NAMESPACE}`"))
        };
        let written = match self.namespace {
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
        // Attributes of other namespaces are rare; only they can change the type.
        let plain = element.attributes().all(Attribute::is_plain);
        let of = if plain {
            Some(declared)
        } else {
            instance::effective_type(self, element, declared)
        };
        if let Some(of) = of {
            self.content(element, of);
        }
    }

    /// Checks an element against the type that holds for it.
    pub(super) fn content(&mut self, element: Element<'d>, of: &'static Type) {
        self.attributes(element, of);
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
                } else {
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
        let mut progress = Progress { last: None };
        let mut checked = 0;
        for child in parent.children() {
            let Some(rank) = self.advance(&mut progress, particles, choice, child) else {
                self.explain_children(parent, of, particles, choice, checked);
                if parent.holds_text() {
                    self.text_among(parent, particles, choice);
                }
                return;
            };
            self.element(child, particles[rank].of);
            checked += 1;
        }
        let behind = progress.last.map_or(0, |last| last + 1);
        if !choice && particles[behind..].iter().any(|particle| particle.required) {
            self.explain_children(parent, of, particles, choice, checked);
        }
        if parent.holds_text() {
            self.text_among(parent, particles, choice);
        }
    }

    /// The rank of a child that may stand behind those before it.
    fn advance(
        &self,
        progress: &mut Progress,
        particles: &[Declaration],
        choice: bool,
        child: Element<'d>,
    ) -> Option<usize> {
        if !self.is_ours(child) {
            return None;
        }
        let is = |particle: &Declaration| child.has_name(particle.fingerprint, particle.name);
        let mut rank = progress.last.unwrap_or(0);
        if let Some(last) = progress.last {
            if is(&particles[last]) {
                return particles[last].repeats.then_some(last);
            }
            if choice {
                return None;
            }
            rank = last + 1;
        }
        loop {
            let particle = particles.get(rank)?;
            if is(particle) {
                progress.last = Some(rank);
                return Some(rank);
            }
            if particle.required && !choice {
                return None;
            }
            rank += 1;
        }
    }

    /// Whether an element is in the namespace of the document.
    pub(super) fn is_ours(&self, element: Element<'d>) -> bool {
        let namespace = element.namespace();
        // Names of one namespace are one string of the document.
        std::ptr::eq(namespace, self.namespace) || namespace == self.namespace
    }

    /// Text where the type has elements only.
    fn text_among(&mut self, parent: Element<'d>, particles: &'static [Declaration], choice: bool) {
        let namespace = self.namespace;
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
