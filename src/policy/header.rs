use crate::diagnostics::{Location, SourceId, Span};
use crate::xml::Document;

/// A value of a policy file with the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The value as written.
    pub value: String,
    /// Where it stands.
    pub location: Location,
}

impl Named {
    /// Whether both values are the same for the service, which compares ids and tenant names
    /// without regard to case.
    pub fn same(&self, other: &str) -> bool {
        self.value.eq_ignore_ascii_case(other)
    }
}

/// The `BasePolicy` element: which policy of which tenant this one inherits from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasePolicy {
    /// `BasePolicy/PolicyId`.
    pub policy_id: Named,
    /// `BasePolicy/TenantId`.
    pub tenant_id: Option<Named>,
}

/// What a policy says about itself at the top of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The `PolicyId` attribute.
    pub policy_id: Option<Named>,
    /// The `TenantId` attribute.
    pub tenant_id: Option<Named>,
    /// The `PublicPolicyUri` attribute.
    pub public_policy_uri: Option<Named>,
    /// The `DeploymentMode` attribute.
    pub deployment_mode: Option<Named>,
    /// The policy it inherits from.
    pub base: Option<BasePolicy>,
}

impl Header {
    /// Reads the header of a document; `None` if the document element is no `TrustFrameworkPolicy`
    /// and the file therefore no policy.
    pub fn read(document: &Document, source: SourceId) -> Option<Self> {
        let root = document.root()?;
        if root.name() != "TrustFrameworkPolicy" {
            return None;
        }
        let named = |value: &str, span: Span| Named {
            value: value.to_owned(),
            location: Location { source, span },
        };
        let attribute = |name: &str| {
            let attribute = root.attribute(name)?;
            Some(named(attribute.value().trim(), attribute.value_span()))
        };
        let base = root.child("BasePolicy").and_then(|base| {
            let text = |name: &str| {
                let element = base.child(name)?;
                Some(named(element.trimmed_text(), element.text_span()))
            };
            Some(BasePolicy {
                policy_id: text("PolicyId")?,
                tenant_id: text("TenantId"),
            })
        });
        Some(Self {
            policy_id: attribute("PolicyId"),
            tenant_id: attribute("TenantId"),
            public_policy_uri: attribute("PublicPolicyUri"),
            deployment_mode: attribute("DeploymentMode"),
            base,
        })
    }
}
