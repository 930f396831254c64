use iefctl::diagnostics::{Diagnostic, Location, Span};
use iefctl::output::Format;

use crate::sample::REF_CLAIM_TYPE;
use crate::{rendered, sample};

#[test]
fn the_sample() {
    insta::assert_snapshot!(rendered(&sample::report(), Format::Markdown));
}

#[test]
fn hostile_text_stays_in_its_cell() {
    let text = rendered(&sample::report(), Format::Markdown);
    assert!(
        !text.contains("<script>") && !text.contains("@team"),
        "{text}"
    );
    let rows = text.lines().filter(|line| line.starts_with("| "));
    for row in rows {
        let bars = row.replace("\\\\", "").replace("\\|", "");
        assert_eq!(bars.matches('|').count(), 5, "{row}");
    }
}

#[test]
fn a_comment_is_never_too_long() {
    let mut report = sample::report();
    let (source, _) = report.sources.iter().next().expect("there are sources");
    for number in 0..5_000 {
        let location = Location {
            source,
            span: Span::new(1, 5),
        };
        let message = format!("finding {number} with a message of some length");
        report
            .diagnostics
            .push(Diagnostic::new(&REF_CLAIM_TYPE, location, message));
    }
    let text = rendered(&report, Format::Markdown);
    assert!(text.len() < 65_536, "{} bytes", text.len());
    assert!(text.contains("5004 errors"), "the counts are complete");
    assert!(
        text.contains("more findings\n"),
        "what is left out is counted"
    );
    assert_eq!(
        text.matches("<details>").count(),
        text.matches("</details>").count()
    );
}

#[test]
fn without_findings_there_is_no_table() {
    let mut report = sample::report();
    report.diagnostics.clear();
    assert_eq!(
        rendered(&report, Format::Markdown),
        "### iefctl\n\n**5 policies checked: no problems found**\n"
    );
}
