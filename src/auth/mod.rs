//! How the tool gets access tokens, and the ground that every HTTP call of the tool stands on.
//!
//! A way to sign in is one file with one type that implements [`SignIn`]; it knows how to ask for a
//! token once. [`TokenSource`] keeps the token, renews it in time and lets many tasks share one
//! request. [`Endpoint`], [`TransportOptions`] and [`RetryPolicy`] live here because the token
//! endpoint needs them first; `msgraph` uses the same ones.
//!
//! Only this room speaks to token endpoints. It does not know what tokens are used for, it reads no
//! environment (variables come through a function that the caller passes) and keeps tokens in memory
//! only. Start reading in `token_source.rs`.

mod aadsts;
mod backoff;
mod client_secret;
mod cloud;
mod credentials;
mod endpoint;
mod error;
mod redact;
mod token;
mod token_endpoint;
mod token_source;
mod transport;

pub use backoff::{Backoff, Random, RetryPolicy, retry_after};
pub use client_secret::ClientSecret;
pub use cloud::{Cloud, Endpoints};
pub use credentials::{Credentials, Way};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{AuthError, EntraError};
pub use redact::redacted;
pub use token::{AccessToken, TokenClaims};
pub use token_source::{SignIn, SignInFuture, TokenSource};
pub use transport::{FailedExchange, TransportOptions};
