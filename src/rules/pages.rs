//! Written by `UPDATE=1 cargo test --test docs` from the files in `docs/rules`.

pub(super) static PAGES: &[(&str, &str)] = &[];
