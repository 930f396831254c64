use std::sync::OnceLock;

use super::{
    Name, NamedThing, SentenceKind, UploadedPosition, begins_sentence, is_behind_an_end,
    next_beginning,
};

/// Names are never longer, in bytes; what is longer spans several sentences.
const LONGEST_NAME: usize = 1_000;

/// One sentence of the service: fixed text with names between.
#[derive(Debug)]
pub(super) struct Sentence {
    kind: SentenceKind,
    /// The text before the first name.
    beginning: &'static str,
    /// Each name with the text behind it.
    names: Vec<Slot>,
    end: End,
}

#[derive(Debug)]
struct Slot {
    name: Name,
    quoted: bool,
    behind: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With the last fixed text.
    Text,
    /// With the closing quote of the last name, and a full stop before or behind it.
    Quote,
    /// Nobody knows where: before the next sentence.
    Open,
}

/// A sentence found in a text.
#[derive(Debug)]
pub(super) struct Reading {
    /// Offset behind the last text that the table knows.
    pub(super) fixed_end: usize,
    /// Offset behind the sentence.
    pub(super) end: usize,
    pub(super) names: Vec<NamedThing>,
}

/// All sentences.
pub(super) fn all() -> &'static [Sentence] {
    static ALL: OnceLock<Vec<Sentence>> = OnceLock::new();
    ALL.get_or_init(|| {
        let table = TABLE.iter();
        table
            .map(|(kind, form)| Sentence::parse(*kind, form))
            .collect()
    })
}

/// The position that a sentence gives.
pub(super) fn position(text: &str, names: &[NamedThing]) -> Option<UploadedPosition> {
    let number = |name: Name| {
        let thing = names.iter().find(|thing| thing.name == name)?;
        thing.value.trim().parse::<u32>().ok()
    };
    let found = number(Name::Line).zip(number(Name::Column)).or_else(|| {
        // The words of .NET's XML reader: `… Line 1, position 1.`
        let (_, behind) = text.rsplit_once("Line ")?;
        let (line, behind) = behind.split_once(", position ")?;
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        Some((line.parse().ok()?, behind[..digits].parse().ok()?))
    });
    let (line, column) = found?;
    Some(UploadedPosition { line, column })
}

impl Sentence {
    /// Reads a form of the table: `<Name>` is a name in quotes, `{Name}` one without, `…` at the end
    /// means that more follows.
    fn parse(kind: SentenceKind, form: &'static str) -> Self {
        let (form, open) = match form.strip_suffix('…') {
            Some(form) => (form, true),
            None => (form.strip_suffix('.').unwrap_or(form), false),
        };
        let first = form.find(['<', '{']).unwrap_or(form.len());
        let (beginning, mut rest) = form.split_at(first);
        let mut names = Vec::new();
        while let Some(end) = rest.find(['>', '}']) {
            let (name, behind) = (&rest[1..end], &rest[end + 1..]);
            let next = behind.find(['<', '{']).unwrap_or(behind.len());
            names.push(Slot {
                name: name_of(name),
                quoted: rest.starts_with('<'),
                behind: &behind[..next],
            });
            rest = &behind[next..];
        }
        let end = match names.last() {
            _ if open => End::Open,
            Some(last) if last.behind.is_empty() => End::Quote,
            _ => End::Text,
        };
        Self {
            kind,
            beginning,
            names,
            end,
        }
    }

    pub(super) const fn kind(&self) -> SentenceKind {
        self.kind
    }

    /// Whether `text` begins like this sentence.
    pub(super) fn starts(&self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix(self.beginning) else {
            return false;
        };
        let quoted = self.names.first().is_some_and(|slot| slot.quoted);
        !quoted || rest.starts_with(['"', '\''])
    }

    /// Reads this sentence at the beginning of `text`.
    pub(super) fn read(&self, text: &str) -> Option<Reading> {
        let mut offset = text
            .strip_prefix(self.beginning)
            .map(|_| self.beginning.len())?;
        let mut names = Vec::new();
        for (index, slot) in self.names.iter().enumerate() {
            let last = index + 1 == self.names.len();
            let rest = &text[offset..];
            let (length, behind) = match (last, self.end) {
                (true, End::Text) => closing_text(rest, slot.behind)?,
                (true, End::Quote) => closing_quote(rest)?,
                _ => (rest.find(slot.behind)?, slot.behind.len()),
            };
            let value = &rest[..length];
            if !is_plausible(value) {
                return None;
            }
            let value = match (last, self.end) {
                // The closing quote is no part of it already.
                (true, End::Quote) => &value[1..],
                _ => without_quotes(value, slot.quoted),
            };
            names.push(NamedThing {
                name: slot.name,
                value: value.to_owned(),
            });
            offset += length + behind;
        }
        let end = match self.end {
            End::Open => next_beginning(text, offset),
            End::Text if text[offset..].starts_with('.') => offset + 1,
            End::Text | End::Quote => offset,
        };
        Some(Reading {
            fixed_end: offset,
            end,
            names,
        })
    }
}

/// Length of the last name and of what ends the sentence: the first closing text behind which the
/// message ends or goes on with a known sentence, else the first one.
fn closing_text(rest: &str, closing: &str) -> Option<(usize, usize)> {
    let mut found = rest.match_indices(closing).map(|(offset, _)| offset);
    let first = found.next()?;
    let fits = |offset: &usize| {
        let behind = &rest[offset + closing.len()..];
        is_end(behind.strip_prefix('.').unwrap_or(behind))
    };
    let best = std::iter::once(first).chain(found).find(fits);
    Some((best.unwrap_or(first), closing.len()))
}

/// The same for a sentence that ends with a name in quotes; the full stop may stand on either side
/// of the quote.
fn closing_quote(rest: &str) -> Option<(usize, usize)> {
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let ends = |offset: usize| {
        let behind = &rest[offset + 1..];
        if behind.starts_with('.') { 2 } else { 1 }
    };
    let mut found = rest.match_indices(quote).map(|(offset, _)| offset).skip(1);
    let first = found.next()?;
    let fits = |offset: &usize| is_end(&rest[offset + ends(*offset)..]);
    let best = std::iter::once(first).chain(found).find(fits);
    let offset = best.unwrap_or(first);
    // `"client_id."`: the full stop belongs to the sentence.
    let inside = rest[..offset].ends_with('.') && ends(offset) == 1;
    Some(if inside {
        (offset - 1, 2)
    } else {
        (offset, ends(offset))
    })
}

fn is_end(behind: &str) -> bool {
    let next = behind.trim_start();
    next.is_empty() || begins_sentence(next)
}

/// Whether this can be a name, and not a stretch of several sentences.
fn is_plausible(value: &str) -> bool {
    let mut offsets = value.char_indices().map(|(offset, _)| offset).skip(1);
    value.len() <= LONGEST_NAME
        && !value.contains('\n')
        && !offsets
            .any(|offset| is_behind_an_end(value, offset) && begins_sentence(&value[offset..]))
}

fn without_quotes(value: &str, quoted: bool) -> &str {
    let Some(quote) = value
        .chars()
        .next()
        .filter(|c| quoted && matches!(c, '"' | '\''))
    else {
        return value;
    };
    let value = &value[1..];
    value.strip_suffix(quote).unwrap_or(value)
}

fn name_of(name: &str) -> Name {
    match name {
        "Policy" => Name::Policy,
        "Tenant" => Name::Tenant,
        "OtherTenant" => Name::OtherTenant,
        "Directory" => Name::Directory,
        "TechnicalProfile" => Name::TechnicalProfile,
        "ClaimType" => Name::ClaimType,
        "ClaimsTransformation" => Name::ClaimsTransformation,
        "TransformationMethod" => Name::TransformationMethod,
        "UserJourney" => Name::UserJourney,
        "Step" => Name::Step,
        "ExchangeCount" => Name::ExchangeCount,
        "ClaimsExchange" => Name::ClaimsExchange,
        "MetadataKey" => Name::MetadataKey,
        "MetadataValue" => Name::MetadataValue,
        "Keyset" => Name::Keyset,
        "ReferenceKind" => Name::ReferenceKind,
        "Reference" => Name::Reference,
        "PageContract" => Name::PageContract,
        "Version" => Name::Version,
        "Line" => Name::Line,
        "Column" => Name::Column,
        _ => Name::Detail,
    }
}

/// The sentences of the service, as its users quote them in public reports.
#[rustfmt::skip]
const TABLE: &[(SentenceKind, &str)] = &[
    (SentenceKind::SchemaViolation, "Schema validation error found at line {Line} col {Column} in policy <Policy> of tenant <Tenant>: …"),
    (SentenceKind::NotXml, "The policy being uploaded is not XML or is not correctly formatted: …"),
    (SentenceKind::XmlError, "The uploaded XML has an error on line {Line} col {Column} : …"),
    (SentenceKind::BaseNotFound, "Policy with 'policyId': {Policy} cannot be found in the directory <Directory>."),
    (SentenceKind::MissingKeyset, "Tenant <Tenant> does not have CryptographicKey referenced by storageReferenceId <Keyset>."),
    (SentenceKind::PolicyExists, "Tenant <Tenant> already has a policy with id <Policy>. Another policy with the same id cannot be stored."),
    (SentenceKind::InvalidMetadata, "TechnicalProfile <TechnicalProfile> in policy <Policy> of tenant <Tenant> defines an invalid value <MetadataValue> for the metadata item <MetadataKey>."),
    (SentenceKind::MissingMetadata, "A required Metadata item with key <MetadataKey> was not found in the TechnicalProfile with id <TechnicalProfile> in policy <Policy> of tenant <Tenant>."),
    (SentenceKind::InputClaimUnavailable, "Claim type <ClaimType> is the input claim of technical profile <TechnicalProfile> in step <Step> of user journey <UserJourney> but it is not an output claim in any of the previous steps."),
    (SentenceKind::OutputClaimUnavailable, "Claim type <ClaimType> is the output claim of the relying party's technical profile, but it is not an output claim in any of the steps of user journey <UserJourney>."),
    (SentenceKind::SeveralExchanges, "User journey <UserJourney> in policy <Policy> of tenant <Tenant> has step {Step} with {ExchangeCount} claims exchanges. It must be preceded by a claims provider selection in order to determine which claims exchange can be used."),
    (SentenceKind::NoSendClaims, "User journey <UserJourney> does not contain a send claims step."),
    (SentenceKind::MissingStep, "User journey <UserJourney> in policy <Policy> of tenant <Tenant> was expected to have step with order <Step> but it was not found."),
    (SentenceKind::SelectionNotFollowed, "Orchestration step order <Step> in user journey <UserJourney> in policy <Policy> of tenant <Tenant> is followed by a claims provider selection step and must be a claims exchange, but it is of type…"),
    (SentenceKind::SelectionNotFollowed, "Orchestration step order <Step> in user journey <UserJourney> is followed by a claims provider selection step and must be a claims exchange, but it is of type…"),
    (SentenceKind::MissingExchange, "ClaimsExchange with id <ClaimsExchange> is referenced in UserJourney with id <UserJourney> in policy <Policy> of tenant <Tenant>, but it was not found."),
    (SentenceKind::DanglingReference, "Policy <Policy> of tenant <Tenant> makes a reference to {ReferenceKind} with id <Reference> but neither the policy nor any of its base policies contain such an element."),
    (SentenceKind::ForbiddenBase, "Policy <Policy> of tenant <Tenant> is not allowed to inherit from the specified base policy. Inheritance chain: …"),
    (SentenceKind::UnknownPageElement, "The element specified by id <PageContract> cannot be found in the element factory cache. Check that element definition exists in the elements folder."),
    (SentenceKind::PageContractVersion, "The specified page contract <PageContract> has invalid version <Version>. The available versions are: <Detail>."),
    (SentenceKind::ScriptWithoutContract, "Please use page contract in content definitions when enabling JavaScript."),
    (SentenceKind::InsecureAuthentication, "Profile <TechnicalProfile> uses an insecure authentication mode that is only allowed in production mode policies with metadata key <MetadataKey> set to true."),
    (SentenceKind::WeakPassword, "DisableStrongPassword is required in Technical Profile <TechnicalProfile> of policy <Policy> for custom password complexity or legacy password restriction with weak custom regular expression. Add \"DisablePasswordExpiration, DisableStrongPassword\" into PersistedClaim \"passwordPolicies\"."),
    (SentenceKind::UnsupportedOutputClaim, "Output Claim <ClaimType> is not supported in Azure Active Directory Provider technical profile <TechnicalProfile> of policy <Policy>. If it is a claim with default value, add AlwaysUseDefaultValue=\"true\" to the output claim mapping."),
    (SentenceKind::UnsourcedOutputClaim, "Output claim type <ClaimType> specified in the technical profile with id <TechnicalProfile> in policy <Policy> of tenant <Tenant> does not specify a UserInputType or a DefaultValue, and is not retrieved from a ValidationTechnicalProfile either."),
    (SentenceKind::TransformationMismatch, "The InputClaims mismatched in ClaimsTransformation with id <ClaimsTransformation> with TransformationMethod <TransformationMethod>. …"),
    (SentenceKind::TransformationMismatch, "The OutputClaims mismatched in ClaimsTransformation with id <ClaimsTransformation> with TransformationMethod <TransformationMethod>. …"),
    (SentenceKind::TransformationMismatch, "The InputParameters mismatched in ClaimsTransformation with id <ClaimsTransformation> with TransformationMethod <TransformationMethod>. …"),
    (SentenceKind::TenantMismatch, "TenantId in the policy xml <Tenant> is not same as the one in login tenant <OtherTenant>."),
    (SentenceKind::OtherTenantSignedIn, "User is currently logged as a user of <OtherTenant> tenant. In order to manage <Tenant>, please login as a user of <Detail> tenant."),
    (SentenceKind::MissingDataUri, "A content definition data uri is required. Orchestration step <Step> of user journey <UserJourney> in policy <Policy> does not reference one nor does one of its referenced technical profiles."),
    (SentenceKind::ServiceFault, "Object reference not set to an instance of an object."),
    (SentenceKind::BadFormat, "Input string was not in a correct format."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        for (sentence, (_, form)) in all().iter().zip(TABLE) {
            let names = form.matches(['<', '{']).count();
            assert_eq!(sentence.names.len(), names, "{form}");
            assert!(!sentence.beginning.is_empty(), "{form}");
            let known = form
                .split(['<', '{'])
                .skip(1)
                .filter_map(|part| part.split(['>', '}']).next())
                .all(|name| name == "Detail" || name_of(name) != Name::Detail);
            assert!(known, "{form}");
            if sentence.end == End::Quote {
                assert!(sentence.names.last().unwrap().quoted, "{form}");
            }
        }
    }
}
