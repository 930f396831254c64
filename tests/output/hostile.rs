//! Arbitrary messages, paths, texts and spans in every format.

use clap::ValueEnum as _;
use iefctl::diagnostics::{
    Diagnostic, Edit, Level, Location, Report, Rule, Source, SourceMap, Span,
};
use iefctl::output::graph::{self, PolicyNode, PolicyTree};
use iefctl::output::{Format, Style, human};
use proptest::prelude::*;
use roxmltree::Document;

use crate::ci::{azure_command, github_command};
use crate::rendered;
use crate::sample::{HOSTILE, REF_CLAIM_TYPE, UNUSED, WRONG_TENANT};

/// Text with many of the characters that mean something to one of the formats.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => any::<char>().prop_map(String::from),
        4 => "[a-z<>/=\" ]{1,8}",
        4 => prop::sample::select(vec![
            "\r\n", "\n", "\r", "\t", "%0A", "%", "::", "##vso[", "##[", "]", ";", ",", "|", "`",
            "```", "]]>", "&", "\u{1b}[0m", "\u{0}", "\u{202e}", "検", "e\u{301}", "👩‍👩‍👧",
            "\u{2028}", "\u{85}", "\u{feff}", "\u{200b}",
        ]).prop_map(str::to_owned),
        1 => "[x]{200,900}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn finding(sources: usize) -> impl Strategy<Value = RawFinding> {
    (
        prop::sample::select(vec![&REF_CLAIM_TYPE, &WRONG_TENANT, &UNUSED, &HOSTILE]),
        text(),
        place(sources),
        prop::option::of(text()),
        prop::collection::vec((place(sources), text()), 0..4),
        prop::collection::vec((place(sources), text()), 0..3),
    )
        .prop_map(|(rule, message, place, word, related, edits)| RawFinding {
            rule,
            message,
            place,
            word,
            related,
            edits,
        })
}

type RawPlace = (usize, prop::sample::Index, prop::sample::Index);

#[derive(Debug, Clone)]
struct RawFinding {
    rule: &'static Rule,
    message: String,
    place: RawPlace,
    word: Option<String>,
    related: Vec<(RawPlace, String)>,
    edits: Vec<(RawPlace, String)>,
}

fn place(sources: usize) -> impl Strategy<Value = RawPlace> {
    (
        0..sources,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    )
}

fn report() -> impl Strategy<Value = Report> {
    let sources = prop::collection::vec((text(), text()), 3);
    let findings = prop::collection::vec(finding(3), 0..6);
    (sources, findings).prop_map(|(texts, findings)| {
        let mut sources = SourceMap::new();
        let ids: Vec<_> = texts
            .iter()
            .map(|(name, text)| sources.add(Source::new(name.clone(), text.clone())))
            .collect();
        let location = |(source, from, to): RawPlace| {
            let text = &texts[source].1;
            let offsets: Vec<u32> = text
                .char_indices()
                .map(|(offset, _)| offset as u32)
                .chain([text.len() as u32])
                .collect();
            let (from, to) = (from.index(offsets.len()), to.index(offsets.len()));
            Location {
                source: ids[source],
                span: Span::new(offsets[from.min(to)], offsets[from.max(to)]),
            }
        };
        let diagnostics = findings
            .into_iter()
            .map(|raw| {
                let mut diagnostic = Diagnostic::new(raw.rule, location(raw.place), &raw.message)
                    .help(&raw.message)
                    .service_message(&raw.message)
                    .policy_id(&raw.message);
                diagnostic.primary.message = raw.word;
                for (place, word) in raw.related {
                    diagnostic = diagnostic.related(location(place), word);
                }
                let edits = raw.edits.into_iter().map(|(place, replacement)| Edit {
                    location: location(place),
                    replacement,
                });
                diagnostic.fix(raw.message, edits.collect())
            })
            .collect();
        Report {
            sources,
            diagnostics,
            policies: 3,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_report_breaks_a_format(report in report(), width in 0_usize..150, verbose: bool) {
        for format in Format::value_variants() {
            rendered(&report, *format);
        }
        let style = Style { width, verbose, colour: true, ..Style::default() };
        human::render(&report, style, &mut Vec::new()).expect("a Vec takes everything");
    }

    #[test]
    fn machine_formats_stay_well_formed(report in report()) {
        for format in [Format::Json, Format::Sarif] {
            let text = rendered(&report, format);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        }
        let text = rendered(&report, Format::Junit);
        let parsed = Document::parse(&text);
        prop_assert!(parsed.is_ok(), "{:?} in {text}", parsed.err());
    }

    #[test]
    fn ci_lines_are_one_per_finding(report in report()) {
        let github = rendered(&report, Format::Github);
        prop_assert_eq!(github.split(['\n', '\r']).count(), report.diagnostics.len() + 2);
        let commands = github.lines().filter(|line| github_command(line).is_some()).count();
        prop_assert_eq!(commands, report.diagnostics.len());

        let azure = rendered(&report, Format::Azure);
        prop_assert_eq!(azure.split(['\n', '\r']).count(), report.diagnostics.len() + 2);
        let commands = azure.lines().filter(|line| azure_command(line).is_some()).count();
        let issues = report.diagnostics.iter().filter(|finding| finding.level > Level::Hint).count();
        prop_assert_eq!(commands, issues);
    }

    #[test]
    fn human_text_controls_no_terminal_and_no_agent(report in report(), verbose: bool) {
        let mut out = Vec::new();
        let style = Style { verbose, ..Style::default() };
        human::render(&report, style, &mut out).expect("a Vec takes everything");
        let text = String::from_utf8(out).expect("it is UTF-8");
        let controls = |c: char| c.is_control() && c != '\n';
        prop_assert!(!text.contains(controls), "{text:?}");
        prop_assert!(text.lines().all(|line| azure_command(line).is_none()), "{text}");
        prop_assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{text}");
    }

    #[test]
    fn any_graph_is_drawn(edges in prop::collection::vec((0_usize..8, prop::option::of(0_usize..10)), 0..12), hostile in text()) {
        let nodes: Vec<PolicyNode> = edges
            .iter()
            .map(|(id, base)| PolicyNode {
                id: format!("P{id}{hostile}"),
                base: base.map(|base| format!("P{base}{hostile}")),
                journeys: vec![hostile.clone()],
                ..PolicyNode::default()
            })
            .collect();
        let tree = PolicyTree { nodes };
        let mut out = Vec::new();
        graph::text(&tree, true, &mut out).expect("a Vec takes everything");
        let drawn = String::from_utf8(out).expect("it is UTF-8");
        prop_assert!(drawn.lines().count() >= tree.nodes.len());
        let mermaid = graph::mermaid(&tree);
        let is_mermaid = mermaid.lines().all(|line| line == "graph TD" || line.starts_with("  p"));
        prop_assert!(is_mermaid, "{mermaid}");
        let dot = graph::dot(&tree);
        let is_dot = dot.starts_with("digraph") && dot.ends_with("}\n");
        prop_assert!(is_dot, "{dot}");
    }
}
