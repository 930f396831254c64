//! What happens to the keysets that the policies refer to.

use std::time::{Duration, UNIX_EPOCH};

use crate::diagnostics::{Diagnostic, Level, Location, Rule, near_miss};
use crate::msgraph::{Key, Keyset};

use super::keys::KEYSET_EXPIRING;
use super::plan::{KeysetAction, KeysetCondition, KeysetStep, Need};
use super::{GeneratedKind, KeyContent, Local, PlanOptions, Remote, Usage, utc};

/// A keyset is neither in the tenant nor can it be made.
pub static KEYSET_MISSING: Rule = Rule {
    id: "keyset-missing",
    level: Level::Error,
    summary: "a policy needs a keyset that the tenant does not have and nothing says how to make it",
};

/// One keyset would have to sign and to encrypt.
pub static KEYSET_MIXED_USE: Rule = Rule {
    id: "keyset-mixed-use",
    level: Level::Error,
    summary: "one keyset is needed both for signatures and for encryption",
};

/// The keyset of the tenant holds keys of another sort than the policies need.
pub static KEYSET_WRONG_KIND: Rule = Rule {
    id: "keyset-wrong-kind",
    level: Level::Warning,
    summary: "the keyset of the tenant holds another sort of key than the policy needs",
};

/// The configuration says two different things about one keyset.
pub static KEYSET_CONFLICTING_RECIPES: Rule = Rule {
    id: "keyset-conflicting-recipes",
    level: Level::Error,
    summary: "a keyset is configured twice, in different ways",
};

/// The service puts this before the id of every keyset that lacks it.
const PREFIX: &str = "B2C_1A_";

/// How long before the end of the last key a keyset is reported: time enough for a new key and for
/// the caches of those who read the public ones.
const EXPIRING: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What the name of a key in a technical profile tells about the key.
pub(super) struct Meaning {
    pub(super) usage: Usage,
    /// Whether the service can make the key: nobody else has to know it.
    generated: bool,
    /// Whether the key must be RSA; a certificate's is.
    pub(super) rsa: bool,
    /// What a person has to supply otherwise.
    noun: &'static str,
    /// How to configure that.
    advice: &'static str,
}

impl Meaning {
    /// The options of `iefctl keys create` that make such a key.
    pub(super) fn source(&self) -> String {
        match (self.generated, self.rsa) {
            (true, _) => format!("--generate rsa --use {}", self.usage.as_str()),
            (false, true) => "--pkcs12 FILE --password-env NAME".to_owned(),
            (false, false) => "--secret-env NAME".to_owned(),
        }
    }
}

/// A reference with its place.
struct Reference<'l> {
    key: &'l str,
    location: Location,
    need: Need,
}

pub(super) fn build(
    local: &Local,
    remote: &Remote,
    options: &PlanOptions,
    findings: &mut Vec<Diagnostic>,
) -> Vec<KeysetStep> {
    let mut keysets: Vec<(String, Vec<Reference<'_>>)> = Vec::new();
    for policy in &local.policies {
        for reference in &policy.keysets {
            let id = prefixed(&reference.keyset);
            let found = Reference {
                key: &reference.key,
                location: reference.location,
                need: Need {
                    policy_id: policy.id.clone(),
                    technical_profile: reference.technical_profile.clone(),
                    key: reference.key.clone(),
                    place: local.place(reference.location),
                },
            };
            match keysets
                .iter_mut()
                .find(|(known, _)| known.eq_ignore_ascii_case(&id))
            {
                Some((_, references)) => references.push(found),
                None => keysets.push((id, vec![found])),
            }
        }
    }
    keysets
        .into_iter()
        .map(|(id, references)| step(&id, references, remote, options, findings))
        .collect()
}

/// The id under which the service keeps a keyset.
pub(super) fn prefixed(id: &str) -> String {
    let start = id.get(..PREFIX.len());
    if start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX)) {
        id.to_owned()
    } else {
        format!("{PREFIX}{id}")
    }
}

fn step(
    id: &str,
    references: Vec<Reference<'_>>,
    remote: &Remote,
    options: &PlanOptions,
    findings: &mut Vec<Diagnostic>,
) -> KeysetStep {
    let existing = remote.keyset(id);
    let filled = existing.is_some_and(|keyset| !keyset.keys.is_empty());
    let mut step = KeysetStep {
        id: existing.map_or_else(|| id.to_owned(), |keyset| keyset.id.clone()),
        action: KeysetAction::Present,
        content: None,
        inferred: false,
        condition: KeysetCondition::Good,
        expires: existing.and_then(last_expiry).map(rfc3339),
        needed_by: Vec::new(),
    };
    let uses_agree = check_uses(id, &references, filled, findings);
    if let Some(keyset) = existing.filter(|_| filled) {
        if let Some((condition, finding)) = expiring(keyset, &references, options) {
            step.condition = condition;
            findings.push(finding);
        }
        if let Some(finding) = wrong_kind(keyset, &references) {
            step.condition = KeysetCondition::WrongKind;
            findings.push(finding);
        }
    } else {
        step.action = match existing {
            Some(_) => KeysetAction::Fill,
            None => KeysetAction::Create,
        };
        step.content = configured(id, &references, options, findings);
        if step.content.is_none() {
            step.content = inferred(&references).filter(|_| uses_agree);
            step.inferred = step.content.is_some();
        }
        if step.content.is_none() && options.placeholder_secrets && uses_agree {
            let usage = references
                .iter()
                .find_map(|reference| meaning(reference.key));
            let usage = usage.map_or(Usage::Sig, |meaning| meaning.usage);
            step.content = Some(KeyContent::Placeholder { usage });
        }
        if step.content.is_none() {
            step.action = KeysetAction::Missing;
            if uses_agree {
                findings.extend(missing(id, existing.is_some(), &references, remote));
            }
        }
    }
    step.needed_by = references
        .into_iter()
        .map(|reference| reference.need)
        .collect();
    step
}

/// Whether all elements can use the same key.
fn check_uses(
    id: &str,
    references: &[Reference<'_>],
    filled: bool,
    findings: &mut Vec<Diagnostic>,
) -> bool {
    let mut uses = references
        .iter()
        .filter_map(|reference| Some((meaning(reference.key)?.usage, reference)));
    let Some((first_use, first)) = uses.next() else {
        return true;
    };
    let Some((_, other)) = uses.find(|(usage, _)| *usage != first_use) else {
        return true;
    };
    let level = if filled { Level::Warning } else { Level::Error };
    findings.push(
        Diagnostic::new(
            &KEYSET_MIXED_USE,
            other.location,
            format!(
                "keyset `{id}` cannot be both `{}` and `{}`",
                first.key, other.key
            ),
        )
        .level(level)
        .related(first.location, format!("used as `{}` here", first.key))
        .help("a keyset is for signatures or for encryption; use two keysets")
        .policy_id(&other.need.policy_id),
    );
    false
}

/// The content that the user configured.
fn configured(
    id: &str,
    references: &[Reference<'_>],
    options: &PlanOptions,
    findings: &mut Vec<Diagnostic>,
) -> Option<KeyContent> {
    let mut recipes = options
        .recipes
        .iter()
        .filter(|recipe| prefixed(&recipe.keyset).eq_ignore_ascii_case(id));
    let recipe = recipes.next()?;
    let first = references.first()?;
    if recipes.any(|other| other.content != recipe.content) {
        let location = recipe.origin.unwrap_or(first.location);
        findings.push(
            Diagnostic::new(
                &KEYSET_CONFLICTING_RECIPES,
                location,
                format!("keyset `{id}` is configured twice, in different ways"),
            )
            .help("leave one of the two recipes"),
        );
    }
    let wanted = references
        .iter()
        .filter_map(|reference| Some((meaning(reference.key)?.usage, reference)))
        .find(|(usage, _)| {
            recipe
                .content
                .usage()
                .is_some_and(|configured| configured != *usage)
        });
    if let Some((usage, reference)) = wanted {
        let mut finding = Diagnostic::new(
            &KEYSET_MIXED_USE,
            reference.location,
            format!(
                "`{}` needs a key for `{}`, but keyset `{id}` is configured as {}",
                reference.key,
                usage.as_str(),
                recipe.content
            ),
        )
        .help(format!(
            "write `use = \"{}\"` in the recipe",
            usage.as_str()
        ))
        .policy_id(&reference.need.policy_id);
        if let Some(origin) = recipe.origin {
            finding = finding.related(origin, "configured here");
        }
        findings.push(finding);
    }
    Some(recipe.content.clone())
}

/// The content that follows from what the policies use the keyset for: every use is one that the
/// service can make a key for.
fn inferred(references: &[Reference<'_>]) -> Option<KeyContent> {
    let mut meanings = references.iter().map(|reference| meaning(reference.key));
    let first = meanings.next()??;
    let all_generated = meanings.all(|meaning| meaning.is_some_and(|meaning| meaning.generated));
    (first.generated && all_generated).then_some(KeyContent::Generate {
        kind: GeneratedKind::Rsa,
        usage: first.usage,
    })
}

fn missing(
    id: &str,
    is_empty: bool,
    references: &[Reference<'_>],
    remote: &Remote,
) -> Option<Diagnostic> {
    let first = references.first()?;
    let meaning = references
        .iter()
        .find_map(|reference| meaning(reference.key));
    let (noun, advice) = meaning.map_or(("key", UNKNOWN_ADVICE), |meaning| {
        (meaning.noun, meaning.advice)
    });
    let state = if is_empty {
        "exists but has no key"
    } else {
        "does not exist in the tenant"
    };
    let mut help = format!("it holds a {noun}: {}", advice.replace("KEYSET", id));
    let known = remote.keysets.iter().map(|keyset| keyset.id.as_str());
    if !is_empty && let Some(near) = near_miss(id, known) {
        help = format!("did you mean `{near}`? Otherwise {help}");
    }
    let mut finding = Diagnostic::new(
        &KEYSET_MISSING,
        first.location,
        format!("keyset `{id}` {state}, and nothing says where its key comes from"),
    )
    .help(help)
    .policy_id(&first.need.policy_id);
    if !is_empty {
        finding = finding.service_message(format!(
            "does not have CryptographicKey referenced by storageReferenceId \"{id}\"."
        ));
    }
    for reference in &references[1..] {
        let profile = &reference.need.technical_profile;
        finding = finding.related(
            reference.location,
            if profile.is_empty() {
                "also needed here".to_owned()
            } else {
                format!("also needed by `{profile}`")
            },
        );
    }
    Some(finding)
}

fn wrong_kind(keyset: &Keyset, references: &[Reference<'_>]) -> Option<Diagnostic> {
    let is = |value: &Option<String>, word: &str| {
        value
            .as_deref()
            .is_none_or(|value| value.eq_ignore_ascii_case(word))
    };
    references.iter().find_map(|reference| {
        let meaning = meaning(reference.key)?;
        let usage = meaning.usage.as_str();
        let fits =
            |key: &Key| is(&key.key_use, usage) && (!meaning.generated || is(&key.kty, "RSA"));
        if keyset.keys.iter().any(fits) {
            return None;
        }
        let key = keyset.keys.first()?;
        let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "?".to_owned());
        Some(
            Diagnostic::new(
                &KEYSET_WRONG_KIND,
                reference.location,
                format!(
                    "`{}` needs {} for `{usage}`, but keyset `{}` holds {} for `{}`",
                    reference.key,
                    if meaning.generated {
                        "an RSA key"
                    } else {
                        "a key"
                    },
                    keyset.id,
                    word(&key.kty),
                    word(&key.key_use)
                ),
            )
            .help("keys of a keyset cannot be exchanged: use another keyset")
            .policy_id(&reference.need.policy_id),
        )
    })
}

/// When the last key of a keyset expires, in seconds since 1970. None if one never does: it takes
/// over when the others have ended (Microsoft's "overview of policy keys").
fn last_expiry(keyset: &Keyset) -> Option<i64> {
    let expiries: Option<Vec<i64>> = keyset.keys.iter().map(|key| key.expires).collect();
    expiries?.into_iter().max()
}

fn rfc3339(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    utc::rfc3339(time.unwrap_or(UNIX_EPOCH))
}

fn expiring(
    keyset: &Keyset,
    references: &[Reference<'_>],
    options: &PlanOptions,
) -> Option<(KeysetCondition, Diagnostic)> {
    let now = options.now?.duration_since(UNIX_EPOCH).ok()?;
    let expiry = last_expiry(keyset)?;
    let end = Duration::from_secs(u64::try_from(expiry).unwrap_or(0));
    if end > now + EXPIRING {
        return None;
    }
    let date = rfc3339(expiry);
    let date = date.get(..10).unwrap_or(&date);
    let mut condition = KeysetCondition::Expiring;
    let message = match end.checked_sub(now) {
        None => {
            condition = KeysetCondition::Expired;
            format!("the last key of keyset `{}` expired on {date}", keyset.id)
        }
        Some(left) => {
            let days = left.as_secs() / (24 * 60 * 60);
            let left = match days {
                0 => "in less than a day".to_owned(),
                1 => "in 1 day".to_owned(),
                days => format!("in {days} days"),
            };
            format!(
                "the last key of keyset `{}` expires {left}, on {date}",
                keyset.id
            )
        }
    };
    let first = references.first()?;
    let finding = Diagnostic::new(&KEYSET_EXPIRING, first.location, message)
        // A deployment goes on without it; `keys check` is where it fails.
        .level(Level::Warning)
        .help("add a key that is valid longer; the tenant uses it when this one has ended")
        .policy_id(&first.need.policy_id);
    Some((condition, finding))
}

const UNKNOWN_ADVICE: &str = "say in the configuration under [keysets.KEYSET] how it is made";

const SECRET_ADVICE: &str =
    "write `secret = { env = \"NAME\" }` under [keysets.KEYSET] in the configuration";

const PKCS12_ADVICE: &str = "write `pkcs12 = { file = \"….pfx\" }` and its password under \
                             [keysets.KEYSET] in the configuration";

/// Who makes the key of a keyset, as far as the name of the key in a technical profile tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMaker {
    /// The service; no configuration is needed.
    Service,
    /// A person, who has a secret.
    SecretHolder,
    /// A person, who has a certificate with its private key.
    CertificateHolder,
    /// The name says nothing.
    Unknown,
}

impl KeyMaker {
    /// Who makes the key that technical profiles call `name`.
    pub fn of(name: &str) -> Self {
        match meaning(name) {
            None => Self::Unknown,
            Some(meaning) if meaning.generated => Self::Service,
            Some(meaning) if meaning.rsa => Self::CertificateHolder,
            Some(_) => Self::SecretHolder,
        }
    }
}

/// What the names of keys mean, as Microsoft's pages on technical profiles document them. Names that
/// are not here say nothing.
pub(super) fn meaning(key: &str) -> Option<Meaning> {
    let generated = |usage, noun| Meaning {
        usage,
        generated: true,
        rsa: true,
        noun,
        advice: "write `generate = \"rsa\"` under [keysets.KEYSET] in the configuration",
    };
    let secret = |noun| Meaning {
        usage: Usage::Sig,
        generated: false,
        rsa: false,
        noun,
        advice: SECRET_ADVICE,
    };
    let certificate = |usage| Meaning {
        usage,
        generated: false,
        rsa: true,
        noun: "certificate with its private key",
        advice: PKCS12_ADVICE,
    };
    Some(match key {
        // JWT issuer.
        "issuer_secret" => generated(Usage::Sig, "RSA key for signatures"),
        "issuer_refresh_token_key" => generated(Usage::Enc, "RSA key for encryption"),
        // OAuth 2.0 and OpenID Connect identity providers.
        "client_secret" => secret("client secret"),
        // RESTful technical profiles.
        "BasicAuthenticationUsername" => secret("user name"),
        "BasicAuthenticationPassword" => secret("password"),
        "BearerAuthenticationToken" => secret("bearer token"),
        "ClientCertificate" => certificate(Usage::Sig),
        // SAML.
        "SamlMessageSigning" | "SamlAssertionSigning" | "MetadataSigning" => {
            certificate(Usage::Sig)
        }
        _ => return None,
    })
}
