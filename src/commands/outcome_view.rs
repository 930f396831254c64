//! What became of a plan, as the formats take it.

use crate::deploy::{KeysetAction, Outcome, Status, Stop};
use crate::output::json::deploy::{
    Action, DeployJson, DeploySummaryJson, ErrorItemJson, KeysetJson, PolicyJson,
    Status as JsonStatus,
};

use super::plan_view::action as policy_action;

pub(super) const fn json_status(status: Status) -> JsonStatus {
    match status {
        Status::Done => JsonStatus::Done,
        Status::Skipped => JsonStatus::Skipped,
        Status::NotStarted => JsonStatus::NotStarted,
        Status::Failed => JsonStatus::Failed,
        Status::Blocked => JsonStatus::Blocked,
        Status::Restored => JsonStatus::Restored,
    }
}

pub(super) fn as_json(command: &str, outcome: &Outcome) -> DeployJson {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let calls = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let mut deployment = DeployJson::new(command, &outcome.tenant);
    deployment.keysets = outcome
        .keysets
        .iter()
        .map(|keyset| KeysetJson {
            id: keyset.id.clone(),
            action: match keyset.action {
                KeysetAction::Present => Action::Unchanged,
                KeysetAction::Create | KeysetAction::Missing => Action::Create,
                KeysetAction::Fill => Action::Update,
            },
            status: json_status(keyset.status),
            error: keyset.error.as_ref().map(|error| error.message.clone()),
        })
        .collect();
    deployment.policies = outcome
        .policies
        .iter()
        .map(|policy| PolicyJson {
            id: policy.id.clone(),
            file: policy.file.clone().unwrap_or_default(),
            action: policy_action(policy.action),
            status: json_status(policy.status),
            attempts: policy.attempts,
            duration_ms: policy.duration_ms,
            error: policy.error.as_ref().map(|error| error.message.clone()),
            error_items: policy
                .error
                .iter()
                .flat_map(|error| &error.items)
                .map(|item| ErrorItemJson {
                    message: item.text.clone(),
                    file: item.place.as_ref().map(|place| place.file.clone()),
                    line: item.place.as_ref().map(|place| place.line),
                    column: item.place.as_ref().map(|place| place.column),
                })
                .collect(),
            request_id: policy
                .error
                .as_ref()
                .and_then(|error| error.request_id.clone()),
            blocked_by: policy.blocked_by.clone(),
        })
        .collect();
    let summary = &outcome.summary;
    deployment.summary = DeploySummaryJson {
        created: count(summary.created),
        updated: count(summary.updated),
        unchanged: count(summary.unchanged),
        failed: count(summary.failed),
        deleted: count(summary.deleted),
        blocked: count(summary.blocked),
        not_started: count(summary.not_started),
        restored: count(summary.restored),
        keysets_failed: count(summary.keysets_failed),
        requests: calls(summary.requests),
        retries: calls(summary.retries),
        duration_ms: summary.duration_ms,
    };
    let snapshot = outcome.snapshot.as_ref();
    deployment.snapshot = snapshot.map(|folder| folder.display().to_string());
    deployment.stopped = outcome.stopped.as_ref().map(|stop| match stop {
        Stop::Interrupted => "interrupted".to_owned(),
        Stop::Refused(why) | Stop::Unreachable(why) => why.clone(),
    });
    deployment
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::{KeysetOutcome, OutcomeSummary, PolicyAction, PolicyOutcome};
    use proptest::prelude::*;
    use proptest::sample::select;

    const STATUSES: [Status; 6] = [
        Status::Done,
        Status::Skipped,
        Status::Failed,
        Status::Blocked,
        Status::Restored,
        Status::NotStarted,
    ];

    fn policy() -> impl Strategy<Value = PolicyOutcome> {
        let actions = vec![
            PolicyAction::Create,
            PolicyAction::Update,
            PolicyAction::Unchanged,
            PolicyAction::Delete,
        ];
        let parts = (select(actions), select(STATUSES.to_vec()), 0..9u32);
        parts.prop_map(|(action, status, attempts)| PolicyOutcome {
            id: "B2C_1A_X".to_owned(),
            file: None,
            action,
            status,
            attempts,
            duration_ms: 1,
            error: None,
            blocked_by: None,
        })
    }

    fn keyset() -> impl Strategy<Value = KeysetOutcome> {
        select(STATUSES.to_vec()).prop_map(|status| KeysetOutcome {
            id: "B2C_1A_K".to_owned(),
            action: KeysetAction::Create,
            status,
            how: None,
            placeholder: false,
            attempts: 0,
            duration_ms: 0,
            error: None,
        })
    }

    proptest! {
        #[test]
        fn every_policy_is_counted_once(
            policies in proptest::collection::vec(policy(), 0..40),
            keysets in proptest::collection::vec(keyset(), 0..10),
        ) {
            let mut outcome = Outcome {
                tenant: "contoso.onmicrosoft.com".to_owned(),
                keysets,
                policies,
                summary: OutcomeSummary::default(),
                snapshot: None,
                stopped: None,
            };
            outcome.count();
            // Counting twice counts no policy twice.
            outcome.count();
            let view = as_json("deploy", &outcome);
            let it = view.summary;
            let sum = it.created + it.updated + it.unchanged + it.deleted + it.failed + it.blocked
                + it.not_started + it.restored;
            prop_assert_eq!(sum as usize, view.policies.len());
            prop_assert_eq!(view.policies.len(), outcome.policies.len());
            let rows = |status| view.policies.iter().filter(|row| row.status == status).count();
            prop_assert_eq!(rows(JsonStatus::NotStarted), it.not_started as usize);
            prop_assert_eq!(rows(JsonStatus::Failed), it.failed as usize);
            let complete = it.failed + it.blocked + it.not_started + it.restored == 0
                && outcome.keysets.iter().all(|keyset| {
                    matches!(keyset.status, Status::Done | Status::Skipped)
                });
            prop_assert_eq!(complete, outcome.is_complete());
        }
    }
}
