use std::collections::HashSet;

use reqwest::{Method, Url};
use serde_json::Value;

use super::call::{Answer, Body, Call, Expects};
use super::retry::CallKind;
use super::{GraphClient, GraphError, NoAnswer};

/// A list of 200 policies or of keysets fits on a few pages; more is a loop.
const MOST_PAGES: usize = 1_000;

/// A policy that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOutcome {
    /// Whether the service says that it was created (201) and not replaced (200). Not to be relied
    /// on: the service is known to answer 201 for replaced policies, and after a repetition the
    /// answer to the first attempt is lost.
    pub created: bool,
    /// How often it was sent.
    pub attempts: u32,
    /// The stored policy as the service sent it back; may be empty.
    pub body: String,
    /// Graph's id of the request.
    pub request_id: Option<String>,
}

impl GraphClient {
    /// The ids of all custom policies of the tenant.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn list_policies(&self) -> Result<Vec<String>, GraphError> {
        let operation = "GET policies";
        let items = self.list(operation, self.url(&["policies"])).await?;
        let ids = items.iter().map(|item| item.get("id")?.as_str());
        ids.map(|id| id.map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| unreadable(operation, "a policy without id"))
    }

    /// The content of a policy without byte order mark; `None` if the tenant has no such policy.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn get_policy(&self, id: &str) -> Result<Option<String>, GraphError> {
        let url = self.policy_url(id, true)?;
        let call = Call::get(format!("GET policy {id}"), url, Expects::Xml);
        Ok(self.find(&call).await?.map(|answer| answer.text))
    }

    /// The content of a policy that the tenant may have, without byte order mark, by one attempt; `None`
    /// for every other answer, which then says nothing about the policy.
    pub async fn guess_policy(&self, id: &str) -> Option<String> {
        let url = self.policy_url(id, true).ok()?;
        let call = Call::get(format!("GET policy {id}"), url, Expects::Xml);
        let call = Call {
            kind: CallKind::Guess,
            ..call
        };
        self.execute(&call, 0).await.ok().map(|answer| answer.text)
    }

    /// Stores a policy under `id`, whether or not it exists. `xml` is sent as UTF-8 without byte
    /// order mark.
    ///
    /// # Errors
    /// See [`GraphError`]; [`GraphError::validation`] tells what the service found in the policy.
    pub async fn put_policy(&self, id: &str, xml: &str) -> Result<PutOutcome, GraphError> {
        let call = Call {
            operation: format!("PUT policy {id}"),
            method: Method::PUT,
            url: self.policy_url(id, true)?,
            kind: CallKind::Idempotent,
            body: Body::Xml(xml.strip_prefix('\u{feff}').unwrap_or(xml)),
            expects: Expects::Anything,
        };
        let answer = self.execute(&call, 0).await?;
        Ok(PutOutcome {
            created: answer.status.as_u16() == 201,
            attempts: answer.attempts,
            body: answer.text,
            request_id: answer.request_id,
        })
    }

    /// Deletes a policy; `false` if the tenant had no such policy.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn delete_policy(&self, id: &str) -> Result<bool, GraphError> {
        let url = self.policy_url(id, false)?;
        self.delete(format!("DELETE policy {id}"), url).await
    }

    fn policy_url(&self, id: &str, value: bool) -> Result<Url, GraphError> {
        check_id("policy", id)?;
        Ok(if value {
            self.url(&["policies", id, "$value"])
        } else {
            self.url(&["policies", id])
        })
    }

    /// Deletes what `url` names. If an earlier attempt may have succeeded, finding nothing means
    /// that it did.
    pub(super) async fn delete(&self, operation: String, url: Url) -> Result<bool, GraphError> {
        let call = Call {
            operation,
            method: Method::DELETE,
            url,
            kind: CallKind::Idempotent,
            body: Body::None,
            expects: Expects::Anything,
        };
        match self.execute(&call, 0).await {
            Ok(_) => Ok(true),
            Err(failed) if is_not_found(&failed.error) => Ok(failed.unclear),
            Err(failed) => Err(failed.error),
        }
    }

    /// The answer to a call that reads; `None` if there is nothing to be read.
    pub(super) async fn find(&self, call: &Call<'_>) -> Result<Option<Answer>, GraphError> {
        match self.execute(call, 0).await {
            Ok(answer) => Ok(Some(answer)),
            Err(failed) if is_not_found(&failed.error) => Ok(None),
            Err(failed) => Err(failed.error),
        }
    }

    /// All items of a list, following `@odata.nextLink` as long as it stays on the Graph endpoint.
    pub(super) async fn list(&self, operation: &str, url: Url) -> Result<Vec<Value>, GraphError> {
        let mut items = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(url);
        while let Some(url) = next {
            if seen.len() == MOST_PAGES || !seen.insert(url.clone()) {
                return Err(unreadable(operation, "a list whose pages never end"));
            }
            let call = Call::get(operation.to_owned(), url.clone(), Expects::Json);
            let mut answer = self.execute(&call, 0).await?;
            match answer.json.get_mut("value").map(Value::take) {
                Some(Value::Array(page)) => items.extend(page),
                _ => return Err(unreadable(operation, "an answer without a list")),
            }
            next = match answer.json.get("@odata.nextLink") {
                None | Some(Value::Null) => None,
                Some(link) => Some(self.next_page(operation, &url, link)?),
            };
        }
        Ok(items)
    }

    fn next_page(&self, operation: &str, url: &Url, link: &Value) -> Result<Url, GraphError> {
        let next = link.as_str().and_then(|link| url.join(link).ok());
        let Some(next) = next else {
            return Err(unreadable(operation, "a next page that is no link"));
        };
        let same = self.inner.endpoint.is_same_origin(&next);
        if same && next.username().is_empty() && next.password().is_none() {
            Ok(next)
        } else {
            Err(GraphError::ForeignLink {
                operation: operation.to_owned(),
                host: next.host_str().unwrap_or("no host").to_owned(),
            })
        }
    }
}

/// Refuses ids that would address something else: nothing (the list itself), the parent folder, or
/// what no header and log should see.
pub(super) fn check_id(what: &'static str, id: &str) -> Result<(), GraphError> {
    let odd = id.trim().is_empty() || matches!(id, "." | "..") || id.chars().any(char::is_control);
    if odd {
        let id = id.to_owned();
        Err(GraphError::InvalidId { what, id })
    } else {
        Ok(())
    }
}

/// The error for an answer that was complete but is not what the service documents.
pub(super) fn unreadable(operation: &str, what: &str) -> GraphError {
    NoAnswer {
        operation: operation.to_owned(),
        reason: format!("the service sent {what}"),
        attempts: 1,
        client_request_id: "of several requests".to_owned(),
        unusable: true,
    }
    .into()
}

fn is_not_found(error: &GraphError) -> bool {
    match error {
        GraphError::Rejected(rejection) => rejection.is_not_found(),
        _ => false,
    }
}
