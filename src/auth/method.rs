use std::fmt;

/// The ways to sign in, in the order in which they are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// An application with a certificate.
    Certificate,
    /// An application that trusts the issuer of a token in a file.
    FederatedToken,
    /// An application that trusts GitHub's tokens for a job.
    GithubOidc,
    /// An application that trusts Azure Pipelines' tokens for a service connection.
    AzurePipelines,
    /// The identity of the machine, by itself or for an application that trusts it.
    ManagedIdentity,
    /// Whoever Azure CLI is signed in as.
    AzureCli,
    /// A person with a browser.
    DeviceCode,
    /// An application with a secret.
    ClientSecret,
}

impl Method {
    /// All ways, in the order in which they are looked for. [`Method::DeviceCode`] is only used when
    /// it is asked for.
    pub const ALL: [Self; 8] = [
        Self::Certificate,
        Self::FederatedToken,
        Self::GithubOidc,
        Self::AzurePipelines,
        Self::ManagedIdentity,
        Self::AzureCli,
        Self::DeviceCode,
        Self::ClientSecret,
    ];

    /// The name in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::FederatedToken => "federated-token",
            Self::GithubOidc => "github-oidc",
            Self::AzurePipelines => "azure-pipelines",
            Self::ManagedIdentity => "managed-identity",
            Self::AzureCli => "azure-cli",
            Self::DeviceCode => "device-code",
            Self::ClientSecret => "client-secret",
        }
    }

    /// The way of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
