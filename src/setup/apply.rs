//! Carries a [`SetupPlan`] out. Each step looks at what is there before it adds anything, so that a
//! run that was broken off is completed by the next one.

use crate::auth::Random;
use crate::deploy::{KeysetNotMade, TenantLock, make_generated_keyset};
use crate::msgraph::{Application, GraphClient, GraphError, ServicePrincipal};

use super::plan::{
    framework_at_creation, framework_settings, keysets_of_tokens, proxy_settings, unique_uri,
};
use super::{FRAMEWORK, GRAPH_SCOPES, PROXY, Registration, SCOPE, SetupPlan, Step, StepKind};

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    /// Nothing was left to do.
    Present,
    /// It was done.
    Done,
    /// It failed.
    Failed {
        /// What the service said.
        error: String,
        /// What to do.
        advice: Option<String>,
    },
    /// It needs something that failed, and was not tried.
    Blocked,
}

/// What became of a plan.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// The outcomes, one per step of the plan.
    pub outcomes: Vec<StepOutcome>,
    /// Client id of IdentityExperienceFramework, once it exists.
    pub framework: Option<String>,
    /// Client id of ProxyIdentityExperienceFramework, once it exists.
    pub proxy: Option<String>,
}

impl Applied {
    /// Whether everything is there now.
    pub fn is_complete(&self) -> bool {
        let done =
            |outcome: &StepOutcome| matches!(outcome, StepOutcome::Present | StepOutcome::Done);
        self.outcomes.iter().all(done)
    }
}

/// Is told about steps as they are begun and end.
pub trait Progress: Send + Sync {
    /// A step of which something is left to do begins.
    fn on_start(&self, step: &Step);
    /// A step ended.
    fn on_end(&self, step: &Step, outcome: &StepOutcome);
}

impl Progress for () {
    fn on_start(&self, _: &Step) {}
    fn on_end(&self, _: &Step, _: &StepOutcome) {}
}

/// Why a step was not done.
enum Trouble {
    Graph(GraphError),
    Keyset(KeysetNotMade),
    /// What it needs is not there.
    Blocked,
}

impl From<GraphError> for Trouble {
    fn from(error: GraphError) -> Self {
        Self::Graph(error)
    }
}

/// What is there so far.
struct Setup<'a> {
    client: &'a GraphClient,
    plan: &'a SetupPlan,
    lock: Option<&'a TenantLock>,
    framework: Option<Application>,
    framework_principal: Option<ServicePrincipal>,
    proxy: Option<Application>,
    proxy_principal: Option<ServicePrincipal>,
}

/// Does what is left to do, in the order of the plan. A step that fails keeps those that need it from
/// being tried, and no others. `lock` keeps runs of this machine apart, and knows of keys that a killed
/// one asked for.
pub async fn apply(
    client: &GraphClient,
    plan: &SetupPlan,
    lock: Option<&TenantLock>,
    progress: &dyn Progress,
) -> Applied {
    let principal = |registration: &Option<Registration>| {
        let registration = registration.as_ref()?;
        registration.principal.as_ref().ok()?.clone()
    };
    let application = |registration: &Option<Registration>| {
        registration.as_ref().map(|it| it.application.clone())
    };
    let mut setup = Setup {
        client,
        plan,
        lock,
        framework: application(&plan.framework),
        framework_principal: principal(&plan.framework),
        proxy: application(&plan.proxy),
        proxy_principal: principal(&plan.proxy),
    };
    let mut outcomes = Vec::new();
    for step in &plan.steps {
        let outcome = if step.is_needed() {
            progress.on_start(step);
            match setup.carry_out(step.kind).await {
                Ok(()) => StepOutcome::Done,
                Err(Trouble::Blocked) => StepOutcome::Blocked,
                Err(Trouble::Graph(error)) => StepOutcome::Failed {
                    error: error.to_string(),
                    advice: error.advice().map(str::to_owned),
                },
                Err(Trouble::Keyset(error)) => StepOutcome::Failed {
                    error: error.to_string(),
                    advice: error.advice().map(str::to_owned),
                },
            }
        } else {
            StepOutcome::Present
        };
        progress.on_end(step, &outcome);
        outcomes.push(outcome);
    }
    Applied {
        outcomes,
        framework: setup.framework.map(|application| application.app_id),
        proxy: setup.proxy.map(|application| application.app_id),
    }
}

impl Setup<'_> {
    async fn carry_out(&mut self, kind: StepKind) -> Result<(), Trouble> {
        let client = self.client;
        let graph_scopes = GRAPH_SCOPES.map(|(name, _)| name);
        match kind {
            StepKind::Framework => {
                let settings = framework_at_creation(&self.plan.domain);
                let uri = unique_uri(&self.plan.domain, FRAMEWORK);
                let created = client.create_application(FRAMEWORK, &settings, &uri);
                self.framework = Some(created.await?);
            }
            StepKind::FrameworkScope => {
                let framework = self.framework.as_mut().ok_or(Trouble::Blocked)?;
                let new_scope = Random::new().guid();
                let settings = framework_settings(&self.plan.domain, framework, &new_scope);
                client
                    .update_application(&framework.object_id, &settings)
                    .await?;
                if let Some(scopes) = settings.scopes {
                    framework.scopes = scopes;
                }
            }
            StepKind::FrameworkPrincipal => {
                let framework = self.framework.as_ref().ok_or(Trouble::Blocked)?;
                let principal = client.create_service_principal(&framework.app_id).await?;
                self.framework_principal = Some(principal);
            }
            StepKind::Proxy => self.proxy().await?,
            StepKind::ProxyPrincipal => {
                let proxy = self.proxy.as_ref().ok_or(Trouble::Blocked)?;
                let principal = client.create_service_principal(&proxy.app_id).await?;
                self.proxy_principal = Some(principal);
            }
            StepKind::Consent => {
                // Without the scope there is nothing to consent to.
                self.scope().ok_or(Trouble::Blocked)?;
                let (client_id, resource) = ends(
                    self.proxy_principal.as_ref(),
                    self.framework_principal.as_ref(),
                )?;
                client
                    .grant_permissions(client_id, resource, &[SCOPE])
                    .await?;
            }
            StepKind::FrameworkGraphConsent => {
                let (client_id, resource) =
                    ends(self.framework_principal.as_ref(), self.plan.graph.as_ref())?;
                client
                    .grant_permissions(client_id, resource, &graph_scopes)
                    .await?;
            }
            StepKind::ProxyGraphConsent => {
                let (client_id, resource) =
                    ends(self.proxy_principal.as_ref(), self.plan.graph.as_ref())?;
                client
                    .grant_permissions(client_id, resource, &graph_scopes)
                    .await?;
            }
            StepKind::Keyset(position) => self.keyset(position).await?,
        }
        Ok(())
    }

    /// App id and scope id of the first application, once the scope is there.
    fn scope(&self) -> Option<(String, String)> {
        let framework = self.framework.as_ref()?;
        let mut scopes = framework.scopes.iter();
        let scope = scopes.find(|scope| scope.value == SCOPE && scope.is_enabled)?;
        Some((framework.app_id.clone(), scope.id.clone()))
    }

    async fn proxy(&mut self) -> Result<(), Trouble> {
        let (app_id, scope) = self.scope().ok_or(Trouble::Blocked)?;
        let existing = self.plan.proxy.as_ref();
        let settings = proxy_settings(None, existing, Some((&app_id, &scope)));
        match &self.proxy {
            None => {
                let uri = unique_uri(&self.plan.domain, PROXY);
                let created = self.client.create_application(PROXY, &settings, &uri);
                self.proxy = Some(created.await?);
            }
            Some(proxy) if settings.is_empty() => {
                tracing::debug!(proxy.app_id, "nothing left to set");
            }
            Some(proxy) => {
                self.client
                    .update_application(&proxy.object_id, &settings)
                    .await?;
            }
        }
        Ok(())
    }

    async fn keyset(&self, position: usize) -> Result<(), Trouble> {
        let Some((id, usage)) = keysets_of_tokens().get(position).copied() else {
            return Err(Trouble::Blocked);
        };
        let exists = self.plan.empty_keysets.contains(&position);
        make_generated_keyset(self.client, self.lock, id, usage, exists)
            .await
            .map_err(Trouble::Keyset)
    }
}

/// Ids of both ends of a consent.
fn ends<'p>(
    client: Option<&'p ServicePrincipal>,
    resource: Option<&'p ServicePrincipal>,
) -> Result<(&'p str, &'p str), Trouble> {
    match (client, resource) {
        (Some(client), Some(resource)) => Ok((&client.id, &resource.id)),
        _ => Err(Trouble::Blocked),
    }
}
