//! `iefctl validate --watch`, waited for by what it prints.

use std::io::{BufRead as _, BufReader, Read};
use std::process::Child;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::fixture::{IefCtl, policy};

/// Ends a test that waits in vain.
const DEADLINE: Duration = Duration::from_secs(60);

/// A running watch and the lines of both of its streams.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(iefctl: &IefCtl) -> Self {
        let mut child = iefctl.spawn();
        let (sender, lines) = channel();
        forward(child.stdout.take().unwrap(), sender.clone());
        forward(child.stderr.take().unwrap(), sender);
        Self { child, lines }
    }

    /// Waits for a line with this text; returns it and what came before.
    #[track_caller]
    fn wait_for(&self, text: &str) -> String {
        let end = Instant::now() + DEADLINE;
        let mut seen = String::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    seen.push_str(&line);
                    seen.push('\n');
                    if line.contains(text) {
                        return seen;
                    }
                }
                Err(error) => panic!("no line with `{text}`: {error}; seen:\n{seen}"),
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn forward(stream: impl Read + Send + 'static, sender: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}

#[test]
fn every_save_is_validated_until_ctrl_c() {
    let iefctl = IefCtl::with_files([("p/Base.xml", policy(&["objectId"]))])
        .args(["validate", "p", "--watch"]);
    let watch = Watch::start(&iefctl);
    let first = watch.wait_for("0 errors");
    assert!(
        !first.contains('\u{1b}'),
        "no terminal, no escape: {first:?}"
    );

    iefctl.write("p/Base.xml", policy(&["objetcId"]));
    watch.wait_for("changed: p/Base.xml");
    watch.wait_for(": 1 error,");

    iefctl.write("p/Base.xml", "<TrustFrameworkPolicy");
    watch.wait_for("waiting for changes");

    std::fs::remove_file(iefctl.path("p/Base.xml")).unwrap();
    watch.wait_for("no policy files");

    std::fs::remove_dir(iefctl.path("p")).unwrap();
    iefctl.write("p/New.xml", policy(&["objectId"]));
    watch.wait_for("p/New.xml");
    watch.wait_for(": 0 errors");

    iefctl.write("iefctl.toml", "no such line");
    watch.wait_for("iefctl.toml:1:");
    iefctl.write("iefctl.toml", "[rules]\n");
    watch.wait_for(": 0 errors");

    iefctl.write("p/q/Other.xml", "\u{0}");
    watch.wait_for("changed: p/q/Other.xml");
    watch.wait_for("p/q/Other.xml:1:1");

    #[cfg(unix)]
    {
        let mut watch = watch;
        let interrupted = std::process::Command::new("kill")
            .args(["-INT", &watch.child.id().to_string()])
            .status()
            .unwrap();
        assert!(interrupted.success());
        assert_eq!(watch.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn what_cannot_run_at_first_ends_at_once() {
    IefCtl::with_files([("p/Base.xml", policy(&[]))])
        .args(["validate", "nowhere", "--watch"])
        .run()
        .expect(2)
        .says("`nowhere` does not exist");
}

#[test]
fn the_report_among_the_policies_calls_for_no_other_report() {
    let iefctl = IefCtl::with_files([("p/Base.xml", policy(&["objectId"]))]).args([
        "validate",
        "p",
        "--watch",
        "--output",
        "p/report.xml",
    ]);
    let watch = Watch::start(&iefctl);
    watch.wait_for(": 0 errors");
    for (claim, errors) in [("objetcId", ": 1 error,"), ("objectId", ": 0 errors")] {
        iefctl.write("p/Base.xml", policy(&[claim]));
        let seen = watch.wait_for(errors);
        assert!(seen.starts_with("changed: p/Base.xml\n"), "{seen}");
        assert_eq!(seen.matches("changed:").count(), 1, "{seen}");
    }
}
