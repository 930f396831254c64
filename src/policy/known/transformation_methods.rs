//! The transformation methods: which claims they take and give, which parameters they need.
//!
//! The service compares the claims of a claims transformation with its method by slot name and data
//! type. It publishes no list; the table follows Microsoft's reference pages for claims
//! transformations and, where those contradict what the service accepts, the policies that it
//! accepts. The service knows methods that no page names, so a method that is missing here need not
//! be wrong.

use std::sync::LazyLock;

use crate::policy::{Id, IdMap};

/// One line per method: name, input claims, input parameters, output claims, separated by `|`.
///
/// A slot is `name:type`; slots are separated by `,`.
/// - `name?` may be left out. A slot is required where every known use has it and no page calls it
///   optional.
/// - `type/type` are alternatives, `*` is any type, `@slot` the type of that input.
/// - `type~` is what is documented, though others may be accepted too.
/// - `=a;b` lists the values that a parameter can have, without regard to case.
/// - A slot called `*` stands for any others: the policy chooses the names.
static TABLE: &str = "
AndClaims | inputClaim1:boolean, inputClaim2:boolean | | outputClaim:boolean
OrClaims | inputClaim1:boolean, inputClaim2:boolean | | outputClaim:boolean
NotClaims | inputClaim:boolean | | outputClaim:boolean
AssertBooleanClaimIsEqualToValue | inputClaim:boolean | valueToCompareTo:boolean |
CompareBooleanClaimToValue | inputClaim:boolean | valueToCompareTo:boolean | compareResult:boolean
AssertDateTimeIsGreaterThan | leftOperand:string, rightOperand:string | AssertIfEqualTo:boolean, AssertIfRightOperandIsNotPresent:boolean, TreatAsEqualIfWithinMillseconds:int |
ConvertDateToDateTimeClaim | inputClaim:date | | outputClaim:dateTime
ConvertDateTimeToDateClaim | inputClaim:dateTime | | outputClaim:date
GetCurrentDateTime | | | currentDateTime:dateTime
DateTimeComparison | firstDateTime:dateTime, secondDateTime:dateTime | operator:string=same;later than;earlier than, timeSpanInSeconds:int | result:boolean
IsTermsOfUseConsentRequired | termsOfUseConsentDateTime:dateTime | termsOfUseTextUpdateDateTime:dateTime | result:boolean
GetAgeGroupConsentProvidedAndRequiresConsent | dateOfBirth:date~, countryCode:string~, consentProvidedForMinor?:string~ | *:* | ageGroup?:string~, requiresParentalConsent?:boolean~, consentProvidedForMinor?:string~
CopyClaim | inputClaim:* | | outputClaim:@inputClaim
DoesClaimExist | inputClaim:* | | outputClaim:boolean
Hash | plaintext:string, salt:string | randomizerSecret:string | hash:string
AdjustNumber | inputClaim:int | Operator?:string=INCREMENT;DECREMENT | outputClaim:int
AssertNumber | inputClaim:int | Operator:string=LessThan;GreaterThan;GreaterThanOrEqual;LessThanOrEqual;Equal;NotEqual, CompareToValue:int, throwError?:boolean | outputClaim?:boolean
ConvertNumberToStringClaim | inputClaim:long | | outputClaim:string
CreateJsonArray | inputClaim:string | | outputClaim:string
GenerateJson | *:* | *:* | outputClaim:string
GetClaimFromJson | inputJson:string | claimToExtract:string | extractedClaim:string
GetClaimsFromJsonArray | jsonSource:string | errorOnMissingClaims:boolean, includeEmptyClaims:boolean, jsonSourceKeyName:string, jsonSourceValueName:string | *:*
GetClaimsFromJsonArrayV2 | jsonSource:stringCollection | errorOnMissingClaims:boolean, includeEmptyClaims:boolean, jsonSourceKeyName:string, jsonSourceValueName:string | *:*
GetNumericClaimFromJson | inputJson:string | claimToExtract:string | extractedClaim:long
GetSingleItemFromJson | inputJson:string | | key:string, value:string
GetSingleValueFromJsonArray | inputJsonClaim:string | | extractedClaim:string
XmlStringToJsonString | xml:string | | json:string
ConvertPhoneNumberClaimToString | phoneNumber:phoneNumber | | phoneNumberString:string
ConvertStringToPhoneNumberClaim | phoneNumberString:string, country?:string | | outputClaim:phoneNumber
GetNationalNumberAndCountryCodeFromPhoneNumberString | phoneNumber:string | throwExceptionOnFailure?:boolean, countryCodeType?:string=CallingCode;ISO3166 | nationalNumber:string, countryCode:string
CreateAlternativeSecurityId | key:string, identityProvider:string | | alternativeSecurityId:string
AddItemToAlternativeSecurityIdCollection | item:string, collection?:alternativeSecurityIdCollection | | collection:alternativeSecurityIdCollection
GetIdentityProvidersFromAlternativeSecurityIdCollectionTransformation | alternativeSecurityIdCollection:alternativeSecurityIdCollection | | identityProvidersCollection:stringCollection
RemoveAlternativeSecurityIdByIdentityProvider | identityProvider:string, collection:alternativeSecurityIdCollection | | collection:alternativeSecurityIdCollection
CreateUserIdentity | issuerUserId:string, issuer:string | | userIdentity:userIdentity
AddItemToUserIdentityCollection | item:userIdentity, collection?:userIdentityCollection | | collection:userIdentityCollection
GetIssuersFromUserIdentityCollectionTransformation | userIdentityCollection:userIdentityCollection | | issuersCollection:stringCollection
RemoveUserIdentityFromCollectionByIssuer | issuer:string, collection:userIdentityCollection | | collection:userIdentityCollection
AssertStringClaimsAreEqual | inputClaim1:string, inputClaim2:string | stringComparison:string=ordinal;ordinalIgnoreCase |
BuildUri | path?:string, *:string~ | scheme:string, host:string, *:string~ | outputClaim:string
ChangeCase | inputClaim1:string | toCase:string=LOWER;UPPER | outputClaim:string
CompareClaims | inputClaim1:string, inputClaim2:string | operator:string=EQUAL;NOT EQUAL, ignoreCase?:string=true;false | outputClaim:boolean
CompareClaimToValue | inputClaim1:string | compareTo:string, operator:string=EQUAL;NOT EQUAL, ignoreCase?:string=true;false | outputClaim:boolean
CopyClaimIfPredicateMatch | inputClaim:string | | outputClaim:string
CreateOtpSecret | | | outputClaim:string
CreateRandomString | | randomGeneratorType:string=GUID;INTEGER, stringFormat?:string, base64?:boolean, maximumNumber?:int, seed?:int | outputClaim:string
GuidAndRandomGenerator | | randomGeneratorType:string=GUID;INTEGER, stringFormat?:string, base64?:boolean, maximumNumber?:int, seed?:int | outputClaim:string
CreateStringClaim | | value:string | createdClaim:string
FormatLocalizedString | *:string~ | stringFormatId:string | outputClaim:string
FormatStringClaim | inputClaim:string | stringFormat:string | outputClaim:string
FormatStringMultipleClaims | inputClaim1:string, inputClaim2:string | stringFormat:string | outputClaim:string
GetLocalizedStringsTransformation | | | *:string~
GetMappedValueFromLocalizedCollection | mapFromClaim:string | | restrictionValueClaim:string
LookupValue | inputParameterId:string | errorOnFailedLookup?:boolean, *:string~ | outputClaim:string
NullClaim | | | claim_to_null:string~
ParseDomain | emailAddress:string | | domain:string
SetClaimIfBooleansMatch | claimToMatch:boolean/string | matchTo:string, outputClaimIfMatched:string | outputClaim:string
SetClaimsIfRegexMatch | claimToMatch:string | matchTo:string, outputClaimIfMatched?:string, extractGroups?:boolean | outputClaim?:string, regexCompareResultClaim?:boolean, *:string~
SetClaimsIfStringsAreEqual | inputClaim:string | matchTo:string, stringComparison:string=ordinal;ordinalIgnoreCase, stringMatchMsg?:string, stringMatchMsgCode?:string | outputClaim1?:string, outputClaim2?:string, stringCompareResultClaim?:boolean
SetClaimsIfStringsMatch | claimToMatch:string | matchTo:string, stringComparison:string=ordinal;ordinalIgnoreCase, outputClaimIfMatched?:string | outputClaim?:string, stringCompareResultClaim?:boolean
StringContains | inputClaim:string | contains:string, ignoreCase?:string=true;false | outputClaim:boolean/string
StringJoin | inputClaim:stringCollection | delimiter:string | outputClaim:string
StringReplace | inputClaim:string | oldValue:string, newValue:string | outputClaim:string/boolean
StringSplit | inputClaim:string | delimiter:string | outputClaim:stringCollection
StringSubstring | inputClaim:string | startIndex:int, length:int | outputClaim:string
AddItemToStringCollection | item:string, collection:stringCollection | | collection:stringCollection
AddParameterToStringCollection | collection:stringCollection | item:string | collection:stringCollection
GetSingleItemFromStringCollection | collection:stringCollection | | extractedItem:string
StringCollectionContains | inputClaim:stringCollection | item:string, ignoreCase?:string=true;false | outputClaim:boolean
StringCollectionContainsClaim | collection:stringCollection, item:string | ignoreCase?:string=true;false | outputClaim:boolean
";

/// A transformation method.
#[derive(Debug)]
pub struct Method {
    /// The name as Microsoft writes it.
    pub name: &'static str,
    /// The input claims, by `TransformationClaimType`.
    pub inputs: Slots,
    /// The input parameters, by `Id`.
    pub parameters: Slots,
    /// The output claims, by `TransformationClaimType`.
    pub outputs: Slots,
}

/// The claims or parameters of a method.
#[derive(Debug, Default)]
pub struct Slots {
    /// Those that the method knows by name.
    pub named: Vec<Slot>,
    /// What any others must be like, if the policy may choose further names.
    pub free: Option<Slot>,
}

impl Slots {
    /// The slot of exactly this name.
    pub fn named(&self, name: &str) -> Option<&Slot> {
        self.named.iter().find(|slot| slot.name == name)
    }
}

/// A claim or parameter of a method.
#[derive(Debug)]
pub struct Slot {
    /// Its name; `*` for a free one.
    pub name: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
    /// The data types that it accepts; empty for any.
    pub types: Vec<&'static str>,
    /// The input claim whose data type it must have.
    pub same_as: Option<&'static str>,
    /// Whether data types other than the documented ones may be accepted too.
    pub unsure: bool,
    /// The values that it can have, without regard to case; empty for any.
    pub values: Vec<&'static str>,
}

impl Slot {
    /// Whether the method takes a claim or parameter of this data type here. What another slot
    /// decides ([`Slot::same_as`]) does not count.
    pub fn accepts(&self, data_type: &str) -> bool {
        self.types.is_empty() || self.types.contains(&data_type)
    }

    /// The data types in prose.
    pub fn types_in_prose(&self) -> String {
        if self.types.is_empty() {
            "any type".to_owned()
        } else {
            self.types.join(" or ")
        }
    }

    fn read(text: &'static str) -> Option<Self> {
        let (name, rest) = text.split_once(':')?;
        let (types, values) = rest.split_once('=').unwrap_or((rest, ""));
        let (types, unsure) = match types.strip_suffix('~') {
            Some(types) => (types, true),
            None => (types, false),
        };
        let same_as = types.strip_prefix('@');
        let any = types == "*" || same_as.is_some();
        Some(Self {
            name: name.strip_suffix('?').unwrap_or(name),
            optional: name.ends_with('?'),
            types: split(if any { "" } else { types }, '/').collect(),
            same_as,
            unsure,
            values: split(values, ';').collect(),
        })
    }
}

impl Slots {
    fn read(text: &'static str) -> Self {
        let mut slots = Self::default();
        for slot in split(text, ',').filter_map(Slot::read) {
            if slot.name == "*" {
                slots.free = Some(slot);
            } else {
                slots.named.push(slot);
            }
        }
        slots
    }
}

fn split(text: &'static str, separator: char) -> impl Iterator<Item = &'static str> {
    text.split(separator)
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

static METHODS: LazyLock<Vec<Method>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let mut fields = line.split('|').map(str::trim);
            let mut next = || fields.next().unwrap_or_default();
            Method {
                name: next(),
                inputs: Slots::read(next()),
                parameters: Slots::read(next()),
                outputs: Slots::read(next()),
            }
        })
        .collect()
});

static BY_NAME: LazyLock<IdMap<'static, &'static Method>> = LazyLock::new(|| {
    METHODS
        .iter()
        .map(|method| (Id::of(method.name), method))
        .collect()
});

/// The method of this name. Letter case does not count: the service accepts
/// `setClaimsIfRegexMatch`.
pub fn transformation_method(name: &str) -> Option<&'static Method> {
    BY_NAME.get(&Id::of(name)).copied()
}

/// The names of all methods, in the order of the table.
pub fn transformation_method_names() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|method| method.name)
}

/// The word for a data type in the service's messages: `[DateTime]` for `dateTime`.
pub fn service_type_name(data_type: &str) -> String {
    let mut letters = data_type.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::DATA_TYPES;

    #[test]
    fn every_line_of_the_table_is_read_completely() {
        let mut names = std::collections::HashSet::new();
        for line in TABLE.lines().filter(|line| !line.is_empty()) {
            let fields: Vec<_> = line.split('|').map(str::trim).collect();
            assert_eq!(fields.len(), 4, "{line}");
            assert!(names.insert(fields[0].to_lowercase()), "{line}");
            let method = transformation_method(fields[0]).expect("a method per line");
            let read = [&method.inputs, &method.parameters, &method.outputs];
            for (field, slots) in fields[1..].iter().zip(read) {
                let count = slots.named.len() + usize::from(slots.free.is_some());
                let written = field.split(',').filter(|slot| !slot.trim().is_empty());
                assert_eq!(count, written.count(), "{line}");
                for slot in slots.named.iter().chain(&slots.free) {
                    assert!(
                        slot.types.iter().all(|name| DATA_TYPES.contains(name)),
                        "{line}"
                    );
                    if let Some(other) = slot.same_as {
                        assert!(method.inputs.named(other).is_some(), "{line}");
                    }
                }
            }
        }
    }

    #[test]
    fn slots_say_what_they_accept() {
        let method = transformation_method("SETCLAIMSIFREGEXMATCH").expect("known");
        assert_eq!(method.name, "SetClaimsIfRegexMatch");
        let result = method.outputs.named("regexCompareResultClaim");
        let result = result.expect("an output");
        assert!(result.optional && result.accepts("boolean") && !result.accepts("string"));
        let method = transformation_method("DateTimeComparison").expect("known");
        let operator = method.parameters.named("operator").expect("a parameter");
        assert_eq!(operator.values, ["same", "later than", "earlier than"]);
        assert!(transformation_method("NoSuchMethod").is_none());
    }

    #[test]
    fn the_service_writes_types_with_a_capital() {
        assert_eq!(service_type_name("dateTime"), "DateTime");
        assert_eq!(service_type_name("stringCollection"), "StringCollection");
        assert_eq!(service_type_name(""), "");
    }
}
