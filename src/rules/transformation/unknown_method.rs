//! `ct-unknown-method`: a transformation method that nobody knows.

use crate::diagnostics::{Diagnostic, Edit, Level, Rule, is_within_slips, near_miss};
use crate::policy::Effective;
use crate::policy::known::transformation_method_names;

/// The method is none of those that are documented or known to be accepted.
pub(super) static CT_UNKNOWN_METHOD: Rule = Rule {
    id: "ct-unknown-method",
    level: Level::Error,
    summary: "a claims transformation names a method that is not known",
};

/// How far a written name may be from a known one to be taken for a slip of the keyboard.
const SLIP: usize = 2;

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    for transformation in view.own_transformations() {
        let written = transformation.method_name;
        let location = transformation
            .site
            .attribute_location("TransformationMethod");
        let exact = transformation
            .method
            .is_some_and(|method| method.name == written);
        // The schema reports a missing attribute.
        if exact
            || transformation
                .site
                .attribute("TransformationMethod")
                .is_none()
        {
            continue;
        }
        let near = match transformation.method {
            Some(method) => Some(method.name),
            None => near_miss(written, transformation_method_names()),
        };
        let level = match (transformation.method, near) {
            (Some(_), _) => Level::Hint,
            (None, Some(near)) if is_slip(written, near) => Level::Error,
            (None, _) => Level::Warning,
        };
        let message = match level {
            Level::Hint => format!("transformation method `{written}` is written differently"),
            _ => format!("transformation method `{written}` is not known"),
        };
        let mut finding = Diagnostic::new(&CT_UNKNOWN_METHOD, location, message)
            .level(level)
            .policy_id(view.policy().id());
        finding = match (level, near) {
            (Level::Hint, Some(near)) => finding.help(format!("Microsoft writes `{near}`")),
            (_, Some(near)) => finding.help(format!("did you mean `{near}`?")),
            (_, None) => finding.help(
                "it is not documented; if your tenant accepts it, switch this rule off for it",
            ),
        };
        if let Some(near) = near.filter(|_| level != Level::Warning) {
            finding = finding.fix(
                format!("write `{near}`"),
                vec![Edit {
                    location,
                    replacement: near.to_owned(),
                }],
            );
        }
        findings.push(finding);
    }
}

/// A later version of a method (`…V2`) is a name of its own, not a slip.
fn is_slip(written: &str, near: &str) -> bool {
    let (written, near) = (written.to_lowercase(), near.to_lowercase());
    let version = |longer: &str, shorter: &str| {
        longer
            .strip_prefix(shorter)
            .and_then(|rest| rest.strip_prefix('v'))
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let stem = |name: &str| {
        name.trim_end_matches(|c: char| c.is_ascii_digit())
            .to_owned()
    };
    !version(&written, &near)
        && stem(&written) != stem(&near)
        && is_within_slips(SLIP, &written, &near)
}

#[cfg(test)]
mod tests {
    use super::is_slip;

    #[test]
    fn versions_are_no_slips() {
        assert!(is_slip("CopyClaims", "CopyClaim"));
        assert!(is_slip("CreateStrngClaim", "CreateStringClaim"));
        assert!(!is_slip("HashV2", "Hash"));
        assert!(!is_slip(
            "GetClaimsFromJsonArrayV3",
            "GetClaimsFromJsonArrayV2"
        ));
        assert!(!is_slip("CompareClaimToNumber", "CompareClaimToValue"));
    }
}
