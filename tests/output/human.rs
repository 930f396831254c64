use iefctl::diagnostics::{Diagnostic, Level, Location, Report, Source, SourceMap, Span};
use iefctl::output::{Format, Style, human};

use crate::rendered;
use crate::sample::{self, REF_CLAIM_TYPE, UNUSED};

fn styled(report: &Report, style: Style) -> String {
    let mut out = Vec::new();
    human::render(report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A report with one error at `span` of `text`.
fn one(text: &str, span: Span) -> Report {
    let mut sources = SourceMap::new();
    let source = sources.add(Source::new("a.xml", text));
    let location = Location { source, span };
    Report {
        sources,
        diagnostics: vec![Diagnostic::new(&REF_CLAIM_TYPE, location, "wrong").label("here")],
        policies: 1,
    }
}

#[test]
fn the_sample() {
    insta::assert_snapshot!(rendered(&sample::report(), Format::Human));
}

#[test]
fn verbose_shows_hints_with_their_source() {
    let style = Style {
        verbose: true,
        ..Style::default()
    };
    insta::assert_snapshot!(styled(&sample::report(), style));
}

#[test]
fn colours_only_when_asked_and_the_text_stays_the_same() {
    let report = sample::report();
    let plain = styled(&report, Style::default());
    let coloured = styled(
        &report,
        Style {
            colour: true,
            ..Style::default()
        },
    );
    assert!(!plain.contains('\u{1b}'));
    assert!(coloured.contains('\u{1b}'));
    let stripped = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(stripped, plain);
}

#[test]
fn a_limit_keeps_the_worst_and_counts_the_others() {
    let report = sample::report();
    let style = Style {
        limit: Some(2),
        ..Style::default()
    };
    let text = styled(&report, style);
    assert_eq!(text.matches("error[").count(), 2);
    assert_eq!(text.matches("warning[").count(), 0);
    assert!(text.contains("… and 7 more"), "{text}");
    assert!(
        text.ends_with("5 policies checked: 4 errors, 3 warnings, 2 hints\n"),
        "{text}"
    );
    let all = Style {
        limit: Some(9),
        ..Style::default()
    };
    assert_eq!(styled(&report, all), styled(&report, Style::default()));
}

#[test]
fn the_last_line_counts_in_english() {
    let mut report = one("<a/>", Span::new(1, 2));
    assert!(styled(&report, Style::default()).ends_with("\n1 policy checked: 1 error\n"));
    report.diagnostics[0].level = Level::Hint;
    report.policies = 0;
    assert!(styled(&report, Style::default()).ends_with("\n0 policies checked: 1 hint\n"));
    report.diagnostics.clear();
    report.policies = 6;
    assert_eq!(
        styled(&report, Style::default()),
        "6 policies checked: no problems found\n"
    );
}

#[test]
fn no_line_of_source_is_wider_than_the_terminal() {
    for width in [40, 60, 100, 200] {
        let style = Style {
            width,
            verbose: true,
            ..Style::default()
        };
        let text = styled(&sample::report(), style);
        let is_source = |line: &&str| {
            let number = line.split('|').next().unwrap_or_default().trim();
            !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
        };
        let source_lines: Vec<&str> = text.lines().filter(is_source).collect();
        assert!(source_lines.len() > 10, "{text}");
        for line in source_lines {
            assert!(line.chars().count() <= width, "{width} columns: {line}");
        }
    }
}

#[test]
fn the_carets_stand_below_the_label() {
    // (text, span, the text that must be underlined)
    let long = format!("{}<needle/>{}", "x".repeat(2_000), "y".repeat(2_000));
    let start = 2_001;
    let cases = [
        ("\t\t<b/>\r\n", Span::new(3, 4), "b"),
        ("<a/>\r\n<b/>\r\n", Span::new(7, 8), "b"),
        ("äöü<b/>", Span::new(7, 8), "b"),
        (long.as_str(), Span::new(start, start + 6), "needle"),
    ];
    for (text, span, expected) in cases {
        let drawn = styled(&one(text, span), Style::default());
        let lines: Vec<&str> = drawn.lines().collect();
        let carets = lines
            .iter()
            .position(|line| line.contains('^'))
            .expect("something is underlined");
        let column = lines[carets].find('^').expect("it is this line");
        let length = lines[carets].matches('^').count();
        let underlined: String = lines[carets - 1]
            .chars()
            .skip(column)
            .take(length)
            .collect();
        assert_eq!(underlined, expected, "{drawn}");
    }
}

#[test]
fn the_place_counts_in_the_whole_line_even_where_it_is_cut() {
    let text = styled(&sample::report(), Style::default());
    assert!(text.contains("--> policies/Long.xml:1:1511"), "{text}");
}

#[test]
fn odd_spans_are_drawn() {
    let text = "<a>\r\n\r\n  <b/>\n</a>\n";
    let len = text.len() as u32;
    for start in 0..=len {
        for end in start..=len {
            let drawn = styled(&one(text, Span::new(start, end)), Style::default());
            assert!(drawn.contains("--> a.xml:"), "{start}..{end}: {drawn}");
            assert!(drawn.contains("here"), "{start}..{end}: {drawn}");
        }
    }
}

#[test]
fn an_empty_file_can_have_a_finding() {
    insta::assert_snapshot!(styled(&one("", Span::at(0)), Style::default()));
}

#[test]
fn hints_are_lines_that_say_where() {
    let text = rendered(&sample::report(), Format::Human);
    let line = format!("hint[{}]: policies/Base.xml:3:18: nothing uses", UNUSED.id);
    assert!(text.contains(&line), "{text}");
}
