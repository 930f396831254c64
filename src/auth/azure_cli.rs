use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::SecretString;
use serde_json::Value;
use tokio::process::Command;
use tracing::debug;

use super::tenant_id::TenantCheck;
use super::token_endpoint::{is_bearer, number};
use super::{
    AccessToken, AuthError, Endpoints, SecretObserver, SignIn, SignInFuture, Surroundings,
    TokenClaims, aadsts,
};

const WHO: &str = "Azure CLI";

/// Signs in as whoever Azure CLI is signed in as, by `az account get-access-token`. Azure CLI renews
/// by itself; it is asked again at every renewal.
pub struct AzureCli {
    program: PathBuf,
    tenant: String,
    resource: String,
    timeout: Duration,
    check: TenantCheck,
    secrets: Arc<dyn SecretObserver>,
}

impl AzureCli {
    /// The way in to `tenant` by the program `az` at `program`. It may take as long as one answer of
    /// a service.
    ///
    /// # Errors
    /// [`AuthError::Transport`] if the HTTP client cannot be set up.
    pub fn new(
        endpoints: &Endpoints,
        tenant: &str,
        program: &Path,
        surroundings: &Surroundings,
    ) -> Result<Self, AuthError> {
        Ok(Self {
            program: program.to_owned(),
            tenant: tenant.to_owned(),
            resource: endpoints.graph_resource(),
            timeout: surroundings.transport.timeout,
            check: TenantCheck::new(endpoints, tenant, surroundings)?,
            secrets: Arc::clone(&surroundings.secrets),
        })
    }

    async fn sign_in(&self) -> Result<AccessToken, AuthError> {
        let output = self.run().await?;
        if !output.status.success() {
            return Err(self.refused(&output.stderr));
        }
        let token =
            token_of(&output.stdout).ok_or_else(|| self.failed("printed no token", None))?;
        self.secrets.on_secret(token.secret());
        if token.remaining().is_zero() {
            let what = "gave a token that expired already";
            let advice = "Check the clock of this machine, or sign in again with `az login`.";
            return Err(self.failed(what, Some(advice.to_owned())));
        }
        self.check.check(&token, WHO, &self.login_advice()).await?;
        Ok(token)
    }

    async fn run(&self) -> Result<std::process::Output, AuthError> {
        let mut command = Command::new(&self.program);
        command
            .args(["account", "get-access-token", "--output", "json"])
            .args(["--resource", &self.resource, "--tenant", &self.tenant])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        debug!(program = %self.program.display(), "asks Azure CLI");
        let child = command
            .spawn()
            .map_err(|error| self.failed(format!("cannot be started: {error}"), None))?;
        match tokio::time::timeout(self.timeout, child.wait_with_output()).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(self.failed(format!("broke off: {error}"), None)),
            Err(_) => Err(self.failed(
                format!("gave no answer within {} s", self.timeout.as_secs()),
                Some(
                    "Run `az account get-access-token` by hand to see what it waits for; --timeout \
                     sets how long iefctl waits."
                        .to_owned(),
                ),
            )),
        }
    }

    /// What Azure CLI says on standard error, in one line, and what to do.
    fn refused(&self, stderr: &[u8]) -> AuthError {
        let text = String::from_utf8_lossy(stderr);
        let lower = text.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let code = aadsts::number_in(&text);
        let advice = if says(&[
            "unrecognized argument",
            "az: error:",
            "misspelled or not recognized",
        ]) {
            Some(
                "This Azure CLI is too old: update it (2.54 or newer is known to work).".to_owned(),
            )
        } else if says(&[
            "az login",
            "no subscription found",
            "interactive authentication is needed",
        ]) {
            Some(self.login_advice())
        } else {
            code.and_then(aadsts::advice).map(str::to_owned)
        };
        let line = first_line(&text);
        let what = if line.is_empty() {
            "failed and said nothing".to_owned()
        } else {
            format!("refused: {line}")
        };
        self.failed(what, advice.or_else(|| Some(self.login_advice())))
    }

    fn login_advice(&self) -> String {
        format!(
            "Sign in to the tenant as an application: `az login --service-principal --username \
             CLIENT-ID --tenant {} --allow-no-subscriptions`, with --certificate or --password; the \
             tokens that az gets for people lack the permissions for policies.",
            self.tenant
        )
    }

    fn failed(&self, what: impl Into<String>, advice: Option<String>) -> AuthError {
        AuthError::Source {
            who: WHO,
            what: format!("(`{}`) {}", self.program.display(), what.into()),
            advice,
        }
    }
}

/// The token in what Azure CLI prints: JSON, on Windows with other line ends, from a script perhaps
/// with a byte order mark.
fn token_of(stdout: &[u8]) -> Option<AccessToken> {
    let text = std::str::from_utf8(stdout).ok()?;
    let answer: Value = serde_json::from_str(text.trim_start_matches('\u{feff}').trim()).ok()?;
    let value = answer
        .get("accessToken")?
        .as_str()
        .filter(|token| is_bearer(token))?;
    // `expiresOn` is local time of an unknown zone; `expires_on` came with 2.54, so that of older
    // versions only the token itself tells. Without either it is renewed soon.
    let token = AccessToken::new(SecretString::from(value), Duration::from_secs(300));
    let expires = answer.get("expires_on").and_then(number);
    let expires = expires.or_else(|| {
        let claims = TokenClaims::decode(&token)?;
        claims.expires?.try_into().ok()
    });
    let Some(expires) = expires else {
        return Some(token);
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let lifetime = Duration::from_secs(expires.saturating_sub(now));
    Some(AccessToken::new(SecretString::from(value), lifetime))
}

/// The first line that says something, shortened, without what looks like a token.
fn first_line(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with("WARNING"));
    let line = lines.next().unwrap_or_default();
    let words = line.split_whitespace().map(|word| {
        let is_token = word.len() > 100 || word.starts_with("eyJ");
        if is_token { "***" } else { word }
    });
    let line = words.collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).take(300).collect();
    let line = line.strip_prefix("ERROR: ").unwrap_or(&line);
    line.trim_end_matches('.').to_owned()
}

impl SignIn for AzureCli {
    fn acquire(&self) -> SignInFuture<'_> {
        Box::pin(self.sign_in())
    }

    fn describe(&self) -> String {
        "Azure CLI".to_owned()
    }
}

impl fmt::Debug for AzureCli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureCli")
            .field("program", &self.program)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_az_prints_is_read_on_every_system() {
        let far = 4_102_444_800_u64;
        for text in [
            format!("{{\"accessToken\":\"a.b.c\",\"expires_on\":{far}}}"),
            format!(
                "\u{feff}{{\r\n  \"accessToken\": \"a.b.c\",\r\n  \"expires_on\": \"{far}\"\r\n}}\r\n"
            ),
        ] {
            let token = token_of(text.as_bytes()).unwrap();
            assert!(token.lifetime() > Duration::from_secs(3_600), "{text}");
        }
        // An old version: local time only. The token's own word counts, else it is renewed soon.
        let old = "{\"accessToken\":\"opaque\",\"expiresOn\":\"2026-01-01 00:00:00.000000\"}";
        let token = token_of(old.as_bytes()).unwrap();
        assert_eq!(token.lifetime(), Duration::from_secs(300));
        for garbage in [
            "",
            "hello",
            "[]",
            "{\"accessToken\":7}",
            "{\"accessToken\":\"a b\"}",
        ] {
            assert!(token_of(garbage.as_bytes()).is_none(), "{garbage}");
        }
    }

    #[test]
    fn a_line_of_az_holds_no_token() {
        let text = "WARNING: old\r\nERROR: bad eyJhbGciOi.x.y given.\r\nmore";
        assert_eq!(first_line(text), "bad *** given");
        assert_eq!(first_line(""), "");
    }
}
