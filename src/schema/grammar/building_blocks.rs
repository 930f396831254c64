//! `BuildingBlocks`, except for claim types and display controls.

use super::claims_schema::{
    CLAIMS_SCHEMA, ENUMERATION_ITEM, INPUT_VALIDATIONS, PREDICATE_VALIDATIONS, PREDICATES,
};
use super::display_controls::DISPLAY_CONTROLS;
use super::*;

pub(super) static BUILDING_BLOCKS: Type = sequence(&[
    optional(
        "ClaimsSchema",
        &CLAIMS_SCHEMA,
        "Declares the claim types: every piece of data that a policy can carry.",
    ),
    optional(
        "Predicates",
        &PREDICATES,
        "Declares elementary checks of what users type.",
    ),
    optional(
        "InputValidations",
        &INPUT_VALIDATIONS,
        "Combines predicates into checks for claims, in the older form.",
    ),
    optional(
        "PredicateValidations",
        &PREDICATE_VALIDATIONS,
        "Combines predicates into checks for claims, such as password rules.",
    ),
    optional(
        "ClaimsTransformations",
        &CLAIMS_TRANSFORMATIONS,
        "Declares functions that compute claims from claims.",
    ),
    optional(
        "ClientDefinitions",
        &CLIENT_DEFINITIONS,
        "Declares kinds of clients and what their pages show.",
    ),
    optional(
        "ContentDefinitions",
        &CONTENT_DEFINITIONS,
        "Declares the pages: template, page contract and texts.",
    ),
    optional(
        "Localization",
        &LOCALIZATION,
        "Declares the supported languages and the texts in each.",
    ),
    optional(
        "DisplayControls",
        &DISPLAY_CONTROLS,
        "Declares page elements with behaviour of their own, such as e-mail verification.",
    ),
])
.named("BuildingBlocks");

static CLAIMS_TRANSFORMATIONS: Type = sequence(&[any_number(
    "ClaimsTransformation",
    &CLAIMS_TRANSFORMATION,
    "One function call: a method of the service, its input claims, parameters and output claims.",
)])
.keys(&[key(
    "UniqueClaimsTransformationId",
    &[name("ClaimsTransformation")],
    "Id",
)]);

static CLAIMS_TRANSFORMATION: Type = sequence(&[
    optional(
        "InputClaims",
        &TRANSFORMATION_INPUT_CLAIMS,
        "The claims that the method reads.",
    ),
    optional(
        "InputParameters",
        &INPUT_PARAMETERS,
        "The constants that the method reads.",
    ),
    optional(
        "OutputClaims",
        &TRANSFORMATION_OUTPUT_CLAIMS,
        "The claims that the method writes.",
    ),
])
.named("ClaimsTransformation")
.attributes(&[
    required("Id", &STRING),
    required("TransformationMethod", &STRING),
]);

static TRANSFORMATION_INPUT_CLAIMS: Type = sequence(&[any_number(
    "InputClaim",
    &TRANSFORMATION_CLAIM,
    "A claim, and the name under which the method expects it.",
)]);

static TRANSFORMATION_OUTPUT_CLAIMS: Type = sequence(&[at_least_one(
    "OutputClaim",
    &TRANSFORMATION_CLAIM,
    "A claim, and the name under which the method returns it.",
)]);

static TRANSFORMATION_CLAIM: Type = empty(&[
    required("ClaimTypeReferenceId", &STRING),
    attribute("TransformationClaimType", &STRING),
])
.named("ClaimsTransformationClaimTypeReference");

static INPUT_PARAMETERS: Type = sequence(&[at_least_one(
    "InputParameter",
    &INPUT_PARAMETER,
    "A constant for the method, with its data type.",
)]);

static INPUT_PARAMETER: Type = empty(&[
    required("Id", &STRING),
    required("DataType", &DATA_TYPE),
    required("Value", &STRING),
])
.named("ClaimsTransformationParameter");

static CLIENT_DEFINITIONS: Type = sequence(&[any_number(
    "ClientDefinition",
    &CLIENT_DEFINITION,
    "One kind of client.",
)])
.keys(&[key(
    "UniqueClientDefinitionId",
    &[name("ClientDefinition")],
    "Id",
)]);

static CLIENT_DEFINITION: Type = sequence(&[once(
    "ClientUIFilterFlags",
    &TEXT,
    "Flags, divided by commas, of what pages hide from such clients.",
)])
.named("ClientDefinition")
.attributes(&[required("Id", &STRING)]);

static CONTENT_DEFINITIONS: Type = sequence(&[any_number(
    "ContentDefinition",
    &CONTENT_DEFINITION,
    "One page: where its template is loaded from and which page contract fills it.",
)])
.keys(&[key(
    "UniqueContentDefinitionId",
    &[name("ContentDefinition")],
    "Id",
)]);

static CONTENT_DEFINITION: Type = sequence(&[
    optional("LoadUri", &ANYTHING, "The address of the HTML template."),
    optional(
        "RecoveryUri",
        &CONTENT_URI_TEXT,
        "The address of the page that is shown when the template cannot be loaded.",
    ),
    optional(
        "DataUri",
        &CONTENT_URI_TEXT,
        "The page contract and its version, which decide the scripts and elements of the page.",
    ),
    optional("Metadata", &METADATA, "Settings of the page."),
    optional(
        "LocalizedResourcesReferences",
        &LOCALIZED_RESOURCES_REFERENCES,
        "Connects the page with its texts, language by language.",
    ),
])
.named("ContentDefinition")
.attributes(&[required("Id", &STRING)]);

static ANYTHING: Type = anything();
static CONTENT_URI_TEXT: Type = text(&CONTENT_URI);

static LOCALIZED_RESOURCES_REFERENCES: Type = sequence(&[any_number(
    "LocalizedResourcesReference",
    &LOCALIZED_RESOURCES_REFERENCE,
    "Names the texts of the page in one language.",
)])
.attributes(&[attribute("MergeBehavior", &MERGE_BEHAVIOR)]);

static LOCALIZED_RESOURCES_REFERENCE: Type = empty(&[
    required("Language", &CULTURE),
    attribute("Url", &STRING),
    attribute("LocalizedResourcesReferenceId", &STRING),
])
.named("LocalizedResourcesReference");

static LOCALIZATION: Type = sequence(&[
    optional(
        "SupportedLanguages",
        &SUPPORTED_LANGUAGES,
        "Lists the languages in which pages can be shown.",
    ),
    any_number(
        "LocalizedResources",
        &LOCALIZED_RESOURCES,
        "The texts of one page in one language.",
    ),
])
.attributes(&[attribute("Enabled", &BOOLEAN)]);

static SUPPORTED_LANGUAGES: Type = sequence(&[any_number(
    "SupportedLanguage",
    &CULTURE_TEXT,
    "One language, by its code.",
)])
.named("SupportedLanguages")
.attributes(&[
    attribute("DefaultLanguage", &CULTURE),
    attribute("PolicyLanguage", &CULTURE),
    attribute("MergeBehavior", &MERGE_BEHAVIOR),
]);

static CULTURE_TEXT: Type = text(&CULTURE);

static LOCALIZED_RESOURCES: Type = sequence(&[
    optional(
        "LocalizedCollections",
        &LOCALIZED_COLLECTIONS,
        "Translated lists of values to choose from.",
    ),
    optional("LocalizedStrings", &LOCALIZED_STRINGS, "Translated texts."),
])
.named("LocalizedResources")
.attributes(&[attribute("Culture", &CULTURE), attribute("Id", &STRING)]);

static LOCALIZED_COLLECTIONS: Type = sequence(&[any_number(
    "LocalizedCollection",
    &LOCALIZED_COLLECTION,
    "The translated values of one claim type.",
)]);

static LOCALIZED_COLLECTION: Type = sequence(&[at_least_one(
    "Item",
    &ENUMERATION_ITEM,
    "One value to choose, with its translated text.",
)])
.named("LocalizedCollection")
.attributes(&[
    required("ElementType", &STRING),
    required("ElementId", &STRING),
    required("TargetCollection", &STRING),
]);

static LOCALIZED_STRINGS: Type = sequence(&[any_number(
    "LocalizedString",
    &LOCALIZED_STRING,
    "One translated text and the element whose text it replaces.",
)]);

static LOCALIZED_STRING: Type = text(&STRING).named("LocalizedString").attributes(&[
    required("ElementType", &STRING),
    attribute("ElementId", &STRING),
    required("StringId", &STRING),
]);
