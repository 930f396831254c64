//! (to be furnished)

mod settings;

pub use settings::*;
