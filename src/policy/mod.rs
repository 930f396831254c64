//! What the files mean: policies, the sets that they form, who inherits from whom, and what holds
//! for a policy once everything that it inherits is merged in.
//!
//! Start reading at [`PolicySet`]; [`Effective`] is the view of one policy with its ancestors that
//! nearly every rule works on. This room is pure: it gets texts and gives structure and findings,
//! and never touches a disk, a network or a clock.

mod adjust_steps;
mod canonical;
mod claim_type;
mod claims_transformation;
mod declarations;
mod effective;
mod execution;
mod flow;
mod header;
mod id;
mod inheritance;
mod initial_domain;
mod journey;
mod keysets;
pub mod known;
mod pages;
mod references;
mod regular_expression;
mod rename;
mod set;
mod settings;
mod site;
mod stored;
mod technical_profile;
mod views;

pub use adjust_steps::{APPLICATION_INSIGHTS, Adjusted, JOURNEY_STEPS_KEPT, StepAdjustments};
pub use canonical::canonical_form;
pub use claim_type::{data_type, has_options};
pub use claims_transformation::{ClaimsTransformation, SlotClaim};
pub use declarations::Kind;
pub use effective::{Effective, Override};
pub use execution::{Executed, Execution, Use};
pub use flow::{Flow, Kept};
pub use header::{BasePolicy, Header, Named};
pub use id::{Id, IdHasher, IdMap, IdSet};
pub use inheritance::{
    BASE_CASE, BASE_CYCLE, BASE_DEPTH, BASE_NOT_FOUND, BASE_UNKNOWN, MULTIPLE_ROOTS,
    POLICYID_DUPLICATE, TENANTID_MISMATCH,
};
pub use initial_domain::InitialDomain;
pub use journey::{Exchange, Journey, Selection, Step};
pub use keysets::{KeysetReference, keyset_references, needed_keysets};
pub use pages::{ShownBy, ShownPage};
pub use references::{Reference, ReferenceRow, SOURCES, references};
pub use regular_expression::{RegexAnalysis, analyse_regex};
pub use rename::{Renaming, RenamingError};
pub use set::{Base, Policy, PolicyIndex, PolicySet, Role};
pub use settings::*;
pub use site::{Site, Sites};
pub use stored::without_tenant_object_id;
pub use technical_profile::{CLAIM_ELEMENTS, Claim, Item, TechnicalProfile};
pub use views::Views;
