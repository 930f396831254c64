//! How the tool gets access tokens, and the ground that every HTTP call of the tool stands on.
//!
//! A way to sign in is one file with one type that implements [`SignIn`]; it knows how to ask for a
//! token once. [`Credentials::find`] takes the way that was chosen or the first that is there
//! (`choice.rs`). [`TokenSource`] keeps the token, renews it in time and lets many tasks share one
//! request. [`Endpoint`], [`TransportOptions`] and [`RetryPolicy`] live here because the token
//! endpoint needs them first; `msgraph` uses the same ones.
//!
//! Only this room speaks to token endpoints and to the services of CI systems and machines that give
//! tokens. It does not know what tokens are used for, it reads no environment (variables come through
//! a function that the caller passes), prints nothing, and keeps tokens in memory only. Every secret
//! that it reads or obtains is told to a [`SecretObserver`] first. Start reading in `token_source.rs`.

mod aadsts;
mod application;
mod assertion;
mod azure_cli;
mod azure_pipelines;
mod backoff;
mod choice;
mod client_certificate;
mod client_secret;
mod cloud;
mod credentials;
mod device_code;
mod endpoint;
mod error;
mod federated_token;
mod github_oidc;
mod managed_identity;
mod method;
mod patience;
mod pem;
mod redact;
mod surroundings;
mod tenant_id;
mod token;
mod token_endpoint;
mod token_service;
mod token_source;
mod transport;

pub use azure_cli::AzureCli;
pub use azure_pipelines::AzurePipelines;
pub use backoff::{Backoff, Random, RetryPolicy, retry_after};
pub use choice::{Choice, Given};
pub use client_certificate::ClientCertificate;
pub use client_secret::ClientSecret;
pub use cloud::{Cloud, Endpoints};
pub use credentials::{Credentials, Way};
pub use device_code::DeviceCode;
pub use endpoint::{Endpoint, EndpointError};
pub use error::{AuthError, EntraError};
pub use federated_token::FederatedTokenFile;
pub use github_oidc::GithubOidc;
pub use managed_identity::{IdentityService, ManagedIdentity};
pub use method::Method;
pub use redact::redacted;
pub use surroundings::{DevicePrompt, Pause, Person, SecretObserver, Surroundings, Waiting};
pub use token::{AccessToken, TokenClaims};
pub use token_source::{SignIn, SignInFuture, TokenSource};
pub use transport::{FailedExchange, TransportOptions};
