//! What is asked on a terminal, and that nothing is asked elsewhere. The terminal is one of util-linux'
//! `script`, which hands on what is typed and shown.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use super::sandbox::Sandbox;
use super::tenant::{Tenant, access, claim, policy};

/// `None` where there is no `script` as util-linux has it; CI must have one.
fn script() -> Option<Command> {
    let known = Command::new("script").arg("--version").output();
    if known.is_ok_and(|known| String::from_utf8_lossy(&known.stdout).contains("util-linux")) {
        return Some(Command::new("script"));
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "CI must have util-linux' script"
    );
    println!("skipped: there is no program `script` of util-linux");
    None
}

/// Runs the program on a terminal; `answer` tells what to type when a question is shown. Status and
/// what was shown.
fn on_terminal(
    sandbox: &Sandbox,
    args: &[&str],
    answer: impl FnOnce() -> &'static str,
) -> Option<(i32, String)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut child = script()?
        .args(["-q", "-e", "-c"])
        .arg(format!(
            "{} {}",
            env!("CARGO_BIN_EXE_iefctl"),
            args.join(" ")
        ))
        .arg("/dev/null")
        .current_dir(sandbox.path())
        .env_clear()
        .env("PATH", path)
        .env("TERM", "xterm")
        .envs(sandbox.variables.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typed = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let mut shown = String::new();
    let mut answer = Some(answer);
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = screen.read(&mut buffer) {
        shown.push_str(&String::from_utf8_lossy(&buffer[..length]));
        if shown.contains("[y/N]")
            && let Some(answer) = answer.take()
        {
            typed.write_all(answer().as_bytes()).unwrap();
            typed.flush().unwrap();
        }
    }
    let status = child.wait().unwrap();
    Some((status.code().unwrap(), shown))
}

fn project(tenant: &Tenant) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.variables = access(&tenant.url);
    sandbox.write(
        "iefctl.toml",
        "[environments.prod]\ntenant = \"contoso.onmicrosoft.com\"\nproduction = true\n\
         [environments.dev]\ntenant = \"fabrikam.onmicrosoft.com\"\n",
    );
    sandbox.write("set/A.xml", &policy("B2C_1A_A", None, &claim("one")));
    sandbox
}

const PRODUCTION: [&str; 4] = ["deploy", "set", "-e", "prod"];

#[test]
fn production_is_asked_about_on_a_terminal_only() {
    let tenant = Tenant::start(&[]);
    let sandbox = project(&tenant);
    for no in ["n\n", "\n", "yesterday\n", "\u{4}"] {
        let Some((status, shown)) = on_terminal(&sandbox, &PRODUCTION, || no) else {
            return;
        };
        assert_eq!(status, 2, "{no:?}: {shown}");
        assert!(
            shown.contains("contoso.onmicrosoft.com is marked production"),
            "{shown}"
        );
        assert!(shown.contains("1 policy to create"), "{shown}");
        assert!(shown.contains("nothing was written"), "{shown}");
    }
    let (status, shown) = on_terminal(&sandbox, &PRODUCTION, || "y\n").unwrap();
    assert!(status == 0 && shown.contains("1 created"), "{shown}");
    // Nothing to write, nothing to ask.
    let unasked = || -> &'static str { panic!("nobody may be asked") };
    let (status, shown) = on_terminal(&sandbox, &PRODUCTION, unasked).unwrap();
    assert!(status == 0 && shown.contains("nothing changed"), "{shown}");
    // Neither `--yes`, nor another environment, nor a run without terminal asks.
    sandbox.write("set/A.xml", &policy("B2C_1A_A", None, &claim("two")));
    let yes = [&PRODUCTION[..], &["--yes"]].concat();
    let (status, shown) = on_terminal(&sandbox, &yes, unasked).unwrap();
    assert!(status == 0 && shown.contains("1 updated"), "{shown}");
    let dev = ["deploy", "set", "-e", "dev"];
    assert_eq!(on_terminal(&sandbox, &dev, unasked).unwrap().0, 0);
    sandbox.write("set/A.xml", &policy("B2C_1A_A", None, &claim("three")));
    let done = sandbox.run(&PRODUCTION).expect(0);
    assert!(done.stdout.contains("1 updated") && !done.stderr.contains("[y/N]"));
}

/// While the question is open, somebody else deploys: the answer was to another question.
#[test]
fn an_answer_that_comes_too_late_writes_nothing() {
    let tenant = Tenant::start(&[]);
    let sandbox = project(&tenant);
    let other = project(&tenant);
    other.write("set/A.xml", &policy("B2C_1A_A", None, &claim("theirs")));
    let Some((status, shown)) = on_terminal(&sandbox, &PRODUCTION, || {
        other.run(&PRODUCTION).expect(0);
        "y\n"
    }) else {
        return;
    };
    assert_eq!(status, 2, "{shown}");
    assert!(
        shown.contains("policy B2C_1A_A has changed in the tenant"),
        "{shown}"
    );
    let same = other.run(&["plan", "set", "-e", "prod", "--exit-code"]);
    same.expect(0);
}
