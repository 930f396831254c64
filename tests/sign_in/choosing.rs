//! Which way is taken: by the command line, a variable, the configuration; and what is wrong there.

use iefctl::emulator::{Application, EmulatorOptions};

use crate::sandbox::Sandbox;
use crate::{CLIENT, TENANT, assert_says, emulator, lasting, list};

fn configured(sandbox: &Sandbox, environment: &str) {
    let text = format!("[environments.test]\ntenant = \"{TENANT}\"\n{environment}\n");
    sandbox.write("iefctl.toml", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_goes_before_the_variable_before_the_configuration() {
    let emulator = emulator(EmulatorOptions::default()).await;
    let mut sandbox = Sandbox::new();
    configured(&sandbox, "auth = \"certificate\"");
    sandbox.variables = vec![
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        ("AZURE_CLIENT_SECRET", "secret-of-contoso".to_owned()),
    ];
    let test = ["-e", "test"];
    let done = list(&mut sandbox, &emulator, &test).expect(2);
    assert_says(
        &done.stderr,
        &[
            "iefctl.toml:3:8 (`auth`) chooses certificate",
            "AZURE_CLIENT_CERTIFICATE_PATH",
        ],
    );
    sandbox
        .variables
        .push(("IEFCTL_AUTH", "federated-token".to_owned()));
    let done = list(&mut sandbox, &emulator, &test).expect(2);
    assert_says(&done.stderr, &["IEFCTL_AUTH chooses federated-token"]);
    let asked = ["-e", "test", "-v", "--auth", "client-secret"];
    let done = list(&mut sandbox, &emulator, &asked).expect(0);
    assert_says(
        &done.stderr,
        &["client secret", "because --auth chooses client-secret"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_brings_what_belongs_to_it() {
    let emulator = emulator(lasting(Application {
        client_secret: Some("secret-of-test".into()),
        ..Application::new(CLIENT)
    }))
    .await;
    let mut sandbox = Sandbox::new();
    let own = format!(
        "auth = \"client-secret\"\nclient_id = \"{CLIENT}\"\n\
         client_secret = {{ env = \"TEST_SECRET\" }}\ncloud = \"usgov\""
    );
    configured(&sandbox, &own);
    // What the environment variables say is for others.
    sandbox.variables = vec![
        ("AZURE_CLIENT_ID", "another".to_owned()),
        ("AZURE_CLIENT_SECRET", "secret-of-another".to_owned()),
        ("TEST_SECRET", "secret-of-test".to_owned()),
    ];
    list(&mut sandbox, &emulator, &["-e", "test"]).expect(0);
    sandbox.variables.pop();
    let done = list(&mut sandbox, &emulator, &["-e", "test"]).expect(2);
    assert_says(
        &done.stderr,
        &["iefctl.toml:5:17", "`TEST_SECRET`, which is not set"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_have_their_place_or_their_variable() {
    let emulator = emulator(EmulatorOptions::default()).await;
    let mut sandbox = Sandbox::new();
    let cases = [
        (
            "auth = \"certifcate\"",
            "iefctl.toml:3:8",
            "did you mean \"certificate\"?",
        ),
        ("auth = \"GitHub-OIDC\"", "iefctl.toml:3:8", "github-oidc"),
        ("auth = 7", "iefctl.toml:3:8", "must be a string"),
        (
            "auht = \"certificate\"",
            "iefctl.toml:3:1",
            "did you mean `auth`?",
        ),
        (
            "cloud = \"germany\"",
            "iefctl.toml:3:9",
            "\"global\" or \"usgov\" or \"dod\" or \"china\"",
        ),
        (
            "auth = \"github-oidc\"\nclient_secret = { env = \"X\" }",
            "iefctl.toml:4:17",
            "`client_secret` belongs to auth = \"client-secret\"",
        ),
        (
            "client_secret = \"s3cret\"",
            "iefctl.toml:3:17",
            "where the value comes from",
        ),
        ("client_id = \"a b\"", "iefctl.toml:3:13", "cannot be right"),
        (
            "certificate = \"-----BEGIN PRIVATE KEY-----\"",
            "iefctl.toml:3:15",
            "must name a file",
        ),
        (
            "certificate = \"gone.pem\"\nclient_id = \"a\"",
            "iefctl.toml:3:15",
            "cannot be read",
        ),
        (
            "token_file = \"gone.jwt\"\nclient_id = \"a\"",
            "iefctl.toml:3:14",
            "cannot be read",
        ),
        (
            "service_connection_id = \"33333333-4444-5555-6666-777777777777\"",
            "iefctl.toml:3:25 is set",
            "SYSTEM_OIDCREQUESTURI, SYSTEM_ACCESSTOKEN and AZURE_CLIENT_ID are not set",
        ),
    ];
    for (environment, place, words) in cases {
        configured(&sandbox, environment);
        let done = list(&mut sandbox, &emulator, &["-e", "test"]).expect(2);
        assert_says(&done.stderr, &[place, words]);
        assert!(!done.stderr.contains("s3cret"), "{}", done.stderr);
    }
    configured(&sandbox, "");
    sandbox.variables = vec![("IEFCTL_AUTH", "secret".to_owned())];
    let done = list(&mut sandbox, &emulator, &["-e", "test"]).expect(2);
    assert_says(&done.stderr, &["IEFCTL_AUTH is `secret`", "client-secret"]);
    sandbox.variables.clear();
    let done = list(&mut sandbox, &emulator, &["--auth", "sercet"]).expect(2);
    assert_says(&done.stderr, &["--auth", "client-secret"]);
    assert_eq!(emulator.requests(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_named_goes_before_the_variable() {
    let emulator = emulator(EmulatorOptions::default()).await;
    let mut sandbox = Sandbox::new();
    sandbox.variables = vec![
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        ("AZURE_CLIENT_SECRET", "secret-of-contoso".to_owned()),
        ("AZURE_TENANT_ID", emulator.store().tenant_id(TENANT)),
    ];
    let done = list(&mut sandbox, &emulator, &["-v"]).expect(0);
    assert!(!done.stderr.contains("AZURE_TENANT_ID"), "{}", done.stderr);
    // Kubernetes sets the tenant of the cluster, and several environments have one variable.
    sandbox.variables[2].1 = "fabrikam.onmicrosoft.com".to_owned();
    let done = list(&mut sandbox, &emulator, &["-v"]).expect(0);
    assert_says(
        &done.stderr,
        &[
            "note: AZURE_TENANT_ID is fabrikam.onmicrosoft.com, which is not used",
            TENANT,
        ],
    );
    let quiet = list(&mut sandbox, &emulator, &[]).expect(0);
    assert_eq!(quiet.stderr, "");
    let at = emulator.requests();
    let of_another = at.iter().filter(|it| it.path.contains("fabrikam"));
    assert_eq!(of_another.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_says_that_the_variable_is_not_used() {
    let emulator = emulator(lasting(Application::new(CLIENT))).await;
    let mut sandbox = Sandbox::new();
    sandbox.variables = vec![
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        ("AZURE_CLIENT_SECRET", "secret-of-contoso".to_owned()),
        ("AZURE_TENANT_ID", "fabrikam.onmicrosoft.com".to_owned()),
    ];
    let done = list(&mut sandbox, &emulator, &[]).expect(2);
    assert_says(
        &done.stderr,
        &[
            "AADSTS7000215",
            "AZURE_TENANT_ID is fabrikam.onmicrosoft.com, which is not used",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_only_policies_name_must_be_that_of_the_variable() {
    let emulator = emulator(EmulatorOptions::default()).await;
    let mut sandbox = Sandbox::new();
    let policy = |tenant: &str| {
        format!(
            "<TrustFrameworkPolicy xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
             PolicySchemaVersion=\"0.3.0.0\" TenantId=\"{tenant}\" PolicyId=\"B2C_1A_Base\" \
             PublicPolicyUri=\"http://{tenant}/B2C_1A_Base\" />"
        )
    };
    sandbox.write("Base.xml", &policy(TENANT));
    sandbox.variables = vec![
        ("AZURE_CLIENT_ID", CLIENT.to_owned()),
        ("AZURE_CLIENT_SECRET", "secret-of-contoso".to_owned()),
        ("AZURE_TENANT_ID", "fabrikam.onmicrosoft.com".to_owned()),
        ("IEFCTL_GRAPH_ENDPOINT", emulator.url()),
        ("IEFCTL_LOGIN_ENDPOINT", emulator.url()),
    ];
    for command in ["plan", "deploy"] {
        let done = sandbox.run(&[command]).expect(2);
        assert_says(
            &done.stderr,
            &[
                "AZURE_TENANT_ID is fabrikam.onmicrosoft.com",
                "the policies name contoso.onmicrosoft.com",
                "--tenant",
            ],
        );
    }
    sandbox.run(&["deploy", "--tenant", TENANT]).expect(0);
    // A placeholder is no tenant, and says what is missing.
    sandbox.write("Base.xml", &policy("{Settings:Tenant}"));
    sandbox.write(
        "iefctl.toml",
        "[environments.test]\ntenant = \"contoso.onmicrosoft.com\"\n[environments.prod]\n",
    );
    let done = sandbox.run(&["keys", "list"]).expect(2);
    assert_says(
        &done.stderr,
        &["`{Settings:Tenant}`", "--environment NAME", "(test, prod)"],
    );
}
