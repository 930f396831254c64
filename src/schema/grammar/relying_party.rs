//! The relying party: which journey a request starts, how it behaves, what the token holds.

use super::technical_profile::TECHNICAL_PROFILE;
use super::*;

pub(super) static RELYING_PARTY: Type = sequence(&[
    optional(
        "DefaultUserJourney",
        &REFERENCE,
        "Names the journey that a request to the policy starts.",
    ),
    optional(
        "Endpoints",
        &ENDPOINTS,
        "Names other journeys for other endpoints, such as token or user info.",
    ),
    optional(
        "UserJourneyBehaviors",
        &USER_JOURNEY_BEHAVIORS,
        "How the journey behaves: sessions, telemetry, framing, scripts.",
    ),
    any_number(
        "TechnicalProfile",
        &TECHNICAL_PROFILE,
        "The protocol of the application and the claims that its token holds.",
    ),
]);

static ENDPOINTS: Type = sequence(&[at_least_one(
    "Endpoint",
    &ENDPOINT,
    "The journey behind one endpoint.",
)])
.keys(&[key("UniqueEndpoint", &[name("Endpoint")], "Id")]);

static ENDPOINT: Type = empty(&[
    required("Id", &STRING),
    required("UserJourneyReferenceId", &STRING),
])
.named("Endpoint");

static USER_JOURNEY_BEHAVIORS: Type = sequence(&[
    optional(
        "SingleSignOn",
        &SINGLE_SIGN_ON,
        "How far one sign-in reaches: tenant, application, policy or nowhere.",
    ),
    optional(
        "SessionExpiryType",
        &SESSION_EXPIRY_TYPE_TEXT,
        "Whether the session is prolonged by use or ends at a fixed time.",
    ),
    optional(
        "SessionExpiryInSeconds",
        &INT_TEXT,
        "How long the session lasts, in seconds.",
    ),
    optional(
        "AzureApplicationInsights",
        &AZURE_APPLICATION_INSIGHTS,
        "The Application Insights resource that gets the journey's events, in the older form.",
    ),
    optional(
        "JourneyInsights",
        &JOURNEY_INSIGHTS,
        "The Application Insights resource that gets the journey's events, and which events.",
    ),
    optional(
        "ContentDefinitionParameters",
        &CONTENT_DEFINITION_PARAMETERS,
        "Query parameters to add to the address of the page template.",
    ),
    optional(
        "JourneyFraming",
        &JOURNEY_FRAMING,
        "Which sites may show the pages inside a frame.",
    ),
    optional(
        "ScriptExecution",
        &SCRIPT_EXECUTION_TEXT,
        "Whether page templates may run scripts.",
    ),
    optional(
        "OnError",
        &ON_ERROR,
        "Whether errors are returned to the application or shown on a page.",
    ),
]);

static SINGLE_SIGN_ON: Type = empty(&[
    required("Scope", &SINGLE_SIGN_ON_SCOPE),
    attribute("KeepAliveInDays", &INT),
    attribute("EnforceIdTokenHintOnLogout", &BOOLEAN),
])
.named("SingleSignOn");

static SESSION_EXPIRY_TYPE_TEXT: Type = text(&SESSION_EXPIRY_TYPE);
static SCRIPT_EXECUTION_TEXT: Type = text(&SCRIPT_EXECUTION);

static AZURE_APPLICATION_INSIGHTS: Type =
    empty(&[required("InstrumentationKey", &INSTRUMENTATION_KEY)])
        .named("AzureApplicationInsights");

static JOURNEY_INSIGHTS: Type = empty(&[
    required("InstrumentationKey", &INSTRUMENTATION_KEY),
    required("TelemetryEngine", &TELEMETRY_ENGINE),
    attribute("DeveloperMode", &BOOLEAN),
    attribute("ClientEnabled", &BOOLEAN),
    attribute("ServerEnabled", &BOOLEAN),
    attribute("TelemetryVersion", &THREE_PART_VERSION),
])
.named("JourneyInsights");

static CONTENT_DEFINITION_PARAMETERS: Type = sequence(&[at_least_one("Parameter",
    &CONTENT_DEFINITION_PARAMETER,
    "One query parameter: the name is in the attribute, the value, possibly a claim resolver, is the text.")])
.named("ContentDefinitionParameters");

static CONTENT_DEFINITION_PARAMETER: Type = text(&STRING)
    .named("ContentDefinitionParameter")
    .attributes(&[required("Name", &STRING)]);

static JOURNEY_FRAMING: Type =
    empty(&[required("Enabled", &BOOLEAN), required("Sources", &STRING)]).named("JourneyFraming");

static ON_ERROR: Type = empty(&[required("Mode", &ON_ERROR_MODE)]).named("JourneyOnError");
