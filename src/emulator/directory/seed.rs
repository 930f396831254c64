//! The directory of a tenant that nobody has changed yet.

use serde_json::json;

use super::super::guid;
use super::applications::registered;
use super::service_principals::principal_of;
use super::{Directory, DirectoryOptions, Entity};

/// Microsoft Graph's own application id.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
const EXTENSIONS: &str = "b2c-extensions-app. Do not modify. Used by AADB2C for storing user data.";

/// What a new tenant has. The same in every run, as it is not kept before something changes.
pub(in crate::emulator) fn seed(
    tenant: &str,
    domain: Option<&str>,
    options: &DirectoryOptions,
) -> Directory {
    let id = |purpose: &str| guid::derived(purpose, tenant);
    let mut directory = Directory::default();
    let graph = Entity::new(json!({
        "id": id("Microsoft Graph"),
        "appId": GRAPH,
        "appDisplayName": "Microsoft Graph",
        "displayName": "Microsoft Graph",
        "accountEnabled": true,
        "servicePrincipalType": "Application",
        "oauth2PermissionScopes": [
            {"id": "37f7f235-527c-4136-accd-4a02d197296e", "value": "openid", "type": "User", "isEnabled": true},
            {"id": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182", "value": "offline_access", "type": "User", "isEnabled": true},
        ],
    }));
    let graph_id = graph.text("id").to_owned();
    directory.service_principals.push(graph);
    let mut register = |name: &str, purpose: &str, body: serde_json::Value| {
        let application = registered(
            &id(&format!("{purpose} object")),
            &id(&format!("{purpose} application")),
            domain,
            Entity::new(json!({ "displayName": name })).0,
            body,
        );
        let principal = principal_of(&id(&format!("{purpose} principal")), &application);
        let ids = (
            application.text("appId").to_owned(),
            principal.text("id").to_owned(),
        );
        directory.applications.push(application);
        directory.service_principals.push(principal);
        ids
    };
    if options.extensions_application {
        register(EXTENSIONS, "extensions", json!({}));
    }
    if options.ief_applications {
        let scope = id("user_impersonation");
        let host = domain.unwrap_or("contoso.onmicrosoft.com");
        let label = host.split('.').next().unwrap_or_default();
        let (app_id, service) = register(
            "IdentityExperienceFramework",
            "framework",
            json!({
                "web": {"redirectUris": [format!("https://{label}.b2clogin.com/{host}")]},
                "identifierUris": [format!("https://{host}/framework")],
                "api": {"oauth2PermissionScopes": [{
                    "id": scope, "value": "user_impersonation", "type": "Admin", "isEnabled": true,
                    "adminConsentDisplayName": "Access IdentityExperienceFramework",
                    "adminConsentDescription": "Allow the application to access \
                     IdentityExperienceFramework on behalf of the signed-in user.",
                }]},
            }),
        );
        let (_, client) = register(
            "ProxyIdentityExperienceFramework",
            "proxy",
            json!({
                "isFallbackPublicClient": true,
                "publicClient": {"redirectUris": ["myapp://auth"]},
                "requiredResourceAccess": [
                    {"resourceAppId": app_id, "resourceAccess": [{"id": scope, "type": "Scope"}]},
                ],
            }),
        );
        for (number, (client, resource, scopes)) in [
            (&client, &service, "user_impersonation"),
            (&client, &graph_id, "openid offline_access"),
            (&service, &graph_id, "openid offline_access"),
        ]
        .into_iter()
        .enumerate()
        {
            directory.permission_grants.push(Entity::new(json!({
                "id": guid::derived(&format!("grant {number}"), tenant),
                "clientId": client,
                "consentType": "AllPrincipals",
                "principalId": null,
                "resourceId": resource,
                "scope": scopes,
            })));
        }
    }
    directory
}
