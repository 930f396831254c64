//! Work on all cores.

mod placement;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use rayon_core::{ThreadPool, ThreadPoolBuilder};

use placement::Core;

/// Asking the system reads files of its own; once is enough.
static CORES: LazyLock<usize> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.min(MOST)
});

/// No more cores than this are used: the threads are started together, and a usual set is validated
/// sooner than dozens of them are.
const MOST: usize = 8;

/// A thread for each core but the one that asks, from the first time that there is work for it. Without
/// any, if the system gives none, work is done where it is asked for.
static OTHERS: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
    let threads = ThreadPoolBuilder::new().num_threads(*CORES - 1);
    threads.build().ok()
});

/// Fewer items than this stay on the thread that has them: starting another costs more than it saves.
const FEWEST: usize = 4;

/// Where work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// On all cores.
    All,
    /// On this thread, as the others have work of their own.
    This,
}

impl Workers {
    /// Who works among so many groups, and who within each of them. Many groups keep all cores busy to
    /// the end, though some are much larger than others; what one core reads is then still at hand when
    /// it looks again. Of few, each is divided.
    pub fn among_or_within(groups: usize) -> (Self, Self) {
        if *CORES > 1 && groups >= 4 * *CORES {
            (Self::All, Self::This)
        } else {
            (Self::This, Self::All)
        }
    }

    /// Maps over items; the results come in their order, the items are begun in it.
    pub fn map<T: Sync, R: Send>(self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        self.map_with(items, || (), |(), item| work(item))
    }

    /// The same with something that each thread makes for itself and has at hand for all of its items.
    pub fn map_with<T: Sync, R: Send, S>(
        self,
        items: &[T],
        state: impl Fn() -> S + Sync,
        work: impl Fn(&S, &T) -> R + Sync,
    ) -> Vec<R> {
        let here = || {
            let state = state();
            items.iter().map(|item| work(&state, item)).collect()
        };
        let threads = CORES.min(items.len());
        if self == Self::This || threads < 2 || items.len() < FEWEST {
            return here();
        }
        let Some(pool) = &*OTHERS else {
            return here();
        };
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut done = Vec::new();
            let state = state();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else {
                    return done;
                };
                done.push((index, work(&state, item)));
            }
        };
        let results = Mutex::new(Vec::with_capacity(items.len()));
        // A panic is a bug and breaks the scope off; what is in here then is not looked at.
        let add = |done| {
            let results = results.lock();
            results.unwrap_or_else(PoisonError::into_inner).extend(done);
        };
        let home = Core::current();
        pool.in_place_scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|_| {
                    home.leave();
                    add(worker());
                });
            }
            // A thread that was woken on this core leaves it now.
            std::thread::yield_now();
            add(worker());
        });
        let results = results.into_inner();
        let mut results: Vec<(usize, R)> = results.unwrap_or_else(PoisonError::into_inner);
        results.sort_unstable_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1_000).collect();
        for workers in [Workers::All, Workers::This] {
            let doubled = workers.map(&items, |item| item * 2);
            assert!(doubled.iter().zip(&items).all(|(two, one)| *two == one * 2));
            assert_eq!(doubled.len(), items.len());
            assert!(workers.map(&items[..1], |item| *item) == [0]);
        }
    }
}
