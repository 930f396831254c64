//! On which core a thread works. Only Linux needs help with that; elsewhere nothing is done.

/// The core on which a thread ran when it asked.
#[derive(Clone, Copy)]
pub(super) struct Core(#[cfg(target_os = "linux")] usize);

#[cfg(not(target_os = "linux"))]
impl Core {
    pub(super) const fn current() -> Self {
        Self()
    }

    pub(super) const fn leave(self) {
        let Self() = self;
    }
}

#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

#[cfg(target_os = "linux")]
impl Core {
    pub(super) fn current() -> Self {
        Self(sched_getcpu())
    }

    /// Moves this thread away from the core. Linux often begins or wakes a thread on the core of the one
    /// that does so, even if others are idle, and there it waits until the other one blocks or the next
    /// tick moves it, up to four milliseconds: a fifth of what a usual set takes.
    pub(super) fn leave(self) {
        if sched_getcpu() != self.0 {
            return;
        }
        let Ok(allowed) = sched_getaffinity(None) else {
            return;
        };
        let Some(others) = self.others(allowed) else {
            return;
        };
        if sched_setaffinity(None, &others).is_ok() {
            // It goes to another one and may come back; if the system forbids that, it works there.
            let _ = sched_setaffinity(None, &allowed);
        }
    }

    /// These cores without this one; `None` if no others are left. A system that does not tell on which
    /// core a thread runs gives a number that no set can hold.
    fn others(self, mut cores: CpuSet) -> Option<CpuSet> {
        if self.0 >= CpuSet::MAX_CPU {
            return None;
        }
        cores.unset(self.0);
        (cores.count() > 0).then_some(cores)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn threads_leave_for_cores_that_there_are() {
        let mut cores = CpuSet::new();
        cores.set(1);
        assert_eq!(Core(1).others(cores), None);
        cores.set(3);
        let others = Core(1).others(cores).unwrap();
        assert!(others.is_set(3) && others.count() == 1);
        assert_eq!(Core(usize::MAX).others(cores), None);
    }

    #[test]
    fn a_thread_that_left_may_work_wherever_it_might_before() {
        let before = sched_getaffinity(None).unwrap();
        Core::current().leave();
        assert_eq!(sched_getaffinity(None).unwrap(), before);
    }
}
