//! Claim types and the checks of what users type.

use super::*;

pub(super) static CLAIMS_SCHEMA: Type = sequence(&[at_least_one(
    "ClaimType",
    &CLAIM_TYPE,
    "One kind of data: its type, its name in protocols, and how pages ask for it.",
)])
.keys(&[key("UniqueClaimTypeId", &[name("ClaimType")], "Id")]);

static CLAIM_TYPE: Type = sequence(&[
    optional("DisplayName", &TEXT, "The label of the claim on pages."),
    optional(
        "DataType",
        &DATA_TYPE_TEXT,
        "The type of the claim's values.",
    ),
    any_number(
        "DefaultPartnerClaimTypes",
        &DEFAULT_PARTNER_CLAIM_TYPES,
        "Names the claim has in protocols unless a technical profile says otherwise.",
    ),
    optional(
        "Mask",
        &MASK,
        "Hides part of the value where a page shows it.",
    ),
    optional(
        "AdminHelpText",
        &TEXT,
        "Explains the claim to administrators.",
    ),
    optional(
        "UserHelpText",
        &TEXT,
        "Explains the claim to users, and is the message when a check fails.",
    ),
    optional(
        "UserInputType",
        &USER_INPUT_TYPE_TEXT,
        "The kind of control with which pages ask for the claim.",
    ),
    optional(
        "Restriction",
        &RESTRICTION,
        "Limits the values: a list to choose from, or a pattern to match.",
    ),
    optional(
        "InputValidationReference",
        &INPUT_VALIDATION_REFERENCE,
        "Names the input validation that values must pass.",
    ),
    optional(
        "PredicateValidationReference",
        &PREDICATE_VALIDATION_REFERENCE,
        "Names the predicate validation that values must pass.",
    ),
])
.named("ClaimType")
.attributes(&[
    required("Id", &STRING),
    attribute("StatementType", &STATEMENT_TYPE),
]);

static DATA_TYPE_TEXT: Type = text(&DATA_TYPE);
static USER_INPUT_TYPE_TEXT: Type = text(&USER_INPUT_TYPE);

static DEFAULT_PARTNER_CLAIM_TYPES: Type = sequence(&[any_number(
    "Protocol",
    &PARTNER_PROTOCOL,
    "The name of the claim in one protocol.",
)]);

static PARTNER_PROTOCOL: Type = empty(&[
    required("Name", &PROTOCOL_NAME),
    attribute("Handler", &STRING),
    required("PartnerClaimType", &STRING),
]);

static MASK: Type = text(&STRING)
    .named("claimMaskTYPE")
    .attributes(&[required("Type", &MASK_TYPE), attribute("Regex", &STRING)]);

static RESTRICTION: Type = choice(&[
    any_number(
        "Enumeration",
        &ENUMERATION_ITEM,
        "One value that users can choose.",
    ),
    optional(
        "Pattern",
        &PATTERN,
        "The regular expression that values must match.",
    ),
])
.named("Restriction")
.attributes(&[attribute("MergeBehavior", &MERGE_BEHAVIOR)]);

pub(super) static ENUMERATION_ITEM: Type = text(&STRING).named("EnumerationItem").attributes(&[
    required("Text", &STRING),
    required("Value", &STRING),
    attribute("SelectByDefault", &BOOLEAN),
]);

static PATTERN: Type = empty(&[
    required("RegularExpression", &STRING),
    attribute("HelpText", &STRING),
])
.named("Pattern");

static INPUT_VALIDATION_REFERENCE: Type =
    empty(&[required("Id", &STRING)]).named("InputValidationReference");

static PREDICATE_VALIDATION_REFERENCE: Type =
    empty(&[required("Id", &STRING)]).named("PredicateValidationReference");

pub(super) static PREDICATES: Type = sequence(&[any_number(
    "Predicate",
    &PREDICATE,
    "One elementary check, such as a length or a set of characters.",
)])
.keys(&[key("UniquePredicateId", &[name("Predicate")], "Id")]);

static PREDICATE: Type = sequence(&[
    optional(
        "UserHelpText",
        &TEXT,
        "What the user reads when the check fails.",
    ),
    optional("Parameters", &PARAMETERS, "The constants of the check."),
])
.named("Predicate")
.attributes(&[
    required("Id", &STRING),
    required("Method", &STRING),
    attribute("HelpText", &STRING),
]);

static PARAMETERS: Type = sequence(&[any_number(
    "Parameter",
    &PARAMETER,
    "One constant of the check, such as the least length.",
)])
.named("Parameters");

static PARAMETER: Type = text(&STRING)
    .named("Parameter")
    .attributes(&[required("Id", &STRING)]);

pub(super) static INPUT_VALIDATIONS: Type = sequence(&[any_number(
    "InputValidation",
    &INPUT_VALIDATION,
    "One check that a claim type can refer to, in the older form.",
)])
.keys(&[key(
    "UniqueInputValidationId",
    &[name("InputValidation")],
    "Id",
)]);

static INPUT_VALIDATION: Type = sequence(&[any_number(
    "PredicateReferences",
    &PREDICATE_REFERENCES,
    "Predicates of which some or all must hold.",
)])
.named("InputValidation")
.attributes(&[required("Id", &STRING)]);

static PREDICATE_REFERENCES: Type = sequence(&[at_least_one(
    "PredicateReference",
    &PREDICATE_REFERENCE,
    "Names one predicate.",
)])
.named("PredicateReferences")
.attributes(&[
    attribute("Id", &STRING),
    attribute("HelpText", &STRING),
    attribute("MatchAtLeast", &INTEGER),
    attribute("Reject", &BOOLEAN),
]);

static PREDICATE_REFERENCE: Type = empty(&[required("Id", &STRING)]).named("PredicateReference");

pub(super) static PREDICATE_VALIDATIONS: Type = sequence(&[any_number(
    "PredicateValidation",
    &PREDICATE_VALIDATION,
    "One check that a claim type can refer to.",
)])
.keys(&[key(
    "UniquePredicateValidationId",
    &[name("PredicateValidation")],
    "Id",
)]);

static PREDICATE_VALIDATION: Type = sequence(&[any_number(
    "PredicateGroups",
    &PREDICATE_GROUPS,
    "Groups of predicates, all of which must hold.",
)])
.named("PredicateValidation")
.attributes(&[required("Id", &STRING)]);

static PREDICATE_GROUPS: Type = sequence(&[at_least_one(
    "PredicateGroup",
    &PREDICATE_GROUP,
    "Predicates with a common message.",
)])
.named("PredicateGroups");

static PREDICATE_GROUP: Type = sequence(&[
    optional(
        "UserHelpText",
        &TEXT,
        "What the user reads when the group fails.",
    ),
    any_number(
        "PredicateReferences",
        &PREDICATE_REFERENCES,
        "Predicates of which some or all must hold.",
    ),
])
.named("PredicateGroup")
.attributes(&[required("Id", &STRING)]);
