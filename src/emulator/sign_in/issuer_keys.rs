//! The keys of an external issuer: given, or read over plain http from an address on this machine.
//! The emulator reaches nothing else.

use std::borrow::Cow;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use serde_json::Value;

use super::applications::{FederatedCredential, IssuerKeys};

const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 1024 * 1024;

/// The key set of an issuer; `None` if it cannot be read.
pub(super) fn of(credential: &FederatedCredential) -> Option<Cow<'_, Value>> {
    match &credential.keys {
        IssuerKeys::Set(set) => Some(Cow::Borrowed(set)),
        IssuerKeys::Url(url) => Some(Cow::Owned(get(url)?)),
        IssuerKeys::Discovery => {
            let issuer = credential.issuer.trim_end_matches('/');
            let discovery = get(&format!("{issuer}/.well-known/openid-configuration"))?;
            Some(Cow::Owned(get(discovery["jwks_uri"].as_str()?)?))
        }
    }
}

/// Refuses what is not `http://` with a host on this machine.
pub(super) fn check_url(url: &str) -> Result<(), String> {
    match address(url) {
        Some(_) => Ok(()),
        None => Err(format!(
            "`{url}` is no address on this machine, such as http://127.0.0.1:8085/keys"
        )),
    }
}

/// Host with port, and path.
fn address(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, format!("/{path}")),
        None => (rest, "/".to_owned()),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse::<u16>().ok()?),
        _ => (authority, 80),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let ip = match bare {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => bare.parse().ok()?,
    };
    let plain = |c: char| c.is_ascii_graphic();
    (ip.is_loopback() && path.chars().all(plain)).then(|| (format!("{host}:{port}"), path))
}

/// One GET. HTTP/1.0, so that the answer is neither in chunks nor compressed.
fn get(url: &str) -> Option<Value> {
    let (host, path) = address(url)?;
    let socket = host.to_socket_addrs().ok()?.next()?;
    let mut stream = TcpStream::connect_timeout(&socket, TIMEOUT).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    stream.set_write_timeout(Some(TIMEOUT)).ok()?;
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4_096];
    // Some servers leave the connection open all the same.
    while !is_complete(&answer) && answer.len() < MAX_BYTES {
        match stream.read(&mut buffer).ok()? {
            0 => break,
            count => answer.extend_from_slice(buffer.get(..count)?),
        }
    }
    let text = std::str::from_utf8(&answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?;
    (status == "200").then(|| serde_json::from_str(body).ok())?
}

/// Whether an answer has as many bytes as it says.
fn is_complete(answer: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(answer) else {
        return false;
    };
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok())?
    });
    length.is_some_and(|length: usize| body.len() >= length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_on_this_machine() {
        for good in [
            "http://127.0.0.1:8085/keys",
            "http://localhost/keys?x=1",
            "http://[::1]:1/",
        ] {
            assert!(check_url(good).is_ok(), "{good}");
        }
        for bad in [
            "https://127.0.0.1/",
            "http://contoso.com/keys",
            "http://127.0.0.1.contoso.com/",
            "http://10.0.0.1/",
            "http://localhost:99999/",
            "http://127.0.0.1/a b",
            "keys.json",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }
}
