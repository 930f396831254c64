use super::effective::Effective;
use super::execution::{Executed, Use};
use super::journey::Step;
use super::site::Site;

/// What makes the service show a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownBy {
    /// A `ClaimsProviderSelection` step.
    Selection,
    /// A `CombinedSignInAndSignUp` step.
    SignIn,
    /// A self-asserted technical profile.
    SelfAsserted,
    /// A phone factor technical profile.
    PhoneFactor,
    /// Another profile or step that names a content definition.
    Other,
}

/// A page that a relying party can show.
#[derive(Debug, Clone, Copy)]
pub struct ShownPage<'s> {
    /// The id of the content definition as written there.
    pub content_definition: &'s str,
    /// What shows it.
    pub by: ShownBy,
    /// The element that names the content definition: a step or a metadata item.
    pub site: Site<'s>,
}

const CLASS: &str = "Web.TPEngine.Providers.";

impl ShownBy {
    fn handler(handler: &str) -> Self {
        match handler.strip_prefix(CLASS) {
            Some("SelfAssertedAttributeProvider") => Self::SelfAsserted,
            Some("PhoneFactorProtocolProvider") => Self::PhoneFactor,
            _ => Self::Other,
        }
    }
}

impl<'s> Effective<'s> {
    /// The pages that the policy's own relying party can show, with the content definitions that
    /// steps and technical profiles name. A self-asserted profile that a `CombinedSignInAndSignUp`
    /// step exchanges claims with is drawn on the page of the step.
    pub fn shown_pages(&self) -> Vec<ShownPage<'s>> {
        let mut pages = Vec::new();
        let Some(execution) = self.execution() else {
            return pages;
        };
        // Steps whose page is that of the step.
        let mut drawn_by_step: Vec<Site<'s>> = Vec::new();
        for step in execution.journeys().flat_map(|journey| &journey.steps) {
            let by = match step.step_type() {
                Some("ClaimsProviderSelection") => ShownBy::Selection,
                Some("CombinedSignInAndSignUp") => ShownBy::SignIn,
                _ => ShownBy::Other,
            };
            let Some((id, site)) = content_definition(step) else {
                continue;
            };
            if by == ShownBy::SignIn {
                drawn_by_step.extend(step.exchanges.iter().map(|exchange| exchange.site));
            }
            pages.push(ShownPage {
                content_definition: id,
                by,
                site,
            });
        }
        for executed in &execution.profiles {
            if !shows_page(executed, &drawn_by_step) {
                continue;
            }
            let profile = &executed.profile;
            if let Some(item) = profile.metadata("ContentDefinitionReferenceId") {
                pages.push(ShownPage {
                    content_definition: item.value.trim(),
                    by: profile.handler().map_or(ShownBy::Other, ShownBy::handler),
                    site: item.site,
                });
            }
        }
        pages
    }
}

fn content_definition<'s>(step: &Step<'s>) -> Option<(&'s str, Site<'s>)> {
    step.sites.iter().rev().find_map(|&site| {
        let id = site.attribute("ContentDefinitionReferenceId")?;
        Some((id, site))
    })
}

/// Whether a claims exchange executes the profile on a page of its own.
fn shows_page(executed: &Executed<'_>, drawn_by_step: &[Site<'_>]) -> bool {
    executed.uses.iter().any(|(by, site)| {
        *by == Use::Exchange
            && !drawn_by_step.iter().any(|drawn| {
                std::ptr::eq(drawn.policy, site.policy) && drawn.element.id() == site.element.id()
            })
    })
}
