//! GitHub and Azure read lines; the parsers here undo the escapes as the runners do.

use std::collections::BTreeMap;

use iefctl::output::{Format, azure, github};

use crate::{rendered, sample};

/// A command as the runner understands it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) message: String,
}

/// `::name key=value,key=value::message`, as GitHub's runner parses it.
pub(crate) fn github_command(line: &str) -> Option<Command> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, message) = rest.split_once("::")?;
    let (name, list) = head.split_once(' ').unwrap_or((head, ""));
    let unescaped = |text: &str| {
        text.replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%")
    };
    let properties = list
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), unescaped(value)))
        .collect();
    let message = message
        .replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%25", "%");
    Some(Command {
        name: name.to_owned(),
        properties,
        message,
    })
}

/// `##vso[area.action key=value;…]message` anywhere in a line, as the agent parses it.
pub(crate) fn azure_command(line: &str) -> Option<Command> {
    let start = line.to_ascii_lowercase().find("##vso[")?;
    let rest = &line[start + "##vso[".len()..];
    let (head, message) = rest.split_once(']')?;
    let (name, list) = head.split_once(' ').unwrap_or((head, ""));
    let unescaped = |text: &str| {
        text.replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%5D", "]")
            .replace("%3B", ";")
            .replace("%AZP25", "%")
    };
    let properties = list
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), unescaped(value)))
        .collect();
    let message = message
        .replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%AZP25", "%");
    Some(Command {
        name: name.to_owned(),
        properties,
        message,
    })
}

/// What is left of a text for which both systems have escapes: no control characters.
fn shown(text: &str) -> String {
    text.replace(['\u{1b}', '\u{0}', '\u{202e}'], "\u{fffd}")
}

#[test]
fn github_sample() {
    insta::assert_snapshot!(rendered(&sample::report(), Format::Github));
}

#[test]
fn azure_sample() {
    insta::assert_snapshot!(rendered(&sample::report(), Format::Azure));
}

#[test]
fn github_summary() {
    let summary = github::summary_markdown(&sample::report(), Some("graph TD\n  p0[\"a\"]\n"));
    assert!(
        summary.contains("\n```mermaid\ngraph TD\n  p0[\"a\"]\n```\n"),
        "{summary}"
    );
    assert!(!github::summary_markdown(&sample::report(), None).contains("mermaid"));
}

#[test]
fn github_reads_back_what_was_found() {
    let report = sample::report();
    let text = rendered(&report, Format::Github);
    let commands: Vec<Command> = text.lines().filter_map(github_command).collect();
    assert_eq!(commands.len(), report.diagnostics.len());
    for (command, diagnostic) in commands.iter().zip(&report.diagnostics) {
        let level = match diagnostic.level.to_string().as_str() {
            "hint" => "notice".to_owned(),
            level => level.to_owned(),
        };
        assert_eq!(command.name, level);
        let property = |name: &str| command.properties.get(name).cloned();
        let source = report.sources.get(diagnostic.primary.location.source);
        assert_eq!(property("file").as_deref(), Some(source.name()));
        let (start, end) = report.sources.position(diagnostic.primary.location);
        assert_eq!(property("line"), Some(start.line.to_string()));
        assert_eq!(property("endLine"), Some(end.line.to_string()));
        let one_line = start.line == end.line;
        assert_eq!(property("col"), one_line.then(|| start.column.to_string()));
        assert_eq!(
            property("endColumn"),
            one_line.then(|| end.column.to_string())
        );
        assert_eq!(
            property("title"),
            Some(format!("iefctl ({})", diagnostic.rule.id))
        );
        assert!(command.message.starts_with(&shown(&diagnostic.message)));
    }
}

#[test]
fn azure_reads_back_what_was_found() {
    let report = sample::report();
    let text = rendered(&report, Format::Azure);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), report.diagnostics.len() + 1);
    for (line, diagnostic) in lines.iter().zip(&report.diagnostics) {
        let command = azure_command(line);
        if diagnostic.level.to_string() == "hint" {
            assert_eq!(command, None);
            assert!(line.starts_with("hint["), "{line}");
            continue;
        }
        let command = command.expect("errors and warnings are commands");
        assert_eq!(command.name, "task.logissue");
        let property = |name: &str| command.properties.get(name).cloned();
        let source = report.sources.get(diagnostic.primary.location.source);
        let (start, _) = report.sources.position(diagnostic.primary.location);
        assert_eq!(property("type"), Some(diagnostic.level.to_string()));
        assert_eq!(property("sourcepath").as_deref(), Some(source.name()));
        assert_eq!(property("linenumber"), Some(start.line.to_string()));
        assert_eq!(property("columnnumber"), Some(start.column.to_string()));
        assert_eq!(property("code").as_deref(), Some(diagnostic.rule.id));
        assert!(command.message.starts_with(&shown(&diagnostic.message)));
    }
}

#[test]
fn azure_uploads_a_summary() {
    assert_eq!(
        azure::upload_summary("out/50%/summary.md"),
        "##vso[task.uploadsummary]out/50%AZP25/summary.md"
    );
    assert!(azure::summary_markdown(&sample::report()).contains("| Level |"));
}
