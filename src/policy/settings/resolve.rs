use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use super::escape::{self, Fragment, Misplaced};
use super::expand::{Chunk, Expansion, FileStem, global};
use super::findings::{self, Place};
use super::markup::{Context, Markup};
use super::placeholder::{Kind, placeholders};
use super::{BuiltIn, Notation, Settings};
use crate::diagnostics::{
    Diagnostic, Location, Piece, Source, SourceId, SourceMap, Span, Splice, Splices, TextMap,
};
use crate::policy::initial_domain::InitialDomain;

/// More bytes than this a resolved text never gets; a policy may have 1024 KB.
const MAX_TEXT: usize = 64 << 20;
/// So many misspelt keys of one file get a suggestion.
const MAX_SUGGESTIONS: usize = 100;

/// Replaces placeholders; made once per run.
#[derive(Debug)]
pub struct Resolver<'s> {
    pub(super) settings: &'s Settings,
    pub(super) expansion: Expansion,
    /// Positions of the values that hang on one that is still to be looked up.
    waiting: BTreeSet<usize>,
}

/// A key without a value.
#[derive(Debug)]
pub struct Undefined {
    /// As the file writes it first.
    pub(super) key: String,
    /// As keys are compared.
    pub(super) folded: String,
    /// Where the file uses it; the first place has the finding.
    pub(super) places: Vec<Location>,
}

/// What became of one file.
#[derive(Debug)]
pub struct Resolution {
    /// The file, in the map that it was resolved into.
    pub id: SourceId,
    /// What is wrong with its placeholders. Faults of the values themselves are not here: they are
    /// said once, by [`Resolver::check`].
    pub diagnostics: Vec<Diagnostic>,
    /// The keys without a value.
    pub undefined: Vec<Undefined>,
    /// Positions in [`Settings::values`] of the settings that the file names outside of comments.
    pub used: BTreeSet<usize>,
    /// Where placeholders are left in the resolved text, outside of comments. What else is found
    /// there follows from the missing value and need not be told.
    pub unresolved: Vec<Span>,
    /// Where values stand in the resolved text that stand in for ones to be looked up in the tenant.
    /// Their form is right, their value says nothing.
    pub looked_up: Vec<Span>,
}

/// A file whose placeholders are replaced, on its way into the map of sources.
#[derive(Debug)]
pub struct Replaced {
    source: Source,
    /// What is wrong with what was searched and replaced.
    findings: Vec<Diagnostic>,
    used: BTreeSet<usize>,
    left: Vec<(Span, Left)>,
    looked_up: Vec<Span>,
}

/// Why a placeholder stays.
#[derive(Debug)]
enum Left {
    /// There is no value for this key.
    Undefined(String),
    /// Something in braces that is none, but nearly one.
    Misspelt(String),
    /// No placeholder at all.
    Text,
    /// The value is at fault; told elsewhere.
    Faulty,
    Malformed(&'static str),
    Misplaced(Misplaced),
    Illegal(char),
    Oversized,
}

impl<'s> Resolver<'s> {
    /// Expands the values of `settings`.
    pub fn new(settings: &'s Settings) -> Self {
        let expansion = Expansion::new(settings);
        let waiting = waiting(settings, &expansion);
        Self {
            settings,
            expansion,
            waiting,
        }
    }

    /// Replaces the placeholders of `source` and adds it to `sources`. Where nothing is replaced the
    /// text stays shared with the original.
    pub fn resolve(&self, source: Source, sources: &mut SourceMap) -> Resolution {
        self.add(self.replace(source), sources)
    }

    /// The first half of [`Resolver::resolve`], which needs no other file.
    pub fn replace(&self, source: Source) -> Replaced {
        let mut findings = Vec::new();
        let source = match self.settings.replacements.is_empty() {
            true => source,
            false => self.search_and_replace(source, &mut findings),
        };
        let text = source.text().clone();
        let mut run = Run {
            resolver: self,
            stem: Rc::new(FileStem::new(source.name())),
            full: false,
            out: String::new(),
            pieces: Vec::new(),
            used: BTreeSet::new(),
            left: Vec::new(),
            looked_up: Vec::new(),
        };
        run.replace_all(&text);
        let Run {
            out,
            pieces,
            used,
            left,
            looked_up,
            ..
        } = run;
        let source = if pieces.is_empty() {
            source
        } else if source.map().pieces().is_empty() {
            source.resolved(out, TextMap::new(pieces))
        } else {
            let splices = pieces.iter().map(|piece| Splice {
                span: piece.original,
                replacement: piece.resolved.of(&out).to_owned(),
            });
            let splices = Splices::new(splices.collect());
            source.spliced(&splices)
        };
        Replaced {
            source,
            findings,
            used,
            left,
            looked_up,
        }
    }

    /// The second half: adds the file to `sources`, and says what is wrong with its placeholders.
    pub fn add(&self, replaced: Replaced, sources: &mut SourceMap) -> Resolution {
        let Replaced {
            source,
            findings,
            used,
            left,
            looked_up,
        } = replaced;
        let id = sources.add(source);
        let unresolved = left.iter().map(|(span, _)| *span).collect();
        let (mut diagnostics, undefined) = self.report(id, sources.get(id).text(), &left);
        diagnostics.extend(findings);
        Resolution {
            id,
            diagnostics,
            undefined,
            used,
            unresolved,
            looked_up,
        }
    }

    /// Replaces the sample tenant and then what is to be searched for in this file, in this order.
    fn search_and_replace(&self, source: Source, findings: &mut Vec<Diagnostic>) -> Source {
        let mut source = source;
        if let Some(tenant) = &self.settings.tenant {
            let tenant = domain(tenant);
            let found = placeholders(source.text(), Notation::Settings, true);
            let splices = found
                .filter(|placeholder| placeholder.kind == Kind::SampleTenant)
                .map(|placeholder| Splice {
                    span: span(placeholder.range.start, placeholder.range.end),
                    replacement: tenant.clone(),
                });
            let splices = Splices::new(splices.collect());
            if !splices.is_empty()
                && tenant
                    .chars()
                    .all(|c| c.is_alphanumeric() || "-.".contains(c))
            {
                source = source.spliced(&splices);
            }
        }
        for replacement in &self.settings.replacements {
            if replacement.file() != source.name() {
                continue;
            }
            let Some(replaced) = replacement.apply(source.clone(), MAX_TEXT) else {
                findings.push(findings::oversized_replacement(replacement, MAX_TEXT));
                break;
            };
            if replaced.matches == 0 {
                findings.push(findings::no_match(replacement));
            }
            source = replaced.source;
        }
        source
    }

    /// What is wrong with the values that `used` names (the union over all files), directly or
    /// through other values, and which settings nobody uses.
    pub fn check(&self, used: &BTreeSet<usize>) -> Vec<Diagnostic> {
        findings::check(self, used)
    }

    /// One finding per undefined key, as it is one mistake; one per place for the rest.
    fn report(
        &self,
        id: SourceId,
        text: &str,
        left: &[(Span, Left)],
    ) -> (Vec<Diagnostic>, Vec<Undefined>) {
        let mut diagnostics = Vec::new();
        let mut undefined: BTreeMap<String, (&str, Vec<Span>)> = BTreeMap::new();
        for (span, why) in left {
            let place = Place::new(id, *span, text);
            match why {
                Left::Faulty | Left::Text => {}
                Left::Undefined(key) => undefined
                    .entry(self.settings.notation.fold(key))
                    .or_insert_with(|| (key, Vec::new()))
                    .1
                    .push(*span),
                Left::Misspelt(key) => {
                    diagnostics.push(findings::misspelt(self.settings, place, key));
                }
                Left::Malformed(reason) => {
                    let notation = self.settings.notation;
                    diagnostics.push(findings::malformed(place, notation, reason));
                }
                Left::Misplaced(misplaced) => {
                    diagnostics.push(findings::misplaced(place, *misplaced));
                }
                Left::Illegal(character) => {
                    diagnostics.push(findings::illegal_built_in(place, *character));
                }
                Left::Oversized => diagnostics.push(findings::oversized_text(place, MAX_TEXT)),
            }
        }
        for (count, (key, spans)) in undefined.values().enumerate() {
            if let Some((first, others)) = spans.split_first() {
                let place = Place::new(id, *first, text);
                let suggest = count < MAX_SUGGESTIONS;
                let settings = self.settings;
                diagnostics.push(findings::undefined(settings, key, place, others, suggest));
            }
        }
        diagnostics.sort_by_key(|diagnostic| diagnostic.primary.location);
        let places = |spans: Vec<Span>| {
            let spans = spans.into_iter();
            spans.map(|span| Location { source: id, span }).collect()
        };
        let undefined = undefined.into_iter();
        let undefined = undefined.map(|(folded, (key, spans))| Undefined {
            key: key.to_owned(),
            folded,
            places: places(spans),
        });
        (diagnostics, undefined.collect())
    }
}

/// The state while one text is rewritten.
struct Run<'r, 's> {
    resolver: &'r Resolver<'s>,
    stem: Rc<FileStem>,
    /// Whether the text has reached its limit, so that nothing is replaced any more.
    full: bool,
    out: String,
    pieces: Vec<Piece>,
    used: BTreeSet<usize>,
    left: Vec<(Span, Left)>,
    looked_up: Vec<Span>,
}

impl Run<'_, '_> {
    fn replace_all(&mut self, text: &str) {
        let mut markup = Markup::new(text);
        let mut copied = 0;
        let settings = self.resolver.settings;
        for placeholder in placeholders(text, settings.notation, settings.tenant.is_some()) {
            let Range { start, end } = placeholder.range;
            let context = markup.at(start);
            if matches!(context, Context::Comment | Context::Declaration) {
                continue;
            }
            if self.out.is_empty() {
                // Values are hardly longer than their keys.
                self.out.reserve(text.len() + text.len() / 16);
            }
            self.out.push_str(&text[copied..start]);
            copied = end;
            let before = self.out.len();
            let is_waiting = self.is_waiting(&placeholder.kind);
            let result = self.replacement(placeholder.kind, context, &text[end..]);
            if matches!(result, Err(Left::Text)) {
                self.out.push_str(&text[start..end]);
                continue;
            }
            if result.is_err() {
                self.out.truncate(before);
                self.out.push_str(&text[start..end]);
            }
            let resolved = span(before, self.out.len());
            if is_waiting {
                self.looked_up.push(resolved);
            }
            match result {
                Ok(()) => self.pieces.push(Piece {
                    original: span(start, end),
                    resolved,
                }),
                Err(why) => self.left.push((resolved, why)),
            }
        }
        if !self.pieces.is_empty() {
            self.out.push_str(&text[copied..]);
        }
    }

    fn is_waiting(&self, kind: &Kind<'_>) -> bool {
        let Kind::Key(key) = kind else {
            return false;
        };
        let resolver = self.resolver;
        !resolver.waiting.is_empty()
            && resolver
                .expansion
                .find(key)
                .is_some_and(|position| resolver.waiting.contains(&position))
    }

    /// Appends the value of a placeholder.
    fn replacement(
        &mut self,
        kind: Kind<'_>,
        context: Context,
        following: &str,
    ) -> Result<(), Left> {
        let resolver = self.resolver;
        let settings = resolver.settings;
        let key = match kind {
            Kind::Malformed(reason) => return Err(Left::Malformed(reason)),
            Kind::SampleTenant => {
                let tenant = settings.tenant.as_deref().ok_or(Left::Text)?;
                return self.append(&[literal(&domain(tenant))?], context, following);
            }
            Kind::SampleName => {
                let name = settings.tenant.as_deref().and_then(first_label);
                let name = name.ok_or_else(|| Left::Undefined("yourtenant".to_owned()))?;
                return self.append(&[literal(name)?], context, following);
            }
            Kind::Maybe(key) => self.in_braces(key)?,
            Kind::Key(key) => key,
        };
        let undefined = || Left::Undefined(key.to_owned());
        match settings.notation.built_in(key) {
            Some(built_in @ (BuiltIn::Filename | BuiltIn::PolicyFilename)) => {
                let stem = Rc::clone(&self.stem);
                let name = stem.value(built_in);
                self.append(&[literal(name)?], context, following)
            }
            Some(built_in) => {
                let value = global(settings, built_in).ok_or_else(undefined)?;
                self.append(&[literal(value)?], context, following)
            }
            None => {
                let position = resolver.expansion.find(key).ok_or_else(undefined)?;
                self.used.insert(position);
                let Ok(chunks) = resolver.expansion.value(position) else {
                    return Err(Left::Faulty);
                };
                let stem = Rc::clone(&self.stem);
                if chunks
                    .iter()
                    .any(|chunk| matches!(chunk, Chunk::FileName(_)))
                {
                    literal(stem.value(BuiltIn::Filename))?;
                }
                let fragments: Vec<_> = chunks.iter().map(|chunk| chunk.fragment(&stem)).collect();
                self.append(&fragments, context, following)
            }
        }
    }

    /// Whether something in braces is a placeholder of IEFPolicies: it is if it is defined, and it must
    /// be one if others of its group are. What differs in case only is doubtful.
    fn in_braces<'k>(&self, key: &'k str) -> Result<&'k str, Left> {
        let resolver = self.resolver;
        if resolver.expansion.find(key).is_some() {
            return Ok(key);
        }
        if let Some((group, _)) = key.rsplit_once(':')
            && resolver.expansion.has_group(group)
        {
            return Err(Left::Undefined(key.to_owned()));
        }
        let mut values = resolver.settings.values.iter();
        match values.any(|setting| setting.key.eq_ignore_ascii_case(key)) {
            true => Err(Left::Misspelt(key.to_owned())),
            false => Err(Left::Text),
        }
    }

    fn append(
        &mut self,
        fragments: &[Fragment<'_>],
        context: Context,
        following: &str,
    ) -> Result<(), Left> {
        if self.full {
            return Err(Left::Faulty);
        }
        escape::append(&mut self.out, fragments.iter().copied(), context, following)
            .map_err(Left::Misplaced)?;
        if self.out.len() + following.len() > MAX_TEXT {
            self.full = true;
            return Err(Left::Oversized);
        }
        Ok(())
    }
}

/// The values that are to be looked up, and those that refer to them.
fn waiting(settings: &Settings, expansion: &Expansion) -> BTreeSet<usize> {
    let mut waiting: BTreeSet<usize> = settings.lookups.iter().map(|(at, _)| *at).collect();
    loop {
        let before = waiting.len();
        if before == 0 {
            return waiting;
        }
        for position in 0..settings.values.len() {
            let mut references = expansion.references(position).iter();
            if references.any(|other| waiting.contains(other)) {
                waiting.insert(position);
            }
        }
        if waiting.len() == before {
            return waiting;
        }
    }
}

/// A built-in value. Values of settings were checked when they were expanded.
fn literal(text: &str) -> Result<Fragment<'_>, Left> {
    match text.chars().find(|character| !escape::is_legal(*character)) {
        Some(illegal) => Err(Left::Illegal(illegal)),
        None => Ok(Fragment {
            text,
            is_xml: false,
        }),
    }
}

/// The domain that takes the place of `yourtenant.onmicrosoft.com`. Files of other tools may hold
/// only the first label of the tenant's domain.
fn domain(tenant: &str) -> String {
    if tenant.contains('.') || is_id(tenant) {
        tenant.to_owned()
    } else {
        format!("{tenant}.onmicrosoft.com")
    }
}

fn is_id(tenant: &str) -> bool {
    tenant.len() == 36 && tenant.matches('-').count() == 4
}

/// The name of a tenant, which its first domain begins with: `contoso` of `contoso.onmicrosoft.com`.
fn first_label(tenant: &str) -> Option<&str> {
    match tenant.contains('.') {
        true => InitialDomain::of(tenant).map(|domain| domain.name),
        false => (!is_id(tenant)).then_some(tenant),
    }
}

fn span(start: usize, end: usize) -> Span {
    Span::new(start as u32, end as u32)
}
