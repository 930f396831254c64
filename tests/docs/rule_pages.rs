//! The pages of the rules in `docs/rules`, and the three files that are written from
//! the list of rules:
//! `UPDATE=1 cargo test --test docs` writes them anew.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use iefctl::diagnostics::Rule;
use iefctl::{deploy, rules};

use super::root;

/// Rules that have no page yet. It may only become shorter.
const NOT_YET_WRITTEN: &[&str] = &[];

/// The headings of every page, in order.
const HEADINGS: &[&str] = &[
    "What it finds",
    "Why it matters",
    "The service's answer",
    "Wrong",
    "Right",
    "References",
];

const TABLE_BEGIN: &str = "<!-- begin: all rules -->\n";
const TABLE_END: &str = "<!-- end: all rules -->\n";

fn all() -> Vec<&'static Rule> {
    rules::all().chain(deploy::RULES.iter().copied()).collect()
}

/// Rule ids of the pages that exist, sorted.
fn pages() -> BTreeSet<String> {
    std::fs::read_dir(root().join("docs/rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "README")
        .collect()
}

#[test]
fn every_rule_has_a_page_with_the_fixed_headings() {
    let pages = pages();
    let mut problems = Vec::new();
    for rule in all() {
        let written = pages.contains(rule.id);
        let excused = NOT_YET_WRITTEN.contains(&rule.id);
        if written && excused {
            problems.push(format!("{}: has a page; remove it from the list", rule.id));
        } else if !written && !excused {
            problems.push(format!("{}: docs/rules/{}.md is missing", rule.id, rule.id));
        }
    }
    for name in &pages {
        if !all().iter().any(|rule| rule.id == name) {
            problems.push(format!("{name}: a page, but no rule"));
            continue;
        }
        let text = std::fs::read_to_string(root().join(format!("docs/rules/{name}.md"))).unwrap();
        let mut lines = text.lines();
        if lines.next() != Some(&format!("# {name}")) {
            problems.push(format!("{name}: the first line is not `# {name}`"));
        }
        let summary = text.lines().nth(2).unwrap_or_default();
        if summary.is_empty() || summary.starts_with('#') {
            problems.push(format!("{name}: no summary in the third line"));
        }
        let headings: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        if headings != HEADINGS {
            problems.push(format!("{name}: the headings are {headings:?}"));
        }
        for section in text.split("\n## ").skip(1) {
            let (title, body) = section.split_once('\n').unwrap_or((section, ""));
            if body.trim().is_empty() {
                problems.push(format!("{name}: nothing below `{title}`"));
            }
        }
        if !text.matches("```").count().is_multiple_of(2) {
            problems.push(format!("{name}: a code block is not closed"));
        }
        for line in text.lines() {
            if line.len() > 200 {
                problems.push(format!("{name}: a line of {} bytes", line.len()));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_page_is_compiled_in() {
    let mut table = String::from(
        "//! Written by `UPDATE=1 cargo test --test docs` from the files in `docs/rules`.\n\n\
         #[rustfmt::skip]\n\
         pub(super) static PAGES: &[(&str, &str)] = &[\n",
    );
    for name in pages() {
        writeln!(
            table,
            "    (\"{name}\", include_str!(\"../../docs/rules/{name}.md\")),"
        )
        .unwrap();
    }
    table.push_str("];\n");
    check_written("src/rules/pages.rs", &table);
}

#[test]
fn the_table_of_rules_is_complete() {
    let path = root().join("docs/rules/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once(TABLE_BEGIN).unwrap();
    let (_, after) = rest.split_once(TABLE_END).unwrap();
    let mut table = String::from("\n| rule | level | what it finds |\n|---|---|---|\n");
    for rule in all() {
        writeln!(
            table,
            "| [{0}]({0}.md) | {1} | {2} |",
            rule.id, rule.level, rule.summary
        )
        .unwrap();
    }
    table.push('\n');
    let expected = format!("{before}{TABLE_BEGIN}{table}{TABLE_END}{after}");
    check_written("docs/rules/README.md", &expected);
}

#[test]
fn the_schema_of_the_configuration_is_current() {
    let rules = all();
    let schema = serde_json::to_string_pretty(&iefctl::config::schema(&rules)).unwrap();
    check_written("docs/iefctl.schema.json", &format!("{schema}\n"));
}

/// How many checks the catalogue has.
const CHECKS: usize = 182;

#[test]
fn every_check_of_the_catalogue_is_a_rule_or_has_a_reason() {
    let catalogue = std::fs::read_to_string(root().join("docs/catalogue.md")).unwrap();
    let mut problems = Vec::new();
    let mut named = BTreeSet::new();
    let mut number = 0;
    let rows = catalogue.lines().filter(|line| line.starts_with("| "));
    for row in rows.skip(1) {
        number += 1;
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [written, what, answer] = cells[..] else {
            problems.push(format!("not three cells: {row}"));
            continue;
        };
        if written != number.to_string() || what.is_empty() {
            problems.push(format!("not check {number}: {row}"));
        }
        let ids: Vec<_> = answer.split('`').skip(1).step_by(2).collect();
        for id in &ids {
            named.insert(*id);
            if !all().iter().any(|rule| rule.id == *id) {
                problems.push(format!("{number}: no rule {id}"));
            }
        }
        let reason = answer.strip_prefix("none: ").unwrap_or_default();
        if ids.is_empty() && reason.len() < 20 {
            problems.push(format!("{number}: neither a rule nor a reason"));
        }
    }
    assert_eq!(number, CHECKS);
    // Those of settings, of comments and of deployments are not about policies.
    for rule in rules::all().filter(|rule| !named.contains(rule.id)) {
        let beyond = [
            "settings-",
            "suppression-",
            "unused-suppression",
            "schema-newer",
            "journey-steps-kept",
        ];
        if !beyond.iter().any(|start| rule.id.starts_with(start)) {
            problems.push(format!("{}: in no line of the catalogue", rule.id));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Compares a written file with what it should be; `UPDATE=1` writes it.
fn check_written(path: &str, expected: &str) {
    let file = root().join(path);
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    if found == expected {
        return;
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, expected).unwrap();
        return;
    }
    let differing = expected
        .lines()
        .find(|line| !found.lines().any(|other| other == *line));
    assert_eq!(
        found, expected,
        "{path} is not up to date (first missing line: {differing:?}); run \
         `UPDATE=1 cargo test --test docs`"
    );
}
