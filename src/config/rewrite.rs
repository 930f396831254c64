//! Writes the placeholders of other tools as those of `iefctl`: `{Settings:Key}`.

use std::collections::BTreeMap;

use super::Project;
use super::configuration::{Configuration, RawValue, ValueSource, is_id};
use super::convert::RewrittenFile;
use crate::diagnostics::{Source, SourceMap, Span, Splice, Splices};
use crate::policy::{
    BuiltIn, InitialDomain, Notation, Resolver, Settings, TenantValue, is_inside_value,
    placeholders_outside_comments,
};

/// The name of the setting that takes the place of `yourtenant`.
const TENANT_NAME: &str = "TenantName";

/// What the policies become, and the settings that this needs beside those of the old file.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    pub(super) files: Vec<RewrittenFile>,
    pub(super) settings: Vec<AddedSetting>,
    /// Settings that get another name, as theirs is that of a built-in setting.
    pub(super) renamed: BTreeMap<String, String>,
}

/// A setting that the old file does not have.
#[derive(Debug, Clone)]
pub(super) struct AddedSetting {
    pub(super) key: String,
    pub(super) value: RawValue,
    /// Whether the value is XML text.
    pub(super) is_markup: bool,
}

/// Rewrites all policies of a project. The reason where that cannot be done.
pub(super) fn rewrite(
    configuration: &Configuration,
    project: &Project,
    domain: Option<&str>,
) -> Result<Rewritten, String> {
    let mut rewriter = Rewriter {
        configuration,
        domain,
        done: Rewritten::default(),
        values: BTreeMap::new(),
    };
    let files = project.sets.iter().flat_map(|set| &set.files);
    for file in files {
        if configuration.notation != Notation::Settings
            && configuration.notation != Notation::ExactSettings
        {
            rewriter.placeholders(file)?;
        } else if !configuration.replacements.is_empty() {
            rewriter.replacements(file)?;
        }
    }
    Ok(rewriter.done)
}

struct Rewriter<'r> {
    configuration: &'r Configuration,
    domain: Option<&'r str>,
    done: Rewritten,
    /// Names of settings that were made of values.
    values: BTreeMap<String, String>,
}

impl Rewriter<'_> {
    fn add(&mut self, key: &str, value: RawValue, is_markup: bool) {
        if !self.done.settings.iter().any(|known| known.key == key) {
            self.done.settings.push(AddedSetting {
                key: key.to_owned(),
                value,
                is_markup,
            });
        }
    }

    fn finish(&mut self, file: &Source, splices: Vec<Splice>) {
        if splices.is_empty() {
            return;
        }
        let text: &str = file.original();
        let mut changes: Vec<String> = Vec::new();
        for splice in &splices {
            let before: String = splice
                .span
                .of(text)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            let change = format!("{before} -> {}", splice.replacement);
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
        let after = Splices::new(splices).apply(text);
        self.done.files.push(RewrittenFile {
            before: file.clone(),
            after: Source::new(file.name(), after).with_bom(file.has_bom()),
            changes,
        });
    }

    /// ieftool and IEFPolicies.
    fn placeholders(&mut self, file: &Source) -> Result<(), String> {
        let notation = self.configuration.notation;
        let known = &self.configuration.settings;
        let text: &str = file.original();
        let mut splices = Vec::new();
        for found in placeholders_outside_comments(text, notation) {
            let key = found.key;
            let is_known = known.iter().any(|setting| setting.key.value == key);
            let key = match notation {
                _ if is_known => key,
                Notation::Braces if key == "yourtenant" => {
                    let Some(domain) = self.domain.and_then(InitialDomain::of) else {
                        return Err(format!(
                            "{}: `yourtenant` alone stands for the name of the tenant: say which with \
                             --domain NAME.onmicrosoft.com",
                            file.name()
                        ));
                    };
                    self.add(TENANT_NAME, RawValue::Text(domain.name.to_owned()), false);
                    TENANT_NAME
                }
                Notation::Braces => match notation.looked_up(key) {
                    Some(value) => {
                        let id = self.domain.filter(|domain| is_id(domain));
                        let value = match (value, id) {
                            (TenantValue::TenantId, Some(id)) => RawValue::Text(id.to_owned()),
                            (value, _) => RawValue::Tenant(value),
                        };
                        self.add(key, value, false);
                        key
                    }
                    // Braces that are no placeholder: the comparison tells.
                    None => continue,
                },
                _ => {
                    let prefix = self.configuration.variables.unwrap_or_default();
                    let source = ValueSource::Env(format!("{prefix}{key}"));
                    self.add(key, RawValue::From(source), false);
                    key
                }
            };
            let key = self.free(key);
            splices.push(Splice {
                span: found.span,
                replacement: Notation::Settings.placeholder(&key),
            });
        }
        self.finish(file, splices);
        Ok(())
    }

    /// The name of a setting, another one if a built-in setting has it.
    fn free(&mut self, key: &str) -> String {
        if BuiltIn::from_key(key).is_none() {
            return key.to_owned();
        }
        let known = &self.configuration.settings;
        let is_taken = |name: &str| {
            let mut known = known.iter();
            known.any(|setting| setting.key.value.eq_ignore_ascii_case(name))
        };
        let mut name = format!("{key}Value");
        while is_taken(&name) {
            name.push('_');
        }
        let renamed = self.done.renamed.entry(key.to_owned());
        renamed.or_insert(name).clone()
    }

    /// The GitHub Action: what a replacement inserts becomes a setting, named after what it replaces.
    fn replacements(&mut self, file: &Source) -> Result<(), String> {
        let settings = Settings {
            replacements: self.configuration.replacements.clone(),
            ..Settings::default()
        };
        let mut sources = SourceMap::new();
        let resolver = Resolver::new(&settings);
        let resolution = resolver.resolve(
            Source::new(file.name(), file.original().clone()),
            &mut sources,
        );
        let resolved = sources.get(resolution.id);
        let original: &str = file.original();
        let mut splices = Vec::new();
        for piece in resolved.map().pieces() {
            let before = piece.original.of(original);
            let after = piece.resolved.of(resolved.text());
            if before == after {
                continue;
            }
            let replacement = match is_inside_value(original, piece.original) {
                Some(true) if !after.contains(['<', '>']) => {
                    let key = self.named(before, after);
                    let is_markup = after.contains('&');
                    self.add(&key, RawValue::Text(after.to_owned()), is_markup);
                    Notation::Settings.placeholder(&key)
                }
                // In comments nothing is replaced, and nothing depends on what they say.
                None => after.to_owned(),
                _ => {
                    let line = line_of(original, piece.original);
                    return Err(format!(
                        "{}:{line}: a replacement changes markup here, which no setting can do: \
                         change the policy by hand first, so that only a value is replaced",
                        file.name()
                    ));
                }
            };
            splices.push(Splice {
                span: piece.original,
                replacement,
            });
        }
        self.finish(file, splices);
        Ok(())
    }

    /// A name for a value: what it takes the place of, as far as that can be a name.
    fn named(&mut self, before: &str, value: &str) -> String {
        let words: Vec<&str> = before
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let plain: String = words.join("_").chars().take(60).collect();
        let plain = match plain.trim_end_matches('_') {
            "" => "Value",
            plain => plain,
        };
        let mut number = 1;
        loop {
            let name = match number {
                1 => plain.to_owned(),
                _ => format!("{plain}_{number}"),
            };
            let held = self.values.get(&name.to_lowercase());
            if BuiltIn::from_key(&name).is_none() && held.is_none_or(|held| held == value) {
                self.values.insert(name.to_lowercase(), value.to_owned());
                let mut settings = self.done.settings.iter();
                let known = settings.find(|known| known.key.eq_ignore_ascii_case(&name));
                return known.map_or(name, |known| known.key.clone());
            }
            number += 1;
        }
    }
}

fn line_of(text: &str, span: Span) -> usize {
    Span::new(0, span.start).of(text).matches('\n').count() + 1
}
