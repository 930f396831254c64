//! The service's own sentences about claims transformations, as people quoted them.

use iefctl::validate::upload_verdict;

fn policy(data_type: &str, transformation: &str) -> String {
    format!(
        "<TrustFrameworkPolicy \
         xmlns=\"http://schemas.microsoft.com/online/cpim/schemas/2013/06\" \
         PolicySchemaVersion=\"0.3.0.0\" TenantId=\"contoso.onmicrosoft.com\" \
         PolicyId=\"B2C_1A_Base\" PublicPolicyUri=\"http://contoso.onmicrosoft.com/B2C_1A_Base\">\
         <BuildingBlocks><ClaimsSchema>\
         <ClaimType Id=\"issued\"><DisplayName>Issued</DisplayName><DataType>string</DataType>\
         </ClaimType>\
         <ClaimType Id=\"valid\"><DisplayName>Valid</DisplayName><DataType>{data_type}</DataType>\
         </ClaimType>\
         </ClaimsSchema><ClaimsTransformations>{transformation}</ClaimsTransformations>\
         </BuildingBlocks></TrustFrameworkPolicy>"
    )
}

#[test]
fn a_claim_of_another_type_is_unexpected_and_missing() {
    let transformation = "\
        <ClaimsTransformation Id=\"Later\" TransformationMethod=\"AssertDateTimeIsGreaterThan\">\
        <InputClaims>\
        <InputClaim ClaimTypeReferenceId=\"issued\" TransformationClaimType=\"leftOperand\"/>\
        <InputClaim ClaimTypeReferenceId=\"valid\" TransformationClaimType=\"rightOperand\"/>\
        </InputClaims><InputParameters>\
        <InputParameter Id=\"AssertIfEqualTo\" DataType=\"boolean\" Value=\"false\"/>\
        <InputParameter Id=\"AssertIfRightOperandIsNotPresent\" DataType=\"boolean\" \
        Value=\"true\"/>\
        <InputParameter Id=\"TreatAsEqualIfWithinMillseconds\" DataType=\"int\" Value=\"1\"/>\
        </InputParameters></ClaimsTransformation>";
    assert_eq!(
        upload_verdict(&policy("dateTime", transformation), &[], None),
        [
            "The InputClaims mismatched in ClaimsTransformation with id \"Later\" with \
             TransformationMethod \"AssertDateTimeIsGreaterThan\". The following InputClaims were \
             declared in the Policy but were not expected by the TransformMethod: \
             [DateTime]rightOperand. The following InputClaims were expected by the \
             TransformMethod but were not declared in the Policy: [String]rightOperand."
        ]
    );
    let none: [String; 0] = [];
    assert_eq!(
        upload_verdict(&policy("string", transformation), &[], None),
        none
    );
}

#[test]
fn a_missing_claim_is_only_missing() {
    let transformation = "\
        <ClaimsTransformation Id=\"AddMail\" TransformationMethod=\"AddItemToStringCollection\">\
        <InputClaims>\
        <InputClaim ClaimTypeReferenceId=\"issued\" TransformationClaimType=\"item\"/>\
        </InputClaims><OutputClaims>\
        <OutputClaim ClaimTypeReferenceId=\"valid\" TransformationClaimType=\"collection\"/>\
        </OutputClaims></ClaimsTransformation>";
    assert_eq!(
        upload_verdict(&policy("stringCollection", transformation), &[], None),
        [
            "The InputClaims mismatched in ClaimsTransformation with id \"AddMail\" with \
             TransformationMethod \"AddItemToStringCollection\". The following InputClaims were \
             expected by the TransformMethod but were not declared in the Policy: \
             [StringCollection]collection."
        ]
    );
}
