//! What is wrong with the keysets of a tenant: those that policies need, and, if asked, all others.

use std::collections::BTreeSet;

use super::{KeyUser, TenantKey, TenantKeyset, find, handovers};
use crate::deploy::keyset_plan::{self, KEYSET_MISSING, KEYSET_WRONG_KIND};
use crate::deploy::utc;
use crate::diagnostics::{Level, Rule, near_miss};

/// A keyset holds nothing.
pub static KEYSET_WITHOUT_KEY: Rule = Rule {
    id: "keyset-without-key",
    level: Level::Error,
    summary: "a keyset of the tenant has no key",
};

/// A keyset has keys, but the service uses none of them.
pub static KEYSET_WITHOUT_ACTIVE_KEY: Rule = Rule {
    id: "keyset-without-active-key",
    level: Level::Error,
    summary: "none of the keys of a keyset is active",
};

/// A keyset will be usable later.
pub static KEYSET_NOT_YET_ACTIVE: Rule = Rule {
    id: "keyset-not-yet-active",
    level: Level::Error,
    summary: "the keys of a keyset are not active yet",
};

/// A keyset was usable earlier.
pub static KEYSET_EXPIRED: Rule = Rule {
    id: "keyset-expired",
    level: Level::Error,
    summary: "the keys of a keyset, or the certificate in use, have expired",
};

/// A keyset will not be usable for long.
pub static KEYSET_EXPIRING: Rule = Rule {
    id: "keyset-expiring",
    level: Level::Error,
    summary: "the active key of a keyset expires soon and no other takes over",
};

/// What to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckOptions {
    /// The time, seconds since 1970.
    pub now: i64,
    /// Keys that expire within so many seconds are reported.
    pub within: i64,
    /// Also keysets of the tenant that no policy of the set needs.
    pub all: bool,
}

/// Something that is wrong with a keyset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFinding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is.
    pub level: Level,
    /// The keyset.
    pub keyset: String,
    /// The key, if it is one of several.
    pub kid: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Who needs the keyset, in the order of the files.
    pub users: Vec<KeyUser>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeysReport {
    /// The keysets that were looked at.
    pub keysets: Vec<String>,
    /// What is wrong, keyset by keyset.
    pub findings: Vec<KeyFinding>,
}

/// Compares what policies need with what the tenant has.
pub fn check(users: &[KeyUser], keysets: &[TenantKeyset], options: CheckOptions) -> KeysReport {
    let mut report = KeysReport::default();
    let mut seen = BTreeSet::new();
    for user in users {
        if !seen.insert(user.keyset.to_ascii_lowercase()) {
            continue;
        }
        let users: Vec<KeyUser> = users
            .iter()
            .filter(|other| other.keyset.eq_ignore_ascii_case(&user.keyset))
            .cloned()
            .collect();
        match find(keysets, &user.keyset) {
            Some(keyset) => report.add(keyset, users, options),
            None => report.add_missing(&user.keyset, users, keysets),
        }
    }
    if options.all {
        for keyset in keysets {
            if seen.insert(keyset.id.to_ascii_lowercase()) {
                report.add(keyset, Vec::new(), options);
            }
        }
    }
    report
}

impl KeysReport {
    fn add_missing(&mut self, id: &str, users: Vec<KeyUser>, keysets: &[TenantKeyset]) {
        let near = near_miss(id, keysets.iter().map(|keyset| keyset.id.as_str()));
        let source = users
            .iter()
            .find_map(|user| keyset_plan::meaning(&user.key))
            .map_or("…".to_owned(), |meaning| meaning.source());
        let advice = format!(
            "`iefctl keys create {id} {source}` makes it, and `iefctl deploy` does if the \
             configuration says how"
        );
        self.keysets.push(id.to_owned());
        self.findings.push(KeyFinding {
            rule: &KEYSET_MISSING,
            level: Level::Error,
            keyset: id.to_owned(),
            kid: None,
            message: format!("keyset `{id}` does not exist in the tenant"),
            help: match near {
                Some(near) => format!("did you mean `{near}`? Otherwise {advice}"),
                None => advice,
            },
            users,
        });
    }

    fn add(&mut self, keyset: &TenantKeyset, users: Vec<KeyUser>, options: CheckOptions) {
        self.keysets.push(keyset.id.clone());
        let mut findings = wrong_kinds(keyset, &users);
        findings.extend(unusable(keyset, options));
        for mut finding in findings {
            if finding.users.is_empty() {
                finding.users.clone_from(&users);
            }
            self.findings.push(finding);
        }
    }
}

fn finding(
    rule: &'static Rule,
    keyset: &TenantKeyset,
    message: String,
    help: impl Into<String>,
) -> KeyFinding {
    KeyFinding {
        rule,
        level: rule.level,
        keyset: keyset.id.clone(),
        kid: None,
        message,
        help: help.into(),
        users: Vec::new(),
    }
}

/// One finding for each use or kind that the keyset does not have.
fn wrong_kinds(keyset: &TenantKeyset, users: &[KeyUser]) -> Vec<KeyFinding> {
    let is = |value: Option<&str>, word: &str| {
        value.is_none_or(|value| value.eq_ignore_ascii_case(word))
    };
    let mut findings: Vec<KeyFinding> = Vec::new();
    for user in users {
        let Some(meaning) = keyset_plan::meaning(&user.key) else {
            continue;
        };
        let wanted = meaning.usage.as_str();
        let right_use = is(keyset.key_use(), wanted);
        let right_kind = !meaning.rsa || is(keyset.kty(), "RSA");
        if keyset.keys.is_empty() || (right_use && right_kind) {
            continue;
        }
        let needed = if meaning.rsa { "an RSA key" } else { "a key" };
        let message = format!(
            "`{}` needs {needed} for `{wanted}`, but keyset `{}` holds {} for `{}`",
            user.key,
            keyset.id,
            keyset.kty().unwrap_or("?"),
            keyset.key_use().unwrap_or("?")
        );
        match findings.iter_mut().find(|known| known.message == message) {
            Some(known) => known.users.push(user.clone()),
            None => findings.push(KeyFinding {
                level: Level::Error,
                users: vec![user.clone()],
                ..finding(
                    &KEYSET_WRONG_KIND,
                    keyset,
                    message,
                    "keys of a keyset cannot be exchanged: let the policy use another keyset",
                )
            }),
        }
    }
    findings
}

/// Why the service cannot use the keyset now or soon.
fn unusable(keyset: &TenantKeyset, options: CheckOptions) -> Option<KeyFinding> {
    let id = &keyset.id;
    if keyset.keys.is_empty() {
        return Some(finding(
            &KEYSET_WITHOUT_KEY,
            keyset,
            format!("keyset `{id}` has no key"),
            format!("`iefctl keys create {id}` adds its first one"),
        ));
    }
    match keyset.active_key() {
        Some(active) => ending(keyset, active, options),
        None => Some(inactive(keyset, options.now)),
    }
}

fn inactive(keyset: &TenantKeyset, now: i64) -> KeyFinding {
    let id = &keyset.id;
    let enabled = || keyset.keys.iter().filter(|key| !key.is_disabled());
    let expired = |key: &TenantKey| key.key.expires.is_some_and(|expires| expires <= now);
    let begins = |key: &TenantKey| key.key.not_before.filter(|begin| *begin > now);
    let rotate = format!("`iefctl keys rotate {id}` adds another one");
    if let Some(active) = &keyset.active {
        return finding(
            &KEYSET_WITHOUT_ACTIVE_KEY,
            keyset,
            format!("keyset `{id}` is changing: its active key `{active}` is not in its list"),
            "check again in a minute",
        );
    }
    if enabled().next().is_none() {
        return finding(
            &KEYSET_WITHOUT_ACTIVE_KEY,
            keyset,
            format!("all keys of keyset `{id}` are disabled"),
            rotate,
        );
    }
    if let Some(begin) = enabled()
        .filter(|key| !expired(key))
        .filter_map(begins)
        .min()
    {
        return finding(
            &KEYSET_NOT_YET_ACTIVE,
            keyset,
            format!(
                "no key of keyset `{id}` is active before {}",
                utc::date(begin)
            ),
            format!("{rotate}; one without beginning (--no-not-before) is active at once"),
        );
    }
    if enabled().all(expired) {
        let last = enabled().filter_map(|key| key.key.expires).max();
        return finding(
            &KEYSET_EXPIRED,
            keyset,
            format!(
                "keyset `{id}` has expired{}",
                last.map_or(String::new(), |last| format!(
                    ": its last key on {}",
                    utc::date(last)
                ))
            ),
            rotate,
        );
    }
    finding(
        &KEYSET_WITHOUT_ACTIVE_KEY,
        keyset,
        format!("the service reports no active key for keyset `{id}`"),
        format!("look at its keys with `iefctl keys show {id}`; {rotate}"),
    )
}

/// Whether the active key ends, or its certificate does, before another one takes over.
fn ending(keyset: &TenantKeyset, active: &TenantKey, options: CheckOptions) -> Option<KeyFinding> {
    let CheckOptions { now, within, .. } = options;
    let id = &keyset.id;
    let expires = active.expires()?;
    let kid = active.key.kid.clone();
    let name = kid.as_deref().unwrap_or("?");
    let help = format!("`iefctl keys rotate {id}` adds the next key with an overlap");
    if expires <= now {
        return Some(KeyFinding {
            kid: kid.clone(),
            ..finding(
                &KEYSET_EXPIRED,
                keyset,
                format!(
                    "the active key `{name}` of keyset `{id}` has expired on {}",
                    utc::date(expires)
                ),
                help,
            )
        });
    }
    if expires > now.saturating_add(within) {
        return None;
    }
    // Who is active at that time, and until when?
    let successor = handovers(&keyset.keys, now)
        .into_iter()
        .rfind(|handover| handover.at <= expires)
        .and_then(|handover| keyset.keys.get(handover.key?))
        .filter(|key| key.key.kid != active.key.kid);
    let outlives = successor.filter(|key| {
        key.expires()
            .is_none_or(|theirs| theirs > now.saturating_add(within))
    });
    let message = format!(
        "the active key `{name}` of keyset `{id}` expires on {}",
        utc::date(expires)
    );
    match outlives {
        // A rotation that is under way.
        Some(key) if key.key.not_before.is_some() => None,
        Some(key) => Some(KeyFinding {
            kid: kid.clone(),
            level: Level::Hint,
            ..finding(
                &KEYSET_EXPIRING,
                keyset,
                format!(
                    "{message}; key `{}`, which has no beginning, is the default afterwards",
                    key.key.kid.as_deref().unwrap_or("?")
                ),
                help,
            )
        }),
        None => Some(KeyFinding {
            kid: kid.clone(),
            ..finding(
                &KEYSET_EXPIRING,
                keyset,
                format!("{message}, and no other takes over"),
                help,
            )
        }),
    }
}
