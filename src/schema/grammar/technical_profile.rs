//! Claims providers and their technical profiles.

use super::*;

pub(super) static CLAIMS_PROVIDERS: Type = sequence(&[at_least_one(
    "ClaimsProvider",
    &CLAIMS_PROVIDER,
    "One party that gives or takes claims, and the technical profiles to talk to it.",
)])
.keys(&[key(
    "UniqueTechnicalProfileId",
    &[
        name("ClaimsProvider"),
        name("TechnicalProfiles"),
        name("TechnicalProfile"),
    ],
    "Id",
)]);

static CLAIMS_PROVIDER: Type = sequence(&[
    optional(
        "Domains",
        &DOMAINS,
        "The domain names by which a request can choose the provider.",
    ),
    optional(
        "Domain",
        &TEXT,
        "The domain name by which a request can choose the provider (`domain_hint`).",
    ),
    optional("DisplayName", &TEXT, "The name of the provider."),
    once(
        "TechnicalProfiles",
        &TECHNICAL_PROFILES,
        "The technical profiles of the provider.",
    ),
])
.named("ClaimsProvider");

static TECHNICAL_PROFILES: Type = sequence(&[any_number(
    "TechnicalProfile",
    &TECHNICAL_PROFILE,
    "One way to talk to a party: protocol, settings, keys, and the claims that go in and out.",
)]);

pub(super) static TECHNICAL_PROFILE: Type = sequence(&[
    optional(
        "Domains",
        &DOMAINS,
        "The domain names by which a request can choose the profile.",
    ),
    optional(
        "Domain",
        &TEXT,
        "The domain name by which a request can choose the profile (`domain_hint`).",
    ),
    optional(
        "DisplayName",
        &TEXT,
        "The name of the profile, shown on sign-in buttons.",
    ),
    optional(
        "Description",
        &TEXT,
        "Explains the profile to those who read the policy.",
    ),
    optional(
        "Protocol",
        &PROTOCOL,
        "The protocol that the profile speaks, or the handler of the service that runs it.",
    ),
    optional(
        "InputTokenFormat",
        &TOKEN_FORMAT_TEXT,
        "The format of the token that comes in.",
    ),
    optional(
        "OutputTokenFormat",
        &TOKEN_FORMAT_TEXT,
        "The format of the token that goes out.",
    ),
    optional(
        "AssuranceLevelOfOutputClaims",
        &TEXT,
        "How far the claims that the profile returns can be trusted.",
    ),
    optional(
        "RequiredAssuranceLevelsOfInputClaims",
        &REQUIRED_ASSURANCE_LEVELS,
        "How far the claims that the profile reads must be trusted.",
    ),
    optional(
        "SubjectAuthenticationRequirements",
        &SUBJECT_AUTHENTICATION_REQUIREMENTS,
        "When the user must sign in anew.",
    ),
    optional(
        "Metadata",
        &METADATA,
        "The settings of the profile; which there are depends on its protocol.",
    ),
    optional(
        "CryptographicKeys",
        &CRYPTOGRAPHIC_KEYS,
        "The keysets that the profile uses.",
    ),
    optional(
        "Suppressions",
        &SUPPRESSIONS,
        "Settings of what the profile leaves out.",
    ),
    optional(
        "PreferredBinding",
        &TEXT,
        "The binding that is preferred where the protocol knows several.",
    ),
    optional(
        "IncludeInSso",
        &BOOLEAN_TEXT,
        "Whether single sign-on covers the profile.",
    ),
    optional(
        "InputTokenSources",
        &INPUT_TOKEN_SOURCES,
        "The technical profiles whose tokens come in.",
    ),
    any_number(
        "InputClaimsTransformations",
        &INPUT_CLAIMS_TRANSFORMATIONS,
        "Transformations to run before the input claims are read.",
    ),
    optional(
        "InputClaims",
        &INPUT_CLAIMS,
        "The claims that the profile reads, or with which its page is filled.",
    ),
    optional(
        "DisplayClaims",
        &DISPLAY_CLAIMS,
        "The claims and display controls that a self-asserted page shows.",
    ),
    optional(
        "PersistedClaims",
        &PERSISTED_CLAIMS,
        "The claims that a directory profile writes.",
    ),
    optional(
        "OutputClaims",
        &OUTPUT_CLAIMS,
        "The claims that the profile returns.",
    ),
    any_number(
        "OutputClaimsTransformations",
        &OUTPUT_CLAIMS_TRANSFORMATIONS,
        "Transformations to run when the output claims are there.",
    ),
    any_number(
        "ValidationTechnicalProfiles",
        &VALIDATION_TECHNICAL_PROFILES,
        "Technical profiles that check or store what a self-asserted page collected.",
    ),
    optional(
        "SubjectNamingInfo",
        &SUBJECT_NAMING_INFO,
        "Which claim becomes the subject of the token.",
    ),
    optional(
        "Extensions",
        &EXTENSIONS,
        "Elements of other schemas, which the service does not check.",
    ),
    optional(
        "IncludeClaimsFromTechnicalProfile",
        &TEXT,
        "Names the technical profile whose input and output claims are added to this one.",
    ),
    optional(
        "IncludeTechnicalProfile",
        &REFERENCE,
        "Names the technical profile whose content is added to this one.",
    ),
    optional(
        "UseTechnicalProfileForSessionManagement",
        &REFERENCE,
        "Names the technical profile that keeps the session of this one.",
    ),
    optional(
        "ErrorHandlers",
        &ERROR_HANDLERS,
        "What to do about errors that the other party returns.",
    ),
    optional(
        "EnabledForUserJourneys",
        &ENABLED_TEXT,
        "When journeys run the profile, possibly depending on claims.",
    ),
])
.named("TechnicalProfile")
.attributes(&[required("Id", &STRING)]);

static PROTOCOL: Type = empty(&[
    required("Name", &PROTOCOL_NAME),
    attribute("Handler", &STRING),
]);

static TOKEN_FORMAT_TEXT: Type = text(&TOKEN_FORMAT);
static ENABLED_TEXT: Type = text(&ENABLED_FOR_USER_JOURNEYS);

static REQUIRED_ASSURANCE_LEVELS: Type = sequence(&[any_number(
    "RequiredAssuranceLevelOfInputClaims",
    &TEXT,
    "One level of trust that suffices.",
)]);

static SUBJECT_AUTHENTICATION_REQUIREMENTS: Type = empty(&[
    required("TimeToLive", &INT),
    attribute("ResetExpiryWhenTokenIssued", &BOOLEAN),
]);

static SUPPRESSIONS: Type = sequence(&[at_least_one(
    "Item",
    &SUPPRESSION,
    "One setting of what to leave out.",
)])
.named("ItemGroup");

static SUPPRESSION: Type =
    empty(&[required("Key", &STRING), required("Value", &STRING)]).named("Item");

static INPUT_TOKEN_SOURCES: Type = sequence(&[at_least_one(
    "TechnicalProfile",
    &TOKEN_SOURCE,
    "Names a technical profile whose token comes in.",
)])
.named("InputTokenSources");

static TOKEN_SOURCE: Type = empty(&[required("Id", &STRING)]);

static INPUT_CLAIMS_TRANSFORMATIONS: Type = sequence(&[at_least_one(
    "InputClaimsTransformation",
    &TRANSFORMATION_REFERENCE,
    "Names a claims transformation to run before the input claims are read.",
)]);

static OUTPUT_CLAIMS_TRANSFORMATIONS: Type = sequence(&[at_least_one(
    "OutputClaimsTransformation",
    &TRANSFORMATION_REFERENCE,
    "Names a claims transformation to run when the output claims are there.",
)]);

static TRANSFORMATION_REFERENCE: Type =
    empty(&[required("ReferenceId", &STRING)]).named("ClaimsTransformationReference");

static INPUT_CLAIMS: Type = sequence(&[any_number(
    "InputClaim",
    &CLAIM,
    "A claim that the profile reads, and its name at the other party.",
)]);

static OUTPUT_CLAIMS: Type = sequence(&[any_number(
    "OutputClaim",
    &CLAIM,
    "A claim that the profile returns, its name at the other party, and its default.",
)]);

static CLAIM: Type = sequence(&[any_number(
    "From",
    &FROM,
    "Names a technical profile from which the claim is taken.",
)])
.named("ClaimsSchemaClaimTypeReference")
.attributes(&[
    required("ClaimTypeReferenceId", &STRING),
    attribute("PartnerClaimType", &STRING),
    attribute("Required", &BOOLEAN),
    attribute("DefaultValue", &STRING),
    attribute("AlwaysUseDefaultValue", &BOOLEAN),
]);

static FROM: Type = empty(&[required("TechnicalProfileReferenceId", &STRING)])
    .named("FromTechnicalProfileReference");

static DISPLAY_CLAIMS: Type = sequence(&[any_number(
    "DisplayClaim",
    &DISPLAY_CLAIM,
    "A claim or a display control that the page shows.",
)]);

static DISPLAY_CLAIM: Type = empty(&[
    attribute("ClaimTypeReferenceId", &STRING),
    attribute("DisplayControlReferenceId", &STRING),
    attribute("Required", &BOOLEAN),
])
.named("DisplayClaimReference");

static PERSISTED_CLAIMS: Type = sequence(&[any_number(
    "PersistedClaim",
    &PERSISTED_CLAIM,
    "A claim that is written, and its name in the directory.",
)]);

static PERSISTED_CLAIM: Type = empty(&[
    required("ClaimTypeReferenceId", &STRING),
    attribute("PartnerClaimType", &STRING),
    attribute("DefaultValue", &STRING),
    attribute("OverwriteIfExists", &BOOLEAN),
    attribute("AlwaysUseDefaultValue", &BOOLEAN),
])
.named("PersistedClaim");

static VALIDATION_TECHNICAL_PROFILES: Type = sequence(&[at_least_one(
    "ValidationTechnicalProfile",
    &VALIDATION_TECHNICAL_PROFILE,
    "Names one technical profile to run, and when to go on behind it.",
)])
.keys(&[key(
    "UniqueTechnicalProfileReferenceId",
    &[name("ValidationTechnicalProfile")],
    "ReferenceId",
)]);

static VALIDATION_TECHNICAL_PROFILE: Type = sequence(&[any_number(
    "Preconditions",
    &PRECONDITIONS,
    "When to skip the validation.",
)])
.attributes(&[
    required("ReferenceId", &STRING),
    attribute("ContinueOnSuccess", &BOOLEAN),
    attribute("ContinueOnError", &BOOLEAN),
]);

static SUBJECT_NAMING_INFO: Type = empty(&[
    required("ClaimType", &STRING),
    attribute("NameQualifier", &STRING),
    attribute("SPNameQualifier", &STRING),
    attribute("Format", &STRING),
    attribute("SPProvidedID", &STRING),
    attribute("ExcludeAsClaim", &BOOLEAN),
]);

static EXTENSIONS: Type = unchecked().named("Extensions");

static ERROR_HANDLERS: Type = sequence(&[any_number(
    "ErrorHandler",
    &ERROR_HANDLER,
    "What to do about one kind of error.",
)]);

static ERROR_HANDLER: Type = sequence(&[
    optional(
        "ErrorResponseFormat",
        &ERROR_RESPONSE_FORMAT_TEXT,
        "The format of the error that the other party returns.",
    ),
    once(
        "ResponseMatch",
        &TEXT,
        "What the response must match, as a path into it.",
    ),
    once(
        "Action",
        &ERROR_ACTION_TEXT,
        "What to do if the response matches.",
    ),
    any_number(
        "AdditionalRequestParameters",
        &ADDITIONAL_REQUEST_PARAMETER,
        "A parameter to add when the request is made again.",
    ),
]);

static ERROR_RESPONSE_FORMAT_TEXT: Type = text(&ERROR_RESPONSE_FORMAT);
static ERROR_ACTION_TEXT: Type = text(&ERROR_HANDLING_ACTION);

static ADDITIONAL_REQUEST_PARAMETER: Type = text(&STRING)
    .named("")
    .attributes(&[required("Key", &STRING)]);
