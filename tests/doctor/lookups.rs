//! Settings that are declared as looked up in the tenant.

use iefctl::emulator::{DirectoryOptions, EmulatorOptions};

use crate::{FRAMEWORK, PROXY, Scene, TENANT};

fn prepared() -> EmulatorOptions {
    EmulatorOptions {
        directory: DirectoryOptions {
            ief_applications: true,
            ..DirectoryOptions::default()
        },
        ..EmulatorOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn validation_needs_no_tenant_and_finds_nothing_wrong() {
    let scene = Scene::with_example(prepared()).await;
    let literal = crate::sandbox::Sandbox::new();
    literal.copy("policies-example", "policies");
    let args = ["validate", "policies", "-e", "dev", "--format", "json"];
    let expected = literal.run(&args).expect(0).json();
    let found = scene.sandbox.run(&args).expect(0).json();
    assert_eq!(found["summary"], expected["summary"]);
    assert_eq!(scene.emulator.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_deploy_build_and_pull_use_what_the_tenant_says() {
    let scene = Scene::with_example(prepared()).await;
    let (framework, proxy) = (
        scene.app_ids(FRAMEWORK)[0].clone(),
        scene.app_ids(PROXY)[0].clone(),
    );
    scene
        .sandbox
        .run(&["deploy", "policies", "-e", "dev"])
        .expect(0);
    let stored = scene
        .emulator
        .store()
        .policy(TENANT, "B2C_1A_TrustFrameworkExtensions");
    let stored = stored.unwrap();
    assert!(
        stored.contains(&framework) && stored.contains(&proxy),
        "{stored}"
    );
    assert!(!stored.contains("1ef00000"), "{stored}");
    scene
        .sandbox
        .run(&["plan", "policies", "-e", "dev", "--exit-code"])
        .expect(0);

    scene
        .sandbox
        .run(&["build", "policies", "-e", "dev", "--output", "out"])
        .expect(0);
    let built = scene
        .sandbox
        .path()
        .join("out/dev/TrustFrameworkExtensions.xml");
    let built = std::fs::read_to_string(built).unwrap();
    assert!(
        built.contains(&framework) && built.contains(&proxy),
        "{built}"
    );

    // The ids become placeholders again.
    let pulled = scene
        .sandbox
        .run(&["pull", "policies", "-e", "dev"])
        .expect(0);
    let path = scene
        .sandbox
        .path()
        .join("policies/TrustFrameworkExtensions.xml");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(
        text.contains("{Settings:ProxyIdentityExperienceFrameworkAppId}") && !text.contains(&proxy),
        "{}\n{text}",
        pulled.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn build_without_a_sign_in_says_what_it_is_for() {
    let mut scene = Scene::with_example(prepared()).await;
    scene.sandbox.variables.clear();
    let run = scene
        .sandbox
        .run(&["build", "policies", "-e", "dev", "--output", "out"])
        .expect(2);
    for words in [
        "IdentityExperienceFrameworkAppId",
        "looked up",
        "AZURE_CLIENT_ID",
    ] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    assert!(!scene.sandbox.path().join("out").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_or_application_is_told_before_anything_is_written() {
    let scene = Scene::with_example(EmulatorOptions {
        roles: [
            "Policy.ReadWrite.TrustFramework",
            "TrustFrameworkKeySet.ReadWrite.All",
        ]
        .map(str::to_owned)
        .to_vec(),
        ..prepared()
    })
    .await;
    let run = scene
        .sandbox
        .run(&["deploy", "policies", "-e", "dev"])
        .expect(2);
    assert!(
        run.stderr.contains("Application.Read.All"),
        "{}",
        run.stderr
    );
    assert_eq!(scene.writes(), 0);
    let scene = Scene::with_example(EmulatorOptions::default()).await;
    let run = scene
        .sandbox
        .run(&["deploy", "policies", "-e", "dev"])
        .expect(2);
    assert!(
        run.stderr.contains("iefctl init --tenant"),
        "{}",
        run.stderr
    );
    assert_eq!(scene.writes(), 0);
}

const SMALL: &str = "<TrustFrameworkPolicy \
    xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
    PolicySchemaVersion=\"0.3.0.0\" TenantId=\"TENANT\" PolicyId=\"ID\" \
    PublicPolicyUri=\"http://TENANT/ID\">BASE</TrustFrameworkPolicy>";

/// Nothing is said of values that are not known yet, also where they are compared with known ones.
#[test]
fn values_that_are_not_known_yet_are_not_compared() {
    let folder = crate::sandbox::Sandbox::new();
    let base = "<BasePolicy><TenantId>contoso.onmicrosoft.com</TenantId>\
                <PolicyId>B2C_1A_Base</PolicyId></BasePolicy>";
    let policy = |id: &str, tenant: &str, base: &str| {
        SMALL
            .replace("TENANT", tenant)
            .replace("ID=\"ID", &format!("ID=\"{id}"))
            .replace("PolicyId=\"ID\"", &format!("PolicyId=\"{id}\""))
            .replace("/ID\"", &format!("/{id}\""))
            .replace("BASE", base)
    };
    folder.write(
        "p/base.xml",
        &policy("B2C_1A_Base", "{Settings:Domain}", ""),
    );
    folder.write(
        "p/child.xml",
        &policy("B2C_1A_Child", "contoso.onmicrosoft.com", base),
    );
    folder.write(
        "p/iefctl.toml",
        "[settings]\nDomain = { tenant = \"tenant.domain\" }\n",
    );
    let report = folder
        .run(&["validate", "p", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(report["diagnostics"], serde_json::json!([]), "{report:#}");
    // The same with a literal is a finding: the comparison is made.
    folder.write(
        "p/iefctl.toml",
        "[settings]\nDomain = \"fabrikam.onmicrosoft.com\"\n",
    );
    let report = folder.run(&["validate", "p", "--format", "json"]).json();
    assert_ne!(report["diagnostics"], serde_json::json!([]));
}

#[test]
fn an_undefined_id_names_the_lookup() {
    let folder = crate::sandbox::Sandbox::new();
    let policy = SMALL
        .replace("TENANT", "contoso.onmicrosoft.com")
        .replace("ID", "B2C_1A_X")
        .replace(
            "BASE",
            "<!-- --><BuildingBlocks><ClaimsSchema><ClaimType \
                 Id=\"a\"><DisplayName>{Settings:IdentityExperienceFrameworkAppId}</DisplayName>\
                 <DataType>string</DataType></ClaimType></ClaimsSchema></BuildingBlocks>",
        )
        .replace("TenantB2C_1A_X", "TenantId")
        .replace("PolicyB2C_1A_X", "PolicyId");
    folder.write("p/x.xml", &policy);
    let run = folder.run(&["validate", "p"]).expect(1);
    let words =
        "IdentityExperienceFrameworkAppId = { tenant = \"IdentityExperienceFramework.appId\" }";
    assert!(run.stdout.contains(words), "{}", run.stdout);
    // The file of the VS Code extension cannot say that.
    folder.write(
        "p/appsettings.json",
        "{\"Environments\":[{\"Name\":\"dev\",\"Tenant\":\"contoso.onmicrosoft.com\",\
         \"PolicySettings\":{}}]}",
    );
    let run = folder.run(&["validate", "p", "-e", "dev"]).expect(1);
    assert!(!run.stdout.contains("{ tenant"), "{}", run.stdout);
}

#[test]
fn mistakes_in_a_lookup_are_named_with_their_place() {
    let folder = crate::sandbox::Sandbox::new();
    folder.write("p/x.xml", &SMALL.replace("BASE", ""));
    for (value, words) in [
        ("{ tenant = \"proxy\" }", "can only be"),
        ("{ tenant = 1 }", "must be a string"),
        ("{ tenant = \"tenant.id\", env = \"X\" }", "exactly one"),
        ("{ tenants = \"tenant.id\" }", "did you mean"),
    ] {
        folder.write("p/iefctl.toml", &format!("[settings]\nA = {value}\n"));
        let run = folder.run(&["validate", "p"]).expect(2);
        assert!(run.stderr.contains(words), "{value}: {}", run.stderr);
        assert!(run.stderr.contains("iefctl.toml:2"), "{}", run.stderr);
    }
    // Keysets hold secrets, which no tenant gives back.
    folder.write(
        "p/iefctl.toml",
        "[keysets.B2C_1A_X]\nsecret = { tenant = \"tenant.id\" }\n",
    );
    folder.run(&["validate", "p"]).expect(2);
}
