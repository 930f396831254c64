//! A server that answers every request by a function, and can break connections at any point. It
//! speaks just enough HTTP/1.1, on its own, so that it can misbehave.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Method and path in one word, for assertions.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What happens to a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// An answer.
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// The connection ends without an answer.
    Reset,
    /// The connection ends in the middle of this body.
    Cut(&'static str),
    /// Nothing ever comes.
    Silence,
}

impl Reply {
    pub(crate) fn json(status: u16, body: impl ToString) -> Self {
        Self::typed(status, "application/json", body)
    }

    pub(crate) fn xml(status: u16, body: impl ToString) -> Self {
        Self::typed(status, "application/xml", body)
    }

    pub(crate) fn html(status: u16) -> Self {
        let page = "<!DOCTYPE html><html><head><title>Proxy sign-in</title></head></html>";
        Self::typed(status, "text/html; charset=utf-8", page)
    }

    pub(crate) fn typed(status: u16, kind: &str, body: impl ToString) -> Self {
        Self::Answer {
            status,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    /// An error as Graph sends it.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let inner = serde_json::json!({
            "correlationId": "corr-1", "date": "2026-01-02T03:04:05",
            "request-id": "req-1", "client-request-id": "cli-1",
        });
        let error = serde_json::json!({"code": code, "message": message, "innerError": inner});
        Self::json(status, serde_json::json!({ "error": error }))
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

type Script = dyn Fn(&Request, usize) -> Reply + Send + Sync;

/// A running server; it ends with the runtime of the test.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server. The script sees every request with its number, from 0.
    pub(crate) async fn start(
        script: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            connections: Arc::default(),
        };
        let script: Arc<Script> = Arc::new(script);
        let (requests, connections) = (server.requests.clone(), server.connections.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, script.clone(), requests.clone()));
            }
        });
        server
    }

    /// Starts a server that gives these replies one after the other, the last one for ever.
    pub(crate) async fn playing(replies: Vec<Reply>) -> Self {
        Self::start(move |_, number| replies[number.min(replies.len() - 1)].clone()).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests().iter().map(Request::line).collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, script: Arc<Script>, requests: Arc<Mutex<Vec<Request>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await {
        let reply = {
            let mut requests = requests.lock().unwrap();
            let number = requests.len();
            requests.push(request.clone());
            drop(requests);
            script(&request, number)
        };
        match reply {
            Reply::Answer {
                status,
                headers,
                body,
            } => {
                let mut head = format!(
                    "HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n",
                    body.len()
                );
                for (name, value) in headers {
                    head += &format!("{name}: {value}\r\n");
                }
                head += "\r\n";
                let bytes = [head.into_bytes(), body].concat();
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Reply::Reset => return,
            Reply::Cut(body) => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len() + 100
                );
                stream.write_all(head.as_bytes()).await.ok();
                return;
            }
            Reply::Silence => std::future::pending().await,
        }
    }
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut first = lines.first()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request {
        method,
        path,
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}
