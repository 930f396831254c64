//! The grammar of `TrustFrameworkPolicy` (schema 0.3.0.0): which children stand where, how often and
//! in which order, which attributes they have, of which type, and which values must be unique.
//!
//! Every declaration has one sentence that tells what the element is for. Read it from [`POLICY`].

mod building_blocks;
mod claims_schema;
mod display_controls;
mod journeys;
mod relying_party;
mod technical_profile;

use super::notation::*;
use super::values::*;

use building_blocks::BUILDING_BLOCKS;
use journeys::{SUB_JOURNEYS, USER_JOURNEYS};
use relying_party::RELYING_PARTY;
use technical_profile::CLAIMS_PROVIDERS;

/// The namespace of all elements.
pub(super) const NAMESPACE: &str = "http://schemas.microsoft.com/online/cpim/schemas/2013/06";

/// The document element.
pub(super) static POLICY: Declaration = once(
    "TrustFrameworkPolicy",
    &TRUST_FRAMEWORK_POLICY,
    "One custom policy file: what it inherits from, what it declares, and which journey applications can start.",
);

static TRUST_FRAMEWORK_POLICY: Type = sequence(&[
    optional("BasePolicy", &BASE_POLICY,
        "Names the policy whose elements this one inherits, extends and overrides."),
    optional("PolicyConstraints", &POLICY_CONSTRAINTS,
        "Limits who may inherit from this policy and where its requests are sent."),
    optional("Contacts", &CONTACTS,
        "Lists people who answer for the policy."),
    optional("DocumentReferences", &DOCUMENT_REFERENCES,
        "Lists documents that belong to the policy, such as terms of use."),
    optional("BuildingBlocks", &BUILDING_BLOCKS,
        "Holds what technical profiles and journeys are built from: claim types, transformations, pages, texts."),
    optional("ClaimsProviders", &CLAIMS_PROVIDERS,
        "Groups the technical profiles by the party they talk to."),
    optional("UserJourneys", &USER_JOURNEYS,
        "Holds the step-by-step paths that users take through a policy."),
    optional("SubJourneys", &SUB_JOURNEYS,
        "Holds parts of journeys that a step of a journey can invoke."),
    optional("RelyingParty", &RELYING_PARTY,
        "Tells which journey a request to this policy starts and which claims the application gets."),
])
.attributes(&[
    required("PolicySchemaVersion", &FOUR_PART_VERSION),
    required("TenantId", &TENANT_ID),
    attribute("TenantObjectId", &TENANT_OBJECT_ID),
    required("PolicyId", &POLICY_ID),
    required("PublicPolicyUri", &ANY_URI),
    attribute("StateTableName", &STRING),
    attribute("DeploymentMode", &DEPLOYMENT_MODE),
    attribute("UserJourneyRecorderEndpoint", &STRING),
]);

static BASE_POLICY: Type = sequence(&[
    once(
        "TenantId",
        &TENANT_ID_TEXT,
        "The tenant that holds the base policy; always the tenant of the policy itself.",
    ),
    once("PolicyId", &POLICY_ID_TEXT, "The id of the base policy."),
])
.named("BasePolicy");

static POLICY_CONSTRAINTS: Type = sequence(&[
    optional(
        "Inheritance",
        &INHERITANCE,
        "Tells which policies may derive from this one.",
    ),
    optional(
        "RerouteRules",
        &REROUTE_RULES,
        "Tells which requests another policy answers instead.",
    ),
]);

static INHERITANCE: Type = choice(&[
    optional(
        "Tenants",
        &TENANTS,
        "Lists the tenants that an allow or deny list of deriving policies names.",
    ),
    optional(
        "ConstraintHandler",
        &CONSTRAINT_HANDLER,
        "Names code of the service that decides which policies may derive.",
    ),
])
.named("Inheritance")
.attributes(&[required("DerivingPolicies", &STRING)]);

static TENANTS: Type = sequence(&[at_least_one(
    "Tenant",
    &TENANT_REFERENCE,
    "One tenant of the list, by its object id.",
)])
.named("TenantListType");

static TENANT_REFERENCE: Type =
    empty(&[required("ReferenceId", &TENANT_OBJECT_ID)]).named("TenantReferenceType");

static CONSTRAINT_HANDLER: Type =
    empty(&[required("Id", &STRING), required("Handler", &STRING)]).named("ConstraintHandler");

static REROUTE_RULES: Type = sequence(&[any_number(
    "RerouteRule",
    &REROUTE_RULE,
    "Sends a share or a kind of requests to another policy.",
)])
.named("RerouteRules")
.attributes(&[required("Type", &STRING)]);

static REROUTE_RULE: Type = empty(&[
    required("PolicyId", &POLICY_ID_PATTERN),
    attribute("Weight", &WEIGHT),
    attribute("Match", &MATCH),
])
.named("RerouteRule");

static CONTACTS: Type = sequence(&[any_number(
    "Contact",
    &CONTACT,
    "One person who answers for the policy.",
)]);

static CONTACT: Type = sequence(&[
    once("DisplayName", &TEXT, "The name of the contact."),
    once(
        "TelephoneNumber",
        &TEXT,
        "The telephone number of the contact.",
    ),
    once("Email", &TEXT, "The mail address of the contact."),
    once("Role", &TEXT, "What the contact is responsible for."),
])
.named("Contact")
.attributes(&[required("Id", &STRING)]);

static DOCUMENT_REFERENCES: Type = sequence(&[any_number(
    "DocumentReference",
    &DOCUMENT_REFERENCE,
    "One document that belongs to the policy.",
)])
.keys(&[key(
    "UniqueDocumentReferenceId",
    &[name("DocumentReference")],
    "Id",
)]);

static DOCUMENT_REFERENCE: Type = sequence(&[
    once("DisplayName", &TEXT, "The title of the document."),
    once("Url", &URI_TEXT, "The address of the document."),
])
.named("DocumentReference")
.attributes(&[required("Id", &STRING)]);

/// Any text.
static TEXT: Type = text(&STRING);
static NON_EMPTY_TEXT: Type = text(&NON_EMPTY);
static BOOLEAN_TEXT: Type = text(&BOOLEAN);
static INT_TEXT: Type = text(&INT);
static URI_TEXT: Type = text(&ANY_URI);
static TENANT_ID_TEXT: Type = text(&TENANT_ID);
static POLICY_ID_TEXT: Type = text(&POLICY_ID);

/// A reference to an element by its id and nothing else.
static REFERENCE: Type = empty(&[required("ReferenceId", &STRING)]);

static CRYPTOGRAPHIC_KEYS: Type = sequence(&[at_least_one(
    "Key",
    &CRYPTOGRAPHIC_KEY,
    "Names the keyset that plays one cryptographic part, such as signing tokens.",
)])
.named("CryptographicKeys");

static CRYPTOGRAPHIC_KEY: Type = empty(&[
    required("Id", &STRING),
    required("StorageReferenceId", &STRING),
]);

static METADATA: Type = sequence(&[at_least_one(
    "Item",
    &METADATA_ITEM,
    "One setting: the key is in the attribute, the value is the text.",
)])
.named("metadataTYPE");

static METADATA_ITEM: Type = text(&STRING)
    .named("metadataItemTYPE")
    .attributes(&[required("Key", &STRING)]);

static DOMAINS: Type = sequence(&[at_least_one(
    "Domain",
    &NON_EMPTY_TEXT,
    "One domain name under which the party is known.",
)]);

static PRECONDITIONS: Type = sequence(&[at_least_one(
    "Precondition",
    &PRECONDITION,
    "Skips the step or validation if claims exist or have a value, or if they do not.",
)])
.named("Preconditions");

static PRECONDITION: Type = sequence(&[
    at_least_one("Value", &TEXT,
        "The claim to look at, and for `ClaimEquals`, in a second `Value`, what to compare it with."),
    at_least_one("Action", &PRECONDITION_ACTION_TEXT,
        "What to do if the precondition holds."),
])
.named("Precondition")
.attributes(&[
    required("Type", &PRECONDITION_TYPE),
    required("ExecuteActionsIf", &BOOLEAN),
]);

static PRECONDITION_ACTION_TEXT: Type = text(&PRECONDITION_ACTION);
