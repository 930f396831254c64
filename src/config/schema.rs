//! The JSON schema of `iefctl.toml`, by which editors complete the file and check it while it is
//! written. It says what the reader says, but for what a schema cannot: names that differ only in case,
//! files that do not exist.

use serde_json::{Map, Value, json};

use super::has_levels;
use super::keys::{
    DeployKey, EnvironmentKey, Keys, LEVELS, Pkcs12Key, RecipeKey, RootKey, SecretKey, SettingKey,
    Shape,
};
use crate::diagnostics::Rule;

/// Not blank.
const NOT_BLANK: &str = r"\S";
/// The name of something that the user chooses.
const NAME: &str = r"^[^{}\r\n]*[^{}\r\n\s][^{}\r\n]*$";
/// The same without slashes, as it becomes a folder.
const ENVIRONMENT: &str = r"^[^{}\r\n/\\]*[^{}\r\n\s/\\][^{}\r\n/\\]*$";
const KEYSET: &str = "^[A-Za-z0-9_-]+$";
const VARIABLE: &str = r"^[^=\u0000]*[^=\u0000\s][^=\u0000]*$";
/// A domain name with at least two labels, or an id.
const TENANT: &str = "^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+\
                      |[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$";
const PREFIX: &str = "^(?![Bb]2[Cc]_1[Aa]_)[A-Za-z0-9_.-]+$";

/// The schema of `iefctl.toml`, draft 2020-12, with these rules.
pub fn schema(rules: &[&Rule]) -> Value {
    let mut root = table::<RootKey>();
    root.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    root.insert("title".to_owned(), json!("iefctl.toml"));
    root.insert(
        "description".to_owned(),
        json!("What differs between the tenants that a folder of Azure AD B2C policies is deployed to."),
    );
    root.insert(
        "$defs".to_owned(),
        json!({
            "settings": {
                "type": "object",
                "propertyNames": { "pattern": NAME },
                "additionalProperties": { "$ref": "#/$defs/setting" },
            },
            "setting": setting(),
            "environments": {
                "type": "object",
                "propertyNames": { "pattern": ENVIRONMENT },
                "additionalProperties": { "$ref": "#/$defs/environment" },
            },
            "environment": table::<EnvironmentKey>(),
            "keysets": {
                "type": "object",
                "propertyNames": { "pattern": KEYSET },
                "additionalProperties": { "$ref": "#/$defs/keyset" },
            },
            "keyset": one_of(table::<RecipeKey>(), &["generate", "secret", "certificate", "pkcs12"]),
            "secret": one_of(table::<SecretKey>(), &["env", "file"]),
            "pkcs12": one_of(table::<Pkcs12Key>(), &["env", "file"]),
            "deploy": table::<DeployKey>(),
            "rules": {
                "type": "object",
                "properties": rules.iter().filter(|rule| has_levels(rule)).map(|rule| {
                    let level = json!({ "enum": LEVELS, "description": rule.summary });
                    (rule.id.to_owned(), level)
                }).collect::<Map<_, _>>(),
                "additionalProperties": false,
            },
        }),
    );
    Value::Object(root)
}

/// An object with these keys and no others.
fn table<K: Keys>() -> Map<String, Value> {
    let properties = K::ALL.iter().map(|(name, key)| {
        let mut property = shape(key.shape());
        property.insert("description".to_owned(), json!(key.about()));
        // An editor shows the name of the variable or file, not how it looks.
        if *name == "env" {
            property.insert("pattern".to_owned(), json!(VARIABLE));
        }
        ((*name).to_owned(), Value::Object(property))
    });
    object(json!({
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "additionalProperties": false,
    }))
}

/// The same, where exactly one of some keys must be there.
fn one_of(mut table: Map<String, Value>, keys: &[&str]) -> Value {
    let required: Vec<Value> = keys
        .iter()
        .map(|key| json!({ "required": [key] }))
        .collect();
    table.insert("oneOf".to_owned(), json!(required));
    Value::Object(table)
}

fn setting() -> Value {
    let mut source = table::<SettingKey>();
    source.insert(
        "dependentRequired".to_owned(),
        json!({ "default": ["env"] }),
    );
    json!({
        "oneOf": [
            { "type": "string" },
            { "type": "boolean" },
            { "type": "integer" },
            one_of(source, &["env", "file", "xml", "tenant"]),
        ],
    })
}

fn shape(shape: Shape) -> Map<String, Value> {
    let reference = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
    let name = json!({ "type": "string", "pattern": NOT_BLANK });
    object(match shape {
        Shape::Name => name,
        Shape::Text => json!({ "type": "string" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Names => json!({ "type": "array", "items": name }),
        Shape::Folders => json!({
            "oneOf": [name, { "type": "array", "items": name, "minItems": 1 }],
        }),
        Shape::Tenant => json!({ "type": "string", "pattern": TENANT }),
        Shape::Prefix => json!({ "type": "string", "pattern": PREFIX }),
        // Not `enum`, so that an editor shows what each word means.
        Shape::Words(words) => json!({
            "oneOf": words.iter().map(|(word, about)| {
                json!({ "const": word, "description": about })
            }).collect::<Vec<_>>(),
        }),
        Shape::Integer(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::Settings => reference("settings"),
        Shape::Environments => reference("environments"),
        Shape::Keysets => reference("keysets"),
        Shape::Rules => reference("rules"),
        Shape::Deploy => reference("deploy"),
        Shape::Secret => reference("secret"),
        Shape::Pkcs12 => reference("pkcs12"),
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
