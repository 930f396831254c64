//! One request, from the socket to the answer.
//!
//! The work is done in a task of its own: a client that hangs up does not undo it, as with the
//! service. Handlers are plain functions on blocking threads, a few at a time; waiting for an
//! injected latency takes no thread, so that hundreds of requests wait side by side.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::Router;
use axum::body::{Body as HttpBody, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Response, request};
use tokio::sync::{Semaphore, watch};

use super::answer::{Answer, Ids, Refusal};
use super::bearer::{Caller, Tokens};
use super::failure::{carries_out, concurrent_write, failure, garbled, throttle};
use super::faults::{Fault, Faults, Stage};
use super::guid;
use super::late::{Forgotten, Late};
use super::log::{Log, RequestRecord};
use super::options::{ConcurrentWrites, EmulatorOptions};
use super::route::{Path, Route, Target};
use super::script::Script;
use super::store::Store;
use super::wire::Connection;
use super::{EmulatorError, directory, keysets, policies, sign_in};

/// Longest body that is read at all; the limit for policies is far below.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Everything that the requests share.
#[derive(Debug)]
pub(super) struct Server {
    addr: SocketAddr,
    options: EmulatorOptions,
    store: Store,
    tokens: Tokens,
    memory: sign_in::Memory,
    script: RwLock<Arc<Script>>,
    log: Log,
    lag: directory::Lag,
    being_written: Mutex<BTreeSet<String>>,
    late: Mutex<Late>,
    workers: Semaphore,
    running: watch::Sender<usize>,
}

/// One authenticated Graph request, as the endpoints see it.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) server: &'a Server,
    pub(super) method: &'a str,
    pub(super) path: &'a Path,
    pub(super) query: Option<&'a str>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) caller: &'a Caller,
}

impl Call<'_> {
    /// The id of the tenant.
    pub(super) fn tenant(&self) -> &str {
        &self.caller.tenant
    }

    /// The name of the tenant in messages.
    pub(super) fn tenant_name(&self) -> String {
        self.server
            .store
            .read(self.tenant(), |tenant| tenant.name().to_owned())
    }

    /// The value of `@odata.context`.
    pub(super) fn context(&self, of: &str) -> String {
        format!("{}/beta/$metadata#{of}", self.server.url())
    }

    /// The back end's answer to a route or verb that it does not have.
    pub(super) fn no_action(&self) -> Answer {
        Answer::no_action(&self.path.back_end())
    }
}

impl Server {
    pub(super) fn new(options: EmulatorOptions, addr: SocketAddr) -> Result<Self, EmulatorError> {
        let store = Store::open(
            options.state.clone(),
            &options.tenant_ids,
            options.directory.clone(),
        )?;
        let tokens = Tokens::new(addr.port()).ok_or(EmulatorError::SigningKey)?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            addr,
            store,
            tokens,
            memory: sign_in::Memory::default(),
            script: RwLock::new(Arc::new(Script::new(options.faults.clone()))),
            log: Log::new(),
            lag: directory::Lag::default(),
            being_written: Mutex::default(),
            late: Mutex::default(),
            workers: Semaphore::new((2 * cores).max(4)),
            running: watch::Sender::new(0),
            options,
        })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(super) fn options(&self) -> &EmulatorOptions {
        &self.options
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// What the sign-in remembers.
    pub(super) fn memory(&self) -> &sign_in::Memory {
        &self.memory
    }

    /// How long access tokens are good, in seconds.
    pub(super) fn token_lifetime(&self) -> i64 {
        i64::try_from(self.options.token_lifetime.as_secs()).unwrap_or(i64::MAX / 2)
    }

    pub(super) fn lag(&self) -> &directory::Lag {
        &self.lag
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        *self.script.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Script::new(faults));
    }

    /// Waits until no request is being worked on.
    pub(super) async fn idle(&self) {
        let _ = self
            .running
            .subscribe()
            .wait_for(|running| *running == 0)
            .await;
    }

    fn script(&self) -> Arc<Script> {
        Arc::clone(&self.script.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers a request on the current thread; the caller has passed the token check if the
    /// request is for Graph.
    fn answer(&self, request: &Incoming, caller: Result<Caller, Refusal>, ids: &Ids) -> Answer {
        let (method, path) = (request.head.method.as_str(), &request.path);
        match &path.route {
            Route::Token(tenant) => {
                sign_in::token(self, method, tenant, &request.head.headers, &request.body)
            }
            Route::DeviceCode(tenant) => {
                sign_in::device_code(self, method, tenant, &request.head.headers, &request.body)
            }
            Route::DeviceLogin => sign_in::device_login(self, method, &request.body),
            Route::OpenIdConfiguration(tenant) if method == "GET" => {
                sign_in::openid_configuration(self, tenant)
            }
            Route::SigningKeys(tenant) if method == "GET" => sign_in::signing_keys(self, tenant),
            Route::Graph(_) | Route::Directory(_) => caller
                .and_then(|caller| {
                    let call = Call {
                        server: self,
                        method,
                        path,
                        query: request.head.uri.query(),
                        headers: &request.head.headers,
                        body: &request.body,
                        caller: &caller,
                    };
                    match &path.route {
                        Route::Directory(target) => directory::answer(&call, target),
                        Route::Graph(target) => graph(&call, target),
                        _ => Ok(call.no_action()),
                    }
                })
                .unwrap_or_else(|refusal| refusal.into_answer(ids)),
            Route::NoSegment(segment) => caller
                .err()
                .unwrap_or_else(|| {
                    let message = format!("Resource not found for the segment '{segment}'.");
                    Refusal::graph(400, "BadRequest", message)
                })
                .into_answer(ids),
            Route::OpenIdConfiguration(_) | Route::SigningKeys(_) | Route::Nowhere => {
                Answer::html(404)
            }
        }
    }

    fn late(&self) -> std::sync::MutexGuard<'_, Late> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims the object that a request writes; `None` if another request is writing it.
    fn claim(self: &Arc<Self>, object: String) -> Option<Claim> {
        let mut objects = self
            .being_written
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        objects.insert(object.clone()).then(|| Claim {
            server: Arc::clone(self),
            object,
        })
    }
}

/// An object that is being written, until it is dropped.
struct Claim {
    server: Arc<Server>,
    object: String,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let objects = &self.server.being_written;
        objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.object);
    }
}

/// Counts a request as running until it is dropped.
struct Running(Arc<Server>);

impl Running {
    fn new(server: Arc<Server>) -> Self {
        server.running.send_modify(|running| *running += 1);
        Self(server)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.send_modify(|running| *running -= 1);
    }
}

/// One request as it came in.
#[derive(Debug)]
pub(super) struct Incoming {
    head: request::Parts,
    path: Path,
    body: Bytes,
}

/// The service; one handler for all paths, because ids must be seen as they were sent.
pub(super) fn router(server: Arc<Server>) -> Router {
    Router::new().fallback(receive).with_state(server)
}

async fn receive(
    State(server): State<Arc<Server>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response<HttpBody> {
    let (head, body) = request.into_parts();
    let header = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let ids = Ids {
        request: guid::random(),
        client: header("client-request-id"),
    };
    let running = Running::new(Arc::clone(&server));
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        let message = "The request body is incomplete or longer than 8 MB.";
        return Refusal::graph(413, "RequestEntityTooLarge", message)
            .into_answer(&ids)
            .header("connection", "close")
            .into_response(&ids);
    };
    let path = Path::parse(head.uri.path());
    let sequence = server.log.open(RequestRecord {
        sequence: 0,
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        status: None,
        client_request_id: ids.client.clone(),
        request_id: ids.request.clone(),
        auth_ok: false,
        tenant: None,
        fault: None,
        connection: connection.id,
        started: std::time::Duration::ZERO,
        finished: None,
    });
    let incoming = Incoming { head, path, body };
    let task = {
        let (server, ids) = (Arc::clone(&server), ids.clone());
        tokio::spawn(async move {
            let answer = process(&server, incoming, &connection, sequence, &ids).await;
            let status = answer.as_ref().map(|answer| answer.status);
            server.log.close(sequence, status);
            drop(running);
            // What is never sent must still be something: the connection breaks before it.
            answer.unwrap_or_else(|| Answer::empty(500))
        })
    };
    let answer = task.await.unwrap_or_else(|_| {
        server.log.close(sequence, Some(500));
        Refusal::graph(
            500,
            "InternalServerError",
            "The emulator failed; this is a bug in it.",
        )
        .into_answer(&ids)
    });
    answer.into_response(&ids)
}

/// `None`: the connection is to be reset.
async fn process(
    server: &Arc<Server>,
    request: Incoming,
    connection: &Connection,
    sequence: u64,
    ids: &Ids,
) -> Option<Answer> {
    let is_graph = matches!(
        request.path.route,
        Route::Graph(_) | Route::Directory(_) | Route::NoSegment(_)
    );
    let caller = server.tokens.check(&request.head.headers);
    let method = request.head.method.as_str();
    let script = server.script();
    let verdict = script.decide(method, &request.path.normalised(), is_graph);
    server.log.update(sequence, |record| {
        record.auth_ok = is_graph && caller.is_ok();
        record.tenant = caller.as_ref().ok().map(|caller| caller.tenant.clone());
        record.fault = verdict
            .fault
            .as_ref()
            .map(|(fault, _)| format!("{fault:?}"));
    });
    let policy = match &request.path.route {
        Route::Graph(Target::PolicyValue(id)) => Some(id.clone()),
        _ => None,
    };
    if is_graph {
        let due = server.late().count();
        for forgotten in due {
            let Forgotten {
                request,
                caller,
                ids,
            } = forgotten;
            work(Arc::clone(server), request, caller, ids).await;
        }
    }
    if let Some((Fault::Late(requests), _)) = verdict.fault {
        let mut late = server.late();
        let ids = ids.clone();
        let forgotten = Forgotten {
            request,
            caller,
            ids,
        };
        late.put_off(forgotten, requests);
        connection.reset();
        return None;
    }
    let before = match &verdict.fault {
        Some((fault, Stage::Before)) if !carries_out(fault) => Some(fault.clone()),
        _ => None,
    };

    // The claim is held while the latency passes: that is when the second write comes in.
    let claim = match &caller {
        Ok(caller) if before.is_none() && is_graph => claim(server, &request, caller),
        _ => Ok(None),
    };
    // Half of the time it is on its way there, half on its way back; what the work takes is part of
    // the second half.
    let end = tokio::time::Instant::now() + verdict.delay;
    tokio::time::sleep(verdict.delay / 2).await;
    if let Some(fault) = before {
        tokio::time::sleep_until(end).await;
        return failure(
            server,
            &fault,
            caller.as_ref().ok(),
            policy.as_deref(),
            connection,
            ids,
        );
    }
    let throttled = match &caller {
        Ok(caller) if is_graph => script.throttled(&caller.tenant),
        _ => None,
    };
    if let Some(seconds) = throttled {
        return Some(throttle(Some(seconds)).into_answer(ids));
    }
    let known = caller.as_ref().ok().cloned();
    let is_put = request.head.method == "PUT";
    let answer = match claim {
        Err(refusal) => refusal.into_answer(ids),
        Ok(claim) => {
            let answer = work(Arc::clone(server), request, caller, ids.clone()).await;
            tokio::time::sleep_until(end).await;
            drop(claim);
            answer
        }
    };
    match verdict.fault {
        Some((Fault::Truncate, _)) => {
            connection.truncate(answer.body.len() / 2);
            Some(answer)
        }
        Some((Fault::CreatedForOk, _)) if answer.status == 200 && is_put => Some(Answer {
            status: 201,
            ..answer
        }),
        Some((Fault::CreatedForOk, _)) => Some(answer),
        Some((Fault::Garbled(body), _)) => Some(garbled(answer, body, ids)),
        Some((fault, Stage::After)) => failure(
            server,
            &fault,
            known.as_ref(),
            policy.as_deref(),
            connection,
            ids,
        ),
        _ => Some(answer),
    }
}

async fn work(
    server: Arc<Server>,
    request: Incoming,
    caller: Result<Caller, Refusal>,
    ids: Ids,
) -> Answer {
    let worker = Arc::clone(&server);
    let failed_ids = ids.clone();
    // The semaphore is never closed; without a permit the work would only be less orderly.
    let _permit = server.workers.acquire().await.ok();
    tokio::task::spawn_blocking(move || worker.answer(&request, caller, &ids))
        .await
        .unwrap_or_else(|error| {
            tracing::error!(%error, "a request handler failed");
            let message = "The emulator failed; this is a bug in it.";
            Refusal::graph(500, "InternalServerError", message).into_answer(&failed_ids)
        })
}

fn graph(call: &Call<'_>, target: &Target) -> Result<Answer, Refusal> {
    let reads = call.method == "GET";
    match target {
        Target::Policies
        | Target::PolicyCount
        | Target::Policy(_)
        | Target::PolicyValue(_)
        | Target::Root
        | Target::Unknown => {
            if reads {
                call.caller
                    .require(&["Policy.Read.All", "Policy.ReadWrite.TrustFramework"])?;
            } else {
                call.caller.require(&["Policy.ReadWrite.TrustFramework"])?;
            }
            policies::answer(call, target)
        }
        _ => {
            if reads {
                call.caller.require(&[
                    "TrustFrameworkKeySet.Read.All",
                    "TrustFrameworkKeySet.ReadWrite.All",
                ])?;
            } else {
                call.caller
                    .require(&["TrustFrameworkKeySet.ReadWrite.All"])?;
            }
            keysets::answer(call, target)
        }
    }
}

/// Claims what a request writes; the error is the service's refusal of a concurrent write.
fn claim(
    server: &Arc<Server>,
    request: &Incoming,
    caller: &Caller,
) -> Result<Option<Claim>, Refusal> {
    let Route::Graph(target) = &request.path.route else {
        return Ok(None);
    };
    if request.head.method == "GET"
        || server.options.unknowns.concurrent_writes == ConcurrentWrites::LastWins
    {
        return Ok(None);
    }
    let object = match target {
        Target::Policies => policies::object_of_body(&request.body),
        Target::Policy(id) | Target::PolicyValue(id) => Some(policies::object(id)),
        Target::Keysets => keysets::object_of_body(&request.body),
        Target::Keyset(id) | Target::KeysetAction(id, _) | Target::Key(id, _) => {
            Some(keysets::object(id))
        }
        _ => None,
    };
    let Some(object) = object else {
        return Ok(None);
    };
    let claim = server.claim(format!("{}/{object}", caller.tenant));
    claim.map(Some).ok_or_else(concurrent_write)
}
