use super::*;
use crate::auth::Credentials;

fn find(variables: &[(&str, &str)], choice: &Choice) -> Result<Credentials, AuthError> {
    Credentials::find(Some("contoso.onmicrosoft.com"), choice, &|name| {
        let found = variables.iter().find(|(key, _)| *key == name)?;
        Some(found.1.to_owned())
    })
}

fn detect(variables: &[(&str, &str)]) -> Result<Credentials, AuthError> {
    find(variables, &Choice::default())
}

fn chosen(method: Method) -> Choice {
    Choice {
        method: Some(Given {
            value: method,
            origin: "--auth".to_owned(),
        }),
        ..Choice::default()
    }
}

#[track_caller]
fn missing(result: Result<Credentials, AuthError>) -> (String, Vec<String>) {
    match result.unwrap_err() {
        AuthError::MissingVariables { reason, names, .. } => (reason, names),
        other => panic!("{other}"),
    }
}

/// The variables of all ways at once, in the order in which the ways are looked for.
const ALL: [(&str, &str); 9] = [
    (CERTIFICATE, "client.pem"),
    (TOKEN_FILE, "token.jwt"),
    (github_oidc::URL, "https://github.contoso.com/token"),
    (github_oidc::TOKEN, "request"),
    (
        azure_pipelines::CONNECTION,
        "22222222-2222-2222-2222-222222222222",
    ),
    (azure_pipelines::URL, "https://dev.contoso.com/oidc"),
    (azure_pipelines::TOKEN, "job"),
    (ENDPOINT, "http://127.0.0.1:1/msi"),
    (HEADER, "header"),
];

#[test]
fn ways_are_taken_in_their_order_and_the_secret_last() {
    let mut variables = vec![(CLIENT, "app"), (SECRET, "secret")];
    variables.splice(0..0, ALL);
    type IsExpected = fn(&Way) -> bool;
    let steps: [(usize, IsExpected); 6] = [
        (1, |way| matches!(way, Way::Certificate { .. })),
        (1, |way| matches!(way, Way::FederatedToken { .. })),
        (2, |way| matches!(way, Way::GithubOidc { .. })),
        (3, |way| matches!(way, Way::AzurePipelines { .. })),
        (2, |way| matches!(way, Way::ManagedIdentity { .. })),
        (0, |way| matches!(way, Way::ClientSecret { .. })),
    ];
    for (count, is_expected) in steps {
        let found = detect(&variables).unwrap();
        assert!(is_expected(&found.way), "{:?}", found.way);
        variables.drain(..count);
    }
}

#[test]
fn a_choice_goes_before_the_order() {
    let mut variables = vec![(CLIENT, "app"), (SECRET, "secret")];
    variables.splice(0..0, ALL);
    let found = find(&variables, &chosen(Method::ClientSecret)).unwrap();
    assert!(matches!(found.way, Way::ClientSecret { .. }));
    assert_eq!(found.reason, "--auth chooses client-secret");
}

#[test]
fn one_of_a_pair_names_the_other() {
    let client = (CLIENT, "app");
    let connection = ALL[4];
    for (set, lacking) in [
        (vec![ALL[2], client], vec![github_oidc::TOKEN]),
        (vec![ALL[3], client], vec![github_oidc::URL]),
        (vec![ALL[2], ALL[3]], vec![CLIENT]),
        (vec![ALL[7], client], vec![HEADER]),
        (vec![ALL[8], client], vec![ENDPOINT]),
        (
            vec![connection, client],
            vec![azure_pipelines::URL, azure_pipelines::TOKEN],
        ),
        (
            vec![connection, ALL[5], client],
            vec![azure_pipelines::TOKEN],
        ),
        (vec![ALL[0]], vec![CLIENT]),
        (vec![ALL[1]], vec![CLIENT]),
        (vec![(SECRET, "x")], vec![CLIENT]),
    ] {
        let (reason, names) = missing(detect(&set));
        assert_eq!(names, lacking, "{set:?}");
        assert!(
            set.iter().any(|(name, _)| reason.contains(name)),
            "{reason}"
        );
    }
}

#[test]
fn a_chosen_way_names_all_that_it_lacks() {
    let lacks = |method| missing(find(&[], &chosen(method))).1;
    assert_eq!(lacks(Method::Certificate), [CERTIFICATE, CLIENT]);
    assert_eq!(lacks(Method::FederatedToken), [TOKEN_FILE, CLIENT]);
    assert_eq!(
        lacks(Method::GithubOidc),
        [github_oidc::URL, github_oidc::TOKEN, CLIENT]
    );
    assert_eq!(lacks(Method::AzurePipelines).len(), 4);
    assert_eq!(lacks(Method::DeviceCode), [CLIENT]);
    assert_eq!(lacks(Method::ClientSecret), [SECRET, CLIENT]);
    let error = find(&[], &chosen(Method::AzureCli)).unwrap_err();
    assert!(error.to_string().contains("PATH"), "{error}");
    // On a virtual machine there are no variables.
    let found = find(&[], &chosen(Method::ManagedIdentity)).unwrap();
    assert!(matches!(
        found.way,
        Way::ManagedIdentity {
            service: IdentityService::Metadata { host: None },
            ..
        }
    ));
}

#[test]
fn the_tenant_is_missed_together_with_the_rest() {
    let result = Credentials::from_environment(&|name| (name == SECRET).then(|| "x".to_owned()));
    assert_eq!(missing(result).1, [TENANT, CLIENT]);
    let result = Credentials::from_environment(&|name| match name {
        SECRET | CLIENT => Some("x".to_owned()),
        _ => None,
    });
    assert_eq!(missing(result).1, [TENANT]);
}

#[test]
fn nothing_at_all_says_what_was_almost_there() {
    let hint = |variables: &[(&str, &str)]| match detect(variables).unwrap_err() {
        AuthError::NothingFound { hint } => hint.unwrap(),
        other => panic!("{other}"),
    };
    assert!(hint(&[]).contains(CLIENT) && hint(&[]).contains(SECRET));
    let github = hint(&[("GITHUB_ACTIONS", "true"), (CLIENT, "app")]);
    assert!(github.contains("id-token: write"), "{github}");
    let pipelines = hint(&[ALL[5], (CLIENT, "app")]);
    assert!(pipelines.contains(azure_pipelines::TOKEN), "{pipelines}");
    assert!(
        pipelines.contains(azure_pipelines::CONNECTION),
        "{pipelines}"
    );
    // Blank counts as not set.
    assert!(hint(&[(SECRET, "  "), (CERTIFICATE, "")]).contains("neither"));
}

#[test]
fn macros_and_contents_in_the_place_of_values_are_named() {
    for (set, name) in [
        ((SECRET, "$(ClientSecret)"), SECRET),
        (
            (azure_pipelines::TOKEN, "$(System.AccessToken)"),
            azure_pipelines::TOKEN,
        ),
        (
            (CERTIFICATE, "-----BEGIN PRIVATE KEY-----\nAAAA"),
            CERTIFICATE,
        ),
        ((TOKEN_FILE, "eyJhbGciOiJSUzI1NiJ9.e30.x"), TOKEN_FILE),
    ] {
        let error = detect(&[set, (CLIENT, "app")]).unwrap_err();
        assert!(error.to_string().starts_with(name), "{error}");
        assert!(!error.to_string().contains("AAAA") && !error.to_string().contains("eyJ"));
    }
}

#[test]
fn az_is_found_on_the_path_unless_an_application_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let az = folder
        .path()
        .join(if cfg!(windows) { "az.cmd" } else { "az" });
    std::fs::write(&az, "#!/bin/sh\n").unwrap();
    let path = folder.path().display().to_string();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Not yet a program.
        assert!(detect(&[("PATH", &path)]).is_err());
        std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let found = detect(&[("PATH", &path)]).unwrap();
    assert!(matches!(&found.way, Way::AzureCli { program } if *program == az));
    assert!(detect(&[("PATH", &path), (CLIENT, "app")]).is_err());
    let found = detect(&[("PATH", &path), (CLIENT, "app"), (SECRET, "x")]).unwrap();
    assert!(matches!(found.way, Way::ClientSecret { .. }));
}
