//! Which claims can exist when: what the steps of a relying party's journey yield, in order.
//!
//! Everything here errs on the side of existence. Preconditions, the choice between claims exchanges
//! and what a provider really answers are not looked at: a claim counts as yielded as soon as some
//! way through the journey could yield it. So that a claim is missing is certain, that it is there
//! is not.

use std::hash::BuildHasherDefault;
use std::rc::Rc;

use super::Kind;
use super::effective::Effective;
use super::id::{Id, IdMap, IdSet};
use super::journey::{Journey, Step};
use super::site::Site;
use super::technical_profile::TechnicalProfile;

/// As many claims do most journeys yield.
const USUAL: usize = 50;

/// The claims that the default user journey of a relying party can yield.
#[derive(Debug)]
pub struct Flow<'s> {
    journey: Rc<Journey<'s>>,
    /// The order of the first step that can yield a claim; 0 for claims that exist before the
    /// first step.
    first: IdMap<'s, u32>,
    /// Claims that session management can bring back from an earlier sign-in.
    restored: IdSet<'s>,
    /// Claims that validation technical profiles yield to the pages that call them.
    kept: IdMap<'s, Kept<'s>>,
    certain: bool,
    sub_journeys: Vec<Rc<Journey<'s>>>,
}

/// A claim that a validation technical profile yields. It goes no further than the page, unless the
/// page has it among its own output claims.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'s> {
    /// The order of the first step that shows such a page.
    pub order: u32,
    /// The id of the page's technical profile.
    pub page: &'s str,
    /// The page's reference to the validation technical profile.
    pub reference: Site<'s>,
    /// Where the validation technical profile yields the claim.
    pub output: Site<'s>,
}

impl<'s> Flow<'s> {
    /// The default user journey.
    pub const fn journey(&self) -> &Rc<Journey<'s>> {
        &self.journey
    }

    /// The sub journeys that it invokes, directly or through others.
    pub fn sub_journeys(&self) -> &[Rc<Journey<'s>>] {
        &self.sub_journeys
    }

    /// Whether everything that the journey refers to is declared. If not, a claim may be missing
    /// only because what yields it is.
    pub const fn is_certain(&self) -> bool {
        self.certain
    }

    /// Whether all claims that it yields are declared. If not, the one that is missing may be meant by
    /// one that is not. To be asked only where one is missing: it takes a while.
    pub fn yields_what_is_declared(&self, view: &Effective<'s>) -> bool {
        let yielded = self.first.keys().chain(self.kept.keys());
        let mut yielded = yielded.map(|claim| claim.written());
        yielded.all(|claim| view.declares(Kind::ClaimType, claim))
    }

    /// Whether some step before the one of this order can yield a claim.
    pub fn exists_before(&self, claim: &str, order: u32) -> bool {
        self.first
            .get(&Id::of(claim))
            .is_some_and(|&first| first < order)
    }

    /// Whether the session of an earlier sign-in can bring a claim back before its step runs.
    pub fn may_be_restored(&self, claim: &str) -> bool {
        self.restored.contains(&Id::of(claim))
    }

    /// Whether there is a page that keeps a claim to itself.
    pub fn keeps_any(&self) -> bool {
        !self.kept.is_empty()
    }

    /// The page that keeps to itself what no step yields.
    pub fn kept(&self, claim: &str) -> Option<Kept<'s>> {
        let kept = self.kept.get(&Id::of(claim)).copied()?;
        (!self.exists(claim)).then_some(kept)
    }

    /// Whether any step can yield a claim.
    pub fn exists(&self, claim: &str) -> bool {
        self.first.contains_key(&Id::of(claim))
    }
}

/// Goes through the claims that the claims transformations of these references have as output. Whether
/// all of them are declared.
pub(super) fn transformation_outputs<'s>(
    view: &Effective<'s>,
    references: &[Site<'s>],
    mut claim: impl FnMut(&'s str),
) -> bool {
    let mut all_are_declared = true;
    for reference in references {
        let mut is_declared = false;
        if let Some(id) = reference.attribute("ReferenceId") {
            for site in view.declarations(Kind::ClaimsTransformation, Id::of(id)) {
                is_declared = true;
                let outputs = site.items("OutputClaims", "OutputClaim");
                let outputs = outputs.filter_map(|claim| claim.attribute("ClaimTypeReferenceId"));
                outputs.for_each(&mut claim);
            }
        }
        all_are_declared &= is_declared;
    }
    all_are_declared
}

/// Follows the default user journey of the policy's own relying party; `None` if it has none.
pub(super) fn follow<'s>(view: &Effective<'s>) -> Option<Flow<'s>> {
    let relying_party = view.relying_party()?;
    let id = relying_party
        .child("DefaultUserJourney")?
        .attribute("ReferenceId")?;
    let journey = view.journey(Kind::UserJourney, id)?;
    let mut walk = Walk {
        view,
        flow: Flow {
            journey: Rc::clone(&journey),
            first: IdMap::with_capacity_and_hasher(USUAL, BuildHasherDefault::default()),
            restored: IdSet::default(),
            kept: IdMap::default(),
            certain: view.is_complete() && journey.is_settled,
            sub_journeys: Vec::new(),
        },
        order: 0,
        waiting: Vec::new(),
        seen: IdSet::default(),
    };
    if let Some(profile) = relying_party.child("TechnicalProfile") {
        // A GetClaims step takes these from the request.
        walk.claims_of(profile.items("InputClaims", "InputClaim"));
        let references: Vec<_> = profile
            .items("OutputClaimsTransformations", "OutputClaimsTransformation")
            .chain(profile.items("InputClaimsTransformations", "InputClaimsTransformation"))
            .collect();
        walk.transformations(&references);
    }
    for site in &journey.sites {
        for authorization in site.child("Authorization").into_iter().flat_map(|site| {
            site.items(
                "AuthorizationTechnicalProfiles",
                "AuthorizationTechnicalProfile",
            )
        }) {
            walk.reference(authorization.attribute("ReferenceId"));
        }
    }
    for step in &journey.steps {
        walk.order = step.order;
        walk.step(step);
        walk.sub_journeys();
    }
    Some(walk.flow)
}

struct Walk<'v, 's> {
    view: &'v Effective<'s>,
    flow: Flow<'s>,
    /// The order of the step of the user journey that is being followed.
    order: u32,
    /// Ids of sub journeys still to be followed.
    waiting: Vec<&'s str>,
    /// Sub journeys that were followed.
    seen: IdSet<'s>,
}

impl<'s> Walk<'_, 's> {
    fn claim(&mut self, claim: &'s str) {
        self.flow.first.entry(Id::of(claim)).or_insert(self.order);
    }

    fn claims_of(&mut self, sites: impl Iterator<Item = Site<'s>>) {
        for site in sites {
            if let Some(claim) = site.attribute("ClaimTypeReferenceId") {
                self.claim(claim);
            }
        }
    }

    fn step(&mut self, step: &Step<'s>) {
        for exchange in &step.exchanges {
            self.reference(exchange.technical_profile);
        }
        if let Some(issuer) = step.attribute("CpimIssuerTechnicalProfileReferenceId") {
            self.reference(Some(issuer));
        }
        let sub_journeys = step.candidates.iter();
        self.waiting.extend(
            sub_journeys.filter_map(|candidate| candidate.attribute("SubJourneyReferenceId")),
        );
    }

    /// Whatever a step invokes counts as yielded by that step. A list of what is to be followed
    /// instead of recursion: chains of sub journeys may be long.
    fn sub_journeys(&mut self) {
        while let Some(id) = self.waiting.pop() {
            if !self.seen.insert(Id::of(id)) {
                continue;
            }
            let Some(journey) = self.view.journey(Kind::SubJourney, id) else {
                self.flow.certain = false;
                continue;
            };
            self.flow.certain &= journey.is_settled;
            self.flow.sub_journeys.push(Rc::clone(&journey));
            for step in &journey.steps {
                self.step(step);
            }
        }
    }

    fn reference(&mut self, id: Option<&str>) {
        match id.and_then(|id| self.view.technical_profile(id)) {
            Some(profile) => self.profile(&profile),
            None => self.flow.certain = false,
        }
    }

    /// What the execution of a profile yields. What its validation technical profiles yield leaves
    /// it only as far as it repeats the claim among its own output claims.
    fn profile(&mut self, profile: &TechnicalProfile<'s>) {
        for claim in &profile.output_claims {
            self.claim(claim.claim_type);
        }
        self.transformations(&profile.output_claims_transformations);
        self.transformations(&profile.input_claims_transformations);
        self.validations(profile);
        for display_claim in &profile.display_claims {
            if let Some(claim) = display_claim.attribute("ClaimTypeReferenceId") {
                self.claim(claim);
            }
            let Some(control) = display_claim.attribute("DisplayControlReferenceId") else {
                continue;
            };
            let controls = self.view.sites(Kind::DisplayControl, control);
            self.flow.certain &= !controls.is_empty();
            for control in controls {
                self.claims_of(control.items("OutputClaims", "OutputClaim"));
            }
        }
        if let Some(other) = profile.child("IncludeClaimsFromTechnicalProfile") {
            let id = other.element.trimmed_text();
            // One that does not exist is only a warning, which must not hide an error.
            if let Some(other) = self.view.technical_profile(id) {
                for claim in &other.output_claims {
                    self.claim(claim.claim_type);
                }
            }
        }
        let session = profile
            .child("UseTechnicalProfileForSessionManagement")
            .and_then(|session| session.attribute("ReferenceId"))
            .and_then(|id| self.view.technical_profile(id));
        if let Some(session) = session {
            for claim in &session.output_claims {
                self.flow.first.insert(Id::of(claim.claim_type), 0);
            }
            let claims = session
                .output_claims
                .iter()
                .chain(&session.persisted_claims);
            let claims = claims.map(|claim| Id::of(claim.claim_type));
            self.flow.restored.extend(claims);
        }
        self.flow.certain &= profile.include_cycle.is_none();
        if let Some(include) = profile.child("IncludeTechnicalProfile") {
            let declared = include
                .attribute("ReferenceId")
                .is_some_and(|id| self.view.declares(Kind::TechnicalProfile, id));
            self.flow.certain &= declared;
        }
    }

    fn validations(&mut self, page: &TechnicalProfile<'s>) {
        for &reference in &page.validation_technical_profiles {
            let id = reference.attribute("ReferenceId");
            let Some(profile) = id.and_then(|id| self.view.technical_profile(id)) else {
                continue;
            };
            let kept = |output| Kept {
                order: self.order,
                page: page.id,
                reference,
                output,
            };
            for claim in &profile.output_claims {
                let entry = self.flow.kept.entry(Id::of(claim.claim_type));
                entry.or_insert_with(|| kept(claim.site()));
            }
            for call in &profile.output_claims_transformations {
                let calls = std::slice::from_ref(call);
                transformation_outputs(self.view, calls, |claim| {
                    let entry = self.flow.kept.entry(Id::of(claim));
                    entry.or_insert_with(|| kept(*call));
                });
            }
        }
    }

    fn transformations(&mut self, references: &[Site<'s>]) {
        let view = self.view;
        let certain = transformation_outputs(view, references, |claim| self.claim(claim));
        self.flow.certain &= certain;
    }
}
