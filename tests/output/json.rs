use iefctl::output::Format;
use serde_json::{Value, json};

use crate::{rendered, sample};

fn parsed() -> Value {
    serde_json::from_str(&rendered(&sample::report(), Format::Json)).expect("it is JSON")
}

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

#[test]
fn the_sample() {
    let text = rendered(&sample::report(), Format::Json);
    insta::assert_snapshot!(text.replace('\u{202e}', "(U+202E)"));
}

#[test]
fn every_field_is_always_there() {
    let document = parsed();
    assert_eq!(
        keys(&document),
        ["schemaVersion", "command", "summary", "diagnostics"]
    );
    assert_eq!(document["schemaVersion"], 1);
    assert_eq!(document["command"], "validate");
    assert_eq!(
        document["summary"],
        json!({"policies": 5, "errors": 4, "warnings": 3, "hints": 2})
    );
    for diagnostic in document["diagnostics"].as_array().expect("an array") {
        assert_eq!(
            keys(diagnostic),
            [
                "rule",
                "level",
                "message",
                "file",
                "policyId",
                "line",
                "column",
                "endLine",
                "endColumn",
                "help",
                "serviceMessage",
                "related",
                "fix"
            ]
        );
        for related in diagnostic["related"].as_array().expect("an array") {
            assert_eq!(keys(related), ["file", "line", "column", "message"]);
        }
        if !diagnostic["fix"].is_null() {
            assert_eq!(keys(&diagnostic["fix"]), ["title", "edits"]);
            assert_eq!(
                keys(&diagnostic["fix"]["edits"][0]),
                [
                    "file",
                    "line",
                    "column",
                    "endLine",
                    "endColumn",
                    "replacement"
                ]
            );
        }
    }
}

#[test]
fn positions_are_those_of_the_original_file() {
    let document = parsed();
    let find = |rule: &str, file: &str| {
        let diagnostics = document["diagnostics"].as_array().expect("an array");
        let found = diagnostics
            .iter()
            .find(|diagnostic| diagnostic["rule"] == rule && diagnostic["file"] == file);
        found.expect("the sample has it").clone()
    };
    let emial = find("ref-claim-type", "policies/Ext ä.xml");
    assert_eq!((&emial["line"], &emial["column"]), (&json!(4), &json!(57)));
    assert_eq!(
        (&emial["endLine"], &emial["endColumn"]),
        (&json!(4), &json!(62))
    );
    assert_eq!(emial["fix"]["edits"][0]["column"], 57);
    let tenant = find("tenant-mismatch", "policies/Ext ä.xml");
    assert_eq!(
        (&tenant["line"], &tenant["column"]),
        (&json!(2), &json!(13))
    );
    assert_eq!(tenant["endColumn"], 13 + "{Settings:Tenant}".len());
    assert!(
        tenant["fix"].is_null(),
        "a placeholder must not be overwritten"
    );
}

#[test]
fn hostile_text_arrives_unchanged() {
    let document = parsed();
    let diagnostics = document["diagnostics"].as_array().expect("an array");
    let hostile = diagnostics
        .iter()
        .find(|diagnostic| diagnostic["rule"] == "hostile-text")
        .expect("the sample has it");
    assert_eq!(hostile["message"], sample::HOSTILE_MESSAGE);
    assert_eq!(hostile["file"], sample::HOSTILE_FILE);
}
