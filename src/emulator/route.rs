//! From a raw path to what it addresses.
//!
//! Segments are split before they are decoded, so that an encoded slash stays part of an id. Empty
//! segments (double and trailing slashes) are skipped, fixed segments compare without case, and
//! entities may be addressed as `policies/X` or `policies('X')`.

use super::directory;

/// What a path addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// `/{tenant}/oauth2/v2.0/token`
    Token(String),
    /// `/{tenant}/oauth2/v2.0/devicecode`
    DeviceCode(String),
    /// `/devicelogin`
    DeviceLogin,
    /// `/{tenant}/v2.0/.well-known/openid-configuration`
    OpenIdConfiguration(String),
    /// `/{tenant}/discovery/v2.0/keys`
    SigningKeys(String),
    /// `/beta/trustFramework…`
    Graph(Target),
    /// Applications, service principals, consent, the organization.
    Directory(directory::Target),
    /// Another Graph resource, or a version that has no `trustFramework`: the segment at fault.
    NoSegment(String),
    /// Nothing.
    Nowhere,
}

/// What a Graph path addresses below `/beta/trustFramework`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The container itself.
    Root,
    /// `/policies`
    Policies,
    /// `/policies/$count`
    PolicyCount,
    /// `/policies/{id}`
    Policy(String),
    /// `/policies/{id}/$value`
    PolicyValue(String),
    /// `/keySets`
    Keysets,
    /// `/keySets/$count`
    KeysetCount,
    /// `/keySets/{id}`
    Keyset(String),
    /// `/keySets/{id}/{action}`
    KeysetAction(String, KeysetAction),
    /// `/keySets/{id}/getActiveKey`
    ActiveKey(String),
    /// `/keySets/{id}/keys_v2`
    Keys(String),
    /// `/keySets/{id}/keys_v2/$count`
    KeyCount(String),
    /// `/keySets/{id}/keys_v2/{kid}`
    Key(String, String),
    /// Anything else: the back end has no action for it.
    Unknown,
}

/// The POST actions of a keyset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeysetAction {
    GenerateKey,
    UploadSecret,
    UploadCertificate,
    UploadPkcs12,
}

/// A path, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// Decoded segments, none of them empty.
    pub(super) segments: Vec<String>,
    pub(super) route: Route,
}

impl Path {
    /// Reads the path of a request line.
    pub(super) fn parse(raw: &str) -> Self {
        let segments: Vec<String> = raw
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(percent_decode)
            .collect();
        let route = route(&segments);
        Self { segments, route }
    }

    /// The decoded path with single slashes.
    pub(super) fn normalised(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }

    /// What the back end calls the path: `trustFramework/policies('X')/$value`.
    pub(super) fn back_end(&self) -> String {
        let mut out = "trustFramework".to_owned();
        let below = self.segments.get(2..).unwrap_or_default();
        let mut collection = false;
        for segment in below {
            let is_name = segment.starts_with('$') || !collection || segment.ends_with("')");
            if is_name {
                out.push('/');
                out.push_str(segment);
            } else {
                out.push_str(&format!("('{}')", segment.replace('\'', "''")));
            }
            let lower = segment.to_lowercase();
            collection = ["policies", "keysets", "keys_v2"].contains(&lower.as_str());
        }
        out
    }
}

fn route(segments: &[String]) -> Route {
    let lower: Vec<String> = segments
        .iter()
        .map(|segment| segment.to_lowercase())
        .collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    match lower[..] {
        [_, "oauth2", "v2.0", "token"] => Route::Token(segments[0].clone()),
        [_, "oauth2", "v2.0", "devicecode"] => Route::DeviceCode(segments[0].clone()),
        ["devicelogin"] => Route::DeviceLogin,
        [_, "v2.0", ".well-known", "openid-configuration"] => {
            Route::OpenIdConfiguration(segments[0].clone())
        }
        [_, "discovery", "v2.0", "keys"] => Route::SigningKeys(segments[0].clone()),
        ["beta", "trustframework", ..] => Route::Graph(target(&segments[2..])),
        [version @ ("beta" | "v1.0"), _, ..] => {
            match directory::Target::parse(version == "beta", &segments[1..]) {
                Some(target) => Route::Directory(target),
                None => Route::NoSegment(segments[1].clone()),
            }
        }
        _ => Route::Nowhere,
    }
}

fn target(segments: &[String]) -> Target {
    // One flat list: `policies('X')` becomes `policies`, `X`.
    let mut flat: Vec<(String, bool)> = Vec::new();
    for segment in segments {
        match keyed(segment) {
            Some((name, key)) => flat.extend([(name.to_owned(), true), (key, false)]),
            None => flat.push((segment.clone(), true)),
        }
    }
    let name = |at: usize| flat.get(at).map(|(text, _)| text.to_lowercase());
    // `$value` in the place of an id, and an empty key, mean that the id was empty.
    let id = |at: usize| {
        let (text, may_be_name) = flat.get(at)?;
        let is_id = !text.trim().is_empty() && (!*may_be_name || !text.starts_with('$'));
        is_id.then(|| text.clone())
    };
    let found = match (name(0).as_deref(), flat.len()) {
        (None, _) => Some(Target::Root),
        (Some("policies"), 1) => Some(Target::Policies),
        (Some("policies"), 2) if name(1).as_deref() == Some("$count") => Some(Target::PolicyCount),
        (Some("policies"), 2) => id(1).map(Target::Policy),
        (Some("policies"), 3) if name(2).as_deref() == Some("$value") => {
            id(1).map(Target::PolicyValue)
        }
        (Some("keysets"), 1) => Some(Target::Keysets),
        (Some("keysets"), 2) if name(1).as_deref() == Some("$count") => Some(Target::KeysetCount),
        (Some("keysets"), 2) => id(1).map(Target::Keyset),
        (Some("keysets"), 3) => id(1).and_then(|id| below_keyset(id, name(2).as_deref())),
        (Some("keysets"), 4) if name(2).as_deref() == Some("keys_v2") => match name(3).as_deref() {
            Some("$count") => id(1).map(Target::KeyCount),
            _ => id(1).zip(id(3)).map(|(id, kid)| Target::Key(id, kid)),
        },
        _ => None,
    };
    found.unwrap_or(Target::Unknown)
}

fn below_keyset(id: String, name: Option<&str>) -> Option<Target> {
    let name = name?;
    let name = name.strip_prefix("microsoft.graph.").unwrap_or(name);
    let action = match name.strip_suffix("()").unwrap_or(name) {
        "getactivekey" => return Some(Target::ActiveKey(id)),
        "keys_v2" => return Some(Target::Keys(id)),
        "generatekey" => KeysetAction::GenerateKey,
        "uploadsecret" => KeysetAction::UploadSecret,
        "uploadcertificate" => KeysetAction::UploadCertificate,
        "uploadpkcs12" => KeysetAction::UploadPkcs12,
        _ => return None,
    };
    Some(Target::KeysetAction(id, action))
}

/// `policies('X''Y')` as name and key.
fn keyed(segment: &str) -> Option<(&str, String)> {
    let (name, rest) = segment.split_once("('")?;
    let known = ["policies", "keysets", "keys_v2"];
    let key = rest.strip_suffix("')")?;
    known
        .contains(&name.to_lowercase().as_str())
        .then(|| (name, key.replace("''", "'")))
}

/// Decodes `%41`; what is no escape stays, what is no UTF-8 becomes U+FFFD.
pub(super) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escape {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(path: &str) -> Target {
        match Path::parse(path).route {
            Route::Graph(target) => target,
            other => panic!("{path} is {other:?}"),
        }
    }

    #[test]
    fn every_spelling_of_a_policy() {
        for path in [
            "/beta/trustFramework/policies/B2C_1A_X/$value",
            "/beta/trustframework/policies/B2C_1A_X/$value",
            "/BETA//TrustFramework/POLICIES/B2C_1A_X/%24VALUE/",
            "/beta/trustFramework/policies('B2C_1A_X')/$value",
            "/beta/trustFramework/policies(%27B2C_1A_X%27)/$value",
        ] {
            assert_eq!(
                graph(path),
                Target::PolicyValue("B2C_1A_X".to_owned()),
                "{path}"
            );
        }
        assert_eq!(graph("/beta/trustFramework/policies/"), Target::Policies);
        assert_eq!(graph("/beta/trustFramework/"), Target::Root);
        assert_eq!(
            graph("/beta/trustFramework/policies/$count"),
            Target::PolicyCount
        );
    }

    #[test]
    fn empty_ids_and_strangers_are_unknown() {
        for path in [
            "/beta/trustFramework/policies//$value",
            "/beta/trustFramework/policies('')",
            "/beta/trustFramework/policies('')/$value",
            "/beta/trustFramework/policies/%20/$value",
            "/beta/trustFramework/policies/x/y/z",
            "/beta/trustFramework/keySets/x/deleteKey",
            "/beta/trustFramework/other",
        ] {
            assert_eq!(graph(path), Target::Unknown, "{path}");
        }
    }

    #[test]
    fn keyset_calls() {
        let id = || "k".to_owned();
        for path in [
            "/beta/trustFramework/keySets/k/getActiveKey",
            "/beta/trustFramework/keySets/k/getActiveKey()",
            "/beta/trustFramework/keySets('k')/microsoft.graph.getActiveKey()",
        ] {
            assert_eq!(graph(path), Target::ActiveKey(id()), "{path}");
        }
        assert_eq!(
            graph("/beta/trustFramework/keySets/k/microsoft.graph.uploadPkcs12"),
            Target::KeysetAction(id(), KeysetAction::UploadPkcs12)
        );
        assert_eq!(
            graph("/beta/trustFramework/keySets('k')/keys_v2('a''b')"),
            Target::Key(id(), "a'b".to_owned())
        );
        assert_eq!(
            graph("/beta/trustFramework/keySets/k/keys_v2/$count"),
            Target::KeyCount(id())
        );
    }

    #[test]
    fn hostile_ids_stay_one_segment() {
        assert_eq!(
            graph("/beta/trustFramework/policies/..%2f..%2Fetc"),
            Target::Policy("../../etc".to_owned())
        );
        assert_eq!(
            graph("/beta/trustFramework/policies/%2e%2e"),
            Target::Policy("..".to_owned())
        );
        assert_eq!(percent_decode("%zz%4%41%ff"), "%zz%4A\u{fffd}");
    }

    #[test]
    fn back_end_paths() {
        let of = |path: &str| Path::parse(path).back_end();
        assert_eq!(
            of("/beta/trustFramework/policies/X"),
            "trustFramework/policies('X')"
        );
        assert_eq!(
            of("/beta/trustFramework/policies"),
            "trustFramework/policies"
        );
        assert_eq!(
            of("/beta/trustFramework/policies//$value"),
            "trustFramework/policies/$value"
        );
    }

    #[test]
    fn other_resources() {
        assert_eq!(
            Path::parse("/v1.0/trustFramework/policies").route,
            Route::NoSegment("trustFramework".to_owned())
        );
        assert_eq!(Path::parse("/").route, Route::Nowhere);
        assert_eq!(
            Path::parse("/contoso.onmicrosoft.com/oauth2/v2.0/token").route,
            Route::Token("contoso.onmicrosoft.com".to_owned())
        );
    }
}
