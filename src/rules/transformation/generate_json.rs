//! `ct-generatejson-array`: JSON arrays with gaps, or constants before claims.

use std::collections::{BTreeMap, HashMap};

use crate::diagnostics::{Diagnostic, Level, Location, Rule};
use crate::policy::Effective;

/// The indices of an array in `GenerateJson` do not count up from 0, claims first.
pub(super) static CT_GENERATEJSON_ARRAY: Rule = Rule {
    id: "ct-generatejson-array",
    level: Level::Warning,
    summary: "an array that GenerateJson builds has a gap, or constants before claims",
};

/// One item of an array: the first path that mentions it, and whether a claim fills part of it.
struct Item {
    location: Location,
    claim: bool,
}

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for transformation in view.own_transformations() {
        if !transformation.is("GenerateJson") {
            continue;
        }
        let claims = transformation.inputs().map(|claim| {
            let location = claim.site.attribute_location("TransformationClaimType");
            (claim.slot, location, true)
        });
        let constants = transformation.parameters().filter_map(|parameter| {
            let location = parameter.attribute_location("Id");
            Some((parameter.attribute("Id")?, location, false))
        });
        let mut order = Vec::new();
        let mut arrays: HashMap<&str, BTreeMap<u32, Item>> = HashMap::new();
        for (path, location, claim) in claims.chain(constants) {
            for (array, index) in indices(path) {
                if !arrays.contains_key(array) {
                    order.push(array);
                }
                let items = arrays.entry(array).or_default();
                let item = items.entry(index).or_insert(Item { location, claim });
                item.claim |= claim;
            }
        }
        for array in order {
            let Some((location, problem)) = arrays.get(array).and_then(problem) else {
                continue;
            };
            findings.push(
                Diagnostic::new(
                    &CT_GENERATEJSON_ARRAY,
                    location,
                    format!("array `{array}` of `{}` {problem}", transformation.id),
                )
                .policy_id(view.policy().id())
                .help("count from 0 in InputClaims and go on in InputParameters without a gap"),
            );
        }
    }
}

/// The arrays on a path with the index in each: `to.0.email` is item 0 of `to`.
fn indices(path: &str) -> impl Iterator<Item = (&str, u32)> {
    let mut start = 0;
    path.split('.').filter_map(move |part| {
        let before = start;
        start += part.len() + 1;
        let array = path.get(..before.checked_sub(1)?)?;
        let number = part.bytes().all(|byte| byte.is_ascii_digit());
        Some((array, number.then(|| part.parse().ok())??))
    })
}

fn problem(items: &BTreeMap<u32, Item>) -> Option<(Location, String)> {
    let mut constant = None;
    for (expected, (index, item)) in (0..).zip(items) {
        if *index != expected {
            return Some((item.location, format!("has no item {expected}")));
        }
        match (item.claim, constant) {
            (true, Some((location, earlier))) => {
                return Some((
                    location,
                    format!("has the constant item {earlier} before item {index}, a claim"),
                ));
            }
            (false, None) => constant = Some((item.location, *index)),
            _ => {}
        }
    }
    None
}
