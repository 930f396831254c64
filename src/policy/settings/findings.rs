//! The rules about settings, and the words in which their findings are told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::escape::Misplaced;
use super::expand::Fault;
use super::resolve::{Resolver, Undefined};
use super::{BuiltIn, Guidance, Notation, Replacement, Setting, Settings, TenantValue};
use crate::diagnostics::{Diagnostic, Label, Level, Location, Rule, SourceId, Span, near_miss};

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $level:ident, $summary:literal;)*) => {
        $($(#[$doc])* pub static $name: Rule = Rule {
            id: $id,
            level: Level::$level,
            summary: $summary,
        };)*

        /// All rules about settings and the files that define them, in the order of the report.
        pub static SETTINGS_RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    /// A placeholder without a value.
    SETTINGS_UNDEFINED = "settings-undefined", Error,
        "a placeholder names a setting that is not defined for the chosen environment";
    /// Something that begins like a placeholder and does not end like one, or stands where no value can.
    SETTINGS_MALFORMED_PLACEHOLDER = "settings-malformed-placeholder", Error,
        "text begins like a placeholder but cannot be replaced";
    /// A value that refers to what the tool replaces before it, or not at all.
    SETTINGS_ORDER = "settings-order", Error,
        "a value contains a placeholder that the tool of its file does not replace there";
    /// Values that refer to each other in a circle.
    SETTINGS_CYCLE = "settings-cycle", Error,
        "the values of settings refer to each other in a circle";
    /// A value with a character that XML cannot contain.
    SETTINGS_ILLEGAL_CHARACTER = "settings-illegal-character", Error,
        "a value contains a character that XML cannot contain";
    /// A value or a resolved text beyond all bounds.
    SETTINGS_OVERSIZED = "settings-oversized", Error,
        "a value or the text that it produces is far larger than any policy may be";
    /// A setting that no policy uses.
    SETTINGS_UNUSED = "settings-unused", Hint,
        "a setting is defined but no policy uses it";
    /// A regular expression that its file does not contain.
    SETTINGS_NO_MATCH = "settings-no-match", Warning,
        "a replacement finds nothing in its file";
    /// Two environments of one name.
    SETTINGS_DUPLICATE_ENVIRONMENT = "settings-duplicate-environment", Error,
        "two environments have the same name";
    /// One key twice, compared without regard to case.
    SETTINGS_DUPLICATE_KEY = "settings-duplicate-key", Error,
        "a settings file defines the same key twice in one place";
    /// An environment of a settings file without a tenant.
    SETTINGS_MISSING_TENANT = "settings-missing-tenant", Error,
        "an environment names no tenant";
    /// An environment of a settings file without the object that holds its settings.
    SETTINGS_MISSING_POLICY_SETTINGS = "settings-missing-policy-settings", Error,
        "an environment of appsettings.json has no PolicySettings";
    /// A value that is no text and cannot sensibly become one.
    SETTINGS_VALUE_TYPE = "settings-value-type", Error,
        "a settings file holds a value of a type that has no place there";
    /// A key that the file format does not know.
    SETTINGS_UNKNOWN_KEY = "settings-unknown-key", Warning,
        "a settings file contains a key that its format does not know";
    /// A setting that is hidden by a built-in one.
    SETTINGS_SHADOWED_BUILT_IN = "settings-shadowed-built-in", Warning,
        "a setting has the name of a built-in setting and is never used";
    /// Two environments that deploy to the same tenant.
    SETTINGS_SHARED_TENANT = "settings-shared-tenant", Hint,
        "two environments name the same tenant";
}

/// A placeholder in a resolved text.
#[derive(Clone, Copy)]
pub(super) struct Place<'t> {
    location: Location,
    text: &'t str,
}

impl<'t> Place<'t> {
    pub(super) fn new(source: SourceId, span: Span, text: &'t str) -> Self {
        Self {
            location: Location { source, span },
            text: span.of(text),
        }
    }
}

/// How many other places of an undefined key are shown.
const MAX_RELATED: usize = 9;

pub(super) fn undefined(
    settings: &Settings,
    key: &str,
    place: Place<'_>,
    others: &[Span],
    suggest: bool,
) -> Diagnostic {
    let message = match others.len() {
        0 => format!("setting `{key}` is not defined"),
        more => format!(
            "setting `{key}` is not defined, but used {} times here",
            more + 1
        ),
    };
    let mut diagnostic = Diagnostic::new(&SETTINGS_UNDEFINED, place.location, message)
        .label("no value for this placeholder")
        .help(help_for_undefined(settings, key, suggest));
    for span in others.iter().take(MAX_RELATED) {
        let location = Location {
            span: *span,
            ..place.location
        };
        diagnostic = diagnostic.related(location, "used here as well");
    }
    diagnostic
}

/// A setting that several files of a set miss is missing once. `undefined` are the keys that the files
/// miss; their findings are among `found`, and get a common cause at the first of the places.
pub fn tell_undefined_once(undefined: &[Undefined], found: &mut [Diagnostic]) {
    let mut by_key: BTreeMap<&str, Vec<(&Undefined, Location)>> = BTreeMap::new();
    for missing in undefined {
        if let Some(first) = missing.places.first() {
            let files = by_key.entry(&missing.folded).or_default();
            files.push((missing, *first));
        }
    }
    let mut at: HashMap<Location, &mut Diagnostic> = found
        .iter_mut()
        .filter(|finding| finding.rule == &SETTINGS_UNDEFINED)
        .map(|finding| (finding.primary.location, finding))
        .collect();
    for files in by_key.values().filter(|files| files.len() > 1) {
        let (missing, cause) = files[0];
        for (_, first) in files {
            if let Some(finding) = at.get_mut(first) {
                finding.cause = Some(cause);
                finding.related.clear();
            }
        }
        if let Some(finding) = at.get_mut(&cause) {
            let count: usize = files.iter().map(|(file, _)| file.places.len()).sum();
            finding.message = format!(
                "setting `{}` is not defined, but used {count} times in {} files",
                missing.key,
                files.len()
            );
            let others = files[1..].iter().take(MAX_RELATED);
            finding.related.extend(others.map(|(_, place)| Label {
                location: *place,
                message: Some("used here as well".to_owned()),
            }));
        }
    }
}

/// Something in braces whose case differs from that of a key.
pub(super) fn misspelt(settings: &Settings, place: Place<'_>, key: &str) -> Diagnostic {
    let message = format!("`{{{key}}}` stays as it is: case counts, and there is no such key");
    let mut diagnostic = Diagnostic::new(&SETTINGS_UNDEFINED, place.location, message)
        .level(Level::Warning)
        .label("no key is written so");
    if let Some(near) = settings
        .values
        .iter()
        .find(|setting| setting.key.eq_ignore_ascii_case(key))
    {
        diagnostic = diagnostic
            .related(near.key_location, "the key that may be meant")
            .help(format!("write `{{{}}}` if that setting is meant", near.key));
    }
    diagnostic
}

pub(super) fn no_match(replacement: &Replacement) -> Diagnostic {
    let message = format!("nothing in {} matches", replacement.file());
    Diagnostic::new(&SETTINGS_NO_MATCH, replacement.location(), message)
        .label("this is looked for")
        .help("correct the expression, or remove the replacement")
}

pub(super) fn oversized_replacement(replacement: &Replacement, limit: usize) -> Diagnostic {
    let message = format!(
        "with this replacement {} would exceed {} MB",
        replacement.file(),
        limit >> 20
    );
    Diagnostic::new(&SETTINGS_OVERSIZED, replacement.location(), message)
        .help("a policy may have at most 1024 KB: look for less, or insert less")
}

pub(super) fn malformed(place: Place<'_>, notation: Notation, reason: &str) -> Diagnostic {
    Diagnostic::new(
        &SETTINGS_MALFORMED_PLACEHOLDER,
        place.location,
        "this begins like a placeholder but is none",
    )
    .label(reason)
    .help(format!(
        "write `{}` on one line, with the key of a setting",
        notation.placeholder("Key")
    ))
}

pub(super) fn misplaced(place: Place<'_>, misplaced: Misplaced) -> Diagnostic {
    let (message, help) = match misplaced {
        Misplaced::Tag => (
            "a value with other characters than those of a name cannot stand in a tag outside of quotes",
            "put the placeholder into an attribute value or into text",
        ),
        Misplaced::Instruction => (
            "the value would end the processing instruction that it stands in",
            "remove `?>` from the value, or the placeholder from the instruction",
        ),
    };
    Diagnostic::new(&SETTINGS_MALFORMED_PLACEHOLDER, place.location, message).help(help)
}

pub(super) fn illegal_built_in(place: Place<'_>, character: char) -> Diagnostic {
    let message = format!(
        "the value of `{}` contains {}, which XML cannot contain",
        place.text,
        code_point(character)
    );
    Diagnostic::new(&SETTINGS_ILLEGAL_CHARACTER, place.location, message)
        .help("remove the character from the name of the tenant, environment or file")
}

pub(super) fn oversized_text(place: Place<'_>, limit: usize) -> Diagnostic {
    let message = format!(
        "with the value of `{}` the text would exceed {} MB",
        place.text,
        limit >> 20
    );
    Diagnostic::new(&SETTINGS_OVERSIZED, place.location, message)
        .help("a policy may have at most 1024 KB: shorten the value")
}

pub(super) fn check(resolver: &Resolver<'_>, used: &BTreeSet<usize>) -> Vec<Diagnostic> {
    let Resolver {
        settings,
        expansion,
        ..
    } = resolver;
    let mut reached = BTreeSet::new();
    let mut open: Vec<usize> = used
        .iter()
        .copied()
        .filter(|position| *position < settings.values.len())
        .collect();
    while let Some(position) = open.pop() {
        if reached.insert(position) {
            open.extend(expansion.references(position));
        }
    }
    let mut diagnostics = Vec::new();
    for (position, setting) in settings.values.iter().enumerate() {
        if reached.contains(&position) {
            if let Err(fault) = expansion.value(position) {
                diagnostics.extend(faulty(settings, position, fault));
            }
        } else if settings.notation.built_in(&setting.key).is_none()
            && expansion.find(&setting.key) == Some(position)
            && !is_prefix(settings, setting)
        {
            // Shadowed and repeated keys have a finding of their own.
            diagnostics.push(unused(setting, settings.notation));
        }
    }
    diagnostics
}

/// The prefix of a conf.json is a text like all others, but not meant to be named.
fn is_prefix(settings: &Settings, setting: &Setting) -> bool {
    settings.notation == Notation::Braces && setting.key.eq_ignore_ascii_case("prefix")
}

fn unused(setting: &Setting, notation: Notation) -> Diagnostic {
    let message = format!("setting `{}` is never used", setting.key);
    Diagnostic::new(&SETTINGS_UNUSED, setting.key_location, message).help(format!(
        "remove it, or use it as `{}`",
        notation.placeholder(&setting.key)
    ))
}

fn faulty(settings: &Settings, position: usize, fault: &Fault) -> Option<Diagnostic> {
    let setting = &settings.values[position];
    let key = &setting.key;
    let at_value = |rule, message: String| Diagnostic::new(rule, setting.value_location, message);
    Some(match fault {
        // Told where the fault is.
        Fault::Inherited => return None,
        Fault::Cycle(members) => return cycle(settings, position, members),
        Fault::Earlier(earlier) => {
            let other = &settings.values[*earlier];
            at_value(
                &SETTINGS_ORDER,
                format!(
                    "the value of `{key}` refers to `{}`, which stands before it",
                    other.key
                ),
            )
            .related(other.key_location, "this key is replaced first")
            .help(format!(
                "the VS Code extension replaces keys in file order, so that the placeholder would \
                 stay in the policy: move `{}` behind `{key}`",
                other.key
            ))
        }
        Fault::BuiltIn(built_in) => {
            let name = built_in.key();
            at_value(
                &SETTINGS_ORDER,
                format!("the value of `{key}` refers to the built-in setting `{name}`"),
            )
            .help(format!(
                "the VS Code extension replaces built-in settings before all others, so that the \
                 placeholder would stay in the policy: write the value itself, or put \
                 `{{Settings:{name}}}` into the policy, beside `{{Settings:{key}}}`"
            ))
        }
        Fault::Nested(inner) => at_value(
            &SETTINGS_ORDER,
            format!("the value of `{key}` contains a placeholder of `{inner}`"),
        )
        .help(
            "the tool that this file is written for replaces no placeholders in values, or by chance \
             only: write the value itself",
        ),
        Fault::Undefined(missing) => at_value(
            &SETTINGS_UNDEFINED,
            format!("the value of `{key}` refers to `{missing}`, which is not defined"),
        )
        .help(help_for_undefined(settings, missing, true)),
        Fault::Malformed(reason) => at_value(
            &SETTINGS_MALFORMED_PLACEHOLDER,
            format!("the value of `{key}` contains a placeholder that is none: {reason}"),
        )
        .help(format!(
            "write `{}` with the key of a setting",
            settings.notation.placeholder("Key")
        )),
        Fault::Illegal(character) => at_value(
            &SETTINGS_ILLEGAL_CHARACTER,
            format!(
                "the value of `{key}` contains {}, which XML cannot contain",
                code_point(*character)
            ),
        )
        .help("remove the character"),
        Fault::Oversized => at_value(
            &SETTINGS_OVERSIZED,
            format!("the value of `{key}` grows beyond 1 MB, or all values together beyond 16 MB"),
        )
        .help("a policy may have at most 1024 KB: shorten the value"),
    })
}

/// One finding for the whole circle, at its first member.
fn cycle(settings: &Settings, position: usize, members: &[usize]) -> Option<Diagnostic> {
    let (first, others) = members.split_first()?;
    if *first != position {
        return None;
    }
    let setting = &settings.values[position];
    if others.is_empty() {
        let message = format!("the value of `{}` refers to itself", setting.key);
        let diagnostic = Diagnostic::new(&SETTINGS_CYCLE, setting.value_location, message);
        return Some(diagnostic.help("write the value itself"));
    }
    let names: Vec<String> = members
        .iter()
        .map(|member| format!("`{}`", settings.values[*member].key))
        .collect();
    let message = format!(
        "the values of {} refer to each other in a circle",
        names.join(", ")
    );
    let mut diagnostic = Diagnostic::new(&SETTINGS_CYCLE, setting.value_location, message)
        .help("give one of them a value that does not lead back");
    for other in others {
        diagnostic =
            diagnostic.related(settings.values[*other].value_location, "part of the circle");
    }
    Some(diagnostic)
}

fn help_for_undefined(settings: &Settings, key: &str, suggest: bool) -> String {
    let Guidance {
        place,
        environments,
        elsewhere,
    } = &settings.guidance;
    if settings.notation == Notation::Braces && key == "yourtenant" {
        return "name the tenant by its first domain: --tenant NAME.onmicrosoft.com".to_owned();
    }
    match settings.notation.built_in(key) {
        Some(BuiltIn::Tenant) => {
            return match (&settings.environment, environments.first()) {
                (None, Some(first)) => format!(
                    "choose an environment with `--environment {first}`, or name the tenant with `--tenant`"
                ),
                _ => {
                    "name the tenant with `--tenant NAME.onmicrosoft.com`, or in the configuration"
                        .to_owned()
                }
            };
        }
        Some(_) => {
            let example = environments.first().map_or("NAME", String::as_str);
            return format!("choose an environment with `--environment {example}`");
        }
        None => {}
    }
    let notation = settings.notation;
    let having: Vec<&str> = elsewhere
        .iter()
        .filter(|other| notation.fold(&other.key) == notation.fold(key))
        .map(|other| other.environment.as_str())
        .collect();
    let place = place
        .as_deref()
        .unwrap_or("`[settings]` of an `iefctl.toml` beside the policies");
    if let Some(first) = having.first() {
        let list = quoted(&having);
        return match &settings.environment {
            None => {
                format!("no environment was chosen, {list} define it: add `--environment {first}`")
            }
            Some(chosen) => {
                format!("{list} define it, `{chosen}` does not: add it to {place}")
            }
        };
    }
    let suggestion = suggest.then(|| suggestion(settings, key)).flatten();
    let choose = match (&settings.environment, environments.first()) {
        (None, Some(first)) => format!(
            "; no environment was chosen: `--environment {first}` chooses one of {}",
            quoted(environments)
        ),
        _ => String::new(),
    };
    // Only the project's own file knows lookups.
    let lookup = TenantValue::usual_for(key)
        .filter(|_| place.contains("iefctl.toml"))
        .map_or(String::new(), |value| {
            format!(
                "; as `{key} = {{ tenant = \"{}\" }}` it is looked up in the tenant",
                value.notation()
            )
        });
    match suggestion {
        Some(near) => {
            format!("did you mean `{near}`? otherwise add it to {place}{lookup}{choose}")
        }
        None => format!("add it to {place}{lookup}{choose}"),
    }
}

fn suggestion<'s>(settings: &'s Settings, key: &str) -> Option<&'s str> {
    let built_ins = BuiltIn::ALL.map(BuiltIn::key);
    let built_ins = built_ins.into_iter();
    let mut known: Vec<&str> = built_ins
        .filter(|key| settings.notation.built_in(key).is_some())
        .collect();
    known.extend(settings.values.iter().map(|setting| setting.key.as_str()));
    known.extend(
        settings
            .guidance
            .elsewhere
            .iter()
            .map(|other| other.key.as_str()),
    );
    near_miss(key, known)
}

fn quoted(names: &[impl AsRef<str>]) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    names.join(", ")
}

fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}
