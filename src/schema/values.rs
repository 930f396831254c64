//! The types of attribute values and of text: what may be written, in code instead of regular
//! expressions, and what the service's validator says of anything else.
//!
//! Strings are taken as they stand; booleans, numbers and URIs without the white space around them.
//! All enumerations are case-sensitive.

use super::alphabet::Alphabet;
use super::uri;

/// A type of values.
#[derive(Debug)]
pub(super) struct ValueType {
    /// The local name in the service's schema.
    pub(super) name: &'static str,
    /// Whether the name is one of XML Schema's own types.
    pub(super) builtin: bool,
    pub(super) form: Form,
}

#[derive(Debug)]
pub(super) enum Form {
    String,
    Boolean,
    /// A signed 32-bit number.
    Int,
    /// A whole number of up to 28 digits, the range in which the service counts.
    Integer,
    Uri,
    OneOf {
        values: &'static [&'static str],
        /// Values that are documented for the service, but absent from the published schema.
        newer: &'static [&'static str],
    },
    /// Number of characters, both ends included.
    Length(usize, usize),
    Pattern {
        matches: fn(&str) -> bool,
        /// What is expected, as the end of a sentence.
        expects: &'static str,
    },
}

/// What is to be said of a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    /// The service knows it, the published schema does not.
    Newer,
    /// Not of the type.
    Wrong,
}

impl ValueType {
    /// Whether nothing needs to be judged.
    pub(super) const fn is_any_text(&self) -> bool {
        matches!(self.form, Form::String)
    }

    /// Judges a value.
    pub(super) fn judge(&self, value: &str) -> Verdict {
        let fine = match &self.form {
            Form::String => true,
            Form::Boolean => is_boolean(value) || is_boolean(collapse(value)),
            Form::Int => int(value).is_some(),
            Form::Integer => is_integer(collapse(value)),
            Form::Uri => uri::is_uri_reference(collapse(value)),
            Form::OneOf { values, newer } => {
                let known = values.contains(&value);
                if !known && newer.contains(&value) {
                    return Verdict::Newer;
                }
                known
            }
            Form::Length(minimum, maximum) => {
                (*minimum..=*maximum).contains(&value.chars().count())
            }
            Form::Pattern { matches, .. } => matches(value),
        };
        if fine { Verdict::Fine } else { Verdict::Wrong }
    }

    /// The values of which a near miss may have been meant.
    pub(super) const fn choices(&self) -> &'static [&'static str] {
        match self.form {
            Form::OneOf { values, .. } => values,
            Form::Boolean => &["true", "false"],
            _ => &[],
        }
    }

    /// What is expected, as the end of a sentence that begins with "expected".
    pub(super) fn expects(&self) -> String {
        match &self.form {
            Form::String => "any text".into(),
            Form::Boolean => "`true` or `false`, in small letters".into(),
            Form::Int => "a whole number between -2147483648 and 2147483647".into(),
            Form::Integer => "a whole number".into(),
            Form::Uri => "a URI, such as `http://contoso.onmicrosoft.com/B2C_1A_signin`".into(),
            Form::OneOf { values, .. } => enumerate(values),
            Form::Length(minimum, maximum) => format!("{minimum} to {maximum} characters"),
            Form::Pattern { expects, .. } => (*expects).into(),
        }
    }

    /// The reason that the service's validator (.NET) gives for a refusal.
    pub(super) fn service_reason(&self, value: &str) -> String {
        let bad_format = |of| format!("The string '{value}' is not a valid {of} value.");
        match &self.form {
            Form::String => String::new(),
            Form::Boolean => bad_format("Boolean"),
            Form::Int => bad_format("Int32"),
            Form::Integer => bad_format("Integer"),
            Form::Uri => bad_format("Uri"),
            Form::OneOf { .. } => "The Enumeration constraint failed.".into(),
            Form::Length(minimum, _) if value.chars().count() < *minimum => {
                "The actual length is less than the MinLength value.".into()
            }
            Form::Length(..) => "The actual length is greater than the MaxLength value.".into(),
            Form::Pattern { .. } => "The Pattern constraint failed.".into(),
        }
    }
}

/// A list for people: `a`, `b` or `c`.
pub(super) fn enumerate(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// A value without the white space around it. None of the types that ignore it allows white space
/// inside, so that folding it there would change no verdict.
pub(super) fn collapse(value: &str) -> &str {
    value.trim_matches(is_space)
}

/// White space as XML defines it.
pub(super) const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_boolean(value: &str) -> bool {
    matches!(value, "true" | "false" | "1" | "0")
}

/// The number that an `xs:int` value stands for.
pub(super) fn int(value: &str) -> Option<i32> {
    let value = collapse(value);
    is_integer(value).then(|| value.parse().ok()).flatten()
}

fn is_integer(value: &str) -> bool {
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    let significant = digits.trim_start_matches('0');
    !digits.is_empty() && significant.len() <= 28 && digits.bytes().all(|b| b.is_ascii_digit())
}

const fn builtin(name: &'static str, form: Form) -> ValueType {
    ValueType {
        name,
        builtin: true,
        form,
    }
}

const fn one_of(name: &'static str, values: &'static [&'static str]) -> ValueType {
    ValueType {
        name,
        builtin: false,
        form: Form::OneOf { values, newer: &[] },
    }
}

const fn pattern(
    name: &'static str,
    matches: fn(&str) -> bool,
    expects: &'static str,
) -> ValueType {
    ValueType {
        name,
        builtin: false,
        form: Form::Pattern { matches, expects },
    }
}

const fn length(name: &'static str, minimum: usize, maximum: usize) -> ValueType {
    ValueType {
        name,
        builtin: false,
        form: Form::Length(minimum, maximum),
    }
}

pub(super) static STRING: ValueType = builtin("string", Form::String);
pub(super) static BOOLEAN: ValueType = builtin("boolean", Form::Boolean);
pub(super) static INT: ValueType = builtin("int", Form::Int);
pub(super) static INTEGER: ValueType = builtin("integer", Form::Integer);
pub(super) static ANY_URI: ValueType = builtin("anyURI", Form::Uri);

pub(super) static NON_EMPTY: ValueType = length("nonemptystring", 1, 256);
pub(super) static MATCH: ValueType = length("Match", 1, usize::MAX);
pub(super) static WEIGHT: ValueType = ValueType {
    name: "Weight",
    builtin: false,
    form: Form::Int,
};

pub(super) static TENANT_ID: ValueType = pattern(
    "TenantId",
    is_tenant_id,
    "3 to 63 letters, digits or dots, such as `contoso.onmicrosoft.com`",
);
pub(super) static TENANT_OBJECT_ID: ValueType =
    pattern("TenantObjectId", is_guid, "a GUID without braces");
pub(super) static INSTRUMENTATION_KEY: ValueType =
    pattern("InstrumentationKey", is_guid, "a GUID without braces");
pub(super) static POLICY_ID: ValueType = pattern(
    "PolicyId",
    |value| is_policy_id(value, &POLICY_LETTERS),
    "letters, digits, `_`, `-` and `.`, with no `.` at the end",
);
pub(super) static POLICY_ID_PATTERN: ValueType = pattern(
    "PolicyIdPattern",
    |value| is_policy_id(value, &POLICY_PATTERN_LETTERS),
    "letters, digits, `_`, `-`, `{`, `}` and `.`, with no `.` at the end",
);
pub(super) static CULTURE: ValueType = pattern(
    "Culture",
    is_culture,
    "a language code such as `en` or `pt-BR`",
);
pub(super) static FOUR_PART_VERSION: ValueType = pattern(
    "FourPartVersionNumber",
    |value| is_version(value, 4),
    "four digits with dots between, such as `0.3.0.0`",
);
pub(super) static THREE_PART_VERSION: ValueType = pattern(
    "ThreePartVersionNumber",
    |value| is_version(value, 3),
    "three digits with dots between, such as `1.0.0`",
);
pub(super) static CONTENT_URI: ValueType = pattern(
    "ContentUriTYPE",
    uri::is_content_uri,
    "an address that starts with `https://`, `http://` or `~/`, or a `urn:` in small letters",
);

pub(super) static ERROR_RESPONSE_FORMAT: ValueType = one_of("ErrorResponseFormat", &["json"]);
pub(super) static ON_ERROR_MODE: ValueType = one_of(
    "JourneyOnErrorModeType",
    &["ReturnToRequestor", "DisplayInService"],
);
pub(super) static ERROR_HANDLING_ACTION: ValueType =
    one_of("ErrorHandlingAction", &["Reauthenticate", "InvalidClient"]);
pub(super) static MERGE_BEHAVIOR: ValueType =
    one_of("MergeBehavior", &["Append", "Prepend", "ReplaceAll"]);
pub(super) static MASK_TYPE: ValueType = one_of("MaskTypeTYPE", &["Simple", "Regex"]);
/// The protocols of technical profiles.
pub const PROTOCOLS: &[&str] = &[
    "None",
    "OAuth1",
    "OAuth2",
    "SAML2",
    "OpenIdConnect",
    "WsFed",
    "WsTrust",
    "UProve11",
    "Proprietary",
];
pub(super) static PROTOCOL_NAME: ValueType = one_of("ProtocolName", PROTOCOLS);
pub(super) static ENABLED_FOR_USER_JOURNEYS: ValueType = one_of(
    "EnabledForUserJourneysValues",
    &[
        "true",
        "false",
        "OnClaimsExistence",
        "Always",
        "Never",
        "OnItemExistenceInStringCollectionClaim",
        "OnItemAbsenceInStringCollectionClaim",
    ],
);
pub(super) static SELECTION_DISPLAY_OPTION: ValueType = one_of(
    "ClaimsProviderSelectionDisplayOption",
    &["DoNotShowSingleProvider", "ShowSingleProvider"],
);
pub(super) static TOKEN_FORMAT: ValueType = one_of(
    "TokenFormat",
    &[
        "JSON",
        "JWT",
        "SAML11",
        "SAML2",
        "CpimUnsigned",
        "UProve11",
        "OAuth2Error",
    ],
);
pub(super) static SCRIPT_EXECUTION: ValueType =
    one_of("ScriptExecutionType", &["Disallow", "Allow"]);
/// The types of orchestration steps.
pub const STEP_TYPES: &[&str] = &[
    "ConsentScreen",
    "ClaimsProviderSelection",
    "CombinedSignInAndSignUp",
    "ClaimsExchange",
    "ReviewScreen",
    "SendClaims",
    "GetClaims",
    "UserDialog",
    "InvokeSubJourney",
    "Noop",
];
pub(super) static ORCHESTRATION_STEP_TYPE: ValueType = one_of("OrchestrationStepType", STEP_TYPES);
pub(super) static SINGLE_SIGN_ON_SCOPE: ValueType = one_of(
    "UserJourneyBehaviorScopeType",
    &[
        "Suppressed",
        "TrustFramework",
        "Tenant",
        "Application",
        "Policy",
    ],
);
pub(super) static PRECONDITION_TYPE: ValueType =
    one_of("PreconditionType", &["ClaimsExist", "ClaimEquals"]);
pub(super) static PRECONDITION_ACTION: ValueType = one_of(
    "PreconditionActionType",
    &[
        "SkipThisOrchestrationStep",
        "SkipThisValidationTechnicalProfile",
    ],
);
/// The data types of claims and of input parameters.
pub const DATA_TYPES: &[&str] = &[
    "boolean",
    "date",
    "dateTime",
    "duration",
    "int",
    "long",
    "string",
    "stringCollection",
    "alternativeSecurityIdCollection",
    "userIdentityCollection",
    "userIdentity",
    "phoneNumber",
    "objectIdentityCollection",
    "objectIdentity",
];
pub(super) static DATA_TYPE: ValueType = one_of("DataType", DATA_TYPES);
pub(super) static USER_INPUT_TYPE: ValueType = one_of(
    "UserInputType",
    &[
        "TextBox",
        "EmailBox",
        "DateTimeDropdown",
        "RadioSingleSelect",
        "DropdownSingleSelect",
        "CheckboxMultiSelect",
        "Password",
        "Readonly",
        "Button",
        "Paragraph",
    ],
);
/// `CaptchaControl` is documented (*Display control: CAPTCHA*) and absent from the published schema.
pub(super) static USER_INTERFACE_CONTROL_TYPE: ValueType = ValueType {
    name: "UserInterfaceControlType",
    builtin: false,
    form: Form::OneOf {
        values: &[
            "VerificationControl",
            "QrCodeControl",
            "AuthenticatorInfoControl",
            "AuthenticatorAppIconControl",
        ],
        newer: &["CaptchaControl"],
    },
};
pub(super) static TELEMETRY_ENGINE: ValueType =
    one_of("TelemetryEngineType", &["ApplicationInsights"]);
pub(super) static STATEMENT_TYPE: ValueType =
    one_of("StatementType", &["Attribute", "Authentication", "Subject"]);
pub(super) static DEPLOYMENT_MODE: ValueType = one_of(
    "DeploymentModeType",
    &["Development", "Production", "Debugging"],
);
pub(super) static SESSION_EXPIRY_TYPE: ValueType =
    one_of("SessionExpiryTypeTYPE", &["Rolling", "Absolute"]);
pub(super) static SUB_JOURNEY_TYPE: ValueType = one_of("SubJourneyTYPE", &["Transfer", "Call"]);

static TENANT_LETTERS: Alphabet = Alphabet::with(b".");
static POLICY_LETTERS: Alphabet = Alphabet::with(b"_-.");
static POLICY_PATTERN_LETTERS: Alphabet = Alphabet::with(b"_-.{}");

fn is_tenant_id(value: &str) -> bool {
    (3..=63).contains(&value.len()) && TENANT_LETTERS.spells(value)
}

fn is_guid(value: &str) -> bool {
    let mut parts = value.split('-');
    [8, 4, 4, 4, 12].into_iter().all(|digits| {
        parts
            .next()
            .is_some_and(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_hexdigit()))
    }) && parts.next().is_none()
}

fn is_policy_id(value: &str, letters: &Alphabet) -> bool {
    letters.spells(value) && !value.is_empty() && !value.ends_with('.')
}

fn is_culture(value: &str) -> bool {
    let mut parts = value.split('-');
    let language = parts.next().unwrap_or_default();
    (1..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && value.bytes().filter(|b| *b == b'-').count() <= 2
        && parts.all(|part| {
            (2..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

fn is_version(value: &str, parts: usize) -> bool {
    value.len() == 2 * parts - 1
        && value.bytes().enumerate().all(|(index, b)| {
            if index % 2 == 0 {
                b.is_ascii_digit()
            } else {
                b == b'.'
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted<'v>(of: &ValueType, values: &[&'v str]) -> Vec<&'v str> {
        let fine = |value: &&&str| of.judge(value) == Verdict::Fine;
        values.iter().filter(fine).copied().collect()
    }

    #[test]
    fn booleans_are_small_and_may_have_white_space_around() {
        let values = ["true", " false\n", "1", "0", "True", "FALSE", "", "yes"];
        assert_eq!(accepted(&BOOLEAN, &values), values[..4]);
    }

    #[test]
    fn ints_have_32_bits() {
        let values = [
            "0",
            "+007",
            "-2147483648",
            " 2147483647 ",
            "2147483648",
            "-",
            "",
            "1.0",
            "1 2",
            "0x1",
            "١",
        ];
        assert_eq!(accepted(&INT, &values), values[..4]);
        assert_eq!(int("+007"), Some(7));
        let long = "1".repeat(28);
        assert_eq!(accepted(&INTEGER, &[&long]), [&long]);
        assert!(accepted(&INTEGER, &[&"1".repeat(29)]).is_empty());
    }

    #[test]
    fn tenant_ids_have_letters_digits_and_dots() {
        let values = [
            "a.b",
            "contoso.onmicrosoft.com",
            "...",
            "ab",
            "your-tenant.com",
            "a_b",
            "äbc",
            " abc",
            "",
        ];
        assert_eq!(accepted(&TENANT_ID, &values), values[..3]);
        assert!(is_tenant_id(&"a".repeat(63)) && !is_tenant_id(&"a".repeat(64)));
    }

    #[test]
    fn policy_ids_do_not_end_with_a_dot() {
        let values = ["B2C_1A_x", "a", "a.b", "..-", "a.", ".", "", "a b", "{0}"];
        assert_eq!(accepted(&POLICY_ID, &values), values[..4]);
        assert_eq!(
            accepted(&POLICY_ID_PATTERN, &["{0}", "a.{b}", "."]),
            ["{0}", "a.{b}"]
        );
    }

    #[test]
    fn guids_have_no_braces() {
        let values = [
            "00000000-0000-0000-0000-00000000000f",
            "AAAAAAAA-aaaa-AAAA-aaaa-AAAAAAAAAAAA",
            "{00000000-0000-0000-0000-000000000000}",
            "00000000-0000-0000-0000-0000000000000",
            "00000000-0000-0000-0000-000000000000-",
            "00000000000000000000000000000000",
            "g0000000-0000-0000-0000-000000000000",
            "",
        ];
        assert_eq!(accepted(&TENANT_OBJECT_ID, &values), values[..2]);
    }

    #[test]
    fn cultures_have_up_to_three_parts() {
        let values = [
            "en",
            "pt-BR",
            "zh-Hans-CN",
            "x",
            "EN",
            "en-",
            "en-U",
            "english",
            "en-latin",
            "a-bb-cc-dd",
            "-us",
            "",
        ];
        assert_eq!(accepted(&CULTURE, &values), values[..4]);
    }

    #[test]
    fn versions_have_single_digits() {
        assert_eq!(
            accepted(
                &FOUR_PART_VERSION,
                &["0.3.0.0", "0.3.0", "0.3.0.00", "a.b.c.d", ""]
            ),
            ["0.3.0.0"]
        );
        assert_eq!(
            accepted(&THREE_PART_VERSION, &["1.0.0", "1.0.0.0"]),
            ["1.0.0"]
        );
    }

    #[test]
    fn lengths_count_characters() {
        let (fits, too_long) = ("ä".repeat(256), "ä".repeat(257));
        assert_eq!(
            accepted(&NON_EMPTY, &[" ", &fits, "", &too_long]),
            [" ", &fits]
        );
    }

    #[test]
    fn enumerations_are_exact() {
        assert_eq!(
            accepted(&DATA_TYPE, &["string", "String", " string", ""]),
            ["string"]
        );
        let judged = USER_INTERFACE_CONTROL_TYPE.judge("CaptchaControl");
        assert_eq!(judged, Verdict::Newer);
    }
}
