//! IdentityExperienceFramework and ProxyIdentityExperienceFramework.

use crate::msgraph::Application;

use super::{Check, Examination, Group, State};
use crate::setup::{Answer, FRAMEWORK, Mention, PROXY, REPLY_URL, Registration, SCOPE};

const PERMISSION: &str = "Application.Read.All";
const APPLICATION: &str = "application";
const INIT: &str = "`iefctl init --tenant` does it";

struct Role<'r> {
    group: Group,
    id: &'static str,
    name: &'static str,
    found: &'r Answer<Vec<Registration>>,
    mentions: &'r [Mention],
}

pub(super) fn check(examination: &Examination<'_>) -> Vec<Check> {
    let (expected, facts) = (examination.expected, examination.facts);
    let framework = Role {
        group: Group::Framework,
        id: "framework-application",
        name: FRAMEWORK,
        found: &facts.framework,
        mentions: &expected.framework,
    };
    let proxy = Role {
        group: Group::Proxy,
        id: "proxy-application",
        name: PROXY,
        found: &facts.proxy,
        mentions: &expected.proxy,
    };
    let mut checks = Vec::new();
    let framework = framework.choose(examination, &mut checks);
    if let Some(framework) = framework {
        checks.push(principal(
            Group::Framework,
            "framework-principal",
            framework,
        ));
        checks.push(scope(&framework.application));
    }
    let proxy = proxy.choose(examination, &mut checks);
    if let Some(proxy) = proxy {
        checks.push(principal(Group::Proxy, "proxy-principal", proxy));
        checks.push(public_client(&proxy.application));
        checks.push(reply_url(&proxy.application));
        if let Some(framework) = framework {
            checks.push(consent(proxy, framework));
        }
        checks.extend(graph_consent(examination, proxy));
    }
    checks
}

impl<'r> Role<'r> {
    /// The application that is meant, after saying what is wrong with the choice.
    fn choose(
        &self,
        examination: &Examination<'r>,
        checks: &mut Vec<Check>,
    ) -> Option<&'r Registration> {
        let check =
            |state, message: String| Check::new(self.group, self.id, APPLICATION, state, message);
        let found: &'r [Registration] = match self.found {
            Ok(found) => found,
            Err(error) => {
                checks.push(Check::unknown(
                    self.group,
                    self.id,
                    APPLICATION,
                    error,
                    PERMISSION,
                ));
                return None;
            }
        };
        let ids = || -> Vec<&str> {
            found
                .iter()
                .map(|it| it.application.app_id.as_str())
                .collect()
        };
        let literal = self
            .mentions
            .iter()
            .filter(|mention| !mention.is_looked_up());
        let mut chosen = None;
        for mention in literal {
            match named(examination, found, mention) {
                Named::Is(registration) => {
                    chosen = Some(registration);
                    checks.push(self.settled(mention, registration, found.len()));
                }
                Named::Unreadable(error) => {
                    checks.push(Check::unknown(
                        self.group,
                        self.id,
                        APPLICATION,
                        error,
                        PERMISSION,
                    ));
                }
                Named::NoId | Named::Missing => {
                    let help = match found {
                        [] => format!(
                            "{} does not exist either: `iefctl init --tenant` creates it",
                            self.name
                        ),
                        [one] => format!("{} has the id {}", self.name, one.application.app_id),
                        _ => format!("{} are the ids of {}", ids().join(", "), self.name),
                    };
                    checks.push(
                        check(
                            State::Problem,
                            format!(
                                "{} ({}) is `{}`, and the tenant has no such application",
                                mention.what, mention.place, mention.value
                            ),
                        )
                        .help(help),
                    );
                }
            }
        }
        if chosen.is_some() || self.mentions.iter().any(|mention| !mention.is_looked_up()) {
            return chosen.or_else(|| found.first().filter(|_| found.len() == 1));
        }
        let looked_up = !self.mentions.is_empty();
        match found {
            [one] => {
                let id = &one.application.app_id;
                checks.push(check(State::Ok, format!("app id {id}")));
                Some(one)
            }
            [] if examination.expected.has_policies && !looked_up => {
                checks.push(check(
                    State::Ok,
                    "not registered, and no policy signs in through it".to_owned(),
                ));
                None
            }
            [] => {
                checks.push(
                    check(
                        State::Problem,
                        "is not registered in this tenant".to_owned(),
                    )
                    .help("`iefctl init --tenant` creates it"),
                );
                None
            }
            _ => {
                checks.push(
                    check(
                        State::Problem,
                        format!(
                            "{} applications have this name: {}",
                            found.len(),
                            ids().join(", ")
                        ),
                    )
                    .help(
                        "keep the one whose id policies use, rename or delete the others: portal: \
                         App registrations > All applications",
                    ),
                );
                None
            }
        }
    }

    fn settled(&self, mention: &Mention, registration: &Registration, same: usize) -> Check {
        let application = &registration.application;
        let check =
            |state, message: String| Check::new(self.group, self.id, APPLICATION, state, message);
        let id = &application.app_id;
        if application.display_name != self.name {
            return check(
                State::Ok,
                format!(
                    "{} is application {} ({id})",
                    mention.what, application.display_name
                ),
            );
        }
        if same > 1 {
            return check(
                State::Warning,
                format!("app id {id}, but {same} applications have this name"),
            )
            .help("rename or delete the others: portal: App registrations > All applications");
        }
        check(State::Ok, format!("app id {id}, as in {}", mention.what))
    }
}

enum Named<'r> {
    Is(&'r Registration),
    Missing,
    NoId,
    Unreadable(&'r crate::msgraph::GraphError),
}

/// The application that a policy names.
fn named<'r>(
    examination: &Examination<'r>,
    found: &'r [Registration],
    mention: &Mention,
) -> Named<'r> {
    if !crate::setup::is_id(&mention.value) {
        return Named::NoId;
    }
    if let Some(one) = found.iter().find(|it| mention.is(&it.application.app_id)) {
        return Named::Is(one);
    }
    match examination
        .facts
        .named
        .get(&mention.value.to_ascii_lowercase())
    {
        Some(Ok(Some(registration))) => Named::Is(registration),
        Some(Err(error)) => Named::Unreadable(error),
        Some(Ok(None)) | None => Named::Missing,
    }
}

fn principal(group: Group, id: &'static str, registration: &Registration) -> Check {
    let subject = "service principal";
    let check = |state, message: &str| Check::new(group, id, subject, state, message);
    match &registration.principal {
        Err(error) => Check::unknown(group, id, subject, error, PERMISSION),
        Ok(Some(principal)) if principal.is_enabled => check(State::Ok, "exists"),
        Ok(Some(_)) => check(State::Problem, "sign-in is switched off").help(
            "portal: Enterprise applications > the application > Properties > Enabled for users \
             to sign in: Yes",
        ),
        Ok(None) => check(State::Problem, "is missing").help(INIT),
    }
}

fn scope(application: &Application) -> Check {
    let subject = "scope user_impersonation";
    let check = |state, message: &str| {
        Check::new(Group::Framework, "framework-scope", subject, state, message)
    };
    match application.scopes.iter().find(|scope| scope.value == SCOPE) {
        Some(scope) if scope.is_enabled => check(State::Ok, "exists"),
        Some(_) => check(State::Problem, "is switched off").help(INIT),
        None => check(State::Problem, "is missing").help(INIT),
    }
}

fn public_client(application: &Application) -> Check {
    let subject = "public client";
    let check = |state, message: &str| {
        Check::new(Group::Proxy, "proxy-public-client", subject, state, message)
    };
    if application.is_public_client {
        check(State::Ok, "public client flows are allowed")
    } else {
        check(State::Problem, "public client flows are not allowed").help(format!(
            "portal: App registrations > {PROXY} > Authentication > Allow public client flows: \
             Yes; {INIT} too"
        ))
    }
}

fn reply_url(application: &Application) -> Check {
    let subject = "reply URL";
    let mut urls = application.public_redirect_uris.iter();
    let check = |state, message: String| {
        Check::new(Group::Proxy, "proxy-reply-url", subject, state, message)
    };
    if urls.any(|url| url.eq_ignore_ascii_case(REPLY_URL)) {
        check(State::Ok, REPLY_URL.to_owned())
    } else if application.public_redirect_uris.is_empty() {
        check(State::Problem, format!("{REPLY_URL} is missing")).help(INIT)
    } else {
        check(
            State::Warning,
            format!(
                "is {} and not {REPLY_URL}",
                application.public_redirect_uris.join(", ")
            ),
        )
        .help(format!("any works; {INIT} as in Microsoft's instructions"))
    }
}

fn consent(proxy: &Registration, framework: &Registration) -> Check {
    let subject = "admin consent";
    let check =
        |state, message: &str| Check::new(Group::Proxy, "proxy-consent", subject, state, message);
    if let Err(error) = &proxy.grants {
        return Check::unknown(
            Group::Proxy,
            "proxy-consent",
            subject,
            error,
            "DelegatedPermissionGrant.Read.All",
        );
    }
    let (Ok(Some(_)), Ok(Some(resource))) = (&proxy.principal, &framework.principal) else {
        return check(
            State::Problem,
            "is impossible without both service principals",
        )
        .help(INIT);
    };
    if proxy.may(resource, SCOPE) == Some(true) {
        return check(State::Ok, "user_impersonation is granted for all users");
    }
    check(
        State::Problem,
        "user_impersonation is not consented to: local accounts cannot sign in",
    )
    .help(format!(
        "{INIT}; or portal: App registrations > {PROXY} > API permissions > Grant admin consent"
    ))
}

/// What the portal's button grants besides; its absence is no certain failure.
fn graph_consent(examination: &Examination<'_>, proxy: &Registration) -> Option<Check> {
    let Ok(Some(graph)) = &examination.facts.graph else {
        return None;
    };
    proxy.principal.as_ref().ok()?.as_ref()?;
    let has = |scope| proxy.may(graph, scope);
    let all = has("openid")? && has("offline_access")?;
    let subject = "consent to sign-in";
    let check = |state, message: &str| {
        Check::new(Group::Proxy, "proxy-graph-consent", subject, state, message)
    };
    Some(if all {
        check(State::Ok, "openid and offline_access are granted")
    } else {
        check(
            State::Warning,
            "openid and offline_access are not consented to: sign-in may fail (AADSTS65001)",
        )
        .help(INIT)
    })
}
