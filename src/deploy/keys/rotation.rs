//! What a further key would change in a keyset: which key is active when, and what the service would
//! refuse.

use super::{Handover, TenantKey, TenantKeyset, handovers};
use crate::deploy::{Certificate, KeyContent, Usage, utc};
use crate::msgraph::{Key, KeyValidity};

/// The service is said to refuse a beginning that is nearer (mrochon/IEFPolicies#63).
const LEAD: i64 = 3 * 3_600;

/// Shorter RSA keys are refused (AADB2C90137); no source names the number, and no use of a shorter
/// key is left.
const SHORTEST_RSA: usize = 2_048;

/// A key that is to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// How it is made.
    pub content: KeyContent,
    /// When it may be used; not for certificates, which say that themselves.
    pub validity: KeyValidity,
    /// What the certificate says, if it is one that can be read without a password.
    pub certificate: Option<Certificate>,
}

/// Why a key is not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The keyset has no key to be followed.
    #[error("keyset {0} has no key yet: `iefctl keys create {0}` adds its first one")]
    Empty(String),
    /// RSA and symmetric keys do not mix.
    #[error(
        "the keyset holds {present} keys and the new one would be {new}, which the service refuses \
         (AADB2C95032): use another keyset"
    )]
    MixedKind {
        /// What is there.
        present: String,
        /// What would come.
        new: &'static str,
    },
    /// Uses do not mix.
    #[error(
        "the keys of the keyset are for `{present}` and the new one would be for `{new}`, which the \
         service refuses (AADB2C95042)"
    )]
    MixedUse {
        /// What is there.
        present: String,
        /// What would come.
        new: &'static str,
    },
    /// It would be worthless.
    #[error("the new key would have expired on {0}, which the service refuses (AADB2C90214)")]
    Expired(String),
    /// It would end before it begins.
    #[error("the new key would expire on {expires}, before it begins on {begins}")]
    NeverValid {
        /// Its beginning.
        begins: String,
        /// Its end.
        expires: String,
    },
    /// Certificates bring their own dates.
    #[error("a certificate has its own dates: leave out --not-before, --active-in and --expires")]
    DatesOfCertificate,
    /// Too easy to break.
    #[error(
        "the RSA key of the certificate has {0} bits, which the service refuses (AADB2C90137): use \
         one with 2048 or more"
    )]
    ShortRsa(usize),
    /// Neither RSA nor symmetric.
    #[error("the certificate has no RSA key, and the service knows no other (AADB2C95031)")]
    NotRsa,
    /// A key that was added before has still to become active.
    #[error(
        "key {kid} was added before and becomes active on {at}: another one now would replace it \
         or be replaced by it; if that is wanted, say --again"
    )]
    UnderWay {
        /// The key that waits.
        kid: String,
        /// When it begins.
        at: String,
    },
}

/// What should be known before a key is added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// It may never be used.
    #[error(
        "without a beginning the new key sorts last: it is only the default for times at which no \
         key with a beginning is valid"
    )]
    DefaultOnly,
    /// It is never used.
    #[error("the new key never becomes active: other keys of the keyset come before it")]
    NeverActive,
    /// The service may refuse it.
    #[error(
        "the new key would begin in less than three hours, and the service is said to refuse that"
    )]
    ShortLead,
    /// Applications may not know the key yet.
    #[error(
        "the new key is active at once: applications that cached the published keys fail until \
             they read them again"
    )]
    AtOnce,
    /// There is a time without any key.
    #[error("from {0} on no key of the keyset is active")]
    Gap(String),
    /// Its dates cannot be read without its password.
    #[error(
        "the dates of the certificate are not readable in the archive: the new key is active as \
             soon as it is there if its certificate is the youngest"
    )]
    UnknownDates,
    /// The keyset is for encryption.
    #[error(
        "the keys of the keyset are for `{0}`, and the service gives certificates the use `sig`"
    )]
    CertificateUse(String),
    /// The former keys stay.
    #[error(
        "the service cannot remove a single key: {0}, without an end, published until the keyset is \
         deleted"
    )]
    StaysPublished(String),
}

/// What adding a key would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationPlan {
    /// The keyset.
    pub keyset: String,
    /// Its keys, the new one last and without id.
    pub keys: Vec<TenantKey>,
    /// How the new one is made.
    pub offer: Offer,
    /// The active key over time, positions in [`RotationPlan::keys`].
    pub handovers: Vec<Handover>,
    /// Why it must not be done.
    pub refusals: Vec<Refusal>,
    /// What should be known.
    pub warnings: Vec<Warning>,
    /// The time of planning, seconds since 1970.
    pub now: i64,
}

impl RotationPlan {
    /// Plans the next key of a keyset. With `again`, a key that waits for its time is no reason to
    /// refuse.
    pub fn new(keyset: &TenantKeyset, offer: Offer, now: i64, again: bool) -> Self {
        let mut plan = Self::first(&keyset.id, offer, now);
        plan.keys.splice(0..0, keyset.keys.iter().cloned());
        if keyset.keys.is_empty() {
            plan.refusals.push(Refusal::Empty(keyset.id.clone()));
        }
        plan.refuse_mixtures(keyset);
        if !again {
            plan.refuse_second(keyset);
        }
        plan.handovers = handovers(&plan.keys, now);
        if plan.refusals.is_empty() {
            plan.warn(keyset);
        }
        plan
    }

    /// Plans the first key of a keyset.
    pub fn first(id: &str, offer: Offer, now: i64) -> Self {
        let mut plan = Self {
            keyset: id.to_owned(),
            keys: vec![offer.key()],
            handovers: Vec::new(),
            refusals: offer.refusals(now),
            warnings: Vec::new(),
            offer,
            now,
        };
        plan.handovers = handovers(&plan.keys, now);
        plan
    }

    /// Position of the new key.
    pub fn new_key(&self) -> usize {
        self.keys.len().saturating_sub(1)
    }

    /// When the new key becomes active, seconds since 1970; `None` if it does not.
    pub fn active_from(&self) -> Option<i64> {
        let new = self.new_key();
        let first = self.handovers.iter().find(|h| h.key == Some(new))?;
        Some(first.at)
    }

    fn refuse_mixtures(&mut self, keyset: &TenantKeyset) {
        let new = self.offer.kind();
        if let Some(present) = keyset.kty()
            && !present.eq_ignore_ascii_case(new)
        {
            self.refusals.push(Refusal::MixedKind {
                present: present.to_owned(),
                new,
            });
        }
        let usage = self.offer.content.usage();
        if let (Some(present), Some(usage)) = (keyset.key_use(), usage)
            && !present.eq_ignore_ascii_case(usage.as_str())
        {
            self.refusals.push(Refusal::MixedUse {
                present: present.to_owned(),
                new: usage.as_str(),
            });
        }
    }

    fn refuse_second(&mut self, keyset: &TenantKeyset) {
        let waiting = keyset.keys.iter().find_map(|key| {
            let begin = key.key.not_before.filter(|begin| *begin > self.now)?;
            (!key.is_disabled()).then_some((key, begin))
        });
        if let Some((key, begin)) = waiting {
            self.refusals.push(Refusal::UnderWay {
                kid: key.key.kid.clone().unwrap_or_else(|| "?".to_owned()),
                at: utc::date(begin),
            });
        }
    }

    fn warn(&mut self, keyset: &TenantKeyset) {
        let unknown_dates = self.offer.is_certificate() && self.offer.certificate.is_none();
        let begin = self.offer.begin();
        if unknown_dates {
            self.warnings.push(Warning::UnknownDates);
        } else if begin.is_none() {
            self.warnings.push(Warning::DefaultOnly);
        }
        if !unknown_dates {
            match self.active_from() {
                None => self.warnings.push(Warning::NeverActive),
                Some(at) if at <= self.now && self.offer.kind() == "RSA" => {
                    self.warnings.push(Warning::AtOnce);
                }
                Some(_) => {}
            }
            let gap = self
                .handovers
                .iter()
                .find(|handover| handover.key.is_none());
            if let Some(gap) = gap {
                self.warnings.push(Warning::Gap(utc::date(gap.at)));
            }
        }
        if !self.offer.is_certificate()
            && begin.is_some_and(|begin| begin < self.now.saturating_add(LEAD))
        {
            self.warnings.push(Warning::ShortLead);
        }
        if self.offer.is_certificate()
            && let Some(present) = keyset
                .key_use()
                .filter(|present| !present.eq_ignore_ascii_case("sig"))
        {
            self.warnings
                .push(Warning::CertificateUse(present.to_owned()));
        }
        let endless = keyset
            .keys
            .iter()
            .filter(|key| key.key.expires.is_none())
            .count();
        let words = match endless {
            0 => return,
            1 => "1 former key stays".to_owned(),
            count => format!("{count} former keys stay"),
        };
        self.warnings.push(Warning::StaysPublished(words));
    }
}

impl Offer {
    fn is_certificate(&self) -> bool {
        matches!(
            self.content,
            KeyContent::Certificate { .. } | KeyContent::Pkcs12 { .. }
        )
    }

    /// `RSA` or `oct`.
    fn kind(&self) -> &'static str {
        match &self.content {
            KeyContent::Generate { kind, .. } => crate::msgraph::KeyKind::from(*kind).as_str(),
            KeyContent::Secret { .. } | KeyContent::Placeholder { .. } => "oct",
            KeyContent::Certificate { .. } | KeyContent::Pkcs12 { .. } => "RSA",
        }
    }

    fn begin(&self) -> Option<i64> {
        match self.certificate {
            Some(certificate) => Some(certificate.not_before),
            None => self.validity.not_before,
        }
    }

    fn expires(&self) -> Option<i64> {
        match self.certificate {
            Some(certificate) => Some(certificate.not_after),
            None => self.validity.expires,
        }
    }

    /// The key as the service would show it.
    fn key(&self) -> TenantKey {
        TenantKey {
            key: Key {
                kty: Some(self.kind().to_owned()),
                key_use: Some(
                    self.content
                        .usage()
                        .unwrap_or(Usage::Sig)
                        .as_str()
                        .to_owned(),
                ),
                not_before: self.begin(),
                expires: self.expires(),
                ..Key::default()
            },
            status: None,
            certificate: self.certificate,
        }
    }

    fn refusals(&self, now: i64) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if self.is_certificate() && self.validity != KeyValidity::default() {
            refusals.push(Refusal::DatesOfCertificate);
        }
        if let Some(certificate) = self.certificate {
            match certificate.rsa_bits {
                None => refusals.push(Refusal::NotRsa),
                Some(bits) if bits < SHORTEST_RSA => refusals.push(Refusal::ShortRsa(bits)),
                Some(_) => {}
            }
        }
        if let Some(expires) = self.expires() {
            if expires <= now {
                refusals.push(Refusal::Expired(utc::date(expires)));
            } else if let Some(begin) = self.begin().filter(|begin| *begin >= expires) {
                refusals.push(Refusal::NeverValid {
                    begins: utc::date(begin),
                    expires: utc::date(expires),
                });
            }
        }
        refusals
    }
}
