//! `tp-no-protocol` and `tp-handler-unknown`: what kind of profile it is.

use super::{Reached, place};
use crate::diagnostics::{Diagnostic, Edit, Level, Rule, near_miss};
use crate::policy::known::handlers::{ASSEMBLY, handler_classes, handler_kind};

pub(super) static TP_NO_PROTOCOL: Rule = Rule {
    id: "tp-no-protocol",
    level: Level::Error,
    summary: "a technical profile that is executed has no protocol",
};

pub(super) static TP_HANDLER_UNKNOWN: Rule = Rule {
    id: "tp-handler-unknown",
    level: Level::Error,
    summary: "a technical profile names a handler that the service does not have",
};

pub(super) fn check(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    let finding = match reached.profile.protocol() {
        None => no_protocol(reached),
        Some(_) => handler(reached),
    };
    findings.extend(finding);
}

fn no_protocol(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    let place = reached.place()?;
    Some(
        Diagnostic::new(
            &TP_NO_PROTOCOL,
            place.location,
            format!(
                "`{}` is executed, but neither it nor what it inherits or includes has a Protocol",
                reached.profile.id
            ),
        )
        .help("add a Protocol element, or include the profile that has it")
        .policy_id(place.policy_id()),
    )
}

fn handler(reached: &Reached<'_, '_>) -> Option<Diagnostic> {
    let protocol = reached.profile.child("Protocol")?;
    let name = protocol.attribute("Name")?;
    let handler = protocol.attribute("Handler").map(str::trim);
    let proprietary = name == "Proprietary";
    let is_known = reached.profile.kind().is_some();
    if proprietary && is_known && handler.is_some_and(is_whole) {
        return None;
    }
    let place = place(reached.view, [protocol])?;
    let own = place.site.element == protocol.element;
    let location = if own && handler.is_some() {
        protocol.attribute_location("Handler")
    } else {
        place.location
    };
    let finding = |message: String| {
        Diagnostic::new(&TP_HANDLER_UNKNOWN, location, message)
            .cause(protocol.tag_location())
            .policy_id(place.policy_id())
    };
    let Some(handler) = handler.filter(|handler| !handler.is_empty()) else {
        return proprietary.then(|| {
            finding(format!(
                "`{}` has protocol Proprietary, but no Handler",
                reached.profile.id
            ))
            .help("Handler names the class that does the work; without it nothing can run")
        });
    };
    if !proprietary {
        return Some(
            finding(format!(
                "Handler has no meaning with protocol `{name}`, only with Proprietary"
            ))
            .level(Level::Warning)
            .help("remove Handler, or set Name to Proprietary"),
        );
    }
    let (class, _) = parts(handler);
    if handler_kind(class).is_none() {
        return Some(match near_miss(class, handler_classes()) {
            Some(near) => {
                let level = if near.eq_ignore_ascii_case(class) {
                    Level::Warning
                } else {
                    Level::Error
                };
                finding(format!("there is no handler `{class}`"))
                    .level(level)
                    .help(format!("did you mean `{near}`?"))
            }
            None => finding(format!("handler `{class}` is not known"))
                .level(Level::Warning)
                .help("handlers are documented with the technical profiles of Azure AD B2C"),
        });
    }
    let right = format!("{class}, {ASSEMBLY}");
    let finding = finding(format!("`{class}` is not named with its assembly in full"))
        .level(Level::Warning)
        .help(format!("write `{right}`"));
    Some(if own {
        let edit = Edit {
            location,
            replacement: right,
        };
        finding.fix("write the assembly in full", vec![edit])
    } else {
        finding
    })
}

/// The class and the assembly of a handler.
fn parts(handler: &str) -> (&str, &str) {
    let (class, assembly) = handler.split_once(',').unwrap_or((handler, ""));
    (class.trim(), assembly.trim())
}

/// Whether the handler is named with its assembly.
fn is_whole(handler: &str) -> bool {
    let (_, assembly) = parts(handler);
    assembly == ASSEMBLY || spaceless(assembly).eq_ignore_ascii_case(&spaceless(ASSEMBLY))
}

fn spaceless(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
