//! What a signal does to a process that writes to tenants. While something is written, the first one
//! lets running calls end and starts no further ones, and a second one ends the process. Once nothing is
//! written any more, any ends it: what is left is to tell, and a pipe that nobody reads would hold that
//! up for ever.
//!
//! Signals come to the process and not to one of the deployments side by side, so one thread answers for
//! all of them, and lives on when their runtimes have ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use crate::deploy::Cancellation;
use crate::msgraph::GraphClient;

use super::Shell;
use super::deployment::Display;
use super::signals::{self, Signals};

static WRITERS: Mutex<Writers> = Mutex::new(Writers {
    is_asked: false,
    present: Vec::new(),
});

static LISTENS: OnceCell<()> = OnceCell::const_new();

struct Writers {
    /// Whether the first signal has come.
    is_asked: bool,
    present: Vec<Arc<Writer>>,
}

struct Writer {
    cancellation: Cancellation,
    client: GraphClient,
    display: Arc<Display>,
}

impl Writer {
    fn stop(&self) {
        self.cancellation.cancel();
        self.client.set_patience(false);
    }

    fn tell(&self) {
        self.display
            .say("stopping: running calls are finished first; once more ends at once");
    }
}

/// A deployment that writes to a tenant, for as long as this value is.
pub(super) struct Interruptible(Arc<Writer>);

impl Interruptible {
    /// From here on signals are answered by the process itself, until it ends. Where the system does not
    /// let it listen they end it, and the next run does what is left.
    pub(super) async fn new(
        cancellation: &Cancellation,
        client: &GraphClient,
        display: &Arc<Display>,
        shell: &Shell,
    ) -> Self {
        let shell = *shell;
        LISTENS
            .get_or_init(|| signals::attend(move |signals| answer(signals, shell)))
            .await;
        let writer = Arc::new(Writer {
            cancellation: cancellation.clone(),
            client: client.clone(),
            display: Arc::clone(display),
        });
        let mut writers = writers();
        let is_asked = writers.is_asked;
        writers.present.push(Arc::clone(&writer));
        drop(writers);
        // Another deployment has been asked before this one came so far.
        if is_asked {
            writer.stop();
            writer.tell();
        }
        Self(writer)
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        let mut writers = writers();
        writers
            .present
            .retain(|writer| !Arc::ptr_eq(writer, &self.0));
    }
}

/// Nobody may say anything while holding it: standard error may be a pipe that nobody reads.
fn writers() -> MutexGuard<'static, Writers> {
    WRITERS.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(mut signals: Signals, shell: Shell) {
    loop {
        let status = signals.next().await;
        let (present, is_again) = {
            let mut writers = writers();
            let is_again = std::mem::replace(&mut writers.is_asked, true);
            (writers.present.clone(), is_again)
        };
        if present.is_empty() {
            end(status);
        }
        if !is_again {
            present.iter().for_each(|writer| writer.stop());
        }
        for writer in &present {
            writer.display.interrupted(status, &shell);
            match is_again {
                true => writer.display.finish(),
                false => writer.tell(),
            }
        }
        if is_again {
            shell.say(
                "ended: what was running may have taken effect or not; the next run finds out and does \
                 what is left",
            );
            end(status);
        }
    }
}

#[expect(
    clippy::exit,
    reason = "somebody insists on an end, or has nothing to wait for"
)]
fn end(status: i32) -> ! {
    std::process::exit(status)
}
