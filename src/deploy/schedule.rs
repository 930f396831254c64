//! Which policy may be written now: pure bookkeeping, without any call.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::fold;
use super::plan::{PolicyAction, PolicyStep};

/// The order of a plan's writes. A policy becomes ready when its base is done; among the ready ones
/// the one with the longest chain of writes behind it comes first, then the one that stands first in
/// the plan. Deletions wait for all uploads, and each for the deletions of what inherits from it.
#[derive(Debug)]
pub(super) struct Schedule {
    steps: Vec<Step>,
    ready: BinaryHeap<(usize, Reverse<usize>)>,
}

#[derive(Debug)]
struct Step {
    writes: bool,
    /// How many steps it still waits for.
    waits_for: usize,
    /// Those that wait for it; always later in the plan.
    dependents: Vec<usize>,
    /// The longest chain of writes that begins here, itself included.
    rank: usize,
    state: State,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Running,
    Done,
    Failed,
    /// Not to be tried, because of the failure of this step.
    Blocked(usize),
    /// Not to be tried, because of something outside the plan's policies.
    BlockedOutside,
}

impl Schedule {
    pub(super) fn new(policies: &[PolicyStep]) -> Self {
        let index: HashMap<String, usize> = policies
            .iter()
            .enumerate()
            .map(|(index, step)| (fold(&step.id), index))
            .collect();
        let mut steps: Vec<Step> = policies
            .iter()
            .map(|step| Step {
                writes: step.action.writes(),
                waits_for: 0,
                dependents: Vec::new(),
                rank: 0,
                state: State::Waiting,
            })
            .collect();
        let is_delete = |index: usize| policies[index].action == PolicyAction::Delete;
        let mut depend = |later: usize, earlier: usize| {
            if earlier < later {
                steps[earlier].dependents.push(later);
                steps[later].waits_for += 1;
            }
        };
        for (position, step) in policies.iter().enumerate() {
            let base = step
                .base
                .as_ref()
                .and_then(|base| index.get(&fold(base)).copied());
            match base {
                Some(base) if is_delete(position) && is_delete(base) => depend(base, position),
                Some(base) if !is_delete(position) => depend(position, base),
                _ => {}
            }
            if is_delete(position) {
                for earlier in (0..position).filter(|earlier| !is_delete(*earlier)) {
                    depend(position, earlier);
                }
            }
        }
        for position in (0..steps.len()).rev() {
            let behind = steps[position]
                .dependents
                .iter()
                .map(|next| steps[*next].rank);
            let behind = behind.max().unwrap_or(0);
            steps[position].rank = behind + usize::from(steps[position].writes);
        }
        let mut schedule = Self {
            steps,
            ready: BinaryHeap::new(),
        };
        for position in 0..schedule.steps.len() {
            if schedule.steps[position].waits_for == 0 {
                schedule.arrive(position);
            }
        }
        schedule
    }

    /// Forbids a step, and what depends on it, before anything starts.
    pub(super) fn forbid(&mut self, position: usize) {
        if self.steps[position].state == State::Waiting && self.steps[position].writes {
            self.steps[position].state = State::BlockedOutside;
            self.block_behind(position);
        }
    }

    /// The next step to be started, if one is ready.
    pub(super) fn start(&mut self) -> Option<usize> {
        while let Some((_, Reverse(position))) = self.ready.pop() {
            if self.steps[position].state == State::Waiting {
                self.steps[position].state = State::Running;
                return Some(position);
            }
        }
        None
    }

    /// A started step succeeded.
    pub(super) fn done(&mut self, position: usize) {
        self.steps[position].state = State::Done;
        self.release(position);
    }

    /// A started step failed; the steps that are not to be tried because of it, in plan order.
    pub(super) fn failed(&mut self, position: usize) -> Vec<usize> {
        self.steps[position].state = State::Failed;
        self.block_behind(position)
    }

    pub(super) fn state(&self, position: usize) -> State {
        self.steps[position].state
    }

    fn release(&mut self, position: usize) {
        for next in self.steps[position].dependents.clone() {
            self.steps[next].waits_for -= 1;
            if self.steps[next].waits_for == 0 {
                self.arrive(next);
            }
        }
    }

    /// Everything that a step waits for is done.
    fn arrive(&mut self, position: usize) {
        let step = &mut self.steps[position];
        if step.state != State::Waiting {
            return;
        }
        if step.writes {
            self.ready.push((step.rank, Reverse(position)));
        } else {
            step.state = State::Done;
            self.release(position);
        }
    }

    /// Blocks what depends on a step, also through unchanged policies, which stay what they are.
    fn block_behind(&mut self, cause: usize) -> Vec<usize> {
        let mut blocked = Vec::new();
        let mut pending = self.steps[cause].dependents.clone();
        let mut seen = vec![false; self.steps.len()];
        while let Some(position) = pending.pop() {
            if std::mem::replace(&mut seen[position], true) {
                continue;
            }
            if self.steps[position].writes && self.steps[position].state == State::Waiting {
                self.steps[position].state = State::Blocked(cause);
                blocked.push(position);
            }
            pending.extend(&self.steps[position].dependents);
        }
        blocked.sort_unstable();
        blocked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step(id: usize, base: Option<usize>, action: PolicyAction) -> PolicyStep {
        PolicyStep {
            id: format!("B2C_1A_{id}"),
            action,
            place: None,
            base: base.map(|base| format!("b2c_1a_{base}")),
            keysets: Vec::new(),
            bytes: 0,
            local: None,
            remote: None,
            difference: None,
        }
    }

    fn updates(bases: &[Option<usize>]) -> Vec<PolicyStep> {
        let steps = bases.iter().enumerate();
        steps
            .map(|(id, base)| step(id, *base, PolicyAction::Update))
            .collect()
    }

    #[test]
    fn the_longest_chain_starts_first() {
        // 0 and 1 are leaves of nothing; 2 ← 3 ← 4 is a chain.
        let mut schedule = Schedule::new(&updates(&[None, None, None, Some(2), Some(3)]));
        assert_eq!(schedule.start(), Some(2));
        assert_eq!(schedule.start(), Some(0));
        schedule.done(2);
        assert_eq!(schedule.start(), Some(3));
        assert_eq!(schedule.start(), Some(1));
        assert_eq!(schedule.start(), None);
    }

    /// In calls that all take the same time, a base, extensions and 48 leaves take what any client
    /// needs at this concurrency.
    #[test]
    fn equal_calls_take_the_least_possible_rounds() {
        let bases: Vec<_> = (0..50usize)
            .map(|id| id.checked_sub(1).map(|base| base.min(1)))
            .collect();
        for (concurrency, least) in [(48, 3), (16, 5), (8, 8), (1, 50), (100, 3)] {
            let mut schedule = Schedule::new(&updates(&bases));
            let mut rounds = 0;
            loop {
                let started = std::iter::from_fn(|| schedule.start()).take(concurrency);
                let started: Vec<_> = started.collect();
                if started.is_empty() {
                    break;
                }
                rounds += 1;
                for position in started {
                    schedule.done(position);
                }
            }
            assert_eq!(rounds, least, "at {concurrency}");
        }
    }

    #[test]
    fn an_unchanged_policy_passes_order_and_failure_on() {
        let mut steps = updates(&[None, Some(0), Some(1), None]);
        steps[1].action = PolicyAction::Unchanged;
        let mut schedule = Schedule::new(&steps);
        assert_eq!(schedule.start(), Some(0));
        assert_eq!(schedule.start(), Some(3));
        assert_eq!(schedule.start(), None);
        assert_eq!(schedule.failed(0), [2]);
        assert_eq!(schedule.state(1), State::Waiting);
        assert_eq!(schedule.state(2), State::Blocked(0));

        let mut schedule = Schedule::new(&steps);
        schedule.start();
        schedule.done(0);
        assert_eq!(schedule.start(), Some(2));
    }

    #[test]
    fn deletions_come_last_and_children_first() {
        let mut steps = updates(&[None, None]);
        // 2 inherits from 3, as a plan lists deletions.
        steps.push(step(2, Some(3), PolicyAction::Delete));
        steps.push(step(3, Some(0), PolicyAction::Delete));
        let mut schedule = Schedule::new(&steps);
        assert_eq!(schedule.start(), Some(0));
        assert_eq!(schedule.start(), Some(1));
        schedule.done(0);
        assert_eq!(schedule.start(), None);
        schedule.done(1);
        assert_eq!(schedule.start(), Some(2));
        assert_eq!(schedule.start(), None);
        schedule.done(2);
        assert_eq!(schedule.start(), Some(3));

        let mut schedule = Schedule::new(&steps);
        schedule.start();
        assert_eq!(schedule.failed(0), [2, 3]);
    }

    #[test]
    fn a_forbidden_step_blocks_what_depends_on_it() {
        let mut schedule = Schedule::new(&updates(&[None, Some(0), Some(1)]));
        schedule.forbid(1);
        assert_eq!(schedule.start(), Some(0));
        schedule.done(0);
        assert_eq!(schedule.start(), None);
        assert_eq!(schedule.state(1), State::BlockedOutside);
        assert_eq!(schedule.state(2), State::Blocked(1));
    }

    fn trees() -> impl Strategy<Value = (Vec<PolicyStep>, Vec<bool>, usize)> {
        let node = (any::<proptest::sample::Index>(), 0..4u8, any::<bool>());
        (proptest::collection::vec(node, 1..40), 1..10usize).prop_map(|(nodes, concurrency)| {
            let mut fails = Vec::new();
            let steps = nodes.iter().enumerate().map(|(id, (base, kind, fail))| {
                // One in four is a root; the others inherit from an earlier one.
                let base = (*kind != 0 && id > 0).then(|| base.index(id));
                let action = match kind {
                    1 => PolicyAction::Unchanged,
                    2 => PolicyAction::Create,
                    _ => PolicyAction::Update,
                };
                fails.push(*fail && id % 5 == 0);
                step(id, base, action)
            });
            (steps.collect(), fails, concurrency)
        })
    }

    proptest! {
        /// Whatever the tree and whatever fails: no policy starts before the nearest changed
        /// ancestor is done, no step is lost, and exactly the descendants of failures are blocked.
        #[test]
        fn random_trees_keep_their_order((steps, fails, concurrency) in trees()) {
            let base = |position: usize| -> Option<usize> {
                let base = steps[position].base.as_ref()?;
                steps.iter().position(|step| step.id.eq_ignore_ascii_case(base))
            };
            let ancestors = |position: usize| -> Vec<usize> {
                std::iter::successors(base(position), |position| base(*position)).collect()
            };
            let mut schedule = Schedule::new(&steps);
            let mut running = std::collections::VecDeque::new();
            let mut finished = vec![false; steps.len()];
            loop {
                while running.len() < concurrency && let Some(position) = schedule.start() {
                    prop_assert!(steps[position].action.writes());
                    for ancestor in ancestors(position) {
                        let ok = finished[ancestor] && !fails[ancestor];
                        prop_assert!(ok || !steps[ancestor].action.writes());
                    }
                    running.push_back(position);
                }
                let Some(position) = running.pop_front() else { break };
                finished[position] = true;
                if fails[position] {
                    schedule.failed(position);
                } else {
                    schedule.done(position);
                }
            }
            for position in 0..steps.len() {
                let writes = |position: usize| steps[position].action.writes();
                let doomed = ancestors(position)
                    .into_iter()
                    .any(|ancestor| writes(ancestor) && fails[ancestor]);
                match schedule.state(position) {
                    State::Done => prop_assert!(!writes(position) || !(doomed || fails[position])),
                    State::Failed => prop_assert!(fails[position] && !doomed),
                    State::Blocked(cause) => {
                        prop_assert!(doomed && writes(position) && writes(cause));
                        prop_assert!(ancestors(position).contains(&cause));
                    }
                    State::Waiting => prop_assert!(!writes(position) && doomed),
                    other => prop_assert!(false, "left as {other:?}"),
                }
            }
        }
    }
}
