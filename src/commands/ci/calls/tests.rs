use super::super::inputs::variable;
use super::*;

fn calls_where(pairs: &[(&str, &str)], files: &[&str]) -> Result<Calls> {
    let pairs = pairs.iter();
    let pairs = pairs.map(|(name, value)| (variable(name).into(), (*value).into()));
    let inputs = Inputs::read(pairs)?;
    Calls::new(&inputs, &|path| {
        files.iter().any(|file| Path::new(file) == path)
    })
}

/// The command lines.
fn lines(pairs: &[(&str, &str)]) -> Vec<String> {
    let files = [".github/workflows/list.json", "cert.pfx", "cert.pem"];
    let calls = calls_where(pairs, &files).unwrap().calls;
    let line = |call: &Call| {
        let arguments = call.arguments.iter().map(String::as_str);
        let all: Vec<&str> = call.words.iter().copied().chain(arguments).collect();
        all.join(" ")
    };
    calls.iter().map(line).collect()
}

fn refusal(pairs: &[(&str, &str)]) -> String {
    let error = calls_where(pairs, &["cert.pfx"]).unwrap_err();
    format!("{error:#}")
}

#[test]
fn nothing_said_is_a_validation() {
    assert_eq!(lines(&[]), ["validate --format=github"]);
    // Defaults of action.yml.
    let off = [
        ("rotate", "false"),
        ("renumberSteps", "false"),
        ("verbose", "false"),
    ];
    assert_eq!(lines(&off), ["validate --format=github"]);
    assert_eq!(
        lines(&[("folder", "p"), ("environment", "dev, test")]),
        [
            "validate --environment=dev --format=github -- p",
            "validate --environment=test --format=github -- p"
        ]
    );
}

#[test]
fn the_workflow_of_the_old_action_deploys() {
    let old = [
        ("folder", "./policies"),
        ("files", "Base.xml, sub/Ext.xml,SignIn.xml"),
        ("tenant", "contoso.onmicrosoft.com"),
        ("clientId", "id"),
        ("clientSecret", "s3cret"),
        ("renumberSteps", "true"),
        ("addAppInsightsStep", "false"),
        ("verbose", "true"),
    ];
    assert_eq!(
        lines(&old),
        [
            "deploy --verbose --tenant=contoso.onmicrosoft.com --renumber-steps --format=github -- \
          ./policies/Base.xml ./policies/sub/Ext.xml ./policies/SignIn.xml"
        ]
    );
    let calls = calls_where(&old, &[]).unwrap();
    assert!(calls.stops);
    let call = &calls.calls[0];
    assert_eq!(call.variables, [("AZURE_CLIENT_ID", "id".to_owned())]);
    assert_eq!(call.secrets[0].0, "AZURE_CLIENT_SECRET");
    assert!(!format!("{calls:?}").contains("s3cret"));
}

#[test]
fn files_has_three_meanings() {
    let deploy = |files| lines(&[("folder", "p"), ("files", files)]);
    assert_eq!(deploy("*"), ["deploy --format=github -- p"]);
    assert_eq!(
        deploy("list.json"),
        ["deploy --config=.github/workflows/list.json --format=github -- p"]
    );
    assert_eq!(deploy("/a.xml,"), ["deploy --format=github -- p/a.xml"]);
    let gone = refusal(&[("folder", "p"), ("files", "other.json")]);
    assert!(
        gone.contains("other.json is neither in .github/workflows"),
        "{gone}"
    );
}

#[test]
fn a_value_stays_one_argument_and_no_option() {
    let hostile = "--emulator $(touch x) `x` \"'; %0A";
    let calls = calls_where(
        &[
            ("command", "deploy"),
            ("folder", hostile),
            ("tenant", hostile),
            ("prefix", "-x"),
            ("arguments", "--atomic\n--prune"),
        ],
        &[],
    );
    let arguments = &calls.unwrap().calls[0].arguments;
    let tenant = format!("--tenant={hostile}");
    let expected = [
        tenant.as_str(),
        "--prefix=-x",
        "--atomic",
        "--prune",
        "--format=github",
        "--",
        hostile,
    ];
    assert_eq!(arguments, &expected);
}

#[test]
fn inputs_that_a_command_ignores_are_refused() {
    for (pairs, text) in [
        (&[("command", "deploi")][..], "takes one of validate"),
        (
            &[("command", "deploy"), ("value", "x")],
            "`value` means nothing",
        ),
        (&[("name", "x"), ("folder", "p")], "`folder` means nothing"),
        (&[("name", "x"), ("files", "*")], "different commands"),
        (&[("plan-file", "x")], "`plan-file` means nothing"),
        (&[("output", "x")], "`output` means nothing"),
        (&[("command", "build")], "needs the input `output`"),
        (&[("tenant", "a"), ("tenant_id", "b")], "mean the same"),
        (&[("renumberSteps", "ja")], "true or false"),
    ] {
        let refusal = refusal(pairs);
        assert!(refusal.contains(text), "{pairs:?}: {refusal}");
    }
}

#[test]
fn keyset_actions_keep_their_inputs() {
    let create = "keys create --if-missing --yes";
    assert_eq!(
        lines(&[
            ("name", "B2C_1A_FacebookSecret"),
            ("value", "x"),
            ("tenant", "t")
        ]),
        [format!(
            "{create} --secret-env=IEFCTL_KEY_VALUE --use=sig --tenant=t --format=json -- \
             B2C_1A_FacebookSecret"
        )]
    );
    assert_eq!(
        lines(&[
            ("name", "Saml"),
            ("file", "cert.pfx"),
            ("password", "p"),
            ("rotate", "true")
        ]),
        [
            format!(
                "{create} --pkcs12=cert.pfx --password-env=IEFCTL_KEY_PASSWORD --format=json -- Saml"
            ),
            "keys rotate --yes --pkcs12=cert.pfx --password-env=IEFCTL_KEY_PASSWORD --format=json \
             -- Saml"
                .to_owned()
        ]
    );
    let generated = [
        ("name", "-k"),
        ("options", "generate"),
        ("key_use", "enc"),
        ("key_type", "RSA"),
        ("tenant_id", "t"),
        ("activation_date", "2027-01-01"),
        ("expiration_date", "2028-01-01"),
    ];
    assert_eq!(
        lines(&generated),
        [format!(
            "{create} --generate=rsa --use=enc --not-before=2027-01-01 --expires=2028-01-01 \
             --tenant=t --format=json -- -k"
        )]
    );
    assert_eq!(
        lines(&[
            ("name", "C"),
            ("options", "upload"),
            ("file_path", "cert.pem"),
            ("key_use", "sig")
        ]),
        [format!(
            "{create} --certificate=cert.pem --format=json -- C"
        )]
    );
}

#[test]
fn a_list_of_keys_is_read_without_telling_what_is_in_it() {
    let list = r#"[{"name":"A","options":"manual","key_use":"sig","secret":"pa55word"},
                   {"name":"B","options":"generate","key_use":"sig","key_type":"oct","password":""}]"#;
    let calls = calls_where(&[("policy_keys", list)], &[]).unwrap().calls;
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].secrets.len(), 1);
    assert!(calls[1].arguments.contains(&"--generate=oct".to_owned()));
    for (list, text) in [
        ("[{\"name\": pa55word}]", "no JSON: line 1, column 11"),
        ("[]", "not empty"),
        ("{\"secret\":\"pa55word\"}", "takes a JSON list"),
        (
            r#"[{"name":"A","secret":["pa55word"]}]"#,
            "`secret` is no text",
        ),
        (
            r#"[{"name":"A","sekret":"pa55word"}]"#,
            "unknown field sekret",
        ),
        (
            r#"[{"secret":"pa55word"}]"#,
            "key 1 of `policy_keys`: it has no `name`",
        ),
        (
            r#"[{"name":"A","options":"manual"}]"#,
            "keyset A: the secret is empty",
        ),
    ] {
        let refusal = refusal(&[("policy_keys", list)]);
        assert!(refusal.contains(text), "{list}: {refusal}");
        assert!(!refusal.contains("pa55word"), "{refusal}");
    }
}

#[test]
fn a_key_that_is_not_wholly_described_is_refused() {
    for (pairs, text) in [
        (&[("name", "A")][..], "nothing says what its key is"),
        (
            &[("name", "A"), ("value", "x"), ("file", "cert.pfx")],
            "a value and a file",
        ),
        (
            &[("name", "A"), ("file", "gone.pfx")],
            "there is no file gone.pfx",
        ),
        (
            &[("name", "A"), ("options", "generate")],
            "`key_use` must say",
        ),
        (
            &[("name", "A"), ("options", "mint")],
            "generate or manual or upload",
        ),
        (
            &[
                ("name", "A"),
                ("options", "manual"),
                ("secret", "x"),
                ("key_type", "rsa"),
            ],
            "here it takes oct",
        ),
        (
            &[
                ("name", "A"),
                ("options", "upload"),
                ("file_path", "cert.pfx"),
                ("secret", "x"),
            ],
            "`secret` means nothing",
        ),
        (&[("command", "keyset")], "needs the input `name`"),
    ] {
        let refusal = refusal(pairs);
        assert!(refusal.contains(text), "{pairs:?}: {refusal}");
    }
}

#[test]
fn a_copy_is_removed_by_its_prefix() {
    let destroy = ("command", "destroy");
    assert_eq!(
        lines(&[
            destroy,
            ("prefix", "pr1_"),
            ("environment", "test"),
            ("tenant", "contoso.onmicrosoft.com"),
            ("cloud", "usgov"),
        ]),
        [
            "destroy --environment=test --cloud=usgov --prefix=pr1_ --yes \
             --tenant=contoso.onmicrosoft.com --format=github"
        ]
    );
    assert!(refusal(&[destroy]).contains("`prefix`"));
    for other in [("folder", "p"), ("suffix", "x"), ("renumberSteps", "true")] {
        let said = refusal(&[destroy, ("prefix", "pr1_"), other]);
        assert!(said.contains(other.0), "{said}");
    }
}
