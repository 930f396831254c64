use std::collections::VecDeque;

use tokio::task::JoinSet;

use crate::deploy::Place;
use crate::deploy::keyset_plan::prefixed;
use crate::diagnostics::{Source, SourceMap, Span};
use crate::msgraph::{GraphClient, GraphError};
use crate::policy::PolicySet;
use crate::xml::{self, Document, Element};

/// A place in a policy that needs a keyset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUser {
    /// The keyset as the tenant would store it, with prefix.
    pub keyset: String,
    /// The policy.
    pub policy_id: String,
    /// Id of the technical profile or claims transformation; empty if the place is in neither.
    pub element: String,
    /// What the keyset is for there: `@Id` of the key (`client_secret`), or `randomizerSecret`; empty
    /// if the file does not say.
    pub key: String,
    /// Where, in a user's file.
    pub place: Option<Place>,
}

/// The places in the user's own policies, in document order.
pub fn users_in_set(set: &PolicySet, sources: &SourceMap) -> Vec<KeyUser> {
    let mut users = Vec::new();
    for (_, policy) in set.own() {
        for found in references(&policy.document) {
            users.push(KeyUser {
                keyset: prefixed(found.keyset),
                policy_id: policy.id().to_owned(),
                element: found.element.to_owned(),
                key: found.key.to_owned(),
                place: Some(Place::of(sources, policy.location(found.span))),
            });
        }
    }
    users
}

/// Reads all policies of the tenant, at most `concurrency` at a time, and returns the places that
/// need keyset `id`, sorted by policy. In a policy that is no XML, the mere name counts.
///
/// # Errors
/// The first call that fails: a policy that cannot be read may need the keyset.
pub async fn users_in_tenant(
    client: &GraphClient,
    id: &str,
    concurrency: usize,
) -> Result<Vec<KeyUser>, GraphError> {
    let mut waiting: VecDeque<String> = client.list_policies().await?.into();
    let mut running = JoinSet::new();
    let mut users = Vec::new();
    loop {
        while running.len() < concurrency.max(1)
            && let Some(policy) = waiting.pop_front()
        {
            let client = client.clone();
            running.spawn(async move {
                let text = client.get_policy(&policy).await;
                (policy, text)
            });
        }
        let Some(answer) = running.join_next().await else {
            users.sort_by(|a: &KeyUser, b| a.policy_id.cmp(&b.policy_id));
            return Ok(users);
        };
        match answer {
            // Without text it was deleted since it was listed.
            Ok((policy, text)) => {
                if let Some(text) = text? {
                    users.extend(users_in_text(&policy, &text, id));
                }
            }
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
}

/// The places in the text of a policy that need keyset `id`.
fn users_in_text(policy_id: &str, text: &str, id: &str) -> Vec<KeyUser> {
    let mut sources = SourceMap::new();
    let source = sources.add(Source::new(policy_id, text));
    let (document, _) = xml::parse(sources.get(source).text(), source);
    let user = |element: &str, key: &str| KeyUser {
        keyset: id.to_owned(),
        policy_id: policy_id.to_owned(),
        element: element.to_owned(),
        key: key.to_owned(),
        place: None,
    };
    let mut users: Vec<KeyUser> = references(&document)
        .filter(|found| prefixed(found.keyset).eq_ignore_ascii_case(id))
        .map(|found| user(found.element, found.key))
        .collect();
    let name = id.to_ascii_lowercase();
    let bare = name.strip_prefix("b2c_1a_").unwrap_or(&name);
    let is_mentioned = || text.to_ascii_lowercase().contains(bare);
    if users.is_empty() && !document.is_well_formed() && is_mentioned() {
        users.push(user("", ""));
    }
    users
}

struct Reference<'d> {
    keyset: &'d str,
    element: &'d str,
    key: &'d str,
    span: Span,
}

/// Every `@StorageReferenceId`, wherever it stands, and the secret of claims transformations with
/// method `Hash`.
fn references(document: &Document) -> impl Iterator<Item = Reference<'_>> {
    document.elements().filter_map(|element| {
        let id = element.attribute_value("Id").unwrap_or_default();
        let reference = match element.attribute("StorageReferenceId") {
            Some(storage) => storage,
            None if element.name() == "InputParameter" && id == "randomizerSecret" => {
                element.attribute("Value")?
            }
            None => return None,
        };
        let keyset = reference.value().trim();
        (!keyset.is_empty()).then(|| Reference {
            keyset,
            element: owner(element),
            key: id,
            span: reference.value_span(),
        })
    })
}

fn owner(element: Element<'_>) -> &str {
    element
        .ancestors()
        .find(|above| matches!(above.name(), "TechnicalProfile" | "ClaimsTransformation"))
        .and_then(|above| above.attribute_value("Id"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(body: &str) -> Vec<(String, String)> {
        let text = format!("<TrustFrameworkPolicy>{body}</TrustFrameworkPolicy>");
        users_in_text("B2C_1A_P", &text, "B2C_1A_Signing")
            .into_iter()
            .map(|user| (user.element, user.key))
            .collect()
    }

    fn pair(element: &str, key: &str) -> (String, String) {
        (element.to_owned(), key.to_owned())
    }

    #[test]
    fn keys_and_hashes_are_users() {
        let keys = "<TechnicalProfile Id='T'><CryptographicKeys>\
            <Key Id='issuer_secret' StorageReferenceId='b2c_1a_SIGNING'/>\
            <Key Id='other' StorageReferenceId='B2C_1A_Signing2'/>\
            </CryptographicKeys></TechnicalProfile>";
        assert_eq!(users(keys), [pair("T", "issuer_secret")]);
        // The service would add the prefix.
        let bare = "<Key StorageReferenceId=' Signing '/>";
        assert_eq!(users(bare), [pair("", "")]);
        let hash = "<ClaimsTransformation Id='H' TransformationMethod='Hash'><InputParameters>\
            <InputParameter Id='randomizerSecret' DataType='string' Value='B2C_1A_Signing'/>\
            </InputParameters></ClaimsTransformation>";
        assert_eq!(users(hash), [pair("H", "randomizerSecret")]);
        assert_eq!(
            users("<!-- <Key StorageReferenceId='B2C_1A_Signing'/> -->"),
            []
        );
    }

    #[test]
    fn a_policy_that_is_no_xml_uses_what_it_mentions() {
        assert_eq!(users("<Key StorageReferenceId=\"B2C_1A_Signing").len(), 1);
        assert_eq!(users("<oops> b2c_1a_signing").len(), 1);
        assert_eq!(users("<oops>"), []);
    }
}
