//! Takes the service's message about a rejected policy apart. The service joins its sentences without
//! any separator, so they are found by how they begin and end.

mod sentences;

/// What the service found in a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationFailure {
    /// The number of errors that the message announces.
    pub count: Option<usize>,
    /// The policy, in upper case as the message writes it.
    pub policy: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
    /// What stands before the announcement, if anything does.
    pub preamble: Option<String>,
    /// The errors in the order of the message.
    pub items: Vec<ValidationItem>,
}

impl ValidationFailure {
    /// Whether as many errors were found as the message announces.
    pub fn is_complete(&self) -> bool {
        self.count.is_none_or(|count| count == self.items.len())
    }
}

/// A position in the text that was uploaded, as the service counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadedPosition {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// One error that the service found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationItem {
    /// The service's sentence or sentences.
    pub text: String,
    /// What they are about.
    pub kind: SentenceKind,
    /// Where in the uploaded text, if the service says so.
    pub position: Option<UploadedPosition>,
    /// What they name, in the order of the text, without quotes.
    pub names: Vec<NamedThing>,
}

impl ValidationItem {
    /// The first thing of this sort that the sentence names.
    pub fn get(&self, name: Name) -> Option<&str> {
        let thing = self.names.iter().find(|thing| thing.name == name)?;
        Some(&thing.value)
    }
}

/// Something that a sentence names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedThing {
    /// What sort of thing.
    pub name: Name,
    /// Its id or value as the sentence writes it.
    pub value: String,
}

/// The sorts of things that the service's sentences name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the terms of the field")]
pub enum Name {
    Policy,
    Tenant,
    OtherTenant,
    Directory,
    TechnicalProfile,
    ClaimType,
    ClaimsTransformation,
    TransformationMethod,
    UserJourney,
    Step,
    ExchangeCount,
    ClaimsExchange,
    MetadataKey,
    MetadataValue,
    Keyset,
    /// The kind of element that a dangling reference wants, for example `ClaimType`.
    ReferenceKind,
    Reference,
    PageContract,
    Version,
    Line,
    Column,
    /// Text that is not taken apart any further.
    Detail,
}

/// What a sentence of the service is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "the sentences stand beside the names in sentences.rs"
)]
pub enum SentenceKind {
    SchemaViolation,
    NotXml,
    XmlError,
    BaseNotFound,
    MissingKeyset,
    PolicyExists,
    InvalidMetadata,
    MissingMetadata,
    InputClaimUnavailable,
    OutputClaimUnavailable,
    SeveralExchanges,
    NoSendClaims,
    MissingStep,
    SelectionNotFollowed,
    MissingExchange,
    DanglingReference,
    ForbiddenBase,
    UnknownPageElement,
    PageContractVersion,
    ScriptWithoutContract,
    InsecureAuthentication,
    WeakPassword,
    UnsupportedOutputClaim,
    UnsourcedOutputClaim,
    TransformationMismatch,
    TenantMismatch,
    OtherTenantSignedIn,
    MissingDataUri,
    ServiceFault,
    BadFormat,
    /// A sentence that is not in the table; only its text is known.
    Unknown,
}

/// Takes a message apart: `Validation failed: N validation error(s) found in policy "P" of tenant
/// "T".` and the sentences behind it, or a single known sentence that the service sends alone. `None`
/// if it is neither. No part of the message is lost; a list that the message holds twice, as the
/// portal shows it, is given once.
pub fn split_validation_message(message: &str) -> Option<ValidationFailure> {
    let Some(header) = Header::find(message) else {
        let message = message.trim();
        let alone = sentences::all()
            .iter()
            .any(|sentence| sentence.starts(message));
        return alone.then(|| ValidationFailure {
            count: None,
            policy: None,
            tenant: None,
            preamble: None,
            items: items_of(message, None),
        });
    };
    let announcement = &message[header.start..header.end];
    let body = message[header.end..].replace(announcement, "\r\n");
    let preamble = message[..header.start].trim();
    Some(ValidationFailure {
        count: Some(header.count),
        policy: Some(header.policy.to_owned()),
        tenant: Some(header.tenant.to_owned()),
        preamble: (!preamble.is_empty()).then(|| preamble.to_owned()),
        items: items_of(&body, Some(header.count)),
    })
}

struct Header<'a> {
    start: usize,
    end: usize,
    count: usize,
    policy: &'a str,
    tenant: &'a str,
}

impl<'a> Header<'a> {
    fn find(message: &'a str) -> Option<Self> {
        const BEGINNING: &str = "Validation failed: ";
        let start = message.find(BEGINNING)?;
        let rest = &message[start + BEGINNING.len()..];
        let (count, rest) = rest.split_once(" validation error(s) found in policy ")?;
        let count = count.parse().ok()?;
        let (policy, rest) = rest.split_once(" of tenant ")?;
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (tenant, rest) = rest[1..].split_once(quote)?;
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        Some(Self {
            start,
            end: message.len() - rest.len(),
            count,
            policy: policy.trim_matches(['"', '\'']),
            tenant,
        })
    }
}

/// How far unknown text is taken apart, from cautious to bold.
#[derive(Clone, Copy)]
enum Cut {
    Nowhere,
    AtLineEnds,
    /// Also where a full stop is followed by a capital without a blank, as between two sentences
    /// of the service, but also in `Web.TPEngine`.
    AtFullStops,
}

fn items_of(body: &str, count: Option<usize>) -> Vec<ValidationItem> {
    let pieces = pieces_of(body);
    let cut = |cut: Cut| -> Vec<ValidationItem> {
        let items = pieces.iter().flat_map(|piece| piece.items(cut));
        let items: Vec<_> = items.collect();
        without_repetition(items, count)
    };
    let cautious = cut(Cut::AtLineEnds);
    let Some(count) = count else {
        return cautious;
    };
    if cautious.len() == count {
        return cautious;
    }
    [Cut::Nowhere, Cut::AtFullStops]
        .into_iter()
        .map(cut)
        .find(|items| items.len() == count)
        .unwrap_or(cautious)
}

/// A stretch of the message: one sentence from the table, or unknown text.
struct Piece<'a> {
    text: &'a str,
    known: Option<(SentenceKind, Vec<NamedThing>)>,
}

fn pieces_of(body: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = body.trim();
    while !rest.is_empty() {
        let matched = sentences::all()
            .iter()
            .filter_map(|sentence| Some((sentence, sentence.read(rest)?)))
            // Sentences may begin alike; the one that ends first has not swallowed another.
            .min_by_key(|(_, reading)| reading.fixed_end);
        let (end, known) = match matched {
            Some((sentence, reading)) => (reading.end, Some((sentence.kind(), reading.names))),
            None => (next_beginning(rest, 0), None),
        };
        let (text, behind) = rest.split_at(end);
        pieces.push(Piece {
            text: text.trim(),
            known,
        });
        rest = behind.trim_start();
    }
    pieces
}

/// Where, behind `from`, the next known sentence begins after the end of another; else the end.
fn next_beginning(text: &str, from: usize) -> usize {
    let offsets = text[from..].char_indices().map(|(offset, _)| from + offset);
    offsets
        .skip(1)
        .find(|offset| is_behind_an_end(text, *offset) && begins_sentence(&text[*offset..]))
        .unwrap_or(text.len())
}

fn is_behind_an_end(text: &str, offset: usize) -> bool {
    let before = &text[..offset];
    let sentence = before.trim_end();
    before[sentence.len()..].contains('\n') || sentence.ends_with(['.', '}', ']'])
}

fn begins_sentence(text: &str) -> bool {
    sentences::all()
        .iter()
        .any(|sentence| sentence.starts(text))
}

impl Piece<'_> {
    fn items(&self, cut: Cut) -> Vec<ValidationItem> {
        if let Some((kind, names)) = &self.known {
            return vec![ValidationItem {
                text: self.text.to_owned(),
                kind: *kind,
                position: sentences::position(self.text, names),
                names: names.clone(),
            }];
        }
        let lines: Vec<&str> = match cut {
            Cut::Nowhere => vec![self.text],
            Cut::AtLineEnds => self.text.lines().collect(),
            Cut::AtFullStops => self.text.lines().flat_map(at_full_stops).collect(),
        };
        let lines = lines.into_iter().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty());
        lines
            .map(|line| ValidationItem {
                text: line.to_owned(),
                kind: SentenceKind::Unknown,
                position: None,
                names: Vec::new(),
            })
            .collect()
    }
}

fn at_full_stops(line: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (offset, _) in line.match_indices('.') {
        let behind = line[offset + 1..].chars().next();
        if behind.is_some_and(char::is_uppercase) {
            sentences.push(&line[start..=offset]);
            start = offset + 1;
        }
    }
    sentences.push(&line[start..]);
    sentences
}

/// Removes the second copy of a list that stands there twice: as a whole, or item by item.
fn without_repetition(mut items: Vec<ValidationItem>, count: Option<usize>) -> Vec<ValidationItem> {
    let Some(count) = count else {
        return items;
    };
    if count == 0 || items.len() != 2 * count {
        return items;
    }
    if items[..count] == items[count..] {
        items.truncate(count);
    } else if items.chunks(2).all(|pair| pair[0] == pair[1]) {
        items = items.into_iter().step_by(2).collect();
    }
    items
}

#[cfg(test)]
mod tests;
