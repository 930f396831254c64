//! Technical profiles: protocols, metadata, keys, claims.
//!
//! What a profile needs is asked only of those that a relying party can execute: a profile that
//! others include may be incomplete by itself. [`Reached`] is such a profile; the rules of this group
//! that work on it are listed in [`OF_REACHED`].

use std::cmp::Ordering;
use std::rc::Rc;

use super::Group;
use crate::diagnostics::{Diagnostic, Location};
use crate::policy::known::handlers::{ProfileKind, is_engine};
use crate::policy::{Effective, Executed, Item, Kind, Site, TechnicalProfile};

mod directory_application;
mod directory_claims;
mod directory_operation;
mod directory_password;
mod display_control;
mod enabled_for;
mod key_required;
mod key_unknown;
mod metadata_keys;
mod metadata_required;
mod metadata_value;
mod partner_claim;
mod protocol;
mod resolver;
mod resolver_switches;
mod rest_authentication;
mod rest_claims;
mod sa_output_no_source;
mod self_asserted;
mod session;
mod validation;

pub(super) static GROUP: Group = Group {
    rules: &[
        &protocol::TP_NO_PROTOCOL,
        &protocol::TP_HANDLER_UNKNOWN,
        &metadata_required::TP_METADATA_REQUIRED,
        &metadata_value::TP_METADATA_INVALID,
        &metadata_keys::TP_METADATA_DUPLICATE,
        &metadata_keys::TP_METADATA_UNKNOWN,
        &key_required::TP_KEY_REQUIRED,
        &key_unknown::TP_KEY_UNKNOWN,
        &rest_authentication::REST_INSECURE_AUTH,
        &rest_authentication::REST_BEARER_SOURCE,
        &rest_claims::REST_PAYLOAD_CLAIM,
        &rest_claims::REST_URL_PLACEHOLDER,
        &directory_operation::AAD_OPERATION,
        &directory_claims::AAD_ONE_INPUTCLAIM,
        &directory_operation::AAD_WRITE_PERSISTED,
        &directory_claims::AAD_KEY_NOT_PERSISTED,
        &directory_claims::AAD_OUTPUT_UNSUPPORTED,
        &directory_application::AAD_EXTENSION_APP,
        &directory_application::AAD_APPID_SWAPPED,
        &directory_password::AAD_PASSWORD_POLICY,
        &directory_claims::AAD_DISPLAYNAME_CREATE,
        &sa_output_no_source::SA_OUTPUT_NO_SOURCE,
        &self_asserted::SA_DISPLAYCLAIM_NO_INPUT,
        &self_asserted::SA_HIDDEN_OUTPUT,
        &self_asserted::SA_NO_CONTENTDEFINITION,
        &validation::VTP_ON_OTHER,
        &validation::VTP_IS_INTERACTIVE,
        &session::SSO_HANDLER,
        &metadata_value::OTP_RANGES,
        &metadata_value::JWT_LIFETIMES,
        &metadata_value::SAML_SKEW,
        &enabled_for::ENABLEDFOR_METADATA,
        &resolver::RESOLVER_UNKNOWN,
        &resolver_switches::RESOLVER_NO_INCLUDE,
        &resolver_switches::RESOLVER_NO_ALWAYS,
        &resolver::RESOLVER_CLAIM_MISSING,
        &resolver::RESOLVER_TYPE,
        &partner_claim::PARTNERCLAIMTYPE_DUPLICATE,
        &display_control::DISPLAYCONTROL_ACTIONS,
        &display_control::DISPLAYCONTROL_PAGE_VERSION,
    ],
    checks: &[
        check_reached,
        sa_output_no_source::check,
        metadata_keys::check,
        key_unknown::check,
        resolver::check,
        resolver_switches::check,
        partner_claim::check,
        display_control::check,
    ],
    set_checks: &[],
};

/// What each of the rules on reached profiles does.
type ReachedCheck = fn(&Reached<'_, '_>, &mut Vec<Diagnostic>);

static OF_REACHED: &[ReachedCheck] = &[
    protocol::check,
    metadata_required::check,
    metadata_value::check,
    key_required::check,
    rest_authentication::check,
    rest_claims::check,
    directory_operation::check,
    directory_claims::check,
    directory_application::check,
    directory_password::check,
    self_asserted::check,
    validation::check,
    session::check,
    enabled_for::check,
    display_control::check_page,
];

fn check_reached(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    let Some(execution) = view.execution() else {
        return;
    };
    for executed in &execution.profiles {
        let profile = &*executed.profile;
        // A profile that includes itself or nobody knows what has no settled content, and the
        // engine's needs none.
        let settled = profile.include_cycle.is_none() && !profile.includes_unknown;
        if !settled || is_engine(profile.id) {
            continue;
        }
        let reached = Reached {
            view,
            executed,
            profile,
            kind: ProfileKind::of_executed(executed),
        };
        for check in OF_REACHED {
            check(&reached, findings);
        }
    }
}

/// A technical profile that the relying party of a completely known policy can execute.
struct Reached<'v, 's> {
    view: &'v Effective<'s>,
    executed: &'v Executed<'s>,
    profile: &'v TechnicalProfile<'s>,
    /// `None` if its protocol or handler is missing, unknown or without a rule.
    kind: Option<ProfileKind>,
}

impl<'s> Reached<'_, 's> {
    /// A metadata item, whatever the letter case and blanks of its key: how strict the service is
    /// with them is not known, so an item that differs in them does not count as missing.
    fn metadata(&self, key: &str) -> Option<&Item<'s>> {
        let exact = self.profile.metadata(key);
        exact.or_else(|| {
            let mut items = self.profile.metadata.iter();
            items.find(|item| is_key(item.key, key))
        })
    }

    /// The text of a metadata item without white space around it.
    fn metadata_text(&self, key: &str) -> Option<&'s str> {
        Some(self.metadata(key)?.value.trim())
    }

    /// Whether a metadata item says yes; `None` if there is none.
    fn flag(&self, key: &str) -> Option<bool> {
        let text = self.metadata_text(key)?;
        Some(text.eq_ignore_ascii_case("true") || text == "1")
    }

    fn has_cryptographic_key(&self, id: &str) -> bool {
        let mut keys = self.profile.cryptographic_keys.iter();
        keys.any(|key| key.key.eq_ignore_ascii_case(id))
    }

    /// Where to report that the profile lacks something: at its id in the user's own file nearest to
    /// the relying party.
    fn place(&self) -> Option<Place<'s>> {
        let own = &self.profile.layers[self.profile.included..];
        place(self.view, own.iter().rev().copied())
    }

    /// Where to report something about one of the elements, nearest first: at the first one that is
    /// in the user's own files, else where [`Reached::place`] is.
    fn place_at(&self, sites: impl IntoIterator<Item = Site<'s>>) -> Option<Place<'s>> {
        let own = &self.profile.layers[self.profile.included..];
        place(
            self.view,
            sites.into_iter().chain(own.iter().rev().copied()),
        )
    }
}

/// Whether a key is this one but for letter case and blanks around it.
fn is_key(written: &str, key: &str) -> bool {
    match written.len().cmp(&key.len()) {
        Ordering::Less => false,
        Ordering::Equal => written.eq_ignore_ascii_case(key),
        Ordering::Greater => written.trim().eq_ignore_ascii_case(key),
    }
}

/// Where a finding is reported.
#[derive(Clone, Copy)]
struct Place<'s> {
    site: Site<'s>,
    location: Location,
}

impl Place<'_> {
    /// The policy whose file holds the place.
    fn policy_id(&self) -> &str {
        self.site.policy.id()
    }

    /// The tenant of that policy.
    fn tenant(&self) -> &str {
        self.site.policy.tenant()
    }
}

/// The first of the elements that is in the user's own files; if there is none, the mistake is in
/// a base that only others can change, and the relying party that the tenant will refuse for it is
/// the place.
fn place<'s>(view: &Effective<'s>, sites: impl IntoIterator<Item = Site<'s>>) -> Option<Place<'s>> {
    let own = sites.into_iter().find(Site::is_own);
    let site = own.or_else(|| {
        let relying_party = view.relying_party()?;
        Some(
            relying_party
                .child("DefaultUserJourney")
                .unwrap_or(relying_party),
        )
    })?;
    Some(Place {
        site,
        location: telling_location(site),
    })
}

/// The part of an element that a finding about the whole element points at: its id, what it refers
/// to, its text.
fn telling_location(site: Site<'_>) -> Location {
    let attribute = match site.element.name() {
        "Item" | "EnabledForUserJourneys" => return site.location(site.element.text_span()),
        "TechnicalProfile" | "Key" | "DisplayControl" | "Action" => "Id",
        "Protocol" => "Name",
        "InputClaim" | "OutputClaim" | "PersistedClaim" => "ClaimTypeReferenceId",
        "DisplayClaim" if site.attribute("ClaimTypeReferenceId").is_none() => {
            "DisplayControlReferenceId"
        }
        "DisplayClaim" => "ClaimTypeReferenceId",
        "ClaimsExchange" => "TechnicalProfileReferenceId",
        _ => "ReferenceId",
    };
    site.attribute_location(attribute)
}

/// A technical profile that the policy's own file declares or extends, with what it is, for the
/// rules that need no relying party.
fn declared<'s>(
    view: &Effective<'s>,
) -> impl Iterator<Item = (Site<'s>, Rc<TechnicalProfile<'s>>)> {
    let policy = view.policy();
    policy
        .declarations(Kind::TechnicalProfile)
        .filter_map(move |element| {
            let profile = usable(view, element.attribute_value("Id")?)?;
            Some((Site { policy, element }, profile))
        })
}

/// A technical profile of which it is known what it is.
fn usable<'s>(view: &Effective<'s>, id: &str) -> Option<Rc<TechnicalProfile<'s>>> {
    let profile = view.technical_profile(id)?;
    let settled = profile.include_cycle.is_none() && !profile.includes_unknown;
    (settled && !is_engine(id)).then_some(profile)
}
