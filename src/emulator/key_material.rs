//! How one key comes into being: from the request that generates or uploads it, or from a JSON Web
//! Key; and the rules that it has to keep.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::answer::Refusal;
use super::certificate::Certificate;
use super::clock;
use super::guid;
use super::pfx::{self, Refused};
use super::route::KeysetAction;
use super::server::Call;
use super::signer;
use super::store::Key;

/// The key that an action makes for keyset `id`. Of a secret nothing is kept.
pub(super) fn made_by(
    action: KeysetAction,
    call: &Call<'_>,
    body: &Map<String, Value>,
    id: &str,
) -> Result<Key, Refusal> {
    let made = match action {
        KeysetAction::GenerateKey => generated(call, body)?,
        KeysetAction::UploadSecret => secret(body)?,
        KeysetAction::UploadCertificate => certificate(call, body, id)?,
        KeysetAction::UploadPkcs12 => pkcs12(call, body, id)?,
    };
    let made = Key {
        kid: guid::random_kid(),
        enabled: call.server.options().unknowns.new_key_enabled,
        ..made
    };
    check_dates(call, &made, id)?;
    Ok(made)
}

/// A key that the client sends as JSON Web Key.
pub(super) fn own_key(entry: &Map<String, Value>) -> Result<Key, Refusal> {
    let text = |name: &str| match entry.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(wrong_format()),
    };
    if text("kid")?.is_some() {
        let message = "One of the keys in the payload has 'kid' which is not empty.";
        return Err(Refusal::numbered(400, 95059, message));
    }
    let kty = match text("kty")? {
        Some(kty) => key_type(kty)?,
        None => {
            let message = "The presented TrustFrameworkKey entity is missing kty.";
            return Err(Refusal::numbered(400, 95037, message));
        }
    };
    let usage = key_use(text("use")?)?;
    let (n, e) = (text("n")?, text("e")?);
    if kty == "RSA" && (n.is_none() || e.is_none()) {
        return Err(Refusal::numbered(
            400,
            95039,
            "The presented TrustFrameworkKey RSA entity is missing or the modulus or exponent.",
        ));
    }
    if kty == "OCT" {
        let k = text("k")?.ok_or_else(|| missing_parameter("k"))?;
        if URL_SAFE_NO_PAD.decode(k).is_err() && URL_SAFE.decode(k).is_err() {
            let message = "The trustframework keyset parameter K is not base64 URL encoded.";
            return Err(Refusal::numbered(400, 95029, message));
        }
    }
    Ok(Key {
        kid: guid::random_kid(),
        kty: kty.to_owned(),
        usage,
        nbf: epoch(entry, "nbf")?,
        exp: epoch(entry, "exp")?,
        n: n.map(str::to_owned),
        e: e.map(str::to_owned),
        ..Key::default()
    })
}

fn generated(call: &Call<'_>, body: &Map<String, Value>) -> Result<Key, Refusal> {
    let usage = key_use(body.get("use").and_then(Value::as_str))?;
    let kty = match body.get("kty") {
        None | Some(Value::Null) => {
            let message = "Missing kty parameter for the trustframework key.";
            return Err(Refusal::numbered(400, 95030, message));
        }
        Some(kty) => key_type(kty.as_str().unwrap_or_default())?,
    };
    let mut key = Key {
        kty: kty.to_owned(),
        usage,
        nbf: epoch(body, "nbf")?,
        exp: epoch(body, "exp")?,
        ..Key::default()
    };
    if kty == "RSA" {
        let options = call.server.options();
        let bits = options.unknowns.generated_rsa_bits;
        let public = signer::generate_public(bits, options.reuse_rsa_key)
            .ok_or_else(|| Refusal::numbered(500, 90063, "There is a problem with the service."))?;
        (key.n, key.e) = (Some(public.n), Some(public.e));
    }
    Ok(key)
}

/// The secret itself is dropped: nothing that the service answers depends on it.
fn secret(body: &Map<String, Value>) -> Result<Key, Refusal> {
    let usage = key_use(body.get("use").and_then(Value::as_str))?;
    match body.get("k") {
        Some(Value::String(k)) if !k.is_empty() => {}
        None | Some(Value::Null | Value::String(_)) => return Err(missing_parameter("k")),
        Some(_) => return Err(wrong_format()),
    }
    Ok(Key {
        kty: "OCT".to_owned(),
        usage,
        nbf: epoch(body, "nbf")?,
        exp: epoch(body, "exp")?,
        ..Key::default()
    })
}

fn certificate(call: &Call<'_>, body: &Map<String, Value>, id: &str) -> Result<Key, Refusal> {
    let bytes = base64_key(body)?;
    let certificate = Certificate::read(&bytes).map_err(badly_formatted)?;
    if certificate.not_after <= clock::now() {
        return Err(expired(call, id, certificate.not_after));
    }
    Ok(certificate_key(call, certificate))
}

fn pkcs12(call: &Call<'_>, body: &Map<String, Value>, id: &str) -> Result<Key, Refusal> {
    let bytes = base64_key(body)?;
    let password = match body.get("password") {
        None | Some(Value::Null) => "",
        Some(Value::String(password)) => password,
        Some(_) => return Err(wrong_format()),
    };
    let certificate = pfx::open(&bytes, password).map_err(|refused| match refused {
        Refused::Malformed(reason) => badly_formatted(reason),
        Refused::Password => Refusal::numbered(
            400,
            90213,
            "The certificate password provided in request is incorrect.",
        ),
    })?;
    let Some(certificate) = certificate else {
        return Ok(Key {
            kty: "RSA".to_owned(),
            usage: "sig".to_owned(),
            ..Key::default()
        });
    };
    let certificate = Certificate::read(certificate).map_err(badly_formatted)?;
    if certificate.not_after <= clock::now() {
        return Err(expired(call, id, certificate.not_after));
    }
    Ok(certificate_key(call, certificate))
}

fn certificate_key(call: &Call<'_>, certificate: Certificate) -> Key {
    let dates = call.server.options().unknowns.certificate_dates;
    Key {
        kty: "RSA".to_owned(),
        usage: "sig".to_owned(),
        nbf: dates.then_some(certificate.not_before),
        exp: dates.then_some(certificate.not_after),
        n: Some(certificate.n),
        e: Some(certificate.e),
        x5c: vec![certificate.x5c],
        x5t: Some(certificate.x5t),
        ..Key::default()
    }
}

fn base64_key(body: &Map<String, Value>) -> Result<Vec<u8>, Refusal> {
    let text = match body.get("key") {
        Some(Value::String(text)) if !text.trim().is_empty() => text,
        None | Some(Value::Null | Value::String(_)) => return Err(missing_parameter("key")),
        Some(_) => return Err(wrong_format()),
    };
    // .NET's decoder skips white space.
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD
        .decode(text)
        .map_err(|_| badly_formatted("the key is not base64"))
}

/// Dates that the client chose; a certificate's own `nbf` lies in the past.
fn check_dates(call: &Call<'_>, made: &Key, id: &str) -> Result<(), Refusal> {
    let now = clock::now();
    if let Some(exp) = made.exp.filter(|exp| *exp <= now) {
        return Err(expired(call, id, exp));
    }
    let lead = call
        .server
        .options()
        .unknowns
        .nbf_lead_time
        .filter(|_| made.x5c.is_empty());
    let earliest = lead.map(|lead| now + i64::try_from(lead.as_secs()).unwrap_or(i64::MAX / 2));
    if let (Some(nbf), Some(earliest)) = (made.nbf, earliest)
        && nbf < earliest
    {
        let message = format!("The 'nbf' of the key must not be before {earliest}.");
        return Err(Refusal::bare(400, message));
    }
    Ok(())
}

/// A keyset holds keys of one type and one use.
pub(super) fn check_mix(existing: &[Key], new: &Key) -> Result<(), Refusal> {
    if existing.iter().any(|key| key.kty != new.kty) {
        let message = "One can't mix RSA and Oct types in one key set.";
        return Err(Refusal::numbered(400, 95032, message));
    }
    if existing.iter().any(|key| key.usage != new.usage) {
        let message = "One can't mix signature and encryption usage in one key set.";
        return Err(Refusal::numbered(400, 95042, message));
    }
    Ok(())
}

fn key_use(value: Option<&str>) -> Result<String, Refusal> {
    let value = value.unwrap_or_default();
    let lower = value.to_lowercase();
    if ["sig", "enc"].contains(&lower.as_str()) {
        Ok(lower)
    } else {
        let message = format!("Bad use parameter '{value}' for the trustframework key.");
        Err(Refusal::numbered(400, 95033, message))
    }
}

fn key_type(value: &str) -> Result<&'static str, Refusal> {
    match value.to_lowercase().as_str() {
        "rsa" => Ok("RSA"),
        "oct" => Ok("OCT"),
        _ => Err(Refusal::numbered(
            400,
            95031,
            format!("Bad kty parameter '{value}' for the trustframework key. Must be RSA or oct."),
        )),
    }
}

/// Seconds since 1970: a number, or digits in a string as old documentation shows them.
fn epoch(body: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number.as_i64().map(Some).ok_or_else(wrong_format),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| wrong_format()),
        Some(_) => Err(wrong_format()),
    }
}

pub(super) fn missing_parameter(name: &str) -> Refusal {
    let message = format!("The trustframework keyset parameter '{name}' is missing");
    Refusal::numbered(400, 90253, message)
}

pub(super) fn wrong_format() -> Refusal {
    let message = "The presented TrustFrameworkKey entity is of the wrong format";
    Refusal::numbered(400, 95034, message)
}

fn badly_formatted(reason: &str) -> Refusal {
    let message = format!("The uploaded key is badly formatted. Reason: '{reason}'.");
    Refusal::numbered(400, 90215, message)
}

fn expired(call: &Call<'_>, id: &str, exp: i64) -> Refusal {
    Refusal::numbered(
        400,
        90214,
        format!(
            "The expiry date for the key container in tenant '{}' with storageReferenceId '{id}' \
             is in the past. Passed date :'{}'.",
            call.tenant_name(),
            clock::graph_date(exp)
        ),
    )
}
