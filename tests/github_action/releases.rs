//! A server of releases on this machine: files of a folder over plain HTTP.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::runner::repository;

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The targets that `packaging/targets.json` lists.
pub(crate) fn contract() -> serde_json::Value {
    let text = fs::read_to_string(repository().join("packaging/targets.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What `RUNNER_OS` and `RUNNER_ARCH` are on this machine.
pub(crate) const OS: &str = if cfg!(target_os = "macos") {
    "macOS"
} else {
    "Linux"
};
pub(crate) const ARCH: &str = if cfg!(target_arch = "aarch64") {
    "ARM64"
} else {
    "X64"
};

/// The name of this machine's archive, without the suffix.
pub(crate) fn name(version: &str) -> String {
    let contract = contract();
    let mut targets = contract["targets"].as_array().unwrap().iter();
    let target = targets
        .find(|target| target["github"]["os"] == OS && target["github"]["arch"] == ARCH)
        .unwrap();
    let suffix = target["suffix"].as_str().unwrap();
    let archive = contract["archive"].as_str().unwrap();
    let archive = archive.replace("{version}", version);
    let archive = archive.replace("{target}", target["target"].as_str().unwrap());
    archive.replace("{suffix}", suffix)
}

/// Serves `folder` until the process ends, and returns the URL.
pub(crate) fn serve(folder: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(&stream.unwrap(), &folder);
        }
    });
    url
}

fn answer(mut stream: &TcpStream, folder: &Path) {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap().unwrap();
    for line in lines.by_ref() {
        if line.unwrap().is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap();
    let (status, body) = match fs::read(folder.join(path.trim_start_matches('/'))) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // The client may have gone.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&body));
}

/// A folder with the release of the version that is tested; made once.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("releases");
        let _ = fs::remove_dir_all(&root);
        let release = root.join(format!("v{VERSION}"));
        let archive = name(VERSION);
        let inside = archive.strip_suffix(".tar.gz").unwrap();
        let staged = root.join("staged").join(inside);
        fs::create_dir_all(&staged).unwrap();
        fs::create_dir_all(&release).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_iefctl"), staged.join("iefctl")).unwrap();
        let done = Command::new("tar")
            .args(["-c", "--gzip", "-f"])
            .arg(release.join(&archive))
            .arg("-C")
            .arg(root.join("staged"))
            .arg(inside)
            .env("GZIP", "-1")
            .status()
            .unwrap();
        assert!(done.success());
        let digest = sha256(&release.join(&archive));
        let sums = format!("{}  other.zip\n{digest}  {archive}\n", "0".repeat(64));
        fs::write(release.join("SHA256SUMS"), sums).unwrap();
        root
    })
}

pub(crate) fn sha256(file: &Path) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &fs::read(file).unwrap());
    let bytes = digest.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
