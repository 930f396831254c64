//! The sentences about a plan that more than one format shows.

use super::counted;
use super::json::deploy::Action;
use super::json::plan::{
    ChangeJson, ChangeKindJson, KeysetActionJson, KeysetConditionJson, PlanJson, PlannedKeysetJson,
};
use super::visible::one_line;

/// Values of files are shown up to so many characters.
const LONGEST_VALUE: usize = 100;

/// Why breaking changes matter, and what to do instead.
pub(super) const BREAKING_ADVICE: &str = "the tenant may use old policies beside new ones for up \
    to 30 minutes, and what the policies named here still use would be gone: add the new elements \
    in a first deployment, and remove the old ones in a later one";

/// "contoso.onmicrosoft.com: 1 keyset to provision, 2 policies to create, 3 to update, 4 unchanged".
pub(super) fn summary_line(plan: &PlanJson) -> String {
    let tenant = one_line(&plan.tenant);
    let summary = &plan.summary;
    let tenant = match summary.errors as usize {
        0 => tenant,
        errors => format!(
            "{tenant}: would be refused because of {}; otherwise",
            counted(errors, "error")
        )
        .into(),
    };
    if !plan.has_changes {
        let policies = match summary.unchanged {
            0 => String::new(),
            1 => " (1 policy is up to date)".to_owned(),
            count => format!(" ({} are up to date)", counted_policies(count as usize)),
        };
        return format!("{tenant}: nothing would change{policies}");
    }
    let mut parts = Vec::new();
    if summary.keysets > 0 {
        parts.push(format!(
            "{} to provision",
            counted(summary.keysets as usize, "keyset")
        ));
    }
    for (count, word) in [
        (summary.create, "to create"),
        (summary.update, "to update"),
        (summary.delete, "to delete"),
    ] {
        let is_first_of_policies = !parts.iter().any(|part: &String| !part.contains("keyset"));
        if count > 0 && is_first_of_policies {
            parts.push(format!("{} {word}", counted_policies(count as usize)));
        } else if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    if summary.unchanged > 0 {
        parts.push(format!("{} unchanged", summary.unchanged));
    }
    format!("{tenant}: {}", parts.join(", "))
}

/// "1 policy", "3 policies".
pub(super) fn counted_policies(count: usize) -> String {
    match count {
        1 => "1 policy".to_owned(),
        count => format!("{count} policies"),
    }
}

/// One word for what would happen to a policy.
pub(super) const fn action_word(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Unchanged => "unchanged",
        Action::Delete => "delete",
    }
}

/// A few words for what would happen to a keyset.
pub(super) const fn keyset_word(keyset: &PlannedKeysetJson) -> &'static str {
    match (keyset.action, keyset.condition) {
        (KeysetActionJson::Create, _) => "create",
        (KeysetActionJson::Fill, _) => "add first key",
        (KeysetActionJson::Missing, _) => "missing",
        (KeysetActionJson::Present, KeysetConditionJson::Good) => "present",
        (KeysetActionJson::Present, KeysetConditionJson::WrongKind) => "wrong kind",
        (KeysetActionJson::Present, KeysetConditionJson::Expiring) => "expiring",
        (KeysetActionJson::Present, KeysetConditionJson::Expired) => "expired",
    }
}

/// Whether a keyset is worth a row: something happens to it, or something is wrong with it.
pub(super) fn is_news(keyset: &PlannedKeysetJson) -> bool {
    keyset.action != KeysetActionJson::Present || keyset.condition != KeysetConditionJson::Good
}

/// How its key is made, or until when it lasts.
pub(super) fn keyset_remark(keyset: &PlannedKeysetJson) -> String {
    if let Some(how) = &keyset.how {
        return one_line(how).into_owned();
    }
    if keyset.action == KeysetActionJson::Missing {
        let needed = keyset.needed_by.iter().take(3).map(|id| one_line(id));
        let mut needed: Vec<_> = needed.collect();
        if let Some(more) = keyset
            .needed_by
            .len()
            .checked_sub(3)
            .filter(|more| *more > 0)
        {
            needed.push(format!("{more} more").into());
        }
        return match needed.is_empty() {
            true => String::new(),
            false => format!("needed by {}", needed.join(", ")),
        };
    }
    match &keyset.expires {
        Some(date) => {
            let date = one_line(date.get(..10).unwrap_or(date)).into_owned();
            match keyset.condition {
                KeysetConditionJson::Expired => format!("since {date}"),
                _ => format!("until {date}"),
            }
        }
        None => String::new(),
    }
}

impl ChangeJson {
    /// `+`, `-` or `~`.
    pub(super) const fn sign(&self) -> char {
        match self.kind {
            ChangeKindJson::Added => '+',
            ChangeKindJson::Removed => '-',
            _ => '~',
        }
    }

    /// `TechnicalProfile "REST" › Item "ServiceUrl"`, in one line; `separator` stands between names.
    pub(super) fn place(&self, separator: &str) -> String {
        let mut place = if self.path.is_empty() {
            "policy".to_owned()
        } else {
            let names: Vec<_> = self.path.iter().map(|name| one_line(name)).collect();
            names.join(separator)
        };
        if let Some(attribute) = &self.attribute {
            place.push_str(" @");
            place.push_str(&one_line(attribute));
        }
        place
    }

    /// The value that is there, goes, or comes in its place; `arrow` stands between both.
    pub(super) fn values(&self, arrow: &str) -> Option<String> {
        match self.kind {
            ChangeKindJson::Reordered => return Some("another order".to_owned()),
            ChangeKindJson::Other => {
                return Some("text or namespaces outside its elements".to_owned());
            }
            ChangeKindJson::Unreadable => {
                return Some("the tenant's text is not well-formed XML".to_owned());
            }
            _ => {}
        }
        let (from, to) = (self.from.as_deref(), self.to.as_deref());
        if let (ChangeKindJson::Renumbered, Some(from), Some(to)) = (self.kind, from, to) {
            let (steps, are) = match from.contains(' ') {
                true => ("steps", "are"),
                false => ("step", "is"),
            };
            return Some(format!(
                "{steps} {} {are} now {}",
                one_line(from),
                one_line(to)
            ));
        }
        match (from, to) {
            (Some(from), Some(to)) => {
                let (from, to) = around_difference(from, to);
                Some(format!("{} {arrow} {}", quoted(&from), quoted(&to)))
            }
            (None, Some(value)) | (Some(value), None) => Some(quoted(&shortened(value))),
            (None, None) => None,
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Both texts, where they are long without most of what they have in common at their beginning.
fn around_difference(from: &str, to: &str) -> (String, String) {
    let same = from
        .char_indices()
        .zip(to.chars())
        .take_while(|((_, a), b)| a == b);
    let common: Vec<usize> = same.map(|((offset, _), _)| offset).collect();
    if common.len() < LONGEST_VALUE / 2 {
        return (shortened(from), shortened(to));
    }
    // The texts are equal up to here, so the offset fits both.
    let start = common[common.len() - LONGEST_VALUE / 5];
    let cut = |text: &str| format!("...{}", shortened(&text[start..]));
    (cut(from), cut(to))
}
