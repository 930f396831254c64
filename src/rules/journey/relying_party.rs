//! The relying party: subject, profile id, behaviour.

use crate::diagnostics::{Diagnostic, KnownNames, Level, Rule};
use crate::policy::{Effective, Kind, Site};

pub(super) static SUBJECT_NAMING: Rule = Rule {
    id: "subject-naming",
    level: Level::Warning,
    summary: "SubjectNamingInfo names no output claim of the relying party",
};

pub(super) static RP_WITHOUT_SUBJECT: Rule = Rule {
    id: "rp-without-subject",
    level: Level::Hint,
    summary: "the technical profile of a relying party has no SubjectNamingInfo, so its tokens have \
              no subject",
};

pub(super) static RP_PROFILE_ID: Rule = Rule {
    id: "rp-profile-id",
    level: Level::Hint,
    summary: "the technical profile of a relying party is not called PolicyProfile",
};

pub(super) static RP_BEHAVIORS: Rule = Rule {
    id: "rp-behaviors",
    level: Level::Warning,
    summary: "a session or telemetry setting of a relying party has no effect",
};

pub(super) fn check(view: &Effective<'_>, findings: &mut Vec<Diagnostic>) {
    let Some(relying_party) = view.relying_party() else {
        return;
    };
    let mut found = Vec::new();
    for profile in relying_party
        .element
        .children_named("TechnicalProfile")
        .map(|element| Site {
            element,
            ..relying_party
        })
    {
        found.extend(subject(view, profile));
        found.extend(no_subject(profile));
        found.extend(profile_id(profile));
    }
    if let Some(behaviors) = relying_party.child("UserJourneyBehaviors") {
        found.extend(insights(behaviors));
        found.extend(keep_alive(view, behaviors));
        found.extend(session(behaviors));
    }
    let id = view.policy().id();
    findings.extend(found.into_iter().map(|finding| finding.policy_id(id)));
}

fn subject<'s>(view: &Effective<'s>, profile: Site<'s>) -> Option<Diagnostic> {
    let subject = profile.child("SubjectNamingInfo")?;
    let wanted = subject.attribute("ClaimType")?;
    // An included profile could bring the claim; a type may get its partner name in a base.
    if profile.child("IncludeTechnicalProfile").is_some() || !view.is_complete() {
        return None;
    }
    let is_called = |claim: Site<'_>| {
        let names = [
            claim.attribute("PartnerClaimType"),
            claim.attribute("ClaimTypeReferenceId"),
        ];
        let mut names = names.iter().flatten();
        names.any(|name| name.eq_ignore_ascii_case(wanted))
    };
    if profile.items("OutputClaims", "OutputClaim").any(is_called) {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for claim in profile.items("OutputClaims", "OutputClaim") {
        names.extend(claim.attribute("PartnerClaimType"));
        let Some(id) = claim.attribute("ClaimTypeReferenceId") else {
            continue;
        };
        names.push(id);
        for declaration in view.sites(Kind::ClaimType, id) {
            names.extend(
                declaration
                    .items("DefaultPartnerClaimTypes", "Protocol")
                    .filter_map(|protocol| protocol.attribute("PartnerClaimType")),
            );
        }
    }
    if names.iter().any(|name| name.eq_ignore_ascii_case(wanted)) {
        return None;
    }
    let location = subject.attribute_location("ClaimType");
    let finding = Diagnostic::new(
        &SUBJECT_NAMING,
        location,
        format!("no output claim of the relying party is called `{wanted}`"),
    );
    Some(
        finding
            .did_you_mean(location, wanted, &KnownNames::new(names))
            .or_help(format!(
                "give the claim that identifies the user PartnerClaimType=\"{wanted}\""
            )),
    )
}

fn no_subject(profile: Site<'_>) -> Option<Diagnostic> {
    let brings = ["SubjectNamingInfo", "IncludeTechnicalProfile"];
    if brings.iter().any(|name| profile.child(name).is_some()) {
        return None;
    }
    Some(
        Diagnostic::new(
            &RP_WITHOUT_SUBJECT,
            profile.attribute_location("Id"),
            "the relying party does not say which claim is the subject of its tokens",
        )
        .help("add `<SubjectNamingInfo ClaimType=\"sub\" />` behind the output claims"),
    )
}

fn profile_id(profile: Site<'_>) -> Option<Diagnostic> {
    let id = profile.attribute("Id")?;
    (id != "PolicyProfile").then(|| {
        Diagnostic::new(
            &RP_PROFILE_ID,
            profile.attribute_location("Id"),
            format!("the technical profile of a relying party is called PolicyProfile, not `{id}`"),
        )
        .help("Microsoft documents no other name, though the service accepts it")
    })
}

/// Attributes of `JourneyInsights` that Microsoft documents as required and the schema does not.
const INSIGHTS: [&str; 4] = [
    "DeveloperMode",
    "ClientEnabled",
    "ServerEnabled",
    "TelemetryVersion",
];

fn insights(behaviors: Site<'_>) -> Option<Diagnostic> {
    let insights = behaviors.child("JourneyInsights")?;
    let missing: Vec<_> = INSIGHTS
        .into_iter()
        .filter(|name| insights.attribute(name).is_none())
        .collect();
    (!missing.is_empty()).then(|| {
        Diagnostic::new(
            &RP_BEHAVIORS,
            insights.location(insights.element.tag_span()),
            format!("JourneyInsights lacks {}", missing.join(", ")),
        )
        .help("Microsoft documents all of them as required; TelemetryVersion must be 1.0.0")
    })
}

fn keep_alive(view: &Effective<'_>, behaviors: Site<'_>) -> Option<Diagnostic> {
    let sign_on = behaviors.child("SingleSignOn")?;
    let days: u32 = sign_on.attribute("KeepAliveInDays")?.trim().parse().ok()?;
    if days == 0 || !view.is_complete() {
        return None;
    }
    let execution = view.execution()?;
    if execution.user_journeys.is_empty() {
        return None;
    }
    let asks = execution.profiles.iter().any(|executed| {
        executed
            .profile
            .metadata("setting.enableRememberMe")
            .is_some_and(|item| item.value.trim().eq_ignore_ascii_case("true"))
    });
    (!asks).then(|| {
        Diagnostic::new(
            &RP_BEHAVIORS,
            sign_on.attribute_location("KeepAliveInDays"),
            "no page of the journey lets the user choose to stay signed in, so KeepAliveInDays has \
             no effect",
        )
        .help(
            "set the metadata item setting.enableRememberMe to true on the self-asserted profile \
             of the sign-in page",
        )
    })
}

fn session(behaviors: Site<'_>) -> Option<Diagnostic> {
    let seconds = behaviors.child("SessionExpiryInSeconds")?;
    let value: i64 = seconds.element.trimmed_text().parse().ok()?;
    (!(900..=86_400).contains(&value)).then(|| {
        Diagnostic::new(
            &RP_BEHAVIORS,
            seconds.location(seconds.element.text_span()),
            format!("a session of {value} seconds is outside the documented 900 to 86400"),
        )
        .level(Level::Hint)
    })
}
