//! Plans as pure data: no emulator here.

use iefctl::deploy::{
    self, KeysetAction, Local, Plan, PlanError, PlanOptions, Planned, PolicyAction, Remote,
    RemotePolicy, TenantIdentity, build,
};
use iefctl::diagnostics::{Diagnostic, Level, Source};
use iefctl::validate::{Input, validate};
use proptest::prelude::*;

use super::world::{TENANT, claim, identity, local, policy, small_set};

fn plan(local: &Local, remote: &Remote) -> Planned {
    build(&identity(), local, remote, &PlanOptions::default())
}

fn remote(policies: &[(&str, String)]) -> Remote {
    let ids = policies.iter().map(|(id, _)| (*id).to_owned()).collect();
    let content = policies
        .iter()
        .map(|(id, text)| RemotePolicy::new(*id, text.as_str()));
    Remote::new(ids, Vec::new(), content.collect())
}

fn rules(planned: &Planned) -> Vec<&'static str> {
    planned
        .findings
        .iter()
        .map(|finding| finding.rule.id)
        .collect()
}

#[test]
fn what_the_service_adds_and_drops_is_no_change() {
    let text = policy("B2C_1A_Base", None, &claim("email"));
    let set = local(&[("B2C_1A_Base", text.clone())]);
    let object_id = " TenantObjectId=\"00000000-0000-0000-0000-00000000c0c0\"";
    let (_, behind) = text.split_once('\n').unwrap();
    let stored = behind.replacen(" PolicyId", &format!("{object_id} PolicyId"), 1);
    for (stored, action) in [
        (stored.clone(), PolicyAction::Unchanged),
        (stored.replace("email", "Email"), PolicyAction::Update),
        ("<broken".to_owned(), PolicyAction::Update),
        (String::new(), PolicyAction::Update),
    ] {
        let planned = plan(&set, &remote(&[("b2c_1a_BASE", stored)]));
        assert_eq!(planned.plan.policies[0].action, action);
        assert!(planned.plan.only_in_tenant.is_empty());
        assert_eq!(
            planned.plan.has_changes(),
            action != PolicyAction::Unchanged
        );
        let difference = planned.plan.policies[0].difference.as_ref();
        assert_eq!(
            difference.is_some_and(|it| !it.changes.is_empty()),
            action.writes()
        );
    }
}

#[test]
fn differences_are_named_by_meaning() {
    let before = policy("B2C_1A_Base", None, &claim("email"));
    let after = before.replace("string", "boolean").replace(
        "</ClaimsSchema>",
        "<ClaimType Id=\"loyalty\"><DisplayName>Points</DisplayName></ClaimType></ClaimsSchema>",
    );
    let planned = plan(
        &local(&[("B2C_1A_Base", after)]),
        &remote(&[("B2C_1A_Base", before)]),
    );
    let difference = planned.plan.policies[0].difference.clone().unwrap();
    let changes: Vec<_> = difference.changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "~ ClaimType \"email\" › DataType: \"string\" → \"boolean\"",
            "+ ClaimType \"loyalty\"",
        ]
    );
}

#[test]
fn what_the_tenant_still_uses_is_not_taken_away_unnoticed() {
    let profile = |claims: &str| {
        format!(
            "<ClaimsProviders><ClaimsProvider><DisplayName>P</DisplayName><TechnicalProfiles>\
             <TechnicalProfile Id=\"P\"><DisplayName>P</DisplayName><Protocol Name=\"None\" />\
             <OutputClaims>{claims}</OutputClaims></TechnicalProfile></TechnicalProfiles>\
             </ClaimsProvider></ClaimsProviders>"
        )
    };
    let uses = profile("<OutputClaim ClaimTypeReferenceId=\"EMAIL\" />");
    let stored = remote(&[
        ("B2C_1A_Base", policy("B2C_1A_Base", None, &claim("email"))),
        (
            "B2C_1A_Leaf",
            policy("B2C_1A_Leaf", Some("B2C_1A_Base"), &uses),
        ),
    ]);
    let breaking = |base: String, leaf: String| -> Vec<Vec<String>> {
        let files = [("B2C_1A_Base", base), ("B2C_1A_Leaf", leaf)];
        let planned = plan(&local(&files), &stored);
        let difference = planned.plan.policies[0].difference.clone().unwrap();
        let used = difference
            .changes
            .iter()
            .map(|change| change.used_by.clone());
        let used: Vec<_> = used.filter(|used| !used.is_empty()).collect();
        assert_eq!(difference.is_breaking(), !used.is_empty());
        used
    };
    let leaf = |body: &str| policy("B2C_1A_Leaf", Some("B2C_1A_Base"), body);
    let users = [["B2C_1A_Leaf".to_owned()]];
    // Removed, although the new leaf does not use it any more.
    assert_eq!(
        breaking(policy("B2C_1A_Base", None, &claim("other")), leaf("")),
        users
    );
    assert_eq!(breaking(policy("B2C_1A_Base", None, ""), leaf("")), users);
    // Another type.
    let retyped = policy("B2C_1A_Base", None, &claim("email")).replace("string", "boolean");
    assert_eq!(breaking(retyped, leaf(&uses)), users);
    // Moved, renamed for display: harmless.
    assert!(breaking(policy("B2C_1A_Base", None, ""), leaf(&claim("email"))).is_empty());
    let shown = policy("B2C_1A_Base", None, &claim("email")).replace(">email<", ">E-mail<");
    assert!(breaking(shown, leaf(&uses)).is_empty());
}

#[test]
fn saved_plans_are_read_back_or_refused() {
    let plan = plan(&small_set(), &Remote::default()).plan;
    assert_eq!(Plan::from_json(&plan.to_json()).unwrap(), plan);
    assert!(plan.is_for(&identity()));
    let other = TenantIdentity {
        name: "fabrikam.onmicrosoft.com".to_owned(),
        ..TenantIdentity::default()
    };
    assert!(!plan.is_for(&other));
    for text in ["", "{}", "[]", "{\"schemaVersion\":1}"] {
        assert!(
            matches!(Plan::from_json(text), Err(PlanError::Malformed(_))),
            "{text}"
        );
    }
    let newer = plan
        .to_json()
        .replace("\"schemaVersion\": 1", "\"schemaVersion\": 2");
    assert!(matches!(
        Plan::from_json(&newer),
        Err(PlanError::Version { found: 2 })
    ));
}

#[test]
fn preconditions_have_places() {
    let other = policy("B2C_1A_Other", None, "").replace(TENANT, "fabrikam.onmicrosoft.com");
    let huge = policy(
        "B2C_1A_Huge",
        None,
        &format!("<!-- {} -->", "x".repeat(1 << 20)),
    );
    let lost = policy("B2C_1A_Lost", Some("B2C_1A_Trusst"), "");
    let planned = plan(
        &local(&[
            ("a", policy("Unprefixed", None, "")),
            ("b", other),
            ("c", huge),
            ("d", lost),
        ]),
        &remote(&[("B2C_1A_Trust", policy("B2C_1A_Trust", None, ""))]),
    );
    assert_eq!(
        rules(&planned),
        [
            "policyid-unprefixed",
            "tenant-other",
            "policy-too-large",
            "base-not-found"
        ]
    );
    assert!(planned.is_blocked());
    let help = planned.findings[3].help.as_ref().unwrap();
    assert!(help.contains("did you mean `B2C_1A_Trust`"), "{help}");
    let unprefixed = planned.findings[0].help.as_ref().unwrap();
    assert!(unprefixed.contains("`B2C_1A_Unprefixed`"), "{unprefixed}");
}

#[test]
fn a_domain_and_an_id_are_compared_only_through_what_is_known() {
    let id = "00000000-0000-0000-0000-00000000c0c0";
    let set = local(&[("B2C_1A_Base", policy("B2C_1A_Base", None, ""))]);
    let by_id = TenantIdentity {
        name: id.to_owned(),
        id: Some(id.to_owned()),
        ..TenantIdentity::default()
    };
    let options = PlanOptions::default();
    assert!(
        build(&by_id, &set, &Remote::default(), &options)
            .findings
            .is_empty()
    );
    // The tenant's own policies tell its domain.
    let fabrikam = policy("B2C_1A_Base", None, "").replace(TENANT, "fabrikam.onmicrosoft.com");
    let stored = remote(&[("B2C_1A_Base", fabrikam)]);
    let planned = build(&by_id, &set, &stored, &options);
    assert_eq!(rules(&planned), ["tenant-other"]);
    // A tenant may have any number of other domains.
    let custom = TenantIdentity {
        name: "login.contoso.com".to_owned(),
        ..TenantIdentity::default()
    };
    assert!(
        build(&custom, &set, &Remote::default(), &options)
            .findings
            .is_empty()
    );
    let of_other = |id: &str| policy("B2C_1A_Base", None, "").replace(TENANT, id);
    let guid = local(&[(
        "B2C_1A_Base",
        of_other("00000000-0000-0000-0000-00000000beef"),
    )]);
    assert_eq!(
        rules(&build(&by_id, &guid, &Remote::default(), &options)),
        ["tenant-other"]
    );
    assert!(
        build(&custom, &guid, &Remote::default(), &options)
            .findings
            .is_empty()
    );
}

#[test]
fn a_full_tenant_is_noticed_before_any_write() {
    let ids: Vec<String> = (0..199).map(|number| format!("B2C_1A_T{number}")).collect();
    let full = Remote::new(ids, Vec::new(), Vec::new());
    let planned = plan(&small_set(), &full);
    assert_eq!(rules(&planned), ["tenant-full"]);
    assert!(
        planned.findings[0]
            .help
            .as_ref()
            .unwrap()
            .contains("delete 3 ")
    );
    let one = local(&[("B2C_1A_One", policy("B2C_1A_One", None, ""))]);
    assert!(plan(&one, &full).findings.is_empty());
}

#[test]
fn debugging_stays_out_of_production() {
    let text = policy("B2C_1A_Base", None, "");
    let text = text.replace(" PolicyId", " DeploymentMode=\"Development\" PolicyId");
    let set = local(&[("B2C_1A_Base", text)]);
    let options = PlanOptions {
        production: true,
        ..PlanOptions::default()
    };
    let planned = build(&identity(), &set, &Remote::default(), &options);
    assert_eq!(rules(&planned), ["production-debugging"]);
    assert!(plan(&set, &Remote::default()).findings.is_empty());
}

#[test]
fn what_planning_says_more_strictly_is_said_once() {
    let text =
        policy("Base", None, "").replace(" PolicyId", " DeploymentMode=\"Debugging\" PolicyId");
    let mut input = Input {
        production: true,
        ..Input::default()
    };
    let id = input.sources.add(Source::new("Base.xml", text.as_str()));
    input.own.push(id);
    let mut findings = validate(input).report.diagnostics;
    let found =
        |findings: &[Diagnostic], rule: &str| findings.iter().any(|one| one.rule.id == rule);
    assert!(found(&findings, "policyid-prefix") && found(&findings, "sec-development-mode"));
    let validated = findings.clone();
    deploy::without_doubles(&mut findings);
    assert_eq!(findings, validated, "without a plan nothing is said twice");
    let options = PlanOptions {
        production: true,
        ..PlanOptions::default()
    };
    let set = local(&[("Base", text)]);
    findings.extend(build(&identity(), &set, &Remote::default(), &options).findings);
    deploy::without_doubles(&mut findings);
    assert!(!found(&findings, "policyid-prefix") && !found(&findings, "sec-development-mode"));
    assert!(found(&findings, "policyid-unprefixed") && found(&findings, "production-debugging"));
}

#[test]
fn what_has_no_order_is_not_lost() {
    let set = local(&[
        ("B2C_1A_A", policy("B2C_1A_A", Some("B2C_1A_B"), "")),
        ("B2C_1A_B", policy("B2C_1A_B", Some("B2C_1A_A"), "")),
        ("B2C_1A_C", policy("B2C_1A_C", None, "")),
        ("again", policy("b2c_1a_c", None, "")),
        ("none", policy("", None, "")),
        ("broken", policy("B2C_1A_Broken", None, "<oops>")),
    ]);
    assert_eq!(set.policies.len(), 1);
    let planned = plan(&set, &Remote::default());
    assert_eq!(rules(&planned), ["policy-undeployable"; 5]);
    assert!(
        planned
            .findings
            .iter()
            .all(|finding| finding.level == Level::Error)
    );
}

#[test]
fn nothing_needs_nothing() {
    let planned = plan(&local(&[]), &Remote::default());
    assert!(!planned.is_blocked() && !planned.plan.has_changes());
    assert_eq!(planned.plan.count(PolicyAction::Create), 0);
    assert!(
        planned
            .plan
            .keysets
            .iter()
            .all(|step| step.action == KeysetAction::Present)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Random trees in random order of files, some of them in the tenant already.
    #[test]
    fn plans_of_random_trees_respect_bases_and_count_everything(
        nodes in proptest::collection::vec((any::<prop::sample::Index>(), 0..4u8), 1..25),
        order in any::<u64>(),
    ) {
        let id = |number: usize| format!("B2C_1A_{number:03}");
        let mut files: Vec<(String, String)> = Vec::new();
        let mut stored: Vec<(String, String)> = Vec::new();
        let mut unchanged = 0;
        for (number, (base, kind)) in nodes.iter().enumerate() {
            let base = (number > 0 && *kind != 0).then(|| id(base.index(number)));
            let text = policy(&id(number), base.as_deref(), "");
            match kind {
                1 => {
                    unchanged += 1;
                    stored.push((id(number).to_lowercase(), text.replace('\n', "\n\n")));
                }
                2 => stored.push((id(number), policy(&id(number), None, &claim("old")))),
                _ => {}
            }
            files.push((id(number), text));
        }
        let count = files.len();
        files.sort_by_key(|(id, _)| {
            let number: u64 = id[7..].parse().unwrap();
            (number + 1).wrapping_mul(order | 1)
        });
        let set = local(&files.iter().map(|(id, text)| (id.as_str(), text.clone())).collect::<Vec<_>>());
        let tenant: Vec<_> = stored.iter().map(|(id, text)| (id.as_str(), text.clone())).collect();
        let plan = plan(&set, &remote(&tenant)).plan;
        prop_assert_eq!(plan.policies.len(), count);
        let actions = [PolicyAction::Create, PolicyAction::Update, PolicyAction::Unchanged];
        let counts = actions.map(|action| plan.count(action));
        prop_assert_eq!(counts[0], count - stored.len());
        prop_assert_eq!(counts[1] + counts[2], stored.len());
        prop_assert_eq!(counts[2], unchanged);
        for (position, step) in plan.policies.iter().enumerate() {
            if let Some(base) = &step.base {
                let base = plan.policies.iter().position(|other| other.id == *base).unwrap();
                prop_assert!(base < position);
            }
            let difference = step.difference.as_ref();
            let differs = difference.is_some_and(|difference| !difference.changes.is_empty());
            prop_assert_eq!(differs, step.action == PolicyAction::Update);
        }
    }
}

/// Steps have no ids: whoever extends a journey names them by number.
#[test]
fn other_numbers_of_steps_break_whoever_names_them() {
    let journey = |steps: &[&str]| {
        let steps = steps.iter().zip(1..).map(|(exchange, order)| {
            format!(
                "<OrchestrationStep Order=\"{order}\" Type=\"ClaimsExchange\"><ClaimsExchanges>\
                 <ClaimsExchange Id=\"{exchange}\" TechnicalProfileReferenceId=\"P\" />\
                 </ClaimsExchanges></OrchestrationStep>"
            )
        });
        format!(
            "<UserJourneys><UserJourney Id=\"J\"><OrchestrationSteps>{}</OrchestrationSteps>\
             </UserJourney></UserJourneys>",
            steps.collect::<String>()
        )
    };
    let base = policy("B2C_1A_Base", None, &journey(&["A", "B"]));
    let longer = policy("B2C_1A_Base", None, &journey(&["New", "A", "B"]));
    let runs = "<RelyingParty><DefaultUserJourney ReferenceId=\"J\" /></RelyingParty>";
    for (leaf, breaks) in [(journey(&["A"]), true), (runs.to_owned(), false)] {
        let leaf = policy("B2C_1A_Leaf", Some("B2C_1A_Base"), &leaf);
        let stored = remote(&[("B2C_1A_Base", base.clone()), ("B2C_1A_Leaf", leaf.clone())]);
        let files = [("B2C_1A_Base", longer.clone()), ("B2C_1A_Leaf", leaf)];
        let planned = plan(&local(&files), &stored);
        let difference = planned.plan.policies[0].difference.clone().unwrap();
        assert_eq!(difference.changes.len(), 2, "{difference:?}");
        assert_eq!(difference.is_breaking(), breaks, "{difference:?}");
    }
    // The same numbers elsewhere in the file break nobody.
    let first = base.find("<OrchestrationStep Order=\"1\"").unwrap();
    let second = base.find("<OrchestrationStep Order=\"2\"").unwrap();
    let end = base.find("</OrchestrationSteps>").unwrap();
    let (before, after) = (&base[..first], &base[end..]);
    let swapped = [before, &base[second..end], &base[first..second], after].concat();
    let leaf = policy("B2C_1A_Leaf", Some("B2C_1A_Base"), &journey(&["A"]));
    let stored = remote(&[("B2C_1A_Base", base.clone()), ("B2C_1A_Leaf", leaf.clone())]);
    let files = [("B2C_1A_Base", swapped), ("B2C_1A_Leaf", leaf)];
    let planned = plan(&local(&files), &stored);
    let difference = planned.plan.policies[0].difference.clone().unwrap();
    assert_eq!(difference.changes.len(), 1, "{difference:?}");
    assert!(!difference.is_breaking(), "{difference:?}");
}
