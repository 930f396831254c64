//! Every format: validated, built and deployed as it is.

use serde_json::Value;

use super::{files, run, tool};

/// The folder, what follows every command, and the tenant that it means.
const TOOLS: &[(&str, &str)] = &[
    ("vscode-extension", "--environment Development"),
    ("iefpolicies", "--tenant contosodev.onmicrosoft.com"),
    (
        "deploy-trustframework-policy",
        "policies --config .github/workflows/deployment.json --tenant contosodev.onmicrosoft.com",
    ),
    ("ieftool", ""),
    ("go-ieftool", ""),
    ("azure-b2c-cli", "--environment dev"),
];

#[test]
fn every_tool_is_validated_and_deployed_as_it_is() {
    for (name, options) in TOOLS {
        let folder = tool(name).env("IEF_buildNumber", "17");
        let (folder, validated) = run(folder, &format!("validate {options} --format json"), 0);
        let report: Value = serde_json::from_str(&validated.stdout).unwrap();
        assert_eq!(report["summary"]["policies"], 2, "{name}");
        assert_eq!(report["summary"]["errors"], 0, "{name}");
        assert_eq!(report["summary"]["warnings"], 0, "{name}");
        let deploy = format!("deploy {options} --emulator --format json");
        let (folder, deployed) = run(folder, &deploy, 0);
        let report: Value = serde_json::from_str(&deployed.stdout).unwrap();
        assert_eq!(report["tenant"], "contosodev.onmicrosoft.com", "{name}");
        assert_eq!(report["summary"]["created"], 2, "{name}");
        let (_, again) = run(folder, &deploy, 0);
        let report: Value = serde_json::from_str(&again.stdout).unwrap();
        assert_eq!(report["summary"]["unchanged"], 2, "{name}");
    }
}

/// What stands in a line of a built file, without what surrounds it.
#[track_caller]
fn line(text: &str, word: &str) -> String {
    let line = text.lines().find(|line| line.contains(word));
    line.unwrap_or_else(|| panic!("`{word}` in\n{text}"))
        .trim()
        .to_owned()
}

#[test]
fn the_vscode_extension_replaces_in_order_and_any_case() {
    let folder = tool("vscode-extension");
    let (folder, _) = run(folder, "build --all-environments --output out", 0);
    let built = files(&folder, "out");
    let names: Vec<_> = built.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "Development/TrustFrameworkBase.xml",
            "Development/TrustFrameworkExtensions.xml",
            "Production/TrustFrameworkBase.xml",
            "Production/TrustFrameworkExtensions.xml"
        ],
        "the folder of generated copies is no input"
    );
    let text = folder.read("out/Development/TrustFrameworkExtensions.xml");
    assert_eq!(
        line(&text, "<DisplayName>Loyalty"),
        "<DisplayName>Loyalty of api.dev.contoso.com</DisplayName>"
    );
    assert_eq!(
        line(&text, "PolicyId=\""),
        "PolicyId=\"B2C_1A_Development_TrustFrameworkExtensions\""
    );
    let text = folder.read("out/Production/TrustFrameworkExtensions.xml");
    assert_eq!(
        line(&text, "Fish"),
        "<DisplayName>Fish &amp; chips</DisplayName>"
    );
    assert!(
        text.contains("<!-- built from {Settings:Filename} -->"),
        "{text}"
    );
}

#[test]
fn iefpolicies_replaces_groups_words_and_ids() {
    let folder = tool("iefpolicies");
    let build = "build --tenant contosodev.onmicrosoft.com --output out";
    let (folder, _) = run(folder, build, 0);
    assert_eq!(files(&folder, "out").len(), 2, "debug is no input");
    let text = folder.read("out/TrustFrameworkExtensions.xml");
    for (word, expected) in [
        (
            "PolicyId=\"",
            "PolicyId=\"B2C_1A_V1_TrustFrameworkExtensions\"",
        ),
        (
            "PublicPolicyUri",
            "PublicPolicyUri=\"http://contosodev.onmicrosoft.com/B2C_1A_V1_TrustFrameworkExtensions\">",
        ),
        (
            "<PolicyId>",
            "<PolicyId>B2C_1A_V1_TrustFrameworkBase</PolicyId>",
        ),
        (
            "Loyalty of",
            "<DisplayName>Loyalty of Fabrikam &amp; sons at contosodev.b2clogin.com V1_</DisplayName>",
        ),
        (
            "ServiceUrl",
            "<Item Key=\"ServiceUrl\">https://api.dev.contoso.com/loyalty?tenant=contosodev\
             &amp;app=00000000-0000-0000-0000-00000000d003&amp;source=b2c&amp;format=json</Item>",
        ),
    ] {
        assert_eq!(line(&text, word), expected);
    }
    // Braces that mean something to the tenant, or nothing to anybody, stay.
    let base = folder.read("out/TrustFrameworkBase.xml");
    assert!(base.contains("{service:te}"), "{base}");
    // The command line goes before the file, and ids of keysets have no prefix.
    let (folder, _) = run(folder, &format!("{build} --prefix pr7_"), 0);
    let base = folder.read("out/TrustFrameworkBase.xml");
    assert!(
        base.contains("PolicyId=\"B2C_1A_pr7_TrustFrameworkBase\""),
        "{base}"
    );
    assert!(
        base.contains("\"B2C_1A_TokenSigningKeyContainer\""),
        "{base}"
    );
}

/// What Import-IEFPolicies looks up in the tenant when it uploads is looked up by what uploads.
#[test]
fn iefpolicies_looks_up_what_every_tenant_has() {
    let folder = tool("iefpolicies");
    let without = "\"IdentityExperienceFrameworkAppId\": \"00000000-0000-0000-0000-00000000d003\",";
    let text = folder.read("conf.json");
    assert!(text.contains(without), "{text}");
    folder.write("conf.json", text.replace(without, ""));
    let text = folder.read("TrustFrameworkExtensions.xml");
    let marks = "proxyidentityexperienceframeworkappid|{EXTAPPID}|{ExtObjectId}|{tenantId}";
    folder.write(
        "TrustFrameworkExtensions.xml",
        text.replace("{Title} of", &format!("{marks} of")),
    );
    let tenant = "--tenant contosodev.onmicrosoft.com";
    // Checking needs no tenant.
    let (folder, report) = run(folder, &format!("validate {tenant} --format json"), 0);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["summary"]["errors"], 0, "{report}");
    // A tenant without the applications: every one is named, nothing is written.
    let deploy = format!("deploy {tenant} --emulator");
    let (folder, refused) = run(folder, &deploy, 2);
    for name in [
        "IdentityExperienceFramework",
        "ProxyIdentityExperienceFramework",
    ] {
        assert!(refused.stderr.contains(name), "{}", refused.stderr);
    }
    let (folder, _) = run(folder, &format!("init {tenant} --emulator --yes"), 0);
    let (folder, _) = run(folder, &deploy, 0);
    let (folder, _) = run(
        folder,
        &format!("build {tenant} --emulator --output out"),
        0,
    );
    let built = folder.read("out/TrustFrameworkExtensions.xml");
    let title = line(&built, " of Fabrikam");
    let ids: Vec<&str> = title
        .trim_start_matches("<DisplayName>")
        .split(" of ")
        .next()
        .unwrap()
        .split('|')
        .collect();
    let app = line(&built, "ServiceUrl");
    let (_, app) = app.split_once("app=").unwrap();
    let mut all = ids.clone();
    all.push(&app[..36]);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 5, "five different ids: {built}");
    for id in all {
        assert_eq!(id.len(), 36, "{built}");
        assert!(!id.starts_with("1ef00000"), "{built}");
    }
    // What the file says is not looked up, and an id that is known need not be.
    folder.write(
        "conf.json",
        "{ \"Prefix\": \"V1_\", \"ExtAppId\": \"from the file\", \"Contoso\": { \"Api\": { \"Host\": \"h\" } } }",
    );
    let by_id = "--tenant 99999999-0000-0000-0000-000000000001";
    let text = folder.read("TrustFrameworkExtensions.xml");
    folder.write(
        "TrustFrameworkExtensions.xml",
        text.replace("yourtenant", "contosodev")
            .replace(&format!("{marks} of"), "{ExtAppId}|{tenantId} of")
            .replace("IdentityExperienceFrameworkAppId", "0"),
    );
    let text = folder.read("TrustFrameworkBase.xml");
    folder.write(
        "TrustFrameworkBase.xml",
        text.replace("yourtenant", "contosodev"),
    );
    let (folder, _) = run(folder, &format!("build {by_id} --output by-id"), 0);
    let built = folder.read("by-id/TrustFrameworkExtensions.xml");
    assert!(
        built.contains("<DisplayName>from the file|99999999-0000-0000-0000-000000000001 of"),
        "{built}"
    );
}

/// A file whose content does not tell which tool it is for is read wherever a configuration is.
#[test]
fn every_command_is_told_the_tool() {
    let tenant = "--tenant contosodev.onmicrosoft.com";
    let emulator = "--emulator";
    for command in [
        format!("validate {tenant}"),
        format!("graph {tenant}"),
        format!("build {tenant} --output out"),
        format!("plan {tenant} {emulator}"),
        format!("deploy {tenant} {emulator}"),
        format!("keys list {tenant} {emulator}"),
        format!("keys check {tenant} {emulator}"),
        format!("keys create X --generate rsa --use sig --yes {tenant} {emulator}"),
        format!("pull pulled {tenant} {emulator}"),
        format!("destroy --prefix pr1_ --yes {tenant} {emulator}"),
        format!("init {tenant} --dry-run {emulator}"),
        format!("doctor {tenant} {emulator}"),
    ] {
        let folder = tool("iefpolicies");
        let text = folder.read("conf.json").replace("\"Prefix\": \"V1_\",", "");
        folder.write("settings.json", text);
        std::fs::remove_file(folder.path("conf.json")).unwrap();
        let (folder, refused) = run(folder, &format!("{command} --config settings.json"), 2);
        assert!(
            refused.stderr.contains("--config-format"),
            "{command}: {}",
            refused.stderr
        );
        let line = format!("{command} --config settings.json --config-format iefpolicies -v");
        let folder = folder.args(line.split_whitespace());
        let finished = folder.run();
        assert_ne!(finished.status, Some(2), "{command}: {}", finished.stderr);
        assert!(
            finished.stderr.contains("settings.json is read as"),
            "{command}: {}",
            finished.stderr
        );
    }
}

#[test]
fn iefpolicies_knows_the_tenants_of_every_cloud() {
    for domain in [
        "contosodev.partner.onmschina.cn",
        "contosodev.onmicrosoft.us",
    ] {
        let folder = tool("iefpolicies");
        let (folder, _) = run(folder, &format!("build --tenant {domain} --output out"), 0);
        let text = folder.read("out/TrustFrameworkExtensions.xml");
        assert!(text.contains(&format!("TenantId=\"{domain}\"")), "{text}");
        assert!(text.contains("loyalty?tenant=contosodev&amp;"), "{text}");
        let init = format!("init --from conf.json --domain {domain} --rewrite");
        let (folder, _) = run(folder, &init, 0);
        assert!(
            folder
                .read("iefctl.toml")
                .contains("TenantName = \"contosodev\"")
        );
    }
}

#[test]
fn iefpolicies_prefers_the_file_of_the_tenant() {
    let folder = tool("iefpolicies");
    let text = folder.read("conf.json").replace("V1_", "Fab_");
    folder.write("fabrikam.json", text);
    let (folder, _) = run(
        folder,
        "build --tenant fabrikam.onmicrosoft.com --output a",
        0,
    );
    assert!(
        folder
            .read("a/TrustFrameworkBase.xml")
            .contains("B2C_1A_Fab_TrustFrameworkBase")
    );
    let (folder, _) = run(
        folder,
        "build --tenant contoso.onmicrosoft.com --output b",
        0,
    );
    assert!(
        folder
            .read("b/TrustFrameworkBase.xml")
            .contains("B2C_1A_V1_TrustFrameworkBase")
    );
}

#[test]
fn the_action_searches_and_replaces_in_the_listed_files() {
    let folder = tool("deploy-trustframework-policy");
    let (folder, _) = run(
        folder,
        "build policies --config .github/workflows/deployment.json --tenant contoso.onmicrosoft.com \
         --output out",
        0,
    );
    let names: Vec<_> = files(&folder, "out").into_keys().collect();
    assert_eq!(names.len(), 2, "only what is listed: {names:?}");
    let text = folder.read("out/TrustFrameworkExtensions.xml");
    assert_eq!(
        line(&text, "ServiceUrl"),
        "<Item Key=\"ServiceUrl\">https://api.contoso.com/loyalty?source=b2c&amp;format=json</Item>"
    );
    assert_eq!(
        line(&text, "Fish"),
        "<DisplayName>Fish &amp; chips</DisplayName>"
    );
    assert!(
        text.contains("TenantId=\"contoso.onmicrosoft.com\""),
        "{text}"
    );
}

#[test]
fn ieftool_reads_variables_first() {
    let folder = tool("ieftool")
        .env("IEF_title", "From <the> env")
        .env("IEF_tenant", "");
    let (folder, _) = run(folder, "build --output out", 0);
    let text = folder.read("out/src/TrustFrameworkExtensions.xml");
    assert_eq!(
        line(&text, "From"),
        "<DisplayName>From &lt;the> env</DisplayName>"
    );
    assert!(
        text.contains("TenantId=\"contosodev.onmicrosoft.com\""),
        "{text}"
    );
    assert_eq!(files(&folder, "out").len(), 2, "build is no input");
    // From another folder, as the tool looks in the current one only.
    let (_, finished) = run(folder, "validate src/base --format json", 0);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(report["summary"]["policies"], 1);
}

#[test]
fn go_ieftool_reads_paths_and_variables() {
    let folder = tool("go-ieftool");
    let (folder, finished) = run(folder, "validate", 1);
    assert!(
        finished
            .stdout
            .contains("setting `buildNumber` is not defined"),
        "{}",
        finished.stdout
    );
    assert!(finished.stdout.contains("IEF_NAME"), "{}", finished.stdout);
    let (folder, _) = run(folder.env("IEF_buildNumber", "17"), "build --output out", 0);
    let text = folder.read("out/src/TrustFrameworkExtensions.xml");
    assert_eq!(
        line(&text, "Loyalty 17"),
        "<DisplayName>Loyalty 17</DisplayName>"
    );
    assert!(
        line(&text, "ServiceUrl").contains(">https://api.dev.contoso.com/loyalty"),
        "{text}"
    );
}

#[test]
fn environments_of_go_ieftool_keep_what_is_written() {
    let folder = tool("azure-b2c-cli");
    let (folder, _) = run(folder, "build --all-environments --output out", 0);
    for (name, host, tenant) in [
        (
            "dev",
            "https://api.dev.contoso.com",
            "contosodev.onmicrosoft.com",
        ),
        ("prod", "https://api.contoso.com", "contoso.onmicrosoft.com"),
    ] {
        let text = folder.read(format!("out/{name}/src/TrustFrameworkExtensions.xml"));
        assert!(text.contains(&format!(">{host}/loyalty")), "{text}");
        assert!(text.contains(&format!("TenantId=\"{tenant}\"")), "{text}");
        assert!(
            text.contains(">Loyalty 007<"),
            "a number keeps its zeros: {text}"
        );
    }
}

#[test]
fn what_the_tools_pass_silently_is_found() {
    let cases: &[(&str, &str, &str, &str, &str, &str)] = &[
        // A key that IEFPolicies drops.
        (
            "iefpolicies",
            "conf.json",
            "\"Title\": \"Loyalty\"",
            "\"Title\": \"Loyalty\", \"Port\": 8",
            "--tenant contoso.onmicrosoft.com",
            "error[settings-value-type]: the value of `Port` is a number\n --> conf.json:3:31",
        ),
        (
            "iefpolicies",
            "conf.json",
            "\"Title\": \"Loyalty\"",
            "\"Title\": \"Loyalty\", \"title\": \"x\"",
            "--tenant contoso.onmicrosoft.com",
            "error[settings-duplicate-key]: key `title` stands here twice",
        ),
        (
            "iefpolicies",
            "conf.json",
            "\"Title\": \"Loyalty\"",
            "\"Title\": \"a {Contoso:Partner}\"",
            "--tenant contoso.onmicrosoft.com",
            "error[settings-order]: the value of `Title` contains a placeholder of `Contoso:Partner`",
        ),
        // A group that exists, without the key.
        (
            "iefpolicies",
            "TrustFrameworkExtensions.xml",
            "{Contoso:Partner}",
            "{Contoso:Parter}",
            "--tenant contoso.onmicrosoft.com",
            "error[settings-undefined]: setting `Contoso:Parter` is not defined",
        ),
        (
            "iefpolicies",
            "TrustFrameworkExtensions.xml",
            "{Title}",
            "{TITLE}",
            "--tenant contoso.onmicrosoft.com",
            "`{TITLE}` stays as it is: case counts",
        ),
        (
            "deploy-trustframework-policy",
            ".github/workflows/deployment.json",
            "LOYALTY_TITLE",
            "LOYALTY_TITEL",
            "policies --config .github/workflows/deployment.json --tenant contoso.onmicrosoft.com",
            "settings-no-match",
        ),
        (
            "ieftool",
            "src/TrustFrameworkExtensions.xml",
            "{{ title }}",
            "{{ titel }}",
            "",
            "error[settings-undefined]: setting `titel` is not defined",
        ),
        (
            "ieftool",
            "src/TrustFrameworkExtensions.xml",
            "{{ title }}",
            "{{ Title }}",
            "",
            "did you mean `title`?",
        ),
        (
            "ieftool",
            "src/TrustFrameworkExtensions.xml",
            "{{ title }}",
            "{{ title }",
            "",
            "error[settings-malformed-placeholder]",
        ),
        (
            "ieftool",
            "b2c-template.json",
            "\"Fish & chips\"",
            "\"{{ apiHost }}\"",
            "",
            "error[settings-order]",
        ),
        (
            "ieftool",
            "b2c-template.json",
            "\"Fish & chips\"",
            "[\"Fish\", \"chips\"]",
            "",
            "the value of `title` is an array",
        ),
        (
            "go-ieftool",
            "ieftool.config",
            "title: Loyalty",
            "title:",
            "",
            "error[settings-value-type]: `title` has no value\n --> ieftool.config:3:1",
        ),
        (
            "azure-b2c-cli",
            "src/TrustFrameworkExtensions.xml",
            "{Settings:Title}",
            "{settings:Title}",
            "-e dev",
            "case counts here: go-ieftool knows only `{Settings:`",
        ),
        (
            "azure-b2c-cli",
            "config.yaml",
            "isProduction",
            "IsProduction",
            "-e dev",
            "unknown key `IsProduction`",
        ),
        (
            "azure-b2c-cli",
            "config.yaml",
            "  settings: &shared",
            "  settings: &shared\n    Tenant: fabrikam.onmicrosoft.com",
            "-e dev",
            "`tenant` is contosodev.onmicrosoft.com, but the setting `Tenant` is fabrikam.onmicrosoft.com",
        ),
    ];
    for (name, file, old, new, options, expected) in cases {
        let folder = tool(name).env("IEF_buildNumber", "17");
        let text = folder.read(file);
        assert!(text.contains(old), "{name}: {old}");
        folder.write(file, text.replacen(old, new, 1));
        let folder = folder.args(format!("validate {options}").split_whitespace());
        let finished = folder.run();
        let is_warning = ["settings-no-match", "stays as it is", "unknown key"]
            .iter()
            .any(|warning| expected.contains(warning));
        assert_eq!(
            finished.status,
            Some(i32::from(!is_warning)),
            "{new}: {}",
            finished.stdout
        );
        assert!(
            finished.stdout.contains(expected),
            "{new}:\n{}",
            finished.stdout
        );
    }
}

#[test]
fn secrets_are_not_shown() {
    let folder = tool("iefpolicies");
    folder.write(
        "secrets.json",
        "{ \"Contoso\": { \"Partner\": \"hush-hush\", \"Unused\": \"hush-hush-é\", \"Number\": 4711 }, \
         \"title\": \"hush-hush\" }",
    );
    for options in [
        "",
        " --format json",
        " --format sarif",
        " --format markdown",
        " -vvv",
    ] {
        let line = format!("validate --tenant contoso.onmicrosoft.com{options}");
        let folder = tool("iefpolicies");
        folder.write(
            "secrets.json",
            "{ \"Contoso\": { \"Partner\": \"hush-hush\", \"Unused\": \"hush-hush-é\", \"Number\": 4711 }, \
             \"title\": \"hush-hush\" }",
        );
        let (_, finished) = run(folder, &line, 1);
        let said = format!("{}{}", finished.stdout, finished.stderr);
        for secret in ["hush", "4711"] {
            assert!(!said.contains(secret), "{line}: {said}");
        }
        assert!(
            said.contains("Contoso:Unused") || said.contains("Contoso:Number"),
            "{said}"
        );
    }
    let (_, finished) = run(folder, "validate --tenant contoso.onmicrosoft.com", 1);
    let place = finished.stdout.contains("secrets.json:1:");
    assert!(place, "places stay: {}", finished.stdout);
}
