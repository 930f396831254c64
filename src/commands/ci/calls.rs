//! What inputs ask for, as command lines of this program.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use secrecy::SecretString;

use super::inputs::Inputs;
use super::key_file::{is_path, is_text};
use super::keysets;

/// One run of this program.
#[derive(Debug, Default)]
pub(super) struct Call {
    /// The command.
    pub(super) words: Vec<&'static str>,
    /// What follows on the command line. Holds no secret.
    pub(super) arguments: Vec<String>,
    /// Variables with secrets.
    pub(super) secrets: Vec<(&'static str, SecretString)>,
    /// Other variables.
    pub(super) variables: Vec<(&'static str, String)>,
    /// How its result is read.
    pub(super) kind: CallKind,
}

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum CallKind {
    /// A set of policies.
    #[default]
    Policies,
    /// A keyset that is to have a key.
    Keyset,
    /// A keyset that gets a further key if it has one.
    Rotation,
}

/// Everything that the inputs ask for.
#[derive(Debug)]
pub(super) struct Calls {
    /// The command: one of [`COMMANDS`].
    pub(super) command: &'static str,
    /// The runs, one after the other; the next one only if the one before ended well, unless all are
    /// harmless.
    pub(super) calls: Vec<Call>,
    /// Whether a failed run keeps the later ones from being started.
    pub(super) stops: bool,
}

const COMMANDS: [&str; 6] = ["validate", "plan", "deploy", "destroy", "build", "keyset"];

/// Those that speak to a tenant.
const OF_TENANTS: [&str; 4] = ["plan", "deploy", "destroy", "keyset"];

/// Inputs that only the keyset command has a use for.
const OF_KEYSETS: [&str; 14] = [
    "name",
    "value",
    "file",
    "password",
    "options",
    "key_use",
    "key_type",
    "secret",
    "file_path",
    "certificate_kind",
    "activation_date",
    "expiration_date",
    "policy_keys",
    "rotate",
];

/// Inputs that only commands about policies have a use for.
const OF_POLICIES: [&str; 7] = [
    "files",
    "bases",
    "prefix",
    "suffix",
    "plan-file",
    "output",
    "folder",
];

impl Calls {
    /// What the inputs ask for. `exists` tells whether a file is there.
    ///
    /// # Errors
    /// Inputs that mean nothing or contradict each other.
    pub(super) fn new(inputs: &Inputs, exists: &dyn Fn(&Path) -> bool) -> Result<Self> {
        let command = command(inputs)?;
        let foreign: &[&str] = match command {
            "keyset" => &OF_POLICIES,
            _ => &OF_KEYSETS,
        };
        let is_off = |name: &str| name == "rotate" && inputs.flag(name).is_ok_and(|rotate| !rotate);
        let mut given = foreign.iter().filter(|name| inputs.has(name));
        if let Some(name) = given.find(|name| !is_off(name)) {
            bail!("input `{name}` means nothing to the command {command}");
        }
        let (signed_in, connection) = connection(inputs, exists)?;
        let calls = match command {
            "keyset" => keysets::calls(inputs, exists)?,
            "destroy" => destroy(inputs)?,
            _ => policies(command, inputs, exists)?,
        };
        let environments = inputs.list("environment");
        let environments = match environments.is_empty() {
            true => vec![None],
            false => environments.into_iter().map(Some).collect(),
        };
        let mut all = Vec::new();
        for environment in environments {
            for call in &calls {
                let mut options = Vec::new();
                if inputs.flag("verbose")? {
                    options.push("--verbose".to_owned());
                }
                options.extend(environment.map(|name| format!("--environment={name}")));
                if OF_TENANTS.contains(&command) {
                    options.extend(connection.iter().cloned());
                }
                all.push(call.with(options, &signed_in));
            }
        }
        Ok(Self {
            command,
            calls: all,
            stops: matches!(command, "deploy" | "destroy" | "keyset"),
        })
    }
}

impl Call {
    /// The same with options in front of what is said already, and with the credentials.
    fn with(&self, options: Vec<String>, signed_in: &Credentials) -> Self {
        let mut arguments: Vec<String> = options;
        arguments.extend(self.arguments.iter().cloned());
        let mut secrets = self.secrets.clone();
        secrets.extend(signed_in.secrets.iter().cloned());
        Self {
            words: self.words.clone(),
            arguments,
            secrets,
            variables: signed_in.variables.clone(),
            kind: self.kind,
        }
    }
}

/// The command that is asked for: by name, else by what only it has a use for. An action that this one
/// takes the place of has no input of that name.
fn command(inputs: &Inputs) -> Result<&'static str> {
    if let Some(text) = inputs.text("command") {
        return match COMMANDS.iter().find(|command| **command == text) {
            Some(command) => Ok(command),
            None => bail!(
                "input `command` is {}: it takes one of {}, install",
                text.escape_debug(),
                COMMANDS.join(", ")
            ),
        };
    }
    let about_keysets = ["name", "policy_keys"]
        .into_iter()
        .find(|name| inputs.has(name));
    match (about_keysets, inputs.has("files")) {
        (Some(name), true) => bail!(
            "inputs `{name}` and `files` belong to different commands: say which one with `command`"
        ),
        (Some(_), false) => Ok("keyset"),
        // As azure-ad-b2c/deploy-trustframework-policy, which has no other command.
        (None, true) => Ok("deploy"),
        (None, false) => Ok("validate"),
    }
}

/// The variable with the path of the certificate to sign in with.
pub(super) const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";

/// Variables by which a command signs in.
#[derive(Debug, Default)]
struct Credentials {
    secrets: Vec<(&'static str, SecretString)>,
    variables: Vec<(&'static str, String)>,
}

/// Credentials, and the options that say which tenant.
fn connection(
    inputs: &Inputs,
    exists: &dyn Fn(&Path) -> bool,
) -> Result<(Credentials, Vec<String>)> {
    let mut credentials = Credentials::default();
    let texts = [
        ("IEFCTL_AUTH", inputs.text("auth")),
        ("AZURE_CLIENT_ID", inputs.either("clientId", "client_id")?),
        (
            "AZURE_FEDERATED_TOKEN_FILE",
            inputs.text("federated-token-file"),
        ),
    ];
    for (variable, value) in texts {
        let value = value.map(|value| (variable, value.to_owned()));
        credentials.variables.extend(value);
    }
    let secret = inputs.either_secret("clientSecret", "client_secret")?;
    let secret = secret.map(|secret| ("AZURE_CLIENT_SECRET", secret.clone()));
    credentials.secrets.extend(secret);
    // A path, or what whoever runs the step puts into a file.
    let certificate = inputs.secret("client-certificate");
    // Not shown: it may be a key in another form.
    if certificate.is_some_and(|value| !is_text(value) && !is_path(value, exists)) {
        bail!(
            "input `client-certificate` is neither PEM text, which has lines with -----BEGIN, nor the path \
             of a file that is there: give the certificate and its private key as PEM; a .pfx or .p12 \
             becomes PEM by `openssl pkcs12 -in FILE -nodes -out client.pem`"
        );
    }
    let certificate = certificate.map(|certificate| (CERTIFICATE, certificate.clone()));
    credentials.secrets.extend(certificate);
    let cloud = inputs.text("cloud").map(|cloud| format!("--cloud={cloud}"));
    Ok((credentials, cloud.into_iter().collect()))
}

fn policies(
    command: &'static str,
    inputs: &Inputs,
    exists: &dyn Fn(&Path) -> bool,
) -> Result<Vec<Call>> {
    let mut arguments = Vec::new();
    let named = [
        ("--tenant", inputs.either("tenant", "tenant_id")?),
        ("--prefix", inputs.text("prefix")),
        ("--suffix", inputs.text("suffix")),
    ];
    for (option, value) in named {
        arguments.extend(value.map(|value| format!("{option}={value}")));
    }
    let bases = inputs.lines("bases");
    arguments.extend(bases.iter().map(|folder| format!("--with={folder}")));
    let flags = [
        ("renumberSteps", "--renumber-steps"),
        ("addAppInsightsStep", "--app-insights-step"),
    ];
    for (input, option) in flags {
        if inputs.flag(input)? {
            arguments.push(option.to_owned());
        }
    }
    match (inputs.text("plan-file"), command) {
        (Some(file), "deploy") => arguments.push(format!("--plan={file}")),
        (Some(file), "plan") => arguments.push(format!("--out={file}")),
        (Some(_), _) => bail!("input `plan-file` means nothing to the command {command}"),
        (None, _) => {}
    }
    match (inputs.text("output"), command) {
        (Some(folder), "build") => arguments.push(format!("--output={folder}")),
        (None, "build") => bail!("the command build needs the input `output`, a folder"),
        (Some(_), _) => bail!("input `output` means nothing to the command {command}"),
        (None, _) => {}
    }
    let Files { config, paths } = files(inputs, exists)?;
    let config = match (inputs.text("config"), config) {
        (Some(_), Some(_)) => {
            bail!("inputs `config` and `files` both name a configuration: give one of them")
        }
        (Some(file), None) => Some(PathBuf::from(file)),
        (None, file) => file,
    };
    arguments.extend(config.map(|file| format!("--config={}", file.display())));
    arguments.extend(inputs.lines("arguments").into_iter().map(str::to_owned));
    arguments.push("--format=github".to_owned());
    if !paths.is_empty() {
        // What follows is no option, whatever it begins with.
        arguments.push("--".to_owned());
        arguments.extend(paths);
    }
    Ok(vec![Call {
        words: vec![command],
        arguments,
        ..Call::default()
    }])
}

/// Removes the copy that a deployment with the same `prefix` made.
fn destroy(inputs: &Inputs) -> Result<Vec<Call>> {
    let others = OF_POLICIES.iter().filter(|name| **name != "prefix");
    let mut others = others.chain(&["renumberSteps", "addAppInsightsStep"]);
    if let Some(name) = others.find(|name| inputs.has(name) && inputs.flag(name).unwrap_or(true)) {
        bail!("input `{name}` means nothing to the command destroy");
    }
    let Some(prefix) = inputs.text("prefix") else {
        bail!("the command destroy needs the input `prefix`: it removes the copy that has it");
    };
    let mut arguments = vec![format!("--prefix={prefix}"), "--yes".to_owned()];
    let tenant = inputs.either("tenant", "tenant_id")?;
    arguments.extend(tenant.map(|tenant| format!("--tenant={tenant}")));
    let config = inputs.text("config");
    arguments.extend(config.map(|file| format!("--config={file}")));
    arguments.extend(inputs.lines("arguments").into_iter().map(str::to_owned));
    arguments.push("--format=github".to_owned());
    Ok(vec![Call {
        words: vec!["destroy"],
        arguments,
        ..Call::default()
    }])
}

struct Files {
    config: Option<PathBuf>,
    paths: Vec<String>,
}

/// `files` has the three meanings that azure-ad-b2c/deploy-trustframework-policy gives it: `*` is the
/// whole folder, a name with `.json` is a list of files in `.github/workflows`, anything else are files
/// of the folder, with commas between them.
fn files(inputs: &Inputs, exists: &dyn Fn(&Path) -> bool) -> Result<Files> {
    let folder = inputs.text("folder");
    let whole: Vec<String> = folder.into_iter().map(str::to_owned).collect();
    let Some(text) = inputs.text("files").filter(|files| *files != "*") else {
        return Ok(Files {
            config: None,
            paths: whole,
        });
    };
    if text.to_ascii_lowercase().contains(".json") {
        let candidates = [Path::new(".github/workflows").join(text), text.into()];
        let Some(file) = candidates.iter().find(|file| exists(file)) else {
            bail!(
                "input `files` names a list of files that is not there: {} is neither in \
                 .github/workflows nor in the workspace",
                text.escape_debug()
            );
        };
        return Ok(Files {
            config: Some(file.clone()),
            paths: whole,
        });
    }
    let folder = Path::new(folder.unwrap_or("."));
    let paths = inputs.list("files").into_iter().map(|file| {
        let path = folder.join(file.trim_start_matches(['/', '\\']));
        path.to_string_lossy().into_owned()
    });
    Ok(Files {
        config: None,
        paths: paths.collect(),
    })
}

#[cfg(test)]
mod tests;
