//! `iefctl` as a user runs it: the real binary in a folder of its own, with nothing of the surrounding
//! environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A call of the binary, to be configured and run, also several times.
pub(crate) struct IefCtl {
    folder: TempDir,
    args: Vec<OsString>,
    variables: Vec<(String, OsString)>,
}

/// What a call printed and how it ended.
pub(crate) struct Finished {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl IefCtl {
    /// A folder with these files, whose `.git` keeps configuration above it out.
    pub(crate) fn with_files<N: AsRef<Path>, C: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (N, C)>,
    ) -> Self {
        let this = Self {
            folder: tempfile::tempdir().unwrap(),
            args: Vec::new(),
            variables: Vec::new(),
        };
        fs::create_dir(this.path(".git")).unwrap();
        for (name, content) in files {
            this.write(name, content);
        }
        this
    }

    /// The arguments of the next runs, instead of those before.
    pub(crate) fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// An environment variable of the next runs.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and the folders that it needs.
    pub(crate) fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A file's text.
    pub(crate) fn read(&self, name: impl AsRef<Path>) -> String {
        String::from_utf8(fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// Every file of the folder with its content, links with what they lead to.
    pub(crate) fn content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut content = BTreeMap::new();
        let mut open = vec![self.folder.path().to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let kind = fs::symlink_metadata(&path).unwrap().file_type();
                if kind.is_symlink() {
                    let target = fs::read_link(&path).unwrap();
                    content.insert(path, target.into_os_string().into_encoded_bytes());
                } else if kind.is_dir() {
                    content.insert(path.clone(), Vec::new());
                    open.push(path);
                } else {
                    let bytes = fs::read(&path).unwrap_or_default();
                    content.insert(path, bytes);
                }
            }
        }
        content
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_iefctl"));
        command
            .args(&self.args)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub(crate) fn run(&self) -> Finished {
        Finished::of(self.command().output().unwrap())
    }

    /// Runs to the end as somebody whom permissions stop: root, whom none stops, becomes nobody. `None`
    /// if nobody cannot start the program where it is.
    #[cfg(unix)]
    fn run_unprivileged(&self) -> Option<Finished> {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        use std::os::unix::process::CommandExt as _;

        const NOBODY: u32 = 65534;
        let mut command = self.command();
        if fs::metadata(self.folder.path()).unwrap().uid() == 0 {
            fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
            command.uid(NOBODY).gid(NOBODY);
        }
        match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => None,
            output => Some(Finished::of(output.unwrap())),
        }
    }

    /// The same while nobody may open a file or folder.
    #[cfg(unix)]
    pub(crate) fn run_locked_out_of(&self, path: &str) -> Option<Finished> {
        use std::os::unix::fs::PermissionsExt as _;

        let locked = self.path(path);
        let old = fs::metadata(&locked).unwrap().permissions();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
        let finished = self.run_unprivileged();
        fs::set_permissions(&locked, old).unwrap();
        finished
    }

    /// Starts and goes on; both streams are piped.
    pub(crate) fn spawn(&self) -> Child {
        self.command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

impl Finished {
    fn of(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks the exit status, and that nothing panicked.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(
            self.status,
            Some(status),
            "stdout:\n{stdout}\nstderr:\n{stderr}"
        );
        assert!(!stderr.contains("panicked"), "{stderr}");
        self
    }

    /// Checks what standard error says.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "`{text}` is not in stderr:\n{}\nstdout:\n{}",
            self.stderr,
            self.stdout
        );
        self
    }

    /// Checks what standard output shows.
    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "`{text}` is not in stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// A policy that no rule has anything against; `session` are the claims that its one technical profile
/// persists. `objectId` and `displayName` are declared.
pub(crate) fn policy(session: &[&str]) -> String {
    let claims: Vec<String> = session
        .iter()
        .map(|id| format!("            <PersistedClaim ClaimTypeReferenceId=\"{id}\" />\n"))
        .collect();
    POLICY.replace("{claims}", &claims.concat())
}

const POLICY: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0" TenantId="contoso.onmicrosoft.com" PolicyId="B2C_1A_Base" PublicPolicyUri="http://contoso.onmicrosoft.com/B2C_1A_Base">
  <BuildingBlocks>
    <ClaimsSchema>
      <ClaimType Id="objectId">
        <DisplayName>Object id</DisplayName>
        <DataType>string</DataType>
      </ClaimType>
      <ClaimType Id="displayName">
        <DisplayName>Name</DisplayName>
        <DataType>string</DataType>
      </ClaimType>
    </ClaimsSchema>
  </BuildingBlocks>
  <ClaimsProviders>
    <ClaimsProvider>
      <DisplayName>Session</DisplayName>
      <TechnicalProfiles>
        <TechnicalProfile Id="SM-AAD">
          <DisplayName>Session</DisplayName>
          <Protocol Name="Proprietary" Handler="Web.TPEngine.SSO.DefaultSSOSessionProvider, Web.TPEngine, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null" />
          <PersistedClaims>
{claims}          </PersistedClaims>
        </TechnicalProfile>
      </TechnicalProfiles>
    </ClaimsProvider>
  </ClaimsProviders>
</TrustFrameworkPolicy>
"#;
