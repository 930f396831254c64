//! Entra's side of signing in: the token endpoint with its grants, one per file, the device code, OIDC
//! discovery and signing keys.
//!
//! Without registered applications anybody may sign in, with any secret and any assertion that is
//! well formed and not out of its time. An application that is registered ([`Application`]) has to
//! prove itself by what is registered for it, and everything about its assertions is verified.

mod application_file;
mod applications;
mod assertion;
mod client_credentials;
mod device_code;
mod issuer_keys;
mod jws;
mod memory;
mod token;

pub use application_file::read as read_applications;
pub use applications::{Application, DeviceCodes, FederatedCredential, IssuerKeys};

pub(super) use device_code::{device_code, device_login};
pub(super) use memory::Memory;
pub(super) use token::{openid_configuration, signing_keys, token};
