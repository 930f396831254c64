//! The JSON schema of `iefctl.toml`: valid itself, and of the same opinion as the reader about everything
//! that can be written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use iefctl::auth::{Cloud, Method};
use iefctl::config::{self, ConfigError, LoadOptions};
use serde_json::{Map, Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn schema() -> Value {
    let rules: Vec<_> = iefctl::rules::all()
        .chain(iefctl::deploy::RULES.iter().copied())
        .collect();
    config::schema(&rules)
}

/// What the module `jsonschema` of Python says of the instances; nothing where it is not installed.
fn oracle(instances: &[Value]) -> Option<Vec<bool>> {
    let script = "import json, sys\n\
        try:\n    import jsonschema\nexcept ImportError:\n    sys.exit(77)\n\
        given = json.load(sys.stdin)\n\
        jsonschema.Draft202012Validator.check_schema(given['schema'])\n\
        validator = jsonschema.Draft202012Validator(given['schema'])\n\
        print(json.dumps([validator.is_valid(held) for held in given['instances']]))\n";
    let child = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let required = std::env::var_os("CI").is_some();
    let Ok(mut child) = child else {
        assert!(!required, "CI must have python3");
        return None;
    };
    let given = json!({ "schema": schema(), "instances": instances });
    let input = child.stdin.take().unwrap();
    serde_json::to_writer(input, &given).unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.code() == Some(77) {
        assert!(!required, "CI must have the Python module jsonschema");
        return None;
    }
    assert!(output.status.success(), "the schema is no schema");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The TOML blocks of a page, those that show what is wrong excepted.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    for part in text.split("```toml\n").skip(1) {
        blocks.push(part.split("```").next().unwrap().to_owned());
    }
    blocks
}

#[test]
fn everything_that_is_documented_is_valid() {
    let mut texts: Vec<(String, String)> = Vec::new();
    let example = root().join("policies-example/iefctl.toml");
    texts.push((
        "policies-example".to_owned(),
        std::fs::read_to_string(example).unwrap(),
    ));
    let mut pages = vec![
        root().join("README.md"),
        root().join("policies-example/README.md"),
    ];
    let mut open = vec![root().join("docs")];
    while let Some(folder) = open.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let name = page.strip_prefix(root()).unwrap().display().to_string();
        // The pages of rules show what is wrong first.
        let text = match name.starts_with("docs/rules/") {
            true => text
                .split_once("\n## Right\n")
                .map_or("", |(_, right)| right),
            false => &text,
        };
        texts.extend(blocks(text).into_iter().map(|block| (name.clone(), block)));
    }
    assert!(texts.len() >= 5, "{}", texts.len());
    let instances = texts.iter().map(|(name, text)| {
        let parsed: toml::Table = text
            .parse()
            .unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        serde_json::to_value(parsed).unwrap()
    });
    let instances: Vec<Value> = instances.collect();
    let Some(verdicts) = oracle(&instances) else {
        return;
    };
    for ((name, text), is_valid) in texts.iter().zip(verdicts) {
        assert!(is_valid, "{name}:\n{text}");
    }
}

/// A value that fits, for a part of the schema.
fn fitting(schema: &Value, all: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return fitting(&all["$defs"][name], all);
    }
    if let Some(alternatives) = schema["oneOf"].as_array()
        && schema.get("properties").is_none()
    {
        return fitting(&alternatives[0], all);
    }
    if !schema["const"].is_null() {
        return schema["const"].clone();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    match schema["type"].as_str().unwrap() {
        "string" => match schema["pattern"].as_str() {
            Some(pattern) if pattern.contains("\\.") => json!("contoso.onmicrosoft.com"),
            _ => json!("value.txt"),
        },
        "boolean" => json!(true),
        "integer" => json!(7),
        "array" => json!([fitting(&schema["items"], all)]),
        "object" => {
            let mut object = Map::new();
            if let Some(required) = schema["oneOf"][0]["required"][0].as_str() {
                object.insert(
                    required.to_owned(),
                    fitting(&schema["properties"][required], all),
                );
            }
            Value::Object(object)
        }
        other => panic!("{other}"),
    }
}

/// Instances that try every key with values of every kind, right ones and wrong ones.
fn variations(schema: &Value, all: &Value, wrap: &dyn Fn(Value) -> Value, out: &mut Vec<Value>) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => &all["$defs"][reference.rsplit('/').next().unwrap()],
        None => schema,
    };
    let others = [
        json!(true),
        json!(0),
        json!(7),
        json!(300),
        json!(1.5),
        json!(""),
        json!(" "),
        json!("x"),
        json!("rsa"),
        json!("enc"),
        json!("off"),
        json!("Client-Secret"),
        json!("azurecloud"),
        json!("a/b"),
        json!("B2C_1A_x"),
        json!("a b"),
        json!("a=b"),
        json!("contoso.onmicrosoft.com"),
        json!("-a.b"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!("00000000-0000-0000-0000-00000000000x"),
        json!([]),
        json!(["x"]),
        json!([""]),
        json!([1]),
        json!({}),
        json!({ "nobody": 1 }),
        json!({ "env": "X" }),
        json!({ "env": "X", "file": "value.txt" }),
        json!({ "env": "X", "default": "" }),
        json!({ "file": "value.txt", "default": "" }),
        json!({ "env": 1 }),
        json!({ "xml": "" }),
        json!({ "generate": "rsa" }),
        json!({ "generate": "rsa", "secret": { "env": "X" } }),
        json!({ "use": "sig" }),
        json!({ "pkcs12": { "env": "X", "password": { "file": "value.txt" } } }),
        json!({ "pkcs12": { "password": { "env": "X" } } }),
    ];
    out.extend(others.into_iter().map(wrap));
    out.push(wrap(fitting(schema, all)));
    for alternative in schema["oneOf"].as_array().into_iter().flatten() {
        if alternative.get("required").is_none() {
            out.push(wrap(fitting(alternative, all)));
        }
    }
    if let Some(properties) = schema["properties"].as_object() {
        let base = fitting(schema, all);
        // One rule stands for all of them.
        let count = if properties.len() > 50 {
            2
        } else {
            properties.len()
        };
        for (name, property) in properties.iter().take(count) {
            variations(
                property,
                all,
                &|value| {
                    let mut object = base.as_object().unwrap().clone();
                    object.insert(name.clone(), value);
                    wrap(Value::Object(object))
                },
                out,
            );
        }
    } else if schema["additionalProperties"].is_object() {
        let element = &schema["additionalProperties"];
        for name in ["name", "B2C_1A_name", "a b", "a/b", "a{b", "", " ", "é"] {
            let value = fitting(element, all);
            out.push(wrap(json!({ name: value })));
        }
        variations(element, all, &|value| wrap(json!({ "name": value })), out);
    }
}

/// The words of a key that are told with what they mean.
fn words<'s>(schema: &'s Value, key: &str) -> Vec<&'s str> {
    let property = &schema["$defs"]["environment"]["properties"][key];
    let words = property["oneOf"].as_array().unwrap().iter();
    words
        .map(|word| {
            assert!(
                word["description"].as_str().unwrap().ends_with('.'),
                "{word}"
            );
            word["const"].as_str().unwrap()
        })
        .collect()
}

#[test]
fn ways_and_clouds_of_the_schema_are_those_that_sign_in() {
    let schema = schema();
    assert_eq!(words(&schema, "auth"), Method::ALL.map(Method::name));
    assert_eq!(words(&schema, "cloud"), Cloud::ALL.map(Cloud::name));
}

#[test]
fn schema_and_reader_are_of_one_opinion() {
    let all = schema();
    let mut instances = Vec::new();
    variations(&all, &all, &|value| value, &mut instances);
    instances.retain(Value::is_object);
    // JSON and TOML have the same of these; two equal ones need not be asked twice.
    let unique: BTreeMap<String, Value> = instances
        .into_iter()
        .map(|instance| (instance.to_string(), instance))
        .collect();
    let instances: Vec<Value> = unique.into_values().collect();
    assert!(instances.len() > 500, "{}", instances.len());
    let Some(verdicts) = oracle(&instances) else {
        return;
    };
    let accepted = verdicts.iter().filter(|is_valid| **is_valid).count();
    assert!(
        accepted > 50 && accepted < instances.len() / 2,
        "{accepted}"
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("value.txt"), "v").unwrap();
    let known: Vec<_> = iefctl::rules::all()
        .chain(iefctl::deploy::RULES.iter().copied())
        .collect();
    let mut differing = Vec::new();
    for (instance, is_valid) in instances.iter().zip(verdicts) {
        let text = toml::to_string(instance).unwrap();
        std::fs::write(folder.path().join("iefctl.toml"), &text).unwrap();
        let options = LoadOptions::default();
        let env = |name: &str| (name != "IEFCTL_SETTINGS").then(|| "v".to_owned());
        let read = config::load_settings(folder.path(), &options, &env);
        let read = read.and_then(|project| project.check_rules(&known));
        if read.is_ok() != is_valid {
            let reason = read.err().map(|error: ConfigError| error.to_string());
            differing.push(format!(
                "schema says {is_valid}, reader {reason:?}:\n{text}"
            ));
        }
    }
    assert!(
        differing.is_empty(),
        "{} differ:\n{}",
        differing.len(),
        differing.join("\n")
    );
}
