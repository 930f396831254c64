//! `iefctl validate --fix` on files.

use crate::fixture::{IefCtl, policy};

/// Two slips with one meaning each, one with none, in a file with every oddity that must stay.
fn odd() -> String {
    let text = policy(&["objectId", "objetcId", "dispayName", "nothingLikeIt"]);
    format!("\u{feff}{}", text.replace('\n', "\r\n").trim_end()).replace(
        "<ClaimsProviders>",
        "<!-- kept:\t ä € 𝄞 objetcId -->\r\n  <ClaimsProviders >",
    )
}

fn mended(text: &str) -> String {
    text.replace("\"objetcId\"", "\"objectId\"")
        .replace("\"dispayName\"", "\"displayName\"")
}

#[test]
fn only_the_slips_change() {
    let iefctl = IefCtl::with_files([("p/Base.xml", odd()), ("p/Good.txt", "x".to_owned())])
        .args(["validate", "p", "--fix"]);
    iefctl
        .run()
        .expect(1)
        .says("fixed 2 findings in 1 file")
        .shows("nothingLikeIt");
    assert_eq!(iefctl.read("p/Base.xml"), mended(&odd()));
    assert_eq!(
        iefctl.content().len(),
        4,
        "two files, their folder and .git; no temporary file"
    );
    let once = iefctl.content();
    iefctl.run().expect(1).says("nothing to fix");
    assert_eq!(iefctl.content(), once);
}

/// A policy with a slip of every kind that has one meaning: what is written, and what is meant.
const SLIPS: &[(&str, &str)] = &[
    (
        "//contoso.onmicrosoft.com/B2C_1A_Wrong\"",
        "//contoso.onmicrosoft.com/B2C_1A_Slips\"",
    ),
    (
        "\"contentDefinitionReferenceId\">",
        "\"ContentDefinitionReferenceId\">",
    ),
    (
        "\"setting.ShowCancelButton \">",
        "\"setting.showCancelButton\">",
    ),
    (">api.selfaserted<", ">api.selfasserted<"),
    (
        "ClaimTypeReferenceId=\"dispalyName\"",
        "ClaimTypeReferenceId=\"displayName\"",
    ),
    ("\"SelfAsserted-Nmae\"", "\"SelfAsserted-Name\""),
    ("Target='Secnod'", "Target='Second'"),
    ("<Value>dispayName</Value>", "<Value>displayName</Value>"),
    (" Order=\"4\"", " Order=\"3\""),
    (" Order=\"7\"", " Order=\"4\""),
];

fn slips(meant: bool) -> String {
    let slip = |number: usize| {
        let (written, right) = SLIPS[number];
        if meant { right } else { written }
    };
    let target = slip(6).replace("Target", "TargetClaimsExchangeId");
    format!(
        "\u{feff}<TrustFrameworkPolicy \
         xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"contoso.onmicrosoft.com\" \
         PolicyId=\"B2C_1A_Slips\"\r\n\tPublicPolicyUri=\"http:{}>\r\n\
         <BuildingBlocks><ClaimsSchema><ClaimType Id=\"displayName\"><DisplayName>Näme</DisplayName>\
         <DataType>string</DataType><UserInputType>TextBox</UserInputType></ClaimType></ClaimsSchema>\
         <ContentDefinitions><ContentDefinition Id=\"api.selfasserted\">\
         <LoadUri>{{Settings:Pages}}/a.html</LoadUri>\
         <RecoveryUri>~/common/default_page_error.html</RecoveryUri>\
         <DataUri>urn:com:microsoft:aad:b2c:elements:contract:selfasserted:2.1.26</DataUri>\
         </ContentDefinition></ContentDefinitions></BuildingBlocks>\r\n\
         <ClaimsProviders><ClaimsProvider><DisplayName>{{Settings:Empty}}x</DisplayName>\
         <TechnicalProfiles><TechnicalProfile Id=\"SelfAsserted-Name\"><DisplayName>x</DisplayName>\
         <Protocol Name=\"Proprietary\" Handler=\"Web.TPEngine.Providers.SelfAssertedAttributeProvider, \
         Web.TPEngine, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null\" />\
         <Metadata><Item Key={}{}/Item><Item Key={}false</Item></Metadata>\
         <OutputClaims><OutputClaim {} /></OutputClaims></TechnicalProfile>\
         </TechnicalProfiles></ClaimsProvider></ClaimsProviders>\r\n\
         <UserJourneys><UserJourney Id=\"SignIn\"><OrchestrationSteps>\r\n\
         <OrchestrationStep Order=\"1\" Type=\"ClaimsExchange\"><ClaimsExchanges>\
         <ClaimsExchange Id=\"First\" TechnicalProfileReferenceId={} />\
         </ClaimsExchanges></OrchestrationStep>\r\n\
         <OrchestrationStep Order=\"2\" Type=\"ClaimsProviderSelection\" \
         ContentDefinitionReferenceId=\"api.selfasserted\"><ClaimsProviderSelections>\
         <ClaimsProviderSelection {target} /></ClaimsProviderSelections></OrchestrationStep>\r\n\
         <OrchestrationStep{} Type=\"ClaimsExchange\"><Preconditions><Precondition \
         Type=\"ClaimsExist\" ExecuteActionsIf=\"true\">{}<Action>SkipThisOrchestrationStep</Action>\
         </Precondition></Preconditions><ClaimsExchanges>\
         <ClaimsExchange Id=\"Second\" TechnicalProfileReferenceId=\"SelfAsserted-Name\" />\
         </ClaimsExchanges></OrchestrationStep>\r\n<!-- Secnod stays -->\
         <OrchestrationStep{} Type=\"ClaimsExchange\"><ClaimsExchanges>\
         <ClaimsExchange Id=\"Third\" TechnicalProfileReferenceId=\"SelfAsserted-Name\" />\
         </ClaimsExchanges></OrchestrationStep>\
         </OrchestrationSteps></UserJourney></UserJourneys>\r\n</TrustFrameworkPolicy>",
        slip(0),
        slip(1),
        slip(3).trim_start_matches('>'),
        slip(2),
        slip(4),
        slip(5),
        slip(8),
        slip(7),
        slip(9),
    )
}

#[test]
fn every_slip_with_one_meaning_is_mended_and_no_other_byte() {
    let settings = "[settings]\nPages = \"https://contoso.com\"\nEmpty = \"\"\n".to_owned();
    let iefctl = IefCtl::with_files([("Base.xml", slips(false)), ("iefctl.toml", settings)])
        .args(["validate", "--fix"]);
    iefctl.run().says("in 1 file");
    assert_eq!(iefctl.read("Base.xml"), slips(true));
    iefctl.run().says("nothing to fix");
    assert_eq!(iefctl.read("Base.xml"), slips(true));
}

#[test]
fn what_is_left_decides_the_status() {
    let iefctl = IefCtl::with_files([("Base.xml", policy(&["objectIdd"]))]);
    let iefctl = iefctl.args(["validate", "--fix", "--format", "json"]);
    let finished = iefctl.run().expect(0).says("fixed 1 finding in 1 file");
    let report: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(report["summary"]["errors"], 0);
}

#[test]
fn a_dry_run_shows_a_diff_and_writes_nothing() {
    let iefctl = IefCtl::with_files([("p/Base.xml", odd())]);
    let before = iefctl.content();
    for flag in ["--dry-run", "--diff"] {
        let iefctl =
            IefCtl::with_files([("p/Base.xml", odd())]).args(["validate", "p", "--fix", flag]);
        let finished = iefctl
            .run()
            .expect(1)
            .says("would fix 2 findings in 1 file");
        let lines: Vec<&str> = finished.stdout.split('\n').collect();
        assert_eq!(lines[..2], ["--- a/p/Base.xml", "+++ b/p/Base.xml"]);
        let changed: Vec<&str> = lines[2..]
            .iter()
            .copied()
            .filter(|line| line.starts_with(['-', '+']))
            .collect();
        assert_eq!(
            changed,
            [
                "-            <PersistedClaim ClaimTypeReferenceId=\"objetcId\" />\r",
                "-            <PersistedClaim ClaimTypeReferenceId=\"dispayName\" />\r",
                "+            <PersistedClaim ClaimTypeReferenceId=\"objectId\" />\r",
                "+            <PersistedClaim ClaimTypeReferenceId=\"displayName\" />\r",
            ]
        );
        assert_eq!(iefctl.read("p/Base.xml"), odd());
        assert_eq!(iefctl.content().len(), before.len());
    }
    for wrong in [
        &["validate", "--dry-run"][..],
        &["validate", "--fix", "--dry-run", "--format", "json"],
        &["validate", "--fix", "--watch"],
    ] {
        IefCtl::with_files([("Base.xml", odd())])
            .args(wrong.iter().copied())
            .run()
            .expect(2);
    }
}

#[test]
fn the_diff_of_a_dry_run_can_be_applied() {
    let iefctl =
        IefCtl::with_files([("p/Base.xml", odd())]).args(["validate", "p", "--fix", "--dry-run"]);
    let patch = iefctl.run().expect(1).stdout;
    iefctl.write("fix.patch", patch);
    let applied = std::process::Command::new("patch")
        .args(["--binary", "-p1", "-i", "fix.patch"])
        .current_dir(iefctl.path(""))
        .output();
    let Ok(applied) = applied else {
        // Not every system has `patch`.
        return;
    };
    assert!(applied.status.success(), "{applied:?}");
    assert_eq!(iefctl.read("p/Base.xml"), mended(&odd()));
}

#[test]
fn placeholders_and_what_stands_for_them_stay() {
    let text = policy(&["{Settings:Claim}", "objetcId"]);
    let iefctl = IefCtl::with_files([
        ("Base.xml", text.as_str()),
        (
            "iefctl.toml",
            "[environments.dev]\ntenant = \"contoso.onmicrosoft.com\"\n\
             [environments.dev.settings]\nClaim = \"displayNam\"\n",
        ),
    ])
    .args(["validate", "--fix", "-e", "dev"]);
    iefctl
        .run()
        .expect(1)
        .says("fixed 1 finding in 1 file")
        .says("Base.xml:23:51: ref-claimtype is not fixed: a placeholder stands there");
    assert_eq!(iefctl.read("Base.xml"), mended(&text));
}

#[test]
fn bases_that_only_help_are_never_written() {
    let base = policy(&["objetcId"]);
    let extensions = policy(&["objetcId"])
        .replace("B2C_1A_Base", "B2C_1A_Extensions")
        .replace(
            "  <BuildingBlocks>",
            "  <BasePolicy>\n    <TenantId>contoso.onmicrosoft.com</TenantId>\n    \
             <PolicyId>B2C_1A_Base</PolicyId>\n  </BasePolicy>\n  <BuildingBlocks>",
        );
    let iefctl = IefCtl::with_files([
        ("own/Extensions.xml", &extensions),
        ("bases/Base.xml", &base),
    ])
    .args(["validate", "own", "--with", "bases", "--fix"]);
    let finished = iefctl.run();
    assert!(
        finished.stderr.contains("fixed 1 finding in 1 file"),
        "{}",
        finished.stderr
    );
    assert_eq!(iefctl.read("own/Extensions.xml"), mended(&extensions));
    assert_eq!(iefctl.read("bases/Base.xml"), base);
}

#[test]
fn steps_are_renumbered_unless_another_policy_counts_on_their_numbers() {
    let journey = "  <UserJourneys>\n    <UserJourney Id=\"Session\">\n      <OrchestrationSteps>\n        \
        <OrchestrationStep Order=\"1\" Type=\"GetClaims\" CpimIssuerTechnicalProfileReferenceId=\"SM-AAD\" />\n        \
        <OrchestrationStep Order='3' Type=\"SendClaims\" CpimIssuerTechnicalProfileReferenceId=\"SM-AAD\" />\n      \
        </OrchestrationSteps>\n    </UserJourney>\n  </UserJourneys>\n</TrustFrameworkPolicy>";
    let base = policy(&["objectId"]).replace("</TrustFrameworkPolicy>", journey);
    let iefctl = IefCtl::with_files([("p/Base.xml", &base)]).args(["validate", "p", "--fix"]);
    let finished = iefctl.run();
    assert!(
        finished.stderr.contains("fixed 1 finding"),
        "{}{}",
        finished.stderr,
        finished.stdout
    );
    assert_eq!(
        iefctl.read("p/Base.xml"),
        base.replace("Order='3'", "Order='2'")
    );

    let extensions = base.replace("B2C_1A_Base", "B2C_1A_Extensions").replace(
        "  <BuildingBlocks>",
        "  <BasePolicy>\n    <TenantId>contoso.onmicrosoft.com</TenantId>\n    \
             <PolicyId>B2C_1A_Base</PolicyId>\n  </BasePolicy>\n  <BuildingBlocks>",
    );
    iefctl.write("p/Base.xml", &base);
    iefctl.write("p/Extensions.xml", &extensions);
    iefctl.run().expect(1).says("nothing to fix");
    assert_eq!(iefctl.read("p/Base.xml"), base);
    assert_eq!(iefctl.read("p/Extensions.xml"), extensions);
}

#[cfg(unix)]
#[test]
fn one_file_that_cannot_be_written_keeps_all_from_being_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let other = policy(&["objetcId"]).replace("B2C_1A_Base", "B2C_1A_Other");
    let iefctl = IefCtl::with_files([("p/A.xml", policy(&["objetcId"])), ("p/B.xml", other)])
        .args(["validate", "p", "--fix"]);
    let locked = iefctl.path("p/B.xml");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o440)).unwrap();
    let before = iefctl.content();
    iefctl
        .run()
        .expect(2)
        .says("`p/B.xml` is read-only; no file was changed");
    assert_eq!(iefctl.content(), before);
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o640)).unwrap();
    let finished = iefctl.run();
    assert!(
        finished.stderr.contains("fixed 2 findings in 2 files"),
        "{}",
        finished.stderr
    );
    let mode = std::fs::metadata(&locked).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
}
