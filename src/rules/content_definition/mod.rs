//! Content definitions and page contracts.

use super::Group;

mod data_uri;
mod load_uri;
mod page_kind;
mod script;

pub(super) static GROUP: Group = Group {
    rules: &[
        &data_uri::DATAURI_UNKNOWN,
        &data_uri::DATAURI_VERSION,
        &page_kind::DATAURI_MISSING,
        &page_kind::DATAURI_PAGE_KIND,
        &script::JS_NEEDS_CONTRACT,
        &data_uri::DATAURI_OUTDATED,
        &load_uri::LOADURI_NOT_HTTPS,
        &load_uri::LOADURI_NOT_ABSOLUTE,
    ],
    checks: &[
        data_uri::check,
        page_kind::check,
        script::check,
        load_uri::check,
    ],
    set_checks: &[],
};
