//! Tables of what is built into the service and declared in no policy.

pub mod claim_resolvers;
pub mod directory_attributes;
pub mod handlers;
pub mod page_contracts;
pub mod profile_items;
mod transformation_methods;

pub use transformation_methods::{
    Method, Slot, Slots, service_type_name, transformation_method, transformation_method_names,
};
