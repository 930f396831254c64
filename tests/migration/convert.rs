//! `iefctl init`: the result means the same as the file that it was made of.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::fixture::IefCtl;
use super::{files, run, tool};

/// A folder with the conversion of its file, how it is built before, and how after.
struct Case {
    tool: &'static str,
    init: &'static str,
    before: &'static [&'static str],
    after: &'static [&'static str],
    /// Variables that the result needs.
    variables: &'static [(&'static str, &'static str)],
    /// How many policies are rewritten.
    rewritten: usize,
}

const CASES: &[Case] = &[
    Case {
        tool: "vscode-extension",
        init: "--from appsettings.json",
        before: &["-e Development", "-e Production"],
        after: &["-e Development", "-e Production"],
        variables: &[],
        rewritten: 0,
    },
    Case {
        tool: "iefpolicies",
        init: "--from conf.json --domain contosodev.onmicrosoft.com --rewrite",
        before: &["--tenant contosodev.onmicrosoft.com"],
        after: &["-e contosodev"],
        variables: &[("CONTOSO_PARTNER", "Fabrikam & sons")],
        rewritten: 1,
    },
    Case {
        tool: "deploy-trustframework-policy",
        init: "policies --from .github/workflows/deployment.json --rewrite",
        before: &[
            "policies --config .github/workflows/deployment.json --tenant contoso.onmicrosoft.com",
        ],
        after: &["policies --tenant contoso.onmicrosoft.com"],
        variables: &[],
        rewritten: 1,
    },
    Case {
        tool: "ieftool",
        init: "--from b2c-template.json --rewrite",
        before: &["", "src"],
        after: &["", "src"],
        variables: &[("IEF_title", "\"From\" <the> env")],
        rewritten: 2,
    },
    Case {
        tool: "go-ieftool",
        init: "--from ieftool.config --rewrite",
        before: &[""],
        after: &[""],
        variables: &[("IEF_buildNumber", "17")],
        rewritten: 2,
    },
    Case {
        tool: "azure-b2c-cli",
        init: "--from config.yaml",
        before: &["-e dev", "-e prod"],
        after: &["-e dev", "-e prod"],
        variables: &[],
        rewritten: 0,
    },
];

fn built(folder: IefCtl, options: &str, output: &str) -> (IefCtl, BTreeMap<PathBuf, String>) {
    let (folder, _) = run(folder, &format!("build {options} --output {output}"), 0);
    // An environment that the old file did not have is a folder of its own.
    let built = files(&folder, output).into_iter();
    let built = built.map(|(path, text)| {
        let plain = path.strip_prefix("contosodev").map(PathBuf::from);
        (plain.unwrap_or(path), text)
    });
    let built = built.collect();
    (folder, built)
}

#[test]
fn the_result_resolves_to_the_same_bytes() {
    for case in CASES {
        let mut folder = tool(case.tool);
        for (name, value) in case.variables {
            folder = folder.env(name, *value);
        }
        let mut before = Vec::new();
        for (number, options) in case.before.iter().enumerate() {
            let (next, texts) = built(folder, options, &format!("before{number}"));
            assert!(!texts.is_empty(), "{}", case.tool);
            before.push(texts);
            folder = next;
        }
        let sources = files(&folder, "");
        let content = folder.content();
        let (folder, dry) = run(folder, &format!("init {} --dry-run", case.init), 0);
        assert_eq!(
            folder.content(),
            content,
            "{}: a dry run writes nothing",
            case.tool
        );
        assert!(dry.stdout.contains("iefctl.toml"), "{}", dry.stdout);

        let (mut folder, finished) = run(folder, &format!("init {}", case.init), 0);
        let said = format!("{}{}", finished.stdout, finished.stderr);
        let now = files(&folder, "");
        let changed = sources
            .iter()
            .filter(|(path, text)| now[*path] != **text)
            .count();
        assert_eq!(changed, case.rewritten, "{}: {said}", case.tool);
        for (number, options) in case.after.iter().enumerate() {
            let (next, texts) = built(folder, options, &format!("after{number}"));
            assert_eq!(texts, before[number], "{}: {options}", case.tool);
            folder = next;
        }
        // The old file may stay, or go.
        let (folder, again) = run(folder, &format!("init {}", case.init), 2);
        assert!(
            again.stderr.contains("iefctl.toml` exists"),
            "{}",
            again.stderr
        );
        drop(folder);
    }
}

/// What IEFPolicies looks up in the tenant stays looked up, but for an id that is known.
#[test]
fn lookups_stay_lookups() {
    for (domain, expected) in [
        (
            "contosodev.onmicrosoft.com",
            "tenantId = { tenant = \"tenant.id\" }",
        ),
        (
            "99999999-0000-0000-0000-000000000001",
            "tenantId = \"99999999-0000-0000-0000-000000000001\"",
        ),
    ] {
        let folder = tool("iefpolicies");
        folder.write(
            "conf.json",
            "{ \"Prefix\": \"V1_\", \"Contoso\": { \"Api\": { \"Host\": \"h\" } } }",
        );
        let text = folder.read("TrustFrameworkExtensions.xml");
        folder.write(
            "TrustFrameworkExtensions.xml",
            text.replace("{Title} of", "{extappid} {TenantId} {ExtObjectId} of")
                .replace("yourtenant", "contosodev"),
        );
        let init = format!("init --from conf.json --domain {domain} --rewrite");
        let (folder, _) = run(folder, &init, 0);
        let toml = folder.read("iefctl.toml");
        for line in [
            expected,
            "ExtAppId = { tenant = \"b2c-extensions-app.appId\" }",
            "ExtObjectId = { tenant = \"b2c-extensions-app.objectId\" }",
            "IdentityExperienceFrameworkAppId = { tenant = \"IdentityExperienceFramework.appId\" }",
        ] {
            assert!(toml.contains(line), "{line}:\n{toml}");
        }
        let text = folder.read("TrustFrameworkExtensions.xml");
        assert!(
            text.contains("{Settings:ExtAppId} {Settings:tenantId} {Settings:ExtObjectId} of"),
            "{text}"
        );
    }
}

#[test]
fn policies_are_rewritten_on_request_only() {
    for case in CASES.iter().filter(|case| case.rewritten > 0) {
        let folder = tool(case.tool);
        let content = folder.content();
        let line = format!("init {}", case.init.replace(" --rewrite", ""));
        let (folder, refused) = run(folder, &line, 2);
        assert!(
            refused.stderr.contains("nothing was written"),
            "{}",
            refused.stderr
        );
        assert!(
            refused.stderr.contains("-> {Settings:"),
            "{}",
            refused.stderr
        );
        assert!(
            refused.stderr.contains("TrustFrameworkExtensions.xml"),
            "{}",
            refused.stderr
        );
        assert_eq!(folder.content(), content, "{line}");
    }
}

#[test]
fn an_existing_file_is_overwritten_with_force_only() {
    let folder = tool("vscode-extension");
    folder.write("iefctl.toml", "# mine\n");
    let (folder, refused) = run(folder, "init --from appsettings.json", 2);
    assert!(
        refused.stderr.contains("`iefctl.toml` exists"),
        "{}",
        refused.stderr
    );
    assert_eq!(folder.read("iefctl.toml"), "# mine\n");
    let (folder, _) = run(folder, "init --from appsettings.json --force", 0);
    assert!(
        folder
            .read("iefctl.toml")
            .contains("[environments.Production]")
    );
    let (folder, refused) = run(folder, "init", 2);
    assert!(
        refused.stderr.contains("`iefctl.toml` exists"),
        "{}",
        refused.stderr
    );
    drop(folder);
}

#[test]
fn what_cannot_mean_the_same_is_refused() {
    for (name, file, old, new, init, expected) in [
        // The old file has an error.
        (
            "vscode-extension",
            "appsettings.json",
            "\"Title\": \"Fish &amp; chips\"",
            "\"Title\": null",
            "--from appsettings.json",
            "correct this first:\nappsettings.json:19:18: the value of `Title` is null",
        ),
        (
            "vscode-extension",
            "appsettings.json",
            "\"contoso.onmicrosoft.com\"",
            "\"contoso\"",
            "--from appsettings.json",
            "appsettings.json:17:17: `contoso` is no tenant",
        ),
        // A policy needs what nobody defines.
        (
            "azure-b2c-cli",
            "src/TrustFrameworkExtensions.xml",
            "{Settings:Title}",
            "{Settings:Titel}",
            "--from config.yaml",
            "src/TrustFrameworkExtensions.xml:16:24: setting `Titel` is not defined",
        ),
        // iefctl does not tell the two apart.
        (
            "azure-b2c-cli",
            "config.yaml",
            "    Title: Loyalty",
            "    Title: Loyalty\n    title: Other",
            "--from config.yaml",
            "config.yaml:6:5: `Title` and `title` differ in case only",
        ),
        // A value that iefctl.toml would expand.
        (
            "ieftool",
            "b2c-template.json",
            "\"Fish & chips\"",
            "\"{Settings:Filename}\"",
            "--from b2c-template.json --rewrite",
            "src/TrustFrameworkExtensions.xml would not be the same",
        ),
        (
            "deploy-trustframework-policy",
            ".github/workflows/deployment.json",
            "LOYALTY_TITLE",
            "<DisplayName>LOYALTY_TITLE</DisplayName>",
            "policies --from .github/workflows/deployment.json --rewrite",
            "policies/TrustFrameworkExtensions.xml:16: a replacement changes markup here",
        ),
        (
            "iefpolicies",
            "conf.json",
            "V1_",
            "V 1_",
            "--from conf.json --domain contoso.onmicrosoft.com --rewrite",
            "conf.json:2:13: `V 1_` cannot be part of a PolicyId",
        ),
    ] {
        let folder = tool(name);
        let text = folder.read(file);
        assert!(text.contains(old), "{name}: {old}");
        folder.write(file, text.replacen(old, new, 1));
        let content = folder.content();
        let (folder, refused) = run(folder, &format!("init {init}"), 2);
        assert!(
            refused.stderr.contains(expected),
            "{new}: {}",
            refused.stderr
        );
        assert_eq!(folder.content(), content, "{new}");
    }
}

#[test]
fn the_first_file_is_accepted() {
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies-example");
    let policies = example
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let policies = policies.filter(|path| path.extension().is_some_and(|found| found == "xml"));
    let texts = policies.map(|path| {
        let name = path.file_name().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        (
            PathBuf::from("p").join(name),
            text.replace("{Settings:Tenant}", "contoso.onmicrosoft.com"),
        )
    });
    let folder = IefCtl::with_files(texts);
    let (folder, _) = run(folder, "init p --dry-run", 0);
    assert!(!folder.path("p/iefctl.toml").exists());
    let (folder, finished) = run(folder, "init p", 0);
    assert!(
        finished.stderr.contains("iefctl validate p"),
        "{}",
        finished.stderr
    );
    let text = folder.read("p/iefctl.toml");
    for expected in [
        "# ApiHost = \"…\"\n",
        "[environments.dev]\ntenant = \"contoso.onmicrosoft.com\"\n",
        "[keysets.B2C_1A_GoogleSecret]\nsecret = { env = \"GOOGLESECRET\" }\n",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    for generated in ["TokenSigningKeyContainer", "TokenEncryptionKeyContainer"] {
        assert!(
            !text.contains(generated),
            "{generated} needs no entry:\n{text}"
        );
    }
    // What is left to do is to give the settings values.
    let settings: String = text
        .lines()
        .filter_map(|line| line.strip_prefix("# ")?.strip_suffix(" = \"…\""))
        .map(|key| match key {
            "TokenLifetimeSeconds" => format!("{key} = 3600\n"),
            _ => format!("{key} = \"https://api.contoso.com\"\n"),
        })
        .collect();
    let filled = text.replacen("[settings]\n", &format!("[settings]\n{settings}"), 1);
    folder.write("p/iefctl.toml", filled);
    let (_, _) = run(folder, "validate p -e dev", 0);
}

#[test]
fn a_folder_of_another_tool_is_to_be_converted() {
    let (folder, refused) = run(tool("azure-b2c-cli"), "init", 2);
    let words = "convert it with `iefctl init --from config.yaml`";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    assert!(!folder.path("iefctl.toml").exists());
}
