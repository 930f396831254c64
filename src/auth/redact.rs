use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// `text` without any of `secrets`: as they stand, as JSON escapes them, and as forms encode them.
/// Services quote what they could not read, so every answer that is kept goes through here.
pub fn redacted(text: &str, secrets: &[&SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let plain = secret.expose_secret();
        if plain.is_empty() {
            continue;
        }
        let quoted = Value::from(plain).to_string();
        let escaped = &quoted[1..quoted.len() - 1];
        let encoded = form_encoded(plain);
        for form in [plain, escaped, &encoded] {
            if text.contains(form) {
                text = text.replace(form, "***");
            }
        }
    }
    text
}

fn form_encoded(plain: &str) -> String {
    let mut encoded = String::new();
    for byte in plain.bytes() {
        match byte {
            b'*' | b'-' | b'.' | b'_' => encoded.push(byte as char),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte as char),
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_removed() {
        let secret = SecretString::from("a\"b&ü c");
        let text = "a\"b&ü c | a\\\"b&ü c | a%22b%26%C3%BC+c | rest";
        assert_eq!(redacted(text, &[&secret]), "*** | *** | *** | rest");
        let empty = SecretString::from("");
        assert_eq!(redacted("text", &[&empty]), "text");
    }
}
