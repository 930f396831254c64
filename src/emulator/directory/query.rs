//! OData query options: `$filter` with `eq` and `startsWith`, `$select`, `$top` and paging.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::super::answer::Refusal;
use super::super::route::percent_decode;
use super::{Entity, bad};

/// The query of a list.
#[derive(Debug, Default)]
pub(super) struct Query {
    filter: Option<String>,
    select: Vec<String>,
    top: Option<usize>,
    skip: usize,
    /// The options as they came, but for the place in the list.
    given: Vec<(String, String)>,
}

/// One condition of a filter.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Is(String, Value),
    Begins(String, String),
}

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Result<Self, Refusal> {
        let decode = |part: &str| percent_decode(&part.replace('+', " "));
        let mut parsed = Self::default();
        for option in query.unwrap_or_default().split('&') {
            if option.is_empty() {
                continue;
            }
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let (name, value) = (decode(name), decode(value));
            match name.as_str() {
                "$filter" => parsed.filter = Some(value.clone()),
                "$select" => {
                    parsed.select = value
                        .split(',')
                        .map(|name| name.trim().to_owned())
                        .collect();
                }
                "$top" => {
                    let top = value.parse().ok().filter(|top| (1..=999).contains(top));
                    parsed.top = Some(top.ok_or_else(|| {
                        bad(format!(
                            "Invalid page size specified: '{value}'. Must be between 1 and 999 \
                             inclusive."
                        ))
                    })?);
                }
                "$skiptoken" => {
                    parsed.skip = value
                        .parse()
                        .map_err(|_| bad("The specified page token value has expired."))?;
                    continue;
                }
                "$count" => {}
                name if name.starts_with('$') => {
                    return Err(Refusal::graph(
                        400,
                        "Request_UnsupportedQuery",
                        format!("The query option '{name}' is not supported."),
                    ));
                }
                _ => {}
            }
            parsed.given.push((name, value));
        }
        Ok(parsed)
    }

    pub(super) fn select(&self) -> &[String] {
        &self.select
    }

    /// The items that the filter lets through.
    pub(super) fn filtered<'e>(&self, items: &'e [Entity]) -> Result<Vec<&'e Entity>, Refusal> {
        let Some(filter) = &self.filter else {
            return Ok(items.iter().collect());
        };
        let mut all = Vec::new();
        for alternative in split(filter, " or ") {
            let conditions = split(&alternative, " and ");
            let conditions: Option<Vec<_>> =
                conditions.iter().map(|text| condition(text)).collect();
            all.push(conditions.ok_or_else(|| {
                Refusal::graph(
                    400,
                    "Request_UnsupportedQuery",
                    format!("Unsupported or invalid query filter clause specified: '{filter}'."),
                )
            })?);
        }
        let holds = |entity: &&Entity| {
            all.iter()
                .any(|conditions| conditions.iter().all(|condition| condition.holds(entity)))
        };
        Ok(items.iter().filter(holds).collect())
    }

    /// The items of the page that was asked for, and where the next one begins.
    pub(super) fn page<'e>(
        &self,
        items: &[&'e Entity],
        page_size: usize,
    ) -> (Vec<&'e Entity>, Option<usize>) {
        let size = self.top.unwrap_or(page_size).min(page_size).max(1);
        let page: Vec<_> = items.iter().skip(self.skip).take(size).copied().collect();
        let end = self.skip + page.len();
        (page, (end < items.len()).then_some(end))
    }

    /// The entity with the properties that were asked for.
    pub(super) fn selected(&self, entity: &Entity) -> Value {
        if self.select.is_empty() {
            return Value::Object(entity.0.clone());
        }
        let mut selected = Map::new();
        for name in &self.select {
            let found = entity.0.get_key_value(name.as_str());
            if let Some((name, value)) = found {
                selected.insert(name.clone(), value.clone());
            }
        }
        Value::Object(selected)
    }

    /// The same query for the page that begins at `skip`.
    pub(super) fn with_skip(&self, skip: usize) -> String {
        let mut text = String::new();
        for (name, value) in &self.given {
            let _ = write!(text, "{}={}&", encode(name), encode(value));
        }
        let _ = write!(text, "$skiptoken={skip}");
        text
    }
}

impl Condition {
    fn holds(&self, entity: &Entity) -> bool {
        match self {
            // The directory compares text without regard to case.
            Self::Is(name, Value::String(text)) => entity.is(name, text),
            Self::Is(name, value) => entity.0.get(name) == Some(value),
            Self::Begins(name, start) => entity
                .text(name)
                .to_lowercase()
                .starts_with(&start.to_lowercase()),
        }
    }
}

fn condition(text: &str) -> Option<Condition> {
    let text = text.trim();
    let lower = text.to_lowercase();
    if lower.starts_with("startswith(") {
        let inner = text.get("startswith(".len()..)?.strip_suffix(')')?;
        let (name, value) = inner.split_once(',')?;
        let Value::String(start) = literal(value.trim())? else {
            return None;
        };
        return Some(Condition::Begins(property(name)?, start));
    }
    let at = lower.find(" eq ")?;
    let name = property(&text[..at])?;
    Some(Condition::Is(name, literal(text[at + 4..].trim())?))
}

fn property(text: &str) -> Option<String> {
    let text = text.trim();
    let is_name = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
    is_name.then(|| text.to_owned())
}

fn literal(text: &str) -> Option<Value> {
    match text {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        text => {
            let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
            let unescaped = inner.replace("''", "\u{0}");
            let closed = !unescaped.contains('\'');
            closed.then(|| Value::String(unescaped.replace('\u{0}', "'")))
        }
    }
}

/// Splits at a separator that stands outside of quotes.
fn split(text: &str, separator: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !quoted
            && rest
                .get(..separator.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(separator))
        {
            parts.push(String::new());
            rest = &rest[separator.len()..];
            continue;
        }
        quoted ^= c == '\'';
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    parts
}

fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'$' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(filter: &str) -> Option<Vec<String>> {
        let items: Vec<Entity> = ["Alpha", "O'Hara or Bo", "beta"]
            .map(|name| Entity::new(json!({"displayName": name, "enabled": name == "beta"})))
            .to_vec();
        let query = Query::parse(Some(&format!("$filter={}", encode(filter)))).ok()?;
        let found = query.filtered(&items).ok()?;
        Some(
            found
                .iter()
                .map(|entity| entity.text("displayName").to_owned())
                .collect(),
        )
    }

    #[test]
    fn filters_compare_without_case_and_know_quotes() {
        assert_eq!(names("displayName eq 'ALPHA'").unwrap(), ["Alpha"]);
        assert_eq!(
            names("displayName eq 'O''Hara or Bo'").unwrap(),
            ["O'Hara or Bo"]
        );
        assert_eq!(
            names("startsWith(displayName,'al') or displayName eq 'beta'").unwrap(),
            ["Alpha", "beta"]
        );
        assert_eq!(
            names("startswith(displayName, 'b') and enabled eq true").unwrap(),
            ["beta"]
        );
        for odd in [
            "displayName eq 'O'Hara'",
            "displayName ne 'x'",
            "endsWith(displayName,'x')",
            "",
        ] {
            assert_eq!(names(odd), None, "{odd}");
        }
    }
}
