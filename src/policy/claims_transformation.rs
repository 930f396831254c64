use super::effective::Effective;
use super::id::Id;
use super::known::{Method, transformation_method};
use super::site::Site;
use super::{Kind, claim_type};

/// A claims transformation as one file declares it. Declarations of the same id in several policies
/// replace each other; they do not merge.
#[derive(Debug, Clone, Copy)]
pub struct ClaimsTransformation<'s> {
    /// `@Id`.
    pub id: &'s str,
    /// `@TransformationMethod`; empty if the attribute is missing.
    pub method_name: &'s str,
    /// The method, if it is a known one.
    pub method: Option<&'static Method>,
    /// The element.
    pub site: Site<'s>,
}

/// An input or output claim of a claims transformation.
#[derive(Debug, Clone, Copy)]
pub struct SlotClaim<'s> {
    /// `@TransformationClaimType`, without it the claim type's id.
    pub slot: &'s str,
    /// `@ClaimTypeReferenceId`; empty if the attribute is missing.
    pub claim_type: &'s str,
    /// The element.
    pub site: Site<'s>,
}

impl<'s> ClaimsTransformation<'s> {
    /// Reads a declaration.
    pub fn read(site: Site<'s>) -> Self {
        let method_name = site.attribute("TransformationMethod").unwrap_or_default();
        Self {
            id: site.attribute("Id").unwrap_or_default(),
            method_name,
            method: transformation_method(method_name.trim()),
            site,
        }
    }

    /// The claims transformation of this id that counts for a policy: the nearest declaration.
    pub fn find(view: &Effective<'s>, id: &str) -> Option<Self> {
        view.declarations(Kind::ClaimsTransformation, Id::of(id))
            .next_back()
            .map(Self::read)
    }

    /// `InputClaims/InputClaim`.
    pub fn inputs(&self) -> impl Iterator<Item = SlotClaim<'s>> + use<'s> {
        self.claims("InputClaims", "InputClaim")
    }

    /// `OutputClaims/OutputClaim`.
    pub fn outputs(&self) -> impl Iterator<Item = SlotClaim<'s>> + use<'s> {
        self.claims("OutputClaims", "OutputClaim")
    }

    /// `InputParameters/InputParameter`.
    pub fn parameters(&self) -> impl Iterator<Item = Site<'s>> + use<'s> {
        self.site.items("InputParameters", "InputParameter")
    }

    /// The input parameter of exactly this id.
    pub fn parameter(&self, id: &str) -> Option<Site<'s>> {
        self.parameters()
            .find(|parameter| parameter.attribute("Id") == Some(id))
    }

    /// Whether its method is this one.
    pub fn is(&self, method: &str) -> bool {
        self.method.is_some_and(|known| known.name == method)
    }

    fn claims(
        &self,
        list: &'static str,
        item: &'static str,
    ) -> impl Iterator<Item = SlotClaim<'s>> + use<'s> {
        self.site.items(list, item).map(|site| {
            let claim_type = site.attribute("ClaimTypeReferenceId").unwrap_or_default();
            SlotClaim {
                slot: site
                    .attribute("TransformationClaimType")
                    .unwrap_or(claim_type),
                claim_type,
                site,
            }
        })
    }
}

impl<'s> SlotClaim<'s> {
    /// The `DataType` element that counts for its claim type; `None` if the claim type is unknown.
    pub fn data_type(&self, view: &Effective<'s>) -> Option<Site<'s>> {
        claim_type::data_type(view, self.claim_type)
    }
}
