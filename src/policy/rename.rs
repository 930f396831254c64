use std::collections::HashMap;

use crate::diagnostics::{SourceId, SourceMap, Span, Splice, Splices};
use crate::xml::{self, Document, Element, NodeKind};

use super::header::{Header, Named};

/// What every id of a custom policy begins with.
const FIRST: &str = "B2C_1A_";

/// Longest id, in bytes. The service documents none; a segment of a URL that every part of the web
/// passes on is not longer.
const LONGEST_ID: usize = 250;

/// How the policies of a set are called in a copy that lives beside the set itself in one tenant:
/// `B2C_1A_SignIn` becomes `B2C_1A_` *prefix* `SignIn` *suffix*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renaming {
    prefix: String,
    suffix: String,
}

/// Why policies cannot be called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenamingError {
    /// A character that no id can have.
    #[error(
        "`{text}` cannot be part of a PolicyId: {found:?} is no letter, digit, `_`, `-` or `.`"
    )]
    Character {
        /// The prefix or suffix.
        text: String,
        /// The character.
        found: char,
    },
    /// The prefix does not end where a name begins.
    #[error(
        "prefix `{prefix}` must end with its only `_`, so that no other prefix begins with it; write \
         `{better}`"
    )]
    Open {
        /// The prefix.
        prefix: String,
        /// One that would do.
        better: String,
    },
    /// The prefix repeats what ids begin with anyway.
    #[error("a prefix stands behind `B2C_1A_` and does not repeat it; write `{rest}`")]
    Repeated {
        /// What is behind it.
        rest: String,
    },
    /// An id cannot end so.
    #[error("suffix `{suffix}` must end with a letter, a digit, `_` or `-`")]
    End {
        /// The suffix.
        suffix: String,
    },
    /// There is neither prefix nor suffix.
    #[error("a copy needs a prefix or a suffix that is not empty")]
    Empty,
    /// An id becomes too long.
    #[error("`{id}` has {length} characters; the longest PolicyId that is sure to work has 250")]
    TooLong {
        /// The id.
        id: String,
        /// Its length.
        length: usize,
    },
    /// A policy of the copy takes the place of one that the set inherits from.
    #[error(
        "the copy would contain `{id}`, but {heir} inherits from the policy of that name, which is \
         not among the files; choose another prefix or suffix"
    )]
    Captures {
        /// The id.
        id: String,
        /// A policy that inherits from it, as its file writes it.
        heir: String,
    },
}

impl Renaming {
    /// A copy with this prefix and suffix; one of them may be empty.
    ///
    /// # Errors
    /// See [`RenamingError`].
    pub fn new(prefix: &str, suffix: &str) -> Result<Self, RenamingError> {
        let renaming = Self::checked(prefix, suffix)?;
        // `pr_` would also mean the copy `pr_2_`, and removing one would remove the other.
        if !prefix.is_empty() && prefix.find('_') != Some(prefix.len() - 1) {
            let name = prefix.trim_end_matches(['_', '-', '.']);
            let better = format!("{}_", name.replace('_', "-"));
            let prefix = prefix.to_owned();
            return Err(RenamingError::Open { prefix, better });
        }
        Ok(renaming)
    }

    /// The prefix that a project gives to all its policies. There is no second one with which it could
    /// be mistaken, so that it may end with anything.
    ///
    /// # Errors
    /// See [`RenamingError`].
    pub fn of_project(prefix: &str) -> Result<Self, RenamingError> {
        Self::checked(prefix, "")
    }

    fn checked(prefix: &str, suffix: &str) -> Result<Self, RenamingError> {
        if prefix.is_empty() && suffix.is_empty() {
            return Err(RenamingError::Empty);
        }
        for text in [prefix, suffix] {
            if let Some(found) = text.chars().find(|character| !is_id_character(*character)) {
                let text = text.to_owned();
                return Err(RenamingError::Character { text, found });
            }
        }
        if let Some(rest) = without_first(prefix) {
            let rest = rest.to_owned();
            return Err(RenamingError::Repeated { rest });
        }
        if suffix.ends_with('.') {
            let suffix = suffix.to_owned();
            return Err(RenamingError::End { suffix });
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
        })
    }

    /// What stands behind `B2C_1A_`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What stands at the end.
    pub fn suffix(&self) -> &str {
        &self.suffix
    }

    /// The id of a policy in the copy.
    pub fn id(&self, id: &str) -> String {
        let (first, rest) = match without_first(id) {
            Some(rest) => (&id[..FIRST.len()], rest),
            None => ("", id),
        };
        format!("{first}{}{rest}{}", self.prefix, self.suffix)
    }

    /// Whether a policy of the tenant belongs to a copy with this prefix, whatever its suffix.
    pub fn covers(&self, id: &str) -> bool {
        without_first(id).is_some_and(|rest| {
            rest.len() > self.prefix.len()
                && rest
                    .get(..self.prefix.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(&self.prefix))
        })
    }

    /// Renames the policies of `own` and every reference among them to one of them, in the resolved
    /// texts of `sources`. Returns what was changed in which text. Texts that are no policies or not
    /// well-formed are looked at as far as they can be understood.
    ///
    /// # Errors
    /// [`RenamingError::TooLong`] and [`RenamingError::Captures`]; nothing is changed then.
    pub fn apply(
        &self,
        sources: &mut SourceMap,
        own: &[SourceId],
    ) -> Result<HashMap<SourceId, Splices>, RenamingError> {
        let files: Vec<(SourceId, Document, Header)> = own
            .iter()
            .filter_map(|&id| {
                let (document, _) = xml::parse(sources.get(id).text(), id);
                let header = Header::read(&document, id)?;
                Some((id, document, header))
            })
            .collect();
        let ids = files.iter().filter_map(|(_, _, header)| {
            let id = header.policy_id.as_ref()?.value.as_str();
            (!id.is_empty()).then(|| (id.to_ascii_lowercase(), self.id(id)))
        });
        let names = Names {
            renaming: self,
            ids: ids.collect(),
        };
        names.check(files.iter().map(|(_, _, header)| header))?;
        let mut changed = HashMap::new();
        for (id, document, header) in &files {
            let splices = names.splices(document, header);
            if !splices.is_empty() {
                sources.splice(*id, &splices);
                changed.insert(*id, splices);
            }
        }
        Ok(changed)
    }
}

/// The policies of a set: new ids by folded old ones.
struct Names<'r> {
    renaming: &'r Renaming,
    ids: HashMap<String, String>,
}

impl Names<'_> {
    fn contains(&self, id: &str) -> bool {
        self.ids.contains_key(&id.to_ascii_lowercase())
    }

    fn check<'h>(&self, headers: impl Iterator<Item = &'h Header>) -> Result<(), RenamingError> {
        let mut new: Vec<&String> = self.ids.values().collect();
        new.sort();
        if let Some(id) = new.iter().find(|id| id.len() > LONGEST_ID) {
            return Err(RenamingError::TooLong {
                id: (*id).clone(),
                length: id.len(),
            });
        }
        for header in headers {
            let Some(base) = &header.base else {
                continue;
            };
            let base = &base.policy_id;
            if !self.contains(&base.value) && new.iter().any(|id| base.same(id)) {
                let heir = header.policy_id.as_ref();
                return Err(RenamingError::Captures {
                    id: base.value.clone(),
                    heir: heir.map_or_else(String::new, |heir| heir.value.clone()),
                });
            }
        }
        Ok(())
    }

    fn splices(&self, document: &Document, header: &Header) -> Splices {
        let text = document.text();
        let mut splices = Vec::new();
        let base = header.base.as_ref().map(|base| &base.policy_id);
        for named in header.policy_id.iter().chain(base) {
            self.header(named, text, &mut splices);
        }
        for element in document.elements() {
            for attribute in element.attributes() {
                let name = attribute.name();
                let reroutes = name == "PolicyId" && element.name() == "RerouteRule";
                if is_own_id(name) && !reroutes {
                    continue;
                }
                let whole = reroutes || matches!(name, "DefaultValue" | "Value");
                self.text(attribute.value_span(), text, whole, &mut splices);
            }
            let is_header = element.name() == "PolicyId"
                && element
                    .parent()
                    .is_some_and(|parent| parent.name() == "BasePolicy");
            if is_header {
                continue;
            }
            let whole = names_policies(element);
            for node in element.child_nodes() {
                if node.kind() == NodeKind::Text {
                    self.text(node.span(), text, whole, &mut splices);
                }
            }
        }
        Splices::new(splices)
    }

    /// `PolicyId` and `BasePolicy/PolicyId`.
    fn header(&self, named: &Named, text: &str, splices: &mut Vec<Splice>) {
        if !self.contains(&named.value) {
            return;
        }
        let span = named.location.span;
        let raw = span.of(text);
        let Some(offset) = raw.find(&named.value) else {
            // Written with character references or in several pieces. Ids hold nothing that would
            // have to be escaped.
            splices.push(Splice {
                span,
                replacement: self.renaming.id(&named.value),
            });
            return;
        };
        let start = span.start + offset as u32;
        self.insert(start, &named.value, splices);
    }

    /// Every id in a piece of raw text that names a policy of the set: behind `/` or `=`, as URLs
    /// have it, or anywhere if `whole`.
    fn text(&self, span: Span, text: &str, whole: bool, splices: &mut Vec<Splice>) {
        let raw = span.of(text);
        let bytes = raw.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if !is_id_byte(bytes[at]) {
                at += 1;
                continue;
            }
            let length = bytes[at..].iter().take_while(|byte| is_id_byte(**byte));
            let mut start = at;
            at += length.count();
            // `%2F` and `%3D` are delimiters too.
            let escaped = start > 0
                && bytes[start - 1] == b'%'
                && bytes
                    .get(start..start + 2)
                    .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
            let in_url = if escaped {
                let code = raw[start..start + 2].to_ascii_lowercase();
                start += 2;
                matches!(code.as_str(), "2f" | "3d")
            } else {
                start > 0 && matches!(bytes[start - 1], b'/' | b'=')
            };
            let token = raw[start..at].trim_end_matches('.');
            if (whole || in_url) && self.contains(token) {
                self.insert(span.start + start as u32, token, splices);
            }
        }
    }

    fn insert(&self, start: u32, id: &str, splices: &mut Vec<Splice>) {
        let behind_first = without_first(id).map_or(0, |_| FIRST.len() as u32);
        let parts = [
            (start + behind_first, &self.renaming.prefix),
            (start + id.len() as u32, &self.renaming.suffix),
        ];
        for (at, part) in parts {
            if !part.is_empty() {
                splices.push(Splice {
                    span: Span::at(at),
                    replacement: part.clone(),
                });
            }
        }
    }
}

/// Elements whose text is compared with ids of policies or names them: metadata, and what claims are
/// compared with.
fn names_policies(element: Element<'_>) -> bool {
    let parent = element.parent().map_or("", Element::name);
    matches!(
        (element.name(), parent),
        ("Item", _) | ("Value", "Precondition")
    )
}

/// Attributes that hold the id of the element itself or of another one, keysets among them, whose
/// ids may be spelt like those of policies.
fn is_own_id(attribute: &str) -> bool {
    attribute.ends_with("Id")
}

fn without_first(id: &str) -> Option<&str> {
    let first = id.get(..FIRST.len())?;
    first
        .eq_ignore_ascii_case(FIRST)
        .then(|| &id[FIRST.len()..])
}

fn is_id_character(character: char) -> bool {
    u8::try_from(character).is_ok_and(is_id_byte)
}

const fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

#[cfg(test)]
mod tests;
