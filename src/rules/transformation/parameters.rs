//! `ct-parameter-mismatch` and `ct-parameter-value`: input parameters that do not fit the
//! transformation method.
//!
//! Upload is not known to check them. At run time the method casts each parameter, so a wrong data
//! type fails every time ("Unable to cast object of type 'System.Boolean' to type 'System.String'").

use crate::diagnostics::{Diagnostic, Edit, Level, Location, Rule, near_miss};
use crate::policy::known::{Method, Slot};
use crate::policy::{ClaimsTransformation, Effective, Site};
use crate::schema::DATA_TYPES;

/// A parameter is missing, unknown or of another data type.
pub(super) static CT_PARAMETER_MISMATCH: Rule = Rule {
    id: "ct-parameter-mismatch",
    level: Level::Error,
    summary: "the input parameters of a claims transformation do not fit its method",
};

/// A parameter has a value that its method or its data type does not know.
pub(super) static CT_PARAMETER_VALUE: Rule = Rule {
    id: "ct-parameter-value",
    level: Level::Warning,
    summary: "an input parameter of a claims transformation has a value that its method does not know",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let policy_id = view.policy().id();
    for transformation in view.own_transformations() {
        let Some(method) = transformation.method else {
            continue;
        };
        let found = names(transformation, method)
            .into_iter()
            .chain(transformation.parameters().filter_map(|site| {
                let slot = slot(method, site)?;
                data_type(method, slot, site).or_else(|| value(method, slot, site))
            }))
            .map(|finding| finding.policy_id(policy_id));
        findings.extend(found);
    }
}

fn slot(method: &'static Method, parameter: Site<'_>) -> Option<&'static Slot> {
    let parameters = &method.parameters;
    parameters
        .named(parameter.attribute("Id")?)
        .or(parameters.free.as_ref())
}

/// Missing and unknown parameters.
fn names(transformation: &ClaimsTransformation<'_>, method: &'static Method) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut strange = Vec::new();
    let mut open: Vec<&Slot> = method
        .parameters
        .named
        .iter()
        .filter(|slot| transformation.parameter(slot.name).is_none())
        .collect();
    for parameter in transformation.parameters() {
        let Some(id) = parameter.attribute("Id") else {
            continue;
        };
        let free = method.parameters.free.is_some();
        if method.parameters.named(id).is_some() {
            continue;
        }
        let near = near_miss(id, open.iter().map(|slot| slot.name));
        let meant = open.iter().position(|slot| Some(slot.name) == near);
        if free && meant.is_none_or(|index| !open[index].name.eq_ignore_ascii_case(id)) {
            continue;
        }
        let location = parameter.attribute_location("Id");
        match meant.map(|index| open.remove(index)) {
            Some(slot) => findings.push(misspelt(method, id, slot, location)),
            None => strange.push((id, location)),
        }
    }
    let is_required = |slot: &&Slot| !slot.optional;
    if let [(id, location)] = strange[..]
        && open.iter().copied().filter(is_required).count() == 1
        && let Some(index) = open.iter().position(is_required)
    {
        // One too many and one too few are one mistake.
        let slot = open.remove(index);
        findings.push(
            Diagnostic::new(
                &CT_PARAMETER_MISMATCH,
                location,
                format!(
                    "method {} has no input parameter `{id}`, and `{}`, which it needs, is missing",
                    method.name, slot.name
                ),
            )
            .help(format!("call it `{}`{}", slot.name, allowed(slot))),
        );
        strange.clear();
    }
    for (id, location) in strange {
        findings.push(unknown(method, id, location));
    }
    for slot in open.into_iter().filter(|slot| !slot.optional) {
        let location = transformation
            .site
            .attribute_location("TransformationMethod");
        findings.push(
            Diagnostic::new(
                &CT_PARAMETER_MISMATCH,
                location,
                format!(
                    "`{}` lacks input parameter `{}` of method {}",
                    transformation.id, slot.name, method.name
                ),
            )
            .help(format!(
                "add <InputParameter Id=\"{}\" DataType=\"{}\" Value=\"…\" />{}",
                slot.name,
                slot.types.first().unwrap_or(&"string"),
                allowed(slot)
            )),
        );
    }
    findings
}

/// A parameter that a method has no use for is accepted by all that is known.
fn unknown(method: &Method, id: &str, location: Location) -> Diagnostic {
    let known: Vec<_> = method
        .parameters
        .named
        .iter()
        .map(|slot| slot.name)
        .collect();
    no_such(method, id, location)
        .level(Level::Warning)
        .help(if known.is_empty() {
            format!("{} has no input parameters; leave it out", method.name)
        } else {
            format!("{} has {}", method.name, known.join(", "))
        })
}

/// Where a parameter stands for one that is missing, that one is missing.
fn misspelt(method: &Method, id: &str, meant: &Slot, location: Location) -> Diagnostic {
    let is_error = !meant.optional && !meant.name.eq_ignore_ascii_case(id);
    no_such(method, id, location)
        .level(if is_error {
            Level::Error
        } else {
            Level::Warning
        })
        .help(format!("did you mean `{}`?", meant.name))
        .fix(
            format!("call it `{}`", meant.name),
            vec![Edit {
                location,
                replacement: meant.name.to_owned(),
            }],
        )
}

fn no_such(method: &Method, id: &str, location: Location) -> Diagnostic {
    Diagnostic::new(
        &CT_PARAMETER_MISMATCH,
        location,
        format!("method {} has no input parameter `{id}`", method.name),
    )
}

fn data_type(method: &Method, slot: &Slot, parameter: Site<'_>) -> Option<Diagnostic> {
    let written = parameter.attribute("DataType")?;
    // The schema reports words that are no data type.
    if slot.accepts(written) || !DATA_TYPES.contains(&written) {
        return None;
    }
    let id = parameter.attribute("Id").unwrap_or_default();
    let location = parameter.attribute_location("DataType");
    let wanted = slot.types_in_prose();
    let mut finding = Diagnostic::new(
        &CT_PARAMETER_MISMATCH,
        location,
        format!(
            "input parameter `{id}` of method {} must be {wanted}, not {written}",
            method.name
        ),
    )
    .level(if slot.unsure {
        Level::Warning
    } else {
        Level::Error
    })
    .help("upload accepts it, but the transformation fails whenever it runs");
    if let [only] = slot.types.as_slice() {
        finding = finding.fix(
            format!("make it {only}"),
            vec![Edit {
                location,
                replacement: (*only).to_owned(),
            }],
        );
    }
    Some(finding)
}

fn value(method: &Method, slot: &Slot, parameter: Site<'_>) -> Option<Diagnostic> {
    let written = parameter.attribute("Value")?;
    // A claim resolver is replaced before the value is used.
    if written.contains('{') {
        return None;
    }
    let id = parameter.attribute("Id").unwrap_or_default();
    let problem = if slot.values.is_empty() {
        let data_type = parameter.attribute("DataType")?;
        let fits = match data_type {
            "boolean" => ["true", "false"]
                .iter()
                .any(|word| word.eq_ignore_ascii_case(written.trim())),
            "int" => written.trim().parse::<i32>().is_ok(),
            "long" => written.trim().parse::<i64>().is_ok(),
            _ => true,
        };
        (!fits).then(|| format!("`{written}` is no {data_type}"))?
    } else {
        let known = slot
            .values
            .iter()
            .any(|value| value.eq_ignore_ascii_case(written));
        (!known).then(|| format!("`{written}` is no value of it"))?
    };
    let finding = Diagnostic::new(
        &CT_PARAMETER_VALUE,
        parameter.attribute_location("Value"),
        format!(
            "input parameter `{id}` of method {}: {problem}",
            method.name
        ),
    );
    let near = near_miss(written, slot.values.iter().copied());
    Some(match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None if slot.values.is_empty() => finding,
        None => finding.help(format!("it can be {}", slot.values.join(", "))),
    })
}

fn allowed(slot: &Slot) -> String {
    if slot.values.is_empty() {
        String::new()
    } else {
        format!("; it can be {}", slot.values.join(", "))
    }
}
