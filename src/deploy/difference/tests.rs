use super::*;

/// What `Difference` says of two texts, and whether it says something exactly if they mean different
/// things.
#[track_caller]
fn changes(old: &str, new: &str) -> Vec<String> {
    let mut sources = SourceMap::new();
    let source = sources.add(Source::new("new", new));
    let (new, findings) = xml::parse(sources.get(source).text(), source);
    assert!(findings.is_empty(), "{findings:?}");
    let difference = Difference::between(old, &new);
    let source = sources.add(Source::new("old", old));
    let (old, _) = xml::parse(sources.get(source).text(), source);
    assert_eq!(
        difference.changes.is_empty(),
        canonical_form(&old) == canonical_form(&new)
    );
    difference.changes.iter().map(ToString::to_string).collect()
}

/// A journey of these steps, each numbered by its place: the name of an exchange, or a type.
fn journey(steps: &[&str]) -> String {
    let numbered = steps.iter().zip(1..);
    let steps: Vec<String> = numbered
        .map(|(step, order)| self::step(step, order))
        .collect();
    journey_of(&steps)
}

fn journey_of(steps: &[String]) -> String {
    let steps = steps.concat();
    format!(
        "<TrustFrameworkPolicy><UserJourneys><UserJourney Id=\"J\"><OrchestrationSteps>{steps}\
         </OrchestrationSteps></UserJourney></UserJourneys></TrustFrameworkPolicy>"
    )
}

fn step(what: &str, order: usize) -> String {
    if what == "SendClaims" {
        return format!("<OrchestrationStep Order=\"{order}\" Type=\"SendClaims\" />");
    }
    let (exchange, profile) = what.split_once(':').unwrap_or((what, "P"));
    format!(
        "<OrchestrationStep Order=\"{order}\" Type=\"ClaimsExchange\"><ClaimsExchanges>\
         <ClaimsExchange Id=\"{exchange}\" TechnicalProfileReferenceId=\"{profile}\" />\
         </ClaimsExchanges></OrchestrationStep>"
    )
}

#[test]
fn a_step_is_known_by_what_it_does() {
    let before = journey(&["A", "B", "C", "SendClaims"]);
    assert!(changes(&before, &before).is_empty());
    let with = "UserJourney \"J\"";
    assert_eq!(
        changes(&before, &journey(&["A", "New", "B", "C", "SendClaims"])),
        [
            format!("+ {with} › OrchestrationStep \"2\": \"ClaimsExchange, New → P\""),
            format!("~ {with}: steps 2 to 4 are now 3 to 5"),
        ]
    );
    assert_eq!(
        changes(&before, &journey(&["A", "C", "SendClaims"])),
        [
            format!("- {with} › OrchestrationStep \"2\": \"ClaimsExchange, B → P\""),
            format!("~ {with}: steps 3 to 4 are now 2 to 3"),
        ]
    );
    // Another profile in the same exchange is the same step; a step before it does not matter.
    assert_eq!(
        changes(&before, &journey(&["New", "A", "B:Q", "C", "SendClaims"])),
        [
            format!("+ {with} › OrchestrationStep \"1\": \"ClaimsExchange, New → P\""),
            format!(
                "~ {with} › OrchestrationStep \"3\" › ClaimsExchange \"B\" \
                 @TechnicalProfileReferenceId: \"P\" → \"Q\""
            ),
            format!("~ {with}: steps 1 to 4 are now 2 to 5"),
        ]
    );
    // Two that change places: one of them moved.
    assert_eq!(
        changes(&before, &journey(&["B", "A", "C", "SendClaims"])).len(),
        3
    );
    // The last one alone.
    assert_eq!(
        changes(&before, &before.replace("Order=\"4\"", "Order=\"9\"")),
        [format!("~ {with}: step 4 is now 9")]
    );
}

/// They run in the order of their numbers, wherever they stand in the file.
#[test]
fn steps_that_only_stand_elsewhere_in_the_file_are_reordered() {
    let with = "UserJourney \"J\"";
    let reordered = format!("~ {with} › OrchestrationSteps: the order of its elements");
    let (a, b, c) = (step("A", 1), step("B", 2), step("C", 10));
    let before = journey_of(&[a.clone(), b.clone(), c.clone()]);
    for other in [[&b, &a, &c], [&c, &b, &a], [&a, &c, &b]] {
        let after = journey_of(&other.map(Clone::clone));
        assert_eq!(changes(&before, &after), [reordered.as_str()]);
        assert_eq!(changes(&after, &before), [reordered.as_str()]);
        assert!(changes(&after, &after).is_empty());
    }
    // Nor do steps that do the same get new numbers.
    let (one, two) = (step("SendClaims", 1), step("SendClaims", 2));
    let twice = |first: &str, second: &str| journey_of(&[first.to_owned(), second.to_owned()]);
    assert_eq!(
        changes(&twice(&one, &two), &twice(&two, &one)),
        [reordered.as_str()]
    );
    // What else changes is told beside it, and nothing more.
    let after = journey_of(&[step("C", 10), step("B:Q", 2), step("New", 3), step("A", 1)]);
    assert_eq!(
        changes(&before, &after),
        [
            format!(
                "~ {with} › OrchestrationStep \"2\" › ClaimsExchange \"B\" \
                 @TechnicalProfileReferenceId: \"P\" → \"Q\""
            ),
            format!("+ {with} › OrchestrationStep \"3\": \"ClaimsExchange, New → P\""),
            reordered.clone(),
        ]
    );
    // What has no number stays where it is among its like.
    let unnumbered = |what| step(what, 7).replace(" Order=\"7\"", "");
    let before = journey_of(&[unnumbered("X"), a.clone(), unnumbered("Y")]);
    let after = journey_of(&[a, unnumbered("X"), unnumbered("Y")]);
    assert_eq!(changes(&before, &after), [reordered]);
}

#[test]
fn so_many_steps_that_weighing_them_would_take_long_are_told_by_number() {
    let names: Vec<String> = (0..300).map(|number| format!("S{number}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    let before = journey(&names);
    names.insert(0, "New");
    assert!(changes(&before, &journey(&names)).len() > 300);
}

fn providers(providers: &[(&str, &[&str])]) -> String {
    let providers: String = providers
        .iter()
        .map(|(name, profiles)| {
            let profiles: String = profiles
                .iter()
                .map(|id| format!("<TechnicalProfile Id=\"{id}\" />"))
                .collect();
            format!(
                "<ClaimsProvider><DisplayName>{name}</DisplayName><TechnicalProfiles>{profiles}\
                 </TechnicalProfiles></ClaimsProvider>"
            )
        })
        .collect();
    format!(
        "<TrustFrameworkPolicy><ClaimsProviders>{providers}</ClaimsProviders></TrustFrameworkPolicy>"
    )
}

#[test]
fn a_technical_profile_is_known_by_its_id_wherever_it_stands() {
    let before = providers(&[("One", &["A", "B"]), ("Two", &["C"])]);
    assert!(changes(&before, &before).is_empty());
    let after = |all: &[(&str, &[&str])]| changes(&before, &providers(all));
    assert_eq!(
        after(&[("Renamed", &["A", "B"]), ("Two", &["C"])]),
        ["~ ClaimsProvider \"Renamed\" › DisplayName: \"One\" → \"Renamed\""]
    );
    assert_eq!(
        after(&[("One", &["A"]), ("Two", &["C", "B"])]),
        [
            "~ TechnicalProfile \"B\": \"ClaimsProvider \\\"One\\\"\" → \"ClaimsProvider \\\"Two\\\"\"",
            "~ ClaimsProviders: the order of its elements",
        ]
    );
    assert_eq!(
        after(&[("Two", &["C"]), ("One", &["A", "B"])]),
        ["~ ClaimsProviders: the order of its elements"]
    );
    assert_eq!(
        after(&[("One", &["A", "B"]), ("Three", &["D"])]),
        [
            "- ClaimsProvider \"Two\"",
            "- TechnicalProfile \"C\"",
            "+ ClaimsProvider \"Three\"",
            "+ TechnicalProfile \"D\"",
        ]
    );
    // Twice the same id: nothing is assumed.
    let twice = providers(&[("One", &["A", "a"]), ("Two", &["C"])]);
    assert!(!changes(&before, &twice).is_empty());
}
