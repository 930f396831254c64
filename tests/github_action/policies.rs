use std::fs;
use std::path::Path;
use std::process::Command;

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};

use super::runner::{Runner, repository};
use super::{SECRET, TENANT, Tenant, with};

/// A policy of the starter pack's tenant with `body` behind its header.
fn policy(id: &str, base: Option<&str>, body: &str) -> String {
    let tenant = "yourtenant.onmicrosoft.com";
    let base = base.map_or_else(String::new, |base| {
        format!(
            "\n  <BasePolicy>\n    <TenantId>{tenant}</TenantId>\n    <PolicyId>{base}</PolicyId>\n  \
             </BasePolicy>"
        )
    });
    format!(
        "<TrustFrameworkPolicy xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"{tenant}\" PolicyId=\"{id}\" \
         PublicPolicyUri=\"http://{tenant}/{id}\">{base}\n{body}\n</TrustFrameworkPolicy>\n"
    )
}

fn claim(id: &str) -> String {
    format!(
        "<BuildingBlocks><ClaimsSchema><ClaimType Id=\"{id}\"><DisplayName>{id}</DisplayName>\
         <DataType>string</DataType></ClaimType></ClaimsSchema></BuildingBlocks>"
    )
}

/// A technical profile that Application Insights is called by, and a journey with these steps.
fn journey(orders: &[u32]) -> String {
    let (last, first) = orders.split_last().unwrap();
    let profiles = ["AppInsights-Start", "Compute"].map(|id| {
        format!(
            "<TechnicalProfile Id=\"{id}\"><DisplayName>{id}</DisplayName><Protocol \
             Name=\"Proprietary\" Handler=\"Web.TPEngine.Providers.ClaimsTransformationProtocolProvider, \
             Web.TPEngine, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null\" /><OutputClaims>\
             <OutputClaim ClaimTypeReferenceId=\"objectId\" DefaultValue=\"x\" /></OutputClaims>\
             </TechnicalProfile>"
        )
    });
    let issuer = "<TechnicalProfile Id=\"JwtIssuer\"><DisplayName>Issuer</DisplayName><Protocol \
        Name=\"OpenIdConnect\" /><OutputTokenFormat>JWT</OutputTokenFormat><Metadata>\
        <Item Key=\"client_id\">{service:te}</Item>\
        <Item Key=\"issuer_refresh_token_user_identity_claim_type\">objectId</Item></Metadata>\
        <CryptographicKeys><Key Id=\"issuer_secret\" StorageReferenceId=\"B2C_1A_TokenSigningKeyContainer\" />\
        <Key Id=\"issuer_refresh_token_key\" StorageReferenceId=\"B2C_1A_TokenEncryptionKeyContainer\" />\
        </CryptographicKeys></TechnicalProfile>";
    let steps: String = (1..)
        .zip(first)
        .map(|(number, order)| {
            format!(
                "<OrchestrationStep Order=\"{order}\" Type=\"ClaimsExchange\"><ClaimsExchanges>\
                 <ClaimsExchange Id=\"Compute{number}\" TechnicalProfileReferenceId=\"Compute\" />\
                 </ClaimsExchanges></OrchestrationStep>\n"
            )
        })
        .collect();
    format!(
        "{}<ClaimsProviders><ClaimsProvider><DisplayName>P</DisplayName><TechnicalProfiles>{}{issuer}\
         </TechnicalProfiles></ClaimsProvider></ClaimsProviders><UserJourneys><UserJourney Id=\"SignIn\">\
         <OrchestrationSteps>\n{steps}<OrchestrationStep Order=\"{last}\" Type=\"SendClaims\" \
         CpimIssuerTechnicalProfileReferenceId=\"JwtIssuer\" /></OrchestrationSteps></UserJourney>\
         </UserJourneys>",
        claim("objectId"),
        profiles.concat()
    )
}

fn set(runner: &Runner) {
    runner.write(
        "policies/Base.xml",
        &policy("B2C_1A_Base", None, &claim("email")),
    );
    let extensions = policy("B2C_1A_Ext", Some("B2C_1A_Base"), &claim("loyalty"));
    runner.write("policies/sub/Ext.xml", &extensions);
    let other = policy("B2C_1A_Other", Some("B2C_1A_Base"), "");
    runner.write("policies/Other.xml", &other);
}

/// Nothing but the runner's own line may hold the secret.
#[track_caller]
fn keeps_secret(done: &super::runner::Finished) {
    assert!(!done.log.contains(SECRET), "{}", done.log);
    assert!(!done.summary.contains(SECRET));
    assert!(!done.outputs.values().any(|output| output.contains(SECRET)));
}

#[test]
fn without_any_input_the_workspace_is_validated() {
    let runner = Runner::new().installed();
    let bad = policy("B2C_1A_Base", None, &claim("email")).replace("DataType>", "DataTyp>");
    runner.write("a, b:c/Base%0A.xml", &bad);
    let done = runner.run(&[]).expect(false);
    let mut annotations = done.annotations.iter();
    let error = annotations.find(|(level, _, _)| level == "error");
    let (_, properties, _) = error.unwrap();
    assert!(
        properties.contains("file=a, b:c/Base%0A.xml,line="),
        "{properties}"
    );
    assert!(done.summary.contains("B2C_1A_Base") || done.summary.contains("Base%0A.xml"));
    assert_eq!(done.output("command"), "validate");
    assert_ne!(done.output("errors"), "0");
    assert_eq!(done.report()["command"], "validate");
    assert_eq!(
        fs::read_to_string(done.output("summary")).unwrap(),
        done.summary
    );
}

/// The workflow of azure-ad-b2c/deploy-trustframework-policy with its files listed, twice.
#[test]
fn the_old_workflow_deploys_the_files_that_it_lists() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    set(&runner);
    let inputs = with(&[
        ("folder", "./policies"),
        // Heirs first: the order is no longer the user's business.
        ("files", "sub/Ext.xml,Base.xml"),
        ("renumberSteps", "false"),
        ("addAppInsightsStep", "false"),
        ("verbose", "true"),
    ]);
    let first = runner.run(&inputs).expect(true);
    keeps_secret(&first);
    assert_eq!(tenant.policies(), ["B2C_1A_Base", "B2C_1A_Ext"]);
    assert_eq!(
        (first.output("created"), first.output("changed")),
        ("2", "true")
    );
    assert!(first.summary.contains("sub/Ext.xml"), "{}", first.summary);
    let stored = tenant
        .emulator
        .store()
        .policy(TENANT, "B2C_1A_Ext")
        .unwrap();
    assert!(stored.contains(TENANT) && !stored.contains("yourtenant"));

    let second = runner.run(&inputs).expect(true);
    assert_eq!(
        (second.output("unchanged"), second.output("changed")),
        ("2", "false")
    );
    assert_ne!(first.output("report"), second.output("report"));
}

#[test]
fn a_star_is_the_whole_folder() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    set(&runner);
    let done = runner
        .run(&with(&[("folder", "policies"), ("files", "*")]))
        .expect(true);
    assert_eq!(done.output("created"), "3");
    assert_eq!(done.report()["command"], "deploy");
}

/// The list of files of the old action, with what it replaces in one of them.
#[test]
fn a_list_of_files_replaces_what_it_says() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    set(&runner);
    let list = r#"{"version": "1.0", "files": [
        {"path": "sub/Ext.xml", "replacements": [{"find": "LOYAL(TY)", "replace": "royal$1"}]},
        {"path": "Base.xml"}]}"#;
    runner.write(".github/workflows/deployment.json", list);
    let inputs = [("folder", "policies"), ("files", "deployment.json")];
    let done = runner.run(&with(&inputs)).expect(true);
    assert_eq!(done.output("created"), "2");
    let stored = tenant
        .emulator
        .store()
        .policy(TENANT, "B2C_1A_Ext")
        .unwrap();
    assert!(stored.contains("Id=\"royalty\""), "{stored}");
}

/// There it is a warning, and the job is green.
#[test]
fn a_file_that_is_not_there_is_an_error() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    set(&runner);
    for files in ["Base.xml,Gone.xml", "gone.json"] {
        runner
            .run(&with(&[("folder", "policies"), ("files", files)]))
            .expect(false)
            .annotates("error", "one.");
    }
    assert_eq!(tenant.policies(), [""; 0]);
}

/// There `clientId: test` ends the step with success.
#[test]
fn nobody_is_let_pass() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    set(&runner);
    for missing in ["clientId", "clientSecret"] {
        let mut inputs = with(&[("folder", "policies"), ("files", "*")]);
        inputs.retain(|(name, _)| *name != missing);
        let variable = if missing == "clientId" {
            "AZURE_CLIENT_ID"
        } else {
            "AZURE_CLIENT_SECRET"
        };
        let done = runner
            .run(&inputs)
            .expect(false)
            .annotates("error", variable);
        keeps_secret(&done);
    }
    assert_eq!(tenant.policies(), [""; 0]);
}

#[test]
fn steps_are_adjusted_in_what_is_uploaded_only() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    let text = policy("B2C_1A_Base", None, &journey(&[1, 1, 5]));
    runner.write("policies/Base.xml", &text);
    let inputs = with(&[
        ("folder", "policies"),
        ("files", "*"),
        ("renumberSteps", "true"),
        ("addAppInsightsStep", "true"),
    ]);
    let done = runner.run(&inputs).expect(true);
    assert_eq!((done.output("created"), done.output("keysets")), ("1", "2"));
    let stored = tenant
        .emulator
        .store()
        .policy(TENANT, "B2C_1A_Base")
        .unwrap();
    let orders: Vec<&str> = stored
        .split("Order=\"")
        .skip(1)
        .map(|rest| &rest[..rest.find('"').unwrap()])
        .collect();
    assert_eq!(orders, ["1", "2", "3", "4"]);
    let call = stored
        .find("TechnicalProfileReferenceId=\"AppInsights-Start\"")
        .unwrap();
    assert!(call < stored.find("Compute1").unwrap());
    assert_eq!(
        fs::read_to_string(runner.workspace("policies/Base.xml")).unwrap(),
        text
    );
    let again = runner.run(&inputs).expect(true);
    assert_eq!(again.output("unchanged"), "1");
}

/// There the tenant gets what cannot work.
#[test]
fn a_step_that_calls_nothing_is_refused_before_anything_is_uploaded() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    let text = policy("B2C_1A_Base", None, &journey(&[1, 2])).replace("AppInsights-Start", "Other");
    runner.write("policies/Base.xml", &text);
    let inputs = with(&[
        ("folder", "policies"),
        ("files", "*"),
        ("addAppInsightsStep", "true"),
    ]);
    runner
        .run(&inputs)
        .expect(false)
        .annotates("error", "AppInsights-Start");
    assert_eq!(tenant.policies(), [""; 0]);
}

#[test]
fn values_are_data_whatever_they_hold() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    let hostile = "-x $(touch pwned) `touch pwned` \"'; touch pwned; %0A::error::pwned";
    let file = format!("{hostile}/Base.xml");
    runner.write(&file, &policy("B2C_1A_Base", None, &claim("email")));
    let done = runner
        .run(&with(&[("command", "plan"), ("folder", hostile)]))
        .expect(true);
    keeps_secret(&done);
    assert_eq!(
        (done.output("created"), done.output("policies")),
        ("1", "1")
    );
    let folder = "policies\n::error::pwned\n::set-output name=x::y\nx=y";
    for (name, value) in [
        ("folder", folder),
        ("files", "a.xml,\u{1b}[31m$(touch pwned).xml"),
        ("environment", "--help"),
        ("tenant", "x$(touch pwned)\n::error::pwned"),
        ("config", "--emulator"),
        ("prefix", "`touch pwned`"),
        ("plan-file", "$(touch pwned)/x"),
        ("cloud", "\n::error::pwned"),
        ("auth", "$(touch pwned)\n::error::pwned"),
        ("client-certificate", "$(touch pwned)"),
        ("renumberSteps", "$(touch pwned)"),
        ("command", "deploy; touch pwned"),
        ("verbose", "true\n::error::pwned"),
    ] {
        let mut inputs = with(&[("command", "deploy"), ("folder", hostile), (name, value)]);
        if name == "client-certificate" {
            inputs.retain(|(name, _)| *name != "clientSecret");
        }
        let done = runner.run(&inputs);
        assert!(!done.succeeded, "{name}:\n{}", done.log);
        let mut injected = done.annotations.iter();
        assert!(
            injected.all(|(_, _, text)| text != "pwned"),
            "{name}: {:?}",
            done.annotations
        );
    }
    assert!(!runner.workspace("pwned").exists());
    assert_eq!(tenant.policies(), [""; 0]);
}

#[test]
fn a_plan_is_saved_reviewed_and_carried_out() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    set(&runner);
    let plan = [
        ("command", "plan"),
        ("folder", "policies"),
        ("plan-file", "plan.json"),
    ];
    let planned = runner.run(&with(&plan)).expect(true);
    assert_eq!(
        (planned.output("created"), planned.output("changed")),
        ("3", "true")
    );
    let text = fs::read_to_string(planned.output("plan")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["hasChanges"], true);
    assert_eq!(tenant.policies(), [""; 0]);
    let deploy = [
        ("command", "deploy"),
        ("folder", "policies"),
        ("plan-file", "plan.json"),
    ];
    runner.run(&with(&deploy)).expect(true);
    assert_eq!(tenant.policies().len(), 3);
    let again = runner.run(&with(&plan)).expect(true);
    assert_eq!(
        (again.output("unchanged"), again.output("changed")),
        ("3", "false")
    );
}

#[test]
fn several_environments_come_one_after_the_other() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    let example = repository().join("policies-example");
    for entry in fs::read_dir(example).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        runner.write(
            &format!("policies/{name}"),
            &fs::read_to_string(&path).unwrap(),
        );
    }
    let inputs = [("folder", "policies"), ("environment", "dev\nprod")];
    let done = runner.run(&inputs).expect(true);
    assert_eq!(done.output("policies"), "12");
    assert_eq!(done.report().as_array().unwrap().len(), 2);
    // A deployment that fails keeps the next one from being tried.
    let inputs = with(&[
        ("command", "deploy"),
        ("folder", "policies"),
        ("environment", "nowhere,dev"),
    ]);
    let inputs: Vec<_> = inputs
        .into_iter()
        .filter(|(name, _)| *name != "tenant")
        .collect();
    let done = runner.run(&inputs).expect(false);
    assert!(!done.log.contains("--environment=dev"), "{}", done.log);
}

#[test]
fn build_writes_what_would_be_uploaded() {
    let runner = Runner::new().installed();
    set(&runner);
    let inputs = [
        ("command", "build"),
        ("folder", "policies"),
        ("tenant", TENANT),
        ("output", "out"),
    ];
    runner.run(&inputs).expect(true);
    let built = fs::read_to_string(runner.workspace("out/sub/Ext.xml")).unwrap();
    assert!(built.contains(TENANT));
}

/// A copy for a pull request comes and goes; what stands beside it stays.
#[test]
fn a_copy_is_destroyed_by_its_prefix_alone() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    set(&runner);
    let whole = [("command", "deploy"), ("folder", "policies")];
    let copy = [whole[0], whole[1], ("prefix", "pr1_")];
    for inputs in [&whole[..], &copy[..]] {
        runner.run(&with(inputs)).expect(true);
    }
    assert_eq!(tenant.policies().len(), 6);
    let pointless = [("command", "destroy"), copy[1], copy[2]];
    runner
        .run(&with(&pointless))
        .expect(false)
        .annotates("error", "`folder` means nothing to the command destroy");
    runner
        .run(&with(&[("command", "destroy")]))
        .expect(false)
        .annotates("error", "needs the input `prefix`");
    assert_eq!(tenant.policies().len(), 6);
    let done = runner
        .run(&with(&[("command", "destroy"), copy[2]]))
        .expect(true);
    assert_eq!(
        (done.output("deleted"), done.output("changed")),
        ("3", "true")
    );
    assert_eq!(
        tenant.policies(),
        ["B2C_1A_Base", "B2C_1A_Ext", "B2C_1A_Other"]
    );
}

/// Secrets of a repository are texts, so a certificate comes as one.
#[test]
fn the_text_of_a_certificate_becomes_a_file_for_as_long_as_the_step_runs() {
    let tenant = Tenant::new();
    let runner = tenant.runner();
    set(&runner);
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    let text = format!("{}{}", key.serialize_pem(), certificate.pem());
    runner.write("client.pem", &text);
    let folder = [("command", "plan"), ("folder", "policies")];
    let one_line = text.replace('\n', "\\n");
    for given in [text.as_str(), one_line.as_str(), "client.pem"] {
        let mut inputs = with(&folder);
        inputs.retain(|(name, _)| *name != "clientSecret");
        inputs.push(("client-certificate", given));
        let done = runner.run(&inputs).expect(true);
        assert_eq!(done.output("created"), "3");
        let line = key.serialize_pem().lines().nth(3).unwrap().to_owned();
        assert!(!done.log.contains(&line), "{}", done.log);
        assert!(!done.log.contains("***"), "{}", done.log);
        let step = fs::read_dir(Path::new(done.output("report")).parent().unwrap()).unwrap();
        let names = step.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(names.into_iter().all(|name| !name.ends_with(".pem")));
    }
}

/// A .pfx in base64 is no PEM, and no path either: it is hidden, and whoever gave it is told what to give.
#[test]
fn a_key_in_another_form_is_refused_and_not_shown() {
    let runner = Runner::new();
    set(&runner);
    let line = "MIIKCAIBAzCCCb4GCSqGSIb3DQEHAaCCCa8EggmrMIIJpzCCBhAGCSqGSIb3DQEH";
    let wrapped = [line, &line.to_lowercase(), ""].join("\n");
    for given in [line.repeat(40), wrapped, "no/such.pem".to_owned()] {
        let step = Command::new(env!("CARGO_BIN_EXE_iefctl"))
            .args(["ci", "github"])
            .current_dir(runner.workspace(""))
            .env_clear()
            .env("GITHUB_ACTIONS", "true")
            .env("RUNNER_TEMP", runner.path("temp"))
            .env("INPUT_COMMAND", "plan")
            .env("INPUT_FOLDER", "policies")
            .env("INPUT_TENANT", TENANT)
            .env("INPUT_CLIENTID", "11111111-1111-1111-1111-111111111111")
            .env("INPUT_CLIENT_CERTIFICATE", &given)
            .output()
            .unwrap();
        assert_eq!(step.status.code(), Some(2));
        let text = |stream: &[u8]| String::from_utf8(stream.to_vec()).unwrap();
        let (stdout, stderr) = (text(&step.stdout), text(&step.stderr));
        let (masks, shown): (Vec<&str>, Vec<&str>) = stdout
            .lines()
            .chain(stderr.lines())
            .partition(|line| line.starts_with("::add-mask::"));
        let expected: Vec<String> = given
            .lines()
            .map(|line| format!("::add-mask::{line}"))
            .collect();
        assert_eq!(masks, expected);
        let shown = shown.join("\n");
        for words in ["`client-certificate`", "PEM", "path", "openssl pkcs12"] {
            assert!(shown.contains(words), "{shown}");
        }
        for line in given.lines() {
            assert!(!shown.contains(&line[..11]), "{shown}");
        }
    }
}
