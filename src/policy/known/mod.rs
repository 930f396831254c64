//! What the service knows by itself: tables of names that no policy declares.

pub mod page_contracts;
