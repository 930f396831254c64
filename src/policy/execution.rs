use std::collections::VecDeque;
use std::rc::Rc;

use super::Kind;
use super::effective::Effective;
use super::id::{Id, IdMap};
use super::journey::{Journey, Step};
use super::site::Site;
use super::technical_profile::TechnicalProfile;

/// How a technical profile comes to be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Use {
    /// A claims exchange of an orchestration step.
    Exchange,
    /// A validation technical profile of another one.
    Validation,
    /// An action of a display control that another one shows.
    ControlAction,
    /// The session management of another one.
    SessionManagement,
    /// The issuer of a SendClaims step, or the id_token_hint profile of a GetClaims step.
    Issuer,
    /// An authorization technical profile of a user journey.
    Authorization,
}

/// A technical profile that a relying party can reach.
#[derive(Debug)]
pub struct Executed<'s> {
    /// The merged profile.
    pub profile: Rc<TechnicalProfile<'s>>,
    /// How it is reached and the element that refers to it, in the order of discovery; never empty.
    pub uses: Vec<(Use, Site<'s>)>,
}

/// Everything that can run when someone signs in through a relying party policy.
#[derive(Debug, Default)]
pub struct Execution<'s> {
    /// The user journeys: of the relying party first, then those of its endpoints and issuers.
    pub user_journeys: Vec<Rc<Journey<'s>>>,
    /// The sub journeys that those invoke, directly or through others.
    pub sub_journeys: Vec<Rc<Journey<'s>>>,
    /// The technical profiles, in the order of discovery.
    pub profiles: Vec<Executed<'s>>,
}

impl<'s> Execution<'s> {
    /// All journeys, user journeys first.
    pub fn journeys(&self) -> impl Iterator<Item = &Rc<Journey<'s>>> {
        self.user_journeys.iter().chain(&self.sub_journeys)
    }

    /// The executed profile of this id.
    pub fn profile(&self, id: &str) -> Option<&Executed<'s>> {
        self.profiles
            .iter()
            .find(|executed| executed.profile.id.eq_ignore_ascii_case(id))
    }
}

/// Follows the relying party of a policy's own file; `None` if it has none. References that lead
/// nowhere are passed over: other rules report them.
pub(super) fn follow<'s>(view: &Effective<'s>) -> Option<Execution<'s>> {
    let relying_party = view.relying_party()?;
    let mut walk = Walk {
        view,
        execution: Execution::default(),
        known: IdMap::default(),
        invoked: VecDeque::new(),
        waiting: VecDeque::new(),
    };
    let default = relying_party
        .child("DefaultUserJourney")
        .and_then(|journey| journey.attribute("ReferenceId"));
    let endpoints = relying_party
        .items("Endpoints", "Endpoint")
        .filter_map(|endpoint| endpoint.attribute("UserJourneyReferenceId"));
    for id in default.into_iter().chain(endpoints) {
        walk.journey(Kind::UserJourney, id);
    }
    // Lists instead of recursion: chains of sub journeys may be long.
    loop {
        if let Some(id) = walk.invoked.pop_front() {
            walk.journey(Kind::SubJourney, id);
        } else if let Some(profile) = walk.waiting.pop_front() {
            walk.consequences(&profile);
        } else {
            break;
        }
    }
    Some(walk.execution)
}

struct Walk<'v, 's> {
    view: &'v Effective<'s>,
    execution: Execution<'s>,
    /// Index of a profile in `execution.profiles`.
    known: IdMap<'s, usize>,
    /// Ids of sub journeys still to be followed.
    invoked: VecDeque<&'s str>,
    waiting: VecDeque<Rc<TechnicalProfile<'s>>>,
}

impl<'s> Walk<'_, 's> {
    fn journey(&mut self, kind: Kind, id: &str) {
        let list = match kind {
            Kind::SubJourney => &self.execution.sub_journeys,
            _ => &self.execution.user_journeys,
        };
        if list.iter().any(|known| known.id.eq_ignore_ascii_case(id)) {
            return;
        }
        let Some(journey) = self.view.journey(kind, id) else {
            return;
        };
        match kind {
            Kind::SubJourney => self.execution.sub_journeys.push(Rc::clone(&journey)),
            _ => self.execution.user_journeys.push(Rc::clone(&journey)),
        }
        for step in &journey.steps {
            self.step(step);
        }
        for site in &journey.sites {
            self.reference(
                *site,
                "DefaultCpimIssuerTechnicalProfileReferenceId",
                Use::Issuer,
            );
            let profiles = site.child("Authorization").into_iter().flat_map(|site| {
                site.items(
                    "AuthorizationTechnicalProfiles",
                    "AuthorizationTechnicalProfile",
                )
            });
            for profile in profiles {
                self.reference(profile, "ReferenceId", Use::Authorization);
            }
        }
    }

    fn step(&mut self, step: &Step<'s>) {
        for exchange in &step.exchanges {
            self.reference(exchange.site, "TechnicalProfileReferenceId", Use::Exchange);
        }
        let issuer = "CpimIssuerTechnicalProfileReferenceId";
        let nearest = step.sites.iter().rev();
        if let Some(site) = nearest
            .copied()
            .find(|site| site.attribute(issuer).is_some())
        {
            self.reference(site, issuer, Use::Issuer);
        }
        let invoked = step.candidates.iter();
        self.invoked
            .extend(invoked.filter_map(|candidate| candidate.attribute("SubJourneyReferenceId")));
    }

    fn reference(&mut self, site: Site<'s>, attribute: &str, by: Use) {
        let Some(id) = site.attribute(attribute) else {
            return;
        };
        if let Some(&index) = self.known.get(&Id::of(id)) {
            self.execution.profiles[index].uses.push((by, site));
            return;
        }
        let Some(profile) = self.view.technical_profile(id) else {
            return;
        };
        self.known.insert(Id::of(id), self.execution.profiles.len());
        self.waiting.push_back(Rc::clone(&profile));
        self.execution.profiles.push(Executed {
            profile,
            uses: vec![(by, site)],
        });
    }

    /// What the execution of a profile makes run besides.
    fn consequences(&mut self, profile: &TechnicalProfile<'s>) {
        for validation in &profile.validation_technical_profiles {
            self.reference(*validation, "ReferenceId", Use::Validation);
        }
        if let Some(session) = profile.child("UseTechnicalProfileForSessionManagement") {
            self.reference(session, "ReferenceId", Use::SessionManagement);
        }
        for display_claim in &profile.display_claims {
            let Some(control) = display_claim.attribute("DisplayControlReferenceId") else {
                continue;
            };
            for site in self.view.sites(Kind::DisplayControl, control) {
                self.control_actions(site);
            }
        }
        for key in [
            "RefreshTokenUserJourneyId",
            "ClientCredentialsUserJourneyId",
        ] {
            if let Some(item) = profile.metadata(key) {
                self.journey(Kind::UserJourney, item.value.trim());
            }
        }
    }

    fn control_actions(&mut self, control: Site<'s>) {
        for action in control.items("Actions", "Action") {
            for profile in action.items(
                "ValidationClaimsExchange",
                "ValidationClaimsExchangeTechnicalProfile",
            ) {
                self.reference(profile, "TechnicalProfileReferenceId", Use::ControlAction);
            }
        }
    }
}
