//! A gate in front of a tenant: every request passes it, and the test decides what happens then. So
//! processes are killed and stopped at a certain request, never after a certain time.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What happens to one request.
pub(crate) enum Pass {
    /// It goes on.
    Through,
    /// It never reaches the tenant.
    Lost(Box<dyn FnOnce() + Send>),
    /// It reaches the tenant, then this happens.
    Then(Box<dyn FnOnce() + Send>),
    /// It reaches the tenant, and this happens when the answer begins.
    OnAnswer(Box<dyn FnOnce() + Send>),
}

type Decide = dyn Fn(usize, &str) -> Pass + Send + Sync;

/// A gate that listens; it works until the process ends.
pub(crate) struct Gate {
    pub(crate) url: String,
    count: Arc<AtomicUsize>,
}

impl Gate {
    /// A gate in front of `target`. `decide` gets the number of the request, from 1, and its first
    /// line.
    pub(crate) fn new(
        target: SocketAddr,
        decide: impl Fn(usize, &str) -> Pass + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let count = Arc::new(AtomicUsize::new(0));
        let decide: Arc<Decide> = Arc::new(decide);
        let counter = Arc::clone(&count);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                // Where the tenant is gone, nobody listens here any more either.
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(target)) else {
                    break;
                };
                let (decide, counter) = (Arc::clone(&decide), Arc::clone(&counter));
                std::thread::spawn(move || carry(&client, &server, &*decide, &counter));
            }
        });
        Self { url, count }
    }

    /// How many requests have come.
    pub(crate) fn requests(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

/// What is to happen at the next answer of a connection.
#[derive(Default)]
struct Awaited {
    is_set: AtomicBool,
    then: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

/// Carries one connection. A request begins with its method: nothing is sent before the answer to
/// the one before.
fn carry(client: &TcpStream, server: &TcpStream, decide: &Decide, counter: &AtomicUsize) {
    let awaited = Arc::new(Awaited::default());
    {
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let awaited = Arc::clone(&awaited);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                if awaited.is_set.swap(false, Ordering::SeqCst)
                    && let Some(then) = awaited.then.lock().unwrap().take()
                {
                    then();
                }
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    }
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let chunk = &buffer[..length];
        let mut pass = Pass::Through;
        if ["GET ", "PUT ", "POST ", "DELETE ", "PATCH "]
            .iter()
            .any(|method| chunk.starts_with(method.as_bytes()))
        {
            let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
            let text = String::from_utf8_lossy(chunk);
            pass = decide(number, text.lines().next().unwrap_or_default());
        }
        match pass {
            Pass::Lost(then) => {
                then();
                break;
            }
            Pass::OnAnswer(then) => {
                *awaited.then.lock().unwrap() = Some(then);
                awaited.is_set.store(true, Ordering::SeqCst);
                if to.write_all(chunk).is_err() {
                    break;
                }
            }
            Pass::Through | Pass::Then(_) => {
                if to.write_all(chunk).is_err() {
                    break;
                }
                if let Pass::Then(then) = pass {
                    then();
                }
            }
        }
    }
    // The tenant works on what it has got, as the service does when a client goes away.
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Both);
}
