//! `displaycontrol-actions` and `displaycontrol-page-version`: what a display control needs.

use super::{Reached, place};
use crate::diagnostics::{Diagnostic, Level, Rule, near_miss};
use crate::policy::known::handlers::ProfileKind;
use crate::policy::known::page_contracts::{Availability, PREFIX, Page, Version};
use crate::policy::{Effective, Kind, Site};

pub(super) static DISPLAYCONTROL_ACTIONS: Rule = Rule {
    id: "displaycontrol-actions",
    level: Level::Warning,
    summary: "a verification control lacks an action or the field for the code, or has an unknown one",
};

pub(super) static DISPLAYCONTROL_PAGE_VERSION: Rule = Rule {
    id: "displaycontrol-page-version",
    level: Level::Error,
    summary: "a display control on a page layout that is too old for it",
};

const ACTIONS: [&str; 2] = ["SendCode", "VerifyCode"];

/// What a display claim can be to a verification control.
const SLOTS: [&str; 4] = ["VerificationCode", "Email", "Phone", "CountryCode"];

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    if !view.is_complete() {
        return;
    }
    let policy = view.policy();
    for element in policy.declarations(Kind::DisplayControl) {
        let Some(id) = element.attribute_value("Id") else {
            continue;
        };
        let sites = view.sites(Kind::DisplayControl, id);
        if control_type(&sites) != Some("VerificationControl") {
            continue;
        }
        let own = Site { policy, element };
        let actions = |sites: &[Site<'_>], wanted: &str| {
            sites.iter().any(|site| {
                site.items("Actions", "Action")
                    .any(|action| action.attribute("Id") == Some(wanted))
            })
        };
        for action in own.items("Actions", "Action") {
            let Some(name) = action.attribute("Id") else {
                continue;
            };
            if !ACTIONS.contains(&name) {
                let finding = Diagnostic::new(
                    &DISPLAYCONTROL_ACTIONS,
                    action.attribute_location("Id"),
                    format!("a verification control has no action `{name}`"),
                )
                .policy_id(policy.id());
                findings.push(match near_miss(name, ACTIONS) {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding.help("its actions are SendCode and VerifyCode"),
                });
            }
        }
        let mut unknown_slot = false;
        for claim in own.items("DisplayClaims", "DisplayClaim") {
            let slot = claim.attribute("ControlClaimType");
            let Some(slot) = slot.filter(|slot| !SLOTS.contains(slot)) else {
                continue;
            };
            unknown_slot = true;
            let finding = Diagnostic::new(
                &DISPLAYCONTROL_ACTIONS,
                claim.attribute_location("ControlClaimType"),
                format!("a verification control has no field `{slot}`"),
            )
            .policy_id(policy.id());
            findings.push(match near_miss(slot, SLOTS) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help(format!("its fields are {}", SLOTS.join(", "))),
            });
        }
        // A field of a wrong name may be the one for the code.
        let code = unknown_slot
            || sites.iter().any(|site| {
                site.items("DisplayClaims", "DisplayClaim")
                    .any(|claim| claim.attribute("ControlClaimType") == Some("VerificationCode"))
            });
        let lacks = ACTIONS
            .iter()
            .filter(|action| !actions(&sites, action))
            .map(|action| format!("action {action}"))
            .chain(
                (!code).then(|| "display claim with ControlClaimType VerificationCode".to_owned()),
            );
        for what in lacks {
            findings.push(
                Diagnostic::new(
                    &DISPLAYCONTROL_ACTIONS,
                    own.attribute_location("Id"),
                    format!("verification control `{id}` has no {what}"),
                )
                .help("it sends a code, takes it in, and verifies it")
                .policy_id(policy.id()),
            );
        }
    }
}

fn control_type<'s>(sites: &[Site<'s>]) -> Option<&'s str> {
    let mut nearest = sites.iter().rev();
    nearest.find_map(|site| site.attribute("UserInterfaceControlType"))
}

/// The page that shows a display control.
pub(super) fn check_page(reached: &Reached<'_, '_>, findings: &mut Vec<Diagnostic>) {
    if reached.kind != Some(ProfileKind::SelfAsserted) {
        return;
    }
    for display in &reached.profile.display_claims {
        findings.extend(too_old(reached, *display));
    }
}

fn too_old<'s>(reached: &Reached<'_, 's>, display: Site<'s>) -> Option<Diagnostic> {
    let control = display.attribute("DisplayControlReferenceId")?;
    let view = reached.view;
    let sites = view.sites(Kind::DisplayControl, control);
    let totp = match control_type(&sites)? {
        "VerificationControl" => false,
        "QrCodeControl" | "AuthenticatorInfoControl" | "AuthenticatorAppIconControl" => true,
        _ => return None,
    };
    let content = reached.metadata_text("ContentDefinitionReferenceId")?;
    let data_uri = view.merged_child(Kind::ContentDefinition, content, "DataUri")?;
    let uri = data_uri.element.trimmed_text();
    let page = uri.strip_prefix(PREFIX)?;
    let (level, wanted) = match page.strip_prefix("contract:") {
        // A page that does not exist is another mistake.
        None => {
            let (name, version) = page.split_once(':')?;
            let version = Version::parse(version)?;
            if !Page::find_legacy(name)?.legacy.contains(&version) {
                return None;
            }
            (Level::Error, "2.1.9")
        }
        Some(page) => {
            let version = Version::parse(page.strip_prefix("selfasserted:")?)?;
            if Page::find("selfasserted")?.availability(version) == Availability::Unavailable {
                return None;
            }
            if version < Version(2, 0, 0) {
                (Level::Error, "2.1.9")
            } else if totp && version < Version(2, 1, 9) {
                (Level::Warning, "2.1.9")
            } else {
                return None;
            }
        }
    };
    let place = place(view, [display, data_uri])?;
    Some(
        Diagnostic::new(
            &DISPLAYCONTROL_PAGE_VERSION,
            place.location,
            format!(
                "`{}` shows display control `{control}` on page layout `{page}`, which has none",
                reached.profile.id
            ),
        )
        .level(level)
        .related(
            data_uri.location(data_uri.element.text_span()),
            "the page layout",
        )
        .help(format!(
            "set DataUri of content definition `{content}` to \
             `urn:com:microsoft:aad:b2c:elements:contract:selfasserted:{wanted}` or newer"
        ))
        .policy_id(place.policy_id()),
    )
}
