//! Where in the user's file stands what a sentence of the service is about.

use crate::diagnostics::{LineColumn, Source, Span};
use crate::msgraph::{Name, SentenceKind, ValidationItem};
use crate::policy::Kind;
use crate::xml::Element;

use super::LocalPolicy;

/// The range that a sentence is about; the PolicyId if nothing closer is found.
pub(super) fn span(item: &ValidationItem, policy: &LocalPolicy, source: &Source) -> Span {
    if let Some(position) = item.position {
        let position = LineColumn {
            line: position.line,
            column: position.column,
        };
        return at(policy, source.offset_of(position));
    }
    named(item, policy).unwrap_or(policy.location.span)
}

/// The tag at or before an offset: the service points behind what it dislikes.
fn at(policy: &LocalPolicy, offset: u32) -> Span {
    let enclosing = policy.document.elements().filter(|element| {
        let tag = element.tag_span();
        tag.start <= offset && offset < tag.end
    });
    match enclosing.last() {
        Some(element) => element.name_span(),
        None => Span::at(offset),
    }
}

fn named(item: &ValidationItem, policy: &LocalPolicy) -> Option<Span> {
    let get = |name| item.get(name);
    match item.kind {
        SentenceKind::BaseNotFound | SentenceKind::ForbiddenBase => {
            return Some(policy.base.as_ref()?.location.span);
        }
        SentenceKind::TenantMismatch | SentenceKind::OtherTenantSignedIn => {
            return Some(policy.tenant.as_ref()?.1.span);
        }
        SentenceKind::MissingKeyset => {
            return attribute(policy, "StorageReferenceId", get(Name::Keyset)?);
        }
        SentenceKind::UnknownPageElement | SentenceKind::PageContractVersion => {
            let uri = get(Name::PageContract)?;
            let mut uris = elements(policy).filter(|element| element.name() == "DataUri");
            let found = uris.find(|element| element.trimmed_text().contains(uri))?;
            return Some(found.text_span());
        }
        SentenceKind::DanglingReference => {
            if let Some(span) = dangling(item, policy) {
                return Some(span);
            }
        }
        _ => {}
    }
    let step = get(Name::UserJourney).and_then(|journey| {
        let journey = declared(policy, Kind::UserJourney, journey)?;
        let step = get(Name::Step)?;
        let mut steps = journey
            .descendants()
            .filter(|element| element.name() == "OrchestrationStep");
        steps.find(|element| element.attribute_value("Order") == Some(step))
    });
    let profile = get(Name::TechnicalProfile)
        .and_then(|profile| declared(policy, Kind::TechnicalProfile, profile));
    // The closest thing first: within the profile or the step, then those themselves.
    if let Some(profile) = profile {
        if let Some(key) = get(Name::MetadataKey)
            && let Some(item) = profile.descendants().find(|element| {
                element.name() == "Item" && element.attribute_value("Key") == Some(key)
            })
        {
            return Some(item.text_span());
        }
        if let Some(claim) = get(Name::ClaimType)
            && let Some(span) = attribute_below(profile, "ClaimTypeReferenceId", claim)
        {
            return Some(span);
        }
    }
    if let Some(exchange) = get(Name::ClaimsExchange)
        && let Some(span) = attribute(policy, "TargetClaimsExchangeId", exchange)
            .or_else(|| attribute(policy, "ValidationClaimsExchangeId", exchange))
    {
        return Some(span);
    }
    if let Some(step) = step {
        return Some(step.attribute("Order")?.value_span());
    }
    let kinds = [
        (Name::TechnicalProfile, Kind::TechnicalProfile),
        (Name::ClaimsTransformation, Kind::ClaimsTransformation),
        (Name::UserJourney, Kind::UserJourney),
        (Name::ClaimType, Kind::ClaimType),
    ];
    for (name, kind) in kinds {
        if let Some(id) = get(name) {
            let element = declared(policy, kind, id);
            let span = element.and_then(|element| Some(element.attribute("Id")?.value_span()));
            if let Some(span) = span.or_else(|| mention(policy, id)) {
                return Some(span);
            }
        }
    }
    None
}

/// The attribute that refers to what is not there.
fn dangling(item: &ValidationItem, policy: &LocalPolicy) -> Option<Span> {
    let id = item.get(Name::Reference)?;
    let kind = item.get(Name::ReferenceKind);
    let rows = crate::policy::SOURCES.iter();
    let rows = rows.filter(|row| kind.is_none_or(|kind| row.target.element() == kind));
    let rows: Vec<_> = rows.collect();
    let found = elements(policy).find_map(|element| {
        rows.iter()
            .filter(|row| row.element == element.name())
            .find_map(|row| {
                let attribute = element.attribute(row.attribute)?;
                attribute
                    .value()
                    .eq_ignore_ascii_case(id)
                    .then(|| attribute.value_span())
            })
    });
    found.or_else(|| mention(policy, id))
}

fn elements(policy: &LocalPolicy) -> impl Iterator<Item = Element<'_>> {
    policy.document.elements()
}

fn declared<'p>(policy: &'p LocalPolicy, kind: Kind, id: &str) -> Option<Element<'p>> {
    elements(policy).find(|element| {
        element.name() == kind.element()
            && element
                .attribute_value("Id")
                .is_some_and(|known| known.eq_ignore_ascii_case(id))
    })
}

fn attribute(policy: &LocalPolicy, name: &str, value: &str) -> Option<Span> {
    attribute_below(policy.document.root()?, name, value)
}

fn attribute_below(element: Element<'_>, name: &str, value: &str) -> Option<Span> {
    element.descendants().find_map(|element| {
        let attribute = element.attribute(name)?;
        attribute
            .value()
            .eq_ignore_ascii_case(value)
            .then(|| attribute.value_span())
    })
}

/// The first attribute, below the document element, that has this value.
fn mention(policy: &LocalPolicy, id: &str) -> Option<Span> {
    policy.document.root()?.descendants().find_map(|element| {
        let mut attributes = element.attributes();
        let found = attributes.find(|attribute| attribute.value().eq_ignore_ascii_case(id))?;
        Some(found.value_span())
    })
}
