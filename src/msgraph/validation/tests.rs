use proptest::prelude::*;

use super::*;

const TENANT: &str = "contoso.onmicrosoft.com";

/// One of the service's sentences with what it names, written independently of the table.
fn sentence(
    number: usize,
    a: &str,
    b: &str,
    c: &str,
) -> (SentenceKind, String, Vec<(Name, String)>) {
    use Name as N;
    use SentenceKind as S;
    let t = TENANT;
    let own = |pairs: &[(Name, &str)]| -> Vec<(Name, String)> {
        pairs
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect()
    };
    let (kind, text, names) = match number {
        0 => (
            S::SchemaViolation,
            format!(
                "Schema validation error found at line 14 col 55 in policy \"{a}\" of tenant \"{t}\": The element 'OutputClaims' in namespace 'http://schemas.microsoft.com/online/cpim/schemas/2013/06' cannot contain text. List of possible elements expected: 'OutputClaim' in namespace 'http://schemas.microsoft.com/online/cpim/schemas/2013/06'."
            ),
            own(&[
                (N::Line, "14"),
                (N::Column, "55"),
                (N::Policy, a),
                (N::Tenant, t),
            ]),
        ),
        1 => (
            S::SchemaViolation,
            format!(
                "Schema validation error found at line 1 col 2 in policy \"{a}\" of tenant \"{t}\": The element cannot contain white space. Content model is empty."
            ),
            own(&[
                (N::Line, "1"),
                (N::Column, "2"),
                (N::Policy, a),
                (N::Tenant, t),
            ]),
        ),
        2 => (
            S::BaseNotFound,
            format!("Policy with 'policyId': B2C_1A_BASE cannot be found in the directory '{a}'."),
            own(&[(N::Policy, "B2C_1A_BASE"), (N::Directory, a)]),
        ),
        3 => (
            S::MissingKeyset,
            format!(
                "Tenant \"{t}\" does not have CryptographicKey referenced by storageReferenceId \"{a}\"."
            ),
            own(&[(N::Tenant, t), (N::Keyset, a)]),
        ),
        4 => (
            S::InvalidMetadata,
            format!(
                "TechnicalProfile \"{a}\" in policy \"{b}\" of tenant \"{t}\" defines an invalid value \"\" for the metadata item \"client_id.\""
            ),
            own(&[
                (N::TechnicalProfile, a),
                (N::Policy, b),
                (N::Tenant, t),
                (N::MetadataValue, ""),
                (N::MetadataKey, "client_id"),
            ]),
        ),
        5 => (
            S::MissingMetadata,
            format!(
                "A required Metadata item with key \"{a}\" was not found in the TechnicalProfile with id \"{b}\" in policy \"{c}\" of tenant \"{t}\"."
            ),
            own(&[
                (N::MetadataKey, a),
                (N::TechnicalProfile, b),
                (N::Policy, c),
                (N::Tenant, t),
            ]),
        ),
        6 => (
            S::InputClaimUnavailable,
            format!(
                "Claim type \"{a}\" is the input claim of technical profile \"{b}\" in step \"3\" of user journey \"{c}\" but it is not an output claim in any of the previous steps."
            ),
            own(&[
                (N::ClaimType, a),
                (N::TechnicalProfile, b),
                (N::Step, "3"),
                (N::UserJourney, c),
            ]),
        ),
        7 => (
            S::OutputClaimUnavailable,
            format!(
                "Claim type \"{a}\" is the output claim of the relying party's technical profile, but it is not an output claim in any of the steps of user journey \"{b}\"."
            ),
            own(&[(N::ClaimType, a), (N::UserJourney, b)]),
        ),
        8 => (
            S::SeveralExchanges,
            format!(
                "User journey \"{a}\" in policy \"{b}\" of tenant \"{t}\" has step 7 with 2 claims exchanges. It must be preceded by a claims provider selection in order to determine which claims exchange can be used."
            ),
            own(&[
                (N::UserJourney, a),
                (N::Policy, b),
                (N::Tenant, t),
                (N::Step, "7"),
                (N::ExchangeCount, "2"),
            ]),
        ),
        9 => (
            S::NoSendClaims,
            format!("User journey '{a}' does not contain a send claims step."),
            own(&[(N::UserJourney, a)]),
        ),
        10 => (
            S::MissingExchange,
            format!(
                "ClaimsExchange with id \"{a}\" is referenced in UserJourney with id \"{b}\" in policy \"{c}\" of tenant \"{t}\", but it was not found."
            ),
            own(&[
                (N::ClaimsExchange, a),
                (N::UserJourney, b),
                (N::Policy, c),
                (N::Tenant, t),
            ]),
        ),
        11 => (
            S::DanglingReference,
            format!(
                "Policy \"{a}\" of tenant \"{t}\" makes a reference to ClaimType with id \"{b}\" but neither the policy nor any of its base policies contain such an element."
            ),
            own(&[
                (N::Policy, a),
                (N::Tenant, t),
                (N::ReferenceKind, "ClaimType"),
                (N::Reference, b),
            ]),
        ),
        12 => (
            S::UnknownPageElement,
            format!(
                "The element specified by id '{a}' cannot be found in the element factory cache. Check that element definition exists in the elements folder."
            ),
            own(&[(N::PageContract, a)]),
        ),
        13 => (
            S::ForbiddenBase,
            format!(
                "Policy '{a}' of tenant '{t}' is not allowed to inherit from the specified base policy. Inheritance chain: [{{\"PolicyId\":\"X.Y\"}}]"
            ),
            own(&[(N::Policy, a), (N::Tenant, t)]),
        ),
        14 => (
            S::TenantMismatch,
            format!(
                "TenantId in the policy xml '{t}' is not same as the one in login tenant '{a}'."
            ),
            own(&[(N::Tenant, t), (N::OtherTenant, a)]),
        ),
        15 => (
            S::ServiceFault,
            "Object reference not set to an instance of an object.".to_owned(),
            own(&[]),
        ),
        16 => (
            S::PageContractVersion,
            format!(
                "The specified page contract '{a}' has invalid version '2.1.4'. The available versions are: '[\"1.0.0\",\"1.2.0\"]'."
            ),
            own(&[
                (N::PageContract, a),
                (N::Version, "2.1.4"),
                (N::Detail, "[\"1.0.0\",\"1.2.0\"]"),
            ]),
        ),
        17 => (
            S::ScriptWithoutContract,
            "Please use page contract in content definitions when enabling JavaScript.".to_owned(),
            own(&[]),
        ),
        18 => (
            S::InsecureAuthentication,
            format!(
                "Profile '{a}' uses an insecure authentication mode that is only allowed in production mode policies with metadata key 'AllowInsecureAuthInProduction' set to true."
            ),
            own(&[
                (N::TechnicalProfile, a),
                (N::MetadataKey, "AllowInsecureAuthInProduction"),
            ]),
        ),
        19 => (
            S::WeakPassword,
            format!(
                "DisableStrongPassword is required in Technical Profile '{a}' of policy '{b}' for custom password complexity or legacy password restriction with weak custom regular expression. Add \"DisablePasswordExpiration, DisableStrongPassword\" into PersistedClaim \"passwordPolicies\""
            ),
            own(&[(N::TechnicalProfile, a), (N::Policy, b)]),
        ),
        20 => (
            S::UnsupportedOutputClaim,
            format!(
                "Output Claim '{a},{b}' is not supported in Azure Active Directory Provider technical profile '{c}' of policy 'P'. If it is a claim with default value, add AlwaysUseDefaultValue=\"true\" to the output claim mapping."
            ),
            own(&[
                (N::ClaimType, &format!("{a},{b}")),
                (N::TechnicalProfile, c),
                (N::Policy, "P"),
            ]),
        ),
        21 => (
            S::UnsourcedOutputClaim,
            format!(
                "Output claim type \"{a}\" specified in the technical profile with id \"{b}\" in policy \"{c}\" of tenant \"{t}\" does not specify a UserInputType or a DefaultValue, and is not retrieved from a ValidationTechnicalProfile either."
            ),
            own(&[
                (N::ClaimType, a),
                (N::TechnicalProfile, b),
                (N::Policy, c),
                (N::Tenant, t),
            ]),
        ),
        22 => (
            S::TransformationMismatch,
            format!(
                "The InputClaims mismatched in ClaimsTransformation with id \"{a}\" with TransformationMethod \"M\". The following InputClaims were declared in the Policy but were not expected by the TransformMethod: [DateTime]rightOperand. The following InputClaims were expected by the TransformMethod but were not declared in the Policy: [String]rightOperand."
            ),
            own(&[(N::ClaimsTransformation, a), (N::TransformationMethod, "M")]),
        ),
        23 => (
            S::MissingDataUri,
            format!(
                "A content definition data uri is required. Orchestration step '4' of user journey '{a}' in policy '{b}' does not reference one nor does one of its referenced technical profiles."
            ),
            own(&[(N::Step, "4"), (N::UserJourney, a), (N::Policy, b)]),
        ),
        24 => (
            S::SelectionNotFollowed,
            format!(
                "Orchestration step order \"2\" in user journey \"{a}\" in policy \"{b}\" of tenant \"{t}\" is followed by a claims provider selection step and must be a claims exchange, but it is of type SendClaims."
            ),
            own(&[
                (N::Step, "2"),
                (N::UserJourney, a),
                (N::Policy, b),
                (N::Tenant, t),
            ]),
        ),
        25 => (
            S::PolicyExists,
            format!(
                "Tenant \"{t}\" already has a policy with id \"{a}\". Another policy with the same id cannot be stored"
            ),
            own(&[(N::Tenant, t), (N::Policy, a)]),
        ),
        _ => (
            S::MissingStep,
            format!(
                "User journey \"{a}\" in policy \"{b}\" of tenant \"{t}\" was expected to have step with order \"3\" but it was not found."
            ),
            own(&[
                (N::UserJourney, a),
                (N::Policy, b),
                (N::Tenant, t),
                (N::Step, "3"),
            ]),
        ),
    };
    (kind, text, names)
}

fn header(count: usize) -> String {
    format!(
        "Validation failed: {count} validation error(s) found in policy \"B2C_1A_EXT\" of tenant \"{TENANT}\"."
    )
}

fn texts(failure: &ValidationFailure) -> Vec<&str> {
    failure
        .items
        .iter()
        .map(|item| item.text.as_str())
        .collect()
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z][A-Za-z0-9_.-]{0,20}", "[A-Za-z0-9_.\"' :,-]{0,24}",]
}

fn any_sentence() -> impl Strategy<Value = (SentenceKind, String, Vec<(Name, String)>)> {
    (0_usize..=26, id(), id(), id()).prop_map(|(number, a, b, c)| sentence(number, &a, &b, &c))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn joined_sentences_come_apart_again(
        sentences in proptest::collection::vec(any_sentence(), 1..8),
        separator in prop_oneof![Just(""), Just("\r\n"), Just("\n"), Just(" ")],
        twice in any::<bool>(),
    ) {
        let joined: Vec<&str> = sentences.iter().map(|(_, text, _)| text.as_str()).collect();
        let mut message = header(sentences.len()) + separator + &joined.join(separator);
        if twice {
            message = message + separator + &joined.join(separator);
        }
        let failure = split_validation_message(&message).unwrap();
        prop_assert!(failure.is_complete(), "{failure:#?}");
        for ((kind, text, names), item) in sentences.iter().zip(&failure.items) {
            prop_assert_eq!(text.trim(), &item.text);
            prop_assert_eq!(*kind, item.kind);
            let found: Vec<_> = item.names.iter().map(|n| (n.name, n.value.clone())).collect();
            prop_assert_eq!(names, &found);
        }
    }

    #[test]
    fn unknown_sentences_survive(
        sentences in proptest::collection::vec(
            prop_oneof![
                any_sentence().prop_map(|(_, text, _)| text),
                "[A-Z][a-z]{2,9} \"[A-Za-z. ]{0,9}\" breaks a rule( [a-z]{2,9}){0,4}\\.",
            ],
            1..8,
        ),
        separator in prop_oneof![Just(""), Just("\r\n")],
    ) {
        let message = header(sentences.len()) + &sentences.join(separator);
        let failure = split_validation_message(&message).unwrap();
        let found: String = texts(&failure).concat();
        let plain = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(plain(&sentences.concat()), plain(&found));
    }

    #[test]
    fn any_text_is_taken(text in "\\PC{0,80}", number in 0_usize..=26, cut in 0_usize..400) {
        split_validation_message(&text);
        let whole = header(2) + &sentence(number, &text, "b", "c").1;
        let cut = whole.char_indices().map(|(i, _)| i).nth(cut).unwrap_or(whole.len());
        split_validation_message(&whole[..cut]);
    }
}

#[test]
fn the_header_is_read_and_what_stands_before_it_kept() {
    let message = format!(
        "Error occurred while executing PutTrustFrameworkPolicy  Code: AADB2C  Message: {}{}",
        header(1),
        sentence(15, "", "", "").1
    );
    let failure = split_validation_message(&message).unwrap();
    assert_eq!(failure.count, Some(1));
    assert_eq!(failure.policy.as_deref(), Some("B2C_1A_EXT"));
    assert_eq!(failure.tenant.as_deref(), Some(TENANT));
    assert!(failure.preamble.unwrap().ends_with("Message:"));
    assert_eq!(failure.items.len(), 1);
}

#[test]
fn positions_are_read() {
    let failure = split_validation_message(&(header(1) + &sentence(0, "P", "", "").1)).unwrap();
    let expected = UploadedPosition {
        line: 14,
        column: 55,
    };
    assert_eq!(failure.items[0].position, Some(expected));

    let alone = "The policy being uploaded is not XML or is not correctly formatted: Data at the \
                 root level is invalid. Line 3, position 12.";
    let failure = split_validation_message(alone).unwrap();
    let expected = UploadedPosition {
        line: 3,
        column: 12,
    };
    assert_eq!(failure.items[0].position, Some(expected));
    assert_eq!(failure.count, None);
    assert_eq!(texts(&failure), [alone]);
}

#[test]
fn missing_quotes_are_tolerated() {
    let text = "Policy B2C_1A_X of tenant contoso makes a reference to UserJourney with id Foo but \
                neither the policy nor any of its base policies contain such an element.";
    let failure = split_validation_message(&(header(1) + text)).unwrap();
    assert_eq!(failure.items[0].kind, SentenceKind::DanglingReference);
    assert_eq!(failure.items[0].get(Name::Reference), Some("Foo"));
}

#[test]
fn equal_sentences_are_kept_if_the_count_says_so() {
    let one = sentence(15, "", "", "").1;
    let failure = split_validation_message(&(header(2) + &one + &one)).unwrap();
    assert_eq!(failure.items.len(), 2);
    let failure = split_validation_message(&(header(1) + &one + &one)).unwrap();
    assert_eq!(failure.items.len(), 1);
    // The whole message twice, and each sentence twice.
    let message = header(1) + &one;
    let failure = split_validation_message(&(message.clone() + &message)).unwrap();
    assert_eq!(failure.items.len(), 1);
    let two = sentence(17, "", "", "").1;
    let pairs = header(2) + &one + &one + &two + &two;
    assert_eq!(
        texts(&split_validation_message(&pairs).unwrap()),
        [one, two]
    );
}

#[test]
fn unknown_sentences_are_cut_where_the_count_confirms_it() {
    let message =
        header(3) + "First new rule.Second new rule with Web.TPEngine.Third \"x.y\" rule.";
    // Five pieces would be too many: the text stays whole.
    let failure = split_validation_message(&message).unwrap();
    assert!(!failure.is_complete());
    assert_eq!(failure.items.len(), 1);
    let message = header(2) + "First new rule.Second \"x.y\" rule.";
    let failure = split_validation_message(&message).unwrap();
    assert_eq!(texts(&failure), ["First new rule.", "Second \"x.y\" rule."]);
}

#[test]
fn other_messages_are_not_taken_apart() {
    for other in [
        "",
        "There is a problem with the service.",
        "Validation failed: x",
    ] {
        assert_eq!(split_validation_message(other), None, "{other}");
    }
}
