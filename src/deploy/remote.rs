//! What the tenant holds, as far as a deployment needs to know.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use tokio::task::JoinSet;

use crate::diagnostics::SourceId;
use crate::msgraph::{GraphClient, GraphError, Keyset};
use crate::policy::{Header, Kind, Policy, Role, canonical_form, references};
use crate::xml;

use super::difference::{Part, declaration};
use super::{Fingerprint, fold};

/// The tenant's side of a deployment, read before anything is written.
#[derive(Debug, Clone, Default)]
pub struct Remote {
    /// Ids of all custom policies of the tenant, as the tenant writes them.
    pub policies: Vec<String>,
    /// All keysets with the public side of their keys.
    pub keysets: Vec<Keyset>,
    /// The policies whose content was read, by folded id.
    content: BTreeMap<String, RemotePolicy>,
}

/// A policy as the tenant holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePolicy {
    /// Its id as the tenant lists it.
    pub id: String,
    /// Its text as the service gives it.
    pub text: String,
    /// What counts in it; `None` if the text is not well-formed XML.
    pub canonical: Option<String>,
    /// The policy it inherits from.
    pub base: Option<String>,
    /// `TenantId` as stored.
    pub tenant: Option<String>,
    /// `TenantObjectId`, which the service adds.
    pub tenant_object_id: Option<String>,
    /// What it refers to, each once, with folded ids.
    pub(super) references: Vec<(Kind, String)>,
    /// What it declares, each once, with folded ids.
    pub(super) declarations: Vec<(Kind, String)>,
    /// What its technical profiles give to policies that inherit them.
    pub(super) parts: BTreeSet<Part>,
}

impl RemotePolicy {
    /// Whether it refers to an element or declares one of the same id.
    pub(super) fn knows(&self, kind: Kind, id: &str) -> bool {
        let mut known = self.references.iter().chain(&self.declarations);
        known.any(|(known, other)| *known == kind && other == id)
    }

    /// Reads a policy text of the tenant.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        // Nothing of the parsed document outlives this function, so its source needs no place in a
        // map of the run.
        let mut sources = crate::diagnostics::SourceMap::new();
        let source: SourceId = sources.add(crate::diagnostics::Source::new("tenant", &*text));
        let (document, findings) = xml::parse(sources.get(source).text(), source);
        let header = Header::read(&document, source);
        let root = document.root();
        let object_id = root.and_then(|root| root.attribute_value("TenantObjectId"));
        let mut declarations: Vec<_> = document.elements().filter_map(declaration).collect();
        declarations.sort();
        declarations.dedup();
        let well_formed = findings.is_empty() && document.is_well_formed();
        Self {
            id: id.into(),
            canonical: canonical_form(&document).filter(|_| well_formed),
            base: header
                .as_ref()
                .and_then(|header| Some(header.base.as_ref()?.policy_id.value.clone()))
                .filter(|base| !base.is_empty()),
            tenant: header.and_then(|header| Some(header.tenant_id?.value)),
            tenant_object_id: object_id.map(str::to_owned),
            declarations,
            parts: document.elements().filter_map(Part::of).collect(),
            references: Policy::read(document, source, Role::Context)
                .map_or_else(Vec::new, |policy| references_of(&policy)),
            text,
        }
    }

    /// Identifies what counts in the policy, or its text if that is no XML.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.canonical.as_deref().unwrap_or(&self.text))
    }
}

/// What the file of a policy refers to, each once, with folded ids.
fn references_of(policy: &Policy) -> Vec<(Kind, String)> {
    let all = references(policy).map(|reference| (reference.row.target, fold(reference.id)));
    let mut all: Vec<_> = all.collect();
    all.sort();
    all.dedup();
    all
}

impl Remote {
    /// A tenant's state from its parts, for callers that have them already.
    pub fn new(policies: Vec<String>, keysets: Vec<Keyset>, content: Vec<RemotePolicy>) -> Self {
        Self {
            policies,
            keysets,
            content: content
                .into_iter()
                .map(|policy| (fold(&policy.id), policy))
                .collect(),
        }
    }

    /// Whether the tenant has a policy of this id.
    pub fn has_policy(&self, id: &str) -> bool {
        self.policies
            .iter()
            .any(|known| known.eq_ignore_ascii_case(id))
    }

    /// The content of a policy, if it exists and was asked for.
    pub fn policy(&self, id: &str) -> Option<&RemotePolicy> {
        self.content.get(&fold(id))
    }

    /// The policies whose content was read, by id.
    pub fn contents(&self) -> impl Iterator<Item = &RemotePolicy> {
        self.content.values()
    }

    /// The keyset of this id.
    pub fn keyset(&self, id: &str) -> Option<&Keyset> {
        self.keysets
            .iter()
            .find(|keyset| keyset.id.eq_ignore_ascii_case(id))
    }

    /// The policies that were read and are not among `own`: bases that only the tenant has. They are
    /// the context in which the user's own policies are validated.
    pub fn ancestors<'a>(&'a self, own: &[String]) -> Vec<&'a RemotePolicy> {
        let own: HashSet<String> = own.iter().map(|id| fold(id)).collect();
        let foreign = self.content.iter().filter(|(id, _)| !own.contains(*id));
        foreign.map(|(_, policy)| policy).collect()
    }
}

/// Reads a tenant: both lists at once, then the content of those of `wanted` that exist, and of the
/// policies that they inherit from up to the root. At most `concurrency` calls run at a time. Those that
/// the lists leave idle ask for policies that the tenant will probably have. Without bases that only the
/// tenant has this takes two round trips, as long as `wanted` has no more policies than twice the calls
/// that may run at a time, less two.
///
/// # Errors
/// The first call that fails ends the reading.
pub async fn read(
    client: &GraphClient,
    wanted: &[String],
    concurrency: usize,
) -> Result<Remote, GraphError> {
    let mut reader = Reader::new(client, concurrency);
    reader.run(Some(wanted)).await?;
    Ok(reader.remote)
}

/// Reads a tenant with the content of all its policies.
///
/// # Errors
/// As [`read`].
pub async fn read_all(client: &GraphClient, concurrency: usize) -> Result<Remote, GraphError> {
    let mut reader = Reader::new(client, concurrency);
    reader.run(None).await?;
    Ok(reader.remote)
}

enum Question {
    Policies,
    Keysets,
    /// The content of this policy, which the tenant lists under this name.
    Policy(String),
    /// The content of this policy, while nobody knows yet whether the tenant has it.
    Guess(String),
}

enum Answer {
    Policies(Vec<String>),
    Keysets(Vec<Keyset>),
    Policy(String, Option<RemotePolicy>),
    /// Only the list says what the tenant has: no answer is no news.
    Guess(String, Option<RemotePolicy>),
}

struct Reader<'a> {
    client: &'a GraphClient,
    concurrency: usize,
    waiting: VecDeque<Question>,
    asked: HashSet<String>,
    running: JoinSet<Result<Answer, GraphError>>,
    remote: Remote,
    /// The tenant's names of its policies by folded id, once they are known.
    names: Option<HashMap<String, String>>,
    /// The answers to guesses that came before the list, by folded id.
    early: Vec<(String, Option<RemotePolicy>)>,
}

impl<'a> Reader<'a> {
    fn new(client: &'a GraphClient, concurrency: usize) -> Self {
        Self {
            client,
            concurrency: concurrency.max(1),
            waiting: VecDeque::from([Question::Policies, Question::Keysets]),
            asked: HashSet::new(),
            running: JoinSet::new(),
            remote: Remote::default(),
            names: None,
            early: Vec::new(),
        }
    }

    /// Asks for both lists, and for the content of `wanted`, or of all policies.
    async fn run(&mut self, wanted: Option<&[String]>) -> Result<(), GraphError> {
        let idle = self.concurrency.saturating_sub(self.waiting.len());
        for id in wanted.unwrap_or_default().iter().take(idle) {
            if self.asked.insert(fold(id)) {
                self.waiting.push_back(Question::Guess(id.clone()));
            }
        }
        loop {
            while self.running.len() < self.concurrency
                && let Some(question) = self.waiting.pop_front()
            {
                self.ask(question);
            }
            let Some(answer) = self.running.join_next().await else {
                return Ok(());
            };
            let answer = match answer {
                Ok(answer) => answer?,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // Nobody aborts these tasks.
                    Err(_) => continue,
                },
            };
            match answer {
                Answer::Keysets(keysets) => self.remote.keysets = keysets,
                Answer::Policies(ids) => {
                    let names = ids.iter().map(|id| (fold(id), id.clone())).collect();
                    self.names = Some(names);
                    for id in wanted.unwrap_or(&ids) {
                        self.want(id);
                    }
                    self.remote.policies = ids;
                    for (id, policy) in std::mem::take(&mut self.early) {
                        self.guessed(id, policy);
                    }
                }
                // Deleted since it was listed.
                Answer::Policy(id, None) => self.remote.policies.retain(|known| *known != id),
                Answer::Policy(_, Some(policy)) => self.accept(policy),
                Answer::Guess(id, policy) if self.names.is_none() => {
                    self.early.push((id, policy));
                }
                Answer::Guess(id, policy) => self.guessed(id, policy),
            }
        }
    }

    /// Takes the answer to a guess for what it is worth, now that the list is known.
    fn guessed(&mut self, id: String, policy: Option<RemotePolicy>) {
        let names = self.names.as_ref();
        let Some(name) = names.and_then(|names| names.get(&id)).cloned() else {
            return;
        };
        match policy {
            Some(policy) => self.accept(RemotePolicy { id: name, ..policy }),
            None => self.waiting.push_back(Question::Policy(name)),
        }
    }

    fn accept(&mut self, policy: RemotePolicy) {
        if let Some(base) = &policy.base {
            let base = base.clone();
            self.want(&base);
        }
        self.remote.content.insert(fold(&policy.id), policy);
    }

    fn want(&mut self, id: &str) {
        let id = fold(id);
        let name = self.names.as_ref().and_then(|names| names.get(&id));
        if let Some(name) = name
            && self.asked.insert(id)
        {
            self.waiting.push_back(Question::Policy(name.clone()));
        }
    }

    fn ask(&mut self, question: Question) {
        let client = self.client.clone();
        self.running.spawn(async move {
            Ok(match question {
                Question::Policies => Answer::Policies(client.list_policies().await?),
                Question::Keysets => Answer::Keysets(client.list_keysets().await?),
                // Read where the answer arrives: that is work for all cores.
                Question::Policy(id) => {
                    let text = client.get_policy(&id).await?;
                    let policy = text.map(|text| RemotePolicy::new(&*id, text));
                    Answer::Policy(id, policy)
                }
                Question::Guess(id) => {
                    let text = client.guess_policy(&id).await;
                    let policy = text.map(|text| RemotePolicy::new(&*id, text));
                    Answer::Guess(fold(&id), policy)
                }
            })
        });
    }
}
