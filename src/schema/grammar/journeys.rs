//! User journeys, sub journeys and their orchestration steps.

use super::*;

pub(super) static USER_JOURNEYS: Type = sequence(&[at_least_one(
    "UserJourney",
    &USER_JOURNEY,
    "One path through the policy, from the request to the token.",
)])
.keys(&[key("UniqueUserJourneyId", &[name("UserJourney")], "Id")]);

static USER_JOURNEY: Type = sequence(&[
    optional(
        "AssuranceLevel",
        &TEXT,
        "How far the claims of the journey can be trusted.",
    ),
    optional(
        "PreserveOriginalAssertion",
        &BOOLEAN_TEXT,
        "Whether the assertion of the identity provider is kept.",
    ),
    optional("Authorization", &AUTHORIZATION, "Who may call the journey."),
    optional(
        "OrchestrationSteps",
        &USER_JOURNEY_STEPS,
        "The steps of the journey; they run in the order of their numbers.",
    ),
    optional(
        "ClientDefinition",
        &CLIENT_DEFINITION_REFERENCE,
        "Names the kind of client that the journey is for.",
    ),
    optional(
        "CryptographicKeys",
        &CRYPTOGRAPHIC_KEYS,
        "The keysets that the journey uses.",
    ),
])
.named("UserJourney")
.attributes(&[
    required("Id", &STRING),
    attribute("NonInteractive", &BOOLEAN),
    attribute("DefaultCpimIssuerTechnicalProfileReferenceId", &STRING),
]);

static AUTHORIZATION: Type = sequence(&[optional(
    "AuthorizationTechnicalProfiles",
    &AUTHORIZATION_TECHNICAL_PROFILES,
    "The technical profiles that decide whether a call is allowed.",
)]);

static AUTHORIZATION_TECHNICAL_PROFILES: Type = sequence(&[at_least_one(
    "AuthorizationTechnicalProfile",
    &REFERENCE,
    "Names one technical profile that decides whether a call is allowed.",
)])
.keys(&[key(
    "UniqueAuthorizationTechnicalProfileReferenceId",
    &[name("AuthorizationTechnicalProfile")],
    "ReferenceId",
)]);

static CLIENT_DEFINITION_REFERENCE: Type = empty(&[attribute("ReferenceId", &STRING)]);

static USER_JOURNEY_STEPS: Type = sequence(ORCHESTRATION_STEPS).keys(&[
    numeric_key(
        "UniqueOrchestrationStepOrder",
        &[name("OrchestrationStep")],
        "Order",
    ),
    key("UniqueClaimsExchangeId", CLAIMS_EXCHANGE_PATH, "Id"),
]);

static SUB_JOURNEY_STEPS: Type = sequence(ORCHESTRATION_STEPS).keys(&[
    numeric_key(
        "UniqueOrchestrationStepOrderForSubJourney",
        &[name("OrchestrationStep")],
        "Order",
    ),
    key(
        "UniqueClaimsExchangeIdForSubJourney",
        CLAIMS_EXCHANGE_PATH,
        "Id",
    ),
]);

static ORCHESTRATION_STEPS: &[Declaration] = &[at_least_one(
    "OrchestrationStep",
    &ORCHESTRATION_STEP,
    "One step: what it does, with which technical profiles, and when it is skipped.",
)];

static CLAIMS_EXCHANGE_PATH: &[Name] = &[
    name("OrchestrationStep"),
    name("ClaimsExchanges"),
    name("ClaimsExchange"),
];

pub(super) static SUB_JOURNEYS: Type = sequence(&[at_least_one(
    "SubJourney",
    &SUB_JOURNEY,
    "One part of a journey that steps can invoke.",
)])
.keys(&[key("UniqueSubJourney", &[name("SubJourney")], "Id")]);

static SUB_JOURNEY: Type = sequence(&[optional(
    "OrchestrationSteps",
    &SUB_JOURNEY_STEPS,
    "The steps of the sub journey; they run in the order of their numbers.",
)])
.named("SubJourney")
.attributes(&[required("Id", &STRING), required("Type", &SUB_JOURNEY_TYPE)]);

static ORCHESTRATION_STEP: Type = sequence(&[
    any_number("Preconditions", &PRECONDITIONS, "When to skip the step."),
    any_number(
        "ClaimsProviderSelections",
        &CLAIMS_PROVIDER_SELECTIONS,
        "The ways to sign in among which the user chooses.",
    ),
    any_number(
        "ClaimsExchanges",
        &CLAIMS_EXCHANGES,
        "The technical profiles that the step can run.",
    ),
    any_number(
        "JourneyList",
        &JOURNEY_LIST,
        "The sub journeys that the step can invoke.",
    ),
])
.named("OrchestrationStep")
.attributes(&[
    required("Order", &INT),
    required("Type", &ORCHESTRATION_STEP_TYPE),
    attribute("ContentDefinitionReferenceId", &STRING),
    attribute("CpimIssuerTechnicalProfileReferenceId", &STRING),
]);

static CLAIMS_PROVIDER_SELECTIONS: Type = sequence(&[at_least_one(
    "ClaimsProviderSelection",
    &CLAIMS_PROVIDER_SELECTION,
    "One way to sign in: the claims exchange that the choice leads to.",
)])
.named("ClaimsProviderSelections")
.attributes(&[attribute("DisplayOption", &SELECTION_DISPLAY_OPTION)]);

static CLAIMS_PROVIDER_SELECTION: Type = empty(&[
    attribute("TargetClaimsExchangeId", &STRING),
    attribute("ValidationClaimsExchangeId", &STRING),
])
.named("ClaimsProviderSelection");

static CLAIMS_EXCHANGES: Type = sequence(&[any_number(
    "ClaimsExchange",
    &CLAIMS_EXCHANGE,
    "Names a technical profile that the step runs, and the id by which selections refer to it.",
)])
.named("ClaimsExchanges")
.attributes(&[attribute("UserIdentity", &BOOLEAN)]);

static CLAIMS_EXCHANGE: Type = empty(&[
    required("Id", &STRING),
    required("TechnicalProfileReferenceId", &STRING),
])
.named("ClaimsExchange");

static JOURNEY_LIST: Type = sequence(&[at_least_one(
    "Candidate",
    &CANDIDATE,
    "Names a sub journey.",
)])
.named("JourneyList");

static CANDIDATE: Type = empty(&[required("SubJourneyReferenceId", &STRING)]).named("Candidate");
