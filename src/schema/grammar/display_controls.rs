//! Display controls: page elements with actions of their own.

use super::*;

pub(super) static DISPLAY_CONTROLS: Type = sequence(&[any_number(
    "DisplayControl",
    &DISPLAY_CONTROL,
    "One page element with behaviour of its own, its claims and its actions.",
)]);

/// `DisplayName` is documented for the CAPTCHA control and absent from the published schema.
static DISPLAY_CONTROL: Type = sequence(&[
    optional(
        "InputClaims",
        &CONTROL_INPUT_CLAIMS,
        "The claims with which the control is filled at first.",
    ),
    optional(
        "DisplayClaims",
        &CONTROL_DISPLAY_CLAIMS,
        "The claims that the control shows and asks for.",
    ),
    optional(
        "OutputClaims",
        &CONTROL_OUTPUT_CLAIMS,
        "The claims that the control returns.",
    ),
    optional("Actions", &ACTIONS, "What the buttons of the control do."),
])
.named("DisplayControl")
.attributes(&[
    required("Id", &STRING),
    required("UserInterfaceControlType", &USER_INTERFACE_CONTROL_TYPE),
    newer("DisplayName", &STRING),
]);

static CONTROL_INPUT_CLAIMS: Type = sequence(&[any_number(
    "InputClaim",
    &CONTROL_CLAIM,
    "A claim that the control starts with.",
)]);

static CONTROL_OUTPUT_CLAIMS: Type = sequence(&[any_number(
    "OutputClaim",
    &CONTROL_CLAIM,
    "A claim that the control returns.",
)]);

static CONTROL_CLAIM: Type = empty(&[
    attribute("ClaimTypeReferenceId", &STRING),
    attribute("Required", &BOOLEAN),
    attribute("DefaultValue", &STRING),
    attribute("AlwaysUseDefaultValue", &BOOLEAN),
])
.named("DisplayControlClaimTypeReference");

static CONTROL_DISPLAY_CLAIMS: Type = sequence(&[any_number(
    "DisplayClaim",
    &CONTROL_DISPLAY_CLAIM,
    "A claim that the control shows, and the part that it plays there.",
)]);

static CONTROL_DISPLAY_CLAIM: Type = empty(&[
    attribute("ClaimTypeReferenceId", &STRING),
    attribute("ControlClaimType", &STRING),
    attribute("Required", &BOOLEAN),
])
.named("DisplayControlDisplayClaimReference");

static ACTIONS: Type = sequence(&[any_number(
    "Action",
    &ACTION,
    "What one button of the control does.",
)]);

static ACTION: Type = sequence(&[once(
    "ValidationClaimsExchange",
    &VALIDATION_CLAIMS_EXCHANGE,
    "The technical profiles that the button runs.",
)])
.named("DisplayControlAction")
.attributes(&[required("Id", &STRING)]);

static VALIDATION_CLAIMS_EXCHANGE: Type = sequence(&[at_least_one(
    "ValidationClaimsExchangeTechnicalProfile",
    &VALIDATION_CLAIMS_EXCHANGE_TECHNICAL_PROFILE,
    "Names one technical profile to run, and when to go on behind it.",
)]);

static VALIDATION_CLAIMS_EXCHANGE_TECHNICAL_PROFILE: Type = sequence(&[any_number(
    "Preconditions",
    &PRECONDITIONS,
    "When to skip the technical profile.",
)])
.attributes(&[
    required("TechnicalProfileReferenceId", &STRING),
    attribute("ContinueOnSuccess", &BOOLEAN),
    attribute("ContinueOnError", &BOOLEAN),
]);
