//! Several environments in one run: which ones, each apart from the others, one report.

use serde_json::Value;

use super::fixture::{Finished, IefCtl};
use super::tenant::Tenant;

const POLICY: &str = r#"<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0" TenantId="{Settings:Tenant}" PolicyId="B2C_1A_Base" PublicPolicyUri="http://{Settings:Tenant}/B2C_1A_Base">
  <BuildingBlocks>
    <ClaimsSchema>
      <ClaimType Id="objectId"><DisplayName>{Settings:Label}</DisplayName><DataType>string</DataType></ClaimType>
    </ClaimsSchema>
  </BuildingBlocks>
</TrustFrameworkPolicy>
"#;

const CONFIGURATION: &str = r#"
[settings]
Label = "Id"
[environments.dev]
tenant = "contosodev.onmicrosoft.com"
[environments.test]
tenant = "contosotest.onmicrosoft.com"
[environments.prod]
tenant = "contoso.onmicrosoft.com"
production = true
"#;

fn project(configuration: &str) -> IefCtl {
    IefCtl::with_files([("p/Base.xml", POLICY), ("p/iefctl.toml", configuration)])
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn json(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap()
}

/// What became of the policy in each environment, by name.
fn actions(document: &Value) -> Vec<(String, Value)> {
    let environments = document["environments"].as_array().unwrap();
    environments
        .iter()
        .map(|entry| {
            let name = entry["environment"].as_str().unwrap().to_owned();
            (name, entry["deployment"]["policies"][0]["action"].clone())
        })
        .collect()
}

#[test]
fn each_environment_has_its_levels_of_rules() {
    // Nothing uses the setting, which is a hint by itself.
    let configuration = format!(
        "{CONFIGURATION}[environments.dev.rules]\nsettings-unused = \"error\"\n\
         [environments.test.rules]\nsettings-unused = \"off\"\n"
    );
    let configuration = configuration.replace("[settings]", "[settings]\nNobody = \"x\"");
    let iefctl = project(&configuration).args(words("validate p --all-environments --format json"));
    let report = json(&iefctl.run().expect(1));
    let levels = ["dev", "test", "prod"].map(|name| {
        let iefctl_args = format!("validate p -e {name} --format json");
        let iefctl = project(&configuration).args(words(&iefctl_args));
        let report = json(&iefctl.run());
        let found = report["diagnostics"].as_array().unwrap().iter();
        let levels = found.filter(|found| found["rule"] == "settings-unused");
        levels
            .map(|found| found["level"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    });
    assert_eq!(levels[0], ["error"], "{report}");
    assert!(levels[1].is_empty(), "{report}");
    assert_eq!(levels[2], ["hint"], "{report}");
    // One of them keeps all from being deployed to.
    let iefctl = iefctl.args(words("deploy p --all-environments --emulator"));
    let refused = iefctl.run().expect(1);
    assert!(
        refused.stdout.contains("settings-unused"),
        "{}",
        refused.stdout
    );
    let iefctl = iefctl.args(words("deploy p -e test -e prod --emulator"));
    iefctl.run().expect(0);
}

#[test]
fn all_environments_are_deployed_to_and_reported_in_one() {
    let iefctl = project(CONFIGURATION).args(words(
        "deploy p --all-environments --emulator --format json",
    ));
    let first = json(&iefctl.run().expect(0));
    assert_eq!(first["summary"]["complete"], 3);
    let names = ["dev", "test", "prod"];
    let expected = |action: &str| names.map(|name| (name.to_owned(), Value::from(action)));
    assert_eq!(actions(&first), expected("create"));
    assert_eq!(
        first["environments"][2]["deployment"]["tenant"],
        "contoso.onmicrosoft.com"
    );
    let second = json(&iefctl.run().expect(0));
    assert_eq!(actions(&second), expected("unchanged"));

    let iefctl = iefctl.args(words("plan p -e test -e dev --emulator --format json"));
    let plan = json(&iefctl.run().expect(0));
    assert_eq!(plan["environments"][0]["environment"], "test");
    assert_eq!(
        plan["environments"][1]["plan"]["policies"][0]["action"],
        "unchanged"
    );
    iefctl.write("p/Base.xml", POLICY.replace(">string<", ">boolean<"));
    let iefctl = iefctl.args(words("plan p --all-environments --emulator --exit-code"));
    let shown = iefctl.run().expect(3);
    for text in ["dev:\n", "test:\n", "prod:\n"] {
        assert!(shown.stdout.contains(text), "{}", shown.stdout);
    }
    assert!(shown.stderr.contains("all 3 environments planned"));
}

#[test]
fn a_tenant_that_refuses_keeps_no_other_from_being_deployed_to() {
    let tenant = Tenant::start(&["--tenant", "contosotest.onmicrosoft.com"]);
    let iefctl = project(CONFIGURATION)
        .env("IEFCTL_GRAPH_ENDPOINT", &tenant.url)
        .env("IEFCTL_LOGIN_ENDPOINT", &tenant.url)
        .env("AZURE_CLIENT_ID", "11111111-1111-1111-1111-111111111111")
        .env("AZURE_CLIENT_SECRET", "any")
        .args(words("deploy p --all-environments --format json"));
    let finished = iefctl.run().expect(1);
    let document = json(&finished);
    assert_eq!(document["summary"]["complete"], 1);
    assert_eq!(document["summary"]["incomplete"], 2);
    assert_eq!(actions(&document)[1].1, "create");
    for position in [0, 2] {
        let error = document["environments"][position]["error"].as_str();
        assert!(error.is_some_and(|error| error.contains("cannot sign in")));
    }
    assert!(
        finished
            .stderr
            .contains("environment `prod`: cannot sign in")
    );

    // If none could run, that is what the status says.
    let iefctl = iefctl.args(words("deploy p -e dev -e prod"));
    iefctl.run().expect(2);
}

/// The page of a CI job and the file for programs do not depend on the format of standard output.
#[test]
fn a_report_about_several_goes_wherever_one_about_one_goes() {
    for format in ["json", "human", "markdown", "github"] {
        let iefctl = project(CONFIGURATION);
        let (page, report) = (iefctl.path("page.md"), iefctl.path("report.json"));
        let mut iefctl = iefctl
            .env("GITHUB_STEP_SUMMARY", &page)
            .env("IEFCTL_REPORT", &report);
        for command in ["plan", "deploy"] {
            let _ = std::fs::remove_file(&page);
            let line = format!("{command} p -e dev -e prod --emulator --format {format}");
            iefctl = iefctl.args(words(&line));
            iefctl.run().expect(0);
            let text = iefctl.read("page.md");
            for tenant in ["contosodev.onmicrosoft.com", "contoso.onmicrosoft.com"] {
                assert!(text.contains(tenant), "{line}: {text}");
            }
            let document: Value = serde_json::from_str(&iefctl.read("report.json")).unwrap();
            assert_eq!(document["command"], command);
            assert_eq!(document["environments"].as_array().unwrap().len(), 2);
        }
    }
}

#[test]
fn a_mistake_in_the_files_of_one_keeps_all_from_being_written_to() {
    let broken = CONFIGURATION
        .replace("[settings]\nLabel = \"Id\"", "")
        .replace(
            "[environments.test]",
            "[environments.dev.settings]\nLabel = \"Id\"\n[environments.test]",
        );
    let iefctl = project(&broken).args(words("deploy p -e dev -e test --emulator --format json"));
    let document = json(&iefctl.run().expect(1));
    let environments = document["environments"].as_array().unwrap();
    assert!(environments[0]["error"].is_string(), "{document:#}");
    assert_eq!(
        environments[1]["validation"]["diagnostics"][0]["rule"],
        "settings-undefined"
    );
    // Nothing was: dev is still to be created.
    let iefctl = iefctl.args(words("deploy p -e dev --emulator --format json"));
    let document = json(&iefctl.run().expect(0));
    assert_eq!(document["policies"][0]["action"], "create");
}

#[test]
fn choices_that_cannot_be_meant_are_refused() {
    let iefctl = project(CONFIGURATION);
    let cases = [
        ("deploy p -e dev -e DEV --emulator", "chosen twice"),
        (
            "deploy p -e dev --all-environments --emulator",
            "cannot be used with",
        ),
        ("deploy p -e dev -e tset --emulator", "did you mean `test`?"),
        (
            "deploy p -e dev -e test --plan plan.json --emulator",
            "plan.json",
        ),
        (
            "plan p -e dev -e test --out plan.json --emulator",
            "for one environment",
        ),
        (
            "deploy p -e dev -e test -t fabrikam.com --emulator",
            "--tenant fabrikam.com",
        ),
        (
            "deploy p -e dev -e test --emulator --format junit",
            "about one environment",
        ),
        ("graph p -e dev -e test", "one environment at a time"),
        (
            "validate p -e dev -e test --watch",
            "one environment at a time",
        ),
    ];
    let mut iefctl = iefctl;
    for (line, expected) in cases {
        iefctl = iefctl.args(words(line));
        let finished = iefctl.run().expect(2);
        assert!(
            finished.stderr.contains(expected),
            "{line}: {}",
            finished.stderr
        );
    }
    let shared = CONFIGURATION.replace("contosotest", "contosodev");
    let finished = project(&shared)
        .args(words("deploy p --all-environments --emulator"))
        .run()
        .expect(2);
    assert!(
        finished
            .stderr
            .contains("`dev` and `test` are both the tenant")
    );
    let none = project("[settings]\nLabel = \"Id\"\n")
        .args(words("deploy p --all-environments --emulator"))
        .run()
        .expect(2);
    assert!(none.stderr.contains("has no environments"));
}

#[test]
fn validation_tells_once_what_environments_have_in_common() {
    let configuration = format!("{CONFIGURATION}[environments.prod.settings]\nUnused = 1\n");
    let iefctl = project(&configuration);
    iefctl.write("p/Base.xml", POLICY.replace(">string<", ">strin<"));
    let iefctl = iefctl.args(words("validate p --all-environments"));
    let finished = iefctl.run().expect(1);
    assert_eq!(
        finished.stdout.matches("strin`").count(),
        1,
        "{}",
        finished.stdout
    );
    assert_eq!(finished.stdout.matches("settings-unused").count(), 1);
    assert!(
        finished.stdout.contains(" as in the environments above"),
        "{}",
        finished.stdout
    );
    // An error that was told above is one all the same.
    assert!(
        finished.stderr.contains("0 of 3 environments"),
        "{}",
        finished.stderr
    );
    let iefctl = iefctl.args(words("validate p --all-environments --format json"));
    let document = json(&iefctl.run().expect(1));
    let environments = document["environments"].as_array().unwrap();
    // For programs each is complete by itself.
    assert!(
        environments
            .iter()
            .all(|entry| entry["validation"]["summary"]["errors"] == 1)
    );
}
