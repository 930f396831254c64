//! The whole validation: parse, schema, policy, rules, report.

/// What the tenant's validator would say of one uploaded policy.
///
/// `ancestors` are the texts of the stored policies it inherits from, nearest base first; `keysets`
/// the ids of the keysets that the tenant holds, or `None` to leave key references unchecked. The
/// answer is the list of the service's sentences, empty when it would accept the upload.
pub fn upload_verdict(
    _text: &str,
    _ancestors: &[&str],
    _keysets: Option<&[String]>,
) -> Vec<String> {
    Vec::new()
}
