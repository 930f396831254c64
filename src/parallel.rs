//! Work on all cores.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Asking the system reads files of its own; once is enough.
static CORES: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));

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
    /// Whether so many items keep all cores busy to the end, though some are much larger than others.
    pub fn are_busy_with(items: usize) -> bool {
        *CORES > 1 && items >= 4 * *CORES
    }

    /// Maps over items; the results come in their order, the items are begun in it.
    pub fn map<T: Sync, R: Send>(self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let threads = CORES.min(items.len());
        if self == Self::This || threads < 2 || items.len() < FEWEST {
            return items.iter().map(work).collect();
        }
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else {
                    return done;
                };
                done.push((index, work(item)));
            }
        };
        let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
            let mut results = worker();
            for other in others {
                match other.join() {
                    Ok(done) => results.extend(done),
                    // A panic in a worker is a bug; it must not be lost.
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            results
        });
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
