//! Proxies, certificates of a company's own, and tenants that do not answer, over real sockets.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::gate::{Gate, Pass};
use super::sandbox::Sandbox;
use super::tenant::{Tenant, access, claim, policy, write_set};

/// Hosts that exist nowhere but behind the proxy.
const GRAPH: &str = "graph.contoso.test";
const LOGIN: &str = "login.contoso.test";

/// A tenant behind TLS, with a certificate that only its own CA vouches for, behind a proxy.
struct Company {
    _tenant: Tenant,
    proxy: SocketAddr,
    ca: String,
    /// What the proxy was asked for.
    asked: Arc<Mutex<Vec<String>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Company {
    fn new() -> Self {
        let tenant = Tenant::start(&[]);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap());
        let authority = authority.unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec![GRAPH.to_owned(), LOGIN.to_owned()];
        let certificate = CertificateParams::new(names)
            .unwrap()
            .signed_by(&key, &authority)
            .unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let target = tenant.address();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let proxy = listener.local_addr().unwrap();
        let log = Arc::clone(&asked);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
                tokio::spawn(async move {
                    // A client that does not like the certificate hangs up.
                    let _ = tunnel(client, target, &acceptor, &log).await;
                });
            }
        });
        Self {
            _tenant: tenant,
            proxy,
            ca: authority.pem(),
            asked,
            _runtime: runtime,
        }
    }

    fn sandbox(&self) -> Sandbox {
        let mut sandbox = Sandbox::new();
        sandbox.variables = access(&format!("https://{GRAPH}"));
        sandbox.variables.pop();
        let login = ("IEFCTL_LOGIN_ENDPOINT", format!("https://{LOGIN}"));
        let proxy = ("HTTPS_PROXY", format!("http://{}", self.proxy));
        sandbox.variables.extend([login, proxy]);
        write_set(&sandbox, "set", "new");
        sandbox.write("ca.pem", &self.ca);
        sandbox
    }
}

/// A `CONNECT` of HTTP, and the TLS of the host that was asked for, in one place.
async fn tunnel(
    mut client: TcpStream,
    target: SocketAddr,
    acceptor: &TlsAcceptor,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = tokio::io::BufReader::new(&mut client);
    let mut first = String::new();
    head.read_line(&mut first).await?;
    let mut line = String::new();
    while head.read_line(&mut line).await? > 2 {
        line.clear();
    }
    asked.lock().unwrap().push(first.trim().to_owned());
    client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    let mut inside = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(target).await?;
    copy_bidirectional(&mut inside, &mut server).await?;
    Ok(())
}

const DEPLOY: [&str; 4] = ["deploy", "set", "--tenant", "contoso.onmicrosoft.com"];

#[test]
fn through_a_proxy_to_a_host_with_a_certificate_of_its_own_ca() {
    let company = Company::new();
    let sandbox = company.sandbox();
    let trusted = [&DEPLOY[..], &["--ca-certificate", "ca.pem"]].concat();
    let done = sandbox.run(&trusted).expect(0);
    assert!(done.stdout.contains("6 created"), "{}", done.stdout);
    let asked = company.asked.lock().unwrap().clone();
    for host in [GRAPH, LOGIN] {
        let line = format!("CONNECT {host}:443 HTTP/1.1");
        assert!(asked.contains(&line), "{asked:?}");
    }
    // Connections are kept: far fewer than requests.
    assert!(asked.len() <= 10, "{} connections", asked.len());

    // Without the CA nothing is sent, and what to do is said.
    let refused = sandbox.run(&DEPLOY).expect(2);
    for words in [LOGIN, "not trusted", "--ca-certificate"] {
        assert!(
            refused.stderr.contains(words),
            "{words}: {}",
            refused.stderr
        );
    }
    sandbox.write(
        "bad.pem",
        "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n",
    );
    sandbox.write("empty.pem", "");
    for (file, words) in [
        ("bad.pem", "certificate"),
        ("empty.pem", "certificate"),
        ("none.pem", "none.pem"),
    ] {
        let bad = [&DEPLOY[..], &["--ca-certificate", file]].concat();
        let refused = sandbox.run(&bad).expect(2);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
}

#[test]
fn a_tenant_that_does_not_answer_is_not_waited_for_longer_than_asked() {
    let tenant = Tenant::start(&[]);
    let (silent, _never) = std::sync::mpsc::channel::<()>();
    let (silent, never) = (Mutex::new(silent), Mutex::new(_never));
    let gate = Gate::new(tenant.address(), move |_, line| {
        if line.contains("/keySets") {
            // Holds the request for ever: the sender lives as long as the gate.
            let _sender = silent.lock().unwrap();
            let _ = never.lock().unwrap().recv();
        }
        Pass::Through
    });
    let mut sandbox = Sandbox::new();
    sandbox.variables = access(&gate.url);
    write_set(&sandbox, "set", "new");
    let mut child = sandbox
        .command(&[&DEPLOY[..], &["--timeout", "1"]].concat())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("the answer did not come in time") {
        line.clear();
        assert!(
            stderr.read_line(&mut line).unwrap() > 0,
            "it never gave the answer up"
        );
    }
    assert!(
        line.contains("keysets") && line.contains("trying again"),
        "{line}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Holds every request until all those of its round have come, as a tenant does that takes long for each
/// answer. Who needs one round more than expected never gets through.
struct Rounds {
    /// How many requests come in each round.
    expected: Vec<usize>,
    /// The round, and how many have come in it.
    state: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Rounds {
    fn hold(&self, line: &str) {
        let mut state = self.state.lock().unwrap();
        let round = state.0;
        state.1 += 1;
        if Some(&state.1) == self.expected.get(round) {
            *state = (round + 1, 0);
            self.changed.notify_all();
            return;
        }
        let long = Duration::from_secs(60);
        let waits = |state: &mut (usize, usize)| state.0 == round;
        let (state, over) = self.changed.wait_timeout_while(state, long, waits).unwrap();
        assert!(
            !over.timed_out(),
            "{line} waits in round {round}: {state:?}"
        );
    }
}

/// 50 policies, 48 calls at a time: reading takes two answers after the one to signing in, and writing as
/// many as the longest chain has policies.
#[test]
fn a_deployment_takes_as_few_rounds_as_any_client_could() {
    let tenant = Tenant::start(&[]);
    let mut sandbox = Sandbox::new();
    let write = |id: &str, base: Option<&str>, body: &str| {
        sandbox.write(&format!("set/{id}.xml"), &policy(id, base, body));
    };
    write("B2C_1A_Base", None, &claim("email"));
    write("B2C_1A_Ext", Some("B2C_1A_Base"), "");
    for leaf in 0..48 {
        write(&format!("B2C_1A_Leaf{leaf}"), Some("B2C_1A_Ext"), "");
    }
    for expected in [
        // Lists and guesses at what may be there; it is not; base, extensions, leaves.
        vec![1, 48, 1, 1, 48],
        // Lists and guesses; what was not guessed.
        vec![1, 48, 4],
    ] {
        let rounds = Arc::new(Rounds {
            expected,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let held = Arc::clone(&rounds);
        let gate = Gate::new(tenant.address(), move |_, line| {
            held.hold(line);
            Pass::Through
        });
        sandbox.variables = access(&gate.url);
        let deploy = [&DEPLOY[..], &["--concurrency", "48"]].concat();
        sandbox.run(&deploy).expect(0);
        let state = *rounds.state.lock().unwrap();
        assert_eq!(state, (rounds.expected.len(), 0));
    }
}
