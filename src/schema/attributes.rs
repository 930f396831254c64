//! The attributes of an element: known, complete, and with values of their types.

use crate::diagnostics::{Diagnostic, Edit, Span};
use crate::xml::{Attribute, Element};

use super::check::{Checker, shorten, value_or_name};
use super::instance;
use super::notation::{AttributeDeclaration, Content, Type};
use super::service;
use super::suggest::{Near, nearest};
use super::values::{Form, ValueType, Verdict, collapse, enumerate};
use super::{SCHEMA_VERSION, XSD_ATTR};

/// The only version of the schema that the service accepts.
const SCHEMA: &str = "0.3.0.0";

/// What one look at the attributes of an element tells.
#[derive(Clone, Copy, Default)]
pub(super) struct Glance {
    /// The declared attributes that are there, one bit each.
    seen: u32,
    /// Whether there are values to be judged.
    judged: bool,
    /// Whether some attributes are not declared.
    strange: bool,
}

impl Glance {
    #[inline(always)]
    pub(super) fn at(element: Element<'_>, of: &'static Type) -> Self {
        let mut glance = Self::default();
        for attribute in element.attributes() {
            if let Some((index, declaration)) = declared(of, attribute) {
                glance.seen |= 1 << index;
                glance.judged |= !declaration.unjudged;
            } else {
                glance.strange = true;
            }
        }
        glance
    }

    /// The attributes that must be there and are not.
    #[inline(always)]
    const fn missing(self, of: &Type) -> u32 {
        of.required_attributes & !self.seen
    }

    /// Whether nothing is to be said, nor to be asked about values.
    #[inline(always)]
    pub(super) const fn suffices(self, of: &Type) -> bool {
        !(self.judged | self.strange) && self.missing(of) == 0
    }

    /// Whether the element may state its own type, which takes an attribute that no policy declares.
    pub(super) fn may_state_type(self, element: Element<'_>) -> bool {
        self.strange && element.attributes().any(|attribute| !attribute.is_plain())
    }
}

impl<'d> Checker<'d> {
    pub(super) fn attributes(&mut self, element: Element<'d>, of: &'static Type, glance: Glance) {
        if matches!(of.content, Content::Anything) {
            return;
        }
        if glance.judged {
            for attribute in element.attributes() {
                if let Some((_, declaration)) = declared(of, attribute)
                    && !declaration.unjudged
                {
                    self.attribute(element, attribute, declaration);
                }
            }
        }
        let missing = glance.missing(of);
        if missing != 0 || (glance.strange && unknown(element, of).next().is_some()) {
            let declarations = of.attributes.iter().enumerate();
            let missing = declarations.filter(|(index, _)| missing & (1 << index) != 0);
            let missing = missing.map(|(_, declaration)| declaration).collect();
            self.explain_attributes(element, of, missing);
        }
    }

    /// The value of an attribute that may be there.
    fn attribute(
        &mut self,
        element: Element<'d>,
        attribute: Attribute<'d>,
        declaration: &'static AttributeDeclaration,
    ) {
        let (name, value) = (declaration.name, attribute.value());
        match declaration.of.judge(value) {
            Verdict::Fine if declaration.newer => {
                let what = format!("attribute `{name}` of `{}`", element.name());
                self.newer(attribute.name_span(), what);
            }
            Verdict::Fine => {
                if name == "PolicySchemaVersion" && value != SCHEMA {
                    self.version(attribute);
                }
            }
            Verdict::Newer => {
                let what = format!("value `{value}` of attribute `{name}`");
                self.newer(attribute.value_span(), what);
            }
            Verdict::Wrong => {
                let span = value_or_name(attribute);
                let message = if collapse(value).is_empty() {
                    format!("attribute `{name}` of `{}` is empty", element.name())
                } else {
                    let value = shorten(value);
                    format!(
                        "`{value}` is not allowed in attribute `{name}` of `{}`",
                        element.name()
                    )
                };
                let sentence = service::wrong_value(name, "attribute", value, declaration.of);
                let sentence = self
                    .service
                    .sentence(attribute.name_span().start, &sentence);
                let finding = self.finding(&XSD_ATTR, span, message);
                let finding =
                    self.expecting_value(finding, declaration.of, value, attribute.value_span());
                self.findings.push(finding.service_message(sentence));
            }
        }
    }

    fn version(&mut self, attribute: Attribute<'d>) {
        let written = attribute.value();
        let finding = self
            .finding(
                &SCHEMA_VERSION,
                attribute.value_span(),
                format!("`{written}` is not a schema version that the service accepts"),
            )
            .help(format!("write `{SCHEMA}`"));
        self.findings.push(finding);
    }

    /// Adds to the finding of a wrong value what is expected and what was probably meant.
    pub(super) fn expecting_value(
        &self,
        finding: Diagnostic,
        of: &'static ValueType,
        value: &str,
        span: Span,
    ) -> Diagnostic {
        let expects = of.expects();
        let near = nearest(collapse(value), of.choices().iter().copied());
        let Some(Near { index, case_only }) = near else {
            return finding.help(format!("expected {expects}"));
        };
        let meant = of.choices()[index];
        let finding = if of.choices().len() > 2 {
            finding.help(format!("did you mean `{meant}`? Allowed are {expects}"))
        } else {
            finding.help(format!("did you mean `{meant}`? Expected is {expects}"))
        };
        // A value with references or white space in it is left to its author.
        if !case_only || span.of(self.document.text()) != value {
            return finding;
        }
        self.with_fix(finding, format!("write `{meant}`"), span, meant)
    }

    fn with_fix(&self, finding: Diagnostic, title: String, span: Span, text: &str) -> Diagnostic {
        let edit = Edit {
            location: self.location(span),
            replacement: text.to_owned(),
        };
        finding.fix(title, vec![edit])
    }

    /// Attributes that are not allowed, and those that are missing. One that is not allowed is taken
    /// for a wrong name of one that is missing.
    fn explain_attributes(
        &mut self,
        element: Element<'d>,
        of: &'static Type,
        mut missing: Vec<&'static AttributeDeclaration>,
    ) {
        let free = of
            .attributes
            .iter()
            .filter(|declaration| element.attribute(declaration.name).is_none());
        let free: Vec<_> = free.collect();
        let mut strangers = Vec::new();
        for attribute in unknown(element, of) {
            let near = nearest(attribute.name(), free.iter().map(|d| d.name));
            let near = near.filter(|_| attribute.namespace().is_empty());
            if let Some(near) = near {
                missing.retain(|declaration| declaration.name != free[near.index].name);
            }
            strangers.push((
                attribute,
                near.map(|near| (free[near.index].name, near.case_only)),
            ));
        }
        for (attribute, near) in strangers {
            let (meant, case_only) = match near {
                Some((name, case_only)) => (Some(name), case_only),
                None if missing.is_empty() => (None, false),
                None => (Some(missing.remove(0).name), false),
            };
            self.unknown_attribute(element, of, attribute, meant, case_only);
        }
        for declaration in missing {
            let name = declaration.name;
            let sentence = format!("The required attribute '{name}' is missing.");
            let sentence = self.service.sentence(element.name_span().start, &sentence);
            let finding = self
                .finding(
                    &XSD_ATTR,
                    element.name_span(),
                    format!("`{}` lacks the attribute `{name}`", element.name()),
                )
                .help(match declaration.of.form {
                    Form::String => format!("add `{name}=\"…\"`"),
                    _ => format!("add `{name}=\"…\"`: {}", declaration.of.expects()),
                })
                .service_message(sentence);
            self.findings.push(finding);
        }
    }

    fn unknown_attribute(
        &mut self,
        element: Element<'d>,
        of: &'static Type,
        attribute: Attribute<'d>,
        meant: Option<&'static str>,
        case_only: bool,
    ) {
        let span = attribute.name_span();
        let written = span.of(self.document.text());
        let qualified = match attribute.namespace() {
            "" => attribute.name().to_owned(),
            namespace => format!("{namespace}:{}", attribute.name()),
        };
        let sentence = format!("The '{qualified}' attribute is not declared.");
        let sentence = self.service.sentence(span.start, &sentence);
        let names: Vec<&str> = of.attributes.iter().map(|d| d.name).collect();
        let allowed = match names.as_slice() {
            [] => format!("`{}` has no attributes", element.name()),
            names => format!("allowed here: {}", enumerate(names)),
        };
        let plain = attribute.namespace().is_empty();
        let finding = self
            .finding(
                &XSD_ATTR,
                span,
                format!(
                    "attribute `{}` is not allowed on `{}`",
                    shorten(written),
                    element.name()
                ),
            )
            .help(match meant {
                Some(name) => format!("did you mean `{name}`? {}", capital(&allowed)),
                None if !plain && names.contains(&attribute.name()) => {
                    format!("write `{}` without a prefix", attribute.name())
                }
                None => allowed,
            })
            .service_message(sentence);
        let finding = match meant {
            Some(name) if case_only => {
                self.with_fix(finding, format!("rename it to `{name}`"), span, name)
            }
            _ => finding,
        };
        self.findings.push(finding);
    }
}

/// The declaration of an attribute and its index.
#[inline]
fn declared(
    of: &'static Type,
    attribute: Attribute<'_>,
) -> Option<(usize, &'static AttributeDeclaration)> {
    if !attribute.is_plain() {
        return None;
    }
    let mut declarations = of.attributes.iter().enumerate();
    declarations.find(|(_, declared)| attribute.has_name(declared.fingerprint, declared.name))
}

/// The attributes that may not be there.
fn unknown<'d>(element: Element<'d>, of: &'static Type) -> impl Iterator<Item = Attribute<'d>> {
    element
        .attributes()
        .filter(move |it| declared(of, *it).is_none() && !instance::is_instance_attribute(*it))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
