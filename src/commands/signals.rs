//! Being asked to stop: Ctrl-C on a terminal, SIGTERM from a CI system or a container.

use std::io;

use tokio::sync::oneshot;

/// Waits for signals that ask the process to stop. From the first one of these values on, and when it is
/// gone as well, they do not end the process by themselves.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// Those of the system.
    #[cfg(unix)]
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Begins to listen.
    #[cfg(not(unix))]
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// The next one, as the exit status of a process that it ends.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }

    /// The next one, as the exit status of a process that it ends.
    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> i32 {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nothing can be received, so nothing ever comes.
            std::future::pending::<()>().await;
        }
        130
    }
}

/// Has the signals answered on a thread of its own, which lives until the process or `answer` ends.
/// Returns as soon as it listens, or cannot.
pub(super) async fn attend<F: Future<Output = ()>>(
    answer: impl FnOnce(Signals) -> F + Send + 'static,
) {
    let (listens, listening) = oneshot::channel();
    let attendant = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else {
            return;
        };
        runtime.block_on(async {
            if let Ok(signals) = Signals::listen() {
                // Who has asked for it waits.
                let _ = listens.send(());
                answer(signals).await;
            }
        });
    };
    // Without a thread the sender is gone at once.
    let _ = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(attendant);
    let _ = listening.await;
}
