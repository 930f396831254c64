//! The formats of `iefctl validate` where they meet files and CI systems.

use serde_json::Value;

use crate::fixture::{IefCtl, policy};

fn faulty() -> IefCtl {
    IefCtl::with_files([("p/Base.xml", policy(&["nothingLikeIt"]))])
}

#[test]
fn azure_pipelines_get_issues_and_a_summary_page() {
    let iefctl = faulty().args(["validate", "p"]).env("TF_BUILD", "True");
    let agent = iefctl.path("agent");
    std::fs::create_dir(&agent).unwrap();
    let iefctl = iefctl.env("AGENT_TEMPDIRECTORY", &agent);
    for name in ["iefctl.md", "iefctl-2.md"] {
        let page = agent.join(name);
        iefctl
            .run()
            .expect(1)
            .shows("##vso[task.logissue type=error;sourcepath=p/Base.xml;linenumber=23;")
            .shows(&format!("\n##vso[task.uploadsummary]{}\n", page.display()));
        let text = std::fs::read_to_string(page).unwrap();
        assert!(text.contains("| ref-claimtype |"), "{text}");
    }
    // Asked for outside of a pipeline, nobody would read the page.
    let outside = faulty().args(["validate", "p", "--format", "azure"]);
    let before = outside.content();
    let finished = outside.run().expect(1).shows("##vso[task.logissue");
    assert!(!finished.stdout.contains("uploadsummary"));
    assert_eq!(outside.content(), before);
}

#[test]
fn github_gets_annotations_and_a_job_summary_behind_what_is_there() {
    let iefctl = faulty()
        .args(["validate", "p"])
        .env("GITHUB_ACTIONS", "true");
    iefctl.write("summary.md", "# earlier step\n");
    let iefctl = iefctl.env("GITHUB_STEP_SUMMARY", "summary.md");
    iefctl
        .run()
        .expect(1)
        .shows("::error file=p/Base.xml,line=23,endLine=23,col=51,");
    let summary = iefctl.read("summary.md");
    assert!(summary.starts_with("# earlier step\n"), "{summary}");
    assert!(summary.contains("| ref-claimtype |"), "{summary}");
    assert!(summary.contains("```mermaid\n"), "{summary}");
    assert!(summary.contains("B2C_1A_Base"), "{summary}");

    faulty()
        .args(["validate", "p"])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", "no/such/folder/summary.md")
        .run()
        .expect(2)
        .says("cannot write the job summary to `no/such/folder/summary.md`");
}

#[test]
fn a_report_in_a_file_leaves_the_terminal_to_people() {
    for (name, start) in [
        ("out.sarif", "{"),
        ("out.sarif.json", "{"),
        ("out.json", "{"),
        ("out.junit.xml", "<?xml"),
        ("out.md", "### iefctl"),
        ("out.txt", "error[ref-claimtype]"),
    ] {
        let iefctl = faulty().args(["validate", "p", "--output", name]);
        let finished = iefctl.run().expect(1).says("ref-claimtype").says("1 error");
        assert_eq!(finished.stdout, "", "{name}");
        let text = iefctl.read(name);
        assert!(text.starts_with(start), "{name}: {text}");
        assert!(text.contains("nothingLikeIt"), "{name}: {text}");
        assert!(!text.contains('\u{1b}'), "{name}: {text}");
    }
    let iefctl = faulty().args(["validate", "p", "--output", "x", "--format", "sarif", "-q"]);
    iefctl.write("x", "an older and longer report".repeat(1000));
    let finished = iefctl.run().expect(1);
    assert_eq!(finished.stderr, "");
    let sarif: Value = serde_json::from_str(&iefctl.read("x")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
}

#[test]
fn a_report_overwrites_nothing_that_is_validated() {
    for name in ["p/Base.xml", "p/../p/Base.xml", "iefctl.toml"] {
        let iefctl = faulty().args(["validate", "p", "--output", name]);
        iefctl.write("iefctl.toml", "");
        let before = iefctl.content();
        iefctl.run().expect(2).says("--output would overwrite");
        assert_eq!(iefctl.content(), before);
    }
    // The report of the last run lies among the policies, but is none.
    let iefctl = faulty().args(["validate", "p", "--output", "p/report.xml"]);
    for _ in 0..2 {
        iefctl.run().expect(1);
        assert!(iefctl.read("p/report.xml").contains("<testsuites"));
    }
    for name in ["no/such/folder.json", "p"] {
        let iefctl = faulty().args(["validate", "p", "--output", name]);
        let before = iefctl.content();
        iefctl
            .run()
            .expect(2)
            .says(&format!("cannot write the report to `{name}`"));
        assert_eq!(iefctl.content(), before);
    }
}

#[test]
fn sets_of_one_run_are_told_together_and_apart() {
    // Both sets hold a policy of the same id, which is no duplicate across sets.
    let iefctl = IefCtl::with_files([
        ("one/Base.xml", policy(&["nothingLikeIt"])),
        ("two/Base.xml", policy(&["objectId"])),
        ("three/Base.xml", policy(&["neitherThis"])),
    ])
    .args(["validate", "one", "two", "three", "--format", "json"]);
    let finished = iefctl.run().expect(1);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(report["summary"]["policies"], 3);
    assert_eq!(report["summary"]["errors"], 2);
    let mut files: Vec<&str> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == "ref-claimtype")
        .map(|finding| finding["file"].as_str().unwrap())
        .collect();
    files.sort_unstable();
    assert_eq!(files, ["one/Base.xml", "three/Base.xml"]);
}

#[test]
fn a_file_that_two_sets_share_is_fixed_once() {
    let iefctl = IefCtl::with_files([("p/q/Base.xml", policy(&["objetcId"]))])
        .args(["validate", "p", "p/q", "--fix"]);
    iefctl.run().expect(0).says("in 1 file");
    assert_eq!(iefctl.read("p/q/Base.xml"), policy(&["objectId"]));
}

#[test]
fn a_setting_that_several_files_miss_is_one_finding() {
    let of = |id: &str| {
        policy(&["objectId"])
            .replace("B2C_1A_Base", id)
            .replace("Object id", "{Settings:Label}")
            .replace(">Name<", ">{Settings:label}<")
    };
    let iefctl = IefCtl::with_files([
        ("p/A.xml", of("B2C_1A_A")),
        ("p/B.xml", of("B2C_1A_B")),
        ("p/C.xml", of("B2C_1A_C").replace("{Settings:Label}", "x")),
        (
            "iefctl.toml",
            "[environments.dev]\ntenant = \"contoso.onmicrosoft.com\"\n".to_owned(),
        ),
    ]);
    let mut iefctl = iefctl;
    for more in [&[][..], &["--suffix", "_copy"], &["--renumber-steps"]] {
        let args = ["validate", "p", "-e", "dev", "--format", "json"];
        iefctl = iefctl.args(args.iter().chain(more).copied());
        let finished = iefctl.run().expect(1);
        let report: Value = serde_json::from_str(&finished.stdout).unwrap();
        let findings = report["diagnostics"].as_array().unwrap();
        let found: Vec<_> = findings
            .iter()
            .filter(|finding| finding["rule"] == "settings-undefined")
            .collect();
        let [found] = found[..] else {
            panic!("{findings:#?}");
        };
        assert_eq!(
            found["message"],
            "setting `Label` is not defined, but used 5 times in 3 files"
        );
        assert_eq!(
            [&found["file"], &found["line"].to_string().into()],
            ["p/A.xml", "6"]
        );
        let related = found["related"].as_array().unwrap();
        let files: Vec<_> = related.iter().map(|label| &label["file"]).collect();
        assert_eq!(files, ["p/B.xml", "p/C.xml"]);
    }
}
