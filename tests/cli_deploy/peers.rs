//! Mistakes that deployment tools for custom policies are known to make, one by one: each is shown not
//! to be here, by a test below or by one of the tests that it names.

use super::sandbox::{Finished, Sandbox, repository};
use super::tenant::{Tenant, access, claim, keys, policy, stored_keys, stored_policies, write_set};

/// Where it is shown.
enum Shown {
    /// By a test of this file.
    Here(&'static str),
    /// By tests of another file.
    In(&'static str, &'static [&'static str]),
}

use Shown::{Here, In};

const MISTAKES: &[(&str, Shown)] = &[
    (
        "1 a missing file or credential is a warning, and all is well",
        Here("what_is_missing_ends_the_run"),
    ),
    (
        "2 a file without PolicyId is skipped in silence",
        Here("what_is_missing_ends_the_run"),
    ),
    (
        "3 success is reported before the uploads have ended; an empty folder is a success",
        Here("a_failure_is_a_failure"),
    ),
    (
        "4 a failed upload is logged, and the exit status is 0",
        Here("a_failure_is_a_failure"),
    ),
    (
        "5 errors of deletions get lost; heirs are uploaded after their base has failed",
        Here("a_failure_is_a_failure"),
    ),
    (
        "5 the same, over all orders",
        In(
            "tests/deploy/execution.rs",
            &[
                "descendants_of_a_failure_are_blocked_and_other_branches_finish",
                "deletions_come_last_and_children_first",
            ],
        ),
    ),
    (
        "6 placeholders without value are uploaded",
        Here("settings_are_values"),
    ),
    (
        "7 heirs of bases that only the tenant has, orphans and second roots are left out",
        Here("every_policy_counts"),
    ),
    (
        "8 files are uploaded in the order of their names",
        Here("every_policy_counts"),
    ),
    (
        "9 a cycle overflows the stack, spins for ever, or is dropped",
        Here("cycles_and_doubles_are_named"),
    ),
    (
        "10 of two files with one PolicyId the last wins",
        Here("cycles_and_doubles_are_named"),
    ),
    (
        "11 the first element PolicyId anywhere is taken for the base",
        Here("text_that_looks_like_a_policy_is_none"),
    ),
    (
        "12 a base that only the tenant has is an error",
        Here("every_policy_counts"),
    ),
    (
        "13 the PolicyId comes from a comment, or is taken before placeholders are replaced",
        Here("text_that_looks_like_a_policy_is_none"),
    ),
    (
        "14 ids are compared with regard to case",
        Here("case_makes_no_other_policy"),
    ),
    (
        "15 verbose output shows secrets, tokens and policies",
        In("tests/cli_deploy/main.rs", &["no_secret_comes_out"]),
    ),
    (
        "15 the same, in every error and log of the client",
        In(
            "tests/msgraph/secrets.rs",
            &["no_secret_appears_in_errors_debug_or_trace"],
        ),
    ),
    (
        "16 secrets are arguments, visible to every process",
        Here("no_option_takes_a_secret"),
    ),
    (
        "17 uploads are sent as another type, and not repeated when throttled",
        In(
            "tests/msgraph/policies.rs",
            &[
                "put_sends_utf8_xml_without_byte_order_mark_and_accepts_200_and_201",
                "passing_failures_are_repeated_and_reported",
            ],
        ),
    ),
    (
        "18 one token for the whole run, no repetition",
        In(
            "tests/msgraph/policies.rs",
            &["a_rejected_token_is_renewed_once"],
        ),
    ),
    (
        "18 the answer of the token endpoint is not looked at, the secret not encoded",
        In(
            "tests/msgraph/sign_in.rs",
            &[
                "the_token_request_is_a_form_and_the_token_reaches_graph",
                "pages_are_no_tokens",
            ],
        ),
    ),
    (
        "18 unbounded parallel calls",
        In(
            "tests/deploy/execution.rs",
            &["uploads_come_near_the_bound_of_any_client"],
        ),
    ),
    (
        "19 a fixed time limit that large bases exceed",
        In("tests/msgraph/policies.rs", &["time_limits_hold"]),
    ),
    (
        "19 what cannot be read counts as gone and is created again",
        In(
            "tests/deploy/faults.rs",
            &["a_tenant_that_cannot_be_read_gets_no_write"],
        ),
    ),
    (
        "20 the tenant stays half updated, and nothing was saved",
        In(
            "tests/deploy/snapshots.rs",
            &[
                "an_atomic_deployment_leaves_the_tenant_as_it_was",
                "what_is_overwritten_can_be_found_on_the_disk",
            ],
        ),
    ),
    (
        "21 an upload answered with 201 counts as failed",
        Here("every_success_is_one"),
    ),
    (
        "22 the service's error is swallowed, or is JSON that cannot be parsed",
        Here("the_services_words_arrive"),
    ),
    (
        "23 names are patterns, values are templates, nothing is escaped",
        Here("settings_are_values"),
    ),
    (
        "24 comments, declaration and line ends get lost",
        Here("files_keep_their_bytes"),
    ),
    (
        "25 two placeholders on a line are one",
        Here("settings_are_values"),
    ),
    (
        "26 a letter of a name is optional, a dot is any character",
        In(
            "tests/settings.rs",
            &["keys_are_no_patterns_and_values_no_templates"],
        ),
    ),
    (
        "27 folders are emptied without a look, old results are built again",
        In(
            "tests/build.rs",
            &[
                "only_files_of_earlier_builds_are_removed",
                "what_no_build_wrote_is_not_overwritten",
                "built_files_are_no_input",
            ],
        ),
    ),
    (
        "28 sources are rewritten on the way",
        Here("files_keep_their_bytes"),
    ),
    (
        "29 steps are renumbered, and overrides by order break; a second run adds another step",
        Here("steps_keep_their_numbers_until_that_is_wanted"),
    ),
    (
        "30 running it again changes something else; certificates stay on the disk",
        Here("a_second_run_finds_nothing_to_do"),
    ),
    (
        "31 every run adds another key; errors of the keyset calls are hidden",
        Here("a_second_run_finds_nothing_to_do"),
    ),
    (
        "31 the same, under faults",
        In("tests/deploy/faults.rs", &["random_faults_lose_nothing"]),
    ),
    (
        "32 dates are unusable",
        In(
            "tests/keys/commands.rs",
            &[
                "a_tenant_is_listed_checked_and_rotated",
                "bad_input_is_refused_before_anything_is_sent",
            ],
        ),
    ),
    (
        "32 the prefix of a keyset is doubled",
        Here("a_second_run_finds_nothing_to_do"),
    ),
    (
        "33 the documentation is of another tool or version",
        In(
            "tests/docs/commands.rs",
            &["every_command_of_the_documentation_runs"],
        ),
    ),
    (
        "34 a key that begins at once, RSA and symmetric keys in one set",
        In(
            "tests/keys/tenant.rs",
            &[
                "a_rotation_says_who_is_active_when",
                "what_the_service_would_refuse_is_not_sent",
            ],
        ),
    ),
    (
        "34 that a keyset exists is an error",
        In(
            "tests/msgraph/keysets.rs",
            &["creating_a_keyset_knows_whether_it_was_there"],
        ),
    ),
    (
        "35 all policies of a tenant are removed without a question",
        Here("nothing_is_removed_unasked"),
    ),
    (
        "35 only keysets of three names are made",
        In(
            "tests/deploy/keysets.rs",
            &[
                "keys_are_made_once_and_before_the_policies",
                "everything_that_is_missing_is_named_at_once",
            ],
        ),
    ),
    (
        "36 installations of whatever is newest, unverified, on runtimes that are gone",
        In(
            "tests/github_action/installing.rs",
            &[
                "what_is_not_the_release_is_refused",
                "nothing_is_loaded_over_plain_text_from_elsewhere",
            ],
        ),
    ),
    (
        "37 test files without tests",
        Here("every_mistake_has_its_test"),
    ),
    (
        "38 a sign-in that is retired, and messages in another language",
        In(
            "tests/msgraph/sign_in.rs",
            &["entras_refusal_is_explained_and_not_repeated"],
        ),
    ),
];

#[test]
fn every_mistake_has_its_test() {
    for number in 1..=38 {
        let is_listed = MISTAKES
            .iter()
            .any(|(text, _)| text.split(' ').next() == Some(&number.to_string()));
        assert!(is_listed, "{number} is not shown");
    }
    for (mistake, shown) in MISTAKES {
        let (file, tests) = match shown {
            Here(test) => ("tests/cli_deploy/peers.rs", std::slice::from_ref(test)),
            In(file, tests) => (*file, *tests),
        };
        let text = std::fs::read_to_string(repository().join(file)).unwrap();
        for test in tests {
            let at = text.find(&format!("fn {test}()"));
            assert!(at.is_some(), "{mistake}: {file} has no test {test}");
            let attribute = text[..at.unwrap()].rfind("test").unwrap();
            assert!(at.unwrap() - attribute < 120, "{test} is no test");
        }
    }
}

const NAME: &str = "contoso.onmicrosoft.com";
const JSON: [&str; 4] = ["--tenant", NAME, "--format", "json"];

struct World {
    sandbox: Sandbox,
    tenant: Tenant,
    state: tempfile::TempDir,
}

fn world(faults: &str) -> World {
    let state = tempfile::tempdir().unwrap();
    let script = state.path().join("faults.json");
    std::fs::write(&script, format!("{{\"rules\":[{faults}]}}")).unwrap();
    let folder = state.path().join("state");
    let tenant = Tenant::start(&[
        "--state",
        folder.to_str().unwrap(),
        "--faults",
        script.to_str().unwrap(),
    ]);
    let mut sandbox = Sandbox::new();
    sandbox.variables = access(&tenant.url);
    World {
        sandbox,
        tenant,
        state,
    }
}

impl World {
    fn deploy(&self, folder: &str, more: &[&str]) -> Finished {
        let mut args = vec!["deploy", folder];
        args.extend(JSON);
        args.extend(more);
        self.sandbox.run(&args)
    }

    /// The ids of all policies of the tenant, in lower case.
    fn ids(&self) -> Vec<String> {
        let stored = stored_policies(&self.state.path().join("state"), NAME);
        let ids = stored.into_iter();
        ids.map(|(name, _)| name.trim_end_matches(".xml").to_owned())
            .collect()
    }

    fn text(&self, id: &str) -> String {
        let stored = stored_policies(&self.state.path().join("state"), NAME);
        let file = format!("{}.xml", id.to_lowercase());
        let found = stored.into_iter().find(|(name, _)| *name == file);
        found.unwrap().1
    }
}

#[test]
fn what_is_missing_ends_the_run() {
    let mut world = world("");
    world
        .sandbox
        .write("set/A.xml", &policy("B2C_1A_A", None, ""));
    let nothing = policy("X", None, "").replace(" PolicyId=\"X\"", "");
    world.sandbox.write("anonymous/B.xml", &nothing);
    world
        .sandbox
        .write("anonymous/A.xml", &policy("B2C_1A_A", None, ""));
    for (args, status, words) in [
        (
            &["deploy", "set/A.xml", "set/None.xml", "--tenant", NAME][..],
            2,
            "set/None.xml",
        ),
        (&["deploy", "set/None"], 2, "set/None"),
        (
            &["deploy", "anonymous", "--tenant", NAME],
            1,
            "anonymous/B.xml:1",
        ),
        (
            &["deploy", "set", "--tenant", NAME, "--config", "none.toml"],
            2,
            "none.toml",
        ),
        (&["deploy", "set", "-e", "nowhere"], 2, "nowhere"),
        (&["deploy", "set", "--tenat", NAME], 2, "--tenat"),
    ] {
        let done = world.sandbox.run(args).expect(status);
        let said = done.stdout + &done.stderr;
        assert!(said.contains(words), "{args:?}: {said}");
    }
    world.sandbox.variables.remove(0);
    let refused = world.deploy("set", &[]).expect(2);
    assert!(
        refused.stderr.contains("AZURE_CLIENT_ID"),
        "{}",
        refused.stderr
    );
    assert!(world.ids().is_empty());
}

#[test]
fn a_failure_is_a_failure() {
    let world = world(
        r#"{"when":{"method":"PUT","path":"*/B2C_1A_Ext/*"},"fault":{"status":{"status":400,"body":"oData"}}},
           {"when":{"method":"DELETE"},"fault":{"status":{"status":403,"body":"oData"}}}"#,
    );
    write_set(&world.sandbox, "set", "new");
    let report = world.deploy("set", &[]).expect(1).json();
    let status = |id: &str| {
        let policies = report["policies"].as_array().unwrap();
        let policy = policies.iter().find(|policy| policy["id"] == id).unwrap();
        policy["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status("B2C_1A_Ext"), "failed");
    assert_eq!(
        [status("B2C_1A_A"), status("B2C_1A_B")],
        ["blocked", "blocked"]
    );
    assert_eq!(
        [status("B2C_1A_Base"), status("B2C_1A_C")],
        ["done", "done"]
    );
    assert_eq!(world.ids(), ["b2c_1a_base", "b2c_1a_c", "b2c_1a_root2"]);
    std::fs::create_dir(world.sandbox.path().join("empty")).unwrap();
    world.deploy("empty", &[]).expect(2);
    // A deletion that fails is a failure too, and the policy is still there.
    world
        .sandbox
        .write("copy/A.xml", &policy("B2C_1A_A", None, ""));
    world.deploy("copy", &["--prefix", "pr1_"]).expect(0);
    let destroy = ["destroy", "--prefix", "pr1_", "--tenant", NAME, "--yes"];
    world.sandbox.run(&destroy).expect(1);
    assert!(world.ids().contains(&"b2c_1a_pr1_a".to_owned()));
}

#[test]
fn settings_are_values() {
    let world = world("");
    let body = claim("a").replace(
        "<DisplayName>a</DisplayName>",
        "<DisplayName>{Settings:A.B}-{Settings:Two}</DisplayName>",
    );
    let text = policy("B2C_1A_A", None, &body);
    world.sandbox.write("set/A.xml", &text);
    let missing = world.deploy("set", &[]).expect(1);
    assert!(
        missing.stdout.contains("settings-undefined"),
        "{}",
        missing.stdout
    );
    assert!(world.ids().is_empty());
    let toml = "[settings]\n\"A.B\" = 'a$& <b> \\1'\nAxB = \"wrong\"\nTwo = 2\n";
    world.sandbox.write("set/iefctl.toml", toml);
    world.deploy("set", &[]).expect(0);
    let stored = world.text("B2C_1A_A");
    assert!(
        stored.contains("<DisplayName>a$&amp; &lt;b> \\1-2<"),
        "{stored}"
    );
}

#[test]
fn every_policy_counts() {
    let world = world("");
    write_set(&world.sandbox, "set", "new");
    let report = world.deploy("set", &[]).expect(0).json();
    assert_eq!(report["summary"]["created"], 6);
    // A.xml stands before the files of its bases.
    let order: Vec<&str> = report["policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| policy["id"].as_str().unwrap())
        .collect();
    let place = |id: &str| order.iter().position(|known| *known == id).unwrap();
    assert!(place("B2C_1A_Base") < place("B2C_1A_Ext") && place("B2C_1A_Ext") < place("B2C_1A_A"));
    // The base of these is in the tenant only.
    let child = policy("B2C_1A_Child", Some("B2C_1A_A"), "");
    world.sandbox.write("child/C.xml", &child);
    world.sandbox.write(
        "child/D.xml",
        &policy("B2C_1A_Grandchild", Some("b2c_1a_CHILD"), ""),
    );
    let report = world.deploy("child", &[]).expect(0).json();
    assert_eq!(report["summary"]["created"], 2);
    // The base of this one is nowhere.
    world.sandbox.write(
        "orphan/O.xml",
        &policy("B2C_1A_O", Some("B2C_1A_Nowhere"), ""),
    );
    let refused = world.deploy("orphan", &[]).expect(1);
    assert!(
        refused.stdout.contains("B2C_1A_Nowhere"),
        "{}",
        refused.stdout
    );
    assert_eq!(world.ids().len(), 8);
}

#[test]
fn cycles_and_doubles_are_named() {
    let world = world("");
    let write = |file: &str, id: &str, base: Option<&str>| {
        world.sandbox.write(file, &policy(id, base, ""));
    };
    write("self/A.xml", "B2C_1A_A", Some("B2C_1A_A"));
    write("two/A.xml", "B2C_1A_A", Some("B2C_1A_B"));
    write("two/B.xml", "B2C_1A_B", Some("b2c_1a_a"));
    write("double/A.xml", "B2C_1A_A", None);
    write("double/B.xml", "b2c_1a_a", None);
    for (folder, files) in [("self", 1), ("two", 2), ("double", 2)] {
        let refused = world.deploy(folder, &[]).expect(1);
        for file in ["A.xml", "B.xml"].iter().take(files) {
            let file = format!("{folder}/{file}");
            assert!(refused.stdout.contains(&file), "{}", refused.stdout);
        }
    }
    assert!(world.ids().is_empty());
}

#[test]
fn text_that_looks_like_a_policy_is_none() {
    let world = world("");
    let comment = "<!-- <TrustFrameworkPolicy PolicyId=\"B2C_1A_Old\"><BasePolicy><PolicyId>\
                   B2C_1A_Gone</PolicyId></BasePolicy> -->\n";
    let text = policy("B2C_1A_{Settings:Name}", None, "");
    world
        .sandbox
        .write("set/A.xml", &format!("{comment}{text}"));
    let body = format!("{comment}{}", claim("PolicyId"));
    world
        .sandbox
        .write("set/B.xml", &policy("B2C_1A_B", None, &body));
    world
        .sandbox
        .write("set/iefctl.toml", "[settings]\nName = \"New\"\n");
    world.deploy("set", &[]).expect(0);
    assert_eq!(world.ids(), ["b2c_1a_b", "b2c_1a_new"]);
}

#[test]
fn case_makes_no_other_policy() {
    let world = world("");
    world
        .sandbox
        .write("set/A.xml", &policy("B2C_1A_A", None, ""));
    world
        .sandbox
        .write("set/B.xml", &policy("B2C_1A_B", Some("b2c_1A_a"), ""));
    world.deploy("set", &[]).expect(0);
    let upper = policy("B2C_1A_A", None, "");
    let lower = upper.replace("PolicyId=\"B2C_1A_A\"", "PolicyId=\"b2c_1a_a\"");
    assert_ne!(upper, lower);
    world.sandbox.write("set/A.xml", &lower);
    let again = world.deploy("set", &[]).expect(0).json();
    assert_eq!(again["summary"]["unchanged"], 2, "{again}");
    assert_eq!(world.ids().len(), 2);
}

#[test]
fn no_option_takes_a_secret() {
    let sandbox = Sandbox::new();
    for command in [
        &["deploy"][..],
        &["plan"],
        &["pull"],
        &["rollback"],
        &["destroy"],
        &["doctor"],
        &["init"],
        &["validate"],
        &["build"],
        &["emulator"],
        &["keys", "list"],
        &["keys", "check"],
        &["keys", "create"],
        &["keys", "rotate"],
        &["keys", "delete"],
    ] {
        let help = sandbox
            .run(&[command, &["--help"]].concat())
            .expect(0)
            .stdout;
        for line in help.lines().map(str::trim_start) {
            let option = line.split_whitespace().find(|word| word.starts_with("--"));
            let Some(option) = option.filter(|_| line.starts_with('-')) else {
                continue;
            };
            let names_a_secret = ["secret", "password", "token"]
                .iter()
                .any(|word| option.contains(word));
            let is_indirect = ["-env", "-file", "-lifetime"]
                .iter()
                .any(|end| option.ends_with(end));
            assert!(!names_a_secret || is_indirect, "{command:?}: {line}");
        }
    }
}

#[test]
fn every_success_is_one() {
    let world = world(r#"{"when":{"method":"PUT"},"fault":"createdForOk"}"#);
    write_set(&world.sandbox, "set", "old");
    world.deploy("set", &[]).expect(0);
    write_set(&world.sandbox, "set", "new");
    let report = world.deploy("set", &[]).expect(0).json();
    assert_eq!(report["summary"]["updated"], 3);
    assert_eq!(report["summary"]["created"], 1);
}

#[test]
fn the_services_words_arrive() {
    for (fault, words) in [
        (
            r#"{"status":{"status":400,"body":"html"}}"#,
            &["400", "HTML"][..],
        ),
        (r#"{"status":{"status":400,"body":"empty"}}"#, &["400"]),
        (
            r#"{"status":{"status":404,"body":"webApi"}}"#,
            &["404", "No HTTP resource was found"],
        ),
        (
            r#"{"status":{"status":403,"body":"oData"}}"#,
            &["403", "Forbidden"],
        ),
    ] {
        let world = world(&format!(r#"{{"when":{{"method":"PUT"}},"fault":{fault}}}"#));
        world
            .sandbox
            .write("set/A.xml", &policy("B2C_1A_A", None, ""));
        let failed = world
            .sandbox
            .run(&["deploy", "set", "--tenant", NAME])
            .expect(1);
        let said = failed.stdout + &failed.stderr;
        for word in words.iter().chain(&["B2C_1A_A", "set/A.xml"]) {
            assert!(said.contains(word), "{fault}: {word}\n{said}");
        }
    }
}

#[test]
fn files_keep_their_bytes() {
    let world = world("");
    let text = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<!-- before -->\r\n{}<!-- after -->\r\n",
        policy("B2C_1A_A", None, &format!("<!-- inside -->{}", claim("a")))
    );
    world.sandbox.write("set/A.xml", &text);
    world.deploy("set", &["--renumber-steps"]).expect(0);
    let kept = std::fs::read_to_string(world.sandbox.path().join("set/A.xml")).unwrap();
    assert_eq!(kept, text);
    let stored = world.text("B2C_1A_A");
    for part in ["<!-- before -->", "<!-- inside -->", "<!-- after -->"] {
        assert!(stored.contains(part), "{stored}");
    }
    assert!(stored.contains("<!-- before -->\r\n"), "{stored}");
}

#[test]
fn steps_keep_their_numbers_until_that_is_wanted() {
    let world = world("");
    let step = |order: u8, what: &str| format!("<OrchestrationStep Order=\"{order}\" {what} />");
    let journey = |steps: &[String]| {
        format!(
            "<UserJourneys><UserJourney Id=\"J\"><OrchestrationSteps>{}</OrchestrationSteps>\
             </UserJourney></UserJourneys>",
            steps.concat()
        )
    };
    let issuer = keys(&[("issuer_secret", "B2C_1A_Sig")]).replace("\"P\"", "\"I\"");
    let sends = "Type=\"SendClaims\" CpimIssuerTechnicalProfileReferenceId=\"I\"";
    let base = journey(&[step(1, "Type=\"GetClaims\""), step(2, sends)]);
    let insights = "<TechnicalProfile Id=\"AppInsights-Start\"><DisplayName>Start</DisplayName>\
        <Protocol Name=\"Proprietary\" \
        Handler=\"Web.TPEngine.Providers.Insights.AzureApplicationInsightsProvider, Web.TPEngine, \
        Version=1.0.0.0, Culture=neutral, PublicKeyToken=null\" /><Metadata>\
        <Item Key=\"InstrumentationKey\">00000000-0000-0000-0000-000000000001</Item></Metadata>\
        <InputClaims><InputClaim ClaimTypeReferenceId=\"event\" PartnerClaimType=\"eventName\" \
        DefaultValue=\"Start\" /></InputClaims></TechnicalProfile></TechnicalProfiles>";
    let profiles = issuer.replace("</TechnicalProfiles>", insights);
    let base = [claim("event"), profiles, base].concat();
    let base = policy("B2C_1A_Base", None, &base);
    // What overrides a step names it by number.
    let heir = policy(
        "B2C_1A_Heir",
        Some("B2C_1A_Base"),
        &journey(&[step(2, sends)]),
    );
    world.sandbox.write("set/Base.xml", &base);
    world.sandbox.write("set/Heir.xml", &heir);
    for more in [&[][..], &["--renumber-steps"], &["--renumber-steps"]] {
        world.deploy("set", more).expect(0);
        assert!(world.text("B2C_1A_Heir").contains("Order=\"2\""));
    }
    let called = |text: &str| {
        let call = "TechnicalProfileReferenceId=\"AppInsights-Start\"";
        text.matches(call).count()
    };
    assert_eq!(called(&world.text("B2C_1A_Base")), 0);
    let insights = |folder: &str| {
        let report = world.deploy(folder, &["--app-insights-step"]);
        let report = report.expect(0).json();
        let steps = world.text("B2C_1A_Base");
        assert_eq!(called(&steps), 1, "{steps}");
        assert_eq!(steps.matches("<OrchestrationStep ").count(), 3, "{steps}");
        assert!(world.text("B2C_1A_Heir").contains("Order=\"3\""));
        report["summary"].clone()
    };
    assert_eq!(insights("set")["updated"], 2);
    assert_eq!(insights("set")["unchanged"], 2);
    // Nor does it add one to what has it already, as the tenant's own texts have.
    for id in ["Base", "Heir"] {
        let text = world.text(&format!("B2C_1A_{id}"));
        world.sandbox.write(&format!("pulled/{id}.xml"), &text);
    }
    assert_eq!(insights("pulled")["unchanged"], 2);
    for (file, text) in [("Base", base), ("Heir", heir)] {
        let path = world.sandbox.path().join(format!("set/{file}.xml"));
        assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    }
}

#[test]
fn a_second_run_finds_nothing_to_do() {
    let world = world(
        r#"{"when":{"method":"POST","path":"*/keySets"},"on":{"nth":1},"fault":{"status":{"status":403,"body":"oData"}}},
           {"when":{"method":"POST","path":"*/generateKey"},"on":{"nth":1},"fault":{"status":{"status":403,"body":"oData"}}}"#,
    );
    let keysets = [("issuer_secret", "B2C_1A_Sig")];
    let recipe = "[keysets.Sig]\ngenerate = \"rsa\"\n";
    world.sandbox.write("set/iefctl.toml", recipe);
    world
        .sandbox
        .write("set/A.xml", &policy("B2C_1A_A", None, &keys(&keysets)));
    // Creating it is refused, then adding its key: each is told, and no policy is uploaded.
    for words in ["POST keyset B2C_1A_Sig", "generateKey"] {
        let told = world.sandbox.run(&["deploy", "set", "--tenant", NAME]);
        assert_eq!(told.status, Some(1), "{}", told.stdout);
        assert!(told.stdout.contains("403"), "{}", told.stdout);
        assert!(told.stdout.contains(words), "{words}: {}", told.stdout);
        assert!(world.ids().is_empty());
    }
    for _ in 0..3 {
        world.deploy("set", &[]).expect(0);
    }
    let state = world.state.path().join("state");
    assert_eq!(
        stored_keys(&state, NAME),
        [("b2c_1a_sig.json".to_owned(), 1)]
    );
    let left: Vec<_> = std::fs::read_dir(world.sandbox.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left.len(), 2, "only the set and .iefctl: {left:?}");
}

#[test]
fn nothing_is_removed_unasked() {
    let world = world("");
    write_set(&world.sandbox, "set", "new");
    world.deploy("set", &["--prefix", "pr1_"]).expect(0);
    let destroy = ["destroy", "--prefix", "pr1_", "--tenant", NAME];
    let refused = world.sandbox.run(&destroy).expect(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    // Nor by a deployment of fewer files.
    std::fs::remove_file(world.sandbox.path().join("set/C.xml")).unwrap();
    world.deploy("set", &["--prefix", "pr1_"]).expect(0);
    assert_eq!(world.ids().len(), 6);
    assert!(world.tenant.url.starts_with("http"));
}
