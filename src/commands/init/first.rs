//! `iefctl init` for a folder of policies: what can be told from them, with comments for the rest.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::config::{self, LoadOptions, Project};
use crate::deploy::KeyMaker;
use crate::policy::{BuiltIn, PolicySet, keyset_references, placeholders_outside_comments};

use super::super::project;
use super::super::{Exit, Shell};
use super::{InitArgs, NewFile, shown, write};

pub(super) fn run(args: &InitArgs, shell: &Shell) -> Result<Exit> {
    let folder = args.folder.clone().unwrap_or_else(|| PathBuf::from("."));
    if !folder.is_dir() {
        bail!("`{}` is no folder", folder.display());
    }
    let path = match folder == Path::new(".") {
        true => PathBuf::from("iefctl.toml"),
        false => folder.join("iefctl.toml"),
    };
    if !args.is_dry_run() {
        args.check_free(&path)?;
    }
    let project = load(&folder, shell)?;
    let validated = project::validate(&project, None, shell)?;
    let text = text(&project, &validated.sets);
    if args.is_dry_run() {
        shell.print(|out| out.write_all(text.as_bytes()))?;
        shell.say("nothing was written");
        return Ok(Exit::Clean);
    }
    write(&[NewFile {
        path: path.clone(),
        text,
    }])?;
    let argument = match folder == Path::new(".") {
        true => String::new(),
        false => format!(" {}", shown(&folder)),
    };
    shell.say(format!(
        "wrote {}; now `iefctl validate{argument}`",
        shown(&path)
    ));
    Ok(Exit::Clean)
}

/// The policies of the folder. A configuration of another tool must not be passed over.
fn load(folder: &Path, shell: &Shell) -> Result<Project> {
    let paths = [folder.to_owned()];
    let project = config::load(&paths, &LoadOptions::default(), &|name| {
        shell.variable(name)
    });
    let project = match project {
        Ok(project) => project,
        // An iefctl.toml that is to be overwritten may be anything.
        Err(error) => bail!("{error}"),
    };
    if let (Some(kind), Some(source)) = (project.kind, project.config_source)
        && kind != config::Kind::Iefctl
    {
        let name = project.sources.get(source).name();
        bail!(
            "`{name}` is {} and works as it is: convert it with `iefctl init --from {name}`",
            kind.describe()
        );
    }
    Ok(project)
}

fn text(project: &Project, sets: &[PolicySet]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut add = |text: &str| lines.extend(text.lines().map(str::to_owned));
    add(
        "# What differs between the tenants that these policies are deployed to.\n\
         # `iefctl config schema` prints a schema, by which editors complete this file.\n",
    );
    add(" ");
    settings(project, &mut add);
    environments(sets, &mut add);
    keysets(sets, &mut add);
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    format!("{}\n", lines.join("\n").trim_end())
}

fn settings(project: &Project, add: &mut dyn FnMut(&str)) {
    let mut keys: Vec<String> = Vec::new();
    for file in project.sets.iter().flat_map(|set| &set.files) {
        for found in placeholders_outside_comments(file.original(), project.settings.notation) {
            let is_new = !keys
                .iter()
                .any(|known| known.eq_ignore_ascii_case(found.key));
            if is_new && BuiltIn::from_key(found.key).is_none() {
                keys.push(found.key.to_owned());
            }
        }
    }
    add("# Values for every environment. A policy names one as {Settings:Key}.");
    add("[settings]");
    match keys.as_slice() {
        [] => add("# ApiHost = \"https://api.contoso.com\""),
        keys => {
            add("# The policies use these: give them values, here or in an environment.");
            for key in keys {
                add(&format!("# {} = \"…\"", config::toml_key(key)));
            }
        }
    }
    add(" ");
}

fn environments(sets: &[PolicySet], add: &mut dyn FnMut(&str)) {
    let mut tenants: BTreeSet<String> = BTreeSet::new();
    for (_, policy) in sets.iter().flat_map(PolicySet::own) {
        let tenant = policy.tenant().to_lowercase();
        let is_domain = tenant.contains('.') && !tenant.contains(['{', '}', ' ']);
        if is_domain && tenant != "yourtenant.onmicrosoft.com" {
            tenants.insert(tenant);
        }
    }
    add(
        "# A tenant to deploy to, chosen with `--environment NAME`. Policies name the tenant as\n\
         # {Settings:Tenant}; yourtenant.onmicrosoft.com is replaced as well.",
    );
    match tenants.len() {
        1 => {
            for tenant in &tenants {
                add("[environments.dev]");
                add(&format!("tenant = {}", config::toml_text(tenant)));
            }
        }
        0 => {
            add("# [environments.dev]");
            add("# tenant = \"contosodev.onmicrosoft.com\"");
        }
        _ => {
            let tenants: Vec<&str> = tenants.iter().map(String::as_str).collect();
            add(&format!(
                "# The policies name several tenants: {}.",
                tenants.join(", ")
            ));
            add("# [environments.dev]");
            add(&format!("# tenant = {}", config::toml_text(tenants[0])));
        }
    }
    add("# [environments.dev.settings]\n\
         # ApiHost = \"https://api.dev.contoso.com\"\n \n\
         # [environments.prod]\n\
         # tenant = \"contoso.onmicrosoft.com\"\n\
         # production = true\n ");
}

fn keysets(sets: &[PolicySet], add: &mut dyn FnMut(&str)) {
    let mut needed: Vec<(String, KeyMaker)> = Vec::new();
    for (_, policy) in sets.iter().flat_map(PolicySet::own) {
        for reference in keyset_references(policy) {
            let id = match reference.keyset.get(..7) {
                Some(head) if head.eq_ignore_ascii_case("B2C_1A_") => reference.keyset,
                _ => format!("B2C_1A_{}", reference.keyset),
            };
            let is_plain = id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
            let maker = KeyMaker::of(&reference.key);
            let known = needed
                .iter_mut()
                .find(|(known, _)| known.eq_ignore_ascii_case(&id));
            match known {
                Some((_, known)) if *known == KeyMaker::Unknown => *known = maker,
                Some(_) => {}
                None if is_plain => needed.push((id, maker)),
                None => {}
            }
        }
    }
    add(
        "# Where the key of a keyset comes from if the tenant does not have the keyset. Signing and\n\
         # encryption keys of tokens are generated without an entry.",
    );
    let mut count = 0;
    for (id, maker) in &needed {
        let variable = id[7..].to_uppercase().replace('-', "_");
        let lines = match maker {
            KeyMaker::Service => continue,
            KeyMaker::SecretHolder => {
                format!("[keysets.{id}]\nsecret = {{ env = \"{variable}\" }}\n ")
            }
            KeyMaker::CertificateHolder => format!(
                "[keysets.{id}]\npkcs12 = {{ env = \"{variable}_PFX\", password = {{ env = \
                 \"{variable}_PASSWORD\" }} }}   # the PFX file in base64\n "
            ),
            KeyMaker::Unknown => format!(
                "# [keysets.{id}]\n# generate = \"rsa\"   # or \"oct\", or secret, certificate, pkcs12\n \
                 "
            ),
        };
        count += 1;
        add(&lines);
    }
    if count == 0 {
        add("# [keysets.B2C_1A_RestApiKey]\n# secret = { env = \"REST_API_KEY\" }\n ");
    }
    add(
        "# Levels of rules that differ from their own: error, warning, hint or off.\n\
         # [rules]\n\
         # unused-claim = \"off\"",
    );
}
