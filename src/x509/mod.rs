//! X.509 certificates: when they are valid and which public key they hold. Pure, like the validation:
//! whoever asks brings the bytes and the time.

mod certificate;
pub(crate) mod der;

pub use certificate::Certificate;
