//! A local stand-in for an Azure AD B2C tenant: Entra's token endpoint and Microsoft Graph's
//! `trustFramework` endpoints, with what policies need of the directory, over plain http on loopback.
//!
//! It answers as the service is known to answer: ids are case-insensitive and prefixed, keysets
//! append and never give a secret back, uploads are validated and refused in the service's words.
//! Where the service's behaviour is not known, [`Unknowns`] has a switch with a default. [`Faults`]
//! makes it fail on purpose, by a seeded script.
//!
//! The room shares nothing with the client rooms (`auth`, `msgraph`, `deploy`): what a client must
//! know of the wire is written here a second time, so that neither side hides the other's mistakes.
//!
//! Start reading at [`Emulator::start`], then `server` (one request from socket to answer), `route`
//! (paths), `policies`, `keysets`, `directory` and `sign_in` (the endpoints), `store` and `state` (what
//! is kept).

mod answer;
mod bearer;
mod certificate;
mod clock;
mod der;
mod directory;
mod failure;
mod faults;
mod guid;
mod json;
mod key_material;
mod keysets;
mod late;
mod log;
mod options;
mod pfx;
mod policies;
mod route;
mod script;
mod server;
mod sign_in;
mod signer;
mod state;
mod store;
mod stored_form;
mod upload;
mod wire;
mod xml_exception;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use directory::{Directory, DirectoryOptions, Entity};
pub use faults::{Body, Fault, FaultRule, Faults, Matcher, On, RateLimit, Stage};
pub use log::RequestRecord;
pub use options::{
    ConcurrentWrites, DuplicatePolicy, EmulatorOptions, IdMismatch, StoredForm, Unknowns,
};
pub use sign_in::{Application, DeviceCodes, FederatedCredential, IssuerKeys, read_applications};
pub use state::StateError;
pub use store::{Key, Keyset, Store};

use server::Server;
use wire::{Connection, Listener};

/// How long [`Emulator::shutdown`] waits for running requests.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// Why the emulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// The address is taken or not allowed.
    #[error("cannot listen on {addr}: {source}; choose another port, or 0 for any free one")]
    Bind {
        /// The address that was asked for.
        addr: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The emulator accepts any secret and must not be reachable from elsewhere by accident.
    #[error("{0} is not a loopback address; allow remote clients explicitly to listen there")]
    NotLoopback(SocketAddr),
    /// An option contradicts another or has no meaning.
    #[error("{0}")]
    Options(String),
    /// The state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// No signing key could be made.
    #[error("cannot generate the key that signs access tokens")]
    SigningKey,
}

/// A running emulator. Dropping it stops the server without waiting; prefer [`Emulator::shutdown`].
#[derive(Debug)]
pub struct Emulator {
    addr: SocketAddr,
    server: Arc<Server>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Emulator {
    /// Loads the state folder, binds `addr` (port 0 takes a free one) and serves until shut down.
    pub async fn start(options: EmulatorOptions, addr: SocketAddr) -> Result<Self, EmulatorError> {
        if !addr.ip().is_loopback() && !options.allow_remote {
            return Err(EmulatorError::NotLoopback(addr));
        }
        options.check().map_err(EmulatorError::Options)?;
        let bind = |source| EmulatorError::Bind { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(bind)?;
        let addr = listener.local_addr().map_err(bind)?;
        let server = tokio::task::spawn_blocking(move || Server::new(options, addr))
            .await
            .map_err(|_| EmulatorError::SigningKey)??;
        let server = Arc::new(server);

        let (stop, stopped) = oneshot::channel();
        let app = server::router(Arc::clone(&server));
        let task = tokio::spawn(async move {
            let served = axum::serve(
                Listener::new(listener),
                app.into_make_service_with_connect_info::<Connection>(),
            )
            .with_graceful_shutdown(async {
                let _ = stopped.await;
            })
            .await;
            if let Err(error) = served {
                tracing::error!(%error, "the emulator stopped serving");
            }
        });
        Ok(Self {
            addr,
            server,
            stop: Some(stop),
            task,
        })
    }

    /// `http://127.0.0.1:PORT`: the base of both the Graph and the login endpoints.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The tenants' contents, to seed and to inspect.
    pub fn store(&self) -> &Store {
        self.server.store()
    }

    /// Every request received so far, in order of arrival (the last 100 000 of them).
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.server.log().snapshot()
    }

    /// Replaces the fault script; counters and the random sequence start anew.
    pub fn set_faults(&self, faults: Faults) {
        self.server.set_faults(faults);
    }

    /// Where the state is kept, if it is.
    pub fn state_folder(&self) -> Option<PathBuf> {
        self.store().folder()
    }

    /// Stops accepting, lets running requests finish (10 s at most) and returns when what they
    /// wrote is in the state folder.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        if tokio::time::timeout(SHUTDOWN_GRACE, &mut self.task)
            .await
            .is_err()
        {
            self.task.abort();
        }
        // A client that hung up leaves its request running, out of the server's sight.
        let _ = tokio::time::timeout(SHUTDOWN_GRACE, self.server.idle()).await;
        self.server.store().close();
    }
}
