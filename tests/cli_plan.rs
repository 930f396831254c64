//! Plans, saved plans, rollbacks, refusals and their outputs, as a user sees them.

mod sandbox;

use serde_json::Value;

use sandbox::{Finished, Sandbox};

const TENANT: &str = "contoso.onmicrosoft.com";

fn policy(id: &str, base: Option<&str>, body: &str) -> String {
    let base = base.map_or_else(String::new, |base| {
        format!(
            "\n  <BasePolicy><TenantId>{TENANT}</TenantId><PolicyId>{base}</PolicyId></BasePolicy>"
        )
    });
    format!(
        "<TrustFrameworkPolicy \
         xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"{TENANT}\" PolicyId=\"{id}\" \
         PublicPolicyUri=\"http://{TENANT}/{id}\">{base}\n{body}\n</TrustFrameworkPolicy>\n"
    )
}

fn claims(names: &[&str]) -> String {
    let types: String = names
        .iter()
        .map(|name| {
            format!(
                "<ClaimType Id=\"{name}\"><DisplayName>{name}</DisplayName>\
                 <DataType>string</DataType></ClaimType>\n"
            )
        })
        .collect();
    format!("<BuildingBlocks><ClaimsSchema>\n{types}</ClaimsSchema></BuildingBlocks>")
}

/// A technical profile that gives this claim, with a metadata item.
fn provider(claim: &str, item: &str) -> String {
    format!(
        "<ClaimsProviders><ClaimsProvider><DisplayName>P</DisplayName><TechnicalProfiles>\n\
         <TechnicalProfile Id=\"P\"><DisplayName>P</DisplayName><Protocol Name=\"None\" />\n\
         <Metadata><Item Key=\"key\">{item}</Item></Metadata>\n\
         <OutputClaims>\n<OutputClaim ClaimTypeReferenceId=\"{claim}\" />\n</OutputClaims>\n\
         </TechnicalProfile></TechnicalProfiles></ClaimsProvider></ClaimsProviders>"
    )
}

/// A base and a policy that inherits from it, in folder `set`.
fn small() -> Sandbox {
    let sandbox = Sandbox::new();
    write_base(&sandbox, &["email", "shoeSize"]);
    sandbox.write(
        "set/Ext.xml",
        &policy("B2C_1A_Ext", Some("B2C_1A_Base"), &provider("email", "a")),
    );
    sandbox
}

fn write_base(sandbox: &Sandbox, names: &[&str]) {
    sandbox.write("set/Base.xml", &policy("B2C_1A_Base", None, &claims(names)));
}

fn with<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, more].concat()
}

const PLAN: [&str; 3] = ["plan", "set", "--emulator"];
const DEPLOY: [&str; 3] = ["deploy", "set", "--emulator"];
const ROLLBACK: [&str; 2] = ["rollback", "--emulator"];

/// What the tenant has, as a plan of nothing but the base sees it.
fn plan_json(sandbox: &Sandbox) -> Value {
    sandbox
        .run(&with(&PLAN, &["--format", "json"]))
        .expect(0)
        .json()
}

fn contains(done: &Finished, words: &[&str]) {
    let said = format!("{}{}", done.stdout, done.stderr);
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in\n{said}");
    }
}

#[test]
fn a_plan_names_what_changes_and_whom_it_breaks() {
    let sandbox = small();
    let first = plan_json(&sandbox);
    assert_eq!(first["schemaVersion"], 1);
    assert_eq!(first["hasChanges"], true);
    assert_eq!(first["summary"]["create"], 2);
    sandbox.run(&DEPLOY).expect(0);
    assert_eq!(plan_json(&sandbox)["hasChanges"], false);

    write_base(&sandbox, &["shoeSize", "hatSize"]);
    sandbox.write(
        "set/Ext.xml",
        &policy(
            "B2C_1A_Ext",
            Some("B2C_1A_Base"),
            &provider("shoeSize", "b"),
        ),
    );
    let plan = plan_json(&sandbox);
    assert_eq!(plan["isBreaking"], true);
    let base = &plan["policies"][0];
    let changes = base["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[0]["kind"], "removed");
    assert_eq!(changes[0]["path"][0], "ClaimType \"email\"");
    assert_eq!(changes[0]["usedBy"][0], "B2C_1A_Ext");
    assert_eq!(changes[1]["kind"], "added");
    let ext = &plan["policies"][1];
    assert_eq!(ext["isBreaking"], false);
    assert!(ext["diff"].is_null());
    let human = sandbox.run(&with(&PLAN, &["--diff"])).expect(0);
    contains(
        &human,
        &[
            "~ B2C_1A_Base  update  set/Base.xml  breaking",
            "- ClaimType \"email\"",
            "still used by B2C_1A_Ext",
            "up to 30 minutes",
            "Item \"key\": \"a\" → \"b\"",
            "-            <Item Key=\"key\">a",
            "+            <Item Key=\"key\">b",
            "2 policies to update",
        ],
    );
    let markdown = sandbox
        .run(&with(&PLAN, &["--diff", "--format", "markdown"]))
        .expect(0);
    contains(
        &markdown,
        &[
            "**Breaking:**",
            "<details><summary>B2C_1A_Base: 2 changes</summary>",
            "```diff",
        ],
    );
    sandbox.run(&with(&PLAN, &["--exit-code"])).expect(3);
}

#[test]
fn a_saved_plan_is_carried_out_or_refused() {
    let sandbox = small();
    sandbox
        .run(&with(&PLAN, &["--out", "plan.json", "--format", "json"]))
        .expect(0);
    let saved = std::fs::read_to_string(sandbox.path().join("plan.json")).unwrap();
    let planned = with(&DEPLOY, &["--plan", "plan.json"]);

    // The files move.
    write_base(&sandbox, &["email", "shoeSize", "hatSize"]);
    let refused = sandbox.run(&planned).expect(2);
    contains(&refused, &["the file of policy B2C_1A_Base has changed"]);
    assert!(!refused.stderr.contains("B2C_1A_Ext"), "{}", refused.stderr);
    assert_eq!(plan_json(&sandbox)["summary"]["create"], 2);

    // White space does not count; the plan is carried out once.
    sandbox.write(
        "set/Base.xml",
        &policy("B2C_1A_Base", None, &claims(&["email", "shoeSize"])).replace('\n', "\n\n"),
    );
    sandbox.run(&planned).expect(0);
    assert_eq!(plan_json(&sandbox)["hasChanges"], false);

    // The tenant has moved: the policies are there now.
    let refused = sandbox.run(&planned).expect(2);
    contains(
        &refused,
        &[
            "policy B2C_1A_Base has changed in the tenant",
            "policy B2C_1A_Ext has changed in the tenant",
            "iefctl plan --out",
        ],
    );

    for (text, words) in [
        ("{}".to_owned(), "no saved plan"),
        (String::new(), "no saved plan"),
        (
            saved.replace("\"schemaVersion\": 1", "\"schemaVersion\": 9"),
            "make a new plan",
        ),
        (
            saved.replace(
                &format!("\"tenant\": \"{TENANT}\""),
                "\"tenant\": \"fabrikam.onmicrosoft.com\"",
            ),
            "the plan is for fabrikam.onmicrosoft.com",
        ),
    ] {
        sandbox.write("plan.json", &text);
        contains(&sandbox.run(&planned).expect(2), &[words]);
    }
    let gone = with(&DEPLOY, &["--plan", "gone.json"]);
    contains(&sandbox.run(&gone).expect(2), &["gone.json"]);
    let nowhere = with(&PLAN, &["--out", "no/such/folder/plan.json"]);
    contains(&sandbox.run(&nowhere).expect(2), &["no/such/folder"]);
}

/// A plan file cannot make the program read values that the configuration does not name.
#[test]
fn a_saved_plan_reads_no_other_secrets() {
    let mut sandbox = Sandbox::new();
    sandbox.copy("policies-example", "set");
    sandbox.variables = vec![("OTHER_SECRET", "other-secret".to_owned())];
    let environment = ["-e", "dev"];
    sandbox
        .run(&[&PLAN[..], &environment, &["--out", "plan.json"]].concat())
        .expect(0);
    let path = sandbox.path().join("plan.json");
    let saved = std::fs::read_to_string(&path).unwrap();
    let changed = saved.replace("CONTOSO_REST_API_KEY", "OTHER_SECRET");
    assert_ne!(saved, changed);
    std::fs::write(&path, changed).unwrap();
    let refused = sandbox
        .run(&[&DEPLOY[..], &environment, &["--plan", "plan.json"]].concat())
        .expect(2);
    contains(
        &refused,
        &["the configuration of keyset B2C_1A_RestApiKey has changed"],
    );
}

#[test]
fn a_rollback_undoes_and_a_second_one_redoes() {
    let sandbox = small();
    contains(&sandbox.run(&ROLLBACK).expect(2), &["no snapshot"]);
    let first = sandbox.run(&DEPLOY).expect(0);
    contains(&first, &["undo: iefctl rollback .iefctl/snapshots/"]);

    write_base(&sandbox, &["email", "shoeSize", "hatSize"]);
    sandbox.write("set/New.xml", &policy("B2C_1A_New", Some("B2C_1A_Ext"), ""));
    sandbox.run(&DEPLOY).expect(0);
    let listed = sandbox
        .run(&with(&ROLLBACK, &["--list", "--format", "json"]))
        .expect(0)
        .json();
    let snapshots = listed["snapshots"].as_array().unwrap();
    assert_eq!(snapshots.len(), 2);
    assert_eq!(snapshots[1]["policiesCreated"], 1);
    assert_eq!(snapshots[1]["policiesUpdated"], 1);

    let undone = sandbox
        .run(&with(&ROLLBACK, &["--format", "json"]))
        .expect(0);
    let report = undone.json();
    assert_eq!(report["command"], "rollback");
    assert_eq!(report["summary"]["updated"], 1);
    assert_eq!(report["summary"]["deleted"], 1);
    contains(&undone, &["- ClaimType \"hatSize\"", "B2C_1A_New"]);
    let plan = plan_json(&sandbox);
    assert_eq!(plan["summary"]["create"], 1);
    assert_eq!(plan["summary"]["update"], 1);

    sandbox.run(&ROLLBACK).expect(0);
    assert_eq!(plan_json(&sandbox)["hasChanges"], false);

    // Who saved what, and that a run did not come to its end.
    let oldest = std::path::Path::new(snapshots[0]["folder"].as_str().unwrap());
    std::fs::remove_file(sandbox.path().join(oldest).join("finished")).unwrap();
    let list = with(&ROLLBACK, &["--list"]);
    let lines = sandbox.run(&list).expect(0).stdout;
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    for (line, words) in lines.iter().zip([
        &["Z  deploy ", "2 created, not finished"][..],
        &["Z  deploy ", "1 created, 1 updated  "],
        &["Z  rollback ", "1 updated, 1 deleted  "],
        &["Z  rollback ", "1 created, 1 updated  "],
    ]) {
        assert!(words.iter().all(|words| line.contains(words)), "{line}");
    }
    // The oldest of those that did go, after the next deployment.
    write_base(&sandbox, &["email"]);
    let done = sandbox
        .run(&with(&DEPLOY, &["--keep-snapshots", "2"]))
        .expect(0);
    contains(&done, &["2 old snapshots removed: --keep-snapshots is 2"]);
    let kept = sandbox.run(&list).expect(0).stdout;
    let kept: Vec<&str> = kept.lines().collect();
    assert_eq!(kept.len(), 3, "{kept:#?}");
    assert_eq!(kept[..2], [lines[0], lines[3]]);
}

/// What a run can only tell after it has written is looked at before.
#[cfg(unix)]
#[test]
fn a_result_that_cannot_be_told_is_noticed_before_the_first_write() {
    let mut sandbox = small();
    for variable in ["IEFCTL_REPORT", "GITHUB_STEP_SUMMARY"] {
        sandbox.variables = vec![(variable, "nowhere/file".to_owned())];
        let refused = sandbox.run(&DEPLOY).expect(2);
        contains(
            &refused,
            &["nothing was written to the tenant", "nowhere/file"],
        );
    }
    sandbox.variables.clear();
    assert_eq!(plan_json(&sandbox)["summary"]["create"], 2);
    // Only Linux has a file that is always full.
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        return;
    };
    let child = sandbox.command(&DEPLOY).stdout(full).output().unwrap();
    let done = Finished::new(&child).expect(1);
    contains(
        &done,
        &["cannot write the result", "the tenant is as it should be"],
    );
    assert_eq!(plan_json(&sandbox)["hasChanges"], false);
}

#[test]
fn a_rollback_does_not_undo_later_work() {
    let sandbox = small();
    sandbox.run(&DEPLOY).expect(0);
    let folder = sandbox
        .path()
        .join(".iefctl/snapshots/.emulated")
        .join(TENANT);
    let first = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    let first = first.file_name().into_string().unwrap();
    write_base(&sandbox, &["email", "shoeSize", "hatSize"]);
    sandbox.run(&DEPLOY).expect(0);
    let before = plan_json(&sandbox);

    let old = with(&ROLLBACK, &[&first]);
    let refused = sandbox.run(&old).expect(2);
    contains(&refused, &["B2C_1A_Base", "--force"]);
    assert!(!refused.stderr.contains("- B2C_1A_Ext"));
    assert_eq!(plan_json(&sandbox), before);

    // Somebody's policy inherits from what would be deleted: that is never done.
    sandbox.write(
        "other/Heir.xml",
        &policy("B2C_1A_Heir", Some("B2C_1A_Ext"), ""),
    );
    sandbox
        .run(&[
            "deploy",
            "other",
            "--emulator",
            "--snapshots",
            "other/saved",
        ])
        .expect(0);
    let forced = with(&old, &["--force"]);
    contains(
        &sandbox.run(&forced).expect(2),
        &["B2C_1A_Heir inherits from B2C_1A_Ext"],
    );
    sandbox
        .run(&with(&ROLLBACK, &["--snapshots", "other/saved"]))
        .expect(0);
    let done = sandbox
        .run(&with(&forced, &["--format", "json"]))
        .expect(0)
        .json();
    assert_eq!(done["summary"]["deleted"], 2);
    assert_eq!(plan_json(&sandbox)["summary"]["create"], 2);

    let other = with(&ROLLBACK, &["--tenant", "fabrikam.onmicrosoft.com"]);
    contains(
        &sandbox.run(&other).expect(2),
        &["fabrikam.onmicrosoft.com"],
    );
    contains(
        &sandbox
            .run(&with(&ROLLBACK, &["20200101T000000Z"]))
            .expect(2),
        &["--list"],
    );
}

/// The emulator refuses what a rule that the team switched off would have found.
#[test]
fn a_refusal_is_shown_on_the_users_lines_and_asks_for_a_report() {
    let sandbox = small();
    sandbox.write("set/iefctl.toml", "[rules]\nref-claimtype = \"off\"\n");
    sandbox.write(
        "set/Ext.xml",
        &policy(
            "B2C_1A_Ext",
            Some("B2C_1A_Base"),
            &provider("unknownClaim", "s3cret-of-contoso"),
        ),
    );
    sandbox.write(
        "set/Leaf.xml",
        &policy("B2C_1A_Leaf", Some("B2C_1A_Ext"), ""),
    );
    let human = sandbox.run(&DEPLOY).expect(1);
    contains(
        &human,
        &[
            "error[upload-failed]",
            "--> set/Ext.xml:7:",
            "unknownClaim",
            "B2C_1A_Leaf  blocked",
            "switched off: ref-claimtype",
            ".iefctl/reports/B2C_1A_Ext.md",
        ],
    );
    let report =
        std::fs::read_to_string(sandbox.path().join(".iefctl/reports/B2C_1A_Ext.md")).unwrap();
    assert!(report.contains("unknownClaim"), "{report}");
    assert!(report.contains("ref-claimtype = off"), "{report}");
    assert!(report.contains("<TechnicalProfile Id=\"P\">"), "{report}");
    for value in ["s3cret-of-contoso", TENANT] {
        assert!(!report.contains(value), "{report}");
    }
    let json = sandbox
        .run(&with(&DEPLOY, &["--format", "json"]))
        .expect(1)
        .json();
    assert_eq!(json["summary"]["failed"], 1);
    assert_eq!(json["summary"]["blocked"], 1);
    assert_eq!(json["summary"]["unchanged"], 1);
    assert_eq!(json["policies"][1]["errorItems"][0]["line"], 7);
    for (format, words) in [
        ("github", "::error file=set/Ext.xml,line=7"),
        (
            "azure",
            "##vso[task.logissue type=error;sourcepath=set/Ext.xml;linenumber=7;",
        ),
        ("sarif", "\"upload-failed\""),
        ("junit", "upload-failed"),
        ("markdown", "unknownClaim"),
    ] {
        let done = sandbox.run(&with(&DEPLOY, &["--format", format])).expect(1);
        assert!(done.stdout.contains(words), "{format}: {}", done.stdout);
        if format == "sarif" {
            let _: Value = done.json();
        }
    }
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let sandbox = Sandbox::new();
    sandbox.copy("policies-example", "set");
    let done = sandbox.run(&with(&DEPLOY, &["-e", "prod"])).expect(0);
    assert!(!done.stderr.contains("[y/N]"), "{}", done.stderr);
}

#[test]
fn rules_of_a_deployment_are_explained() {
    let sandbox = Sandbox::new();
    for rule in ["keyset-expiring", "upload-failed", "tenant-full"] {
        contains(&sandbox.run(&["explain", rule]).expect(0), &[rule]);
    }
    contains(
        &sandbox.run(&["explain"]).expect(0),
        &["keyset-expiring", "ref-claimtype"],
    );
}
