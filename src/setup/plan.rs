//! What is left to do until a tenant has what policies need.

use crate::deploy::Usage;
use crate::msgraph::{ApplicationSettings, PermissionScope, RequiredAccess, ServicePrincipal};
use crate::policy::InitialDomain;

use super::{
    Answer, Expected, FRAMEWORK, Facts, GRAPH, GRAPH_SCOPES, Mention, PROXY, REPLY_URL,
    Registration, SCOPE,
};

/// The keysets that the policies of Microsoft's starter packs sign and encrypt tokens with.
pub const fn keysets_of_tokens() -> [(&'static str, Usage); 2] {
    [
        ("B2C_1A_TokenSigningKeyContainer", Usage::Sig),
        ("B2C_1A_TokenEncryptionKeyContainer", Usage::Enc),
    ]
}

/// One thing that has to be there in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which thing.
    pub kind: StepKind,
    /// Its name for people.
    pub subject: String,
    /// What is to be done, each in a few words; empty if it is there already.
    pub actions: Vec<String>,
}

impl Step {
    /// Whether anything is to be done.
    pub fn is_needed(&self) -> bool {
        !self.actions.is_empty()
    }
}

/// The things that a tenant needs, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// The application IdentityExperienceFramework.
    Framework,
    /// Its scope, with the URI that scopes need.
    FrameworkScope,
    /// Its service principal.
    FrameworkPrincipal,
    /// Its admin consent to the sign-in permissions of Microsoft Graph.
    FrameworkGraphConsent,
    /// The application ProxyIdentityExperienceFramework.
    Proxy,
    /// Its service principal.
    ProxyPrincipal,
    /// Its admin consent to the scope of the first one.
    Consent,
    /// Its admin consent to the sign-in permissions of Microsoft Graph.
    ProxyGraphConsent,
    /// One of [`keysets_of_tokens`], by its position there.
    Keyset(usize),
}

/// Something that keeps the tenant from being set up, with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What it is.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The steps, and what they start from. Building it touches nothing.
#[derive(Debug, Clone)]
pub struct SetupPlan {
    /// The first domain of the tenant.
    pub domain: String,
    /// Every step, also those of which nothing is left to do.
    pub steps: Vec<Step>,
    pub(super) framework: Option<Registration>,
    pub(super) proxy: Option<Registration>,
    pub(super) graph: Option<ServicePrincipal>,
    /// Keysets that are there without any key, by position in [`keysets_of_tokens`].
    pub(super) empty_keysets: Vec<usize>,
}

impl SetupPlan {
    /// Compares what the tenant has with what it needs. `tenant` is how the user named it.
    ///
    /// # Errors
    /// Everything that has to be cleared up first.
    pub fn new(facts: &Facts, expected: &Expected, tenant: &str) -> Result<Self, Vec<Obstacle>> {
        let mut obstacles = Vec::new();
        let domain = domain(facts, tenant, &mut obstacles);
        let framework = chosen(
            &facts.framework,
            FRAMEWORK,
            &expected.framework,
            &mut obstacles,
        );
        let proxy = chosen(&facts.proxy, PROXY, &expected.proxy, &mut obstacles);
        let graph = match &facts.graph {
            Ok(graph) => graph.clone(),
            Err(error) => {
                obstacles.push(Obstacle::reading(
                    "the service principal of Microsoft Graph",
                    error,
                ));
                None
            }
        };
        let keysets = match &facts.keysets {
            Ok(keysets) => keysets.as_slice(),
            Err(error) => {
                obstacles.push(Obstacle::reading("the keysets", error));
                &[]
            }
        };
        if !obstacles.is_empty() {
            return Err(obstacles);
        }
        let mut plan = Self {
            domain,
            steps: Vec::new(),
            framework,
            proxy,
            graph,
            empty_keysets: Vec::new(),
        };
        plan.add_steps();
        for (position, (id, usage)) in keysets_of_tokens().into_iter().enumerate() {
            let keyset = keysets
                .iter()
                .find(|keyset| keyset.id.eq_ignore_ascii_case(id));
            let key = format!("generate an RSA key for {}", purpose(usage));
            if keyset.is_some_and(|keyset| keyset.keys.is_empty()) {
                plan.empty_keysets.push(position);
            }
            let actions = match keyset {
                None => vec!["create".to_owned(), key],
                Some(keyset) if keyset.keys.is_empty() => vec![key],
                Some(_) => Vec::new(),
            };
            plan.steps.push(Step {
                kind: StepKind::Keyset(position),
                subject: format!("keyset {id}"),
                actions,
            });
        }
        Ok(plan)
    }

    /// Whether anything is to be done.
    pub fn has_changes(&self) -> bool {
        self.steps.iter().any(Step::is_needed)
    }

    /// Client id of IdentityExperienceFramework, if it is there already.
    pub fn framework_id(&self) -> Option<String> {
        let existing = self.framework.as_ref()?;
        Some(existing.application.app_id.clone())
    }

    /// Client id of ProxyIdentityExperienceFramework, if it is there already.
    pub fn proxy_id(&self) -> Option<String> {
        let existing = self.proxy.as_ref()?;
        Some(existing.application.app_id.clone())
    }

    fn add_steps(&mut self) {
        let framework = self.framework_actions();
        let scope = self.scope_actions();
        let proxy = self.proxy_actions();
        let principal = |registration: &Option<Registration>| match registration {
            Some(registration) if matches!(registration.principal, Ok(Some(_))) => Vec::new(),
            _ => vec!["create".to_owned()],
        };
        let framework_principal = principal(&self.framework);
        let proxy_principal = principal(&self.proxy);
        let scopes = GRAPH_SCOPES.map(|(name, _)| name);
        let resource = self.framework.as_ref();
        let resource = resource.and_then(|it| it.principal.as_ref().ok()?.as_ref());
        let consent = grant(self.proxy.as_ref(), resource, &[SCOPE]);
        let graph = self.graph.as_ref();
        let framework_graph = grant(self.framework.as_ref(), graph, &scopes);
        let proxy_graph = grant(self.proxy.as_ref(), graph, &scopes);
        let all = [
            (StepKind::Framework, FRAMEWORK, "", framework),
            (StepKind::FrameworkScope, FRAMEWORK, "scope", scope),
            (
                StepKind::FrameworkPrincipal,
                FRAMEWORK,
                "service principal",
                framework_principal,
            ),
            (
                StepKind::FrameworkGraphConsent,
                FRAMEWORK,
                "consent to sign-in",
                framework_graph,
            ),
            (StepKind::Proxy, PROXY, "", proxy),
            (
                StepKind::ProxyPrincipal,
                PROXY,
                "service principal",
                proxy_principal,
            ),
            (StepKind::Consent, PROXY, "admin consent", consent),
            (
                StepKind::ProxyGraphConsent,
                PROXY,
                "consent to sign-in",
                proxy_graph,
            ),
        ];
        let has_graph = self.graph.is_some();
        for (kind, application, part, actions) in all {
            let is_graph = matches!(
                kind,
                StepKind::FrameworkGraphConsent | StepKind::ProxyGraphConsent
            );
            // A tenant without Microsoft Graph's service principal has nothing to consent to.
            if is_graph && !has_graph {
                continue;
            }
            let subject = match part {
                "" => application.to_owned(),
                part => format!("{application}: {part}"),
            };
            self.steps.push(Step {
                kind,
                subject,
                actions,
            });
        }
    }

    fn framework_actions(&self) -> Vec<String> {
        match &self.framework {
            None => vec!["create".to_owned()],
            Some(_) => Vec::new(),
        }
    }

    fn scope_actions(&self) -> Vec<String> {
        let Some(registration) = &self.framework else {
            return vec![format!("add {SCOPE}")];
        };
        let application = &registration.application;
        let mut actions = Vec::new();
        match application.scopes.iter().find(|scope| scope.value == SCOPE) {
            None => actions.push(format!("add {SCOPE}")),
            Some(scope) if !scope.is_enabled => actions.push(format!("enable {SCOPE}")),
            Some(_) => {}
        }
        if application.identifier_uris.is_empty() {
            actions.push("set the application id URI".to_owned());
        }
        actions
    }

    fn proxy_actions(&self) -> Vec<String> {
        let Some(proxy) = &self.proxy else {
            return vec!["create as public client".to_owned()];
        };
        let settings = proxy_settings(self.framework.as_ref(), Some(proxy), None);
        let mut actions = Vec::new();
        if settings.is_public_client.is_some() {
            actions.push("allow public client flows".to_owned());
        }
        if settings.public_redirect_uris.is_some() {
            actions.push(format!("add reply URL {REPLY_URL}"));
        }
        if settings.required_access.is_some() {
            actions.push(format!("ask for {SCOPE} of {FRAMEWORK}"));
        }
        actions
    }
}

/// What is left to grant to a client.
fn grant(
    client: Option<&Registration>,
    resource: Option<&ServicePrincipal>,
    scopes: &[&str],
) -> Vec<String> {
    let is_granted = match (client, resource) {
        (Some(client), Some(resource)) => scopes
            .iter()
            .all(|scope| client.may(resource, scope) == Some(true)),
        _ => false,
    };
    match is_granted {
        true => Vec::new(),
        false => vec![format!("grant {} for all users", scopes.join(" and "))],
    }
}

const fn purpose(usage: Usage) -> &'static str {
    match usage {
        Usage::Sig => "signing",
        Usage::Enc => "encryption",
    }
}

impl Obstacle {
    fn reading(what: &str, error: &crate::msgraph::GraphError) -> Self {
        Self {
            message: format!("cannot read {what}: {error}"),
            help: error
                .advice()
                .unwrap_or("`iefctl doctor` looks at the connection")
                .to_owned(),
        }
    }
}

fn domain(facts: &Facts, tenant: &str, obstacles: &mut Vec<Obstacle>) -> String {
    match &facts.organization {
        Ok(organization) => {
            let kind = organization.tenant_type.as_deref().unwrap_or("AAD B2C");
            if !kind.eq_ignore_ascii_case("AAD B2C") {
                obstacles.push(Obstacle {
                    message: format!("{tenant} is no B2C tenant, its type is `{kind}`"),
                    help: "sign in to the B2C tenant itself; the application that signs in must \
                           be registered there"
                        .to_owned(),
                });
            }
            organization.initial_domain().unwrap_or(tenant).to_owned()
        }
        // The name that the user gave is as good, if it is a domain.
        Err(_) if !super::is_id(tenant) => tenant.to_owned(),
        Err(error) => {
            obstacles.push(Obstacle::reading("the domain of the tenant", error));
            tenant.to_owned()
        }
    }
}

/// The application to go on with: the only one of its name, or the one that policies name.
fn chosen(
    found: &Answer<Vec<Registration>>,
    name: &str,
    mentions: &[Mention],
    obstacles: &mut Vec<Obstacle>,
) -> Option<Registration> {
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            obstacles.push(Obstacle::reading(
                &format!("the applications {name}"),
                error,
            ));
            return None;
        }
    };
    let by_policies = found.iter().find(|it| {
        mentions
            .iter()
            .any(|mention| mention.is(&it.application.app_id))
    });
    let chosen = match (found.as_slice(), by_policies) {
        ([], _) => return None,
        ([one], _) | (_, Some(one)) => one,
        (several, None) => {
            let ids: Vec<&str> = several
                .iter()
                .map(|it| it.application.app_id.as_str())
                .collect();
            obstacles.push(Obstacle {
                message: format!(
                    "{} applications have the name {name}: {}",
                    ids.len(),
                    ids.join(", ")
                ),
                help: "keep the one whose id policies use, rename or delete the others: portal: \
                       App registrations > All applications"
                    .to_owned(),
            });
            return None;
        }
    };
    for error in [
        chosen.principal.as_ref().err(),
        chosen.grants.as_ref().err(),
    ]
    .into_iter()
    .flatten()
    {
        obstacles.push(Obstacle::reading(&format!("consent of {name}"), error));
    }
    Some(chosen.clone())
}

/// What the first application is created with.
pub(super) fn framework_at_creation(domain: &str) -> ApplicationSettings {
    ApplicationSettings {
        web_redirect_uris: Some(vec![format!("https://{}/{domain}", sign_in_host(domain))]),
        required_access: Some(vec![graph_access()]),
        ..ApplicationSettings::default()
    }
}

/// The application id URI by which an application is made only once.
pub(super) fn unique_uri(domain: &str, name: &str) -> String {
    format!("https://{domain}/{}", name.to_lowercase())
}

/// What the first application lacks once it exists. `new_scope` is the id of a new scope.
pub(super) fn framework_settings(
    domain: &str,
    application: &crate::msgraph::Application,
    new_scope: &str,
) -> ApplicationSettings {
    let mut scopes = application.scopes.clone();
    let position = scopes.iter().position(|scope| scope.value == SCOPE);
    let scopes = match position {
        None => {
            scopes.push(PermissionScope::for_admins(
                new_scope,
                SCOPE,
                "Access IdentityExperienceFramework",
                "Allow the application to access IdentityExperienceFramework on behalf of the \
                 signed-in user.",
            ));
            Some(scopes)
        }
        Some(position) if !scopes[position].is_enabled => {
            let scope = scopes[position].clone().enabled();
            scopes[position] = scope;
            Some(scopes)
        }
        Some(_) => None,
    };
    let uri = format!("https://{domain}/{}", application.app_id);
    ApplicationSettings {
        identifier_uris: application.identifier_uris.is_empty().then(|| vec![uri]),
        scopes,
        ..ApplicationSettings::default()
    }
}

/// What the second application lacks. `scope` is the id of the scope of the first one, where that is
/// known by now.
pub(super) fn proxy_settings(
    framework: Option<&Registration>,
    proxy: Option<&Registration>,
    scope: Option<(&str, &str)>,
) -> ApplicationSettings {
    let existing = framework.and_then(|framework| {
        let application = &framework.application;
        let scope = application
            .scopes
            .iter()
            .find(|scope| scope.value == SCOPE)?;
        Some((application.app_id.as_str(), scope.id.as_str()))
    });
    let scope = scope.or(existing);
    let Some(proxy) = proxy else {
        let mut access = vec![graph_access()];
        access.extend(scope.map(|(app_id, id)| access_to(app_id, id)));
        return ApplicationSettings {
            is_public_client: Some(true),
            public_redirect_uris: Some(vec![REPLY_URL.to_owned()]),
            required_access: Some(access),
            ..ApplicationSettings::default()
        };
    };
    let application = &proxy.application;
    let has_url = application
        .public_redirect_uris
        .iter()
        .any(|url| url.eq_ignore_ascii_case(REPLY_URL));
    let urls = (!has_url).then(|| {
        let mut urls = application.public_redirect_uris.clone();
        urls.push(REPLY_URL.to_owned());
        urls
    });
    ApplicationSettings {
        is_public_client: (!application.is_public_client).then_some(true),
        public_redirect_uris: urls,
        required_access: required_access(&application.required_access, scope),
        ..ApplicationSettings::default()
    }
}

/// The permissions that the second application asks for with the scope among them; none if it is.
fn required_access(
    known: &[RequiredAccess],
    scope: Option<(&str, &str)>,
) -> Option<Vec<RequiredAccess>> {
    // Of a scope that is still to be made it is only known that it is missing.
    let (app_id, id) = scope.unwrap_or_default();
    let mut all = known.to_vec();
    match all
        .iter_mut()
        .find(|access| access.resource_app_id.eq_ignore_ascii_case(app_id))
    {
        Some(access) => {
            let mut permissions = access.permissions.iter();
            if permissions.any(|(known, _)| known.eq_ignore_ascii_case(id)) {
                return None;
            }
            access.permissions.push((id.to_owned(), "Scope".to_owned()));
        }
        None => all.push(access_to(app_id, id)),
    }
    Some(all)
}

fn access_to(app_id: &str, scope: &str) -> RequiredAccess {
    RequiredAccess {
        resource_app_id: app_id.to_owned(),
        permissions: vec![(scope.to_owned(), "Scope".to_owned())],
    }
}

fn graph_access() -> RequiredAccess {
    RequiredAccess {
        resource_app_id: GRAPH.to_owned(),
        permissions: GRAPH_SCOPES
            .iter()
            .map(|(_, id)| ((*id).to_owned(), "Scope".to_owned()))
            .collect(),
    }
}

/// The host of the tenant's sign-in pages, by the cloud that its domain belongs to.
fn sign_in_host(domain: &str) -> String {
    let label = domain.split('.').next().unwrap_or(domain);
    let suffix = InitialDomain::of(domain).map_or("b2clogin.com", |domain| domain.sign_in);
    format!("{label}.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_in_host_belongs_to_the_cloud() {
        for (domain, host) in [
            ("contoso.onmicrosoft.com", "contoso.b2clogin.com"),
            ("contoso.partner.onmschina.cn", "contoso.b2clogin.cn"),
            ("contoso.onmicrosoft.us", "contoso.b2clogin.us"),
        ] {
            assert_eq!(sign_in_host(domain), host);
        }
    }

    #[test]
    fn permissions_that_are_asked_for_already_stay() {
        let known = [access_to("GRAPH", "openid"), access_to("app", "other")];
        let all = required_access(&known, Some(("APP", "scope"))).unwrap();
        assert_eq!(all[0], known[0]);
        let ids: Vec<&str> = all[1]
            .permissions
            .iter()
            .map(|(id, _)| id.as_str())
            .collect();
        assert_eq!(ids, ["other", "scope"]);
        assert_eq!(required_access(&all, Some(("app", "SCOPE"))), None);
    }
}
