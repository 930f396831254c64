//! The keyset actions that people use: one keyset by inputs, or several as a JSON list.
//!
//! `name` and `value` set a secret (azure-ad-b2c/deploy-trustframework-keyset-secret), `name`, `file`
//! and `password` an archive (riege/deploy-trustframework-keyset-key and its kin), `options` with its
//! companions or `policy_keys` all kinds (PulcoTech/deploy-trustframework-keyset-secret). Unlike there,
//! a keyset that has a key does not get another one at every run; `rotate` asks for that.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::calls::{Call, CallKind};
use super::inputs::Inputs;

const VALUE: &str = "IEFCTL_KEY_VALUE";
const PASSWORD: &str = "IEFCTL_KEY_PASSWORD";

/// A key as the inputs or the JSON describe it.
#[derive(Default)]
struct Key {
    name: String,
    /// `generate`, `manual` or `upload`; without it what else is given says it.
    options: Option<String>,
    key_use: Option<String>,
    key_type: Option<String>,
    certificate_kind: Option<String>,
    file: Option<String>,
    activation_date: Option<String>,
    expiration_date: Option<String>,
    value: Option<SecretString>,
    password: Option<SecretString>,
}

/// Names of the fields of a key in the JSON list.
const FIELDS: [&str; 10] = [
    "name",
    "options",
    "key_use",
    "key_type",
    "secret",
    "file_path",
    "certificate_kind",
    "password",
    "activation_date",
    "expiration_date",
];

/// The calls for every keyset that the inputs name.
pub(super) fn calls(inputs: &Inputs, exists: &dyn Fn(&Path) -> bool) -> Result<Vec<Call>> {
    let tenant = inputs.either("tenant", "tenant_id")?;
    let config = inputs.text("config");
    let rotate = inputs.flag("rotate")?;
    let mut calls = Vec::new();
    for key in keys(inputs)? {
        let shown = key.name.escape_debug().to_string();
        let mut arguments = key
            .arguments(exists)
            .with_context(|| format!("keyset {shown}"))?;
        arguments.extend(tenant.map(|tenant| format!("--tenant={tenant}")));
        arguments.extend(config.map(|file| format!("--config={file}")));
        arguments.extend(inputs.lines("arguments").into_iter().map(str::to_owned));
        arguments.push("--format=json".to_owned());
        let named = ["--".to_owned(), key.name.clone()];
        let secrets = [(VALUE, &key.value), (PASSWORD, &key.password)];
        let secrets = secrets.into_iter();
        let secrets: Vec<_> = secrets
            .filter_map(|(variable, value)| Some((variable, value.clone()?)))
            .collect();
        let call = |words: &[&'static str], options: &[&str], kind| Call {
            words: words.to_vec(),
            arguments: options
                .iter()
                .map(|option| (*option).to_owned())
                .chain(arguments.iter().cloned())
                .chain(named.iter().cloned())
                .collect(),
            secrets: secrets.clone(),
            kind,
            ..Call::default()
        };
        calls.push(call(
            &["keys", "create"],
            &["--if-missing", "--yes"],
            CallKind::Keyset,
        ));
        if rotate {
            calls.push(call(&["keys", "rotate"], &["--yes"], CallKind::Rotation));
        }
    }
    Ok(calls)
}

fn keys(inputs: &Inputs) -> Result<Vec<Key>> {
    let own = |name: &str| inputs.text(name).map(str::to_owned);
    if let Some(list) = inputs.secret("policy_keys") {
        let others = ["name", "value", "file", "options", "secret", "file_path"];
        if let Some(other) = others.iter().find(|name| inputs.has(name)) {
            bail!("inputs `policy_keys` and `{other}` both name a keyset: give one of them");
        }
        return read_list(list.expose_secret());
    }
    let Some(name) = own("name") else {
        bail!("the command keyset needs the input `name` or `policy_keys`");
    };
    let file = inputs.either("file", "file_path")?.map(str::to_owned);
    Ok(vec![Key {
        name,
        options: own("options"),
        key_use: own("key_use"),
        key_type: own("key_type"),
        certificate_kind: own("certificate_kind").or_else(|| {
            // Actions with `file` take archives only.
            let archive = inputs.has("file") && !inputs.has("options");
            archive.then(|| "pkcs12".to_owned())
        }),
        file,
        activation_date: own("activation_date"),
        expiration_date: own("expiration_date"),
        value: inputs.either_secret("value", "secret")?.cloned(),
        password: inputs.secret("password").cloned(),
    }])
}

/// Reads the JSON list. Messages hold nothing of it but names of fields, as it holds secrets.
fn read_list(text: &str) -> Result<Vec<Key>> {
    let list: Value = match serde_json::from_str(text) {
        Ok(list) => list,
        Err(error) => bail!(
            "input `policy_keys` is no JSON: line {}, column {}",
            error.line(),
            error.column()
        ),
    };
    let Some(list) = list.as_array().filter(|list| !list.is_empty()) else {
        bail!("input `policy_keys` takes a JSON list of keys that is not empty");
    };
    let keys = (1..).zip(list);
    keys.map(|(number, key)| {
        read_key(key).with_context(|| format!("key {number} of `policy_keys`"))
    })
    .collect()
}

fn read_key(value: &Value) -> Result<Key> {
    let Some(fields) = value.as_object() else {
        bail!("it is no JSON object");
    };
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        bail!(
            "it has the unknown field {}; known are {}",
            unknown.escape_debug(),
            FIELDS.join(", ")
        );
    }
    let text = |name: &str| -> Result<Option<String>> {
        match fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => bail!("`{name}` is no text"),
        }
    };
    let secret =
        |name: &str| -> Result<Option<SecretString>> { Ok(text(name)?.map(SecretString::from)) };
    let Some(name) = text("name")? else {
        bail!("it has no `name`");
    };
    Ok(Key {
        name,
        options: text("options")?,
        key_use: text("key_use")?,
        key_type: text("key_type")?,
        certificate_kind: text("certificate_kind")?,
        file: text("file_path")?,
        activation_date: text("activation_date")?,
        expiration_date: text("expiration_date")?,
        value: secret("secret")?,
        password: secret("password")?,
    })
}

impl Key {
    /// The options that say where the key comes from, what it is for, and when it is valid.
    fn arguments(&self, exists: &dyn Fn(&Path) -> bool) -> Result<Vec<String>> {
        let has = |given: bool, name: &str, kind: &str| match given {
            true => bail!("`{name}` means nothing for a key that is {kind}"),
            false => Ok(()),
        };
        let mut arguments = match self.kind()? {
            "generate" => {
                let kind = "generated";
                has(self.value.is_some(), "secret", kind)?;
                has(self.file.is_some(), "file_path", kind)?;
                has(self.password.is_some(), "password", kind)?;
                let Some(key_use) = &self.key_use else {
                    bail!("`key_use` must say what the generated key is for: sig or enc");
                };
                let key_type = self.key_type.as_deref().unwrap_or("rsa");
                vec![
                    format!(
                        "--generate={}",
                        one_of("key_type", key_type, &["rsa", "oct"])?
                    ),
                    format!("--use={}", one_of("key_use", key_use, &["sig", "enc"])?),
                ]
            }
            "manual" => {
                let kind = "a secret";
                has(self.file.is_some(), "file_path", kind)?;
                has(self.password.is_some(), "password", kind)?;
                if self.value.is_none() {
                    bail!(
                        "the secret is empty: is the repository's secret set, and may this workflow read it?"
                    );
                }
                if let Some(key_type) = &self.key_type {
                    one_of("key_type", key_type, &["oct"])?;
                }
                let key_use = self.key_use.as_deref().unwrap_or("sig");
                vec![
                    format!("--secret-env={VALUE}"),
                    format!("--use={}", one_of("key_use", key_use, &["sig", "enc"])?),
                ]
            }
            _ => self.upload(exists)?,
        };
        let dates = [
            ("--not-before", &self.activation_date),
            ("--expires", &self.expiration_date),
        ];
        for (option, date) in dates {
            arguments.extend(
                date.as_ref()
                    .map(|date| format!("{option}={}", date.trim())),
            );
        }
        Ok(arguments)
    }

    fn kind(&self) -> Result<&'static str> {
        let Some(options) = &self.options else {
            return match (&self.value, &self.file) {
                (Some(_), None) => Ok("manual"),
                (None, Some(_)) => Ok("upload"),
                (Some(_), Some(_)) => bail!("it has a value and a file: give one of them"),
                (None, None) => bail!(
                    "nothing says what its key is: give `value`, `file`, or `options`. A secret that \
                     is not set in the repository arrives empty"
                ),
            };
        };
        one_of("options", options, &["generate", "manual", "upload"])
    }

    /// A certificate. The service decides what it is for: `key_use` says nothing new, and is allowed
    /// as the action has it.
    fn upload(&self, exists: &dyn Fn(&Path) -> bool) -> Result<Vec<String>> {
        if self.value.is_some() {
            bail!("`secret` means nothing for a key that is uploaded");
        }
        let Some(file) = &self.file else {
            bail!("`file_path` must name the certificate");
        };
        if !exists(Path::new(file)) {
            bail!("there is no file {}", file.escape_debug());
        }
        if let Some(key_use) = &self.key_use {
            one_of("key_use", key_use, &["sig", "enc"])?;
        }
        if let Some(key_type) = &self.key_type {
            one_of("key_type", key_type, &["rsa"])?;
        }
        let lower = file.to_ascii_lowercase();
        let by_name = match lower.ends_with(".pfx") || lower.ends_with(".p12") {
            true => "pkcs12",
            false => "x509",
        };
        let kind = self.certificate_kind.as_deref().unwrap_or(by_name);
        if one_of("certificate_kind", kind, &["x509", "pkcs12"])? == "x509" {
            if self.password.is_some() {
                bail!("`password` means nothing for a certificate without its private key");
            }
            return Ok(vec![format!("--certificate={file}")]);
        }
        let mut arguments = vec![format!("--pkcs12={file}")];
        if self.password.is_some() {
            arguments.push(format!("--password-env={PASSWORD}"));
        }
        Ok(arguments)
    }
}

/// The word of `known` that a text is, whatever its case.
fn one_of(name: &str, text: &str, known: &[&'static str]) -> Result<&'static str> {
    let text = text.trim();
    let word = known.iter().find(|word| word.eq_ignore_ascii_case(text));
    word.copied().with_context(|| {
        format!(
            "`{name}` is {}: here it takes {}",
            text.escape_debug(),
            known.join(" or ")
        )
    })
}
