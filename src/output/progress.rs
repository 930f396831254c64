//! What is going on while policies are uploaded, on standard error.
//!
//! On a terminal a bar with one line per running upload, elsewhere one plain line per event. The
//! display takes [`Event`]s from any thread and knows nothing of plans or clients. What it cannot
//! write is lost: a closed pipe must not stop a deployment.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::human::Style;
use super::human::deploy::{happened, milliseconds};
use super::json::deploy::{Action, Status};
use super::visible::one_line;

/// How often a running line moves.
const TICK: Duration = Duration::from_millis(120);

/// Something that happened during a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A keyset exists now.
    KeysetFinished {
        /// Its id.
        id: &'a str,
        /// What was done.
        action: Action,
    },
    /// A keyset could not be provisioned.
    KeysetFailed {
        /// Its id.
        id: &'a str,
        /// Why; holds no key or secret.
        error: &'a str,
    },
    /// The upload of a policy begins.
    PolicyStarted {
        /// PolicyId.
        id: &'a str,
    },
    /// A policy is done, failed, restored or skipped.
    PolicyFinished {
        /// PolicyId.
        id: &'a str,
        /// What was to be done.
        action: Action,
        /// What came of it.
        status: Status,
        /// How long it took.
        duration: Duration,
        /// Why it failed.
        error: Option<&'a str>,
    },
    /// A policy is not tried.
    PolicyBlocked {
        /// PolicyId.
        id: &'a str,
        /// The base that failed.
        base: &'a str,
    },
    /// A request is sent again after a pause.
    Retry {
        /// The policy or keyset that it is for.
        id: &'a str,
        /// What the service or the connection answered.
        reason: &'a str,
        /// The pause.
        delay: Duration,
    },
}

/// The display of one deployment.
pub struct Progress {
    display: Display,
    style: Style,
}

enum Display {
    Bars {
        multi: MultiProgress,
        total: ProgressBar,
        running: Mutex<BTreeMap<String, ProgressBar>>,
    },
    Lines(Mutex<Box<dyn Write + Send>>),
    Silent,
}

impl Progress {
    /// A bar over `policies` uploads on standard error, for a terminal.
    pub fn bars(policies: usize, style: Style) -> Self {
        Self::on(ProgressDrawTarget::stderr(), policies, style)
    }

    /// One plain line per event, for everything that is no terminal.
    pub fn lines(out: Box<dyn Write + Send>, style: Style) -> Self {
        Self {
            display: Display::Lines(Mutex::new(out)),
            style,
        }
    }

    /// Bars if standard error is a terminal, lines otherwise.
    pub fn on_stderr(policies: usize, is_terminal: bool, style: Style) -> Self {
        if is_terminal {
            Self::bars(policies, style)
        } else {
            Self::lines(Box::new(io::stderr()), style)
        }
    }

    /// No display, for `--quiet`.
    pub fn silent() -> Self {
        Self {
            display: Display::Silent,
            style: Style::default(),
        }
    }

    fn on(target: ProgressDrawTarget, policies: usize, style: Style) -> Self {
        let multi = MultiProgress::with_draw_target(target);
        let total = multi.add(ProgressBar::new(policies as u64));
        let template = "{bar:30} {pos}/{len} policies, {elapsed}";
        if let Ok(bar) = ProgressStyle::with_template(template) {
            total.set_style(bar.progress_chars(style.symbol("━╸ ", "=> ")));
        }
        total.tick();
        Self {
            display: Display::Bars {
                multi,
                total,
                running: Mutex::default(),
            },
            style,
        }
    }

    /// More uploads are to come than was known at the beginning.
    pub fn expect(&self, policies: usize) {
        if let Display::Bars { total, .. } = &self.display {
            total.inc_length(policies as u64);
        }
    }

    /// Shows what happened.
    pub fn event(&self, event: Event<'_>) {
        match &self.display {
            Display::Bars {
                multi,
                total,
                running,
            } => self.draw(event, multi, total, &mut lock(running)),
            Display::Lines(out) => {
                if let Some(line) = describe(event) {
                    let mut out = lock(out);
                    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
                }
            }
            Display::Silent => {}
        }
    }

    /// A line of text between the events.
    pub fn say(&self, line: &str) {
        match &self.display {
            Display::Bars { multi, .. } => say(multi, line),
            Display::Lines(out) => {
                let mut out = lock(out);
                let _ = writeln!(out, "{line}").and_then(|()| out.flush());
            }
            Display::Silent => {}
        }
    }

    /// The terminal has written the `^C` that somebody typed behind the bar. As the bar ends at the
    /// right edge, that went into the next line, and the bar would be looked for there.
    pub fn interrupted(&self) {
        if let Display::Bars { .. } = &self.display {
            let _ = io::stderr().write_all(b"\r\x1b[K\x1b[1A");
        }
    }

    /// Takes the bar away; what was said above it stays.
    pub fn finish(&self) {
        if let Display::Bars {
            multi,
            total,
            running,
        } = &self.display
        {
            for line in std::mem::take(&mut *lock(running)).into_values() {
                line.finish_and_clear();
            }
            total.finish_and_clear();
            let _ = multi.clear();
        }
    }

    fn draw(
        &self,
        event: Event<'_>,
        multi: &MultiProgress,
        total: &ProgressBar,
        running: &mut BTreeMap<String, ProgressBar>,
    ) {
        match event {
            Event::PolicyStarted { id } => {
                let line = multi.insert_before(total, ProgressBar::new_spinner());
                if let Ok(spinner) = ProgressStyle::with_template("{spinner} {msg}") {
                    let ticks = self.style.symbol("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ", "|/-\\ ");
                    line.set_style(spinner.tick_chars(ticks));
                }
                line.set_message(one_line(id).into_owned());
                line.enable_steady_tick(TICK);
                running.insert(id.to_owned(), line);
            }
            Event::Retry { id, .. } => {
                let line = describe(event).unwrap_or_default();
                match running.get(id) {
                    Some(running) => running.set_message(line),
                    None => say(multi, &line),
                }
            }
            Event::PolicyFinished { id, .. } | Event::PolicyBlocked { id, .. } => {
                if let Some(line) = running.remove(id) {
                    line.finish_and_clear();
                    multi.remove(&line);
                }
                say(multi, &describe(event).unwrap_or_default());
                total.inc(1);
            }
            Event::KeysetFinished { .. } | Event::KeysetFailed { .. } => {
                say(multi, &describe(event).unwrap_or_default());
            }
        }
    }
}

fn say(multi: &MultiProgress, line: &str) {
    let _ = multi.println(line);
}

/// The line that tells of an event; the start of an upload is not worth one.
fn describe(event: Event<'_>) -> Option<String> {
    let line = match event {
        Event::PolicyStarted { .. } => return None,
        Event::KeysetFinished { id, action } => {
            format!("{} keyset {}", happened(action, Status::Done), one_line(id))
        }
        Event::KeysetFailed { id, error } => {
            format!("failed keyset {}: {}", one_line(id), one_line(error))
        }
        Event::PolicyFinished {
            id,
            action,
            status,
            duration,
            error,
        } => {
            let word = happened(action, status);
            let id = one_line(id);
            let time = milliseconds(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
            match error {
                Some(error) => format!("{word} {id} ({time}): {}", one_line(error)),
                None if action == Action::Unchanged
                    || status == Status::Skipped
                    || duration.is_zero() =>
                {
                    format!("{word} {id}")
                }
                None => format!("{word} {id} ({time})"),
            }
        }
        Event::PolicyBlocked { id, base } => {
            format!("blocked {}: {} failed", one_line(id), one_line(base))
        }
        Event::Retry { id, reason, delay } => format!(
            "{}: trying again in {}.{} s: {}",
            one_line(id),
            delay.as_secs(),
            delay.subsec_millis() / 100,
            one_line(reason)
        ),
    };
    Some(line)
}

/// A panic in another thread leaves nothing half-done behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
