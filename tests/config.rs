//! Loading projects: configuration files, environments, discovery of policies.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use iefctl::config::{
    ConfigError, GeneratedKey, KeyUse, KeysetContent, LoadOptions, Project, ValueSource, load,
};
use iefctl::diagnostics::{Level, Rule};
use iefctl::policy::Resolver;
use tempfile::TempDir;

const POLICY: &str = "<TrustFrameworkPolicy/>";

/// A folder for one test. It has a `.git`, so that no configuration above it is found.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(TempDir::new().expect("a temporary folder"));
        fs::create_dir(folder.path(".git")).expect("a folder");
        for (name, content) in files {
            folder.write(name, content);
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    fn load_with(&self, paths: &[&str], options: &LoadOptions) -> Result<Project, ConfigError> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| self.path(path)).collect();
        load(&paths, options, &|name| match name {
            "SET" => Some("from the environment".to_owned()),
            _ => None,
        })
    }

    fn load(&self, paths: &[&str], environment: &str) -> Project {
        match self.load_with(paths, &in_environment(environment)) {
            Ok(project) => project,
            Err(error) => panic!("{error}"),
        }
    }

    /// The message, with paths as seen from the folder.
    fn error(&self, paths: &[&str], options: &LoadOptions) -> String {
        let error = self.load_with(paths, options).expect_err("is refused");
        let root = format!("{}/", self.0.path().display());
        error.to_string().replace(&root, "")
    }

    fn names(&self, project: &Project, set: usize) -> Vec<String> {
        let root = format!("{}/", self.0.path().display());
        let files = project.sets[set].files.iter();
        files.map(|file| file.name().replace(&root, "")).collect()
    }
}

fn in_environment(name: &str) -> LoadOptions {
    LoadOptions {
        environment: Some(name.to_owned()).filter(|name| !name.is_empty()),
        ..LoadOptions::default()
    }
}

/// The resolved text of the first file, and the rules of all errors.
fn resolved(project: &Project) -> (String, Vec<&'static str>) {
    let mut sources = project.sources.clone();
    let resolver = Resolver::new(&project.settings);
    let resolution = resolver.resolve(project.sets[0].files[0].clone(), &mut sources);
    let mut diagnostics = resolution.diagnostics;
    diagnostics.extend(resolver.check(&resolution.used));
    let rules = diagnostics
        .iter()
        .filter(|found| found.level == Level::Error)
        .map(|found| found.rule.id)
        .collect();
    (sources.get(resolution.id).text().to_string(), rules)
}

/// Findings about the configuration as `rule level line:column`.
fn findings(project: &Project) -> Vec<String> {
    let describe = |found: &iefctl::diagnostics::Diagnostic| {
        let (start, _) = project.sources.position(found.primary.location);
        format!("{} {} {start}", found.rule.id, found.level)
    };
    project.diagnostics.iter().map(describe).collect()
}

const APPSETTINGS: &str = r#"{ "EnvironmentsFolder": "Environments",
  // Comments and trailing commas are fine.
  "Environments": [
    { "Name": "Test", "Production": false, "Tenant": "fabtest.onmicrosoft.com",
      "PolicySettings": { "Title": "See {Settings:ApiHost}", "ApiHost": "https://t.example", "Port": 8080, "On": true } },
    { "Name": "Prod", "Production": true, "Tenant": "fab.onmicrosoft.com",
      "PolicySettings": { "ApiHost": "https://p.example", "Title": "Live", }, }, ] }"#;

#[test]
fn appsettings_work_as_they_are() {
    let text = "{Settings:Title} {settings:APIHOST} {Settings:Port} {Settings:On} \
                {Settings:Tenant} {Settings:Environment} {Settings:PolicyFilename}";
    let folder = Folder::new(&[("appsettings.json", APPSETTINGS), ("B2C_1A_x.xml", text)]);
    let project = folder.load(&["."], "test");
    assert_eq!(
        resolved(&project).0,
        "See https://t.example https://t.example 8080 true fabtest.onmicrosoft.com Test x"
    );
    assert!(!project.settings.production);
    assert_eq!(project.environment_names, ["Test", "Prod"]);
    assert_eq!(findings(&project), Vec::<String>::new());
    assert!(project.is_complete);
    let production = folder.load(&["."], "PROD");
    assert!(production.settings.production);
    assert_eq!(
        production.settings.tenant.as_deref(),
        Some("fab.onmicrosoft.com")
    );
    let (left, rules) = resolved(&production);
    assert!(
        left.starts_with("Live https://p.example {Settings:Port}"),
        "{left}"
    );
    assert_eq!(rules, ["settings-undefined", "settings-undefined"]);
}

#[test]
fn no_environment_is_chosen_by_itself() {
    let folder = Folder::new(&[
        ("appsettings.json", APPSETTINGS),
        ("a.xml", "{Settings:Title}"),
    ]);
    let project = folder.load(&["."], "");
    assert_eq!(project.settings.environment, None);
    assert_eq!(project.settings.guidance.environments, ["Test", "Prod"]);
    assert_eq!(resolved(&project).1, ["settings-undefined"]);
}

#[test]
fn an_unknown_environment_is_an_error_with_the_list() {
    let folder = Folder::new(&[("appsettings.json", APPSETTINGS), ("a.xml", POLICY)]);
    let error = folder.error(&["."], &in_environment("Prd"));
    assert!(
        error.contains("Test, Prod") && error.contains("did you mean `Prod`"),
        "{error}"
    );
    let bare = Folder::new(&[("a.xml", POLICY)]);
    let error = bare.error(&["."], &in_environment("dev"));
    assert!(error.contains("unknown environment `dev`"), "{error}");
}

#[test]
fn what_the_extension_passes_silently_is_found() {
    let folder = Folder::new(&[
        (
            "appsettings.json",
            r#"{ "Environment": 1, "Environments": [
{ "Name": "A", "Tenant": "t.example", "PolicySettings": { "O": {}, "L": [1], "N": null, "Big": 12345678901234567890 } },
{ "Name": "a", "PolicySettings": { "Tenant": "x", "k": "1", "K": "2" } },
{ "Name": "C", "Tenant": "T.example", "Production": "yes", "policySettings": {} },
{ "Tenant": "t2.example" }, 5 ] }"#,
        ),
        ("a.xml", "{Settings:O}"),
    ]);
    let project = folder.load(&["."], "a");
    assert_eq!(
        findings(&project),
        [
            "settings-unknown-key warning 1:3",
            "settings-value-type warning 2:64",
            "settings-value-type warning 2:73",
            "settings-value-type warning 2:83",
            "settings-value-type warning 2:96",
            "settings-missing-tenant error 3:11",
            "settings-shadowed-built-in warning 3:36",
            "settings-duplicate-key error 3:61",
            "settings-duplicate-environment error 3:11",
            "settings-unknown-key warning 4:60",
            "settings-value-type warning 4:53",
            "settings-missing-policy-settings warning 4:11",
            "settings-shared-tenant hint 4:26",
            "settings-value-type error 5:1",
            "settings-value-type error 5:29",
        ]
    );
    let chosen = folder.load(&["."], "A");
    assert!(findings(&chosen).contains(&"settings-value-type error 2:64".to_owned()));
    assert!(findings(&chosen).contains(&"settings-missing-tenant warning 3:11".to_owned()));
}

#[test]
fn broken_json_is_told_with_its_position() {
    for (text, position) in [
        ("{\n  \"Environments\": [\n", "appsettings.json:"),
        (
            "{ \"Environments\": 5 }",
            "appsettings.json:1:19: `Environments` must be an array",
        ),
        (
            "[\"Environments\"]",
            "appsettings.json:1:1: the file must hold one JSON object",
        ),
        ("{ 'Environments': [] }", "appsettings.json:1:3: "),
        ("{ \"Environments\": [] \"x\": 1 }", "appsettings.json:1:"),
    ] {
        let folder = Folder::new(&[("appsettings.json", text), ("a.xml", POLICY)]);
        let error = folder.error(
            &["."],
            &LoadOptions {
                config: Some(folder.path("appsettings.json")),
                ..LoadOptions::default()
            },
        );
        assert!(error.starts_with(position), "{error}");
    }
    let deep = format!("{{\"Environments\": {}", "[".repeat(100_000));
    let folder = Folder::new(&[("appsettings.json", &deep), ("a.xml", POLICY)]);
    assert!(
        folder
            .error(&["."], &LoadOptions::default())
            .contains("epth")
    );
}

#[test]
fn the_appsettings_of_other_tools_are_passed_over() {
    let folder = Folder::new(&[
        ("appsettings.json", APPSETTINGS),
        (
            "api/appsettings.json",
            r#"{ "Logging": { "LogLevel": {} } }"#,
        ),
        ("api/a.xml", POLICY),
    ]);
    let project = folder.load(&["api"], "Test");
    assert!(
        project
            .notes
            .iter()
            .any(|note| note.contains("another tool"))
    );
    let options = LoadOptions {
        config: Some(folder.path("api/appsettings.json")),
        ..LoadOptions::default()
    };
    assert!(
        folder
            .error(&["api"], &options)
            .contains("no settings file")
    );
}

const TOML: &str = r#"
policies = ["policies", "more/*.xml"]
exclude = ["drafts/**", "*.old.xml"]
with = ["../bases"]
[settings]
Text = "a & b"
Number = 0x1F
Flag = true
Variable = { env = "SET" }
File = { file = "secret.txt" }
Both = "shared"
[environments.dev]
tenant = "contosodev.onmicrosoft.com"
exclude = ["policies/prod-only.xml"]
[environments.dev.settings]
both = "own {Settings:Tenant}"
[environments.dev.keysets.X]
secret = { env = "X_SECRET" }
[environments.prod]
tenant = "contoso.onmicrosoft.com"
production = true
include = ["policies/**"]
[keysets.B2C_1A_X]
generate = "oct"
use = "enc"
[keysets.Cert]
pkcs12 = { file = "c.pfx", password = { env = "P" } }
[rules]
tenantid-placeholder = "off"
unknwon = "hint"
[deploy]
concurrency = 4
"#;

fn toml_folder() -> Folder {
    Folder::new(&[
        ("site/iefctl.toml", TOML),
        ("site/secret.txt", "content\r\n"),
        (
            "site/policies/a.xml",
            "{Settings:Text}|{Settings:number}|{Settings:Flag}|{Settings:Variable}|{Settings:File}|{Settings:Both}",
        ),
        ("site/policies/drafts.xml", POLICY),
        ("site/policies/sub/x.old.xml", POLICY),
        ("site/policies/prod-only.xml", POLICY),
        ("site/drafts/d.xml", POLICY),
        ("site/more/m.xml", POLICY),
        ("site/more/sub/n.xml", POLICY),
        ("bases/base.xml", POLICY),
    ])
}

#[test]
fn iefctl_toml_says_everything() {
    let folder = toml_folder();
    let project = folder.load(&["site"], "DEV");
    assert_eq!(
        folder.names(&project, 0),
        [
            "site/more/m.xml",
            "site/policies/a.xml",
            "site/policies/drafts.xml"
        ]
    );
    assert_eq!(project.sets[0].with.len(), 1);
    let mut sources = project.sources.clone();
    let resolver = Resolver::new(&project.settings);
    let resolution = resolver.resolve(project.sets[0].files[1].clone(), &mut sources);
    assert_eq!(
        sources.get(resolution.id).text().as_ref(),
        "a &amp; b|31|true|from the environment|content|own contosodev.onmicrosoft.com"
    );
    assert!(resolver.check(&resolution.used).is_empty());
    assert_eq!(project.concurrency, Some(4));
    let [own, cert] = &project.keysets[..] else {
        panic!("{:#?}", project.keysets);
    };
    assert_eq!(own.id, "B2C_1A_X");
    assert_eq!(
        own.content,
        KeysetContent::Secret(ValueSource::Env("X_SECRET".to_owned()))
    );
    let KeysetContent::Pkcs12 { archive, password } = &cert.content else {
        panic!("{cert:#?}");
    };
    assert_eq!(*archive, ValueSource::File(folder.path("site/c.pfx")));
    assert_eq!(*password, Some(ValueSource::Env("P".to_owned())));

    let production = folder.load(&["site"], "prod");
    assert!(production.settings.production);
    let generated = &production.keysets[0];
    assert_eq!(generated.key_use, KeyUse::Enc);
    assert_eq!(
        generated.content,
        KeysetContent::Generate(GeneratedKey::Oct)
    );
    assert_eq!(
        folder.names(&production, 0),
        [
            "site/policies/a.xml",
            "site/policies/drafts.xml",
            "site/policies/prod-only.xml"
        ]
    );
}

#[test]
fn a_path_inside_the_project_is_a_set_of_its_own() {
    let folder = toml_folder();
    let project = folder.load(&["site/policies"], "prod");
    assert_eq!(folder.names(&project, 0).len(), 3);
    assert!(!project.is_complete);
    let options = LoadOptions {
        tenant: Some("other.onmicrosoft.com".to_owned()),
        ..in_environment("dev")
    };
    let project = folder
        .load_with(&["site/policies/a.xml"], &options)
        .expect("loads");
    assert_eq!(
        project.settings.tenant.as_deref(),
        Some("other.onmicrosoft.com")
    );
    assert_eq!(project.sets[0].files.len(), 1);
}

#[test]
fn rules_are_checked_against_the_known_ones() {
    static KNOWN: Rule = Rule {
        id: "tenantid-placeholder",
        level: Level::Warning,
        summary: "",
    };
    static NEAR: Rule = Rule {
        id: "unknown",
        level: Level::Warning,
        summary: "",
    };
    let folder = toml_folder();
    let project = folder.load(&["site"], "dev");
    assert_eq!(project.rule_levels[0].level, None);
    let error = project
        .check_rules(&[&KNOWN, &NEAR])
        .expect_err("unknown rule")
        .to_string();
    assert!(
        error.contains("iefctl.toml:30:1: unknown rule `unknwon`; did you mean `unknown`?"),
        "{error}"
    );
}

#[test]
fn an_environment_has_levels_of_its_own() {
    let folder = toml_folder();
    folder.write(
        "site/iefctl.toml",
        "[rules]\nshared = 'hint'\nboth = 'warning'\n[environments.dev.rules]\nboth = 'off'\n\
         own = 'error'\n[environments.prod]\n",
    );
    let levels = |environment: &str| {
        let project = folder.load(&["site/policies"], environment);
        let mut levels: Vec<_> = project
            .rule_levels
            .iter()
            .map(|level| (level.rule.clone(), level.level))
            .collect();
        levels.sort();
        levels
    };
    let name = str::to_owned;
    assert_eq!(
        levels("dev"),
        [
            (name("both"), None),
            (name("own"), Some(Level::Error)),
            (name("shared"), Some(Level::Hint)),
        ]
    );
    let prod = [
        (name("both"), Some(Level::Warning)),
        (name("shared"), Some(Level::Hint)),
    ];
    assert_eq!(levels("prod"), prod);
    // A rule that does not exist is a mistake wherever it stands.
    let project = folder.load(&["site/policies"], "prod");
    let error = project.check_rules(&[]).expect_err("unknown").to_string();
    for place in ["2:1", "3:1", "5:1", "6:1"] {
        assert!(
            error.contains(&format!("iefctl.toml:{place}: unknown rule")),
            "{error}"
        );
    }
}

#[test]
fn mistakes_in_iefctl_toml_have_positions() {
    for (text, expected) in [
        (
            "policeis = 'x'",
            "iefctl.toml:1:1: unknown key `policeis`; did you mean `policies`?",
        ),
        ("polices = 5", "did you mean `policies`?"),
        (
            "policies = 5",
            "iefctl.toml:1:12: `policies` is of type integer",
        ),
        (
            "policies = []",
            "iefctl.toml:1:12: `policies` names no folder",
        ),
        ("exclude = 'x'", "must be an array of strings"),
        (
            "[settings]\nA = 1.5",
            "iefctl.toml:2:5: `A` is of type float",
        ),
        ("[settings]\nA = 99999999999999999999", "iefctl.toml:2:5: "),
        (
            "[settings]\nA = 1\na = 2",
            "iefctl.toml:3:1: setting `a` is defined twice",
        ),
        (
            "[settings]\nA = { env = 'X', file = 'y' }",
            "exactly one of `env`, `file`, `xml` or `tenant`",
        ),
        ("[settings]\nA = { evn = 'X' }", "did you mean `env`?"),
        ("[settings]\nA = {}", "exactly one of"),
        (
            "[environments.dev]\ntennant = 'x'",
            "iefctl.toml:2:1: unknown key `tennant`; did you mean `tenant`?",
        ),
        (
            "[environments.dev]\ntenant = 'contoso'",
            "iefctl.toml:2:10: `contoso` is no tenant",
        ),
        (
            "[environments.dev]\nproduction = 'no'",
            "must be true or false",
        ),
        (
            "[environments.dev]\n[environments.Dev]",
            "iefctl.toml:2:15: environment `Dev` is defined twice",
        ),
        (
            "[keysets.A]\n[keysets.B2C_1A_a]\ngenerate = 'rsa'",
            "exactly one of `generate`",
        ),
        ("[keysets.A]\ngenerate = 'dsa'", "\"rsa\" or \"oct\""),
        (
            "[keysets.A]\ngenerate = 'rsa'\nsecret = { env = 'X' }",
            "exactly one of",
        ),
        (
            "[rules]\nx = 'loud'",
            "\"off\" or \"hint\" or \"warning\" or \"error\"",
        ),
        (
            "[deploy]\nconcurrency = 0",
            "iefctl.toml:2:15: `concurrency` must be 1 to 256",
        ),
        ("[settings\n", "iefctl.toml:1:"),
        ("a = 1\na = 2", "iefctl.toml:2:1: "),
    ] {
        let folder = Folder::new(&[("iefctl.toml", text), ("a.xml", POLICY)]);
        let error = folder.error(&["."], &LoadOptions::default());
        assert!(error.contains(expected), "{text}: {error}");
    }
    let secret = "[keysets.A]\nsecret = 'hunter2'";
    let folder = Folder::new(&[("iefctl.toml", secret), ("a.xml", POLICY)]);
    let error = folder.error(&["."], &LoadOptions::default());
    assert!(
        error.contains("iefctl.toml:2:10") && !error.contains("hunter2"),
        "{error}"
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    let folder = Folder::new(&[("iefctl.toml", "a = 1\nb = 2"), ("a.xml", POLICY)]);
    let error = folder.error(&["."], &LoadOptions::default());
    assert_eq!(error.lines().count(), 2, "{error}");
}

#[test]
fn values_from_outside_must_be_there() {
    let text = "[settings]\nA = { env = 'UNSET' }\nB = { file = 'none.txt' }";
    let folder = Folder::new(&[("iefctl.toml", text), ("a.xml", POLICY)]);
    let error = folder.error(&["."], &LoadOptions::default());
    assert!(
        error.contains("iefctl.toml:2:5") && error.contains("`UNSET`"),
        "{error}"
    );
    assert!(
        error.contains("iefctl.toml:3:5") && error.contains("none.txt"),
        "{error}"
    );
}

#[test]
fn environments_come_from_appsettings_where_iefctl_toml_has_none() {
    let folder = Folder::new(&[
        ("appsettings.json", APPSETTINGS),
        ("iefctl.toml", "[settings]\nExtra = 'e'\nTitle = 'hidden'"),
        ("a.xml", "{Settings:Extra} {Settings:Title}"),
        ("Environments/Test/a.xml", POLICY),
    ]);
    let project = folder.load(&["."], "Test");
    assert_eq!(resolved(&project).0, "e See https://t.example");
    assert_eq!(project.sets[0].files.len(), 1);
    folder.write("iefctl.toml", "[environments.dev]");
    let project = folder.load(&["."], "dev");
    assert_eq!(project.environment_names, ["dev"]);
    assert!(project.notes.iter().any(|note| note.contains("is ignored")));
}

#[test]
fn the_nearest_configuration_counts_up_to_the_repository() {
    let folder = Folder::new(&[
        ("appsettings.json", APPSETTINGS),
        ("a/b/x.xml", POLICY),
        ("repo/.git/HEAD", ""),
        ("repo/p/x.xml", POLICY),
    ]);
    assert_eq!(folder.load(&["a/b"], "").environment_names.len(), 2);
    assert!(folder.load(&["repo/p"], "").config_source.is_none());
    let error = folder.error(&["a/b", "repo/p"], &LoadOptions::default());
    assert!(error.contains("--config"), "{error}");
    let options = LoadOptions {
        config: Some(folder.path("appsettings.json")),
        ..LoadOptions::default()
    };
    let project = folder
        .load_with(&["a/b", "repo/p"], &options)
        .expect("loads");
    assert_eq!(project.sets.len(), 2);
}

#[test]
fn discovery_takes_every_policy_once_in_order() {
    let folder = Folder::new(&[
        ("appsettings.json", APPSETTINGS),
        ("set/b.XML", POLICY),
        ("set/a/z.xml", POLICY),
        ("set/a-b/y.xml", POLICY),
        ("set/a.xml", POLICY),
        ("set/notes.txt", ""),
        ("set/.hidden/h.xml", POLICY),
        ("set/target/t.xml", POLICY),
        ("set/node_modules/n.xml", POLICY),
        ("set/Environments/Test/e.xml", POLICY),
        ("set/._a.xml", "\u{0}"),
    ]);
    let project = folder.load(&["set"], "");
    assert_eq!(
        folder.names(&project, 0),
        ["set/a/z.xml", "set/a-b/y.xml", "set/a.xml", "set/b.XML"]
    );
    let built = folder.load(&["set/Environments/Test"], "");
    assert_eq!(folder.names(&built, 0), ["set/Environments/Test/e.xml"]);
    let bare = Folder::new(&[("Environments/e.xml", POLICY)]);
    assert_eq!(bare.load(&["."], "").sets[0].files.len(), 1);
}

#[test]
fn globs_and_files_are_sets() {
    let folder = Folder::new(&[
        ("p/a.xml", POLICY),
        ("p/b.xml", POLICY),
        ("p/sub/c.xml", POLICY),
        ("p/b.txt", POLICY),
        ("q/[x].xml", POLICY),
    ]);
    let names = |path: &str| folder.names(&folder.load(&[path], ""), 0);
    assert_eq!(names("p/*"), ["p/a.xml", "p/b.xml"]);
    assert_eq!(names("p/**/*.xml"), ["p/a.xml", "p/b.xml", "p/sub/c.xml"]);
    assert_eq!(names("*/{a,c}.xml"), ["p/a.xml"]);
    assert_eq!(names("q/[x].xml"), ["q/[x].xml"]);
    assert_eq!(names("p/b.txt"), ["p/b.txt"]);
    let project = folder.load(&["p/b.xml", "p/a.xml", "p/a.xml", "q"], "");
    assert_eq!(project.sets.len(), 2);
    assert_eq!(folder.names(&project, 0), ["p/a.xml", "p/b.xml"]);
}

#[test]
fn missing_and_empty_input_is_an_error() {
    let folder = Folder::new(&[("empty/readme.txt", ""), ("p/a.xml", POLICY)]);
    let error = |path: &str| folder.error(&[path], &LoadOptions::default());
    assert_eq!(error("nowhere"), "`nowhere` does not exist");
    assert_eq!(error("empty"), "no policy files (*.xml) in `empty`");
    assert!(error("p/x*.xml").starts_with("no policy files (*.xml) in `p` that match `x*.xml`"));
    assert!(error("none/*.xml").contains("`none` does not exist"));
    assert!(error("p/[.xml").contains("is no glob"));
    folder.write("iefctl.toml", "policies = 'gone'\n");
    assert_eq!(
        error("."),
        "`gone` does not exist (named in iefctl.toml:1:12)"
    );
    folder.write("iefctl.toml", "policies = 'p'\nexclude = ['p']\n");
    assert!(error(".").contains("leave out all"), "{}", error("."));
    let with = LoadOptions {
        with: vec![folder.path("nowhere")],
        ..LoadOptions::default()
    };
    assert!(
        folder
            .error(&["p"], &with)
            .contains("does not exist (named in --with)")
    );
    let config = LoadOptions {
        config: Some(folder.path("p/a.xml")),
        ..LoadOptions::default()
    };
    assert!(
        folder
            .error(&["p"], &config)
            .contains("has no known format")
    );
}

#[test]
fn a_tenant_on_the_command_line_is_checked() {
    let folder = Folder::new(&[("a.xml", POLICY)]);
    let with = |tenant: &str| LoadOptions {
        tenant: Some(tenant.to_owned()),
        ..LoadOptions::default()
    };
    let error = folder.error(&["."], &with("contoso"));
    assert!(
        error.contains("did you mean `contoso.onmicrosoft.com`?"),
        "{error}"
    );
    for wrong in ["", "a b.c", "https://x.example", "x..y"] {
        folder.error(&["."], &with(wrong));
    }
    for right in [
        "contoso.onmicrosoft.com",
        "login.contoso.com",
        "11111111-2222-3333-4444-555555555555",
    ] {
        folder.load_with(&["."], &with(right)).expect("a tenant");
    }
}

#[test]
fn wrong_encodings_of_all_files_are_told_at_once() {
    let folder = Folder::new(&[("a.xml", POLICY)]);
    fs::write(folder.path("b.xml"), b"<a>\n \xe4</a>").expect("a file");
    fs::write(folder.path("c.xml"), b"\xff\xfe<\0a\0").expect("a file");
    let error = folder.error(&["."], &LoadOptions::default());
    assert!(
        error.contains("b.xml:2:2: ") && error.contains("c.xml:1:1: "),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn links_make_neither_loops_nor_doubles() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new(&[("s/sub/a.xml", POLICY), ("other/o.xml", POLICY)]);
    symlink("..", folder.path("s/sub/up")).expect("a link");
    symlink("sub", folder.path("s/again")).expect("a link");
    symlink("sub/a.xml", folder.path("s/0.xml")).expect("a link");
    symlink("../other", folder.path("s/other")).expect("a link");
    let project = folder.load(&["s"], "");
    assert_eq!(folder.names(&project, 0), ["s/other/o.xml", "s/sub/a.xml"]);
    assert_eq!(project.notes.len(), 3, "{:#?}", project.notes);
    symlink("nowhere", folder.path("s/broken.xml")).expect("a link");
    let error = folder.error(&["s"], &LoadOptions::default());
    assert!(error.contains("s/broken.xml"), "{error}");
}

#[cfg(unix)]
#[test]
fn above_a_link_is_what_is_above_its_target() {
    // By the text the start is next to the link; really it is far below.
    let deep = "d/".repeat(30);
    let folder = Folder::new(&[
        (
            "iefctl.toml",
            "exclude = ['d/**/old.xml']\n[environments.dev]",
        ),
        (&format!("{deep}i/a.xml"), POLICY),
        (&format!("{deep}i/old.xml"), POLICY),
        (&format!("{deep}target/t.xml"), POLICY),
    ]);
    std::os::unix::fs::symlink(format!("{deep}target"), folder.path("link")).expect("a link");
    let project = folder.load(&["link/../i"], "");
    assert_eq!(project.environment_names, ["dev"]);
    assert_eq!(folder.names(&project, 0), ["link/../i/a.xml"]);
    assert!(!project.is_complete);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_read() {
    let folder = Folder::new(&[]);
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path("p.xml"))
        .status();
    if made.is_ok_and(|status| status.success()) {
        let error = folder.error(&["p.xml"], &LoadOptions::default());
        assert!(error.contains("not a regular file"), "{error}");
    }
}

#[test]
fn names_are_unique_per_set() {
    let folder = toml_folder();
    let project = folder.load(&["."], "");
    let names = folder.names(&project, 0);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(
        project.sets[0]
            .files
            .iter()
            .all(|file| Path::new(file.name()).is_absolute())
    );
}
