//! SARIF 2.1.0, for code scanning and every viewer that reads it.
//!
//! One run; `driver.rules` lists the rules that found something, with their pages. Columns count
//! Unicode code points and ends are exclusive, as everywhere in this room.

mod fingerprint;
mod schema;

use std::collections::BTreeMap;
use std::io;

use crate::diagnostics::{Diagnostic, Level, Location, Report, Rule};

use super::positions::Positions;
use fingerprint::Fingerprints;
use schema::{
    Artifact, ArtifactChange, ArtifactLocation, Configuration, Driver, FixObject, Invocation, Log,
    Message, Multiformat, PhysicalLocation, Properties, Region, RelatedLocation, Replacement,
    ReportingDescriptor, ResultObject, Run, Tool,
};

/// Writes `report` as one SARIF log; `rule_page` gives the Markdown page of a rule by its id.
///
/// # Errors
/// Only those of `out`.
pub fn render(
    report: &Report,
    rule_page: &dyn Fn(&str) -> Option<&'static str>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let positions = Positions::new(&report.sources);
    let rules: BTreeMap<&str, &Rule> = report
        .diagnostics
        .iter()
        .map(|diagnostic| (diagnostic.rule.id, diagnostic.rule))
        .collect();
    let index_of = |id: &str| rules.keys().position(|rule| *rule == id);
    let mut fingerprints = Fingerprints::default();
    let results = report
        .diagnostics
        .iter()
        .map(|diagnostic| ResultObject {
            rule_id: diagnostic.rule.id,
            rule_index: index_of(diagnostic.rule.id),
            level: level(diagnostic.level),
            message: Message {
                text: super::full_message(diagnostic),
            },
            locations: [located(diagnostic.primary.location, &positions)],
            related_locations: related(diagnostic, &positions),
            partial_fingerprints: fingerprints.of(diagnostic, report),
            fixes: fixes(diagnostic, &positions),
            properties: Properties {
                policy_id: diagnostic.policy_id.as_deref(),
                service_message: diagnostic.service_message.as_deref(),
            },
        })
        .collect();
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "iefctl",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: rules
                        .values()
                        .map(|rule| descriptor(rule, rule_page(rule.id)))
                        .collect(),
                },
            },
            invocations: [Invocation {
                execution_successful: true,
            }],
            artifacts: report
                .sources
                .iter()
                .map(|(_, source)| Artifact {
                    location: ArtifactLocation {
                        uri: uri(source.name()),
                    },
                })
                .collect(),
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    super::json::write(&log, out)
}

fn descriptor<'a>(rule: &'a Rule, page: Option<&'a str>) -> ReportingDescriptor<'a> {
    ReportingDescriptor {
        id: rule.id,
        short_description: Message {
            text: rule.summary.to_owned(),
        },
        help: Multiformat {
            text: format!("{}. `iefctl explain {}` tells more.", rule.summary, rule.id),
            markdown: page,
        },
        default_configuration: Configuration {
            level: level(rule.level),
        },
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Hint => "note",
    }
}

fn located(location: Location, positions: &Positions<'_>) -> schema::Located {
    let place = positions.place(location);
    schema::Located {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri: uri(place.file),
            },
            region: Region::from(place),
        },
    }
}

fn related(diagnostic: &Diagnostic, positions: &Positions<'_>) -> Vec<RelatedLocation> {
    diagnostic
        .related
        .iter()
        .enumerate()
        .map(|(index, label)| RelatedLocation {
            id: index + 1,
            physical_location: located(label.location, positions).physical_location,
            message: Message {
                text: label.message.clone().unwrap_or_default(),
            },
        })
        .collect()
}

fn fixes<'a>(diagnostic: &'a Diagnostic, positions: &Positions<'_>) -> Vec<FixObject<'a>> {
    let Some(fix) = positions.applicable_fix(diagnostic) else {
        return Vec::new();
    };
    let mut changes: BTreeMap<String, Vec<Replacement<'a>>> = BTreeMap::new();
    for edit in &fix.edits {
        let place = positions.place(edit.location);
        changes
            .entry(uri(place.file))
            .or_default()
            .push(Replacement {
                deleted_region: Region::from(place),
                inserted_content: schema::Content {
                    text: &edit.replacement,
                },
            });
    }
    if changes.is_empty() {
        return Vec::new();
    }
    vec![FixObject {
        description: Message {
            text: fix.title.clone(),
        },
        artifact_changes: changes
            .into_iter()
            .map(|(uri, replacements)| ArtifactChange {
                artifact_location: ArtifactLocation { uri },
                replacements,
            })
            .collect(),
    }]
}

/// A path with forward slashes as URI reference: relative as it stands, absolute with its scheme.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    let bytes = path.as_bytes();
    let has_drive = bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && &bytes[1..3] == b":/";
    let path = if has_drive {
        uri.push_str("file:///");
        uri.push_str(&path[..2]);
        &path[2..]
    } else {
        if path.starts_with('/') {
            uri.push_str("file://");
        }
        path
    };
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_uri_references() {
        assert_eq!(uri("policies/Ext ä#1.xml"), "policies/Ext%20%C3%A4%231.xml");
        assert_eq!(uri("../a:b.xml"), "../a%3Ab.xml");
        assert_eq!(uri("/home/a b.xml"), "file:///home/a%20b.xml");
        assert_eq!(uri("C:/policies/a.xml"), "file:///C:/policies/a.xml");
    }
}
