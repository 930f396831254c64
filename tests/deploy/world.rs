//! An emulated tenant with a client, and sets of small policies.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use iefctl::auth::{
    ClientSecret, Cloud, Endpoints, RetryPolicy, Surroundings, TokenSource, TransportOptions,
};
use iefctl::deploy::{
    self, Cancellation, Event, ExecuteError, ExecuteOptions, Execution, Local, Materials, Observer,
    Outcome, PlanOptions, Planned, Remote, TenantIdentity, TenantLock, ValueSource,
};
use iefctl::diagnostics::Source;
use iefctl::emulator::{Emulator, EmulatorOptions, Faults, RequestRecord};
use iefctl::msgraph::{GraphClient, GraphError, GraphOptions};
use iefctl::validate::{Input, validate};
use secrecy::SecretString;

pub(crate) const TENANT: &str = "contoso.onmicrosoft.com";

/// A policy of contoso with `body` behind its header.
pub(crate) fn policy(id: &str, base: Option<&str>, body: &str) -> String {
    let base = base.map_or_else(String::new, |base| {
        format!(
            "\n  <BasePolicy>\n    <TenantId>{TENANT}</TenantId>\n    <PolicyId>{base}</PolicyId>\n  \
             </BasePolicy>"
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<TrustFrameworkPolicy \
         xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"{TENANT}\" PolicyId=\"{id}\" \
         PublicPolicyUri=\"http://{TENANT}/{id}\">{base}\n{body}\n</TrustFrameworkPolicy>\n"
    )
}

/// A claims provider with a technical profile that uses these keys (`@Id`, `@StorageReferenceId`).
pub(crate) fn provider(id: &str, keys: &[(&str, &str)]) -> String {
    let keys: String = keys
        .iter()
        .map(|(key, keyset)| format!("<Key Id=\"{key}\" StorageReferenceId=\"{keyset}\" />\n"))
        .collect();
    format!(
        "<ClaimsProviders>\n<ClaimsProvider>\n<DisplayName>{id}</DisplayName>\n<TechnicalProfiles>\n\
         <TechnicalProfile Id=\"{id}\">\n<DisplayName>{id}</DisplayName>\n\
         <Protocol Name=\"None\" />\n<CryptographicKeys>\n{keys}</CryptographicKeys>\n\
         </TechnicalProfile>\n</TechnicalProfiles>\n</ClaimsProvider>\n</ClaimsProviders>"
    )
}

/// A claims schema with one claim type of this name.
pub(crate) fn claim(name: &str) -> String {
    format!(
        "<BuildingBlocks>\n<ClaimsSchema>\n<ClaimType Id=\"{name}\">\n\
         <DisplayName>{name}</DisplayName>\n<DataType>string</DataType>\n</ClaimType>\n\
         </ClaimsSchema>\n</BuildingBlocks>"
    )
}

/// Files named after the ids, in this order.
pub(crate) fn local(policies: &[(&str, String)]) -> Local {
    let mut input = Input::default();
    for (id, text) in policies {
        let source = Source::new(format!("policies/{id}.xml"), text.as_str());
        let id = input.sources.add(source);
        input.own.push(id);
    }
    let outcome = validate(input);
    Local::new(&outcome.set, &outcome.report.sources)
}

/// Base ← Extensions ← two relying parties, listed leaves first.
pub(crate) fn small_set() -> Local {
    local(&[
        (
            "B2C_1A_SignIn",
            policy("B2C_1A_SignIn", Some("B2C_1A_Ext"), ""),
        ),
        (
            "B2C_1A_Reset",
            policy("B2C_1A_Reset", Some("B2C_1A_Ext"), ""),
        ),
        (
            "B2C_1A_Ext",
            policy("B2C_1A_Ext", Some("B2C_1A_Base"), &claim("loyalty")),
        ),
        ("B2C_1A_Base", policy("B2C_1A_Base", None, &claim("email"))),
    ])
}

pub(crate) fn identity() -> TenantIdentity {
    TenantIdentity {
        name: TENANT.to_owned(),
        ..TenantIdentity::default()
    }
}

/// Remembers every event.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Vec<Event>>);

impl Recorder {
    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Recorder {
    fn on_event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) client: GraphClient,
    pub(crate) recorder: Recorder,
    pub(crate) cancellation: Cancellation,
    /// Environment variables that values of keys come from.
    pub(crate) variables: HashMap<String, String>,
    pub(crate) plan: PlanOptions,
    pub(crate) execute: ExecuteOptions,
    pub(crate) lock: Option<TenantLock>,
    /// The first request that counts.
    pub(crate) since: u64,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(options()).await
    }

    pub(crate) async fn with(options: EmulatorOptions) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let emulator = Emulator::start(options, any).await.unwrap();
        let client = client(&emulator.url());
        Self {
            emulator,
            client,
            recorder: Recorder::default(),
            cancellation: Cancellation::new(),
            variables: HashMap::new(),
            plan: PlanOptions::default(),
            execute: ExecuteOptions::default(),
            lock: None,
            since: 0,
        }
    }

    pub(crate) async fn read(&self, local: &Local) -> Result<Remote, GraphError> {
        deploy::read(&self.client, &local.wanted(), self.execute.concurrency).await
    }

    pub(crate) async fn plan(&self, local: &Local) -> (Planned, Remote) {
        let mut wanted = local.wanted();
        wanted.extend(self.plan.delete.iter().cloned());
        let remote = deploy::read(&self.client, &wanted, 8).await.unwrap();
        (
            deploy::build(&identity(), local, &remote, &self.plan),
            remote,
        )
    }

    pub(crate) fn materials(&self, planned: &Planned, local: &Local) -> Materials {
        let env = |name: &str| self.variables.get(name).cloned();
        let resolve = |source: &ValueSource| source.read(&env);
        let placeholders = self.plan.placeholder_secrets;
        let (materials, findings) = Materials::gather(&planned.plan, local, &resolve, placeholders);
        assert!(findings.is_empty(), "{findings:?}");
        materials
    }

    pub(crate) async fn try_deploy(&self, local: &Local) -> Result<Outcome, ExecuteError> {
        let (planned, remote) = self.plan(local).await;
        assert!(!planned.is_blocked(), "{:#?}", planned.findings);
        let materials = self.materials(&planned, local);
        self.execute(&planned, local, &remote, materials).await
    }

    pub(crate) async fn execute(
        &self,
        planned: &Planned,
        local: &Local,
        remote: &Remote,
        materials: Materials,
    ) -> Result<Outcome, ExecuteError> {
        let execution = Execution {
            client: &self.client,
            plan: &planned.plan,
            local,
            remote,
            materials,
            lock: self.lock.clone(),
            options: self.execute.clone(),
        };
        let outcome = deploy::execute(execution, &self.recorder, &self.cancellation).await?;
        assert_adds_up(&outcome);
        Ok(outcome)
    }

    pub(crate) async fn deploy(&self, local: &Local) -> Outcome {
        self.try_deploy(local).await.unwrap()
    }

    /// Requests that may write, token requests left out.
    pub(crate) fn writes(&self) -> Vec<RequestRecord> {
        let mut requests = self.requests();
        requests.retain(|request| request.method != "GET" && !request.path.ends_with("/token"));
        requests
    }

    /// All requests that count.
    pub(crate) fn requests(&self) -> Vec<RequestRecord> {
        let mut requests = self.emulator.requests();
        requests.retain(|request| request.sequence >= self.since);
        requests
    }

    /// An empty tenant, a client that has to sign in, and no request so far: starting an emulator anew
    /// costs a key pair.
    pub(crate) async fn begin_anew(&mut self) {
        self.faults(Faults::default());
        // What is to be carried out late comes before these.
        for _ in 0..4 {
            self.client.list_policies().await.unwrap();
        }
        let store = self.emulator.store();
        for id in store.policies(TENANT) {
            store.remove_policy(TENANT, &id).unwrap();
        }
        for keyset in store.keysets(TENANT) {
            store.remove_keyset(TENANT, &keyset.id).unwrap();
        }
        self.client = client(&self.emulator.url());
        let last = self.emulator.requests().last().map(|last| last.sequence);
        self.since = last.map_or(0, |last| last + 1);
    }

    pub(crate) fn faults(&self, faults: Faults) {
        self.emulator.set_faults(faults);
    }

    pub(crate) fn stored(&self, id: &str) -> Option<String> {
        self.emulator.store().policy(TENANT, id)
    }
}

pub(crate) fn options() -> EmulatorOptions {
    EmulatorOptions {
        reuse_rsa_key: true,
        ..EmulatorOptions::default()
    }
}

/// A client that does not wait long between attempts.
pub(crate) fn client(url: &str) -> GraphClient {
    client_with(url, 4)
}

/// One that goes on as long as somebody else's call may take on a busy machine, as the pauses of a real
/// client are much longer than a call.
pub(crate) fn patient_client(url: &str) -> GraphClient {
    client_with(url, 200)
}

fn client_with(url: &str, retries: u32) -> GraphClient {
    let retry = RetryPolicy {
        retries,
        base_delay: Duration::from_millis(1),
        max_delay: Duration::from_millis(5),
        // Seconds are what the service asks for; a window of a rate limit here is shorter.
        retry_after_cap: Duration::from_millis(20),
        ..RetryPolicy::default()
    };
    let surroundings = Surroundings::new(TransportOptions::default(), retry.clone());
    let endpoints = Endpoints::new(Cloud::Global, Some(url), Some(url)).unwrap();
    let secret = SecretString::from("a-secret-of-the-application");
    let way = ClientSecret::new(&endpoints, TENANT, "an-application", secret, &surroundings);
    let mut options = GraphOptions::new(endpoints.graph.clone());
    options.retry = retry;
    GraphClient::new(options, TokenSource::new(way.unwrap())).unwrap()
}

/// Every policy is counted once.
pub(crate) fn assert_adds_up(outcome: &Outcome) {
    let summary = outcome.summary;
    let counted = summary.created
        + summary.updated
        + summary.unchanged
        + summary.deleted
        + summary.failed
        + summary.blocked
        + summary.not_started
        + summary.restored;
    assert_eq!(counted, outcome.policies.len(), "{outcome:#?}");
}
