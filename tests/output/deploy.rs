use iefctl::output::json::deploy::{
    Action, DeployJson, DeploySummaryJson, ErrorItemJson, KeysetJson, PolicyJson, Status,
};
use iefctl::output::{Style, human, json, markdown};
use serde_json::Value;

use crate::sample::HOSTILE_MESSAGE;

fn policy(id: &str, file: &str, action: Action, status: Status) -> PolicyJson {
    let was_sent = matches!(status, Status::Done | Status::Failed | Status::Restored);
    PolicyJson {
        id: id.to_owned(),
        file: file.to_owned(),
        action,
        status,
        attempts: u32::from(was_sent && action != Action::Unchanged),
        duration_ms: 212,
        error: None,
        error_items: Vec::new(),
        request_id: None,
        blocked_by: None,
    }
}

fn keyset(id: &str, action: Action, status: Status) -> KeysetJson {
    KeysetJson {
        id: id.to_owned(),
        action,
        status,
        error: None,
    }
}

fn deployment() -> DeployJson {
    let mut deployment = DeployJson::new("deploy", "contoso.onmicrosoft.com");
    deployment.keysets = vec![
        keyset("B2C_1A_Signing", Action::Create, Status::Done),
        keyset("B2C_1A_Known", Action::Unchanged, Status::Skipped),
        KeysetJson {
            error: Some("set SOCIAL_SECRET to the client secret".to_owned()),
            ..keyset("B2C_1A_Social", Action::Create, Status::Failed)
        },
    ];
    deployment.policies = vec![
        PolicyJson {
            attempts: 3,
            duration_ms: 4_250,
            ..policy(
                "B2C_1A_Base",
                "policies/Base.xml",
                Action::Create,
                Status::Done,
            )
        },
        policy(
            "B2C_1A_Loc",
            "policies/Loc.xml",
            Action::Unchanged,
            Status::Done,
        ),
        PolicyJson {
            error: Some("the tenant refused the policy (400 AADB2C)".to_owned()),
            error_items: vec![
                ErrorItemJson {
                    message: "claim type \"x\" is not defined".to_owned(),
                    file: Some("policies/Ext.xml".to_owned()),
                    line: Some(12),
                    column: Some(34),
                },
                ErrorItemJson {
                    message: HOSTILE_MESSAGE.to_owned(),
                    file: None,
                    line: None,
                    column: None,
                },
            ],
            request_id: Some("7c9a".to_owned()),
            ..policy(
                "B2C_1A_Ext",
                "policies/Ext.xml",
                Action::Update,
                Status::Failed,
            )
        },
        PolicyJson {
            blocked_by: Some("B2C_1A_Ext".to_owned()),
            ..policy(
                "B2C_1A_SignUpOrSignIn",
                "policies/SignUp.xml",
                Action::Create,
                Status::Blocked,
            )
        },
        policy("B2C_1A_Old", "", Action::Delete, Status::Restored),
    ];
    deployment.summary = DeploySummaryJson {
        created: 1,
        unchanged: 1,
        failed: 1,
        blocked: 1,
        restored: 1,
        keysets_failed: 1,
        requests: 17,
        retries: 2,
        duration_ms: 5_120,
        ..DeploySummaryJson::default()
    };
    deployment
}

fn unchanged() -> DeployJson {
    let mut deployment = DeployJson::new("deploy", "contoso.onmicrosoft.com");
    deployment.keysets = vec![keyset("B2C_1A_Known", Action::Unchanged, Status::Skipped)];
    deployment.policies = vec![
        policy(
            "B2C_1A_Base",
            "policies/Base.xml",
            Action::Unchanged,
            Status::Skipped,
        ),
        policy(
            "B2C_1A_Ext",
            "policies/Ext.xml",
            Action::Unchanged,
            Status::Skipped,
        ),
    ];
    deployment.summary.unchanged = 2;
    deployment.summary.requests = 5;
    deployment.summary.duration_ms = 321;
    deployment
}

fn table(deployment: &DeployJson, style: Style) -> String {
    let mut out = Vec::new();
    human::deploy::render(deployment, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_table() {
    insta::assert_snapshot!(table(&deployment(), Style::default()));
}

#[test]
fn the_table_in_ascii() {
    let style = Style {
        unicode: false,
        verbose: true,
        ..Style::default()
    };
    let mut deployment = deployment();
    deployment.policies[2].error_items.pop();
    let text = table(&deployment, style);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn colours_change_nothing_else() {
    let style = Style {
        colour: true,
        ..Style::default()
    };
    let coloured = table(&deployment(), style);
    assert!(coloured.contains('\u{1b}'));
    let stripped = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(stripped, table(&deployment(), Style::default()));
}

#[test]
fn a_run_without_news_is_one_line() {
    assert_eq!(
        table(&unchanged(), Style::default()),
        "contoso.onmicrosoft.com: nothing changed (2 policies are up to date, 321 ms, 5 requests)\n"
    );
    let verbose = Style {
        verbose: true,
        ..Style::default()
    };
    assert!(table(&unchanged(), verbose).contains("B2C_1A_Base  unchanged"));
}

#[test]
fn the_json_has_the_promised_fields() {
    let mut out = Vec::new();
    json::deploy::render(&deployment(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    insta::assert_snapshot!(text.replace('\u{202e}', "(U+202E)"));
    let document: Value = serde_json::from_str(&text).unwrap();
    let has = |value: &Value, names: &[&str]| {
        for name in names {
            assert!(value.get(name).is_some(), "{name} is missing in {value}");
        }
    };
    has(
        &document,
        &[
            "schemaVersion",
            "command",
            "tenant",
            "keysets",
            "policies",
            "summary",
        ],
    );
    has(
        &document["keysets"][0],
        &["id", "action", "status", "error"],
    );
    has(
        &document["policies"][0],
        &[
            "id",
            "file",
            "action",
            "status",
            "attempts",
            "durationMs",
            "error",
        ],
    );
    has(
        &document["summary"],
        &[
            "created",
            "updated",
            "unchanged",
            "failed",
            "blocked",
            "requests",
            "retries",
            "durationMs",
        ],
    );
    assert!(document["policies"][0]["error"].is_null());
    assert_eq!(document["policies"][3]["status"], "blocked");
}

#[test]
fn the_markdown() {
    let text = markdown::deploy::document(&deployment());
    assert!(!text.contains("<script>"), "{text}");
    insta::assert_snapshot!(text);
    assert!(!markdown::deploy::document(&unchanged()).contains('|'));
}
