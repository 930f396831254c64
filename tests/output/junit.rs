use iefctl::output::Format;
use roxmltree::Document;

use crate::{rendered, sample};

#[test]
fn the_sample() {
    let text = rendered(&sample::report(), Format::Junit);
    insta::assert_snapshot!(text.replace('\u{202e}', "(U+202E)"));
}

#[test]
fn a_suite_per_file_and_a_case_per_rule() {
    let report = sample::report();
    let text = rendered(&report, Format::Junit);
    let document = Document::parse(&text).expect("it is XML");
    let root = document.root_element();
    let suites: Vec<_> = root.children().filter(|node| node.is_element()).collect();
    let names: Vec<_> = suites.iter().map(|suite| suite.attribute("name")).collect();
    let files: Vec<_> = report
        .sources
        .iter()
        .map(|(_, source)| Some(source.name()))
        .collect();
    assert_eq!(names, files);

    let count = |name: &str| {
        document
            .descendants()
            .filter(|node| node.has_tag_name(name))
            .count()
            .to_string()
    };
    assert_eq!(root.attribute("tests"), Some(count("testcase").as_str()));
    assert_eq!(root.attribute("failures"), Some(count("failure").as_str()));
    for suite in suites {
        let cases = suite
            .children()
            .filter(|node| node.has_tag_name("testcase"));
        assert_eq!(
            suite.attribute("tests"),
            Some(cases.count().to_string().as_str())
        );
    }
    let clean = document
        .descendants()
        .find(|node| node.attribute("classname") == Some("policies/Clean.xml"))
        .expect("a file without findings is a case");
    assert!(!clean.has_children());
}

#[test]
fn a_message_arrives_but_for_what_xml_cannot_say() {
    let text = rendered(&sample::report(), Format::Junit);
    let document = Document::parse(&text).expect("it is XML");
    let failure = document
        .descendants()
        .filter(|node| node.has_tag_name("failure"))
        .find(|node| {
            node.parent_element()
                .and_then(|case| case.attribute("name"))
                == Some("hostile-text")
        })
        .expect("the sample has it");
    let expected = sample::HOSTILE_MESSAGE.replace(['\u{1b}', '\u{0}'], "\u{fffd}");
    assert_eq!(failure.attribute("message"), Some(expected.as_str()));
    assert!(failure.text().expect("it has text").contains(&expected));
}
