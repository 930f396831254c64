//! A file that cannot be read: it is an error of its own, and keeps nobody from hearing of the others.
//! Nothing is corrected, built or deployed without it.

use serde_json::Value;

use crate::fixture::{IefCtl, policy};

const LATIN: &[u8] = b"<?xml version=\"1.0\"?>\n<a>f\xfcr</a>";

/// A mistake in one file, and one file beside it that is no UTF-8.
fn mixed() -> IefCtl {
    IefCtl::with_files([
        ("p/A.xml", policy(&["nothingLikeIt"]).into_bytes()),
        ("p/B.xml", LATIN.to_vec()),
    ])
}

#[test]
fn every_format_tells_it_beside_the_findings_of_the_others() {
    for format in [
        "human", "json", "sarif", "github", "azure", "junit", "markdown",
    ] {
        let iefctl = mixed().args(["validate", "p", "--format", format]);
        let before = iefctl.content();
        iefctl
            .run()
            .expect(2)
            .shows("file-unreadable")
            .shows("p/B.xml")
            .shows("0xFC")
            .shows("ref-claimtype")
            .shows("nothingLikeIt");
        assert_eq!(iefctl.content(), before, "{format}");
    }
}

#[test]
fn its_place_is_the_first_wrong_byte() {
    let iefctl = mixed().args(["validate", "p", "--format", "json"]);
    let finished = iefctl.run().expect(2);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    let diagnostics = report["diagnostics"].as_array().unwrap();
    let found = diagnostics
        .iter()
        .find(|finding| finding["rule"] == "file-unreadable")
        .unwrap();
    assert_eq!(found["level"], "error");
    assert_eq!(
        [&found["line"], &found["column"], &found["endColumn"]],
        [2, 5, 6]
    );
    assert_eq!(report["summary"]["errors"], 2, "{report}");
    assert_eq!(report["summary"]["policies"], 1, "{report}");
}

#[test]
fn nothing_that_follows_from_it_is_told() {
    // Its heir, a setting that only it uses, and what only it refers to.
    let heir = policy(&["objectId"])
        .replace("B2C_1A_Base", "B2C_1A_Heir")
        .replace(
            "  <BuildingBlocks>",
            "  <BasePolicy>\n    <TenantId>contoso.onmicrosoft.com</TenantId>\n    \
             <PolicyId>B2C_1A_Base</PolicyId>\n  </BasePolicy>\n  <BuildingBlocks>",
        );
    let mut base = policy(&["objectId"])
        .replace("Object id", "{Settings:Label}~")
        .into_bytes();
    let iefctl = IefCtl::with_files([("Heir.xml", heir.into_bytes())]);
    iefctl.write(
        "iefctl.toml",
        "[environments.dev]\ntenant = \"contoso.onmicrosoft.com\"\nsettings = { Label = \"x\" }\n",
    );
    iefctl.write("Base.xml", &base);
    let iefctl = iefctl.args(["validate", "-e", "dev", "--format", "json"]);
    let told = |iefctl: &IefCtl, status: i32| {
        let finished = iefctl.run().expect(status);
        let report: Value = serde_json::from_str(&finished.stdout).unwrap();
        let findings = report["diagnostics"].as_array().unwrap().clone();
        let rules = findings
            .iter()
            .map(|it| it["rule"].as_str().unwrap().to_owned());
        rules.collect::<Vec<_>>()
    };
    let sound = told(&iefctl, 0);
    let place = base.iter().position(|byte| *byte == b'~').unwrap();
    base[place] = 0xfc;
    iefctl.write("Base.xml", &base);
    let broken = told(&iefctl, 2);
    let news: Vec<_> = broken.iter().filter(|rule| !sound.contains(rule)).collect();
    assert_eq!(news, ["file-unreadable"]);
}

#[test]
fn a_set_of_nothing_else_is_no_success() {
    let iefctl = IefCtl::with_files([("p/B.xml", LATIN)]).args(["validate", "p"]);
    iefctl.run().expect(2).shows("p/B.xml:2:5");
    let other = IefCtl::with_files([("p/B.xml", LATIN), ("p/pom.xml", b"<project/>")]);
    let other = other.args(["validate", "p"]);
    other.run().expect(2).shows("p/B.xml:2:5");
}

#[test]
fn a_base_of_with_is_told_too() {
    let iefctl = IefCtl::with_files([
        ("p/A.xml", policy(&["nothingLikeIt"]).into_bytes()),
        ("bases/B.xml", LATIN.to_vec()),
    ])
    .args(["validate", "p", "--with", "bases"]);
    iefctl
        .run()
        .expect(2)
        .shows("bases/B.xml:2:5")
        .shows("nothingLikeIt");
}

#[test]
fn its_level_cannot_be_changed() {
    let iefctl = mixed().args(["validate", "p"]);
    iefctl.write("iefctl.toml", "[rules]\nfile-unreadable = \"off\"\n");
    iefctl
        .run()
        .expect(2)
        .says("iefctl.toml:2:1")
        .says("the level of `file-unreadable` cannot be changed");
    iefctl.write("iefctl.toml", "[rules]\nref-claimtype = \"off\"\n");
    let finished = iefctl.run().expect(2).shows("file-unreadable");
    assert!(!finished.stdout.contains("nothingLikeIt"));
}

#[test]
fn a_report_does_not_overwrite_it() {
    let iefctl = mixed().args(["validate", "p", "--output", "p/B.xml"]);
    let before = iefctl.content();
    iefctl.run().expect(2).says("would overwrite `p/B.xml`");
    assert_eq!(iefctl.content(), before);
}

#[test]
fn who_writes_does_not_go_on() {
    let sound = policy(&["objetcId"]);
    let files = [
        ("p/A.xml", sound.as_bytes()),
        ("p/B.xml", LATIN),
        (
            "iefctl.toml",
            b"[environments.dev]\ntenant = \"contoso.onmicrosoft.com\"\n",
        ),
    ];
    for args in [
        &["validate", "p", "--fix"][..],
        &["validate", "p", "--fix", "--dry-run"],
        &["plan", "p", "-e", "dev", "--emulator"],
        &["deploy", "p", "-e", "dev", "--emulator", "--yes"],
        &["build", "p", "-e", "dev", "--output", "out"],
        &["graph", "p"],
    ] {
        let iefctl = IefCtl::with_files(files).args(args.iter().copied());
        let before = iefctl.content();
        let finished = iefctl
            .run()
            .expect(2)
            .says("p/B.xml:2:5: the file is not UTF-8");
        assert_eq!(finished.stdout, "", "{args:?}");
        assert_eq!(iefctl.content(), before, "{args:?}");
    }
}

#[test]
fn several_environments_tell_it_in_each() {
    let iefctl = mixed().args(["validate", "p", "--all-environments"]);
    iefctl.write(
        "iefctl.toml",
        "[environments.dev]\ntenant = \"contoso.onmicrosoft.com\"\n\
         [environments.test]\ntenant = \"fabrikam.onmicrosoft.com\"\n",
    );
    iefctl
        .run()
        .expect(2)
        .shows("p/B.xml:2:5")
        .shows("nothingLikeIt")
        .says("0 of 2 environments");
}

#[cfg(unix)]
#[test]
fn what_is_locked_or_gone_is_told_beside_the_others() {
    use std::os::unix::fs::symlink;

    let iefctl = IefCtl::with_files([
        ("p/A.xml", policy(&["nothingLikeIt"])),
        ("p/locked/B.xml", policy(&["objectId"])),
        ("p/C.xml", policy(&["objectId"]).replace("_Base", "_C")),
    ])
    .args(["validate", "p"]);
    symlink("gone.xml", iefctl.path("p/broken.xml")).unwrap();
    iefctl
        .run()
        .expect(2)
        .shows("cannot read `p/broken.xml`")
        .shows("nothingLikeIt");
    std::fs::remove_file(iefctl.path("p/broken.xml")).unwrap();
    for path in ["p/locked", "p/C.xml"] {
        if let Some(finished) = iefctl.run_locked_out_of(path) {
            finished
                .expect(2)
                .shows(&format!("cannot read `{path}`"))
                .shows("nothingLikeIt");
        }
    }
}

#[cfg(unix)]
#[test]
fn what_the_configuration_leaves_out_need_not_be_there() {
    use std::os::unix::fs::symlink;

    let sound = policy(&["objectId"]);
    let iefctl = IefCtl::with_files([
        ("p/A.xml", sound.as_str()),
        ("p/locked/B.xml", sound.as_str()),
    ])
    .args(["validate", "p"]);
    symlink("gone.xml", iefctl.path("p/broken.xml")).unwrap();
    for (exclude, status) in [
        ("'broken.xml', 'locked'", 0),
        ("'b*.xml', 'p/locked/**'", 0),
        ("'broken.xml'", 2),
        ("'locked'", 2),
        ("'broken.xml', 'p/locked/B*'", 2),
    ] {
        iefctl.write("iefctl.toml", format!("exclude = [{exclude}]\n"));
        if let Some(finished) = iefctl.run_locked_out_of("p/locked") {
            finished.expect(status);
        }
    }
}
